"""New patients: from the tables of some modalities to all modalities."""
