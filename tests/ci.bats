#!/usr/bin/env bats
# `tuner run` in a pipeline.

load run/common

# xml FILE XPATH: what Python's parser finds there, an attribute (@name at the end) or a count.
xml() {
	python3 - "$@" <<'END'
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
path, _, attribute = sys.argv[2].partition("/@")
found = root.findall(path)
print(" ".join(e.get(attribute) for e in found) if attribute else len(found))
END
}

# metric FILE SAMPLE: its value.
metric() {
	awk -v name="$2" 'index($0, name " ") == 1 { print substr($0, length(name) + 2) }' "$1"
}

@test "a gate that holds leaves status 0, one that is missed makes it 1 and says by how much" {
	TRIALS=3 STRATEGY=random write_job
	run "$TUNER" run job.jsonc --gate 'loss <= 1' --set 'first=[{"x": 0.5}]'
	[ "$status" -eq 0 ]
	[[ "$output" == *"gate held: loss <= 1: trial "*" to spare"* ]]
	# The job has had its trials: its gates are judged all the same.
	run "$TUNER" run job.jsonc --gate 'loss <= 1' --gate 'loss < -1'
	[ "$status" -eq 1 ]
	[[ "$output" == *"gate missed: loss < -1: trial "*", too high by 1"* ]]
	[[ "$output" == *"gate held: loss <= 1"* ]]
}

@test "gates, baselines and reports are about the best of the job's own trials, not of those of an earlier job" {
	TRIALS=2 STRATEGY=random write_job '"name": "old",'
	"$TUNER" run job.jsonc --set 'first=[{"x": 0.5}, {"x": 0.7}]'
	TRIALS=2 STRATEGY=random write_job '"name": "new", "warm_start": { "jobs": ["old"] },'
	run "$TUNER" run job.jsonc --gate 'loss > 0.1' --set 'first=[{"x": 0.9}, {"x": 0.95}]' \
		--metrics metrics.txt --summary summary.md --write-baseline baseline.json
	echo "$output"
	[ "$status" -eq 0 ]
	[[ "$output" == *"gate held: loss > 0.1: trial 3 has 0.36"* ]]
	[ "$(metric metrics.txt 'tuner_best_trial{job="new"}')" = 3 ]
	grep -q '^## new: loss 0.36$' summary.md
	not grep -q '^| [12] ' summary.md
	grep -q '"trial": 3' baseline.json
}

@test "a gate that cannot be is told before anything runs" {
	TRIALS=1 write_job
	for gate in 'loss' 'loss = 1' 'loss => 1' 'loss <> 1' '<= 1' 'loss <= x' 'loss <= nan' 'loss <=' 'los <= 1' 'accuracy >= 0.7'; do
		run "$TUNER" run job.jsonc --gate "$gate"
		[ "$status" -eq 2 ]
		[[ "$output" == *"--gate '$gate'"* ]]
	done
	[[ "$output" == *"it has loss"* ]]
	run "$TUNER" run job.jsonc $(printf -- '--gate loss<%d ' $(seq 32))
	[ "$status" -eq 2 ]
	[[ "$output" == *"at most 31 gates"* ]]
	[ ! -e starts ]
	[ ! -e tuner.db ]
}

@test "a gate on another metric is held against what the best trial reported last" {
	TRIALS=3 STRATEGY=random write_job
	cat >train.sh <<'END'
printf 'loss=%s\n@tuner {"step": 1, "latency": 99}\n@tuner {"step": 2, "latency": 1%s}\n' "$2" "$2"
END
	sed -i 's/"metrics":.*/"metrics": [{ "name": "loss", "regex": "loss=([0-9.e-]+)" }, { "name": "latency" }],/' job.jsonc
	run "$TUNER" run job.jsonc --gate 'latency < 11' \
		--set 'first=[{"x": 0.5}, {"x": 0.25}]' --trials 2
	[ "$status" -eq 0 ]
	[[ "$output" == *"trial 2 has 10.25, with 0.75 to spare"* ]]
}

