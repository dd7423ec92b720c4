"""Reading what a detector's training learns from, and saying what it was."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
from rich.console import Console

from fer_stream.words import counted

from .pictures import Picture, load_pictures
from .scenes import Material
from .settings import DetectorSettings
from .sources import MODEL_NAME, Sources


def read_material(
    faces: npt.NDArray[np.uint8], sources: Sources, settings: DetectorSettings, console: Console
) -> Material:
    """What scenes are composed of: ``faces``, (N, 48, 48), and what ``sources`` name; prints it.

    Raises ConfigError for a folder without pictures or videos, SourceError for a damaged video.
    """
    pictures = load_pictures(sources.backgrounds)
    filmed: list[Picture] = []
    hard: list[Picture] = []
    if sources.videos or sources.earlier:
        from .finding import mistaken_places
        from .video import filmed_pictures

        earlier = sources.earlier / MODEL_NAME if sources.earlier else None
        filmed = filmed_pictures(sources.videos, sources.spare, earlier)
        hard = mistaken_places(pictures, earlier) if earlier else []
    seen = sum(len(picture.faces) for picture in filmed)
    console.print(
        f"{counted(len(faces), 'face', ',')}, {counted(len(pictures), 'picture', ',')} without "
        f"any, {counted(len(hard), 'place', ',')} in them mistaken for a face, "
        f"{counted(len(filmed), 'frame', ',')} of videos with {counted(seen, 'face', ',')}"
    )
    share = settings.filmed_share
    return Material(faces, pictures + hard, filmed, share, mistaken=len(hard))


def trained_on(material: Material) -> str:
    """What a model's file says of what its network learned from."""
    pictures = counted(len(material.pictures) - material.mistaken, "picture", ",")
    places = counted(material.mistaken, "place", ",")
    mistaken = f", {places} in them mistaken for a face" if material.mistaken else ""
    count = sum(len(picture.faces) for picture in material.filmed)
    faces = counted(count, "face", ",")
    filmed = f", {faces} that Haar cascades agreed on in videos" if count else ""
    digest = hashlib.sha256(material.faces.tobytes()).hexdigest()[:16]
    return (
        f"scenes composed of {counted(len(material.faces), 'face', ',')} (SHA-256 {digest}) and "
        f"{pictures}{mistaken}{filmed}"
    )
