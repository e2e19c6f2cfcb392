#!/usr/bin/env bats
# "warm_start" as "related": earlier jobs of other data or code, whose results are no results here.

load run/common

# job NAME GOAL [MORE]: NAME.jsonc, whose command computes a hill around x = 0.3, y = 0.6. $TRIALS, $SPACE.
job() {
	cat >"$1.jsonc" <<END
{
	"name": "$1", ${3-}
	"objective": { "metric": "loss", "goal": "$2" },
	"parameters": {
		${SPACE:-"\"x\": {\"type\": \"float\", \"min\": 0, \"max\": 1, \"scale\": \"linear\"}, \"y\": {\"type\": \"float\", \"min\": 0, \"max\": 1, \"scale\": \"linear\"}"}
	},
	"metrics": [{ "name": "loss", "regex": "loss=([-+0-9.einfa]+)" }],
	"hosts": [{ "gpus": "none" }],
	"command": ["sh", "hill.sh"],
	"strategy": "${STRATEGY:-bayesian}",
	"budget": { "trials": ${TRIALS:-10}, "parallel": ${PARALLEL:-1} }
}
END
	cat >hill.sh <<'END'
while [ $# -gt 0 ]; do
	case $1 in --x) x=$2 ;; --y) y=$2 ;; esac
	shift 2
done
awk -v x="$x" -v y="${y:-0.6}" -v sign="${SIGN:-1}" 'BEGIN { printf "loss=%.9g\n", sign * ((x - 0.3)^2 + (y - 0.6)^2) }'
END
}

# earlier: old.db, with two jobs of the hill, the second of them of its reverse.
earlier() {
	TRIALS=14 job same minimize
	"$TUNER" run same.jsonc --db old.db --quiet
	TRIALS=14 job reverse minimize
	SIGN=-1 "$TUNER" run reverse.jsonc --db old.db --quiet
}

SAME='"warm_start": { "jobs": [{ "db": "old.db", "job": "same" }], "as": "related" },'
BOTH='"warm_start": { "jobs": [{ "db": "old.db", "job": "reverse" }, { "db": "old.db", "job": "same" }], "as": "related" },'

# refused TEXT: check refuses child.jsonc, saying so.
refused() {
	run "$TUNER" check child.jsonc
	[ "$status" -eq 2 ]
	[[ "$(flat)" == *"$1"* ]] || { echo "$output"; false; }
}

@test "what they have found is no trial here, and begins the search" {
	earlier
	job child minimize "$SAME"
	run "$TUNER" check child.jsonc
	[ "$status" -eq 0 ]
	[[ "$(flat)" == *"warm start: 14 of the 14 ended trials of job same in $DIR/old.db count as far as this job's results bear them out"* ]] || { echo "$output"; false; }
	[ ! -e tuner.db ]
	run "$TUNER" run child.jsonc
	[ "$status" -eq 0 ]
	[[ "$(flat)" == *"warm start: 14 of the 14 ended trials"* ]]
	sql_is "SELECT count(*), sum(source = 'strategy') FROM trial" "10|10"
	sql_is "SELECT count(*), count(DISTINCT number) FROM related_trial" "14|14"
	sql_is "SELECT count(*) FROM trials" 10
	# The first is one of the best there, to the bit.
	cp old.db seen.db
	sql_is "ATTACH 'file:seen.db?mode=ro' AS old; SELECT count(*), t.objective < 0.001 FROM old.trial o JOIN trial t ON t.parameters = o.parameters WHERE t.number = 1" "1|1"
	run "$TUNER" status child
	[[ "$(flat)" == *"warm start: 14 of the 14 ended trials"* ]]
	"$TUNER" report --format md -o report.md
	grep -q "warm start: 14 of the 14 ended trials of job same" report.md
	"$TUNER" verify
	"$TUNER" replay
}

