import pandas as pd

from tcga_coherent.figures.sections import best_checkpoints


def test_of_each_model_the_last_best_checkpoint_is_shown():
    table = pd.DataFrame(
        {"model": ["a", "a", "a", "b"], "step": [1, 2, 3, 1], "best": [True, True, False, True]}
    )
    assert list(best_checkpoints(table)["step"]) == [2, 1]
