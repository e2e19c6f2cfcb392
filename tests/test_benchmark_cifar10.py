#!/usr/bin/env python3
"""benchmarks/cifar10: the jobs it makes, its plan, its tables; and the whole program on the CPU, with a GPU of ours.

    tests/test_benchmark_cifar10.py

The program is that of $TUNER_BUILD, else of build/. The whole run needs a python3 with PyTorch.
"""
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("TUNER_BUILD", ROOT / "build")).resolve()
TUNER = BUILD / "tuner/tuner"
PROGRAM = ROOT / "benchmarks/cifar10"
sys.path.insert(0, str(ROOT / "benchmarks"))

import cifar10_jobs as jobs
import cifar10_plan as planning
import cifar10_tables as tables


def load(name, path):
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


cifar10 = load("benchmark_cifar10", PROGRAM)

HAVE_TORCH = subprocess.run([ROOT / "workers/python3-torch", "--which"], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL).returncode == 0


def settings(**more):
    return {"data": pathlib.Path("/data"), "epochs": 7, "trials": 30, "random_trials": 120, "trials_per_gpu": 6, "gp_parallel": None,
            "train_images": None, "device": "auto", "fixed": {}, "gpus": "auto", "gpu_count": 1, **more}


class Jobs(unittest.TestCase):
    def test_comments_and_trailing_commas_are_no_part_of_a_job_file(self):
        text = '{ // a "comment"\n "a": "x // y, ]", /* b\n */ "c": [1, 2,], \n}'
        self.assertEqual(json.loads(jobs.without_comments(text)), {"a": "x // y, ]", "c": [1, 2]})

    def test_what_is_published_stays(self):
        for key in jobs.SEARCHES:
            published, mine = jobs.published(key), jobs.derive(key, settings())
            for name in set(published) - {"metrics", "fixed", "budget", "channels"}:
                self.assertEqual(mine[name], published[name], name)
            self.assertEqual(mine["metrics"][:1], published["metrics"])
            fixed = {**mine["fixed"]}
            self.assertEqual(fixed.pop("epochs"), 7)
            self.assertEqual(fixed.pop("checkpoint_seconds"), jobs.CHECKPOINT_SECONDS)
            self.assertEqual({**fixed, "epochs": 50}, published["fixed"])

    def test_other_fixed_values_are_given_to_every_trial(self):
        other = settings(fixed={"precision": "tf32", "batch_size": "512"})
        for key in jobs.SEARCHES:
            fixed = jobs.derive(key, other)["fixed"]
            self.assertEqual((fixed["precision"], fixed["batch_size"], fixed["model"]), ("tf32", "512", "resnet34"))
        self.assertIn("--precision tf32", " ".join(jobs.worker_words(other, {})))

    def test_each_search_has_its_trials_and_its_slots(self):
        expected = {  # trials, at a time, on each GPU of one and of four
            "defaults": (1, 1, 1, 1), "gp": (30, 2, 2, 1), "auto": (30, 2, 2, 1), "random": (120, 6, 6, 6)}
        for key, (trials, parallel, on_one, on_each) in expected.items():
            job = jobs.derive(key, settings())
            self.assertEqual(job["budget"], {"trials": trials, "parallel": parallel}, key)
            self.assertEqual(job["hosts"], [{"trials_per_gpu": on_one}], key)
            job = jobs.derive(key, settings(gpu_count=4))
            self.assertEqual(job["budget"]["parallel"], parallel if key != "random" else 24, key)
            self.assertEqual(job["hosts"], [{"trials_per_gpu": on_each}], key)

    def test_the_gaussian_process_takes_no_more_than_there_is_room_for(self):
        self.assertEqual(jobs.parallel_of("gp", settings(trials_per_gpu=1)), 1)
        self.assertEqual(jobs.parallel_of("gp", settings(gp_parallel=4)), 4)
        self.assertEqual(jobs.parallel_of("defaults", settings(gp_parallel=4)), 1)

    def test_without_gpus_slots_are_given(self):
        self.assertEqual(jobs.derive("random", settings(gpu_count=0))["hosts"], [{"gpus": "none", "slots": 6}])

    def test_a_deadline_is_in_utc(self):
        self.assertEqual(jobs.derive("gp", settings(), None, 1_000_000_000.7)["budget"]["deadline"], "2001-09-09T01:46:40Z")

    def test_the_worker_is_called_as_a_trial_of_the_defaults_is(self):
        words = jobs.worker_words(settings(train_images=99, device="cpu"), {"epochs": 3})
        self.assertEqual(words[:2], ["./python3-torch", "cifar10_resnet.py"])
        given = dict(zip(words[2::2], words[3::2]))
        self.assertEqual(given, {
            "--learning_rate": "0.01", "--momentum": "0.0", "--wd": "0.0", "--model": "resnet34", "--batch_size": "1024",
            "--epochs": "3", "--augment": "flip", "--checkpoint_seconds": "60", "--train_images": "99", "--device": "cpu"})

    @unittest.skipUnless(TUNER.exists(), "needs a build")
    def test_tuner_accepts_them(self):
        with tempfile.TemporaryDirectory() as directory:
            for key in jobs.SEARCHES:
                path = pathlib.Path(directory) / "job.json"
                path.write_text(json.dumps(jobs.derive(key, settings(data=pathlib.Path(directory), gpu_count=0), 1, 4e9)))
                checked = subprocess.run([TUNER, "check", path, "--json", "--db", f"{directory}/x.db"], stdout=subprocess.PIPE, text=True)
                self.assertEqual(json.loads(checked.stdout)["messages"], [], key)


