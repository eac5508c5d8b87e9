"""State of a training that may be interrupted at any time."""

import logging

from kedro.io.core import DatasetError

from tcga_coherent.datasets.checkpoint import Checkpoint, CheckpointDataset

logger = logging.getLogger(__name__)


class TrainingStateDataset(CheckpointDataset):
    """A :class:`Checkpoint` that need not be there.

    Where there is no file yet an empty checkpoint is loaded, and so where the file is damaged, as after
    a loss of power: it is set aside, and the training starts anew. A state whose metadata does not say
    ``finished`` does not exist for ``kedro run --only-missing-outputs``, which then goes on with
    the training.
    """

    def load(self) -> Checkpoint:
        """Read the state, empty where there is none."""
        if not self._filepath.is_file():
            return Checkpoint({})
        try:
            return super().load()
        except DatasetError as error:
            aside = self._filepath.with_name(f"{self._filepath.name}.damaged")
            self._filepath.replace(aside)
            logger.warning("%s It is %s now, and the work starts anew.", error, aside.name)
            return Checkpoint({})

    def _exists(self) -> bool:
        return not self.outdated and bool(self.load().metadata.get("finished"))
