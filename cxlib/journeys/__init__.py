"""Journey study: what customers really do."""
