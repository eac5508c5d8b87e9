"""Scores and intervals that more than one study uses."""
