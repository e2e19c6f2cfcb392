#!/usr/bin/env python3
"""benchmarks/latency-peers: which cells are measured and how they are shown; that peers are measured on what we are.

    tests/test_latency.py

The programs are those of $TUNER_BUILD, else of build/.
"""
import csv
import importlib.machinery
import importlib.util
import os
import pathlib
import random
import subprocess
import sys
import types
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
LATENCY = pathlib.Path(os.environ.get("TUNER_BUILD", ROOT / "build")) / "benchmarks/latency"
sys.path.insert(0, str(ROOT / "benchmarks/peers"))


def load(name, path):
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


threads = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
                                                   "MKL_NUM_THREADS")}
peer = load("peer_latency", ROOT / "benchmarks/peers/latency.py")
for name, value in threads.items():  # it sets them for itself
    os.environ.pop(name) if value is None else os.environ.update({name: value})
together = load("latency_peers", ROOT / "benchmarks/latency-peers")
Cell = together.Cell


class Cells(unittest.TestCase):
    def test_a_longer_history_is_left_out_where_a_shorter_one_took_too_long(self):
        found = {Cell("ax", 3, 200): [None], Cell("ax", 10, 200): [700.0], Cell("hebo", 3, 200): []}
        hopeless = [together.is_hopeless(cell, found) for cell in (
            Cell("ax", 3, 500), Cell("ax", 3, 200), Cell("ax", 3, 50), Cell("ax", 10, 500),
            Cell("hebo", 3, 500), Cell("smac", 3, 500))]
        self.assertEqual(hopeless, [True, True, False, False, True, False])

    def test_a_cell_shows_the_median_or_the_limit(self):
        options = types.SimpleNamespace(limit=20.0)
        shown = [together.format_cell(options, times) for times in (
            [1.25, 9.0, 2.0], [1234.4], [3.0, None], [], None)]
        self.assertEqual(shown, ["2.0", "1234", "> 20000", "-", "-"])


class History(unittest.TestCase):
    def test_peers_go_on_with_the_objective_of_the_history(self):
        """But for the noise, of sd 0.01."""
        printed = subprocess.run([LATENCY, "--history", "--n", "40", "--d", "3"], check=True,
                                 capture_output=True, text=True).stdout
        rows = [[float(value) for value in row] for row in csv.reader(printed.splitlines())]
        self.assertEqual([len(row) for row in rows], [4] * 40)
        quiet = random.Random()
        quiet.gauss = lambda mean, sd: 0
        for row in rows:
            self.assertLess(abs(peer.objective(row[:-1], quiet) - row[-1]), 0.06)


class Ours(unittest.TestCase):
    def test_with_a_refit_each_time_it_takes_longer_than_with_none(self):
        printed = subprocess.run([LATENCY, "--csv", "--n", "120", "--d", "3", "--repeats", "1",
                                  "--suggestions", "4"], check=True, stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, text=True).stdout
        row, = csv.DictReader(printed.splitlines())
        self.assertGreater(float(row["refit_ms"]), float(row["kept_ms"]))
        for name in ("limit_percent", "refit_limit_percent", "kept_limit_percent"):
            self.assertTrue(0 < float(row[name]) < 100)


if __name__ == "__main__":
    unittest.main()
