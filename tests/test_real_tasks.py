#!/usr/bin/env python3
"""benchmarks/real-tasks and mixed-functions: spaces, searches and statistics; without what trains and without peers."""
import contextlib
import io
import json
import math
import os
import pathlib
import random
import stat
import statistics
import subprocess
import sys
import tempfile
import types
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("TUNER_BUILD", ROOT / "build"))
sys.path.insert(0, str(ROOT / "benchmarks/tasks"))

import asking
import records
import spaces
import statistics_of_tasks as tables
from spaces import choice, real, whole

try:
    import numpy
    import families
except ImportError:
    families = None

SPACE = [choice("kind", "a", "b"), real("x", 0, 1), real("rate", 1e-3, 10, log=True, when=["kind", ["b"]]),
         whole("n", 1, 8, when=["kind", ["a"]])]


def bowl(kind, x, rate=None, n=None):
    assert isinstance(x, float) and (rate is None) == (kind == "a") and (n is None) == (kind == "b")
    assert n is None or isinstance(n, int)
    return math.nan if n == 8 else (x - 1) ** 2 + (0.1 if kind == "a" else 0)


def load_searches():
    """With a task of our own in the place of those that need scikit-learn."""
    fake = types.ModuleType("tasks")
    fake.TASKS = {"bowl": (SPACE, bowl)}
    with mock.patch.dict(sys.modules, {"tasks": fake}):
        import searches
    return searches


searches = load_searches()

PEER = """#!{python}
import sys
sys.stdin.readline()
workers = 3 if int(sys.argv[3]) > 20 else 1
asked, running = 0, {{}}
for line in iter(sys.stdin.readline, ""):
    if sys.argv[3] == "13":
        sys.exit(1)
    if sys.argv[3] == "15":
        print("a warning", flush=True)
        sys.exit(0)
    if line == "ask\\n":
        assert len(running) == min(asked, workers - 1), running
        asked += 1
        x = running[asked] = (asked - 1) / 10
        print('{{"kind": "b", "x": %f, "rate": 1.0}}' % x, flush=True)
    else:
        said, number, loss = line.split()
        assert said == "tell" and abs(float(loss) - (running.pop(int(number)) - 1) ** 2) < 1e-9, line
"""


class Spaces(unittest.TestCase):
    def test_draws_have_what_is_active_inside_its_bounds(self):
        generator, kinds = random.Random(3), set()
        for _ in range(300):
            drawn = spaces.draw(SPACE, generator)
            kinds.add(drawn["kind"])
            self.assertEqual(set(drawn), {"kind", "x", "n"} if drawn["kind"] == "a" else {"kind", "x", "rate"})
            self.assertTrue(0 <= drawn["x"] <= 1)
            self.assertTrue(1e-3 <= drawn.get("rate", 1) <= 10)
            self.assertIn(drawn.get("n", 1), range(1, 9))
        self.assertEqual(kinds, {"a", "b"})

    def test_what_is_not_active_is_taken_out_in_order(self):
        every = {"kind": "a", "x": 0.5, "rate": 1, "n": 3}
        self.assertEqual(spaces.active_part(SPACE, every), {"kind": "a", "x": 0.5, "n": 3})


