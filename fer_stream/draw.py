"""Drawing what was found onto a frame, for windows and annotated videos."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace

import cv2
import numpy as np

from fer_stream.types import UNCERTAIN, BgrImage, Box, EmotionScores, Face, FrameResult

Colour = tuple[int, int, int]
"""Blue, green, red, 0..255."""

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_WHITE: Colour = (255, 255, 255)
# Okabe and Ito's palette, told apart by colour-blind people too; one per emotion.
_COLOURS: dict[str, Colour] = {
    "angry": (0, 94, 213),
    "disgusted": (115, 158, 0),
    "fearful": (167, 121, 204),
    "happy": (66, 228, 240),
    "sad": (178, 114, 0),
    "surprised": (0, 159, 230),
    "neutral": (190, 190, 190),
    UNCERTAIN: (110, 110, 110),
}
_OTHER: Colour = (233, 180, 86)
_DARK = 0.3
_MOST_BARS = 0.4  # of the frame's height: in a small frame they would hide what they tell of


def annotated(result: FrameResult) -> BgrImage:
    """Return a copy of the frame, (H, W, 3) uint8 BGR, with boxes, ids, emotions and scores."""
    image = result.frame.image.copy()
    scale = _scale_for(image)
    faces = [_writable(face) for face in result.faces]
    boxes = [face.box for face in faces]
    captions: list[_Caption] = []
    for face in faces:
        others = [box for box in boxes if box is not face.box]
        written = [known.box for known in captions]
        captions.append(_caption_of(face, image, scale, others, written))
    taken = boxes + [known.box for known in captions]
    for face in faces:
        _draw_bars(image, face, scale, taken)
    for face in faces:
        box, thickness = face.box, max(round(scale * 3), 1)
        corner = (box.x + box.width - 1, box.y + box.height - 1)
        colour = colour_of(face.scores.word)
        cv2.rectangle(image, (box.x, box.y), corner, colour, thickness, cv2.LINE_AA)
    for known in captions:  # last: nothing covers them
        _draw_caption(image, known, scale)
    return image


def _writable(face: Face) -> Face:
    """The face with its labels in ASCII, which is all that OpenCV's fonts have.

    Letters lose their accents; a label without any ASCII letter is its number in the model's order.
    """
    labels = face.scores.labels
    if "".join(labels).isascii():
        return face
    written = [_in_ascii(label) or f"label {place}" for place, label in enumerate(labels, start=1)]
    return replace(face, scores=replace(face.scores, labels=tuple(written)))


def _in_ascii(text: str) -> str:
    """The text without accents and with ? for other letters; empty if nothing else is left."""
    parts = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    bare = "".join(part for part in parts if not unicodedata.combining(part))
    known = bare.encode("ascii", "replace").decode("ascii")
    return known if any(map(str.isalnum, known)) else ""


def out_of_date(image: BgrImage, why: str) -> BgrImage:
    """Return a dark copy of a picture, (H, W, 3) uint8 BGR, with a word in its middle."""
    dark = (image * np.float32(_DARK)).astype(np.uint8)
    scale = 2 * _scale_for(dark)
    stroke = _stroke(scale)
    (width, height), _ = cv2.getTextSize(why, _FONT, scale, stroke)
    at = ((dark.shape[1] - width) // 2, (dark.shape[0] + height) // 2)
    cv2.putText(dark, why, at, _FONT, scale, _WHITE, stroke, cv2.LINE_AA)
    return dark


def colour_of(emotion: str) -> Colour:
    """Return the colour in which an emotion, or `uncertain`, is drawn."""
    return _COLOURS.get(emotion, _OTHER)


def caption(scores: EmotionScores, score_format: str) -> str:
    """Return what is written at a face: the emotion and its score, or only `uncertain`."""
    if scores.uncertain:
        return scores.word
    return f"{scores.word} {scores.top_score:{score_format}}"


def _scale_for(image: BgrImage) -> float:
    """Return the size of text that is readable at any size: 0.5 at 480 lines, growing with it."""
    return max(float(min(image.shape[:2])) / 960, 0.45)


@dataclass(frozen=True, slots=True)
class _Caption:
    """A face's words and their field."""

    text: str
    colour: Colour
    box: Box


