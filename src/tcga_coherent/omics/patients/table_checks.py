"""Checks that a modality's table can be computed with."""

import numpy as np
import pandas as pd

from tcga_coherent.omics.blocks import column_blocks


def check_table(table: pd.DataFrame, modality: str) -> None:
    """Raise a ValueError that names the first twofold label, text column or infinite value."""
    for kind, labels in (("patient", table.index), ("feature", table.columns)):
        twofold = labels[labels.duplicated()].unique()
        if len(twofold):
            more = f" and {len(twofold) - 1} more occur" if len(twofold) > 1 else " occurs"
            raise ValueError(
                f"{modality}: {kind} {twofold[0]}{more} more than once. Keep one of each."
            )
    for column, dtype in table.dtypes.items():
        if not pd.api.types.is_numeric_dtype(dtype):
            raise ValueError(
                f"{modality}: feature {column} holds {dtype}, not numbers. Correct the file."
            )
    for block in column_blocks(table.shape[1]):
        part = table.iloc[:, block]
        infinite = np.isinf(part.to_numpy())
        if infinite.any():
            cell = first_cell(pd.DataFrame(infinite, index=part.index, columns=part.columns))
            raise ValueError(
                f"{modality}: {cell} is infinite. Correct the file or mark the value as missing."
            )


def first_cell(mask: pd.DataFrame) -> str:
    """Name the first cell where `mask` is true."""
    row, column = np.argwhere(mask.to_numpy())[0]
    return f"feature {mask.columns[column]} of patient {mask.index[row]}"


def as_float32(table: pd.DataFrame) -> pd.DataFrame:
    """Return `table` in single precision, itself where it is already."""
    return table if (table.dtypes == np.float32).all() else table.astype(np.float32)
