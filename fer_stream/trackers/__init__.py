"""Trackers: one file per way to follow faces."""
