"""Kinds of journey, with the evidence that they exist."""
