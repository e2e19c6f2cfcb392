"""Results: one append-only CSV a method, a whole run at a time, so that a campaign can be resumed.

    problem,method,workers,seed,trial,finished,value,observed,seconds

trial counts launches from 1, finished is virtual time, value has no noise, observed is what the method
was told (nan: failed), seconds are the method's CPU seconds for this trial's suggestion and result. Runs with several
objectives, which have files of their own, have a column more: the others without noise, with blanks between them.
"""
import collections
import csv
import fcntl
import os
import pathlib

HEADER = "problem,method,workers,seed,trial,finished,value,observed,seconds\n"

FRONT_HEADER = HEADER.replace("\n", ",others\n")

Key = collections.namedtuple("Key", "problem method workers seed")


def path_of(directory, method):
    return pathlib.Path(directory) / f"{method}.csv"


def append(directory, method, text, header=HEADER):
    """Appends the rows of one whole run, whoever else appends at the same time."""
    path = path_of(directory, method)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_size == 0:
            text = header + text
        file.write(text.encode())


def format_run(key, rows):
    return "".join(
        f"{key.problem},{key.method},{key.workers},{key.seed},{trial},{finished:.9g},"
        f"{value:.12g},{observed:.12g},{seconds:.4g}" + "".join("," + format_others(others) for others in more) + "\n"
        for trial, finished, value, observed, seconds, *more in rows)


def format_others(others):
    return " ".join(f"{value:.12g}" for value in others)


def read(directory, method):
    """The rows of each run, as dictionaries of floats, in the order of their ends; `others` is a list."""
    runs = collections.defaultdict(list)
    path = path_of(directory, method)
    if path.exists():
        with open(path, newline="") as file:
            for row in csv.DictReader(file):
                key = Key(row["problem"], row["method"], int(row["workers"]), int(row["seed"]))
                runs[key].append({name: float(row[name]) for name in
                                  ("trial", "finished", "value", "observed", "seconds")}
                                 | {"others": list(map(float, (row.get("others") or "").split()))})
    for rows in runs.values():
        rows.sort(key=lambda row: (row["finished"], row["trial"]))
    return dict(runs)


def whole_runs(directory, method, problems):
    """Only the runs that reached the budget of their problem. problems: by name."""
    return {key: rows for key, rows in read(directory, method).items()
            if key.problem in problems and len(rows) == problems[key.problem].budget}


def parse_range(text):
    """Numbers of "1-30", "4" or "1,3,7-9"."""
    numbers = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        if int(last or first) < int(first):
            raise ValueError(f"{part} counts downwards")
        numbers += range(int(first), int(last or first) + 1)
    return numbers
