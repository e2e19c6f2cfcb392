#!/usr/bin/env bats
# Several objectives ("objective.also"): the search is for the Pareto front, and reports know it.

load run/common

# several ALSO [MORE]: job.jsonc, which maximizes accuracy = 1 - (x - 0.2)^2 - y^2 and reports lag-ms = 10 + 20 ((x - 0.8)^2 + y^2), so
# that the front is where y is 0 and x from 0.2 to 0.8; MORE is more keys, ending with a comma. The file ./without takes lag-ms away.
several() {
	cat >train.sh <<'END'
echo "$TUNER_TRIAL $TUNER_ATTEMPT" >>starts
awk -v x="$2" -v y="$4" -v lag="$([ -e without ] || echo yes)" 'BEGIN {
	printf "@tuner {\"step\": 1, \"accuracy\": %.17g}\n", 0.5
	if (lag) printf "@tuner {\"step\": 1, \"lag-ms\": %.17g}\n", 10 + 20 * ((x - 0.8)^2 + y^2)
	printf "@tuner {\"step\": 2, \"accuracy\": %.17g}\n", 1 - (x - 0.2)^2 - y^2
}'
[ -z "${SLOWLY-}" ] || sleep 0.2
END
	cat >job.jsonc <<END
{
	${2-}
	"objective": { "metric": "accuracy", "goal": "maximize", "also": $1${LIMITS:+, \"limits\": $LIMITS} },
	"command": ["sh", "train.sh"],
	"parameters": {
		"x": { "type": "float", "min": 0, "max": 1, "scale": "linear" },
		"y": { "type": "float", "min": -1, "max": 1, "scale": "linear" }
	},
	"strategy": "${STRATEGY:-bayesian}",
	"hosts": [{ "backend": "local", "gpus": "none" }],
	"budget": { "trials": ${TRIALS:-12}, "parallel": ${PARALLEL:-1} }
}
END
}

done_are() { # N: so many at least
	[ "$(sql "SELECT count(*) FROM trial WHERE state = 'done'")" -ge "$1" ]
}

LAG='[{ "minimize": "`lag-ms`" }]'

sound() {
	"$TUNER" verify
	"$TUNER" replay "$@" | grep -q "all are the same to the bit"
}

# by_hand [SIGN]: the front by SQL alone, of accuracy and lag-ms as the parameters say; with SIGN "-" lag-ms is maximized.
by_hand() {
	sql "WITH o AS (SELECT number, 1 - power(json_extract(parameters, '\$.x') - 0.2, 2) - power(json_extract(parameters, '\$.y'), 2) AS a,
			${1-} (power(json_extract(parameters, '\$.x') - 0.8, 2) + power(json_extract(parameters, '\$.y'), 2)) AS l
			FROM trial WHERE state = 'done')
		SELECT group_concat(number, ' ') FROM (SELECT number FROM o WHERE NOT EXISTS (SELECT 1 FROM o b
			WHERE b.a >= o.a AND b.l <= o.l AND (b.a > o.a OR b.l < o.l)) ORDER BY number)"
}

