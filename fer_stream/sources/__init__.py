"""Sources: one file per way that frames come in."""

IMAGE_ENDINGS = (
    *(".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm"),
)
"""File names that the images source takes from a folder, lower case."""
