#!/usr/bin/env python3
"""benchmarks/pareto: hypervolumes, what a search is worth, the problems and their fronts, and which searches are made; without peers.

    tests/test_benchmark_pareto.py

The programs are those of $TUNER_BUILD, else of build/.
"""
import importlib.machinery
import importlib.util
import math
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import types
import unittest

try:
    import numpy
except ImportError:
    numpy = None

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("TUNER_BUILD", ROOT / "build"))
LIBRARY = BUILD / "benchmarks/libproblems.so"
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "benchmarks/peers")]

import problems
import results
import kept_searches
import simulate

if numpy:
    import fronts


def load(name, path):
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


pareto = load("benchmark_pareto", ROOT / "benchmarks/pareto")

needs_build = unittest.skipUnless(LIBRARY.exists(), "needs a build")
needs_numpy = unittest.skipUnless(numpy, "needs numpy")


def hypervolume(points, reference):
    return problems.hypervolume(problems.open_library(LIBRARY), points, reference)


@needs_build
class Hypervolume(unittest.TestCase):
    def assert_volume(self, expected, points, reference):
        for order in (points, points[::-1]):
            self.assertAlmostEqual(hypervolume(order, reference), expected, places=12)

    def test_two_objectives_are_steps(self):
        self.assert_volume(0, [], [1, 1])
        self.assert_volume(0.5, [(0.5, 0)], [1, 1])
        self.assert_volume(6 + 2 + 1, [(1, 2), (2, 1), (3, 0)], [4, 4])

    def test_what_another_surpasses_or_equals_adds_nothing(self):
        self.assert_volume(9, [(1, 1), (1, 1), (1, 2), (3, 3)], [4, 4])

    def test_what_is_not_better_than_the_reference_adds_nothing(self):
        self.assert_volume(1, [(3, 3), (4, 0), (0, 4), (-9, 5), (math.nan, 0), (0, math.nan)], [4, 4])

    def test_three_objectives_are_a_union_of_boxes(self):
        self.assert_volume(8, [(1, 1, 1)], [3, 3, 3])
        # Each of 2 x 1 x 1, of which all share a cube of 1.
        self.assert_volume(3 * 2 - 2, [(1, 2, 2), (2, 1, 2), (2, 2, 1)], [3, 3, 3])
        self.assert_volume(2 + 2 - 1 + 0.75 - 0.25, [(0, 1, 2), (1, 0, 2), (1.5, 1.5, 0)], [2, 2, 3])

    def test_many_points_cover_what_random_outcomes_say(self):
        draw = random.Random(7)
        for m in (2, 3):
            points = [tuple(draw.random() for _ in range(m)) for _ in range(30)]
            hits = sum(any(all(x <= y for x, y in zip(point, at)) for point in points)
                       for at in ([draw.random() for _ in range(m)] for _ in range(20000)))
            self.assertAlmostEqual(hypervolume(points, [1.0] * m), hits / 20000, delta=0.015)


@needs_build
class Scores(unittest.TestCase):
    problem = types.SimpleNamespace(covered=lambda points: hypervolume(points, [2.0, 2.0]), front=4.0, initial_count=1)

    def test_the_part_that_is_not_covered(self):
        points = [(1.8, 0.0), (1.0, 1.0), (math.nan, 0.0), (0.0, 0.0)]
        expected = [math.log10(1 - 0.1), math.log10(1 - 0.3), math.log10(1 - 0.3), -4]
        for found, value in zip(pareto.way(points, self.problem), expected, strict=True):
            self.assertAlmostEqual(found, value)

    def test_nothing_is_covered_before_a_trial_is_within(self):
        self.assertEqual(pareto.way([(math.nan, 0.0), (1.0, 3.0)], self.problem), [0, 0])

    def test_after_parts_of_the_trials_and_on_the_way_from_the_shared_points(self):
        rows = [{"value": value, "others": [1.0]} for value in (9.0, 1.6, 1.2, 1.0)]
        lg = [math.log10(1 - covered / 4) for covered in (0, 0.4, 0.8, 1)]
        for found, value in zip(pareto.score(rows, self.problem), [lg[0], lg[1], lg[3], sum(lg[1:]) / 3], strict=True):
            self.assertAlmostEqual(found, value)

    def test_numbers_of_a_table(self):
        self.assertEqual([pareto.number(x, sign) for x, sign in ((-0.871, ""), (-1.5, ""), (0.126, "+"), (-10.5, "+"), (0.999, ""))],
                         ["−.87", "−1.50", "+.13", "−10.50", "1.00"])


