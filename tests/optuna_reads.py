#!/usr/bin/env python3
"""Reads every job of a database with Optuna, and compares with what tuner's own views say.

    PYTHON tests/optuna_reads.py DATABASE

PYTHON: one that has Optuna (3.6 or newer), pandas and plotly; benchmarks/peers/setup makes one without plotly, and then
nothing is drawn. Prints a line for each job, and one for each difference; exit status 1 if there is any.
"""
import json
import pathlib
import sqlite3
import sys
import warnings

import optuna

try:
    import plotly
except ImportError:
    plotly = None

KNOWS_CONSTRAINTS = int(optuna.__version__.split(".")[0]) >= 4  # before, best_trials ignored them


def expect(faults, name, what, found, wanted):
    if found != wanted:
        faults.append(f"{name}: {what} is {found}, not {wanted}")


def directions_of(goal, definition):
    also = json.loads(definition).get("also", [])
    return [goal.upper()] + ["MINIMIZE" if "minimize" in further else "MAXIMIZE" for further in also]


def check_study(study, name, database, faults):
    goal, definition = database.execute("SELECT o.goal, o.definition FROM job j JOIN objective_version o"
                                        " ON o.id = j.objective_version WHERE j.name = ?", [name]).fetchone()
    directions = directions_of(goal, definition)
    results = {number: [objective, *json.loads(also or "[]")] for number, objective, also in database.execute(
        "SELECT number, objective, also FROM v_trial WHERE job = ? AND state = 'done'", [name])}
    front = {number for number, in database.execute("SELECT number FROM v_front WHERE job = ?", [name])}
    limited, = database.execute("SELECT count(limits) FROM v_trial WHERE job = ?", [name]).fetchone()
    expect(faults, name, "directions", [direction.name for direction in study.directions], directions)
    expect(faults, name, "the number of names", len(study.metric_names), len(directions))
    expect(faults, name, "results", {trial.number + 1: trial.values for trial in study.trials
                                     if trial.number + 1 in results}, results)
    if front and (KNOWS_CONSTRAINTS or not limited):
        expect(faults, name, "best_trials", {trial.number + 1 for trial in study.best_trials}, front)
        if len(directions) == 1:
            expect(faults, name, "best_value", study.best_value, results[min(front)][0])
    expect(faults, name, "the number of constraints",
           sum("constraints" in trial.system_attrs for trial in study.trials), limited)
    expect(faults, name, "the data frame's length", len(study.trials_dataframe()), len(study.trials))
    if len(directions) > 1 and plotly is not None:
        two = None if len(directions) < 4 else lambda trial: trial.values[:2]
        optuna.visualization.plot_pareto_front(study, targets=two)
    return f"{name}: {len(directions)} directions, {len(study.trials)} trials, {len(front)} on the front"


def main(path):
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    faults, url = [], f"sqlite:///{path}"
    database = sqlite3.connect(f"file:{pathlib.Path(path).resolve()}?mode=ro", uri=True)
    print(f"Optuna {optuna.__version__}")
    for name, in database.execute("SELECT name FROM job ORDER BY id").fetchall():
        study = optuna.load_study(study_name=name, storage=url)
        print(check_study(study, name, database, faults))
        copy = optuna.storages.InMemoryStorage()
        optuna.copy_study(from_study_name=name, from_storage=url, to_storage=copy)
        expect(faults, name, "a copy's number of trials", len(optuna.load_study(study_name=name, storage=copy).trials),
               len(study.trials))
    print(*faults, sep="\n", end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
