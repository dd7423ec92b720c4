"""Sources: one file per way that frames come in."""

IMAGE_ENDINGS = (
    *(".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm"),
)
"""File names that the images source takes from a folder, lower case."""

VIDEO_ENDINGS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi")
"""File names that surely are recordings, lower case."""

OTHER_PICTURES = (".heic", ".heif", ".avif", ".gif", ".jxl", ".dng", ".cr2", ".nef", ".arw")
"""File names of pictures that it does not take from a folder, lower case."""
