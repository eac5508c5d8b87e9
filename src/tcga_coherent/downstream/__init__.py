"""What predictions a patient's modalities are for: cancer type, stage and survival."""
