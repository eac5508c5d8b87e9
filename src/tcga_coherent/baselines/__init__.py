"""Simple rivals that a generative model has to beat."""
