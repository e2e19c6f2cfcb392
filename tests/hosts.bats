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
	run "$TUNER" hosts drain here --json # it would be told in words
	[ "$status" -eq 2 ]
	[[ "$output" == *"--json goes with the list"* ]]
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
	[ "$(grep '^host ' output)" = 'host here was drained: nothing is started on it before "tuner hosts resume here"
host here is in use again' ]
	"$TUNER" verify
	"$TUNER" hosts drain here
	start "$TUNER" run job.jsonc --set 'hosts=[{"name": "here", "gpus": "none"}]' --trials 7
	await grep -q '^host here was drained: nothing is started on it before' output
	"$TUNER" hosts resume here
	finished
	n_starts_is 7
}

# bats test_tags=plain
@test "what an earlier run left on a host of another machine keeps its slot" {
	mkdir bin
	printf '#!/bin/sh\nfor word; do :; done\nexec /bin/sh -c "$word"\n' >bin/ssh
	chmod +x bin/ssh
	export PATH=$DIR/bin:$PATH XDG_RUNTIME_DIR=$DIR
	TRIALS=3 PARALLEL=2 write_job
	host='hosts=[{"backend": "ssh", "address": "there", "directory": "'$DIR'/there", "sync": "none", "gpus": "none", "slots": 1}]'
	touch hold-2
	start "$TUNER" run job.jsonc --set "$host"
	await n_starts_is 2
	await sh -c '[ "$(sqlite3 -readonly tuner.db "SELECT count(*) FROM attempt WHERE state = '"'running'"'")" = 1 ]'
	kill -KILL "$PID"
	wait "$PID" || true
	start "$TUNER" run job.jsonc --set "$host"
	await grep -q 'host there answers' output
	sleep 1
	n_starts_is 2
	rm hold-2
	finished
	[ "$status" -eq 0 ]
	n_starts_is 3
	sql_is "SELECT max(b.started_us < a.ended_us) FROM attempt a JOIN attempt b ON b.id > a.id" 0
}

# A host behind an ssh that goes nowhere. Its trial 1 is held while `tuner` is killed; $host is what --set takes.
leave_a_trial_on_a_host() {
	mkdir bin
	printf '#!/bin/sh\nfor word; do :; done\nexec /bin/sh -c "$word"\n' >bin/ssh
	chmod +x bin/ssh
	export PATH=$DIR/bin:$PATH XDG_RUNTIME_DIR=$DIR
	TRIALS=1 write_job '"backoff": 0,'
	sed -i '1i echo $$ >>pids; exec 9>>alive; flock -n 9 || echo "$TUNER_ATTEMPT" >>beside' train.sh
	host='hosts=[{"backend": "ssh", "address": "there", "directory": "'$DIR'/there", "sync": "none", "gpus": "none", "slots": 1}]'
	touch hold
	start "$TUNER" run job.jsonc --set "$host"
	await n_starts_is 1
	await sh -c '[ "$(sqlite3 -readonly tuner.db "SELECT count(*) FROM attempt WHERE state = '"'running'"'")" = 1 ]'
	kill -KILL "$PID"
	wait "$PID" || true
}

@test "gc removes nothing that is needed to find what runs on a host" {
	leave_a_trial_on_a_host
	"$TUNER" gc --unknown
	start "$TUNER" run job.jsonc --set "$host"
	await grep -q 'host there answers' output
	rm hold
	finished
	[ "$status" -eq 0 ]
	n_starts_is 1
	"$TUNER" verify
}

@test "all of DATABASE.d removed between two runs: what runs on a host is ended before its trial is retried" {
	leave_a_trial_on_a_host
	rm -r tuner.db.d
	start "$TUNER" run job.jsonc --set "$host"
	await n_starts_is 2
	is_dead "$(head -n 1 pids)"
	rm hold
	finished
	[ "$status" -eq 0 ]
	[ ! -e beside ]
	sql_is "SELECT group_concat(outcome) FROM attempt" lost,ok
	"$TUNER" verify
}

right_results() {
	sql_is "SELECT max(abs(objective - (json_extract(parameters, '$.x') - 0.3) * (json_extract(parameters, '$.x') - 0.3))) < 1e-9 FROM trial" 1
}

