"""Speed and memory, each against a named yardstick in the same run."""