@test "a gate on a metric that is not reported is told of with the first result, and when the job goes on" {
	TRIALS=3 PARALLEL=1 STRATEGY=random write_job
	cat >train.sh <<'END'
while [ -e "hold-$TUNER_TRIAL" ]; do sleep 0.02; done
printf '@tuner {"loss": %s, "latency": 5}\n' "$2"
END
	sed -i '/"metrics":/d' job.jsonc
	touch hold-2
	start "$TUNER" run job.jsonc --gate 'latancy < 11' --gate 'latency < 11' --gate 'loss < 2' --gate 'size < 1'
	await grep -q '^warning: gate latancy < 11: no trial has reported "latancy" so far; did you mean "latency"?$' output
	await grep -q '^warning: gate size < 1: no trial has reported "size" so far; there are loss, latency$' output
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 1
	rm hold-2
	finished
	[ "$status" -eq 1 ]
	[ "$(grep -c ^warning output)" -eq 2 ]
	grep -q '^gate missed: latancy < 11: trial . reported no latancy' output
	run "$TUNER" run job.jsonc --trials 4 --gate 'latancy < 11' --gate 'latency < 11'
	[[ "$output" == *'warning: gate latancy < 11: no trial has reported "latancy" so far; did you mean "latency"?'*'trial 4 '* ]]
	[ "$(grep -c ^warning <<<"$output")" -eq 1 ]
	# What any trial has reported may be reported by the best.
	run "$TUNER" run job.jsonc --trials 5 --name other --gate 'latency < 11' --gate 'loss < 2'
	[[ "$output" != *warning* ]]
}

@test "a job without a result has no gate held, and ends with 4" {
	TRIALS=2 write_job
	touch crash
	run "$TUNER" run job.jsonc --gate 'loss <= 1' --set budget.start_failures=9 --junit j.xml --metrics m.txt --summary s.md
	[ "$status" -eq 4 ]
	[[ "$output" == *"gate missed: loss <= 1: no trial has given an objective"* ]]
	[ "$(xml j.xml 'testsuite/testcase/failure/@type')" = "crashed crashed gate" ]
	[ "$(xml j.xml 'testsuite/testcase/error/@type')" = "status-4" ]
	grep -q 'no such thing' j.xml
	[ "$(metric m.txt 'tuner_failed_trials{job="job",class="crashed"}')" = 2 ]
	[ "$(metric m.txt 'tuner_gate_held{job="job",gate="loss <= 1"}')" = 0 ]
	grep -q 'no result' s.md
	# A finished job does not turn green by being looked at.
	run "$TUNER" run job.jsonc
	[ "$status" -eq 4 ]
}

@test "reports are written of a command that does not work, with status 3" {
	TRIALS=9 write_job
	touch crash
	run "$TUNER" run job.jsonc --junit j.xml --metrics m.txt --summary s.md
	[ "$status" -eq 3 ]
	[ "$(xml j.xml 'testsuite/testcase/error/@type')" = "status-3" ]
	[ "$(metric m.txt 'tuner_exit_status{job="job"}')" = 3 ]
	grep -q 'Exit status 3' s.md
	grep -q 'crashed' s.md
}

@test "whatever a command prints, its reports are well-formed, and have all of it" {
	TRIALS=9 write_job
	printf 'printf "zero \\000 last \\357\\277\\277 ]]> \\033[1m\\377\\n"\nexit 1\n' >train.sh
	run "$TUNER" run job.jsonc --junit j.xml
	[ "$status" -eq 3 ]
	[[ "$output" == *"zero"*" last "* ]]
	[ "$(xml j.xml testsuite/testcase/failure)" = 3 ]
	[ "$(grep -c '> *zero .* last .*]]&gt;' j.xml)" = 3 ]
}

@test "a baseline may be infinite" {
	write_job
	echo 'echo loss=inf' >train.sh
	"$TUNER" run job.jsonc --trials 1 --write-baseline base.json
	[ "$(jq -r .objective base.json)" = inf ]
	run "$TUNER" run job.jsonc --name next --trials 1 --baseline base.json
	[ "$status" -eq 0 ]
	[[ "$output" == *"(baseline): trial 1 has inf, with 0 to spare"* ]]
}

