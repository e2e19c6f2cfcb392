"""Families of mixed functions: FAMILIES has for each name a maker of an instance from a numpy generator.

An instance is a space (spaces.py), a loss, and its least value. Categories shift where the best numbers are, or add an effect
of their own; conditions add parameters. With them is looked at what single functions with categories are too few for.
"""
import itertools
import math

import numpy

from spaces import choice, real, whole

FAMILIES = {}


def family(make):
    FAMILIES[make.__name__] = make
    return make


def names(n):
    return [f"v{i}" for i in range(n)]


def index(value):
    return int(value[1:])


def bowl(distance, weights):
    return float(numpy.sum(weights * distance * distance))


def bowls(generator, shift, offset, d=4, n=4, bend=lambda value: value):
    """A bowl for each value of a category: another middle, steepness and depth. Every second axis is logarithmic."""
    middle = generator.uniform(0.2, 0.8, d)
    middles = numpy.clip(middle + shift * generator.normal(size=(n, d)), 0, 1)
    weights = numpy.exp(0.7 * generator.normal(size=d))
    depths = offset * generator.normal(size=n)
    steepness = numpy.exp(0.3 * generator.normal(size=n))
    space = [choice("k", *names(n))]
    space += [real(f"x{i}", 1e-3, 1e3, log=True) if i % 2 else real(f"x{i}", 0, 1) for i in range(d)]

    def loss(k, **x):
        k = index(k)
        at = numpy.array([(math.log10(x[f"x{i}"]) + 3) / 6 if i % 2 else x[f"x{i}"] for i in range(d)])
        return bend(depths[k] + steepness[k] * bowl(at - middles[k], weights))

    return space, loss, bend(depths.min())


@family
def bowls_weak(generator):
    return bowls(generator, 0.1, 0.1)


@family
def bowls_strong(generator):
    return bowls(generator, 0.35, 0.1)


@family
def bowls_plateau(generator):
    """Flat far from the best, as an accuracy is."""
    return bowls(generator, 0.3, 0.05, d=5, n=3, bend=lambda value: 1 - math.exp(-2 * (value + 0.3)))


@family
def conditional(generator):
    """Three algorithms with two parameters each, and two that all of them have."""
    n = 3
    weights = numpy.exp(0.5 * generator.normal(size=2))
    middles = numpy.clip(0.5 + 0.25 * generator.normal(size=(n, 2)), 0, 1)
    own_middles = generator.uniform(0.1, 0.9, (n, 2))
    own_weights = numpy.exp(0.7 * generator.normal(size=(n, 2)))
    depths = 0.1 * generator.normal(size=n)
    space = [choice("k", *names(n)), real("s0", 0, 1), real("s1", 1e-4, 1, log=True)]
    for a in range(n):
        space += [real(f"p{a}0", 0, 1, when=["k", [f"v{a}"]]),
                  whole(f"p{a}1", 1, 100, log=True, when=["k", [f"v{a}"]])]

    def loss(k, s0, s1, **own):
        a = index(k)
        shared = numpy.array([s0, 1 + math.log10(s1) / 4])
        at = numpy.array([own[f"p{a}0"], math.log(own[f"p{a}1"]) / math.log(100)])
        return depths[a] + bowl(shared - middles[a], weights) + bowl(at - own_middles[a], own_weights[a])

    return space, loss, depths.min()


@family
def optional(generator):
    """What may be switched on, with two parameters of its own, beside a category."""
    middle = generator.uniform(0.1, 0.9, 6)
    weights = numpy.exp(0.7 * generator.normal(size=6))
    gain = 0.15 * generator.normal()
    depths = 0.1 * numpy.abs(generator.normal(size=3))
    shifts = 0.2 * generator.normal(size=(3, 4))
    space = [choice("k", *names(3)), choice("use", "no", "yes"), *[real(f"x{i}", 0, 1) for i in range(4)],
             *[real(f"y{i}", 0, 1, when=["use", ["yes"]]) for i in range(2)]]

    def loss(k, use, **x):
        k = index(k)
        at = numpy.array([x[f"x{i}"] for i in range(4)])
        value = depths[k] + bowl(at - numpy.clip(middle[:4] + shifts[k], 0, 1), weights[:4])
        if use == "yes":
            value += gain + bowl(numpy.array([x["y0"], x["y1"]]) - middle[4:], weights[4:])
        return value

    return space, loss, depths.min() + min(0, gain)


