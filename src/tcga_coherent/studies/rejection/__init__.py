"""What the rejection of incoherent draws is worth."""