@test "who is worse than the baseline by the very tolerance holds it, however the sum is rounded" {
	write_job
	echo 'echo loss=0.7' >train.sh
	"$TUNER" run job.jsonc --trials 1 --write-baseline base.json
	echo 'echo loss=0.8' >train.sh
	run "$TUNER" run job.jsonc --name next --trials 1 --baseline base.json --tolerance 0.1
	echo "$output"
	[ "$status" -eq 0 ]
	[[ "$output" == *"gate held: loss <= 0.7 (baseline) + 0.1: trial 1 has 0.8, with 0 to spare"* ]]
	run "$TUNER" run job.jsonc --name next --trials 1 --baseline base.json --tolerance 0.0999999999
	[ "$status" -eq 1 ]
}

@test "the baseline is written by a good run, and a worse one is refused" {
	TRIALS=2 STRATEGY=random write_job
	run "$TUNER" run job.jsonc --set 'first=[{"x": 0.4}]' --trials 1 --baseline base.json
	[ "$status" -eq 2 ]
	[[ "$output" == *"there is no baseline base.json: a run with --write-baseline"* ]]
	"$TUNER" run job.jsonc --set 'first=[{"x": 0.4}]' --trials 1 --write-baseline base.json
	[ "$(jq -c '[.metric, .goal, .trial, .parameters.x]' base.json)" = '["loss","minimize",1,0.4]' ]
	# 0.0121 against 0.01
	run "$TUNER" run job.jsonc --name next --set 'first=[{"x": 0.41}]' --trials 1 --baseline base.json --write-baseline base.json
	[ "$status" -eq 1 ]
	[[ "$output" == *"gate missed: loss <= 0.0"*"(baseline): trial 1 has 0.01"*"too high by 0.0021"* ]]
	[ "$(jq .parameters.x base.json)" = 0.4 ]
	run "$TUNER" run job.jsonc --name next --trials 1 --baseline base.json --tolerance 0.0022
	[ "$status" -eq 0 ]
	# What `best` prints will do.
	"$TUNER" best job --json >best.json
	run "$TUNER" run job.jsonc --name next --trials 1 --baseline best.json --tolerance 0.002
	[ "$status" -eq 1 ]
	run "$TUNER" run job.jsonc --name next --trials 1 --baseline base.json --tolerance -1
	[ "$status" -eq 2 ]
	run "$TUNER" run job.jsonc --name next --trials 1 --tolerance 1
	[ "$status" -eq 2 ]
	sed -i 's/"loss"/"gain"/' base.json
	run "$TUNER" run job.jsonc --name next --trials 1 --baseline base.json
	[ "$status" -eq 2 ]
	[[ "$output" == *'baseline of the metric "gain"'* ]]
	echo '{' >base.json
	run "$TUNER" run job.jsonc --name next --trials 1 --baseline base.json
	[ "$status" -eq 2 ]
}

# bats test_tags=plain
@test "the reports of a good run" {
	TRIALS=4 STRATEGY=random write_job
	touch hold-none
	sed -i 's/^if \[ -e crash.*/if [ "$TUNER_TRIAL" = 2 ]; then echo "<\&> \x1b[1m]]>" >\&2; exit 1; fi/' train.sh
	"$TUNER" run job.jsonc --quiet --gate 'loss < 9' --junit j.xml --metrics m.txt --summary s.md
	[ "$(xml j.xml 'testsuite/@tests')" = 5 ]
	[ "$(xml j.xml 'testsuite/@failures')" = 1 ]
	[ "$(xml j.xml 'testsuite/testcase')" = 5 ]
	[ "$(xml j.xml 'testsuite/testcase/failure/@type')" = crashed ]
	grep -q '&lt;&amp;&gt;' j.xml
	[ "$(metric m.txt 'tuner_trials{job="job",state="done"}')" = 3 ]
	[ "$(metric m.txt 'tuner_best_objective{job="job",metric="loss"}')" = "$("$TUNER" best --json | jq .objective)" ]
	[ "$(tail -n 1 m.txt)" = "# EOF" ]
	grep -q '| gate | | |' s.md
	[ "$(grep -c '^| [0-9]' s.md)" -eq 3 ]
	[ "$(ls -A | grep -c tmp)" -eq 0 ]
}

