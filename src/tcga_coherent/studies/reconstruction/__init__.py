"""How well each modality is reconstructed from the others."""
