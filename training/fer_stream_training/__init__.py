"""Training for fer-stream: Keras networks on FER-2013, exported as self-describing ONNX files."""

__version__ = "0.1.0"
