"""What a run tells of itself over HTTP: metrics for Prometheus, and whether it is well."""
