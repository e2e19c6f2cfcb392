#!/usr/bin/env bats
# "warm_start" of a job file: what earlier jobs have found, in a new one.

load run/common

PLAIN='"x": {"type": "float", "min": 0, "max": 1, "scale": "linear"}, "kind": {"type": "categorical", "values": ["a", "b"]}'

# job NAME [MORE]: NAME.jsonc, for who asks and tells; MORE is more keys, ending with a comma. $SPACE: its parameters.
job() {
	cat >"$1.jsonc" <<END
{
	"name": "$1", ${2-}
	"objective": { "metric": "loss", "goal": "${GOAL:-minimize}" },
	"parameters": {
		${SPACE:-$PLAIN}
	},
	"strategy": "${STRATEGY:-random}",
	"budget": { "trials": ${TRIALS:-4}, "parallel": 1 }
}
END
}

# tell NAME DATABASE LINE...: what its trials came to.
tell() {
	printf '%s\n' "${@:3}" | "$TUNER" ask-tell "$1.jsonc" --db "$2" >answers
	not grep -q error answers || { cat answers; false; }
}

# The parent of most tests: four values and a failure, in old.db.
parent() {
	job parent
	tell parent old.db '{"add": {"x": 0.1, "kind": "a"}, "value": 4}' '{"add": {"x": 0.3, "kind": "a"}, "value": 1}' \
		'{"add": {"x": 0.5, "kind": "b"}, "value": 2}' '{"add": {"x": 0.9, "kind": "b"}, "value": 3}' \
		'{"add": {"x": 1, "kind": "b"}, "failed": "diverged"}'
}

OLD='"warm_start": { "jobs": [{ "db": "old.db", "job": "parent" }] },'

# refused TEXT: check and ask refuse child.jsonc, saying so, and make nothing.
refused() {
	run "$TUNER" check child.jsonc
	[ "$status" -eq 2 ]
	[[ "$output" == *"$1"* ]] || { echo "$output"; false; }
	run "$TUNER" ask child.jsonc
	[ "$status" -eq 2 ]
	[[ "$output" == *"$1"* ]] || { echo "$output"; false; }
	[ ! -e tuner.db ] || sql_is "SELECT count(*) FROM job WHERE name = 'child'" 0
}

added() {
	sql "SELECT group_concat(json_extract(parameters, '$.x') || ' ' || state || ' ' || coalesce(objective, '-'), ', ')
		FROM (SELECT * FROM trial WHERE source = 'added' AND job = (SELECT id FROM job WHERE name = '${1:-child}')
		ORDER BY number)"
}

added_is() {
	[ "$(added)" = "$1" ] || { added; false; }
}

@test "the trials of an earlier job are data of the new one, and count for no budget" {
	STRATEGY=bayesian TRIALS=8 write_job '"name": "parent",'
	"$TUNER" run job.jsonc --db old.db
	STRATEGY=bayesian TRIALS=3 write_job "\"name\": \"child\", $OLD"
	rm starts
	run "$TUNER" run job.jsonc
	echo "$output"
	[ "$status" -eq 0 ]
	[[ "$output" == *"warm start: 8 of the 8 ended trials of job parent in $DIR/old.db are known from the start"* ]]
	[[ "$output" == *"all 3 trials of the budget have ended. Trials: 3 done"* ]]
	[ "$(lines_of starts)" -eq 3 ]
	sql_is "SELECT count(*) FROM trial WHERE source = 'added'" 8
	# The model proposes at once: the design is there.
	sql_is "SELECT group_concat(DISTINCT branch) FROM trial t JOIN decision d ON d.id = t.id WHERE t.source = 'strategy'" model
	# Values to the bit.
	[ "$(sqlite3 -readonly old.db "SELECT printf('%!.17g', objective) FROM trial ORDER BY ended_event")" = \
		"$(sql "SELECT printf('%!.17g', objective) FROM trial WHERE source = 'added' ORDER BY number")" ]
	"$TUNER" verify
	run "$TUNER" replay --json
	[ "$status" -eq 0 ]
	[[ "$output" == *'"recomputed": 3'* ]]
	[[ "$output" == *'"given": 8'* ]]
	run "$TUNER" status
	echo "$output"
	[[ "$output" == *"3 of 3 trials: 3 done; 8 observed elsewhere"* ]]
	[[ "$output" == *"warm start: 8 of the 8"* ]]
	# It has ended: there is nothing to go on with, and more budget is exact.
	[[ "$("$TUNER" run job.jsonc)" == *"is complete after 3 trials"* ]]
	"$TUNER" run job.jsonc --trials 5
	sql_is "SELECT count(*) FROM trial WHERE source <> 'added'" 5
	[[ "$("$TUNER" jobs)" == *"5 of 5"* ]]
	"$TUNER" verify
	# The best is trained again, whoever found it, and that job begins with nothing.
	"$TUNER" confirm child --top 1 --repeats 2
	sql_is "SELECT count(*), sum(source = 'first') FROM trial WHERE job = (SELECT max(id) FROM job)" "2|2"
	# Two jobs are compared by their own trials.
	STRATEGY=bayesian TRIALS=3 write_job '"name": "cold",'
	"$TUNER" run job.jsonc
	run "$TUNER" compare child cold
	echo "$output"
	[ "$status" -eq 0 ]
	[[ "$output" == *"3 trials"* ]]
}

