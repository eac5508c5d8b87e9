"""Tables of a hyperparameter search."""

from collections.abc import Sequence

import pandas as pd
from omegaconf import OmegaConf

from tcga_coherent.diffusion.training.tuning import Trial
from tcga_coherent.diffusion.training.tuning_config import nest_settings

ALL_MODELS = "all"


def trials_table(trials: Sequence[Trial]) -> pd.DataFrame:
    """Return a row a trial and model.

    Returns
    -------
    pandas.DataFrame
        ``trial`` (0 has the present settings), ``model``, ``state`` (``complete`` or ``pruned``),
        a column a hyperparameter, ``energy_score`` and ``mse`` on validation, and ``best_step``.
    """
    return pd.DataFrame(
        [
            {
                "trial": number,
                "model": model,
                "state": "pruned" if trial.pruned else "complete",
                **trial.settings,
                "energy_score": score.energy_score,
                "mse": score.mse,
                "best_step": score.step,
            }
            for number, trial in enumerate(trials)
            for model, score in trial.scores.items()
        ]
    )


def best_table(
    trials: pd.DataFrame, hyperparameters: Sequence[str], criterion: str
) -> pd.DataFrame:
    """Return the best settings of each model (the paper's S7 Appendix).

    Parameters
    ----------
    trials
        Result of :func:`trials_table`.
    hyperparameters
        Columns of the settings.
    criterion
        Column that is least for the best trial; of equal ones the first trial is taken.

    Returns
    -------
    pandas.DataFrame
        ``model``, ``trial``, a column a hyperparameter, the scores, and those of the present
        settings as ``default_<score>``. The last row, ``all``, is the trial with the best mean
        score over the models, which are trained with common settings.
    """
    scores = ["energy_score", "mse"]
    means = trials.groupby("trial", as_index=False).agg(
        dict.fromkeys(hyperparameters, "first") | dict.fromkeys(scores, "mean")
    )
    candidates = pd.concat([trials, means.assign(model=ALL_MODELS)], ignore_index=True)
    rows = []
    for model, group in candidates.groupby("model", sort=False):
        group = group.sort_values("trial")
        best = group.iloc[group[criterion].argmin()]
        present = group.iloc[0]
        rows.append(
            {
                "model": model,
                "trial": best["trial"],
                **{name: best[name] for name in [*hyperparameters, *scores]},
                **{f"default_{name}": present[name] for name in scores},
            }
        )
    return pd.DataFrame(rows)


def as_yaml(trial: Trial) -> str:
    """Return the settings of a trial as the YAML of the ``diffusion_training`` parameters."""
    return OmegaConf.to_yaml({"diffusion_training": nest_settings(trial.settings)})
