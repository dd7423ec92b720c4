"""What a cell's answer costs."""

from __future__ import annotations

from typing import Any

from .layout import SIDE_UNIT

_GAMMA = 2.0  # how little an easy cell counts: Lin et al., "Focal Loss", 2017, equation 5
_ALPHA = 0.4  # weight of a cell with a face; of one without: 1 - _ALPHA
_BOX_WEIGHT = 0.2  # of the box error beside the focal loss
_PLACE_WEIGHT = 3.0  # of the centre's distance in sides, against the side's logarithm


def detection_loss(truth: Any, answer: Any) -> Any:
    """The mean over the batch's faces' cells of focal loss and box error; a scalar.

    ``truth`` is (N, C, 4) as ``layout.targets`` gives it, ``answer`` the network's output.
    """
    from keras import ops

    mark, logit = truth[..., 0], answer[..., 0]
    face = ops.cast(mark > 0.5, "float32")
    counted = ops.cast(mark > -0.5, "float32")
    score = ops.sigmoid(logit)
    entropy = ops.softplus(logit) - face * logit
    missing = face * (1 - score) + (1 - face) * score
    weight = (face * _ALPHA + (1 - face) * (1 - _ALPHA)) * missing**_GAMMA
    count = ops.maximum(ops.sum(face), 1.0)
    scores = ops.sum(weight * entropy * counted) / count

    # Over the true side, in strides: as far off as the overlap of the boxes would say.
    side = SIDE_UNIT * ops.exp(truth[..., 3])
    place = ops.sum(ops.abs(answer[..., 1:3] - truth[..., 1:3]), axis=-1) / side
    size = ops.abs(answer[..., 3] - truth[..., 3])
    boxes = ops.sum(face * (_PLACE_WEIGHT * place + size)) / count
    return scores + _BOX_WEIGHT * boxes
