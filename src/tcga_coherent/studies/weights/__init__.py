"""What the consensus weights are worth."""
