#!/usr/bin/env python3
"""CPU seconds that a peer takes for a suggestion, and to hear of its result, on one thread.

    build/peers/optuna/bin/python benchmarks/peers/latency.py --method optuna-gp --history FILE
        [--suggestions 5] [--limit 20]

To be run with the Python of the peer's environment; benchmarks/latency-peers does that. The peer is given a
history (build/benchmarks/latency --history), which is not timed; then it is asked and told a few times in a row, with
whatever refits it makes. A line is printed when the history is in ("ready"), and the seconds after each
suggestion. After --limit CPU seconds no more are asked for, and one that takes longer is the end of the process:
exit status 75.
"""
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # before anything loads a BLAS

import argparse
import contextlib
import csv
import math
import random
import sys
import threading
import time

import run
from methods import peers
from problems import Parameter

PAST_LIMIT = 75


def objective(values, generator):
    """As in benchmarks/latency.c."""
    following = values[1:] + values[:1]
    return sum(math.sin(3 * x + k) + 0.5 * math.cos(5 * x * y)
               for k, (x, y) in enumerate(zip(values, following))) + 0.01 * generator.gauss(0, 1)


def read_history(path):
    with open(path, newline="") as file:
        rows = [[float(value) for value in row] for row in csv.reader(file)]
    return [row[:-1] for row in rows], [row[-1] for row in rows]


def create(adapter, d, budget):
    return adapter([Parameter(f"x{k}", "float", 0.0, 1.0, "linear", 0) for k in range(d)], 1, budget)


def use_once(adapter):
    """Imports, and what is only done the first time."""
    generator = random.Random(1)
    peer = create(adapter, 2, 20)
    points = [[generator.random(), generator.random()] for _ in range(10)]
    peer.add(points, [objective(values, generator) for values in points])
    peer.tell(10, objective(peer.ask(10), generator))


def end_at(seconds):
    """Ends the process when it has had so much CPU time. (With a resource limit for that, Linux would count process
    times in ticks of 4 ms.)"""
    def watch():
        while time.process_time() < seconds:
            time.sleep(0.1)
        os._exit(PAST_LIMIT)

    threading.Thread(target=watch, daemon=True).start()


def measure(peer, n, options, output):
    generator = random.Random(1)
    began = time.process_time()
    end_at(began + options.limit)
    for number in range(n, n + options.suggestions):
        before = time.process_time()
        if before - began >= options.limit:
            break
        peer.tell(number, objective(peer.ask(number), generator))
        print(time.process_time() - before, file=output, flush=True)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", required=True, choices=[method.name for method in peers()])
    parser.add_argument("--history", required=True, help="rows of coordinates and an objective")
    parser.add_argument("--suggestions", type=int, default=5)
    parser.add_argument("--limit", type=float, default=20, help="seconds")
    options = parser.parse_args()
    if options.suggestions < 1 or options.limit <= 0:
        parser.error("--suggestions counts from 1, --limit is more than 0")
    return options


def main():
    options = parse_options()
    points, ys = read_history(options.history)
    output = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):  # some peers print what they think
        adapter = run.adapter_class(options.method)
        use_once(adapter)
        peer = create(adapter, len(points[0]), len(points) + options.suggestions)
        peer.add(points, ys)
        print("ready", file=output, flush=True)
        measure(peer, len(points), options, output)


if __name__ == "__main__":
    main()
