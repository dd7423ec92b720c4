"""How long to wait before what failed is tried again."""

from __future__ import annotations

import random

FIRST_S = 1.0
MOST_S = 30.0
STEADY_S = 10.0
"""What worked for so long starts again with the first wait."""


class Backoff:
    """Waits that double from 1 to 30 s, each cut by up to a fifth.

    The cut keeps many that failed together from coming back together.
    """

    def __init__(self) -> None:
        self._next_s = FIRST_S

    def wait_s(self, worked_s: float = 0.0) -> float:
        """Return the next wait in s, after something that worked for `worked_s` seconds."""
        if worked_s >= STEADY_S:
            self._next_s = FIRST_S
        wait_s = self._next_s
        self._next_s = min(2 * wait_s, MOST_S)
        return wait_s * random.uniform(0.8, 1.0)
