"""One entrant in a process of its own: takes jobs as lines of JSON, and gives times and faces.

    python -m contest.worker MODULE ARGUMENT

MODULE has a function `prepare(argument)` that loads what it needs and returns a `Look` (see
reading.py). A job is {"path", "most", "only"}; the answer says `wall_s` and `cpu_s` (all threads'
CPU) of the job, `frames` and `faces`, by frame. Loading is not timed, and no other entrant runs
meanwhile.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from typing import Any


def do(look: Any, job: dict[str, Any]) -> dict[str, Any]:
    only = None if job["only"] is None else set(job["only"])
    start_s, start_cpu_s = time.perf_counter(), time.process_time()
    faces = dict(look(job["path"], job["most"], only))
    wall_s, cpu_s = time.perf_counter() - start_s, time.process_time() - start_cpu_s
    return {"wall_s": wall_s, "cpu_s": cpu_s, "frames": len(faces), "faces": faces}


def main() -> None:
    # Libraries print what they like; only answers may go where answers are read.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    look = importlib.import_module(sys.argv[1]).prepare(sys.argv[2])
    print(json.dumps("ready"), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(do(look, json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