@needs_build
class Problems(unittest.TestCase):
    def setUp(self):
        self.known = problems.load_fronts(LIBRARY)

    @needs_numpy
    def test_objectives_and_limits_are_those_of_the_formulas(self):
        draw = random.Random(1)
        formulas = fronts.fronts()
        self.assertEqual(formulas.keys(), self.known.keys())
        for name, front in formulas.items():
            problem = self.known[name]
            self.assertEqual([(p.min, p.max) if p.type != "categorical" else (0, p.n_values - 1) for p in problem.space],
                             [(low, high) for low, high, _ in front.space])
            for _ in range(100):
                x = [draw.randint(int(low), int(high)) if whole else draw.uniform(low, high) for low, high, whole in front.space]
                columns = [numpy.array([float(u)]) for u in x]
                expected = [float(numpy.ravel(y)[0]) for y in front.objectives(columns)]
                excess = [float(numpy.ravel(y)[0]) for y in front.excess(columns)] if front.excess else []
                first = problem.value(x)
                self.assertEqual(math.isnan(first), any(over > 0 for over in excess))
                found = [expected[0] if math.isnan(first) else first, *problem.others(x), *problem.excess(x)]
                for value, other in zip(found, expected + excess, strict=True):
                    self.assertAlmostEqual(value, other, delta=1e-9 * (1 + abs(other)), msg=f"{name} at {x}")

    @needs_numpy
    def test_references_and_fronts_are_those_of_the_program(self):
        for name, front in fronts.fronts().items():
            self.assertEqual(self.known[name].reference, front.reference, name)
            volume = fronts.volume(front)
            if volume is not None:
                self.assertAlmostEqual(self.known[name].front / volume, 1, delta=1e-5, msg=name)

    @needs_numpy
    def test_points_of_a_front_are_taken_by_what_they_add(self):
        points = [(3.0, 0.0), (1.0, 1.0), (0.5, 3.0), (1.0, 2.0), (2.0, 1.0)]  # 4, 9, 3.5 of 16, then at most 1 and .5 more
        library = problems.open_library(LIBRARY)
        for chosen, covered in ((1, 9), (2, 10), (3, 10.5)):
            self.assertAlmostEqual(fronts.uncovered(points, chosen, [4.0, 4.0], 16, library), math.log10(1 - covered / 16))

    @needs_numpy
    def test_a_short_search_finds_nearly_the_front_and_nothing_beyond_it(self):
        for name, front in fronts.fronts().items():
            if len(front.reference) == 2:
                found = fronts.search(front, batches=25, seed=3).volume() / self.known[name].front
                self.assertGreater(found, 0.97, name)
                self.assertLess(found, 1 + 1e-4, name)

    def test_no_trial_of_a_search_reaches_beyond_the_front(self):
        for problem in self.known.values():
            points = [problem.initial(301, k) for k in range(60)]
            covered = problem.covered([(problem.value(x), *problem.others(x)) for x in points])
            self.assertLess(covered, problem.front, problem.name)

    def test_noise_is_of_each_objective_and_of_the_trial(self):
        problem = self.known["dtlz2-noisy"]
        x = [0.2, 0.3, 0.4, 0.5]
        self.assertEqual(problem.observe_others(x, 7, 3), problem.observe_others(x, 7, 3))
        errors = [(problem.observe(x, 7, n) - problem.value(x), problem.observe_others(x, 7, n)[0] - problem.others(x)[0])
                  for n in range(1, 2001)]
        for column in zip(*errors):
            self.assertAlmostEqual(math.sqrt(sum(e * e for e in column) / len(column)), 0.044, delta=0.003)
        self.assertAlmostEqual(sum(a * b for a, b in errors) / len(errors) / 0.044 ** 2, 0, delta=0.1)

    def test_a_peer_is_told_all_objectives_and_excesses(self):
        told = {}

        class Peer:
            def __init__(self, space, seed, budget, objectives):
                told["objectives"] = objectives

            def start(self, number, values):
                told["values"] = values

            def tell(self, number, y, excess, others):
                told["told"] = (y, excess, others)

        problem = self.known["srn"]
        _, _, value, observed, _, others = simulate.simulate(problem, Peer, 301, 1, 1)[0]
        self.assertEqual(told["objectives"], 2)
        self.assertEqual(told["told"], (observed, problem.excess(told["values"]), problem.others(told["values"])))
        self.assertEqual(others, problem.others(told["values"]))


