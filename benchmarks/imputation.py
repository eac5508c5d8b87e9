"""What fills the gaps of new patients: the conditional mean of the encoder, beside training donors and medians.

    python benchmarks/imputation.py [--env cohort]

Entries of test patients are hidden, at random or of whole features, and filled by each method: ``donors`` are the five
nearest training patients (scikit-learn's KNNImputer, which a bundle cannot hold), ``mean`` is what
:meth:`tcga_coherent.embedding.encoder.Encoder.impute` expects, ``median`` the training median. ``rmse`` is of the
hidden entries in training standard deviations, ``latent_rmse`` that of the latents against those of the whole
patient, whose variance is 1. ``apart`` compares latents of test patients who have gaps of their own, filled by ``mean``, with
those of the cohort, whose gaps were filled by donors: where nobody knows the truth.
"""

import argparse
from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.impute import KNNImputer

import results
from environment import Environment, open_environment
from tcga_coherent.embedding.encoder import Encoder
from tcga_coherent.omics.features.preprocessor import Preprocessor

HIDDEN = ("5 % of entries", "20 % of entries", "10 % of features")


def hide(scenario: str, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return which entries are hidden, boolean, of patients x features."""
    if scenario.endswith("features"):
        chosen = rng.choice(shape[1], shape[1] // 10, replace=False)
        return np.isin(np.arange(shape[1]), chosen) & np.ones(shape, dtype=bool)
    return rng.random(shape) < float(scenario.split()[0]) / 100


def compare(environment: Environment, modality: str) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return the errors of each way to fill the gaps of a modality, and how far two ways are apart."""
    stored = [environment.catalog.load(f"{k}/{modality}") for k in ("preprocessors", "encoders")]
    preprocessor = Preprocessor.from_state(stored[0].arrays, stored[0].metadata)
    encoder = Encoder.from_state(stored[1].arrays, stored[1].metadata)
    processed = environment.catalog.load(f"processed/{modality}")
    train, test = (
        processed[processed.index.isin(environment.patients(part))] for part in ("train", "test")
    )
    table = environment.catalog.load(f"tables/{modality}")
    truth = preprocessor.scale(table.loc[test.index])
    latents = encoder.encode(test)
    donors = KNNImputer(n_neighbors=preprocessor.neighbours).fit(train.to_numpy())
    rng = np.random.default_rng(0)
    rows = []
    for scenario in HIDDEN:
        hidden = hide(scenario, truth.shape, rng)
        holed = truth.mask(hidden)
        scored = hidden & truth.notna().to_numpy()
        filled = {
            "donors": donors.transform(holed.to_numpy()),
            "mean": encoder.impute(holed).to_numpy(),
            "median": holed.fillna(pd.Series(preprocessor.medians, holed.columns)).to_numpy(),
        }
        for method, values in filled.items():
            frame = pd.DataFrame(values.astype(np.float32), holed.index, holed.columns)
            error = (values - truth.to_numpy())[scored]
            lost = (encoder.encode(frame) - latents).to_numpy()
            rows.append((modality, scenario, method, rms(error), rms(lost)))
    gaps = truth.isna().any(axis=1)
    apart = (encoder.encode(encoder.impute(truth[gaps])) - latents[gaps]).to_numpy()
    table = pd.DataFrame(rows, columns=["modality", "hidden", "method", "rmse", "latent_rmse"])
    return table, {
        "patients": int(gaps.sum()),
        "apart": rms(apart) if len(apart) else 0.0,
        "apart_most": float(np.abs(apart).max()) if len(apart) else 0.0,
    }


def rms(values: np.ndarray) -> float:
    """Return the root mean square."""
    return float(np.sqrt(np.mean(np.square(values, dtype=float))))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", default="cohort", help="environment of preprocessed modalities")
    options = parser.parse_args(arguments)
    environment = open_environment(options.env, "cpu")
    tables, ratios = [], []
    for modality in environment.latents:
        preprocessor = environment.catalog.load(f"preprocessors/{modality}")
        if preprocessor.metadata["imputer"] != "knn":
            continue
        table, apart = compare(environment, modality)
        tables.append(table)
        wide = table.pivot_table(index="hidden", columns="method", values="rmse")
        ratios.append((wide["donors"] / wide["mean"]).min())
        told = " ".join(f"{key}={value:.3g}" for key, value in apart.items())
        print(f"modality={modality} {told}")
    joined = pd.concat(tables, ignore_index=True)
    results.write_table(f"imputation_{options.env}", joined)
    print(results.markdown_table(joined))
    print(f"ratio={min(ratios):.2f}")


if __name__ == "__main__":
    main()
