"""The searches of real-tasks: run by the Python of environment "tasks", which trains.

    searches.py --out FILE --method NAME --seeds 1-8 [--workers 1,8] [--tasks NAME,...] --trials 60 --tuner PROGRAM --peers DIR
                [--set KEY=VALUE ...]

Adds a line (records.py) for each search that FILE has not.
"""
import argparse
import pathlib
import sys

import asking
import records
from records import Search
from tasks import TASKS

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "peers"))

import results


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--method", required=True)
    parser.add_argument("--seeds", type=results.parse_range, required=True)
    parser.add_argument("--workers", type=results.parse_range, default=[1])
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--trials", type=int, required=True)
    parser.add_argument("--tuner", required=True)
    parser.add_argument("--peers", required=True)
    parser.add_argument("--set", type=asking.setting, action="append", default=[])
    options = parser.parse_args()
    options.set = dict(options.set)
    options.tasks = options.tasks.split(",")
    for name in options.tasks:
        if name not in TASKS:
            parser.error(f"there is no task {name}; there are {', '.join(TASKS)}")
    return options


def searches_to_do(options):
    there = {search[:3] for search in records.read(options.out)}
    return [key for workers in options.workers for seed in options.seeds for task in options.tasks
            if (key := (task, workers, seed)) not in there]


def main():
    options, failed = parse_options(), 0
    for task, workers, seed in searches_to_do(options):
        try:
            losses = asking.search(options, *TASKS[task], task, workers, seed)
        except (asking.Ended, BrokenPipeError) as error:
            print(f"{options.method}, {task}, {workers} workers, seed {seed}: {error}", file=sys.stderr)
            failed += 1
            continue
        records.append(options.out, Search(task, workers, seed, losses))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
