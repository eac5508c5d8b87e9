"""Expression code: the few numbers that tiles are drawn from."""
