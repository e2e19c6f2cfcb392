"""How quick a directory's disk is, for what is to be measured beside it."""
import os
import statistics
import time


def median_us(times, action):
    taken = []
    for i in range(times):
        began = time.perf_counter()
        action(i)
        taken.append((time.perf_counter() - began) * 1e6)
    return statistics.median(taken)


def create_us(directory):
    """Median microseconds to create an empty file."""
    (directory / "created").mkdir()
    return median_us(500, lambda i: (directory / "created" / str(i)).touch(exist_ok=False))


def fsync_us(directory):
    """Median microseconds to append 4 KiB and fsync."""
    def append(_):
        file.write(bytes(4096))
        os.fsync(file.fileno())

    with open(directory / "fsync", "wb", buffering=0) as file:
        return median_us(100, append)
