"""Searches that were done: one CSV a method or variant, a line a search, so that a campaign can be resumed.

    task,workers,seed,losses

losses: of the trials in the order of their ends, to six digits, with spaces between them; nan is a failed trial.
"""
import collections
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "peers"))

import whole_lines

HEADER = "task,workers,seed,losses\n"

Search = collections.namedtuple("Search", "task workers seed losses")


def format_line(search):
    losses = " ".join(f"{loss:.6g}" for loss in search.losses)
    return f"{search.task},{search.workers},{search.seed},{losses}\n"


def read(path):
    found = []
    for line in whole_lines.read(path)[1:]:
        task, workers, seed, losses = line.split(",")
        found.append(Search(task, int(workers), int(seed), [float(loss) for loss in losses.split()]))
    return found


def append(path, search):
    whole_lines.append(path, HEADER, format_line(search))