@test "gates and limits go by the job's own results" {
	SPACE='"x": {"type": "float", "min": 0, "max": 1}' job parent
	tell parent old.db '{"add": {"x": 0.31}, "value": -5}' '{"add": {"x": 0.7}, "value": 3}'
	TRIALS=3 write_job "\"name\": \"child\", $OLD"
	run "$TUNER" run job.jsonc --gate 'loss <= -1' --junit junit.xml
	[ "$status" -eq 1 ]
	[[ "$output" == *"gate missed: loss <= -1"* ]]
	[[ "$output" == *"best: loss=-5, trial 1"* ]]
	grep -q '<testsuite .*tests="4"' junit.xml # three trials and the gate
	# What was found elsewhere has no files: the best of those that have keep theirs.
	TRIALS=3 write_job "\"name\": \"kept\", \"keep\": { \"best\": 1 }, $OLD"
	echo 'echo model >"$TUNER_MODEL_DIR/model"' >>train.sh
	"$TUNER" run job.jsonc
	[ "$(find tuner.db.d/kept -name model -type f | wc -l)" -eq 1 ]
	# None of three is better than -5: that is an end, and not before three have been tried.
	TRIALS=9 write_job "\"name\": \"second\", $OLD"
	sed -i 's/"trials": 9/"trials": 9, "not_improving": 3/' job.jsonc
	PARALLEL=1 run "$TUNER" run job.jsonc --parallel 1
	[[ "$output" == *"3 trials in a row brought no improvement"* ]]
	sql_is "SELECT count(*) FROM trial t JOIN job j ON j.id = t.job WHERE name = 'second' AND source = 'strategy'" 3
}

@test "a database of an older version says how it is brought forward, one on a network is read as its copy" {
	parent
	cp old.db older.db
	sqlite3 older.db "PRAGMA user_version = 1"
	job child '"warm_start": { "jobs": [{ "db": "older.db", "job": "parent" }] },'
	refused "older.db"
	[ -e "$TUNER_BUILD/tests/libnetwork_fs.so" ] || skip "this build has no network file system to play"
	job child "$OLD"
	env ASAN_OPTIONS=verify_asan_link_order=0 NETWORK_FS_HOST=here LD_PRELOAD="$TUNER_BUILD/tests/libnetwork_fs.so" "$TUNER" ask child.jsonc
	added_is "0.1 done 4.0, 0.3 done 1.0, 0.5 done 2.0, 0.9 done 3.0, 1.0 failed -"
}

@test "without the earlier database it goes on, and what was taken stays" {
	parent
	job child "$OLD"
	echo nonsense >other.db
	"$TUNER" check child.jsonc --db other.db
	"$TUNER" ask child.jsonc
	mv old.db gone.db
	"$TUNER" ask child.jsonc
	sql_is "SELECT count(*) FROM trial WHERE source = 'added'" 5
	"$TUNER" verify
}