def effects(generator, rough=0, bend=lambda value: value):
    """Four categories with an effect each, of which two act together, and a bowl that the first one shifts."""
    sizes, d = [4, 3, 3, 2], 4
    single = [numpy.exp(generator.normal() - 1.5) * numpy.abs(generator.normal(size=n)) for n in sizes]
    pairs = 0.05 * generator.normal(size=(4, 3))
    middle = generator.uniform(0.2, 0.8, d)
    shifts = 0.2 * generator.normal(size=(sizes[0], d))
    weights = numpy.exp(0.7 * generator.normal(size=d))
    waves = 6 * generator.normal(size=(8, d + 4))
    space = [choice(f"c{i}", *names(n)) for i, n in enumerate(sizes)]
    space += [real(f"x{i}", 0, 1) for i in range(d - 1)] + [whole(f"x{d - 1}", 1, 64, log=True)]

    def of_categories(c):
        return sum(effect[k] for effect, k in zip(single, c)) + pairs[c[0], c[1]]

    def loss(**p):
        c = [index(p[f"c{i}"]) for i in range(4)]
        at = numpy.array([p[f"x{i}"] for i in range(d - 1)] + [math.log(p[f"x{d - 1}"]) / math.log(64)])
        value = of_categories(c) + bowl(at - numpy.clip(middle + shifts[c[0]], 0, 1), weights)
        if rough:
            value += rough * float(numpy.abs(numpy.sin(waves @ numpy.concatenate([7 * at, c]))).mean())
        return bend(value)

    return space, loss, bend(min(map(of_categories, itertools.product(*map(range, sizes)))))


@family
def many_categories(generator):
    return effects(generator)


@family
def many_rough(generator):
    """The least value is not known: that of the same without roughness, which it is above."""
    return effects(generator, rough=0.15, bend=lambda value: 1 - math.exp(-1.5 * value))


def fourier(generator, phases):
    """Waves whose phases are the categories'. The least value is that of a search of its own."""
    d, sizes, n_waves = 5, [4, 3], 40
    waves = generator.normal(size=(n_waves, d)) / numpy.array([0.35, 0.5, 0.8, 1.5, 3])
    first = generator.uniform(0, 2 * math.pi, n_waves)
    heights = generator.normal(size=n_waves) / math.sqrt(n_waves / 2)
    of_categories = [phases * generator.normal(size=(n, n_waves)) for n in sizes]
    space = [choice("a", *names(4)), choice("b", *names(3)), *[real(f"x{i}", 0, 1) for i in range(d)]]

    def values(points, a, b):
        return numpy.cos(points @ waves.T + first + of_categories[0][a] + of_categories[1][b]) @ heights

    def loss(a, b, **x):
        return float(values(numpy.array([[x[f"x{i}"] for i in range(d)]]), index(a), index(b))[0])

    least = min(least_value(lambda points, a=a, b=b: values(points, a, b), d, generator)
                for a in range(4) for b in range(3))
    return space, loss, least


def least_value(values, d, generator):
    """From the best 20 of 4,000 points, by random steps that become shorter."""
    points = generator.uniform(size=(4000, d))
    points = points[numpy.argsort(values(points))[:20]]
    for step in 0.1 * 0.93 ** numpy.arange(60):
        near = numpy.clip(points[:, None] + step * generator.normal(size=(len(points), 20, d)), 0, 1)
        found = values(near.reshape(-1, d)).reshape(len(points), 20)
        better = found.min(axis=1) < values(points)
        points[better] = near[numpy.arange(len(points)), found.argmin(axis=1)][better]
    return values(points).min()


@family
def fourier_weak(generator):
    return fourier(generator, 0.4)


@family
def fourier_strong(generator):
    return fourier(generator, 1.2)


# ---- more than 30 parameters ----

@family
def many_algorithms(generator):
    """Twelve algorithms with three numbers each: a trial has four parameters of 37."""
    n, d = 12, 3
    middles = generator.uniform(0.1, 0.9, (n, d))
    weights = numpy.exp(0.7 * generator.normal(size=(n, d)))
    depths = 0.1 * numpy.abs(generator.normal(size=n))
    space = [choice("k", *names(n))]
    space += [real(f"p{a}_{i}", 0, 1, when=["k", [f"v{a}"]]) for a in range(n) for i in range(d)]

    def loss(k, **own):
        a = index(k)
        return depths[a] + bowl(numpy.array([own[f"p{a}_{i}"] for i in range(d)]) - middles[a], weights[a])

    return space, loss, depths.min()


@family
def chained_choices(generator):
    """36 categories of three values, of which each acts together with the next."""
    d, n = 36, 3
    pairs = generator.uniform(size=(d - 1, n, n))
    space = [choice(f"c{i}", *names(n)) for i in range(d)]

    def loss(**p):
        values = [index(p[f"c{i}"]) for i in range(d)]
        return float(sum(pairs[i, values[i], values[i + 1]] for i in range(d - 1)))

    least = numpy.zeros(n)  # of the chain so far, by its last value
    for pair in pairs:
        least = (least[:, None] + pair).min(axis=0)
    return space, loss, float(least.min())


@family
def many_switches(generator):
    """Fifty switches that act for themselves."""
    d, least = 50, generator.normal()
    right = generator.integers(2, size=d)
    weights = generator.uniform(0.2, 1.2, d)
    space = [choice(f"c{i}", *names(2)) for i in range(d)]

    def loss(**p):
        return float(least + sum(weights[i] for i in range(d) if index(p[f"c{i}"]) != right[i]))

    return space, loss, least


LARGE = ("many_algorithms", "chained_choices", "many_switches")


def instance(name, seed):
    return FAMILIES[name](numpy.random.default_rng([list(FAMILIES).index(name), seed]))