@test "why says how probable it is that each is related" {
	earlier
	job child minimize "$BOTH"
	"$TUNER" run child.jsonc --quiet
	run "$TUNER" why child 1
	[[ "$output" == *"it was among the best of related earlier jobs"* ]] || { echo "$output"; false; }
	run "$TUNER" why child 2
	[[ "$output" == *"it belongs to the initial design"* ]]
	run "$TUNER" why child 10
	[[ "$output" == *"related to it: job reverse in $DIR/old.db, with probability 0.0"* ]] || { echo "$output"; false; }
	[[ "$output" == *"job same in $DIR/old.db, with probability 0."* ]]
	[[ "$output" == *"none of them: 0."* ]]
	"$TUNER" why child 10 --json >why.json
	/usr/bin/python3 -c 'import json
related = json.load(open("why.json"))["related"]
assert [r["job"].split()[1] for r in related] == ["reverse", "same"], related
assert related[0]["probability"] < 0.1 and related[1]["probability"] > 0.7, related'
	job plain minimize
	TRIALS=1 "$TUNER" run plain.jsonc --quiet
	"$TUNER" why plain 1 --json >why.json
	grep -q '"related": null' why.json
}

@test "where none is borne out the design is made up for, and why says so" {
	earlier
	TRIALS=8 job child minimize '"warm_start": { "jobs": [{ "db": "old.db", "job": "reverse" }], "as": "related" }, "seed": 3,'
	"$TUNER" run child.jsonc --quiet
	sql_is "SELECT count(*) > 0 FROM decision WHERE branch = 'design' AND reason = 'the results so far bear out no related job'" 1
	number=$(sql "SELECT t.number FROM trial t JOIN decision d ON d.id = t.id WHERE d.reason LIKE '%no related job' LIMIT 1")
	run "$TUNER" why child "$number"
	[[ "$output" == *"because the results so far bear out no related job"* ]]
	[[ "$output" == *"job reverse in $DIR/old.db, with probability 0."* ]]
	"$TUNER" replay
}

@test "another metric, another goal, other fixed values: only the shape counts" {
	TRIALS=14 job old maximize '"fixed": {"epochs": 3},'
	sed -i 's/"loss"/"score"/g; s/loss=(/loss=(/' old.jsonc
	SIGN=-1 "$TUNER" run old.jsonc --db old.db --quiet
	job child minimize '"fixed": {"epochs": 5}, "warm_start": { "jobs": [{ "db": "old.db", "job": "old" }], "as": "related" },'
	"$TUNER" run child.jsonc --quiet
	sql_is "SELECT count(*), min(loss) >= 0 FROM related_trial" "14|1"
	sql_is "SELECT min(settings ->> 'related_1') > 0.5, max(settings ->> 'related_1') > 0.9 FROM decision" "1|1"
	"$TUNER" replay
}

@test "it is for a model of one objective, and for five jobs" {
	parents='"db": "old.db", "job": "same"'
	STRATEGY=random job child minimize "$SAME"
	refused 'only strategy "bayesian" has'
	job child minimize "$SAME"
	sed -i 's/"goal": "minimize" }/"goal": "minimize", "also": [{ "minimize": "time" }] }/' child.jsonc
	refused 'this job has several (objective.also): use "first"'
	job child minimize '"warm_start": { "jobs": ["a", "b", "c", "d", "e", "f"], "as": "related" },'
	refused "6 jobs as \"related\" are more than 5"
	job child minimize '"warm_start": { "jobs": ["a"], "as": "related", "best": 3 },'
	refused 'has no effect as "related"'
	job child minimize '"warm_start": { "jobs": [{ "db": "old.db", "job": "none" }], "as": "related" },'
	refused "old.db"
}

@test "parameters are matched as with trials" {
	earlier
	SPACE='"x": {"type": "float", "min": 0, "max": 0.5}, "y": {"type": "float", "min": 0, "max": 1}, "z": {"type": "int", "min": 1, "max": 9}' \
		job child minimize "$SAME"
	run "$TUNER" check child.jsonc
	[ "$status" -eq 2 ]
	[[ "$(flat)" == *'"missing": {"z": ...}'* ]]
	SPACE='"x": {"type": "float", "min": 0, "max": 0.5}, "y": {"type": "float", "min": 0, "max": 1}, "z": {"type": "int", "min": 1, "max": 9}' \
		job child minimize '"warm_start": { "jobs": [{ "db": "old.db", "job": "same", "missing": {"z": 4} }], "as": "related" },'
	run "$TUNER" run child.jsonc
	[ "$status" -eq 0 ]
	[[ "$(flat)" == *"do not fit, as trial"* ]] || { echo "$output"; false; }
	sql_is "SELECT count(DISTINCT parameters ->> 'z'), max(parameters ->> 'x') <= 0.5 FROM related_trial" "1|1"
	"$TUNER" replay
}