@test "a copy of a database has places of its own on its hosts, and ends nothing of what runs for the first" {
	leave_a_trial_on_a_host
	mkdir copy
	cp -r tuner.db* job.jsonc train.sh copy
	start "$TUNER" run job.jsonc --set "$host" --trials 2
	await grep -q 'host there answers' output
	cd copy
	sed -i 's/"max": 1/"max": 100/' job.jsonc
	"$TUNER" run job.jsonc --set "$host" --trials 2 >said
	grep -q 'lost .*this is a copy of its database: it runs on there' said
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 2
	right_results
	n_starts_is 2
	cd ..
	rm hold
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT group_concat(outcome) FROM attempt" ok,ok
	right_results
	n_starts_is 2
	# A moved one goes on where it was.
	mkdir moved
	mv tuner.db* moved
	cp job.jsonc train.sh moved
	cd moved
	"$TUNER" run job.jsonc --set "$host" --trials 3 --quiet
	[ "$(find "$DIR/there" -maxdepth 1 -name 'job-*' | wc -l)" -eq 2 ]
}

# bats test_tags=plain
@test "an older state that was put back takes nothing that lies on a host for its own" {
	mkdir bin
	printf '#!/bin/sh\nfor word; do :; done\nexec /bin/sh -c "$word"\n' >bin/ssh
	chmod +x bin/ssh
	export PATH=$DIR/bin:$PATH XDG_RUNTIME_DIR=$DIR
	TRIALS=1 write_job '"backoff": 0, "retries": 0,'
	host='hosts=[{"backend": "ssh", "address": "there", "directory": "'$DIR'/there", "sync": "none", "gpus": "none", "slots": 1}]'
	"$TUNER" run job.jsonc --quiet --set "$host"
	cp tuner.db older
	"$TUNER" run job.jsonc --quiet --set "$host" --trials 2
	mv older tuner.db
	sed -i 's/"max": 1/"max": 100/' job.jsonc
	run "$TUNER" run job.jsonc --set "$host" --trials 2
	echo "$output"
	[[ "$output" == *"0002/1, is an attempt of another database, or of a later state of this one: remove .hosts/id"* ]]
	sql_is "SELECT group_concat(state || ' ' || outcome) FROM trial" "done ok,failed launch-failed"
	n_starts_is 2
	rm tuner.db.d/job/.hosts/id
	"$TUNER" retry --trial 2
	"$TUNER" run job.jsonc --quiet --set "$host" --trials 2
	right_results
	n_starts_is 3
}

@test "draining holds for the next run" {
	TRIALS=2 write_job
	"$TUNER" run job.jsonc --quiet
	"$TUNER" hosts drain "$(hostname)"
	start "$TUNER" run job.jsonc --trials 4
	await grep -q '(resumed)' output
	run "$TUNER" hosts resume "$(hostname)"
	[[ "$output" == *"is in use again"* ]]
	finished
	[ "$status" -eq 0 ]
	n_starts_is 4
}

@test "a host that is called like this machine beside it is refused before anything is launched" {
	TRIALS=1 write_job
	here=$(hostname)
	two() { # NAME of this machine's entry
		"$TUNER" run job.jsonc --quiet --set \
			"hosts=[{$1\"gpus\": \"none\"}, {\"backend\": \"ssh\", \"address\": \"nowhere\", \"name\": \"$here\"}]"
	}
	run two ''
	[ "$status" -eq 2 ]
	[[ "$(flat)" == *"two of the job's hosts are called \"$here\""*'give one of them another "name"'* ]]
	[ ! -e starts ]
	two '"name": "here", '
	[ "$(lines_of starts)" -eq 1 ]
}

@test "slurmrestd cannot be spoken to without libcurl, and nothing else needs it" {
	mkdir lib
	touch lib/libcurl.so.4 lib/libcurl-gnutls.so.4 # found first, and no libraries
	export LD_LIBRARY_PATH=$PWD/lib
	write_job
	run "$TUNER" run job.jsonc --quiet --set 'hosts=[{"backend": "slurm", "url": "http://127.0.0.1:1", "user": "me", "slots": 1}]'
	[ "$status" -eq 2 ]
	[[ "$(flat)" == *"through libcurl, which cannot be loaded"*'or leave "url" out, and sbatch and squeue are used'* ]]
	[ ! -e starts ]
	"$TUNER" run job.jsonc --quiet
	n_starts_is 6
}

