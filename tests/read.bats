#!/usr/bin/env bats
# The commands that read.

load run/common

finished_job() {
	TRIALS=5 PARALLEL=1 write_job '"first": [{ "x": 0.9 }],'
	"$TUNER" run job.jsonc --quiet >run.out
}

@test "trials lists all, sorted, limited and by state, as text and as JSON" {
	finished_job
	run "$TUNER" trials
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 6 ]
	[[ "${lines[0]}" == *"trial"*"state"*"proposed by"*"loss"*"x"*"time"*"tries"* ]]
	[ "$(grep -c ' best ' <<<"$output")" -eq 1 ]
	[ "$(grep -c ' $' <<<"$output")" -eq 0 ]
	"$TUNER" trials job --json >trials.json
	jq -e 'length == 5 and all(.[]; .state == "done")' trials.json
	jq -e '[.[] | select(.best)][0].objective == ([.[].objective] | min)' trials.json
	best=$(jq '[.[].objective] | min' trials.json)
	"$TUNER" trials --sort objective --limit 1 --json | jq -e ".[0].objective == $best"
	"$TUNER" trials --limit 2 --json | jq -e '[.[].trial] == [4, 5]'
	"$TUNER" trials --state done,failed --json | jq -e 'length == 5'
	"$TUNER" trials --sort end --json | jq -e '[.[].ended] == ([.[].ended] | sort)'
	run "$TUNER" trials --state failed
	[[ "$output" == *"no such trial"* ]]
	run "$TUNER" trials --sort size
	[ "$status" -eq 2 ]
	run "$TUNER" trials --state dune
	[ "$status" -eq 2 ]
	run "$TUNER" trials --state done,
	[ "$status" -eq 2 ]
}

# bats test_tags=plain
@test "trials as CSV say what JSON does, for any text and for what is not there" {
	cat >train.sh <<-'END'
		[ "$TUNER_TRIAL" != 3 ] || { echo 'no, "not" this' >&2; exit 3; }
		echo "@tuner {\"loss\": $TUNER_PARAM_LR}"
	END
	cat >job.jsonc <<-'END'
		{
		  "objective": {"metric": "loss", "goal": "minimize"},
		  "parameters": {
		    "lr": {"type": "float", "min": 0.001, "max": 1},
		    "kind": {"type": "categorical", "values": ["", "a,\"b\"", "line\nbreak", "ü"]},
		    "outcome": {"type": "bool"},
		    "depth": {"type": "int", "min": 1, "max": 9, "when": {"outcome": true}}
		  },
		  "arms": {"gp": "bayesian", "random": "random"}, "repeats": 2,
		  "budget": {"trials": 5, "parallel": 2},
		  "command": ["sh", "train.sh"]
		}
	END
	"$TUNER" run job.jsonc --quiet >/dev/null
	"$TUNER" trials --csv >trials.csv
	"$TUNER" trials --json >trials.json
	/usr/bin/python3 - <<-'END'
		import csv, json
		rows = list(csv.DictReader(open("trials.csv", newline="")))
		trials = json.load(open("trials.json"))
		assert len(rows) == len(trials) == 20
		assert list(rows[0])[:3] == ["trial", "arm", "repeat"] and list(rows[0])[-1] == "message"
		for row, trial in zip(rows, trials):
		    for name, text in row.items():
		        if name.startswith("parameters."):
		            value = trial["parameters"].get(name.removeprefix("parameters."))
		        else:
		            value = trial[name]
		        if isinstance(value, (bool, str)) or value is None:
		            assert text == ("" if value is None else value if isinstance(value, str) else str(value).lower()), (name, text, value)
		        else:
		            assert float(text) == value, (name, text, value)
		assert {row["parameters.kind"] for row in rows} >= {"", 'a,"b"', "line\nbreak", "ü"}
		assert any(row["parameters.depth"] == "" for row in rows) and any(row["parameters.depth"] != "" for row in rows)
		assert [row["outcome"] for row in rows].count("crashed") == 1 and sum(row["best"] == "true" for row in rows) == 1
	END
	# An empty category is told from none.
	grep -q ',"",' trials.csv
	# A part of them.
	"$TUNER" trials --csv --arm gp --repeat 2 --sort objective --limit 3 >part.csv
	[ "$(wc -l <part.csv)" -ge 4 ]
	"$TUNER" trials --arm gp --repeat 2 --json | jq -e 'length == 5 and all(.[]; .arm == "gp" and .repeat == 2)'
	"$TUNER" trials --arm random --json | jq -e 'length == 10 and all(.[]; .arm == "random")'
	"$TUNER" trials --repeat 1 --json | jq -e 'length == 10 and all(.[]; .repeat == 1)'
	run "$TUNER" trials --arm gap
	[ "$status" -eq 2 ]
	[[ "$output" == *'there is no arm "gap"; there are: gp, random'* ]]
	run "$TUNER" trials --repeat 9
	[ "$status" -eq 2 ]
	[[ "$output" == *'there is no repeat 9; there are: 1 to 2'* ]]
	run "$TUNER" trials --repeat 2 --state paused
	[ "$status" -eq 0 ]
	[[ "$output" == *"no such trial"* ]]
	run "$TUNER" trials --csv --json
	[ "$status" -eq 2 ]
	[[ "$output" == *"--csv and --json exclude each other"* ]]
	# Without arms there is none to choose.
	TRIALS=1 write_job && mv job.jsonc plain.jsonc
	"$TUNER" run plain.jsonc --quiet --name plain >/dev/null
	run "$TUNER" trials plain --arm gp
	[ "$status" -eq 2 ]
	[[ "$output" == *'job plain has no "arms"'* ]]
	"$TUNER" trials plain --csv | sed -n 2p | grep -q '^1,,,done,ok,'
}

# bats test_tags=plain
@test "the objective in the database is the one in JSON, to the bit" {
	finished_job
	/usr/bin/python3 - <<END
import json, sqlite3, subprocess
told = json.loads(subprocess.check_output(["$TUNER", "trials", "--json"]))
rows = sqlite3.connect("tuner.db").execute(
    "SELECT t.objective, p.value FROM trial t JOIN trial_param p ON p.trial = t.id ORDER BY t.number")
assert [(t["objective"], t["parameters"]["x"]) for t in told] == list(rows)
END
}

