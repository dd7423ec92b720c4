"""The engine: the only home of the threads and queues that a frame passes."""
