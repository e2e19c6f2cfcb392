#!/usr/bin/env python3
"""The simulation of benchmarks/regret and its statistics.

    tests/test_regret.py

What needs numpy, scipy or matplotlib is skipped where these are missing.
"""
import collections
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

BENCHMARKS = pathlib.Path(__file__).resolve().parent.parent / "benchmarks"
sys.path[:0] = [str(BENCHMARKS / "peers"), str(BENCHMARKS)]

import adapter
import results
import scores
import simulate
from problems import Parameter, held_out, load, load_limited

try:
    import numpy
    import regret_statistics as statistics
except ImportError:
    statistics = None

LIBRARY = pathlib.Path(os.environ.get("TUNER_BUILD", BENCHMARKS.parent / "build")) / "benchmarks/libproblems.so"
DURATIONS = [5, 1, 2, 1, 1, 1]  # of trials 1 to 6
Problem = collections.namedtuple("Problem", "optimum random_median initial_count")


class Line:
    """Trial n asks for the value n; trial 4 fails."""
    space, initial_count, n_limits, n_others = [Parameter("x", "float", 0, 100, "linear", 0)], 2, 0, 0

    def initial(self, seed, k):
        return [50.0 + k]

    def value(self, values):
        return values[0]

    def observe(self, values, seed, number):
        return math.nan if number == 4 else values[0]

    def duration(self, seed, number):
        return DURATIONS[number - 1]


class Recorder:
    """A method that notes what it is told, and when."""
    def __init__(self, space, seed, budget, objectives=1):
        self.log = Recorder.log = []
        Recorder.objectives = objectives

    def start(self, number, values):
        self.log.append(("start", number, values[0]))

    def ask(self, number):
        self.log.append(("ask", number))
        return [float(number)]

    def tell(self, number, y, **beside):
        self.log.append(("tell", number, "failed" if math.isnan(y) else y, *beside.values()))


class LimitedLine(Line):
    """With limits at 2 and 9, seen 0.25 too high."""
    n_limits = 2

    def observe_excess(self, values, seed, number):
        return [values[0] - 1.75, values[0] - 8.75]


class TwoLines(Line):
    """With a second objective, seen 0.5 too high."""
    n_others = 1

    def others(self, values):
        return [-values[0]]

    def observe_others(self, values, seed, number):
        return [0.5 - values[0]]


