#!/usr/bin/env python3
"""Train a ResNet on CIFAR-10 or Fashion-MNIST: the reference training script.

    cifar10_resnet.py --data DIR --model resnet20 --learning_rate 0.1 --momentum 0.9 --epochs 10

It needs PyTorch (1.13 to 2.x) and numpy, and knows nothing of tuner: what it takes from its
surroundings are command-line options and environment variables, most of them SageMaker's, so
it also runs by hand, and a script of your own can do the same in a few lines.

Data. DIR (or SM_CHANNEL_TRAIN) holds either
    CIFAR-10, binary version     data_batch_1.bin ... data_batch_5.bin, test_batch.bin
    Fashion-MNIST, IDX files     train-images-idx3-ubyte[.gz] and the other three
and which of them is found out by looking.  The test images serve for validation, as in the
experiment that cifar10-resnet34.jsonc repeats: for a result to publish, keep others aside.

Models. resnet8, resnet14, resnet20 are the CIFAR networks (6n+2 layers, identity shortcuts)
of He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, section 4.2;
resnet18 and resnet34 are the ImageNet networks of the same paper, with torchvision's names and
shapes (7x7 stem, max-pooling), so that its weights load.

Output. One line per epoch,
    epoch=3 train: loss=0.4123 accuracy=0.8512 validation: accuracy=0.8123 loss=0.5301 images/s=1234
If the loss is no longer finite, the line says `validation: accuracy=nan` and training ends there,
normally: exit status 0, the model saved.  A configuration that diverges is a result, too.

Precision. Where the GPU has units for it (Ampere and newer) layers compute in bf16, elsewhere
in what PyTorch takes for fp32; --precision says otherwise.  Weights and sums are fp32 always.

Interruptions. With TUNER_CHECKPOINT_DIR (or SM_CHECKPOINT_DIR, --checkpoint-dir) each epoch
ends in a checkpoint (with --checkpoint-seconds, fewer do); SIGTERM and SIGINT finish the current
step, write one and leave with status 143 or 130.  The next start prints `@tuner {"resume": EPOCHS_DONE}` and goes on in the
middle of the epoch.  Shuffling and augmentation are a function of (seed, epoch), not of a
generator's past, so an interrupted run computes what an uninterrupted one does: bit for bit
on one CPU thread, up to the order of its sums on a GPU.

Exit status: 0 done, 2 wrong usage or no data, 143 or 130 interrupted.
"""
import argparse
import contextlib
import dataclasses
import gzip
import hashlib
import json
import math
import os
import pathlib
import signal
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

CHECKPOINT_NAME = "checkpoint.pt"
CHECKPOINT_FORMAT = 1
EVAL_BATCH = 500  # images per forward pass in validation; the result hardly depends on it
CROP_PADDING = 4
# Steps between two looks at the loss: each look waits for the GPU to catch up.
FINITE_CHECK_STEPS = 16
# The options that model.json records.
SAVED_OPTIONS = ("learning_rate", "schedule", "momentum", "wd", "batch_size", "augment", "precision", "seed")


class UsageError(Exception):
    """Something that whoever started the script can put right: exit status 2."""


# ----------------------------------------------------------------------------- data


@dataclasses.dataclass
class Images:
    """n images (n x channels x height x width, bytes) and their labels (n, int64)."""

    pixels: torch.Tensor
    labels: torch.Tensor

    def __len__(self):
        return len(self.labels)

    def first(self, count):
        """The first `count` images, or all of them if it is None or more than there are."""
        return Images(self.pixels[:count], self.labels[:count])

    def to(self, device):
        return Images(self.pixels.to(device), self.labels.to(device))


CIFAR10_TRAIN = ["data_batch_%d.bin" % i for i in range(1, 6)]
CIFAR10_TEST = ["test_batch.bin"]
CIFAR10_SHAPE = (3, 32, 32)
FASHION_TRAIN = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
FASHION_TEST = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
CLASSES = 10

WHERE_TO_GET_DATA = """\
Fashion-MNIST:  apt install dataset-fashion-mnist
                (puts it into /usr/share/datasets/fashion-mnist)
CIFAR-10:       curl -O https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz
                tar xzf cifar-10-binary.tar.gz
                (puts it into cifar-10-batches-bin)"""


