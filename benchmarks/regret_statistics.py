#!/usr/bin/env python3
"""From benchmarks/results/*.csv to docs/results/regret/*.csv, the tables of docs/regret.md and the figures beside it.

    benchmarks/regret_statistics.py [--results DIR] [--library LIBRARY] [--methods NAME,...] [--scores DIR]
                             [--document FILE] [--figures DIR] [--draws 10000]

What is kept of a run (peers/scores.py) is added for those that are new; tables and figures are of all that are kept.
Needs numpy, scipy and matplotlib. The tables go between two markers of the document; the rest of it is
left alone. How everything is defined stands in docs/regret.md.
"""
import argparse
import collections
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "peers"))

import numpy
from scipy import stats

import problems
import results
import scores as kept
from documents import interval, replace_tables, table
from methods import METHODS, OURS
from scores import MEASURES

ROOT = HERE.parent
FINAL = MEASURES.index("100 %")


def keep_new_runs(options, known):
    for method in options.methods:
        there = kept.read(options.scores, method)
        new = {run: kept.score_run(known[key.problem], rows)
               for key, rows in results.whole_runs(options.results, method, known).items()
               if (run := (key.problem, key.workers, key.seed)) not in there}
        if new:
            kept.append(options.scores, method, new)


def load_scores(options):
    """{method: {(problem, workers, seed): Scored}}; methods without any are left out."""
    scores = {method: kept.read(options.scores, method) for method in options.methods}
    return {method: runs for method, runs in scores.items() if runs}


def problems_of(runs, workers):
    return {problem for problem, by, _ in runs if by == workers}


def split_by_completeness(scores):
    """The scores of those methods and numbers of workers that have had each of our problems at least once, and how
    many the others have had, {(method, workers): problems}: the pooled mean of a method that is only begun would be
    one of whatever came first."""
    told, begun = {}, {}
    for method, runs in scores.items():
        numbers = {workers for _, workers, _ in runs}
        short = {workers for workers in numbers
                 if problems_of(scores[OURS], workers) - problems_of(runs, workers)}
        begun |= {(method, workers): len(problems_of(runs, workers)) for workers in short}
        if kept_runs := {run: score for run, score in runs.items() if run[1] not in short}:
            told[method] = kept_runs
    return told, begun


# ---- comparisons ----

def differences(scores, peer, workers):
    """{problem: ours - peer for the seeds that both have, seeds x measures}."""
    found = collections.defaultdict(list)
    for run, ours in sorted(scores[OURS].items()):
        other = scores[peer].get(run)
        if run[1] == workers and other is not None:
            found[run[0]].append(numpy.subtract(ours.score, other.score))
    return {problem: numpy.array(rows) for problem, rows in found.items()}


def bootstrap(by_problem, draws, group=lambda name: name):
    """Mean over problems of the mean over seeds, and 95 % intervals: measures x (mean, low, high).

    Each draw takes as many groups of problems as there are, with replacement, and within each problem as
    many seeds. The generator starts alike for every comparison, so that reruns give the same table.
    """
    generator = numpy.random.default_rng(1)
    groups = collections.defaultdict(list)
    for name, rows in by_problem.items():
        groups[group(name)].append(rows)
    groups = list(groups.values())
    sums, counts = numpy.zeros((draws, len(MEASURES))), numpy.zeros(draws)
    for drawn in generator.integers(len(groups), size=(len(groups), draws)):
        for i, problems_in in enumerate(groups):
            chosen = numpy.flatnonzero(drawn == i)
            counts[chosen] += len(problems_in)
            for rows in problems_in:
                seeds = generator.integers(len(rows), size=(len(chosen), len(rows)))
                sums[chosen] += rows[seeds].mean(axis=1)
    low, high = numpy.percentile(sums / counts[:, None], [2.5, 97.5], axis=0)
    mean = numpy.mean([rows.mean(axis=0) for rows in by_problem.values()], axis=0)
    return numpy.column_stack([mean, low, high])


def function_of(name):
    """hartmann3-noisy and hartmann3-log are one function, and share their points: not independent."""
    return name.partition("-")[0]


def wilcoxon(values):
    """The signed-rank test: two-sided p (1 where so few runs cannot say anything), and who is ahead."""
    values = values[values != 0]
    if len(values) < 6:
        return 1.0, 0
    ahead = numpy.sign(values) @ stats.rankdata(abs(values))
    return stats.wilcoxon(values).pvalue, int(numpy.sign(ahead))


