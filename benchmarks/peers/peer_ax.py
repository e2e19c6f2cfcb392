"""Ax, by its client: BoTorch's models as Ax chooses them. Running trials are pending in its experiment."""
import logging
import math
import warnings

from ax.api.client import Client
from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig

from adapter import STARTUP, Adapter, bounds, is_log

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)


class Ax(Adapter):
    def __init__(self, space, seed, budget):
        super().__init__(space)
        self.client = Client(random_seed=seed)
        self.client.configure_experiment(parameters=[config(p) for p in space])
        self.client.configure_optimization(objective="-y")
        self.choose_generation(seed)

    def choose_generation(self, seed):
        self.client.configure_generation_strategy(initialization_budget=STARTUP,
                                                  min_observed_initialization_trials=STARTUP,
                                                  allow_exceeding_initialization_budget=True,
                                                  initialize_with_center=False,
                                                  initialization_random_seed=seed)

    def start(self, number, values):
        self.running[number] = self.client.attach_trial(self.outward(values))

    def ask(self, number):
        (index, named), = self.client.get_next_trials(max_trials=1).items()
        self.running[number] = index
        return self.inward(named)

    def tell(self, number, y):
        index = self.running.pop(number)
        if math.isnan(y):
            self.client.mark_trial_failed(index)
        else:
            self.client.complete_trial(index, raw_data={"y": y})


def config(p):
    if p.type == "categorical":
        return ChoiceParameterConfig(name=p.name, values=list(range(p.n_values)),
                                     parameter_type="int", is_ordered=False)
    low, high = bounds(p)
    if p.type == "int":
        low, high = int(low), int(high)
    return RangeParameterConfig(name=p.name, bounds=(low, high), parameter_type=p.type,
                                scaling="log" if is_log(p) else "linear")
