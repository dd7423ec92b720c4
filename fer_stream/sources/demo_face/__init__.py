"""A face drawn and animated by code, for the `demo` source.

`expression` says what a face can do, `relief` shapes and lights the skin, `head` colours it and
adds hair, ears and shoulders, `eyes`, `brows` and `mouth` draw what moves, `portrait` joins them
into a frame. Everything is drawn: there is no picture, and nothing was learned from pictures.
"""
