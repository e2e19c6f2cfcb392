"""Vizier's default: a Gaussian process with an upper confidence bound, and pure exploration where trials are running, which
it knows. It computes in doubles, as its own service does, and its trials are padded to multiples of ten, so that it
compiles less often."""
import os

# Before JAX is loaded: one thread, as for every peer.
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

import logging
import math
import warnings

import jax

jax.config.update("jax_enable_x64", True)

from vizier import algorithms, pyvizier
from vizier._src.algorithms.designers.gp_ucb_pe import VizierGPUCBPEBandit
from vizier.pyvizier.converters.padding import PaddingSchedule, PaddingType

from adapter import Adapter, bounds, is_log

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)


class Vizier(Adapter):
    def __init__(self, space, seed, budget):
        super().__init__(space)
        problem = pyvizier.ProblemStatement()
        for p in space:
            add_parameter(problem.search_space.root, p)
        problem.metric_information.append(
            pyvizier.MetricInformation("y", goal=pyvizier.ObjectiveMetricGoal.MINIMIZE))
        self.designer = VizierGPUCBPEBandit(problem, rng=jax.random.PRNGKey(seed),
                                            padding_schedule=PaddingSchedule(num_trials=PaddingType.MULTIPLES_OF_10))

    def start(self, number, values):
        named = self.outward(values)
        self.running[number] = pyvizier.Trial(id=number, parameters={p.name: category(named[p.name]) if p.type == "categorical" else named[p.name]
                                                                     for p in self.space})

    def ask(self, number):
        # Trials that run must be told, also where none has ended since the last question.
        self.update([])
        (suggestion,) = self.designer.suggest(1)
        self.running[number] = suggestion.to_trial(number)
        return self.inward(suggestion.parameters.as_dict())

    def tell(self, number, y):
        trial = self.running.pop(number)
        if math.isnan(y):
            trial.complete(pyvizier.Measurement(), infeasibility_reason="failed")
        else:
            trial.complete(pyvizier.Measurement(metrics={"y": y}))
        self.update([trial])

    def update(self, ended):
        self.designer.update(algorithms.CompletedTrials(ended), algorithms.ActiveTrials(list(self.running.values())))


def category(index):
    return str(index)


def add_parameter(root, p):
    if p.type == "categorical":
        root.add_categorical_param(p.name, [category(i) for i in range(p.n_values)])
        return
    low, high = bounds(p)
    scale = pyvizier.ScaleType.LOG if is_log(p) else pyvizier.ScaleType.LINEAR
    if p.type == "int":
        root.add_int_param(p.name, int(low), int(high), scale_type=scale)
    else:
        root.add_float_param(p.name, low, high, scale_type=scale)
