#!/usr/bin/env bats
# `tuner report`: one page a job, each number of which its own query or command gives again.

load run/common

trace() { # REPORT
	python3 "$BATS_TEST_DIRNAME/report_trace.py" "$1" tuner.db "$TUNER"
}

# A job with all that a report tells of: arms, curves, failures, every kind of parameter, and odd names.
write_rich() { # TRIALS
	cat >train.sh <<'END'
[ $((TUNER_TRIAL % 7)) -ne 5 ] || { echo "CUDA out of memory" >&2; exit 1; }
awk -v lr="$TUNER_PARAM_LR" -v s="$TUNER_SEED" 'BEGIN {
	for (step = 1; step <= 4; step++)
		printf "step=%d acc=%.17g\n", step, 1 - (log(lr) / 10 + 0.7) ^ 2 - 0.5 / step + s % 100 / 1e4
}'
END
	cat >job.jsonc <<END
{
	"command": ["sh", "train.sh"],
	"objective": { "metric": "acc", "goal": "maximize" },
	"metrics": [{ "name": "acc", "regex": "step=(?<step>[0-9]+) acc=(?<value>[-+0-9.e]+)" }],
	"parameters": {
		"lr": { "type": "float", "min": 1e-5, "max": 0.1 },
		"odd.na-me[0]": { "type": "float", "min": -1, "max": 1 },
		"layers": { "type": "int", "min": 1, "max": 8 },
		"optimizer": { "type": "categorical", "values": ["sgd", "a<b&c", "adam"] },
		"nesterov": { "type": "categorical", "values": [true, false] },
		"momentum": { "type": "float", "min": 0, "max": 0.99, "when": { "optimizer": "sgd" } }
	},
	"first": [{ "lr": 0.01, "layers": 2, "odd.na-me[0]": 0, "optimizer": "sgd", "nesterov": true, "momentum": 0.9 }],
	${2-}
	"env": { "MY_API_TOKEN": "hush-hush" },
	"hosts": [{ "gpus": "none" }],
	"budget": { "trials": $1, "parallel": 2 }
}
END
}

@test "each number of each table and figure is what its query or command gives" {
	write_rich 8 '"arms": { "gp": "bayesian", "random": "random" }, "repeats": 3,'
	"$TUNER" run job.jsonc --quiet
	"$TUNER" confirm job --quiet --repeats 2
	sqlite3 tuner.db "UPDATE attempt SET cost = id / 8.0" # as if hosts had prices, and other ones
	"$TUNER" report # the newest job is the confirmation: its search is meant
	run trace job-report.html
	echo "$output"
	[ "$status" -eq 0 ]
	for exhibit in trials-by-state result best-ten arms comparison-curves comparison-time comparison-money contrast-0 \
		contrast-0-time contrast-0-money confirmed confirmed-differences \
		history-figure curves-figure scatter-figure matrix-figure parallel-figure importance-table \
		failures-table cost-table hosts-table states runs; do
		grep -qw -- "$exhibit" <<<"${lines[0]}" || { echo "no $exhibit"; false; }
	done
	grep -q 'Random search draws every parameter anew .* lr uniformly in its logarithm' job-report.html
	grep -q 'prefers-color-scheme:dark' job-report.html
	grep -q '@media print{:root{color-scheme:light}' job-report.html
	run grep 'display:block' job-report.html # of a table: a screen reader would not find its rows
	[ "$status" -eq 1 ]
	run grep '<th[^>]*></th>' job-report.html
	[ "$status" -eq 1 ]
	# At one price money is time: said once, and not drawn again.
	sqlite3 tuner.db "UPDATE attempt SET cost = (ended_us - started_us) / 1e6"
	"$TUNER" report job
	run trace job-report.html
	echo "$output"
	[ "$status" -eq 0 ]
	[[ "${lines[0]}" == *comparison-time* && "${lines[0]}" != *comparison-money* && "${lines[0]}" != *contrast-0-money* ]]
	grep -q 'Every slot-second had the same price' job-report.html
	# A search of one arm, with its best so far.
	write_rich 8
	"$TUNER" run job.jsonc --quiet --name single
	"$TUNER" report single --output single.html
	run trace single.html
	echo "$output"
	[ "$status" -eq 0 ]
	grep -q 'nothing was compared' single.html
	grep -q 'Nothing was trained again' single.html
}

