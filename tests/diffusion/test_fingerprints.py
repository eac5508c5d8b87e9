import numpy as np
import pandas as pd

from tcga_coherent.diffusion.fingerprints import fingerprint_arrays, fingerprint_frame


def test_fingerprints_tell_values_names_shapes_and_types_apart():
    base = {"x": np.zeros((2, 3), np.float32)}
    others = [
        {"y": np.zeros((2, 3), np.float32)},
        {"x": np.zeros((3, 2), np.float32)},
        {"x": np.zeros((2, 3), np.float64)},
        {"x": np.full((2, 3), 1e-7, np.float32)},
    ]
    assert len({fingerprint_arrays(arrays) for arrays in [base, *others]}) == 5
    assert fingerprint_arrays(base) == fingerprint_arrays(
        {"x": np.zeros((3, 2), np.float32).T.copy()}
    )


def test_fingerprints_of_frames_depend_on_patients_and_dimensions():
    frame = pd.DataFrame(np.eye(2), index=["P1", "P2"], columns=["z00", "z01"])
    renamed = [frame.rename(index={"P2": "P3"}), frame.rename(columns={"z01": "z02"})]
    assert len({fingerprint_frame(f) for f in [frame, *renamed]}) == 3
    assert fingerprint_frame(frame) == fingerprint_frame(frame.copy())
