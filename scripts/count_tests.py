#!/usr/bin/env python3
"""Counts test cases for scripts/test. Prints one line, "PASSED FAILED SKIPPED".

    count_tests.py meson BUILD/meson-logs/testlog.json
    count_tests.py tap STATUS < TAP         STATUS: how the program that wrote the TAP ended
    count_tests.py unittest FILE...         runs them

A case is one line of TAP: cmocka writes it with CMOCKA_MESSAGE_OUTPUT=TAP, bats with --tap. A test
program that fails without a failed case (it crashed, or a sanitizer spoke at its end) counts as
one failure, or as many as its plan promises and it did not reach; one that writes no TAP is a
case by itself.
"""
import importlib.util
import json
import pathlib
import re
import sys
import unittest

PLAN = re.compile(r"1\.\.(\d+)")
RESULT = re.compile(r"(not )?ok\b(.*)")
SKIP = re.compile(r"#\s*skip\b", re.IGNORECASE)


def count_tap(text, failed_as_a_whole):
    """(passed, failed, skipped) of one program's output."""
    planned, passed, failed, skipped = 0, 0, 0, 0
    for line in text.splitlines():
        plan, result = PLAN.fullmatch(line.strip()), RESULT.match(line)
        if plan:
            planned += int(plan.group(1))
        elif result and SKIP.search(result.group(2)):
            skipped += 1
        elif result and result.group(1):
            failed += 1
        elif result:
            passed += 1
    failed += max(0, planned - passed - failed - skipped)
    if failed_as_a_whole and not failed:
        failed = 1
    return passed, failed, skipped


def count_meson_test(test):
    counts = count_tap(test.get("stdout", ""), test["result"] not in ("OK", "SKIP"))
    if counts != (0, 0, 0):
        return counts
    return (0, 0, 1) if test["result"] == "SKIP" else (1, 0, 0)


def count_meson(path):
    with open(path, encoding="utf-8", errors="replace") as log:
        tests = [json.loads(line) for line in log]
    return tuple(sum(column) for column in zip((0, 0, 0), *map(count_meson_test, tests)))


def load_tests(path):
    spec = importlib.util.spec_from_file_location(pathlib.Path(path).stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return unittest.defaultTestLoader.loadTestsFromModule(module)


def run_unittests(paths):
    sys.dont_write_bytecode = True
    suite = unittest.TestSuite(load_tests(path) for path in paths)
    result = unittest.TextTestRunner(stream=sys.stderr, verbosity=1).run(suite)
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    skipped = len(result.skipped)
    for reason in sorted({reason for _, reason in result.skipped}):
        print("skipped: " + reason, file=sys.stderr)
    return max(0, result.testsRun - failed - skipped), failed, skipped


def main(kind, *arguments):
    if kind == "meson":
        counts = count_meson(arguments[0])
    elif kind == "tap":
        counts = count_tap(sys.stdin.read(), arguments[0] != "0")
    else:
        counts = run_unittests(arguments)
    print(*counts)


if __name__ == "__main__":
    main(*sys.argv[1:])
