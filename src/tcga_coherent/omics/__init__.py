"""Omics tables: barcodes, clinical data, preprocessing."""
