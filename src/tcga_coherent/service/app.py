"""The service: one route that completes patients, and one that says that it is there."""

import json
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

import pandas as pd
from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import FastAPI, HTTPException, Request
from kedro.io.core import DatasetError
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from tcga_coherent import __version__
from tcga_coherent.completion.completer import Completer
from tcga_coherent.completion.completion import Completion
from tcga_coherent.datasets.raw.annotated import read_annotated

MEGABYTE = 2**20
H5MU_TYPE = "application/x-hdf5"
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Table(BaseModel):
    """Patients x features in the units of the models' raw matrices; null is missing."""

    model_config = ConfigDict(extra="forbid")
    patients: list[Name]
    features: list[Name]
    values: list[list[FiniteFloat | None]]

    def frame(self, modality: str) -> pd.DataFrame:
        """Return it as a frame, refusing rows of another length and names that stand twice."""
        if len(self.values) != len(self.patients):
            raise ValueError(
                f"{modality}: values has {len(self.values)} rows, but there are {len(self.patients)} patients."
            )
        for patient, row in zip(self.patients, self.values, strict=True):
            if len(row) != len(self.features):
                raise ValueError(
                    f"{modality}: the row of {patient} has {len(row)} values, but there are "
                    f"{len(self.features)} features."
                )
        for names in (self.patients, self.features):
            twice = pd.Index(names)
            if twice.has_duplicates:
                raise ValueError(
                    f"{modality}: {twice[twice.duplicated()][0]} stands twice: keep one of each."
                )
        return pd.DataFrame(self.values, self.patients, self.features, dtype="float32")


class Question(BaseModel):
    """What is asked: tables by modality, and how they are to be completed."""

    model_config = ConfigDict(extra="forbid")
    tables: dict[Name, Table]
    clinical: dict[Name, dict[Literal["cancer_type", "age", "sex"], str | FiniteFloat]] = {}
    n_draws: Annotated[int, Field(ge=2, le=1000)] | None = None
    seed: Annotated[int, Field(ge=0)] | None = None


def create_app(completer: Completer, max_megabytes: float = 64) -> FastAPI:
    """Return the service of some models.

    Parameters
    ----------
    completer
        Models; requests share them and nothing else.
    max_megabytes
        Largest body of a request.
    """
    app = FastAPI(title="tcga_coherent", version=__version__)
    # Completing takes all cores: more at once would take more memory and be no faster.
    one_at_a_time = CapacityLimiter(1)

    @app.get("/health")
    def health() -> dict[str, Any]:
        """Say that the service is there, and of which models."""
        return {"status": "ok", "modalities": completer.modalities, **completer.provenance}

    @app.post("/complete")
    async def complete(request: Request) -> dict[str, Any]:
        """Complete patients: JSON as :class:`Question`, or an ``.h5mu`` sent as ``application/x-hdf5``."""
        body = await _read_body(request, max_megabytes)
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        if kind not in {H5MU_TYPE, "application/json"}:
            raise HTTPException(415, f"Send application/json, or an .h5mu as {H5MU_TYPE}.")
        answer = _answer_h5mu if kind == H5MU_TYPE else _answer_json
        try:
            return await run_sync(partial(answer, completer, body), limiter=one_at_a_time)
        except ValidationError as error:
            found = error.errors()[0]
            place = ".".join(map(str, found["loc"]))
            raise HTTPException(422, f"{place}: {found['msg']}") from error
        except (ValueError, DatasetError) as error:
            raise HTTPException(422, str(error)) from error

    return app


async def _read_body(request: Request, max_megabytes: float) -> bytes:
    """Return the body, which is not kept beyond the limit, whatever its header says."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > max_megabytes * MEGABYTE:
            raise HTTPException(
                413,
                f"The request is larger than {max_megabytes:g} megabytes: send fewer patients.",
            )
    return bytes(body)


def _answer_json(completer: Completer, body: bytes) -> dict[str, Any]:
    question = Question.model_validate_json(body)
    tables = {name: table.frame(name) for name, table in question.tables.items()}
    clinical = pd.DataFrame.from_dict(question.clinical, orient="index")
    return _describe(
        completer.complete(
            tables,
            clinical=clinical if question.clinical else None,
            n_draws=question.n_draws,
            seed=question.seed,
        )
    )


def _answer_h5mu(completer: Completer, body: bytes) -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "request.h5mu"
        file.write_bytes(body)
        try:
            tables = {name: load() for name, load in read_annotated(file).items()}
        except DatasetError as error:
            raise ValueError(str(error).replace(str(file), file.name)) from error
    return _describe(completer.complete(tables))


def _describe(completion: Completion) -> dict[str, Any]:
    values = {
        name: {
            "patients": list(mean.index),
            "features": list(map(str, mean.columns)),
            "mean": _rows(mean),
            "sd": _rows(completion.sd[name]),
        }
        for name, mean in completion.mean.items()
    }
    tables = {
        name: json.loads(getattr(completion, name).to_json(orient="records"))
        for name in ("flags", "predictions", "priorities")
    }
    return {"completion": values, **tables, "provenance": dict(completion.provenance)}


def _rows(frame: pd.DataFrame) -> list[list[float | None]]:
    rows: list[list[float | None]] = json.loads(frame.to_json(orient="values"))
    return rows