class Searches(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.out = pathlib.Path(self.directory.name) / "out.csv"
        self.python = pathlib.Path(self.directory.name) / "hebo/bin/python"
        self.python.parent.mkdir(parents=True)
        self.python.write_text(PEER.format(python=sys.executable))
        self.python.chmod(self.python.stat().st_mode | stat.S_IXUSR)

    def search(self, method, *more, seeds="1-2", status=0):
        words = ["searches.py", "--out", str(self.out), "--method", method, "--seeds", seeds,
                 "--trials", "9", "--tuner", str(BUILD / "tuner/tuner"), "--peers", self.directory.name, *more]
        said = io.StringIO()
        with mock.patch.object(sys, "argv", words), contextlib.redirect_stderr(said):
            self.assertEqual(searches.main(), status)
        self.said = said.getvalue()
        return records.read(self.out)

    def test_ours_is_asked_and_told(self):
        first, second = self.search("tuner")
        self.assertEqual((first.task, first.workers, first.seed, len(first.losses)), ("bowl", 1, 1, 9))
        self.assertNotEqual(first.losses, second.losses)
        self.assertLess(min(loss for loss in first.losses if not math.isnan(loss)), 0.05)

    def test_a_setting_of_the_strategy_arrives(self):
        usual = self.search("tuner", seeds="1-1")[0].losses
        self.out.unlink()
        other = self.search("tuner", "--set", "initial=9", seeds="1-1")[0].losses
        self.assertEqual(usual[:5], other[:5])
        self.assertNotEqual(usual, other)

    def test_a_program_that_ends_at_once_is_told(self):
        self.assertEqual(self.search("tuner", "--tuner", "/bin/false", seeds="1-1", status=1), [])
        self.assertIn("tuner, bowl, 1 workers, seed 1: ", self.said)

    def test_a_search_is_read_as_it_was_written(self):
        one = records.Search("p", 8, 3, [1.25, math.nan, 3e-7])
        records.append(self.out, one)
        records.append(self.out, one)
        self.assertEqual(self.out.read_text(), "task,workers,seed,losses\n" + 2 * "p,8,3,1.25 nan 3e-07\n")
        found, _ = records.read(self.out)
        self.assertEqual(found[:3], one[:3])
        self.assertEqual([repr(loss) for loss in found.losses], ["1.25", "nan", "3e-07"])

    def test_what_is_there_is_not_searched_again_and_a_cut_line_is_nothing(self):
        whole_ones = repr(self.search("random"))  # NaN equals nothing, its letters do
        for cut in (20, 1):
            self.out.write_text(self.out.read_text()[:-cut])
            self.assertEqual(repr(self.search("random")), whole_ones)
        self.assertEqual(repr(self.search("random", seeds="1-3")[:2]), whole_ones)
        self.assertEqual(self.out.read_text().count("task,"), 1)

    def test_a_peer_is_asked_and_told_by_lines(self):
        search, = self.search("hebo", seeds="1-1")
        self.assertEqual(search.losses, [round((i / 10 - 1) ** 2, 6) for i in range(9)])

    def test_with_three_workers_two_trials_run_when_the_next_is_asked(self):
        search, = self.search("hebo", "--workers", "3", seeds="21-21")
        self.assertEqual(search.workers, 3)
        started = [round((i / 10 - 1) ** 2, 6) for i in range(9)]
        self.assertNotEqual(search.losses, started)
        self.assertEqual(sorted(search.losses, reverse=True), started)
        ours, = self.search("tuner", "--workers", "3", "--tasks", "bowl", seeds="1-1")[1:]
        self.assertEqual((ours.workers, len(ours.losses)), (3, 9))

    def test_durations_are_the_same_for_every_method_and_others_for_another_seed(self):
        def first_of(seed):
            return [round(last, 9) for last, _ in zip(asking.durations("bowl", seed), range(2000))]
        self.assertEqual(first_of(1), first_of(1))
        self.assertNotEqual(first_of(1), first_of(2))
        self.assertAlmostEqual(statistics.stdev(map(math.log, first_of(1))), 0.5, delta=0.03)

    def test_a_peer_that_ends_early_is_named_and_the_others_are_done(self):
        found = self.search("hebo", seeds="12-14", status=1)
        self.assertEqual([search.seed for search in found], [12, 14])
        self.assertIn("hebo, bowl, 1 workers, seed 13: it ended before its answer", self.said)

    def test_what_is_no_answer_is_shown(self):
        self.search("hebo", seeds="15-15", status=1)
        self.assertEqual(self.said, "hebo, bowl, 1 workers, seed 15: its answer is no JSON: a warning\n")


@unittest.skipUnless(families, "needs numpy")
class Families(unittest.TestCase):
    def test_no_point_is_below_the_least_value_and_some_come_near(self):
        for name in families.FAMILIES:
            with self.subTest(name):
                space, loss, least = families.instance(name, 3)
                generator = random.Random(3)
                values = [loss(**spaces.draw(space, generator)) for _ in range(2000)]
                self.assertGreaterEqual(min(values), least - 1e-9)
                nearest = (min(values) - least) / (sorted(values)[1000] - least)
                self.assertLess(nearest, 0.6)

    def test_a_seed_is_an_instance(self):
        for name in families.FAMILIES:
            least = [families.instance(name, seed)[2] for seed in (1, 1, 2)]
            self.assertEqual(least[0], least[1])
            self.assertNotEqual(least[0], least[2])

    def test_the_middle_of_the_best_category_is_the_optimum_of_a_bowl(self):
        generator = numpy.random.default_rng(5)
        space, loss, least = families.bowls(generator, 0, 0.1, d=2)  # no shift: one middle for all
        middle = numpy.random.default_rng(5).uniform(0.2, 0.8, 2)
        at = {"x0": middle[0], "x1": 10 ** (6 * middle[1] - 3)}
        self.assertAlmostEqual(min(loss(k=k, **at) for k in space[0]["values"]), least)

    def run_program(self, *words, status=0):
        command = [sys.executable, ROOT / "benchmarks/mixed-functions", "--tuner", BUILD / "tuner/tuner",
                   "--families", "optional,conditional", "--seeds", "1-2", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def test_the_program_prints_searches_means_and_differences(self):
        done = self.run_program("--method", "random")
        lines = [line.split(",") for line in done.stdout.splitlines()]
        self.assertEqual([(name, seed) for name, seed, *_ in lines],
                         [("optional", "1"), ("optional", "2"), ("conditional", "1"), ("conditional", "2")])
        for _, _, *numbers in lines:
            after_15, after_30, after_60 = map(float, numbers)
            self.assertTrue(after_15 >= after_30 >= after_60 >= 0, numbers)
        with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
            file.write(done.stdout)
            file.flush()
            ours = self.run_program("--against", file.name)
        told = ours.stderr.splitlines()
        self.assertRegex(told[-2], r"^  60: -0\.\d{4} \+- 0\.\d{4} over 4 searches$")
        mean = statistics.fmean(float(line.split(",")[4]) for line in ours.stdout.splitlines())
        self.assertIn(f"{mean:.4f}", next(line for line in told if line.startswith("all")))

    def test_what_is_wrong_is_told(self):
        self.assertIn("there is no family x", self.run_program("--families", "x", status=2).stderr)
        self.assertIn("mixed-functions: ", self.run_program("--tuner", "/bin/false", status=1).stderr)
        self.assertNotIn("Traceback", self.run_program("--against", "/nowhere", status=1).stderr)


class Statistics(unittest.TestCase):
    def found(self, method, *losses_of_seeds):
        return {(task, seed): losses for task in ("p", "q") for seed, losses in enumerate(losses_of_seeds)}

    def test_regret_is_0_at_the_best_known_and_1_at_the_median_of_random_points(self):
        searches_ = {"random": {("p", 1, 1): [4.0, 2.0, 8.0]}, "tuner": {("p", 1, 8): [math.inf] * 20 + [0.0]}}
        scores = tables.scored(searches_)
        self.assertEqual(scores["random"]["p", 1, 1], [0.5, 0.5, 0.5])
        self.assertEqual(scores["tuner"]["p", 1, 8], [1, 0, 0])

    def test_differences_are_paired_and_their_interval_holds_them(self):
        ours = {("p", s): [0.1] * 3 for s in range(4)} | {("q", s): [0.2] * 3 for s in range(4)}
        others = {key: [value + 0.05 for value in values] for key, values in ours.items()}
        del others["q", 3]
        by_task = tables.differences(ours, others, 1)
        self.assertEqual({task: len(values) for task, values in by_task.items()}, {"p": 4, "q": 3})
        self.assertAlmostEqual(tables.mean_of_tasks(by_task), 0.05)
        for end in tables.interval(by_task, random.Random(1)):
            self.assertAlmostEqual(end, 0.05)

    def test_an_interval_is_as_wide_as_tasks_differ(self):
        by_task = {f"t{i}": [float(i)] for i in range(10)}
        low, high = tables.interval(by_task, random.Random(1))
        # Of the mean of ten draws from 0 to 9: 4.5 -+ 1.96 * 2.87 / sqrt(10).
        self.assertAlmostEqual(low, 2.72, delta=0.25)
        self.assertAlmostEqual(high, 6.28, delta=0.25)

    def test_equal_ones_share_a_rank(self):
        scores = {name: {("p", 1): [value] * 3} for name, value in
                  (("tuner", 0.1), ("random", 0.5), ("ax", 0.5), ("hebo", 0.7))}
        self.assertEqual(tables.mean_ranks(scores, list(scores), {("p", 1)}, 0),
                         {"tuner": 1, "random": 2.5, "ax": 2.5, "hebo": 4})

    def test_methods_with_fewer_searches_are_ranked_over_what_all_have(self):
        scores = {name: {("p", seed): [value] * 3 for seed in range(n)} for name, value, n in
                  (("tuner", 0.1, 4), ("random", 0.5, 4), ("ax", 0.05, 2))}
        text = "".join(tables.rank_tables(scores))
        self.assertEqual(text.count("Mean ranks"), 2)
        self.assertIn("over the 4 searches", text)
        self.assertIn("| tuner | 1.00 | 1.00 | 1.00 |\n| random | 2.00", text)
        self.assertIn("over the 2 searches", text)
        self.assertIn("| Ax (BoTorch) | 1.00 | 1.00 | 1.00 |\n| tuner | 2.00", text)

    def test_a_document_without_its_markers_is_left_alone(self):
        with tempfile.TemporaryDirectory() as directory:
            document = pathlib.Path(directory) / "doc.md"
            document.write_text("text\n")
            with self.assertRaises(SystemExit):
                tables.documents.replace_tables(document, "table\n")
            self.assertEqual(document.read_text(), "text\n")

    def test_the_page_has_the_tables_of_the_searches_that_are_kept(self):
        self.assertIn(tables.tables(tables.read(ROOT / "docs/results/real-tasks")),
                      (ROOT / "docs/real-tasks.md").read_text())

    def test_the_tables_replace_what_is_between_the_markers(self):
        with tempfile.TemporaryDirectory() as directory:
            document = pathlib.Path(directory) / "doc.md"
            document.write_text(f"above\n{tables.documents.BEGIN}\nold\n{tables.documents.END}\nbelow\n")
            for method, least in (("tuner", 0.0), ("random", 1.0), ("mine", 0.5)):
                for seed in (1, 2):
                    for workers in (1, 8) if method != "mine" else (1,):
                        records.append(pathlib.Path(directory, f"{method}.csv"),
                                       records.Search("p", workers, seed, [3.0, least, math.nan]))
            tables.write(directory, document)
            text = document.read_text()
        self.assertTrue(text.startswith("above\n") and text.endswith("\nbelow\n"))
        self.assertNotIn("old", text)
        self.assertIn("| tuner | 2 | 0.000 | 0.000 | 0.000 |  |  |  |", text)
        self.assertIn("| random | 2 | 0.333 | 0.333 | 0.333 | **+0.333 [+0.333, +0.333]** |", text)
        self.assertEqual(text.count("| `mine` | 2 | 0.167 |"), 1)
        self.assertLess(text.index("## One trial at a time"), text.index("`mine`"))
        self.assertLess(text.index("`mine`"), text.index("## 8 trials at a time"))


if __name__ == "__main__":
    unittest.main()
