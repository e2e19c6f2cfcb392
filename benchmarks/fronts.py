#!/usr/bin/env python3
"""The hypervolumes of the Pareto fronts of the problems with several objectives, which problems.c has.

    /usr/bin/python3 benchmarks/fronts.py [NAME ...] [--batches 1000] [--seed 1] [--points 50]        needs numpy

For each problem: what is below its reference point, by its front's formula where there is one, and as found by a long search (an archive of
many cells along the front, whose points are crossed and moved), and the front's least and greatest values. With --points also the decimal
logarithm of the part that so many of its points leave uncovered, each the one that adds most: what searches can hope for. The formulas of the problems
are written here once more, so that the tests can compare them with those of front_functions.c.
"""
import argparse
import collections
import pathlib
import re
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks/peers"))

import problems

RIGHT = np.array([0.44, 0.35, 0.62, 0.27, 0.71, 0.44])  # where the parameters that must be right are right
CELLS = {2: 20000, 3: 300}  # of the archive, along each objective but the last
BATCH = 50000

# space: (least, greatest, whole numbers only) of each parameter. objectives, excess: of columns of parameters, lists of columns.
# reference: hypervolumes are below it; least: of each objective, or less. front: columns of points on the front, without those
# that others dominate or with them; volume: of the front, where a formula has it.
Front = collections.namedtuple("Front", "space objectives reference least excess front volume", defaults=[None, None, None])


def unit(d):
    return [(0, 1, False)] * d


# ---- the problems ----

def wrong(x, first):
    places = RIGHT[first:len(x)]
    return sum(((u - place) / max(place, 1 - place)) ** 2 for u, place in zip(x[first:], places)) / len(places)


def zdt1(x):
    g = 1 + 9 * wrong(x, 1)
    return [x[0], g - np.sqrt(x[0] * g)]


def zdt3(x):
    g = 1 + 9 * wrong(x, 1)
    return [x[0], g - np.sqrt(x[0] * g) - x[0] * np.sin(10 * np.pi * x[0])]


def dtlz2(objectives):
    def values(x):
        radius = 1 + sum((u - place) ** 2 for u, place in zip(x[objectives - 1:], RIGHT[objectives - 1:]))
        angles = [np.pi / 2 * u for u in x[:objectives - 1]]
        found = []
        for j in range(objectives):
            value = radius
            for angle in angles[:objectives - 1 - j]:
                value = value * np.cos(angle)
            found.append(value * np.sin(angles[objectives - 1 - j]) if j else value)
        return found
    return values


def dtlz7(x):
    g = 1 + 9 * wrong(x, 2)
    h = 3 - sum(u / (1 + g) * (1 + np.sin(3 * np.pi * u)) for u in x[:2])
    return [x[0], x[1], (1 + g) * h]


def fonseca(x):
    return [1 - np.exp(-sum((u + sign / np.sqrt(len(x))) ** 2 for u in x)) for sign in (-1, 1)]


def kursawe(x):
    return [sum(-10 * np.exp(-0.2 * np.sqrt(u * u + v * v)) for u, v in zip(x, x[1:])),
            sum(np.abs(u) ** 0.8 + 5 * np.sin(u ** 3) for u in x)]


def poloni(x):
    def a(u, v):
        return 0.5 * np.sin(u) - 2 * np.cos(u) + np.sin(v) - 1.5 * np.cos(v)

    def b(u, v):
        return 1.5 * np.sin(u) - np.cos(u) + 2 * np.sin(v) - 0.5 * np.cos(v)

    return [1 + (a(1, 2) - a(*x)) ** 2 + (b(1, 2) - b(*x)) ** 2, (x[0] + 3) ** 2 + (x[1] + 1) ** 2]


def truss(x):
    root = np.sqrt(2)
    return [200 * (2 * x[0] + root * x[1] + np.sqrt(x[2]) + x[3]), 0.01 * (2 / x[0] + 2 * root / x[1] - 2 * root / x[2] + 2 / x[3])]


def brake(x):
    inner, outer, force, discs = x
    area = outer ** 2 - inner ** 2
    return [4.9e-5 * area * (discs - 1), 9.82e6 * area / (force * discs * (outer ** 3 - inner ** 3))]


def brake_excess(x):
    inner, outer, force, discs = x
    area, cubes = outer ** 2 - inner ** 2, outer ** 3 - inner ** 3
    return [20 + inner - outer, force / (3.14 * area) - 0.4, 2.22e-3 * force * cubes / area ** 2 - 1,
            900 - 2.66e-2 * force * discs * cubes / area]


