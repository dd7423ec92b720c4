"""Boxes as large as FER-2013 frames faces: what the network gets wrong by itself is taken off.

A network learns sides on scenes that also hold covered, dark and blurred faces, and answers a tenth
too large or too small for plain ones. The classifier learned FER-2013's frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from .layout import LEVELS, SIDE_UNIT, cell_centres
from .network import box_layer
from .pictures import Grey

if TYPE_CHECKING:
    import keras

_FACES = 400  # for each level
_LARGEST_PX = 240.0  # side of the faces that are looked at
_AROUND = 0.55  # of a face's side: canvas on each side of it
_SURE = 0.5  # score from which a cell's box counts


def calibrate(model: keras.Model, faces: npt.NDArray[np.uint8], seed: int) -> list[float]:
    """Correct the side of each level's boxes in `model`; returns by what factors.

    `faces` is (N, 48, 48) uint8. Some are enlarged, each set into a blurred canvas of its own; what
    the surest cell of a level says too much of them, in the median, its last layer then takes off.
    The first level is left as it is: shrunk pictures are sharper than the small faces of films.
    """
    random = np.random.default_rng((seed, 1))
    factors = []
    for level in LEVELS[1:]:
        low, high = level.smallest, min(level.largest, _LARGEST_PX)
        errors = []
        for _ in range(_FACES):
            side = round(float(np.exp(random.uniform(np.log(low), np.log(high)))))
            answer = _surest(
                model, on_canvas(faces[random.integers(len(faces))], side), level.stride
            )
            if answer is not None:
                errors.append(answer - np.log(side / (SIDE_UNIT * level.stride)))
        error = float(np.median(errors)) if errors else 0.0
        layer = model.get_layer(box_layer(level.stride))
        kernel, bias = layer.get_weights()
        layer.set_weights([kernel, bias - np.array((0, 0, error), bias.dtype)])
        factors.append(float(np.exp(-error)))
    return factors


def on_canvas(face: Grey, side: int) -> Grey:
    """A (48, 48) face at `side` px in a canvas whose sides are multiples of 32 px.

    About it are its own edges, blurred so that they are taken for no face.
    """
    method = cv2.INTER_AREA if side < len(face) else cv2.INTER_CUBIC
    large = cv2.resize(face, (side, side), interpolation=method)
    before = round(_AROUND * side)
    after = -(-(side + 2 * before) // 32) * 32 - side - before
    edges = cv2.copyMakeBorder(large, before, after, before, after, cv2.BORDER_REPLICATE)
    canvas = cv2.GaussianBlur(edges, (0, 0), side / 16)
    canvas[before : before + side, before : before + side] = large
    return np.asarray(canvas, np.uint8)


def _surest(model: keras.Model, canvas: Grey, stride: int) -> float | None:
    """What a level's surest cell says of a side, as `layout.targets` counts it; None: no face."""
    cells = np.asarray(model.predict_on_batch(canvas[None, :, :, None].astype(np.float32)))[0]
    own = cells[cell_centres(*canvas.shape)[:, 2] == stride]
    best = own[own[:, 0].argmax()]
    sure = best[0] > np.log(_SURE / (1 - _SURE))  # the network gives logits
    return float(best[3]) if sure else None
