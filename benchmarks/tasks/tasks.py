"""Real training, small enough to be repeated thousands of times: TASKS has the space and the loss of each task.

A loss is minimised, and a function of the configuration alone: what is random in a training has a fixed seed. Ten tasks are models
of scikit-learn and XGBoost on the data sets that come with scikit-learn or are made by it; three are random forests, so surfaces of
steps, through the trainings in benchmarks/data.
"""
import math
import pathlib
import warnings

import numpy as np
import xgboost
from sklearn.datasets import (load_breast_cancer, load_diabetes, load_digits, make_classification,
                              make_friedman1)
from sklearn.decomposition import PCA
from sklearn.ensemble import (HistGradientBoostingRegressor, RandomForestClassifier,
                              RandomForestRegressor)
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (FunctionTransformer, MinMaxScaler, QuantileTransformer,
                                   StandardScaler)
from sklearn.svm import SVC, SVR

from spaces import choice, real, whole

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"

digits_x, digits_y = load_digits(return_X_y=True)
digits_x = digits_x / 16
DIGITS = digits_x[:400], digits_y[:400]
MORE_DIGITS = digits_x[400:700], digits_y[400:700]
CANCER = load_breast_cancer(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
FRIEDMAN = make_friedman1(300, n_features=8, noise=1, random_state=1)
CLASSES = make_classification(500, 20, n_informative=6, n_redundant=4, n_classes=3, flip_y=.05,
                              random_state=3)

TASKS = {}


def task(*space):
    def add(loss):
        TASKS[loss.__name__] = list(space), loss
        return loss
    return add


def validated(model, data, scoring):
    """Minus the mean score over three folds; NaN where a fit fails."""
    x, y = data
    folds = StratifiedKFold if y.dtype.kind == "i" else KFold
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            scores = cross_val_score(model, x, y, cv=folds(3, shuffle=True, random_state=0),
                                     scoring=scoring, error_score=math.nan)
        except ValueError:  # no fit of the three succeeded
            return math.nan
    return float(-scores.mean())


def scaler(name):
    return {"none": FunctionTransformer, "standard": StandardScaler, "minmax": MinMaxScaler,
            "quantile": lambda: QuantileTransformer(n_quantiles=50)}[name]()


@task(choice("kernel", "rbf", "poly", "sigmoid", "linear"), real("C", 1e-3, 1e3, log=True),
      real("gamma", 1e-5, 10, log=True, when=["kernel", ["rbf", "poly", "sigmoid"]]),
      whole("degree", 2, 5, when=["kernel", ["poly"]]),
      real("coef0", -1, 1, when=["kernel", ["poly", "sigmoid"]]))
def svm_digits(kernel, C, gamma=.1, degree=3, coef0=0):
    return validated(SVC(kernel=kernel, C=C, gamma=gamma, degree=degree, coef0=coef0,
                         max_iter=3000), DIGITS, "accuracy")


@task(real("eta", .005, .5, log=True), whole("depth", 1, 10), real("mcw", 1, 50, log=True),
      real("sub", .3, 1), real("col", .3, 1), real("lam", 1e-3, 100, log=True),
      real("alpha", 1e-3, 10, log=True), whole("n", 20, 300, log=True))
def xgb_diabetes(eta, depth, mcw, sub, col, lam, alpha, n):
    model = xgboost.XGBRegressor(learning_rate=eta, max_depth=depth, min_child_weight=mcw,
                                 subsample=sub, colsample_bytree=col, reg_lambda=lam,
                                 reg_alpha=alpha, n_estimators=n, n_jobs=1, random_state=0)
    return validated(model, DIABETES, "neg_root_mean_squared_error")


@task(real("eta", .01, 1, log=True), choice("policy", "depthwise", "lossguide"),
      whole("depth", 1, 8), whole("leaves", 2, 64, log=True, when=["policy", ["lossguide"]]),
      real("gamma", 1e-3, 5, log=True), real("sub", .4, 1), real("lam", 1e-3, 30, log=True),
      whole("n", 10, 120, log=True))
def xgb_cancer(eta, policy, depth, gamma, sub, lam, n, leaves=0):
    model = xgboost.XGBClassifier(learning_rate=eta, grow_policy=policy, max_depth=depth,
                                  max_leaves=leaves, tree_method="hist", max_bin=32, gamma=gamma,
                                  subsample=sub, reg_lambda=lam, n_estimators=n, n_jobs=1,
                                  random_state=0)
    return validated(model, CANCER, "neg_log_loss")


@task(whole("layers", 1, 3), whole("u1", 4, 64, log=True),
      whole("u2", 4, 64, log=True, when=["layers", [2, 3]]),
      whole("u3", 4, 64, log=True, when=["layers", [3]]),
      choice("act", "relu", "tanh", "logistic"), choice("solver", "adam", "sgd"),
      real("lr", 1e-4, 1, log=True), real("mom", 0, .99, when=["solver", ["sgd"]]),
      real("alpha", 1e-6, 1, log=True), whole("batch", 8, 128, log=True))
def mlp_mixed(layers, u1, act, solver, lr, alpha, batch, u2=0, u3=0, mom=.9):
    model = MLPClassifier((u1, u2, u3)[:layers], activation=act, solver=solver,
                          learning_rate_init=lr, momentum=mom, alpha=alpha, batch_size=batch,
                          max_iter=8, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            shares = model.fit(*DIGITS).predict_proba(MORE_DIGITS[0])
        except ValueError:  # its weights are not finite any more
            return math.nan
        if not np.isfinite(shares).all():
            return math.nan
        return float(min(log_loss(MORE_DIGITS[1], np.clip(shares, 1e-6, 1), labels=np.arange(10)), 10))


@task(choice("scale", "none", "standard", "minmax", "quantile"),
      choice("loss", "log_loss", "modified_huber", "hinge"),
      choice("penalty", "l2", "l1", "elasticnet"), real("alpha", 1e-7, 1, log=True),
      real("l1", 0, 1, when=["penalty", ["elasticnet"]]),
      choice("sched", "optimal", "constant", "invscaling", "adaptive"),
      real("eta0", 1e-4, 1, log=True, when=["sched", ["constant", "invscaling", "adaptive"]]),
      real("power", .1, .9, when=["sched", ["invscaling"]]), whole("epochs", 2, 60, log=True))
def sgd_pipeline(scale, loss, penalty, alpha, sched, epochs, l1=.15, eta0=.01, power=.5):
    model = SGDClassifier(loss=loss, penalty=penalty, alpha=alpha, l1_ratio=l1,
                          learning_rate=sched, eta0=eta0, power_t=power, max_iter=epochs, tol=None,
                          random_state=0)
    return validated(make_pipeline(scaler(scale), model), CLASSES, "accuracy")


@task(whole("n", 5, 60, log=True), whole("depth", 1, 20), whole("split", 2, 30, log=True),
      real("feat", .05, 1), choice("crit", "gini", "entropy"), choice("boot", "yes", "no"),
      choice("weight", "none", "balanced"), whole("leaf", 1, 20, log=True))
def forest_syn(n, depth, split, feat, crit, boot, weight, leaf):
    model = RandomForestClassifier(n, criterion=crit, max_depth=depth, min_samples_split=split,
                                   min_samples_leaf=leaf, max_features=feat,
                                   bootstrap=boot == "yes", n_jobs=1, random_state=0,
                                   class_weight=None if weight == "none" else weight)
    return validated(model, CLASSES, "neg_log_loss")


@task(choice("scale", "none", "standard", "minmax"), whole("pca", 2, 30),
      whole("k", 1, 40, log=True), choice("weights", "uniform", "distance"), real("p", 1, 5),
      choice("whiten", "no", "yes"))
def knn_digits(scale, pca, k, weights, p, whiten):
    model = make_pipeline(scaler(scale), PCA(pca, whiten=whiten == "yes", random_state=0),
                          KNeighborsClassifier(k, weights=weights, p=p, algorithm="brute"))
    return validated(model, DIGITS, "accuracy")


@task(real("lr", .005, 1, log=True), whole("iter", 10, 120, log=True),
      whole("leaves", 2, 60, log=True), whole("min_leaf", 1, 60, log=True),
      real("l2", 1e-4, 100, log=True), real("feat", .2, 1),
      choice("loss", "squared_error", "absolute_error"))
def hist_friedman(lr, iter, leaves, min_leaf, l2, feat, loss):
    model = HistGradientBoostingRegressor(loss=loss, learning_rate=lr, max_iter=iter,
                                          max_leaf_nodes=leaves, min_samples_leaf=min_leaf,
                                          l2_regularization=l2, max_features=feat, max_bins=32,
                                          early_stopping=False, random_state=0)
    return validated(model, FRIEDMAN, "neg_root_mean_squared_error")


@task(choice("kernel", "rbf", "laplacian", "polynomial"), real("alpha", 1e-6, 10, log=True),
      real("gamma", 1e-4, 10, log=True), whole("degree", 1, 5, when=["kernel", ["polynomial"]]),
      real("coef0", 0, 3, when=["kernel", ["polynomial"]]),
      *[real(f"w{i}", .01, 1, log=True) for i in range(5)])
def ridge_friedman(kernel, alpha, gamma, degree=3, coef0=1, **weights):
    """The first five features are those that matter."""
    x = FRIEDMAN[0] * np.array([weights[f"w{i}"] for i in range(5)] + [.1] * 3)
    model = KernelRidge(kernel=kernel, alpha=alpha, gamma=gamma, degree=degree, coef0=coef0)
    return min(validated(model, (x, FRIEDMAN[1]), "neg_root_mean_squared_error"), 100)


@task(real("C", 1e-3, 1e3, log=True), real("gamma", 1e-5, 10, log=True),
      real("epsilon", 1e-3, 2, log=True))
def svr_friedman(C, gamma, epsilon):
    x = StandardScaler().fit_transform(FRIEDMAN[0])
    return validated(SVR(C=C, gamma=gamma, epsilon=epsilon, max_iter=20000), (x, FRIEDMAN[1]),
                     "neg_root_mean_squared_error")


def range_of(name, column):
    """A logarithmic scale where the trainings are spread over more than a factor of 50."""
    low, high = float(column.min()), float(column.max())
    log = low > 0 and high / low > 50
    if (column == column.round()).all():
        return whole(name, int(low), int(high), log=log)
    return real(name, low, high, log=log)


def add_forest_through(name):
    table = np.loadtxt(DATA / f"{name}.csv", delimiter=",")
    x, accuracy = table[:, :-1], table[:, -1]
    forest = RandomForestRegressor(30, min_samples_leaf=2, n_jobs=1, random_state=0).fit(x, accuracy)
    space = [range_of(f"p{i}", column) for i, column in enumerate(x.T)]

    def loss(**configuration):
        return float(-forest.predict([[configuration[p["name"]] for p in space]])[0])

    TASKS["rf_" + name.replace("-", "_")] = space, loss


for table_name in ("xgb-digits", "xgb-synth", "mlp-fashion"):
    add_forest_through(table_name)
