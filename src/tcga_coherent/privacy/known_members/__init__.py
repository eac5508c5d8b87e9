"""Trainings whose members are known, and the attacks on them."""