@test "a host that the file no longer names is told of with what it did, and is not used" {
	TRIALS=2 write_job
	"$TUNER" run job.jsonc --quiet --set 'hosts=[{"name": "old", "gpus": "none"}]'
	"$TUNER" run job.jsonc --quiet --set 'hosts=[{"name": "new", "gpus": "none"}]' --trials 5
	"$TUNER" hosts --json >said
	[ "$(jq -r '.[] | .host + " " + .state + " " + (.done | tostring)' said)" = $'new in use 3\nold gone 2' ]
	"$TUNER" hosts | grep -q '^old .*gone'
	run "$TUNER" hosts drain old
	[ "$status" -eq 2 ]
}

@test "what the hosts command does not understand" {
	TRIALS=1 write_job
	"$TUNER" run job.jsonc --quiet
	# A command's own failures are none of the host's, and times are told as elsewhere.
	"$TUNER" hosts | grep -q 'failures of its own'
	"$TUNER" hosts | grep -q '  *1  *0  *[0-9.]*\(ms\|s\)$'
	run grep ' 0\.0s' <<<"$("$TUNER" hosts)"
	[ "$status" -eq 1 ]
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

# bats test_tags=plain
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

# ---- hosts that are added while the job runs ----

# Lets these hosts be reached by an `ssh` of ours: each is a directory of its own here. Nobody else is.
reach() { # HOST...
	local host
	for host in "$@"; do mkdir -p "far/$host"; done
	mkdir -p bin
	cat >bin/ssh <<END
#!/bin/sh
for word; do host=\$command command=\$word; done
cd "$DIR/far/\$host" 2>/dev/null || { echo "ssh: connect to host \$host: No route to host" >&2; exit 255; }
HOME=\$PWD exec /bin/sh -c "\$command"
END
	chmod +x bin/ssh
	export PATH="$DIR/bin:$PATH" XDG_RUNTIME_DIR="$DIR"
}

far() { # NAME [MORE]
	echo "{\"backend\": \"ssh\", \"address\": \"$1\", \"gpus\": \"none\", \"sync\": \"none\", \"slots\": 1${2+, $2}}"
}

HERE='{"name": "here", "gpus": "none", "slots": 1}'

# edit FILE HOST...: job.jsonc with these hosts.
edit() {
	local file=$1 IFS=,
	shift
	sed "s|\"hosts\": .*|\"hosts\": [$*],|" job.jsonc >edited
	mv edited "$file"
}

states_are() { # "HOST STATE, ..."
	[ "$("$TUNER" hosts job --json | jq -r 'map(.host + " " + .state) | join(", ")')" = "$1" ]
}

# A job whose first trial has ended and whose second runs here; the third waits for a place.
held_here() {
	TRIALS=${TRIALS:-4} PARALLEL=${PARALLEL:-3} write_job "${1-}"
	edit job.jsonc "$HERE"
	touch hold-2 hold-3
	start "$TUNER" run job.jsonc
	await n_starts_is 2
}

# bats test_tags=plain
@test "a running job gets the hosts that its edited file has more" {
	reach h2 h3
	TRIALS=5 held_here
	edit job.jsonc "$HERE" "$(far h2)" "$(far h3)"
	run "$TUNER" hosts add job.jsonc
	echo "$output"
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = 'job job: added: h2, h3; the job has 1 slot now, and as soon as they answer those of h2, h3; at most 3 of all are used at a time (budget.parallel)' ]
	[ "$(printf '%s\n' "${lines[@]:1}" | sort | paste -sd' ')" = "h2 answers h3 answers" ]
	await n_starts_is 5 # the third waits on one of them, and the others run on the other
	sql_is "SELECT group_concat(DISTINCT backend), count(DISTINCT host) FROM attempt WHERE trial > 2" "ssh|2"
	grep -q 'host h2 answers' output
	states_are "here in use, h2 in use, h3 in use"
	run "$TUNER" hosts add job.jsonc
	[ "$output" = "job job: it already has all of these hosts" ]
	"$TUNER" hosts drain h3
	states_are "here in use, h2 in use, h3 drained" || states_are "here in use, h2 in use, h3 draining"
	rm hold-2 hold-3
	finished
	[ "$status" -eq 0 ]
	n_starts_is 5
	sql_is "SELECT count(*) FROM event WHERE kind = 'edited' AND json_extract(data, '$.changes') LIKE '%hosts.1.name: (not there) -> \"h2\"%'" 1
	# The edited file is the job's own.
	run "$TUNER" run job.jsonc --trials 6
	echo "$output"
	[ "$status" -eq 0 ]
	[[ "$output" == *"budget.trials: 5 -> 6"* ]]
	[[ "$output" != *"(not there)"* ]]
	"$TUNER" replay
	"$TUNER" verify
}