def holm(p):
    """Holm's adjusted p-values."""
    p = numpy.asarray(p)
    order = numpy.argsort(p)
    stepped = numpy.maximum.accumulate(p[order] * numpy.arange(len(p), 0, -1))
    adjusted = numpy.empty(len(p))
    adjusted[order] = numpy.minimum(stepped, 1)
    return adjusted


def verdicts(by_problem, measure):
    """{problem: +1 we are better, -1 worse, 0 not to be told apart}, at 5 % over all problems."""
    tests = [wilcoxon(rows[:, measure]) for rows in by_problem.values()]
    adjusted = holm([p for p, _ in tests])
    return {name: ahead if p < 0.05 else 0
            for name, (_, ahead), p in zip(by_problem, tests, adjusted)}


def shared_runs(scores, workers):
    """The runs that all methods have."""
    shared = set.intersection(*(set(runs) for runs in scores.values()))
    return [run for run in sorted(shared) if run[1] == workers]


def mean_ranks(scores, workers, measure):
    """{method: rank among all methods, 1 the best, averaged over the runs that all have}."""
    names = list(scores)
    shared = shared_runs(scores, workers)
    if not shared:
        return {}
    table = numpy.array([[-scores[name][run].score[measure] for name in names] for run in shared])
    return dict(zip(names, stats.rankdata(table, axis=1).mean(axis=0)))


# ---- tables ----

def title(method):
    return METHODS[method].title


def comparison_table(scores, workers, draws, chosen):
    """Ours - each peer on the chosen problems; counts of problems won and lost at 100 %."""
    lines = []
    for peer in (name for name in scores if name != OURS):
        by_problem = {name: rows for name, rows in differences(scores, peer, workers).items()
                      if name in chosen}
        if not by_problem:
            continue
        cells = [interval(*estimate) for estimate in bootstrap(by_problem, draws)]
        cells.append(interval(*bootstrap(by_problem, draws, function_of)[FINAL]))
        signs = list(verdicts(by_problem, FINAL).values())
        runs = sum(len(rows) for rows in by_problem.values())
        lines.append([title(peer), *cells, f"{signs.count(1)} / {signs.count(0)} / {signs.count(-1)}",
                      str(len(by_problem)), str(runs)])
    return table(["tuner −", *MEASURES, "100 %, by function", "better / – / worse", "problems", "runs"], lines)


def rank_tables(scores, workers):
    """One for each number of runs that some method has, over those that have as many: who has few takes none away
    from the others."""
    counts = {name: sum(run[1] == workers for run in runs) for name, runs in scores.items()}
    told = set()
    for least in sorted(set(counts.values()) - {0}, reverse=True):
        some = {name: runs for name, runs in scores.items() if counts[name] >= least}
        shared = len(shared_runs(some, workers))
        if len(some) > 2 and shared and shared not in told:
            told.add(shared)
            yield f"Ranks, over the {shared} runs that these have:\n"
            yield rank_table(some, workers)


def rank_table(scores, workers):
    ranks = [mean_ranks(scores, workers, i) for i in range(len(MEASURES))]
    order = sorted(ranks[FINAL], key=ranks[FINAL].get)
    return table(["mean rank", *MEASURES],
                 [[title(name), *(f"{rank[name]:.2f}" for rank in ranks)] for name in order])


def final_regrets(scores, method, problem, workers):
    return [run.regrets[-1] for key, run in scores[method].items() if key[:2] == (problem, workers)]


def problem_table(scores, workers, names, held):
    """Median regret at the end; a mark where a peer differs from us (Wilcoxon, Holm)."""
    marks = {peer: verdicts(differences(scores, peer, workers), FINAL)
             for peer in scores if peer != OURS and differences(scores, peer, workers)}
    lines = []
    for name in sorted(names):
        medians = {method: numpy.median(found) for method in scores
                   if (found := final_regrets(scores, method, name, workers))}
        if not medians:
            continue
        best = min(medians.values())
        cells = []
        for method in scores:
            if method not in medians:
                cells.append("")
                continue
            text = f"{medians[method]:.4f}"
            mark = {1: " −", -1: " +", 0: ""}[marks.get(method, {}).get(name, 0)]
            cells.append((f"**{text}**" if medians[method] == best else text) + mark)
        lines.append([name, "yes" if name in held else "", *cells])
    return table(["problem", "held out", *map(title, scores)], lines)


def begun_lines(scores, begun, workers):
    names = [f"{title(method)} ({n} of {len(problems_of(scores[OURS], workers))} problems)"
             for (method, by), n in begun.items() if by == workers]
    return [f"Begun, and in no table yet: {', '.join(names)}.\n"] if names else []


