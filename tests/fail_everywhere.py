#!/usr/bin/env python3
"""Has one system call of `tuner run`, or of a supervisor, fail after another: a full disk, a broken or read-only one, no
memory, no descriptor, no process left. docs/recovery.md says what is promised.

    tests/fail_everywhere.py [--kind KIND]... [--faults N [--variant N] | --at FIRST-LAST | --all] [--victim VICTIM]
                             [--for-ever | --once] [--jobs N]

Each fault is a job of its own, of 4 trials, two in parallel. Its sitting must end by itself, with a message where it
ends early; then the fault is over, and `tuner run` must bring the job to its end, with nothing lost that was told or
committed before, no command started twice, and a database that `tuner verify` finds sound. The n of "the n-th such call" is spread
evenly over those of an undisturbed sitting; the call fails once or, as on a disk that stays full, from then on. Exit status 1:
a promise was broken, and the job's directory is kept; 77: this machine forbids ptrace.

The program is $TUNER, the tracer (tests/fail_at.c) stands in the build directory $TUNER_BUILD.
"""
import argparse
import collections
import concurrent.futures
import errno
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import sys

import kill_everywhere as kill
from kill_everywhere import Broken, expect

FAIL_AT = str(kill.BUILD / "tests/fail_at")
TRIALS = kill.TRIALS = 4
FAILURES = 6  # of the infrastructure, that end a sitting
FORBIDDEN = 77
SITTING_S = 90  # more than any sitting takes, also on a loaded machine

# What fails together: the calls, and what the kernel may answer.
Kind = collections.namedtuple("Kind", "calls errors")
KINDS = {
    "write": Kind("write,pwrite64,writev,pwritev", (errno.ENOSPC, errno.EIO)),
    "sync": Kind("fsync,fdatasync,sync_file_range", (errno.EIO, errno.ENOSPC)),
    "create": Kind("create,mkdir,mkdirat,symlink,symlinkat", (errno.ENOSPC, errno.EROFS)),
    "open": Kind("open,openat", (errno.EMFILE, errno.EACCES)),
    "rename": Kind("rename,renameat,renameat2,unlink,unlinkat", (errno.EIO, errno.ENOSPC)),
    "resize": Kind("ftruncate,fallocate", (errno.ENOSPC, errno.EIO)),
    "process": Kind("clone,clone3,vfork,fork", (errno.EAGAIN, errno.ENOMEM)),
    "memory": Kind("mmap,brk,mremap", (errno.ENOMEM,)),
    "read": Kind("read,pread64,getdents64,readlink,readlinkat", (errno.EIO,)),
    "descriptor": Kind("pipe2,epoll_create1,epoll_ctl,inotify_init1,inotify_add_watch,pidfd_open,dup,dup2,dup3,signalfd4",
                       (errno.EMFILE, errno.ENOSPC)),
    "lock": Kind("flock,fcntl", (errno.ENOLCK, errno.EINTR)),
    "look": Kind("stat,lstat,newfstatat,fstat,statfs,fstatfs,access,faccessat,faccessat2", (errno.EIO, errno.EACCES)),
    "wait": Kind("poll,ppoll,epoll_wait,epoll_pwait,wait4,waitid", (errno.EINTR,)),
    "signal": Kind("kill,pidfd_send_signal", (errno.ESRCH, errno.EPERM)),
}

# A sanitizer's allocator gives up where ours is told that there is no memory.
SANITIZED = b"__asan_init" in pathlib.Path(kill.TUNER).read_bytes()

# A fault: which kind of call, whose, the errno, the number of the first that fails, whether all later ones do.
Fault = collections.namedtuple("Fault", "kind victim error n for_ever")


def tell(fault):
    return (f"{fault.kind} of the {fault.victim}, {errno.errorcode[fault.error]} at the "
            f"{fault.n}-th{' and later' if fault.for_ever else ''}")


def write_job(directory):
    (directory / "train.sh").write_text(kill.COMMAND)
    (directory / "job.jsonc").write_text(json.dumps({
        "command": ["sh", "train.sh"],
        "objective": {"metric": "loss", "goal": "minimize"},
        "metrics": [{"name": "loss", "regex": "loss=([0-9.]+)"}],
        "parameters": {"x": {"type": "float", "min": 0.1, "max": 0.9, "scale": "linear"}},
        "strategy": "sobol",
        "backoff": 0,
        "retries": 2 * FAILURES,  # more than a sitting makes
        "hosts": [{"backend": "local", "gpus": "none"}],
        "budget": {"trials": TRIALS, "parallel": 2, "failures": FAILURES},
    }, indent=1))


# ---- sittings ----

def call(directory, *words):
    """Output and exit status of a command; it is killed if it does not end."""
    with subprocess.Popen(list(map(str, words)), cwd=directory, env=kill.environment(directory), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True) as process:
        try:
            output, _ = process.communicate(timeout=SITTING_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise Broken(f"it did not end: {' '.join(map(str, words))}") from None
    return output.decode(errors="replace"), process.returncode


def sit_with(directory, calls, error, at, victim):
    """A sitting under the tracer: its output and the tracer's report. The command line's last word is what the program's
    calls count from."""
    report = directory / "report.json"
    whose = ["supervisor", 2] if victim == "supervisor" else ["program"]
    output, status = call(directory, FAIL_AT, report, calls, error, at, *whose, kill.TUNER, "run", "job.jsonc")
    if status == FORBIDDEN:
        print(f"skipped: this machine does not let system calls fail ({output.strip()})")
        sys.exit(FORBIDDEN)
    expect(status, 0, f"the tracer's status ({output})")
    return output, json.loads(report.read_text())


def go_on(directory):
    """What a person does once the fault is over."""
    for _ in range(2):  # what failed in a sitting that could not conclude counts in the next one
        output, status = call(directory, kill.TUNER, "run", "job.jsonc")
        if status != 5 or "budget.failures" not in output:
            break
    expect(status, 0, f"exit status of the run after the fault ({output})")
    output, status = call(directory, kill.TUNER, "verify")
    expect(status, 0, f"exit status of verify ({output})")


# ---- what was promised ----

def ended(directory):
    """Committed outcomes: number, state and objective of trials that were done or stopped."""
    path = directory / "tuner.db"
    if not path.exists() or path.stat().st_size == 0:
        return []
    db = sqlite3.connect(path)
    try:
        return db.execute("SELECT number, state, objective FROM trial WHERE state IN ('done', 'stopped') "
                          "ORDER BY number").fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):  # it failed before there were any
            return []
        raise
    finally:
        db.close()