# bats test_tags=plain
@test "a host at which nothing can be launched is left alone, and does not end the job" {
	TRIALS=16 PARALLEL=2 write_job '"backoff": "100ms",'
	sed -i '1a sleep 0.1' train.sh
	reach h2
	edit job.jsonc "$HERE" "$(far h2 '"prefix": ["/no/such/environment"]')"
	start "$TUNER" run job.jsonc
	finished
	cat output
	[ "$status" -eq 0 ]
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 16
	sql_is "SELECT count(*) <= 4 FROM attempt WHERE outcome = 'launch-failed'" 1
	grep -q 'host h2 is avoided for a while, since there are others: 2 attempts in a row failed there, the last as launch-failed: .*/no/such/environment' output
	states_are "here in use, h2 down"
	run "$TUNER" doctor
	[ "$status" -eq 1 ]
	failed=$(sql "SELECT count(*) FROM attempt WHERE outcome = 'launch-failed'") # 2; on a slow machine it is tried again
	[[ "$output" == *"host h2 was unusable when last tried: $failed attempts in a row failed"* ]]
	# Mended, it is used, and is told so.
	edit job.jsonc "$HERE" "$(far h2)"
	"$TUNER" run job.jsonc --quiet --trials 22
	states_are "here in use, h2 in use"
	sql_is "SELECT count(*) > 0 FROM attempt WHERE backend = 'ssh' AND outcome = 'ok'" 1
	run "$TUNER" doctor
	[[ "$output" != *"unusable"* ]]
	"$TUNER" verify
}

# bats test_tags=plain
@test "what a host that is left alone has failed at does not count after a kill either" {
	TRIALS=30 PARALLEL=2 write_job '"backoff": "100ms",'
	sed -i '1a sleep 0.1' train.sh
	reach h2
	edit job.jsonc "$HERE" "$(far h2 '"prefix": ["/no/such/environment"]')"
	touch hold-9
	start "$TUNER" run job.jsonc --set budget.failures=5
	await grep -q '^9 ' starts
	# After a rest it is tried once more, and fails.
	await sql_is "SELECT count(*) > 2 FROM attempt WHERE outcome = 'launch-failed'" 1
	kill -KILL "$PID"
	wait "$PID" || true
	excused="SELECT count(*) FROM event WHERE json_extract(data, '$.excused')"
	[ "$(sql "$excused")" -ge 1 ]
	rm hold-9
	start "$TUNER" run job.jsonc --set budget.failures=5
	finished
	[ "$status" -eq 0 ]
	# Two failed before it was left alone, and two more before that in the second run, however long each took.
	sql_is "SELECT count(*) - ($excused) FROM attempt WHERE outcome = 'launch-failed'" 4
}

@test "what a host that is left alone fails at does not make the command look broken" {
	TRIALS=40 write_job '"backoff": "100ms",'
	sed -i '1a sleep 1; exit 1' train.sh
	reach h2
	edit job.jsonc "$(far h2 '"prefix": ["/no/such/environment"]')" "$HERE"
	# It is tried once more after 10 s; of what fails here, 12 take longer.
	run "$TUNER" run job.jsonc --quiet --set budget.start_failures=14
	[ "$status" -eq 3 ]
	sql_is "SELECT count(*) > 0 FROM event WHERE json_extract(data, '$.excused')" 1
	sql_is "SELECT (SELECT count(*) FROM attempt WHERE outcome != 'ok') -
		(SELECT count(*) FROM event WHERE json_extract(data, '$.excused'))" 14
}

