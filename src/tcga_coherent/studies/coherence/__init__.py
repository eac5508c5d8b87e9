"""Whether the coherence of a generation tells how wrong it is."""
