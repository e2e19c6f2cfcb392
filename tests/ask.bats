#!/usr/bin/env bats
# tuner ask, tell and ask-tell: configurations for callers that evaluate them in their own way.

load run/common

# write_space [MORE]: ask.jsonc, a job without command or hosts; MORE is more keys, ending with a comma.
write_space() {
	cat >ask.jsonc <<END2
{
	${1-}
	"objective": { "metric": "loss", "goal": "minimize" },
	"parameters": {
		"x": { "type": "float", "min": 0, "max": 1, "scale": "linear" },
		"kind": { "type": "categorical", "values": ["a", "b c"] }
	},
	"strategy": "${STRATEGY:-random}",
	"budget": { "trials": ${TRIALS:-6}, "parallel": 1 }
}
END2
}

# talk LINE...: what ask-tell answers, into ./answers; options from $OPTIONS.
talk() {
	# shellcheck disable=SC2086
	printf '%s\n' "$@" | "$TUNER" ask-tell ask.jsonc ${OPTIONS-} >answers
}

# In the background: what is written to descriptor 7 is asked, what is answered comes into ./output.
converse() {
	mkfifo questions
	exec 7<>questions
	"$TUNER" ask-tell ask.jsonc --db tuner.db <questions >output 2>&1 3>&- 7>&- &
	PID=$!
	STARTED+=("$PID")
}

answer() { # N: the N-th answer
	sed -n "$1p" answers
}

answer_is() { # N TEXT
	[ "$(answer "$1")" = "$2" ] || { answer "$1"; false; }
}

answer_has() { # N TEXT
	[[ "$(answer "$1")" == *"$2"* ]] || { answer "$1"; false; }
}

# told_lines JOB: the lines that ask for each of its trials in turn and tell the value that it had.
told_lines() {
	sql "SELECT '{\"ask\": 1}', printf('{\"tell\": %d, \"value\": %!.17g}', number, objective)
		FROM trial t JOIN job j ON j.id = t.job WHERE j.name = '$1' ORDER BY number" | tr '|' '\n'
}

parameters_of() { # JOB
	sql "SELECT printf('{\"trials\": [{\"trial\": %d, \"parameters\": %s}]}', number, parameters)
		FROM trial t JOIN job j ON j.id = t.job WHERE j.name = '$1' ORDER BY number"
}

@test "a job of which nothing was asked yet says how to ask, and a missing file is called one" {
	cat >job.jsonc <<'END'
{ "objective": { "metric": "loss", "goal": "minimize" }, "parameters": { "x": { "type": "float", "min": 0, "max": 1 } } }
END
	"$TUNER" ask-tell job.jsonc --db tuner.db </dev/null
	run "$TUNER" best
	[ "$status" -eq 4 ]
	[[ "$output" == *'job job has no trial yet; "tuner ask job" starts one'* ]]
	run "$TUNER" ask jop.jsonc
	[ "$status" -eq 2 ]
	[[ "$output" == *'there is no file "jop.jsonc": there is no job "jop.jsonc" in '* ]]
	run "$TUNER" tell jop 1 2
	[ "$status" -eq 2 ]
	[[ "$output" == *'tuner: there is no job "jop" in '*'did you mean "job"?'* ]]
}

@test "ask leaves out what a trial goes without" {
	cat >ask.jsonc <<'END'
{ "objective": { "metric": "loss", "goal": "minimize" }, "strategy": "random",
  "parameters": { "kind": { "type": "categorical", "values": ["a", "b"] }, "m": { "type": "int", "min": 5, "max": 6, "when": { "kind": "a" } } },
  "first": [{ "kind": "b" }, { "kind": "a", "m": 5 }] }
END
	[ "$("$TUNER" ask ask.jsonc)" = "1 --kind b" ]
	[ "$("$TUNER" ask ask.jsonc)" = "2 --kind a --m 5" ]
}

