#!/usr/bin/env python3
"""benchmarks/limits: what a search is worth, which peers' searches are made, and what is kept of them; without peers.

    tests/test_benchmark_limits.py

The programs are those of $TUNER_BUILD, else of build/.
"""
import importlib.machinery
import importlib.util
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("TUNER_BUILD", ROOT / "build"))
sys.path.insert(0, str(ROOT / "benchmarks/peers"))

import results
import kept_searches


def load(name, path):
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


limits = load("benchmark_limits", ROOT / "benchmarks/limits")

SEARCHES = [("gardner1", 1, 301), ("gardner1", 1, 302)]


class Scores(unittest.TestCase):
    def test_what_is_over_a_limit_is_no_best_one(self):
        lg = limits.way([math.nan, 12.0, math.nan, 3.0, 5.0, 2.0], optimum=2.0, unit=10.0)
        self.assertEqual(lg, [1, 0, 0, -1, -1, -4])

    def test_the_way_begins_after_the_shared_points(self):
        end, area, within = limits.score([math.nan, math.nan, 12.0, 3.0], optimum=2.0, unit=10.0, initial=1)
        self.assertEqual((end, area, within), (-1, 0, 1))
        self.assertEqual(limits.score([math.nan, math.nan], 2.0, 10.0, 1), (1, 1, 0))


class Kept(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def test_searches_are_replaced_one_by_one_and_stand_in_order(self):
        for seed, end in ((302, -2.0), (301, -1.0), (302, -3.0)):
            kept_searches.write(self.directory, {(1, "gardner1"): {"optuna-gp": ({seed: (end, 0.25, 1.0)}, 7.0)}}, limits.TITLES)
        self.assertEqual(kept_searches.read(self.directory, "optuna-gp"),
                         {SEARCHES[0]: (-1, 0.25, 1), SEARCHES[1]: (-3, 0.25, 1)})
        self.assertEqual(list(kept_searches.read(self.directory, "optuna-gp")), SEARCHES)
        self.assertEqual(kept_searches.read(self.directory, "optuna-tpe"), {})

    def run_limits(self, *more):
        return subprocess.run([ROOT / "benchmarks/limits", "--simulate", BUILD / "benchmarks/simulate", "--problems", "gardner1",
                               "--workers", "1", "--seeds", "301-302", "--kept", self.directory / "kept",
                               "--runs", self.directory / "runs", "--peers", self.directory / "peers", *more],
                              capture_output=True, text=True)

    @unittest.skipUnless((BUILD / "benchmarks/simulate").exists(), "needs a build")
    def test_searches_that_are_kept_or_made_are_not_made_again(self):
        kept_searches.write(self.directory / "kept", {(1, "gardner1"): {"optuna-gp": ({301: (-1.5, -0.5, 1.0)}, 7.0)}}, limits.TITLES)
        rows = [(trial, float(trial), math.nan if trial < 50 else -1.0, 0.0, 0.003) for trial in range(1, 51)]
        results.append(self.directory / "runs", "optuna-gp",
                       results.format_run(results.Key("gardner1", "optuna-gp", 1, 302), rows))
        done = self.run_limits("--methods", "random,optuna-gp", "--results", self.directory / "new")
        self.assertEqual(done.stderr, "")
        ours, peer = (kept_searches.read(self.directory / "new", method) for method in ("random", "optuna-gp"))
        self.assertEqual((list(ours), list(peer)), (SEARCHES, SEARCHES))
        self.assertEqual(peer[SEARCHES[0]], (-1.5, -0.5, 1))
        self.assertEqual(peer[SEARCHES[1]][2], 1)
        line = next(line for line in done.stdout.splitlines() if line.split()[:2] == ["gardner1", "optuna-gp"])
        difference = (peer[SEARCHES[0]][0] + peer[SEARCHES[1]][0] - ours[SEARCHES[0]][0] - ours[SEARCHES[1]][0]) / 2
        self.assertIn(f"  3.00 ms  end {difference:+.2f} [", line)
        self.assertFalse((self.directory / "peers").exists())

    @unittest.skipUnless((BUILD / "benchmarks/simulate").exists(), "needs a build")
    def test_a_peer_that_is_not_told_of_limits_is_refused(self):
        done = self.run_limits("--methods", "limits,hebo")
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no method hebo; there are limits, failures, random, optuna-gp, optuna-tpe", done.stderr)


if __name__ == "__main__":
    unittest.main()
