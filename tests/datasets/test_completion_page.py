import json
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from tcga_coherent.completion.completion import Completion
from tcga_coherent.datasets.completion_page import completion_page
from tests.completion.small_cohort import make_cohort

CHROMIUM = shutil.which("chromium")
EVIL = '</script><script>document.title="owned"</script><img src=x onerror="document.title=1">'


def opened(page: str, tmp_path: Path, script: str = "") -> str:
    """Return what a browser makes of a page, after a script of the test's own has used it."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    file = tmp_path / "completion.html"
    file.write_text(page.replace("</body>", f"<script>{script}</script></body>"), encoding="utf-8")
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    made = subprocess.run(
        [*command, profile, file.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    return made.stdout.replace(page[page.index('<script type="application/json"') :], "")


@pytest.fixture(scope="module")
def completion() -> Completion:
    cohort = make_cohort()
    patients = cohort.split.index[cohort.split["split"] == "test"][:3]
    rppa = cohort.tables["rppa"].loc[patients].copy()
    rppa.iloc[2] += 1e4
    return cohort.completer.complete({"cna": cohort.tables["cna"].loc[patients[:2]], "rppa": rppa})


def embedded(page: str) -> dict:
    start = page.index('id="data">') + len('id="data">')
    return json.loads(page[start : page.index("</script>", start)])


def test_the_page_holds_what_the_tables_say(completion: Completion) -> None:
    data = embedded(completion_page(completion.tables(), completion.provenance))
    flags = completion.flags
    assert [patient[0] for patient in data["patients"]] == sorted(flags["patient_id"].unique())
    counted = {(name, status): n for name, status, n in data["counts"]}
    assert counted == flags.groupby(["modality", "status"]).size().to_dict()
    name, of_flags, predictions, priorities = data["patients"][0]
    assert name == flags["patient_id"].min()
    columns = data["columns"]
    assert [row[0] for row in of_flags] == ["cna", "rnaseq", "rppa"]
    known = completion.predictions.query("patient_id == @name")
    value = columns["predictions"].index("value")
    assert [row[value] for row in predictions] == pytest.approx(known["value"].tolist(), rel=5e-3)
    wanted = completion.priorities.query("patient_id == @name")
    modality = columns["priorities"].index("modality")
    assert [row[modality] for row in priorities] == wanted["modality"].tolist()
    outlier = [row for row in data["warnings"] if row[0] == "rppa"]
    assert outlier
    assert outlier[0][2] == 1


def test_a_browser_shows_sorts_searches_and_opens_patients(
    completion: Completion, tmp_path: Path
) -> None:
    page = completion_page(completion.tables(), completion.provenance)
    first, second, third = sorted(completion.flags["patient_id"].unique())
    script = f"""
      const rows = () => [...document.querySelectorAll('#body > tr')].map(row => row.cells[0].textContent);
      const seen = [rows()];
      document.querySelector('#head button').click(); seen.push(rows());
      const search = document.getElementById('search');
      search.value = '{second.lower()}'; search.dispatchEvent(new Event('input')); seen.push(rows());
      document.querySelector('#body button').click();
      seen.push(document.querySelectorAll('#body .detail h3').length);
      seen.push(document.querySelector('#body .detail').textContent.includes('stage'));
      document.title = JSON.stringify(seen);
    """
    shown = opened(page, tmp_path, script)
    title = shown[shown.index("<title>") + 7 : shown.index("</title>")]
    everyone = [first, second, third]
    assert json.loads(title) == [everyone, everyone[::-1], [second], 3, True]
    assert "3 patients, of whom 1 cannot be completed; 1 with warnings." in shown


def test_nothing_that_a_file_says_becomes_part_of_the_page(
    completion: Completion, tmp_path: Path
) -> None:
    flags = completion.flags.replace({completion.flags["patient_id"].iloc[0]: EVIL})
    flags["reason"] = EVIL
    page = completion_page({**completion.tables(), "flags": flags}, {"models": EVIL})
    assert page.count("<script") == 2
    shown = opened(page, tmp_path)
    assert "<title>Completed patients</title>" in shown
    assert "<img" not in shown
    assert "&lt;img src=x" in shown


def test_the_page_asks_for_nothing_from_elsewhere(completion: Completion) -> None:
    page = completion_page(completion.tables(), completion.provenance)
    assert "default-src 'none'" in page
    assert "http" not in page.replace("http-equiv", "")


def test_without_predictions_there_are_none_on_the_page(completion: Completion) -> None:
    empty = {name: pd.DataFrame({"patient_id": []}) for name in ("predictions", "priorities")}
    data = embedded(completion_page({**completion.tables(), **empty}, {}))
    assert all(patient[2:] == [[], []] for patient in data["patients"])