def _caption_of(
    face: Face, image: BgrImage, scale: float, others: list[Box], written: list[Box]
) -> _Caption:
    """Place a face's words where they cover neither `others`, the faces, nor what is `written`.

    Above it, below it, or within it at its top or bottom; above it where all are taken.
    """
    number = "" if face.track_id is None else f"#{face.track_id} "
    text = number + caption(face.scores, ".0%")
    (width, height), base = cv2.getTextSize(text, _FONT, scale, _stroke(scale))
    pad = _caption_pad(scale)
    width, height = width + 2 * pad, height + base + 2 * pad
    # Inside the frame, even for a face at its edge.
    x = max(min(face.box.x, image.shape[1] - width), 0)
    top, bottom = face.box.y, face.box.y + face.box.height
    rows = (max(top - height, 0), bottom, top, max(bottom - height, 0))
    above, *places = (Box(x, y, width, height) for y in rows)
    inside = [above, *(box for box in places if box.y + height <= image.shape[0])]
    # Words over a neighbour's face can be read, words over words cannot.
    free = (box for taken in (others + written, written) for box in inside if _is_free(box, taken))
    return _Caption(text, colour_of(face.scores.word), next(free, above))


def _draw_caption(image: BgrImage, words: _Caption, scale: float) -> None:
    box, colour = words.box, words.colour
    stroke, pad = _stroke(scale), _caption_pad(scale)
    bottom = box.y + box.height
    cv2.rectangle(image, (box.x, box.y), (box.x + box.width, bottom), colour, cv2.FILLED)
    base = cv2.getTextSize(words.text, _FONT, scale, stroke)[1]
    ink: Colour = (0, 0, 0) if sum(colour) > 380 else _WHITE
    at = (box.x + pad, bottom - base - pad)
    cv2.putText(image, words.text, at, _FONT, scale, ink, stroke, cv2.LINE_AA)


def _stroke(scale: float) -> int:
    return max(round(1.5 * scale), 1)


def _caption_pad(scale: float) -> int:
    return round(6 * scale) + 1


def _draw_bars(image: BgrImage, face: Face, scale: float, taken: list[Box]) -> None:
    """Draw a row per label beside the face, where there is room; adds its place to `taken`."""
    size = 0.85 * scale
    stroke = _stroke(size)
    texts = list(face.scores.labels)
    text_width = max(cv2.getTextSize(t, _FONT, size, stroke)[0][0] for t in texts)
    row = round(26 * scale)
    bar = round(90 * scale)
    pad = round(8 * scale)
    width, height = text_width + bar + 3 * pad, row * len(texts) + pad
    if height > _MOST_BARS * image.shape[0]:
        return
    y = min(face.box.y, image.shape[0] - height)
    for x in (face.box.x + face.box.width + pad, face.box.x - pad - width):
        inside = x >= 0 and y >= 0 and x + width <= image.shape[1]
        if inside and _is_free(Box(x, y, width, height), taken):
            break
    else:
        return  # a crowd, or a face that fills the frame: the caption has to do
    taken.append(Box(x, y, width, height))
    panel = image[y : y + height, x : x + width]
    panel[:] = (panel * np.float32(0.4)).astype(np.uint8)
    for i, (text, score) in enumerate(zip(texts, face.scores.probabilities, strict=True)):
        bottom = (i + 1) * row
        at = (pad, bottom - pad // 2)
        cv2.putText(panel, text, at, _FONT, size, _WHITE, stroke, cv2.LINE_AA)
        left = text_width + 2 * pad
        right = left + max(round(float(score) * bar), 1)
        top = (left, bottom - row + pad)
        cv2.rectangle(panel, top, (right, bottom - pad // 2), colour_of(text), cv2.FILLED)


def _is_free(place: Box, taken: list[Box]) -> bool:
    return not any(
        place.x < other.x + other.width
        and other.x < place.x + place.width
        and place.y < other.y + other.height
        and other.y < place.y + place.height
        for other in taken
    )
