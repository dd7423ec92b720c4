"""The commands that this package adds to `fer-stream`, one module each."""
