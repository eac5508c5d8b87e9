import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import mudata
import numpy as np
import pandas as pd
import pytest
import uvicorn
from anndata import AnnData
from fastapi.testclient import TestClient

from tcga_coherent.completion.completer import Completer
from tcga_coherent.service.app import H5MU_TYPE, create_app
from tests.completion.small_cohort import Cohort, make_cohort


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return make_cohort()


@pytest.fixture(scope="module")
def completer(cohort: Cohort) -> Completer:
    return cohort.completer


@pytest.fixture(scope="module")
def client(completer: Completer) -> TestClient:
    return TestClient(create_app(completer, max_megabytes=0.1))


@pytest.fixture(scope="module")
def patients(cohort: Cohort) -> pd.Index:
    return cohort.split.index[cohort.split["split"] == "test"]


def as_json(frame: pd.DataFrame) -> dict:
    values = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    return {"patients": list(frame.index), "features": list(frame.columns), "values": values}


def test_the_answer_is_what_the_completer_says(
    cohort: Cohort, client: TestClient, completer: Completer, patients: pd.Index
) -> None:
    table = cohort.tables["rnaseq"].loc[patients[:3]].copy()
    table.iloc[1, 2] = np.nan
    asked = {"tables": {"rnaseq": as_json(table)}, "n_draws": 6, "seed": 3}
    answer = client.post("/complete", json=asked)
    assert answer.status_code == 200, answer.text
    expected = completer.complete({"rnaseq": table}, n_draws=6, seed=3)
    for name, found in answer.json()["completion"].items():
        assert found["patients"] == list(expected.mean[name].index)
        np.testing.assert_allclose(
            np.array(found["mean"], float), expected.mean[name], rtol=1e-5, atol=1e-6
        )
        np.testing.assert_allclose(
            np.array(found["sd"], float), expected.sd[name], rtol=1e-5, atol=1e-6
        )
    assert len(answer.json()["flags"]) == 9
    predictions = pd.DataFrame(answer.json()["predictions"])
    np.testing.assert_allclose(predictions["value"], expected.predictions["value"], rtol=1e-5)
    assert answer.json()["provenance"]["seed"] == 3


def test_an_h5mu_is_completed_likewise(
    cohort: Cohort, client: TestClient, completer: Completer, patients: pd.Index, tmp_path
) -> None:
    table = cohort.tables["cna"].loc[patients[:2]]
    mudata.MuData({"cna": AnnData(table)}).write(tmp_path / "in.h5mu")
    body = (tmp_path / "in.h5mu").read_bytes()
    answer = client.post("/complete", content=body, headers={"content-type": H5MU_TYPE})
    assert answer.status_code == 200, answer.text
    expected = completer.complete({"cna": table}).mean["rppa"]
    np.testing.assert_allclose(answer.json()["completion"]["rppa"]["mean"], expected, rtol=1e-5)
    broken = client.post("/complete", content=body[:500], headers={"content-type": H5MU_TYPE})
    assert broken.status_code == 422
    assert broken.json()["detail"].startswith("request.h5mu is truncated or not .h5mu")


def test_health_names_the_models(client: TestClient) -> None:
    answer = client.get("/health").json()
    assert answer["status"] == "ok"
    assert answer["modalities"] == ["cna", "rnaseq", "rppa"]


@pytest.mark.parametrize(
    ("change", "status", "sentence"),
    [
        ({"values": [[1.0]]}, 422, "cna: the row of A has 1 values, but there are 2 features"),
        ({"values": []}, 422, "cna: values has 0 rows, but there are 1 patients"),
        ({"features": ["x", "x"]}, 422, "cna: x stands twice: keep one of each"),
        ({"values": [["one", 2]]}, 422, "tables.cna.values.0.0"),
        ({"more": 1}, 422, "tables.cna.more: Extra inputs are not permitted"),
        ({}, 422, "cna holds none of the 7 features that the models were trained on"),
        (
            {"features": ["x" * 200, "y"], "values": [[0.0] * 60_000]},
            413,
            "larger than 0.1 megabytes",
        ),
    ],
)
def test_a_bad_question_gets_one_sentence(
    client: TestClient, change: dict, status: int, sentence: str
) -> None:
    table = {"patients": ["A"], "features": ["x", "y"], "values": [[1.0, 2.0]], **change}
    answer = client.post("/complete", json={"tables": {"cna": table}})
    assert answer.status_code == status
    assert sentence in answer.json()["detail"]


def test_other_bodies_and_other_keys_are_refused(client: TestClient) -> None:
    assert client.post("/complete", content=b"a,b").status_code == 415
    answer = client.post("/complete", json={"tables": {}, "temperature": 1})
    assert answer.json()["detail"] == "temperature: Extra inputs are not permitted"


@pytest.fixture
def address(completer: Completer) -> Iterator[str]:
    """The service on a port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create_app(completer), port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=10)


def test_a_hundred_questions_at_once_are_all_answered_each_with_its_own(
    cohort: Cohort, completer: Completer, patients: pd.Index, address: str
) -> None:
    tables = [cohort.tables["rppa"].loc[[name]] for name in patients[:20]]

    async def ask() -> list[httpx.Response]:
        async with httpx.AsyncClient(timeout=120) as client:
            questions = (
                client.post(
                    f"{address}/complete",
                    json={"tables": {"rppa": as_json(tables[number % 20])}, "seed": number % 3},
                )
                for number in range(100)
            )
            return await asyncio.gather(*questions)

    answers = asyncio.run(ask())
    assert [answer.status_code for answer in answers] == [200] * 100
    alone = {
        (place, seed): completer.complete({"rppa": tables[place]}, seed=seed).mean["cna"]
        for place in range(20)
        for seed in range(3)
    }
    for number, answer in enumerate(answers):
        found = answer.json()["completion"]["cna"]
        expected = alone[number % 20, number % 3]
        assert found["patients"] == list(expected.index)
        np.testing.assert_allclose(found["mean"], expected, rtol=1e-4, atol=1e-5)