# bats test_tags=plain
@test "what else is different in the file waits for the next run, and is said" {
	reach h2
	PARALLEL=1 held_here '"retries": 1,'
	edit job.jsonc "$(far h2)"
	sed -i 's/"trials": 4/"trials": 9/; s/"retries": 1/"retries": 2/; s/"train.sh"/"train.sh", "-"/' job.jsonc
	run "$TUNER" hosts add job.jsonc
	echo "$output"
	[ "$status" -eq 0 ]
	[[ "$output" == *"added: h2;"*"at most 1 of all are used at a time (budget.parallel)"* ]]
	[[ "$output" == *'here is no longer in job.jsonc, but stays in use: "tuner hosts drain here job" ends that'* ]]
	[[ "$output" == *'take effect at the next "tuner run", which needs --accept-change:'*"budget.trials: 4 -> 9"* ]]
	[[ "$output" == *"retries: 1 -> 2"* ]]
	await grep -q 'host h2 answers' output
	n_starts_is 2
	rm hold-2 hold-3
	finished
	[ "$status" -eq 0 ]
	n_starts_is 4
	states_are "here in use, h2 in use"
}

# bats test_tags=plain
@test "the settings of a host that the job has are not changed by adding others" {
	reach h2
	held_here
	edit job.jsonc '{"name": "here", "gpus": "none", "slots": 3}' "$(far h2)"
	run "$TUNER" hosts add job.jsonc
	[ "$status" -eq 0 ]
	[[ "$output" == *'added: h2;'*'take effect at the next "tuner run":'*"hosts.0.slots: 1 -> 3"* ]]
	[[ "$output" != *"hosts.1"* ]]
	await n_starts_is 3
	rm hold-2 hold-3
	finished
	sql_is "SELECT max(slot) FROM attempt WHERE backend = 'local'" 0
}

@test "a host that nobody reaches is added, and does not hold the others up" {
	reach h2
	held_here
	edit job.jsonc "$HERE" "$(far h9)"
	run "$TUNER" hosts add job.jsonc
	[ "$status" -eq 0 ]
	[[ "$output" == *"added: h9; the job has 1 slot now, and as soon as they answer those of h9"*"h9 does not answer yet: "*"No route to host"* ]]
	await states_are "here in use, h9 down"
	[[ "$("$TUNER" hosts)" == *"h9"*"No route to host"* ]]
	mkdir far/h9
	await n_starts_is 3
	sql_is "SELECT host FROM attempt WHERE trial = 3" h9
	rm hold-2 hold-3
	finished
	[ "$status" -eq 0 ]
	n_starts_is 4
}

@test "hosts that cannot be added" {
	reach h2
	held_here
	add() { # WORDS...: refused
		run "$TUNER" hosts add "$@"
		echo "$output"
		[ "$status" -eq 2 ]
	}
	add
	[[ "$output" == *"add: which job file?"* ]]
	add nosuch.jsonc
	[[ "$output" == *'no file "nosuch.jsonc"'* ]]
	add job.jsonc job more
	[[ "$output" == *'"more" is one word too many'* ]]
	echo '{"hosts": [' >broken.jsonc
	add broken.jsonc job
	add job.jsonc --set "hosts=[$(far h2), $(far h2)]"
	[[ "$output" == *'expected another name for each host, found "h2" twice'* ]]
	add job.jsonc --set "hosts=[$HERE, $(far x '"name": "here"')]"
	[[ "$output" == *'found "here" twice'* ]]
	add job.jsonc --set "hosts=[$(far x '"name": "here"')]"
	[[ "$output" == *'job job already has a host "here" with the backend local'* ]]
	add job.jsonc --set "hosts=[$(far x "\"name\": \"$(hostname)\""), {\"gpus\": \"none\"}]"
	[[ "$output" == *"two of the file's hosts are called \"$(hostname)\""* ]]
	add job.jsonc --set "hosts=[$(for i in $(seq 65); do echo "$(far "x$i"),"; done) $HERE]"
	[[ "$output" == *"64"* ]]
	add job.jsonc --set "hosts=[$(far h2)]" --set objective.goal=maximize
	[[ "$output" == *'job.jsonc is not the file of job "job"'*"objective.goal"* ]]
	add job.jsonc --set "hosts=[$(far h2)]" --set seed=7
	[[ "$output" == *"seed: "*"give them here as well"* ]]
	cp job.jsonc other.jsonc
	add other.jsonc
	[[ "$output" == *'has no job "other"'*'"tuner hosts add other.jsonc JOB"'* ]]
	mkdir sub
	cp job.jsonc train.sh sub/
	add sub/job.jsonc --set "hosts=[$(far h2)]"
	[[ "$output" == *"runs in $DIR, that of sub/job.jsonc would run in $DIR/sub"* ]]
	run "$TUNER" hosts --set seed=7
	[ "$status" -eq 2 ]
	sql_is "SELECT count(*) FROM event WHERE kind = 'edited'" 0
	states_are "here in use"
	rm hold-2 hold-3
	finished
	[ "$status" -eq 0 ]
}

