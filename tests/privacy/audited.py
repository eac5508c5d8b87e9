"""A small cohort with trained models, ready to be audited."""

import pandas as pd

from tcga_coherent.cohort import read_cohort
from tcga_coherent.diffusion.fingerprints import fingerprint_frame
from tcga_coherent.diffusion.stored_models import load_models
from tcga_coherent.privacy.generation.experiment import Audited
from tests.pipelines.latent_cohort import (
    SAMPLING,
    SIZES,
    lazily,
    make_codes,
    make_conditions,
    make_encoders,
    make_latents,
    make_split,
    train_all,
)


def make_audited() -> Audited:
    """Train on the small cohort."""
    split = make_split()
    latents = make_latents(split)
    presence = pd.DataFrame({name: split.index.isin(latents[name].index) for name in SIZES})
    presence.index = split.index
    stored = train_all(latents, split, make_encoders())
    models = load_models(
        lazily(stored["single"]),
        lazily(stored["multi"]),
        lazily(stored["consensus"]),
        lazily(stored["linear"]),
        "latents",
        {name: fingerprint_frame(frame) for name, frame in make_conditions(latents).items()},
        "cpu",
    )
    cohort = read_cohort(lazily(latents), split, presence, codes=lazily(make_codes(latents)))
    return Audited(models, cohort, SAMPLING)
