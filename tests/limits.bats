#!/usr/bin/env bats
# Limits of a result ("objective.limits"): what is over one is no result, but is learnt from.

load run/common

# limited LIMITS [MORE]: job.jsonc, which maximizes accuracy = x and reports lag-ms = 100 x; MORE is more keys, ending
# with a comma. The file ./without takes lag-ms away.
limited() {
	cat >train.sh <<'END'
echo "$TUNER_TRIAL $TUNER_ATTEMPT" >>starts
awk -v x="$2" -v lag="$([ -e without ] || echo yes)" 'BEGIN {
	printf "@tuner {\"step\": 1, \"accuracy\": %.17g}\n", x / 2
	if (lag) printf "@tuner {\"step\": 1, \"lag-ms\": %.17g}\n", 100 * x
	printf "@tuner {\"step\": 2, \"accuracy\": %.17g}\n", x
}'
END
	cat >job.jsonc <<END
{
	${2-}
	"objective": { "metric": "accuracy", "goal": "maximize", "limits": $1 },
	"command": ["sh", "train.sh"],
	"parameters": { "x": { "type": "float", "min": 0, "max": 1, "scale": "linear" } },
	"strategy": "${STRATEGY:-bayesian}",
	"hosts": [{ "backend": "local", "gpus": "none" }],
	"budget": { "trials": ${TRIALS:-12}, "parallel": ${PARALLEL:-1} }
}
END
}

LAG='["`lag-ms` <= 40"]'

sound() {
	"$TUNER" verify
	"$TUNER" replay | grep -q "all are the same to the bit"
}

# Every trial is judged as its own metrics say.
judged_by() { # BOUND
	sql_is "SELECT count(*) FROM trial WHERE attempts > 0 AND ((outcome = 'over-limit') <> (json_extract(parameters, '\$.x') * 100 > $1))" 0
}

@test "what is over a limit is not the best, and the search comes close to it" {
	limited "$LAG"
	"$TUNER" check job.jsonc | grep -F 'objective.limits.0'
	"$TUNER" run job.jsonc >said
	grep -q "broken by [0-9.]* (accuracy 0\.[0-9]*)" said
	grep -q "over a limit)" said
	judged_by 40
	sql_is "SELECT count(*) > 0 AND min(objective IS NULL) AND min(state = 'failed') FROM trial WHERE outcome = 'over-limit'" 1
	sql_is "SELECT DISTINCT outcome FROM attempt" ok
	[ "$("$TUNER" best --json | jq '.objective <= 0.4 and .objective > 0.37')" = true ]
	[ "$("$TUNER" trials --json | jq '[.[] | select(.outcome == "over-limit") | .limits.excess[0] > 0] | all')" = true ]
	sql_is "SELECT max(abs((limits ->> '\$.objective') - json_extract(parameters, '\$.x'))) < 1e-12 FROM v_trial" 1
	"$TUNER" why "$(sql "SELECT max(number) FROM trial")" | grep -q "it would keep the limits with probability"
	# What is over it is nothing to improve on.
	sql_is "SELECT max(incumbent) < 0.41 AND count(incumbent) > 3 FROM decision" 1
	sound
}

@test "several workers keep the limits in mind, too" {
	PARALLEL=3 TRIALS=24 limited '["`lag-ms` <= 40", "accuracy >= 0.2"]'
	"$TUNER" run job.jsonc --quiet
	sql_is "SELECT count(*) FROM trial WHERE (outcome = 'over-limit') <> (json_extract(parameters, '\$.x') NOT BETWEEN 0.2 AND 0.4)" 0
	[ "$("$TUNER" best --json | jq '.objective <= 0.4 and .objective > 0.39')" = true ]
	sound
}

@test "other limits need no training" {
	limited "$LAG"
	"$TUNER" run job.jsonc --quiet
	limited '["`lag-ms` <= 70"]'
	run "$TUNER" run job.jsonc
	[ "$status" -eq 2 ]
	[[ "$(flat)" == *'objective.limits.0: "`lag-ms` <= 40" -> "`lag-ms` <= 70"'*"tuner rescore job"* ]]
	starts=$(lines_of starts)
	"$TUNER" rescore job.jsonc >said
	grep -q "with other limits" said
	judged_by 70
	sound
	"$TUNER" rescore job --set 'objective.limits=["`lag-ms` <= 10"]' | grep -q "over a limit"
	judged_by 10
	sql_is "SELECT count(*) FROM trial WHERE outcome = 'over-limit' AND message NOT LIKE '%<= 10 is broken by%'" 0
	"$TUNER" rescore job --set 'objective.limits=[]' >said
	sql_is "SELECT count(*) FROM trial WHERE state <> 'done' OR limits IS NOT NULL OR message <> ''" 0
	sound
	[ "$(lines_of starts)" -eq "$starts" ]
	limited '[]'
	"$TUNER" run job.jsonc --quiet --trials 14
	sound
	run "$TUNER" rescore job --set 'objective.limits=["lag <= 3"]'
	[ "$status" -eq 2 ]
	[[ "$output" == *'"lag"'*"lag-ms"* ]]
}

