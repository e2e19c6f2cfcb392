"""Methods that are asked for trials and told their losses, ours and others, and a search by one of them.

options, wherever they are asked for: method (tuner, random or a peer), trials, set (changes of the strategy of tuner), tuner (the
program), peers (where the environments are).
"""
import contextlib
import heapq
import itertools
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import spaces

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "peers"))

import environments


class Ended(Exception):
    """The other program ended, or answered what was not asked for."""


def setting(text):
    """KEY=VALUE of --set, the value as JSON or as it stands."""
    key, _, value = text.partition("=")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


@contextlib.contextmanager
def program(*command):
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          bufsize=1, env=environments.one_thread()) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def say(process, line):
    print(line, file=process.stdin, flush=True)


def hear(process):
    line = process.stdout.readline()
    if not line:
        raise Ended("it ended before its answer")
    try:
        return json.loads(line)
    except ValueError:
        raise Ended(f"its answer is no JSON: {line.strip()[:60]}") from None


# ---- methods: ask() gives a trial's number and configuration, tell() takes its loss ----

class Ours:
    def __init__(self, process):
        self.process = process

    def ask(self):
        """None where the space is exhausted."""
        trials = self.answer({"ask": 1})["trials"]
        return (trials[0]["trial"], trials[0]["parameters"]) if trials else None

    def tell(self, number, loss):
        self.answer({"tell": number, "value": loss})

    def answer(self, request):
        say(self.process, json.dumps(request))
        answer = hear(self.process)
        if "error" in answer:
            raise Ended(answer["error"])
        return answer


class AtRandom:
    def __init__(self, space, seed):
        self.space, self.generator = space, random.Random(1000 + seed)

    def ask(self):
        return 0, spaces.draw(self.space, self.generator)

    def tell(self, number, loss):
        pass


class Peer:
    def __init__(self, process, space):
        self.process, self.asked = process, 0
        say(process, json.dumps(space))

    def ask(self):
        say(self.process, "ask")
        self.asked += 1
        return self.asked, hear(self.process)

    def tell(self, number, loss):
        say(self.process, f"tell {number} {loss!r}")


@contextlib.contextmanager
def asked_method(options, space, workers, seed):
    if options.method == "random":
        yield AtRandom(space, seed)
    elif options.method == "tuner":
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(spaces.job_file(space, options.trials, workers, seed, options.set), file)
            file.flush()
            with program(options.tuner, "ask-tell", file.name) as process:
                yield Ours(process)
    else:
        python = environments.python_of(options.peers, options.method)
        with program(python, HERE / "peer.py", options.method, str(seed)) as process:
            yield Peer(process, space)


# ---- a search ----

def durations(task, seed):
    """Of the trials of a search, by their starts, the same for all methods: log-normal, standard deviation 0.5 in the
    logarithm."""
    generator = random.Random(f"{task} {seed}")
    while True:
        yield generator.lognormvariate(0, 0.5)


def search(options, space, loss, task, workers, seed):
    """The losses in the order of the trials' ends, by virtual workers in virtual time."""
    lasts = durations(task, seed)
    losses, places = [], itertools.count()
    running = []  # a heap of (end, place among the starts, number, loss)
    with asked_method(options, space, workers, seed) as method:

        def start(now):
            place = next(places)
            asked = method.ask() if place < options.trials else None
            if asked:
                number, configuration = asked
                heapq.heappush(running, (now + next(lasts), place, number, loss(**configuration)))

        for _ in range(workers):
            start(0.0)
        while running:
            now, _, number, found = heapq.heappop(running)
            losses.append(found)
            method.tell(number, found)
            start(now)
    return losses