@test "a report that could not be written is told before anything runs" {
	TRIALS=1 write_job
	for option in junit summary metrics write-baseline; do
		run "$TUNER" run job.jsonc --$option nowhere/file
		[ "$status" -eq 2 ]
		[[ "$output" == *"--$option nowhere/file: No such file"* ]]
	done
	CI=1 GITHUB_STEP_SUMMARY=nowhere/page run "$TUNER" run job.jsonc
	[ "$status" -eq 2 ]
	[[ "$output" == *"GITHUB_STEP_SUMMARY nowhere/page: No such file"* ]]
	mkdir taken
	run "$TUNER" run job.jsonc --junit taken
	[ "$status" -eq 2 ]
	[[ "$output" == *"--junit: cannot write taken: it is a directory"* ]]
	run "$TUNER" run job.jsonc --summary -
	[ "$status" -eq 2 ]
	run "$TUNER" run job.jsonc --metrics /dev/null
	[ "$status" -eq 2 ]
	[[ "$output" == *"not a regular file"* ]]
	run "$TUNER" run job.jsonc --junit ./job.jsonc
	[ "$status" -eq 2 ]
	[[ "$output" == *"--junit: ./job.jsonc is the job file"* ]]
	run "$TUNER" run job.jsonc --junit report --summary ./report
	[ "$status" -eq 2 ]
	[[ "$output" == *"--junit and --summary name the same file, ./report: give each its own"* ]]
	echo '{"metric": "loss", "goal": "minimize", "objective": 1}' >b.json
	run "$TUNER" run job.jsonc --baseline b.json --write-baseline b.json --metrics "$DIR/b.json"
	[ "$status" -eq 2 ]
	[[ "$output" == *"name the same file, $DIR/b.json: give each its own"* ]]
	run "$TUNER" run job.jsonc --baseline b.json --metrics ./b.json
	[ "$status" -eq 2 ]
	[[ "$output" == *"--baseline and --metrics name the same file, ./b.json: give each its own"* ]]
	sqlite3 there.db "CREATE TABLE t(x)"
	run "$TUNER" run job.jsonc --write-baseline there.db
	[ "$status" -eq 2 ]
	[[ "$output" == *"cannot write there.db: it is a database"* ]]
	# "=>" is no relation, though a metric might be named "loss =".
	sed -i '/"metrics"/d' job.jsonc
	run "$TUNER" run job.jsonc --gate 'loss => 1'
	[ "$status" -eq 2 ]
	[ ! -e starts ]
}

@test "a report that cannot be written in the end fails a run that was good" {
	TRIALS=1 write_job
	echo 'mkdir taken' >>train.sh
	run "$TUNER" run job.jsonc --junit taken --metrics m.txt
	[ "$status" -eq 5 ]
	[ -s m.txt ]
}

@test "CI appends to the step's summary, and only then" {
	TRIALS=1 STRATEGY=random write_job
	echo before >page
	CI=true GITHUB_STEP_SUMMARY=$PWD/page "$TUNER" run job.jsonc --quiet
	[ "$(head -n 1 page)" = before ]
	[ "$(grep -c '^## job' page)" -eq 1 ]
	for off in "CI=false" "CI=0" "CI=" "NOTHING=1"; do
		env "$off" GITHUB_STEP_SUMMARY="$PWD/page" "$TUNER" run job.jsonc --quiet
	done
	CI=1 GITHUB_STEP_SUMMARY=$PWD/page "$TUNER" run job.jsonc --quiet --no-ci
	[ "$(grep -c '^## job' page)" -eq 1 ]
	GITHUB_STEP_SUMMARY=$PWD/page "$TUNER" run job.jsonc --quiet --ci
	[ "$(grep -c '^## job' page)" -eq 2 ]
}

# bats test_tags=plain
@test "under --ci the first SIGINT ends what runs, and the reports are written" {
	TRIALS=4 write_job
	touch hold
	start "$TUNER" run job.jsonc --ci --junit j.xml --gate 'loss < 9'
	await test -s starts
	kill -INT "$PID"
	finished
	[ "$status" -eq 130 ]
	[ "$(xml j.xml 'testsuite/testcase/skipped')" -ge 1 ]
	[ "$(xml j.xml 'testsuite/testcase/error/@type')" = "status-130" ]
	sql_is "SELECT DISTINCT outcome FROM attempt" interrupted
	rm hold
	run "$TUNER" run job.jsonc --ci --gate 'loss < 9'
	[ "$status" -eq 0 ]
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 4
}