class Simulation(unittest.TestCase):
    def test_one_worker_tells_each_result_before_it_asks(self):
        rows = simulate.simulate(Line(), Recorder, 1, 1, 4)
        self.assertEqual(Recorder.log, [
            ("start", 1, 50), ("tell", 1, 50), ("start", 2, 51), ("tell", 2, 51),
            ("ask", 3), ("tell", 3, 3), ("ask", 4), ("tell", 4, "failed")])
        self.assertEqual([row[1] for row in rows], [1, 2, 3, 4])

    def test_workers_are_asked_for_as_trials_end(self):
        rows = simulate.simulate(Line(), Recorder, 1, 2, 6)
        self.assertEqual([(row[0], row[1]) for row in rows],
                         [(2, 1), (3, 3), (4, 4), (1, 5), (5, 5), (6, 6)])
        self.assertEqual(Recorder.log[:5], [("start", 1, 50), ("start", 2, 51), ("tell", 2, 51),
                                            ("ask", 3), ("tell", 3, 3)])

    def test_limits_are_told_as_they_are_observed_of_failed_trials_too(self):
        simulate.simulate(LimitedLine(), Recorder, 1, 1, 4)
        self.assertEqual([entry[1:] for entry in Recorder.log if entry[0] == "tell"],
                         [(1, 50, [48.25, 41.25]), (2, 51, [49.25, 42.25]), (3, 3, [1.25, -5.75]),
                          (4, "failed", [2.25, -4.75])])

    def test_further_objectives_are_told_as_they_are_observed_and_written_as_they_are(self):
        rows = simulate.simulate(TwoLines(), Recorder, 1, 1, 3)
        self.assertEqual(Recorder.objectives, 2)
        self.assertEqual([entry[1:] for entry in Recorder.log if entry[0] == "tell"], [(1, 50, [-49.5]), (2, 51, [-50.5]), (3, 3, [-2.5])])
        self.assertEqual([row[5] for row in rows], [[-50], [-51], [-3]])

    def test_values_survive_the_way_to_a_peer_and_back(self):
        for p, x in [(Parameter("m", "float", 0, 0.99, "reverse-log", 0), 0.99),
                     (Parameter("m", "float", 0, 0.99, "reverse-log", 0), 0.9),
                     (Parameter("l", "float", 1e-4, 1, "log", 0), 1e-4),
                     (Parameter("s", "float", 0.5, 2, "linear", 0, 0.5), 1.5),
                     (Parameter("i", "int", 1, 9, "linear", 0), 7.0),
                     (Parameter("c", "categorical", 0, 0, "linear", 3), 2.0)]:
            back = adapter.from_peer(p, adapter.to_peer(p, x))
            self.assertAlmostEqual(back, x, delta=1e-15)

    def test_what_a_peer_says_between_two_steps_is_the_nearest(self):
        p = Parameter("s", "float", 0.5, 2, "linear", 0, 0.5)
        self.assertEqual([adapter.from_peer(p, u) for u in (0.5, 0.74, 0.76, 1.9, 2.4)], [0.5, 0.5, 1, 2, 2])

    def test_a_failed_trial_is_as_bad_as_the_worst(self):
        peer = adapter.Adapter([])
        told = [peer.value_or_worst(y) for y in (math.nan, -7, -3, math.nan, -9, math.nan)]
        self.assertEqual(told, [0, -7, -3, -3, -9, -3])


class Results(unittest.TestCase):
    def test_runs_are_read_back_in_the_order_of_their_ends(self):
        key = results.Key("line", "recorder", 2, 1)
        with tempfile.TemporaryDirectory() as directory:
            for seed in (1, 2):
                run = key._replace(seed=seed)
                rows = [(2, 1.0, 51.0, 51.0, 0.1), (1, 5.0, 50.0, math.nan, 0.1)]
                results.append(directory, "recorder", results.format_run(run, rows[::-1]))
            runs = results.read(directory, "recorder")
        self.assertEqual(sorted(run.seed for run in runs), [1, 2])
        self.assertEqual([row["trial"] for row in runs[key]], [2, 1])
        self.assertTrue(math.isnan(runs[key][1]["observed"]))

    def test_ranges(self):
        self.assertEqual(results.parse_range("1,3,7-9"), [1, 3, 7, 8, 9])
        with self.assertRaises(ValueError):
            results.parse_range("1,3-2")

    def test_a_function_is_held_out_with_its_variants(self):
        self.assertEqual(held_out(["levy8", "levy8-noisy", "hartmann6", "camel"]), {"levy8", "levy8-noisy"})