class Probes(unittest.TestCase):
    def test_the_first_epoch_warms_up_and_is_not_counted(self):
        one = planning.probe_of([[(10.0, 100), (12.0, 600), (14.0, 800)]])
        self.assertEqual(one, planning.Probe(1, 8.0, 2.0, 700))
        two = planning.probe_of([[(10.0, 1), (12.0, 5)], [(12.0, 1), (16.0, 7)]])
        self.assertEqual(two, planning.Probe(2, 8.0, 3.0, 12))
        self.assertAlmostEqual(two.epochs_per_second, 2 / 3)

    def script(self, text):
        return ["sh", "-c", text]

    def test_workers_are_watched_and_ended(self):
        read = planning.Trainings.read
        with tempfile.TemporaryDirectory() as directory:
            # The second epoch begins once the end of the first is known: when we get to read it is the machine's affair.
            words = self.script(f"echo $$ >>{directory}/pids; echo data=x; i=0; while :; do i=$((i+1)); "
                                "echo epoch=$i train: loss=1 images/s=50; "
                                f"until [ -e {directory}/read ]; do sleep 0.02; done; sleep 0.1; done")
            def read_and_tell(trainings, seconds):
                read(trainings, seconds)
                if trainings.fewest() >= 1:
                    pathlib.Path(directory, "read").touch()
            with unittest.mock.patch.object(planning.Trainings, "read", read_and_tell):
                probe = planning.measure(2, words, dict(os.environ), 0.3, 30)
            self.assertEqual((probe.together, probe.images_per_second), (2, 100))
            self.assertGreaterEqual(probe.epoch_seconds, 0.1)
            for pid in pathlib.Path(directory, "pids").read_text().split():
                self.assertFalse(pathlib.Path("/proc", pid).exists())

    def test_one_that_ends_says_why(self):
        for text, reason in (("echo no such data; exit 2", "no such data"), ("exit 1", "it printed nothing"),
                             ("echo 'CUDA error: out of memory'; echo; echo at line 3", "CUDA error: out of memory")):
            with self.assertRaisesRegex(planning.ProbeError, f"^the training ended: {reason}$"):
                planning.measure(1, self.script(text), dict(os.environ), 0.1, 30)

    def test_one_that_takes_too_long_is_given_up(self):
        with self.assertRaisesRegex(planning.ProbeError, "two epochs did not end within 0 s"):
            planning.measure(1, self.script("exec sleep 60"), dict(os.environ), 0.1, 0.2)

    def test_more_at_once_are_tried_as_long_as_they_are_faster(self):
        seconds = {1: 1.0, 2: 1.2, 4: 2.0, 8: 3.95, 12: 1}
        said = []
        def measured(together, *_):
            return planning.Probe(together, 3, seconds[together], 1)
        original, planning.measure = planning.measure, measured
        affinity, os.sched_getaffinity = os.sched_getaffinity, lambda _: range(16)
        try:
            probes = planning.probe_all(settings(trials_per_gpu="auto"), 1, 1, said.append)
            self.assertEqual([probe.together for probe in probes], [1, 2, 4, 8])  # 8 / 3.95 is hardly more than 4 / 2
            self.assertEqual([p.together for p in planning.probe_all(settings(trials_per_gpu=4), 1, 1, said.append)], [1, 4])
        finally:
            planning.measure, os.sched_getaffinity = original, affinity

    def test_no_more_are_tried_when_their_time_is_used_up(self):
        now, limits = [1000], []
        def measured(together, words, environment, window, limit):
            limits.append(limit)
            now[0] += 60
            if limit < 60:
                raise planning.ProbeError("late")
            return planning.Probe(together, 1, 1, 1)
        with unittest.mock.patch.object(planning, "measure", measured), \
                unittest.mock.patch.object(planning.time, "monotonic", lambda: now[0]), \
                unittest.mock.patch.object(os, "sched_getaffinity", lambda _: range(16)):
            self.assertEqual([p.together for p in planning.probe_all(settings(trials_per_gpu="auto"), 1, 90, lambda _: None)], [1])
        self.assertEqual(limits, [90, 30])

    def test_the_cores_bound_how_many_are_tried(self):
        self.assertEqual(planning.ladder(settings(trials_per_gpu="auto"), 9), [1, 2, 4, 8])
        self.assertEqual(planning.ladder(settings(trials_per_gpu="auto", gpu_count=8), 7), [1])
        self.assertEqual(planning.ladder(settings(trials_per_gpu=5), 1), [1, 5])


