#!/usr/bin/env python3
"""Recomputes every number of a report by what the report itself names below it, and compares.

    tests/report_trace.py REPORT.html DATABASE TUNER

Prints "N exhibits, M numbers"; exit status 1 and a line for each that differs.
"""
import html.parser
import json
import math
import shlex
import sqlite3
import subprocess
import sys


class Exhibit:
    def __init__(self, name):
        self.name, self.rows, self.text, self.source, self.rows_of = name, [], "", None, None
        self.circles = 0


class Reader(html.parser.HTMLParser):
    """Exhibits: tables (rows of cells with data-v and perhaps data-path) and figures (pre.rows)."""
    VOID = {"meta", "br"}

    def __init__(self):
        super().__init__()
        self.exhibits, self.open, self.collect, self.stack, self.scripts = [], None, None, [], 0

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        classes = (attributes.get("class") or "").split()
        if tag not in self.VOID:
            self.stack.append(tag)
        self.scripts += tag in ("script", "link", "img", "iframe", "object")
        for name in ("src", "href"):
            value = attributes.get(name, "")
            assert not value or value.startswith("#"), f"{tag} loads {value}"
        if "exhibit" in classes:
            self.open = Exhibit(attributes["id"])
            self.exhibits.append(self.open)
        if self.open is None:
            return
        if tag == "tr":
            self.open.rows.append([])
        if tag == "td" and "data-v" in attributes:
            self.open.rows[-1].append((attributes.get("data-path"), attributes["data-v"]))
        if "data-rows-of" in attributes:
            self.open.rows_of = attributes["data-rows-of"]
        if tag == "pre" and "rows" in classes:
            self.collect = "text"
        if tag == "code" and classes[:1] in (["sql"], ["command"]):
            self.open.source = [classes[0], ""]
            self.collect = "source"

    def handle_startendtag(self, tag, attributes):
        if tag == "circle" and self.open is not None:
            self.open.circles += 1

    def handle_endtag(self, tag):
        assert self.stack and self.stack.pop() == tag, f"{tag} closed out of turn at {self.getpos()}"
        if tag in ("pre", "code"):
            self.collect = None
        if tag == "figure" or (tag == "div" and self.open is not None):
            self.open = None

    def handle_data(self, data):
        if self.collect == "text":
            self.open.text += data
        elif self.collect == "source":
            self.open.source[1] += data


def same(shown, value):
    if value is None:
        return shown == ""
    if isinstance(value, (int, float)):
        return shown != "" and (float(shown) == value or (math.isnan(value) and shown == "nan"))
    return shown == value


def flat(text):
    return text.replace("\t", " ").replace("\n", " ").replace("\r", " ") if isinstance(text, str) else text


def at(root, path):
    for part in path.split("."):
        root = root[int(part)] if isinstance(root, list) else root[part]
    return root


def check_query(exhibit, shown, database, faults, is_figure):
    cursor = database.execute(exhibit.source[1])
    names = [column[0] for column in cursor.description]
    wanted = cursor.fetchall()
    if is_figure:
        if shown[:1] != [names]:
            faults.append(f"{exhibit.name}: columns {shown[:1]} instead of {names}")
        shown, wanted = shown[1:], [[flat(value) for value in row] for row in wanted]
    if len(shown) != len(wanted):
        faults.append(f"{exhibit.name}: {len(shown)} rows instead of {len(wanted)}")
    for ours, row in zip(shown, wanted):
        if len(ours) != len(row) or not all(map(same, ours, row)):
            faults.append(f"{exhibit.name}: {ours} instead of {row}")
    return sum(map(len, wanted))


def check_command(exhibit, pairs, tuner, cache, faults):
    command = exhibit.source[1]
    if command not in cache:
        words = shlex.split(command)
        assert words[0] == "tuner", command
        cache[command] = json.loads(subprocess.run([tuner, *words[1:]], check=True, stdin=subprocess.DEVNULL,
                                                   stdout=subprocess.PIPE).stdout)
    for path, value in pairs:
        if not same(value, at(cache[command], path)):
            faults.append(f"{exhibit.name}: {path} is {at(cache[command], path)}, not {value}")
    return len(pairs)


def check(exhibit, database, tuner, cache, faults):
    if exhibit.source is None:
        faults.append(f"{exhibit.name}: names no source")
        return 0
    is_figure = exhibit.text != ""
    lines = [line.split("\t") for line in exhibit.text.splitlines()]
    rows = [row for row in exhibit.rows if row]
    if exhibit.source[0] == "sql":
        shown = lines if is_figure else [[value for _, value in row] for row in rows]
        return check_query(exhibit, shown, database, faults, is_figure)
    pairs = lines if is_figure else [cell for row in rows for cell in row]
    if not all(path for path, _ in pairs):
        faults.append(f"{exhibit.name}: a number without a path")
        return 0
    return check_command(exhibit, pairs, tuner, cache, faults)


def main(path, database, tuner):
    reader, faults, cache, numbers = Reader(), [], {}, 0
    with open(path, encoding="utf-8") as file:
        reader.feed(file.read())
    if reader.stack or reader.scripts:
        faults.append(f"left open: {reader.stack}; {reader.scripts} scripts or things from elsewhere")
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    by_name = {exhibit.name: exhibit for exhibit in reader.exhibits}
    if len(by_name) < len(reader.exhibits):
        faults.append("two exhibits have one name")
    for exhibit in reader.exhibits:
        if exhibit.rows_of is None:
            numbers += check(exhibit, connection, tuner, cache, faults)
        elif by_name[exhibit.rows_of].source != exhibit.source:
            faults.append(f"{exhibit.name}: another source than {exhibit.rows_of}, whose numbers it has")
    print(f"{len(reader.exhibits)} exhibits, {numbers} numbers:", *by_name)
    print(*faults, sep="\n", end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