@test "under --ci SIGTERM ends with 143" {
	TRIALS=4 write_job
	touch hold
	start "$TUNER" run job.jsonc --ci --metrics m.txt --summary s.md
	await test -s starts
	kill -TERM "$PID"
	finished
	[ "$status" -eq 143 ]
	[ "$(metric m.txt 'tuner_exit_status{job="job"}')" = 143 ]
	grep -qE '^terminated. Trials: 0 done, 0 stopped, 0 failed, [12] unfinished. Exit status 143.$' s.md
}

@test "trials die with a tuner that is killed under --ci, and live on with --orphans keep" {
	TRIALS=2 PARALLEL=1 write_job
	echo 'echo $$ >pid; while [ -e hold ]; do sleep 0.02; done; echo loss=1' >train.sh
	touch hold
	start "$TUNER" run job.jsonc --ci
	await test -s pid
	trial=$(cat pid)
	kill -KILL "$PID"
	finished
	await is_dead "$trial"
	rm pid
	start "$TUNER" run job.jsonc --ci --orphans keep --set backoff=0
	await test -s pid
	trial=$(cat pid)
	kill -KILL "$PID"
	finished
	sleep 0.2
	not is_dead "$trial"
	rm hold
	"$TUNER" run job.jsonc --quiet --set backoff=0
	sql_is "SELECT group_concat(state) FROM trial" done,done
	sql_is "SELECT group_concat(outcome) FROM (SELECT outcome FROM attempt ORDER BY id)" preempted,ok,ok
	run "$TUNER" run job.jsonc --orphans drop
	[ "$status" -eq 2 ]
}

# ---- --reuse ----

# again [ARGUMENT...]: the job once more, in a new database, which takes over from last.db.
again() {
	mv tuner.db last.db
	: >starts
	"$TUNER" run job.jsonc --reuse last.db "$@"
}

# repeats STRATEGY PARALLEL TRIALS: an unchanged sweep launches nothing, and comes to the same.
repeats() {
	STRATEGY=$1 PARALLEL=$2 TRIALS=$3 write_job
	"$TUNER" run job.jsonc --quiet --set 'first=[{"x": 0.5}, {"x": 0.75}]'
	sql "SELECT number, parameters, objective, source, metric_count FROM trial ORDER BY arm_number" >before
	again --quiet --set 'first=[{"x": 0.5}, {"x": 0.75}]' >said
	sql "SELECT number, parameters, objective, source, metric_count FROM trial ORDER BY arm_number" >after
	diff before after
	[ ! -s starts ]
	grep -q "$3 reused from last.db" said
	sql_is "SELECT group_concat(DISTINCT backend || outcome) FROM attempt" reusedok
	run "$TUNER" replay
	[ "$status" -eq 0 ]
	run "$TUNER" verify
	[ "$status" -eq 0 ]
}

# bats test_tags=plain
@test "an unchanged sweep costs nothing: random" {
	repeats random 2 6
}

# bats test_tags=plain
@test "an unchanged sweep costs nothing: bayesian, one at a time" {
	repeats bayesian 1 12
}

# bats test_tags=plain
@test "an unchanged sweep costs nothing: grid" {
	STRATEGY=grid TRIALS=5 write_job
	sed -i 's/"type": "float".*/"type": "int", "min": 1, "max": 5 } },/' job.jsonc
	"$TUNER" run job.jsonc --quiet
	again --quiet
	[ ! -s starts ]
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 5
	# One more value: one more launch.
	sed -i 's/"max": 5/"max": 6/' job.jsonc
	again --quiet --trials 6
	[ "$(lines_of starts)" -eq 1 ]
	sql_is "SELECT count(*) FROM attempt WHERE backend = 'reused'" 5
}

@test "the line of an end stands before that of what is taken over behind it" {
	STRATEGY=random PARALLEL=1 TRIALS=3 write_job
	cat >train.sh <<'END2'
[ "$TUNER_TRIAL" != 2 ] || exit 1
echo "loss=$2"
END2
	"$TUNER" run job.jsonc --quiet
	again --plain >said
	[ "$(awk '/^trial/ { printf "%s %s;", $2, $3 }' said)" = "1 done;2 failed;3 done;" ]
}