class Plans(unittest.TestCase):
    PROBES = [planning.Probe(1, 4, 1.0, 100), planning.Probe(4, 6, 2.0, 200), planning.Probe(8, 8, 3.8, 210)]

    def test_between_two_probes_the_line_counts_and_beyond_them_no_gain(self):
        def seconds(together):
            return planning.between(self.PROBES, together, lambda p: p.epoch_seconds)
        self.assertEqual([seconds(k) for k in (1, 4, 8)], [1.0, 2.0, 3.8])
        self.assertAlmostEqual(seconds(2), 4 / 3)
        self.assertAlmostEqual(seconds(16), 7.6)

    def test_a_search_takes_its_rounds_and_its_first_trials_report(self):
        self.assertAlmostEqual(planning.search_seconds(30, 4, 1, self.PROBES, 10), 4 + 1 + 8 * (6 + 10 * 2.0))
        self.assertAlmostEqual(planning.search_seconds(3, 8, 8, self.PROBES, 10), 4 + 1 + (4 + 10 * 1.0))

    def all_seconds(self, k, epochs):
        chosen = settings(trials_per_gpu=k, epochs=epochs)
        return sum(planning.needed(chosen, self.PROBES, planning.planned(chosen)).values())

    def test_as_many_epochs_as_fit_and_no_more(self):
        for seconds in (600, 1000, 3000):
            plan = planning.choose(settings(trials_per_gpu="auto"), self.PROBES, seconds, 1, 50)
            self.assertTrue(plan.fits)
            limit = seconds * (1 - planning.RESERVE)
            self.assertLessEqual(plan.seconds, limit)
            for k in (1, 4, 8):
                self.assertGreater(self.all_seconds(k, plan.epochs + 1), limit)

    def test_never_more_than_the_published_epochs_and_then_the_fastest(self):
        plan = planning.choose(settings(trials_per_gpu="auto"), self.PROBES, float("inf"), 5, 50)
        self.assertEqual((plan.trials_per_gpu, plan.epochs, plan.fits), (8, 50, True))

    def test_a_given_number_of_trials_per_gpu_is_kept(self):
        self.assertEqual(planning.choose(settings(trials_per_gpu=4), self.PROBES, 1e9, 5, 50).trials_per_gpu, 4)

    def test_where_not_even_the_least_epochs_fit_it_says_so(self):
        plan = planning.choose(settings(trials_per_gpu="auto"), self.PROBES, 10, 5, 50)
        self.assertEqual((plan.fits, plan.epochs), (False, 5))
        self.assertEqual(plan.seconds, min(self.all_seconds(k, 5) for k in (1, 4, 8)))

    def test_a_late_search_leaves_the_others_their_share(self):
        expected = {"a": 10, "b": 30, "c": 60}
        self.assertEqual(planning.deadline_of("a", expected, 1000, 1200), 1020)
        self.assertEqual(planning.deadline_of("b", expected, 1080, 1200), 1120)
        self.assertEqual(planning.deadline_of("c", expected, 1120, 1200), 1200)

    def test_the_one_trial_of_the_defaults_is_not_cut_short(self):
        expected = {"defaults": 30, "gp": 1000}
        self.assertEqual(planning.deadline_of("defaults", expected, 1000, 1200), 1060)
        self.assertEqual(planning.deadline_of("defaults", expected, 1000, 1040), 1040)

    def test_where_time_is_short_each_search_has_the_same_part_of_its_trials(self):
        chosen = settings(trials_per_gpu=8, epochs=5)
        def more(seconds, ended={}):
            return planning.affordable(chosen, self.PROBES, ended, seconds)
        self.assertEqual(more(float("inf")), {"defaults": 1, "gp": 30, "auto": 30, "random": 120})
        half = more(500)
        self.assertEqual((half["defaults"], half["gp"]), (1, half["auto"]))
        self.assertAlmostEqual(half["random"] / half["gp"], 4, delta=.5)
        self.assertTrue(5 < half["gp"] < 25, half)
        self.assertLessEqual(sum(planning.needed(chosen, self.PROBES, half).values()), 500 * (1 - planning.RESERVE))
        ended = {"defaults": 1, "gp": 30, "auto": 20}
        self.assertEqual(more(float("inf"), ended), {"defaults": 0, "gp": 0, "auto": 10, "random": 120})
        self.assertEqual(set(more(3).values()), {0})

    def test_what_is_left_of_the_time_goes_to_the_search_that_is_furthest_behind(self):
        chosen = settings(trials_per_gpu=8, epochs=5)
        ended = {"defaults": 1, "gp": 10, "auto": 9, "random": 80}
        def more(seconds):
            return {key: count for key, count in planning.affordable(chosen, self.PROBES, ended, seconds).items() if count}
        one_each = sum(planning.needed(chosen, self.PROBES, {"gp": 1, "auto": 1, "random": 1}).values())
        self.assertEqual(more(one_each / (1 - planning.RESERVE) + .001), {"gp": 1, "auto": 1, "random": 1})
        self.assertEqual(more(one_each / (1 - planning.RESERVE) - .001), {"auto": 2})
        ended["auto"], ended["gp"] = 29, 10  # one at a time more would be too many
        self.assertEqual(more(20), {"gp": 2})
        ended["gp"] = 30
        self.assertEqual(more(17), {"auto": 1})


