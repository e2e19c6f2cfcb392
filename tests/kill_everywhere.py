#!/usr/bin/env python3
"""Kills `tuner run` or its supervisors at one system call after another, goes on, and looks whether anything
was lost or ran twice. docs/recovery.md says what is promised.

    tests/kill_everywhere.py [--kind KIND]... [--kills N | --at FIRST-LAST | --all] [--changes] [--jobs N] [--sites FILE]

Each kill is a job of its own, of 20 trials, two in parallel: its first sitting is killed, `tuner run` goes on
to the end. The n of "at the n-th call" is spread evenly over the calls of an undisturbed sitting; with
--changes over those that change files, locks or processes, which are all that a kill can tell apart. --sites
lists every place that was hit: the system call, and who made it. Exit status 1: a promise was broken, and the job's
directory is kept; 77: ptrace is forbidden here.

The program is $TUNER, the tracer (tests/kill_at.c) stands in the build directory $TUNER_BUILD.
"""
import argparse
import bisect
import collections
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("TUNER_BUILD", ROOT / "build"))
TUNER = os.environ.get("TUNER", str(BUILD / "tuner/tuner"))
KILL_AT = str(BUILD / "tests/kill_at")

TRIALS = 20
METRICS = 3
FORBIDDEN = 77
SITTING_S = 120  # more than any sitting takes, also on a loaded machine

# Notes its start, its processes, and those of an earlier attempt that still live. The child that it leaves
# behind does not die with the supervisor by itself. Some trials last over several ticks of the loop. The
# values are told apart by a last digit, so that a row that was lost, doubled or moved is seen.
COMMAND = r"""
state_of() {
	while read -r name state rest; do
		[ "$name" != State: ] || echo "$state"
	done <"/proc/$1/status"
}
pids=pids-$TUNER_TRIAL
if [ -e "$pids" ]; then
	while read -r pid; do
		case $(state_of "$pid" 2>/dev/null) in
		'' | Z | X) ;;
		*) echo "$TUNER_TRIAL $TUNER_ATTEMPT $pid" >>alive ;;
		esac
	done <"$pids"
fi
sleep 30 >/dev/null 2>&1 &
printf '%s\n%s\n' $$ $! >>"$pids"
echo "$TUNER_TRIAL $TUNER_ATTEMPT $TUNER_ATTEMPT_KEY" >>starts
echo "loss=${2}1"
[ $((TUNER_TRIAL % 5)) -ne 3 ] || sleep 0.3
echo "loss=${2}2"
echo "loss=${2}3"
if [ -e keep ]; then
	echo "$TUNER_TRIAL" >>"$TUNER_CHECKPOINT_DIR/steps"
	echo "$2" >"$TUNER_MODEL_DIR/weights"
fi
"""

KEPT = 3


# A host that ssh reaches, without ssh: the remote command, which is the last word, runs here.
SSH = r"""#!/bin/sh
for word; do :; done
exec /bin/sh -c "$word"
"""

# Ends half of those that last, at their first value.
EARLY_STOPPING = {"rule": "threshold", "bound": 0.5, "grace": 1}


def host(directory, kind):
    if not kind.remote:
        return {"backend": "local", "gpus": "none"}
    return {"backend": "ssh", "address": "there", "gpus": "none", "sync": "none",
            "directory": str(directory / "there")}


def write_job(directory, kind):
    (directory / "train.sh").write_text(COMMAND)
    (directory / "bin").mkdir()
    (directory / "bin/ssh").write_text(SSH)
    (directory / "bin/ssh").chmod(0o700)
    (directory / "job.jsonc").write_text(json.dumps({
        "command": ["sh", "train.sh"],
        "objective": {"metric": "loss", "goal": "minimize"},
        "metrics": [{"name": "loss", "regex": "loss=([0-9.]+)"}],
        "parameters": {"x": {"type": "float", "min": 0.1, "max": 0.9, "scale": "linear"}},
        "strategy": kind.strategy,
        "hosts": [host(directory, kind)],
        "budget": {"trials": TRIALS, "parallel": 2},
    } | ({"early_stopping": EARLY_STOPPING} if kind.stops else {})
      | ({"keep": {"best": KEPT}} if kind.keeps else {}), indent=1))
    if kind.keeps:
        (directory / "keep").touch()


# ---- one sitting ----

class Broken(Exception):
    """What was promised and is not so."""


