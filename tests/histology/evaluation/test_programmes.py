import numpy as np
import pandas as pd
import pytest

from tcga_coherent.histology.evaluation.nuclei import MEASURES
from tcga_coherent.histology.evaluation.programmes import follow_moves, follow_programmes
from tcga_coherent.histology.expression.programmes import Programme
from tcga_coherent.measures.bootstrap import BootstrapParameters

BOOTSTRAP = BootstrapParameters(repeats=200, level=0.9)
PROGRAMMES = {
    "growth": Programme(("G*",), "nuclear_count"),
    "idle": Programme(("I*",)),
}
N = 60
RNG = np.random.default_rng(2)
PATIENTS = pd.Index([f"P{n}" for n in range(N)])
SCORES = pd.DataFrame(RNG.standard_normal((N, 2)), index=PATIENTS, columns=list(PROGRAMMES))


def tiles(source, counts, n_tiles=2, **columns):
    """Tiles of every patient whose mean count is the one given; other measures are noise."""
    frames = []
    for sign in np.linspace(-1, 1, n_tiles):
        noise = RNG.standard_normal((N, len(MEASURES)))
        frame = pd.DataFrame(noise, columns=MEASURES).assign(patient_id=PATIENTS, source=source)
        frames.append(frame.assign(nuclear_count=np.asarray(counts) + sign))
    return pd.concat(frames).assign(**{"programme": "", "shift": 0.0, **columns})


def measured(drawn_noise=1.0):
    growth = SCORES["growth"].to_numpy()
    other = np.roll(growth, 1)
    drawn = growth + drawn_noise * RNG.standard_normal(N)
    return pd.concat([tiles("real", growth), tiles("own", drawn), tiles("shuffled", other)])


def test_r_is_taken_over_patients_beside_that_of_real_tiles_and_of_exchanged_expression():
    rows = measured()
    table = follow_programmes(rows, SCORES, PROGRAMMES, BOOTSTRAP, 0)
    assert len(table) == 2 * len(MEASURES)
    assert table["moves"].sum() == 1
    row = table[table["moves"]].iloc[0]
    assert (row["programme"], row["measure"], row["patients"]) == ("growth", "nuclear_count", N)
    assert row["r_real"] == pytest.approx(1)
    means = rows.groupby(["source", "patient_id"])["nuclear_count"].mean()
    for source in ("own", "shuffled"):
        expected = np.corrcoef(means[source].loc[PATIENTS], SCORES["growth"])[0, 1]
        assert row[f"r_{source}"] == pytest.approx(expected)
        assert row[f"r_{source}_low"] < expected < row[f"r_{source}_high"]
    assert row["share_of_real"] == pytest.approx(row["r_own"])
    assert 0.5 < row["r_own"] < 0.9
    assert abs(row["r_shuffled"]) < 0.3


def test_real_patients_have_no_more_tiles_than_drawn_ones():
    rows = measured()
    far_off = tiles("real", np.full(N, 50.0) * RNG.standard_normal(N))
    table = follow_programmes(pd.concat([rows, far_off]), SCORES, PROGRAMMES, BOOTSTRAP, 0)
    assert table[table["moves"]]["r_real"].iloc[0] == pytest.approx(1)


def test_too_few_patients_are_refused():
    rows = measured()
    two = rows[rows["patient_id"].isin(PATIENTS[:2])]
    # One without nuclei cannot be compared.
    three = rows[rows["patient_id"].isin(PATIENTS[:3])].copy()
    three.loc[three["patient_id"] == PATIENTS[0], "nuclear_area"] = np.nan
    for few in (two, three):
        with pytest.raises(ValueError, match="Only 2 test patients"):
            follow_programmes(few, SCORES, PROGRAMMES, BOOTSTRAP, 0)


def test_a_moved_programme_has_a_slope_in_units_of_real_patients():
    shifts = (-1.0, 0.0, 1.0)
    moved = [
        tiles("moved", np.full(N, rise * shift), 1, programme=name, shift=shift)
        for name, rise in (("growth", 0.5), ("idle", 0.0))
        for shift in shifts
    ]
    rows = pd.concat([measured(), *moved])
    # One drawn tile is one off.
    rows.loc[rows["source"] == "moved", "nuclear_count"] += 1
    by_shift, responses = follow_moves(rows, SCORES, PROGRAMMES, BOOTSTRAP, 0)
    assert len(by_shift) == 2 * len(MEASURES) * 3
    growth = responses[responses["moves"]].iloc[0]
    spread = SCORES["growth"].std()
    assert growth["slope"] == pytest.approx(0.5 / spread)
    assert growth["slope_low"] == pytest.approx(growth["slope_high"])
    assert growth["real_slope"] == pytest.approx(1)
    assert growth["monotone"]
    idle = responses.query("programme == 'idle' and measure == 'nuclear_count'").iloc[0]
    assert idle["slope"] == pytest.approx(0)
    assert not idle["monotone"]
    noise = responses.query("programme == 'idle' and measure == 'eosin'").iloc[0]
    assert noise["slope_low"] < noise["slope"] < noise["slope_high"]
    curve = by_shift.query("programme == 'growth' and measure == 'nuclear_count'")
    centre = SCORES["growth"].mean()
    expected = [(0.5 * shift - centre) / spread for shift in shifts]
    assert curve["mean"].tolist() == pytest.approx(expected)
