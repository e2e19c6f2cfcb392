"""The peers' environments, for who starts processes in them."""
import os
import pathlib
import subprocess

from methods import find

HERE = pathlib.Path(__file__).resolve().parent

ONE_THREAD = {name: "1" for name in
              ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


def one_thread():
    return os.environ | ONE_THREAD


def python_of(directory, method):
    return pathlib.Path(directory) / find(method).environment / "bin/python"


def make(directory, methods):
    """The methods that can be run, and the environments that cannot be had."""
    wanted = {find(name).environment for name in methods} - {None}
    missing = [environment for environment in sorted(wanted) if subprocess.run(
        [HERE / "setup", "--directory", directory, environment]).returncode]
    return [name for name in methods if find(name).environment not in missing], missing