def row(search, number, objective="", state="done", **more):
    return {**dict.fromkeys(tables.COLUMNS, ""), "search": search, "number": f"{number}", "state": state, "objective": f"{objective}", **more}


class Tables(unittest.TestCase):
    LIMIT = {"precision": "bf16", "batch_size": 1024, "flops_per_image": 444_000_000, "cuda": "13.0", "torch": "2.11",
             "steps": [{"precision": "bf16", "batch_size": 1024, "how": "eager", "images_per_second": 50_000.0, "first_step_seconds": 9.0},
                       {"precision": "bf16", "batch_size": 1024, "how": "untried", "images_per_second": 45_000.0, "first_step_seconds": 2.0},
                       {"precision": "bf16", "batch_size": 1024, "how": "graph", "images_per_second": 80_000.0, "first_step_seconds": 0.04},
                       {"precision": "bf16", "batch_size": 4096, "how": "graph", "images_per_second": 90_000.0, "first_step_seconds": 0.1},
                       {"precision": "fp32", "batch_size": 1024, "how": "eager", "error": "OutOfMemoryError: no"}],
             "products": [{"precision": "bf16", "size": 8192, "tflops": 800.0}, {"precision": "fp32", "size": 8192, "error": "E: no"}]}
    MEASURED = {"limit": LIMIT, "images": 50_000, "fixed": {"precision": "bf16"}, "version": "tuner 0", "hardware": {"gpus": ["H200"], "cores": 16, "processor": "CPU"},
                "plan": {"epochs": 5, "trials_per_gpu": 4, "why": "Because."}, "sessions": [{"began": "2026-01-01"}],
                "probes": [{"together": 1, "start_seconds": 4, "epoch_seconds": 2.0, "images_per_second": 40_000.0},
                           {"together": 4, "start_seconds": 5, "epoch_seconds": 4.0, "images_per_second": 60_000.0}],
                "searches": {"defaults": {"planned": 1, "parallel": 1, "seconds": 9.6}, "gp": {"planned": 2, "parallel": 2, "seconds": 20.0},
                             "auto": {"planned": 2, "parallel": 2, "seconds": None}, "random": {"planned": 120, "parallel": 4, "seconds": 80.0}}}

    def rows(self):
        use = {"gpu_samples": "3", "gpu_utilisation_mean": "50.0", "gpu_utilisation_max": "80.0", "busy_s": "9.5"}
        more = {"gpu_samples": "1", "gpu_utilisation_mean": "90.0", "gpu_utilisation_max": "95.0", "busy_s": "8.5",
                "gpu_memory_peak_bytes": f"{3 * 2**30}", "images_per_second": "15000.0"}
        return [row("gp", 1, 0.5), row("gp", 2, 0.72), row("random", 2, 0.6, **more), row("random", 1, 0.55, **use),
                row("random", 3, state="failed"), row("random", 4, state="proposed"), row("random", 10, 0.7)]

    def cells(self, text):
        return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]]

    def test_what_ran_is_said_beside_what_was_planned(self):
        lines = self.cells(tables.results_table(self.rows(), self.MEASURED))
        self.assertEqual(lines[0][1:], ["0.53", "", "0 of 1"])
        self.assertEqual(lines[1][1:], ["0.740 (30 trials)", "0.7200", "2 of 2"])
        self.assertEqual(lines[3][1:], ["0.737 (120 trials)", "0.7000", "3 (1 cut short, 1 failed) of 120"])
        self.assertEqual(lines[4], ["random search, its first 2", "", "0.6000", "2"])

    def test_the_best_of_the_first_trials_is_said_as_far_as_a_search_went(self):
        lines = self.cells(tables.counts_table([row("random", n, n / 100) for n in range(1, 21)] + [row("gp", 1, 0.3)]))
        self.assertEqual(lines, [["1", "0.3000", "", "0.0100"], ["10", "", "", "0.1000"], ["20", "", "", "0.2000"]])

    def test_utilisation_is_a_mean_over_samples(self):
        line = self.cells(tables.use_table(self.rows(), self.MEASURED))[3]
        self.assertEqual(line[1:], ["4", "80 s", "9.0 s", "60 %", "95 %", "3.00 GiB", ""])

    def test_rates_are_related_to_the_step_alone_and_to_the_products(self):
        lines = {line[0]: line[1:] for line in self.cells(tables.speed_table(self.rows(), self.MEASURED))}
        self.assertEqual(lines["the worker alone, while training"], ["40,000", "50 %", "2.2 %"])
        self.assertEqual(lines["the worker alone, with validation"], ["25,000", "31 %", "1.4 %"])
        self.assertEqual(lines["4 workers at once, with validation"], ["50,000", "62 %", "2.8 %"])
        self.assertEqual(lines["random search, 4 at a time, while training"], ["60,000", "75 %", "3.3 %"])
        self.assertEqual(lines["the training step alone, bf16, batch 1024, as a CUDA graph"], ["80,000", "100 %", "4.4 %"])
        self.assertIn("the training step alone, bf16, batch 1024, step by step, cuDNN's algorithms not tried (the first took 2.0 s)", lines)
        self.assertIn("the training step alone, fp32, batch 1024, step by step: OutOfMemoryError: no", lines)

    def test_without_a_limit_the_rest_is_told(self):
        with unittest.mock.patch.object(cifar10, "say", lambda text: None):
            limit = {**cifar10.unmeasured("no reason"), "batch_size": 8}
        text = tables.all_tables(self.rows(), {**self.MEASURED, "limit": limit}, [])
        self.assertIn("| the worker alone, while training | 40,000 |  |  |", text)
        self.assertIn("could not be measured: no reason.", text)

    def test_the_page_is_made_once_and_its_tables_again(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "new/cifar10.md"
            tables.write_page(path, tables.all_tables(self.rows(), self.MEASURED, [("a figure", "figures/a.svg")]))
            page = path.read_text()
            self.assertIn("![a figure](figures/a.svg)", page)
            self.assertIn("H200; 16 cores of CPU; PyTorch 2.11, CUDA 13.0; tuner 0.", page)
            self.assertIn("Other than published: precision bf16. Because.", page)
            path.write_text(page.replace("## How to read this", "## My own words"))
            tables.write_page(path, "other tables\n")
            self.assertIn("## My own words", path.read_text())
            self.assertNotIn("a figure", path.read_text())

    def test_without_results_the_page_has_no_figures(self):
        """What is in it before a run must be true whatever the run gives: the published figures, and none of ours."""
        numbers = set(re.findall(r"\b\d+(?:\.\d+)? ?%", tables.PAGE))
        self.assertEqual(numbers, {"53 %", "73.7 %", "74.0 %"})


@unittest.skipUnless(importlib.util.find_spec("torch"), "this python3 has no PyTorch (scripts/setup --worker)")
class Limit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        global limit, torch
        import cifar10_limit as limit
        import torch

    def test_the_first_layer_has_no_gradient_of_its_input(self):
        model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(8, 10))
        first, last = 2 * 3 * 3 * 3 * 8 * 4 * 5, 2 * 8 * 10
        self.assertEqual(limit.layer_flops(model, torch.zeros(2, 3, 4, 5)), 2 * first + 3 * last)

    def test_resnet34_has_the_products_that_are_published_for_it(self):
        model = limit.worker.build_model("resnet34", 3)
        first = 2 * 3 * 49 * 64 * 112 * 112
        found = (limit.layer_flops(model, torch.zeros(1, 3, 224, 224)) + first) / 3
        self.assertAlmostEqual(found / 2 / 1e9, 3.66, delta=0.02)  # GMAC, by torchvision's documentation

    def test_a_graph_comes_last_and_the_published_step_first(self):
        steps = limit.steps_to_measure(1024, "bf16", torch.device("cuda"))
        self.assertEqual(steps[0], (1024, "bf16", "eager"))
        self.assertEqual([step[2] for step in steps][-2:], ["graph", "graph"])
        self.assertEqual(limit.steps_to_measure(8, "fp32", torch.device("cpu")), [(8, "fp32", "eager")])

    def test_what_fails_is_told_in_its_place(self):
        options = limit.parse_options(["--model", "resnet8", "--seconds", "0.1"])
        found = limit.measure_step(options, 4, "fp32", "graph", torch.device("cpu"))  # CUDA graphs need CUDA
        self.assertNotIn("images_per_second", found)
        self.assertTrue(found["error"])
        self.assertGreater(limit.measure_step(options, 4, "bf16", "eager", torch.device("cpu"))["images_per_second"], 0)


