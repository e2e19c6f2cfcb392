#!/usr/bin/env python3
"""A peer with its own defaults, by lines: peer.py METHOD SEED, run by the Python of the peer's environment.

The first line of standard input is the space (spaces.py) as JSON. Each line "ask" is answered by a configuration
as JSON, and followed by a line with its loss (NaN: it failed). Optuna is told of conditions as they come, by its
define-by-run; the others have no conditions and see all parameters always.
"""
import json
import logging
import math
import sys
import warnings

from spaces import active_part, is_active

warnings.simplefilter("ignore")


class Optuna:
    def __init__(self, sampler, space, seed):
        import optuna
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.failed = optuna.trial.TrialState.FAIL
        self.space = space
        self.study = optuna.create_study(sampler=getattr(optuna.samplers, sampler)(seed=seed))

    def ask(self):
        trial, configuration = self.study.ask(), {}
        for parameter in self.space:
            if is_active(parameter, configuration):
                configuration[parameter["name"]] = self.suggest(trial, parameter)
        return trial, configuration

    @staticmethod
    def suggest(trial, p):
        if p["type"] == "categorical":
            return trial.suggest_categorical(p["name"], p["values"])
        suggest = trial.suggest_int if p["type"] == "int" else trial.suggest_float
        return suggest(p["name"], p["min"], p["max"], log=p["log"])

    def tell(self, trial, loss):
        if math.isnan(loss):
            self.study.tell(trial, state=self.failed)
        else:
            self.study.tell(trial, loss)


class Ax:
    def __init__(self, space, seed):
        from ax.api.client import Client
        from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig
        logging.disable(logging.CRITICAL)
        self.space = space
        self.client = Client(random_seed=seed)
        self.client.configure_experiment(parameters=[
            ChoiceParameterConfig(name=p["name"], values=p["values"], parameter_type="str",
                                  is_ordered=False)
            if p["type"] == "categorical" else
            RangeParameterConfig(name=p["name"], bounds=(p["min"], p["max"]),
                                 parameter_type=p["type"], scaling="log" if p["log"] else "linear")
            for p in space])
        self.client.configure_optimization(objective="-y")

    def ask(self):
        (index, configuration), = self.client.get_next_trials(max_trials=1).items()
        return index, active_part(self.space, configuration)

    def tell(self, index, loss):
        if math.isnan(loss):
            self.client.mark_trial_failed(index)
        else:
            self.client.complete_trial(index, raw_data={"y": loss})


class Hebo:
    def __init__(self, space, seed):
        import numpy
        import torch
        from hebo.design_space.design_space import DesignSpace
        from hebo.optimizers.hebo import HEBO
        numpy.random.seed(seed)  # it draws from the global generators
        torch.manual_seed(seed)
        self.array, self.space = numpy.array, space
        self.optimizer = HEBO(DesignSpace().parse([self.variable(p) for p in space]),
                              scramble_seed=seed)

    @staticmethod
    def variable(p):
        if p["type"] == "categorical":
            return {"name": p["name"], "type": "cat", "categories": p["values"]}
        kind = {("int", False): "int", ("int", True): "pow_int",
                ("float", False): "num", ("float", True): "pow"}[p["type"], p["log"]]
        return {"name": p["name"], "type": kind, "lb": p["min"], "ub": p["max"]}

    def ask(self):
        try:
            table = self.optimizer.suggest(1)
        except (RuntimeError, ValueError):  # its model predicts NaN now and then
            table = self.optimizer.quasi_sample(1)
        row = table.iloc[0]
        return table, active_part(self.space, {p["name"]: self.inside(p, row[p["name"]])
                                               for p in self.space})

    @staticmethod
    def inside(p, value):
        if p["type"] == "categorical":
            return value
        value = min(max(float(value), p["min"]), p["max"])
        return int(value) if p["type"] == "int" else value

    def tell(self, table, loss):
        self.optimizer.observe(table, self.array([[loss]]))  # what is not finite, it drops


PEERS = {"optuna-tpe": lambda space, seed: Optuna("TPESampler", space, seed),
         "optuna-gp": lambda space, seed: Optuna("GPSampler", space, seed),
         "ax": Ax, "hebo": Hebo}


def main(method, seed):
    answers, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
    peer = PEERS[method](json.loads(sys.stdin.readline()), int(seed))
    while sys.stdin.readline():
        trial, configuration = peer.ask()
        print(json.dumps(configuration, default=lambda scalar: scalar.item()), file=answers,
              flush=True)
        peer.tell(trial, float(sys.stdin.readline()))


if __name__ == "__main__":
    main(*sys.argv[1:])
