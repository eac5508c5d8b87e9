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
        ({"encoder": {"kind": "umap"}}, r"modalities\.cna\.encoder\.kind: Input should be"),
    ],
)
def test_a_bad_setting_is_named_by_its_key(settings, change, message):
    settings["cna"] |= change
    with pytest.raises(ValueError, match=message):
        parse_modalities(settings)


@pytest.mark.parametrize("name", ["cna+rnaseq", "wsi/titan", "wsi_from_titan", ""])
def test_a_name_that_cannot_be_a_file_or_a_denoiser_is_refused(settings, name):
    settings[name] = settings["cna"]
    with pytest.raises(ValueError, match="a name is of letters, digits, _ and -, without _from_"):
        parse_modalities(settings)


def test_one_modality_is_not_enough(settings):
    with pytest.raises(ValueError, match=r"modalities names \['cna'\]: at least two are needed"):
        parse_modalities({"cna": settings["cna"]})
