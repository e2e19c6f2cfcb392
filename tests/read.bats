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
	[[ "${lines[0]}" == *"proposed by"*"x"*"loss"* ]]
	[ "$(grep -c 'best$' <<<"$output")" -eq 1 ]
	"$TUNER" trials job --json >trials.json
	jq -e 'length == 5 and all(.[]; .state == "done")' trials.json
	jq -e '[.[] | select(.best)][0].objective == ([.[].objective] | min)' trials.json
	best=$(jq '[.[].objective] | min' trials.json)
	"$TUNER" trials --sort objective --limit 1 --json | jq -e ".[0].objective == $best"
	"$TUNER" trials --limit 2 --json | jq -e '[.[].trial] == [4, 5]'
	run "$TUNER" trials --state failed
	[[ "$output" == *"no such trial"* ]]
	run "$TUNER" trials --sort size
	[ "$status" -eq 2 ]
	run "$TUNER" trials --state dune
	[ "$status" -eq 2 ]
}

@test "show tells all about a trial" {
	finished_job
	run "$TUNER" show 1
	[ "$status" -eq 0 ]
	[[ "$output" == *"x = 0.9"* ]]
	[[ "$output" == *"proposed by user"* ]]
	[[ "$output" == *"exit status 0"* ]]
	[[ "$output" == *"tuner.db.d/job/0001/1"* ]]
	"$TUNER" show job 1 --json | jq -e '.launches[0].exit_code == 0 and .metrics.loss[0].value == .objective'
	run "$TUNER" show 99
	[ "$status" -eq 2 ]
	run "$TUNER" show one
	[ "$status" -eq 2 ]
}

@test "best prints the command, the parameters and the model" {
	finished_job
	"$TUNER" best --params >params
	x=$(jq .x params)
	run "$TUNER" best --command
	[ "$output" = "cd $(pwd -P) && sh train.sh --x $x" ]
	sh -c "$output" | grep -q '^loss='
	run "$TUNER" best --model
	[ "$status" -eq 2 ]
	[[ "$output" == *"TUNER_MODEL_DIR"* ]]
	"$TUNER" best --json | jq -e ".parameters.x == $x"
	run "$TUNER" best
	[[ "$output" == *"trial 1 had"* ]]
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

@test "a job without a result: best ends with 4, the others say so" {
	TRIALS=2 write_job
	"$TUNER" run job.jsonc -- true || true
	run "$TUNER" best
	[ "$status" -eq 4 ]
	run "$TUNER" status
	[ "$status" -eq 0 ]
	[[ "$output" == *"no-metric 2"* ]]
	"$TUNER" status --json | jq -e '.best == null and .causes["no-metric"] == 2'
	"$TUNER" jobs --json | jq -e '.[0].state == "failed"'
}

@test "logs prints the output, its end, and follows until the trial ends" {
	TRIALS=1 PARALLEL=1 write_job
	"$TUNER" run job.jsonc --name lines -- sh -c 'seq 1 100000; echo loss=1'
	[ "$("$TUNER" logs 1 | wc -l)" -eq 100001 ]
	[ "$("$TUNER" logs lines 1 --tail 2)" = $'100000\nloss=1' ]
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
}

@test "status and watch look at a running job" {
	write_job
	touch hold
	start "$TUNER" run job.jsonc
	await sql_is "SELECT count(*) FROM attempt WHERE state = 'running'" 1
	run "$TUNER" status
	[[ "$output" == *"run by process $PID"* ]]
	[[ "$output" == *"running for"* ]]
	"$TUNER" status --json | jq -e ".runner == $PID and .trials.running >= 1"
	timeout 60 "$TUNER" watch job --interval 50ms >watched 3>&- &
	watcher=$!
	STARTED+=("$watcher")
	rm hold
	wait "$watcher"
	finished
	[ "$(grep -c '^trial .*done' watched)" -eq 6 ]
	grep -q 'job job: done' watched
	run "$TUNER" watch --interval 1us
	[ "$status" -eq 2 ]
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
}

@test "a database that is no database is refused" {
	echo "this is not a database, but long enough to look at it" >tuner.db
	for command in jobs status trials; do
		run "$TUNER" $command
		[ "$status" -eq 2 ]
	done
	run "$TUNER" run /dev/null
	[ "$status" -eq 2 ]
}

@test "version and help" {
	"$TUNER" version --json | jq -e '.tuner and .sqlite and .gsl'
	run "$TUNER" help
	[ "$status" -eq 0 ]
	for command in init check try schema run watch status stop enqueue jobs trials show logs best version; do
		[[ "$output" == *"  $command "* ]]
		"$TUNER" help "$command" | grep -q "usage: tuner $command"
	done
	run "$TUNER" help nosuch
	[ "$status" -eq 2 ]
}
