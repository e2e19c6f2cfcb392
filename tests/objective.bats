#!/usr/bin/env bats
# Objectives that are formulas or costs, tuner rescore, and the ends of a search that money and the model set.

load run/common

# write_formula OBJECTIVE [MORE]: a command that reports accuracy and lag-ms over three steps, and what counts
# confusions; the file ./without takes lag-ms from it.
write_formula() {
	cat >train.sh <<'END2'
echo "$TUNER_TRIAL $TUNER_ATTEMPT" >>starts
while [ -e hold ]; do sleep 0.02; done
awk -v x="$2" -v lag="$([ -e without ] || echo yes)" 'BEGIN {
	for (i = 1; i <= 3; i++) {
		printf "@tuner {\"step\": %d, \"accuracy\": %.17g}\n", i, x + i / 100
		if (lag) printf "@tuner {\"step\": %d, \"lag-ms\": %.17g}\n", i, 1 + 63 * x
	}
	printf "@tuner {\"false_negative\": %d, \"false_positive\": %d, ", 100 * x * x, 100 * (1 - x) ^ 2
	printf "\"true_positive\": %d, \"true_negative\": %d}\n", 100 - int(100 * x * x), 100 - int(100 * (1 - x) ^ 2)
}'
END2
	cat >job.jsonc <<END2
{
	${2-}
	"objective": $1,
	"command": ["sh", "train.sh"],
	"parameters": { "x": { "type": "float", "min": 0, "max": 1 } },
	"budget": { "trials": ${TRIALS:-8}, "parallel": 1${BUDGET-} }
}
END2
}

FORMULA='{ "expression": "accuracy - 0.05 * log2(`lag-ms`)", "goal": "maximize" }'

# The objective of every trial is what the metric rows give by SQL expression $1 over accuracy a and lag l.
objectives_are() {
	sql "SELECT count(*) FROM trial t WHERE t.state = 'done' AND abs(t.objective - (
		SELECT $1 FROM (SELECT
		(SELECT m.value FROM attempt k JOIN metric m ON m.attempt = k.id JOIN metric_name n ON n.id = m.name
			WHERE k.trial = t.id AND n.name = 'accuracy' ORDER BY m.step DESC LIMIT 1) AS a,
		(SELECT m.value FROM attempt k JOIN metric m ON m.attempt = k.id JOIN metric_name n ON n.id = m.name
			WHERE k.trial = t.id AND n.name = 'lag-ms' ORDER BY m.step DESC LIMIT 1) AS l))) < 1e-12"
}

# A run is killed while its first trial goes on.
leave_one_running() {
	touch hold
	start "$TUNER" run job.jsonc --quiet
	await sql_is "SELECT count(*) FROM attempt WHERE state = 'running'" 1
	kill -KILL "$PID"
}

sound() {
	"$TUNER" verify
	"$TUNER" replay
}

# bats test_tags=plain
@test "a formula over metrics is the objective, named by every report" {
	write_formula "$FORMULA"
	"$TUNER" check job.jsonc >checked
	grep -F 'maximize accuracy - 0.05 * log2(`lag-ms`)' checked
	"$TUNER" run job.jsonc --quiet
	[ "$(objectives_are 'a - 0.05 * log2(l)')" -eq 8 ]
	"$TUNER" best | grep -F 'accuracy - 0.05 * log2(`lag-ms`) ='
	"$TUNER" status | grep -F best
	"$TUNER" trials | head -n 1 | grep -F 'accuracy - 0.05 * log2(`lag-ms`)'
	sql_is "SELECT DISTINCT metric FROM v_trial" 'accuracy - 0.05 * log2(`lag-ms`)'
	sql_is "SELECT count(*) FROM trial_values" 8
	sound
}

