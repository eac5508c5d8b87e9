import numpy as np
import torch

from tcga_coherent.diffusion.training.stacked_rows import StackedRows
from tcga_coherent.diffusion.training.tasks import Rows


def rows(values: list[float]) -> Rows:
    column = np.array(values, np.float32)[:, None]
    return Rows(column, (10 * column,), np.ones((len(values), 1), bool))


def test_each_model_takes_its_own_patients_with_their_conditions_and_never_the_padding():
    stacked = StackedRows([rows([1.0, 2.0, 3.0, 4.0]), rows([5.0, 6.0])], torch.device("cpu"))
    choice = torch.linspace(0, 0.999, 8).expand(2, 8)
    target, (condition,), mask = stacked.take(choice)
    assert target[0, 0].tolist() == [1, 1, 2, 2, 3, 3, 4, 4]
    assert target[1, 0].tolist() == [5, 5, 5, 5, 6, 6, 6, 6]
    torch.testing.assert_close(condition, 10 * target)
    assert mask.all()
    assert stacked.valid.tolist() == [[True] * 4, [True, True, False, False]]
