#!/usr/bin/env bats
# tuner doctor: what is wrong, and what to do about it.

load run/common

# Whether a finding of this code is among them.
finds() { # CODE [JOB]
	"$TUNER" doctor --json ${2-} | jq -e --arg code "$1" 'any(.findings[]; .code == $code)' >/dev/null
}

lacks() { # CODE: `!` alone fails no test
	if finds "$1"; then return 1; fi
}

@test "without a database it looks at the machine" {
	run "$TUNER" doctor
	[[ "$output" == *"this machine"* ]]
	run "$TUNER" doctor nosuch
	[ "$status" -eq 2 ]
	[ ! -e tuner.db ]
}

@test "a limit on open files that is too low is told of, with the way out" {
	run bash -c "ulimit -Sn 50; '$TUNER' doctor"
	[ "$status" -eq 1 ]
	[[ "$output" == *"may open 50 files"*"ulimit -n"* ]]
	[ "$(bash -c "ulimit -Sn 50; '$TUNER' doctor --json" | jq -r '.findings[0].code')" = limit-files ]
}

# bats test_tags=plain
@test "a job that goes well has no findings, and exit status 0" {
	TRIALS=12 write_job
	"$TUNER" run job.jsonc --quiet
	"$TUNER" doctor job --json >findings
	# Of the machine there may be some.
	[ "$(jq '[.findings[] | select(.about != "machine")] | length' findings)" -eq 0 ]
	[ "$(jq -r .job findings)" = job ]
	run "$TUNER" doctor
	[ "$status" -eq "$([ "$(jq '.findings | length' findings)" -eq 0 ] && echo 0 || echo 1)" ]
}

@test "patterns that never match, failures and bounds are found" {
	TRIALS=20 STRATEGY=sobol PARALLEL=1 MIN=0.31 write_job
	sed -i 's/"metrics": \[/&{ "name": "speed", "regex": "speed=([0-9]+)" }, /' job.jsonc
	sed -i '1a if [ $((TUNER_TRIAL % 3)) -eq 0 ]; then echo "CUDA out of memory"; exit 1; fi' train.sh
	# The best at the bound, and those after it near it.
	for x in 0.31 0.311 0.312 0.313 0.314; do "$TUNER" run job.jsonc --quiet --trials 1 >/dev/null; "$TUNER" enqueue job x=$x; done
	"$TUNER" run job.jsonc --quiet
	finds pattern-never-matched
	finds failures
	finds best-at-bound
	lacks metric-never-came
	lacks timeout-near
	run "$TUNER" doctor
	[ "$status" -eq 1 ]
	[[ "$output" == *'"speed" never came'*"tuner check"* ]]
	[[ "$output" == *"ended as oom-gpu"* ]]
	[[ "$output" == *"parameters.x.min"* ]]
}

# bats test_tags=plain
@test "a command that prints nothing, and one that was left behind" {
	TRIALS=2 PARALLEL=1 write_job
	sed -i '/"metrics"/d' job.jsonc
	touch hold
	start "$TUNER" run job.jsonc
	await test -s starts
	kill -KILL "$PID"
	finished
	finds abandoned
	rm hold
	"$TUNER" run job.jsonc || true
	lacks abandoned
	finds metric-never-came
}

@test "a process that sits on the write lock is named" {
	TRIALS=2 write_job
	"$TUNER" run job.jsonc --quiet
	[ "$(stat -f -c %T .)" != overlayfs ] || skip "the kernel's list of locks has other inodes here"
	mkfifo sit
	sqlite3 tuner.db <sit &
	STARTED+=("$!")
	exec 7>sit
	echo "BEGIN IMMEDIATE; INSERT INTO request (job, verb, argument, created_us) VALUES (1, 'x', '{}', 1);" >&7
	await test -s tuner.db-shm
	await finds write-lock
	# By a link, too: the lock lies beside its target.
	mkdir beside
	ln -s ../tuner.db beside/link.db
	TUNER_DB=beside/link.db await finds write-lock
	exec 7>&-
}

@test "the page lists every code, and no other" {
	sed -n "s/.*finding_add([^\"]*\"[a-z]*\", *\"\([a-z-]*\)\".*/\1/p" \
		<(tr -d '\n\t' <"$BATS_TEST_DIRNAME/../tuner/doctor.c" | sed 's/finding_add/\n&/g') \
		<(tr -d '\n\t' <"$BATS_TEST_DIRNAME/../tuner/doctor_job.c" | sed 's/finding_add/\n&/g') \
		<(tr -d '\n\t' <"$BATS_TEST_DIRNAME/../tuner/cmd_doctor.c" | sed 's/finding_add/\n&/g') | sort -u >codes
	[ "$(wc -l <codes)" -ge 20 ]
	grep '^| \(machine\|database\|job\) ' "$BATS_TEST_DIRNAME/../docs/doctor.md" | cut -d'|' -f3 |
		grep -o '`[a-z-]*`' | tr -d '`' | sort -u >documented
	diff codes documented
}
