"""From the database of benchmarks/cifar10 to its CSV file, its tables and its page."""
import contextlib
import csv
import json
import pathlib
import sqlite3
import statistics
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "peers"))

import cifar10_jobs as jobs
from documents import BEGIN, END, replace_tables, table

# Amazon's example notebook "Gluon CIFAR-10 Hyperparameter Tuning" (July 2018), 50 epochs.
PUBLISHED = {"defaults": "0.53", "random": "0.737 (120 trials)", "gp": "0.740 (30 trials)"}
COLUMNS = (
    "search", "number", "state", "outcome", "branch", "learning_rate", "momentum", "wd", "objective", "epochs", "images_per_second",
    "started", "busy_s", "together", "gpu_samples", "gpu_utilisation_mean", "gpu_utilisation_max", "gpu_power_mean_w",
    "gpu_memory_peak_bytes", "max_rss_bytes",
)
# An attempt that was launched again counts by its last launch, as the objective does.
TRIALS = """
    SELECT t.job, t.number, t.state, t.outcome, t.branch, t.parameters, t.objective,
           (SELECT max(c.step) FROM v_learning_curve c WHERE c.trial_id = t.trial_id AND c.is_objective) AS epochs,
           (SELECT avg(c.value) FROM v_learning_curve c
             WHERE c.trial_id = t.trial_id AND c.metric = ? AND (c.step > 1 OR t.metric_count = 1)) AS images_per_second,
           h.started, h.busy_s, h.gpu_together AS together, h.gpu_samples, h.gpu_utilisation_mean, h.gpu_utilisation_max,
           h.gpu_power_mean_w, h.gpu_memory_peak_bytes, h.max_rss_bytes
      FROM v_trial t
      LEFT JOIN v_host_use h ON h.trial_id = t.trial_id AND h.attempt = (
           SELECT max(attempt) FROM v_host_use WHERE trial_id = t.trial_id)
     ORDER BY t.job, t.number
"""
HOW = {"eager": "step by step", "graph": "as a CUDA graph", "untried": "step by step, cuDNN's algorithms not tried"}
FIRST_COUNTS = (1, 10, 20, 30, 60, 120)


# ---- reading ----


def read_database(path):
    """(trials as rows of text, {search: seconds that `tuner run` worked on it})."""
    names = jobs.names()
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        rows = []
        for found in database.execute(TRIALS, (jobs.RATE_METRIC,)):
            row = {**json.loads(found["parameters"]), **dict(found)}
            row["search"] = names[row["job"]]
            rows.append({name: "" if row[name] is None else f"{row[name]}" for name in COLUMNS})
        seconds = {names[name]: worked for name, worked in database.execute(
            "SELECT j.name, sum(r.ended_us - r.began_us) / 1e6 FROM run r JOIN job j ON j.id = r.job GROUP BY j.name")}
    return rows, seconds


def ended_trials(path):
    """{search: trials that have ended for good}; empty without a database."""
    if not path.exists():
        return {}
    names = jobs.names()
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return {names[name]: ended for name, ended in database.execute(
            "SELECT job, sum(state IN ('done', 'failed', 'stopped')) FROM v_trial GROUP BY job")}


