"""How long trials take on this machine, alone and several at once, and what can be done in a given time.

A probe starts the worker itself, k times at once on one GPU (or on the CPU), waits until all have finished an epoch,
watches the epochs for some seconds and ends them. The plan is arithmetic on what it saw.
"""
import bisect
import dataclasses
import math
import os
import re
import selectors
import signal
import subprocess
import time

import cifar10_jobs as jobs

# Of the time that is left after the measurements, what the plan does not use: searches do not end together, and
# a machine is slower at some times than at others.
RESERVE = 0.1
# A larger number of trials at once must gain this much, or no more are tried.
WORTH_IT = 1.03
LINE = re.compile(r"^epoch=(\d+) .*images/s=(\d+)")


class ProbeError(Exception):
    """No measurement: what the worker said, in one line."""


@dataclasses.dataclass
class Probe:
    """`together` trials at once on one GPU: seconds from the start to the first epoch's begin, seconds of an epoch
    with its validation, and the sum of the images/s that they print (training alone)."""

    together: int
    start_seconds: float
    epoch_seconds: float
    images_per_second: float

    @property
    def epochs_per_second(self):
        return self.together / self.epoch_seconds


# ---- measuring ----


class Trainings:
    """Some workers at once, and the lines that they have printed: [(seconds since the start, images/s)] of each."""

    def __init__(self, count, words, environment):
        self.began = time.monotonic()
        self.processes = [
            subprocess.Popen(words, cwd=jobs.WORKERS, env=environment, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, start_new_session=True)
            for _ in range(count)
        ]
        self.epochs = [[] for _ in range(count)]
        self.rests = [b""] * count  # the begin of a line that is not complete
        self.lasts = [[] for _ in range(count)]
        self.selector = selectors.DefaultSelector()
        for i, process in enumerate(self.processes):
            self.selector.register(process.stdout, selectors.EVENT_READ, i)

    def read(self, seconds):
        """Takes in what is printed within that time, or until something is."""
        for key, _ in self.selector.select(seconds):
            i, data = key.data, os.read(key.fd, 65536)
            if not data:
                self.selector.unregister(key.fileobj)
                raise ProbeError(f"the training ended: {self.reason(i)}")
            *lines, self.rests[i] = (self.rests[i] + data).split(b"\n")
            for line in (line.decode(errors="replace").strip() for line in lines):
                self.lasts[i] = [*self.lasts[i][-19:], *filter(None, [line])]
                if found := LINE.match(line):
                    self.epochs[i].append((time.monotonic() - self.began, float(found.group(2))))

    def reason(self, i):
        """Why training i ended: its last line, or the one that tells of memory."""
        lines = self.lasts[i] or ["it printed nothing"]
        return next((line for line in lines if "out of memory" in line), lines[-1])

    def fewest(self):
        return min(map(len, self.epochs))

    def end(self):
        """SIGTERM to all, SIGKILL to those that stay; each leads a process group of its own."""
        self.selector.close()
        for number, seconds in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
            for process in self.processes:
                if process.poll() is None:
                    os.killpg(process.pid, number)
            until = time.monotonic() + seconds
            for process in self.processes:
                try:
                    process.wait(max(0, until - time.monotonic()))
                except subprocess.TimeoutExpired:
                    pass
        for process in self.processes:
            process.stdout.close()


def slope(epochs):
    """Seconds of an epoch after the first, which also warms up."""
    return (epochs[-1][0] - epochs[0][0]) / (len(epochs) - 1)


def probe_of(epochs):
    """The Probe of what each of several trainings printed: at least two lines each."""
    seconds = sum(map(slope, epochs)) / len(epochs)
    begin = sum(lines[0][0] for lines in epochs) / len(epochs)
    rates = [sum(rate for _, rate in lines[1:]) / (len(lines) - 1) for lines in epochs]
    return Probe(len(epochs), max(0.0, begin - seconds), seconds, sum(rates))


def measure(together, words, environment, window, limit):
    """Runs `together` trainings for `window` seconds after each has finished an epoch, and until each has finished two;
    ProbeError after `limit` seconds in all."""
    trainings = Trainings(together, words, environment)
    until = None
    try:
        while True:
            now = time.monotonic() - trainings.began
            if until is None and trainings.fewest() >= 1:
                until = now + window
            if until is not None and now >= until and trainings.fewest() >= 2:
                return probe_of(trainings.epochs)
            if now >= limit:
                raise ProbeError(f"two epochs did not end within {limit:.0f} s")
            trainings.read(0.2)
    finally:
        trainings.end()