@test "a metric of the formula that does not come, or makes no number, is the trial's failure by name" {
	write_formula "$FORMULA"
	touch without
	run "$TUNER" run job.jsonc --quiet
	[ "$status" -eq 3 ]
	sql_is "SELECT DISTINCT outcome || ': ' || message FROM trial" \
		'no-metric: exit status 0, but not reported: lag-ms'
	rm without
	run "$TUNER" run job.jsonc --quiet --name nan --trials 3 --set 'objective.expression=log2(0 - `lag-ms`)'
	sql_is "SELECT DISTINCT t.outcome FROM trial t JOIN job j ON j.id = t.job WHERE j.name = 'nan'" nan
	sound
}

@test "early stopping looks at the formula at the steps that all its metrics have" {
	TRIALS=3 write_formula '{ "expression": "accuracy + 0 * `lag-ms`", "goal": "maximize" }' \
		'"early_stopping": { "rule": "threshold", "bound": 10, "patience": 1, "grace": 1 },'
	echo 'touch ready; while [ -e go-on ]; do sleep 0.02; done' >>train.sh
	touch go-on
	"$TUNER" run job.jsonc --quiet || true
	sql_is "SELECT count(*) FROM trial WHERE outcome = 'early-stopped' AND objective IS NOT NULL" 3
}

@test "rescore computes every objective anew, and runs go on by it" {
	write_formula '{ "metric": "accuracy", "goal": "maximize" }'
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" rescore
	[ "$status" -eq 2 ]
	[[ "$output" == *"already has this objective"* ]]
	sed -i 's|"objective": .*|"objective": '"${FORMULA//\\/}"',|' job.jsonc
	run "$TUNER" run job.jsonc --quiet
	[ "$status" -eq 2 ]
	[[ "$output" == *'tuner rescore job'* ]]
	run "$TUNER" rescore job
	[ "$status" -eq 0 ]
	[[ "$output" == *"8 of 8 ended trials have this objective"* ]]
	[[ "$output" != *"put this into the job file"* ]] # it does
	[ "$(objectives_are 'a - 0.05 * log2(l)')" -eq 8 ]
	sound
	"$TUNER" run job.jsonc --quiet --trials 11
	[ "$(objectives_are 'a - 0.05 * log2(l)')" -eq 11 ]
	[ "$(wc -l <starts)" -eq 11 ]
	sql_is "SELECT count(*) FROM decision WHERE objective_version = (SELECT objective_version FROM job)" 3
	sound
	"$TUNER" rescore --set objective.metric=accuracy --set objective.goal=minimize
	"$TUNER" why 9 | grep -F 'by an objective that has been changed since'
	"$TUNER" why best | head -1 | grep -q ', the best by the present objective$'
	sql_is "SELECT objective = (SELECT min(objective) FROM trial) FROM trial WHERE number = $("$TUNER" best --json | jq .trial)" 1
	sql_is "SELECT count(*) FROM trial_intermediate_values" 33
	sound
}

# bats test_tags=plain
@test "a trial without a metric of the new objective stays as data, and comes back with an objective" {
	write_formula '{ "metric": "accuracy", "goal": "maximize" }'
	touch without
	"$TUNER" run job.jsonc --quiet --trials 3
	rm without
	"$TUNER" run job.jsonc --quiet --trials 6
	sql "SELECT number, objective FROM trial ORDER BY number" >before
	run "$TUNER" rescore --set 'objective.expression=accuracy - 0.05 * log2(`lag-ms`)'
	[ "$status" -eq 0 ]
	[[ "$output" == *"3 of 6 ended trials have this objective"* ]]
	[[ "$output" == *'3 stay without one: lag-ms was not reported ("tuner retry job --class no-metric" runs them again)'* ]]
	sql_is "SELECT group_concat(number) FROM trial WHERE state = 'stopped' AND outcome = 'no-metric'" 1,2,3
	sound
	"$TUNER" run job.jsonc --quiet --trials 8 --set 'objective={"expression": "accuracy - 0.05 * log2(`lag-ms`)", "goal": "maximize"}'
	"$TUNER" retry --trial 2
	sound
	"$TUNER" run job.jsonc --quiet --trials 8 --set 'objective={"expression": "accuracy - 0.05 * log2(`lag-ms`)", "goal": "maximize"}'
	sound
	"$TUNER" rescore --set objective.metric=accuracy --json >rescored.json
	jq -e '.job == "job" and .metric == "accuracy" and .goal == "maximize" and (.trials | length) == 8' rescored.json
	jq -e '.trials[0] | .trial == 1 and .state == "done" and .state_before == "stopped" and .objective_before == null and (.objective | type) == "number"' rescored.json
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 8
	sql "SELECT number, objective FROM trial WHERE number <= 6 ORDER BY number" >after
	cmp before after
	sound
}