def read_csv(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def write_csv(path, rows):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


# ---- what a search found ----


def of_search(rows, key):
    return sorted((row for row in rows if row["search"] == key), key=lambda row: int(row["number"]))


def numbers(rows, name):
    return [float(row[name]) for row in rows if row[name] != ""]


def best(rows):
    """The best objective, and how many trials have one: those that went through all epochs."""
    found = numbers(rows, "objective")
    return max(found, default=None), len(found)


def weighted(rows, name):
    """Mean over the samples of all trials, or None without any."""
    measured = [(float(row[name]), int(row["gpu_samples"])) for row in rows if row[name] != "" and row["gpu_samples"] not in ("", "0")]
    samples = sum(count for _, count in measured)
    return sum(value * count for value, count in measured) / samples if samples else None


def said(value, form, unit=""):
    return "" if value is None else f"{value:{form}}{unit}"


def largest(rows, name):
    return max(numbers(rows, name), default=None)


# ---- tables ----


def best_row(name, published, rows):
    """The trials that tell nothing are named, too."""
    value, done = best(rows)
    failed = sum(row["state"] == "failed" for row in rows)
    rest = [f"{count} {word}" for count, word in ((len(rows) - done - failed, "cut short"), (failed, "failed")) if count]
    return [name, published, said(value, ".4f"), f"{done}" + (f" ({', '.join(rest)})" if rest else "")]


def results_table(rows, measured):
    lines = []
    for key in jobs.SEARCHES:
        mine = of_search(rows, key)
        planned = measured["searches"][key]["planned"]
        cells = best_row(jobs.title(key), PUBLISHED.get(key, ""), mine)
        lines.append([*cells[:3], f"{cells[3]} of {planned}"])
        if key == "random" and len(mine) > measured["searches"]["gp"]["planned"]:
            first = mine[:measured["searches"]["gp"]["planned"]]
            lines.append(best_row(f"random search, its first {len(first)}", "", first))
    return table(["search", "published (50 epochs)", "best validation accuracy", "trials done"], lines)


def use_table(rows, measured):
    lines = []
    for key in jobs.SEARCHES:
        mine, about = of_search(rows, key), measured["searches"][key]
        memory = largest(mine, "gpu_memory_peak_bytes")
        lines.append([
            jobs.title(key), f"{about['parallel']}", said(about.get("seconds"), ".0f", " s"),
            said(statistics.median(numbers(mine, "busy_s") or [0]) if mine else None, ".1f", " s"),
            said(weighted(mine, "gpu_utilisation_mean"), ".0f", " %"), said(largest(mine, "gpu_utilisation_max"), ".0f", " %"),
            said(memory / 2**30 if memory else None, ".2f", " GiB"), said(weighted(mine, "gpu_power_mean_w"), ".0f", " W")])
    return table(["search", "trials at a time", "wall time", "a trial, median", "GPU utilisation, mean", "largest",
                  "GPU memory of a trial, largest", "GPU power, mean"], lines)


def counts_table(rows):
    """The best of the first n trials, as far as each search went."""
    arms = [key for key in jobs.SEARCHES if key != "defaults"]
    found = {key: of_search(rows, key) for key in arms}
    longest = max(map(len, found.values()), default=0)
    lines = [[f"{n}", *(said(best(found[key][:n])[0] if n <= len(found[key]) else None, ".4f") for key in arms)]
             for n in FIRST_COUNTS if n <= longest]
    return table(["best of the first", *map(jobs.title, arms)], lines)


def ceiling(limit):
    """The most images/s of the training step alone, in the worker's precision at the published batch size; None
    where nothing could be measured."""
    batch = limit["batch_size"]
    return max((step["images_per_second"] for step in limit["steps"]
                if step["precision"] == limit["precision"] and step["batch_size"] == batch and "error" not in step), default=None)


def peak(limit):
    """TFLOP/s of matrix products in the worker's precision."""
    return next((product["tflops"] for product in limit["products"]
                 if product["precision"] == limit["precision"] and "error" not in product), None)


def speed_row(name, rate, limit):
    if rate is None:
        return [name, "", "", ""]
    most, tflops = ceiling(limit), peak(limit)
    return [name, f"{rate:,.0f}", said(100 * rate / most if most else None, ".0f", " %"),
            said(100 * rate * limit["flops_per_image"] / (tflops * 1e12) if tflops else None, ".1f", " %")]


def packed_rate(rows, key, parallel):
    """Images/s of all trials of a search that run at a time."""
    rates = numbers(of_search(rows, key), "images_per_second")
    return statistics.median(rates) * parallel if rates else None


def speed_table(rows, measured):
    limit, images = measured["limit"], measured["images"]
    lines = []
    for probe in measured["probes"]:
        k = probe["together"]
        name = "the worker alone" if k == 1 else f"{k} workers at once"
        lines.append(speed_row(f"{name}, while training", probe["images_per_second"], limit))
        lines.append(speed_row(f"{name}, with validation", images * k / probe["epoch_seconds"], limit))
    parallel = measured["searches"]["random"]["parallel"]
    lines.append(speed_row(f"random search, {parallel} at a time, while training", packed_rate(rows, "random", parallel), limit))
    for step in limit["steps"]:
        how = HOW[step["how"]]
        name = f"the training step alone, {step['precision']}, batch {step['batch_size']}, {how}"
        if "error" in step:
            lines.append([f"{name}: {step['error']}", "", "", ""])
            continue
        first = "" if step["how"] == "graph" else f" (the first took {step['first_step_seconds']:.1f} s)"
        lines.append(speed_row(name + first, step["images_per_second"], limit))
    return table(["", "images/s", "of the step's most", f"of the {limit['precision']} matrix products"], lines)


def products_table(limit):
    return table(["matrix products", "TFLOP/s"], [
        [f"{p['precision']}, {p['size']} × {p['size']}", p.get("error") or f"{p['tflops']:.2f}"] for p in limit["products"]])


def conditions(measured):
    """What was run on what, in one paragraph."""
    hardware, plan = measured["hardware"], measured["plan"]
    gpus = ", ".join(hardware["gpus"]) or "no GPU"
    limit = measured["limit"]
    sentences = [
        f"Run on {', '.join(session['began'] for session in measured['sessions'])}: {gpus}; {hardware['cores']} cores of {hardware['processor']}; "
        f"PyTorch {limit['torch']}" + (f", CUDA {limit['cuda']}" if limit["cuda"] else "") + f"; {measured['version']}.",
        f"Trained on {measured['images']:,} images for {plan['epochs']} epoch{'s' * (plan['epochs'] != 1)} a trial, layers in {limit['precision']}"
        f", up to {plan['trials_per_gpu']} trial{'s' * (plan['trials_per_gpu'] != 1)} at a time on a GPU.",
    ]
    if measured["fixed"]:
        sentences.append(f"Other than published: {', '.join(f'{name} {value}' for name, value in measured['fixed'].items())}.")
    if measured.get("note"):
        sentences.append(f"Data: {measured['note']}.")
    sentences.append(plan["why"])
    return " ".join(sentences)


def limit_words(limit):
    if "error" in limit:
        return [f"What the device can do at most could not be measured: {limit['error']}."]
    return [f"A training step takes {limit['flops_per_image'] / 1e9:.3f} GFLOP an image.", products_table(limit)]


def all_tables(rows, measured, figures):
    parts = [conditions(measured), "### What was found", results_table(rows, measured), counts_table(rows)]
    parts += [f"![{name}]({path})" for name, path in figures]
    parts += ["### How the GPU was used", use_table(rows, measured), "### How fast, and how fast at most",
              speed_table(rows, measured),
              *limit_words(measured["limit"])]
    return "\n\n".join(part.strip() for part in parts) + "\n"


# ---- the page ----

PAGE = f"""# The published experiment on CIFAR-10

Amazon's example notebook of 2018 tuned ResNet-34 on CIFAR-10 over learning rate, momentum and weight decay, on linear scales, with 50 epochs a trial and
batches of 1024: about 53 % for the defaults, 73.7 % for the best of 120 random trials, 74.0 % for the best of 30 that its tuner chose. `benchmarks/cifar10`
repeats it with `workers/cifar10-resnet34.jsonc` and the two files beside it, which say how they differ from the notebook, and adds the same search on
automatic scales.

    benchmarks/cifar10 --data cifar-10-batches-bin --document docs/cifar10.md

All figures below were written by that program; [benchmarks/README.md](../benchmarks/README.md#cifar10) says how each is measured.

{BEGIN}
{END}

## How to read this

- The published figures are of 50 epochs. Fewer epochs favour configurations that learn fast, and accuracies with another number cannot be compared with the published ones.
- Each search ran once. Another seed would give other trials and other bests; a difference between two single searches is no evidence that one method is better
  ([compare.md](compare.md) says what would be).
- The best of many noisy results is partly luck, and the more trials there are, the more so. Nothing was confirmed with fresh seeds (`tuner confirm`).
- The validation images are CIFAR-10's test images, as in the notebook.
- Trials that were cut short by the time limit count as trials, but not for the best.
- Utilisation is that of `nvidia-smi`: the share of time in which the GPU computed anything at all, however few of its units did. The share of the matrix
  products' rate tells how busy they were.
- The worker's images/s are those that it prints, of training alone; those with validation are the training images of an epoch by the time from one epoch's end to the next.
"""


def write_page(path, text):
    """Makes the page where there is none; else replaces its tables."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PAGE)
    replace_tables(path, text)
