#!/usr/bin/env bats
# A database on a network file system: who writes, who reads, who asks, and what becomes of those who are killed.

load run/common

net_setup() {
	[ -e "$TUNER_BUILD/tests/libnetwork_fs.so" ] || skip "this build has no network file system to play"
	export ASAN_OPTIONS="${ASAN_OPTIONS-}:verify_asan_link_order=0"
}

# on HOST COMMAND...: tuner there.
on() {
	local host=$1
	shift
	env NETWORK_FS_HOST="$host" LD_PRELOAD="$TUNER_BUILD/tests/libnetwork_fs.so" "$TUNER" "$@"
}

# start_on HOST COMMAND...
start_on() {
	local host=$1
	shift
	start env NETWORK_FS_HOST="$host" LD_PRELOAD="$TUNER_BUILD/tests/libnetwork_fs.so" "$TUNER" "$@"
}

# run_apart COMMAND...: run, with standard error in $stderr.
run_apart() {
	status=0
	output=$("$@" 2>stderr) || status=$?
	stderr=$(cat stderr)
}

# That a query of the copy gives this.
copy_is() { # QUERY VALUE
	[ "$(sqlite3 -readonly tuner.db.copy "$1")" = "$2" ]
}

trials_started() { # N
	[ -e starts ] && [ "$(lines_of starts)" -ge "$1" ]
}

# A run on node1 whose second and third trial wait, and that has made a copy in which the first has started.
held_run() {
	net_setup
	TRIALS=${TRIALS:-4} PARALLEL=2 write_job
	touch hold-2 hold-3
	start_on node1 run job.jsonc
	await trials_started 3
	await test -s tuner.db.copy
}

release() {
	rm hold-2 hold-3
}

teardown() {
	[ ! -e "$DIR/tuner.db" ] || on node1 stop --db "$DIR/tuner.db" >/dev/null 2>&1 || true
	local pid
	for pid in "${STARTED[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	cd /
	rm -rf "$DIR"
}

@test "a job runs to its end, in a rollback journal, and leaves the database, a copy and no lease" {
	net_setup
	TRIALS=6 PARALLEL=2 write_job
	on node1 run --quiet job.jsonc
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 6
	[ "$(sql 'PRAGMA journal_mode')" = delete ]
	[ "$(echo tuner.db*)" = "tuner.db tuner.db-journal tuner.db.copy tuner.db.d" ] ||
		[ "$(echo tuner.db*)" = "tuner.db tuner.db.copy tuner.db.d" ] ||
		[ "$(echo tuner.db*)" = "tuner.db tuner.db-journal tuner.db.copy tuner.db.copy.old tuner.db.d" ]
	copy_is "SELECT count(*) FROM trial WHERE state = 'done'" 6
	on node2 verify
	# And on a local disk afterwards.
	"$TUNER" run --quiet job.jsonc --trials 7
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 7
	sql_is "PRAGMA journal_mode" wal
	on node2 run --quiet job.jsonc --trials 8
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 8
}

@test "readers on any machine read the copy while it runs, and say how old it is" {
	held_run
	for host in node1 node2; do
		for command in status trials jobs "show 1" "logs 1" best; do
			# shellcheck disable=SC2086
			run_apart on $host $command
			[ "$status" -eq 0 ] || [ "$command" = best ] || { echo "$command: $output $stderr"; false; }
			[[ "$stderr" == *"as of "*" ago"* ]] || { echo "$command: $stderr"; false; }
		done
	done
	run_apart on node2 status --json
	[ "$(jq -r .trials.running <<<"$output" 2>/dev/null)" != "" ]
	release
	finished
	[ "$status" -eq 0 ]
	run_apart on node2 status
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ "$output" == *"4"* ]]
}

@test "a second run is refused, on the same machine and on another, and says whose it is" {
	held_run
	run on node1 run job.jsonc
	[ "$status" -eq 5 ]
	[[ "$output" == *"in use by process $PID on node1"* ]]
	[[ "$output" != *"--take-over"* ]]
	run on node2 run job.jsonc
	[ "$status" -eq 5 ]
	[[ "$output" == *"in use by process $PID on node1"* ]]
	[[ "$output" == *"--take-over"* ]]
	run on node1 run job.jsonc --take-over
	[ "$status" -eq 2 ]
	[[ "$output" == *"That process lives"* ]]
	release
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT count(*) FROM attempt" 4
}

