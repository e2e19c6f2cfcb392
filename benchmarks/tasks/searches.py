"""The searches of real-tasks: run by the Python of environment "tasks", which trains.

    searches.py --out FILE --method NAME --seeds 1-8 --tasks NAME,... --trials 60 --tuner PROGRAM --peers DIR [--set KEY=VALUE ...]

Adds one JSON line a search that FILE has not: method, task, seed, losses.
"""
import argparse
import contextlib
import json
import math
import pathlib
import random
import subprocess
import sys
import tempfile

import spaces
from tasks import TASKS

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "peers"))

import environments
import results


class Ended(Exception):
    """The other program ended, or answered what was not asked for."""


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


def search_ours(options, space, loss, seed):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(spaces.job_file(space, options.trials, seed, options.set), file)
        file.flush()
        with program(options.tuner, "ask-tell", file.name) as tuner:
            for _ in range(options.trials):
                say(tuner, '{"ask": 1}')
                answer = hear(tuner)
                if "error" in answer:
                    raise Ended(answer["error"])
                if not answer["trials"]:  # the space is exhausted
                    return
                trial, = answer["trials"]
                value = loss(**trial["parameters"])
                yield value
                say(tuner, json.dumps({"tell": trial["trial"], "value": value}))
                if "error" in hear(tuner):
                    raise Ended("it refused a result")


def search_at_random(options, space, loss, seed):
    generator = random.Random(1000 + seed)
    for _ in range(options.trials):
        yield loss(**spaces.draw(space, generator))


def search_by_peer(options, space, loss, seed):
    python = environments.python_of(options.peers, options.method)
    with program(python, HERE / "peer.py", options.method, str(seed)) as peer:
        say(peer, json.dumps(space))
        for _ in range(options.trials):
            say(peer, "ask")
            value = loss(**hear(peer))
            yield value
            say(peer, repr(value))


def present(path):
    """The searches that are there. A line that was cut off by an end of this program is none, and is taken out."""
    found, whole, cut = set(), [], False
    for line in path.read_text().splitlines(keepends=True) if path.exists() else []:
        try:
            search = json.loads(line)
            found.add((search["task"], search["seed"]))
            whole.append(line.rstrip("\n") + "\n")
        except ValueError:
            cut = True
    if cut or (whole and not line.endswith("\n")):
        path.with_suffix(".new").write_text("".join(whole))
        path.with_suffix(".new").replace(path)
    return found


def setting(text):
    key, _, value = text.partition("=")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--method", required=True)
    parser.add_argument("--seeds", type=results.parse_range, required=True)
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--trials", type=int, required=True)
    parser.add_argument("--tuner", required=True)
    parser.add_argument("--peers", required=True)
    parser.add_argument("--set", type=setting, action="append", default=[])
    options = parser.parse_args()
    options.set = dict(options.set)
    options.tasks = options.tasks.split(",")
    for name in options.tasks:
        if name not in TASKS:
            parser.error(f"there is no task {name}; there are {', '.join(TASKS)}")
    return options


def main():
    options = parse_options()
    search = {"tuner": search_ours, "random": search_at_random}.get(options.method, search_by_peer)
    there, failed = present(options.out), 0
    with open(options.out, "a") as out:
        for seed in options.seeds:
            for task in options.tasks:
                if (task, seed) in there:
                    continue
                try:
                    losses = list(search(options, *TASKS[task], seed))
                except (Ended, BrokenPipeError) as error:
                    print(f"{options.method}, {task}, seed {seed}: {error}", file=sys.stderr)
                    failed += 1
                    continue
                print(json.dumps({"method": options.method, "task": task, "seed": seed,
                                  "losses": [None if math.isnan(x) else x for x in losses]}),
                      file=out, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