# bats test_tags=plain
@test "trials of an edited space keep the parameters that are gone" {
	TRIALS=2 write_job
	"$TUNER" run job.jsonc --quiet
	sed -i 's/"x": {/"y": { "type": "int", "min": 1, "max": 3 }, "x": {/; s/"trials": 2/"trials": 3/' job.jsonc
	"$TUNER" run job.jsonc --quiet --accept-change -- sh -c 'echo loss=1' sh
	run "$TUNER" trials
	[[ "${lines[0]}" == *" y "*" x "* ]]
	[[ "${lines[1]}" == *" - "* ]]
	sed -i 's/"y": {[^}]*}, //; s/"trials": 3/"trials": 4/' job.jsonc
	"$TUNER" run job.jsonc --quiet --accept-change -- sh -c 'echo loss=1' sh
	run "$TUNER" trials
	[[ "${lines[0]}" == *" x "*" y "* ]]
	[[ "${lines[4]}" == *" - "* ]]
}

# bats test_tags=plain
@test "show tells all about a trial" {
	finished_job
	run "$TUNER" show 1
	[ "$status" -eq 0 ]
	[[ "$output" == *"x  0.9"* ]]
	[[ "$output" == *"proposed by user"*'asked for by "first"'* ]]
	[[ "$output" == *"exit status 0"* ]]
	[[ "$output" == *"cd $(pwd -P) && sh train.sh --x 0.9"* ]]
	[[ "$output" == *"tuner.db.d/job/0001/1"* ]]
	[[ "$output" == *"trial 1 proposed"*"trial 1 done"* ]]
	"$TUNER" show job 1 --json >show.json
	jq -e '.launches[0].exit_code == 0 and .metrics.loss[0].value == .objective' show.json
	jq -e '.command == ["sh", "train.sh", "--x", "0.9"] and .environment.TUNER_TRIAL == "1"' show.json
	jq -e '.environment | has("PATH") | not' show.json
	jq -e '[.events[].kind] == ["proposed", "ended"]' show.json
	jq -e '.decision.predicted_mean == null and .decision.branch == "user"' show.json
	"$TUNER" show best --json | jq -e .best
	"$TUNER" show last --json | jq -e '.trial == 5'
	run "$TUNER" show 99
	[ "$status" -eq 2 ]
	run "$TUNER" show one
	[ "$status" -eq 2 ]
}

@test "show says what the model expected, and what came of it" {
	STRATEGY=bayesian TRIALS=9 write_job
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" show last
	[[ "$output" == *"proposed by model"*"predicted "*"the result was "*"expected to gain "* ]]
	"$TUNER" show last --json |
		jq -e '.decision | .predicted_sd > 0 and (.hyperparameters | length > 0)'
}

@test "show prints the variables that a shell reads back" {
	write_job '"env": { "GREETING": "it'"'"'s $HOME" },'
	"$TUNER" run job.jsonc --quiet --trials 1
	"$TUNER" show 1 --env >variables
	for other in --patch --json; do
		run "$TUNER" show 1 --env $other
		[ "$status" -eq 2 ]
		[[ "$output" == *"--env, --patch and --json exclude each other"* ]]
	done
	[ "$(env -i PATH="$PATH" sh -c '. ./variables; echo "$GREETING $TUNER_TRIAL $SM_HOSTS"')" = \
		'it'"'"'s $HOME 1 ["algo-1"]' ]
	[ "$(grep -c '^PATH=' variables)" -eq 0 ]
	rm -r tuner.db.d
	run "$TUNER" show 1 --env
	[ "$status" -eq 2 ]
	[[ "$output" == *"gone"* ]]
	run "$TUNER" show 1
	[ "$status" -eq 0 ]
}

@test "what a command wrote cannot steer the terminal" {
	TRIALS=2 write_job
	"$TUNER" run job.jsonc --quiet -- \
		sh -c 'printf "\033[31mRuntimeError: no\033[0m\n" >&2; exit 1' sh || true
	for command in 'show 1' trials status 'watch --interval 50ms'; do
		# shellcheck disable=SC2086 # words
		run "$TUNER" $command
		[ "$status" -eq 0 ]
		[[ "$output" != *$'\033'* ]]
	done
}

@test "nor do its control characters of two bytes, in the lines of run and watch" {
	cat >job.jsonc <<-'END'
		{ "command": ["sh", "-c", "printf 'no \\302\\2332J luck\\n'; exit 1"], "objective": { "metric": "loss", "goal": "minimize" },
		  "parameters": { "x": { "type": "float", "min": 0, "max": 1 } }, "budget": { "trials": 1 } }
	END
	"$TUNER" run job.jsonc >out 2>&1 || true
	grep -F 'exit status 1: no ?2J luck' out
	run "$TUNER" watch job
	[[ "$output" == *'exit status 1: no ?2J luck'* && "$output" != *$'\302\233'* ]]
}

@test "best prints the command, the parameters and the model" {
	finished_job
	"$TUNER" best --params >params
	x=$(jq .x params)
	number=$("$TUNER" best --json | jq .trial)
	seed=$(grep "^$number " starts | cut -d' ' -f4)
	run "$TUNER" best --command
	[ "$output" = "cd $(pwd -P) && env TUNER_SEED=$seed sh train.sh --x $x" ]
	[ "$(cd / && TUNER_TRIAL=again sh -c "$output")" = "$("$TUNER" logs "$number")" ]
	# It trained with the same seed.
	grep -q "^again .* $seed\$" starts
	run "$TUNER" best --model
	[ "$status" -eq 2 ]
	[[ "$output" == *"TUNER_MODEL_DIR"* ]]
	"$TUNER" best --json | jq -e ".parameters.x == $x and .gain == .first_objective - .objective"
	run "$TUNER" best
	[[ "$output" == *"trial 1 (given by the job file) had"*"the best is lower by"* ]]
	run "$TUNER" best --params --model
	[ "$status" -eq 2 ]
}

@test "where results are noisy, best says so, and the model has its own" {
	TRIALS=30 STRATEGY=bayesian write_job
	# The same noise each time, up to .1 to both sides.
	cat >train.sh <<'END'
awk -v x="$2" 'BEGIN { noise = (x * 7919) % 1; printf "loss=%.17g\n", (x - 0.3) ^ 2 + (noise - 0.5) / 5 }'
END
	"$TUNER" run --quiet job.jsonc
	run "$TUNER" best
	[ "$status" -eq 0 ]
	[[ "$output" == *"results are noisy: tuner best --by-model job names"* ]]
	run "$TUNER" best --by-model
	[ "$status" -eq 0 ]
	[[ "$output" == *"by the model the best is trial"*"it expects "*" there without noise"*"tuner best --by-model --command job"* ]]
	[[ "$output" != *"results are noisy"* ]]
	"$TUNER" best --by-model --json >by.json
	jq -e '.expected > -0.1 and .expected < 0.05 and .expected_sd > 0 and .noise_sd > 0.02 and .noise_sd < 0.1' by.json
	[ "$("$TUNER" best --by-model --params | jq .x)" = "$(jq .parameters.x by.json)" ]
	"$TUNER" best --json | jq -e 'has("expected") | not'
	# What follows is about that trial.
	"$TUNER" best --by-model --command | grep -qF -- "--x $(jq .parameters.x by.json)"

	# Without noise nothing is said of it, and the two are as good.
	rm -rf tuner.db*
	write_train
	"$TUNER" run --quiet job.jsonc
	run "$TUNER" best
	[[ "$output" != *"noisy"* ]]
	"$TUNER" best --by-model --json | jq -e '.objective < 1e-6'
	# Of two trials no model can be made.
	rm -rf tuner.db*
	"$TUNER" run --quiet job.jsonc --trials 2
	run "$TUNER" best --by-model
	[ "$status" -eq 2 ]
	[[ "$output" == *"too few for a model"* ]]
}

