"""Where a detector's training takes what it learns from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fer_stream.errors import ConfigError
from fer_stream.models.face_check import check_path

MODEL_NAME = "face.onnx"
WEIGHTS_NAME = "face.npz"


@dataclass(frozen=True, slots=True)
class Sources:
    """The files and folders of a run, as they were given."""

    data: Path
    """FER-2013; its Training faces are used."""
    backgrounds: tuple[Path, ...] = ()
    videos: tuple[Path, ...] = ()
    spare: Path | None = None
    earlier: Path | None = None
    """An earlier run's folder: its weights are the first ones, and it says what is hard."""

    def require_earlier(self) -> None:
        """Raise ConfigError if `earlier` holds no finished run."""
        for name in (MODEL_NAME, WEIGHTS_NAME) if self.earlier else ():
            if self.earlier and not (self.earlier / name).is_file():
                raise ConfigError(
                    f"no {name} in {self.earlier}; expected a finished run; check --earlier"
                )

    def fingerprint(self, faces: npt.NDArray[np.uint8]) -> str:
        """A hash that changes with the `faces` of `data`, any file of the folders, and `earlier`.

        Every file is read, which takes a small part of the time that decoding it takes later.
        Raises ConfigError for one that cannot be read.
        """
        digest = hashlib.sha256(faces.tobytes())
        for folder in (*self.backgrounds, *self.videos, *filter(None, (self.spare,))):
            for file in sorted(file for file in folder.rglob("*") if file.is_file()):
                name = file.relative_to(folder).as_posix()
                digest.update(f"{name}\n{_sha256(file)}\n".encode(errors="surrogateescape"))
            digest.update(b"\n")
        if self.earlier:
            detector = self.earlier / MODEL_NAME  # the witness, with its check
            for part in filter(None, (self.earlier / WEIGHTS_NAME, detector, check_path(detector))):
                digest.update(f"{_sha256(part)}\n".encode())
        return digest.hexdigest()


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(
            f"cannot read {path} ({error.strerror or error}); expected folders whose files can be "
            "read; see who may read it, or remove it"
        ) from error
