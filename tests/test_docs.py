#!/usr/bin/env python3
"""What docs/command.md and docs/jobfile.md say is so: asked of the program and of a command it runs. And the
tests that docs/verification.md names exist.

    tests/test_docs.py

The program is $TUNER, else build/tuner/tuner.
"""
import contextlib
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
TUNER = os.environ.get("TUNER", str(ROOT / "build/tuner/tuner"))
COMMAND_PAGE = (ROOT / "docs/command.md").read_text()

# A job file that every other key can be added to.
SMALLEST = {
    "objective": {"metric": "loss", "goal": "minimize"},
    "parameters": {"learning-rate": {"type": "float", "min": 0.5, "max": 1}},
    "command": ["true"],
    "hosts": [{"gpus": "none"}],
}


def source(path):
    return (ROOT / path).read_text()


def words_of(pattern, text):
    return set(re.findall(pattern, text))


def table_below(page, title):
    """The rows of the tables between a heading and the next one of its level or above."""
    level = title.split(" ")[0]
    found = re.search(rf"^{re.escape(title)}\n(.*?)(?=^#{{1,{len(level)}}} |\Z)", page, re.M | re.S)
    rows = re.findall(r"^\| (.*) \|$", found.group(1), re.M)
    return [[cell.strip() for cell in row.split(" | ")] for row in rows]