@test "limits that nothing keeps do not look like a broken command" {
	TRIALS=5 limited '["`lag-ms` <= -1"]'
	run "$TUNER" run job.jsonc
	[ "$status" -eq 4 ]
	[[ "$output" == *"none kept the limits"*"(5 of them over a limit)"*"No trial kept the limits"* ]]
	run "$TUNER" best
	[ "$status" -eq 4 ]
	"$TUNER" doctor job | grep -q "none of the 5 trials with a value has kept the limits"
	"$TUNER" status | grep -q "over-limit 5"
	limited '["`lag-ms` <= 50"]'
	"$TUNER" rescore job.jsonc
	sql_is "SELECT count(*) FROM trial WHERE outcome = 'over-limit'" 3
	"$TUNER" run job.jsonc --trials 7
	"$TUNER" doctor job >said || true
	not grep -q "kept the limits" said
}

@test "the metric of a limit is part of the result" {
	TRIALS=3 limited "$LAG"
	touch without
	run "$TUNER" run job.jsonc
	[ "$status" -eq 3 ]
	[[ "$output" == *"not reported: lag-ms"*"The limits' metric \"lag-ms\" was not reported; there"* ]]
	sql_is "SELECT DISTINCT outcome FROM trial" no-metric
	rm without
	"$TUNER" try job.jsonc >said
	grep -qE 'limit: `lag-ms` <= 40 is (kept|broken) by' said
}

@test "with a formula, the limits see the reduced metrics" {
	TRIALS=6 limited '["accuracy >= 0.3"]'
	"$TUNER" run job.jsonc --quiet --set 'objective={"expression": "accuracy - `lag-ms` / 1000", "goal": "maximize", "limits": ["accuracy >= 0.3"]}'
	sql_is "SELECT count(*) FROM trial WHERE (outcome = 'over-limit') <> (json_extract(parameters, '\$.x') < 0.3)" 0
	# The lowest accuracy of a trial is that of its first step, x / 2.
	"$TUNER" rescore job --set 'objective={"metric": "accuracy", "goal": "maximize", "reduce": {"accuracy": "min"}, "limits": ["accuracy >= 0.3"]}'
	sql_is "SELECT count(*) FROM trial WHERE (outcome = 'over-limit') <> (json_extract(parameters, '\$.x') < 0.6)" 0
	sound
}

