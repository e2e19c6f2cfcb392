#!/usr/bin/env python3
"""Runs one peer on the benchmark's problems and appends its runs to DIR/METHOD.csv.

    build/peers/optuna/bin/python benchmarks/peers/run.py --method optuna-gp --library LIBRARY
        [--limited | --fronts] [--problems NAME,NAME] [--seeds 1-30] [--workers 1] [--out benchmarks/results]

With --limited, on the problems with limits, with --fronts on those with several objectives; neither are among the others.
To be run with the Python of the peer's environment (benchmarks/peers/setup makes it). Runs that are there
already are skipped. Exit status 1 if a run failed; the others are done all the same.
"""
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # before anything loads a BLAS

import argparse
import importlib
import pathlib
import sys
import traceback

import problems
import results
import simulate
from methods import FRONT_METHODS, KNOW_FRONTS, KNOW_LIMITS, find, peers

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def adapter_class(method):
    module, name = find(method).adapter
    return getattr(importlib.import_module(module), name)


def one_run(options, adapter, problem, seed):
    key = results.Key(problem.name, options.method, options.workers, seed)
    try:
        rows = simulate.simulate(problem, adapter, seed, options.workers, options.trials)
    except Exception:
        traceback.print_exc()
        print(f"run.py: {options.method} failed on {problem.name}, seed {seed}, "
              f"{options.workers} workers", file=sys.stderr)
        return False
    results.append(options.out, options.method, results.format_run(key, rows),
                   results.FRONT_HEADER if problem.n_others else results.HEADER)
    return True


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", required=True, choices=[*(method.name for method in peers()), *FRONT_METHODS])
    parser.add_argument("--library", default=ROOT / "build/benchmarks/libproblems.so")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--limited", dest="load", action="store_const", const=problems.load_limited, default=problems.load,
                       help="the problems with limits")
    kinds.add_argument("--fronts", dest="load", action="store_const", const=problems.load_fronts,
                       help="the problems with several objectives")
    parser.add_argument("--problems", default="", help="names, with commas (default: all)")
    parser.add_argument("--seeds", type=results.parse_range, default="1-30")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--trials", type=int, help="instead of each problem's budget: a short try")
    parser.add_argument("--out", default=ROOT / "benchmarks/results")
    options = parser.parse_args()
    if options.workers < 1:
        parser.error("--workers counts from 1")
    if options.load is problems.load_limited and options.method not in KNOW_LIMITS:
        parser.error(f"{options.method} is not told of limits; {', '.join(KNOW_LIMITS)} are")
    if options.load is problems.load_fronts and options.method not in KNOW_FRONTS:
        parser.error(f"{options.method} does not take several objectives; {', '.join(KNOW_FRONTS)} do")
    if options.load is not problems.load_fronts and options.method in FRONT_METHODS:
        parser.error(f"{options.method} is for several objectives (--fronts)")
    return options, parser


def main():
    options, parser = parse_options()
    known = options.load(options.library)
    names = options.problems.split(",") if options.problems else list(known)
    for name in names:
        if name not in known:
            parser.error(f"there is no problem {name}; there are {', '.join(known)}")
    adapter = adapter_class(options.method)
    present = results.read(options.out, options.method)
    failed = False
    for name in names:
        for seed in options.seeds:
            if results.Key(name, options.method, options.workers, seed) not in present:
                failed |= not one_run(options, adapter, known[name], seed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