# bats test_tags=plain
@test "a decision that saw how long a trial took replays after the trial lost its objective and was run again" {
	write_formula '{ "metric": "accuracy", "goal": "maximize" }' \
		'"strategy": { "name": "bayesian", "acquisition": "ei", "cost_aware": true },'
	sed -i '1i sleep "0.$((TUNER_TRIAL % 3))"' train.sh
	touch without
	"$TUNER" run job.jsonc --quiet --trials 7
	rm without
	"$TUNER" run job.jsonc --quiet --trials 9
	"$TUNER" rescore --set objective.metric=lag-ms
	"$TUNER" retry --trial 2
	"$TUNER" replay
	"$TUNER" run job.jsonc --quiet --trials 9 --set objective.metric=lag-ms
	sql_is "SELECT count(*) FROM attempt a JOIN trial t ON t.id = a.trial WHERE t.number = 2" 2
	sound
}

@test "trials that failed by the old objective are saved by a better one" {
	write_formula '{ "metric": "acuracy", "goal": "maximize" }'
	run "$TUNER" run job.jsonc --quiet
	[ "$status" -eq 3 ]
	run "$TUNER" rescore --set objective.metric=accuracy
	[[ "$output" == *"3 of 3 ended trials have this objective, 3 of them had none before"* ]]
	sound
	sql_is "SELECT count(*) FROM trial WHERE message <> ''" 0
	"$TUNER" show 1 | head -n 2 >said
	not grep 'no objective' said
	"$TUNER" rescore --set 'objective.expression=log2(0 - accuracy)'
	sql_is "SELECT DISTINCT outcome || message FROM trial" nan
	"$TUNER" rescore --set objective.metric=accuracy
	# Nothing says any more that none had a result: the next run ends the job, with what it has.
	run "$TUNER" status
	[[ "$output" == "job job: open"* ]]
	sed -i 's/acuracy/accuracy/' job.jsonc
	"$TUNER" run job.jsonc --quiet --trials 3
	sql_is "SELECT state || ': ' || reason FROM job" 'done: all 3 trials of the budget have ended'
	[ "$(wc -l <starts)" -eq 3 ]
	sound
}

@test "what was told is what it was told for" {
	write_formula '{ "metric": "accuracy", "goal": "maximize" }'
	for n in 1 2 3; do
		"$TUNER" ask job.jsonc >asked
		"$TUNER" tell job $n 0.$n
	done
	"$TUNER" rescore --set 'objective.expression=1 - accuracy' --set objective.goal=minimize
	sql_is "SELECT group_concat(round(objective, 9)) FROM trial" 0.9,0.8,0.7
	"$TUNER" rescore --set 'objective.expression=1 - loss' | grep -F "3 stay without one"
	sound
}

@test "a metric that no trial has reported is refused, and what may be meant is said" {
	write_formula '{ "metric": "accuracy", "goal": "maximize" }'
	"$TUNER" run job.jsonc --quiet --trials 3
	run "$TUNER" rescore --set objective.metric=acuracy
	[ "$status" -eq 2 ]
	[[ "$output" == *'no trial of job "job" has reported "acuracy": did you mean "accuracy"?'* ]]
	run "$TUNER" rescore --set 'objective.expression=accuracy - log2(`lag-sm`)'
	[ "$status" -eq 2 ]
	[[ "$output" == *'has reported "lag-sm": did you mean "lag-ms"?'* ]]
	run "$TUNER" rescore --set objective.metric=throughput
	[ "$status" -eq 2 ]
	[[ "$output" == *'has reported "throughput": there are accuracy, lag-ms, '* ]]
	sql_is "SELECT count(*) FROM objective_version" 1
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 3
}

