"""Tests of workers/cifar10_resnet.py, on small data of their own making.

    workers/python3-torch -m unittest tests/test_worker.py

Each test that trains runs the script as a process of its own, as tuner does; most are forked from one that has
imported PyTorch, which takes longer than what they do.
"""
import gzip
import importlib.util
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

HAVE_TORCH = all(importlib.util.find_spec(name) for name in ("torch", "numpy"))
WORKERS = pathlib.Path(__file__).resolve().parent.parent / "workers"
SCRIPT = WORKERS / "cifar10_resnet.py"

os.environ["OMP_NUM_THREADS"] = "1"  # before the import: the same bits whatever the machine
sys.dont_write_bytecode = True  # keeps the source tree clean
sys.path[:0] = [str(WORKERS), str(pathlib.Path(__file__).resolve().parent)]

import forked_script

if HAVE_TORCH:
    import numpy as np
    import torch

    import cifar10_resnet as worker

    forked_script.preload("cifar10_resnet")

VALIDATION = re.compile(r"validation: accuracy=([0-9.]+|nan)")
SIDE = 28  # of a Fashion-MNIST image


def write_idx(path, array):
    header = struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(
        ">%dI" % array.ndim, *array.shape
    )
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wb") as file:
        file.write(header + array.tobytes())


