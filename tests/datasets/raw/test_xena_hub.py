import gzip
import hashlib
import logging
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.io.core import DatasetError

from tcga_coherent.datasets.raw.xena_hub import XenaClinicalDataset, XenaMatrixDataset

from .conftest import Hub


def table(*lines: str) -> bytes:
    return gzip.compress(("\n".join(lines) + "\n").encode())


FILES = {
    "TCGA-ACC.protein.tsv.gz": table(
        "id\tTCGA-AA-0001-01A\tTCGA-AA-0002-01A", "p1\t1\t2", "p2\t3\t4"
    ),
    "TCGA-UCS.protein.tsv.gz": table("id\tTCGA-BB-0001-01A", "p2\t5", "p3\t6"),
    "TCGA-ACC.clinical.tsv.gz": table("sample\tage\tsex", "TCGA-AA-0001-01A\t50\tmale"),
    "TCGA-ACC.survival.tsv.gz": table(
        "sample\tOS\t_PATIENT\tOS.time",
        "TCGA-AA-0001-01A\t1\tTCGA-AA-0001\t100",
        "TCGA-AA-0002-01A\t0\tTCGA-AA-0002\t200",
    ),
    "TCGA-UCS.clinical.tsv.gz": table("sample\tstage", "TCGA-BB-0001-01A\tStage I"),
    "TCGA-UCS.survival.tsv.gz": table("sample\tOS\tOS.time", "TCGA-BB-0001-01A\t0\t300"),
}


def protein(folder: Path, **settings: object) -> XenaMatrixDataset:
    defaults = {
        "folder": str(folder),
        "cohorts": ["ACC", "UCS"],
        "kind": "protein",
    }
    return XenaMatrixDataset(**(defaults | settings))  # type: ignore[arg-type]


def test_cohorts_are_joined_on_the_union_of_their_features(hub: Hub, tmp_path: Path) -> None:
    hub.files = FILES
    frame = protein(tmp_path, base_url=hub.url).load().read()
    assert sorted(hub.requests) == ["TCGA-ACC.protein.tsv.gz", "TCGA-UCS.protein.tsv.gz"]
    expected = pd.DataFrame(
        [[1, 3, np.nan], [2, 4, np.nan], [np.nan, 5, 6]],
        index=pd.Index(["TCGA-AA-0001-01A", "TCGA-AA-0002-01A", "TCGA-BB-0001-01A"], name="sample"),
        columns=pd.Index(["p1", "p2", "p3"], name="feature"),
        dtype=np.float32,
    )
    pd.testing.assert_frame_equal(frame, expected)


def test_clinical_and_survival_are_joined_with_the_cohort_as_cancer_type(
    hub: Hub, tmp_path: Path
) -> None:
    hub.files = FILES
    frame = XenaClinicalDataset(
        folder=str(tmp_path), cohorts=["ACC", "UCS"], base_url=hub.url
    ).load()
    assert set(frame.columns) == {"age", "sex", "stage", "OS", "OS.time", "_PATIENT", "cancer_type"}
    assert frame["cancer_type"].to_dict() == {
        "TCGA-AA-0001-01A": "ACC",
        "TCGA-AA-0002-01A": "ACC",
        "TCGA-BB-0001-01A": "UCS",
    }
    assert frame.loc["TCGA-AA-0001-01A", ["age", "OS", "OS.time"]].tolist() == ["50", "1", "100"]
    assert pd.isna(frame.loc["TCGA-AA-0002-01A", "age"])
    assert frame.loc["TCGA-AA-0002-01A", "OS.time"] == "200"


def test_a_file_the_hub_lacks_is_an_error_with_url_and_cohort(hub: Hub, tmp_path: Path) -> None:
    hub.files = {name: body for name, body in FILES.items() if "ACC" in name}
    with pytest.raises(
        DatasetError,
        match=rf"does not have {hub.url}/TCGA-UCS.protein.tsv.gz \(cohort UCS\).*UCS.protein under "
        r"`optional`",
    ):
        protein(tmp_path, base_url=hub.url).load()


def test_an_optional_file_the_hub_lacks_is_left_out_with_a_warning(
    hub: Hub, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hub.files = {name: body for name, body in FILES.items() if "ACC" in name}
    with caplog.at_level(logging.WARNING):
        loaders = protein(tmp_path, base_url=hub.url, optional=["UCS.protein"]).load()
    assert len(loaders.read()) == 2
    assert "Left out" in caplog.text
    assert "TCGA-UCS.protein.tsv.gz" in caplog.text
    only_absent = protein(
        tmp_path, base_url=hub.url, cohorts=["UCS"], optional=["UCS.protein"]
    ).load()
    with pytest.raises(DatasetError, match="holds no file of kind 'protein'"):
        only_absent.read()


def test_without_a_url_missing_files_are_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "TCGA-ACC.protein.tsv.gz").write_bytes(FILES["TCGA-ACC.protein.tsv.gz"])
    with pytest.raises(
        DatasetError, match=rf"Missing: {tmp_path}/TCGA-UCS.protein.tsv.gz .*set base_url"
    ):
        protein(tmp_path).load()


def test_a_downloaded_file_that_changed_is_noticed_without_a_url_too(
    hub: Hub, tmp_path: Path
) -> None:
    hub.files = FILES
    protein(tmp_path, base_url=hub.url).load()
    (tmp_path / "TCGA-ACC.protein.tsv.gz").write_bytes(table("id\ts", "p\t0"))
    with pytest.raises(DatasetError, match=r"TCGA-ACC.protein.tsv.gz changed"):
        protein(tmp_path).load()