def environment(directory):
    # In a pipeline trials die with the program (--orphans), which is not what is tried here.
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("TUNER_") and name not in ("CI", "GITHUB_STEP_SUMMARY")}
    # The leak check of a sanitized build cannot work while somebody else traces the process.
    asan = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "detect_leaks=0"]))
    return kept | {"OMP_NUM_THREADS": "1", "ASAN_OPTIONS": asan,
                   "PATH": f"{directory}/bin:{os.environ['PATH']}", "XDG_RUNTIME_DIR": str(directory)}


RUN = (TUNER, "run", "job.jsonc")


def call(directory, *command):
    """Runs it in the directory; returns what it printed, and its exit status."""
    done = subprocess.run(command, cwd=directory, env=environment(directory), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=SITTING_S, check=False)
    return done.stdout, done.returncode


def call_under_tracer(directory, command, counted, *victim):
    """The tracer's report; its arguments are those of kill_at."""
    report = directory / "report.json"
    output, status = call(directory, KILL_AT, str(report), counted, *map(str, victim), *command)
    if status == FORBIDDEN:
        print(f"skipped: this machine forbids ptrace ({output.strip()}); in a container, "
              "--cap-add=SYS_PTRACE allows it")
        sys.exit(FORBIDDEN)
    if status != 0:
        raise Broken(f"the tracer failed: {output}")
    return json.loads(report.read_text())


def sit_under_tracer(directory, counted, *victim):
    return call_under_tracer(directory, RUN, counted, *victim)


def sit_to_the_end(directory):
    output, status = call(directory, *RUN)
    if status != 0:
        raise Broken(f"`tuner run` could not go on, exit status {status}:\n{output}")


# ---- what was promised ----

class Outcome:
    """What a finished job has left: its tables, and the command's own notes."""

    def __init__(self, directory):
        self.directory = directory
        job = json.loads((directory / "job.jsonc").read_text())
        self.stops = "early_stopping" in job
        self.keeps = (directory / "keep").exists()
        self.db = sqlite3.connect(directory / "tuner.db")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.db.close()

    def rows(self, query, *values):
        return self.db.execute(query, values).fetchall()

    def value(self, query, *values):
        return self.rows(query, *values)[0][0]

    def notes(self, name):
        path = self.directory / name
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    def configurations(self):
        return dict(self.rows("SELECT t.number, p.value FROM trial t JOIN trial_param p ON p.trial = t.id"))


def expect(got, wanted, what):
    if got != wanted:
        raise Broken(f"{what}: {got!r} instead of {wanted!r}")


def check_database(outcome):
    expect(outcome.rows("PRAGMA integrity_check"), [("ok",)], "integrity_check")
    expect(outcome.rows("PRAGMA foreign_key_check"), [], "foreign_key_check")
    expect(outcome.rows("SELECT state FROM job"), [("done",)], "the job's state")
    expect(outcome.value("SELECT count(*) FROM attempt WHERE state <> 'ended'"), 0, "open attempts")


def check_trials(outcome):
    """The cap is exact, every trial came to its end, and each has its objective."""
    expect([number for number, in outcome.rows("SELECT number FROM trial ORDER BY number")],
           list(range(1, TRIALS + 1)), "numbers of trials")
    open_or_failed = outcome.rows("SELECT number, state, message FROM trial WHERE state <> 'done' "
                                  "AND NOT (? AND state = 'stopped')", outcome.stops)
    expect(open_or_failed, [], "trials without their end")
    for number, objective, shown in outcome.rows(
            "SELECT number, objective, json_extract(parameters, '$.x') FROM trial WHERE state = 'done'"):
        wanted = float(f"{shown!r}{METRICS}")
        expect(objective, wanted, f"objective of trial {number}")


def check_decisions(outcome):
    """None is missing, and each tells what had happened when it was made: its pending trials are those
    before it that had not ended at the event that it names as the last seen."""
    rows = outcome.rows("SELECT t.number, d.seen, d.pending, d.sequence, d.next_sequence, t.ended_event "
                        "FROM trial t LEFT JOIN decision d ON d.id = t.id ORDER BY t.number")
    expect([row[0] for row in rows if row[2] is None], [], "trials without a decision")
    ended = {row[0]: row[5] for row in rows}
    seen, sequence = 0, 0
    for number, sees, pending, used, used_next, _ in rows:
        sees = sees or 0
        if sees < seen:
            raise Broken(f"trial {number} was decided on less than the one before had seen")
        seen = sees
        expect(sorted(json.loads(pending)), [i for i in range(1, number) if ended[i] > sees],
               f"pending trials of decision {number}")
        expect(used, sequence, f"quasi-random points used before trial {number}")
        sequence = used_next


