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
