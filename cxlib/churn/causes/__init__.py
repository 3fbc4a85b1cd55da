"""Why customers leave: causes that compete, their shares, tests and hazards."""
