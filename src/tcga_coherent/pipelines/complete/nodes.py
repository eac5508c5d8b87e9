"""Nodes that complete a user's own patients."""

import logging
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import pandas as pd

from tcga_coherent.completion.bundle import Bundle
from tcga_coherent.completion.completer import Completer
from tcga_coherent.completion.predictions import rank_patients
from tcga_coherent.datasets.raw.new_patients import CLINICAL, FEATURE_NAMES
from tcga_coherent.omics.new_patients import NewPatients, warn_of_known

logger = logging.getLogger(__name__)

# Files that are no matrices.
BESIDE = (CLINICAL, FEATURE_NAMES)


def complete_new_patients(
    files: Mapping[str, Callable[[], pd.DataFrame]],
    former_completion: pd.DataFrame,
    given: Bundle | None,
    device: str,
    own: Bundle | None = None,
    split: pd.DataFrame | None = None,
) -> Callable[[], Iterator[Mapping[str, pd.DataFrame]]]:
    """Complete the patients of a folder.

    Parameters
    ----------
    files
        Name of each file or folder, called as a modality, to a function that loads its matrix.
    former_completion
        Flags of the completion in whose place this one comes.
    given
        Models that the run was given, or None.
    device
        The parameter ``compute.device``.
    own, split
        Models of the environment and its split, where the run was given none.

    Returns
    -------
    Callable
        Yields the tables of :class:`tcga_coherent.completion.completion.Completion`, block by block.

    Raises
    ------
    ValueError
        When a file names no modality of the models, its features are not theirs, or the place of the completion
        holds other patients.
    """
    models = given or own
    if models is None:
        raise ValueError("There are no models: name a bundle with completion.models.")
    completer = Completer.from_bundle(models, device)
    found = _find_files(files, completer.modalities)
    beside = {name: found.pop(name)[1]() for name in BESIDE if name in found}
    names = beside.get(FEATURE_NAMES)
    patients = completer.screen(
        {name: load for name, (_, load) in found.items()},
        {name: file for name, (file, _) in found.items()},
        beside.get(CLINICAL),
        None
        if names is None
        else dict(zip(names.index, names.iloc[:, 0].astype(str), strict=True)),
    )
    everyone = patients.everyone
    others = set(former_completion["patient_id"]) - set(everyone)
    if others:
        raise ValueError(
            f"completion.output_dir holds other patients completed before, such as {min(others)}: name "
            f"another folder, or delete that one."
        )
    if split is not None:
        warn_of_known(everyone, split.index[split["split"] == "train"])
    return partial(_complete, completer, patients)


def _complete(completer: Completer, patients: NewPatients) -> Iterator[Mapping[str, pd.DataFrame]]:
    priorities = []
    for block in completer.complete_blocks(patients):
        tables = block.tables()
        priorities.append(tables.pop("priorities"))
        yield tables
    # Ranks are over all patients.
    yield {
        "priorities": rank_patients(priorities),
        "provenance": pd.DataFrame([completer.provenance]),
    }


def _find_files(
    files: Mapping[str, Callable[[], pd.DataFrame]], modalities: list[str]
) -> dict[str, tuple[str, Callable[[], pd.DataFrame]]]:
    """Return what each file is of to its name and loader: a modality, or one of :data:`BESIDE`."""
    found: dict[str, tuple[str, Callable[[], pd.DataFrame]]] = {}
    for file, load in files.items():
        name = file.split(".")[0]
        if name in found:
            raise ValueError(
                f"completion.input_dir holds {found[name][0]} and {file}: keep one file of {name}."
            )
        if name in modalities or name in BESIDE:
            found[name] = file, load
        elif file.endswith(".parquet") or name.lower() in map(str.lower, modalities):
            raise ValueError(
                f"completion.input_dir holds {file}, but the modalities are {', '.join(modalities)}. Rename "
                f"the file, or move it elsewhere."
            )
        else:
            logger.warning("completion.input_dir holds %s, which is no modality: NOT read", file)
    if not found.keys() - set(BESIDE):
        raise ValueError(
            f"completion.input_dir holds no file of {', '.join(modalities)}, but {', '.join(files)}."
        )
    return {name: found[name] for name in (*modalities, *BESIDE) if name in found}
