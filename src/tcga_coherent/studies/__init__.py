"""Questions asked of the draws, a folder each."""
