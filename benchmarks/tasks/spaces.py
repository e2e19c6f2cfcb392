"""Search spaces of real-tasks, as plain dicts that go to another process as JSON.

A parameter has name, type ("float", "int", "categorical"), min, max and log or values, and when: None, or
[the name of an earlier one, the values of it with which this one is there].
"""
import math


def real(name, low, high, log=False, when=None):
    return dict(name=name, type="float", min=low, max=high, log=log, when=when)


def whole(name, low, high, log=False, when=None):
    return dict(name=name, type="int", min=low, max=high, log=log, when=when)


def choice(name, *values, when=None):
    return dict(name=name, type="categorical", values=list(values), when=when)


def is_active(parameter, configuration):
    if parameter["when"] is None:
        return True
    parent, values = parameter["when"]
    return configuration.get(parent) in values


def active_part(space, configuration):
    """What is left of a configuration that has all parameters."""
    part = {}
    for parameter in space:
        if is_active(parameter, part):
            part[parameter["name"]] = configuration[parameter["name"]]
    return part


def draw(space, random):
    """At random; whole numbers are rounded, so that the ends of their range are half as likely."""
    configuration = {}
    for parameter in space:
        if is_active(parameter, configuration):
            configuration[parameter["name"]] = draw_value(parameter, random)
    return configuration


def draw_value(parameter, random):
    if parameter["type"] == "categorical":
        return random.choice(parameter["values"])
    low, high = parameter["min"], parameter["max"]
    if parameter["log"]:
        value = math.exp(random.uniform(math.log(low), math.log(high)))
    else:
        value = random.uniform(low, high)
    return min(high, max(low, round(value))) if parameter["type"] == "int" else value


def job_file(space, trials, workers, seed, strategy):
    """What tuner ask-tell reads, as an object. strategy: {} for the default."""
    return {"objective": {"metric": "loss", "goal": "minimize"},
            "parameters": {p["name"]: definition(p) for p in space},
            "strategy": {"name": "bayesian"} | strategy,
            "budget": {"trials": trials, "parallel": workers}, "seed": seed}


def definition(parameter):
    entry = {"type": parameter["type"]}
    if parameter["type"] == "categorical":
        entry["values"] = parameter["values"]
    else:
        entry |= {"min": parameter["min"], "max": parameter["max"]}
        if parameter["log"]:
            entry["scale"] = "log"
    if parameter["when"] is not None:
        parent, values = parameter["when"]
        entry["when"] = {parent: values}
    return entry
