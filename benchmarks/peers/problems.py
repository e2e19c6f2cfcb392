"""The objectives of benchmarks/problems.h, by way of build/benchmarks/libproblems.so."""
import collections
import ctypes
import functools
import json
import math

# type: float, int or categorical; scale: linear, log or reverse-log (logarithmic in 1 - x);
# step: values are min + k step (0: all between).
Parameter = collections.namedtuple("Parameter", "name type min max scale n_values step", defaults=[0])

VALUES = ctypes.POINTER(ctypes.c_double)
SIGNATURES = {
    "count": (ctypes.c_int, []),
    "limited_count": (ctypes.c_int, []),
    "front_count": (ctypes.c_int, []),
    "name": (ctypes.c_char_p, [ctypes.c_int]),
    "space_json": (ctypes.c_char_p, [ctypes.c_int]),  # never freed: read once
    "budget": (ctypes.c_int, [ctypes.c_int]),
    "n_initial": (ctypes.c_int, [ctypes.c_int]),
    "n_limits": (ctypes.c_int, [ctypes.c_int]),
    "n_others": (ctypes.c_int, [ctypes.c_int]),
    "optimum": (ctypes.c_double, [ctypes.c_int]),
    "random_median": (ctypes.c_double, [ctypes.c_int]),
    "initial": (None, [ctypes.c_int, ctypes.c_ulonglong, ctypes.c_int, VALUES]),
    "value": (ctypes.c_double, [ctypes.c_int, VALUES]),
    "observe": (ctypes.c_double, [ctypes.c_int, VALUES, ctypes.c_ulonglong, ctypes.c_uint]),
    "excess": (None, [ctypes.c_int, VALUES, VALUES]),
    "observe_excess": (None, [ctypes.c_int, VALUES, ctypes.c_ulonglong, ctypes.c_uint, VALUES]),
    "others": (None, [ctypes.c_int, VALUES, VALUES]),
    "observe_others": (None, [ctypes.c_int, VALUES, ctypes.c_ulonglong, ctypes.c_uint, VALUES]),
    "reference": (ctypes.c_double, [ctypes.c_int, ctypes.c_int]),
    "front": (ctypes.c_double, [ctypes.c_int]),
    "hypervolume": (ctypes.c_double, [VALUES, ctypes.c_int, ctypes.c_int, VALUES]),
    "duration": (ctypes.c_double, [ctypes.c_int, ctypes.c_ulonglong, ctypes.c_uint]),
}


def load(path):
    """All problems of the library with one objective and without limits, by name."""
    library = open_library(path)
    return named(library, range(library.library_count()))


def load_limited(path):
    """Those with limits."""
    library = open_library(path)
    first = library.library_count()
    return named(library, range(first, first + library.library_limited_count()))


def load_fronts(path):
    """Those with several objectives."""
    library = open_library(path)
    first = library.library_count() + library.library_limited_count()
    return named(library, range(first, first + library.library_front_count()))


def open_library(path):
    library = ctypes.CDLL(str(path))
    for name, (result, arguments) in SIGNATURES.items():
        function = getattr(library, f"library_{name}")
        function.restype, function.argtypes = result, arguments
    return library


def named(library, indices):
    problems = [Problem(library, i) for i in indices]
    return {problem.name: problem for problem in problems}


def array(values):
    return (ctypes.c_double * len(values))(*values)


def hypervolume(library, points, reference):
    """Of all that is better than the reference and not better than some point."""
    volume = library.library_hypervolume(array([x for point in points for x in point]), len(points), len(reference), array(reference))
    if math.isnan(volume):
        raise ValueError(f"no hypervolume of {len(points)} points below {reference}")
    return volume


HELD_OUT = ("branin", "ackley5", "ackley10", "ackley13", "jenatton", "levy8", "rosenbrock4", "mlp-fashion")


def held_out(names):
    """Those of the problems on whose functions no choice in surrogate/ rests (docs/surrogate.md)."""
    return {name for name in names if name.startswith(HELD_OUT)}


class Problem:
    """One objective or several, minimised. Values are floats, ints as floats, and a category's index."""

    def __init__(self, library, index):
        self.library, self.index = library, index
        self.name = library.library_name(index).decode()
        self.space = [parameter(entry) for entry in
                      json.loads(library.library_space_json(index).decode())]
        self.budget = library.library_budget(index)
        self.initial_count = library.library_n_initial(index)  # first trials that all methods share
        self.n_limits = library.library_n_limits(index)
        self.optimum = library.library_optimum(index)
        self.n_others = library.library_n_others(index)  # objectives beside the first
        self.reference = [library.library_reference(index, j) for j in range(self.n_others + 1)]
        self.front = library.library_front(index)  # the Pareto front's hypervolume below it

    @functools.cached_property
    def random_median(self):
        """Median of the best that random search finds within the budget."""
        return self.library.library_random_median(self.index)

    def initial(self, seed, k):
        """The k-th shared initial point, from 0."""
        values = (ctypes.c_double * len(self.space))()
        self.library.library_initial(self.index, seed, k, values)
        return list(values)

    def value(self, values):
        """Without noise; NaN if this configuration fails or is over a limit."""
        return self.library.library_value(self.index, self.pack(values))

    def observe(self, values, seed, number):
        """What trial `number` of the run would report; NaN if it fails."""
        return self.library.library_observe(self.index, self.pack(values), seed, number)

    def excess(self, values):
        """By how much each limit is exceeded, without noise; at most 0 within."""
        found = (ctypes.c_double * self.n_limits)()
        self.library.library_excess(self.index, self.pack(values), found)
        return list(found)

    def observe_excess(self, values, seed, number):
        """What trial `number` of the run would report of it."""
        found = (ctypes.c_double * self.n_limits)()
        self.library.library_observe_excess(self.index, self.pack(values), seed, number, found)
        return list(found)

    def others(self, values):
        """The objectives beside the first one, without noise."""
        found = (ctypes.c_double * self.n_others)()
        self.library.library_others(self.index, self.pack(values), found)
        return list(found)

    def observe_others(self, values, seed, number):
        """What trial `number` of the run would report of them."""
        found = (ctypes.c_double * self.n_others)()
        self.library.library_observe_others(self.index, self.pack(values), seed, number, found)
        return list(found)

    def covered(self, points):
        """Their hypervolume below the reference; a point has all objectives, and NaN where it failed or is over a limit."""
        return hypervolume(self.library, points, self.reference)

    def duration(self, seed, number):
        """How long a trial takes, in virtual time: log-normal, the median is 1."""
        return self.library.library_duration(self.index, seed, number)

    def pack(self, values):
        self.check(values)
        return array(values)

    def check(self, values):
        """A method that leaves the space would be measured on another problem."""
        for p, x in zip(self.space, values, strict=True):
            low, high = (0, p.n_values - 1) if p.type == "categorical" else (p.min, p.max)
            if not low <= x <= high or p.type != "float" and x != math.floor(x) or off_steps(p, x):
                raise ValueError(f"{self.name}: {p.name} = {x!r} is not in the space")


def off_steps(p, x):
    steps = (x - p.min) / p.step if p.step else 0
    return abs(steps - round(steps)) > 1e-9


def parameter(entry):
    n_values = entry.get("n_values", 0)
    return Parameter(entry["name"], "categorical" if n_values else entry["type"], entry.get("min", 0),
                     entry.get("max", 0), entry.get("scale", "linear"), n_values, entry.get("step", 0))
