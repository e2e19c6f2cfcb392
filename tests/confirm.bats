#!/usr/bin/env bats
# `tuner confirm`: the best of a search, trained again with other seeds.

load run/common

# write_noisy [MORE]: as write_job, but the result depends on the seed, by +-0.025.
write_noisy() {
	write_job "${1-}"
	cat >train.sh <<'END'
echo "$TUNER_JOB $TUNER_TRIAL $2 $TUNER_SEED" >>starts
while [ -e hold ]; do sleep 0.02; done
[ ! -e crash ] || [ "$TUNER_JOB.$2" != "$(cat crash)" ] || exit 1
awk -v x="$2" -v s="$TUNER_SEED" 'BEGIN { printf "loss=%.17g\n", (x - 0.3) ^ 2 + 0.05 * (s % 1000 / 1000 - 0.5) }'
END
}

shown() { # FILTER
	"$TUNER" confirm job --show --json | jq -r "$1"
}

# bats test_tags=plain
@test "the best three and the default are trained again, each with seeds of its own" {
	write_noisy '"first": [{ "x": 0.9 }],'
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" confirm job --quiet
	[ "$status" -eq 0 ]
	[[ "$(flat)" == *"Welch's t"* ]]
	[[ "$(flat)" == *"Against the default the best gains"* ]]
	sql_is "SELECT count(*) FROM v_trial WHERE job = 'job-confirm' AND branch = 'user' AND source = 'first'" 20
	sql_is "SELECT count(DISTINCT parameters) FROM v_trial WHERE job = 'job-confirm'" 4
	[ "$(awk '{ print $4 }' starts | sort -u | wc -l)" -eq 26 ]
	# The means, the best first; of the search the three best and the default.
	[ "$(shown '.configurations | length')" -eq 4 ]
	shown '.configurations[] | "\(.parameters.x) \(.trial) \(.mean) \(.seen)"' >configurations
	while read -r x trial mean seen; do
		sql "SELECT avg(objective) - $mean, count(*) FROM v_trial
			WHERE job = 'job-confirm' AND abs(json_extract(parameters, '\$.x') - $x) < 1e-12" |
			awk -F '|' '{ exit !($1 < 1e-12 && -$1 < 1e-12 && $2 == 5) }'
		sql "SELECT objective - $seen FROM v_trial WHERE job = 'job' AND number = $trial" |
			awk '{ exit !($1 < 1e-12 && -$1 < 1e-12) }'
	done <configurations
	[ "$(shown '[.configurations[].mean] == ([.configurations[].mean] | sort)')" = true ]
	[ "$(shown '[.configurations[] | select(.default)] | length')" -eq 1 ]
	# minimized: what was seen lies below the mean, if it was luck
	[ "$(shown '.configurations[0] | (.optimism - (.mean - .seen)) | fabs < 1e-12')" = true ]
	[ "$(shown '.second.difference - (.configurations[1].mean - .configurations[0].mean) | fabs < 1e-12')" = true ]
	"$TUNER" verify
}

@test "confirmed once more it trains nothing; more repeats are added to those there are" {
	write_noisy
	"$TUNER" run job.jsonc --quiet --set budget.target=-1 --set budget.runtime=1h
	"$TUNER" confirm job --quiet --top 2 --repeats 2
	[ "$(lines_of starts)" -eq 10 ]
	"$TUNER" confirm job --quiet --top 2 --repeats 2
	[ "$(lines_of starts)" -eq 10 ]
	"$TUNER" confirm job --quiet --top 1 --repeats 4
	[ "$(lines_of starts)" -eq 12 ]
	[ "$(shown '[.configurations[].repeats | tostring] | sort | join(" ")')" = "2 4" ]
	sql_is "SELECT file LIKE '%target%' OR file LIKE '%runtime%' FROM job WHERE name = 'job-confirm'" 0
	# `run` of the repeats' job finds nothing left.
	run "$TUNER" run job-confirm
	[ "$status" -eq 0 ]
	[ "$(lines_of starts)" -eq 12 ]
	[[ "$output" == *'To train more: "tuner confirm job" with more'* ]]
}