def environment_of(settings, together):
    """As `tuner` gives it to a trial among so many; no checkpoints, no model."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SM_", "TUNER_"))}
    cores = len(os.sched_getaffinity(0))
    own = {"OMP_NUM_THREADS": str(max(1, cores // together)), "SM_CHANNEL_TRAIN": str(settings["data"])}
    if settings["gpus"] != "none" and settings["gpu_count"]:
        own["CUDA_VISIBLE_DEVICES"] = kept.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
        own["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    return {**own, **kept, **{name: own[name] for name in own if name != "OMP_NUM_THREADS"}}


def ladder(settings, cores):
    """The numbers of trials per GPU to try, in turn."""
    chosen = settings["trials_per_gpu"]
    if chosen != "auto":
        return sorted({1, chosen})
    return [k for k in (1, 2, 4, 8, 12, 16) if k <= max(1, cores // max(1, settings["gpu_count"]))]


def probe_all(settings, window, limit, say):
    """The probes of the ladder, as far as more at once train faster together and `limit` seconds allow; the first
    must succeed."""
    end = time.monotonic() + limit
    words = jobs.worker_words(settings, {"epochs": 1000000, "checkpoint_seconds": 0})
    done = []
    for together in ladder(settings, len(os.sched_getaffinity(0))):
        try:
            probe = measure(together, words, environment_of(settings, together), window, end - time.monotonic())
        except ProbeError as error:
            if not done:
                raise
            say(f"{together} at once: {error}")
            break
        say(f"{together} at once: start {probe.start_seconds:.1f} s, epoch {probe.epoch_seconds:.2f} s, "
            f"{probe.images_per_second:.0f} images/s together")
        fastest = max((earlier.epochs_per_second for earlier in done), default=0)
        done.append(probe)
        if settings["trials_per_gpu"] == "auto" and probe.epochs_per_second < WORTH_IT * fastest:
            break
    return done


# ---- planning ----


def between(probes, together, value):
    """`value` of a probe for so many at once, on the line between the two nearest that were measured."""
    points = sorted((probe.together, value(probe)) for probe in probes)
    xs = [x for x, _ in points]
    i = bisect.bisect_left(xs, together)
    if i < len(xs) and xs[i] == together or i == 0:
        return points[min(i, len(xs) - 1)][1]
    if i == len(xs):  # beyond all: no faster together than the most that were measured
        return points[-1][1] * together / xs[-1]
    (x0, y0), (x1, y1) = points[i - 1], points[i]
    return y0 + (y1 - y0) * (together - x0) / (x1 - x0)


def search_seconds(trials, parallel, gpu_count, probes, epochs):
    """How long so many trials of a search take: the first runs alone until it has reported once."""
    if trials == 0:
        return 0
    at_once = min(trials, parallel)
    per_gpu = math.ceil(at_once / max(1, gpu_count))
    trial = (between(probes, per_gpu, lambda p: p.start_seconds)
             + epochs * between(probes, per_gpu, lambda p: p.epoch_seconds))
    first = probes[0].start_seconds + probes[0].epoch_seconds
    return first + math.ceil(trials / at_once) * trial


def needed(settings, probes, counts):
    """By search, how long so many trials of each take."""
    return {key: search_seconds(count, jobs.parallel_of(key, settings), settings["gpu_count"], probes, settings["epochs"])
            for key, count in counts.items()}


def planned(settings):
    return {key: jobs.trials_of(key, settings) for key in jobs.SEARCHES}


def left_to_run(settings, ended):
    return {key: count - ended.get(key, 0) for key, count in planned(settings).items()}


def shares(settings, ended):
    """What might be run, from the most to the least: the same part of what each search still has, and at last as many
    trials as run at a time of one search alone, whichever is furthest behind."""
    left = left_to_run(settings, ended)
    for percent in range(100, 0, -1):
        yield {key: math.ceil(count * percent / 100) for key, count in left.items()}
    for key in sorted(filter(left.get, left), key=lambda key: left[key] / planned(settings)[key], reverse=True):
        yield {other: min(left[key], jobs.parallel_of(key, settings)) if other == key else 0 for other in left}


def affordable(settings, probes, ended, seconds):
    """By search, how many more trials are to be run: as much as `seconds` allow. All 0 if nothing fits."""
    for counts in shares(settings, ended):
        if sum(needed(settings, probes, counts).values()) <= seconds * (1 - RESERVE):
            return counts
    return dict.fromkeys(jobs.SEARCHES, 0)


@dataclasses.dataclass
class Plan:
    trials_per_gpu: int
    epochs: int
    seconds: float  # that it is expected to take
    fits: bool


def choose(settings, probes, seconds, least_epochs, most_epochs):
    """The number of trials per GPU and of epochs that make the most of `seconds`: as many epochs as possible, and
    then as short as possible. Where not even the least number of epochs fits, it is that, and fits is False."""
    usable = seconds * (1 - RESERVE)
    plans = []
    for k in sorted({probe.together for probe in probes}):
        if settings["trials_per_gpu"] not in ("auto", k):
            continue
        for epochs in range(most_epochs, least_epochs - 1, -1):
            chosen = {**settings, "trials_per_gpu": k, "epochs": epochs}
            total = sum(needed(chosen, probes, planned(chosen)).values())
            if total <= usable or epochs == least_epochs:
                plans.append(Plan(k, epochs, total, total <= usable))
                break
    return min(plans, key=lambda plan: (not plan.fits, -plan.epochs, plan.seconds))


def deadline_of(key, expected, now, end):
    """When a search must end, so that those after it get the share of the time that is left that they are expected to need.
    Half a trial of the defaults would tell nothing: that one may take its time, and twice that."""
    if key == "defaults":
        return min(end, now + 2 * expected[key])
    keys = list(expected)
    rest = [expected[other] for other in keys[keys.index(key):]]
    return now + (end - now) * rest[0] / sum(rest)
