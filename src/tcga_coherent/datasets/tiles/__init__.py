"""Datasets of slides, tiles, and the expression that belongs to them."""
