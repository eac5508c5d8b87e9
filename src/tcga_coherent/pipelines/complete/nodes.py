"""Nodes that complete a user's own patients."""

import logging
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import pandas as pd

from tcga_coherent.completion.bundle import Bundle
from tcga_coherent.completion.completer import Completer
from tcga_coherent.datasets.raw.new_patients import CLINICAL
from tcga_coherent.omics.new_patients import NewPatients, warn_of_known

logger = logging.getLogger(__name__)


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
    clinical = [file for file in files if file.split(".")[0] == CLINICAL]
    found = _find_modalities(
        {file: load for file, load in files.items() if file not in clinical}, completer.modalities
    )
    if len(clinical) > 1:
        raise ValueError(f"completion.input_dir holds {' and '.join(clinical)}: keep one.")
    patients = completer.screen(
        {name: load for name, (_, load) in found.items()},
        {name: file for name, (file, _) in found.items()},
        files[clinical[0]]() if clinical else None,
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
    for block in completer.complete_blocks(patients):
        yield block.tables()


def _find_modalities(
    files: Mapping[str, Callable[[], pd.DataFrame]], modalities: list[str]
) -> dict[str, tuple[str, Callable[[], pd.DataFrame]]]:
    """Return modality to its file's name and loader; the first part of a name is the modality."""
    found: dict[str, tuple[str, Callable[[], pd.DataFrame]]] = {}
    for file, load in files.items():
        name = file.split(".")[0]
        if name in found:
            raise ValueError(
                f"completion.input_dir holds {found[name][0]} and {file}: keep one file of {name}."
            )
        if name in modalities:
            found[name] = file, load
        elif file.endswith(".parquet") or name.lower() in map(str.lower, modalities):
            raise ValueError(
                f"completion.input_dir holds {file}, but the modalities are {', '.join(modalities)}. Rename "
                f"the file, or move it elsewhere."
            )
        else:
            logger.warning("completion.input_dir holds %s, which is no modality: NOT read", file)
    if not found:
        raise ValueError(
            f"completion.input_dir holds no file of {', '.join(modalities)}, but {', '.join(files)}."
        )
    return {name: found[name] for name in modalities if name in found}