@test "a run that cannot have a host goes on without it" {
	reach h2
	mkdir programs
	cp "$(dirname "${TUNER_SUPERVISE:-$TUNER_BUILD/scheduler/tuner-supervise}")"/tuner-{supervise,agent} programs/
	TUNER_SUPERVISE="$DIR/programs/tuner-supervise" held_here
	rm programs/tuner-agent # as while another version is installed
	run "$TUNER" hosts add job.jsonc --set "hosts=[$HERE, $(far h2)]"
	echo "$output"
	[ "$status" -eq 2 ]
	[[ "$output" == *"no hosts were added: "*"tuner-agent"* ]]
	states_are "here in use"
	rm hold-2 hold-3
	finished
	[ "$status" -eq 0 ]
	n_starts_is 4
	sql_is "SELECT count(*) FROM event WHERE kind = 'edited'" 0
}

@test "hosts for a job that does not run are left to the next run" {
	reach h2
	TRIALS=2 write_job
	edit job.jsonc "$HERE"
	run "$TUNER" hosts add job.jsonc
	[ "$status" -eq 2 ] # there is no database
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" hosts add job.jsonc
	[ "$status" -eq 0 ]
	[ "$output" = "job job: it already has all hosts of job.jsonc" ]
	edit other.jsonc "$HERE" "$(far h2)"
	run "$TUNER" hosts add other.jsonc job
	[ "$status" -eq 0 ]
	[ "$output" = 'job job: no "tuner run" is running it; the next one with other.jsonc uses h2' ]
	states_are "here in use"
	sql_is "SELECT count(*) FROM request" 0
}

@test "hosts are not added to a run that is about to end" {
	reach h2
	held_here
	"$TUNER" stop --wait job
	run "$TUNER" hosts add job.jsonc --set "hosts=[$HERE, $(far h2)]"
	[ "$status" -eq 0 ]
	[[ "$output" == *'this run starts nothing more; the next "tuner run" with the edited file uses its hosts'* ]]
	rm hold-2 hold-3
	finished
	states_are "here in use"
}

# bats test_tags=plain
@test "hosts that were asked for before tuner was killed are added by the next run, once" {
	reach h2
	held_here
	kill -KILL "$PID"
	finished
	# Killed between the request and its answer.
	sqlite3 tuner.db "INSERT INTO request (job, verb, argument, created_us)
		VALUES (1, 'add-hosts', '{\"hosts\": [$HERE, $(far h2)]}', 1)"
	start "$TUNER" run job.jsonc
	await n_starts_is 3
	sql_is "SELECT backend FROM attempt WHERE trial = 3" ssh
	sql_is "SELECT refused || (answer LIKE 'added: h2;%') FROM request" 01
	states_are "here in use, h2 in use"
	# The same again, and what no version of ours asks.
	sqlite3 tuner.db "INSERT INTO request (job, verb, argument, created_us)
		VALUES (1, 'add-hosts', '{\"hosts\": [$(far h2)]}', 2), (1, 'add-hosts', '{\"hosts\": 7}', 3), (1, 'add-hosts', '{\"hosts\": [7]}', 4)"
	await sql_is "SELECT count(*) FROM request WHERE answered_us IS NULL" 0
	sql_is "SELECT group_concat(refused, '') FROM (SELECT refused FROM request ORDER BY id)" 0011
	rm hold-2 hold-3
	finished
	[ "$status" -eq 0 ]
	n_starts_is 4
	"$TUNER" verify
}

