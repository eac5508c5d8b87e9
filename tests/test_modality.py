from pathlib import Path

import pytest
import yaml

from tcga_coherent.modality import parse_modalities


@pytest.fixture
def settings(repo_root: Path) -> dict:
    path = repo_root / "conf" / "base" / "parameters" / "modalities.yml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))["modalities"]


def test_modalities_keep_their_order_and_null_leaves_one_out(settings):
    settings["rppa"] = None
    parsed = parse_modalities(settings)
    assert list(parsed) == ["cna", "rnaseq", "wsi"]
    assert parsed["cna"].latent_size == 32
    assert parsed["wsi"].encoder.kind == "pca"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"latent_sise": 8}, r"modalities\.cna\.latent_sise: Unexpected keyword argument"),
        (
            {"latent_size": 0},
            r"modalities\.cna\.latent_size: Input should be greater than or equal",
        ),
        ({"imputer": "mice"}, r"modalities\.cna\.imputer: Input should be 'knn' or 'median'"),
        ({"color": "bluish"}, r"modalities\.cna\.color: String should match pattern"),
        ({"encoder": {"kind": "umap"}}, r"modalities\.cna\.encoder\.kind: Input should be"),
    ],
)
def test_a_bad_setting_is_named_by_its_key(settings, change, message):
    settings["cna"] |= change
    with pytest.raises(ValueError, match=message):
        parse_modalities(settings)


@pytest.mark.parametrize(
    "name", ["cna+rnaseq", "wsi/titan", "wsi_from_titan", "", "-cna", "450", 450]
)
def test_a_name_that_cannot_be_a_file_or_a_denoiser_is_refused(settings, name):
    settings[name] = settings["cna"]
    with pytest.raises(ValueError, match="a name is of letters, digits, _ and -, without _from_"):
        parse_modalities(settings)


def test_one_modality_is_not_enough(settings):
    with pytest.raises(ValueError, match=r"modalities names \['cna'\]: at least two are needed"):
        parse_modalities({"cna": settings["cna"]})


@pytest.mark.parametrize(
    "name", ["all", "NA", "None", "TOTAL", "mean", "patient_id", "flags", "ridge", "True"]
)
def test_a_name_that_tables_have_another_meaning_for_is_refused(settings, name):
    settings[name] = settings["cna"] | {"label": "Other"}
    with pytest.raises(ValueError, match=rf"modalities\.{name}: tables have another meaning for"):
        parse_modalities(settings)


def test_a_name_that_no_file_can_have_is_called_too_long(settings):
    settings["x" * 300] = settings["cna"] | {"label": "Other"}
    with pytest.raises(ValueError, match=r"modalities\.x{40}\.\.\.: the name is too long"):
        parse_modalities(settings)


def test_two_modalities_with_one_label_are_refused(settings):
    settings["wsi"]["label"] = "RPPA"
    with pytest.raises(
        ValueError, match=r"modalities\.wsi\.label: 'RPPA' is the label of rppa too"
    ):
        parse_modalities(settings)


def test_a_name_may_begin_with_a_digit(settings):
    assert "450k" in parse_modalities({**settings, "450k": settings["cna"] | {"label": "450k"}})
