"""How good a run was, and what is kept of it: one CSV a method in docs/results/regret, a line a run.

    problem,workers,seed,area,5,10,15,20,25,30,40,...,100

area is its score over the whole way; the others are the regret after so many percent of its trials have ended. How both are
defined stands in docs/regret.md.
"""
import collections
import math
import pathlib
import statistics

import whole_lines

PERCENT = [5, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90, 100]
HEADER = ",".join(["problem", "workers", "seed", "area", *map(str, PERCENT)]) + "\n"
MEASURES = ["25 %", "50 %", "100 %", "area"]
WORST = -1.0  # no run scores less: one very bad start must not outweigh a whole problem

# regrets: one for each of PERCENT. score: one for each of MEASURES.
Scored = collections.namedtuple("Scored", "regrets score")


def best_observed(rows):
    """The noise-free value of the trial that looks best after each end; inf before any has a value."""
    best, chosen = math.inf, math.inf
    curve = []
    for row in rows:
        if row["observed"] < best:  # false for a failed trial's NaN
            best, chosen = row["observed"], row["value"]
        curve.append(chosen)
    return curve


def bounded(regret):
    return max(1 - regret, WORST)


def scored(regrets, area):
    ends = [bounded(regrets[PERCENT.index(percent)]) for percent in (25, 50, 100)]
    return Scored(regrets, [*ends, area])


def score_run(problem, rows):
    scale = problem.random_median - problem.optimum
    curve = [(value - problem.optimum) / scale for value in best_observed(rows)]
    area = statistics.fmean(map(bounded, curve[problem.initial_count - 1:]))
    ends = [-(-percent * len(curve) // 100) for percent in PERCENT]  # rounded up
    return scored([curve[end - 1] for end in ends], area)


def path_of(directory, method):
    return pathlib.Path(directory) / f"{method}.csv"


def format_line(key, run):
    return ",".join([*map(str, key), *(f"{number:.4g}" for number in [run.score[-1], *run.regrets])]) + "\n"


def append(directory, method, runs):
    """runs: {(problem, workers, seed): Scored}"""
    whole_lines.append(path_of(directory, method), HEADER,
                       "".join(format_line(key, runs[key]) for key in sorted(runs)))


def read(directory, method):
    """As append has it."""
    runs = {}
    for line in whole_lines.read(path_of(directory, method))[1:]:
        problem, workers, seed, area, *regrets = line.split(",")
        runs[problem, int(workers), int(seed)] = scored(list(map(float, regrets)), float(area))
    return runs