@test "best says that others are as good" {
	TRIALS=3 PARALLEL=1 write_job
	"$TUNER" run job.jsonc --quiet -- sh -c 'echo loss=1' sh
	run "$TUNER" best
	[[ "$output" == *"the best is trial 1,"* ]]
	[[ "$output" == *"2 other trials reached the same value"* ]]
}

@test "best finds the model that was saved" {
	TRIALS=1 write_job
	"$TUNER" run job.jsonc --quiet -- \
		sh -c 'echo weights >"$SM_MODEL_DIR/model.pth"; echo loss=1' sh
	[ "$(cat "$("$TUNER" best --model)/model.pth")" = weights ]
}

@test "the command line of a best trial survives spaces and quotes" {
	cat >odd.jsonc <<'END'
{
	"command": ["sh", "-c", "echo loss=1 \"it's $1\"", "a b"],
	"objective": { "metric": "loss", "goal": "minimize" },
	"metrics": [{ "name": "loss", "regex": "loss=([0-9.]+)" }],
	"parameters": { "name": { "type": "categorical", "values": ["it's", "b c"] } },
	"strategy": "random", "budget": { "trials": 1 }
}
END
	"$TUNER" run odd.jsonc
	command=$("$TUNER" best --command)
	[[ "$(sh -c "$command")" == "loss=1 it's --name" ]]
}

@test "the command line of a best trial serves a script that reads SageMaker's variables" {
	mkdir data
	cat >train.sh <<'END'
set -eu
test -d "$SM_CHANNEL_TRAIN"
echo weights >"$SM_MODEL_DIR/model.pth"
echo "loss=1 on $SM_NUM_GPUS at $SM_HOSTS"
END
	cat >job.jsonc <<'END'
{
	"command": ["sh", "train.sh"],
	"objective": { "metric": "loss", "goal": "minimize" },
	"metrics": [{ "name": "loss", "regex": "loss=([0-9.]+)" }],
	"parameters": { "x": { "type": "float", "min": 0, "max": 1 } },
	"channels": { "train": "data" },
	"hosts": [{ "backend": "local", "gpus": "none" }],
	"strategy": "random", "budget": { "trials": 1 }
}
END
	"$TUNER" run job.jsonc --quiet
	command=$("$TUNER" best --command)
	echo precious >"$("$TUNER" best --model)/model.pth"
	[ "$(env -i PATH="$PATH" sh -c "$command")" = 'loss=1 on 0 at ["algo-1"]' ]
	# It does not overwrite what the trial itself has saved.
	[ "$(cat "$("$TUNER" best --model)/model.pth")" = precious ]
}

@test "the command line of a best trial serves a script without arguments" {
	write_job '"arguments": "none",'
	cat >train.sh <<'END'
echo "loss=$TUNER_PARAM_X $(cat "$TUNER_PARAMS")"
END
	"$TUNER" run job.jsonc --quiet --trials 1
	command=$(cd / && "$TUNER" best --command --db "$DIR/tuner.db")
	[ "$(env -i PATH="$PATH" sh -c "$command")" = "$("$TUNER" logs 1)" ]
}

@test "the command line of a best trial gives as variables what no argument says" {
	for words in '"sh", "train.sh", "{x}"' '"sh", "-c", "sh train.sh \"$TUNER_PARAM_X\""'; do
		cat >train.sh <<'END'
echo "loss=$1 $TUNER_PARAM_Y"
END
		cat >placed.jsonc <<END
{
	"command": [$words],
	"objective": { "metric": "loss", "goal": "minimize" },
	"metrics": [{ "name": "loss", "regex": "loss=([0-9.]+)" }],
	"parameters": { "x": { "type": "float", "min": 0, "max": 1 }, "y": { "type": "float", "min": 0, "max": 1 } },
	"strategy": "random", "budget": { "trials": 1 }
}
END
		rm -rf tuner.db*
		"$TUNER" run placed.jsonc --quiet
		command=$("$TUNER" best --command)
		[ "$(env -i PATH="$PATH" sh -c "$command")" = "$("$TUNER" logs 1)" ]
	done
}

@test "a job without a result: best ends with 4, the others say so" {
	TRIALS=2 write_job
	"$TUNER" run job.jsonc -- true || true
	run "$TUNER" best
	[ "$status" -eq 4 ]
	run "$TUNER" status
	[ "$status" -eq 0 ]
	[[ "$output" == *"no-metric 2"* ]]
	[[ "$output" == *"the last: trial "*", no-metric"* ]]
	[[ "$output" == *"tuner logs job "* ]]
	"$TUNER" status --json | jq -e '.best == null and .causes["no-metric"] == 2'
	"$TUNER" jobs --json | jq -e '.[0].state == "failed" and .[0].best == null'
	run "$TUNER" best --json
	[ "$status" -eq 4 ]
	run "$TUNER" show best
	[ "$status" -eq 2 ]
}

