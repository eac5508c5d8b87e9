import pandas as pd
import pytest

import wide_parquet


def test_exponent_and_ratio_are_those_of_the_memory() -> None:
    rows = []
    for columns in (1_000, 2_000, 4_000, 8_000):
        rows += [(columns, "project", 0.01 * columns), (columns, "pandas", 1e-5 * columns**2)]
    table = pd.DataFrame(rows, columns=["columns", "reader", "working_mb"])
    assert wide_parquet.exponents(table).to_dict() == pytest.approx({"project": 1, "pandas": 2})
    assert wide_parquet.ratio(table) == pytest.approx(8)


def test_memory_of_the_projects_reader_is_linear_in_the_columns() -> None:
    table = wide_parquet.run([2_000, 8_000])
    memory = table.pivot_table(index="columns", columns="reader", values="working_mb")
    # Four times the columns: 4 where linear, 16 where quadratic.
    assert memory.loc[8_000, "project"] < 6 * memory.loc[2_000, "project"]
    assert memory.loc[8_000, "project"] < memory.loc[8_000, "pandas"]
