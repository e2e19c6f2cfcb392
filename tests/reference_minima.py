#!/usr/bin/env python3
"""Writes reference_minima.h: what NLopt's LD_LBFGS finds inside boxes, for surrogate/lbfgs.h to be compared with.

    python3 tests/reference_minima.py > tests/reference_minima.h      (needs numpy, scipy and nlopt 2.10 or newer, from PyPI)

Rosenbrock's function, and minus the log posterior of Gaussian processes (gp.h) on random functions, which is
computed here anew.
"""
import nlopt
import numpy as np
from scipy.linalg import cho_solve, cholesky

random = np.random.RandomState(20250310)


def rosenbrock(x):
    bend = x[1:] - x[:-1] ** 2
    gradient = np.zeros_like(x)
    gradient[:-1] = -400 * bend * x[:-1] - 2 * (1 - x[:-1])
    gradient[1:] += 200 * bend
    return np.sum(100 * bend ** 2 + (1 - x[:-1]) ** 2), gradient


def minus_log_posterior(X, y):
    n, d = X.shape
    D = (X[:, None, :] - X[None, :, :]) ** 2
    mean_log_length = np.sqrt(2) + np.log(d) / 2 - 3  # the standard deviation is 1

    def evaluate(theta):
        lengths, noise = np.exp(theta[:d]), np.exp(theta[d])
        rho = np.sqrt(5 * np.sum(D / lengths ** 2, axis=2))
        k = np.exp(-rho) * (1 + rho + rho ** 2 / 3)
        G = 5 / 3 * np.exp(-rho) * (1 + rho)
        L = cholesky(k + noise * np.eye(n), lower=True)
        inverse = cho_solve((L, True), np.eye(n))
        c = inverse.sum(axis=0) @ y / inverse.sum()
        alpha = inverse @ (y - c)
        W = np.outer(alpha, alpha) - inverse
        z = theta[:d] - mean_log_length
        q = (theta[d] + 8) / 2
        value = (-(y - c) @ alpha / 2 - np.log(np.diag(L)).sum() - n / 2 * np.log(2 * np.pi)
                 - np.sum(z ** 2) / 2 - q ** 2 / 2 - np.log(2) - (d + 1) / 2 * np.log(2 * np.pi))
        by_length = [np.sum(W * G * D[:, :, j]) / (2 * lengths[j] ** 2) for j in range(d)]
        gradient = np.append(by_length - z, noise * np.trace(W) / 2 - q / 2)
        return -value, -gradient

    return evaluate


def minimise(function, x, lower, upper):
    best = [np.inf]

    def objective(point, gradient):
        value, slopes = function(point)
        best[0] = min(best[0], value)
        gradient[:] = slopes
        return value

    optimiser = nlopt.opt(nlopt.LD_LBFGS, len(x))
    optimiser.set_lower_bounds(lower)
    optimiser.set_upper_bounds(upper)
    optimiser.set_min_objective(objective)
    optimiser.set_ftol_rel(1e-14)
    optimiser.set_xtol_rel(1e-12)
    optimiser.set_maxeval(5000)
    try:
        optimiser.optimize(x)
    except nlopt.RoundoffLimited:
        pass
    except nlopt.runtime_error:  # it gives up where its line search finds nothing better
        pass
    return best[0]


def numbers(a):
    return ", ".join(float(v).hex() for v in np.ravel(a))


def valley(n, low, high):
    start = low + (high - low) * random.rand(n)
    return dict(n=n, low=low, high=high, start=start,
                least=minimise(rosenbrock, start, np.full(n, low), np.full(n, high)))


def posterior(n, d, noise):
    X = random.rand(n, d)
    y = sum(np.sin(4 * X[:, k] + k) / (k + 1) for k in range(d)) + noise * random.randn(n)
    y = (y - y.mean()) / y.std()
    lower = np.append(np.full(d, np.log(0.025)), np.log(1e-6))
    upper = np.append(np.full(d, np.log(1000)), np.log(10))
    mode = np.append(np.full(d, np.sqrt(2) + np.log(d) / 2 - 3), -8)
    # Near the mode: there are other minima, and which of them is found says nothing of a search.
    start = mode + 0.5 * random.randn(d + 1)
    return dict(n=n, d=d, X=X, y=y, start=start, lower=lower, upper=upper,
                least=minimise(minus_log_posterior(X, y), start, lower, upper))


valleys = [valley(n, low, high) for n in (2, 5, 10) for low, high in ((-0.7, 0.6), (-2, 2), (0.1, 0.95))
           for _ in range(2)]
posteriors = [posterior(n, d, noise) for n, d in ((6, 1), (15, 2), (30, 3), (60, 3), (40, 6))
              for noise in (0.01, 0.5)]

print("/* Made by reference_minima.py with NLopt; do not edit. */")
for i, a in enumerate(valleys):
    print("static const double valley_start_%d[] = { %s };" % (i, numbers(a["start"])))
print("static const struct {\n\tsize_t n;\n\tdouble low, high;\n\tconst double *start;\n\tdouble least;\n"
      "} reference_valleys[] = {")
for i, a in enumerate(valleys):
    print("\t{ %d, %r, %r, valley_start_%d, %s }," % (a["n"], a["low"], a["high"], i,
                                                     float(a["least"]).hex()))
print("};")
for i, a in enumerate(posteriors):
    for name in ("X", "y", "start"):
        print("static const double posterior_%s_%d[] = { %s };" % (name, i, numbers(a[name])))
print("static const struct {\n\tsize_t n, d;\n\tconst double *X, *y, *start;\n\tdouble least;\n"
      "} reference_posteriors[] = {")
for i, a in enumerate(posteriors):
    print("\t{ %d, %d, posterior_X_%d, posterior_y_%d, posterior_start_%d, %s }," %
          (a["n"], a["d"], i, i, i, float(a["least"]).hex()))
print("};")
