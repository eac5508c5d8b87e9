import pandas as pd
import pytest
import torch

from tests.completion.small_cohort import Cohort, make_cohort


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def cohort() -> Cohort:
    return make_cohort()


@pytest.fixture(scope="session")
def people(cohort: Cohort) -> pd.Index:
    """Patients that have all modalities."""
    return cohort.split.index[40:48]
