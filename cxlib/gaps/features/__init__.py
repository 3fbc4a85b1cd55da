"""What each feature or touchpoint is for: Kano categories, penalties and rewards."""
