"""fer-stream beside what people use today: the parts of `benchmarks/speed.py`."""
