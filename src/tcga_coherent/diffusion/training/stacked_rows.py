"""Patients of several tasks as tensors on the device."""

from collections.abc import Sequence

import numpy as np
import torch

from tcga_coherent.diffusion.training.tasks import Rows


class StackedRows:
    """Patients of several tasks on the device, padded to the longest."""

    def __init__(self, parts: Sequence[Rows], device: torch.device) -> None:
        counts = [len(rows.target) for rows in parts]
        longest = max(counts)

        def stack(arrays: Sequence[np.ndarray]) -> torch.Tensor:
            padded = [np.pad(a, ((0, longest - len(a)), (0, 0))) for a in arrays]
            return torch.from_numpy(np.stack(padded)).to(device)

        self.counts = torch.tensor(counts, device=device).unsqueeze(1)
        self.valid = torch.arange(longest, device=device) < self.counts
        self._target = stack([rows.target for rows in parts])
        self._conditions = [
            stack([rows.conditions[i] for rows in parts]) for i in range(parts[0].mask.shape[1])
        ]
        self._mask = stack([rows.mask for rows in parts])
        self._models = torch.arange(len(parts), device=device).unsqueeze(1)

    def take(self, choice: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor], torch.Tensor]:
        """Return rows chosen by uniform numbers of shape (models, rows), features before rows."""
        rows = (choice * self.counts).long()
        return (
            self._target[self._models, rows].transpose(1, 2),
            [condition[self._models, rows].transpose(1, 2) for condition in self._conditions],
            self._mask[self._models, rows].transpose(1, 2),
        )

    def all_rows(self) -> tuple[torch.Tensor, list[torch.Tensor], torch.Tensor]:
        """Return all rows, padding included, features before rows."""
        return (
            self._target.transpose(1, 2),
            [condition.transpose(1, 2) for condition in self._conditions],
            self._mask.transpose(1, 2),
        )