@test "a metric that is new in the job file is scored where it was reported, else what to do is said, and works" {
	write_formula '{ "metric": "accuracy", "goal": "maximize" }' '"metrics": [{ "name": "accuracy" }],'
	sed -i '$a awk -v x="$2" '"'"'BEGIN { printf "size=%d\\n", 100 * x }'"'" train.sh
	"$TUNER" run job.jsonc --quiet --trials 2
	run "$TUNER" rescore job --set objective.metric=lag-ms
	[ "$status" -eq 2 ]
	[[ "$output" == *'"lag-ms" is not among "metrics". To take another one, add it to "metrics" of the job file'* ]]
	# Lines of "@tuner" are recorded whether or not they are listed.
	sed -i 's/{ "name": "accuracy" }/{ "name": "accuracy" }, { "name": "lag-ms" }/; s/"metric": "accuracy"/"metric": "lag-ms"/' job.jsonc
	"$TUNER" rescore job | grep -F '2 of 2 ended trials have this objective'
	"$TUNER" run job.jsonc --quiet --trials 3
	# A pattern was not looked for.
	sed -i 's/{ "name": "lag-ms" }/{ "name": "lag-ms" }, { "name": "size", "regex": "size=([0-9]+)" }/' job.jsonc
	cp job.jsonc metrics.jsonc
	sed -i 's/"metric": "lag-ms"/"metric": "size"/' job.jsonc
	run "$TUNER" rescore job
	[ "$status" -eq 2 ]
	[[ "$output" == *'no trial of job "job" has reported "size", which is new in "metrics"'*'"tuner retry --class no-metric"'* ]]
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 3
	# As it says:
	mv job.jsonc wanted.jsonc
	mv metrics.jsonc job.jsonc
	"$TUNER" run job.jsonc --quiet --trials 4
	mv wanted.jsonc job.jsonc
	"$TUNER" rescore job | grep -F '1 of 4 ended trials have this objective'
	"$TUNER" retry job --class no-metric
	"$TUNER" run job.jsonc --quiet --trials 4
	sql_is "SELECT count(*) FROM trial WHERE state = 'done' AND objective = CAST(100 * (parameters ->> '$.x') AS INTEGER)" 4
	sound
}

# bats test_tags=plain
@test "what was changed while rescore waited for the database is not written over" {
	write_formula '{ "metric": "accuracy", "goal": "maximize" }'
	"$TUNER" run job.jsonc --quiet --trials 2 --name first
	"$TUNER" run job.jsonc --quiet --trials 2
	# It waits for a second; on a machine that is slower than that it is asked again.
	for try in $(seq 20); do
		touch held
		start flock tuner.db.lock sh -c 'touch has-it; while [ -e held ]; do sleep 0.01; done'
		await test -e has-it
		"$TUNER" rescore --set objective.metric=lag-ms >out 2>told &
		rescorer=$!
		await grep -q '^job job (the newest of 2)' told
		sqlite3 tuner.db "UPDATE job SET trial_cap = trial_cap + 100 WHERE name = 'job'"
		rm held has-it
		finished
		if wait $rescorer; then break; fi
		grep -q 'another process is using this database' told
	done
	sql_is "SELECT trial_cap FROM job WHERE name = 'job'" $((2 + 100 * try))
	sql_is "SELECT o.metric FROM job j JOIN objective_version o ON o.id = j.objective_version WHERE j.name = 'job'" lag-ms
}

