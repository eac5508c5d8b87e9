"""Whether the differences between treatments are more than chance."""