class InADirectory(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.path = pathlib.Path(self.directory.name)
        for name in ("train.py", "prepare.sh"):
            (self.path / name).write_text("#!/bin/sh\n")
            (self.path / name).chmod(0o755)
        (self.path / "data").mkdir()

    def tuner(self, *arguments):
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith(("TUNER_", "SM_", "OMP_", "MASTER_", "PYTHON", "GITHUB_"))
                       and key != "CI"}
        return subprocess.run([TUNER, *arguments], cwd=self.path, env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def write_job(self, **keys):
        (self.path / "job.json").write_text(json.dumps({**SMALLEST, **keys}))

    def run_command(self, command, **keys):
        """What a command leaves in the file `seen` of its directory."""
        keys.setdefault("budget", {"trials": 1})
        self.write_job(command=["sh", "-c", command + '; echo \'@tuner {"loss": 1}\'', "sh"], **keys)
        result = self.tuner("run", "--quiet", "job.json")
        self.assertEqual(result.returncode, 0, result.stdout)
        return (self.path / "seen").read_text()


class Environment(InADirectory):
    def documented(self):
        rows = table_below(COMMAND_PAGE, "## The environment")
        return {name for row in rows for name in re.findall(r"`([A-Z][A-Z_]*(?:<NAME>)?)`", row[0])}

    def seen(self):
        """The variables that a command gets, and their values. (A shell drops names with '-'.)"""
        script = ("import json, os; json.dump(dict(os.environ), open('seen', 'w')); "
                  "print('@tuner', json.dumps({'loss': 1}))")
        self.write_job(command=[sys.executable, "-c", script], channels={"data-1": "data"},
                       budget={"trials": 1})
        result = self.tuner("run", "--quiet", "job.json")
        self.assertEqual(result.returncode, 0, result.stdout)
        pairs = json.loads((self.path / "seen").read_text())
        return {name: value for name, value in pairs.items()
                if name.startswith(("TUNER_", "SM_")) or name in self.documented()}

    @staticmethod
    def pattern_of(name):
        return re.sub(r"^((?:TUNER|SM)_(?:PARAM|HP|CHANNEL))_.*", r"\1_<NAME>", name)

    def test_the_page_lists_the_variables_that_a_command_gets(self):
        only_with_gpus = {"CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"}
        there = {self.pattern_of(name) for name in self.seen()}
        self.assertEqual(there - only_with_gpus, self.documented() - only_with_gpus)

    def test_names_are_in_capitals_with_both_spellings(self):
        seen = self.seen()
        for name in ("TUNER_PARAM_LEARNING-RATE", "TUNER_PARAM_LEARNING_RATE",
                     "SM_HP_LEARNING-RATE", "SM_HP_LEARNING_RATE"):
            self.assertRegex(seen[name], r"^0\.[5-9]")
        self.assertEqual(seen["SM_CHANNEL_DATA_1"], str(self.path / "data"))
        self.assertEqual(seen["TUNER_CHANNEL_DATA-1"], str(self.path / "data"))

    def test_values_are_what_the_page_says(self):
        seen = self.seen()
        attempt = self.path.resolve() / "tuner.db.d/job/0001/1"
        self.assertEqual([seen["TUNER_JOB"], seen["TUNER_TRIAL"], seen["TUNER_ATTEMPT"]],
                         ["job", "1", "1"])
        self.assertEqual(seen["TUNER_ATTEMPT_DIR"], str(attempt))
        self.assertEqual(seen["TUNER_OUTPUT_DIR"], seen["TUNER_ATTEMPT_DIR"] + "/output/data")
        self.assertEqual(seen["SM_MODEL_DIR"], seen["TUNER_MODEL_DIR"])
        self.assertEqual(seen["SM_OUTPUT_DATA_DIR"], seen["TUNER_OUTPUT_DIR"])
        self.assertEqual(seen["SM_CHECKPOINT_DIR"], seen["TUNER_CHECKPOINT_DIR"])
        self.assertEqual(seen["TUNER_CHECKPOINT_DIR"], str(attempt.parent / "checkpoint"))
        self.assertLess(int(seen["TUNER_SEED"]), 2 ** 31)
        self.assertEqual(json.loads(seen["SM_HOSTS"]), ["algo-1"])
        self.assertEqual(json.loads(seen["SM_CHANNELS"]), ["data-1"])
        self.assertEqual(json.loads(pathlib.Path(seen["TUNER_PARAMS"]).read_text()),
                         json.loads(seen["SM_HPS"]))
        training = json.loads(seen["SM_TRAINING_ENV"])
        self.assertEqual(training["hyperparameters"], json.loads(seen["SM_HPS"]))
        self.assertEqual([seen["PYTHONUNBUFFERED"], seen["MASTER_ADDR"]], ["1", "127.0.0.1"])


class Start(InADirectory):
    def test_the_files_of_an_attempt_are_those_of_the_page(self):
        self.run_command("touch seen", channels={"train": "data"})
        listed = COMMAND_PAGE.split("## The attempt's directory", 1)[1].split("\n\n")[2]
        names = {name for line in listed.splitlines()
                 for name in re.findall(r"[a-z.]+/?", re.split(r" {2,}", line.strip())[0])}
        there = {path.name + ("/" if path.is_dir() else "")
                 for path in (self.path / "tuner.db.d/job/0001/1").iterdir()}
        self.assertEqual(there, names)
        self.assertTrue((self.path / "tuner.db.d/job/0001/checkpoint").is_dir())

    def test_arguments_are_appended_as_the_table_shows(self):
        rows = table_below(COMMAND_PAGE, "## How it is started")
        forms = {row[0].split("`")[1].strip('"'): row[1].strip("`")
                 for row in rows if '"' in row[0] and len(row) == 2 and "arguments" not in row[0]}
        self.assertEqual(set(forms), {"--{name} {value}", "--{name}={value}", "{name}={value}",
                                      "none"})
        parameters = {"learning_rate": {"type": "categorical", "values": [0.1]}}
        for n, (style, shown) in enumerate(forms.items()):
            seen = self.run_command('echo "$*" >seen', parameters=parameters, name=f"style{n}",
                                    arguments=style)
            self.assertEqual(seen.strip(), "" if style == "none" else shown)

    def test_arguments_come_in_the_order_of_the_file(self):
        parameters = {"z": {"type": "categorical", "values": [True]},
                      "a": {"type": "categorical", "values": ["x y"]}}
        job = {"name": "order", "fixed": {"epochs": 3}, "parameters": parameters,
               **{key: SMALLEST[key] for key in ("objective", "hosts")}, "budget": {"trials": 1},
               "command": ["sh", "-c", 'echo "$*" >seen; echo \'@tuner {"loss": 1}\'', "sh"]}
        (self.path / "job.json").write_text(json.dumps(job))
        self.assertEqual(self.tuner("run", "--quiet", "job.json").returncode, 0)
        self.assertEqual((self.path / "seen").read_text().strip(), "--epochs 3 --z true --a x y")

    def test_placeholders_are_those_of_the_table(self):
        rows = table_below(COMMAND_PAGE, "## How it is started")
        names = {name for row in rows for name in re.findall(r"`\{([a-z_]+)\}`", row[0])}
        known = words_of(r'\[BUILTIN_\w+\] = "(\w+)"', source("scheduler/command.c"))
        self.assertEqual(names, known)

    def test_the_command_has_no_input_and_no_terminal(self):
        # Field 7 of /proc/PID/stat: the controlling terminal, 0 for none.
        seen = self.run_command("{ wc -c; cut -d' ' -f7 /proc/$$/stat; } >seen")
        self.assertEqual(seen.split(), ["0", "0"])


class Ends(InADirectory):
    def test_the_table_has_every_outcome(self):
        rows = table_below(COMMAND_PAGE, "## How it ends")
        listed = {row[1].strip("`") for row in rows if row[1].startswith("`")}
        known = words_of(r"'([a-z-]+)'", re.search(r"CHECK \(outcome IN \((.*?)\)\)",
                                                   source("trials/schema.sql"), re.S).group(1))
        self.assertEqual(listed, known)

    def test_an_end_has_the_outcome_and_the_state_of_the_table(self):
        metric = 'echo \'@tuner {"loss": %s}\'; '
        ends = [("exit 0", "1", "ok", "done"), ("exit 0", "Infinity", "ok", "done"),
                ("exit 0", "NaN", "nan", "failed"), ("exit 0", None, "no-metric", "failed"),
                ("exit 3", "1", "crashed", "failed"), ("kill -6 $$", "1", "crashed", "failed"),
                ("echo CUDA out of memory; exit 1", "1", "oom-gpu", "failed"),
                ("echo exploded; exit 1", "1", "diverged", "failed"),
                ("sleep 60", "1", "timeout", "stopped"), ("sleep 60", None, "timeout", "failed"),
                ("echo std::bad_alloc; exit 1", None, "oom-host", "failed"),
                ("echo No space left on device; exit 1", None, "disk-full", "failed"),
                ("kill -9 $$", "1", "oom-host", "failed"),
                ("echo '[Errno 116] Stale file handle'; exit 1", None, "lost", "failed")]
        cases = "".join(f"{n}) {metric % value if value else ''}{end} ;;\n"
                        for n, (end, value, _, _) in enumerate(ends, 1))
        self.write_job(command=["sh", "-c", f"case $TUNER_TRIAL in\n{cases}esac", "sh"],
                       failures=[{"pattern": "exploded", "class": "diverged"}], retries=1,
                       timeout="5s", strategy="random", backoff=0,
                       budget={"trials": len(ends), "parallel": 4})
        self.assertEqual(self.tuner("run", "--quiet", "job.json").returncode, 0)
        trials = json.loads(self.tuner("trials", "--json").stdout)
        trials = trials["trials"] if isinstance(trials, dict) else trials
        self.assertEqual([(trial["outcome"], trial["state"]) for trial in trials],
                         [(outcome, state) for _, _, outcome, state in ends])
        attempts = [len(list((self.path / f"tuner.db.d/job/{n:04}").glob("[0-9]")))
                    for n in range(1, len(ends) + 1)]
        self.assertEqual(attempts, [1] * 10 + [2] * 4)

    def test_what_a_command_leaves_running_is_ended_with_it(self):
        pid = int(self.run_command("setsid sleep 60 & echo $! >seen"))
        self.assertFalse(pathlib.Path(f"/proc/{pid}").exists())

    def test_the_limits_are_those_of_the_headers(self):
        limits = dict(table_below(COMMAND_PAGE, "## Limits"))
        numbers = dict(re.findall(r"\b([A-Z_]+_MAX) =\s*([0-9 *]+)",
                                  source("scheduler/scrape.h") + source("scheduler/command.h")))
        value = {name: eval(text) for name, text in numbers.items()}  # products of numbers
        self.assertEqual(limits["one argument or variable"].split(",")[0],
                         f"{value['COMMAND_STRING_MAX'] // 1024} KiB")
        self.assertEqual(limits["patterns; bytes of one"],
                         f"{value['SCRAPE_PATTERNS_MAX']}; {value['SCRAPE_PATTERN_BYTES_MAX']}")
        self.assertEqual(limits["different metrics of an attempt; bytes of a name"],
                         f"{value['SCRAPE_NAMES_MAX']}; {value['SCRAPE_NAME_MAX']}")
        self.assertEqual(limits["a line that is searched whole"],
                         f"{value['SCRAPE_LINE_MAX'] // 1024} KiB")


class JobFilePage(InADirectory):
    PAGE = source("docs/jobfile.md")

    def examples(self):
        """The whole job file of the page, and with each fragment in it."""
        blocks = re.findall(r"^```jsonc\n(.*?)^```$", self.PAGE, re.M | re.S)
        whole = json.loads(blocks[0])
        return [whole] + [{**whole, **json.loads("{" + block + "}")} for block in blocks[1:]]

    def check(self, job):
        (self.path / "job.json").write_text(json.dumps(job))
        return self.tuner("check", "job.json")

    def test_every_example_passes_check(self):
        examples = self.examples()
        self.assertGreater(len(examples), 10)
        for example in examples:
            result = self.check(example)
            self.assertEqual(result.returncode, 0, result.stdout)

    def keys(self):
        """(section, name) of each row of the table of keys."""
        rows = source("tuner/jobfile_keys.c").split("job_keys[] = {")[1].split(".name = NULL")[0]
        return set(re.findall(r"\{ SECTION_(\w+), \"([^\"]+)\",", rows))

    def test_every_key_stands_in_an_example(self):
        found = set()
        for example in self.examples():
            found.update(("FILE", name) for name in example)
            for section, objects in (
                    ("OBJECTIVE", [example["objective"]]), ("ALSO", example["objective"].get("also", [])), ("METRIC", example.get("metrics", [])),
                    ("PARAMETER", example["parameters"].values()),
                    ("STRATEGY", [example.get("strategy", {})]), ("BUDGET", [example["budget"]]),
                    ("STOPPING", [example.get("early_stopping", {})]),
                    ("FAILURE", example.get("failures", [])), ("HOST", example.get("hosts", [])),
                    ("OUTCOMES", [example.get("outcomes", {})]),
                    ("OUTCOME", example.get("outcomes", {}).values()),
                    ("ARM", example.get("arms", {}).values()), ("KEEP", [example.get("keep", {})]),
                    ("CODE", [example.get("source", {})])):
                for item in objects:
                    found.update((section, name) for name in item if isinstance(item, dict))
        keys = self.keys()
        self.assertGreater(len(keys), 60)
        # Their examples would fail without a file or an earlier job that is not beside the page, or where the kernel gives
        # users no namespaces.
        warm = {key for key in keys if key[0] in ("WARM_START", "PARENT")}
        self.assertEqual(keys - found, {("FILE", "env_file"), ("FILE", "network"), ("FILE", "warm_start")} | warm)
        page = source("docs/warm-start.md")
        for _, name in warm:
            self.assertIn(f'"{name}"', page)


class ManualPage(InADirectory):
    COMMON = {"--db", "--json", "--help", "-h", "--take-over"}

    @staticmethod
    def listed():
        """{command: its options} as the page has them, each in an indented block below its command."""
        page = source("docs/tuner.1").split(".SH COMMANDS")[1].split(".SH COMMON")[0]
        commands, depth, command, before = {}, 0, None, ""
        for line in page.replace("\\-", "-").splitlines():
            depth += (line == ".RS") - (line == ".RE")
            heading = re.match(r"\.B ([a-z-]+)", line)
            if depth == 0 and heading and before == ".TP":
                command = commands.setdefault(heading.group(1), set())
            elif depth == 1 and re.match(r"\.(B|BI|BR) -", line):
                command.update(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", line))
            before = line
        return commands

    def test_commands_and_options_are_those_of_the_program(self):
        names = re.findall(r"^  ([a-z-]+) ", self.tuner("help").stdout, re.M)
        there = {}
        for name in names:
            options = self.tuner("help", name).stdout.split("options:")[1]
            there[name] = set(re.findall(r"^  +(-\w)?(?:, )? *(--[a-z-]+)", options, re.M))
            there[name] = {word for pair in there[name] for word in pair if word} - self.COMMON
        self.assertEqual(list(self.listed()), names)
        self.assertEqual(self.listed(), there)


class Readme(unittest.TestCase):
    def after(self, heading):
        """Of random search, TPE and tuner what is left after 30 and after 60 trials, as .189."""
        rows = {row[0]: row for row in table_below(source("docs/real-tasks.md"), heading)[::-1]}
        cells = [rows[name][3:5] for name in ("random", "Optuna TPE", "tuner")]
        return [[cell.removeprefix("0") for cell in column] for column in zip(*cells)]

    def test_its_regrets_of_real_tasks_are_those_of_their_page(self):
        figures = re.search(
            r" is (\S+) for random search, (\S+) for Optuna's TPE and (\S+) for `tuner`; "
            r"after 60 it is (\S+), (\S+) and (\S+), with eight trials at a time (\S+), (\S+) and (\S+) \(",
            " ".join(source("README.md").split()))
        one, eight = self.after("## One trial at a time"), self.after("## 8 trials at a time")
        self.assertEqual(list(figures.groups()), one[0] + one[1] + eight[1])


class RegretPage(unittest.TestCase):
    """What docs/regret.md says in short is in its tables."""
    NAMES = {"random search": "random", "Sobol points": "Sobol", "Optuna's TPE": "Optuna TPE",
             "Optuna's Gaussian process": "Optuna GP"}

    @staticmethod
    def numbers(cell):
        return [float(number) for number in re.findall(r"-?\d*\.\d+", cell.replace("−", "-"))]

    def found(self):
        """Of a method and a number of runs the end and the whole way over all problems, with one worker."""
        page = source("docs/regret.md")
        slower = page[page.index("## Slower tuners"):]
        rows = table_below(page[:page.index("## Slower tuners")], "## One worker") + table_below(slower, "### One worker")
        return {(row[0], row[8]): (row[3], row[4]) for row in rows[::-1] if len(row) == 9 and re.fullmatch(r"\d+", row[8])}

    def test_in_short_it_says_what_its_tables_say(self):
        found, in_short = self.found(), table_below(source("docs/regret.md"), "## In short")[2:]
        self.assertEqual(len(in_short), 8)
        for name, *told, runs in in_short:
            with self.subTest(name):
                for mine, table in zip(told, found[self.NAMES.get(name, name), runs.replace(",", "")]):
                    for short, long in zip(self.numbers(mine), self.numbers(table), strict=True):
                        self.assertAlmostEqual(short, long, delta=.00501)


class JsonPage(InADirectory):
    """docs/json.md lists the keys that --json prints, all of them."""
    TRAIN = "echo loss=$2; [ $TUNER_TRIAL != 3 ]; echo x >$TUNER_MODEL_DIR/model"

    def listed(self):
        rows = table_below(source("docs/json.md"), "# What `--json` prints")
        ret = {}
        for row in rows:
            of = tuple(re.findall(r"`([a-z_.]+)`", row[0].replace(", without `--trial`", "")))
            if "of several objectives" in row[0]:
                of = ("of several", *of[1:])
            text = re.sub(r"\([^()]*\)|\[[^]]*\]", "", row[1])
            if row[0] != "of" and not row[0].startswith("-"):
                ret[of] = set(re.findall(r"`([a-z0-9_]+)`", re.split("; |: as in", text)[0]))
        return ret

    def run_jobs(self):
        job = {"command": ["sh", "-c", self.TRAIN, "sh"], "parameters": {"x": {"type": "float", "min": 0, "max": 1}},
               "metrics": [{"name": "loss", "regex": "loss=([0-9.]+)"}],
               "first": [{"x": 0.9}], "hosts": [{"gpus": "none", "price": 1}], "budget": {"trials": 9, "parallel": 2, "start_failures": 10}}
        self.write_job(**job)
        self.assertEqual(self.tuner("run", "--quiet", "job.json").returncode, 0)
        del job["first"]
        job["budget"]["trials"] = 6
        (self.path / "arms.json").write_text(json.dumps(
            {**SMALLEST, **job, "arms": {"a": "random", "b": "sobol"}, "repeats": 2}))
        self.assertEqual(self.tuner("run", "--quiet", "arms.json").returncode, 0)
        (self.path / "old.log").write_text("loss=1\n")
        several = {"metric": "loss", "goal": "minimize", "also": [{"maximize": "2 * loss"}]}
        (self.path / "several.json").write_text(json.dumps({**SMALLEST, **job, "objective": several}))
        self.assertEqual(self.tuner("run", "--quiet", "several.json").returncode, 0)
        self.give_a_gpu()

    def give_a_gpu(self):
        """As if the first attempt had run on one."""
        with contextlib.closing(sqlite3.connect(self.path / "tuner.db")) as db, db:
            db.execute("UPDATE attempt SET gpus = '[\"GPU-a\"]' WHERE id = 1")
            db.execute("INSERT INTO gpu_use (attempt, together, samples, utilisation_mean) VALUES (1, 1, 1, 50)")

    def printed(self):
        calls = {"status": ["job"], "jobs": [], "trials": ["job"], "show": ["job", "9"], "best": ["job"], "hosts": ["job"],
                 "check": ["job.json", "--log", "old.log"], "compare": ["arms"], "why": ["job", "9"],
                 "importance": ["job"], "replay": ["job"], "verify": [], "gc": ["job", "--dry-run"], "version": [],
                 "doctor": ["job"], "confirm": ["job", "--top", "1", "--repeats", "2"],
                 "rescore": ["job", "--set", "objective.reduce=best"]}
        for command, words in calls.items():
            result = subprocess.run([TUNER, command, *words, "--json"], cwd=self.path, text=True, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE)
            self.assertIn(result.returncode, (0, 1), result.stderr)
            yield command, json.loads(result.stdout)
        yield "of several", json.loads(self.tuner("best", "several", "--json").stdout)

    def test_the_keys_are_those_of_the_page(self):
        self.run_jobs()
        listed, looked_at = self.listed(), set()
        trial = listed.pop(())
        for command, value in self.printed():
            for of, keys in listed.items():
                if of[0] != command:
                    continue
                part = value
                for name in of[1].split(".") if len(of) > 1 else []:
                    part = part[0] if isinstance(part, list) else part
                    part = part[name]
                part = part[0] if isinstance(part, list) and part else part
                if part in ([], None):
                    continue
                looked_at.add(of)
                keys = keys | trial if of in (("trials",), ("show",), ("best",)) else keys
                with self.subTest(of=of):
                    self.assertEqual(set(part), keys)
        self.assertEqual(set(listed) - looked_at, {("doctor", "findings")})


class CommandLineTests(unittest.TestCase):
    def test_no_check_is_a_mere_negation(self):
        """In bats "! command" fails a test only as its last command: elsewhere it checks nothing ("not" of run/common does)."""
        for path in sorted((ROOT / "tests").glob("*.bats")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if "||" not in line:
                    self.assertNotRegex(line, r"^\s+! ", f"{path.name}:{number}")


class Links(unittest.TestCase):
    @staticmethod
    def anchors(page):
        """Of its headings, as GitHub makes them."""
        text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
        titles = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title) for title in re.findall(r"^#+ (.*)$", text, re.M))
        return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}

    def test_a_link_to_a_part_of_a_page_finds_it(self):
        found = 0
        for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "benchmarks").glob("*.md")):
            for name, anchor in re.findall(r"\]\(([^)#:]*)#([^)]*)\)", page.read_text()):
                found += 1
                with self.subTest(page=page.name, link=f"{name}#{anchor}"):
                    self.assertIn(anchor, self.anchors(page.parent / name if name else page))
        self.assertGreater(found, 20)