class Scores(unittest.TestCase):
    def rows(self, *pairs):
        return [{"observed": observed, "value": value} for observed, value in pairs]

    def test_a_method_is_judged_by_the_true_value_of_what_looks_best(self):
        curve = scores.best_observed(self.rows((math.nan, math.nan), (5, 4), (6, 1), (2, 3)))
        self.assertEqual(curve, [math.inf, 4, 4, 3])

    def test_scores_are_taken_at_parts_of_the_budget_and_bounded_below(self):
        problem = Problem(optimum=0, random_median=10, initial_count=2)
        found = scores.score_run(problem, self.rows((90, 90), (8, 8), (5, 5), (0, 0)))
        self.assertEqual(found.score, [-1, 1 - 0.8, 1, (1 - 0.8 + 0.5 + 1) / 3])
        self.assertEqual(found.regrets, 5 * [9] + 3 * [0.8] + 2 * [0.5] + 3 * [0])

    def test_what_is_kept_is_read_back_but_for_a_line_that_was_cut_off(self):
        problem = Problem(optimum=0, random_median=10, initial_count=2)
        run = scores.score_run(problem, self.rows((math.nan, math.nan), (8, 8.25), (1, 1.5)))
        with tempfile.TemporaryDirectory() as directory:
            scores.append(directory, "tuner", {("line", 1, 2): run, ("line", 1, 1): run})
            scores.append(directory, "tuner", {("line", 8, 1): run})
            path = scores.path_of(directory, "tuner")
            self.assertEqual(scores.read(directory, "tuner"),
                             {("line", workers, seed): run for workers, seed in ((1, 1), (1, 2), (8, 1))})
            self.assertEqual(run.regrets, 6 * [math.inf] + 3 * [0.825] + 4 * [0.15])
            path.write_text(path.read_text()[:-9])
            self.assertEqual(list(scores.read(directory, "tuner")), [("line", 1, 1), ("line", 1, 2)])
            scores.append(directory, "tuner", {("line", 8, 3): run})
            self.assertEqual(list(scores.read(directory, "tuner")), [("line", 1, 1), ("line", 1, 2), ("line", 8, 3)])
            self.assertEqual(scores.read(directory, "random"), {})


@unittest.skipUnless(LIBRARY.exists(), "needs a build")
class Problems(unittest.TestCase):
    """The functions are what their papers say where these name a point, and no value is below the optimum."""
    OPTIMA = {"branin": [math.pi, 2.275], "camel": [0.08984201, -0.71265640],
              "hartmann3": [0.114614, 0.555649, 0.852547],
              "hartmann6": [0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573],
              "hartmann3-log": [10**(4 * (u - 1)) for u in (0.114614, 0.555649, 0.852547)],
              "ackley5": 5 * [0.0], "ackley13": 13 * [0.0], "levy8": 8 * [1.0], "rosenbrock4": 4 * [1.0],
              "styblinski5": 5 * [-2.903534], "michalewicz5": [2.202906, 1.570796, 1.284992, 1.923058, 1.720470],
              "jenatton": [0, 0, 1, 0.0, 0.7, 0.7, 0.7, 0.0, 0.3]}

    def setUp(self):
        self.problems = load(LIBRARY)

    def test_optima(self):
        for name, point in self.OPTIMA.items():
            with self.subTest(name):
                problem = self.problems[name]
                self.assertAlmostEqual(problem.value(point), problem.optimum, delta=2e-6 * max(1, abs(problem.optimum)))

    def test_no_shared_point_is_below_the_optimum(self):
        for name, problem in self.problems.items():
            with self.subTest(name):
                values = [problem.value(problem.initial(seed, k)) for seed in range(1, 41)
                          for k in range(problem.initial_count)]
                self.assertGreaterEqual(min(value for value in values if not math.isnan(value)), problem.optimum)

    def test_a_leaf_of_the_tree_is_decided_by_the_switches_above_it(self):
        value = self.problems["jenatton"].value
        rest = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
        for switches, expected in (((0, 0, 1), 0.01 + 0.1 + 0.5), ((0, 1, 0), 0.04 + 0.2 + 0.5),
                                   ((1, 0, 0), 0.09 + 0.3 + 0.6), ((1, 0, 1), 0.16 + 0.4 + 0.6)):
            self.assertAlmostEqual(value([*switches, *rest]), expected)

    def test_what_the_switches_leave_out_stands_in_its_middle(self):
        problem = self.problems["jenatton"]
        for k in range(problem.initial_count):
            x1, x2, x3, x4, x5, x6, x7, r8, r9 = problem.initial(7, k)
            self.assertEqual((x6, x7, r9) if x1 == 0 else (x4, x5, r8), (0.0, 0.0, 0.5))
            self.assertEqual(x4 == 0, x1 == 1 or x2 == 1)


