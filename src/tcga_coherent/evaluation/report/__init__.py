"""One report of everything that the evaluation makes."""