def srn(x):
    return [2 + (x[0] - 2) ** 2 + (x[1] - 1) ** 2, 9 * x[0] - (x[1] - 1) ** 2]


def srn_excess(x):
    return [x[0] ** 2 + x[1] ** 2 - 225, x[0] - 3 * x[1] + 10]


def rocket(x):
    a, h, o, t = x
    return [0.692 + a * (0.477 - 0.167 * a - 0.0129 * h - 0.0634 * o - 0.0521 * t) + h * (-0.687 + 0.0796 * h - 0.0257 * o + 0.00156 * t)
            + o * (-0.080 + 0.0877 * o + 0.00198 * t) + t * (-0.0650 + 0.0184 * t),
            0.153 + a * (-0.322 + 0.175 * a + 0.0185 * h - 0.251 * o + 0.0134 * t) + h * (0.396 - 0.0701 * h + 0.179 * o + 0.0296 * t)
            + o * (0.424 + 0.0150 * o + 0.0752 * t) + t * (0.0226 + 0.0192 * t),
            0.370 + a * (-0.205 - 0.135 * a + 0.0141 * h + 0.208 * o + 0.353 * t) + h * (0.0307 + 0.0998 * h - 0.0301 * o)
            + o * (0.108 - 0.226 * o - 0.0497 * t) + t * (1.019 - 0.423 * t)
            + a * (0.202 * h * a - 0.281 * o * a - 0.342 * h * h - 0.184 * t * t - 0.281 * h * o) + h * o * (-0.245 * h + 0.281 * o)]


CORNERS = np.array([[0, 0.3], [0.12, 0.12], [0.3, 0]])


def branches(x):
    branch = np.asarray(x[0]).astype(int)
    own = np.choose(branch, [(u - place) ** 2 for u, place in zip(x[3:], RIGHT[3:])])
    off = (x[2] - RIGHT[2]) ** 2 + own
    return [CORNERS[branch, 0] + x[1] ** 2 + off, CORNERS[branch, 1] + (1 - x[1]) ** 2 + off]


MLP = [(16, 512, True), (1e-4, 0.3, False), (0.1, 0.99, False), (1e-5, 0.1, False), (1, 4, True), (16, 256, True), (0, 0.9, False)]
MLP_LOGARITHMIC = [True, True, False, False, False, True, False]


def network(name):
    """The numbers of data/networks.inc: as head, weights and biases."""
    text = (ROOT / "benchmarks/data/networks.inc").read_text()
    numbers = np.array([float(word) for word in re.search(rf"{name}\[\] = {{(.*?)}}", text, re.S)[1].replace(",", " ").split()])
    head, rest = numbers[:4], numbers[4:]
    layers = []
    for inputs, outputs in ((7, 24), (24, 24), (24, 1)):
        rows = rest[:outputs * (inputs + 1)].reshape(outputs, inputs + 1)
        layers.append((rows[:, :-1], rows[:, -1:]))
        rest = rest[outputs * (inputs + 1):]
    return head, layers


def mlp_size():
    (low, high, mean, sd), layers = network("mlp_digits_network")

    def values(x):
        at = np.array([2 * (np.log(u / a) / np.log(b / a) if logarithmic else (u - a) / (b - a)) - 1
                       for u, (a, b, _), logarithmic in zip(x, MLP, MLP_LOGARITHMIC)])
        for weights, bias in layers[:2]:
            at = np.tanh(weights @ at + bias)
        out = (layers[2][0] @ at + layers[2][1])[0]
        depth, units = x[4], x[5]
        weights = units * 65 + (depth - 1) * units * (units + 1) + 10 * (units + 1)
        return [-(low + (high - low) / (1 + np.exp(out * sd + mean))), np.log10(weights)]
    return values


# ---- their fronts ----

def line(least, greatest):
    return np.linspace(least, greatest, 2000001)


def dtlz7_volume(reference):
    """Below the reference the least third objective is 6 less the greatest h of each of the others so far."""
    n = 400000
    width = reference[0] / n
    u = (np.arange(n) + 0.5) * width
    h = np.maximum.accumulate(np.where(u <= 1, u * (1 + np.sin(3 * np.pi * u)), 0))
    return np.sum(reference[2] - 6 + h + np.mean(h)) * width * reference[1] if reference[2] >= 6 else None


