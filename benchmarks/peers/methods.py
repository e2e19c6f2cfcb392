"""The methods that are compared, and where each one's code is."""
import collections

# environment: the folder below the peers' directory that benchmarks/peers/setup makes (None: our own
# runner, build/benchmarks/simulate). adapter: module and class here.
Method = collections.namedtuple("Method", "name title environment adapter")

METHODS = {method.name: method for method in [
    Method("tuner", "tuner", None, None),
    Method("random", "random", None, None),
    Method("sobol", "Sobol", None, None),
    Method("optuna-tpe", "Optuna TPE", "optuna", ("peer_optuna", "Tpe")),
    Method("optuna-gp", "Optuna GP", "optuna", ("peer_optuna", "Gp")),
    Method("ax", "Ax (BoTorch)", "ax", ("peer_ax", "Ax")),
    Method("hebo", "HEBO", "hebo", ("peer_hebo", "Hebo")),
    Method("smac", "SMAC3", "smac", ("peer_smac", "Forest")),
    Method("smac-gp", "SMAC3 GP", "smac", ("peer_smac", "GaussianProcess")),
    Method("skopt", "scikit-optimize", "skopt", ("peer_skopt", "Skopt")),
]}

OURS = "tuner"

KNOW_LIMITS = ("optuna-gp", "optuna-tpe")  # the peers whose adapters hear of an excess


def peers():
    return [method for method in METHODS.values() if method.environment]
