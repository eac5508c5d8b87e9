"""From samples to patients: who is who, and who is in which part."""
