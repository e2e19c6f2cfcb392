#!/usr/bin/env python3
"""Kills `tuner enqueue`, `ask`, `tell`, `retry` and `stop` at one system call after another, without a `tuner run`
and, where they ask one, beside it, and looks whether each was taken once or not at all.

    tests/kill_commands.py [--case CASE]... [--kills N | --at FIRST-LAST | --all] [--changes] [--jobs N] [--sites FILE]

Each kill is a job of its own: some trials, the command that is killed, the same again if it was not taken, and
`tuner run` to the end. Options, exit status and environment are those of tests/kill_everywhere.py.
"""
import collections
import concurrent.futures
import functools
import json
import subprocess
import sys
import time

import kill_everywhere as harness
from kill_everywhere import TUNER, Broken, expect

BEFORE, MEANWHILE, END = 4, 6, 8  # trials of the first sitting, of the one beside the command, of the last
WAIT_S = 60

# Trial 3 fails at its first attempt. While there is a file "hold", trials wait.
COMMAND = r"""
echo "$TUNER_TRIAL $TUNER_ATTEMPT $TUNER_ATTEMPT_KEY" >>starts
[ "$TUNER_TRIAL" -ne 3 ] || [ "$TUNER_ATTEMPT" -gt 1 ] || exit 1
while [ -e hold ]; do sleep 0.05; done
echo "loss=$2"
"""

# words: of the command. count: how often the database has taken it. beside: a `tuner run` lives. asks: trial 5 is
# asked for first.
Case = collections.namedtuple("Case", "words count beside asks", defaults=(False, False))

ENQUEUED = "SELECT count(*) FROM queue WHERE source = 'enqueue'"
REOPENED = "SELECT count(*) FROM event WHERE kind = 'reopened'"
CASES = {
    "enqueue": Case(("enqueue", "job", "x=0.123"), ENQUEUED),
    "enqueue-beside": Case(("enqueue", "job", "x=0.123"), ENQUEUED, beside=True),
    "ask": Case(("ask", "job.jsonc"), "SELECT count(*) FROM attempt WHERE backend = 'caller'"),
    "tell": Case(("tell", "job", "5", "0.5"), "SELECT count(*) FROM event e JOIN trial t ON t.id = e.trial "
                 "WHERE t.number = 5 AND e.kind = 'ended'", asks=True),
    "retry": Case(("retry", "job", "--trial", "3"), REOPENED),
    "retry-beside": Case(("retry", "job", "--trial", "3"), REOPENED, beside=True),
    "stop-beside": Case(("stop", "job"), "SELECT count(*) FROM request WHERE verb = 'stop'", beside=True),
}


def write_job(directory):
    (directory / "train.sh").write_text(COMMAND)
    (directory / "job.jsonc").write_text(json.dumps({
        "command": ["sh", "train.sh"],
        "objective": {"metric": "loss", "goal": "minimize"},
        "metrics": [{"name": "loss", "regex": "loss=([0-9.]+)"}],
        "parameters": {"x": {"type": "float", "min": 0.1, "max": 0.9, "scale": "linear"}},
        "strategy": {"name": "bayesian", "initial": 3},
        "hosts": [{"backend": "local", "gpus": "none"}],
        "budget": {"trials": BEFORE, "parallel": 2},
    }))


def tuner(directory, *words):
    """What it printed; Broken unless it did what it was asked for."""
    output, status = harness.call(directory, TUNER, *words)
    if status != 0:
        raise Broken(f"tuner {' '.join(words)}, exit status {status}: {output}")
    return output


def value(directory, query):
    with harness.Outcome(directory) as outcome:
        return outcome.value(query)


def await_value(directory, query, wanted, what):
    until = time.monotonic() + WAIT_S
    while value(directory, query) != wanted:
        if time.monotonic() > until:
            raise Broken(f"in vain for {WAIT_S} s: {what}")
        time.sleep(0.02)


# ---- the run beside it ----