class CommandLine(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.directory = pathlib.Path(temporary.name)

    def refused(self, *words):
        done = subprocess.run([PROGRAM, *map(str, words)], cwd=self.directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        return done.stderr

    def test_bad_input_gets_a_line_that_says_what_to_do(self):
        self.assertIn("--data DIR is missing", self.refused())
        self.assertIn("has no data_batch_1.bin", self.refused("--data", self.directory))
        self.assertIn("x is not a number above 0", self.refused("--minutes", "x"))
        self.assertIn("0 is not a whole number from 1 up", self.refused("--epochs", 0))
        self.assertIn("x is not NAME=VALUE", self.refused("--fixed", "x"))
        self.assertIn("train_images is what --train-images says", self.refused("--fixed", "train_images=5"))
        self.assertIn("65 is not a whole number from 1 to 64", self.refused("--trials-per-gpu", 65))
        self.assertIn("holds no results", self.refused("--table"))
        write_data(self.directory)
        self.assertIn("scripts/build", self.refused("--data", self.directory, "--build", "none"))

    @unittest.skipUnless(HAVE_TORCH and TUNER.exists(), "needs a build, and a python3 with PyTorch")
    def test_without_a_gpu_cuda_is_refused(self):
        write_data(self.directory)
        asked = subprocess.run([ROOT / "workers/python3-torch", "-c", "import torch; print(torch.cuda.is_available())"],
                               stdout=subprocess.PIPE, text=True)
        if asked.stdout.strip() == "True":
            self.skipTest("there is a GPU here")
        self.assertIn("--device cpu", self.refused("--data", self.directory, "--build", BUILD, "--device", "cuda"))


def write_data(directory, images=4):
    """CIFAR-10's files, with so many random images each."""
    draw = random.Random(1)
    for name in cifar10.FILES:
        (directory / name).write_bytes(b"".join(bytes([draw.randrange(10)]) + draw.randbytes(3072) for _ in range(images)))


# A GPU whose only processes are the trials of the run that has MARK in its environment.
NVIDIA_SMI = """#!{python}
import os, pathlib, sys
def computes(process):
    try:
        return (b"MARK={mark}" in (process / "environ").read_bytes() and b"TUNER_ATTEMPT_KEY=" in (process / "environ").read_bytes()
                and b"cifar10_resnet.py" in (process / "cmdline").read_bytes())
    except OSError:
        return False
what = sys.argv[1]
if what.startswith("--query-gpu=index,"):
    print("0, GPU-aaaa0000-0000, NVIDIA H200, 143771")
elif what.startswith("--query-gpu=uuid,"):
    print("GPU-aaaa0000-0000, 50, 4, 143771, 200.5, 60")
elif what.startswith("--query-gpu=name,"):
    print("NVIDIA H200, 143771 MiB, 580.159.03")
elif what.startswith("--query-compute-apps="):
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        if computes(process):
            print("GPU-aaaa0000-0000,", process.name + ", 1000")
else:
    sys.exit(9)
"""


@unittest.skipUnless(TUNER.exists(), "needs a build")
@unittest.skipUnless(HAVE_TORCH, "no python3 here has PyTorch (scripts/setup --worker)")
class WholeRun(unittest.TestCase):
    """On the processor, with an nvidia-smi of ours, so that trials share a GPU and are sampled; with a network that does
    not write 255 MB at each trial's end."""

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.directory = pathlib.Path(cls.temporary.name)
        (cls.directory / "bin").mkdir()
        smi = cls.directory / "bin/nvidia-smi"
        smi.write_text(NVIDIA_SMI.format(python=sys.executable, mark=cls.directory.name))
        smi.chmod(0o700)
        (cls.directory / "data").mkdir()
        write_data(cls.directory / "data")
        cls.results = cls.directory / "results"
        cls.first = cls.call("--minutes", 4, "--measure-seconds", 0.2)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    @classmethod
    def call(cls, *words):
        environment = {**os.environ, "PATH": f"{cls.directory}/bin:{os.environ['PATH']}", "TUNER_NVML": "none", "OMP_NUM_THREADS": "1",
                       "TUNER_GPU_LOCKS": f"{cls.directory}/locks", "TUNER_GPU_LOOK_MS": "100", "MARK": cls.directory.name}
        environment.pop("CUDA_VISIBLE_DEVICES", None)
        (cls.directory / "locks").mkdir(exist_ok=True)
        return subprocess.run(
            [PROGRAM, "--data", cls.directory / "data", "--device", "cpu", "--gpus", "auto", "--build", BUILD, "--epochs", "1", "--trials", "1",
             "--random-trials", "3", "--trials-per-gpu", "2", "--fixed", "model=resnet8", "--directory", cls.results, *map(str, words)],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=200)

    def test_it_measures_searches_and_reports(self):
        self.assertEqual(self.first.returncode, 0, self.first.stderr)
        text = self.first.stdout
        self.assertIn("NVIDIA H200, 143771 MiB, 580.159.03", text)
        self.assertIn("Other than published: model resnet8.", text)
        self.assertIn("| 2 workers at once, while training |", text)
        for title, trials in (("the defaults, alone on its GPU | 0.53", 1), ("Gaussian process, linear scales | 0.740 (30 trials)", 1),
                              ("Gaussian process, automatic scales | ", 1), ("random search, linear scales | 0.737 (120 trials)", 3)):
            self.assertRegex(text, rf"\| {re.escape(title)} \| 0\.\d{{4}} \| {trials} of {trials} \|")
        self.assertRegex(text, r"\| random search, linear scales \| 2 \| \d+ s \| [\d.]+ s \| 50 % \| 50 % \| 0\.98 GiB \| 20[01] W \|")
        page = (self.results / "cifar10.md").read_text()
        self.assertIn(text.strip(), page)
        for figure in re.findall(r"!\[.*\]\((.*)\)", page):
            self.assertIn("<svg", (self.results / figure).read_text())

    def test_trials_shared_the_gpu(self):
        with sqlite3.connect(f"file:{self.results}/cifar10.db?mode=ro", uri=True) as database:
            together = dict(database.execute("SELECT job, max(gpu_together) FROM v_host_use GROUP BY job"))
        self.assertEqual(together, {"cifar10-resnet34-defaults": 1, "cifar10-resnet34": 1, "cifar10-resnet34-auto": 1,
                                    "cifar10-resnet34-random": 2})

    def test_the_tables_are_made_again_from_what_is_kept_beside_a_page(self):
        document = self.directory / "docs/cifar10.md"
        self.assertEqual(self.call("--table", "--document", document).returncode, 0)
        again = subprocess.run([PROGRAM, "--table", "--directory", document.parent / "results/cifar10", "--document", document],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(again.stdout, self.first.stdout)

    def test_another_call_goes_on_and_keeps_to_the_plan(self):
        copy = ["--directory", self.directory / "copy"]
        shutil.copytree(self.results, copy[1])
        refused = self.call("--train-images", 5, *copy)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("go on with that, or give another --directory", refused.stderr)
        again = self.call(*copy)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertNotIn("at once:", again.stderr)  # nothing is measured again
        self.assertNotIn(" trials, ", again.stderr)  # nor run
        short = self.call("--minutes", 0.01, "--random-trials", 4, *copy)
        self.assertEqual(short.returncode, 0, short.stderr)
        self.assertRegex(short.stdout, r"random search, linear scales [^\n]* 3 of 4 \|")  # there was no time for more
        more = self.call("--minutes", 3, "--random-trials", 4, *copy)
        self.assertEqual(more.returncode, 0, more.stderr)
        self.assertIn("random search, linear scales: 4 of 4 trials", more.stderr)
        self.assertRegex(more.stdout, r"random search, linear scales [^\n]* 4 of 4 \|")


if __name__ == "__main__":
    unittest.main()
