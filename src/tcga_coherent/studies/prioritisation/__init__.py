"""For whom a missing modality is worth measuring."""