@test "rescore is refused while a run holds the job, and changes nothing then" {
	write_formula '{ "metric": "accuracy", "goal": "maximize" }'
	touch hold
	start "$TUNER" run job.jsonc
	await test -e starts
	run "$TUNER" rescore job --set objective.goal=minimize
	[ "$status" -eq 2 ]
	[[ "$output" == *'"tuner stop job"'* ]]
	sql_is "SELECT count(*) FROM objective_version" 1
	rm hold
	finished
	[ "$status" -eq 0 ]
	run "$TUNER" rescore job --set budget.trials=2
	[ "$status" -eq 2 ]
	run "$TUNER" rescore job --set 'objective.expression=accuracy -'
	[ "$status" -eq 2 ]
	[[ "$output" == *"objective.expression=accuracy -: column 11: expected"* ]]
	sql_is "SELECT count(*) FROM objective_version" 1
}

@test "a long formula is told once, and is the objective in lines and columns" {
	TRIALS=6 write_formula '{ "cost": { "false_negative": 5, "false_positive": 1 }, "per": "case" }'
	"$TUNER" run job.jsonc >out
	[ "$(grep -c 'false_negative' out)" -eq 1 ]
	grep -q '^objective: minimize (5 \* false_negative + ' out
	[ "$(grep -c '^trial .* objective=[0-9]' out)" -eq 6 ]
	for command in trials jobs; do
		"$TUNER" $command >out
		grep -q ' objective ' out
		[ "$(grep -c 'false_negative' out)" -eq 0 ]
	done
	"$TUNER" why 6 | grep -q 'distance  objective '
	"$TUNER" best | grep -q 'false_negative'
}

@test "rescore says what is another, and what goes on" {
	cat >ask.jsonc <<'END2'
{ "objective": { "metric": "loss", "goal": "minimize" }, "strategy": "random",
  "parameters": { "x": { "type": "float", "min": 0, "max": 1 } } }
END2
	"$TUNER" ask ask.jsonc
	"$TUNER" tell ask 1 2 --step 1
	"$TUNER" tell ask 1 3
	run "$TUNER" rescore ask --set objective.reduce=best
	[ "$status" -eq 0 ]
	[[ "$output" == *'minimize loss as before, by another "reduce"'* ]]
	[[ "$output" == *'before the next "tuner ask"'* ]]
	run "$TUNER" rescore ask --set 'objective.expression=loss -'
	[ "$status" -eq 2 ]
	[[ "$output" == *"found the end" ]]
	run "$TUNER" enqueue ask x=0.5
	[[ "$output" == *'the next "tuner ask" gives {"x": 0.5}'* ]]
}

@test "a cost matrix is minimized, and --vary finds where the choice flips" {
	TRIALS=12 write_formula '{ "cost": { "false_negative": 5, "false_positive": 1 }, "per": "case" }'
	"$TUNER" run job.jsonc --quiet
	"$TUNER" rescore --vary false_negative=0.5..20 >words
	grep -F 'the choice flips at ' words
	"$TUNER" rescore --vary false_negative=0.5..20 --json >winners.json
	sql_is "SELECT count(*) FROM objective_version" 1
	best=$("$TUNER" best --json | jq .trial)
	jq -e "[.winners[] | select(.from <= 5 and .to >= 5)][0].trial == $best" winners.json
	# At each end and each flip the winner is what rescore makes the best.
	for price in 0.5 20 "$(jq '.winners[1] | (.from + .to) / 2' winners.json)"; do
		"$TUNER" rescore --set "objective.cost.false_negative=$price" >out
		best=$("$TUNER" best --json | jq .trial)
		jq -e "[.winners[] | select(.from <= $price and .to >= $price)][0].trial == $best" winners.json
	done
	run "$TUNER" rescore --vary false_negativ=1..2
	[ "$status" -eq 2 ]
	[[ "$output" == *'did you mean "false_negative"?'* ]]
	run "$TUNER" rescore --vary false_negative=2..1
	[ "$status" -eq 2 ]
	sound
}

@test "what runs on while tuner was killed has cost since it began" {
	TRIALS=60 BUDGET=', "cost": 0.5' write_formula '{ "metric": "accuracy", "goal": "maximize" }' \
		'"hosts": [{ "backend": "local", "gpus": "none", "slots": 1, "price": 1 }],'
	leave_one_running
	sqlite3 tuner.db "UPDATE attempt SET started_us = started_us - 3600000000" # an hour has passed
	start "$TUNER" run job.jsonc --quiet
	finished
	grep -F "the budget's cost, 0.5, is spent" output
	sql_is "SELECT outcome FROM attempt" timeout
}

