"""Kedro pipelines: wiring and pure nodes."""