def test_a_sample_in_two_cohorts_is_named_with_both(tmp_path: Path) -> None:
    (tmp_path / "TCGA-ACC.protein.tsv.gz").write_bytes(FILES["TCGA-ACC.protein.tsv.gz"])
    (tmp_path / "TCGA-UCS.protein.tsv.gz").write_bytes(FILES["TCGA-ACC.protein.tsv.gz"])
    with pytest.raises(
        DatasetError,
        match=r"'TCGA-AA-0001-01A' is in the protein files of the cohorts ACC, UCS \(1 more",
    ):
        protein(tmp_path).load().names()
    with pytest.raises(DatasetError, match="of the cohorts ACC, UCS"):
        protein(tmp_path).load().read()


def test_a_cohort_named_twice_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="must name each cohort once"):
        protein(tmp_path, cohorts=["ACC", "ACC"])


def test_the_real_small_cohorts_are_read_as_an_independent_reader_reads_them(
    shared_dir: Path,
) -> None:
    folder = shared_dir / "xena_small"
    raw = {
        kind: XenaMatrixDataset(folder=str(folder), kind=kind, cohorts=["CHOL", "UCS"]).load()
        for kind in ("star_counts", "protein")
    }
    rnaseq = raw["star_counts"].read()
    assert list(raw["star_counts"].names()) == list(rnaseq.index)
    assert rnaseq.shape == (45 + 57, 20531)
    assert (rnaseq.dtypes == np.float32).all()
    plain = pd.read_csv(folder / "TCGA-CHOL.star_counts.tsv.gz", sep="\t", index_col=0).T
    np.testing.assert_array_equal(
        rnaseq.loc[plain.index, plain.columns].to_numpy(), plain.to_numpy(dtype=np.float32)
    )
    proteins = [
        pd.read_csv(folder / f"TCGA-{cohort}.protein.tsv.gz", sep="\t", index_col=0)
        for cohort in ("CHOL", "UCS")
    ]
    features = set(proteins[0].index) | set(proteins[1].index)
    assert raw["protein"].read().shape == (30 + 48, len(features))


@pytest.mark.parametrize("url", ["gdc.example.org/download", "file:///data", "ftp://x/y", ""])
def test_an_address_that_is_none_is_refused_before_anything_is_asked(
    url: str, tmp_path: Path
) -> None:
    with pytest.raises(DatasetError, match=r"base_url is .* must begin with https:// or http://"):
        protein(tmp_path, base_url=url)


# Nothing listens on the discard port.
NO_NETWORK = "http://127.0.0.1:9/download"


def test_without_network_what_lies_there_is_enough_where_the_rest_is_optional(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "TCGA-ACC.protein.tsv.gz").write_bytes(FILES["TCGA-ACC.protein.tsv.gz"])
    with caplog.at_level(logging.WARNING):
        loaders = protein(tmp_path, base_url=NO_NETWORK, optional=["UCS.protein"]).load()
    assert len(loaders.read()) == 2
    assert "cannot be reached: what lies in" in caplog.text
    assert "the hub may have TCGA-UCS.protein.tsv.gz" in caplog.text


def test_without_network_a_file_that_must_be_there_still_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading.Event, "wait", lambda self, timeout=None: False)
    with pytest.raises(DatasetError, match=r"TCGA-ACC.protein.tsv.gz could not be downloaded"):
        protein(tmp_path, base_url=NO_NETWORK, optional=["UCS.protein"]).load()


def test_a_file_of_another_kind_under_the_name_of_a_cohort_is_named(tmp_path: Path) -> None:
    for cohort, sample in (("ACC", "A"), ("UCS", "B"), ("CHOL", "C")):
        name = "g" if cohort == "CHOL" else "p"
        lines = [f"{name}{number}\t{number}" for number in range(20)]
        (tmp_path / f"TCGA-{cohort}.protein.tsv.gz").write_bytes(
            table(f"id\tTCGA-{sample}{sample}-0001-01A", *lines)
        )
    with pytest.raises(
        DatasetError,
        match=r"protein file of cohort CHOL has nothing in common .* are g0, g1, g2, theirs p0, p1",
    ):
        protein(tmp_path, cohorts=["ACC", "UCS", "CHOL"]).load().read()
    assert protein(tmp_path).load().read().shape == (2, 20)


def test_files_are_held_against_the_hashes_of_a_release(hub: Hub, tmp_path: Path) -> None:
    hub.files = FILES
    expected = tmp_path / "release.txt"
    names = ["TCGA-ACC.protein.tsv.gz", "TCGA-UCS.protein.tsv.gz"]
    hashes = {name: hashlib.sha256(FILES[name]).hexdigest() for name in names}
    folder = tmp_path / "xena"
    settings = {"base_url": hub.url, "expected_hashes": str(expected)}
    # As registry.txt has them, and as sha256sum writes them.
    expected.write_text(f"{names[0]} {hashes[names[0]]}\n{hashes[names[1]]}  {names[1]}\n")
    assert protein(folder, **settings).load().read().shape == (3, 3)
    expected.write_text(f"{names[0]} {hashes[names[1]]}\n{names[1]} {hashes[names[1]]}\n")
    with pytest.raises(
        DatasetError, match=rf"Not of the release .*release.txt lists: {names[0]} in"
    ):
        protein(folder, **settings).load()
    expected.write_text(f"{names[0]} {hashes[names[0]]}\n")
    with pytest.raises(DatasetError, match=rf"release.txt has no SHA-256 of {names[1]}"):
        protein(folder, **settings).load()