@test "a job without a trial yet: every command says so" {
	TRIALS=1 write_job
	"$TUNER" run job.jsonc --quiet
	# As after a tuner that was killed at its start.
	sqlite3 tuner.db "INSERT INTO job (id, name, state, reason, file, path, directory, seed, trial_cap,
			space_version, objective_version, created_us)
		SELECT 2, 'empty', 'open', '', replace(file, '\"command\"', '\"name\": \"empty\", \"command\"'),
			'', directory, seed, 6, NULL, NULL, created_us + 1 FROM job;
		INSERT INTO space_version SELECT 2, 2, version, definition, created_us FROM space_version;
		INSERT INTO objective_version
			SELECT 2, 2, version, metric, goal, definition, created_us FROM objective_version;
		UPDATE job SET space_version = 2, objective_version = 2 WHERE id = 2;"
	run "$TUNER" status empty
	[ "$status" -eq 0 ]
	[[ "$output" == *"no tuner is running it"*"0 of 6 trials"*"no trial has a result yet"*"tuner run empty"* ]]
	"$TUNER" status empty --json |
		jq -e '.runner == null and .left_s == null and .trials.created == 0'
	run "$TUNER" trials empty
	[ "$output" = "job empty has no trial yet." ]
	"$TUNER" trials empty --json | jq -e 'length == 0'
	run "$TUNER" best empty
	[ "$status" -eq 4 ]
	[[ "$output" == *"has no trial yet"* ]]
	for word in 1 last best; do
		run "$TUNER" show empty "$word"
		[ "$status" -eq 2 ]
		run "$TUNER" logs empty "$word"
		[ "$status" -eq 2 ]
	done
	run "$TUNER" watch empty --interval 50ms
	[ "$status" -eq 0 ]
	[[ "$output" == *"no tuner is running it"* ]]
	"$TUNER" jobs --json | jq -e '[.[].job] == ["job", "empty"] and .[1].best == null'
}

@test "NaN and infinite metrics are told, and JSON stays strict" {
	TRIALS=2 PARALLEL=1 write_job
	cat >nan.sh <<'END'
if [ "$TUNER_TRIAL" -eq 1 ]; then echo loss=inf; echo loss=1; else echo loss=2; echo loss=nan; fi
END
	"$TUNER" run job.jsonc --quiet -- sh nan.sh
	"$TUNER" show 1 --json >first.json
	/usr/bin/python3 -c 'import json, sys
json.load(open("first.json"), parse_constant=lambda word: sys.exit(word))'
	jq -e '[.metrics.loss[].value] == ["inf", 1] and .objective == 1' first.json
	"$TUNER" trials --json |
		jq -e '.[1].last_value == "nan" and .[1].objective == null and .[1].best_value == 2'
	run "$TUNER" show 2
	[[ "$output" == *"failed"*"nan"* ]]
}

@test "logs prints the output, its end, and follows until the trial ends" {
	TRIALS=1 PARALLEL=1 write_job
	"$TUNER" run job.jsonc --name lines -- sh -c 'seq 1 100000; echo loss=1'
	[ "$("$TUNER" logs 1 | wc -l)" -eq 100001 ]
	[ "$("$TUNER" logs lines 1 --tail 2)" = $'100000\nloss=1' ]
	[ "$("$TUNER" logs lines 1 --tail 1 -f)" = loss=1 ]
	[ "$("$TUNER" logs lines 1 --tail 1000000 | wc -l)" -eq 100001 ]
	[ "$("$TUNER" logs lines last --tail 90001 | head -1)" = 10001 ]
	# A reader that goes away ends it.
	[ "$("$TUNER" logs 1 | head -1)" = 1 ]
	touch hold
	start "$TUNER" run job.jsonc --name follow -- sh -c 'echo begun; while [ -e hold ]; do sleep 0.02; done; echo loss=1'
	await test -s tuner.db.d/follow/0001/1/output.log
	timeout 30 "$TUNER" logs follow 1 -f >followed 3>&- &
	follower=$!
	STARTED+=("$follower")
	await grep -q begun followed
	rm hold
	wait "$follower"
	[ "$(cat followed)" = $'begun\nloss=1' ]
	finished
	run "$TUNER" logs follow 1 --attempt 7
	[ "$status" -eq 2 ]
	[[ "$output" == *"has 1 attempt:"* ]]
}

@test "logs follows a trial into its next attempt" {
	TRIALS=1 PARALLEL=1 write_job '"failures": [{ "pattern": "begun", "class": "crashed", "retry": true }],'
	cat >train.sh <<'END'
echo "attempt $TUNER_ATTEMPT begun"
while [ -e "hold$TUNER_ATTEMPT" ]; do sleep 0.02; done
[ "$TUNER_ATTEMPT" -gt 1 ] || kill -KILL $$
echo loss=1
END
	touch hold1
	start "$TUNER" run job.jsonc
	await grep -q begun tuner.db.d/job/0001/1/output.log
	timeout 30 "$TUNER" logs 1 -f >followed 2>notes 3>&- &
	follower=$!
	STARTED+=("$follower")
	await grep -q begun followed
	rm hold1
	wait "$follower"
	finished
	[ "$status" -eq 0 ]
	[ "$(cat followed)" = $'attempt 1 begun\nattempt 2 begun\nloss=1' ]
	grep -q 'attempt 2' notes
	[ "$("$TUNER" logs 1 --attempt 1 2>/dev/null)" = 'attempt 1 begun' ]
	run "$TUNER" show 1
	[[ "$output" == *"  1  "*"signal 9"*"  2  ok"* ]]
	[[ "$output" == *"to be launched again"* ]]
}

@test "logs -f ends when the tuner and its trial are gone" {
	TRIALS=1 write_job
	touch hold
	start "$TUNER" run job.jsonc -- sh -c 'echo begun; while [ -e hold ]; do sleep 0.02; done; echo loss=1' sh
	await grep -q begun tuner.db.d/job/0001/1/output.log
	kill -KILL "$PID"
	finished
	timeout 30 "$TUNER" logs 1 -f >followed 3>&- &
	follower=$!
	STARTED+=("$follower")
	await grep -q begun followed
	rm hold
	wait "$follower"
	[ "$(tail -1 followed)" = loss=1 ]
}

@test "logs of a trial that was not launched yet say so" {
	TRIALS=1 write_job
	"$TUNER" run job.jsonc --quiet
	# The trial as it is between its proposal and its launch.
	sqlite3 tuner.db "INSERT INTO event (job, kind, data, time_us) VALUES (1, 'proposed', '{}', 1);
		INSERT INTO trial (id, job, number, arm, repeat, arm_number, space_version, objective_version,
			state, source, created_us, parameters)
		SELECT 2, job, 2, arm, repeat, 2, space_version, objective_version, 'proposed', source,
			created_us, parameters FROM trial;
		INSERT INTO decision SELECT 2, strategy, branch, reason, space_version, objective_version, seen,
			start, sequence, next_sequence, budget_trials, parallel, work_limit, work, without_model,
			mean, sd, acquisition, incumbent, took_us, machine, settings, pending, hyperparameters
			FROM decision;"
	run "$TUNER" logs 2
	[ "$status" -eq 2 ]
	[[ "$output" == *"trial 2 has not been launched yet"* ]]
	run "$TUNER" logs 2 -f
	[ "$status" -eq 2 ]
	run "$TUNER" show 2
	[ "$status" -eq 0 ]
	[[ "$output" == *"has not been launched yet"* ]]
	"$TUNER" show 2 --json | jq -e '.launches == [] and .command == [] and .directory == null'
}

