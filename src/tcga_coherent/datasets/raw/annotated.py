"""Matrices of the scverse: ``.h5ad``, one modality, and ``.h5mu``, several (Virshup et al., Nat Biotechnol 2023)."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pandas as pd
from kedro.io.core import DatasetError

from tcga_coherent.datasets.raw.matrix import check_matrix

if TYPE_CHECKING:
    from mudata import MuData

H5AD, H5MU = ".h5ad", ".h5mu"
# Layer of what this project completed: true where a value was not measured.
GENERATED = "generated"


def read_annotated(path: Path) -> dict[str, Callable[[], pd.DataFrame]]:
    """Return modality to a function that reads its matrix, samples x features.

    Parameters
    ----------
    path
        ``<modality>.h5ad``, or ``.h5mu`` with any modalities.

    Raises
    ------
    DatasetError
        When the packages for such files are not installed, or the file is damaged.
    """
    require_scverse(path)
    if path.suffix == H5AD:
        return {path.stem: partial(_read, path, None)}
    try:
        with h5py.File(path) as file:
            names = list(file["mod"])
    except (OSError, KeyError) as error:
        raise _damaged(path, error) from error
    return {name: partial(_read, path, name) for name in names}


def require_scverse(path: Path) -> None:
    """Refuse a file of the scverse where its packages are not installed."""
    try:
        import mudata  # noqa: F401
    except ImportError as error:
        raise DatasetError(
            f"{path.name} takes the packages anndata and mudata: pip install 'tcga_coherent[scverse]'."
        ) from error


def tables_of(mudata: "MuData") -> dict[str, pd.DataFrame]:
    """Return modality to samples x features, float32; cells that were generated are missing."""
    return {
        name: _as_table(Path(f"modality {name}"), annotated)
        for name, annotated in mudata.mod.items()
    }


def _read(path: Path, modality: str | None) -> pd.DataFrame:
    import anndata
    import mudata

    try:
        annotated = (
            anndata.read_h5ad(path) if modality is None else mudata.read_h5ad(path, mod=modality)
        )
    except (OSError, KeyError, ValueError) as error:
        raise _damaged(path, error) from error
    return _as_table(path, annotated)


def _as_table(path: Path, annotated: Any) -> pd.DataFrame:
    if annotated.X is None:
        raise DatasetError(f"{path} has no X: put the values there.")
    matrix = annotated.X.toarray() if hasattr(annotated.X, "toarray") else annotated.X
    values = np.array(matrix, dtype=np.float32)
    if GENERATED in annotated.layers:
        values[np.asarray(annotated.layers[GENERATED], dtype=bool)] = np.nan
    names, features = list(map(str, annotated.obs_names)), list(map(str, annotated.var_names))
    check_matrix(path, names, features, values)
    return pd.DataFrame(values, index=pd.Index(names), columns=pd.Index(features), copy=False)


def _damaged(path: Path, error: Exception) -> DatasetError:
    return DatasetError(f"{path} is truncated or not {path.suffix} ({error}): copy it again.")