# bats test_tags=plain
@test "parameters may have the names of columns: the best ten are by the trials' own objective" {
	cat >job.jsonc <<-'END'
		{ "command": ["sh", "-c", "echo '@tuner {\"loss\": '$TUNER_PARAM_OBJECTIVE'}' | sed 's/: /: -/'"], "arguments": "none",
		  "objective": { "metric": "loss", "goal": "minimize" }, "strategy": "random",
		  "parameters": { "objective": { "type": "float", "min": 1, "max": 2 }, "number": { "type": "int", "min": 1, "max": 50 } },
		  "budget": { "trials": 12, "parallel": 1 } }
	END
	"$TUNER" run job.jsonc --quiet
	"$TUNER" report
	"$TUNER" report --format md --output - | sed -n '/duration s/,/Query/p' | awk -F'|' '$2 ~ /[0-9]/ { print $2 + 0 }' >shown
	"$TUNER" trials --sort objective --limit 10 --json | python3 -c 'import json, sys
for trial in json.load(sys.stdin): print(trial["trial"])' >best
	diff best shown
	trace job-report.html
}

# write_several ALSO [GOAL]: of a better result the accuracy is higher and the latency, too.
write_several() {
	cat >train.sh <<'END'
[ $((TUNER_TRIAL % 7)) -ne 5 ] || { echo "CUDA out of memory" >&2; exit 1; }
awk -v x="$TUNER_PARAM_X" -v y="$TUNER_PARAM_Y" 'BEGIN {
	for (step = 1; step <= 3; step++)
		printf "step=%d acc=%.17g lat<&>ms=%.17g size=%.17g\n", step, sqrt(x) - (y - 0.5) ^ 2 - 0.5 / step,
			5 + 20 * x + 10 * (y - 0.5) ^ 2, 3 - 2 * x * y
}'
END
	cat >job.jsonc <<END
{
	"command": ["sh", "train.sh"], "arguments": "none",
	"objective": { "metric": "acc", "goal": "${2:-maximize}", "also": [$1] },
	"metrics": [
		{ "name": "acc", "regex": "step=(?<step>[0-9]+) acc=(?<value>[-+0-9.e]+)" },
		{ "name": "lat<&>ms", "regex": "step=(?<step>[0-9]+) .*ms=(?<value>[-+0-9.e]+)" },
		{ "name": "size", "regex": "step=(?<step>[0-9]+) .*size=(?<value>[-+0-9.e]+)" }
	],
	"parameters": { "x": { "type": "float", "min": 0, "max": 1 }, "y": { "type": "float", "min": 0, "max": 1 } },
	"strategy": "random", "hosts": [{ "gpus": "none" }],
	"budget": { "trials": 24, "parallel": 2 }
}
END
}

