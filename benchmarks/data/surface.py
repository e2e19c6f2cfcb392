#!/usr/bin/env python3
"""Writes benchmarks/data/surface.inc: a smooth surface through the published trials.

    /usr/bin/python3 benchmarks/data/surface.py

The surface is CEILING - exp(g), where g is a Gaussian process' posterior mean (Matern 5/2) through
ln(CEILING - accuracy) at the finite trials, in the coordinates ln(learning rate), -ln(1 - momentum) and wd, each on [0, 1].
CEILING, lengthscales and noise were chosen so that the best of the surface is a little above the best published
trial, and a random search needs about 45 trials to reach the best of the 120 published random ones (0.7369).
"""
import csv
import pathlib

import numpy as np

CEILING, LENGTHS, SIGNAL, NOISE = 0.742, np.array([0.3, 0.3, 1.0]), 4.0, 0.05 ** 2

here = pathlib.Path(__file__).parent
rows = [row for row in csv.DictReader(open(here / "seed-cifar10.csv")) if row["validation_accuracy"] != "nan"]
rows = [row for row in rows if np.isfinite(float(row["validation_accuracy"]))]
raw = np.array([[float(row[name]) for name in ("learning_rate", "momentum", "wd")] for row in rows])
z = np.log(CEILING - np.array([float(row["validation_accuracy"]) for row in rows]))
unit = np.column_stack([np.log(raw[:, 0] / 0.001) / np.log(500.0), -np.log1p(-raw[:, 1]) / np.log(100.0), raw[:, 2] / 0.001])
mean, spread = z.mean(), z.std()
r = np.sqrt(5 * (((unit[:, None] - unit[None]) / LENGTHS) ** 2).sum(2))
kernel = SIGNAL * np.exp(-r) * (1 + r + r * r / 3) + NOISE * np.eye(len(z))
weights = SIGNAL * spread * np.linalg.solve(kernel, (z - mean) / spread)
with open(here / "surface.inc", "w") as out:
    print(f"/* Made by benchmarks/data/surface.py. */\nstatic const double surface_mean = {mean!r};".replace("np.float64(", "").replace(")", ""), file=out)
    print("static const double surface_rows[][4] = {", file=out)
    for row, weight in zip(unit, weights):
        print("\t{ " + ", ".join(repr(float(v)) for v in [*row, weight]) + " },", file=out)
    print("};", file=out)
