import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.decomposition import PCA

from tcga_coherent.histology.expression.encoder import (
    ExpressionEncoder,
    fit_expression_encoder,
    score_encoder,
    to_logs,
)
from tcga_coherent.histology.expression.parameters import ExpressionParameters

RNG = np.random.default_rng(5)
N, GENES = 60, [f"G{n}" for n in range(10)]
PATIENTS = pd.Index([f"P{n:02d}" for n in range(N)], name="patient_id")
VALUES = RNG.standard_normal((N, 3)) @ RNG.standard_normal((3, 10)) + 0.2 * RNG.standard_normal((N, 10))  # fmt: skip
EXPRESSION = pd.DataFrame(5 + VALUES, index=PATIENTS, columns=GENES)
SPLIT = pd.Series(["train"] * 40 + ["val"] * 10 + ["test"] * 10, index=PATIENTS)
PCA_CODE = ExpressionParameters(encoder="pca", code_size=3)
VAE_CODE = ExpressionParameters(code_size=3, hidden=(12, 8), max_epochs=3)
CPU = torch.device("cpu")


def fit(parameters=PCA_CODE, expression=EXPRESSION):
    return fit_expression_encoder(expression, SPLIT, parameters, CPU)


def test_the_linear_code_is_that_of_scikit_learn_fitted_on_train_and_scaled():
    encoder = fit()
    train = EXPRESSION.iloc[:40]
    z = (EXPRESSION - train.mean()) / train.std()
    pca = PCA(3).fit(z.iloc[:40])
    expected = pca.transform(z) / np.sqrt(np.mean(pca.transform(z.iloc[:40]) ** 2))
    codes = encoder.codes(encoder.z_scores(EXPRESSION))
    assert codes.dtypes.eq(np.float32).all()
    assert codes.index.equals(PATIENTS)
    assert np.allclose(np.abs(codes), np.abs(expected), atol=1e-4)


@pytest.mark.parametrize("parameters", [PCA_CODE, VAE_CODE])
def test_an_encoder_comes_back_from_its_state_and_knows_how_far_it_reconstructs(parameters):
    encoder = fit(parameters)
    again = ExpressionEncoder.from_state(*encoder.state())
    z = encoder.z_scores(EXPRESSION)
    assert z.equals(again.z_scores(EXPRESSION))
    codes = encoder.codes(z)
    assert codes.equals(again.codes(z))
    assert np.array_equal(encoder.reconstruct(codes), again.reconstruct(codes))
    assert np.sqrt(np.mean(codes.iloc[:40].to_numpy() ** 2)) == pytest.approx(1, rel=1e-4)
    table = score_encoder(encoder, EXPRESSION, SPLIT)
    row = table.query(f"encoder == '{parameters.encoder}' and split == 'test'").iloc[0]
    error = encoder.reconstruct(codes)[50:] - z.to_numpy(dtype=np.float32)[50:]
    assert row["rmse"] == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-4)
    assert row["mae"] == pytest.approx(np.abs(error).mean(), rel=1e-4)
    assert set(table["encoder"]) == {"pca", parameters.encoder}


def test_genes_that_were_not_measured_stand_at_their_mean_and_are_counted(caplog):
    encoder = fit()
    some = EXPRESSION[[*GENES[7:], *GENES[:4]]].assign(other=1.0)
    z = encoder.z_scores(some)
    assert list(z.columns) == GENES
    full = encoder.z_scores(EXPRESSION)
    assert np.allclose(z[GENES[7:]], full[GENES[7:]])
    assert np.allclose(z[GENES[:4]], full[GENES[:4]])
    assert (z[GENES[4:7]] == 0).all(axis=None)
    assert "7 of 10 genes" in caplog.text


def test_no_gene_in_common_is_named():
    with pytest.raises(ValueError, match=r"no gene in common .* it has A, B, they know G0, G1, G2"):
        fit().z_scores(pd.DataFrame({"A": [1.0], "B": [2.0]}))


def test_a_missing_value_is_named():
    holed = EXPRESSION.copy()
    holed.iloc[3, 2] = holed.iloc[5, 5] = np.nan
    with pytest.raises(ValueError, match="expression of G2 in P03 is missing, and 1 more"):
        fit(expression=holed)


def test_more_dimensions_than_patients_or_genes_are_refused():
    with pytest.raises(ValueError, match=r"code_size is 11, but 40 .* 10 dimensions at most"):
        fit(ExpressionParameters(encoder="pca", code_size=11))


def test_a_gene_that_does_not_vary_is_left_out():
    assert list(fit(expression=EXPRESSION.assign(flat=2.0)).genes) == GENES


def test_units_are_brought_to_logarithms():
    counts = pd.DataFrame([[1.0, 3.0], [0.0, 4.0]])
    assert to_logs(counts, "log") is counts
    assert to_logs(counts, "linear").to_numpy().tolist() == [[1.0, 2.0], [0.0, np.log2(5)]]
    assert np.allclose(to_logs(counts, "counts"), np.log2([[250_001, 750_001], [1, 1_000_001]]))
    with pytest.raises(ValueError, match=r"negative .* expression_vae.units counts"):
        to_logs(-counts, "counts")