class Beside:
    """A `tuner run` whose two trials are held until it is told to go on."""

    def __init__(self, directory):
        self.directory = directory
        (directory / "hold").touch()
        with open(directory / "beside.log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [*harness.RUN, "--plain", "--trials", str(MEANWHILE)], cwd=directory,
                env=harness.environment(directory), stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def __enter__(self):
        await_value(self.directory, "SELECT count(*) FROM trial WHERE state = 'running'", MEANWHILE - BEFORE,
                    "trials that run")
        return self

    def answers(self):
        await_value(self.directory, "SELECT count(*) FROM request WHERE answer IS NULL", 0, "an answer")

    def __exit__(self, *_):
        (self.directory / "hold").unlink(missing_ok=True)
        try:
            status = self.process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Broken("the run beside it does not end") from None
        if status != 0:
            log = (self.directory / "beside.log").read_text()
            raise Broken(f"the run beside it ended with exit status {status}: {log}")


# ---- one kill ----

def ask_under_tracer(case, options, directory, n):
    """The report, and how often the command was taken."""
    report = harness.call_under_tracer(directory, (TUNER, *case.words), options.counted, "program", n)
    return report, functools.partial(value, directory, case.count)


def taken(report, count):
    n = count()
    if "killed" not in report:
        expect(report["status"], 0, "exit status of a command that was not killed")
        expect(n, 1, "how often it was taken")
    elif n not in (0, 1):
        raise Broken(f"it was taken {n} times")
    return n == 1


def once(case, options, directory, n):
    """The command is killed, and said again unless it was taken."""
    report, count = ask_under_tracer(case, options, directory, n)
    if not taken(report, count):
        tuner(directory, *case.words)
    expect(count(), 1, "how often it was taken in the end")
    return report


def once_beside(case, options, directory, n):
    with Beside(directory) as beside:
        report, count = ask_under_tracer(case, options, directory, n)
        beside.answers()
        if not taken(report, count):
            tuner(directory, *case.words)
        expect(count(), 1, "how often it was taken in the end")
    return report


def check(directory):
    with harness.Outcome(directory) as outcome:
        harness.check_database(outcome)
        starts = collections.Counter(key for _, _, key in outcome.notes("starts"))
        expect([key for key, n in starts.items() if n > 1], [], "attempts whose command started twice")
        expect(outcome.value("SELECT count(*) FROM trial"), END, "trials")
        expect(outcome.value("SELECT count(*) FROM request WHERE answer IS NULL"), 0, "requests without an answer")
        expect(outcome.value("SELECT count(*) FROM queue WHERE trial IS NULL"), 0, "what nobody took from the queue")
        harness.check_leftovers(outcome)
        harness.check_with_tuner(outcome)


def kill_once(case, options, n):
    def act(directory):
        write_job(directory)
        tuner(directory, "run", "job.jsonc")
        if case.asks:
            tuner(directory, "ask", "job.jsonc")
        report = (once_beside if case.beside else once)(case, options, directory, n)
        tuner(directory, "run", "job.jsonc", "--trials", str(END))
        if case is CASES["ask"]:  # whoever asked is gone
            tuner(directory, "tell", "job", str(value(directory, "SELECT t.number FROM trial t JOIN attempt a "
                                                      "ON a.trial = t.id WHERE a.backend = 'caller'")), "0.5")
        check(directory)
        return report
    return harness.in_a_directory(act)


def run_case(name, options, workers):
    case = CASES[name]
    calls = kill_once(case, options, 1 << 40)["calls"][0]
    if case.beside and not options.at:
        calls //= 4  # behind that it only waits for the answer
    reports, broken = [], []
    jobs = {workers.submit(kill_once, case, options, n): n for n in harness.chosen(options, calls)}
    for job in concurrent.futures.as_completed(jobs):
        try:
            reports.append(job.result())
        except Broken as error:
            broken.append(f"{name}: killed at {jobs[job]}: {error}")
            print(broken[-1], flush=True)
    return harness.summary(name, options, calls, reports), broken


if __name__ == "__main__":
    sys.exit(harness.main(__doc__, "--case", CASES, run_case))
