"""Detectors: one file per way to find faces."""
