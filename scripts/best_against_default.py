#!/usr/bin/env python3
"""Compares the best trial of a job with its first, the default configuration.

    best_against_default.py DATABASE JOB

Reads the view v_trial of a tuner database, as a script of your own might.
"""
import json
import pathlib
import sqlite3
import sys

QUERY = """
SELECT number, parameters, objective, metric, goal
  FROM v_trial
 WHERE job = ? AND state = 'done'
 ORDER BY CASE goal WHEN 'maximize' THEN -objective ELSE objective END, number
"""


def finished_trials(database, job):
    """The finished trials of the job, the best first."""
    # Not mode=ro: such a reader cannot remove the -wal and -shm files that it makes.
    connection = sqlite3.connect(pathlib.Path(database).absolute().as_uri() + "?mode=rw", uri=True)
    connection.execute("PRAGMA query_only = ON")
    connection.row_factory = sqlite3.Row
    try:
        return connection.execute(QUERY, (job,)).fetchall()
    finally:
        connection.close()


def describe(label, trial):
    parameters = json.loads(trial["parameters"])
    values = "  ".join("%s=%.4g" % item for item in parameters.items())
    print("%-8s trial %-3d %s %.4f    %s"
          % (label, trial["number"], trial["metric"], trial["objective"], values))


def main(database, job):
    trials = finished_trials(database, job)
    default = next((trial for trial in trials if trial["number"] == 1), None)
    if default is None:
        sys.exit("%s: trial 1 has no result" % job)
    best = trials[0]
    describe("default", default)
    describe("best", best)
    gain = abs(best["objective"] - default["objective"])
    print("%.1f points of %s gained" % (100 * gain, best["metric"]))


if __name__ == "__main__":
    main(*sys.argv[1:])
