"""SMAC3's two facades for objectives without instances: random forest, and Gaussian process.

Its model is refitted after every result (its default of every 8 is meant for cheap trials), and a
configuration is never run twice (`deterministic`). SMAC asks its user for the cost of a crash:
it is the worst value so far. Running trials stand in its run history.
"""
import logging
import math
import tempfile
import warnings

import ConfigSpace
from smac import BlackBoxFacade, HyperparameterOptimizationFacade, Scenario
from smac.runhistory import StatusType, TrialInfo, TrialValue

from adapter import Adapter, bounds, is_log

warnings.simplefilter("ignore")


class Smac(Adapter):
    facade = None

    def __init__(self, space, seed, budget):
        super().__init__(space)
        self.configurations = ConfigSpace.ConfigurationSpace(seed=seed)
        self.configurations.add([hyperparameter(p) for p in space])
        self.directory = tempfile.TemporaryDirectory(prefix="smac-")
        scenario = Scenario(self.configurations, n_trials=10 * budget, deterministic=True, seed=seed,
                            output_directory=self.directory.name)
        self.smac = self.facade(
            scenario, lambda configuration, seed=0: 0.0, overwrite=True, logging_level=logging.CRITICAL,
            initial_design=self.facade.get_initial_design(scenario, n_configs=0),
            config_selector=self.facade.get_config_selector(scenario, retrain_after=1))

    def start(self, number, values):
        configuration = ConfigSpace.Configuration(self.configurations, self.outward(values))
        self.running[number] = TrialInfo(configuration, seed=0)
        self.smac.runhistory.add_running_trial(self.running[number])

    def ask(self, number):
        trial = self.running[number] = self.smac.ask()
        return self.inward(trial.config)

    def tell(self, number, y):
        status = StatusType.CRASHED if math.isnan(y) else StatusType.SUCCESS
        self.smac.tell(self.running.pop(number),
                       TrialValue(cost=self.value_or_worst(y), status=status), save=False)


class Forest(Smac):
    facade = HyperparameterOptimizationFacade


class GaussianProcess(Smac):
    facade = BlackBoxFacade


def hyperparameter(p):
    if p.type == "categorical":
        return ConfigSpace.Categorical(p.name, list(range(p.n_values)))
    low, high = bounds(p)
    if p.type == "int":
        return ConfigSpace.Integer(p.name, (int(low), int(high)), log=is_log(p))
    return ConfigSpace.Float(p.name, (low, high), log=is_log(p))
