from dataclasses import replace

import pandas as pd
import pytest

from tcga_coherent.figures.palette import METHOD_STYLES
from tcga_coherent.measures.bootstrap import BootstrapParameters
from tcga_coherent.modality import parse_modalities
from tcga_coherent.studies.signal.claims import ReportedClaim
from tcga_coherent.studies.signal.experiment import NO_PREDICTIONS
from tcga_coherent.studies.signal.figure import draw_signal
from tcga_coherent.studies.signal.table import signal_table
from tests.studies.signal.made_up_signal import made_up_cohort, made_up_predictions

MODALITIES = parse_modalities(
    {
        "cna": {"label": "CNA", "color": "#0072B2", "steps": []},
        "rnaseq": {"label": "RNA-Seq", "color": "#D55E00", "steps": []},
    }
)
REPORTED = ReportedClaim("cancer_type", "rnaseq", "coherent", "macro_f1", "equal", 0.94, 0.95)


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> pd.DataFrame:
    """The table as the node of the figure reads it."""
    cohort, clinical = made_up_cohort()
    clinical = clinical.assign(stage=None)
    predictions = made_up_predictions(cohort, clinical)
    made = signal_table(predictions, cohort, clinical, BootstrapParameters(20, 0.9), (REPORTED,), 0)
    file = tmp_path_factory.mktemp("signal") / "table.csv"
    made.to_csv(file, index=False)
    return pd.read_csv(file)


def test_points_stand_at_the_scores_of_their_method(table) -> None:
    axes = draw_signal(table, MODALITIES).axes
    drawn = {
        (line.get_marker(), line.get_mfc()): line.get_ydata()[0]
        for line in axes[0].get_lines()
        if line.get_xdata()[0] > 0.5
    }
    style = METHOD_STYLES["coherent"]
    assert drawn[style.marker, style.color] == pytest.approx(1 / 3)
    assert drawn[style.marker, "white"] == 0
    assert drawn[METHOD_STYLES["real"].marker, METHOD_STYLES["real"].color] == 1
    assert [line.get_ydata()[0] for line in axes[0].get_lines() if line.get_marker() == "_"] == [
        0.94,
        0.95,
    ]


def test_a_panel_without_scores_gives_the_reason(table) -> None:
    figure = draw_signal(table, MODALITIES)
    said = [text.get_text() for text in figure.axes[1].texts]
    assert said == ["no training patient has a stage"] * 2
    titles = [axes.get_title() for axes in figure.axes[:2]]
    assert titles == ["Cancer type (60 test patients)", "Stage"]


def test_a_cohort_of_which_no_task_can_be_judged_still_has_its_figure(tmp_path) -> None:
    cohort, clinical = made_up_cohort()
    cohort = replace(cohort, cancer_type=cohort.cancer_type.map(lambda _: "LUAD"))
    bootstrap = BootstrapParameters(20, 0.9)
    made = signal_table(NO_PREDICTIONS, cohort, clinical.assign(stage=None), bootstrap, (), 0)
    made.to_csv(tmp_path / "table.csv", index=False)
    for table in (made, pd.read_csv(tmp_path / "table.csv")):
        figure = draw_signal(table, MODALITIES)
        assert [axes.get_title() for axes in figure.axes[:2]] == ["Cancer type", "Stage"]
        assert all(len(axes.texts) == 2 for axes in figure.axes)
