"""Tests on real exports: each workbook here maps one, each number is published or recomputed."""