# bats test_tags=plain
@test "status and watch look at a running job" {
	write_job
	touch hold
	start "$TUNER" run job.jsonc
	await sql_is "SELECT count(*) FROM attempt WHERE state = 'running'" 1
	run "$TUNER" status
	[[ "$output" == *"run by process $PID"* ]]
	[[ "$output" == *"under way"*"trial 1"*"running"* ]]
	[[ "$output" == *"tuner watch job"*"tuner stop job"* ]]
	"$TUNER" status --json |
		jq -e ".runner == $PID and .trials.running >= 1 and .running[0].trial == 1"
	run "$TUNER" best
	[ "$status" -eq 4 ]
	[[ "$output" == *"no trial of job job has a result yet"* ]]
	timeout 60 "$TUNER" watch job --interval 50ms >watched 3>&- &
	watcher=$!
	STARTED+=("$watcher")
	rm hold
	wait "$watcher"
	finished
	[ "$(grep -c '^trial .*done' watched)" -eq 6 ]
	[ "$(grep -c 'best so far' watched)" -ge 1 ]
	grep -q 'job job: done' watched
	run "$TUNER" watch --interval 1us
	[ "$status" -eq 2 ]
}

@test "what status proposes lines up, however long the names are" {
	finished_job
	db=$PWD/$(printf 'long-%.0s' $(seq 12)).db
	mv tuner.db "$db"
	"$TUNER" status --db "$db" | sed -n '/^next/,$p' | tail -n +2 >next
	[ "$(lines_of next)" -eq 2 ]
	[ "$(sed 's/\(continues\|prints\).*//' next | awk '{ print length($0) }' | sort -u | wc -l)" -eq 1 ]
}

@test "a trial that the present parameters do not take is repeated by what show prints, and its database is named" {
	TRIALS=1 write_job
	"$TUNER" run job.jsonc --quiet --db other.db
	"$TUNER" run job.jsonc --quiet --db other.db --trials 2 --set parameters.x.min=0.9 \
		--set 'parameters.y={"type": "float", "min": 0, "max": 1}'
	run "$TUNER" best --command --db other.db
	[ "$status" -eq 2 ]
	[[ "$output" == *"\"tuner show job --db other.db 1\" shows its command line"* ]]
}

@test "what repeats a trial is not said of a command that has another parameter, and with a warning of one that was edited" {
	TRIALS=1 write_job
	"$TUNER" run job.jsonc --quiet --set 'parameters.y={"type": "int", "min": 1, "max": 9}' --set 'first=[{"y": 3}]'
	"$TUNER" run job.jsonc --quiet --set fixed.y=3 --accept-change --trials 2
	"$TUNER" best --command >line
	[[ "$(cat line)" == *" --y 3"* ]]
	"$TUNER" run job.jsonc --quiet --set fixed.y=4 --accept-change --trials 3
	run "$TUNER" best --command
	[ "$status" -eq 2 ]
	[[ "$output" == *'trial 1 had its own "y", '*'"tuner show job 1" shows its command line' ]]
	"$TUNER" report job --format md -o - | grep -q 'no command to repeat it: trial 1 had its own'
	# A fixed value is no trial's own.
	"$TUNER" run job.jsonc --quiet --name other --set fixed.z=3
	"$TUNER" best other --command 2>warnings
	[ ! -s warnings ]
	"$TUNER" run job.jsonc --quiet --name other --set fixed.z=4 --trials 2 --accept-change
	"$TUNER" best other --command >line 2>warnings
	[[ "$(cat line)" == *" --z 4"* ]]
	grep -q 'warning: trial 1 was launched before "fixed.z" was edited: "tuner show other 1"' warnings
	"$TUNER" report other --format md -o - | grep -q '^But trial 1 was launched before'
}

# bats test_tags=plain
@test "a command that is proposed names the database and the file as a shell reads them" {
	TRIALS=1 write_job
	"$TUNER" run job.jsonc --quiet --db 'my own.db' 2>warnings
	eval "$("$TUNER" show 1 --db 'my own.db' | sed -n 's|^  its variables: tuner|"$TUNER"|p')" >variables
	grep -q '^TUNER_TRIAL=1$' variables
	run "$TUNER" confirm job --show --db 'my own.db'
	[ "$status" -eq 2 ]
	[[ "$output" == *"\"tuner confirm job --db 'my own.db'\""* ]]
	for command in "show 9" "why 9" "logs 9" "replay --trial 9"; do
		run "$TUNER" $command --db 'my own.db'
		[[ "$output" == *"\"tuner trials job --db 'my own.db'\" lists them"* ]]
	done
	run "$TUNER" hosts drain nowhere --db 'my own.db'
	[[ "$output" == *"\"tuner hosts job --db 'my own.db'\" lists them"* ]]
	run "$TUNER" init 'my own.jsonc'
	[[ "$output" == *"\"tuner check 'my own.jsonc'\""* ]]
	run "$TUNER" run 'my own.jsonc' --name mine -- false
	[[ "$output" == *"\"tuner try 'my own.jsonc'\""* ]]
}

# bats test_tags=plain
@test "show does not say of a trial that was put back that it never ran" {
	TRIALS=1 write_job
	touch crash
	"$TUNER" run job.jsonc --quiet || true
	"$TUNER" retry job --trial 1
	run "$TUNER" show 1
	[[ "$output" == *"it is to be launched again"* && "$output" != *"has not been launched"* ]]
	rm crash
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" show 1
	[[ "$output" != *"launched again"* ]]
}

# bats test_tags=plain
@test "best counts all that have reached the same value" {
	cat >ask.jsonc <<'END'
{ "objective": { "metric": "loss", "goal": "minimize" }, "strategy": "random",
  "parameters": { "x": { "type": "float", "min": 0, "max": 1 } }, "budget": { "trials": 130 } }
END
	for i in $(seq 130); do echo "{\"ask\": 1}"; echo "{\"tell\": $i, \"value\": 1}"; done |
		"$TUNER" ask-tell ask.jsonc --db tuner.db >answers
	run "$TUNER" best
	[[ "$output" == *"129 other trials reached the same value"* ]]
}

@test "status says every bound that the budget has" {
	TRIALS=2 STRATEGY=bayesian write_job
	sed -i 's/"budget": {/"budget": { "not_improving": 40, "cost": 2.5, "converged": true,/; s/"gpus": "none"/&, "price": 1/' job.jsonc
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" status
	[[ "$(flat)" == *"until 40 trials bring no improvement"* ]]
	[[ "$(flat)" == *"until it has cost 2.5"* ]]
	[[ "$(flat)" == *"until the search has converged"* ]]
	"$TUNER" status --json | jq -e '.budget.not_improving == 40 and .budget.cost == 2.5 and .budget.converged'
}