@test "nobody is led to a run of the repeats' job that would propose at random" {
	write_noisy
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" confirm job --top 1 --repeats 2
	[[ "$output" == "job job-confirm: "* ]] # begun, not gone on with
	run "$TUNER" status job-confirm
	[[ "$output" == *"tuner confirm --show job "* ]]
	[[ "$output" != *"tuner run"* ]]
	run "$TUNER" run job-confirm --trials 5
	[ "$status" -eq 2 ]
	[[ "$output" == *'"tuner confirm job" with more --repeats'* ]]
	sql_is "SELECT count(*) FROM v_trial WHERE job = 'job-confirm'" 2
	run "$TUNER" confirm job --top 1 --repeats 3
	[[ "$output" == "job job-confirm (resumed): "* ]]
	# A job of one's own may have such a name.
	"$TUNER" run job.jsonc --quiet --name other
	"$TUNER" run job.jsonc --quiet --name other-confirm --trials 7
}

@test "killed, it goes on; the newest job is the repeats' own, and its search is meant" {
	write_noisy
	"$TUNER" run job.jsonc --quiet
	touch hold
	start "$TUNER" confirm job
	await sh -c '[ "$(wc -l <starts)" -ge 7 ]'
	kill -KILL "$PID"
	wait "$PID" || true
	run "$TUNER" confirm job --show
	[ "$status" -eq 0 ]
	[[ "$(flat)" == *"No repeat has given a result yet. It is not finished: 0 of 15"* ]]
	rm hold
	run "$TUNER" confirm --quiet
	[ "$status" -eq 0 ]
	[[ "$output" == *"job job-confirm (the newest of 2)"*"job job, whose best it trains again"* ]]
	[ "$(shown '.ended')" -eq 15 ]
	[ "$(awk '$1 == "job-confirm" { print $2 }' starts | sort -un | wc -l)" -eq 15 ]
	sql_is "SELECT count(*) FROM job" 2
	"$TUNER" verify
}

# bats test_tags=plain
@test "left out, the job is the search again once its confirmation has ended" {
	write_noisy
	"$TUNER" run job.jsonc --quiet
	[ "$("$TUNER" status --json | jq -r .job)" = job ]
	touch hold
	start "$TUNER" confirm job --top 1 --repeats 2
	await sh -c '[ "$(wc -l <starts)" -ge 7 ]'
	# While it runs it is what is meant.
	[ "$("$TUNER" status --json | jq -r .job)" = job-confirm ]
	"$TUNER" stop
	finished
	[ "$status" -eq 130 ] || [ "$status" -eq 143 ] || [ "$status" -eq 0 ]
	[ "$("$TUNER" status --json 2>told | jq -r .job)" = job ]
	grep -q 'job job (the newest of 2, but for what confirms another)' told
	rm hold
	"$TUNER" confirm --quiet --top 1 --repeats 2
	for command in status best "why best" importance; do
		# shellcheck disable=SC2086 # a command and its argument
		"$TUNER" $command >/dev/null 2>told
		grep -q '^job job (the newest' told
	done
	[ "$("$TUNER" status job-confirm --json | jq -r .job)" = job-confirm ]
	"$TUNER" jobs | grep -q '^job-confirm .*(confirms job)$'
	# A job of a later day is newer than both; and one that is only called so confirms nothing.
	"$TUNER" run job.jsonc --name other-confirm --quiet
	[ "$("$TUNER" status --json 2>/dev/null | jq -r .job)" = other-confirm ]
	"$TUNER" run job.jsonc --name other --quiet
	[ "$("$TUNER" status --json 2>/dev/null | jq -r .job)" = other ]
}

# bats test_tags=plain
@test "arms, early stopping and ends of the search are no part of it" {
	write_noisy '"arms": { "a": "random", "b": "sobol" }, "repeats": 2, "early_stopping": "median",'
	sed -i '/"strategy"/d' job.jsonc
	"$TUNER" run job.jsonc --quiet --trials 4
	run "$TUNER" confirm job --quiet --repeats 2
	[ "$status" -eq 0 ]
	sql_is "SELECT count(*) FROM v_trial WHERE job = 'job-confirm' AND arm = ''" 6
	sql "SELECT file FROM job WHERE name = 'job-confirm'" >file
	run grep -E 'arms|early_stopping' file
	[ "$status" -eq 1 ]
}