@test "what lies outside of the new ranges, or is no value of it, is left out and counted" {
	parent
	SPACE='"x": {"type": "float", "min": 0.2, "max": 0.95, "scale": "log"}, "kind": {"type": "categorical", "values": ["b", "a", "c"]}' \
		job child "$OLD"
	run "$TUNER" check child.jsonc
	echo "$output"
	[ "$status" -eq 0 ]
	[[ "$output" == *"warm start: 3 of the 5 ended trials of job parent in $DIR/old.db are known from the start; 2 do not fit, as trial 1: x: expected a number from 0.2 to 0.95, found 0.1"* ]]
	[[ "$("$TUNER" check child.jsonc --json)" == *'"taken": 3, "misfits": 2'* ]]
	"$TUNER" ask child.jsonc 2>told
	grep -q "3 of the 5" told
	added_is "0.3 done 1.0, 0.5 done 2.0, 0.9 done 3.0"
	# Categories by their names, whatever their order.
	sql_is "SELECT group_concat(value, ' ') FROM trial_param v JOIN parameter p ON p.id = v.parameter
		JOIN trial t ON t.id = v.trial WHERE p.name = 'kind' AND t.source = 'added'" "1.0 0.0 0.0"
	SPACE='"x": {"type": "float", "min": 0, "max": 1}, "kind": {"type": "categorical", "values": ["a", "c"]}' \
		job narrow "$OLD"
	"$TUNER" ask narrow.jsonc
	[ "$(added narrow)" = "0.1 done 4.0, 0.3 done 1.0" ]
	"$TUNER" verify
}

@test "constraints and conditions decide what fits" {
	SPACE='"x": {"type": "float", "min": 0, "max": 1}, "kind": {"type": "categorical", "values": ["a", "b"]}, "m": {"type": "int", "min": 1, "max": 9, "when": {"kind": "a"}}' \
		job parent
	tell parent old.db '{"add": {"x": 0.1, "kind": "a", "m": 3}, "value": 4}' '{"add": {"x": 0.3, "kind": "b"}, "value": 1}' \
		'{"add": {"x": 0.8, "kind": "b"}, "value": 2}'
	SPACE='"x": {"type": "float", "min": 0, "max": 1}, "kind": {"type": "categorical", "values": ["a", "b"]}, "m": {"type": "int", "min": 1, "max": 9, "when": {"kind": "a"}}, "n": {"type": "int", "min": 1, "max": 9, "when": {"kind": "b"}}' \
		job child '"constraints": ["x < 0.5"], "warm_start": { "jobs": [{ "db": "old.db", "job": "parent", "missing": {"n": 7} }] },'
	run "$TUNER" ask child.jsonc
	[[ "$output" == *'1 does not fit, as trial 3: it breaks the constraint "x < 0.5"'* ]]
	added_is "0.1 done 4.0, 0.3 done 1.0"
	sql_is "SELECT group_concat(parameters, ' ') FROM trial WHERE source = 'added'" '{"x": 0.1, "kind": "a", "m": 3} {"x": 0.3, "kind": "b", "n": 7}'
	# Without the value those that need it do not fit; the others do.
	SPACE='"x": {"type": "float", "min": 0, "max": 1}, "kind": {"type": "categorical", "values": ["a", "b"]}, "m": {"type": "int", "min": 1, "max": 9, "when": {"kind": "a"}}, "n": {"type": "int", "min": 1, "max": 9, "when": {"kind": "b"}}' \
		job other "$OLD"
	"$TUNER" ask other.jsonc
	[ "$(added other)" = "0.1 done 4.0" ]
	"$TUNER" verify
}

@test "a parameter that the earlier job had not: the value that it had is said, or was fixed there" {
	parent
	SPACE='"x": {"type": "float", "min": 0, "max": 1}, "kind": {"type": "categorical", "values": ["a", "b"]}, "lr": {"type": "float", "min": 0.01, "max": 1}' \
		job child "$OLD"
	refused 'it has no "lr": say which value its trials were made with, "missing": {"lr": ...}'
	run "$TUNER" ask child.jsonc --set 'warm_start.jobs.0.missing={"lr": 0.1}'
	[ "$status" -eq 0 ]
	sql_is "SELECT DISTINCT json_extract(parameters, '$.lr') FROM trial WHERE source = 'added'" 0.1

	SPACE='"x": {"type": "float", "min": 0, "max": 1}' job second '"fixed": {"lr": 0.5, "epochs": 3},'
	tell second old.db '{"add": {"x": 0.1}, "value": 4}'
	SPACE='"x": {"type": "float", "min": 0, "max": 1}, "lr": {"type": "float", "min": 0.01, "max": 1}' \
		job third '"fixed": {"epochs": 3}, "warm_start": { "jobs": [{ "db": "old.db", "job": "second" }] },'
	"$TUNER" ask third.jsonc
	[ "$(added third)" = "0.1 done 4.0" ]
	sql_is "SELECT json_extract(parameters, '$.lr') FROM trial t JOIN job j ON j.id = t.job WHERE source = 'added' AND name = 'third'" 0.5
	"$TUNER" verify
}

