#!/usr/bin/env python3
"""CPU milliseconds that a peer takes for a suggestion, and to hear of its result, on one thread.

    build/peers/optuna/bin/python benchmarks/peers/latency.py --method optuna-gp [--d 3,10]
        [--n 50,200,500,1000] [--suggestions 5] [--limit 10]

The peer is given n random points of a smooth function, which is not timed; then it is asked and told a few
times in a row, with whatever refits it makes, and the mean is printed as CSV: method,d,n,suggestions,ms.
Once these take --limit seconds no more are asked for; where one takes as long, longer histories are left out.
"""
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # before anything loads a BLAS

import argparse
import contextlib
import math
import random
import sys
import time

import results
import run
from methods import peers
from problems import Parameter


def smooth(values):
    return sum(math.sin(3 * x + k) + (x - 0.3) ** 2 for k, x in enumerate(values))


def measure(adapter, d, n, suggestions, limit):
    """How many suggestions were made, and their CPU seconds."""
    space = [Parameter(f"x{k}", "float", 0.0, 1.0, "linear", 0) for k in range(d)]
    generator = random.Random(1)
    points = [[generator.random() for _ in range(d)] for _ in range(n)]
    peer = adapter(space, 1, n + suggestions)
    peer.add(points, [smooth(values) for values in points])
    made, seconds = 0, 0.0
    began = time.process_time()
    while made < suggestions and seconds < limit:
        number = n + made
        peer.tell(number, smooth(peer.ask(number)))
        made, seconds = made + 1, time.process_time() - began
    return made, seconds


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", required=True, choices=[method.name for method in peers()])
    parser.add_argument("--d", type=results.parse_range, default="3,10")
    parser.add_argument("--n", type=results.parse_range, default="50,200,500,1000")
    parser.add_argument("--suggestions", type=int, default=5)
    parser.add_argument("--limit", type=float, default=10, help="seconds")
    options = parser.parse_args()
    if options.suggestions < 1 or options.limit <= 0:
        parser.error("--suggestions counts from 1, --limit is more than 0")
    return options


def main():
    options = parse_options()
    output = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):  # some peers print what they think
        write_table(options, run.adapter_class(options.method), output)


def write_table(options, adapter, output):
    measure(adapter, 3, 10, 1, options.limit)  # imports and first uses, once
    print("method,d,n,suggestions,ms", file=output)
    for d in options.d:
        for n in sorted(options.n):
            made, seconds = measure(adapter, d, n, options.suggestions, options.limit)
            print(f"{options.method},{d},{n},{made},{1000 * seconds / made:.4g}", file=output, flush=True)
            if seconds / made >= options.limit:
                print(f"latency.py: {options.method}, d = {d}: longer histories are left out",
                      file=sys.stderr)
                break


if __name__ == "__main__":
    main()
