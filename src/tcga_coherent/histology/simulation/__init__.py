"""Simulated tiles whose look follows known gene programmes of a simulated expression."""
