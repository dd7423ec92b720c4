"""Training on a GPU: large networks, and the small one that learns from all of them.

A whole run is some 1,000 epochs. On a GPU they take minutes if the faces never leave it, so here
everything of an epoch is one program there: choosing the faces, changing them, asking a teacher,
learning. JAX compiles it; the networks are the same Keras models as everywhere, on Keras's JAX
backend, and what comes out is a `model.keras` as of any run.
"""