@test "an edited variable that speaks of a secret is told of without its values" {
	TRIALS=1 write_job '"env": { "API_TOKEN": "hush-one", "PLAIN": "a" },'
	"$TUNER" run job.jsonc --quiet
	sed -i 's/hush-one/hush-two/; s/"PLAIN": "a"/"PLAIN": "b"/' job.jsonc
	run "$TUNER" run job.jsonc --trials 2 --accept-change
	[ "$status" -eq 0 ]
	[[ "$output" != *hush-* ]]
	sql_is "SELECT count(*) FROM event WHERE data LIKE '%hush-%'" 0
	sql_is "SELECT json_extract(data, '$.changes') LIKE '%env.PLAIN: \"a\" -> \"b\"%' FROM event WHERE kind = 'edited'" 1
	sql_is "SELECT json_extract(data, '$.changes') LIKE '%env.API_TOKEN: *** -> ***%' FROM event WHERE kind = 'edited'" 1
	"$TUNER" report job -o report.html
	run grep -q hush- report.html
	[ "$status" -eq 1 ]
}

@test "status tells what was edited" {
	TRIALS=2 write_job
	"$TUNER" run job.jsonc --quiet
	"$TUNER" run job.jsonc --quiet --trials 3
	run "$TUNER" status
	[[ "$output" == *"job file edited: budget.trials: 2 -> 3"* ]]
	"$TUNER" status --json | jq -e '.events[0].kind == "edited" and .budget.trials == 3'
}

@test "watch ends when the tuner has been killed, and says how to go on" {
	write_job
	touch hold
	start "$TUNER" run job.jsonc
	await sql_is "SELECT count(*) FROM attempt WHERE state = 'running'" 1
	timeout 60 "$TUNER" watch job --interval 50ms >watched 3>&- &
	watcher=$!
	STARTED+=("$watcher")
	kill -KILL "$PID"
	finished
	wait "$watcher"
	grep -q 'no tuner is running it' watched
	grep -q 'tuner run job' watched
}

@test "watch on a terminal redraws in place what runs" {
	TRIALS=3 PARALLEL=1 write_job
	touch hold
	start "$TUNER" run job.jsonc
	await sql_is "SELECT count(*) FROM attempt WHERE state = 'running'" 1
	TERM=xterm timeout 60 script -qefc "stty cols 100; '$TUNER' watch --interval 50ms" typescript \
		>/dev/null 3>&- &
	watcher=$!
	STARTED+=("$watcher")
	await grep -q ' trial 1 ' typescript
	rm hold
	wait "$watcher"
	finished
	grep -q $'\033\\[[0-9]*A\033\\[J' typescript
	[ "$(grep -c 'trial [123] .*done' typescript)" -eq 3 ]
	grep -q 'job job: done' typescript
}

@test "a table on a terminal is as wide as it, and coloured unless NO_COLOR asks for none" {
	finished_job
	TERM=xterm script -qec "stty cols 40; '$TUNER' trials" typescript >/dev/null
	grep -q '…' typescript
	grep -q $'\033\\[32m' typescript
	NO_COLOR=1 TERM=xterm script -qec "stty cols 200; '$TUNER' trials" plain >/dev/null
	grep -q 'best' plain
	run grep -q $'\033\|…' plain
	[ "$status" -eq 1 ]
}

@test "what could not be printed is an error; a reader that goes away is none" {
	finished_job
	[ -c /dev/full ] || skip "no /dev/full"
	for command in status trials 'show 1 --json' 'report -o -' help 'run --help'; do
		status=0
		# shellcheck disable=SC2086 # words
		"$TUNER" $command >/dev/full 2>errors || status=$?
		[ "$status" -eq 5 ]
		grep -q 'standard output could not be written' errors
	done
	# The search itself is in the database: it stands.
	"$TUNER" run job.jsonc --trials 5 >/dev/full 2>errors
	grep -q 'standard output could not be written' errors
	status=0
	{ "$TUNER" report -o - 2>errors || echo "$?" >failed; } | head -c 1 >/dev/null
	[ ! -e failed ]
	[ ! -s errors ]
}

@test "a standard stream that is closed is no file's number: what is printed gets into none" {
	write_job
	printf '%s\n' '{"ask": 1}' '{"tell": 1, "value": 3}' >lines
	status=0
	"$TUNER" ask-tell job.jsonc --db ask.db <lines >&- 2>errors || status=$?
	[ "$status" -eq 5 ]
	grep -q 'cannot write the answer: Bad file descriptor' errors
	"$TUNER" run job.jsonc --trials 3 <&- >&- 2>&-
	"$TUNER" verify
}

@test "jobs lists the jobs; a missing or empty database says what to do" {
	run "$TUNER" jobs
	[ "$status" -eq 2 ]
	[[ "$output" == *"tuner run"* ]]
	finished_job
	"$TUNER" run job.jsonc --name other --trials 1
	run "$TUNER" jobs
	[ "${#lines[@]}" -eq 3 ]
	run "$TUNER" status nosuch
	[ "$status" -eq 2 ]
	[[ "$output" == *"job, other"* ]]
	[[ "$output" != *"did you mean"* ]]
	run "$TUNER" status jbo
	[ "$status" -eq 2 ]
	[[ "$output" == *'did you mean "job"? It has: job, other' ]]
	for i in $(seq 12); do "$TUNER" ask job.jsonc --name "sweep-$i" --db many.db; done
	run "$TUNER" status nosuch --db many.db
	[[ "$output" == *'it has: sweep-3, '*', sweep-12 and 2 older ones ("tuner jobs" lists them)' ]]
	# Left out, it is the newest, and a note says which; nothing but JSON on standard output.
	"$TUNER" status --json 2>note | jq -e '.job == "other"'
	grep -q 'other' note
	"$TUNER" status job.jsonc --json | jq -e .job
}

@test "a database without a job says how to start one" {
	finished_job
	sqlite3 empty.db "$(sqlite3 tuner.db .schema | grep -v sqlite_sequence)
		PRAGMA application_id = $((0x74756e72)); PRAGMA user_version = $(sql 'PRAGMA user_version');"
	for command in status trials best 'show 1' 'logs 1' watch; do
		# shellcheck disable=SC2086 # words
		run "$TUNER" $command --db empty.db
		[ "$status" -eq 2 ]
		[[ "$output" == *"no job yet"*"tuner run"* ]]
	done
	run "$TUNER" jobs --db empty.db
	[ "$status" -eq 0 ]
	[[ "$output" == *"no job yet"* ]]
	"$TUNER" jobs --db empty.db --json | jq -e '. == []'
}

