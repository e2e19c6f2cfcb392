#!/usr/bin/env bats
# The hosts of a job: listed, taken out of use, and back.

load run/common

n_starts_is() { # N
	[ -e starts ] && [ "$(lines_of starts)" -eq "$1" ]
}

@test "a drained host starts nothing more, and the job waits until it is in use again" {
	TRIALS=6 PARALLEL=2 write_job
	touch hold-3 hold-4
	start "$TUNER" run job.jsonc --set 'hosts=[{"name": "here", "gpus": "none"}]'
	await n_starts_is 4
	run "$TUNER" hosts drain here
	[ "$status" -eq 0 ]
	[[ "$output" == *"nothing more is started on here; 2 trials still run there"* ]]
	[ "$("$TUNER" hosts --json | jq -r '.[] | .host + " " + .state + " " + (.running | tostring)')" = "here draining 2" ]
	rm hold-3 hold-4
	await sh -c "$TUNER hosts --json | jq -e '.[0].state == \"drained\" and .[0].done == 4'"
	kill -0 "$PID"
	n_starts_is 4
	run "$TUNER" hosts resume here
	[ "$status" -eq 0 ]
	finished
	[ "$status" -eq 0 ]
	n_starts_is 6
	sql_is "SELECT group_concat(json_extract(data, '$.state')) FROM event WHERE kind = 'host'" draining,resumed
	"$TUNER" verify
}

@test "draining holds for the next run" {
	TRIALS=2 write_job
	"$TUNER" run job.jsonc --quiet
	"$TUNER" hosts drain "$(hostname)"
	start "$TUNER" run job.jsonc --trials 4
	await grep -q 'goes on' output
	run "$TUNER" hosts resume "$(hostname)"
	[[ "$output" == *"is in use again"* ]]
	finished
	[ "$status" -eq 0 ]
	n_starts_is 4
}

@test "what the hosts command does not understand" {
	TRIALS=1 write_job
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" hosts drain nowhere
	[ "$status" -eq 2 ]
	[[ "$output" == *'no host "nowhere"'*'"tuner hosts job" lists them'* ]]
	run "$TUNER" hosts drain
	[ "$status" -eq 2 ]
	[[ "$output" == *"which host?"* ]]
	run "$TUNER" hosts job other
	[ "$status" -eq 2 ]
	run "$TUNER" hosts nojob
	[ "$status" -eq 2 ]
	run "$TUNER" check job.jsonc --set 'hosts=[{"name": "a b"}]'
	[ "$status" -eq 2 ]
	[[ "$output" == *"hosts.0.name"* ]]
}

@test "a local host may have fewer slots than the job runs trials" {
	TRIALS=4 PARALLEL=4 write_job
	touch hold
	start "$TUNER" run job.jsonc --set 'hosts=[{"slots": 2, "gpus": "none"}]' --set budget.start_failures=9
	await n_starts_is 1
	rm hold
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT max(slot) FROM attempt" 1
}
