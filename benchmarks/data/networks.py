#!/usr/bin/env python3
"""Writes benchmarks/data/networks.inc: networks fitted to the training runs in the CSV files beside this one.

    /usr/bin/python3 benchmarks/data/networks.py        needs scikit-learn

A row of a CSV is a configuration in the order of the ranges below, and the validation accuracy that it gave.
"""
import pathlib
import warnings

import numpy as np
from sklearn.model_selection import cross_val_predict
from sklearn.neural_network import MLPRegressor

# (logarithmic, least, greatest); networks.c has the same.
RANGES = {
    "mlp": [(True, 16, 512), (True, 1e-4, 0.3), (False, 0.1, 0.99), (False, 1e-5, 0.1), (False, 1, 4),
            (True, 16, 256), (False, 0, 0.9)],
    "xgb": [(True, 7, 400), (True, 0.001, 1), (True, 4.5e-5, 7.4), (True, 1e-3, 1e3), (True, 1e-3, 1e3),
            (False, 0.1, 1), (False, 1, 15), (True, 2.72, 148), (False, 0.01, 1), (False, 0.01, 1)],
}
TABLES = ["mlp-digits", "mlp-synth", "mlp-fashion", "xgb-digits", "xgb-synth"]


def scaled(raw, ranges):
    """To [-1, 1]."""
    unit = [np.log(x / low) / np.log(high / low) if logarithmic else (x - low) / (high - low)
            for x, (logarithmic, low, high) in zip(raw.T, ranges)]
    return 2 * np.array(unit).T - 1


def fit(table):
    """(name, head and weights in the order that networks.c reads, cross-validated R2)"""
    rows = np.loadtxt(pathlib.Path(__file__).parent / f"{table}.csv", delimiter=",")
    x, accuracy = scaled(rows[:, :-1], RANGES[table.split("-")[0]]), rows[:, -1]
    # The network may get a little better than the best run, and no better than that.
    high = accuracy.max() + 0.25 * (accuracy.max() - np.quantile(accuracy, 0.95)) + 0.004
    low = accuracy.min() - 0.03
    logit = np.log((high - accuracy) / (accuracy - low))
    mean, sd = logit.mean(), logit.std()
    target = (logit - mean) / sd
    model = MLPRegressor((24, 24), "tanh", solver="lbfgs", alpha=0.3, max_iter=3000, random_state=0)
    predicted = cross_val_predict(model, x, target, cv=5)
    model.fit(x, target)
    layers = [np.vstack([w, b]).T.ravel() for w, b in zip(model.coefs_, model.intercepts_)]
    return np.concatenate([[low, high, mean, sd], *layers]), 1 - ((predicted - target) ** 2).mean()


def main():
    warnings.simplefilter("ignore")
    with open(pathlib.Path(__file__).parent / "networks.inc", "w", encoding="ascii") as out:
        print("/* Made by benchmarks/data/networks.py. */", file=out)
        for table in TABLES:
            numbers, r2 = fit(table)
            print(f"{table}: R2 {r2:.2f}")
            print(f"static const double {table.replace('-', '_')}_network[] = {{", file=out)
            for i in range(0, len(numbers), 6):
                print("\t" + ", ".join(f"{x:.9g}" for x in numbers[i:i + 6]) + ",", file=out)
            print("};", file=out)


if __name__ == "__main__":
    main()