# bats test_tags=plain
@test "a float is a float in JSON also where it is whole: answers, reports and the file of a trial" {
	write_space '"first": [{ "x": 1, "kind": "a" }],'
	sed -i 's/"a", "b c"/"a", "b c", 2, 0.5/' ask.jsonc
	OPTIONS='--db tuner.db' talk '{"ask": 1}' '{"tell": 1, "value": 3}'
	answer_is 1 '{"trials": [{"trial": 1, "parameters": {"x": 1.0, "kind": "a"}}]}'
	for report in "trials ask" "show 1" "best ask" "why ask 1"; do
		# shellcheck disable=SC2086
		"$TUNER" $report --json | grep -q '"x": *1\.0\b' || { echo "$report"; false; }
	done
	sed -i 's/"kind": "a"/"kind": 2/; s/"strategy"/"name": "again", "strategy"/' ask.jsonc
	"$TUNER" run ask.jsonc --quiet --trials 1 -- \
		sh -c 'cp "$TUNER_PARAMS" "$0/given.json"; echo "@tuner {\"loss\": 1}"' "$DIR"
	grep -q '"x": *1\.0, *"kind": *2\.0' given.json || { cat given.json; false; }
}

@test "ask-tell answers line by line, and a bad line does not end it" {
	write_space
	talk '{"ask": 2}' '{"tell": 1, "value": 0.71}' '{"tell": 1, "value": 0.71}' 'nonsense' '[1]' \
		'{"tell": 2, "vaule": 1}' '{"tell": 9, "value": 1}' '{"ask": 0}' '{"ask": 1.5}' '{"aks": 1}' \
		'' '{"tell": 2, "value": 1, "failed": "nan"}' '{"tell": 2, "value": "high"}' '{"ask": 1}'
	[ "$(lines_of answers)" -eq 13 ]
	[[ "$(answer 1)" =~ ^\{\"trials\":\ \[\{\"trial\":\ 1,\ \"parameters\":\ \{\"x\":\ 0\.[0-9]+,\ \"kind\":\ \".*\}\},\ \{\"trial\":\ 2, ]]
	answer_is 2 '{"ok": true}'
	answer_has 3 '{"error": "trial 1 already has its value: 0.71"}'
	answer_has 4 'found the word nonsense'
	answer_has 5 'expected an object such as'
	answer_has 6 'did you mean \"value\"?'
	answer_has 7 'trial 9 was never asked for'
	answer_has 8 'a whole number from 1 to'
	answer_has 9 'a whole number from 1 to'
	answer_has 10 'a line is one of'
	answer_has 11 'either'
	answer_has 12 '\"value\" is a number'
	answer_has 13 '"trial": 3'
}

@test "a last line without a line break is answered, and an endless one refused" {
	write_space
	printf '{"ask": 1}' | "$TUNER" ask-tell ask.jsonc >answers
	answer_has 1 '"trial": 1'
	{ head -c 5000000 /dev/zero | tr '\0' '['; printf '\n{"ask": 1}\n'; } |
		"$TUNER" ask-tell ask.jsonc >answers
	[ "$(lines_of answers)" -eq 2 ]
	answer_has 1 'expected at most 1048576 bytes, found 5000000"'
	answer_has 2 '"trial": 1'
}

@test "a standard input that is closed is told of and not waited for" {
	write_space
	run timeout 20 sh -c 'exec "$0" ask-tell ask.jsonc <&-' "$TUNER"
	[ "$status" -eq 5 ]
	[ "$output" = "tuner: cannot read standard input: Bad file descriptor" ]
}

@test "without --db nothing is written, whatever TUNER_DB says" {
	write_space
	export TUNER_DB="$DIR/other.db"
	talk '{"ask": 3}' '{"tell": 2, "step": 1, "value": 1}' '{"tell": 2, "value": 1}'
	answer_is 3 '{"ok": true}'
	[ "$(echo *)" = "answers ask.jsonc" ]
}

# Version 10 has another table, versions 9 and 8 another column each, version 6 another name of one.
make_older() {
	sqlite3 tuner.db "DROP TABLE related_trial; DROP VIEW v_front; DROP VIEW v_trial; DROP VIEW trial_values; DROP VIEW study_directions; DROP VIEW study_system_attributes;
		DROP VIEW trials; DROP VIEW trial_system_attributes; ALTER TABLE trial DROP COLUMN also; ALTER TABLE trial DROP COLUMN limits;
		CREATE VIEW study_directions AS SELECT 1 AS study_id; CREATE VIEW study_system_attributes AS SELECT 1 AS study_id; CREATE VIEW v_trial AS SELECT 1 AS job; CREATE VIEW trials AS SELECT 1 AS trial_id;
		CREATE VIEW trial_values AS SELECT 1 AS trial_id; CREATE VIEW trial_system_attributes AS SELECT 1 AS trial_id;
		ALTER TABLE machine RENAME COLUMN libraries TO blas; PRAGMA user_version = 5"
}

@test "an older database is brought forward by what its message names" {
	write_space
	OPTIONS="--db tuner.db" talk '{"ask": 1}'
	make_older
	run "$TUNER" status ask
	[ "$status" -eq 2 ]
	[[ "$output" == *'`tuner run JOB --db tuner.db`, or `tuner ask-tell JOB --db tuner.db </dev/null`'* ]]
	"$TUNER" ask-tell ask --db tuner.db </dev/null
	"$TUNER" status ask | grep -q "1 of 6 trials"
	make_older
	run "$TUNER" run ask
	[[ "$output" == *'"command" is missing'* ]]
	"$TUNER" status ask | grep -q "1 of 6 trials"
}

@test "more than budget.trials may be asked for" {
	TRIALS=2 write_space
	for OPTIONS in '' '--db tuner.db'; do
		talk '{"ask": 5}' '{"ask": 1}'
		answer_has 2 '"trial": 6'
	done
	sql_is "SELECT count(*) FROM trial" 6
}

# The same lines; but a machine so busy that a proposal's work was limited by its time is no judge.
same() { # FILE FILE
	diff "$1" "$2" && return
	for db in *.db; do
		[ "$(sqlite3 "$db" "SELECT count(*) FROM decision WHERE work_limit > 0")" = 0 ] ||
			skip "proposals took too long"
	done
	false
}

@test "no time bounds the work of what is asked for, so that asking again is answered alike" {
	[ -e "$TUNER_BUILD/tests/libclock_shift.so" ] || skip "this build has no clock to hasten"
	STRATEGY=bayesian TRIALS=10 write_space
	for n in $(seq 10); do
		echo '{"ask": 1}'
		echo "{\"tell\": $n, \"value\": $((n * n % 7))}"
	done >lines
	"$TUNER" ask-tell ask.jsonc <lines >calm
	env ASAN_OPTIONS="${ASAN_OPTIONS-}:verify_asan_link_order=0" CLOCK_CPU_TIMES=100000 LD_PRELOAD="$TUNER_BUILD/tests/libclock_shift.so" \
		"$TUNER" ask-tell ask.jsonc --db tuner.db <lines >hurried
	diff calm hurried
	sql_is "SELECT count(*) > 2 AND max(work_limit) = 0 FROM decision WHERE branch = 'model'" 1
}

# bats test_tags=plain
@test "the same results give the same proposals as in run, bit for bit" {
	for strategy in random sobol bayesian marginal; do
		STRATEGY=$strategy TRIALS=14 PARALLEL=1 \
			write_job '"name": "'"$strategy"'", "first": [{ "x": 0.9 }],'
		sed -i 's/"strategy": "marginal"/"strategy": { "name": "bayesian", "hyperparameters": "marginal" }/' job.jsonc
		"$TUNER" run job.jsonc --quiet
		told_lines $strategy >lines
		parameters_of $strategy >wanted
		[ "$(lines_of wanted)" -eq 14 ]
		sed '/"command"/d; /"hosts"/d' job.jsonc >ask.jsonc
		# In memory, with a database, and by one process a call.
		"$TUNER" ask-tell ask.jsonc <lines | grep trials >memory
		same wanted memory
		"$TUNER" ask-tell ask.jsonc --db told.db <lines | grep trials >stored
		same wanted stored
		sed -i "s/\"name\": \"$strategy\"/\"name\": \"calls\"/" ask.jsonc
		for n in $(seq 14); do
			"$TUNER" ask ask.jsonc --json --db calls.db >>calls
			"$TUNER" tell calls "$n" "$(sql "SELECT printf('%!.17g', objective) FROM trial
				JOIN job j ON j.id = trial.job WHERE number = $n AND j.name = '$strategy'")" \
				--db calls.db
		done
		same wanted calls
		rm calls calls.db
	done
	# That the model was asked, and stored what it thought.
	for strategy in bayesian marginal; do
		[ "$(sqlite3 told.db "SELECT count(*) > 5 AND min(predicted_sd) > 0 FROM v_trial
			WHERE job = '$strategy' AND branch = 'model'")" = 1 ]
	done
	[ "$(diff -q <(parameters_of bayesian) <(parameters_of marginal))" != "" ]
}

@test "decisions, values and curves are stored as for run, and read as such" {
	OPTIONS='--db tuner.db' write_space '"early_stopping": { "rule": "threshold", "bound": 10 },'
	OPTIONS='--db tuner.db' talk '{"ask": 4}' '{"tell": 1, "value": 0.5}' '{"tell": 2, "failed": "diverged"}' \
		'{"tell": 3, "step": 1, "value": 2}' '{"tell": 3, "step": 2, "value": 50}' \
		'{"tell": 3, "step": 3, "value": NaN}' '{"tell": 3, "failed": "early-stopped"}' \
		'{"add": {"x": 0.25, "kind": "a"}, "value": 0.25}'
	[ ! -e tuner.db-wal ]
	answer_is 4 '{"ok": true}'
	answer_has 6 '{"ok": true, "stop": true, "reason": "threshold'
	answer_is 8 '{"ok": true, "trial": 5}'
	sql_is "SELECT group_concat(number || state || source || coalesce(outcome, ''), ' ') FROM v_trial" \
		"1donestrategyok 2failedstrategydiverged 3stoppedstrategyearly-stopped 4runningstrategy 5doneaddedok"
	sql_is "SELECT count(*) FROM decision" 5
	sql_is "SELECT group_concat(step || ':' || coalesce(value, 'nan'), ' ') FROM v_learning_curve" "1:2.0 2:50.0 3:nan"
	sql_is "SELECT count(*) FROM attempt WHERE backend = 'caller' AND directory = ''" 5
	sql_is "SELECT pending FROM decision JOIN trial USING (id) WHERE number = 4" '[1,2,3]'
	[ ! -e tuner.db.d ]
	"$TUNER" status >output
	grep -q '4 of 6 trials: 1 done, 1 failed, 1 stopped, 1 running; 1 observed elsewhere' output
	grep -q 'tuner ask ask' output
	not grep -q 'tuner run' output
	"$TUNER" trials | grep -q '2  failed .* diverged'
	"$TUNER" show 5 | grep -q 'observed elsewhere'
	[ "$("$TUNER" best --params)" = '{"x": 0.25, "kind": "a"}' ]
	run "$TUNER" best --command
	[ "$status" -eq 2 ]
	run "$TUNER" logs 1
	[ "$status" -eq 2 ]
	run "$TUNER" stop
	[[ "$output" == *"nothing is running"*'1 of its trials was asked for'*'"tuner tell ask TRIAL --failed user-stopped"'* ]]
	sql_is "SELECT count(*) FROM trial WHERE state = 'running'" 1
}

@test "a restart goes on: what was not told stays pending" {
	write_space
	OPTIONS='--db tuner.db' talk '{"ask": 2}'
	OPTIONS='--db tuner.db' talk '{"ask": 1}' '{"tell": 1, "value": 3}'
	answer_has 1 '"trial": 3'
	answer_is 2 '{"ok": true}'
	sql_is "SELECT pending FROM decision JOIN trial USING (id) WHERE number = 3" '[1,2]'
	run "$TUNER" tell ask 1 4
	[ "$status" -eq 2 ]
	[[ "$output" == *"already has its value: 3"* ]]
}

@test "more trials than the budget's are counted without a limit" {
	TRIALS=2 write_space
	"$TUNER" ask ask.jsonc -n 2
	"$TUNER" status | grep -q '^2 of 2 trials: 2 running'
	"$TUNER" ask ask
	"$TUNER" status | grep -q '^3 trials (budget: 2): 3 running'
	"$TUNER" jobs | grep -q '3 (budget: 2)'
}

# pass SECONDS: as if so much time had passed since anybody with a lease was heard of.
pass() {
	sqlite3 tuner.db "UPDATE attempt SET heard_us = heard_us - $1 * 1000000 WHERE lease_us IS NOT NULL"
}

@test "after its lease a trial is not pending, and a late tell is taken" {
	write_space
	"$TUNER" ask ask.jsonc --lease 1h
	"$TUNER" ask ask.jsonc
	sql_is "SELECT group_concat(coalesce(lease_us, 'none'), ' ') FROM attempt" "3600000000 none"
	pass 3601 # over, but nobody has asked since
	[ "$("$TUNER" tell ask 1 0.5 --step 1)" = "go on" ]
	pass 2000
	"$TUNER" ask ask
	# A report has begun the lease anew.
	sql_is "SELECT pending FROM decision JOIN trial USING (id) WHERE number = 3" '[1,2]'
	pass 1600
	"$TUNER" ask ask
	sql_is "SELECT pending FROM decision JOIN trial USING (id) WHERE number = 4" '[2,3]'
	[[ "$("$TUNER" tell ask 1 0.25)" == "trial 1: done, loss = 0.25, the best so far" ]]
	sql_is "SELECT objective FROM trial WHERE number = 1" 0.25
}

@test "ask prints arguments for a shell, tell takes values, failures and observations" {
	write_space '"fixed": { "epochs": 3 }, "first": [{ "x": 0.5, "kind": "b c" }],'
	[ "$("$TUNER" ask ask.jsonc)" = "1 --epochs 3 --x 0.5 --kind 'b c'" ]
	[ "$("$TUNER" ask ask -n 2 | cut -d' ' -f1 | tr '\n' ' ')" = "2 3 " ]
	[ "$("$TUNER" tell ask 1 "-0.5 "$'\r')" = "trial 1: done, loss = -0.5, the best so far" ]
	[ "$("$TUNER" tell ask 2 nan)" = "trial 2: failed, nan" ]
	[ "$("$TUNER" tell ask 3 --failed oom-gpu --json)" = '{"ok": true}' ]
	run "$TUNER" retry ask --class oom-gpu
	[ "$status" -eq 2 ]
	[[ "$(flat)" == *'ended as oom-gpu can be launched again: 1 was asked for and told ("tuner ask", "tuner tell"): "tuner enqueue" of its parameters has them tried as a new trial '* ]]
	run "$TUNER" retry ask --trial 3
	[[ "$(flat)" == *'trial 3 was asked for and told ("tuner ask", "tuner tell"), and is not launched here: "tuner enqueue" of its '* ]]
	run "$TUNER" retry ask --class lost
	[[ "$(flat)" == *"no trial that can be run again ended as lost; there are: none that was launched and failed or stopped "* ]]
	[ "$("$TUNER" tell ask.jsonc --add 'x=0.1,kind=a' 4)" = "trial 4: done, loss = 4" ]
	run "$TUNER" tell ask --add x=2,kind=a 4
	[[ "$output" == *"expected a number from 0 to 1, found 2"* ]]
	run "$TUNER" tell ask --add x=0.1 4
	[[ "$output" == *"kind is missing"* ]]
	run "$TUNER" tell ask 4 --failed lost
	[[ "$output" == *"user-stopped"* ]]
	run "$TUNER" tell ask 4 --failed divergd
	[[ "$output" == *'did you mean "diverged"'* ]]
	run "$TUNER" tell ask 4
	[ "$status" -eq 2 ]
	run "$TUNER" tell ask 4 much
	[[ "$output" == *"VALUE is a number"* ]]
	run "$TUNER" tell ask 4 1e400
	[ "$status" -eq 2 ]
	[[ "$output" == *"VALUE is a number below 1.8e308 in size, or inf or nan"* ]]
	run "$TUNER" ask nowhere
	[ "$status" -eq 2 ]
}

@test "the job file and the program of docs/ask-tell.md work" {
	page="$BATS_TEST_DIRNAME/../docs/ask-tell.md"
	awk '/^    \{$/ { on = 1 } on { print } /^    \}$/ { exit }' "$page" >job.jsonc
	awk '/^    import/ { on = 1 } /^[^ ]/ { on = 0 } on' "$page" | sed 's/^    //' >program.py
	sed -i "s|\"tuner\"|\"$TUNER\"|; s|^def say|def loss(lr, layers): return lr * layers\n\n&|" program.py
	echo 'print(say(ask=1), file=open("end", "w"))' >>program.py
	/usr/bin/python3 program.py
	grep -q "'trial': 31" end
}

@test "a finite space is exhausted, and that is said" {
	write_space
	sed -i '/"x"/d' ask.jsonc
	for OPTIONS in '' '--db tuner.db'; do
		talk '{"ask": 5}' '{"ask": 1}'
		answer_has 1 '"trial": 2'
		answer_has 1 '], "exhausted": true}'
		answer_is 2 '{"trials": [], "exhausted": true}'
	done
	run "$TUNER" ask ask
	[ "$status" -eq 2 ]
	[[ "$output" == *"has been tried"* ]]
}

@test "the doctor does not miss the curve of a trial that was told a value alone" {
	write_space
	"$TUNER" ask ask.jsonc
	"$TUNER" tell ask 1 0.5
	"$TUNER" doctor ask --json | jq -e 'all(.findings[]; .about != "job")'
}

@test "a category that looks like a number is enqueued and told as it is listed" {
	cat >versions.jsonc <<'END'
{ "objective": { "metric": "loss", "goal": "minimize" }, "strategy": "random",
  "parameters": { "python": { "values": ["3.1", "3.10", "1e-3", "null", "true"] }, "n": { "values": [1, 2.5] } } }
END
	"$TUNER" ask versions.jsonc
	for version in 3.10 1e-3 null true; do
		"$TUNER" enqueue versions "python=$version,n=2.5"
	done
	"$TUNER" ask versions.jsonc -n 4 >asked
	[ "$(cut -d' ' -f3 asked | tr '\n' ' ')" = "3.10 1e-3 null true " ]
	"$TUNER" tell versions --add python=3.10,n=1 0.5
	sql_is "SELECT parameters FROM trial WHERE source = 'added'" '{"python": "3.10", "n": 1.0}'
	run "$TUNER" enqueue versions python=3.2
	[ "$status" -eq 2 ]
	[[ "$output" == *'expected one of "3.1", "3.10", "1e-3", "null", "true", found 3.2'* ]]
	# Numbers are numbers, however they are written.
	"$TUNER" enqueue versions n=1.0
}

@test "what is enqueued is asked even if it was tried, and the rest of the space after it" {
	write_space
	sed -i 's/"x": .*/"x": { "values": [1, 2] },/' ask.jsonc
	[ "$("$TUNER" ask ask.jsonc --set 'first=[{"x":1,"kind":"a"},{"x":1,"kind":"b c"}]' -n 2 | wc -l)" -eq 2 ]
	"$TUNER" enqueue ask x=1
	run "$TUNER" ask ask
	[ "$status" -eq 0 ]
	[[ "$output" == "3 --x 1 "* ]]
	run "$TUNER" ask ask -n 3
	[ "$status" -eq 0 ]
	[[ "$output" == *"4 --x 2 "*"5 --x 2 "* ]]
	"$TUNER" replay ask
}

# bats test_tags=plain
@test "eight processes ask and tell at once: all succeed, no number twice" {
	local each=20
	# With sanitizers each of the 320 starts takes a tenth of a second; SANITIZED_ALL=1: as in the plain build.
	if [ -z "${SANITIZED_ALL-}" ] && grep -q __asan_init "$TUNER"; then each=7; fi
	write_space
	worker() {
		local i trial
		for i in $(seq $each); do
			trial=$("$TUNER" ask ask.jsonc | tee -a asked | cut -d' ' -f1) || return
			"$TUNER" tell ask "$trial" "0.$trial" >>told || return
		done
		echo "$1" >>succeeded
	}
	pids=()
	for w in $(seq 8); do
		worker "$w" 2>>errors 3>&- &
		pids+=("$!")
	done
	wait "${pids[@]}"
	[ ! -s errors ]
	[ "$(lines_of succeeded)" -eq 8 ]
	[ "$(cut -d' ' -f1 asked | sort -n | uniq | wc -l)" -eq $((8 * each)) ]
	sql_is "SELECT count(*), max(number), count(DISTINCT number), sum(state = 'done') FROM trial" \
		"$((8 * each))|$((8 * each))|$((8 * each))|$((8 * each))"
	sql_is "SELECT count(*) FROM trial WHERE abs(objective - ('0.' || number)) > 1e-12" 0
	sql_is "PRAGMA integrity_check" ok
}

@test "ask waits for who holds the database" {
	write_space
	converse
	echo '{"ask": 1}' >&7
	await grep -q '"trial": 1' output
	{ sleep 1; echo '{"tell": 1, "value": 2}' >&7; } 3>&- &
	exec 7>&- # the last one to hold it ends the input
	[ "$("$TUNER" ask ask | cut -d' ' -f1)" = 2 ]
	sql_is "SELECT objective FROM trial WHERE number = 1" 2.0
}

# As an ask does that takes so many seconds, or until ./held is removed.
hold_database() { # [SECONDS]
	rm -f held
	flock tuner.db.lock sh -c "touch held; $([ $# -eq 0 ] && echo 'while [ -e held ]; do sleep 0.05; done' || echo "sleep $1")" 3>&- &
	await test -e held
}

@test "run and stop wait a moment for who asks" {
	TRIALS=2 write_job
	"$TUNER" ask job.jsonc
	hold_database 0.1
	run "$TUNER" stop job
	[ "$status" -eq 0 ]
	[[ "$output" == *"nothing is running"* ]]
	hold_database 1 # longer than stop waits before it asks
	run "$TUNER" stop job
	[ "$status" -eq 0 ]
	[[ "$output" == *"nothing is running"* ]]
	# It waits for a second; on a machine that is slower than that it is asked again.
	for try in $(seq 20); do
		hold_database 0.4
		run "$TUNER" run job.jsonc
		wait
		if [ "$status" -eq 0 ]; then break; fi
		[[ "$output" == *"--db"* ]]
	done
	[ "$status" -eq 0 ]
	hold_database
	run "$TUNER" run --trials 3 job.jsonc
	rm held
	[ "$status" -ne 0 ]
	[[ "$output" == *"--db"* ]]
}

@test "while it lives ask-tell serves enqueue and refuses stop; a signal ends it cleanly" {
	write_space
	converse
	echo '{"ask": 1}' >&7
	await grep -q '"trial": 1' output
	run "$TUNER" enqueue ask x=0.125,kind=a
	[ "$status" -eq 0 ]
	[[ "$output" == *"next in line"* ]]
	run "$TUNER" enqueue ask x=0.25,kind=a
	[[ "$output" == *"it is queued after 1 other" ]]
	"$TUNER" status >standing
	not grep -q 'run time:' standing
	run "$TUNER" stop ask
	[ "$status" -ne 0 ]
	[[ "$output" == *"ask-tell"* ]]
	echo '{"ask": 1}' >&7
	await grep -q '"x": 0.125, "kind": "a"' output
	kill -TERM "$PID"
	finished
	exec 7>&-
	[ "$status" -eq 143 ]
	[ ! -e tuner.db-wal ]
	sql_is "SELECT group_concat(source) FROM trial" "strategy,enqueue"
}

@test "run takes trials that were asked for as pending, and leaves them alone" {
	TRIALS=4 write_job
	"$TUNER" ask job.jsonc
	run "$TUNER" run job.jsonc
	[ "$status" -eq 0 ]
	[[ "$output" == *"all trials of the budget, 4, have been proposed, and 1 asked for elsewhere was still to be told"* ]]
	[[ "$(flat)" == *'Trial 1 was asked for with "tuner ask", and is not told yet: "tuner tell job 1 VALUE"'* ]]
	sql_is "SELECT group_concat(number || state, ' ') FROM v_trial" "1running 2done 3done 4done"
	sql_is "SELECT count(*) FROM decision JOIN trial USING (id) WHERE number > 1 AND pending LIKE '[1%'
		OR pending LIKE '%,1]'" 3
	[ "$(lines_of starts)" -eq 3 ]
	"$TUNER" tell job 1 0.5
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 4
	# And it was `run` that launched the others.
	run "$TUNER" tell job 2 0.5
	[ "$status" -eq 2 ]
}

@test "a run without a result has not failed while what was asked for is still to be told" {
	TRIALS=2 write_job
	"$TUNER" ask job.jsonc --db other.db
	touch crash
	run "$TUNER" run job.jsonc --db other.db
	[ "$status" -eq 4 ]
	[[ "$output" != *"none gave an objective"* ]]
	[[ "$(flat)" == *'"tuner tell job --db other.db 1 VALUE" gives the result'* ]]
	[ "$(sqlite3 other.db 'SELECT state FROM job')" = done ]
	"$TUNER" tell job --db other.db 1 0.5
	[ "$("$TUNER" best job --db other.db --json | jq .trial)" = 1 ]
}

# bats test_tags=plain
@test "what is asked for has the parameters of its branch alone, and keeps the constraints" {
	cat >tree.jsonc <<'END'
{
	"name": "tree", "objective": { "metric": "loss", "goal": "minimize" },
	"parameters": {
		"optimizer": { "type": "categorical", "values": ["sgd", "adam"] },
		"lr": { "min": 0.001, "max": 1, "scale": "log" },
		"momentum": { "min": 0, "max": 0.9, "when": { "optimizer": ["sgd"] } }
	},
	"constraints": ["lr * (1 + momentum) <= 0.5"],
	"budget": { "trials": 30 }
}
END
	for i in $(seq 24); do echo '{"ask": 1}'; echo "{\"tell\": $i, \"value\": 0.$((i * 37 % 100))}"; done >lines
	echo '{"add": {"optimizer": "adam", "lr": 0.25}, "value": 0.4}' >>lines
	echo '{"add": {"optimizer": "adam", "lr": 0.25, "momentum": 0.5}, "value": 0.4}' >>lines
	echo '{"add": {"optimizer": "sgd", "lr": 0.5, "momentum": 0.5}, "value": 0.4}' >>lines
	echo '{"add": {"optimizer": "sgd", "lr": 0.25}, "value": 0.4}' >>lines
	"$TUNER" ask-tell tree.jsonc --db tuner.db <lines >answers
	jq -se '[.[].trials[]?.parameters] | length == 24 and
		all(.[]; (.optimizer == "sgd") == has("momentum") and (.optimizer == "adam" or .lr * (1 + .momentum) <= 0.5)) and
		any(.[]; .optimizer == "sgd") and any(.[]; .optimizer == "adam")' answers
	[ "$(grep -c '"error"' answers)" -eq 3 ]
	sql_is "SELECT count(*) FROM trial_param WHERE value IS NULL" 0
	sql_is "SELECT count(*) > 0 AND max(n) FROM (SELECT count(*) AS n FROM trial_param GROUP BY trial)" 1
	# A second process reads the same.
	echo '{"ask": 3}' | "$TUNER" ask-tell tree.jsonc --db tuner.db | jq -se '.[0].trials | length == 3'
}

@test "where trials fail, the model says how likely a value is" {
	STRATEGY=bayesian write_space
	OPTIONS='--db tuner.db' talk '{"ask": 9}' '{"tell": 1, "value": 0.5}' '{"tell": 2, "failed": "diverged"}' \
		'{"tell": 3, "value": 0.4}' '{"tell": 4, "value": 0.6}' '{"tell": 5, "failed": "oom-gpu"}' \
		'{"tell": 6, "value": 0.3}' '{"tell": 7, "value": 0.45}' '{"ask": 1}' '{"tell": 8, "failed": "nan"}' '{"ask": 1}'
	[ "$(grep -c error answers)" -eq 0 ]
	"$TUNER" why ask 10 --json | jq -e '.branch == "model" and .value_probability == null'
	run "$TUNER" why ask 11
	[[ "$output" == *"it would give a value with probability 0."*"a failure gains nothing"*"expected gain "* ]]
	"$TUNER" why ask 11 --json | jq -e '.value_probability > 0 and .value_probability < 1'
	sql_is "SELECT json_extract(settings, '\$.name') FROM decision WHERE id = 11" bayesian
}

# bats test_tags=plain
@test "the same configuration may be told many times" {
	STRATEGY=bayesian write_space
	for i in $(seq 20); do
		echo "{\"add\": {\"x\": 0.25, \"kind\": \"a\"}, \"value\": 0.3$i}"
		echo "{\"add\": {\"x\": 0.5, \"kind\": \"a\"}, \"value\": 0.2$i}"
		echo "{\"add\": {\"x\": 0.5, \"kind\": \"b c\"}, \"value\": 0.4$i}"
	done >lines
	echo '{"ask": 2}' >>lines
	"$TUNER" ask-tell ask.jsonc --db tuner.db <lines >answers
	[ "$(grep -c error answers)" -eq 0 ]
	"$TUNER" why ask 61 --json | jq -e '.branch == "model" and .seen.done == 60'
}
