"""What follows what, and whether it differs between groups and periods."""
