#!/usr/bin/env python3
"""Writes reference_gp.h: likelihoods, gradients and predictions of scikit-learn's Gaussian process.

    python3 tests/reference_gp.py > tests/reference_gp.h      (needs python3-sklearn)

scikit-learn has no constant mean and no categories. The most likely constant is computed here with
numpy and taken off the outcomes; a category becomes one-hot columns divided by sqrt(2), which share a
lengthscale, so that their gradients add up.
"""
import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern, WhiteKernel

random = np.random.RandomState(20240607)


def encode(X, levels):
    columns = []
    for k, count in enumerate(levels):
        if count:
            columns.append((X[:, k, None] == np.arange(count)) / np.sqrt(2))
        else:
            columns.append(X[:, k, None])
    return np.hstack(columns)


def case(n, levels, lengths, noise, scaled, stars=4):
    d = len(levels)
    draw = lambda m: np.column_stack(
        [random.randint(c, size=m) if c else random.rand(m) for c in levels]).astype(float)
    X, Xs = draw(n), draw(stars)
    y = np.sin(3 * X.sum(axis=1)) + X[:, 0] ** 2 + 0.1 * random.randn(n)
    scales = np.where(random.rand(n) < 0.4, 10.0, 1.0) if scaled else np.ones(n)
    owner = np.repeat(np.arange(d), [c if c else 1 for c in levels])
    matern = Matern(np.asarray(lengths)[owner], nu=2.5)
    E, Es = encode(X, levels), encode(Xs, levels)

    K = matern(E) + np.diag(noise * scales)
    solved = np.linalg.solve(K, np.column_stack([y, np.ones(n)]))
    c = solved[:, 0].sum() / solved[:, 1].sum()

    latent = GaussianProcessRegressor(matern, alpha=noise * scales, optimizer=None).fit(E, y - c)
    value, by_column = latent.log_marginal_likelihood(matern.theta, eval_gradient=True)
    gradient = np.array([by_column[owner == k].sum() for k in range(d)])
    mean, sd = latent.predict(Es, return_std=True)
    by_noise = np.nan
    if not scaled:
        noisy = matern + WhiteKernel(noise)
        again, all_gradients = GaussianProcessRegressor(noisy, alpha=0, optimizer=None).fit(
            E, y - c).log_marginal_likelihood(noisy.theta, eval_gradient=True)
        assert abs(again - value) < 1e-9
        by_noise = all_gradients[-1]
    return dict(n=n, d=d, levels=levels, X=X, y=y, scales=scales,
                theta=np.append(np.log(lengths), np.log(noise)), c=c, value=value,
                gradient=np.append(gradient, by_noise), stars=stars, Xs=Xs, mean=mean + c, sd=sd)


def numbers(a):
    return ", ".join("NAN" if np.isnan(v) else float(v).hex() for v in np.ravel(a))


cases = [
    case(1, [0], [0.3], 1e-3, False),
    case(7, [0], [0.2], 1e-6, False),
    case(9, [0, 0], [0.3, 1.5], 1e-2, False),
    case(20, [0, 0, 0, 0, 0], [0.5, 0.9, 2.0, 0.4, 30.0], 4e-4, False),
    case(18, [0, 3, 0], [0.6, 0.8, 0.35], 1e-3, False),
    case(23, [4, 2], [1.1, 0.7], 5e-2, False),
    case(14, [0, 0, 3], [0.4, 1.2, 0.9], 3e-3, True),
]

print("/* Made by reference_gp.py with scikit-learn; do not edit. */")
for i, a in enumerate(cases):
    for name in ("X", "y", "scales", "theta", "gradient", "Xs", "mean", "sd"):
        print("static const double reference_%s_%d[] = { %s };" % (name, i, numbers(a[name])))
    kinds = ("DIMENSION_CATEGORY" if c else "DIMENSION_NUMERIC" for c in a["levels"])
    print("static const enum dimension_kind reference_kinds_%d[] = { %s };" % (i, ", ".join(kinds)))
print("""static const struct {
	size_t n, d, stars;
	const enum dimension_kind *kinds;
	const double *X, *y, *scales, *theta;
	double c, value;
	const double *gradient, *Xs, *mean, *sd;
} reference_gp[] = {""")
for i, a in enumerate(cases):
    arrays = lambda *names: ", ".join("reference_%s_%d" % (name, i) for name in names)
    print("\t{ %d, %d, %d, %s, %s, %s, %s }," % (
        a["n"], a["d"], a["stars"], arrays("kinds", "X", "y", "scales", "theta"),
        float(a["c"]).hex(), float(a["value"]).hex(), arrays("gradient", "Xs", "mean", "sd")))
print("};")
