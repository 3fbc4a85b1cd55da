"""Delivery gap: what employees believe beside what customers perceive."""
