"""After another training nothing of the former models is taken for the new ones."""

import re

import pandas as pd
import pytest
from kedro.io.core import DatasetError

from tests.end_to_end.projects import SMALL_FEATURES, Project

OTHER_SEED = {"diffusion_training": {"seed": 1}}


@pytest.fixture(scope="module")
def retrained(demo: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The demo with all its results, and models trained with another seed."""
    layers = sorted(path.name for path in (demo.root / "data").iterdir() if path.name[0] == "0")
    project = demo.clone(
        tmp_path_factory.mktemp("retrained") / "demo", *(f"{layer}/demo" for layer in layers)
    )
    project.run("diffusion_training", params=OTHER_SEED)
    return project


@pytest.mark.parametrize(
    ("pipeline", "culprit", "way_out"),
    [
        ("evaluation", "coherence_probe.parquet", "coherent_sampling"),
        ("release_card", "recalibration/cna.safetensors", "coherent_sampling"),
    ],
)
def test_results_of_former_models_are_refused(
    retrained: Project, pipeline: str, culprit: str, way_out: str
) -> None:
    with pytest.raises(DatasetError) as caught:
        retrained.run(pipeline)
    message = str(caught.value)
    assert f"{culprit} does not belong to what lies beside it" in message
    assert "single/" in message
    assert f"Run `kedro run --env demo --pipelines {way_out}` again" in message


def test_the_page_leaves_out_tables_of_former_models_and_says_so(
    retrained: Project, demo: Project
) -> None:
    retrained.run("report")
    before, after = (
        run.path("08_reporting", "report.html").read_text(encoding="utf-8")
        for run in (demo, retrained)
    )
    reason = r"table table1_reconstruction \(made from other [^)]*(multi|single)/[^)]* than those at hand\)"
    assert not re.search(reason, before)
    assert re.search(reason, after)
    # Tables of what did not change stay: the cohort, the split, the encoders.
    assert "table table4_cohort (made from" not in after
    assert "table embedding (made from" not in after


def test_a_run_that_resumes_the_other_training_makes_again_what_depends_on_it(
    retrained: Project, demo: Project
) -> None:
    retrained.run(
        params=OTHER_SEED, only_missing_outputs=True, to_outputs=["table1_reconstruction_table"]
    )
    times = retrained.catalog().load("node_times").set_index("node")["finished"]
    former = demo.catalog().load("node_times").set_index("node")["finished"]
    again = set(times.index[times != former.reindex(times.index)])
    assert {
        *(f"coherent_sampling.{target}.draw_test_split" for target in SMALL_FEATURES),
        "evaluation.reconstruction.compare_reconstructions",
    } <= again
    assert not any(name.startswith(("ingestion", "preprocessing", "embedding")) for name in again)
    tables = [
        pd.read_csv(run.path("08_reporting", "table1_reconstruction.csv"))
        for run in (demo, retrained)
    ]
    generated, ridge = (
        [table[table["method"].eq(method)]["r2_of_mean"].tolist() for table in tables]
        for method in ("coherent", "ridge")
    )
    assert generated[0] != generated[1]
    assert ridge[0] == ridge[1]
