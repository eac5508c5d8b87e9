"""Attacks on released models and on what they generate."""
