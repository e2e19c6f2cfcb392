"""HEBO. It has no notion of a running trial: with several workers it does not see them. It models from
1 + d trials on: with fewer, its Gaussian process fails more often than not."""
import sys
import warnings

import numpy
import pandas
import torch
from hebo.design_space.design_space import DesignSpace
from hebo.optimizers.hebo import HEBO

from adapter import Adapter, bounds, is_log

warnings.simplefilter("ignore")


class Hebo(Adapter):
    def __init__(self, space, seed, budget):
        super().__init__(space)
        numpy.random.seed(seed)  # it draws from the global generators
        torch.manual_seed(seed)
        design = DesignSpace().parse([variable(p) for p in space])
        self.optimizer = HEBO(design, scramble_seed=seed)

    def start(self, number, values):
        self.running[number] = pandas.DataFrame([self.outward(values)])

    def ask(self, number):
        try:
            suggested = self.optimizer.suggest(1)
        except (RuntimeError, ValueError) as error:  # its model predicts NaN now and then
            print(f"hebo: trial {number} by its own Sobol points: {error}"[:99], file=sys.stderr)
            suggested = self.optimizer.quasi_sample(1)
        self.running[number] = suggested
        return self.inward(suggested.iloc[0])

    def tell(self, number, y):
        # What is not finite, it drops.
        self.optimizer.observe(self.running.pop(number), numpy.array([[y]]))


def variable(p):
    if p.type == "categorical":
        return {"name": p.name, "type": "cat", "categories": list(range(p.n_values))}
    low, high = bounds(p)
    if p.type == "int":
        return {"name": p.name, "type": "pow_int" if is_log(p) else "int",
                "lb": int(low), "ub": int(high)}
    return {"name": p.name, "type": "pow" if is_log(p) else "num", "lb": low, "ub": high}