@test "stop, enqueue, retry and hosts reach the run from another machine" {
	held_run
	run on node2 enqueue job x=0.125
	[ "$status" -eq 0 ]
	[[ "$output" == *"next in line"* ]]
	run on node2 enqueue job x=7
	[ "$status" -eq 2 ]
	run on node2 hosts drain nowhere job
	[ "$status" -eq 2 ]
	run on node2 hosts add job.jsonc
	[ "$status" -eq 0 ]
	[[ "$output" == *"it already has all of these hosts"* ]]
	run on node2 retry job --trial 1
	[ "$status" -eq 2 ]
	run on node2 stop job
	[ "$status" -eq 0 ]
	[[ "$output" == *"2 running trials are being stopped"* ]]
	release
	finished
	sql_is "SELECT count(*) FROM request WHERE answered_us IS NULL" 0
	sql_is "SELECT count(*) FROM request WHERE verb = 'enqueue' AND NOT refused" 1
	[ -z "$(ls -A tuner.db.requests)" ]
}

@test "after a kill the same machine goes on at once, another one on a word" {
	held_run
	kill -KILL "$PID"
	finished
	[ -s tuner.db.lease ]
	run on node2 run --quiet job.jsonc
	[ "$status" -eq 5 ]
	[[ "$output" == *"on node1"*"--take-over"* ]]
	[ "$(lines_of starts)" -eq 3 ]
	release
	on node1 run --quiet job.jsonc
	sql_is "SELECT count(*), sum(state = 'done') FROM trial" "4|4"
	sql_is "SELECT count(*) FROM attempt" 4
	on node1 verify
}

@test "another machine takes over from a dead one, and what the dead one had begun goes on or is tried again" {
	held_run
	kill -KILL "$PID"
	finished
	release
	on node2 run --quiet job.jsonc --take-over
	sql_is "SELECT count(*), sum(state = 'done') FROM trial" "4|4"
	[ ! -e tuner.db.lease ]
	on node1 verify
}

@test "who was taken over from though it lived writes nothing more, says so and ends" {
	held_run
	kill -STOP "$PID"
	# Its lock on the file would be in the way of the other; on a machine that died nobody has it.
	on node2 stop job --take-over >stopped 2>&1 &
	other=$!
	await grep -q "was taken over" stopped
	kill -CONT "$PID"
	finished
	[ "$status" -eq 5 ]
	grep -q "no longer ours: it was taken over" output
	grep -q "writes nothing more" output
	wait "$other"
	sql_is "SELECT count(*) FROM trial WHERE state = 'running'" 0
	on node2 verify
	release
	on node1 run --quiet job.jsonc
	sql_is "SELECT sum(state = 'done') FROM trial" 4
}

@test "ask and tell of several machines wait for each other" {
	net_setup
	TRIALS=100 write_job
	on node1 ask job.jsonc --json >/dev/null
	for host in node1 node2 node3; do
		for i in 1 2 3 4; do
			number=$(on $host ask job --json | jq -r '.trials[0].trial // .trial')
			on $host tell job "$number" 0.5
		done &
	done
	wait
	sql_is "SELECT count(*), count(DISTINCT number) FROM trial WHERE state = 'done'" "12|12"
	[ ! -e tuner.db.lease ]
	on node1 verify
}

@test "watch looks on from another machine until the run has ended" {
	held_run
	on node2 watch --interval 100ms >watched 2>&1 3>&- &
	watcher=$!
	STARTED+=("$watcher")
	release
	finished
	[ "$status" -eq 0 ]
	wait "$watcher"
	grep -q "trial *4\|  4 " watched || { cat watched; false; }
}

@test "what was killed in the middle of a copy, a request or the lease's making is no hindrance" {
	net_setup
	TRIALS=2 write_job
	on node1 run --quiet job.jsonc
	echo torn >tuner.db.copy.part
	echo '{"job":' >tuner.db.requests.draft
	mkdir -p tuner.db.requests
	echo '{"job":' >tuner.db.requests/1.request
	echo >tuner.db.lease.0123
	on node1 run --quiet job.jsonc --trials 3
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 3
	[ -e tuner.db.requests/1.request.bad ]
	copy_is "SELECT count(*) FROM trial WHERE state = 'done'" 3
}
