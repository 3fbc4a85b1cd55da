"""What goes with the outcome, and which touchpoint to look at first."""