# bats test_tags=plain
@test "what reads changes nothing" {
	finished_job
	before=$(sha256sum tuner.db)
	for command in status trials best 'best --command' 'show 1' 'logs 1' jobs; do
		# shellcheck disable=SC2086 # words
		"$TUNER" $command >/dev/null
	done
	[ "$(sha256sum tuner.db)" = "$before" ]
}

@test "a database that is no database is refused" {
	echo "this is not a database, but long enough to look at it" >tuner.db
	for command in jobs status trials; do
		run "$TUNER" $command
		[ "$status" -eq 2 ]
		[[ "$output" == *"--db"* ]]
	done
	: >tuner.db
	run "$TUNER" status
	[ "$status" -eq 2 ]
	[[ "$output" == *"is empty"*"--db"* ]]
	[ "$("$TUNER" doctor | grep -o -- '--db' | wc -l)" -eq 1 ]
	if [ "$(id -u)" -ne 0 ]; then
		chmod 000 tuner.db
		run "$TUNER" status
		[[ "$output" == *"cannot be read (Permission denied)"* ]]
		chmod 600 tuner.db
	fi
	echo "this is not a database, but long enough to look at it" >tuner.db
	run "$TUNER" run /dev/null
	[ "$status" -eq 2 ]
}

@test "a trial that is not there is told with what lists those that are" {
	finished_job
	for command in 'show 99' 'logs 99' 'why 99' 'replay --trial 99' 'retry --trial 99'; do
		# shellcheck disable=SC2086 # words
		run "$TUNER" $command
		[ "$status" -eq 2 ]
		[[ "$output" == *" no trial 99"*'"tuner trials'*'" lists them'* ]]
	done
	run "$TUNER" version extra
	[[ "$output" == *'usage: tuner version' ]]
}

@test "version and help" {
	"$TUNER" version --json | jq -e '.tuner and .sqlite and .gsl and .pcre2 and .cjson and .glibc and .cpu'
	run "$TUNER" --version
	[[ "$output" == *"sqlite"* ]]
	run "$TUNER" help
	[ "$status" -eq 0 ]
	for command in init check try schema run watch status stop enqueue jobs trials show logs best version; do
		[[ "$output" == *"  $command "* ]]
		"$TUNER" help "$command" | grep -q "usage: tuner $command"
	done
	# What a command does stands in one column.
	run "$TUNER" help
	[ "$(grep -c '^  .\{30\} [a-z]' <<<"$output")" -eq "$(grep -c '^  [a-z]' <<<"$output")" ]
	grep -q '^ \{33\}list a job' <<<"$output"
	run "$TUNER" help nosuch
	[ "$status" -eq 2 ]
	run "$TUNER" help shwo
	[[ "$output" == *'did you mean "tuner help show"?' ]]
	[ "$("$TUNER" help schema | head -n 1)" = "usage: tuner schema" ]
	"$TUNER" help ask | grep -qF 'default: $TUNER_DB, else tuner.db'
	"$TUNER" help ask-tell | grep -qF 'default: none, whatever $TUNER_DB says'
}

# bats test_tags=plain
@test "why tells how a model came to its choice, and what became of it" {
	STRATEGY=bayesian TRIALS=9 PARALLEL=1 write_job '"first": [{ "x": 0.9 }],'
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" why last
	[ "$status" -eq 0 ]
	[[ "$output" == "trial 9 of job job: done, loss = "*"the model chose it"*"results known: 8, the best loss = "* ]]
	[[ "$output" == *"predicted "*"the result was "*"expected gain "*"probability "*"nearest earlier trials, in lengthscales"* ]]
	[[ "$output" == *"what the model believed of the parameters"*"  x "* ]]
	"$TUNER" why job 9 --json >why.json
	jq -e '.branch == "model" and .seen.trials == 8 and .seen.done == 8 and .pending_trials == []' why.json
	jq -e '.predicted_sd > 0 and (.z - (.objective - .predicted_mean) / .predicted_sd | fabs) < 1e-9' why.json
	jq -e '(.improvement - (.incumbent - .objective) | fabs) < 1e-12' why.json
	jq -e '0 < .probability_of_improvement and .probability_of_improvement < 1' why.json
	jq -e '[.nearest[].distance] | length == 5 and . == sort' why.json
	jq -e '.lengthscales[0].parameter == "x" and .lengthscales[0].lengthscale > 0 and .start_trial == 8' why.json
	"$TUNER" show 9 --json | jq -e ".decision.predicted_mean == $(jq .predicted_mean why.json)"
}

# bats test_tags=plain
@test "a trial's usual time is the median, of an even number between the two in the middle" {
	TRIALS=4 PARALLEL=1 STRATEGY=random write_job
	"$TUNER" run job.jsonc --quiet
	sqlite3 tuner.db "UPDATE trial SET started_us = 1700000000000000, ended_us = 1700000000000000 + 1000000 * number * number"
	"$TUNER" status --json | jq -e '.median_s == 6.5'
	sqlite3 tuner.db "UPDATE trial SET state = 'failed', objective = NULL WHERE number = 4"
	"$TUNER" status --json | jq -e '.median_s == 4'
}

