import numpy as np
import pandas as pd

from tcga_coherent.diffusion.completion.generation import Generated, draws_frame
from tcga_coherent.diffusion.completion.tables import decode_draws, flag_patients, join_latents

PEOPLE = pd.Index(["a", "b", "c"], name="patient_id")


def test_an_outlier_keeps_its_reason_beside_others() -> None:
    flags = pd.DataFrame({"patient_id": PEOPLE, "reason": ["sources disagree", "", ""]})
    found = flag_patients("cna", PEOPLE[:0], PEOPLE[:2], Generated(pd.DataFrame(), flags), PEOPLE)
    assert list(found.set_index("patient_id").loc[PEOPLE, "reason"]) == [
        "measured, but removed as an outlier; sources disagree",
        "measured, but removed as an outlier",
        "",
    ]


def test_means_and_spreads_are_those_of_decoded_draws_and_of_measured_values() -> None:
    values = np.arange(8, dtype=np.float32).reshape(2, 4, 1)
    draws = draws_frame(PEOPLE[:2], values, pd.Index(["z"]))
    observed = pd.DataFrame({"f": [5.0], "g": [np.nan]}, index=PEOPLE[2:])

    # The latents lose a normal value with a standard deviation of 3 of f, and nothing of g.
    def decode(latents: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        above, below = (
            pd.DataFrame({"f": latents["z"] ** 2 + lost, "g": 1.0}) for lost in (3.0, -3.0)
        )
        return above, below

    mean, sd = decode_draws(observed, draws, decode, PEOPLE)
    assert mean["f"].tolist() == [14 / 4, (16 + 25 + 36 + 49) / 4, 5]
    between = [np.var([0, 1, 4, 9], ddof=1), np.var([16, 25, 36, 49], ddof=1)]
    np.testing.assert_allclose(sd["f"], [*np.sqrt(np.array(between) + 9), 0], rtol=1e-6)
    assert sd["g"].tolist()[:2] == [0, 0]
    assert np.isnan(mean.loc["c", "g"])
    assert np.isnan(sd.loc["c", "g"])


def test_measured_latents_are_repeated_as_draws_without_spread() -> None:
    values = np.arange(8, dtype=np.float32).reshape(2, 4, 1)
    draws = draws_frame(PEOPLE[:2], values, pd.Index(["z"]))
    observed = pd.DataFrame({"z": [7.0]}, index=PEOPLE[2:])
    everyone, mean, sd = join_latents(observed, draws, PEOPLE, 4)
    assert everyone.loc["c", "z"].tolist() == [7.0] * 4
    assert mean["z"].tolist() == [1.5, 5.5, 7.0]
    np.testing.assert_allclose(sd["z"], [np.std(range(4), ddof=1)] * 2 + [0])
