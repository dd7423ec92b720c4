"""Classifiers: one file per way to score faces."""
