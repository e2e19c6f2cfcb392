#!/usr/bin/env bats
# Disks that fill up or are read-only, files that are removed, logs that are full, clocks that jump, limits: each
# has its outcome (docs/recovery.md), and the next run goes on. tests/fail_everywhere.py lets every system call fail.

load run/common

done_trials="SELECT count(*) FROM trial WHERE state = 'done'"

# The job comes to its end, whatever happened before, and the database is sound.
comes_through() { # TRIALS
	run "$TUNER" run job.jsonc
	echo "$output"
	[ "$status" -eq 0 ]
	sql_is "$done_trials" "$1"
	sql_is "SELECT count(*) FROM trial" "$1"
	run "$TUNER" verify
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$(cut -d' ' -f1,2 starts | sort | uniq -d)" ]
}

# A shell in a mount namespace of its own, where it may mount.
with_mounts() { # SCRIPT ARGUMENT...
	unshare -rm sh -ec "$@"
}

needs_mounts() {
	with_mounts 'mount -t tmpfs none "$0"' "$DIR" 2>/dev/null || skip "this machine lets nobody mount"
}

# Values that a sitting found before it failed must stay.
objectives() {
	sql "SELECT number, objective FROM trial WHERE state = 'done' ORDER BY number"
}

fails() { # OPTION...
	local sample="--faults 2"
	# Fewer, and others: the second error, and for ever. SANITIZED_ALL=1: as in the plain build.
	if [ -z "${SANITIZED_ALL-}" ] && grep -q __asan_init "$TUNER"; then sample="--faults 1 --variant 3"; fi
	# shellcheck disable=SC2086 # words
	run /usr/bin/python3 "$BATS_TEST_DIRNAME/fail_everywhere.py" $sample "$@"
	[ "$status" -ne 77 ] || skip "${output##*$'\n'}"
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "whatever system call of the program fails, nothing is lost" {
	fails --victim program
}

# A descriptor that cannot be taken off the list may be told of when its attempt is gone.
@test "without descriptors nothing is looked for in what is gone" {
	fails --victim program --kind descriptor --at 14-17 --for-ever
}

@test "whatever system call of a supervisor fails, nothing is lost" {
	fails --victim supervisor
}

@test "a full disk ends the run with a message, and the next one goes on" {
	needs_mounts
	TRIALS=20 write_job
	sed -i '1a head -c 40000 /dev/zero | tr "\\0" x' train.sh
	mkdir disk
	# Of 1 MiB. Its content is taken away to where there is more room.
	with_mounts 'mount -t tmpfs -o size=1m none disk; set +e
		"$0" run job.jsonc --db disk/tuner.db >output 2>&1
		echo $? >status
		cp -R disk/. rest' "$TUNER"
	cat output
	[ "$(cat status)" -eq 5 ]
	grep -q "no space left\|budget.failures" output
	mv rest/* .
	before=$(objectives)
	[ -n "$before" ]
	comes_through 20
	[ "$(objectives | head -n "$(wc -l <<<"$before")")" = "$before" ] ||
		[ -z "$(comm -23 <(sort <<<"$before") <(objectives | sort))" ]
}

@test "a database that may grow no further is told of, and goes on where it may" {
	TRIALS=6 write_job
	"$TUNER" run job.jsonc --trials 1 --quiet
	before=$(objectives)
	run bash -c "ulimit -f 100; exec '$TUNER' run job.jsonc"
	echo "$output"
	[ "$status" -eq 5 ]
	[[ "$output" == *"tuner.db"*"File too large"*"ulimit -f"*"run again"* ]]
	[ -z "$(comm -23 <(sort <<<"$before") <(objectives | sort))" ]
	comes_through 6
}

@test "a command's output that finds no room is an attempt of the machine's, not the configuration's" {
	needs_mounts
	TRIALS=1 PARALLEL=1 write_job '"backoff": 0, "retries": 1,'
	cat >train.sh <<'END_OF_SCRIPT'
echo "$TUNER_TRIAL $TUNER_ATTEMPT" >>starts
[ "$TUNER_ATTEMPT" -gt 1 ] || head -c 3000000 /dev/zero | tr '\0' x
[ "$TUNER_ATTEMPT" -gt 1 ] || echo
echo loss=1
END_OF_SCRIPT
	mkdir disk
	with_mounts 'mkdir disk/tuner.db.d; mount -t tmpfs -o size=1m none disk/tuner.db.d; set +e
		"$0" run job.jsonc --db disk/tuner.db >output 2>&1
		echo $? >status' "$TUNER"
	cat output
	cd disk
	sql_is "SELECT outcome || ': ' || message LIKE 'disk-full: % could not be stored%' FROM attempt WHERE number = 1" 1
	sql_is "SELECT count(*) FROM trial WHERE outcome = 'no-metric'" 0
}

@test "without /dev/null nothing is launched, and what is missing is told" {
	needs_mounts
	TRIALS=1 write_job
	# shellcheck disable=SC2016 # for that shell
	with_mounts 'exec 3</dev/null; mount -t tmpfs none /dev; set +e
		"$0" run job.jsonc <&3 >output 2>&1
		echo $? >status
		"$0" try job.jsonc <&3 >output.try 2>&1
		echo $? >status.try' "$TUNER"
	cat output output.try
	[ "$(cat status)" -eq 5 ]
	grep -q "/dev/null cannot be used (No such file or directory)" output
	grep -q "/dev/null cannot be used (No such file or directory)" output.try
	[ ! -e starts ]
	comes_through 1
}

@test "a umask that would take our own files from us leaves them to us" {
	TRIALS=2 write_job
	(umask 0777 && "$TUNER" run job.jsonc --quiet)
	[ "$(stat -c %a tuner.db)" = 600 ]
	[ "$(stat -c %a tuner.db.d/job/0001/1)" = 700 ]
	comes_through 2
}

@test "a read-only database is refused before anything runs, and can be read" {
	needs_mounts
	TRIALS=2 write_job
	mkdir disk
	"$TUNER" run job.jsonc --quiet --db disk/tuner.db
	with_mounts 'mount --bind disk disk; mount -o remount,bind,ro disk; set +e
		"$0" run job.jsonc --trials 3 --db disk/tuner.db >output 2>&1
		echo $? >status
		"$0" best job --db disk/tuner.db >best 2>&1
		echo $? >status.best' "$TUNER"
	cat output best
	[ "$(cat status)" -eq 2 ]
	grep -q "cannot be written to (Read-only file system)" output
	[ "$(cat status.best)" -eq 0 ]
	[ "$(lines_of starts)" -eq 2 ]
}

# bats test_tags=plain
@test "an attempt directory that is removed while it runs: the attempt is lost, its command dead, the trial retried" {
	TRIALS=2 PARALLEL=1 write_job '"backoff": 0,'
	touch hold-1
	start "$TUNER" run job.jsonc
	await sql_is "SELECT state FROM attempt" running
	command=$(jq .command_pid tuner.db.d/job/0001/1/started)
	rm -r tuner.db.d/job/0001/1
	await test -s tuner.db.d/job/0001/2/started
	is_dead "$command"
	rm hold-1
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT group_concat(outcome || ' ' || message) FROM attempt WHERE trial = 1" \
		"lost its directory is gone, and what became of it,ok "
	comes_through 2
}

@test "output that is removed before it was read: the attempt is lost, not its configuration" {
	TRIALS=3 PARALLEL=3 write_job '"backoff": 0,'
	sed -i 's/^while/echo loss=7; while/' train.sh # so that what is missed is not the only value
	touch hold-1 hold-2
	start "$TUNER" run job.jsonc
	await sql_is "SELECT count(*) FROM metric JOIN attempt a ON a.id = attempt WHERE a.trial IN (1, 2)" 2
	rm tuner.db.d/job/0001/1/output.log
	kill -KILL "$PID"
	wait "$PID" || true
	rm tuner.db.d/job/0002/1/output.log
	rm hold-1 hold-2
	await test -s tuner.db.d/job/0002/1/exit.json
	await test -s tuner.db.d/job/0001/1/exit.json
	"$TUNER" run job.jsonc
	sql_is "SELECT group_concat(outcome) FROM (SELECT outcome FROM attempt WHERE trial IN (1, 2) ORDER BY number)" lost,lost,ok,ok
	sql_is "SELECT DISTINCT message LIKE 'the last % of its output were removed before they were read' FROM attempt WHERE outcome = 'lost'" 1
	sql_is "SELECT count(*) FROM trial WHERE state = 'done' AND objective < 7" 3
	comes_through 3
}

@test "what cannot be looked at between two runs may live: the run ends and names it, and nothing runs beside it" {
	TRIALS=2 PARALLEL=1 write_job '"backoff": 0,'
	touch hold-1
	start "$TUNER" run job.jsonc
	await test -s tuner.db.d/job/0001/1/started
	kill -KILL "$PID"
	finished
	for file in lock started; do
		mv "tuner.db.d/job/0001/1/$file" kept
		ln -s "$file" "tuner.db.d/job/0001/1/$file" # a loop: it is there, and cannot be opened
		run timeout 60 "$TUNER" run job.jsonc
		echo "$output"
		[ "$status" -eq 5 ]
		[[ "$(flat)" == *"0001/1"* ]]
		mv kept "tuner.db.d/job/0001/1/$file"
	done
	[ ! -e tuner.db.d/job/0001/2 ]
	rm hold-1
	comes_through 2
	[ "$(lines_of starts)" -eq 2 ]
}

@test "all of DATABASE.d removed between two runs: what ran is ended first, then the trial retried" {
	TRIALS=3 PARALLEL=1 write_job '"backoff": 0,'
	# It pays no heed to SIGTERM.
	sed -i '1i trap "" TERM' train.sh
	touch hold-2
	start "$TUNER" run job.jsonc
	await sql_is "SELECT count(*) FROM attempt WHERE trial = 2 AND state = 'running'" 1
	command=$(jq .command_pid tuner.db.d/job/0002/1/started)
	kill -KILL "$PID"
	finished
	rm -r tuner.db.d
	start "$TUNER" run job.jsonc
	await test -s tuner.db.d/job/0002/2/started
	is_dead "$command"
	rm hold-2
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT group_concat(outcome) FROM attempt WHERE trial = 2" lost,ok
	comes_through 3
}

# bats test_tags=plain
@test "a database that is removed or replaced under a job, or its log, is written elsewhere, and goes on from there" {
	TRIALS=4 PARALLEL=1 write_job
	for how in removed replaced log; do
		rm -rf tuner.db* starts
		touch hold-3
		start "$TUNER" run job.jsonc
		await grep -q '^3 1' starts
		[ $how = log ] || rm -f tuner.db tuner.db-shm
		rm -f tuner.db-wal
		if [ $how = replaced ]; then echo "another file" >tuner.db; fi
		finished
		cat output
		[ "$status" -eq 5 ]
		grep -q "tuner.db.* was removed or replaced.*tuner.db.rescued" output
		[ "$(stat -c %a tuner.db.rescued)" = 600 ]
		mv tuner.db.rescued tuner.db
		sql_is "$done_trials" 2
		rm hold-3
		comes_through 4
		[ "$(lines_of starts)" -eq 4 ]
	done
}

@test "a run in a copy of a database, made while that was in use, ends nothing of it" {
	mkdir first && cd first
	TRIALS=2 PARALLEL=1 write_job '"backoff": 0,'
	touch hold-1
	start "$TUNER" run job.jsonc
	await sql_is "SELECT state FROM attempt" running
	for what in . tuner.db; do
		mkdir -p ../copy && cp -r "$what" ../copy/
		cp job.jsonc train.sh ../copy/
		sqlite3 tuner.db ".backup ../copy/tuner.db"
		(cd ../copy && rm -f hold-1 tuner.db-* && "$TUNER" run job.jsonc >said && cat said)
		grep -q "a copy of its database: it runs on there, in .*first/tuner.db.d/job/0001/1" ../copy/said
		[ "$(sqlite3 ../copy/tuner.db "SELECT count(*) FROM trial WHERE state = 'done'")" -eq 2 ]
		rm -r ../copy
		sql_is "SELECT group_concat(state) FROM attempt" running
	done
	rm hold-1
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT group_concat(outcome) FROM attempt" ok,ok
	# Moved without its directory, it is the one, and what ran is ended before it runs again.
	rm -r tuner.db* starts
	touch hold-1
	start "$TUNER" run job.jsonc
	await sql_is "SELECT state FROM attempt" running
	command=$(jq .command_pid tuner.db.d/job/0001/1/started)
	kill -KILL "$PID"
	wait "$PID" || true
	mkdir ../moved && mv tuner.db tuner.db-wal ../moved/
	cp job.jsonc train.sh ../moved/
	(cd ../moved && "$TUNER" run job.jsonc)
	is_dead "$command"
}

@test "a lock that somebody removes is made anew, and keeps a second run out" {
	TRIALS=3 PARALLEL=1 write_job
	touch hold-2
	start "$TUNER" run job.jsonc
	await grep -q '^2 1' starts
	rm tuner.db.lock
	await test -s tuner.db.lock
	run "$TUNER" run job.jsonc
	[ "$status" -eq 5 ]
	[[ "$output" == *"is in use by the process with pid $PID"* ]]
	rm hold-2
	finished
	[ "$status" -eq 0 ]
	[ "$(lines_of starts)" -eq 3 ]
	# Who was faster has it: the other one ends.
	rm -rf tuner.db* starts
	touch hold-2
	start "$TUNER" run job.jsonc
	await grep -q '^2 1' starts
	kill -STOP "$PID"
	rm tuner.db.lock
	exec 7>tuner.db.lock
	flock 7
	kill -CONT "$PID"
	finished
	[ "$status" -eq 5 ]
	grep -q "tuner.db.lock was removed while it was locked" output
	exec 7>&-
	rm hold-2
	comes_through 3
	[ "$(lines_of starts)" -eq 3 ]
}

@test "an objective that was dropped before it was read is told of as that" {
	TRIALS=1 PARALLEL=1 write_job '"log_max": "64 KiB",'
	cat >train.sh <<'END_OF_SCRIPT'
touch begun
while [ ! -e go ]; do sleep 0.02; done
echo "loss=1"
head -c 200000 /dev/zero | tr '\0' '\n'
touch ended
END_OF_SCRIPT
	start "$TUNER" run job.jsonc
	await test -e begun
	kill -STOP "$PID"
	touch go
	await test -e ended
	kill -CONT "$PID"
	finished
	sql_is "SELECT outcome FROM attempt" no-metric
	sql "SELECT message FROM trial" | grep "came faster than they were read"
}

# bats test_tags=plain
@test "a full log: no metric before a cut is lost, and none after it, also for a run that takes over" {
	TRIALS=1 PARALLEL=1 write_job '"log_max": "64 KiB",'
	# Each report waits until it has been found, behind more output than half the log holds.
	cat >train.sh <<'END_OF_SCRIPT'
echo "$TUNER_TRIAL $TUNER_ATTEMPT" >>starts
for i in 1 2 3 4 5 6 7 8; do
	head -c 20000 /dev/zero | tr '\0' '\n'
	echo "loss=$i"
	head -c 10000 /dev/zero | tr '\0' x
	echo
	while [ ! -e go-$i ]; do sleep 0.02; done
done
END_OF_SCRIPT
	start "$TUNER" run job.jsonc
	for i in 1 2 3 4 5 6 7 8; do
		await sql_is "SELECT metric_count FROM trial" $i
		if [ $i -eq 4 ]; then
			[ "$(ls tuner.db.d/job/0001/1 | grep -c '^output\.0')" -eq 1 ]
			kill -KILL "$PID"
			finished
			touch go-$i
			await grep -q loss=5 tuner.db.d/job/0001/1/output.log
			start "$TUNER" run job.jsonc
		else
			touch go-$i
		fi
	done
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT group_concat(step || '=' || value) FROM metric" \
		"1=1.0,2=2.0,3=3.0,4=4.0,5=5.0,6=6.0,7=7.0,8=8.0"
	[ "$(cat tuner.db.d/job/0001/1/output*.log | wc -c)" -le 65536 ]
	comes_through 1
}

# bats test_tags=plain
@test "a wall clock that jumps by days ends nothing, delays nothing, and no duration is wrong" {
	[ -e "$TUNER_BUILD/tests/libclock_shift.so" ] || skip "this build has no clock to shift"
	TRIALS=4 PARALLEL=2 write_job '"backoff": "100ms", "timeout": "1h",'
	echo 0 >shift
	touch hold-3 hold-4
	export CLOCK_SHIFT="$DIR/shift" ASAN_OPTIONS="$ASAN_OPTIONS:verify_asan_link_order=0"
	start env LD_PRELOAD="$TUNER_BUILD/tests/libclock_shift.so" "$TUNER" run job.jsonc
	await sql_is "SELECT count(*) FROM attempt WHERE state = 'running' AND trial IN (3, 4)" 2
	echo 864000 >shift
	kill -KILL "$(jq .command_pid tuner.db.d/job/0003/1/started)"
	await test -s tuner.db.d/job/0003/2/started
	echo -1728000 >shift
	rm hold-4
	await sql_is "SELECT state FROM trial WHERE number = 4" done
	kill -KILL "$PID"
	finished
	kill -KILL "$(jq .command_pid tuner.db.d/job/0003/2/started)"
	rm hold-3
	# Not for ten days, either, does it wait after it was restarted under a clock that had gone back.
	start env LD_PRELOAD="$TUNER_BUILD/tests/libclock_shift.so" "$TUNER" run job.jsonc
	finished
	unset CLOCK_SHIFT
	[ "$status" -eq 0 ]
	sql_is "SELECT count(*) FROM v_host_use WHERE busy_s NOT BETWEEN 0 AND 300" 0
	sql_is "SELECT runtime_us BETWEEN 1 AND 300000000 FROM job" 1
	sql_is "SELECT group_concat(outcome) FROM attempt WHERE trial = 3" oom-host,oom-host,ok
	comes_through 4
}

# ends_under LIMIT WORDS COMMAND...: it ends by itself, and where it fails says why. Sets $status.
ends_under() {
	local limit=$1 words=$2
	shift 2
	status=0
	bash -c "ulimit $limit; exec timeout -k 1 60 \"\$@\"" bash "$@" >said 2>&1 || status=$?
	echo "$limit, $*: $status: $(cat said)"
	[ "$status" -lt 128 ] && [ "$status" -ne 124 ] && { [ "$status" -eq 0 ] || grep -qi "$words" said; }
}

@test "too few descriptors, too little memory: it says so, and goes on with more" {
	TRIALS=4 PARALLEL=2 write_job
	for limit in "-n 6" "-n 10" "-n 14" "-v 60000" "-v 150000"; do
		# A sanitizer needs its terabytes.
		if [[ $limit == -v* ]] && grep -q __asan_init "$TUNER"; then continue; fi
		ends_under "$limit" "open files\|files open\|memory\|start_failures\|budget.failures\|shared object" "$TUNER" run job.jsonc
	done
	comes_through 4
}

@test "with too little memory for a model every command ends, says so, and goes on with more" {
	grep -q __asan_init "$TUNER" && skip "a sanitizer needs its terabytes"
	TRIALS=8 write_job
	sed -i 's/"strategy": "random"/"strategy": "bayesian"/' job.jsonc
	grep -q bayesian job.jsonc
	for limit in 30000 45000 60000 75000; do
		for command in "run job.jsonc" "status job" "importance job"; do
			# shellcheck disable=SC2086 # a command and its argument
			ends_under "-v $limit" "memory\|too few\|no database\|no job" "$TUNER" $command
		done
	done
	bash -c "ulimit -v 600000; exec '$TUNER' run job.jsonc"
	comes_through 8
}

@test "a path that is too long for SQLite is told as that, and another place for the database will do" {
	TRIALS=2 write_job
	deep=$PWD
	while [ "${#deep}" -lt 510 ]; do
		deep+=/$(printf 'd%.0s' {1..60})
	done
	mkdir -p "$deep"
	cp job.jsonc train.sh "$deep"
	short=$PWD/short.db
	cd "$deep"
	run "$TUNER" run job.jsonc
	[ "$status" -eq 2 ]
	[[ "$output" == *"another place with --db: SQLite takes paths of 504 bytes at most"* ]]
	run "$TUNER" run job.jsonc --db "$deep/tuner.db"
	[ "$status" -eq 2 ]
	[[ "$output" == *"another place with --db: SQLite takes paths of 504 bytes at most"* ]]
	"$TUNER" run job.jsonc --db "$short"
}

@test "without /proc, what cannot be found for that is told, and naming it is enough" {
	needs_mounts
	write_job
	unset TUNER_SUPERVISE
	grep -q __asan_init "$TUNER" && skip "a sanitizer needs /proc"
	run with_mounts 'mount -t tmpfs none /proc && exec "$0" run job.jsonc' "$TUNER"
	echo "$output"
	[ "$status" -eq 2 ]
	[[ "$output" == *"without /proc"* ]]
	TUNER_SUPERVISE=$TUNER_BUILD/scheduler/tuner-supervise run with_mounts 'mount -t tmpfs none /proc && exec "$0" run job.jsonc' "$TUNER"
	echo "$output"
	[ "$status" -eq 0 ]
}

# bats test_tags=plain
@test "a signal to end is not held up by a program that sits on the write lock" {
	TRIALS=3 PARALLEL=1 write_job '"backoff": "10ms",'
	touch hold
	start "$TUNER" run job.jsonc
	await test -s starts
	mkfifo sit
	sqlite3 tuner.db <sit >sat 2>&1 3>&- &
	STARTED+=("$!")
	exec 7>sit
	echo "BEGIN IMMEDIATE; SELECT 'sits';" >&7
	await grep -q sits sat
	kill -TERM "$PID"
	await is_dead "$PID" # in 5 s, not in the minute for which a run waits that is not to end
	finished
	[ "$status" -eq 5 ] || { echo "$status"; cat output; false; }
	grep -q 'another process is writing to it' output
	exec 7>&-
	rm hold
	"$TUNER" run job.jsonc --quiet
	sql_is "SELECT group_concat(state) FROM trial" done,done,done
	[ -z "$(cut -d' ' -f1,2 starts | sort | uniq -d)" ]
	"$TUNER" verify
}
