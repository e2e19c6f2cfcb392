#!/usr/bin/env bats
# A kill at any system call loses nothing and runs nothing twice. A sample of the calls, spread evenly;
# tests/kill_everywhere.py --all kills at every one, and says what is checked. The sanitized build has half as many kills, and so at
# other places; with SANITIZED_ALL=1 as many.

kills() { # N
	if [ -z "${SANITIZED_ALL-}" ] && grep -q __asan_init "$TUNER"; then echo $((($1 + 1) / 2)); else echo "$1"; fi
}

survives() { # KIND [OPTION...]
	harness_says kill_everywhere.py --kind "$@"
}

harness_says() { # HARNESS [OPTION...]
	run /usr/bin/python3 "$BATS_TEST_DIRNAME/$1" "${@:2}"
	[ "$status" -ne 77 ] || skip "${output##*$'\n'}"
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "killed at any call, the program goes on with the same configurations" {
	survives program --kills "$(kills 6)"
}

@test "killed at any call, no decision of the model is lost and the cap is exact" {
	survives bayesian --kills "$(kills 6)" --changes
}

@test "killed while it recovers from a kill, it recovers from both" {
	survives recovery --kills "$(kills 6)" --changes
}

@test "killed while it ends trials early, it ends them" {
	survives stops --kills "$(kills 5)" --changes
}

@test "killed while it records and removes what trials have saved, the best lose nothing" {
	survives keep --kills "$(kills 5)" --changes
}

@test "a supervisor killed at any call is lost, and its command dead before the retry" {
	survives supervisor --kills "$(kills 9)" --changes
}

@test "program and supervisors killed at once, the next run goes on" {
	survives both --kills "$(kills 5)"
}

@test "enqueue, ask, tell and retry, killed at any call, are taken once or not at all" {
	harness_says kill_commands.py --case enqueue --case ask --case tell --case retry --kills "$(kills 4)" --changes
}

@test "the same where they ask a running tuner, and stop" {
	harness_says kill_commands.py --case enqueue-beside --case retry-beside --case stop-beside --kills "$(kills 3)" --changes
}

@test "killed at any call, a program whose trials run on another host takes them over" {
	survives remote --kills "$(kills 6)" --changes
}
