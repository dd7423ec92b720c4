"""The engine: the only home of threads and queues."""
