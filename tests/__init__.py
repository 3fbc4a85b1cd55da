"""Tests of cxlib."""
