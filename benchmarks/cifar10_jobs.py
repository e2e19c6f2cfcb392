"""The jobs of benchmarks/cifar10, made from the published job files in workers/: what those say stays, and only what a
run on this machine must say itself (data, epochs, trials, hosts, the end) is added or changed."""
import datetime
import json
import math
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORKERS = ROOT / "workers"
RATE_METRIC = "images-per-second"
# A checkpoint of ResNet-34 is 170 MB; the worker alone would write one after each epoch.
CHECKPOINT_SECONDS = 60

# What is run, in this order: the search that can be cut short without harm is the last one.
#   key: the published file, the job's name if it is not the file's, what the tables call it
SEARCHES = {
    "defaults": ("cifar10-resnet34", "cifar10-resnet34-defaults", "the defaults, alone on its GPU"),
    "gp": ("cifar10-resnet34", None, "Gaussian process, linear scales"),
    "auto": ("cifar10-resnet34-auto", None, "Gaussian process, automatic scales"),
    "random": ("cifar10-resnet34-random", None, "random search, linear scales"),
}


def without_comments(text):
    """JSON of what may have comments and trailing commas."""
    string = r'"(?:[^"\\]|\\.)*"'
    text = re.sub(rf"({string})|//[^\n]*|/\*.*?\*/", lambda found: found.group(1) or "", text, flags=re.S)
    return re.sub(rf"({string})|,(?=\s*[}}\]])", lambda found: found.group(1) or "", text)


def published(key):
    """The published job file behind one of SEARCHES, as it is."""
    file, name, _ = SEARCHES[key]
    job = json.loads(without_comments((WORKERS / f"{file}.jsonc").read_text()))
    return {**job, "name": name or job["name"]}


def title(key):
    return SEARCHES[key][2]


def names():
    return {published(key)["name"]: key for key in SEARCHES}


def defaults():
    """The configuration that the published search begins with."""
    return published("gp")["first"][0]


def trials_of(key, settings):
    return {"defaults": 1, "random": settings["random_trials"]}.get(key, settings["trials"])


def parallel_of(key, settings):
    """How many trials run at a time: as published for the Gaussian process, whose choices depend on it, if there is
    room; random search takes all the room there is."""
    room = settings["trials_per_gpu"] * max(1, settings["gpu_count"])
    if key != "random":
        room = min(room, settings.get("gp_parallel") or published(key)["budget"]["parallel"])
    return min(room, trials_of(key, settings))


def hosts(key, settings):
    """This machine, with no more slots than the search may use: the design that a search begins with, and each trial's
    share of the cores, follow from them."""
    at_once = parallel_of(key, settings)
    if not settings["gpu_count"]:
        return [{"gpus": "none", "slots": at_once}]
    return [{"trials_per_gpu": math.ceil(at_once / settings["gpu_count"])}]


def utc(unix):
    return datetime.datetime.fromtimestamp(unix, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def fixed_values(job, settings):
    fixed = {**job["fixed"], "epochs": settings["epochs"], "checkpoint_seconds": CHECKPOINT_SECONDS}
    if settings["train_images"]:
        fixed["train_images"] = settings["train_images"]
    if settings["device"] != "auto":
        fixed["device"] = settings["device"]
    return {**fixed, **settings["fixed"]}


def derive(key, settings, trials=None, deadline=None):
    """The job as it runs here, for now with so many trials. `deadline`, in seconds since 1970, is when it ends whatever is
    done by then."""
    job = published(key)
    trials = trials or trials_of(key, settings)
    budget = {**job["budget"], "trials": trials, "parallel": min(trials, parallel_of(key, settings))}
    if deadline is not None:
        budget["deadline"] = utc(deadline)
    return {
        **job,
        "metrics": job["metrics"] + [{"name": RATE_METRIC, "regex": "images/s=([0-9]+)"}],
        "fixed": fixed_values(job, settings),
        "budget": budget,
        "directory": str(WORKERS),
        "channels": {"train": str(settings["data"])},
        "hosts": hosts(key, settings),
        "keep": {"best": 1},
        "grace": "10s",
        "outcomes": {"timeout": "retry"},  # what the deadline cuts short, another call goes on with
    }


def worker_words(settings, more):
    """The command of one trial of the defaults, as `tuner` would start it in WORKERS, with other fixed values."""
    job = published("defaults")
    values = {**defaults(), **fixed_values(job, {**settings, "epochs": 1}), **more}
    return job["command"] + [word for name, value in values.items() for word in (f"--{name}", f"{value}")]