@test "a repeat that fails is counted, and one with a result says nothing about chance" {
	write_noisy
	"$TUNER" run job.jsonc --quiet
	echo "job-confirm.$("$TUNER" best job --params | jq -r .x)" >crash
	run "$TUNER" confirm job --quiet --repeats 1
	[ "$status" -eq 0 ]
	[[ "$output" == *"0 of 1"* ]]
	[[ "$(flat)" == *"one repeat of a configuration says nothing about chance"* ]]
	[ "$(shown '.second.separated')" = false ]
	[ "$(shown '.configurations[0].interval | tostring')" = "[null,null]" ]
}

# bats test_tags=plain
@test "a repeat with an infinite objective has no part in the mean" {
	write_job
	cat >train.sh <<'END'
if [ "$TUNER_JOB" = job-confirm ] && [ "$TUNER_TRIAL" -le 3 ]; then echo loss=inf; else echo "loss=$2"; fi
END
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" confirm job --quiet --repeats 4
	[ "$status" -eq 0 ]
	[[ "$output" != *nan* && "$output" == *" of 4"* ]]
	[ "$(shown '[.configurations[].mean | numbers] | length')" -eq "$(shown '.configurations | length')" ]
	[ "$(shown '.second.difference | type')" = number ]
}

@test "of a search that was scored anew nothing is compared with the repeats until they are, too" {
	write_job
	sed -i 's/"metrics": \[/&{ "name": "gain", "regex": "gain=([-+0-9.e]+)" }, /' job.jsonc
	echo 'awk -v x="$2" "BEGIN { print \"gain=\" 90 + x }"' >>train.sh
	"$TUNER" run job.jsonc --quiet
	"$TUNER" confirm job --quiet --top 1 --repeats 2
	"$TUNER" rescore job --set objective.metric=gain --set objective.goal=maximize
	# The repeats' means are of the old objective.
	run "$TUNER" confirm job --show
	[ "$status" -eq 0 ]
	[[ "$(flat)" == *": loss = "* && "$(flat)" != *"gain = "* ]]
	[[ "$(flat)" == *'"tuner rescore job-confirm --set objective=...'* ]]
	[ "$(shown '.configurations[0] | "\(.seen) \(.optimism)"')" = "null null" ]
	run "$TUNER" confirm job --quiet --top 1 --repeats 2
	[ "$status" -eq 2 ]
	eval "$(sed -n 's/.*score them by the new one: tuner/"$TUNER"/p' <<<"$output")"
	run "$TUNER" confirm job --show
	[[ "$(flat)" == *": gain = "* && "$(flat)" != *"scored by another"* ]]
}

@test "an infinite result of the search is compared with no mean" {
	write_job
	cat >train.sh <<'END'
if [ "$TUNER_JOB" = job ] && [ "$TUNER_TRIAL" = 2 ]; then echo loss=-inf; else echo "loss=$2"; fi
END
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" confirm job --quiet --repeats 2
	[ "$status" -eq 0 ]
	[[ "$(flat)" == *"The search's own best, trial 2, had -inf, which no mean can be compared with."* ]]
	[[ "$(flat)" != *"inf better"* ]]
}

# bats test_tags=plain
@test "without noise the best is separated" {
	write_job
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" confirm job --quiet --repeats 2
	[ "$status" -eq 0 ]
	[[ "$(flat)" == *"its repeats are all the same"* ]]
	[[ "$(flat)" == *"they are separated"* ]]
	[ "$(shown '.second.p_value')" = 0 ]
}

@test "where all results are the same it says so, without a sign or a difference of 0" {
	write_job '"first": [{ "x": 0.9 }],'
	echo 'echo loss=0.1' >train.sh
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" confirm job --quiet --repeats 3
	[ "$status" -eq 0 ]
	[[ "$(flat)" == *"had 0.1, which is also its mean now; its repeats are all the same. The second, "*"has the same mean: a tie. " ]]
	run grep -E -- '-0| 0 (better|behind)|gains' <<<"$(flat)"
	[ "$status" -eq 1 ]
	[ "$(shown '.configurations[0].optimism | tostring')" = 0 ]
}

@test "its sentences are as wide as the terminal, or 100 columns" {
	write_noisy '"first": [{ "x": 0.9 }],'
	"$TUNER" run job.jsonc --quiet
	"$TUNER" confirm job --quiet | sed -n '/^Trial/,$p' >out
	[ "$(grep -c . out)" -gt 5 ]
	python3 -c 'import sys; sys.exit(max(len(line.rstrip("\n")) for line in open("out", encoding="utf-8")) > 100)'
	NO_COLOR=1 script -qec "stty cols 60; '$TUNER' confirm job --show" typescript >/dev/null
	tr -d '\r' <typescript | grep -v '^Script' >shown
	python3 -c 'import sys; sys.exit(max(len(line.rstrip("\n")) for line in open("shown", encoding="utf-8")) > 60)'
	grep -q "Welch's" shown
}

