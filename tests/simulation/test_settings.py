import json
from dataclasses import asdict

import pytest

from tcga_coherent.simulation.settings import parse_simulation


def test_noise_takes_the_variance_that_no_group_takes(small):
    settings = parse_simulation(small)
    assert settings.modalities["rnaseq"].noise_share == pytest.approx(0.2)


def test_settings_survive_a_round_trip_through_json(small):
    settings = parse_simulation(small)
    assert parse_simulation(json.loads(json.dumps(asdict(settings)))) == settings


def test_a_typo_names_the_key(small):
    small["modalities"]["cna"]["featurs"] = small["modalities"]["cna"].pop("features")
    with pytest.raises(ValueError, match=r"simulation\.modalities\.cna\.featurs: Unexpected"):
        parse_simulation(small)


def test_an_unknown_group_names_the_modality_and_the_known_groups(small):
    small["modalities"]["wsi"]["factors"] = {"al": {"variance": 0.5, "fidelity": 0.5}}
    message = r"modalities\.wsi\.factors names the unknown group 'al'; factor_groups has all, omics"
    with pytest.raises(ValueError, match=message):
        parse_simulation(small)


def test_variances_must_leave_room_for_noise(small):
    small["modalities"]["wsi"]["factors"]["all"]["variance"] = 1.0
    with pytest.raises(
        ValueError, match=r"modalities\.wsi\.factors: variances must add up to less"
    ):
        parse_simulation(small)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("level", [1.0, 0.0], r"modalities\.cna\.level must be \[low, high\]"),
        ("spread", [0.0, 1.0], r"modalities\.cna\.spread must be positive"),
    ],
)
def test_ranges_must_make_sense(small, key, value, message):
    small["modalities"]["cna"][key] = value
    with pytest.raises(ValueError, match=message):
        parse_simulation(small)
