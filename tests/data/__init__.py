"""Tests of reading and auditing."""