def srn_best():
    """The paper has the middle of it: from there on it follows one limit to the least of the first objective, and the other one to that of
    the second."""
    low, high, turn = line(2.5, 3.7), line(2.5, np.sqrt(218.75)), line(0, np.pi / 2)
    turn = turn[15 * np.sin(turn) >= 2.5]
    return [np.concatenate([3 * low - 10, np.full(len(high), -2.5), -15 * np.sin(turn)]),
            np.concatenate([low, high, 15 * np.cos(turn)])]


def fronts():
    u = line(0, 1)
    place = np.sqrt(1 / 3)
    return {
        "zdt1": Front(unit(5), zdt1, [1.1, 1.1], [0, 0], volume=1.21 - 1 / 3),
        "zdt3": Front(unit(4), zdt3, [0.94, 1.18], [0, -0.8], front=[u, 1 - np.sqrt(u) - u * np.sin(10 * np.pi * u)]),
        "dtlz2-noisy": Front(unit(4), dtlz2(2), [1.1, 1.1], [0, 0], volume=1.21 - np.pi / 4),
        "dtlz2": Front(unit(5), dtlz2(3), [1.1, 1.1, 1.1], [0, 0, 0], volume=1.331 - np.pi / 6),
        "dtlz7": Front(unit(5), dtlz7, [0.95, 0.95, 6.4], [0, 0, 2], volume=dtlz7_volume([0.95, 0.95, 6.4])),
        "fonseca": Front([(-3, 5, False)] * 3, fonseca, [1.08, 1.08], [0, 0], front=fonseca([line(-place, place)] * 3)),
        "kursawe": Front([(-5, 4, False)] * 3, kursawe, [-13.9, 1.2], [-20, -12]),
        "poloni": Front([(-np.pi, np.pi, False)] * 2, poloni, [18.4, 27.5], [1, 0]),
        "four-bar-truss": Front([(1, 3, False), (np.sqrt(2), 3, False), (np.sqrt(2), 3, False), (1, 3, False)], truss,
                                [3050, 0.044], [1237, 0]),
        "disc-brake": Front([(55, 80, False), (75, 110, False), (1000, 3000, False), (11, 20, True)], brake, [5.7, 3.2], [0, 0], brake_excess),
        "srn": Front([(-20, 20, False)] * 2, srn, [245, 20], [0, -250], srn_excess, front=srn(srn_best())),
        "rocket-injector": Front(unit(4), rocket, [1.09, 1.05, 1.13], [0, 0, -0.5]),
        "branches": Front([(0, 2, True)] + unit(5), branches, [1.4, 1.4], [0, 0],
                          front=[np.concatenate([a + u ** 2 for a, _ in CORNERS]), np.concatenate([b + (1 - u) ** 2 for _, b in CORNERS])]),
        "mlp-size": Front(MLP, mlp_size(), [-0.95, 5.4], [-1, 3]),
    }


# ---- volumes of many points ----

def volume_of_two(points, reference):
    """Below the reference, of points in columns."""
    x, y = points[:, np.all(points < np.array(reference)[:, None], axis=0)]
    order = np.argsort(x, kind="stable")
    x, least = x[order], np.minimum.accumulate(y[order])
    return float(np.sum(np.diff(np.append(x, reference[0])) * (reference[1] - least)))


def volume_of_cells(least, reference, lows):
    """Of three objectives, from the third one's least value in each cell of the others, which is that of the front at the cell's
    upper corner, or nearly: the mean of the depths at both corners."""
    step = (reference[0] - lows[0]) / len(least) * (reference[1] - lows[1]) / len(least)
    depth = np.maximum(0, reference[2] - np.minimum.accumulate(np.minimum.accumulate(least, axis=0), axis=1))
    lower = np.pad(depth, ((1, 0), (1, 0)), mode="edge")[:-1, :-1]
    return float((depth.sum() + lower.sum()) / 2 * step)


# ---- the search ----

