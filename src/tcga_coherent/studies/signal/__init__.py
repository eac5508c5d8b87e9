"""Whether generated modalities keep what classifiers read."""