def bars(count, side, seed):
    """Images that a small network learns in seconds: class k is a bright bar at row 2k + 2."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 10, count).astype(np.uint8)
    pixels = random.integers(0, 60, (count, side, side)).astype(np.uint8)
    for image, label in zip(pixels, labels):
        image[2 * label + 2 : 2 * label + 5] += 150
    return pixels, labels


def write_fashion_mnist(directory, train=640, test=200, suffix=".gz"):
    for split, count, seed in (("train", train, 1), ("t10k", test, 2)):
        pixels, labels = bars(count, SIDE, seed)
        write_idx(directory / (split + "-images-idx3-ubyte" + suffix), pixels)
        write_idx(directory / (split + "-labels-idx1-ubyte" + suffix), labels)


def write_cifar10(directory, per_file=64):
    """Five training files and a test file; every pixel of channel c of an image is 50 c + label."""
    directory.mkdir(parents=True, exist_ok=True)
    for i, name in enumerate(worker.CIFAR10_TRAIN + worker.CIFAR10_TEST):
        labels = ((np.arange(per_file) + i) % 10).astype(np.uint8)
        planes = np.arange(3, dtype=np.uint8) * 50
        pixels = np.repeat(planes[None] + labels[:, None], 1024, axis=1)
        np.concatenate([labels[:, None], pixels], axis=1).tofile(directory / name)


@unittest.skipUnless(HAVE_TORCH, "this python3 has no PyTorch (scripts/setup --worker)")
class WorkerTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.directory = pathlib.Path(temporary.name)

    def environment(self, **extra):
        """The caller's, without what would steer the script."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SM_", "TUNER_"))
        }
        return dict(kept, OMP_NUM_THREADS="1", PYTHONDONTWRITEBYTECODE="1", **extra)

    def run_program(self, *arguments, status=0, **environment):
        """Starts the script and waits for its end; returns what it printed, or its errors if it is to fail."""
        done = subprocess.run(
            [sys.executable, str(SCRIPT), *map(str, arguments)],
            env=self.environment(**environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
        )
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stderr if status else done.stdout

    def run_script(self, *arguments, status=0, **environment):
        """The same, forked."""
        errors = self.directory / "errors"
        process, output = forked_script.start(
            worker.main, arguments, self.environment(**environment), errors)
        with output:
            printed = output.read()
        ended = forked_script.wait(process, 120)
        self.assertEqual(ended, status, printed + errors.read_text())
        return errors.read_text() if status else printed


class ReadingData(WorkerTest):
    def test_fashion_mnist_is_found_plain_and_compressed(self):
        for suffix in ("", ".gz"):
            with self.subTest(suffix=suffix):
                directory = self.directory / ("idx" + suffix)
                directory.mkdir()
                write_fashion_mnist(directory, train=30, test=20, suffix=suffix)
                name, train, test = worker.load_data(str(directory))
                self.assertEqual(name, "fashion-mnist")
                self.assertEqual(tuple(train.pixels.shape), (30, 1, SIDE, SIDE))
                pixels, labels = bars(20, SIDE, 2)
                self.assertTrue(np.array_equal(test.pixels.numpy()[:, 0], pixels))
                self.assertTrue(np.array_equal(test.labels.numpy(), labels))

    def test_cifar10_keeps_the_order_of_files_channels_and_labels(self):
        write_cifar10(self.directory)
        name, train, test = worker.load_data(str(self.directory))
        self.assertEqual(name, "cifar10")
        self.assertEqual(tuple(train.pixels.shape), (5 * 64, 3, 32, 32))
        self.assertEqual(len(test), 64)
        for image in (0, 63, 64, 319):
            label = (image % 64 + image // 64) % 10
            self.assertEqual(int(train.labels[image]), label)
            for channel in range(3):
                plane = train.pixels[image, channel]
                self.assertTrue(bool((plane == 50 * channel + label).all()))

    def test_the_unpacked_archive_is_found_one_level_down(self):
        write_cifar10(self.directory / "cifar-10-batches-bin")
        self.assertEqual(worker.load_data(str(self.directory))[0], "cifar10")

    def test_missing_data_says_where_to_get_it(self):
        for arguments in ((), ("--data", self.directory), ("--data", self.directory / "none")):
            with self.subTest(arguments=arguments):
                message = self.run_script(*arguments, status=2)
                self.assertIn("apt install dataset-fashion-mnist", message)
                self.assertIn("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", message)
                self.assertNotIn("Traceback", message)

    def test_damaged_files_are_refused_by_name(self):
        write_fashion_mnist(self.directory, suffix="")
        images = self.directory / "train-images-idx3-ubyte"
        good = images.read_bytes()
        for damaged in (good[:-1], good + b"x", good[:10], b"\0\0\x0d\x03" + good[4:], b""):
            images.write_bytes(damaged)
            with self.assertRaisesRegex(worker.UsageError, "train-images-idx3-ubyte"):
                worker.load_data(str(self.directory))

    def test_a_truncated_cifar10_file_is_refused_by_name(self):
        write_cifar10(self.directory)
        path = self.directory / "data_batch_3.bin"
        path.write_bytes(path.read_bytes()[:-1])
        with self.assertRaisesRegex(worker.UsageError, "data_batch_3.bin"):
            worker.load_data(str(self.directory))

    def test_labels_out_of_range_are_refused(self):
        write_fashion_mnist(self.directory, suffix="")
        write_idx(self.directory / "t10k-labels-idx1-ubyte", np.full(200, 10, np.uint8))
        with self.assertRaisesRegex(worker.UsageError, "labels must be 0 to 9"):
            worker.load_data(str(self.directory))

    def test_normalized_training_images_have_mean_zero_and_deviation_one(self):
        write_fashion_mnist(self.directory)
        train = worker.load_data(str(self.directory))[1]
        x = worker.Normalize(train)(train.pixels)
        self.assertAlmostEqual(float(x.mean()), 0, places=5)
        self.assertAlmostEqual(float(x.std(unbiased=False)), 1, places=5)


class Augmenting(WorkerTest):
    def setUp(self):
        super().setUp()
        self.pixels = torch.arange(2 * 3 * 8 * 8).reshape(2, 3, 8, 8).to(torch.uint8)

    def crop(self, row, column, flip):
        corner = torch.tensor([[row, column]] * 2)
        return worker.crop_and_flip(self.pixels, corner, torch.tensor([flip, False]))

    def test_the_middle_corner_changes_nothing(self):
        self.assertTrue(torch.equal(self.crop(4, 4, False), self.pixels))

    def test_a_flip_mirrors_its_own_image_only(self):
        got = self.crop(4, 4, True)
        self.assertTrue(torch.equal(got[0], self.pixels[0].flip(-1)))
        self.assertTrue(torch.equal(got[1], self.pixels[1]))

    def test_a_shift_moves_black_in(self):
        got = self.crop(6, 4, False)  # two rows down in the image
        self.assertTrue(torch.equal(got[:, :, :6], self.pixels[:, :, 2:]))
        self.assertEqual(int(got[:, :, 6:].sum()), 0)

    def test_a_shifted_flip_is_the_mirror_of_the_shift(self):
        self.assertTrue(torch.equal(self.crop(1, 7, True)[0], self.crop(1, 7, False)[0].flip(-1)))

    def test_a_flip_alone_is_the_crop_in_the_middle_of_the_same_images(self):
        images = worker.Images(torch.randint(256, (40, 3, 8, 8)).to(torch.uint8), torch.zeros(40, dtype=torch.int64))
        flip, both = (worker.EpochPlan(1, 2, 40, augment, "cpu") for augment in ("flip", "crop-flip"))
        self.assertTrue(torch.equal(flip.flip, both.flip))
        both.corner.fill_(worker.CROP_PADDING)
        for start, stop in ((0, 16), (16, 40)):
            for mine, expected in zip(flip.batch(images, start, stop), both.batch(images, start, stop)):
                self.assertTrue(torch.equal(mine, expected))

    def test_a_plan_depends_on_seed_and_epoch_and_nothing_else(self):
        def order(seed, epoch):
            return worker.EpochPlan(seed, epoch, 100, "crop-flip", torch.device("cpu")).order

        self.assertEqual(sorted(order(1, 0).tolist()), list(range(100)))
        self.assertTrue(torch.equal(order(1, 0), order(1, 0)))
        self.assertFalse(torch.equal(order(1, 0), order(1, 1)))
        self.assertFalse(torch.equal(order(1, 0), order(2, 0)))


class Models(WorkerTest):
    def test_weights_are_counted_as_in_the_papers_networks(self):
        # resnet20: 0.27 million in He et al., table 6. resnet18 and 34: torchvision's 11689512
        # and 21797672, less the 990 classes (513 numbers each) that are not there.
        expected = {"resnet20": 269722, "resnet18": 11181642, "resnet34": 21289802}
        for name, count in expected.items():
            model = worker.build_model(name, channels=3)
            self.assertEqual(sum(p.numel() for p in model.parameters()), count, name)

    def test_every_model_maps_both_image_sizes_to_ten_classes(self):
        for name in worker.MODELS:
            for channels, side in ((1, 28), (3, 32)):
                model = worker.build_model(name, channels).eval()
                with torch.no_grad():
                    output = model(torch.zeros(2, channels, side, side))
                self.assertEqual(tuple(output.shape), (2, 10), name)

    def test_the_padding_shortcut_halves_the_image_and_adds_zero_channels(self):
        x = torch.rand(1, 2, 4, 4)
        y = worker.PadShortcut(3, 2)(x)
        self.assertEqual(tuple(y.shape), (1, 5, 2, 2))
        self.assertTrue(torch.equal(y[:, :2], x[:, :, ::2, ::2]))
        self.assertEqual(float(y[:, 2:].abs().sum()), 0)

    def test_weights_follow_from_the_seed(self):
        first, same, other = (worker.build_model("resnet8", 1, seed) for seed in (1, 1, 2))
        self.assertTrue(torch.equal(first.conv1.weight, same.conv1.weight))
        self.assertFalse(torch.equal(first.conv1.weight, other.conv1.weight))


class TrainingRuns(WorkerTest):
    """Whole runs of the script: resnet8 on 640 images, about a second an epoch; on a quarter where any will do."""

    def setUp(self):
        super().setUp()
        self.data = self.directory / "data"
        self.data.mkdir()
        write_fashion_mnist(self.data)
        self.options = ["--data", self.data, "--model", "resnet8", "--batch-size", 32,
                        "--learning-rate", 0.05]
        self.few = self.options + ["--train-images", 160, "--validation-images", 100]

    def saved_model(self, name):
        return torch.load(self.directory / name / "model.pt", weights_only=True)

    def assert_same_weights(self, a, b):
        self.assertEqual(a.keys(), b.keys())
        for name in a:
            self.assertTrue(torch.equal(a[name], b[name]), name)

    def without_speed(self, output):
        """The epochs' lines, less the time they took."""
        lines = [line for line in output.splitlines() if line.startswith("epoch=")]
        return [re.sub(r" images/s=.*", "", line) for line in lines]

    def test_it_learns_and_reports_each_epoch(self):
        output = self.run_program(*self.options, "--epochs", 3)
        accuracies = [float(value) for value in VALIDATION.findall(output)]
        self.assertEqual(len(accuracies), 3)
        self.assertGreater(accuracies[-1], 0.5)  # chance is 0.1

    def test_cifar10_trains_too(self):
        write_cifar10(self.directory / "cifar")
        output = self.run_script("--data", self.directory / "cifar", "--model", "resnet8",
                                 "--epochs", 1, "--augment", "crop-flip", "--batch-size", 32)
        self.assertEqual(len(VALIDATION.findall(output)), 1)
        self.assertIn("data=cifar10 train-images=320 validation-images=64", output)

    def test_sagemaker_variables_and_underscores_do_what_options_do(self):
        model = self.directory / "m"
        output = self.run_script(
            "--model", "resnet8", "--learning_rate", "0.05", "--batch_size=32", "--epochs", 1,
            "--train_images", 128, "--validation_images", 50,
            SM_CHANNEL_TRAIN=str(self.data), SM_MODEL_DIR=str(model), TUNER_SEED="7")
        self.assertIn("train-images=128 validation-images=50", output)
        about = json.loads((model / "model.json").read_text())
        self.assertEqual(about["hyperparameters"]["seed"], 7)
        self.assertEqual(about["hyperparameters"]["batch_size"], 32)
        self.assertEqual(about["validation_accuracy"], float(VALIDATION.findall(output)[0]))

    def test_same_seed_same_run_other_seed_other_run(self):
        arguments = self.few + ["--epochs", 1, "--augment", "crop-flip"]
        first, same, other = (
            self.without_speed(self.run_script(*arguments, "--seed", seed)) for seed in (1, 1, 2)
        )
        self.assertEqual(first, same)
        self.assertNotEqual(first, other)

    def test_the_saved_model_has_the_reported_accuracy(self):
        model = self.directory / "m"
        output = self.run_script(*self.options, "--epochs", 2, "--model-dir", model)
        about = json.loads((model / "model.json").read_text())
        network = worker.build_model(about["model"], about["image"][0]).eval()
        network.load_state_dict(self.saved_model("m"))
        _, train, test = worker.load_data(str(self.data))
        normalize = worker.Normalize(train)
        self.assertEqual(about["mean"], normalize.mean)
        with torch.no_grad():
            hits = (network(normalize(test.pixels)).argmax(1) == test.labels).double().mean()
        self.assertAlmostEqual(float(hits), float(VALIDATION.findall(output)[-1]), places=4)

    def test_precision_is_that_of_the_layers_and_is_recorded(self):
        self.assertEqual(*(self.without_speed(self.run_script(*self.few, "--epochs", 1, "--precision", precision))
                           for precision in ("auto", "fp32")))  # on a CPU
        model = self.directory / "m"
        output = self.run_script(*self.options, "--epochs", 3, "--precision", "bf16", "--model-dir", model)
        self.assertGreater(float(VALIDATION.findall(output)[-1]), 0.5)
        self.assertEqual(json.loads((model / "model.json").read_text())["hyperparameters"]["precision"], "bf16")
        kinds = {value.dtype for name, value in self.saved_model("m").items() if not name.endswith("tracked")}
        self.assertEqual(kinds, {torch.float32})
        self.assertIn("--precision", self.run_script(*self.few, "--precision", "fp8", status=2))

    def test_divergence_reports_nan_and_ends_normally(self):
        model = self.directory / "m"
        output = self.run_script(*self.few, "--learning-rate", "1e30", "--epochs", 5,
                                 "--model-dir", model)
        self.assertEqual(VALIDATION.findall(output), ["nan"])
        about = json.loads((model / "model.json").read_text())
        self.assertTrue(about["diverged"])
        self.assertIsNone(about["validation_accuracy"])

    def test_wrong_options_are_refused(self):
        for wrong in (("--learning-rate", "nan"), ("--learning-rate", "-1"), ("--momentum", "2"),
                      ("--epochs", "0"), ("--model", "resnet9"), ("--lr", "0.1")):
            with self.subTest(wrong=wrong):
                message = self.run_script(*self.few, *wrong, status=2)
                self.assertIn(wrong[0], message)

    def test_more_epochs_go_on_from_the_checkpoint_to_the_same_weights(self):
        options = self.few + ["--augment", "crop-flip"]
        whole = self.run_script(*options, "--epochs", 3, "--model-dir", self.directory / "whole")
        checkpoints = {"TUNER_CHECKPOINT_DIR": str(self.directory / "c")}
        first = self.run_script(*options, "--epochs", 1, **checkpoints)
        second = self.run_script(*options, "--epochs", 3, "--model-dir", self.directory / "parts",
                                 **checkpoints)
        self.assertNotIn("@tuner", first)
        self.assertIn('@tuner {"resume": 1}\n', second)
        self.assertEqual(self.without_speed(first + second), self.without_speed(whole))
        self.assert_same_weights(self.saved_model("whole"), self.saved_model("parts"))

    def test_a_finished_checkpoint_repeats_its_last_line(self):
        checkpoints = {"SM_CHECKPOINT_DIR": str(self.directory / "c")}
        first = self.run_script(*self.few, "--epochs", 2, **checkpoints)
        again = self.run_script(*self.few, "--epochs", 2, "--model-dir", self.directory / "m",
                                **checkpoints)
        self.assertIn('@tuner {"resume": 1}\n', again)
        self.assertEqual(self.without_speed(again), self.without_speed(first)[-1:])
        self.assertTrue((self.directory / "m" / "model.pt").exists())

    def test_a_checkpoint_of_another_network_is_refused(self):
        checkpoints = {"TUNER_CHECKPOINT_DIR": str(self.directory / "c")}
        self.run_script(*self.few, "--epochs", 1, **checkpoints)
        message = self.run_script(*self.few, "--epochs", 2, "--model", "resnet14", status=2,
                                  **checkpoints)
        self.assertIn("resnet14", message)

    def test_an_unreadable_checkpoint_costs_only_its_work(self):
        directory = self.directory / "c"
        directory.mkdir()
        (directory / "checkpoint.pt").write_bytes(b"not a checkpoint")
        output = self.run_script(*self.few, "--epochs", 1, TUNER_CHECKPOINT_DIR=str(directory))
        self.assertIn("starting from the beginning", output)
        self.assertEqual(len(VALIDATION.findall(output)), 1)

    def test_new_hyperparameters_win_over_the_checkpoints(self):
        checkpoints = {"TUNER_CHECKPOINT_DIR": str(self.directory / "c")}
        self.run_script(*self.few, "--epochs", 1, "--model-dir", self.directory / "first",
                        **checkpoints)
        self.run_script(*self.few, "--epochs", 2, "--learning-rate", 0,
                        "--model-dir", self.directory / "second", **checkpoints)
        first, second = self.saved_model("first"), self.saved_model("second")
        self.assertTrue(torch.equal(first["fc.weight"], second["fc.weight"]))
        self.assertFalse(torch.equal(first["bn1.running_mean"], second["bn1.running_mean"]))

    def interrupted_run(self, number, *arguments, **environment):
        """Starts the script, signals it after its first epoch, returns (status, output)."""
        process, lines = forked_script.start(worker.main, arguments, self.environment(**environment))
        output = ""
        with lines:
            for line in lines:
                output += line
                if line.startswith("epoch=1 "):
                    os.kill(process.pid, number)
                    break
            output += lines.read()
        return forked_script.wait(process, 60), output

    def test_sigterm_checkpoints_leaves_and_the_next_start_ends_up_the_same(self):
        options = self.options + ["--epochs", 4, "--augment", "crop-flip"]
        whole = self.run_script(*options, "--model-dir", self.directory / "whole")
        checkpoints = {"TUNER_CHECKPOINT_DIR": str(self.directory / "c")}
        model = self.directory / "parts"
        status, first = self.interrupted_run(
            signal.SIGTERM, *options, "--model-dir", model, **checkpoints)
        self.assertEqual(status, 143, first)
        self.assertFalse(model.exists())
        saved = worker.load_checkpoint(self.directory / "c")
        self.assertLess(saved["epoch"], 4)
        second = self.run_script(*options, "--model-dir", model, **checkpoints)
        self.assertIn('@tuner {"resume": %d}\n' % saved["epoch"], second)
        self.assertEqual(self.without_speed(first + second), self.without_speed(whole))
        self.assert_same_weights(self.saved_model("whole"), self.saved_model("parts"))

    def test_killed_at_once_the_next_start_goes_on_at_its_last_whole_epoch(self):
        """SIGKILL leaves no time for a checkpoint: only what the last epoch's end has saved is left."""
        options = self.options + ["--epochs", 3, "--augment", "crop-flip"]
        whole = self.run_script(*options)
        checkpoints = {"TUNER_CHECKPOINT_DIR": str(self.directory / "c")}
        status, first = self.interrupted_run(signal.SIGKILL, *options, **checkpoints)
        self.assertEqual(status, -signal.SIGKILL, first)
        saved = worker.load_checkpoint(self.directory / "c")
        done = saved["epoch"] if saved else 0  # killed before it was written: none
        self.assertLess(done, 3)
        second = self.run_script(*options, **checkpoints)
        if done:
            self.assertIn('@tuner {"resume": %d}\n' % done, second)
        lines = self.without_speed(second)
        self.assertEqual(lines, self.without_speed(whole)[done:])

    def test_sigint_leaves_too(self):
        status, output = self.interrupted_run(signal.SIGINT, *self.few, "--epochs", 50)
        self.assertEqual(status, 130, output)
        self.assertNotIn("Traceback", output)


class MidEpoch(WorkerTest):
    """Interruptions at an exact step, without the script's process."""

    def training(self, checkpoint_dir, **changes):
        write_fashion_mnist(self.directory, train=96, test=50)
        options = ["--data", str(self.directory), "--model", "resnet8", "--batch-size", "16",
                   "--epochs", "2", "--augment", "crop-flip", "--schedule", "cosine",
                   "--checkpoint-dir", str(checkpoint_dir)]
        for name, value in changes.items():
            options += ["--" + name, str(value)]
        options = worker.parse_options(options)
        _, train, test = worker.load_data(options.data)
        return worker.Training(options, train, test, torch.device("cpu"))

    class AfterSteps:
        """Interrupts when it has been looked at `count` times."""

        def __init__(self, count):
            self.count = count

        @property
        def signal(self):
            self.count -= 1
            return None if self.count >= 0 else signal.SIGTERM

    def setUp(self):
        super().setUp()
        silence = unittest.mock.patch.object(worker, "say")
        self.said = silence.start()
        self.addCleanup(silence.stop)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        self.addCleanup(torch.set_num_threads, threads)

    def interrupted(self):
        training = self.training(self.directory / "c")
        training.run(self.AfterSteps(3))
        self.assertEqual((training.epoch, training.step), (0, 3))
        return training

    def test_a_run_interrupted_in_an_epoch_goes_on_at_that_step_to_the_same_weights(self):
        whole = self.training(self.directory / "none")
        whole.run(worker.Interruption())
        self.interrupted()
        rest = self.training(self.directory / "c")
        rest.resume()
        self.assertEqual((rest.epoch, rest.step), (0, 3))
        rest.run(worker.Interruption())
        for name, value in whole.model.state_dict().items():
            self.assertTrue(torch.equal(value, rest.model.state_dict()[name]), name)
        self.assertEqual(whole.line.split(" images/s")[0], rest.line.split(" images/s")[0])

    def test_bf16_computes_otherwise_than_fp32_and_goes_on_from_its_checkpoint(self):
        training = self.interrupted()
        exact = training.forward(training.train.pixels[:8])
        other = self.training(self.directory / "c", precision="bf16")
        other.resume()
        self.assertEqual((other.epoch, other.step), (0, 3))
        rounded = other.forward(other.train.pixels[:8])
        self.assertEqual(rounded.dtype, torch.float32)
        self.assertFalse(torch.equal(exact, rounded))
        # Both normalize by this batch: what differs is the rounding to 8 bits.
        self.assertLess(float((exact - rounded).norm() / exact.norm()), 0.1)

    def test_tf32_is_switched_for_both_kinds_of_products(self):
        before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
        try:
            for precision, expected in (("tf32", True), ("fp32", False), ("auto", False), ("bf16", False)):
                worker.set_fp32_units(precision)
                self.assertEqual((torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32), (expected,) * 2, precision)
        finally:
            torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before

    def saved_at(self, training, interruption):
        """(epoch, step) of each checkpoint that it writes."""
        found = []
        write = training.save_checkpoint

        def save_checkpoint():
            found.append((training.epoch, training.step))
            write()

        training.save_checkpoint = save_checkpoint
        training.run(interruption)
        return found

    def test_checkpoints_can_be_fewer_but_for_the_end_and_an_interruption(self):
        seldom = {"epochs": 4, "checkpoint-seconds": 3600}
        self.assertEqual(self.saved_at(self.training(self.directory / "a", epochs=4), worker.Interruption()),
                         [(1, 0), (2, 0), (3, 0), (4, 0)])
        self.assertEqual(self.saved_at(self.training(self.directory / "b", **seldom), worker.Interruption()), [(4, 0)])
        self.assertEqual(self.saved_at(self.training(self.directory / "d", **seldom), self.AfterSteps(10)), [(1, 3)])
        overdue = self.training(self.directory / "e", **seldom)
        overdue.saved -= 3600
        self.assertEqual(self.saved_at(overdue, worker.Interruption()), [(1, 0), (4, 0)])

    def test_the_cosine_schedule_falls_from_the_learning_rate_to_zero(self):
        training = self.training(self.directory / "c", **{"learning-rate": 0.5})
        seen = []
        for epoch, step in ((0, 0), (0, 3), (1, 0), (1, 3), (2, 0)):  # of 2 epochs of 6 steps
            training.epoch, training.step = epoch, step
            seen.append(round(training.learning_rate(), 12))
        half = 0.25 * 2**-0.5
        expected = [0.5, 0.25 + half, 0.25, 0.25 - half, 0]
        self.assertEqual(seen, [round(value, 12) for value in expected])

    def test_another_batch_size_begins_the_epoch_again_with_the_weights_kept(self):
        weights = self.interrupted().model.state_dict()
        rest = self.training(self.directory / "c", **{"batch-size": 32})
        rest.resume()
        self.assertEqual((rest.epoch, rest.step), (0, 0))
        self.assertEqual(rest.totals.tolist(), [0, 0])
        for name, value in rest.model.state_dict().items():
            self.assertTrue(torch.equal(value, weights[name]), name)


if __name__ == "__main__":
    unittest.main()
