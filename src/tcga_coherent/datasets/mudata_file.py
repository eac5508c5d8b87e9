"""A completion as one object of the scverse (MuData; Bredikhin et al., Genome Biology 2022)."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tcga_coherent.datasets.raw.annotated import GENERATED, require_scverse

if TYPE_CHECKING:
    from mudata import MuData

H5MU_FILE = "completed.h5mu"


def to_mudata(tables: Mapping[str, pd.DataFrame], provenance: Mapping[str, Any]) -> "MuData":
    """Return all patients of a completion, a modality each.

    Parameters
    ----------
    tables
        ``decoded_mean/<modality>`` and so on, ``flags`` and further tables of
        :meth:`tcga_coherent.completion.completion.Completion.tables`.
    provenance
        What made them.

    Returns
    -------
    MuData
        Of each modality ``X``, patients x features, the values; layers ``sd`` and ``generated``, true where a value
        was not measured; ``obs`` the flags; ``obsm`` ``latent_mean``, ``latent_sd`` and ``latent_draws``, patients x
        draws x latent size. In ``uns`` the provenance, as JSON, and the tables that are of no one modality, with whoever
        could not be completed.

    Raises
    ------
    DatasetError
        When the packages of the extra ``scverse`` are not installed.
    """
    require_scverse(Path(H5MU_FILE))
    import anndata
    import mudata

    flags = tables["flags"].set_index("patient_id")
    modalities = {}
    for key, mean in tables.items():
        part, _, name = key.partition("/")
        if part != "decoded_mean":
            continue
        latents = {part: tables[f"{part}/{name}"] for part in ("latent_mean", "latent_sd")}
        draws = tables[f"latent_draws/{name}"].to_numpy()
        obs = _writable(flags[flags["modality"] == name].reindex(mean.index))
        generated = np.repeat(obs[["status"]].to_numpy() == GENERATED, mean.shape[1], axis=1)
        modalities[name] = anndata.AnnData(
            mean.to_numpy(),
            obs=obs.rename_axis(None),
            var=pd.DataFrame(index=mean.columns.astype(str)),
            layers={"sd": tables[f"decoded_sd/{name}"].to_numpy(), GENERATED: generated},
            obsm={
                **{part: frame.to_numpy() for part, frame in latents.items()},
                "latent_draws": draws.reshape(len(mean), -1, draws.shape[1]),
            },
        )
    with mudata.set_options(pull_on_update=False):
        whole = mudata.MuData(modalities)
    others = {key: _writable(table) for key, table in tables.items() if "/" not in key}
    whole.uns = {"provenance": json.dumps(dict(provenance)), **others}
    return whole


def _writable(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose texts are texts alone: HDF5 knows no missing one."""
    texts = table.select_dtypes(["object", "string"]).columns
    return table.assign(**{name: table[name].fillna("").astype(str) for name in texts})