@test "what waits for its start, in a cluster's queue or for a connection, has no cost yet" {
	# Money for 4 s of training; one second would do.
	TRIALS=1 BUDGET=', "cost": 4' write_formula '{ "metric": "accuracy", "goal": "maximize" }' \
		'"hosts": [{ "gpus": "none", "price": 3600 }],'
	printf '#!/bin/sh\nsleep 5\nexec "%s" "$@"\n' "$TUNER_BUILD/scheduler/tuner-supervise" >late
	chmod +x late
	TUNER_SUPERVISE=$PWD/late "$TUNER" run job.jsonc --quiet >out
	grep -F "the one trial of the budget has ended" out
	[ "$(lines_of starts)" -eq 1 ]
}

@test "what tuner stop ends has its cost, too" {
	TRIALS=2 write_formula '{ "metric": "accuracy", "goal": "maximize" }' \
		'"hosts": [{ "backend": "local", "gpus": "none", "slots": 2, "price": 10 }],'
	leave_one_running
	"$TUNER" stop
	sql_is "SELECT outcome || ' ' || (abs(cost - 10.0 * (ended_us - started_us) / 3600e6 / 2) < 1e-12) FROM attempt" "interrupted 1"
}

@test "where a prior leads a search, that it promises little there does not end it" {
	TRIALS=200 BUDGET=', "converged": true' write_formula '{ "expression": "1 + (accuracy - 0.4) ^ 2", "goal": "minimize" }' \
		'"strategy": { "name": "bayesian", "initial": 4, "deterministic": true },'
	sed -i 's/"max": 1 }/"max": 1, "prior": [0.94, 0.95] }/' job.jsonc
	"$TUNER" run job.jsonc --quiet >out
	grep -F "the search has converged" out
	# While w = 0.6 * 200 / n^2 is above ln 2 / 6.6: a normal density of sd .005 makes the middle 700 times as dense as 0.
	sql_is "SELECT count(*) BETWEEN 35 AND 199 FROM trial" 1
}

@test "the budget's cost, and convergence, end a search and say so" {
	TRIALS=60 BUDGET=', "cost": 1e-4' write_formula '{ "metric": "accuracy", "goal": "maximize" }' \
		'"hosts": [{ "price": 10, "slots": 2 }],'
	touch starts hold # until the budget ends them
	"$TUNER" run job.jsonc --quiet >out || true
	grep -F "the budget's cost, 0.0001, is spent" out
	sql_is "SELECT count(*) > 0 FROM attempt WHERE cost > 0" 1
	sql_is "SELECT abs(cost - 10.0 * (ended_us - started_us) / 3600e6 / 2) < 1e-12 FROM attempt WHERE cost > 0 LIMIT 1" 1
	sql_is "SELECT sum(cost) >= 1e-4 FROM attempt" 1
	before=$(wc -l <starts)
	run "$TUNER" run job.jsonc --quiet
	[ "$(wc -l <starts)" -eq "$before" ]
	rm hold
	TRIALS=60 BUDGET=', "converged": true' write_formula '{ "expression": "5 - (accuracy - 0.5) ^ 2", "goal": "maximize" }' \
		'"name": "converged", "strategy": { "name": "bayesian", "deterministic": true },'
	"$TUNER" run job.jsonc --quiet >out
	grep -F "the search has converged" out
	sql_is "SELECT count(*) < 60 FROM trial t JOIN job j ON j.id = t.job WHERE j.name = 'converged'" 1
	# What the last proposals promised is remembered by the next run, too.
	before=$(wc -l <starts)
	"$TUNER" run job.jsonc --quiet >out
	grep -F "the search has converged" out
	[ "$(wc -l <starts)" -eq "$before" ]
}
