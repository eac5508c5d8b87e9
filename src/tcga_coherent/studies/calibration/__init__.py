"""How honest the spread of the draws is."""