def read_cifar10(directory, names):
    """CIFAR-10's binary version: records of one label byte and 3072 pixel bytes."""
    record = 1 + math.prod(CIFAR10_SHAPE)
    parts = []
    for name in names:
        data = np.fromfile(directory / name, dtype=np.uint8)
        if data.size == 0 or data.size % record:
            raise UsageError(
                "%s: %d bytes are not a whole number of %d-byte CIFAR-10 records"
                % (directory / name, data.size, record)
            )
        parts.append(data.reshape(-1, record))
    records = np.concatenate(parts)
    pixels = np.ascontiguousarray(records[:, 1:]).reshape(-1, *CIFAR10_SHAPE)
    return checked_images(directory, pixels, records[:, 0])


def idx_path(directory, name):
    """The path of an IDX file, plain or compressed; None if there is neither."""
    for path in (directory / name, directory / (name + ".gz")):
        if path.is_file():
            return path
    return None


def read_idx(path, dimensions):
    """An IDX file of unsigned bytes with that many dimensions, as an array.

    The format: two zero bytes, the element type (8: unsigned byte), the number of
    dimensions, each dimension as a big-endian 32-bit number, then the elements, last
    dimension fastest.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as file:
            data = file.read()
    except (OSError, EOFError) as error:
        raise UsageError("%s: %s" % (path, error)) from error
    header = 4 + 4 * dimensions
    if len(data) < header or data[:4] != bytes((0, 0, 8, dimensions)):
        raise UsageError("%s: not an IDX file of bytes in %d dimensions" % (path, dimensions))
    shape = tuple(int(n) for n in np.frombuffer(data, ">u4", dimensions, offset=4))
    if len(data) != header + math.prod(shape):
        raise UsageError(
            "%s: %d bytes where the header promises %d"
            % (path, len(data), header + math.prod(shape))
        )
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape).copy()


def read_fashion_mnist(directory, names):
    pixels = read_idx(idx_path(directory, names[0]), 3)
    labels = read_idx(idx_path(directory, names[1]), 1)
    if len(pixels) != len(labels):
        raise UsageError("%s: %d images, %d labels" % (directory, len(pixels), len(labels)))
    return checked_images(directory, pixels[:, None], labels)


def checked_images(directory, pixels, labels):
    if len(labels) == 0 or labels.max() >= CLASSES:
        raise UsageError("%s: labels must be 0 to %d" % (directory, CLASSES - 1))
    return Images(torch.from_numpy(pixels), torch.from_numpy(labels.astype(np.int64)))


def load_data(directory):
    """(name, training images, validation images) of whatever data the directory holds.

    A directory that only contains the unpacked archive's directory will do as well.
    """
    if not directory:
        raise UsageError(
            "no data: give --data DIR or set SM_CHANNEL_TRAIN\n" + WHERE_TO_GET_DATA
        )
    top = pathlib.Path(directory)
    for path in (top, top / "cifar-10-batches-bin", top / "fashion-mnist"):
        if all((path / name).is_file() for name in CIFAR10_TRAIN + CIFAR10_TEST):
            return "cifar10", read_cifar10(path, CIFAR10_TRAIN), read_cifar10(path, CIFAR10_TEST)
        if all(idx_path(path, name) for name in FASHION_TRAIN + FASHION_TEST):
            return (
                "fashion-mnist",
                read_fashion_mnist(path, FASHION_TRAIN),
                read_fashion_mnist(path, FASHION_TEST),
            )
    problem = "holds neither data set complete" if top.is_dir() else "is not a directory"
    raise UsageError("%s %s\n%s" % (top, problem, WHERE_TO_GET_DATA))


class Normalize:
    """Bytes to floats with mean 0 and standard deviation 1 per channel of the training images."""

    def __init__(self, images):
        # From the histogram: exact, and no floating-point copy of the whole set.
        levels = torch.arange(256, dtype=torch.float64)
        self.mean, self.std = [], []
        for channel in range(images.pixels.shape[1]):
            pixels = images.pixels[:, channel].reshape(-1)
            share = torch.bincount(pixels, minlength=256).double().cpu() / len(pixels)
            mean = float((share * levels).sum())
            variance = float((share * (levels - mean) ** 2).sum())
            self.mean.append(mean)
            self.std.append(math.sqrt(variance) or 1.0)  # a constant channel stays at zero
        shape = (1, -1, 1, 1)
        device = images.pixels.device
        self._shift = torch.tensor(self.mean, device=device).view(shape)
        self._scale = (1 / torch.tensor(self.std, device=device)).view(shape)

    def __call__(self, pixels):
        x = (pixels.float() - self._shift) * self._scale
        return x.contiguous(memory_format=torch.channels_last)


# ----------------------------------------------------------------------------- randomness


def key(*parts):
    """A 32-bit seed (torch's CPU generator uses no more) that depends on all the parts."""
    text = "/".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")


class EpochPlan:
    """All that is random in one epoch: the order of the images, and how each is augmented.

    A pure function of the arguments, drawn on the CPU, so the same on every device.
    """

    def __init__(self, seed, epoch, count, augment, device):
        generator = torch.Generator().manual_seed(key(seed, "epoch", epoch))
        self.augment = augment
        self.order = torch.randperm(count, generator=generator).to(device)
        # Drawn for "flip", too, so that it mirrors the same images as "crop-flip".
        corner = torch.randint(2 * CROP_PADDING + 1, (count, 2), generator=generator)
        self.corner = corner.to(device) if augment == "crop-flip" else None
        self.flip = (torch.rand(count, generator=generator) < 0.5).to(device)

    def batch(self, images, start, stop):
        """Pixels and labels of the images from `start` to before `stop` in this epoch's order."""
        chosen = self.order[start:stop]
        pixels = images.pixels[chosen]
        if self.augment == "flip":
            pixels = mirrored(pixels, self.flip[start:stop])
        elif self.augment == "crop-flip":
            pixels = crop_and_flip(pixels, self.corner[start:stop], self.flip[start:stop])
        return pixels, images.labels[chosen]


def mirrored(pixels, flip):
    """Each image, mirrored where `flip` says so."""
    return torch.where(flip[:, None, None, None], pixels.flip(3), pixels)


def crop_and_flip(pixels, corner, flip):
    """Each image padded with black by CROP_PADDING, cut to its old size at its own corner
    (row, column), and mirrored where `flip` says so."""
    count, channels, height, width = pixels.shape
    device = pixels.device
    padded = F.pad(pixels, (CROP_PADDING,) * 4)
    rows = corner[:, :1] + torch.arange(height, device=device)
    columns = torch.arange(width, device=device).expand(count, width)
    columns = corner[:, 1:] + torch.where(flip[:, None], width - 1 - columns, columns)
    return padded[
        torch.arange(count, device=device)[:, None, None, None],
        torch.arange(channels, device=device)[:, None, None],
        rows[:, None, :, None],
        columns[:, None, None, :],
    ]


# ----------------------------------------------------------------------------- models


class PadShortcut(nn.Module):
    """The identity between unlike shapes, without parameters: every `stride`-th pixel, and
    zeros for the new channels (option A of He et al., section 4.2)."""

    def __init__(self, new_channels, stride):
        super().__init__()
        self.new_channels = new_channels
        self.stride = stride

    def forward(self, x):
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, 0, self.new_channels))


