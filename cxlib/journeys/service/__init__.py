"""How well the company serves: answers, hand-offs, repeats, and the map of it all."""