@test "a parameter that only the earlier job has is fixed here, ignored, or in the way" {
	parent
	SPACE='"x": {"type": "float", "min": 0, "max": 1}' job child "$OLD"
	refused 'it varies "kind", which this job does not have: fix it here, or, if it does not matter, say "ignore": ["kind"]'
	"$TUNER" ask child.jsonc --set 'warm_start.jobs.0.ignore=["kind"]'
	[ "$(added | tr , '\n' | wc -l)" -eq 5 ]
	SPACE='"x": {"type": "float", "min": 0, "max": 1}' job fixed "\"fixed\": {\"kind\": \"b\"}, $OLD"
	"$TUNER" ask fixed.jsonc
	[ "$(added fixed)" = "0.5 done 2.0, 0.9 done 3.0, 1.0 failed -" ]
	run "$TUNER" ask child.jsonc --name other --set 'warm_start.jobs.0.ignore=["knid"]'
	[ "$status" -eq 2 ]
	[[ "$output" == *'"ignore" names "knid"'* ]]
	"$TUNER" verify
}

@test "other fixed values are in the way of results, and not of configurations" {
	job parent '"fixed": {"epochs": 10},'
	tell parent old.db '{"add": {"x": 0.1, "kind": "a"}, "value": 4}'
	job child "\"fixed\": {\"epochs\": 20}, $OLD"
	refused '"epochs" is fixed at 10 there and at 20 here'
	"$TUNER" ask child.jsonc --set warm_start.as=first
	sql_is "SELECT source, parameters FROM trial" 'enqueue|{"x": 0.1, "kind": "a"}'
	"$TUNER" ask child.jsonc --name other --set 'warm_start.jobs.0.ignore=["epochs"]'
	[ "$(added other)" = "0.1 done 4.0" ]
}

@test "what was taken over is scored anew only as it was reduced, for its curve stayed with the earlier job" {
	cat >train.sh <<'END'
for step in 3 1 2; do awk -v x="$2" -v step=$step 'BEGIN { printf "@tuner {\"loss\": %.17g, \"lag\": 1}\n", x + step }'; done
END
	for name in parent child; do
		cat >$name.jsonc <<END
{ "command": ["sh", "train.sh"], "objective": { "metric": "loss", "goal": "minimize" }, "strategy": "random",
  "parameters": { "x": { "type": "float", "min": 0, "max": 1 } }, "budget": { "trials": 2, "parallel": 1 },
  "first": [{ "x": 0.25 }, { "x": 0.5 }] }
END
	done
	"$TUNER" run parent.jsonc --quiet --db old.db
	"$TUNER" run child.jsonc --quiet --set 'warm_start={"jobs": [{"db": "old.db", "job": "parent"}]}'
	sql_is "SELECT group_concat(objective) FROM trial" 2.25,2.5,2.25,2.5
	run "$TUNER" rescore child --set objective.reduce=best
	[[ "$output" == *"2 stay without one: loss was not reported, and nothing here launched them"* ]]
	sql_is "SELECT group_concat(coalesce(objective, state)) FROM trial" stopped,stopped,1.25,1.5
	[ "$("$TUNER" best child --json | jq .trial)" = 3 ]
	"$TUNER" rescore child --set 'objective.expression=2 * loss' --set objective.reduce=last
	sql_is "SELECT group_concat(objective) FROM trial" 4.5,5.0,4.5,5.0
	"$TUNER" rescore child --set 'objective.expression=2 * loss' --set objective.reduce=min
	sql_is "SELECT group_concat(coalesce(objective, state)) FROM trial" stopped,stopped,2.5,3.0
	"$TUNER" rescore child --set objective.metric=loss --set objective.reduce=last
	sql_is "SELECT group_concat(objective) FROM trial" 2.25,2.5,2.25,2.5
	"$TUNER" verify
}

