"""From a table of raw values to standardised features."""
