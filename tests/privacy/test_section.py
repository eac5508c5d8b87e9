import pandas as pd

from tcga_coherent.privacy.section import all_targets


def test_attacks_are_shown_on_all_targets_together():
    table = pd.DataFrame({"target": ["cna", "all"], "value": [0.5, 0.75]})
    assert list(all_targets(table)["value"]) == [0.75]
