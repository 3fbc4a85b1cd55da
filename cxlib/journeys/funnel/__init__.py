"""How far journeys come, and how long that takes."""