# bats test_tags=plain
@test "why calls no result a surprise that comes from noise which the model knows of" {
	cat >noisy.jsonc <<-END
		{ "objective": {"metric": "loss", "goal": "minimize"}, "budget": {"trials": 40},
		  "parameters": {"x": {"type": "float", "min": 0.0, "max": 1}, "y": {"type": "float", "min": 0.0, "max": 1}} }
	END
	python3 - "$TUNER" <<-'END'
		import json, random, subprocess, sys
		rng = random.Random(2)
		tuner = subprocess.Popen([sys.argv[1], "ask-tell", "noisy.jsonc", "--db", "tuner.db"], text=True, bufsize=1,
		                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
		def say(**line):
		    print(json.dumps(line), file=tuner.stdin, flush=True)
		    return json.loads(tuner.stdout.readline())
		for _ in range(40):
		    for trial in say(ask=1)["trials"]:
		        p = trial["parameters"]
		        say(tell=trial["trial"], value=(p["x"] - .3) ** 2 + (p["y"] - .6) ** 2 + rng.gauss(0, .05))
	END
	for trial in $(seq 25 40); do
		"$TUNER" why "$trial"
	done >words
	cat words
	[ "$(grep -c ', which may be noise$' words)" -ge 2 ]
	[ "$(grep -c 'surprise' words)" -le 2 ]
	"$TUNER" why 30 --json | jq -e '(.z_with_noise | fabs) < (.z | fabs) and .z * .z_with_noise > 0'
}

@test "why has an answer for every kind of trial, with the same keys" {
	STRATEGY=bayesian TRIALS=7 PARALLEL=1 write_job '"first": [{ "x": 0.9 }],'
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" why 1
	[[ "$output" == *"every parameter was given"*'asked for by "first"'*"no result was known"* ]]
	[[ "$output" != *"predicted"* ]]
	run "$TUNER" why 2
	[[ "$output" == *"initial design"*"results known: 1"*"nearest earlier trials, in sides of the unit cube"* ]]
	for trial in 1 2 7; do
		"$TUNER" why "$trial" --json | jq -c keys >"keys-$trial"
	done
	diff keys-1 keys-2
	diff keys-1 keys-7
	"$TUNER" why 1 --json | jq -e '.predicted_mean == null and .z == null and .nearest == [] and .lengthscales == []'
	sed -i 's/"x": {/"y": { "type": "int", "min": 1, "max": 3 }, "x": {/; s/"trials": 7/"trials": 8/' job.jsonc
	"$TUNER" run job.jsonc --quiet --accept-change -- sh -c 'echo loss=1' sh
	run "$TUNER" why 7
	[[ "$output" == *"parameters that have been edited since"*"what the model believed"* ]]
	run "$TUNER" why 8
	[ "$status" -eq 0 ]
	[[ "$output" == *"no result was known"* ]] # none of a trial with y
	run "$TUNER" why 99
	[ "$status" -eq 2 ]
}

# A job of three parameters, of which one does nothing and one cannot.
three_parameters() {
	cat >train.sh <<'END'
awk -v x="$2" 'BEGIN { printf "loss=%.17g\n", (x - 0.3) ^ 2 }'
END
	cat >job.jsonc <<END
{
	"command": ["sh", "train.sh"],
	"objective": { "metric": "loss", "goal": "minimize" },
	"metrics": [{ "name": "loss", "regex": "loss=([-+0-9.einfa]+)" }],
	"parameters": {
		"x": { "type": "float", "min": 0, "max": 1 },
		"nothing": { "type": "categorical", "values": ["a", "b"] },
		"one": { "type": "categorical", "values": ["c"] }
	},
	"strategy": "$1",
	"hosts": [{ "backend": "local", "gpus": "none" }],
	"budget": { "trials": $2, "parallel": 2 }
}
END
}

# bats test_tags=plain
@test "importance ranks the parameters, as text and as JSON" {
	three_parameters random 16
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" importance
	[ "$status" -eq 0 ]
	[[ "${lines[0]}" == "parameter "*"total"*"alone"* ]]
	[[ "${lines[1]}" == "x "*"██████"* ]]
	[[ "${lines[2]}" == "nothing "*" 0.00 "* ]]
	[[ "$output" == *"From 16 trials"* ]]
	"$TUNER" importance job --json >importance.json
	jq -e '[.parameters[].parameter] == ["x", "nothing", "one"]' importance.json
	jq -e '.parameters | .[0].total > 0.95 and .[1].total < 0.02 and .[2].total_high == 0' importance.json
	jq -e '.parameters | all(.total_low <= .total and .total <= .total_high and .alone_low <= .alone and .alone <= .alone_high)' importance.json
	jq -e '.trials == 16 and .explained > 0.8 and .noise < 0.2 and .warnings == []' importance.json
	"$TUNER" importance --json | diff - importance.json # nothing in it is by chance
}

# bats test_tags=plain
@test "importance says when it knows too little" {
	TRIALS=4 write_job
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" importance
	[ "$status" -eq 2 ]
	[[ "$output" == *"job job: 4 trials have an objective"*"at least 5"* ]]
	three_parameters random 6
	"$TUNER" run job.jsonc --quiet --name two
	run "$TUNER" importance two
	[ "$status" -eq 0 ]
	[[ "$output" == *"warning: 6 trials are few for 2 parameters"* ]]
	"$TUNER" importance two --json | jq -e '.warnings | length >= 1'
	"$TUNER" run job.jsonc --quiet --name same -- sh -c 'echo loss=1' sh
	run "$TUNER" importance same
	[ "$status" -eq 2 ]
	[[ "$output" == *"same objective"* ]]
}

# bats test_tags=plain
@test "sentences are as wide as the terminal, and elsewhere a line each" {
	STRATEGY=bayesian TRIALS=9 write_job
	"$TUNER" run job.jsonc --quiet
	for command in "status job" "best job" "why job 9" "importance job" "doctor job" "verify job"; do
		# shellcheck disable=SC2086 # a command and its arguments
		"$TUNER" $command >plain || true
		NO_COLOR=1 TERM=xterm script -qec "stty cols 44; '$TUNER' $command" typescript >/dev/null || true
		tr -d '\r' <typescript | grep -v '^Script' >shown
		# What is to be copied (next) may be wider.
		sed '/^next/,$d' shown >sentences
		python3 -c 'import sys; sys.exit(max(len(line.rstrip("\n")) for line in open("sentences", encoding="utf-8")) > 44)'
		[ "$(wc -l <shown)" -gt "$(wc -l <plain)" ] || [ "$command" = "verify job" ]
	done
	"$TUNER" importance >plain 2>&1
	grep -q '^From 9 trials, each predicted from the others with R2 = .*; noise is .* of the variance.$' plain
}

@test "why tells what stood in for the model, and why" {
	TRIALS=3 PARALLEL=1 write_job
	"$TUNER" run job.jsonc --quiet --set 'strategy={"name": "bayesian", "initial": 1}'
	run "$TUNER" why 3
	[[ "$output" == *"quasi-random point, taken in place of the model's"*"because fewer than three trials have an objective"* ]]
	"$TUNER" why 3 --json | jq -e '.branch == "fallback" and .reason != "" and .predicted_mean == null'
}

@test "an empty category is told from none" {
	write_job '"name": "job", "first": [{ "x": 0.3, "kind": "" }],'
	sed -i 's/"parameters": {/& "kind": { "type": "categorical", "values": ["", "a"] },/' job.jsonc
	sed -i 's/"\$2"/"$4"/; s/ \$2 / $4 /' train.sh
	run "$TUNER" run job.jsonc --trials 1 --plain
	[[ "$output" == *'kind="" x=0.3'* ]]
	[[ "$("$TUNER" best)" == *'kind="" x=0.3'* ]]
	"$TUNER" show 1 | grep -q '^  kind  ""$'
	"$TUNER" trials | grep -q '^ *1  done .* ""  *0.3 '
}