def check_attempts(outcome):
    """Intent before action, no key twice, and a retry only for what the machine did."""
    starts = outcome.notes("starts")
    keys = {(str(trial), str(number), key) for trial, number, key in outcome.rows(
        "SELECT t.number, a.number, a.key FROM attempt a JOIN trial t ON t.id = a.trial")}
    expect([line for line in starts if tuple(line) not in keys], [], "starts that were never intended")
    count = collections.Counter(key for _, _, key in starts)
    expect([key for key, n in count.items() if n > 1], [], "attempts whose command started twice")
    # No other outcome comes from a command like this one, nor from a kill.
    possible = {"ok", "lost", "launch-failed", "interrupted"} | ({"early-stopped"} if outcome.stops else set())
    expect({name for name, in outcome.rows("SELECT outcome FROM attempt")} - possible, set(), "outcomes")
    expect(outcome.rows("SELECT trial FROM attempt WHERE outcome = 'ok' GROUP BY trial HAVING count(*) > 1"),
           [], "trials that ended well twice")
    given_up = {key for key, in outcome.rows("SELECT key FROM attempt WHERE outcome = 'interrupted'")}
    expect(given_up & set(count), set(), "attempts given up as never launched that had started")
    missing = {key for key, in outcome.rows("SELECT key FROM attempt WHERE outcome = 'ok'")} - set(count)
    expect(missing, set(), "attempts that ended well without a start")