@unittest.skipUnless(LIBRARY.exists(), "needs a build")
class LimitedProblems(unittest.TestCase):
    """Points within that are as good as what the papers found, where these say it; some are rounded to the inner side."""
    OPTIMA = {"gardner1": [4.7124, 0.0], "gardner2": [4.7124, 1.2535], "gramacy": [0.1954, 0.4045],
              "branin-disk": [math.pi, 2.275],
              "hartmann6-ball": [0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573],
              "ackley5-half-ball": 5 * [0.0], "spring": [0.0517, 0.3569, 11.29],
              "vessel": [0.8125, 0.4375, 42.0984, 176.638]}

    def setUp(self):
        self.problems = load_limited(LIBRARY)

    def points(self, problem, seeds=range(1, 41)):
        return [problem.initial(seed, k) for seed in seeds for k in range(problem.initial_count)]

    def test_they_are_not_among_the_others(self):
        others = load(LIBRARY)
        self.assertEqual({problem.n_limits for problem in others.values()}, {0})
        self.assertNotIn(0, {problem.n_limits for problem in self.problems.values()})
        self.assertFalse(others.keys() & self.problems.keys())

    def test_optima_keep_the_limits(self):
        for name, point in self.OPTIMA.items():
            with self.subTest(name):
                problem = self.problems[name]
                excess = problem.excess(point)
                self.assertEqual(len(excess), problem.n_limits)
                self.assertLessEqual(max(excess), 0)
                self.assertAlmostEqual(problem.value(point), problem.optimum, delta=4e-4 * max(1, abs(problem.optimum)))

    def test_a_value_is_one_within_the_limits_and_none_is_below_the_optimum(self):
        for name, problem in self.problems.items():
            with self.subTest(name):
                for point in self.points(problem, range(1, 6)):
                    value = problem.value(point)
                    self.assertEqual(math.isnan(value), max(problem.excess(point)) > 0)
                    self.assertFalse(value < problem.optimum)

    def test_the_excess_is_observed_with_noise_of_its_own(self):
        for name in ("branin-disk", "branin-disk-noisy"):
            problem = self.problems[name]
            errors = [problem.observe_excess(point, 1, number)[0] - problem.excess(point)[0]
                      for number, point in enumerate(self.points(problem), 1)]
            noise = math.sqrt(sum(error * error for error in errors) / len(errors))
            self.assertAlmostEqual(noise, 5 if name.endswith("noisy") else 0, delta=0.6)
        point = self.points(problem)[0]
        self.assertEqual(problem.observe_excess(point, 1, 7), problem.observe_excess(point, 1, 7))
        self.assertNotEqual(problem.observe_excess(point, 1, 7), problem.observe_excess(point, 2, 7))

    def test_a_peer_hears_of_the_limits_what_ours_does(self):
        """simulate --limits failed says which trials are over a limit as observed."""
        problem = self.problems["branin-disk-noisy"]
        printed = subprocess.run([LIBRARY.with_name("simulate"), "--problem", problem.name, "--seeds", "301-310", "--method",
                                  "random", "--trials", "6", "--limits", "failed"], check=True, capture_output=True, text=True)
        rows = [line.split(",") for line in printed.stdout.splitlines()]
        for _, _, _, seed, trial, _, value, observed, _ in rows:
            point, number = problem.initial(int(seed), int(trial) - 1), int(trial)
            over = problem.observe_excess(point, int(seed), number)[0] > 0
            told = math.nan if over else problem.observe(point, int(seed), number)
            self.assertEqual(repr([float(value), float(observed)]), repr([problem.value(point), told]))  # NaN is NaN
        self.assertEqual({row[7] == "nan" for row in rows}, {True, False})

    def test_a_value_between_two_steps_is_not_in_the_space(self):
        problem = self.problems["vessel"]
        self.assertEqual([p.step for p in problem.space], [0.0625, 0.0625, 0, 0])
        with self.assertRaisesRegex(ValueError, "shell"):
            problem.value([0.82, 0.4375, 42, 177])


