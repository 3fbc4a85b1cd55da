"""Proportional hazards: what goes with a higher risk."""
