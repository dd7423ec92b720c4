"""Drawing what was found onto a frame, for windows and annotated videos."""

from __future__ import annotations

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


def annotated(result: FrameResult) -> BgrImage:
    """Return a copy of the frame, (H, W, 3) uint8 BGR, with boxes, ids, emotions and scores."""
    image = result.frame.image.copy()
    # Text that is readable at any size: 0.5 at 480 lines, growing with the frame.
    scale = max(min(image.shape[:2]) / 960, 0.45)
    for face in result.faces:
        _draw_face(image, face, scale, [other.box for other in result.faces if other is not face])
    return image


def colour_of(emotion: str) -> Colour:
    """Return the colour in which an emotion, or `uncertain`, is drawn."""
    return _COLOURS.get(emotion, _OTHER)


def caption(scores: EmotionScores, score_format: str) -> str:
    """Return what is written at a face: the emotion and its score, or only `uncertain`."""
    if scores.uncertain:
        return scores.word
    return f"{scores.word} {scores.top_score:{score_format}}"


def _draw_face(image: BgrImage, face: Face, scale: float, others: list[Box]) -> None:
    box, colour = face.box, colour_of(face.scores.word)
    thickness = max(round(scale * 3), 1)
    corner = (box.x + box.width - 1, box.y + box.height - 1)
    cv2.rectangle(image, (box.x, box.y), corner, colour, thickness, cv2.LINE_AA)
    number = "" if face.track_id is None else f"#{face.track_id} "
    text = number + caption(face.scores, ".0%")
    _draw_caption(image, text, box.x, box.y, scale, colour)
    _draw_bars(image, face, scale, others)


def _draw_caption(image: BgrImage, text: str, x: int, y: int, scale: float, colour: Colour) -> None:
    (width, height), base = cv2.getTextSize(text, _FONT, scale, 1)
    pad = round(6 * scale) + 1
    full = height + base + 2 * pad
    x = max(min(x, image.shape[1] - width - 2 * pad), 0)
    y = max(y, full)  # inside the frame even for a face at its top
    cv2.rectangle(image, (x, y - full), (x + width + 2 * pad, y), colour, cv2.FILLED)
    ink: Colour = (0, 0, 0) if sum(colour) > 380 else _WHITE
    cv2.putText(image, text, (x + pad, y - base - pad), _FONT, scale, ink, 1, cv2.LINE_AA)


def _draw_bars(image: BgrImage, face: Face, scale: float, others: list[Box]) -> None:
    """Draw a row per label beside the face, where there is room and no other face."""
    size = 0.85 * scale
    texts = list(face.scores.labels)
    text_width = max(cv2.getTextSize(t, _FONT, size, 1)[0][0] for t in texts)
    row = round(26 * scale)
    bar = round(90 * scale)
    pad = round(8 * scale)
    width, height = text_width + bar + 3 * pad, row * len(texts) + pad
    y = min(face.box.y, image.shape[0] - height)
    for x in (face.box.x + face.box.width + pad, face.box.x - pad - width):
        inside = x >= 0 and y >= 0 and x + width <= image.shape[1]
        if inside and not any(_overlap(Box(x, y, width, height), other) for other in others):
            break
    else:
        return  # a small frame, a crowd, or a face that fills it: the caption has to do
    panel = image[y : y + height, x : x + width]
    panel[:] = (panel * np.float32(0.4)).astype(np.uint8)
    for i, (text, score) in enumerate(zip(texts, face.scores.probabilities, strict=True)):
        bottom = (i + 1) * row
        cv2.putText(panel, text, (pad, bottom - pad // 2), _FONT, size, _WHITE, 1, cv2.LINE_AA)
        left = text_width + 2 * pad
        right = left + max(round(float(score) * bar), 1)
        top = (left, bottom - row + pad)
        cv2.rectangle(panel, top, (right, bottom - pad // 2), colour_of(text), cv2.FILLED)


def _overlap(one: Box, other: Box) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )
