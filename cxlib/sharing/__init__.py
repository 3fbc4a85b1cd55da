"""What may be handed round: no ids, no small groups, nothing personal."""