@test "a trial from before a fixed value was edited does not fit: it was made with another one" {
	cat >train.sh <<'END'
while [ $# -gt 0 ]; do [ "$1" != --epochs ] || epochs=$2; shift; done
echo "@tuner {\"loss\": $epochs}"
END
	cat >parent.jsonc <<'END'
{ "command": ["sh", "train.sh"], "objective": { "metric": "loss", "goal": "minimize" }, "strategy": "grid",
  "parameters": { "x": { "type": "int", "min": 1, "max": 9 } }, "fixed": { "epochs": 5 },
  "budget": { "trials": 2, "parallel": 1 } }
END
	"$TUNER" run parent.jsonc --quiet --db old.db
	"$TUNER" run parent.jsonc --quiet --db old.db --trials 3 --set fixed.epochs=9 --accept-change
	child() { # NAME ARGUMENT...
		"$TUNER" ask parent.jsonc --name "$1" --set 'warm_start={"jobs": [{"db": "old.db", "job": "parent"}]}' "${@:2}" 2>said
	}
	child fixed --set fixed.epochs=9
	grep -q '1 of the 3 ended trials .* 2 do not fit, as trial 1: epochs: was fixed at another value then$' said
	[ "$(added fixed)" = "3 done 9.0" ]
	# Nor is the value that it had by now a varied one's.
	sed -i 's/"fixed": { "epochs": 5 },//; s/"parameters": {/& "epochs": { "type": "int", "min": 1, "max": 20 },/' parent.jsonc
	child varied
	[ "$(sql "SELECT parameters, objective FROM trial WHERE source = 'added' AND job = 2")" = '{"epochs": 9, "x": 3}|9.0' ]
	child ignored --set 'warm_start.jobs.0.missing={"epochs": 5}'
	[ "$(added ignored)" = "1 done 5.0, 2 done 5.0, 3 done 9.0" ]
}

@test "another objective is refused" {
	GOAL=maximize job parent
	tell parent old.db '{"add": {"x": 0.1, "kind": "a"}, "value": 4}'
	job child "$OLD"
	refused 'it is to maximize loss, and this job to minimize loss'
	job parent
	sed -i 's/"loss"/"error"/; s/"name": "parent"/"name": "error"/' parent.jsonc
	tell parent old.db '{"add": {"x": 0.1, "kind": "a"}, "value": 4}'
	job child '"warm_start": { "jobs": [{ "db": "old.db", "job": "error" }] },'
	refused 'score it by this one ("tuner rescore")'
}

@test "a job or a database that is not there is named" {
	job child "$OLD"
	refused "there is no database $DIR/old.db: \"db\" counts from the job's \"directory\", which is by default where its file is"
	echo text >text
	job child '"warm_start": { "jobs": [{ "db": "text", "job": "parent" }] },'
	refused 'text: this is not a database of tuner; name another one with "db"'
	parent
	job child '"warm_start": { "jobs": [{ "db": "old.db", "job": "parrent" }] },'
	refused 'job parrent: there is no such job in'
	refused 'it has parent'
	job child '"warm_start": { "jobs": ["parent"] },'
	run "$TUNER" check child.jsonc --db none.db
	[ "$status" -eq 2 ]
	[[ "$output" == *'say in which "db" it is'* ]]
	run "$TUNER" ask-tell child.jsonc </dev/null
	[ "$status" -eq 2 ]
	[[ "$output" == *'needs a database'* ]]
	[ ! -e none.db ]
}

@test "failures of the configuration and values of curves are data, failures of the machine are not" {
	job parent
	printf '%s\n' '{"ask": 6}' '{"tell": 1, "failed": "nan"}' '{"tell": 2, "step": 1, "value": 7}' \
		'{"tell": 2, "failed": "early-stopped"}' '{"tell": 3, "failed": "user-stopped"}' '{"tell": 4, "value": 2}' \
		'{"tell": 5, "value": "inf"}' | "$TUNER" ask-tell parent.jsonc --db tuner.db >/dev/null
	job child '"warm_start": { "jobs": ["parent"] },'
	"$TUNER" ask child.jsonc 2>told
	grep -q "4 of the 4 ended trials" told
	sql_is "SELECT group_concat(state || ' ' || outcome || ' ' || coalesce(objective, '-'), ', ') FROM (SELECT * FROM trial
		WHERE source = 'added' ORDER BY number)" "failed nan -, stopped early-stopped 7.0, done ok 2.0, done ok Inf"
	# A lost trial is none.
	sql_is "SELECT count(*) FROM trial t JOIN job j ON j.id = t.job WHERE j.name = 'child' AND t.outcome = 'user-stopped'" 0
	"$TUNER" verify
}

