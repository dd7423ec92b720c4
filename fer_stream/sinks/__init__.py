"""Sinks: one file per place that results go to."""