@test "a stopping rule compares with what was taken over, also where the objective is a formula" {
	cat >train.sh <<'END2'
echo "$TUNER_TRIAL" >>starts
for step in 1 2 3; do
	echo "@tuner {\"step\": $step, \"loss\": $2, \"size\": 4}"
done
while [ "$2" = 0.9 ]; do sleep 0.02; done
END2
	cat >job.jsonc <<'END2'
{
	"command": ["sh", "train.sh"],
	"objective": { "expression": "loss + log2(size)", "goal": "minimize" },
	"parameters": { "x": { "type": "float", "min": 0, "max": 1, "scale": "linear" } },
	"first": [{ "x": 0.1 }, { "x": 0.2 }, { "x": 0.3 }, { "x": 0.9 }],
	"strategy": "random",
	"early_stopping": { "rule": "median", "grace": 1, "min_trials": 3 },
	"timeout": "30s",
	"budget": { "trials": 3, "parallel": 1 }
}
END2
	"$TUNER" run job.jsonc --quiet
	again --quiet --trials 4
	[ "$(cat starts)" = 4 ]
	sql_is "SELECT outcome FROM trial WHERE number = 4" early-stopped
}

@test "what a result depends on, reuse depends on" {
	TRIALS=3 write_job
	mkdir data
	echo 1 >data/a
	sed -i "s|\"command\":|\"channels\": { \"d\": \"data\" }, &|" job.jsonc
	"$TUNER" run job.jsonc --quiet
	again --quiet
	[ ! -s starts ]
	echo 2 >data/a
	again --quiet
	[ "$(lines_of starts)" -eq 3 ]
	echo '# another line' >>train.sh
	again --quiet
	[ "$(lines_of starts)" -eq 3 ]
	again --quiet --set env.KIND=b
	[ "$(lines_of starts)" -eq 3 ]
	again --quiet --set env.KIND=b --set fixed.depth=3
	[ "$(lines_of starts)" -eq 3 ]
	again --quiet --set env.KIND=b --set fixed.depth=3 --set objective.goal=maximize
	[ "$(lines_of starts)" -eq 3 ]
	again --quiet --set env.KIND=b --set fixed.depth=3 --set objective.goal=maximize --seed 9
	[ "$(lines_of starts)" -eq 3 ]
	again --quiet --set env.KIND=b --set fixed.depth=3 --set objective.goal=maximize --seed 9 --name other
	[ ! -s starts ]
}

@test "what ran before the job file was edited is not taken for what its command gives now" {
	TRIALS=2 write_job
	"$TUNER" run job.jsonc --quiet
	"$TUNER" run job.jsonc --quiet --set fixed.depth=3 --trials 3 --accept-change
	again --quiet --set fixed.depth=3 --trials 3
	[ "$(cut -d ' ' -f 1 starts)" = "$(printf '1\n2')" ]
	# Nor what had a parameter that is gone, whatever else it had.
	rm -f tuner.db last.db
	"$TUNER" run job.jsonc --quiet --set 'parameters.y={"type": "int", "min": 1, "max": 9}' \
		--set 'first=[{"x": 0.5}, {"x": 0.75}]'
	"$TUNER" run job.jsonc --quiet --trials 3
	again --quiet --set 'first=[{"x": 0.5}, {"x": 0.75}]'
	[ "$(lines_of starts)" -eq 2 ]
}

@test "failures are launched again, and a result is taken once" {
	TRIALS=4 PARALLEL=1 write_job
	sed -i 's/^if \[ -e crash.*/if [ -e crash ] \&\& [ "$TUNER_TRIAL" = 2 ]; then exit 1; fi/' train.sh
	touch crash
	"$TUNER" run job.jsonc --quiet
	rm crash
	again --quiet
	[ "$(cut -d ' ' -f 1 starts)" = 2 ]
	again --quiet --set 'first=[{"x": 0.5}, {"x": 0.5}]' --trials 2
	[ "$(lines_of starts)" -eq 2 ]
	again --quiet --set 'first=[{"x": 0.5}, {"x": 0.5}, {"x": 0.5}]' --trials 3
	[ "$(lines_of starts)" -eq 1 ]
	sql_is "SELECT count(DISTINCT json_extract(data, '$.key')) FROM event WHERE kind = 'reused'" 2
	# Nor again by a later sitting.
	: >starts
	"$TUNER" run job.jsonc --quiet --reuse last.db --set 'first=[{"x": 0.5}, {"x": 0.5}, {"x": 0.5}, {"x": 0.5}]' --trials 4
	[ "$(lines_of starts)" -eq 1 ]
}

