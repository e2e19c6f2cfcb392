"""The methods that are compared, and where each one's code is."""
import collections

# environment: the folder below the peers' directory that benchmarks/peers/setup makes (None: our own
# runner, build/benchmarks/simulate). adapter: module and class here.
Method = collections.namedtuple("Method", "name title environment adapter")

def by_name(methods):
    return {method.name: method for method in methods}


METHODS = by_name([
    Method("tuner", "tuner", None, None),
    Method("random", "random", None, None),
    Method("sobol", "Sobol", None, None),
    Method("optuna-tpe", "Optuna TPE", "optuna", ("peer_optuna", "Tpe")),
    Method("optuna-gp", "Optuna GP", "optuna", ("peer_optuna", "Gp")),
    Method("ax", "Ax (BoTorch)", "ax", ("peer_ax", "Ax")),
    Method("hebo", "HEBO", "hebo", ("peer_hebo", "Hebo")),
    Method("smac", "SMAC3", "smac", ("peer_smac", "Forest")),
    Method("smac-gp", "SMAC3 GP", "smac", ("peer_smac", "GaussianProcess")),
    Method("vizier", "Vizier", "vizier", ("peer_vizier", "Vizier")),
    Method("skopt", "scikit-optimize", "skopt", ("peer_skopt", "Skopt")),
])

# Only for problems with several objectives.
FRONT_METHODS = by_name([
    Method("optuna-tpe-multivariate", "Optuna TPE, multivariate", "optuna", ("peer_optuna", "MultivariateTpe")),
    Method("optuna-nsga2", "Optuna NSGA-II", "optuna", ("peer_optuna", "Nsga2")),
    Method("optuna-nsga2-10", "Optuna NSGA-II, population of 10", "optuna", ("peer_optuna", "SmallNsga2")),
])

OURS = "tuner"

KNOW_LIMITS = ("optuna-gp", "optuna-tpe")  # the peers whose adapters hear of an excess

KNOW_FRONTS = ("optuna-gp", "optuna-tpe", *FRONT_METHODS)  # those that take several objectives


def find(name):
    return (METHODS | FRONT_METHODS)[name]


def peers():
    return [method for method in METHODS.values() if method.environment]
