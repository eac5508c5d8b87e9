"""The hyperparameters of the denoisers: the paper's grid, those in use, the best found (S7)."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from tcga_coherent.datasets.checkpoint import Checkpoint
from tcga_coherent.diffusion.config import TrainingConfig
from tcga_coherent.diffusion.training.tuning_config import TuningConfig, current_settings
from tcga_coherent.pipelines.ensemble_studies.parameters import EnsembleStudiesParameters
from tcga_coherent.pipelines.tuning.nodes import TRIALS, tabulate_search

HOW_TO_SEARCH = "kedro run --pipeline tuning"


def tabulate_hyperparameters(
    search: Checkpoint,
    config: TrainingConfig,
    tuning: TuningConfig,
    parameters: EnsembleStudiesParameters,
) -> pd.DataFrame:
    """Return the table of hyperparameters (S7 Appendix).

    Parameters
    ----------
    search
        State of the hyperparameter search, empty where there was none.
    config, tuning, parameters
        Parameters.

    Returns
    -------
    pandas.DataFrame
        ``row`` (paper_grid, searched, in_use, best), ``model`` (of the row best; all for settings
        that the models share), a column a hyperparameter; for the best ones the validation scores,
        and those of the settings in use as ``default_<score>``; and ``note``, which says where no
        finished search fits the parameters.
    """
    names = list(dict.fromkeys([*parameters.paper_grid, *tuning.candidates]))
    searched = {name: _listed(values) for name, values in tuning.candidates.items()}
    in_use = {**current_settings(config, tuning), **_in_use(config, names)}
    rows: list[dict[str, Any]] = [
        {"row": "paper_grid", **{n: _listed(v) for n, v in parameters.paper_grid.items()}},
        {"row": "searched", **searched},
        {"row": "in_use", **in_use},
    ]
    missing = _why_no_search(search, config, tuning)
    if missing:
        rows.append({"row": "best", "note": missing})
    else:
        _, best = tabulate_search(search, config, tuning)
        rows += [{"row": "best", **dict(found)} for _, found in best.iterrows()]
    table = pd.DataFrame(rows)
    scores = [f"{when}{score}" for when in ("", "default_") for score in ("energy_score", "mse")]
    columns = ["row", "model", *names, *scores, "note"]
    return table.reindex(columns=columns).fillna({"model": "all", "note": ""})


def _why_no_search(search: Checkpoint, config: TrainingConfig, tuning: TuningConfig) -> str:
    """Return why there is no result of a search with the present parameters; empty where there is."""
    if not search.metadata:
        return f"no search has been run: {HOW_TO_SEARCH}"
    trials = TRIALS.validate_python(search.metadata["searches"][search.metadata["current"]])
    # The first trial has the settings that were in use then.
    if not trials or trials[0].settings != current_settings(config, tuning):
        return f"the search was run with other parameters: {HOW_TO_SEARCH}"
    if not search.metadata["finished"]:
        return f"the search ended after {len(trials) - 1} of {tuning.total_trials} trials: {HOW_TO_SEARCH}"
    return ""


def _in_use(config: TrainingConfig, names: list[str]) -> dict[str, Any]:
    values: Mapping[str, Any] = vars(config) | vars(config.architecture)
    return {name: values[name] for name in names}


def _listed(values: tuple[Any, ...]) -> str:
    return ", ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values)