class VerificationPage(unittest.TestCase):
    def test_the_tests_it_names_are_there_and_run(self):
        named = re.findall(r"`(test_\w+): (\w+)`", source("docs/verification.md"))
        self.assertGreater(len(named), 30)
        for file, function in named:
            found = words_of(rf"\b(\w+)\({function}\b|void ({function})\(", source(f"tests/{file}.c"))
            with self.subTest(test=f"{file}: {function}"):
                self.assertEqual(len(found), 2)  # its definition, and where it stands in the list


def without_comments(text):
    """JSON of what may have comments and trailing commas."""
    string = r'"(?:[^"\\]|\\.)*"'
    text = re.sub(rf"({string})|//[^\n]*|/\*.*?\*/", lambda found: found.group(1) or "", text, flags=re.S)
    return re.sub(rf"({string})|,(?=\s*[}}\]])", lambda found: found.group(1) or "", text)


FLOAT = {"type": "float", "min": 0, "max": 1}


class Schema:
    """As much of JSON Schema as `tuner schema` makes use of."""
    TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}

    def __init__(self, text):
        self.root = json.loads(text)

    def is_of(self, value, names):
        names = names if isinstance(names, list) else [names]
        return any(isinstance(value, self.TYPES[name]) and (name == "boolean" or not isinstance(value, bool))
                   for name in names)

    def faults(self, value, rule, place):
        if "$ref" in rule:
            return self.faults(value, self.root["$defs"][rule["$ref"].rsplit("/", 1)[1]], place)
        if "anyOf" in rule:
            found = [self.faults(value, part, place) for part in rule["anyOf"]]
            return [] if [] in found else [f"{place}: none of anyOf"]
        if "const" in rule or "enum" in rule:
            return [] if value in rule.get("enum", [rule.get("const")]) else [f"{place}: {value}"]
        if "type" in rule and not self.is_of(value, rule["type"]):
            return [f"{place}: no {rule['type']}"]
        size = value if self.is_of(value, "number") else len(value) if isinstance(value, (list, dict)) else 0
        found = [f"{place}: {size}" for least, most in (("minimum", "maximum"), ("minItems", "maxItems"),
                                                         ("minProperties", "maxProperties"))
                 if not rule.get(least, size) <= size <= rule.get(most, size)]
        if isinstance(value, str) and not re.search(rule.get("pattern", ""), value):
            found += [f"{place}: {value} is not {rule['pattern']}"]
        if isinstance(value, list):
            texts = [json.dumps(item) for item in value]
            found += [f"{place}: repeats"] if rule.get("uniqueItems") and len(set(texts)) < len(texts) else []
            for i, item in enumerate(value):
                found += self.faults(item, rule.get("items", {}), f"{place}[{i}]")
        if isinstance(value, dict):
            found += [f"{place}: no {key}" for key in rule.get("required", []) if key not in value]
            for key, item in value.items():
                found += self.faults(key, rule.get("propertyNames", {}), f"{place}.{key}")
                part = rule.get("properties", {}).get(key, rule.get("additionalProperties", {}))
                found += [f"{place}: {key}"] if part is False else self.faults(item, part, f"{place}.{key}")
        return found


