"""What the benchmarks measure time with."""

import time

import torch


def seconds(device: torch.device) -> float:
    """Return a reading in seconds; differences of two are meaningful.

    On CPU the processor time of this process, which other work on the machine does not change; on
    CUDA the wall time, read when the card has done all it was given.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        return time.perf_counter()
    return time.process_time()
