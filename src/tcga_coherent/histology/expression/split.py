"""Training, validation and test patients: no patient's, and no group's, tiles are in two parts."""

import logging

import numpy as np
import pandas as pd

from tcga_coherent.histology.expression.parameters import ProfileSplit
from tcga_coherent.simulation.random_streams import random_stream

logger = logging.getLogger(__name__)

TRAIN, VAL, TEST = "train", "val", "test"


def split_profiles(groups: pd.DataFrame, parameters: ProfileSplit, seed: int) -> pd.DataFrame:
    """Split patients by their groups within each cancer type.

    Parameters
    ----------
    groups
        ``cancer_type``, ``group`` and ``has_tiles`` by ``patient_id``: patients with and without tiles are split apart, so
        that few with tiles among many others are in all parts.
    parameters, seed
        Of the split.

    Returns
    -------
    DataFrame
        ``split`` (train, val, test) and ``cancer_type`` by ``patient_id``.

    Raises
    ------
    ValueError
        When a test group does not exist, or a part would be empty.
    """
    strata = groups["cancer_type"] + np.where(groups["has_tiles"], "", " without tiles")
    of_group = strata.groupby(groups["group"]).first().sort_index()
    unknown = [name for name in parameters.test_groups if name not in of_group.index]
    if unknown:
        raise ValueError(
            f"expression_vae.split.test_groups names {unknown[0]}, but the groups are "
            f"{', '.join(of_group.index[:10])}."
        )
    part = pd.Series(TRAIN, index=of_group.index)
    part[list(parameters.test_groups)] = TEST
    for stratum, own in of_group.groupby(of_group):
        free = own.index.difference(pd.Index(parameters.test_groups))
        order = random_stream(seed, "split", str(stratum)).permutation(len(free))
        n_test = 0 if parameters.test_groups else round(parameters.test_fraction * len(own))
        n_val = round(parameters.val_fraction * len(own))
        part[free[order[:n_test]]] = TEST
        part[free[order[n_test : n_test + n_val]]] = VAL
    split = pd.DataFrame({"split": groups["group"].map(part), "cancer_type": groups["cancer_type"]})
    for name in (TRAIN, VAL, TEST):
        if not (split["split"].eq(name) & groups["has_tiles"]).any():
            raise ValueError(
                f"No patient with tiles is left for {name}: {len(of_group)} groups of {groups['cancer_type'].nunique()} "
                f"cancer types are too few for expression_vae.split. Add patients, or change its fractions."
            )
    return split.sort_index()


def profiles_with_tiles(
    tile_patients: pd.Series, expression: pd.DataFrame, groups: pd.DataFrame
) -> pd.DataFrame:
    """Return the groups of the patients with expression, with ``has_tiles``.

    Raises
    ------
    ValueError
        When none of them has tiles.
    """
    known = groups.loc[groups.index.isin(expression.index)]
    known = known.assign(has_tiles=known.index.isin(tile_patients))
    if not known["has_tiles"].any():
        patients = tile_patients.unique()
        raise ValueError(
            f"No patient has both tiles and expression: tiles are of {', '.join(map(str, patients[:3]))}, "
            f"expression of {', '.join(map(str, expression.index[:3]))}. Use the same identifiers."
        )
    lost = sorted(set(tile_patients) - set(known.index))
    if lost:
        logger.warning(
            "%d patients with tiles have no expression or no type and take no part, such as %s", len(lost), lost[0]
        )  # fmt: skip
    return known
