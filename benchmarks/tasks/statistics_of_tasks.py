"""From the searches of real-tasks to the tables of docs/real-tasks.md. How everything is defined stands there."""
import collections
import math
import pathlib
import random
import statistics
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "peers"))

import documents
import records
from documents import table
from methods import METHODS, OURS

MOMENTS = (15, 30, 60)
DRAWS = 2000
RANDOM = "random"


def read(directory):
    """{method: {(task, seed, workers): losses}}. A failed trial's is infinite. A file's name is its method's: variants have their own."""
    searches = {}
    for path in sorted(pathlib.Path(directory).glob("*.csv")):
        searches[path.stem] = {(search.task, search.seed, search.workers):
                               [math.inf if math.isnan(loss) else loss for loss in search.losses]
                               for search in records.read(path)}
    return searches


def scales(searches):
    """{task: (best known loss, median loss at random)}"""
    of_task = collections.defaultdict(list)
    at_random = collections.defaultdict(list)
    for method, found in searches.items():
        for (task, *_), losses in found.items():
            of_task[task].append(min(losses))
            if method == RANDOM:
                at_random[task] += losses
    return {task: (min(of_task[task]), statistics.median(at_random[task])) for task in at_random}


def regrets(losses, scale):
    """1 as long as all trials have failed."""
    best, median = scale
    so_far = [min(losses[:n]) for n in MOMENTS]
    return [(loss - best) / (median - best) if loss < math.inf else 1 for loss in so_far]


def scored(searches):
    known = scales(searches)
    return {method: {key: regrets(losses, known[key[0]]) for key, losses in found.items()
                     if key[0] in known} for method, found in searches.items()}


def mean_of_tasks(by_task):
    """Of {task: [numbers]}: over seeds, then over tasks."""
    return statistics.fmean(statistics.fmean(values) for values in by_task.values())


def interval(by_task, generator):
    """95 %, by a bootstrap of tasks, then of seeds within each."""
    tasks, means = list(by_task), []
    for _ in range(DRAWS):
        total = 0.0
        for task in generator.choices(tasks, k=len(tasks)):
            values = by_task[task]
            total += sum(generator.choices(values, k=len(values))) / len(values)
        means.append(total / len(tasks))
    means.sort()
    return means[round(0.025 * DRAWS)], means[round(0.975 * DRAWS) - 1]


def differences(ours, others, moment):
    """{task: [theirs less ours]} over what both have."""
    by_task = collections.defaultdict(list)
    for key in sorted(ours.keys() & others.keys()):
        by_task[key[0]].append(others[key][moment] - ours[key][moment])
    return dict(by_task)


def title(method):
    return METHODS[method].title if method in METHODS else f"`{method}`"


def order(methods):
    return sorted(methods, key=lambda m: (list(METHODS).index(m) if m in METHODS else len(METHODS), m))


def pooled(scores):
    rows = []
    for method in order(scores):
        found = scores[method]
        by_task = collections.defaultdict(list)
        for (task, *_), values in found.items():
            by_task[task].append(values)
        means = [mean_of_tasks({task: [v[i] for v in values] for task, values in by_task.items()})
                 for i in range(len(MOMENTS))]
        cells = [title(method), str(len(found))] + [f"{mean:.3f}" for mean in means]
        for i in range(len(MOMENTS)):
            shared = differences(scores[OURS], found, i) if method != OURS else {}
            cells.append(documents.interval(mean_of_tasks(shared), *interval(shared, random.Random(1)))
                         if shared else "")
        rows.append(cells)
    return table(["method", "searches"] + [f"after {n}" for n in MOMENTS] +
                 [f"− tuner, {n}" for n in MOMENTS], rows)


def by_task(scores):
    methods = order(method for method in scores if method in METHODS)
    tasks = sorted({key[0] for found in scores.values() for key in found})
    rows = []
    for task in tasks:
        cells = [task]
        for method in methods:
            values = [v for key, v in scores[method].items() if key[0] == task]
            cells.append(" / ".join(f"{statistics.fmean(v[i] for v in values):.3f}"
                                    for i in (1, 2)) if values else "")
        rows.append(cells)
    return table(["after 30 / 60"] + [title(method) for method in methods], rows)


def mean_ranks(scores, methods, shared, moment):
    """1 is best; equal ones share their places."""
    ranks = dict.fromkeys(methods, 0.0)
    for key in shared:
        values = {method: scores[method][key][moment] for method in methods}
        for method, value in values.items():
            ranks[method] += sum(other < value for other in values.values())
            ranks[method] += (sum(other == value for other in values.values()) + 1) / 2
    return {method: total / len(shared) for method, total in ranks.items()}


def rank_table(scores, methods):
    shared = set.intersection(*(set(scores[method]) for method in methods))
    if not shared:
        return None
    ranks = [mean_ranks(scores, methods, shared, moment) for moment in range(len(MOMENTS))]
    rows = [[title(method)] + [f"{rank[method]:.2f}" for rank in ranks]
            for method in sorted(methods, key=lambda method: ranks[-1][method])]
    return f"Mean ranks, over the {len(shared)} searches that these have:\n\n" + table(
        ["mean rank"] + [f"after {n}" for n in MOMENTS], rows)


def rank_tables(scores):
    """Of the methods with most searches, then of more and more."""
    methods = sorted((method for method in scores if method in METHODS),
                     key=lambda method: (-len(scores[method]), list(METHODS).index(method)))
    sizes = [len(scores[method]) for method in methods]
    found = [rank_table(scores, methods[:k]) for k in range(2, len(methods) + 1)
             if k == len(methods) or sizes[k] < sizes[k - 1]]
    return [text for text in found if text]


def with_workers(scores, workers):
    """The searches by so many, of the methods that have any."""
    some = {method: {key: values for key, values in found.items() if key[-1] == workers}
            for method, found in scores.items()}
    return {method: found for method, found in some.items() if found}


def tables(searches):
    scores = scored(searches)
    sections = []
    for workers in sorted({key[-1] for found in scores.values() for key in found}):
        some = with_workers(scores, workers)
        if OURS in some and RANDOM in some:
            heading = "One trial at a time" if workers == 1 else f"{workers} trials at a time"
            sections += [f"## {heading}\n", pooled(some), *rank_tables(some), by_task(some)]
    return "\n".join(sections) or "There are no searches by tuner and at random yet.\n"


def write(directory, document):
    documents.replace_tables(document, tables(read(directory)))