@test "callers tell the metrics of limits with the value" {
	limited "$LAG"
	printf '%s\n' '{"ask": 1}' '{"tell": 1, "value": 0.5}' '{"tell": 1, "value": 0.5, "metrics": {"lag": 3}}' \
		'{"tell": 1, "value": 0.5, "metrics": {"lag-ms": "slow"}}' '{"tell": 1, "value": 0.5, "metrics": [3]}' \
		'{"tell": 1, "step": 1, "value": 0.5, "metrics": {"lag-ms": 3}}' '{"tell": 1, "failed": "nan", "metrics": {"lag-ms": 3}}' \
		'{"tell": 1, "value": 0.5, "metrics": {"lag-ms": 41}}' \
		'{"add": {"x": 0.2}, "value": 0.2, "metrics": {"lag-ms": 20}}' '{"add": {"x": 0.9}, "value": 0.9, "metrics": {"lag-ms": 90}}' \
		'{"ask": 1}' '{"tell": 4, "value": null}' | "$TUNER" ask-tell job.jsonc --db tuner.db >answers
	[ "$(jq -r .error answers | grep -c "^the job's limits need the metric \"lag-ms\"")" -eq 1 ]
	[ "$(jq -r .error answers | grep -c 'the job does not need the metric "lag"; it needs lag-ms$')" -eq 1 ]
	[ "$(jq -r .error answers | grep -cv '^null$')" -eq 6 ]
	[ "$(jq -r .over_limit answers | grep -c '^`lag-ms` <= 40 is broken by')" -eq 2 ]
	"$TUNER" ask job
	run "$TUNER" tell job 5 0.3
	[ "$status" -eq 2 ]
	[[ "$output" == *"--metric lag-ms=NUMBER"* ]]
	run "$TUNER" tell job 5 0.3 --metric lag-ms
	[ "$status" -eq 2 ]
	run "$TUNER" tell job 5 0.3 --metric lag-ms=fast
	[ "$status" -eq 2 ]
	run "$TUNER" tell job 5 0.3 --metric lag-ms=1 --metric lag-ms=2
	[ "$status" -eq 2 ]
	[[ "$output" == *"told twice"* ]]
	"$TUNER" tell job 5 0.3 --metric lag-ms=30 | grep -q "done, accuracy = 0.3, the best so far"
	"$TUNER" tell job --add x=0.7 0.7 --metric lag-ms=70 | grep -q "over-limit: .*broken by 30"
	sql_is "SELECT group_concat(coalesce(outcome, '-'), ' ') FROM (SELECT outcome FROM trial ORDER BY number)" \
		"over-limit ok over-limit nan ok over-limit"
	sound
	"$TUNER" rescore job --set 'objective.limits=["`lag-ms` <= 60"]'
	sql_is "SELECT group_concat(coalesce(outcome, '-'), ' ') FROM (SELECT outcome FROM trial ORDER BY number)" \
		"ok ok over-limit nan ok over-limit"
	sound
	# The limits may name the objective, which is told as the value.
	"$TUNER" rescore job --set 'objective.limits=["accuracy <= 0.8", "`lag-ms` <= 80"]'
	sql_is "SELECT group_concat(coalesce(outcome, '-'), ' ') FROM (SELECT outcome FROM trial ORDER BY number)" \
		"ok ok over-limit nan ok ok"
	sound
	# What was told as the objective may be a limit of another one.
	"$TUNER" rescore job --set 'objective={"metric": "lag-ms", "goal": "minimize", "limits": ["accuracy >= 0.25"]}'
	sql_is "SELECT group_concat(coalesce(outcome, '-'), ' ') FROM (SELECT outcome FROM trial ORDER BY number)" \
		"ok over-limit ok nan ok ok"
	sound
	# And without a database.
	printf '%s\n' '{"add": {"x": 0.9}, "value": 0.9, "metrics": {"lag-ms": 90}}' | "$TUNER" ask-tell job.jsonc | jq -e '.over_limit != null'
	# A job without limits needs none.
	limited '[]'
	printf '%s\n' '{"add": {"x": 0.9}, "value": 0.9, "metrics": {"lag-ms": 90}}' | "$TUNER" ask-tell job.jsonc --name none | jq -e '.error != null'
}

# tell TRIAL VALUE LAG: the lines of a trial of two steps.
tell() {
	printf '%s\n' '{"ask": 1}' '{"tell": '$1', "step": 1, "value": '$2'}' '{"tell": '$1', "step": 2, "value": '$2'}' \
		'{"tell": '$1', "value": '$2', "metrics": {"lag-ms": '$3'}}'
}

# Three trials within the limit, five better ones with this lag, and what is said of one in between.
between() { # LAG
	limited "$LAG" '"early_stopping": { "rule": "median", "grace": 1, "min_trials": 3, "top": 0, "patience": 1 },'
	{
		for trial in 1 2 3; do tell "$trial" 0.35 10; done
		for trial in 4 5 6 7 8; do tell "$trial" 0.9 "$1"; done
		printf '%s\n' '{"ask": 1}' '{"tell": 9, "step": 1, "value": 0.5}' '{"tell": 9, "step": 2, "value": 0.5}'
	} | "$TUNER" ask-tell job.jsonc | tail -n 1
}

@test "no trial is stopped for being worse than what is over a limit" {
	between 10 | jq -e .stop
	between 90 | jq -e '.stop == null and .ok'
}

@test "an unchanged sweep with limits costs nothing, whatever is over them" {
	STRATEGY=random TRIALS=8 limited "$LAG"
	"$TUNER" run job.jsonc --quiet
	sql "SELECT number, state, outcome, limits, objective FROM trial ORDER BY number" >before
	sql_is "SELECT count(DISTINCT outcome) FROM trial" 2
	mv tuner.db last.db
	: >starts
	"$TUNER" run job.jsonc --reuse last.db >said
	sql "SELECT number, state, outcome, limits, objective FROM trial ORDER BY number" | diff before -
	[ ! -s starts ]
	# What was broken is told as where it was measured.
	over=$(sql "SELECT min(number) FROM trial WHERE outcome = 'over-limit'")
	grep -qE "^trial $over +failed .*taken over from trial $over, .*\) +.lag-ms. <= [0-9]+ is broken by [0-9.]+ \(accuracy [-0-9.]+\)$" said
	"$TUNER" trials | grep -qE "^ +$over .* over-limit: .lag-ms. <= [0-9]+ is broken by [0-9.]+ \(accuracy [-0-9.]+\); taken over from trial $over of job job in last.db$"
	[ "$(sql "SELECT count(*) FROM v_trial WHERE (message LIKE '%is broken by%') <> (outcome = 'over-limit')")" -eq 0 ]
	sound
	# Another limit is another objective.
	rm tuner.db
	limited '["`lag-ms` <= 50"]'
	"$TUNER" run job.jsonc --reuse last.db --quiet
	[ "$(lines_of starts)" -eq 12 ]
}

@test "a warm start brings what was over the limits, too" {
	limited "$LAG"
	"$TUNER" run job.jsonc --quiet --trials 6 --db old.db
	limited "$LAG" '"warm_start": { "jobs": [{ "db": "old.db", "job": "job" }] },'
	"$TUNER" run job.jsonc --quiet --name child --trials 3
	sql_is "SELECT group_concat(outcome, ' ') FROM (SELECT outcome FROM trial WHERE source = 'added' ORDER BY number)" \
		"$(sqlite3 old.db "SELECT group_concat(outcome, ' ') FROM (SELECT outcome FROM trial ORDER BY ended_event)")"
	sql_is "SELECT count(*) FROM trial WHERE source = 'added' AND limits IS NULL" 0
	sql_is "SELECT count(*) FROM v_trial WHERE (message LIKE '%lag-ms% <= % is broken by % (accuracy %); taken over from trial %') <> (outcome = 'over-limit') AND source = 'added'" 0
	sql_is "SELECT count(DISTINCT branch) FROM v_trial WHERE source = 'strategy' AND branch <> 'model'" 0
	sound
}

@test "in CI what is over a limit is skipped, and the gate is on the best of the rest" {
	limited "$LAG"
	"$TUNER" run job.jsonc --ci --junit junit.xml --metrics metrics.txt --summary summary.md --gate 'accuracy >= 0.3' >said
	over=$(sql "SELECT count(*) FROM trial WHERE outcome = 'over-limit'")
	[ "$over" -gt 0 ]
	grep -q "<testsuites tests=\"13\" failures=\"0\" errors=\"0\" skipped=\"$over\"" junit.xml
	[ "$(grep -c '<skipped message="over-limit: ' junit.xml)" -eq "$over" ]
	grep -q "class=\"over-limit\"} $over" metrics.txt
	grep -q "over-limit $over" summary.md
	"$TUNER" report --format md -o report.md
	grep -q 'Job job is to maximize accuracy within the limit .*lag-ms.*40\.' report.md
}

@test "of a trial over a limit the objective is shown as it would have been, a formula, too" {
	STRATEGY=random TRIALS=6 limited "$LAG"
	"$TUNER" run job.jsonc --quiet
	"$TUNER" rescore job --set 'objective.expression=accuracy * 2' >said
	over=$(sql "SELECT min(number) FROM trial WHERE outcome = 'over-limit'")
	twice=$(sql "SELECT printf('%.6g', limits ->> 'objective') FROM trial WHERE number = $over")
	"$TUNER" trials | grep -qF " ($twice) "
	"$TUNER" show "$over" | head -n 1 | grep -qE "failed, accuracy \* 2 = ${twice:0:5}[0-9]*$"
	"$TUNER" show "$over" | grep -q "  trial $over failed: over-limit$"
}

@test "a trial over a limit that was put back and then stopped was stopped by a person" {
	TRIALS=4 STRATEGY=random limited "$LAG"
	"$TUNER" run job.jsonc --quiet
	over=$(sql "SELECT count(*) FROM trial WHERE outcome = 'over-limit'")
	one=$(sql "SELECT min(number) FROM trial WHERE outcome = 'over-limit'")
	[ "$over" -gt 1 ]
	"$TUNER" retry job --class over-limit
	"$TUNER" stop job --trial "$one"
	sql_is "SELECT state || ' ' || outcome || ' ' || coalesce(limits, 'none') FROM trial WHERE number = $one" "stopped user-stopped none"
	sound
	"$TUNER" run job.jsonc >said
	grep -q "1 stopped, $((over - 1)) failed ($((over - 1)) of them over a limit)" said
	# The same if only another limit made it so.
	"$TUNER" rescore job --set 'objective.limits=["`lag-ms` <= 1"]'
	"$TUNER" show 4 | grep -q "trial 4 is failed by another objective: over-limit$"
	sound
	one=$(sql "SELECT min(number) FROM trial WHERE outcome = 'over-limit'")
	"$TUNER" retry job --trial "$one"
	"$TUNER" stop job --trial "$one"
	sql_is "SELECT state || ' ' || outcome FROM trial WHERE number = $one" "stopped user-stopped"
	sound
	"$TUNER" rescore job --set 'objective.limits=["`lag-ms` <= 20"]'
	sound
	"$TUNER" retry job --class user-stopped
	"$TUNER" run job.jsonc --quiet --set 'objective.limits=["`lag-ms` <= 20"]'
	sound
}

@test "a trial over a limit may be run again" {
	TRIALS=4 STRATEGY=random limited "$LAG"
	"$TUNER" run job.jsonc --quiet
	over=$(sql "SELECT count(*) FROM trial WHERE outcome = 'over-limit'")
	[ "$over" -gt 0 ]
	"$TUNER" retry job --class over-limit
	sql_is "SELECT count(*) FROM trial WHERE state = 'proposed' AND limits IS NULL" "$over"
	not grep -w nan <<<"$("$TUNER" trials)$("$TUNER" show "$(sql "SELECT number FROM trial WHERE state = 'proposed' LIMIT 1")")"
	"$TUNER" run job.jsonc --quiet
	sql_is "SELECT count(*) FROM trial WHERE outcome = 'over-limit' AND attempts = 2" "$over"
	sound
}

# wrong LIMITS TEXT: check refuses them, saying so.
wrong() {
	limited "$1"
	run "$TUNER" check job.jsonc
	[ "$status" -eq 2 ]
	[[ "$(flat)" == *"$2"* ]] || { echo "$output"; false; }
}

@test "a limit is one comparison of metrics" {
	wrong '["lag-ms <= 3"]' 'stands in backquotes' || wrong '["lag-ms <= 3"]' '`lag-ms`'
	wrong '["accuracy < 3"]' 'expected one comparison by <= or >='
	wrong '["accuracy <= 3 and accuracy >= 1"]' 'expected one comparison by <= or >='
	wrong '["accuracy + 3"]' 'objective.limits.0'
	wrong '["1 <= 3"]' 'names no metric'
	wrong '["accuracy <= "]' 'column'
	wrong '[3]' 'objective.limits'
	wrong '"accuracy <= 3"' 'objective.limits'
	wrong '["a<=1","b<=1","c<=1","d<=1","e<=1","f<=1","g<=1","h<=1","i<=1"]' 'objective.limits'
	wrong '["a <= 1"], "reduce": {"a": "best"}' "the \"best\" value of a limit's metric is ambiguous"
	wrong '["a <= 1"], "reduce": {"b": "last"}' 'is no metric of the objective'
	limited '["a <= 1"]' '"metrics": [{ "name": "accuracy" }],'
	run "$TUNER" check job.jsonc
	[ "$status" -eq 2 ]
	[[ "$(flat)" == *'"a" is not among "metrics"'* ]]
}

# bats test_tags=plain
@test "a search has converged when nothing within the limits is expected any more" {
	limited "$LAG"
	"$TUNER" run job.jsonc --quiet --set budget.converged=true --trials 60 >said
	grep -q "converged" said
	all=$(sql "SELECT count(*) FROM trial")
	[ "$all" -lt 60 ]
	[ "$("$TUNER" best --json | jq '.objective > 0.39')" = true ]
	# The same if it was interrupted just before, and reads what was expected from the database.
	"$TUNER" run job.jsonc --quiet --set budget.converged=true --trials $((all - 1)) --name again
	"$TUNER" run job.jsonc --quiet --set budget.converged=true --trials 60 --name again
	sql_is "SELECT count(*) FROM v_trial WHERE job = 'again'" "$all"
}
