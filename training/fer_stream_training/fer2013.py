"""What is fixed about FER-2013; imports nothing, so that a command's help stays quick."""

# Code order 0..6 (Goodfellow et al., arXiv:1307.0414); a network's outputs are in this order too.
EMOTIONS = ("angry", "disgusted", "fearful", "happy", "sad", "surprised", "neutral")
IMAGE_SIZE = 48  # px, both sides; FER-2013 has no other size