class TheSchema(unittest.TestCase):
    def setUp(self):
        self.schema = Schema(subprocess.run([TUNER, "schema"], stdout=subprocess.PIPE, check=True, text=True).stdout)

    def test_a_job_file_that_is_good_is_good_by_the_schema(self):
        for path in sorted((ROOT / "tests/good").glob("*.jsonc")) + sorted((ROOT / "workers").glob("*.jsonc")):
            job = json.loads(without_comments(path.read_text("utf-8-sig")))
            self.assertEqual(self.schema.faults(job, self.schema.root, path.name), [])

    def test_so_is_each_example_of_the_page(self):
        for text in re.findall(r"^```jsonc\n(.*?)^```", source("docs/jobfile.md"), re.M | re.S):
            text = text if text.startswith("{") else "{" + text + "}"
            job = SMALLEST | json.loads(without_comments(text))
            self.assertEqual(self.schema.faults(job, self.schema.root, text), [])

    def test_odd_names_are_good(self):
        for name in ("a", "_", "1st", "a.b", "a-", "a,b", "[k]", "$p", "a/b", "日本"):
            self.assertEqual(self.schema.faults(SMALLEST | {"parameters": {name: FLOAT}}, self.schema.root, name), [])

    def test_what_is_wrong_is_wrong_by_it(self):
        for wrong in ({"arms": {"a": "best", "b": "random"}}, {"arms": {"a": "random"}}, {"budgets": {}},
                      *({"parameters": {name: FLOAT}} for name in ("", "a b", "-x", "a=b", "a'", 'a"', "a\\", "a{", "a\t")),
                      {"parameters": {"x": {"type": "ordinal", "values": [1, 2, 1]}}}, {"fixed": {"a b": 1}},
                      {"name": "a b"}, {"name": ".a"}, {"name": "a" * 101}, {"arms": {"a b": "random", "b": "sobol"}},
                      *({"objective": {"metric": "a", "goal": "minimize", "reduce": "mean of last " + n}}
                        for n in ("0", "+5", " 5")),
                      {"budget": {"trials": 0}}, {"command": "train"}, {"hosts": [{"trials_per_gpu": "all"}]}):
            self.assertNotEqual(self.schema.faults(SMALLEST | wrong, self.schema.root, ""), [], wrong)


if __name__ == "__main__":
    unittest.main()
