"""Gaps by level, group and wave, the zone of tolerance, and gaps weighted by importance."""
