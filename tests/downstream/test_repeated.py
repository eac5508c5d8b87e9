import pandas as pd

from tcga_coherent.downstream.repeated import repeat_study


def predict(repeat: int, base: int) -> pd.DataFrame:
    return pd.DataFrame({"value": [base + repeat]})


def test_repeats_are_run_once_for_the_same_inputs_and_anew_for_others() -> None:
    made = {}
    for results in repeat_study("made up", predict, 3, {}, 1, base=10):
        made |= results
    (complete,) = [frame for key, frame in made.items() if key.endswith("/complete")]
    assert list(complete["value"]) == [10, 11, 12]
    stored = {key: lambda frame=frame: frame for key, frame in made.items()}
    again = list(repeat_study("made up", predict, 3, stored, 1, base=10))
    assert len(again) == 1
    other = [
        key for results in repeat_study("made up", predict, 3, {}, 1, base=20) for key in results
    ]
    assert not set(other) & set(made)