@test "jobs of the same database give, the job itself does not" {
	TRIALS=3 write_job
	"$TUNER" run job.jsonc --quiet
	: >starts
	"$TUNER" run job.jsonc --quiet --name other --reuse tuner.db
	[ ! -s starts ]
	run "$TUNER" show other 1
	[[ "$output" == *"taken over from trial "*" of job job in tuner.db"* ]]
	run "$TUNER" logs other 1
	[ "$status" -eq 2 ]
	[[ "$output" == *"was not launched: taken over from trial"* ]]
	run "$TUNER" best other --model
	[ "$status" -eq 2 ]
	[[ "$output" == *"was not launched here, so there is no model: taken over from trial"* ]]
	"$TUNER" run job.jsonc --quiet --trials 5 --reuse tuner.db
	[ "$(lines_of starts)" -eq 2 ]
}

@test "arms take over trained with the same seed only, each its own" {
	TRIALS=4 PARALLEL=2 write_job
	sed -i 's/^	"strategy":.*/	"arms": { "a": "random", "b": "random" }, "repeats": 2,/' job.jsonc
	"$TUNER" run job.jsonc --quiet
	again --quiet
	[ ! -s starts ]
	sql_is "SELECT count(DISTINCT json_extract(data, '$.key')) FROM event WHERE kind = 'reused'" 16
}

@test "without anything to take from the run goes on, and says so" {
	TRIALS=1 write_job
	run "$TUNER" run job.jsonc --reuse missing.db
	[ "$status" -eq 0 ]
	[[ "$output" == *"there is no missing.db yet"* ]]
	echo text >text
	run "$TUNER" run job.jsonc --trials 2 --reuse text
	[ "$status" -eq 0 ]
	[[ "$output" == *"warning: no results are reused from text: text: this is not a database of tuner; name another one with --reuse"* ]]
	[[ "$output" != *"--db"* ]]
	sqlite3 others.db "CREATE TABLE t(x)"
	run "$TUNER" run job.jsonc --trials 3 --reuse others.db
	[[ "$output" == *"a database of another program, not of tuner; it was left alone"* ]]
	[[ "$output" != *"--db"* ]]
}

@test "code that changes while the job runs ends the taking over" {
	TRIALS=3 PARALLEL=1 write_job
	"$TUNER" run job.jsonc --quiet --set 'first=[{"x": 0.1}, {"x": 0.2}, {"x": 0.3}]'
	mv tuner.db last.db
	: >starts
	# The first is new and edits the code, which the next launch finds; the others would be taken over.
	sed -i '1i if [ "$2" = 0.7 ]; then echo "# edited" >>train.sh; fi; while [ "$2" = 0.8 ] \&\& [ ! -e go ]; do sleep 0.02; done' train.sh
	"$TUNER" run job.jsonc --quiet --set 'first=[{"x": 0.1}, {"x": 0.2}, {"x": 0.3}]'
	mv tuner.db last.db
	: >starts
	start "$TUNER" run job.jsonc --set 'first=[{"x": 0.7}, {"x": 0.8}, {"x": 0.2}, {"x": 0.3}]' --trials 4 --reuse last.db
	await grep -q 'no more results are reused' output
	touch go
	finished
	[ "$status" -eq 0 ]
	[ "$(lines_of starts)" -eq 4 ]
}

@test "a finished job whose code was edited since is judged with a warning" {
	TRIALS=1 write_job
	"$TUNER" run job.jsonc --quiet --gate 'loss < 9'
	run "$TUNER" run job.jsonc --quiet --gate 'loss < 9'
	[ "$status" -eq 0 ]
	[[ "$output" != *"other code"* ]]
	echo '# edited' >>train.sh
	run "$TUNER" run job.jsonc --quiet --gate 'loss < 9'
	[ "$status" -eq 0 ]
	[[ "$output" == *"warning: the trials judged here ran other code"* ]]
}

# ---- docs/ci.md ----

PAGE="$BATS_TEST_DIRNAME/../docs/ci.md"

