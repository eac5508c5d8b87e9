"""How faithful, how well calibrated and how much better than simple rivals generated modalities are."""
