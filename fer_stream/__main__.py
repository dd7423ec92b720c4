"""`python -m fer_stream` is `fer-stream`."""

from fer_stream.cli import main

main()
