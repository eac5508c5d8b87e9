from pathlib import Path

from kedro.config import OmegaConfigLoader

import many_patients


def test_the_environment_has_the_patients_and_parts_that_were_asked_for(tmp_path: Path) -> None:
    many_patients.make_project(tmp_path, 5000, 100)
    config = OmegaConfigLoader(
        conf_source=str(tmp_path / "conf"),
        base_env="base",
        default_run_env="local",
        env="many",
        merge_strategy={"parameters": "soft"},
    )
    simulation = config["globals"]["simulation"]
    assert simulation["patients"] == 5000
    assert {spec["features"] for spec in simulation["modalities"].values()} == {200}
    parameters = config["parameters"]
    assert parameters["preprocessing"]["split"]["test_fraction"] == 0.02
    assert parameters["preprocessing"]["split"]["val_fraction"] == 0.02
    # What is not of the benchmark stays.
    assert parameters["preprocessing"]["split"]["max_complete_fraction"] == 0.5
    assert {m["imputer"] for m in parameters["modalities"].values()} == {"median"}
    assert parameters["modalities"]["cna"]["latent_size"] == 16