# steps: the shell lines of the example for GitHub, one file a step.
steps() {
	awk '/^ *run: \|$/ { n++; indent = index($0, "run") + 2; next }
		n && match($0, /[^ ]/) >= indent && indent { print substr($0, indent) >"step-" n; next }
		{ indent = 0 }' "$PAGE"
}

# write_sweep: what the page's examples are about.
write_sweep() {
	mkdir bin
	ln -s "$TUNER" bin/tuner
	PATH="$PWD/bin:$PATH"
	cat >train.py <<'END'
echo started >>"$LOG"
echo "val_acc=0.7$(echo "$2" | tr -dc 0-9 | cut -c 1-3)"
END
	cat >sweep.jsonc <<'END'
{
	"command": ["sh", "train.py"],
	"objective": { "metric": "validation-accuracy", "goal": "maximize" },
	"metrics": [{ "name": "validation-accuracy", "regex": "val_acc=([0-9.]+)" }],
	"parameters": { "lr": { "type": "float", "min": 0, "max": 1 } },
	"hosts": [{ "gpus": "none" }],
	"strategy": "random",
	"budget": { "trials": 4 }
}
END
	export LOG="$PWD/starts" CI=true GITHUB_STEP_SUMMARY="$PWD/page"
}

# bats test_tags=plain
@test "docs/ci.md: the example for GitHub, twice: the second run launches nothing" {
	write_sweep
	steps
	[ "$(lines_of step-1)" -eq 4 ]
	[ "$(lines_of step-2)" -eq 2 ]
	bash -e "$PWD"/step-1 && status=0 || status=$?
	[ "$status" -eq 2 ] # no baseline yet
	eval "$(sed -n 's/^    \(tuner run sweep.jsonc --write-baseline .*\)/\1/p' "$PAGE") --db baseline.db"
	rm starts
	bash -e step-1
	[ "$(lines_of starts)" -eq 4 ]
	bash -e step-2
	rm starts
	bash -e step-1
	[ ! -e starts ]
	grep -q '^## sweep: validation-accuracy 0.7' page
	[ "$(xml junit.xml 'testsuite/testcase')" = 6 ]
	[ "$(metric metrics.txt 'tuner_trials_reused{job="sweep"}')" = 4 ]
	# Worse code fails by gate and baseline.
	bash -e step-2
	sed -i 's/0\.7/0.6/' train.py
	run bash -e step-1
	[ "$status" -eq 1 ]
	[ "$(grep -c '^gate missed' <<<"$output")" -eq 2 ]
	[ "$(lines_of starts)" -eq 4 ]
}

@test "docs/ci.md: the example for GitLab, twice" {
	write_sweep
	awk '/^ *script:$/ { on = 1; next } /^ *after_script:$/ { on = 2; next } /^ *- / { if (on) { sub(/^ *- /, ""); print >"part-" on } next } { on = 0 }' "$PAGE"
	[ "$(lines_of part-1)" -eq 1 ]
	[ "$(lines_of part-2)" -eq 1 ]
	bash -e part-1
	bash -e part-2
	rm starts
	bash -e part-1
	[ ! -e starts ]
	[ -s summary.md ]
	[ "$(tail -n 1 metrics.txt)" = "# EOF" ]
}

# bats test_tags=plain
@test "docs/ci.md: a cancelled step ends at once, since tuner stands in the shell's place" {
	write_sweep
	steps
	sed -i 's/--baseline baseline.json --tolerance 0.002//' step-1
	echo 'echo $$ >pid; sleep 100' >train.py
	start bash -e step-1
	await test -s pid
	kill -INT "$PID"
	finished
	[ "$status" -eq 130 ]
	is_dead "$(cat pid)"
	[ "$(xml junit.xml 'testsuite/testcase/error/@type')" = status-130 ]
}

@test "docs/ci.md: exit statuses and metrics are those of the program" {
	TRIALS=1 write_job
	"$TUNER" run job.jsonc --quiet --gate 'loss < 9' --metrics m.txt
	touch crash
	"$TUNER" run job.jsonc --quiet --name failing --gate 'loss < 9' --metrics failing.txt || true
	for family in $(sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' m.txt failing.txt | sort -u); do
		grep -q "$family{" "$PAGE"
	done
	for family in $(grep -o 'tuner_[a-z_]*{' "$PAGE" | tr -d '{'); do
		grep -q "^$family{" m.txt failing.txt
	done
}
