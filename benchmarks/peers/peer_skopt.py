"""scikit-optimize. Running trials are told to a copy with the best value so far, the "constant liar"
that its own ask() uses for several points at once."""
import warnings

from skopt import Optimizer
from skopt.space import Categorical, Integer, Real

from adapter import STARTUP, Adapter, bounds, is_log

warnings.simplefilter("ignore")


class Skopt(Adapter):
    def __init__(self, space, seed, budget):
        super().__init__(space)
        self.optimizer = Optimizer([dimension(p) for p in space], n_initial_points=STARTUP,
                                   random_state=seed)

    def start(self, number, values):
        self.running[number] = list(self.outward(values).values())

    def add(self, points, ys):
        # One by one, it would fit its model after each.
        self.optimizer.tell([list(self.outward(values).values()) for values in points],
                            [self.value_or_worst(y) for y in ys])

    def ask(self, number):
        optimizer = self.optimizer
        if self.running and optimizer.yi:
            lie = min(optimizer.yi)
            optimizer = optimizer.copy(random_state=number)
            optimizer.tell(list(self.running.values()), [lie] * len(self.running))
        point = self.running[number] = optimizer.ask()
        return self.inward({p.name: x for p, x in zip(self.space, point)})

    def tell(self, number, y):
        self.optimizer.tell(self.running.pop(number), self.value_or_worst(y))


def dimension(p):
    if p.type == "categorical":
        return Categorical(list(range(p.n_values)), name=p.name)
    low, high = bounds(p)
    prior = "log-uniform" if is_log(p) else "uniform"
    if p.type == "int":
        return Integer(int(low), int(high), prior=prior, name=p.name)
    return Real(low, high, prior=prior, name=p.name)