@test "the search follows the front, and every report says which trials are on it" {
	TRIALS=24 several "$LAG"
	"$TUNER" check job.jsonc >said
	grep -q "^job job: maximize accuracy, minimize lag-ms$" said
	grep -qF 'objective.also.0' said
	"$TUNER" run job.jsonc >said
	grep -q "^objectives: maximize accuracy, minimize lag-ms$" said
	grep -q "accuracy=[0-9.]* lag-ms=[0-9.]*" said
	not grep -q "best so far\|^best:" said
	grep -q '"tuner best job" shows the Pareto front' said
	sql_is "SELECT max(abs((also ->> 0) - 10 - 20 * (power(json_extract(parameters, '\$.x') - 0.8, 2) + power(json_extract(parameters, '\$.y'), 2)))) < 1e-12 FROM v_trial" 1
	front=$(by_hand)
	[ "$(wc -w <<<"$front")" -gt 8 ]
	sql_is "SELECT group_concat(number, ' ') FROM (SELECT number FROM v_front ORDER BY number)" "$front"
	[ "$("$TUNER" best --json | jq -r '[.front[].trial] | sort | join(" ")')" = "$front" ]
	[ "$("$TUNER" best --json | jq -c '.objectives')" = '[{"name":"accuracy","goal":"maximize"},{"name":"lag-ms","goal":"minimize"}]' ]
	[ "$("$TUNER" status --json | jq -r '.front | sort | join(" ")')" = "$front" ]
	[ "$("$TUNER" trials --json | jq -r '[.[] | select(.best) | .trial] | join(" ")')" = "$front" ]
	[ "$("$TUNER" trials | grep -c " front ")" -eq "$(wc -w <<<"$front")" ]
	"$TUNER" trials --csv | head -n 1 | grep -q ",also.lag-ms,parameters.x,parameters.y,message$"
	[ "$("$TUNER" trials --csv | cut -d, -f7 | grep -c true)" -eq "$(wc -w <<<"$front")" ]
	"$TUNER" best | grep -q "^job job: $(wc -w <<<"$front") of 24 results are on the Pareto front (maximize accuracy, minimize lag-ms)"
	"$TUNER" status | grep -q "^Pareto front: $(wc -w <<<"$front") trials (.*accuracy 0\.[0-9]* to [01][0-9.]*, lag-ms 1[0-9.]* to 1[0-9.]*$"
	"$TUNER" show best | grep -q "accuracy = .*, lag-ms = .*, on the Pareto front$"
	# It is followed from end to end, and not only where one of them is best.
	sql_is "SELECT min(json_extract(parameters, '\$.x')) < 0.35 AND max(json_extract(parameters, '\$.x')) > 0.65 AND sum(json_extract(parameters, '\$.x') BETWEEN 0.4 AND 0.6) > 2 FROM v_front" 1
	sound
}

