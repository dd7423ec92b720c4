"""Filters: one file per way to calm or change scores."""
