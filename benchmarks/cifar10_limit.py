#!/usr/bin/env python3
"""What a device can do at most of what workers/cifar10_resnet.py asks of it; needs PyTorch.

    workers/python3-torch benchmarks/cifar10_limit.py [--model resnet34] [--batch-size 1024] [--precision auto]
                                                      [--device auto] [--seconds 30]

Prints one JSON object:
    device, capability, memory_bytes, torch, cuda, cudnn
    flops_per_image     of a training step (forward and backward), counted from the layers' shapes
    precision           in which the worker computes here, by its own choice
    steps               training steps on data that is already on the device, nothing else: no loading, no
                        augmentation, no validation, no look at the loss. Each: batch_size, precision, how ("eager";
                        "graph": replayed as a CUDA graph; "untried": cuDNN takes the algorithms that it guesses to be
                        good, and tries none), images_per_second, first_step_seconds; or error
    products            matrix products: precision, size, tflops; or error
Each measurement is the median over several stretches of time, after a warm-up, with the device waited for.
"""
import argparse
import contextlib
import json
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "workers"))

import cifar10_resnet as worker
import torch
import torch.nn.functional as F
from torch import nn

SIDE, CHANNELS = 32, 3
STRETCHES = 5


# ---- counting ----


def layer_flops(model, batch):
    """Of a training step on that batch, per image: two for each product and sum of a convolution or a linear layer
    forward, as many for the gradient of the weights, and as many for that of the input, which the first layer lacks."""
    forward = []

    def count(layer, inputs, output):
        weights = layer.weight[0].numel()  # products behind one number of the output
        forward.append(2 * weights * output[0].numel())

    hooks = [layer.register_forward_hook(count) for layer in model.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    model.eval()  # in training, one image alone has no variance to normalize by
    with torch.no_grad():
        model(batch)
    for hook in hooks:
        hook.remove()
    return 3 * sum(forward) - forward[0]


# ---- measuring ----


def wait_for(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds_of(call, device, seconds):
    """(median seconds of a call, seconds of the very first one), within about `seconds` in all."""
    begin = time.monotonic()
    call()
    wait_for(device)
    first = time.monotonic() - begin
    begin = time.monotonic()
    call()
    wait_for(device)
    once = max(1e-6, time.monotonic() - begin)
    count = max(1, int(seconds / STRETCHES / once))
    found = []
    for _ in range(STRETCHES):
        start = time.monotonic()
        for _ in range(count):
            call()
        wait_for(device)
        found.append((time.monotonic() - start) / count)
        if time.monotonic() - begin > 2 * seconds:
            break
    return statistics.median(found), first


def set_precision(precision):
    """Of fp32 arithmetic; bf16 is autocast's."""
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision != "fp32"


def autocast(device, precision):
    if precision == "bf16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return contextlib.nullcontext()


class Step:
    """One training step after another, on the same random images."""

    def __init__(self, model, batch_size, precision, device):
        self.device, self.precision = device, precision
        generator = torch.Generator().manual_seed(1)
        shape = (batch_size, CHANNELS, SIDE, SIDE)
        pixels = torch.randn(shape, generator=generator).to(device)
        self.pixels = pixels.contiguous(memory_format=torch.channels_last)
        self.labels = torch.randint(worker.CLASSES, (batch_size,), generator=generator).to(device)
        self.model = worker.build_model(model, CHANNELS).to(device)
        self.model.train()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)

    def __call__(self):
        with autocast(self.device, self.precision):
            outputs = self.model(self.pixels)
        loss = F.cross_entropy(outputs.float(), self.labels)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()


def captured(step):
    """The step as a CUDA graph: what to call for a replay."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):  # the warm-up that capturing asks for
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    step.optimizer.zero_grad(set_to_none=True)
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def measure_step(options, batch_size, precision, how, device):
    found = {"batch_size": batch_size, "precision": precision, "how": how}
    try:
        set_precision(precision)
        torch.backends.cudnn.benchmark = how != "untried"
        step = Step(options.model, batch_size, precision, device)
        call = captured(step) if how == "graph" else step
        seconds, first = seconds_of(call, device, options.seconds)
        found.update(images_per_second=batch_size / seconds, first_step_seconds=first)
    except Exception as error:  # memory, or what this PyTorch cannot capture: the other figures still count
        found["error"] = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    return found


def warm_up(options, precision, device):
    """What is loaded and made once in a process is not to count for the first measurement."""
    if device.type == "cuda":
        measure_step(argparse.Namespace(model=options.model, seconds=0), 16, precision, "untried", device)


def measure_product(options, precision, size, device):
    found = {"precision": precision, "size": size}
    try:
        set_precision(precision)
        kind = torch.bfloat16 if precision == "bf16" else torch.float32
        a = torch.randn(size, size, device=device).to(kind)
        b = torch.randn(size, size, device=device).to(kind)
        seconds, _ = seconds_of(lambda: torch.matmul(a, b), device, options.seconds)
        found["tflops"] = 2 * size**3 / seconds / 1e12
    except Exception as error:
        found["error"] = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    return found


# ---- what to measure ----


def own_precision(device):
    """The worker's choice. A GPU without units for bf16 has none for TF32 either."""
    return "bf16" if worker.computes_in_bf16("auto", device) else "fp32"


def steps_to_measure(batch_size, precision, device):
    ret = [(batch_size, precision, "eager")]
    if device.type == "cuda":
        ret += [(batch_size, precision, "untried")]
        ret += [(images, precision, how) for images in (batch_size, 4 * batch_size) for how in ("eager", "graph")][1:]
    # A graph that cannot be captured may leave the device unusable: last.
    return sorted(ret, key=lambda step: step[2] == "graph")


def products_to_measure(device):
    if device.type == "cuda":
        return [("bf16", 8192), ("tf32", 8192), ("fp32", 8192)]
    return [("fp32", 512)]


def about(device):
    ret = {"device": device.type, "torch": torch.__version__, "cuda": torch.version.cuda, "cudnn": None}
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        ret.update(device=properties.name, capability=[properties.major, properties.minor],
                   memory_bytes=properties.total_memory, cudnn=torch.backends.cudnn.version())
    return ret


def parse_options(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=list(worker.MODELS), default="resnet34")
    parser.add_argument("--batch-size", type=int, default=1024)
    parser.add_argument("--precision", choices=["auto", "fp32", "tf32", "bf16"], default="auto")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--seconds", type=float, default=30, help="about so long in all")
    return parser.parse_args(arguments)


def main(arguments):
    options = parse_options(arguments)
    try:
        device = worker.pick_device(options.device)
    except worker.UsageError as error:
        print(f"cifar10_limit.py: {error}", file=sys.stderr)
        return 2
    if options.threads:
        torch.set_num_threads(options.threads)
    precision = own_precision(device) if options.precision == "auto" else options.precision
    steps, products = steps_to_measure(options.batch_size, precision, device), products_to_measure(device)
    options.seconds /= len(steps) + len(products)
    flops = layer_flops(worker.build_model(options.model, CHANNELS), torch.zeros(1, CHANNELS, SIDE, SIDE))
    warm_up(options, precision, device)
    products = [measure_product(options, *product, device) for product in products]
    steps = [measure_step(options, *step, device) for step in steps]
    print(json.dumps({**about(device), "model": options.model, "precision": precision, "flops_per_image": flops,
                      "steps": steps, "products": products}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