def is_alive(pid, keys):
    """Whether it is a process of one of these attempts: the number may be another's by now."""
    process = pathlib.Path(f"/proc/{pid}")
    try:
        status = (process / "status").read_text()
        variables = (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return False
    ours = any(b"TUNER_ATTEMPT_KEY=" + key.encode() in variables for key in keys)
    return ours and "\nState:\tZ" not in status and "\nState:\tX" not in status


def check_processes(outcome):
    expect(outcome.notes("alive"), [], "processes alive when the next attempt started (trial, attempt, pid)")
    pids = [pid for path in outcome.directory.glob("pids-*") for pid, in outcome.notes(path.name)]
    keys = [key for key, in outcome.rows("SELECT key FROM attempt")]
    expect([pid for pid in pids if is_alive(pid, keys)], [], "processes alive after the end")


def check_metrics(outcome):
    """Each attempt's rows are the lines of its output, once and in order."""
    for attempt, directory, ended, shown in outcome.rows(
            "SELECT a.id, a.directory, a.outcome, json_extract(t.parameters, '$.x') "
            "FROM attempt a JOIN trial t ON t.id = a.trial"):
        output = outcome.directory / "tuner.db.d" / directory / "output.log"
        printed = output.read_text().splitlines() if output.exists() else []
        wanted = [f"loss={shown!r}{i}" for i in range(1, METRICS + 1)]
        expect(printed, wanted if ended == "ok" else wanted[:len(printed)], f"output of {directory}")
        rows = outcome.rows("SELECT step, value FROM metric WHERE attempt = ? ORDER BY id", attempt)
        expect([value for _, value in rows], [float(line.partition("=")[2]) for line in printed],
               f"metric rows of {directory}")
        expect([step for step, _ in rows], list(range(rows[0][0], rows[0][0] + len(rows))) if rows else [],
               f"steps of {directory}")


def check_leftovers(outcome):
    """Of files that were being written when somebody was killed."""
    left = [str(path.relative_to(outcome.directory)) for pattern in (".tuner-*.tmp", "exit.json.new")
            for path in (outcome.directory / "tuner.db.d").rglob(pattern)]
    expect(left, [], "files left half written")


def check_with_tuner(outcome):
    """By what users have for it: `tuner verify`, and `tuner replay`, which recomputes every decision."""
    for command, said in (("verify", "nothing is wrong"), ("replay", "all are the same to the bit")):
        output, status = call(outcome.directory, TUNER, command)
        if status != 0 or said not in output:
            raise Broken(f"tuner {command}, exit status {status}: {output}")


def check_artifacts(outcome):
    """The best trials have what they saved, whole and as it was recorded; the others nothing, and each loss
    was decided once."""
    if not outcome.keeps:
        return
    expect(outcome.rows("SELECT attempt FROM manifest WHERE state <> 'recorded'"), [], "unfinished manifests")
    best = {number for number, in outcome.rows(
        "SELECT number FROM trial WHERE state = 'done' ORDER BY objective, number LIMIT ?", KEPT)}
    for attempt, number, directory, ended, shown in outcome.rows(
            "SELECT a.id, t.number, a.directory, a.outcome, json_extract(t.parameters, '$.x') "
            "FROM attempt a JOIN trial t ON t.id = a.trial"):
        path = outcome.directory / "tuner.db.d" / directory
        expect((path.parent / "checkpoint/steps").exists(), number in best, f"checkpoints of trial {number}")
        expect(list(path.parent.glob(".tuner-removed-*")), [], f"removals that were not finished of {number}")
        if ended != "ok":
            continue
        weights = path / "model/weights"
        expect(weights.exists(), number in best, f"the model of trial {number}")
        rows = outcome.rows("SELECT path, bytes, sha256 FROM artifact WHERE attempt = ?", attempt)
        expect([(name, size) for name, size, _ in rows], [("model/weights", len(repr(shown)) + 1)],
               f"what {directory} lists")
        if number in best:
            expect(weights.read_text(), f"{shown!r}\n", f"the model of trial {number}")
            expect(rows[0][2], hashlib.sha256(weights.read_bytes()).hexdigest(), f"its hash in {directory}")
        expect(outcome.value("SELECT count(*) FROM event WHERE kind = 'removed' AND attempt = ?", attempt),
               int(number not in best), f"removals of {directory}")


CHECKS = [check_database, check_trials, check_decisions, check_attempts, check_processes, check_metrics,
          check_leftovers, check_artifacts]


def check(directory, configurations):
    with Outcome(directory) as outcome:
        for one in CHECKS:
            one(outcome)
        if configurations is not None:
            expect(outcome.configurations(), configurations, "configurations")
        check_with_tuner(outcome)


# ---- the kinds of kills ----

# Durations count, so that a time that recovery knows otherwise shows in a replay.
BAYESIAN = {"name": "bayesian", "cost_aware": True}

# strategy: of the job. victim: the tracer's word. again: the sitting after a kill in the middle is the one
# that is killed. stops: some trials are stopped early. keeps: only the best trials keep what they saved.
# remote: trials run on a host of the backend ssh.
Kind = collections.namedtuple("Kind", "strategy victim again stops keeps remote",
                              defaults=(False, False, False, False))

KINDS = {
    "program": Kind("sobol", "program"),
    "bayesian": Kind(BAYESIAN, "program"),
    "recovery": Kind("sobol", "program", again=True),
    "stops": Kind("sobol", "program", stops=True),
    "keep": Kind("sobol", "program", keeps=True),
    "supervisor": Kind("sobol", "supervisor"),
    "both": Kind(BAYESIAN, "both"),
    "remote": Kind("sobol", "program", remote=True),
}

# What was measured undisturbed: how often the victim called, how often the program did, and the configurations
# where they follow from the job file alone.
Undisturbed = collections.namedtuple("Undisturbed", "calls program configurations")


def in_a_directory(act):
    """Runs act(directory); the directory stays if a promise was broken in it."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="tuner-kill-"))
    kept = False
    try:
        return act(directory)
    except (Broken, OSError, sqlite3.Error, subprocess.TimeoutExpired) as error:
        kept = True
        raise Broken(f"{error}\n  in {directory}") from None
    finally:
        if not kept:
            shutil.rmtree(directory)


def undisturbed(kind, options):
    def whole(directory):
        write_job(directory, kind)
        calls = sit_under_tracer(directory, options.counted, "none")["calls"]
        check(directory, None)
        with Outcome(directory) as outcome:
            return calls, outcome.configurations() if kind.strategy == "sobol" else None

    def recovering(directory):
        write_job(directory, kind)
        sit_under_tracer(directory, options.counted, "program", program // 2)
        return sit_under_tracer(directory, options.counted, "program", 1 << 40)["calls"][0]

    (program, *supervisors), configurations = in_a_directory(whole)
    if kind.again:
        calls = in_a_directory(recovering)
    elif kind.victim == "supervisor":
        calls = max(supervisors) if options.at else min(supervisors)
    else:
        calls = program
    return Undisturbed(calls, program, configurations)


def spread(calls, kills):
    """The n of the kills, evenly over all calls."""
    kills = min(kills, calls)
    return [1 + (2 * i + 1) * calls // (2 * kills) for i in range(kills)]


def chosen(options, calls):
    if not options.at:
        return spread(calls, options.kills)
    first, last = options.at
    return range(first, min(last, calls) + 1)


def place(kind, n):
    """The tracer's words. One supervisor is like the other, so each is killed now and then."""
    return [kind.victim, 1 + 7 * n % TRIALS, n] if kind.victim == "supervisor" else [kind.victim, n]


def kill_once(kind, options, usual, n):
    def act(directory):
        write_job(directory, kind)
        if kind.again:
            sit_under_tracer(directory, options.counted, "program", usual.program // 2)
        report = sit_under_tracer(directory, options.counted, *place(kind, n))
        if "killed" not in report or kind.victim == "supervisor":
            expect(report["status"], 0, "exit status of a sitting that was not killed")
        if kind.victim != "supervisor":
            sit_to_the_end(directory)
        check(directory, usual.configurations)
        return report
    return in_a_directory(act)


# ---- the report ----

@functools.lru_cache(maxsize=None)
def symbols(image):
    """Sorted addresses and names of a program's functions; empty without nm."""
    try:
        listed = subprocess.run(["nm", image], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return [], []
    rows = [line.split() for line in listed.splitlines()]
    found = sorted((int(row[0], 16), row[2]) for row in rows if len(row) == 3 and row[1] in "tTwW")
    return [address for address, _ in found], [name for _, name in found]


def is_relocated(image):
    with open(image, "rb") as file:
        return file.read(18)[16] == 3  # e_type: ET_DYN


def site(report):
    """The system call and its callers: "fsync: record_started, begin, supervise"."""
    callers = []
    if report.get("callers"):
        image = report["image"]
        addresses, names = symbols(image)
        base = report["base"] if is_relocated(image) else 0
        for address in report["callers"]:
            i = bisect.bisect(addresses, address - base) - 1
            if i >= 0 and (not callers or callers[-1] != names[i]):
                callers.append(names[i])
    return f"{report['call']}: {', '.join(callers) or 'before main, or in a library'}"


def summary(name, options, calls, reports):
    hit = [report for report in reports if "killed" in report]
    sites = collections.Counter(site(report) for report in hit)
    by_call = collections.Counter(report["call"] for report in hit)
    print(f"{name}: {len(reports)} jobs, {len(hit)} killed at {len(sites)} places, spread over {calls} "
          f"{options.counted}: " + ", ".join(f"{call} {n}" for call, n in by_call.most_common()), flush=True)
    return sites


def run_kind(name, options, workers):
    kind = KINDS[name]
    usual = undisturbed(kind, options)
    reports, broken = [], []
    jobs = {workers.submit(kill_once, kind, options, usual, n): n for n in chosen(options, usual.calls)}
    for job in concurrent.futures.as_completed(jobs):
        try:
            reports.append(job.result())
        except Broken as error:
            broken.append(f"{name}: killed at {jobs[job]}: {error}")
            print(broken[-1], flush=True)
    return summary(name, options, usual.calls, reports), broken


def read_range(text):
    first, _, last = text.partition("-")
    return int(first), int(last or first)


def main(description, option, kinds, run):
    """run(NAME, OPTIONS, WORKERS) kills in one of the kinds; returns the places, and what was broken."""
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    parser.add_argument(option, dest="kind", action="append", choices=list(kinds))
    parser.add_argument("--kills", type=int, default=8, help="of each kind (8)")
    parser.add_argument("--at", type=read_range, help="at these calls, such as 12 or 12-40")
    parser.add_argument("--all", dest="at", action="store_const", const=(1, sys.maxsize), help="at every call")
    parser.add_argument("--changes", dest="counted", action="store_const", const="changes", default="calls",
                        help="only at calls that change anything outside the victim")
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 4), help="side by side")
    parser.add_argument("--sites", help="file for the list of places that were hit")
    options = parser.parse_args()

    broken, lines = [], []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as workers:
        for name in options.kind or kinds:
            try:
                sites, failures = run(name, options, workers)
            except Broken as error:
                sites, failures = {}, [f"{name}, not killed at all: {error}"]
                print(failures[0])
            broken += failures
            lines += [f"{name}\t{n}\t{place}\n" for place, n in sorted(sites.items())]
    if options.sites:
        pathlib.Path(options.sites).write_text("".join(lines))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(__doc__, "--kind", KINDS, run_kind))
