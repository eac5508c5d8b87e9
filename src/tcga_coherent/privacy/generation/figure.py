"""Figure 5: rows generated from nothing among the training patients."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from sklearn.decomposition import PCA

from tcga_coherent.downstream.outcomes import CannotEvaluate
from tcga_coherent.figures.palette import METHOD_STYLES
from tcga_coherent.measures.fidelity import Array
from tcga_coherent.privacy.generation.experiment import (
    ALL,
    Audited,
    UnconditionalParameters,
    training_patients,
    values,
)
from tcga_coherent.privacy.generation.rows import GENERATORS, generate_unconditionally

HELD_OUT = "held_out"
TITLES = {
    "multi": "Multi-condition,\nall masked",
    "multi_chained": "Multi-condition,\nchained",
    "coherent": "Coherent,\nnull vectors",
    "coherent_narrow": "Coherent, null vectors,\nspread as in the paper",
    HELD_OUT: "Held-out\npatients",
}
COLORS = {
    "multi": METHOD_STYLES["multi"].color,
    "multi_chained": METHOD_STYLES["multi"].color,
    "coherent": METHOD_STYLES["coherent"].color,
    "coherent_narrow": METHOD_STYLES["coherent"].color,
    HELD_OUT: METHOD_STYLES["real"].color,
}
TRAIN_COLOR = "#C8C8C8"


@dataclass(frozen=True)
class Projection:
    """One map of training patients with what is shown on it.

    Attributes
    ----------
    name
        ``PCA`` or ``UMAP``.
    train
        Training patients x 2.
    sets
        Method to rows x 2.
    """

    name: str
    train: Array
    sets: dict[str, Array]


def project_unconditional(
    audited: Audited, parameters: UnconditionalParameters, seed: int
) -> list[Projection]:
    """Generate whole patients from nothing and project them with maps of the training patients.

    Parameters
    ----------
    audited
        Models and cohort.
    parameters
        Settings.
    seed
        Seed of noise and UMAP.

    Returns
    -------
    list
        PCA and UMAP, both fitted on the training patients who have all modalities.

    Raises
    ------
    CannotEvaluate
        When there are not more of them than UMAP asks for neighbours.
    """
    cohort = audited.cohort
    patients = training_patients(cohort, ALL)
    if len(patients) <= parameters.n_neighbors:
        raise CannotEvaluate(
            f"{len(patients)} complete training patients are too few for "
            f"privacy.unconditional.n_neighbors = {parameters.n_neighbors}: choose fewer neighbours."
        )
    train = values(cohort, ALL, patients)
    sets = {HELD_OUT: values(cohort, ALL, cohort.test)}
    for method in TITLES:
        if method in GENERATORS:
            n_rows = min(len(train), parameters.max_rows)
            drawn = generate_unconditionally(
                audited.models,
                cohort,
                GENERATORS[method],
                n_rows,
                audited.sampling,
                seed,
            )
            sets[method] = np.hstack([drawn[name] for name in cohort.modalities])
    # Compiling umap takes seconds: only this function needs it.
    from umap import UMAP

    maps = {
        "PCA": PCA(n_components=2),
        "UMAP": UMAP(
            n_neighbors=parameters.n_neighbors,
            min_dist=parameters.min_dist,
            random_state=seed,
            transform_seed=seed,
            n_jobs=1,
        ),
    }
    return [
        Projection(
            name,
            mapping.fit_transform(train),
            {method: mapping.transform(sets[method]) for method in TITLES},
        )
        for name, mapping in maps.items()
    ]


def draw_unconditional(projections: list[Projection]) -> Figure:
    """Draw a row a map and a column a method, training patients grey in the background.

    Parameters
    ----------
    projections
        Result of :func:`project_unconditional`.
    """
    figure = Figure(figsize=(7.2, 1.55 * len(projections) + 0.7), layout="constrained")
    grid = figure.subplots(len(projections), len(TITLES), sharex="row", sharey="row", squeeze=False)
    for panels, projection in zip(grid, projections, strict=True):
        for axes, (method, rows) in zip(panels, projection.sets.items(), strict=True):
            _scatter(axes, projection.train, rows, COLORS[method])
        panels[0].set_ylabel(projection.name, fontsize=9, fontweight="bold")
    for axes, title in zip(grid[0], TITLES.values(), strict=True):
        axes.set_title(title, fontsize=7.5, fontweight="bold")
    handle = Line2D([], [], color=TRAIN_COLOR, marker="o", linewidth=0, markersize=4)
    figure.legend(
        [handle],
        ["training patients with all modalities, on whom both maps are fitted"],
        loc="outside lower center",
        fontsize=7,
        frameon=False,
    )
    return figure


def _scatter(axes: Axes, train: Array, rows: Array, color: str) -> None:
    axes.scatter(train[:, 0], train[:, 1], s=3, c=TRAIN_COLOR, linewidth=0, rasterized=True)
    axes.scatter(rows[:, 0], rows[:, 1], s=3, c=color, alpha=0.6, linewidth=0, rasterized=True)
    axes.set_xticks([])
    axes.set_yticks([])