def tables(scores, begun, known, draws):
    held = problems.held_out(known)
    for workers in sorted({run[1] for run in scores[OURS]}):
        name = "One worker" if workers == 1 else f"{workers} asynchronous workers"
        yield f"## {name}\n"
        yield f"![Median regret](figures/regret-{workers}.svg)\n"
        yield f"![Differences](figures/differences-{workers}.svg)\n"
        yield "All problems:\n"
        yield comparison_table(scores, workers, draws, set(known))
        yield "The functions held out:\n"
        yield comparison_table(scores, workers, draws, held)
        yield from rank_tables(scores, workers)
        yield "Median normalised regret at the end of the budget:\n"
        yield problem_table(scores, workers, known, held)
        yield from begun_lines(scores, begun, workers)


# ---- figures ----

def pooled_curve(scores, method, workers):
    """Median regret over all runs at each of PERCENT."""
    curves = [run.regrets for key, run in scores[method].items() if key[1] == workers]
    return numpy.median(curves, axis=0) if curves else None


def draw_curves(pyplot, scores, workers, path):
    figure, axes = pyplot.subplots(figsize=(8, 4.5))
    for method in scores:
        curve = pooled_curve(scores, method, workers)
        if curve is not None:
            axes.plot(kept.PERCENT, numpy.maximum(curve, 1e-6), label=title(method),
                      linewidth=2.5 if method == OURS else 1.2)
    axes.set(xlabel="% of the budget", ylabel="median normalised regret", yscale="log",
             xlim=(0, 100), title=f"{workers} worker{'s' if workers > 1 else ''}, all problems")
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    axes.grid(alpha=0.3)
    save(pyplot, figure, path)


def draw_differences(pyplot, scores, workers, draws, path):
    """A row for each peer and measure: mean difference of the score and its interval."""
    peers = [name for name in scores if name != OURS and differences(scores, name, workers)]
    figure, axes = pyplot.subplots(figsize=(8, 1.2 + 0.55 * len(peers)))
    for i, measure in enumerate(MEASURES):
        estimates = numpy.array([bootstrap(differences(scores, name, workers), draws)[i]
                                 for name in peers]).reshape(-1, 3)
        mean, low, high = estimates.T
        axes.errorbar(mean, numpy.arange(len(peers)) + 0.18 * (i - 1.5), fmt="o", markersize=4,
                      xerr=[mean - low, high - mean], label=measure)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(peers)), [title(name) for name in peers])
    axes.invert_yaxis()
    axes.set(xlabel="score of tuner − score of the peer, 95 % interval",
             title=f"{workers} worker{'s' if workers > 1 else ''}")
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    axes.grid(axis="x", alpha=0.3)
    save(pyplot, figure, path)


def save(pyplot, figure, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def draw_figures(scores, directory, draws):
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "tuner"  # the same file for the same data
    from matplotlib import pyplot
    for workers in sorted({run[1] for run in scores[OURS]}):
        draw_curves(pyplot, scores, workers, directory / f"regret-{workers}.svg")
        draw_differences(pyplot, scores, workers, draws, directory / f"differences-{workers}.svg")


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=pathlib.Path, default=HERE / "results")
    parser.add_argument("--scores", type=pathlib.Path, default=ROOT / "docs/results/regret")
    parser.add_argument("--library", default=ROOT / "build/benchmarks/libproblems.so")
    parser.add_argument("--methods", default=",".join(METHODS), help="names, with commas")
    parser.add_argument("--document", type=pathlib.Path, default=ROOT / "docs/regret.md")
    parser.add_argument("--figures", type=pathlib.Path, default=ROOT / "docs/figures")
    parser.add_argument("--draws", type=int, default=10000)
    options = parser.parse_args()
    options.methods = options.methods.split(",")
    for method in options.methods:
        if method not in METHODS:
            parser.error(f"there is no method {method}; there are {', '.join(METHODS)}")
    return options


def main():
    options = parse_options()
    known = problems.load(options.library)
    keep_new_runs(options, known)
    scores = load_scores(options)
    if OURS not in scores or len(split_by_completeness(scores)[0]) < 2:
        sys.exit(f"regret_statistics: {options.results} and {options.scores} need whole runs of {OURS} and of another method")
    scores, begun = split_by_completeness(scores)
    draw_figures(scores, options.figures, options.draws)
    replace_tables(options.document, "\n".join(tables(scores, begun, known, options.draws)))


if __name__ == "__main__":
    main()