class Archive:
    """The best point of the last objective in each cell of the others."""

    def __init__(self, front):
        self.front = front
        self.m = len(front.reference)
        self.cells = CELLS[self.m]
        n = self.cells ** (self.m - 1)
        self.last = np.full(n, np.inf)
        self.points = np.full((self.m, n), np.inf)
        self.x = np.empty((len(front.space), n))

    def add(self, u):
        lows, highs, whole = map(np.array, zip(*self.front.space))
        x = lows[:, None] + (highs - lows)[:, None] * u
        x[whole] = np.floor(lows[whole, None] + (highs + 1 - lows)[whole, None] * np.minimum(u[whole], 1 - 1e-9))
        y = np.array(self.front.objectives(list(x)))
        keep = np.all(y < np.array(self.front.reference)[:, None], axis=0)
        if self.front.excess:
            keep &= np.all(np.array(self.front.excess(list(x))) <= 0, axis=0)
        u, y = u[:, keep], y[:, keep]
        cell = np.zeros(len(y[0]), int)
        for j in range(self.m - 1):
            width = (self.front.reference[j] - self.front.least[j]) / self.cells
            cell = cell * self.cells + np.floor((y[j] - self.front.least[j]) / width).astype(int)
        order = np.lexsort((y[-1], cell))
        cell, u, y = cell[order], u[:, order], y[:, order]
        first = np.append(True, cell[1:] != cell[:-1])
        cell, u, y = cell[first], u[:, first], y[:, first]
        better = y[-1] < self.last[cell]
        self.last[cell[better]] = y[-1, better]
        self.points[:, cell[better]] = y[:, better]
        self.x[:, cell[better]] = u[:, better]

    def shape(self):
        return self.last.reshape([self.cells] * (self.m - 1))

    def parents(self):
        """Those that no cell before them is better than."""
        least = self.shape()
        for axis in range(self.m - 1):
            least = np.minimum.accumulate(least, axis=axis)
        return self.x[:, (self.shape() <= least).ravel() & np.isfinite(self.last)]

    def volume(self):
        if self.m == 2:
            return volume_of_two(self.points[:, np.isfinite(self.last)], self.front.reference)
        return volume_of_cells(self.shape(), self.front.reference, self.front.least)

    def on_front(self):
        """Points of cells that no other is better than, in columns."""
        least = self.shape()
        for axis in range(self.m - 1):
            least = np.minimum.accumulate(least, axis=axis)
        before = np.full(least.shape, np.inf)
        if self.m == 2:
            before[1:] = least[:-1]
        else:
            before[1:] = least[:-1]
            before[:, 1:] = np.minimum(before[:, 1:], least[:, :-1])
        return self.points[:, (self.shape() < before).ravel()]


def children(draw, parents):
    """Moved along differences of others, or by any length in some coordinates."""
    d, n = parents.shape
    a, b, c = (parents[:, draw.integers(n, size=BATCH)] for _ in range(3))
    crossed = a + draw.random(BATCH) * (b - c)
    some = draw.random((d, BATCH)) < draw.random(BATCH)
    moved = a + some * draw.normal(size=(d, BATCH)) * 10 ** draw.uniform(-5, 0, BATCH)
    return np.clip(np.where(draw.random(BATCH) < 0.4, crossed, moved), 0, 1)


def search(front, batches, seed):
    draw, archive, d = np.random.default_rng(seed), Archive(front), len(front.space)
    for _ in range(batches):
        parents = archive.parents()
        archive.add(children(draw, parents) if parents.shape[1] > 3 else draw.random((d, BATCH)))
    return archive


def uncovered(points, chosen, reference, whole, library):
    """lg after so many of the points, each the one that adds most to those before. What one adds never grows, so that most need not be
    looked at again."""
    added, taken, covered = np.full(len(points), np.inf), [], 0.0
    for _ in range(chosen):
        most, best = -1.0, None
        for i in np.argsort(-added):
            if added[i] <= most:
                break
            added[i] = problems.hypervolume(library, [*taken, points[i]], reference) - covered
            if added[i] > most:
                most, best = added[i], i
        taken.append(points[best])
        covered += most
    return np.log10(1 - covered / whole)


def volume(front):
    """By the formula; None: there is none."""
    if front.front is not None:
        return volume_of_two(np.array(np.broadcast_arrays(*front.front)), front.reference)
    return front.volume


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--batches", type=int, default=1000, help="of the search, for each problem")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--points", type=int)
    parser.add_argument("--library", default=ROOT / "build/benchmarks/libproblems.so", help="for --points")
    options = parser.parse_args()
    known = fronts()
    for name in options.names or known:
        front = known[name]
        formula, archive = volume(front), search(front, options.batches, options.seed)
        points = archive.on_front()
        least, greatest = points.min(axis=1), points.max(axis=1)
        print(f"{name:16} below {front.reference}: formula {'-' if formula is None else f'{formula:.8g}'}  found {archive.volume():.8g}  "
              f"least {least.round(5)}  greatest {greatest.round(5)}", flush=True)
        if options.points:
            some = points.T[np.random.default_rng(options.seed).permutation(points.shape[1])[:4000]]
            left = uncovered(list(map(tuple, some)), options.points, front.reference, formula or archive.volume(),
                             problems.open_library(options.library))
            print(f"{name:16} {options.points} points of it: lg {left:.2f}", flush=True)


if __name__ == "__main__":
    main()