@needs_build
class Searches(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def run_pareto(self, *more):
        return subprocess.run([ROOT / "benchmarks/pareto", "--simulate", BUILD / "benchmarks/simulate", "--problems", "poloni",
                               "--seeds", "301-302", "--kept", self.directory / "kept", "--runs", self.directory / "runs",
                               "--peers", self.directory / "peers", *more], capture_output=True, text=True)

    def test_our_rows_have_all_objectives_of_the_shared_points(self):
        problem = problems.load_fronts(LIBRARY)["dtlz2"]
        options = types.SimpleNamespace(simulate=BUILD / "benchmarks/simulate", seeds="301-302")
        runs = kept_searches.our_runs(options, "dtlz2", 2, ["--method", "random"])
        self.assertEqual([len(run) for run in runs.values()], [60, 60])
        for seed, run in runs.items():
            for row in run:
                self.assertEqual(len(row["others"]), 2)
                if row["trial"] <= problem.initial_count:
                    x = problem.initial(seed, int(row["trial"]) - 1)
                    self.assertEqual([row["value"], *row["others"]], [problem.value(x), *problem.others(x)])

    def test_searches_that_are_kept_or_made_are_not_made_again(self):
        kept_searches.write(self.directory / "kept", {(1, "poloni"): {"optuna-gp": ({301: (-0.5, -1.0, -2.0, -1.25)}, 7.0)}}, pareto.TITLES)
        rows = [(trial, float(trial), 2.0, 2.0, 0.003, [20.0]) for trial in range(1, 61)]
        results.append(self.directory / "runs", "optuna-gp",
                       results.format_run(results.Key("poloni", "optuna-gp", 1, 302), rows), results.FRONT_HEADER)
        done = self.run_pareto("--methods", "random,optuna-gp", "--results", self.directory / "new")
        self.assertEqual(done.stderr, "")
        ours, peer = (kept_searches.read(self.directory / "new", method) for method in ("random", "optuna-gp"))
        self.assertEqual(list(ours), [("poloni", 1, 301), ("poloni", 1, 302)])
        self.assertEqual(peer["poloni", 1, 301], (-0.5, -1.0, -2.0, -1.25))
        problem = problems.load_fronts(LIBRARY)["poloni"]
        lg = math.log10(1 - (18.4 - 2) * (27.5 - 20) / problem.front)
        for found in peer["poloni", 1, 302]:
            self.assertAlmostEqual(found, lg, places=3)
        line = next(line for line in done.stdout.splitlines() if line.split()[:2] == ["poloni", "optuna-gp"])
        difference = (-2 + lg - ours["poloni", 1, 301][2] - ours["poloni", 1, 302][2]) / 2
        self.assertIn(f"  3.00 ms  100 {difference:+.2f} [", line)
        self.assertFalse((self.directory / "peers").exists())
        self.assertEqual((self.directory / "new/random.csv").read_text().splitlines()[0], "problem,workers,seed,25,50,100,way")

    def test_a_table(self):
        done = self.run_pareto("--methods", "random,sobol", "--table")
        self.assertEqual(done.stderr, "")
        lines = done.stdout.splitlines()
        self.assertEqual(lines[:3], ["1 worker", "| problem | d | objectives | random | sobol | sobol − random |", "|---|---|---|---|---|---|"])
        value, signed = r"−\d?\.\d\d", r"[+−]?\d?\.\d\d"
        self.assertRegex(lines[3], rf"^\| poloni \| 2 \| 2 \| {value} \| {value} \| {signed} \[{signed}, {signed}\] \|$")
        self.assertEqual(len(lines), 5)

    def test_what_is_unknown_is_refused(self):
        for more, message in ((["--methods", "tuner,hebo"], "there is no method hebo; there are tuner, random, sobol, optuna-gp, optuna-tpe"),
                              (["--problems", "branin"], "there is no problem branin; there are zdt1,")):
            done = self.run_pareto(*more)
            self.assertEqual(done.returncode, 2)
            self.assertIn(message, done.stderr)

    def test_the_runner_of_peers_refuses_what_does_not_take_several_objectives(self):
        for more, message in ((["--method", "hebo", "--fronts"], "hebo does not take several objectives"),
                              (["--method", "optuna-nsga2"], "optuna-nsga2 is for several objectives"),
                              (["--method", "optuna-gp", "--fronts", "--limited"], "not allowed with")):
            done = subprocess.run([sys.executable, ROOT / "benchmarks/peers/run.py", *more, "--library", LIBRARY, "--out", self.directory],
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 2)
            self.assertIn(message, done.stderr)


if __name__ == "__main__":
    unittest.main()
