"""Training a face detector: scenes composed of FER-2013's faces, a small network, its export."""