@test "after a kill what runs on an added host is taken over, with the edited file or by tuner stop" {
	reach h2
	held_here
	edit edited.jsonc "$HERE" "$(far h2)"
	run "$TUNER" hosts add edited.jsonc job
	[ "$status" -eq 0 ]
	await n_starts_is 3
	kill -KILL "$PID"
	finished
	run "$TUNER" run job.jsonc --quiet
	[ "$status" -eq 2 ]
	[[ "$output" == *'may still be running on host "h2" (ssh), which "hosts" no longer names'* ]]
	start "$TUNER" run edited.jsonc --name job
	await grep -q 'resuming: 2 trials under way' output
	kill -KILL "$PID"
	finished
	"$TUNER" stop job
	sql_is "SELECT group_concat(outcome) FROM attempt WHERE trial IN (2, 3)" interrupted,interrupted
	rm hold-2 hold-3
	"$TUNER" run edited.jsonc --name job --quiet
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 4
	[ -z "$(cut -d' ' -f1,2 starts | sort | uniq -d)" ]
	"$TUNER" verify
}

# bats test_tags=plain
@test "this machine may be added, too, and --orphans holds for it" {
	reach h2
	TRIALS=3 PARALLEL=2 write_job '"backoff": "100ms",'
	edit job.jsonc "$(far h2)"
	sed -i '1i echo $$ >"pid-$TUNER_TRIAL"' train.sh
	touch hold-2 hold-3
	start "$TUNER" run job.jsonc --ci --orphans stop
	await n_starts_is 2
	run "$TUNER" hosts add job.jsonc --set "hosts=[$(far h2), $HERE]"
	[ "$status" -eq 0 ]
	[[ "$output" == *"added: here; the job has 2 slots now; at most 2 of all"* ]]
	await n_starts_is 3
	sql_is "SELECT backend FROM attempt WHERE trial = 3" local
	kill -KILL "$PID"
	await is_dead "$(cat pid-3)"
	not is_dead "$(cat pid-2)"
	rm hold-2 hold-3
	"$TUNER" run job.jsonc --quiet --set "hosts=[$(far h2), $HERE]"
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 3
}

@test "a host that was drained before it was added again stays so until it is resumed" {
	reach h2
	TRIALS=2 write_job
	edit job.jsonc "$HERE" "$(far h2)"
	"$TUNER" run job.jsonc --quiet
	"$TUNER" hosts drain h2 job
	edit job.jsonc "$HERE"
	touch hold-3
	start "$TUNER" run job.jsonc --trials 4
	await n_starts_is 3
	run "$TUNER" hosts add job.jsonc --set "hosts=[$HERE, $(far h2)]"
	[[ "$output" == *'h2 was drained: "tuner hosts resume h2" uses it again'* ]]
	await grep -q 'host h2 answers' output
	n_starts_is 3
	"$TUNER" hosts resume h2
	await n_starts_is 4
	rm hold-3
	finished
	[ "$status" -eq 0 ]
}

# bats test_tags=plain
@test "more trials at a time, as edited while a run is under way, use what a host reached by ssh has" {
	reach h2
	TRIALS=4 PARALLEL=1 write_job
	edit job.jsonc '{"backend": "ssh", "address": "h2", "gpus": "none", "sync": "none"}' "$HERE"
	sed -i 's/"name": "here", //' job.jsonc
	touch hold-{2..4}
	start "$TUNER" run job.jsonc
	await n_starts_is 2
	"$TUNER" run job.jsonc --parallel 3 >told
	grep -q 'budget.parallel: 1 -> 3' told
	await n_starts_is 4
	await sql_is "SELECT count(*) FROM trial WHERE state = 'running'" 3
	[ "$(sql "SELECT count(*) FROM attempt WHERE backend = 'ssh' AND trial > 1")" -ge 2 ]
	rm hold-*
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT count(*), max(attempts) FROM trial WHERE state = 'done'" "4|1"
	"$TUNER" verify
}