@test "one of the front is named where one is needed" {
	several "$LAG"
	"$TUNER" run job.jsonc --quiet
	front=$(by_hand)
	[ "$(wc -w <<<"$front")" -gt 1 ]
	for what in command params artifacts model; do
		run "$TUNER" best --$what
		[ "$status" -eq 2 ]
		[[ "$output" == *"$(wc -w <<<"$front") trials are on the Pareto front ("*"--trial N"* ]]
	done
	one=${front##* }
	[ "$("$TUNER" best --trial "$one" --params)" = "$(sql "SELECT parameters FROM trial WHERE number = $one")" ]
	"$TUNER" best --trial "$one" --command | grep -q "train.sh --x "
	"$TUNER" best --trial "$one" >said
	grep -q "^job job: on the Pareto front is trial $one, accuracy = .*, lag-ms = " said
	grep -q "^next: tuner best --trial $one --command job prints" said
	[ "$("$TUNER" best --trial "$one" --json | jq .trial)" -eq "$one" ]
	other=$(sql "SELECT min(number) FROM trial WHERE number NOT IN (SELECT number FROM v_front)")
	run "$TUNER" best --trial "$other"
	[ "$status" -eq 2 ]
	[[ "$output" == *"trial $other is not on the Pareto front ("* ]]
	run "$TUNER" best --by-model
	[ "$status" -eq 2 ]
	[[ "$(flat)" == *"--by-model: with several objectives"* ]]
	run "$TUNER" best --by-model --trial "$one"
	[ "$status" -eq 2 ]
	[[ "$output" == *"exclude each other"* ]]
	run "$TUNER" confirm
	[ "$status" -eq 2 ]
	[[ "$(flat)" == *"several objectives"*"tuner best job"* ]]
	# Of a job with one objective it is the best one, or as good.
	"$TUNER" rescore job --set 'objective.also=[]'
	best=$("$TUNER" best --json | jq .trial)
	"$TUNER" best --trial "$best" | grep -q "^job job: the best is trial $best, accuracy = "
	run "$TUNER" best --trial "$other"
	[ "$status" -eq 2 ]
	[[ "$output" == *"trial $other is not the best ($best)"* ]]
}

@test "why has a prediction of each objective, or the weights by which they were one" {
	several "$LAG"
	"$TUNER" run job.jsonc --quiet
	"$TUNER" why 12 >said
	grep -q "expect a trial to add more to what the Pareto front surpasses" said
	grep -qE "predicted accuracy [0-9.]+ ± [0-9.e-]+ .*; the result was" said
	grep -qE "predicted lag-ms [0-9.]+ ± [0-9.e-]+; the result was [0-9.]+, [-+][0-9.]+ of them away" said
	not grep -q "to improve on\|, the best" said
	[ "$("$TUNER" why 12 --json | jq -c '[.predicted_mean > 0, .predicted_also[0].name, .predicted_also[0].mean > 10, .predicted_also[0].sd > 0, .weights]')" = '[true,"lag-ms",true,true,null]' ]
	[ "$("$TUNER" why 1 --json | jq -c '[.predicted_also, .weights]')" = "[null,null]" ]
	# What each model believed of the parameters: of lag-ms x and y matter, of a sum of both y does not.
	grep -q "what the model of accuracy believed of the parameters" said
	grep -q "what the model of lag-ms believed of the parameters" said
	grep -q "in sides of the unit cube" said
	[ "$("$TUNER" why 12 --json | jq -c '[.lengthscales[] | [.objective, .parameter]]')" = '[["accuracy","x"],["accuracy","y"],["lag-ms","x"],["lag-ms","y"]]' ]
	"$TUNER" run job.jsonc --quiet --name line --set 'objective.also=[{"maximize": "`lag-ms` / 20 + accuracy"}]'
	[ "$("$TUNER" why line 12 --json | jq '[.lengthscales[] | select(.parameter == "y") | .change] | .[0] > 3 * .[1]')" = true ]
	"$TUNER" run job.jsonc --quiet --name up --set 'objective.also=[{"maximize": "`lag-ms`"}]'
	[ "$("$TUNER" why up 12 --json | jq '.predicted_also[0].mean > 5')" = true ] # in its own sign
	"$TUNER" run job.jsonc --quiet --name weighed --set 'strategy={"acquisition": "ucb"}'
	"$TUNER" why weighed 12 >said
	grep -qE "weighed: accuracy 0\.[0-9]+, lag-ms 0\.[0-9]+" said
	not grep -q "predicted" said
	[ "$("$TUNER" why weighed 12 --json | jq '.weights | length == 2 and (add - 1 | fabs) < 1e-9')" = true ]
	[ "$("$TUNER" why weighed 12 --json | jq -c '[.predicted_mean, [.lengthscales[] | [.objective, .parameter]]]')" = '[null,[[null,"x"],[null,"y"]]]' ]
	grep -q "what the model believed of the parameters" said
	sql_is "SELECT count(DISTINCT settings ->> '\$.weight_1') = count(*) FROM v_trial v JOIN decision d ON d.id = v.trial_id WHERE v.branch = 'model' AND v.job = 'weighed'" 1
	sound weighed
}

@test "several workers, a kill and a restart lose nothing of any objective" {
	PARALLEL=3 TRIALS=20 several "$LAG"
	SLOWLY=1 start "$TUNER" run job.jsonc --quiet
	await done_are 8
	kill -9 "$PID"
	finished
	"$TUNER" run job.jsonc --quiet
	sql_is "SELECT count(*) FROM trial WHERE state = 'done' AND json_array_length(also) = 1" 20
	[ "$(sort starts | uniq -d | wc -l)" -eq 0 ]
	sql_is "SELECT group_concat(number, ' ') FROM (SELECT number FROM v_front ORDER BY number)" "$(by_hand)"
	sound
}

@test "what is over a limit is not on the front" {
	TRIALS=16 LIMITS='["`lag-ms` <= 16"]' several "$LAG"
	"$TUNER" run job.jsonc --quiet
	sql_is "SELECT count(*) > 0 AND min(json_array_length(also)) = 1 FROM trial WHERE outcome = 'over-limit'" 1
	sql_is "SELECT max(also ->> 0) <= 16 FROM v_front" 1
	[ "$("$TUNER" best --json | jq '[.front[].also[0] <= 16] | all')" = true ]
	sql_is "SELECT group_concat(number, ' ') FROM (SELECT number FROM v_front ORDER BY number)" "$(by_hand)"
	sound
}

@test "an objective that is missing, or no number, is a failure" {
	TRIALS=3 several "$LAG"
	touch without
	run "$TUNER" run job.jsonc
	[ "$status" -eq 3 ]
	[[ "$output" == *"not reported: lag-ms"*"The further objectives' metric \"lag-ms\" was not reported; there"* ]]
	rm without
	TRIALS=4 several '[{ "minimize": "log2(`lag-ms` - 15)" }]'
	"$TUNER" rescore job.jsonc || true
	"$TUNER" try job.jsonc >said || true
	grep -qE '^outcome: (nan|ok)' said
	"$TUNER" run job.jsonc --quiet --name logarithm --set budget.start_failures=9 --trials 9 || true
	sql_is "SELECT count(*) FROM v_trial WHERE job = 'logarithm' AND (outcome = 'nan') <> (20 * (power(json_extract(parameters, '\$.x') - 0.8, 2) + power(json_extract(parameters, '\$.y'), 2)) <= 5)" 0
	sql_is "SELECT count(DISTINCT outcome) FROM v_trial WHERE job = 'logarithm'" 2
	sound logarithm
}

@test "other objectives need no training" {
	several "$LAG"
	"$TUNER" run job.jsonc --quiet
	starts=$(lines_of starts)
	several '[{ "maximize": "`lag-ms`" }]'
	run "$TUNER" run job.jsonc
	[ "$status" -eq 2 ]
	[[ "$(flat)" == *'objective.also.0: {"minimize": "`lag-ms`"} -> {"maximize": "`lag-ms`"}'*"tuner rescore job"* ]]
	"$TUNER" rescore job.jsonc >said
	grep -q "with other objectives beside it" said
	sound
	sql_is "SELECT group_concat(number, ' ') FROM (SELECT number FROM v_front ORDER BY number)" "$(by_hand -)"
	"$TUNER" run job.jsonc --quiet --trials 14
	sound
	"$TUNER" rescore job --set 'objective.also=[]' >said
	grep -q "^job job: maximize accuracy as before, with no other objective beside it$" said
	sql_is "SELECT count(*) FROM trial WHERE also IS NOT NULL" 0
	"$TUNER" best | grep -q "the best is trial"
	sound
	"$TUNER" rescore job --set 'objective.also=[{"minimize": "`lag-ms`"}, {"minimize": "`lag-ms` * accuracy"}]'
	sql_is "SELECT count(*) FROM trial WHERE json_array_length(also) = 2" 14
	sql_is "SELECT max(abs((also ->> 0) * objective - (also ->> 1))) < 1e-12 FROM trial" 1
	sound
	[ "$(lines_of starts)" -eq $((starts + 2)) ]
	"$TUNER" rescore job --set 'objective.also=[{"minimize": "`lag-ms`"}, {"minimize": "2 * `lag-ms`"}]'
	sql_is "SELECT max(abs(2 * (also ->> 0) - (also ->> 1))) < 1e-12 FROM trial" 1
	sound
	events=$(sql "SELECT count(*) FROM event WHERE kind = 'rescored' AND trial IS NOT NULL")
	"$TUNER" rescore job --set 'objective.also=[{"maximize": "`lag-ms`"}, {"minimize": "2 * `lag-ms`"}]'
	sql_is "SELECT count(*) FROM event WHERE kind = 'rescored' AND trial IS NOT NULL" "$events" # no value is another
	sound
	run "$TUNER" rescore job --set 'objective.also=[{"minimize": "lag"}]'
	[ "$status" -eq 2 ]
	[[ "$output" == *'"lag"'*"lag-ms"* ]]
}

@test "callers tell the metrics of all objectives with the value" {
	several "$LAG"
	printf '%s\n' '{"ask": 1}' '{"tell": 1, "value": 0.5}' '{"tell": 1, "value": 0.5, "metrics": {"lag": 3}}' \
		'{"tell": 1, "value": 0.5, "metrics": {"lag-ms": 41}}' '{"add": {"x": 0.2, "y": 0}, "value": 0.7, "metrics": {"lag-ms": 60}}' \
		'{"add": {"x": 0.3, "y": 0}, "value": 0.4, "metrics": {"lag-ms": 41.5}}' '{"add": {"x": 0.4, "y": 0}, "value": 0.4, "metrics": {"lag-ms": "nan"}}' \
		'{"ask": 1}' '{"tell": 5, "value": null}' | "$TUNER" ask-tell job.jsonc --db tuner.db >answers
	[ "$(jq -r .error answers | grep -c "^the job's further objectives need the metric \"lag-ms\"")" -eq 1 ]
	[ "$(jq -r .error answers | grep -c 'the job does not need the metric "lag"; it needs lag-ms$')" -eq 1 ]
	[ "$(jq -r .error answers | grep -cv '^null$')" -eq 2 ]
	sql_is "SELECT group_concat(outcome || coalesce(also, ''), ' ') FROM (SELECT * FROM trial ORDER BY number)" "ok[41] ok[60] ok[41.5] nan nan"
	[ "$("$TUNER" best --json | jq -c '[.front[].trial]')" = "[2,1]" ]
	"$TUNER" ask job
	run "$TUNER" tell job 6 0.3
	[ "$status" -eq 2 ]
	[[ "$output" == *"--metric lag-ms=NUMBER"* ]]
	"$TUNER" tell job 6 0.3 --metric lag-ms=30 | grep -q "done, accuracy = 0.3$"
	[ "$("$TUNER" best --json | jq -c '[.front[].trial]')" = "[2,1,6]" ]
	sound
	# What was told without a metric has no such objective afterwards.
	"$TUNER" rescore job --set 'objective.also=[]'
	"$TUNER" ask job
	"$TUNER" tell job 7 0.9
	"$TUNER" rescore job --set 'objective.also=[{"minimize": "`lag-ms`"}]'
	sql_is "SELECT group_concat(state || ' ' || outcome || coalesce(also, ''), ', ') FROM (SELECT * FROM trial WHERE number > 5 ORDER BY number)" "done ok[30], stopped no-metric"
	sound
	# By run and by ask-tell the same results give the same proposals.
	rm tuner.db
	"$TUNER" run job.jsonc --quiet
	"$TUNER" trials --json >ran
	jq -r '.[] | "{\"ask\": 1}", "{\"tell\": \(.trial), \"value\": \(.objective), \"metrics\": {\"lag-ms\": \(.also[0])}}"' ran |
		"$TUNER" ask-tell job.jsonc | jq -r 'select(.trials) | .trials[0].parameters | "\(.x) \(.y)"' >asked
	jq -r '.[].parameters | "\(.x) \(.y)"' ran | diff - asked
}

@test "an unchanged sweep with several objectives costs nothing, and a warm start brings all of them" {
	STRATEGY=random TRIALS=8 several "$LAG"
	"$TUNER" run job.jsonc --quiet
	sql "SELECT number, state, outcome, also, objective FROM trial ORDER BY number" >before
	mv tuner.db last.db
	: >starts
	"$TUNER" run job.jsonc --reuse last.db --quiet >said
	sql "SELECT number, state, outcome, also, objective FROM trial ORDER BY number" | diff before -
	[ ! -s starts ]
	sound
	rm tuner.db
	several "$LAG" '"warm_start": { "jobs": [{ "db": "last.db", "job": "job" }] },'
	"$TUNER" run job.jsonc --quiet --name child --trials 3
	sql_is "SELECT count(*) FROM trial WHERE source = 'added' AND json_array_length(also) = 1" 8
	sql_is "SELECT count(DISTINCT branch) FROM v_trial WHERE source = 'strategy' AND branch <> 'model'" 0
	sound
	# Other objectives are another job's.
	several '[{ "maximize": "`lag-ms`" }]' '"warm_start": { "jobs": [{ "db": "last.db", "job": "job" }] },'
	run "$TUNER" run job.jsonc --quiet --name other --trials 3
	[ "$status" -eq 2 ]
	[[ "$output" == *"its objective is"* ]]
}

@test "the files of the front are kept" {
	several "$LAG" '"keep": { "best": 1 },'
	echo 'echo model >"$TUNER_MODEL_DIR/model"' >>train.sh
	"$TUNER" run job.jsonc --quiet
	front=$(by_hand)
	[ "$(wc -w <<<"$front")" -gt 1 ]
	sql_is "SELECT group_concat(number, ' ') FROM (SELECT t.number FROM trial t JOIN attempt a ON a.trial = t.id JOIN manifest m ON m.attempt = a.id WHERE m.removal IS NULL AND m.bytes > 0 ORDER BY t.number)" "$front"
	sql_is "SELECT count(*) FROM artifact a JOIN attempt t ON t.id = a.attempt JOIN trial v ON v.id = t.trial WHERE a.sha256 IS NULL AND v.number IN (${front// /, })" 0
	for number in $front; do
		[ -s "$("$TUNER" best --trial "$number" --model)/model" ]
	done
}

@test "of several objectives the one that is NaN is named" {
	TRIALS=1 several '[{ "minimize": "`lag-ms` * 2" }, { "minimize": "size" }]'
	echo 'echo "@tuner {\"accuracy\": 1, \"lag-ms\": 3, \"size\": NaN}"' >train.sh
	"$TUNER" run job.jsonc >said || true
	grep -q "exit status 0, but NaN: size$" said
	echo 'echo "@tuner {\"accuracy\": NaN, \"lag-ms\": NaN, \"size\": 3}"' >train.sh
	"$TUNER" run job.jsonc --name other >said || true
	grep -qF 'exit status 0, but NaN: accuracy, `lag-ms` * 2' said
	echo 'echo "@tuner {\"accuracy\": NaN, \"lag-ms\": NaN, \"size\": 3}"; echo overflow; exit 3' >train.sh
	"$TUNER" run job.jsonc --name rule --set 'failures=[{"pattern": "overflow", "class": "nan"}]' >said || true
	grep -q overflow said
	not grep -q "but NaN" said
}

@test "of two long formulas the columns have two names" {
	TRIALS=7 several '[{ "minimize": "`lag-ms` + 0 * accuracy + 0 * accuracy + 0 * accuracy" }, { "minimize": "0 * (`lag-ms` + 0 * accuracy + 0 * accuracy - 1000)" }]'
	"$TUNER" run job.jsonc >said
	grep -qE "^trial 1 .* accuracy=[0-9.]+ objective-2=[0-9.]+ objective-3=0  x=" said # and no -0
	"$TUNER" trials | head -n 1 | grep -qE " accuracy +objective-2 +objective-3 "
	"$TUNER" best | grep -qE "^trial +accuracy +objective-2 +objective-3 "
	"$TUNER" why 7 | grep -q "what the model of objective-2 believed"
	"$TUNER" why 7 | grep -q "predicted objective-2 "
}

@test "what goes by one best trial leaves the job with the edit that gives it several objectives" {
	TRIALS=6 several '[]' '"early_stopping": { "rule": "threshold", "bound": -9, "grace": 1 },'
	"$TUNER" run job.jsonc --quiet --set budget.not_improving=100 --set budget.target=9 --set budget.converged=true
	TRIALS=7 several "$LAG"
	run "$TUNER" run job.jsonc
	[ "$status" -eq 2 ]
	[[ "$(flat)" == *"tuner rescore job"* ]]
	# By --set alone the stored rules are in its way.
	run "$TUNER" rescore job --set "objective.also=$LAG"
	[ "$status" -eq 2 ]
	[[ "$(flat)" == *'early_stopping: does not go with "objective.also"'* ]]
	"$TUNER" rescore job
	"$TUNER" run job.jsonc --quiet
	sql_is "SELECT count(*) FROM trial WHERE json_array_length(also) = 1" 7
	sound
}

@test "in CI one trial of the front must meet all gates" {
	several "$LAG"
	"$TUNER" run job.jsonc --ci --junit junit.xml --metrics metrics.txt --summary summary.md --gate 'accuracy >= 0.5' >said
	grep -q 'maximize accuracy, minimize lag-ms' summary.md
	[ "$(grep -cE '<system-out>accuracy = [-0-9.e]+, lag-ms = [0-9.]+</system-out>' junit.xml)" -eq 12 ]
	grep -q "^$(by_hand | wc -w) of 12 results are on the Pareto front" summary.md
	# One from the middle of the front, that is not the best by either objective.
	"$TUNER" best --json >front.json
	middle=$(jq '.front | length / 2 | floor' front.json)
	[ "$middle" -gt 0 ]
	accuracy=$(jq ".front[$middle].objective - 1e-9" front.json)
	lag=$(jq ".front[$middle].also[0] + 1e-9" front.json)
	"$TUNER" run job.jsonc --ci --gate "accuracy >= $accuracy" --gate "lag-ms <= $lag" >said
	[ "$(grep -c "^gate held: .*: trial $(jq ".front[$middle].trial" front.json) has" said)" -eq 2 ]
	# The best of either do not go together.
	accuracy=$(jq ".front[0].objective - 1e-9" front.json)
	run "$TUNER" run job.jsonc --ci --gate "accuracy >= $accuracy" --gate "lag-ms <= $lag"
	[ "$status" -eq 1 ]
	[[ "$output" == *"gate held: accuracy"*"gate missed: lag-ms"* ]]
}

@test "a gate on a further objective is judged by that objective: a formula, and not the last value of a metric" {
	cat >train.sh <<'END'
echo '@tuner {"step": 1, "accuracy": 0.5, "lag-ms": 30}'
echo '@tuner {"step": 2, "accuracy": 0.5, "lag-ms": 8}'
END
	cat >job.jsonc <<'END'
{
	"objective": { "metric": "accuracy", "goal": "maximize", "reduce": { "accuracy": "last", "lag-ms": "max" },
		"also": [{ "minimize": "`lag-ms`" }, { "minimize": "`lag-ms` / 3" }] },
	"metrics": [{ "name": "accuracy" }, { "name": "lag-ms" }],
	"command": ["sh", "train.sh"],
	"parameters": { "x": { "type": "float", "min": 0, "max": 1 } },
	"hosts": [{ "gpus": "none" }],
	"budget": { "trials": 1 }
}
END
	run "$TUNER" run job.jsonc --gate 'lag-ms <= 8' --gate '`lag-ms` / 3 <= 10'
	[ "$status" -eq 1 ]
	[[ "$output" == *"gate missed: lag-ms <= 8: trial 1 has 30, too high by 22"* ]]
	[[ "$output" == *'gate held: `lag-ms` / 3 <= 10: trial 1 has 10, with 0 to spare'* ]]
	# A name that is none of them is one that no trial has, as ever.
	run "$TUNER" run job.jsonc --gate 'lag-ms / 3 <= 10'
	[ "$status" -eq 2 ]
	[[ "$(flat)" == *'has no metric "lag-ms / 3"'* ]]
}

# covered JOB ARM REPEAT: by Python alone, the part of the box that all results of a search cover, with the extent of the whole job.
covered() {
	python3 - "$@" <<'END'
import json, sqlite3, sys
name, arm, repeat = sys.argv[1:]
rows = sqlite3.connect("tuner.db").execute(
    "SELECT job, arm, repeat, -objective, also FROM v_trial WHERE state = 'done' AND (job = ? OR ? = '')", [name, name]).fetchall()
points = [(a, json.loads(also)[0]) for _, _, _, a, also in rows]
best = [min(p[k] for p in points) for k in (0, 1)]
worst = [max(p[k] for p in points) for k in (0, 1)]
reference = [w + (w - b) / 10 for w, b in zip(worst, best)]
own = sorted(p for p, row in zip(points, rows) if (row[1], str(row[2])) == (arm, repeat) or row[0] == arm)
volume, lag = 0, reference[1]
for a, b in own:
    volume += (reference[0] - a) * max(lag - b, 0)
    lag = min(lag, b)
print(volume / ((reference[0] - best[0]) * (reference[1] - best[1])))
END
}

near() { # A B: but for rounding
	awk -v a="$1" -v b="$2" 'BEGIN { exit !((a - b)^2 <= 1e-18) }'
}

@test "arms, and jobs, are compared by the hypervolume" {
	TRIALS=10 PARALLEL=2 several "$LAG" '"repeats": 3, "arms": { "gp": "bayesian", "random": "random" },'
	sed -i '/"strategy"/d' job.jsonc
	"$TUNER" run job.jsonc --quiet
	"$TUNER" compare >said
	grep -q "^Greatest of hypervolume: 3 repeats, 10 trials each$" said
	not grep -q "expected best" said
	"$TUNER" compare --json >compared.json
	near "$(jq '.contrasts[0].final.difference' compared.json)" "$(python3 -c "print(sum([$(covered job gp 0), $(covered job gp 1), $(covered job gp 2)]) / 3 - sum([$(covered job random 0), $(covered job random 1), $(covered job random 2)]) / 3)")"
	[ "$(jq '[.arms[].curve | map(.mean_best) | . == sort] | all' compared.json)" = true ]
	[ "$(jq -c '[.metric, .goal]' compared.json)" = '["hypervolume","maximize"]' ]
	# The front is that of all searches together.
	[ "$("$TUNER" best --json | jq -r '[.front[].trial] | sort | join(" ")')" = "$(by_hand)" ]
	sql_is "SELECT group_concat(number, ' ') FROM (SELECT number FROM v_front ORDER BY number)" "$(by_hand)"
	"$TUNER" report --format md -o report.md
	grep -q "hypervolume" report.md
	sound
	# Two jobs.
	rm tuner.db
	TRIALS=10 several "$LAG"
	"$TUNER" run job.jsonc --quiet --name gp
	"$TUNER" run job.jsonc --quiet --name random --set strategy=random
	near "$("$TUNER" compare gp random --json | jq '.contrasts[0].final.difference')" "$(python3 -c "print($(covered "" gp 0) - $(covered "" random 0))")"
	"$TUNER" run job.jsonc --quiet --name other --set 'objective.also=[{"maximize": "`lag-ms`"}]'
	run "$TUNER" compare gp other
	[ "$status" -eq 2 ]
	[[ "$(flat)" == *"score them alike first"* ]]
}

@test "importance is of each objective" {
	TRIALS=24 several "$LAG"
	"$TUNER" run job.jsonc --quiet
	[ "$("$TUNER" importance --json | jq -r .metric)" = accuracy ]
	[ "$("$TUNER" importance --objective lag-ms --json | jq -r .metric)" = lag-ms ]
	"$TUNER" importance --objective lag-ms | grep -q "the part of lag-ms's variance"
	run "$TUNER" importance --objective lag
	[ "$status" -eq 2 ]
	[[ "$output" == *'has no objective "lag": it is to maximize accuracy, minimize lag-ms'* ]]
	# One that does not depend on y, which the first does.
	"$TUNER" rescore job --set 'objective.also=[{"maximize": "`lag-ms` / 20 + accuracy"}]'
	y() { jq '.parameters[] | select(.parameter == "y") | .total'; }
	[ "$("$TUNER" importance --json | y | jq '. > 0.3')" = true ]
	[ "$("$TUNER" importance --objective '`lag-ms` / 20 + accuracy' --json | y | jq '. < 0.2')" = true ]
}

@test "random search, Sobol points and grids have a front, too" {
	for STRATEGY in random sobol grid; do
		several "$LAG"
		"$TUNER" run job.jsonc --quiet --name "$STRATEGY"
		[ "$("$TUNER" best "$STRATEGY" --json | jq '.front | length > 0')" = true ]
		sound "$STRATEGY"
	done
}