@test "of several earlier jobs, and what they had from each other, each measurement is taken once" {
	parent
	job middle "$OLD"
	printf '%s\n' '{"ask": 1}' '{"tell": 6, "value": 9}' | "$TUNER" ask-tell middle.jsonc --db old.db >answers
	job child '"warm_start": { "jobs": [{ "db": "old.db", "job": "middle" }, { "db": "old.db", "job": "parent" }] },'
	run "$TUNER" ask child.jsonc
	echo "$output"
	[[ "$output" == *"6 of the 6 ended trials of job middle"* ]]
	[[ "$output" == *"0 of the 5 ended trials of job parent"*"; 5 were already taken"* ]]
	sql_is "SELECT count(*) FROM trial WHERE source = 'added'" 6
	sql_is "SELECT count(DISTINCT json_extract(data, '$.key')) FROM event WHERE kind = 'warm-start' AND trial IS NOT NULL" 6
	"$TUNER" verify
}

@test "as first the best configurations are tried, before those of the job file" {
	parent
	tell parent old.db '{"add": {"x": 0.3, "kind": "a"}, "value": 1.5}'
	STRATEGY=random TRIALS=4 job child '"first": [{"x": 0.7}],
		"warm_start": { "jobs": [{ "db": "old.db", "job": "parent" }], "as": "first", "best": 2 },'
	run "$TUNER" ask child.jsonc -n 4
	echo "$output"
	[[ "$output" == *"warm start: 2 of the 5 results of job parent in $DIR/old.db are tried first"* ]]
	sql_is "SELECT group_concat(json_extract(parameters, '$.x') || ' ' || source, ', ') FROM (SELECT * FROM trial WHERE number < 4 ORDER BY number)" \
		"0.3 enqueue, 0.5 enqueue, 0.7 first"
	[[ "$("$TUNER" show child 1)" == *"the configuration of trial 2 of job parent in $DIR/old.db"* ]]
	[[ "$("$TUNER" show child 2 --json)" == *'"origin": "trial 3 of job parent'* ]]
	[[ "$("$TUNER" show child 4 --json)" == *'"origin": ""'* ]]
	"$TUNER" tell child 2 0.5
	[[ "$("$TUNER" best)" == *"it tried the configuration of trial 3 of job parent in $DIR/old.db"* ]]
	# An edit of the file drops none that wait.
	job other '"warm_start": { "jobs": [{ "db": "old.db", "job": "parent" }], "as": "first" },'
	"$TUNER" ask other.jsonc
	TRIALS=9 job other '"warm_start": { "jobs": [{ "db": "old.db", "job": "parent" }], "as": "first" },'
	"$TUNER" ask other.jsonc
	sql_is "SELECT count(*) FROM queue q JOIN job j ON j.id = q.job WHERE j.name = 'other'" 4
	"$TUNER" verify
	"$TUNER" replay child
}

# tried NAME: what it tries first.
tried() {
	sql "SELECT group_concat(json_extract(parameters, '$.x'), ' ') FROM (SELECT * FROM queue WHERE job = (SELECT id FROM job WHERE name = '$1') ORDER BY id)"
}

