"""Runs of a script whose imports take longer than its work: each is a process of its own, forked from one that has imported it.

    process, output = start(main, arguments, environment, errors=PATH)
    output.read(), wait(process, SECONDS)
"""
import multiprocessing
import multiprocessing.forkserver
import os
import sys
import unittest.mock

FORKS = multiprocessing.get_context("forkserver")


def preload(*modules):
    """Starts what the others are forked from; they are importable by sys.path."""
    FORKS.set_forkserver_preload(list(modules))
    # Python 3.11's passes sys.path on, and then does not heed it.
    with unittest.mock.patch.dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)):
        multiprocessing.forkserver.ensure_running()


def begin(main, arguments, environment, output, errors):
    """The new process: as if main's module had been started with these."""
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(output.fileno(), 1)
    output.close()
    os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) if errors else 1, 2)
    sys.exit(main(arguments))


def start(main, arguments, environment, errors=None):
    """The process, and a file of what it prints, which the caller closes. errors: a path, or None: they are printed, too."""
    reader, writer = FORKS.Pipe(duplex=False)
    process = FORKS.Process(target=begin, args=(main, list(map(str, arguments)), environment, writer,
                                                str(errors) if errors else None))
    process.start()
    writer.close()
    output = os.fdopen(os.dup(reader.fileno()))
    reader.close()
    return process, output


def wait(process, seconds):
    """Its exit status, or minus the signal that ended it. One that takes longer is killed, which shows in its status."""
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
        process.join()
    status = process.exitcode
    process.close()
    return status
