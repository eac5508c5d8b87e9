import numpy as np
import pandas as pd
import pytest

from tcga_coherent.histology.evaluation.nuclei import NucleiParameters, measure_tiles
from tcga_coherent.histology.simulation.patients import (
    MEASURE_OF,
    Tissue,
    simulate_patients,
    tissue_of,
)
from tcga_coherent.histology.simulation.settings import TissueSimulation, parse_tissue_simulation
from tcga_coherent.histology.simulation.tiles import EOSIN, draw_tile

SETTINGS = TissueSimulation(patients=40)


def test_every_measured_programme_is_seen_in_true_tiles_of_a_patient():
    patients = simulate_patients(SETTINGS)
    rng = np.random.default_rng(0)
    images = [
        draw_tile(tissue_of(row), 64, rng)
        for _, row in patients.programmes.iterrows()
        for _ in range(3)
    ]
    owner = patients.programmes.index.repeat(3)
    means = measure_tiles(images, NucleiParameters()).groupby(owner).mean()
    for programme, measure in MEASURE_OF.items():
        r = {m: np.corrcoef(patients.programmes[programme], means[m])[0, 1] for m in means}
        if measure:
            assert r[measure] > 0.8
        else:
            # Five standard errors of no correlation among 40 patients would be beyond.
            assert max(map(abs, r.values())) < 0.6


def test_genes_show_their_programme_with_the_share_that_was_asked_for():
    patients = simulate_patients(TissueSimulation(patients=400, programme_share=0.6))
    assert patients.programmes.mean().abs().max() < 1e-9
    for name, own in patients.genes.groupby("programme"):
        r = patients.expression[own["gene"]].corrwith(patients.programmes[name])
        assert (r**2).mean() == pytest.approx(0.6, abs=0.05)
    others = patients.expression.filter(like="OTHER")
    assert others.corrwith(patients.programmes["growth"]).abs().mean() < 0.1
    between = patients.programmes.groupby(patients.cancer_type).mean()
    assert between.abs().max().max() > 0.1


def test_the_same_seed_gives_the_same_patients():
    first, second = simulate_patients(SETTINGS), simulate_patients(SETTINGS)
    assert first.expression.equals(second.expression)
    other = simulate_patients(TissueSimulation(patients=40, seed=1))
    assert not first.expression.equals(other.expression)


def test_a_tile_without_nuclei_is_eosin_of_the_density_asked_for():
    tile = draw_tile(Tissue(0.0, 4.0, 0.0, 0.4), 64, np.random.default_rng(1))
    density = -np.log(tile / 250)
    assert density.mean(axis=(0, 1)) == pytest.approx(0.4 * EOSIN, abs=0.02)


def test_the_law_rises_with_each_programme():
    rest = pd.Series(0.0, index=list(MEASURE_OF))
    more = {name: tissue_of(rest.replace({}).where(rest.index != name, 1.0)) for name in MEASURE_OF}
    usual = tissue_of(rest)
    assert more["growth"].nuclei == pytest.approx(usual.nuclei * np.exp(0.4))
    assert more["ploidy"].radius == pytest.approx(usual.radius * np.exp(0.15))
    assert more["stroma"].eosin == pytest.approx(usual.eosin * np.exp(0.35))
    odds = [t.lymphocytes / (1 - t.lymphocytes) for t in (usual, more["immune"])]
    assert odds[1] / odds[0] == pytest.approx(np.exp(1.1))
    assert more["metabolism"] == more["translation"] == usual


def test_a_bad_setting_is_named():
    with pytest.raises(ValueError, match=r"simulation\.patients: .*greater than or equal to 10"):
        parse_tissue_simulation({"patients": 3})
    with pytest.raises(ValueError, match=r"simulation\.pateints"):
        parse_tissue_simulation({"pateints": 30})
