"""Searches of our own (build/benchmarks/simulate) and of peers (run.py), and what is kept of them: a file a method, a row a search.

`options` has simulate, seeds ("301-330"), workers, methods, kept, runs and peers, as benchmarks/limits and benchmarks/pareto parse them.
"""
import csv
import pathlib
import random
import statistics
import subprocess
import sys

import environments
import results

HERE = pathlib.Path(__file__).resolve().parent
TITLES = ["problem", "workers", "seed"]
RESAMPLES = 2000


def path_of(directory, method):
    return pathlib.Path(directory) / f"{method}.csv"


def read(directory, method):
    """The scores of each search that is kept: {(problem, workers, seed): (score, ...)}."""
    path = path_of(directory, method)
    if not path.exists():
        return {}
    with open(path, newline="", encoding="ascii") as file:
        return {(name, int(workers), int(seed)): tuple(map(float, scores))
                for name, workers, seed, *scores in list(csv.reader(file))[1:]}


def write(directory, found, titles):
    """found: {(workers, problem): {method: (scores by seed, ...)}}, titles: of the scores. Other searches of the files stay."""
    directory.mkdir(parents=True, exist_ok=True)
    for method in next(iter(found.values())):
        scores = read(directory, method) | {(name, workers, seed): run for (workers, name), methods in found.items()
                                            for seed, run in methods[method][0].items()}
        order = list(dict.fromkeys(name for name, _, _ in scores))
        with open(path_of(directory, method), "w", newline="", encoding="ascii") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(TITLES + titles)
            for key in sorted(scores, key=lambda key: (key[1], order.index(key[0]), key[2])):
                rows.writerow([*key, *(f"{score:.4g}" for score in scores[key])])


def our_runs(options, name, workers, arguments):
    """By seed, the rows of a search in the order of its ends."""
    rows = subprocess.run([options.simulate, "--problem", name, "--seeds", options.seeds, "--workers", str(workers), *arguments],
                          check=True, capture_output=True, text=True).stdout
    runs = {}
    for row in csv.reader(rows.splitlines()):
        _, _, _, seed, trial, finished, value, _, seconds, *others = row
        runs.setdefault(int(seed), []).append({"trial": int(trial), "finished": float(finished), "value": float(value),
                                               "seconds": float(seconds), "others": list(map(float, " ".join(others).split()))})
    return {seed: sorted(run, key=lambda row: row["finished"]) for seed, run in runs.items()}


def peer_runs(options, kind, name, workers, method, seeds):
    """The same, of runs that may be there already. kind: the option of run.py that says which problems."""
    present = results.read(options.runs, method)
    missing = [seed for seed in seeds if results.Key(name, method, workers, seed) not in present]
    if missing:
        subprocess.run([environments.python_of(options.peers, method), HERE / "run.py", kind, "--method", method,
                        "--library", options.simulate.with_name("libproblems.so"), "--problems", name,
                        "--seeds", ",".join(map(str, missing)), "--workers", str(workers), "--out", options.runs],
                       check=True, env=environments.one_thread())
        present = results.read(options.runs, method)
    return {seed: present[name, method, workers, seed] for seed in seeds}


def kept_and_missing(options, name, workers, method):
    """The scores that are kept, by seed, and the seeds of the others."""
    kept, seeds = read(options.kept, method), results.parse_range(options.seeds)
    found = {seed: kept[name, workers, seed] for seed in seeds if (name, workers, seed) in kept}
    return found, [seed for seed in seeds if seed not in found]


def make_environments(options, problems, peers):
    """Those of the peers with searches that are neither kept nor among the runs."""
    wanted = []
    for method in options.methods:
        if method in peers:
            there = read(options.kept, method).keys() | {
                (key.problem, key.workers, key.seed) for key in results.read(options.runs, method)}
            if any((name, workers, seed) not in there for name in problems for workers in options.workers
                   for seed in results.parse_range(options.seeds)):
                wanted.append(method)
    _, missing = environments.make(options.peers, wanted)
    if missing:
        sys.exit(f"{pathlib.Path(sys.argv[0]).name}: will not install: {', '.join(missing)}")


def interval(differences):
    """Of the mean, by resampling."""
    draw = random.Random(1)
    means = sorted(statistics.fmean(draw.choices(differences, k=len(differences))) for _ in range(RESAMPLES))
    return means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES)]