@test "as first of several objectives those of the front are tried, spread over it, then those of the next" {
	two() { # NAME ALSO MORE
		job "$1" "$3"
		sed -i 's/"goal": "minimize"/"goal": "minimize", "also": ['"$2"']/' "$1.jsonc"
	}
	two parent '{"maximize": "gain"}' ''
	tell parent old.db '{"add": {"x": 0.1, "kind": "a"}, "value": 2, "metrics": {"gain": 4}}' \
		'{"add": {"x": 0.2, "kind": "a"}, "value": 2.5, "metrics": {"gain": 4.5}}' \
		'{"add": {"x": 0.3, "kind": "a"}, "value": 1, "metrics": {"gain": 1}}' \
		'{"add": {"x": 0.3, "kind": "a"}, "value": 1.1, "metrics": {"gain": 2}}' \
		'{"add": {"x": 0.4, "kind": "a"}, "value": 1.2, "metrics": {"gain": 0}}' \
		'{"add": {"x": 0.5, "kind": "a"}, "value": 5, "metrics": {"gain": 9}}' \
		'{"add": {"x": 0.6, "kind": "a"}, "value": 1.5, "metrics": {"gain": -1}}'
	for best in 1 2 3 4 9; do
		two "best$best" '{"maximize": "gain"}' '"warm_start": { "jobs": [{ "db": "old.db", "job": "parent" }], "as": "first", "best": '$best' },'
		"$TUNER" ask "best$best.jsonc" -n 1
	done
	[ "$(tried best1)" = "0.3" ]
	[ "$(tried best2)" = "0.3 0.5" ]
	[ "$(tried best3)" = "0.3 0.5 0.2" ]
	[ "$(tried best4)" = "0.3 0.5 0.2 0.1" ]
	[ "$(tried best9)" = "0.3 0.5 0.2 0.1 0.4 0.6" ]
	# What is another objective cannot be compared: then it is the first one's order.
	two other '{"maximize": "profit"}' '"warm_start": { "jobs": [{ "db": "old.db", "job": "parent" }], "as": "first", "best": 3 },'
	"$TUNER" ask other.jsonc -n 1
	[ "$(tried other)" = "0.3 0.4 0.6" ]
	"$TUNER" verify
}

@test "as first the strategy decides what the earlier job had not" {
	parent
	SPACE='"x": {"type": "float", "min": 0, "max": 1}, "kind": {"type": "categorical", "values": ["a", "b"]}, "lr": {"type": "float", "min": 0.01, "max": 1}' \
		job child '"warm_start": { "jobs": [{ "db": "old.db", "job": "parent" }], "as": "first", "best": 1 },'
	"$TUNER" ask child.jsonc
	sql_is "SELECT json_extract(parameters, '$.x'), json_extract(parameters, '$.lr') BETWEEN 0.01 AND 1 FROM trial" "0.3|1"
}

@test "every arm and repeat begins with the same" {
	parent
	job child "$OLD"
	sed -i 's/"strategy": "random"/"arms": {"one": "random", "two": "bayesian"}, "repeats": 2, "command": ["sh", "train.sh"], "metrics": [{"name": "loss", "regex": "loss=([-+0-9.einfa]+)"}], "hosts": [{ "gpus": "none" }]/' child.jsonc
	write_train
	"$TUNER" run child.jsonc
	sql_is "SELECT count(*), count(DISTINCT arm || repeat) FROM trial WHERE source = 'added'" "20|4"
	sql_is "SELECT DISTINCT count(*) FROM trial WHERE source = 'strategy' GROUP BY arm, repeat" 4
	# The arms of a repeat share their training seeds.
	sql_is "SELECT count(DISTINCT seed), count(*) FROM provenance" "8|16"
	[[ "$("$TUNER" compare child)" == *"4 trials"* ]]
	"$TUNER" verify
	"$TUNER" replay
}

@test "an edit cannot begin it again, but it may be taken out" {
	parent
	job child "$OLD"
	"$TUNER" ask child.jsonc
	job child '"warm_start": { "jobs": [{ "db": "old.db", "job": "parent" }], "as": "first" },'
	run "$TUNER" ask child.jsonc
	[ "$status" -eq 2 ]
	[[ "$output" == *'warm_start.as: "trials" -> "first"'*"--name"* ]]
	run "$TUNER" check child.jsonc
	[ "$status" -eq 0 ]
	[[ "$output" == *"job child is already in tuner.db: it no longer has an effect"* ]]
	job child
	"$TUNER" ask child.jsonc
	sql_is "SELECT count(*) FROM trial WHERE source = 'added'" 5
	# Into a job that has trials it comes too late; into one that has none it does not.
	job late
	"$TUNER" ask late.jsonc
	job late "$OLD"
	run "$TUNER" ask late.jsonc
	[ "$status" -eq 2 ]
	[[ "$output" == *"It only acts on a new job"* ]]
	"$TUNER" verify
}