def told(output):
    """Trials whose objective was printed."""
    return sorted({int(number) for number in re.findall(r"trial +(\d+) +done .*\bloss=", output)})


def check_sitting(output, report):
    status = report["status"]
    if status not in (0, 2, 3, 4, 5):
        raise Broken(f"it ended with {status}:\n{output}")
    if status != 0 and not output.strip():
        raise Broken(f"it ended with {status} and no message")
    if "this should hold" in output or "Sanitizer" in output:
        raise Broken(f"it broke:\n{output}")


def check_after(directory, before, spoken, victim):
    with kill.Outcome(directory) as outcome:
        kill.check_database(outcome)
        kill.check_trials(outcome)
        starts = collections.Counter(key for _, _, key in outcome.notes("starts"))
        expect([key for key, n in starts.items() if n > 1], [], "attempts whose command started twice")
        kill.check_processes(outcome)
        if victim == "program":  # a supervisor that cannot store the output loses it, and says so there
            kill.check_metrics(outcome)
        done = {number for number, in outcome.rows("SELECT number FROM trial WHERE state = 'done'")}
    expect([row for row in before if row not in ended(directory)], [], "outcomes that were committed and changed")
    expect([number for number in spoken if number not in done], [], "outcomes that were told and are not so")


def fail_once(fault):
    def act(directory):
        write_job(directory)
        at = f"{fault.n}{'+' if fault.for_ever else ''}"
        output, report = sit_with(directory, KINDS[fault.kind].calls, fault.error, at, fault.victim)
        (directory / "sitting").write_text(output)
        check_sitting(output, report)
        before = ended(directory)
        expect([n for n in told(output) if n not in [row[0] for row in before]], [], "told and not committed")
        go_on(directory)
        check_after(directory, before, told(output), fault.victim)
        return report
    return kill.in_a_directory(act)


# ---- which faults ----

def undisturbed(kind, victim):
    """How many calls of this kind there are."""
    def act(directory):
        write_job(directory)
        return sit_with(directory, KINDS[kind].calls, errno.EIO, 0, victim)[1]["calls"]
    return kill.in_a_directory(act)


def chosen(kind, victim, calls, options):
    """The faults of a kind. The sample alternates between errors and between once and for ever."""
    if calls == 0:
        return []
    if options.at:
        first, last = options.at
        numbers = range(first, min(last, calls) + 1)
    else:
        numbers = kill.spread(calls, options.faults)
    errors = KINDS[kind].errors
    # No kernel interrupts every wait, and a supervisor that may signal nothing ends nothing that its command leaves behind.
    passes = options.once or kind == "wait" or (kind, victim) == ("signal", "supervisor")
    ways = [False] if passes else [True] if options.for_ever else [False, True]
    variants = [(error, way) for error in errors for way in ways]
    if options.at:
        return [Fault(kind, victim, error, n, way) for n in numbers for error, way in variants]
    chosen_ones = [variants[(i + options.variant) % len(variants)] for i in range(len(numbers))]
    return [Fault(kind, victim, error, n, way) for n, (error, way) in zip(numbers, chosen_ones)]


def run_kind(kind, victim, options, workers):
    calls = undisturbed(kind, victim)
    faults = chosen(kind, victim, calls, options)
    jobs = {workers.submit(fail_once, fault): fault for fault in faults}
    statuses, broken = collections.Counter(), []
    for job in concurrent.futures.as_completed(jobs):
        try:
            statuses[job.result()["status"]] += 1
        except Broken as error:
            broken.append(f"{tell(jobs[job])}: {error}")
            print(broken[-1], flush=True)
    print(f"{victim}, {kind}: {calls} calls, {len(faults)} faults; exit status " +
          ", ".join(f"{status}: {n}" for status, n in sorted(statuses.items())), flush=True)
    return broken


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kind", action="append", choices=list(KINDS))
    parser.add_argument("--victim", choices=["program", "supervisor"])
    parser.add_argument("--faults", type=int, default=4, help="of each kind (4)")
    parser.add_argument("--variant", type=int, default=0, help="with which error, once or for ever, the sample begins (0)")
    parser.add_argument("--at", type=kill.read_range, help="at these calls, such as 12 or 12-40")
    parser.add_argument("--all", dest="at", action="store_const", const=(1, sys.maxsize), help="at every call")
    parser.add_argument("--for-ever", action="store_true", help="only faults that stay")
    parser.add_argument("--once", action="store_true", help="only faults that pass")
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 4), help="side by side")
    options = parser.parse_args()

    broken = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as workers:
        for victim in [options.victim] if options.victim else ["program", "supervisor"]:
            for kind in options.kind or KINDS:
                if kind == "memory" and SANITIZED:
                    continue
                try:
                    broken += run_kind(kind, victim, options, workers)
                except Broken as error:
                    broken.append(f"{kind}, not disturbed at all: {error}")
                    print(broken[-1], flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
