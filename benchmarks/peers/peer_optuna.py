"""Optuna's samplers. Running trials stand in the study, where the samplers find them; limits are its constraints, several
objectives its values."""
import math
import warnings

import optuna

from adapter import STARTUP, Adapter, bounds, is_log

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)


class Optuna(Adapter):
    def __init__(self, space, seed, budget, objectives=1):
        super().__init__(space)
        self.distributions = {p.name: distribution(p) for p in space}
        self.study = optuna.create_study(directions=["minimize"] * objectives, sampler=self.sampler(seed))

    def start(self, number, values):
        self.study.enqueue_trial(self.outward(values))
        self.ask(number)

    def ask(self, number):
        trial = self.running[number] = self.study.ask(self.distributions)
        return self.inward(trial.params)

    def tell(self, number, y, excess=(), others=()):
        trial = self.running.pop(number)
        for j, over in enumerate(excess):
            trial.set_constraint(f"limit{j}", over)
        if math.isnan(y):
            self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            self.study.tell(trial, [y, *others])


class Tpe(Optuna):
    def sampler(self, seed):
        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP)


class MultivariateTpe(Optuna):
    def sampler(self, seed):
        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP, multivariate=True)


class Nsga2(Optuna):
    def sampler(self, seed):
        return optuna.samplers.NSGAIISampler(seed=seed)


class SmallNsga2(Optuna):
    """Not its default population of 50, which is most of a budget of 60 trials."""

    def sampler(self, seed):
        return optuna.samplers.NSGAIISampler(seed=seed, population_size=10)


class Gp(Optuna):
    def sampler(self, seed):
        return optuna.samplers.GPSampler(seed=seed, n_startup_trials=STARTUP)


def distribution(p):
    if p.type == "categorical":
        return optuna.distributions.CategoricalDistribution(range(p.n_values))
    low, high = bounds(p)
    if p.type == "int":
        return optuna.distributions.IntDistribution(int(low), int(high), log=is_log(p))
    return optuna.distributions.FloatDistribution(low, high, log=is_log(p), step=p.step or None)