def projection_shortcut(inputs, outputs, stride):
    """Option B: a strided 1x1 convolution."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
    )


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut; attributes are named as torchvision names them."""

    def __init__(self, inputs, outputs, stride, projection):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if projection and (stride != 1 or inputs != outputs):
            self.downsample = projection_shortcut(inputs, outputs, stride)
        elif stride != 1 or inputs != outputs:
            self.downsample = PadShortcut(outputs - inputs, stride)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """Stem, stages of basic blocks (each but the first halves the image), mean, linear layer."""

    def __init__(self, channels, classes, widths, depths, imagenet):
        super().__init__()
        stem = {"kernel_size": 7, "stride": 2, "padding": 3} if imagenet else {
            "kernel_size": 3, "stride": 1, "padding": 1}
        self.conv1 = nn.Conv2d(channels, widths[0], bias=False, **stem)
        self.bn1 = nn.BatchNorm2d(widths[0])
        self.maxpool = nn.MaxPool2d(3, 2, 1) if imagenet else nn.Identity()
        inputs = widths[0]
        self.stages = len(widths)
        for i, (outputs, depth) in enumerate(zip(widths, depths)):
            blocks = [BasicBlock(inputs, outputs, 2 if i else 1, imagenet)]
            blocks += [BasicBlock(outputs, outputs, 1, imagenet) for _ in range(depth - 1)]
            setattr(self, "layer%d" % (i + 1), nn.Sequential(*blocks))
            inputs = outputs
        self.fc = nn.Linear(inputs, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        for i in range(self.stages):
            x = getattr(self, "layer%d" % (i + 1))(x)
        return self.fc(x.mean((2, 3)))


CIFAR_WIDTHS = (16, 32, 64)
IMAGENET_WIDTHS = (64, 128, 256, 512)
MODELS = {  # name: widths, blocks per stage, ImageNet's stem and shortcuts?
    "resnet8": (CIFAR_WIDTHS, (1, 1, 1), False),
    "resnet14": (CIFAR_WIDTHS, (2, 2, 2), False),
    "resnet20": (CIFAR_WIDTHS, (3, 3, 3), False),
    "resnet18": (IMAGENET_WIDTHS, (2, 2, 2, 2), True),
    "resnet34": (IMAGENET_WIDTHS, (3, 4, 6, 3), True),
}


def build_model(name, channels, seed=0):
    torch.manual_seed(key(seed, "weights"))
    model = ResNet(channels, CLASSES, *MODELS[name])
    return model.to(memory_format=torch.channels_last)


# ----------------------------------------------------------------------------- files


def replace_file(path, write):
    """Calls write(file) on a new file and puts it in the place of `path` in one step, so
    whoever reads `path`, after a power failure too, finds the old content or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name("%s.%d.tmp" % (path.name, os.getpid()))
    try:
        with open(temporary, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


def load_checkpoint(directory):
    """What the last checkpoint there holds, or None.

    One that cannot be read costs the work it held, not the trial."""
    path = pathlib.Path(directory) / CHECKPOINT_NAME
    if not path.exists():
        return None
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        about = json.loads(saved.pop("about"))
        if about["format"] == CHECKPOINT_FORMAT:
            return dict(saved, **about)
        reason = "format %s" % about["format"]
    except Exception as error:  # torch.load has no exception of its own
        reason = type(error).__name__
    say("checkpoint %s is not usable (%s): starting from the beginning" % (path, reason))
    return None


def say(*words):
    """A line that whoever reads our pipe sees now."""
    print(*words, flush=True)


# ----------------------------------------------------------------------------- training


class Interruption:
    """Remembers that SIGTERM or SIGINT came; training looks at it between steps."""

    def __init__(self):
        self.signal = None

    def install(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._remember)

    def _remember(self, number, _frame):
        self.signal = number


class Training:
    """The state of a training run: model, optimizer, and how far they have come.

    `epoch` counts finished epochs and `step` the steps taken in the one after; `totals` holds
    that epoch's sum of losses and count of hits so far.  All of it is in a checkpoint.
    """

    def __init__(self, options, train, validation, device):
        self.options = options
        self.device = device
        self.train = train.to(device)
        self.validation = validation.to(device)
        self.bf16 = computes_in_bf16(options.precision, device)
        self.normalize = Normalize(self.train)
        self.model = build_model(options.model, train.pixels.shape[1], options.seed).to(device)
        self.optimizer = torch.optim.SGD(
            self.model.parameters(),
            lr=options.learning_rate,
            momentum=options.momentum,
            weight_decay=options.wd,
        )
        self.batch_size = min(options.batch_size, len(self.train))
        self.steps = len(self.train) // self.batch_size  # the rest waits for another epoch
        self.epoch = 0
        self.step = 0
        self.totals = torch.zeros(2, dtype=torch.float64, device=device)
        self.line = None
        self.accuracy = None
        self.diverged = False
        self.saved = time.monotonic()  # when the last checkpoint was written, or we began

    # What a checkpoint must agree with: `shape` to be loaded at all, `plan` to go on in the
    # middle of an epoch.  Learning rate, momentum, decay, precision and
    # epochs may change.

    def shape(self):
        return {"model": self.options.model, "image": list(self.train.pixels.shape[1:])}

    def plan(self):
        return {
            "seed": self.options.seed,
            "images": len(self.train),
            "batch_size": self.batch_size,
            "augment": self.options.augment,
        }

    def save_checkpoint(self):
        if not self.options.checkpoint_dir:
            return
        about = {
            "format": CHECKPOINT_FORMAT,
            "shape": self.shape(),
            "plan": self.plan(),
            "epoch": self.epoch,
            "step": self.step,
            "line": self.line,
            "accuracy": self.accuracy,
        }
        # As text: the safe loader of PyTorch 1.13 knows tensors and strings, but no floats.
        content = {
            "about": json.dumps(about),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict()["state"],
            "totals": self.totals,
        }
        path = pathlib.Path(self.options.checkpoint_dir) / CHECKPOINT_NAME
        replace_file(path, lambda file: torch.save(content, file))
        self.saved = time.monotonic()

    def checkpoint_is_due(self):
        seconds = time.monotonic() - self.saved
        return self.finished() or seconds >= self.options.checkpoint_seconds

    def resume(self):
        """Goes on from the checkpoint if there is one, and says from where."""
        directory = self.options.checkpoint_dir
        saved = load_checkpoint(directory) if directory else None
        if saved is None:
            return
        if saved["shape"] != self.shape():
            raise UsageError(
                "the checkpoint in %s is of %s, this run of %s"
                % (directory, saved["shape"], self.shape())
            )
        self.model.load_state_dict(saved["model"])
        optimizer = dict(self.optimizer.state_dict(), state=saved["optimizer"])
        self.optimizer.load_state_dict(optimizer)
        self.epoch, self.line, self.accuracy = saved["epoch"], saved["line"], saved["accuracy"]
        if saved["plan"] == self.plan():
            self.step = saved["step"]
            self.totals.copy_(saved["totals"])
        self.announce_resume()

    def announce_resume(self):
        # With nothing left to train, the last epoch's line is said again: the attempt that
        # printed it may have died before anyone read it.
        finished = self.epoch >= self.options.epochs
        say("@tuner " + json.dumps({"resume": self.epoch - 1 if finished else self.epoch}))
        if finished:
            say(self.line)

    def autocast(self):
        if self.bf16:  # which needs no loss scaling
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return contextlib.nullcontext()

    def forward(self, pixels):
        with self.autocast():
            return self.model(self.normalize(pixels)).float()

    def learning_rate(self):
        """Of the next step."""
        if self.options.schedule == "constant":
            return self.options.learning_rate
        done = (self.epoch + self.step / self.steps) / self.options.epochs
        return self.options.learning_rate * (1 + math.cos(math.pi * done)) / 2

    def train_step(self, plan):
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate()
        start = self.step * self.batch_size
        pixels, labels = plan.batch(self.train, start, start + self.batch_size)
        outputs = self.forward(pixels)
        loss = F.cross_entropy(outputs, labels)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.totals[0] += loss.detach() * len(labels)
        self.totals[1] += (outputs.argmax(1) == labels).sum()
        self.step += 1

    def looks_finite(self):
        """False once a loss of this epoch was not finite: the sum keeps it.  Looks only now
        and then, and always at the epoch's end."""
        if self.step % FINITE_CHECK_STEPS and self.step < self.steps:
            return True
        return math.isfinite(self.totals[0])

    def train_epoch(self, interruption):
        """Takes the epoch's remaining steps; stops early if interrupted or diverged."""
        plan = EpochPlan(
            self.options.seed, self.epoch, len(self.train), self.options.augment, self.device
        )
        self.model.train()
        while self.step < self.steps and not interruption.signal:
            self.train_step(plan)
            if not self.looks_finite():
                self.diverged = True
                return

    @torch.no_grad()
    def validate(self):
        """(accuracy, mean loss) on the validation images."""
        self.model.eval()
        totals = torch.zeros(2, dtype=torch.float64, device=self.device)
        for start in range(0, len(self.validation), EVAL_BATCH):
            labels = self.validation.labels[start : start + EVAL_BATCH]
            outputs = self.forward(self.validation.pixels[start : start + EVAL_BATCH])
            totals[0] += F.cross_entropy(outputs, labels, reduction="sum")
            totals[1] += (outputs.argmax(1) == labels).sum()
        loss, hits = (totals / len(self.validation)).tolist()
        return hits, loss

    def end_epoch(self, seconds, steps_here):
        """Validates, says the epoch's line, and turns to the next epoch."""
        loss, hits = (self.totals / (self.step * self.batch_size)).tolist()
        accuracy, validation_loss = (math.nan, math.nan) if self.diverged else self.validate()
        if not math.isfinite(validation_loss):
            self.diverged = True
            accuracy = validation_loss = math.nan
        self.epoch += 1
        self.step = 0
        self.totals.zero_()
        self.accuracy = accuracy
        self.line = (
            "epoch=%d train: loss=%.4f accuracy=%.4f validation: accuracy=%.4f loss=%.4f"
            " images/s=%.0f"
            % (self.epoch, loss, hits, accuracy, validation_loss,
               steps_here * self.batch_size / max(seconds, 1e-9))
        )
        say(self.line)

    def run(self, interruption):
        """Trains to the last epoch, to divergence or to an interruption.

        Each epoch's line comes before its checkpoint: killed in between, the next start
        repeats the epoch and says it again; the other way round it would be lost."""
        while not self.finished():
            first_step, start = self.step, time.monotonic()
            self.train_epoch(interruption)
            if self.diverged or self.step == self.steps:
                self.end_epoch(time.monotonic() - start, self.step - first_step)
            interrupted = interruption.signal  # one that comes later finds the next epoch's begin
            if not self.diverged and (interrupted or self.checkpoint_is_due()):
                self.save_checkpoint()
            if interrupted:
                return

    def finished(self):
        return self.diverged or self.epoch >= self.options.epochs

    def save_model(self, dataset):
        """model.pt (the state_dict) and model.json (what is needed to use it)."""
        if not self.options.model_dir:
            return
        directory = pathlib.Path(self.options.model_dir)
        state = {name: value.cpu() for name, value in self.model.state_dict().items()}
        replace_file(directory / "model.pt", lambda file: torch.save(state, file))
        about = {
            "model": self.options.model,
            "dataset": dataset,
            "classes": CLASSES,
            "image": list(self.train.pixels.shape[1:]),
            "mean": self.normalize.mean,
            "std": self.normalize.std,
            "epochs": self.epoch,
            "diverged": self.diverged,
            "validation_accuracy": None if self.diverged else self.accuracy,
            "hyperparameters": {
                name: getattr(self.options, name)
                for name in SAVED_OPTIONS
            },
            "torch": torch.__version__,
        }
        text = json.dumps(about, indent=2) + "\n"
        replace_file(directory / "model.json", lambda file: file.write(text.encode()))


# ----------------------------------------------------------------------------- command line


def number(kind, low, high=math.inf):
    """An argparse type: a finite `kind` from low to high."""

    def parse(text):
        value = kind(text)
        if not (low <= value <= high and math.isfinite(value)):
            raise argparse.ArgumentTypeError(
                "%s is not from %s to %s" % (text, low, high)
                if math.isfinite(high)
                else "%s is not a finite number from %s up" % (text, low)
            )
        return value

    parse.__name__ = kind.__name__
    return parse


def first_set(*names):
    """The first of these environment variables that is set and not empty, or None."""
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


def make_parser():
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n", 1)[0],
        epilog="Options may be written with - or _. The script's first lines say more.",
        allow_abbrev=False,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    count = number(int, 1)
    add("--data", default=first_set("SM_CHANNEL_TRAIN"), help="directory (SM_CHANNEL_TRAIN)")
    add("--model", choices=list(MODELS), default="resnet20", help="which network")
    add("--learning-rate", type=number(float, 0), default=0.1, help="of SGD")
    add("--schedule", choices=["constant", "cosine"], default="constant",
        help="cosine: the learning rate falls to zero over the epochs")
    add("--momentum", type=number(float, 0, 1), default=0.9, help="of SGD")
    add("--wd", type=number(float, 0), default=1e-4, help="weight decay")
    add("--batch-size", type=count, default=128, help="images per step")
    add("--epochs", type=count, default=10, help="passes over the training images")
    add("--augment", choices=["none", "flip", "crop-flip"], default="none",
        help="mirror images at random; shift them by up to %d pixels, too" % CROP_PADDING)
    add("--train-images", type=count, help="use only the first so many")
    add("--validation-images", type=count, help="use only the first so many")
    add("--seed", type=int, default=int(first_set("TUNER_SEED") or 0), help="(TUNER_SEED)")
    # OpenMP's variable may be a list, one number per nesting level.
    add("--threads", type=count, default=(first_set("OMP_NUM_THREADS") or "").split(",")[0] or None,
        help="CPU threads (OMP_NUM_THREADS)")
    add("--device", choices=["auto", "cpu", "cuda"], default="auto", help="where to compute")
    add("--precision", choices=["auto", "fp32", "tf32", "bf16"], default="auto",
        help="of the layers; auto: bf16 on GPUs that have units for it, else PyTorch's default")
    add("--cudnn-benchmark", choices=["on", "off"], default="on",
        help="on: cuDNN tries its algorithms at the first step, which takes seconds and gives faster steps")
    add("--model-dir", default=first_set("SM_MODEL_DIR"),
        help="where the model goes at the end (SM_MODEL_DIR)")
    add("--checkpoint-dir", default=first_set("TUNER_CHECKPOINT_DIR", "SM_CHECKPOINT_DIR"),
        help="where checkpoints go (TUNER_CHECKPOINT_DIR, SM_CHECKPOINT_DIR)")
    add("--checkpoint-seconds", type=number(float, 0), default=0,
        help="from one checkpoint to the next, at least; the end and an interruption write one always")
    return parser


def with_dashes(argument):
    """--batch_size=64 as --batch-size=64; anything but an option as it is."""
    if not argument.startswith("--"):
        return argument
    name, equals, value = argument.partition("=")
    return name.replace("_", "-") + equals + value


def parse_options(arguments):
    try:
        return make_parser().parse_args([with_dashes(a) for a in arguments])
    except ValueError as error:  # TUNER_SEED
        raise UsageError("TUNER_SEED: %s" % error) from error


def pick_device(name):
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("--device cuda: this PyTorch (%s) finds no GPU" % torch.__version__)
    return torch.device(name)


def computes_in_bf16(precision, device):
    """GPUs older than Ampere have no units for it."""
    if precision == "auto":
        return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
    return precision == "bf16"


def set_fp32_units(precision):
    """Whether a GPU may round the factors of fp32 products to TF32. PyTorch's default, which
    "auto" and "bf16" leave alone: in convolutions yes, in matrix products no."""
    if precision in ("fp32", "tf32"):
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"


def run(options, interruption):
    """The exit status of a whole run."""
    device = pick_device(options.device)
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.backends.cudnn.benchmark = options.cudnn_benchmark == "on"
    set_fp32_units(options.precision)
    dataset, train, validation = load_data(options.data)
    train = train.first(options.train_images)
    validation = validation.first(options.validation_images)
    training = Training(options, train, validation, device)
    say(
        "data=%s train-images=%d validation-images=%d model=%s weights=%d device=%s threads=%d"
        % (dataset, len(train), len(validation), options.model,
           sum(p.numel() for p in training.model.parameters()), device, torch.get_num_threads())
    )
    training.resume()
    training.run(interruption)
    if not training.finished():
        say("interrupted in epoch %d, at step %d" % (training.epoch + 1, training.step))
        return 128 + interruption.signal
    training.save_model(dataset)
    return 0


def main(arguments):
    interruption = Interruption()
    interruption.install()
    try:
        return run(parse_options(arguments), interruption)
    except UsageError as error:
        print("cifar10_resnet.py: %s" % error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
