#!/usr/bin/env python3
"""A peer with its own defaults, by lines: peer.py METHOD SEED, run by the Python of the peer's environment.

The first line of standard input is the space (spaces.py) as JSON. Each line "ask" is answered by a configuration
as JSON; "tell NUMBER LOSS" has no answer (NUMBER: of the asked, from 1 on; nan: it failed). Optuna is told of conditions as they
come, by its define-by-run; the others have no conditions and see all parameters always.
"""
import json
import math
import pathlib
import sys
import warnings

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "peers"))

from problems import Parameter
from spaces import active_part, is_active

warnings.simplefilter("ignore")


class Optuna:
    def __init__(self, sampler, space, seed):
        import optuna
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.failed = optuna.trial.TrialState.FAIL
        self.space = space
        self.study = optuna.create_study(sampler=getattr(optuna.samplers, sampler)(seed=seed))
        self.running = {}

    def ask(self, number):
        trial, configuration = self.study.ask(), {}
        self.running[number] = trial
        for parameter in self.space:
            if is_active(parameter, configuration):
                configuration[parameter["name"]] = self.suggest(trial, parameter)
        return configuration

    @staticmethod
    def suggest(trial, p):
        if p["type"] == "categorical":
            return trial.suggest_categorical(p["name"], p["values"])
        suggest = trial.suggest_int if p["type"] == "int" else trial.suggest_float
        return suggest(p["name"], p["min"], p["max"], log=p["log"])

    def tell(self, number, loss):
        trial = self.running.pop(number)
        if math.isnan(loss):
            self.study.tell(trial, state=self.failed)
        else:
            self.study.tell(trial, loss)


class Flat:
    """What regret compares with (benchmarks/peers), told of all parameters: numbers, and categories by index."""

    def __init__(self, adapter, space, seed):
        self.space = space
        self.adapter = adapter([parameter_of(p) for p in space], seed, None)

    def ask(self, number):
        values = self.adapter.ask(number)
        return active_part(self.space, {p["name"]: value_of(p, value)
                                        for p, value in zip(self.space, values)})

    def tell(self, number, loss):
        self.adapter.tell(number, loss)


def parameter_of(p):
    if p["type"] == "categorical":
        return Parameter(p["name"], "categorical", 0, 0, "linear", len(p["values"]))
    return Parameter(p["name"], p["type"], p["min"], p["max"], "log" if p["log"] else "linear", 0)


def value_of(p, value):
    if p["type"] == "categorical":
        return p["values"][int(value)]
    return int(value) if p["type"] == "int" else value


def ax(space, seed):
    from peer_ax import Ax

    class OwnDefaults(Ax):
        def choose_generation(self, seed):
            pass

    return Flat(OwnDefaults, space, seed)


def hebo(space, seed):
    from peer_hebo import Hebo
    return Flat(Hebo, space, seed)


PEERS = {"optuna-tpe": lambda space, seed: Optuna("TPESampler", space, seed),
         "optuna-gp": lambda space, seed: Optuna("GPSampler", space, seed),
         "ax": ax, "hebo": hebo}


def main(method, seed):
    answers, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
    peer = PEERS[method](json.loads(sys.stdin.readline()), int(seed))
    asked = 0
    for line in iter(sys.stdin.readline, ""):
        request, *words = line.split()
        if request == "ask":
            asked += 1
            print(json.dumps(peer.ask(asked), default=lambda scalar: scalar.item()), file=answers,
                  flush=True)
        else:
            number, loss = words
            peer.tell(int(number), float(loss))


if __name__ == "__main__":
    main(*sys.argv[1:])