# bats test_tags=plain
@test "a job of the same database, and one that still runs: its ended trials" {
	STRATEGY=random TRIALS=3 PARALLEL=1 write_job '"name": "parent",'
	touch hold-3
	start "$TUNER" run job.jsonc --db old.db
	# The third has begun: its script is written anew by the next job.
	await sh -c '[ "$(wc -l <starts)" = 3 ]'
	TRIALS=1 write_job "\"name\": \"child\", $OLD"
	run "$TUNER" ask job.jsonc
	[[ "$output" == *"2 of the 2 ended trials"* ]] || { echo "$output"; false; }
	"$TUNER" tell child 3 0.5
	rm hold-3
	finished
	[ "$status" -eq 0 ]
	TRIALS=1 write_job '"name": "grandchild", "warm_start": { "jobs": ["child"] },'
	run "$TUNER" run job.jsonc
	[[ "$output" == *"3 of the 3 ended trials of job child"* ]]
	"$TUNER" verify
}

# bats test_tags=plain
@test "neither target nor probe nor a limit of failures takes what was taken for its own" {
	parent
	job child "$OLD"
	sed -i 's/"trials": 4/"trials": 5, "target": 2, "start_failures": 2/; s/"strategy"/"command": ["sh", "train.sh"], "metrics": [{"name": "loss", "regex": "loss=([-+0-9.einfa]+)"}], "hosts": [{ "gpus": "none" }], "strategy"/' child.jsonc
	write_train
	touch crash
	run "$TUNER" run child.jsonc
	[ "$status" -eq 3 ]
	[[ "$output" == *"2 launches failed in a row and none gave an objective"* ]]
	rm crash
	run "$TUNER" run child.jsonc
	[ "$status" -eq 0 ]
	[[ "$output" == *"the target 2 is reached"* ]]
	sql_is "SELECT count(*) FROM trial WHERE source = 'strategy' AND state = 'done'" 1
}

@test "what is said of it: best, show, status, report, trials" {
	parent
	job child "$OLD"
	"$TUNER" ask child.jsonc
	"$TUNER" tell child 6 5
	run "$TUNER" best
	echo "$output"
	[[ "$output" == *"the best is trial 2, loss = 1"* ]]
	[[ "$output" == *"it was taken over from trial 2 of job parent in $DIR/old.db"* ]]
	run "$TUNER" show child 2
	[[ "$output" == *"ok: taken over from trial 2 of job parent in $DIR/old.db"* ]]
	[[ "$output" == *"observed elsewhere"* ]]
	"$TUNER" status --json >status.json
	/usr/bin/python3 -c 'import json
status = json.load(open("status.json"))
assert status["warm_start"]["as"] == "trials" and status["warm_start"]["parents"][0]["taken"] == 5, status["warm_start"]
assert status["trials"]["added"] == 5 and status["trials"]["created"] == 1, status["trials"]'
	[[ "$("$TUNER" why child 2)" == *"observed elsewhere: taken over from trial 2"* ]]
	"$TUNER" report --format md -o report.md
	grep -q "warm start: 5 of the 5 ended trials of job parent" report.md
	run "$TUNER" best --model
	[ "$status" -eq 2 ]
	[[ "$output" == *"taken over from"* ]]
	run "$TUNER" retry child 5
	[ "$status" -ne 0 ]
}

# bats test_tags=plain
@test "killed while the job is made, it is there with all of it or not at all" {
	parent
	job child "$OLD"
	kill_at="$TUNER_BUILD/tests/kill_at"
	run "$kill_at" report changes none "$TUNER" ask child.jsonc
	[ "$status" -ne 77 ] || skip "this machine forbids ptrace"
	calls=$(sed -n 's/.*"calls": \[\([0-9]*\).*/\1/p' report | head -1)
	[ "$calls" -gt 5 ]
	sql_is "SELECT count(*) FROM trial WHERE source = 'added'" 5
	for at in $(seq 1 $((calls / 7 + 1)) "$calls"); do
		rm -rf tuner.db*
		"$kill_at" report changes program "$at" "$TUNER" ask child.jsonc >/dev/null 2>&1
		if [ -s tuner.db ] && [ -n "$(sql "SELECT 1 FROM sqlite_schema WHERE name = 'job'" 2>/dev/null)" ]; then
			sql "SELECT count(*) FROM trial WHERE source = 'added'" >n
			[ "$(cat n)" = 5 ] || [ "$(cat n)" = 0 ]
			[ "$(cat n)" = 5 ] || sql_is "SELECT count(*) FROM job" 0
		fi
		"$TUNER" ask child.jsonc
		sql_is "SELECT count(*) FROM trial WHERE source = 'added'" 5
		"$TUNER" verify
	done
}