@unittest.skipUnless(statistics, "needs numpy, scipy and matplotlib")
class Statistics(unittest.TestCase):
    def test_the_mean_weighs_problems_alike_whatever_their_number_of_seeds(self):
        measures = numpy.ones(4)
        found = statistics.bootstrap({"a": numpy.array([measures] * 9), "b": numpy.array([-measures])},
                                     1000)
        self.assertTrue((found[:, 0] == 0).all())
        self.assertTrue((found[:, 1] == -1).all() and (found[:, 2] == 1).all())

    def test_the_interval_of_one_problem_is_that_of_its_mean(self):
        values = numpy.random.default_rng(3).normal(size=(400, 4))
        mean, low, high = statistics.bootstrap({"a": values}, 4000).T
        self.assertTrue(numpy.allclose((high - low) / 2, 1.96 / 20, rtol=0.12))
        self.assertTrue(numpy.allclose(mean, values.mean(axis=0)))

    def test_variants_of_a_function_are_drawn_together(self):
        rows = {"f": numpy.ones((5, 4)), "f-noisy": numpy.ones((5, 4)), "g": -numpy.ones((5, 4))}
        found = statistics.bootstrap(rows, 1000, statistics.function_of)
        self.assertTrue(numpy.allclose(found[0], [1 / 3, -1, 1]))

    def test_holm(self):
        self.assertTrue(numpy.allclose(statistics.holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]))

    def test_wilcoxon_says_who_is_ahead_unless_there_is_too_little(self):
        p, ahead = statistics.wilcoxon(-numpy.arange(1.0, 11))
        self.assertAlmostEqual(p, 2 / 2**10)
        self.assertEqual(ahead, -1)
        self.assertEqual(statistics.wilcoxon(numpy.array([1.0] * 5 + [0.0] * 9)), (1, 0))

    def test_a_method_of_few_runs_takes_none_from_the_others(self):
        def runs(n):
            return {("a", 1, seed): scores.Scored(None, numpy.zeros(4)) for seed in range(n)}

        found = {"tuner": runs(4), "random": runs(4), "sobol": runs(4), "ax": runs(1)}
        told = list(statistics.rank_tables(found, 1))
        self.assertEqual([text for text in told if text.startswith("Ranks")],
                         ["Ranks, over the 4 runs that these have:\n", "Ranks, over the 1 runs that these have:\n"])
        self.assertNotIn("Ax", told[1])
        self.assertIn("Ax", told[3])
        self.assertEqual(list(statistics.rank_tables(found, 8)), [])

    def test_a_method_that_is_only_begun_is_named_and_in_no_table(self):
        def runs(*of):
            return {(problem, workers, 1): scores.Scored(None, numpy.zeros(4)) for problem, workers in of}

        found = {"tuner": runs(("a", 1), ("b", 1), ("a", 8)), "random": runs(("a", 1), ("b", 1), ("c", 1)),
                 "ax": runs(("b", 1), ("a", 8)), "hebo": runs(("a", 1))}
        told, begun = statistics.split_by_completeness(found)
        self.assertEqual(list(told), ["tuner", "random", "ax"])
        self.assertEqual(list(told["ax"]), [("a", 8, 1)])
        self.assertEqual(begun, {("ax", 1): 1, ("hebo", 1): 1})
        self.assertEqual(statistics.begun_lines(found, begun, 1),
                         ["Begun, and in no table yet: Ax (BoTorch) (1 of 2 problems), HEBO (1 of 2 problems).\n"])
        self.assertEqual(statistics.begun_lines(found, begun, 8), [])

    def test_ranks_are_over_the_runs_that_all_have(self):
        def run(score):
            return scores.Scored(None, numpy.full(4, score))

        found = {"tuner": {("a", 1, 1): run(0.9), ("a", 1, 2): run(0.1), ("b", 1, 1): run(0.0)},
                 "random": {("a", 1, 1): run(0.5), ("a", 1, 2): run(0.1)}}
        self.assertEqual(statistics.mean_ranks(found, 1, 0), {"tuner": 1.25, "random": 1.75})


if __name__ == "__main__":
    unittest.main()