@test "of many trials the best are taken, and some of the others" {
	job old minimize
	for i in $(seq 600); do
		echo "{\"add\": {\"x\": $(awk "BEGIN { print $i / 1000 }"), \"y\": 0.5}, \"value\": $((i * 7 % 601))}"
	done | "$TUNER" ask-tell old.jsonc --db old.db >answers
	job child minimize '"warm_start": { "jobs": [{ "db": "old.db", "job": "old" }], "as": "related" },'
	run "$TUNER" ask child.jsonc
	[[ "$(flat)" == *"500 of the 600 ended trials of job old in $DIR/old.db count as far as this job's results bear them out; they are its best and, evenly, some of the others"* ]] || { echo "$output"; false; }
	sql_is "SELECT count(*), sum(loss <= 250), sum(loss > 425), max(loss) > 597 FROM related_trial" "500|250|125|1"
}

@test "arms with a model learn from them, others do not" {
	earlier
	TRIALS=6 job child minimize "$SAME"
	sed -i 's/"strategy": "bayesian"/"arms": {"one": "random", "two": "bayesian"}, "repeats": 2/' child.jsonc
	"$TUNER" run child.jsonc --quiet
	sql_is "SELECT count(*) FROM related_trial" 14
	sql_is "SELECT group_concat(DISTINCT arm) FROM trial t JOIN decision d ON d.id = t.id WHERE d.settings ->> 'related_1' IS NOT NULL" two
	[[ "$("$TUNER" compare child)" == *"6 trials"* ]]
	"$TUNER" replay
	"$TUNER" verify
}

# bats test_tags=plain
@test "a killed run goes on with the same decisions" {
	earlier
	TRIALS=12 PARALLEL=2 job child minimize "$BOTH"
	start "$TUNER" run child.jsonc --quiet
	await sh -c '[ "$("$1" trials child --json 2>/dev/null | grep -c "\"done\"")" -ge 4 ]' sh "$TUNER"
	kill -KILL "$PID" 2>/dev/null || true
	finished || true
	mv old.db gone.db
	"$TUNER" run child.jsonc --quiet
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 12
	"$TUNER" replay
	"$TUNER" verify
}

@test "who asks and tells learns from them, and an edited space keeps what fits" {
	earlier
	job child minimize "$SAME"
	for i in 1 2 3 4 5 6; do
		run "$TUNER" ask child.jsonc --json
		[ "$status" -eq 0 ]
		"$TUNER" tell child "$i" "$(sql "SELECT (parameters ->> 'x' - 0.3) * (parameters ->> 'x' - 0.3) + (parameters ->> 'y' - 0.6) * (parameters ->> 'y' - 0.6) FROM trial WHERE number = $i")"
	done
	sql_is "SELECT count(*) > 0 FROM decision WHERE settings ->> 'related_1' > 0.5" 1
	SPACE='"x": {"type": "float", "min": 0, "max": 0.6, "scale": "linear"}, "y": {"type": "float", "min": 0.2, "max": 1, "scale": "linear"}' job child minimize "$SAME"
	"$TUNER" ask child.jsonc
	sql_is "SELECT branch, settings ->> 'related_1' > 0 FROM decision ORDER BY id DESC LIMIT 1" "model|1"
	"$TUNER" replay
	# It cannot become trials afterwards.
	job child minimize '"warm_start": { "jobs": [{ "db": "old.db", "job": "same" }] },'
	run "$TUNER" ask child.jsonc
	[ "$status" -eq 2 ]
	[[ "$(flat)" == *'warm_start.as: "related" -> "trials"'* ]]
}