# The numbers of the page are traced; here what they are of, by a rule of its own.
check_front() { # REPORT DATABASE JOB
	python3 - "$@" <<'END'
import html, json, re, sqlite3, sys
page, database, job = open(sys.argv[1]).read(), sqlite3.connect(sys.argv[2]), sys.argv[3]
goal, definition = database.execute("SELECT goal, definition FROM objective_version o JOIN job j ON j.id = o.job"
                                    " WHERE j.name = ?", [job]).fetchone()
signs = [1 if goal == "minimize" else -1] + [1 if "minimize" in a else -1 for a in json.loads(definition)["also"]]
results = {number: [s * v for s, v in zip(signs, [first] + json.loads(also))] for number, first, also in
           database.execute("SELECT number, objective, also FROM trial WHERE state = 'done' ORDER BY ended_event")}
surpasses = lambda a, b: all(x <= y for x, y in zip(a, b)) and a != b
front = [n for n, r in results.items() if not any(surpasses(o, r) for o in results.values())]
exhibit = lambda name: re.search(rf'id="{name}".*?(?=class="exhibit"|<h[23])', page, re.S).group(0)
rows = lambda name: [line.split("\t") for line in html.unescape(
    re.search(r'<pre class="rows">(.*?)</pre>', exhibit(name), re.S).group(1)).splitlines()]
listed = [int(n) for n in re.findall(r'<tr><td class="n" data-v="(\d+)">', exhibit("front-table"))]
assert 2 < len(front) < len(results) and sorted(listed) == sorted(front), (listed, front)
assert listed == sorted(listed, key=lambda n: (results[n][0], n)), listed
for name, column in (("front-figure", len(signs) + 1), ("scatter-figure", len(signs) + 1)):
    header, *table = rows(name)
    assert header[column] == "front" and len(table) == len(results), header
    assert sorted(int(row[0]) for row in table if row[column] == "1") == sorted(front)

# The edge: in each panel a line from the best by the first objective to the best by the other one, with a corner as bad
# as either of two neighbours between them. SVG's y points down.
svg = exhibit("front-figure")
panels = re.findall(r'<g fill="#D55E00"[^>]*>(.*?)</g>.*?<path fill="none" stroke="#D55E00"[^>]* d="M(.*?)"/>', svg, re.S)
assert len(panels) == len(signs) - 1, len(panels)
for k, (circles, path) in enumerate(panels, 1):
    line = [tuple(map(float, point.split())) for point in path.split("L")]
    circles = {tuple(map(float, c)) for c in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', circles)}
    on_two = {(results[n][0], results[n][k]) for n in front
              if not any(surpasses([o[0], o[k]], [results[n][0], results[n][k]]) for o in results.values())}
    assert len(line) == 2 * len(on_two) - 1, (len(line), len(on_two))
    assert set(line[::2]) <= circles, k
    for (x, y), corner, (next_x, next_y) in zip(line[::2], line[1::2], line[2::2]):
        assert corner == (next_x, y), (k, corner)
        assert (next_x - x) * signs[0] >= 0 and (next_y - y) * signs[k] >= 0, (k, x, y, next_x, next_y)

# The hypervolume of two objectives: stripes between the steps.
values = {path: float(value) for path, value in rows("hypervolume-figure")}
reference = [float(v) for v in re.findall(r'data-path="hypervolume.reference.\d" data-v="([^"]*)"', page)]
wanted = [s * (max(r[k] for r in results.values()) + (max(r[k] for r in results.values()) - min(r[k] for r in results.values())) / 10)
          for k, s in enumerate(signs)]
assert all(abs(a - b) < 1e-12 * abs(b) for a, b in zip(reference, wanted)), (reference, wanted)
steps = [(values[f"hypervolume.steps.{i}.finished"], values[f"hypervolume.steps.{i}.trial"], values[f"hypervolume.steps.{i}.volume"])
         for i in range(sum(path.endswith("volume") for path in values))]
ended = list(results)
joined = [n for i, n in enumerate(ended)
          if not any(surpasses(results[o], results[n]) or results[o] == results[n] for o in ended[:i])]
assert [trial for _, trial, _ in steps] == joined, (steps, joined)
assert all(ended[int(at) - 1] == trial for at, trial, _ in steps) and values["results"] == len(results)
path = re.search(r'<path fill="none" stroke="#0072B2"[^>]* d="M(.*?)"/>', exhibit("hypervolume-figure")).group(1)
line = [tuple(map(float, point.split())) for point in path.split("L")] # from 0, two points a rise, and on to the last result
(first_x, zero), (last_x, top) = line[0], line[-1]
assert len(line) == 2 * len(steps) + 1 and top < zero
for (at, _, volume), (x, y) in zip(steps, line[1::2]):
    assert abs((zero - y) - volume / steps[-1][2] * (zero - top)) < 0.2, (volume, y)
    assert abs((x - first_x) * (len(results) - steps[0][0]) - (at - steps[0][0]) * (last_x - first_x)) < len(results) * 0.2, at
if len(signs) == 2:
    for at, _, volume in steps:
        size, low = 0, signs[1] * reference[1]
        for a, b in sorted(results[n] for n in ended[:int(at)]):
            if b < low:
                size, low = size + (signs[0] * reference[0] - a) * (low - b), b
        assert abs(volume - size) < 1e-12 * size, (at, volume, size)
END
}

@test "several objectives: the front instead of the best, with what it covers, and each number is traced" {
	write_several '{ "minimize": "`lat<&>ms`" }'
	"$TUNER" run job.jsonc --quiet
	"$TUNER" report
	run trace job-report.html
	echo "$output"
	[ "$status" -eq 0 ]
	for exhibit in result objectives front-table front-figure hypervolume-reference hypervolume-figure history-figure \
		curves-figure scatter-figure matrix-figure parallel-figure importance-table importance-table-2 failures-table; do
		grep -qw -- "$exhibit" <<<"${lines[0]}" || { echo "no $exhibit"; false; }
	done
	[[ "${lines[0]}" != *best-ten* ]]
	# Each objective has its own model, and its own command.
	python3 - <<'END'
import html, re
page = open("job-report.html").read()
table = lambda name: re.search(rf'id="{name}".*?</div>', page, re.S).group(0)
first = lambda name: re.search(r"<tbody>\n<tr><td>(.*?)</td>", table(name)).group(1)
command = lambda name: html.unescape(re.search(r'<code class="command">(.*?)</code>', table(name)).group(1))
assert command("importance-table") == "tuner importance job --objective acc --json", command("importance-table")
assert command("importance-table-2") == "tuner importance job --objective 'lat<&>ms' --json", command("importance-table-2")
assert first("importance-table-2") == "x"
END
	check_front job-report.html tuner.db job
	# No single best, and nothing that is refused for several objectives.
	run grep -e 'id="best"' -e 'repeats the best' -e 'best tenth' -e 'tuner confirm' job-report.html
	[ "$status" -eq 1 ]
	grep -q '&quot;tuner best --trial N --command job&quot; prints' job-report.html
	grep -q 'By the first objective alone' job-report.html
	grep -q 'The best trial by the first objective was made of' job-report.html
	grep -q 'made worse by a tenth of the results' job-report.html
	run grep 'lat<&>' job-report.html
	[ "$status" -eq 1 ]
	"$TUNER" report --format md --figures figures
	for figure in front hypervolume; do
		python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "figures/$figure-figure.svg"
		grep -q "](<figures/$figure-figure.svg>)" job-report.md
	done
	grep -q '^## The Pareto front' job-report.md
	grep -qF '| number | acc | lat\<\&\>ms | x | y |' job-report.md
}

@test "the front of three objectives is shown by pairs; and its directions are those of the goals" {
	write_several '{ "maximize": "acc - `lat<&>ms` / 20" }, { "maximize": "size" }' minimize
	"$TUNER" run job.jsonc --quiet
	"$TUNER" report
	run trace job-report.html
	echo "$output"
	[ "$status" -eq 0 ]
	check_front job-report.html tuner.db job
	write_several '{ "maximize": "`lat<&>ms`" }' minimize
	"$TUNER" run job.jsonc --quiet --name other --db other.db
	"$TUNER" report other --db other.db
	check_front other-report.html other.db other
}

@test "several objectives and arms: compared by what each covers, and the front is that of all" {
	write_several '{ "minimize": "`lat<&>ms`" }'
	sed -i '/CUDA/d; s/"strategy": "random"/"arms": { "a": "random", "b": "sobol" }, "repeats": 2/; s/"trials": 24/"trials": 5/' job.jsonc train.sh
	"$TUNER" run job.jsonc --quiet
	"$TUNER" report
	run trace job-report.html
	echo "$output"
	[ "$status" -eq 0 ]
	for exhibit in front-table hypervolume-figure arms comparison-curves contrast-0 history-figure; do
		grep -qw -- "$exhibit" <<<"${lines[0]}" || { echo "no $exhibit"; false; }
	done
	check_front job-report.html tuner.db job
	grep -q 'It is that of all searches together' job-report.html
	grep -q 'compared by the hypervolume that the results of each cover so far' job-report.html
	grep -q 'The first objective of each trial, by arm' job-report.html
}

@test "several objectives without a result, and with an infinite one" {
	write_several '{ "maximize": "log2(0 - size)" }' # not a number
	"$TUNER" run job.jsonc --quiet --set budget.trials=3 || true
	"$TUNER" report
	run trace job-report.html
	echo "$output"
	[ "$status" -eq 0 ]
	grep -q 'No trial has a result' job-report.html
	grep -q 'no figures to show' job-report.html
	write_several '{ "maximize": "1 / max(0, 2.9 - size)" }'
	"$TUNER" run job.jsonc --quiet --name some --set budget.trials=9
	"$TUNER" report some
	run trace some-report.html
	echo "$output"
	[ "$status" -eq 0 ]
	left_out=$(sql "SELECT count(*) FROM v_trial WHERE job = 'some' AND also ->> 0 > 1e75")
	[ "$left_out" -gt 0 ]
	grep -q "$left_out results\? \(is\|are\) left out" some-report.html
	write_several '{ "maximize": "1 / max(0, 0.5 - size)" }' # always infinite
	"$TUNER" run job.jsonc --quiet --name never --set budget.trials=3
	"$TUNER" report never
	run trace never-report.html
	echo "$output"
	[ "$status" -eq 0 ]
	grep -q 'There is no hypervolume' never-report.html
	"$TUNER" best never --json | jq -e '.hypervolume == null and (.front | length) > 0'
}

# bats test_tags=plain
@test "a changed number is found" {
	write_job
	"$TUNER" run job.jsonc --quiet
	"$TUNER" report job
	trace job-report.html
	sed 's/data-v="6"/data-v="7"/' job-report.html >wrong.html
	run trace wrong.html
	[ "$status" -eq 1 ]
	sed 's/^1\t1\t/1\t2\t/' job-report.html >wrong.html
	run trace wrong.html
	[ "$status" -eq 1 ]
}

@test "neither a report nor a figure is written over the job file" {
	write_rich 2
	"$TUNER" run job.jsonc --quiet || true
	cp job.jsonc before
	ln -s job.jsonc link
	for file in job.jsonc link; do
		for words in "report job --output $file" "report job --format md -o $file" "compare job --svg $file"; do
			run "$TUNER" $words
			[ "$status" -eq 2 ]
			[[ "$output" == *": $file is the job file" || "$words" == compare* ]]
			cmp before job.jsonc
		done
	done
}

@test "secrets of the job's variables are in no report" {
	write_rich 2
	"$TUNER" run job.jsonc --quiet || true
	"$TUNER" report job
	"$TUNER" report job --format md -o report.md
	run grep -l hush-hush job-report.html report.md
	[ "$status" -eq 1 ]
	grep -q 'looks like a secret' report.md
	grep -q 'MY_API_TOKEN' report.md
}

@test "Markdown, with its figures beside it if they are asked for" {
	write_rich 8
	"$TUNER" run job.jsonc --quiet
	"$TUNER" report job --format md
	[ ! -e figures ]
	grep -q 'no figure without --figures' job-report.md
	"$TUNER" report job --format md --figures figures --output - >report.md
	for figure in history curves scatter matrix parallel; do
		python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "figures/$figure-figure.svg"
		grep -q "](<figures/$figure-figure.svg>)" report.md
	done
	grep -q '^| 1 | ' report.md || grep -q '^| [0-9]* | ' report.md
	# Links count from where the document is.
	mkdir sub
	"$TUNER" report job --format md --figures figures --output sub/report.md
	grep -q "](<../figures/history-figure.svg>)" sub/report.md
	"$TUNER" report job --format md --figures sub/figures --output sub/report.md
	grep -q "](<figures/history-figure.svg>)" sub/report.md
	run "$TUNER" report job --output tuner.db
	[ "$status" -eq 2 ]
	[[ "$output" == *"cannot write tuner.db: it is a database"* ]]
	run "$TUNER" report job --figures figures
	[ "$status" -eq 2 ]
	run "$TUNER" report job --format pdf
	[ "$status" -eq 2 ]
}

@test "a job without results has a page that says so" {
	write_job
	touch crash
	"$TUNER" run job.jsonc --quiet --set budget.start_failures=2 || true
	"$TUNER" report job
	run trace job-report.html
	[ "$status" -eq 0 ]
	grep -q 'No trial has a result' job-report.html
	grep -q 'no figures to show' job-report.html
	grep -q 'crashed' job-report.html
}

# bats test_tags=plain
@test "a job that was asked for and told has a page, too" {
	write_job
	sed -i '/"command"/d; /"hosts"/d' job.jsonc
	for i in 1 2 3; do
		"$TUNER" ask job.jsonc >/dev/null
		"$TUNER" tell job "$i" "0.$i"
	done
	"$TUNER" report job
	run trace job-report.html
	echo "$output"
	[ "$status" -eq 0 ]
	grep -q 'There is no command to repeat it' job-report.html
}

# more_trials N: to the job's first six trials N - 6 more, which nobody ran, in the database alone.
more_trials() {
	sqlite3 tuner.db "
		CREATE TEMP TABLE more AS WITH RECURSIVE n(i) AS (SELECT 7 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
			SELECT i, (i * 7919 % 10007) / 10007.0 AS x FROM n;
		INSERT INTO event (id, job, kind, data, time_us) SELECT 1000 + i, 1, 'ended', '{}', i FROM more;
		INSERT INTO trial (id, job, number, arm, repeat, arm_number, space_version, objective_version, state, source,
				objective, created_us, started_us, ended_us, ended_event, parameters)
			SELECT 1000 + i, 1, i, '', 0, i, t.space_version, t.objective_version, 'done', 'strategy',
				(x - 0.3) * (x - 0.3) + i * 1e-9, i, i, i, 1000 + i, json_object('x', x)
			FROM more, trial t WHERE t.number = 1;
		INSERT INTO trial_param (trial, parameter, value)
			SELECT 1000 + i, (SELECT min(parameter) FROM trial_param), x FROM more"
}

# bats test_tags=plain
@test "beyond 2,000 points one in k is drawn, and the page says so" {
	write_job
	cat >train.sh <<'END'
awk -v x="$2" 'BEGIN { for (i = 500; i >= 0; i--) printf "loss=%.17g\n", (x - 0.3) ^ 2 + i / 100 }'
END
	"$TUNER" run job.jsonc --quiet
	"$TUNER" report job
	trace job-report.html
	grep -q 'One step in 2 is drawn' job-report.html
	more_trials 9000
	"$TUNER" report job
	run trace job-report.html
	echo "$output"
	[ "$status" -eq 0 ]
	grep -q 'one in 5 is drawn, and each that was the best so far' job-report.html
	grep -q 'is a line' job-report.html
	[ "$(stat -c %s job-report.html)" -lt 1000000 ]
	python3 - <<'END'
import re
page = open("job-report.html").read()
for figure in re.findall(r'<figure.*?</figure>', page, re.S):
    name = re.search(r'id="([^"]*)"', figure).group(1)
    assert figure.count("<circle") <= 2100, (name, figure.count("<circle"))
    assert figure.count("\n") < 6000, name
    lines = re.search(r'<pre class="rows">(.*?)</pre>', figure, re.S)
    assert lines is None or lines.group(1).count("\n") <= 2100, name
best = re.search(r'id="result".*?data-v="[^"]*".*?data-v="([^"]*)"', page, re.S).group(1)
history = re.search(r'id="history-figure".*?<pre class="rows">(.*?)</pre>', page, re.S).group(1).splitlines()
assert history[-1].split("\t")[3] == best, (history[-1], best)
END
}

# bats test_tags=plain
@test "of many results of several objectives one in k is drawn, and each on the front; a long front is listed in part" {
	write_several '{ "minimize": "`lat<&>ms`" }'
	sed -i 's/"trials": 24/"trials": 6/' job.jsonc
	sed -i '/CUDA/d' train.sh
	"$TUNER" run job.jsonc --quiet
	more_trials 5000
	# Some 150 on the front, a line of falling latency, and the rest behind it.
	sqlite3 tuner.db "UPDATE trial SET objective = number % 150 + number / 1e6,
			also = json_array(number % 150 + CASE WHEN number > 4850 THEN 0.5 ELSE 30 + number / 1e4 END), parameters = '{\"x\": 0.5, \"y\": 0.5}'"
	"$TUNER" report job
	run trace job-report.html
	echo "$output"
	[ "$status" -eq 0 ]
	grep -q 'Of so many trials one in 3 is drawn, and each on the front' job-report.html
	grep -q 'Of so many one in 4 is listed, and the last' job-report.html
	python3 - <<'END'
import re
page = open("job-report.html").read()
for name in ("front-figure", "history-figure"):
    figure = re.search(rf'<figure class="exhibit" id="{name}".*?</figure>', page, re.S).group(0)
    assert 1000 < figure.count("<circle") <= 2100, (name, figure.count("<circle"))
table = re.search(r'id="front-table".*?</div>', page, re.S).group(0)
assert 30 < table.count("<tr>") <= 52, table.count("<tr>")
END
	# Of a front that is too long for a figure, too.
	sqlite3 tuner.db "UPDATE trial SET also = json_array(objective) WHERE number > 3000"
	"$TUNER" report job
	run trace job-report.html
	echo "$output"
	[ "$status" -eq 0 ]
	grep -q 'Of so many trials on the front one in 2 is drawn' job-report.html
	grep -q 'Of so many other trials one in 3 is drawn' job-report.html
	[ "$(sed -n '/id="front-figure"/,/<figcaption>/p' job-report.html | grep -c '<circle')" -le 2000 ]
}