@test "what cannot be confirmed is refused with a word on why" {
	write_noisy
	run "$TUNER" confirm job
	[ "$status" -eq 2 ]
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" confirm job --show
	[ "$status" -eq 2 ]
	[[ "$output" == *"nothing of job job has been confirmed yet"* ]]
	run "$TUNER" confirm job --top 50 --repeats 1000
	[ "$status" -eq 2 ]
	[[ "$output" == *"ask for fewer --repeats"* ]]
	run "$TUNER" confirm job --top 0
	[ "$status" -eq 2 ]
	"$TUNER" run job.jsonc --quiet --trials 1 --name "$(printf 'n%.0s' $(seq 93))"
	run "$TUNER" confirm
	[ "$status" -eq 2 ]
	[[ "$output" == *"a name has at most 100 bytes"* ]]
	touch job-confirm
	run "$TUNER" confirm job
	[ "$status" -eq 2 ]
	[[ "$output" == *"a file here is called "* ]]
	rm job-confirm
	"$TUNER" confirm job --json --top 1 --repeats 2 2>lines >json
	jq -e '.ended == 2' json
	grep -q 'trial 2 ' lines
}

@test "a configuration that the edited space has no more is left out" {
	write_noisy
	"$TUNER" run job.jsonc --quiet
	"$TUNER" run job.jsonc --quiet --trials 8 --set "parameters.x.min=0.8" --set "parameters.x.max=1.5"
	run "$TUNER" confirm job --quiet --repeats 1 --top 2
	[ "$status" -eq 0 ]
	sql_is "SELECT min(json_extract(parameters, '\$.x')) >= 0.8, count(*) FROM v_trial WHERE job = 'job-confirm'" "1|2"
}

@test "a search that is called JOB-confirm is none of repeats" {
	write_noisy
	"$TUNER" run job.jsonc --quiet
	"$TUNER" run job.jsonc --quiet --name job-confirm --set 'first=[{"x": 0.5}]'
	run "$TUNER" confirm job --show
	[ "$status" -eq 2 ]
	[[ "$output" == *"nothing of job job has been confirmed yet"* ]]
	run "$TUNER" confirm job --quiet
	[ "$status" -eq 2 ]
	[[ "$output" == *'the repeats would be a job "job-confirm", but there is one already, of '*'/job.jsonc: '* ]]
	"$TUNER" report job --format md -o - | grep -q '^Nothing was trained again'
}

@test "nothing is enqueued among the repeats: it would take the place of one" {
	write_noisy
	"$TUNER" run job.jsonc --quiet
	"$TUNER" confirm job --quiet --top 1 --repeats 1
	run "$TUNER" enqueue job-confirm x=0.125
	[ "$status" -eq 2 ]
	[[ "$output" == *'job job-confirm only trains the best of job job again: use "tuner enqueue job PARAMETERS"'* ]]
	"$TUNER" confirm job --quiet --top 1 --repeats 3
	[ "$(shown '.configurations[].repeats')" = 3 ]
	[[ "$("$TUNER" confirm job --show)" != *"was edited"* ]]
}

@test "a command that was edited since what the search had seen is told of" {
	write_noisy
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" run job.jsonc --quiet --trials 7 --set fixed.depth=3 --accept-change
	[ "$status" -eq 0 ]
	run "$TUNER" confirm job --quiet --top 1 --repeats 1
	[ "$status" -eq 0 ]
	[[ "$(flat)" == *'The search saw 1 of them before its "fixed.depth" was edited: the difference may come from that.'* ]]
}

@test "code that was edited since the search is told of" {
	write_noisy
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" confirm job --quiet --top 1 --repeats 1
	[[ "$output" != *"no trial of the search had"* ]]
	[ "$(shown .other_code)" = false ]
	echo "# edited" >>train.sh
	run "$TUNER" confirm job --quiet --top 1 --repeats 2
	[ "$status" -eq 0 ]
	[[ "$(flat)" == *"The repeats found code that no trial of the search had"* ]]
	[ "$(shown .other_code)" = true ]
}
