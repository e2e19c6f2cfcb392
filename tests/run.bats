#!/usr/bin/env bats
# tuner run: from a job file to its budget, through interruptions and edits.

load run/common

done_trials="SELECT count(*) FROM trial WHERE state = 'done'"

@test "a job runs to its budget and says what is best" {
	write_job
	run "$TUNER" run job.jsonc
	[ "$status" -eq 0 ]
	[[ "$output" == *"best: loss="* ]]
	[ ! -e tuner.db-wal ]
	sql_is "$done_trials" 6
	[ "$(lines_of starts)" -eq 6 ]
	sql_is "SELECT count(*) FROM attempt WHERE state = 'ended' AND outcome = 'ok'" 6
	sql_is "SELECT state FROM job" done
	sql_is "PRAGMA integrity_check" ok
	# The objective is what the command said for these parameters.
	sql_is "SELECT count(*) FROM trial t JOIN trial_param p ON p.trial = t.id
		WHERE abs(t.objective - (p.value - 0.3) * (p.value - 0.3)) < 1e-12" 6
}

# bats test_tags=plain
@test "elsewhere than on a terminal there is one line a finished trial" {
	write_job
	run "$TUNER" run job.jsonc
	[ "$(grep -c 'trial  *[0-9].*loss=' <<<"$output")" -ge 6 ]
	run "$TUNER" run job.jsonc --name quiet --quiet
	[ "$(grep -c '^best: loss=' <<<"$output")" -eq 1 ]
	[ "$(grep -cv '^best\|^all' <<<"$output")" -eq 0 ]
}

@test "a value's line break breaks no line, and its colours colour nothing" {
	TRIALS=3 write_job
	sed -i 's|"x": {.*|"x": { "type": "float", "min": 0, "max": 1 }, "k": { "type": "categorical", "values": ["a\\nb", "\\u001b[31mü"] } },|' job.jsonc
	"$TUNER" run job.jsonc >out
	[ "$(lines_of out)" -eq 6 ]
	[ "$(grep -c '^trial .*k=\(a?b\|?\[31mü\)  (' out)" -eq 3 ]
	grep -q '^best: .* k=\(a?b\|?\[31mü\)$' out
	"$TUNER" try job.jsonc | grep -q '^configuration: x=.* k=\(a?b\|?\[31mü\)$'
	"$TUNER" watch >out
	[ "$(grep -c '^trial .*k=\(a?b\|?\[31mü\)  (' out)" -eq 3 ]
	run grep -q $'\033' out
	[ "$status" -eq 1 ]
}

@test "a search that ended before its trials is not told to go on with more of them" {
	TRIALS=9 STRATEGY=random write_job
	"$TUNER" run job.jsonc --quiet --set 'parameters.x={"type": "ordinal", "values": [0.1, 0.2]}'
	"$TUNER" status >out
	grep -q '^job job: done (every configuration of the space has been tried)$' out
	grep -q '^  tuner run job  *continues, once the job file allows it$' out
	[ "$(grep -c -e '--trials' out)" -eq 0 ]
}

@test "a misspelt metric is told of with the one that may be meant: run, try, doctor" {
	write_job
	sed -i '/"metrics":/d; s/"loss"/"lose"/' job.jsonc
	echo 'printf "@tuner {\"loss\": 1, \"size\": 2}\n"' >train.sh
	run "$TUNER" run job.jsonc
	[ "$status" -eq 3 ]
	[[ "$output" == *'The objective'"'"'s metric "lose" was not reported; did you mean "loss"?'* ]]
	run "$TUNER" try job.jsonc
	[[ "$output" == *'the objective lose was not reported; did you mean "loss"?'* ]]
	run "$TUNER" doctor
	[[ "$output" == *'metric "lose" never came in 3 attempts (did you mean "loss"?); '* ]]
	run "$TUNER" try job.jsonc --set objective.metric=accuracy
	[[ "$output" == *'the objective accuracy was not reported; there are loss, size'* ]]
}

@test "of a formula, limits and further objectives the metric that is misspelt is told of, not one that came" {
	write_job
	echo 'printf "@tuner {\"loss\": 1, \"size\": 2}\n" | tee output.log' >train.sh
	for objective in '{"expression": "loss + 2 * seize", "goal": "minimize"} objective'"'"'s' \
		'{"metric": "loss", "goal": "minimize", "limits": ["seize <= 3"]} limits'"'" \
		'{"metric": "loss", "goal": "minimize", "also": [{"minimize": "seize"}]} further objectives'"'"; do
		whose=${objective##*\} }
		sed -e '/"metrics":/d' -e "s/\"objective\":.*/\"objective\": ${objective%\} *}},/" job.jsonc >misspelt.jsonc
		run "$TUNER" try misspelt.jsonc
		[ "$status" -eq 3 ]
		[[ "$output" == *"the $whose metric seize was not reported; did you mean \"size\"?"*'print it as @tuner {"seize": 0.71}'* ]]
		[[ "$output" != *"the objective "*"was not reported"* ]]
		"$TUNER" check misspelt.jsonc --log output.log | grep -q "^The $whose metric \"seize\" is not among what was found.$"
		not grep 'The objective ' <<<"$("$TUNER" check misspelt.jsonc --log output.log)"
		rm -rf tuner.db*
		run "$TUNER" run misspelt.jsonc
		[[ "$(flat)" == *"The $whose metric \"seize\" was not reported"* ]]
		"$TUNER" doctor | grep -q "the $whose metric \"seize\" never came"
	done
}

@test "the objective has its place, however many other metrics come before it" {
	cat >train.sh <<'END'
for i in $(seq 300); do echo "@tuner {\"layer$i\": 1}"; done
echo '@tuner {"loss": 0.5}'
END
	cat >many.jsonc <<'END'
{
	"command": ["sh", "train.sh"],
	"objective": { "metric": "loss", "goal": "minimize" },
	"parameters": { "x": { "type": "float", "min": 0, "max": 1 } },
	"strategy": "random", "budget": { "trials": 1 }
}
END
	"$TUNER" run many.jsonc
	[ "$("$TUNER" best --json | jq .objective)" = 0.5 ]
	"$TUNER" try many.jsonc | grep -q 'loss'
	sh train.sh >old.log
	"$TUNER" check many.jsonc --log old.log
}

@test "a job's name is its directory's, and one that would hide or climb is refused" {
	write_job
	for name in .x .. . -x a/b _.x/../y "a b" ""; do
		run "$TUNER" run job.jsonc --quiet --name="$name"
		[ "$status" -eq 2 ]
	done
	[ ! -e tuner.db ]
	for name in _.x x. _x; do
		"$TUNER" run job.jsonc --quiet --trials 1 --name="$name"
		[ -d "tuner.db.d/$name/0001/1" ]
	done
	sql_is "SELECT count(DISTINCT directory) FROM attempt" 3
}

@test "two projects of one database that call their job alike are not one job" {
	TRIALS=2 write_job
	export TUNER_DB=$DIR/all.db
	mkdir one two
	cp job.jsonc train.sh one
	cp job.jsonc train.sh two
	(cd one && "$TUNER" run job.jsonc --quiet)
	cd two
	run "$TUNER" run job.jsonc --trials 3
	[ "$status" -eq 2 ]
	[[ "$output" == *"job \"job\" of this database belongs to $DIR/one/job.jsonc, which still exists, and has run in $DIR/one. "* ]]
	"$TUNER" run job.jsonc --quiet --name two --trials 3
	"$TUNER" run job.jsonc --quiet --trials 3 --accept-change
	# One that has moved is the same.
	cd ..
	mv two three
	(cd three && "$TUNER" run job.jsonc --quiet --trials 4)
	[ "$("$TUNER" jobs --json | jq -c 'map([.job, .trials])')" = '[["job",4],["two",3]]' ]
	# So is one that was copied with its database.
	unset TUNER_DB
	(cd one && "$TUNER" run job.jsonc --quiet)
	cp -R one four
	(cd four && "$TUNER" run job.jsonc --quiet --trials 3)
	# One beside it that differs by its ending is another's while both are there.
	cd four
	jq '.budget.trials = 4' job.jsonc >job.json
	run "$TUNER" run job.json
	[ "$status" -eq 2 ]
	[[ "$output" == *"belongs to $DIR/four/job.jsonc, which still exists"* ]]
	rm job.jsonc
	"$TUNER" run job.json --quiet
	[ "$("$TUNER" jobs --json | jq -c 'map([.job, .trials])')" = '[["job",4]]' ]
}

@test "a job whose file is gone keeps its name, also one that ends like a file's" {
	TRIALS=2 write_job
	mv job.jsonc sweep.json.jsonc
	"$TUNER" run sweep.json.jsonc --quiet
	rm sweep.json.jsonc
	"$TUNER" run sweep.json --quiet --trials 3
	[ "$("$TUNER" jobs --json | jq -c 'map([.job, .trials])')" = '[["sweep.json",3]]' ]
}

@test "a number is a job's name as any other: 1.jsonc is not taken for the first job of the database" {
	TRIALS=2 write_job
	cp job.jsonc 2.jsonc
	sed 's/"trials": 2/"trials": 3/' job.jsonc >1.jsonc
	"$TUNER" run 2.jsonc --quiet
	"$TUNER" run 1.jsonc --quiet
	sql_is "SELECT count(*) FROM v_trial WHERE job = '2'" 2
	sql_is "SELECT count(*) FROM v_trial WHERE job = '1'" 3
	[ "$("$TUNER" best 1 --json | jq -r .job)" = 1 ]
	run "$TUNER" status 3
	[ "$status" -eq 2 ]
}

@test "a file that is not there, and a wrong --trials, are told of as they were typed" {
	write_job
	run "$TUNER" run jop.jsonc
	[ "$status" -eq 2 ]
	[[ "$output" == *'there is no file "jop.jsonc", and no database'* ]]
	"$TUNER" run job.jsonc --quiet --trials 1 --name 2026
	sql_is "SELECT name FROM job" 2026
	run "$TUNER" run jop.jsonc
	[ "$status" -eq 2 ]
	[[ "$output" == *'there is no file "jop.jsonc": there is no job "jop.jsonc" in '* ]]
	run "$TUNER" run job.jsonc --trials five
	[ "$status" -eq 2 ]
	[[ "$output" == *'--trials five: budget.trials: expected a whole number from 1 to 1000000, found "five"'* ]]
	run "$TUNER" run 2026 --parallel 0
	[ "$status" -eq 2 ]
	[[ "$output" == *'--parallel 0: budget.parallel: expected a whole number from 1 to 1024, found the number 0'* ]]
	run "$TUNER" run job.jsonc --name a/b
	[[ "$output" == *'--name a/b: name: expected letters'* ]]
}

@test "one trial is one, and how to go on is the same everywhere" {
	TRIALS=1 write_job
	run "$TUNER" run job.jsonc
	[[ "$output" == *"the one trial of the budget has ended. Trials: 1 done"* ]]
	run "$TUNER" run job.jsonc
	[[ "$output" == *"is complete after 1 trial: "*'"tuner run job.jsonc --trials 2"'* ]]
	"$TUNER" status | grep -q 'tuner run job --trials 2 '
	run "$TUNER" run job.jsonc --name broken -- true
	[ "$status" -eq 4 ]
	[[ "$output" == *"the one trial of the budget has ended, and gave no objective"* ]]
	"$TUNER" status broken | grep -q 'tuner run broken --trials 2 '
	sed -i '1s/{/{ "nokey": 1,/' job.jsonc
	run "$TUNER" run job.jsonc --parallel 7
	[ "$status" -eq 2 ]
	[[ "$output" == *"but 1 trial in all"*"job.jsonc has 1 error" ]]
}

# bats test_tags=plain
@test "the same seed proposes the same, another seed something else" {
	write_job
	"$TUNER" run job.jsonc --seed 7 --name a --parallel 1
	"$TUNER" run job.jsonc --seed 7 --name b --parallel 1
	"$TUNER" run job.jsonc --seed 8 --name c --parallel 1
	same="SELECT count(*) FROM trial t JOIN trial u USING (number) JOIN trial_param p ON p.trial = t.id
		JOIN trial_param q ON q.trial = u.id JOIN job i ON i.id = t.job JOIN job j ON j.id = u.job
		WHERE p.value = q.value AND i.name = 'a' AND j.name ="
	sql_is "$same 'b'" 6
	sql_is "$same 'c'" 0
}

# bats test_tags=plain
@test "after kill -9 what runs is taken over, and nothing runs twice" {
	TRIALS=8 write_job
	touch hold-3 hold-4
	start "$TUNER" run job.jsonc
	await sql_is "SELECT count(*) FROM attempt WHERE state = 'running' AND trial IN
		(SELECT id FROM trial WHERE number IN (3, 4))" 2
	kill -KILL "$PID"
	finished
	running=$(sql "SELECT number FROM trial WHERE state = 'running' ORDER BY number")
	[ "$(wc -l <<<"$running")" -eq 2 ]
	start "$TUNER" run job.jsonc
	await grep -q 'under way' output
	rm hold-*
	finished
	[ "$status" -eq 0 ]
	sql_is "$done_trials" 8
	sql_is "SELECT count(*) FROM trial" 8
	sql_is "SELECT count(*) FROM attempt" 8
	sql_is "SELECT count(*) FROM attempt WHERE state <> 'ended'" 0
	[ "$(lines_of starts)" -eq 8 ]
	[ -z "$(cut -d' ' -f1,2 starts | sort | uniq -d)" ]
}

@test "trials that ended while no tuner lived are collected with all their metrics" {
	TRIALS=2 write_job
	touch hold
	start "$TUNER" run job.jsonc
	await sql_is "SELECT count(*) FROM attempt WHERE state = 'running'" 1
	kill -KILL "$PID"
	finished
	rm hold
	await test -e tuner.db.d/job/0001/1/exit.json
	run "$TUNER" run job.jsonc
	[ "$status" -eq 0 ]
	sql_is "$done_trials" 2
	sql_is "SELECT count(*) FROM metric" 2
	[ "$(lines_of starts)" -eq 2 ]
}

@test "killed after it has promised to stop a trial, the next run keeps the promise" {
	TRIALS=3 PARALLEL=1 write_job
	cat >train.sh <<'END'
trap 'touch asked; while [ -e stay ]; do sleep 0.02; done; exit 0' TERM
echo "$TUNER_TRIAL" >>starts
echo "loss=$2"
while [ -e "hold-$TUNER_TRIAL" ]; do sleep 0.02; done
END
	touch hold-2 stay
	start "$TUNER" run job.jsonc
	await sql_is "SELECT metric_count FROM trial WHERE number = 2" 1
	run "$TUNER" stop --trial 2
	[ "$status" -eq 0 ]
	await test -e asked
	kill -KILL "$PID"
	finished
	rm stay hold-2
	run "$TUNER" run job.jsonc
	[ "$status" -eq 0 ]
	[ "$(lines_of starts)" -eq 3 ]
	sql_is "SELECT state || ' ' || outcome || ': ' || message FROM trial WHERE number = 2" \
		'stopped user-stopped: stopped by "tuner stop"'
	sql_is "$done_trials" 2
}

# bats test_tags=plain
@test "killed between its last trial and its own end, a job is ended by the next run" {
	TRIALS=2 write_job
	"$TUNER" run job.jsonc
	sqlite3 tuner.db "UPDATE job SET state = 'open', reason = '', ended_us = NULL"
	run "$TUNER" run job.jsonc
	[ "$status" -eq 0 ]
	[[ "$output" == *"all 2 trials of the budget have ended"* ]]
	sql_is "SELECT state FROM job WHERE ended_us IS NOT NULL" done
	[ "$(lines_of starts)" -eq 2 ]
	touch crash
	run "$TUNER" run job.jsonc --name broken --set budget.start_failures=9
	[ "$status" -eq 4 ]
	sqlite3 tuner.db "UPDATE job SET state = 'open', reason = '', ended_us = NULL WHERE name = 'broken'"
	run "$TUNER" run job.jsonc --name broken --set budget.start_failures=9
	[ "$status" -eq 4 ]
	sql_is "SELECT state FROM job WHERE name = 'broken'" failed
}

@test "of two jobs of a database, only the one that is run is said to be" {
	write_job
	touch hold-1
	start "$TUNER" run job.jsonc --name other
	await grep -q '^1 1' starts
	kill -KILL "$PID"
	finished
	rm starts
	start "$TUNER" run job.jsonc
	await grep -q '^1 1' starts
	"$TUNER" status job | head -1 | grep -q "open, run by process $PID"
	"$TUNER" status other | head -1 | grep -q "open, but no tuner is running it"
	timeout 5 "$TUNER" watch other
	run "$TUNER" doctor other
	[[ "$output" == *"under way when its"* ]]
	# One that is stopped answers nothing, and is named.
	kill -STOP "$PID"
	run "$TUNER" stop job
	[ "$status" -eq 5 ]
	[[ "$output" == *"process $PID, which runs job job, has not answered"*"kill -CONT $PID"* ]]
	kill -CONT "$PID"
	finished
	grep -q 'stopped by "tuner stop"' output
}

# bats test_tags=plain
@test "more trials and a wider range: the job goes on, nothing is repeated" {
	TRIALS=4 write_job
	"$TUNER" run job.jsonc
	run "$TUNER" run job.jsonc
	[ "$status" -eq 0 ]
	[[ "$output" == *"--trials"* ]]
	sql_is "SELECT count(*) FROM trial" 4
	MAX=2 TRIALS=7 write_job
	run "$TUNER" run job.jsonc
	[ "$status" -eq 0 ]
	[[ "$output" == *"budget.trials: 4 -> 7"* ]]
	sql_is "$done_trials" 7
	sql_is "SELECT count(*) FROM space_version" 2
	sql_is "SELECT count(DISTINCT value) FROM trial_param" 7
	[ "$(lines_of starts)" -eq 7 ]
}

@test "an objective that no trial has had is mended by an edit, and trials that reported the right one have it" {
	TRIALS=4 write_job
	jq '.command = ["sh", "-c", "echo @tuner {\\\"acc\\\": $2}", "x"] | del(.metrics)' job.jsonc >right.jsonc
	sed -i 's/"metric": "loss"/"metric": "acc"/' right.jsonc
	jq '.objective.metric = "accuracy"' right.jsonc >job.jsonc
	run "$TUNER" run job.jsonc
	[ "$status" -eq 3 ]
	[[ "$output" == *'"accuracy" was not reported; there are acc'* ]]
	sql_is "SELECT count(*) FROM trial WHERE state = 'failed'" 3
	mv right.jsonc job.jsonc
	run "$TUNER" run job.jsonc
	[ "$status" -eq 0 ]
	[[ "$output" == *'objective.metric: "accuracy" -> "acc"'* ]]
	sql_is "SELECT count(*), count(objective) FROM trial WHERE state = 'done'" "4|4"
	# From now on there are results, which another objective would change.
	run "$TUNER" run job.jsonc --set objective.goal=maximize
	[ "$status" -eq 2 ]
	[[ "$output" == *"tuner rescore job" ]]
	run "$TUNER" run job.jsonc --set objective.goal=maximize --db "$PWD/tuner.db"
	[[ "$output" == *"tuner rescore job --db $PWD/tuner.db" ]]
	"$TUNER" verify
	"$TUNER" replay
}

@test "a command that never worked is mended without --accept-change, and its trials may be put back" {
	write_job
	sed -i 's/"loss=(/"lost=(/' job.jsonc
	run "$TUNER" run job.jsonc
	[ "$status" -eq 3 ]
	sed -i 's/"lost=(/"loss=(/' job.jsonc
	run "$TUNER" run job.jsonc --trials 5
	[ "$status" -eq 0 ]
	[[ "$output" == *'"tuner retry job --class crashed,no-metric" puts them back'* ]]
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 2
	"$TUNER" retry job --class no-metric
	"$TUNER" run job.jsonc --trials 5 --quiet
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 5
	"$TUNER" verify
	# Now there is something to compare with.
	sed -i 's/"sh", "train.sh"/"sh", ".\/train.sh"/' job.jsonc
	run "$TUNER" run job.jsonc --trials 6
	[ "$status" -eq 2 ]
	[[ "$output" == *"--accept-change"* ]]
}

@test "a refused edit names what is refused, in whole lines, not all that was edited" {
	TRIALS=2 write_job
	"$TUNER" run job.jsonc --quiet
	more=$(for i in $(seq 30); do printf '"another-parameter-%d": {"type": "float", "min": 0, "max": 1},' "$i"; done)
	sed "s/\"parameters\": {/\"parameters\": { $more/; s/\"train.sh\"/\"train.sh\", \"--more\"/" job.jsonc >other.jsonc
	run "$TUNER" run other.jsonc --name job
	[ "$status" -eq 2 ]
	[[ "$output" == *'command: ["sh", "train.sh"] -> ["sh", "train.sh", "--more"]'$'\nOld and new'* ]]
	[[ "$output" != *another-parameter* ]]
	# More of one kind than a message holds.
	fixed=$(for i in $(seq 30); do printf '"another-fixed-value-%d": %d,' "$i" "$i"; done)
	sed "s/\"command\"/\"fixed\": { ${fixed%,} }, \"command\"/" job.jsonc >other.jsonc
	run "$TUNER" run other.jsonc --name job
	[ "$status" -eq 2 ]
	[[ "$output" =~ $'-> 9\n'.*$'\nand '[0-9]+$' more\nOld and new trials' ]]
}

# bats test_tags=plain
@test "an edited objective is refused, an edited command needs --accept-change" {
	TRIALS=2 write_job
	"$TUNER" run job.jsonc
	sed 's/"minimize"/"maximize"/; s/"trials": 2/"trials": 3/' job.jsonc >other.jsonc
	run "$TUNER" run other.jsonc --name job
	[ "$status" -eq 2 ]
	[[ "$output" == *"goal"* ]]
	sed 's/"train.sh"/"train.sh", "--more"/; s/"trials": 2/"trials": 3/' job.jsonc >other.jsonc
	run "$TUNER" run other.jsonc --name job
	[ "$status" -eq 2 ]
	[[ "$output" == *"--accept-change"* ]]
	sql_is "SELECT count(*) FROM trial" 2
	sed 's/"seed": 1//; s/"trials": 2/"trials": 3/' job.jsonc >other.jsonc
	run "$TUNER" run other.jsonc --name job --seed 99
	[ "$status" -eq 2 ]
	[[ "$output" == *"seed"* ]]
	sed 's/"sh", "train.sh"/"sh", ".\/train.sh"/; s/"trials": 2/"trials": 3/' job.jsonc >other.jsonc
	run "$TUNER" run other.jsonc --name job --accept-change
	[ "$status" -eq 0 ]
	sql_is "$done_trials" 3
}

@test "what follows -- replaces the command, --set any key" {
	write_job
	cat >other.sh <<'END'
echo "loss=1"
END
	run "$TUNER" run job.jsonc --set budget.trials=3 --set 'hosts=[{"backend": "local", "gpus": "none"}]' -- sh other.sh
	[ "$status" -eq 0 ]
	sql_is "$done_trials" 3
	sql_is "SELECT max(objective) FROM trial" 1.0
	[ ! -e starts ]
}

@test "a job file may come from standard input" {
	write_job
	run "$TUNER" run - --name piped --trials 2 <job.jsonc
	[ "$status" -eq 0 ]
	sql_is "SELECT name FROM job" piped
	sql_is "$done_trials" 2
	# And goes on by its name.
	run "$TUNER" run piped --trials 3
	[ "$status" -eq 0 ]
	sql_is "$done_trials" 3
}

@test "a job goes on by its name, with the name that it was given" {
	TRIALS=2 write_job
	"$TUNER" run job.jsonc --name other
	run "$TUNER" run other --trials 3
	[ "$status" -eq 0 ]
	sql_is "SELECT count(*) FROM job" 1
	sql_is "$done_trials" 3
}

@test "what a command says to type next names the job and the database that it was about" {
	TRIALS=1 write_job
	"$TUNER" run job.jsonc --name other --db other.db
	run "$TUNER" run job.jsonc --name other --db other.db
	[[ "$output" == *'"tuner run other --db other.db --trials 2"'*'"tuner best other --db other.db"'* ]]
	run "$TUNER" enqueue other x=0.5 --db other.db
	[[ "$output" == *'1 trial: "tuner run other --db other.db --trials 2"'* ]]
	touch hold # else it may have ended before it is seen to run
	run "$TUNER" run job.jsonc --db third.db --detach
	rm hold
	[[ "$output" == *'"tuner watch job --db third.db" follows it, "tuner stop job --db third.db" ends it'* ]]
	await sh -c '"$TUNER" status --db third.db | grep -q "^job job: done"'
	run "$TUNER" run job.jsonc --db third.db
	[[ "$output" == *'"tuner run job.jsonc --db third.db --trials 2"'* ]]
	"$TUNER" run job.jsonc --db third.db --name bad --set 'command=["false"]' --set arguments=none || true
	run "$TUNER" retry bad --class crashed --db third.db
	[[ "$output" == *'the next "tuner run bad --db third.db" launches'* ]]
}

@test "what is asked for, or put back, in a job that a bound of its budget has ended waits for an edit, and that is said" {
	PARALLEL=1 write_job
	echo 'test $TUNER_TRIAL != 1 && echo loss=1; failed=$?; [ $TUNER_JOB-$TUNER_TRIAL != runtime-2 ] || sleep 60; exit $failed' >train.sh
	for bound in target=100 not_improving=1 runtime=3; do
		local job=${bound%=*}
		# The runtime may be over before there is a result.
		"$TUNER" run job.jsonc --quiet --name "$job" --set "budget.$bound" || [ "$job" = runtime ]
		run "$TUNER" retry "$job" --class crashed
		echo "$output"
		[[ "$output" == "job $job has ended ("*"): \"tuner run $job\" launches trial 1 again, once the job file allows it" ]]
		run "$TUNER" enqueue "$job" x=0.5
		[[ "$output" == "job $job has ended ("*"): \"tuner run $job\" begins with {\"x\": 0.5}, once the job file allows it" ]]
	done
	before=$(sql "SELECT count(*) FROM attempt")
	"$TUNER" run target --quiet --set budget.target=100
	sql_is "SELECT count(*) FROM attempt" "$before"
	"$TUNER" run target --quiet # whose file has no target: its trials end it
	run "$TUNER" enqueue target x=0.25
	[[ "$output" == *'"tuner run target --trials 7" begins with {"x": 0.25}' ]]
}

# bats test_tags=plain
@test "a script with an ImportError costs three launches, exit 3 and shows its traceback" {
	write_job
	cat >broken.py <<'END'
import no_such_module_of_mine
END
	run "$TUNER" run job.jsonc -- /usr/bin/python3 broken.py
	[ "$status" -eq 3 ]
	[[ "$output" == *"ModuleNotFoundError: No module named 'no_such_module_of_mine'"* ]]
	[[ "$output" == *"Traceback"* ]]
	sql_is "SELECT count(*) FROM attempt" 3
	sql_is "SELECT state FROM job" failed
	sql_is "SELECT group_concat(DISTINCT outcome) FROM attempt" crashed
}

@test "failures after a first result are data, not the end" {
	TRIALS=6 PARALLEL=1 write_job
	cat >sometimes.sh <<'END'
[ "$TUNER_TRIAL" -eq 1 ] || exit 1
echo loss=1
END
	run "$TUNER" run job.jsonc -- sh sometimes.sh
	[ "$status" -eq 0 ]
	sql_is "$done_trials" 1
	sql_is "SELECT count(*) FROM trial WHERE state = 'failed'" 5
}

@test "a budget without any result ends with exit 4" {
	TRIALS=2 write_job
	run "$TUNER" run job.jsonc -- true
	[ "$status" -eq 4 ]
	sql_is "SELECT group_concat(DISTINCT outcome) FROM attempt" no-metric
}

@test "a NaN objective fails the trial and no other" {
	TRIALS=3 PARALLEL=1 write_job
	cat >nan.sh <<'END'
if [ "$TUNER_TRIAL" -eq 2 ]; then echo loss=nan; else echo loss=1; fi
END
	run "$TUNER" run job.jsonc -- sh nan.sh
	[ "$status" -eq 0 ]
	sql_is "SELECT a.outcome FROM attempt a JOIN trial t ON t.id = a.trial WHERE t.number = 2" nan
	sql_is "$done_trials" 2
}

@test "a finite space is exhausted, and the run says so" {
	write_job
	sed 's/"type": "float", "min": 0, "max": 1, "scale": "linear"/"type": "int", "min": 1, "max": 4/
		s/"random"/"grid"/; s/"trials": 6/"trials": 9/' job.jsonc >grid.jsonc
	run "$TUNER" run grid.jsonc
	[ "$status" -eq 0 ]
	[[ "$output" == *"every configuration"* ]]
	sql_is "SELECT group_concat(value, ' ') FROM (SELECT value FROM trial_param ORDER BY value)" \
		"1.0 2.0 3.0 4.0"
}

# bats test_tags=plain
@test "every strategy keeps to the space, and bayesian says what proposed what" {
	for strategy in random sobol bayesian; do
		STRATEGY=$strategy TRIALS=9 write_job
		"$TUNER" run job.jsonc --name "$strategy"
		sql_is "SELECT count(*) FROM trial t JOIN job j ON j.id = t.job
			WHERE j.name = '$strategy' AND t.state = 'done'" 9
	done
	sql_is "SELECT count(*) FROM trial_param WHERE value < 0 OR value > 1" 0
	sql_is "SELECT min(n) FROM (SELECT count(DISTINCT p.value) AS n FROM trial_param p
		JOIN trial t ON t.id = p.trial GROUP BY t.job)" 9
	sql_is "SELECT count(*) > 0 FROM decision WHERE branch = 'model'" 1
	sql_is "SELECT count(*) > 0 FROM decision WHERE branch = 'design'" 1
	# The model brings it near to 0.3.
	sql_is "SELECT min(t.objective) < 0.001 FROM trial t JOIN decision d ON d.id = t.id
		WHERE d.branch = 'model'" 1
}

@test "first comes first, and what it leaves out the strategy completes" {
	write_job '"first": [{ "x": 0.25, "y": 3 }, { "y": 7 }],'
	sed -i 's/"parameters": {/"parameters": { "y": { "type": "int", "min": 1, "max": 9 },/' job.jsonc
	"$TUNER" run job.jsonc --parallel 1 --trials 3 -- sh -c 'echo loss=1' sh
	sql_is "SELECT parameters FROM trial WHERE number = 1" '{"y": 3, "x": 0.25}'
	sql_is "SELECT parameters LIKE '{\"y\": 7, \"x\": 0.%' FROM trial WHERE number = 2" 1
	sql_is "SELECT group_concat(branch) FROM decision" user,random,random
	sql_is "SELECT group_concat(source) FROM trial" first,first,strategy
}

@test "enqueue puts a configuration in front, before a run and during one" {
	TRIALS=2 PARALLEL=1 write_job
	"$TUNER" run job.jsonc
	run "$TUNER" enqueue job x=0.125
	[ "$status" -eq 0 ]
	# The job has had its trials.
	[[ "$output" == *'"tuner run job --trials 3" begins with {"x": 0.125}'* ]]
	run "$TUNER" enqueue job x=0.625
	[[ "$(flat)" == *'"tuner run job --trials 4" tries {"x": 0.625}, after 1 other in the queue'* ]]
	for nothing in '' '{}'; do
		run "$TUNER" enqueue job "$nothing"
		[ "$status" -eq 2 ]
		[[ "$output" == *"names no parameter"* ]]
	done
	run "$TUNER" enqueue job '{"y": 1}'
	[ "$status" -eq 2 ]
	[[ "$output" == *"y: there is no such parameter"* ]]
	run "$TUNER" enqueue job x=7
	[ "$status" -eq 2 ]
	touch hold
	start "$TUNER" run job.jsonc --trials 6
	await sql_is "SELECT count(*) FROM attempt WHERE state = 'running'" 1
	run "$TUNER" enqueue job '{"x": 0.375}'
	[ "$status" -eq 0 ]
	[[ "$output" == *"it is queued after 1 other" ]]
	run "$TUNER" enqueue job '{"x": "much"}'
	[ "$status" -eq 2 ]
	rm hold
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT group_concat(value) FROM (SELECT value FROM trial_param p
		JOIN trial t ON t.id = p.trial WHERE t.number IN (3, 4, 5) ORDER BY t.number)" 0.125,0.625,0.375
	sql_is "SELECT count(*) FROM trial WHERE source = 'enqueue'" 3
}

@test "what is asked for of a run that only waits for its last trials is told that it proposes nothing more" {
	write_job
	cat >train.sh <<'END'
echo loss=1
while [ "$TUNER_TRIAL" = 1 ] && [ -e hold ]; do sleep 0.02; done
[ "$TUNER_TRIAL" != 2 ]
END
	touch hold
	start "$TUNER" run job.jsonc --trials 20 --set budget.not_improving=2
	await sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 3
	await sql_is "SELECT count(*) FROM attempt WHERE state = 'running'" 1
	run "$TUNER" enqueue job x=0.5
	[ "$status" -eq 0 ]
	[[ "$output" == *": it is queued, but this run proposes nothing more: 2 trials in a row brought no improvement" ]]
	run "$TUNER" retry job --trial 2
	[[ "$output" == *"trial 2 is launched again by the next run, once the job file allows it" ]]
	"$TUNER" stop job --wait
	rm hold
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT state || ': ' || reason FROM job" "done: 2 trials in a row brought no improvement"
	run "$TUNER" enqueue job x=0.25
	[[ "$output" == *"once the job file allows it" ]]
}

# bats test_tags=plain
@test "a second run of a live database refuses and names the first" {
	write_job
	touch hold
	start "$TUNER" run job.jsonc
	await test -s starts
	run "$TUNER" run job.jsonc
	[ "$status" -ne 0 ]
	[[ "$output" == *"$PID"* ]]
	rm hold
	finished
	[ "$status" -eq 0 ]
	[ "$(lines_of starts)" -eq 6 ]
}

# bats test_tags=plain
@test "stop from another terminal ends the trials; run goes on with them" {
	write_job
	touch hold
	start "$TUNER" run job.jsonc
	await sql_is "SELECT count(*) FROM attempt WHERE state = 'running'" 1
	await test -s starts
	run "$TUNER" stop job
	[ "$status" -eq 0 ]
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT state FROM job" stopped
	sql_is "SELECT count(*) FROM attempt WHERE outcome = 'interrupted'" "$(lines_of starts)"
	sql_is "SELECT count(*) FROM trial WHERE state = 'running'" 0
	rm hold
	seed=$(cut -d' ' -f1,4 starts | sort -u)
	run "$TUNER" run job.jsonc
	[ "$status" -eq 0 ]
	sql_is "$done_trials" 6
	sql_is "SELECT count(*) FROM trial" 6
	# The retry trains with the same seed.
	[ "$(grep '^1 ' starts | cut -d' ' -f1,4 | sort -u)" = "$(grep '^1 ' <<<"$seed")" ]
}

@test "stop --wait lets what runs finish, stop --trial ends one trial alone" {
	TRIALS=8 write_job
	echo loss=1 >prefix
	touch hold
	start "$TUNER" run job.jsonc -- sh -c 'echo loss=1; exec sh train.sh "$@"' sh
	await sql_is "SELECT count(*) FROM trial WHERE metric_count > 0 AND state = 'running'" 2
	run "$TUNER" stop job --trial 2
	[ "$status" -eq 0 ]
	await sql_is "SELECT state FROM trial WHERE number = 2" stopped
	run "$TUNER" stop job --trial 77
	[ "$status" -eq 2 ]
	await sql_is "SELECT count(*) FROM attempt WHERE state = 'running'" 2
	run "$TUNER" stop job --wait
	[ "$status" -eq 0 ]
	rm hold
	finished
	[ "$status" -eq 0 ]
	sql_is "$done_trials" 2
	sql_is "SELECT a.outcome FROM attempt a JOIN trial t ON t.id = a.trial WHERE t.number = 2" user-stopped
	sql_is "SELECT count(*) FROM trial WHERE state IN ('running', 'proposed')" 0
}

# bats test_tags=plain
@test "stop without a living tuner ends the trials that survived it" {
	write_job
	touch hold
	start "$TUNER" run job.jsonc
	await sql_is "SELECT count(*) FROM attempt WHERE state = 'running'" 1
	kill -KILL "$PID"
	finished
	command=$(jq .command_pid tuner.db.d/job/0001/1/started)
	[ -d "/proc/$command" ]
	for one in --wait "--trial 1"; do # there is nobody to ask for that
		# shellcheck disable=SC2086 # words
		run "$TUNER" stop job $one
		[ "$status" -eq 2 ]
		[[ "$(flat)" == *'"tuner stop job" ends them all, "tuner run job" takes them over'* ]]
	done
	[ -d "/proc/$command" ]
	run "$TUNER" stop job
	[ "$status" -eq 0 ]
	is_dead "$command"
	sql_is "SELECT count(*) FROM attempt WHERE state <> 'ended'" 0
	run "$TUNER" stop job
	[ "$status" -eq 0 ]
	[[ "$output" == *"nothing is running"* ]]
	rm hold
	run "$TUNER" run job.jsonc
	[ "$status" -eq 0 ]
	sql_is "$done_trials" 6
}

@test "stop --trial ends what is to be launched again, too" {
	TRIALS=1 write_job
	touch crash
	run "$TUNER" run job.jsonc
	rm crash
	"$TUNER" retry job --class crashed
	sql_is "SELECT state FROM trial" proposed
	run "$TUNER" stop job --trial 1
	[ "$status" -eq 0 ]
	[[ "$output" == *"trial 1 is stopped"* ]]
	sql_is "SELECT state, message FROM trial" 'stopped|stopped by "tuner stop"'
	run "$TUNER" stop job --trial 1
	[[ "$output" == *"nothing is running"* ]]
	"$TUNER" verify
	run "$TUNER" run job.jsonc
	sql_is "SELECT state FROM trial" stopped
	sql_is "SELECT count(*) FROM attempt" 1
}

# bats test_tags=plain
@test "SIGINT once waits for what runs, and proposes nothing more" {
	write_job
	touch hold
	start "$TUNER" run job.jsonc
	await test -s starts
	kill -INT "$PID"
	await grep -q 'Ctrl-C again' output
	rm hold
	finished
	[ "$status" -eq 130 ]
	sql_is "SELECT count(*) FROM trial WHERE state <> 'done'" 0
	sql_is "$done_trials" "$(lines_of starts)"
	run "$TUNER" run job.jsonc
	[ "$status" -eq 0 ]
	sql_is "$done_trials" 6
}

@test "SIGINT twice stops what runs" {
	write_job
	touch hold
	start "$TUNER" run job.jsonc
	await test -s starts
	kill -INT "$PID"
	await grep -q 'Ctrl-C again' output
	kill -INT "$PID"
	finished
	[ "$status" -eq 130 ]
	sql_is "SELECT group_concat(DISTINCT outcome) FROM attempt" interrupted
	sql_is "SELECT group_concat(DISTINCT state) FROM trial" proposed
}

@test "SIGTERM stops at once, a command that ignores it too" {
	write_job
	touch hold
	start "$TUNER" run job.jsonc -- sh -c 'trap "" TERM; exec sh train.sh "$@"' sh
	await test -s starts
	kill -TERM "$PID"
	finished
	[ "$status" -eq 143 ]
	sql_is "SELECT group_concat(DISTINCT outcome) FROM attempt" interrupted
	rm hold
	run "$TUNER" run job.jsonc --accept-change
	[ "$status" -eq 0 ]
	sql_is "$done_trials" 6
}

# bats test_tags=plain
@test "a run is ended by SIGTERM also where whoever has started it has all signals blocked" {
	TRIALS=1 write_job
	touch hold
	start python3 -c 'import os, signal, sys
signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
os.execv(sys.argv[1], sys.argv[1:])' "$TUNER" run job.jsonc
	await test -s starts
	kill -TERM "$PID"
	finished
	[ "$status" -eq 143 ]
}

@test "SIGTERM while a search waits for its last trial: it has not ended" {
	TRIALS=50 write_job
	cat >train.sh <<'END'
echo loss=1
while [ "$TUNER_TRIAL" -eq 2 ] && [ -e hold ]; do sleep 0.05; done
END
	touch hold
	start "$TUNER" run job.jsonc --set budget.not_improving=3
	await sql_is "$done_trials" 4 # the last that brings nothing
	kill -TERM "$PID"
	finished
	[ "$status" -eq 143 ]
	sql_is "SELECT state FROM job" stopped
	sql_is "SELECT group_concat(state) FROM trial WHERE state <> 'done'" proposed
}

# 200 trials, whose lines go into descriptor 4, a pipe of a page that nobody reads.
run_unread() {
	TRIALS=200 PARALLEL=4 write_job
	mkfifo said
	"$TUNER" run job.jsonc >said 2>&1 3>&- &
	PID=$!
	STARTED+=("$PID")
	exec 4<said
	python3 -c 'import fcntl; fcntl.fcntl(4, fcntl.F_SETPIPE_SZ, 4096)'
}

# A pager that shows an earlier page, a terminal after Ctrl-S, a connection that hangs.
@test "whoever does not read what is said holds up no trial, and no signal to end" {
	run_unread
	await sql_is "SELECT count(*) > 100 FROM trial WHERE state = 'done'" 1
	"$TUNER" enqueue job x=0.5
	kill -TERM "$PID"
	finished
	[ "$status" -eq 143 ]
	exec 4<&-
	"$TUNER" verify
}

# bats test_tags=plain
@test "what is read late is read whole" {
	run_unread
	await sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 200
	sleep 0.3
	cat <&4 >read
	finished
	[ "$status" -eq 0 ]
	[ "$(grep -c '^trial ' read)" -eq 200 ]
	grep -q '^all 200 trials' read
}

@test "SIGHUP: the job goes on without the terminal" {
	write_job
	touch hold
	start "$TUNER" run job.jsonc
	await test -s starts
	kill -HUP "$PID"
	rm hold
	finished
	[ "$status" -eq 0 ]
	sql_is "$done_trials" 6
}

# bats test_tags=plain
@test "--detach runs on without us; watch looks on, stop ends it" {
	write_job
	touch hold
	run "$TUNER" run job.jsonc --detach
	[ "$status" -eq 0 ]
	STARTED+=("$(grep -o 'pid [0-9]*' <<<"$output" | cut -d' ' -f2)")
	await test -s starts
	rm hold
	run timeout 60 "$TUNER" watch job
	[ "$status" -eq 0 ]
	await sql_is "SELECT state FROM job" done
	sql_is "$done_trials" 6
	grep -q 'best: loss=' tuner.db.job.log
}

@test "one is no plural" {
	TRIALS=5 PARALLEL=1 write_job
	run "$TUNER" run job.jsonc --name broken --set budget.start_failures=1 --set 'command=["false"]'
	[ "$status" -eq 3 ]
	[[ "$output" == *"looks broken: 1 launch failed and none gave an objective"* ]]
	run "$TUNER" run job.jsonc --name flat --set budget.not_improving=1 --set 'command=["echo", "loss=1"]'
	[[ "$output" == *"1 trial brought no improvement"* ]]
	[[ "$("$TUNER" status flat)" == *"until 1 trial brings no improvement"* ]]
	touch hold
	start "$TUNER" run job.jsonc --name killed
	await test -s starts
	kill -KILL "$PID"
	await sh -c '"$TUNER" doctor killed | grep -q "1 attempt was under way when its \"tuner run\" ended"'
	rm hold
	"$TUNER" stop killed
}

@test "a command that cannot be detached says why at once" {
	write_job
	run "$TUNER" run - --name piped --detach <job.jsonc
	[ "$status" -eq 2 ]
	[[ "$output" == *"with --detach the job cannot come from standard input"* ]]
	sed -i 's/"train.sh"/"train.sh", "{nonsense}"/' job.jsonc
	run "$TUNER" run job.jsonc --detach
	[ "$status" -eq 2 ]
	[[ "$output" == *"nonsense"* ]]
}

@test "who is refused in the background says so on the terminal" {
	write_job
	touch hold
	start "$TUNER" run job.jsonc
	await test -s starts
	run "$TUNER" run job.jsonc --detach
	[ "$status" -eq 5 ]
	[[ "$output" == *"in use by the process with pid $PID"* ]]
	[[ "$output" != *"ended"* ]]
	rm hold
	finished
	run "$TUNER" run job.jsonc --detach
	[ "$status" -eq 0 ]
	# It holds the database for a moment before it has nothing to do.
	[[ "$output" == "job job is complete after 6 trials"* || "$output" == "job job is running in the background"* ]]
	[[ "$output" != *"in use"* ]]
}

@test "a budget lowered below what there is: status names one that goes on" {
	TRIALS=4 write_job
	"$TUNER" run job.jsonc --quiet
	"$TUNER" run job.jsonc --quiet --trials 2
	"$TUNER" status >out
	grep -q '^  tuner run job --trials 5 ' out
}

# The supervisor looks by itself once a second: who ends only then was not seen to end.
# bats test_tags=plain
@test "the end of a command that a rule has stopped is seen at once, not at the next second" {
	TRIALS=14 write_job '"early_stopping": {"rule": "median", "min_trials": 2, "grace": 2},'
	"$TUNER" run job.jsonc --quiet -- sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		echo "loss=$TUNER_TRIAL.$i"; sleep 0.1; done' sh
	sql_is "SELECT count(*) >= 6 FROM attempt WHERE outcome = 'early-stopped'" 1
	# What wakes the supervisor in any case comes a second after the start, to a few milliseconds.
	sql_is "SELECT 3 * sum(ended_us - started_us BETWEEN 995000 AND 1012000) < count(*)
		FROM attempt WHERE outcome = 'early-stopped'" 1
}

@test "a timeout ends the trial, its last value counts" {
	TRIALS=1 PARALLEL=1 write_job '"timeout": "3s", "grace": "200ms",'
	run "$TUNER" run job.jsonc -- sh -c 'echo loss=0.5; sleep 60' sh
	sql_is "SELECT outcome FROM attempt" timeout
	sql_is "SELECT state, objective FROM trial" "stopped|0.5"
}

@test "the target ends the search" {
	TRIALS=50 write_job
	run "$TUNER" run job.jsonc --set budget.target=0.05
	[ "$status" -eq 0 ]
	[[ "$output" == *"target"* ]]
	sql_is "SELECT min(objective) <= 0.05 FROM trial" 1
	sql_is "SELECT count(*) < 50 FROM trial" 1
}

# bats test_tags=plain
@test "a supervisor that is killed is a lost attempt, retried, and its command is dead before" {
	TRIALS=1 PARALLEL=1 write_job '"backoff": 0,'
	touch hold
	start "$TUNER" run job.jsonc
	await test -s tuner.db.d/job/0001/1/started
	await test -s starts
	first=$(jq .command_pid tuner.db.d/job/0001/1/started)
	kill -KILL "$(jq .supervisor_pid tuner.db.d/job/0001/1/started)"
	await test -s tuner.db.d/job/0001/2/started
	is_dead "$first"
	rm hold
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT group_concat(outcome) FROM attempt" lost,ok
	sql_is "SELECT state FROM trial" done
}

# bats test_tags=plain
@test "a script written for SageMaker runs unchanged" {
	cat >entry.py <<'END'
import argparse
import json
import os

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch-size", type=int, default=64, metavar="N")
    parser.add_argument("--epochs", type=int, default=10, metavar="N")
    parser.add_argument("--lr", type=float, default=0.01, metavar="LR")
    parser.add_argument("--backend", type=str, default=None)
    parser.add_argument("--hosts", type=list, default=json.loads(os.environ["SM_HOSTS"]))
    parser.add_argument("--current-host", type=str, default=os.environ["SM_CURRENT_HOST"])
    parser.add_argument("--model-dir", type=str, default=os.environ["SM_MODEL_DIR"])
    parser.add_argument("--data-dir", type=str, default=os.environ["SM_CHANNEL_TRAIN"])
    parser.add_argument("--num-gpus", type=int, default=os.environ["SM_NUM_GPUS"])
    args = parser.parse_args()
    assert args.current_host in json.loads(os.environ["SM_HOSTS"])
    with open(os.path.join(args.data_dir, "numbers")) as numbers:
        best = float(numbers.read())
    with open(os.path.join(args.model_dir, "model.pth"), "w") as model:
        model.write("weights")
    for epoch in range(1, args.epochs + 1):
        print("Train Epoch: {} [64/60000 (0%)] Loss: {:.6f}".format(epoch, 1.0))
        print("Test set: Average loss: {:.4f}, Accuracy: 1/2 (50%)\n".format((args.lr - best) ** 2 + 1 / epoch))
END
	mkdir data
	echo 0.1 >data/numbers
	cat >sagemaker.jsonc <<'END'
{
	"command": ["/usr/bin/python3", "entry.py"],
	"objective": { "metric": "average test loss", "goal": "minimize" },
	"metrics": [{ "name": "average test loss", "regex": "Test set: Average loss: ([0-9\\.]+)" }],
	"parameters": {
		"lr": { "type": "float", "min": 0.001, "max": 0.5, "scale": "log" },
		"batch-size": { "type": "categorical", "values": [32, 64, 128] }
	},
	"fixed": { "epochs": 3 },
	"channels": { "train": "data" },
	"hosts": [{ "backend": "local", "gpus": "none" }],
	"budget": { "trials": 4, "parallel": 2 }
}
END
	run "$TUNER" run sagemaker.jsonc
	[ "$status" -eq 0 ]
	sql_is "$done_trials" 4
	sql_is "SELECT count(*) FROM metric" 12
	sql_is "SELECT max(step) FROM metric" 3
	[ "$(cat tuner.db.d/sagemaker/0001/1/model/model.pth)" = weights ]
}

@test "try launches once, shows everything and keeps nothing" {
	write_job '"first": [{ "x": 0.5 }],'
	sed -i 's|"metrics": \[|"metrics": [{ "name": "never", "regex": "never=([0-9]+)" }, |' job.jsonc
	run env TMPDIR="$DIR" "$TUNER" try job.jsonc
	[ "$status" -eq 0 ]
	[[ "$output" == *'["sh", "train.sh", "--x", "0.5"]'* ]]
	[[ "$output" == *"metric loss = 0.0400"* ]]
	[[ "$output" == *"pattern of never matched nothing"* ]]
	[ ! -e tuner.db ]
	[ -z "$(find . -name 'tuner-try-*')" ]
	run env TMPDIR="$DIR/nowhere" "$TUNER" try job.jsonc
	[ "$status" -eq 5 ]
	[[ "$output" == *"cannot make a directory in $DIR/nowhere (TMPDIR names another place): "* ]]
	run "$TUNER" try job.jsonc -- sh -c 'echo "no such thing" >&2; exit 3' sh
	[ "$status" -eq 3 ]
	[[ "$output" == *"no such thing"* ]]
	[[ "$output" == *"crashed"* ]]
}

@test "try takes a stored job of the database that --db names" {
	write_job
	"$TUNER" run job.jsonc --quiet --trials 1 --db other.db
	mv job.jsonc moved.jsonc
	run "$TUNER" try job --db other.db
	[ "$status" -eq 0 ]
	[[ "$output" == *"metric loss = "* ]]
}

@test "try proposes patterns where the objective is not found" {
	write_job
	run "$TUNER" try job.jsonc -- sh -c 'echo "epoch 3, val-acc: 0.71"' sh
	[ "$status" -eq 3 ]
	[[ "$output" == *"the objective loss was not reported"* ]]
	[[ "$output" == *'{"name": "val-acc", "regex": "val-acc: *([-+]?(?:nan|inf)|[-+0-9.eE]+)"}'* ]]
	run "$TUNER" try job.jsonc -- true
	[ "$status" -eq 3 ]
	[[ "$output" == *'print it as @tuner {"loss": 0.71}'* ]]
}

@test "a broken setting, a missing file and an unknown option each end with 2 and a way on" {
	write_job
	run "$TUNER" run nowhere.jsonc
	[ "$status" -eq 2 ]
	run "$TUNER" run job.jsonc --set budget.trails=3
	[ "$status" -eq 2 ]
	[[ "$output" == *"trials"* ]]
	run "$TUNER" run job.jsonc --trails 3
	[ "$status" -eq 2 ]
	[[ "$output" == *"--trials"* ]]
	run "$TUNER" runn job.jsonc
	[ "$status" -eq 2 ]
	[[ "$output" == *"run"* ]]
	run "$TUNER" run
	[ "$status" -eq 2 ]
	run "$TUNER" run job.jsonc --db /nonexistent/tuner.db
	[ "$status" -eq 2 ]
	run "$TUNER" run job.jsonc --db ""
	[ "$status" -eq 2 ]
	[[ "$output" == *"--db needs a value that is not empty: PATH"* ]]
	run "$TUNER" run job.jsonc --junit=
	[ "$status" -eq 2 ]
	[ ! -e tuner.db ]
}

@test "two databases, one machine: TUNER_DB and --db name them" {
	TRIALS=1 write_job
	TUNER_DB=a.db "$TUNER" run job.jsonc
	"$TUNER" run job.jsonc --db b.db
	[ -e a.db ] && [ -e b.db ] && [ ! -e tuner.db ]
}

@test "on a terminal each slot has a line that is redrawn, and the best so far" {
	write_job
	sed -i 's/^awk.*/for i in 1 2 3; do sleep 0.15; echo "loss=$i"; done/' train.sh
	TERM=xterm run script -qec "stty cols 90; $TUNER run job.jsonc" typescript
	[ "$status" -eq 0 ]
	[[ "$output" == *$'\e[3A\e[J'* ]]
	[[ "$output" == *"[####"*"] "*"left)"* ]]
	[[ "$output" == *"trials ended; best loss=3"* ]]
	[[ "$output" == *"best: loss=3"* ]]
	# Colours only where they are wanted.
	[[ "$output" == *$'\e[32mdone'* ]]
	NO_COLOR=1 TERM=xterm run script -qec "$TUNER run job.jsonc --name plain" typescript
	[[ "$output" != *$'\e[32m'* ]]
	TERM=dumb run script -qec "$TUNER run job.jsonc --name dumb" typescript
	[[ "$output" != *$'\e['* ]]
}

# ---- an edit while it runs ----

running_is() { # N
	sql_is "SELECT count(*) FROM trial WHERE state = 'running'" "$1"
}

has_starts() { # N
	[ "$(lines_of starts)" -eq "$1" ]
}

# Starts job.jsonc: its first trial ends, so that the command is known to work, and N others wait.
held() { # N
	touch hold-{2..9}
	start "$TUNER" run job.jsonc
	await running_is "$1"
	await sql_is "SELECT state FROM trial WHERE number = 1" done
}

@test "a budget that is edited reaches the run that is under way, whose trials go on" {
	TRIALS=2 PARALLEL=1 write_job
	held 1
	# The same file, and any other edit, are refused as before.
	run "$TUNER" run job.jsonc
	[ "$status" -eq 5 ]
	[[ "$output" == *"in use by the process with pid $PID"* ]]
	sed 's/"trials": 2/"trials": 3/; s/"max": 1,/"max": 2,/' job.jsonc >other.jsonc
	run "$TUNER" run other.jsonc --name job
	[ "$status" -eq 5 ]
	sql_is "SELECT count(*) FROM request" 0
	sed -i 's/"trials": 2, "parallel": 1/"trials": 5, "parallel": 3/' job.jsonc
	run "$TUNER" run job.jsonc
	[ "$status" -eq 0 ]
	[[ "$(flat)" == *"budget.trials: 2 -> 5 budget.parallel: 1 -> 3 job job: the run that is under way (process $PID) has taken this; it has 3 slots"* ]]
	await running_is 3
	await has_starts 4
	# Fewer at a time: those that run go on, and nothing is begun before they are fewer.
	run "$TUNER" run job --trials 6 --parallel 1
	[ "$status" -eq 0 ]
	[[ "$output" == *"budget.trials: 5 -> 6"*"it has 1 slot"* ]]
	running_is 3
	rm hold-*
	finished
	[ "$status" -eq 0 ]
	grep -q '^edited: budget.parallel: 1 -> 3$' output
	grep -q 'all 6 trials of the budget have ended' output
	sql_is "SELECT count(*), max(attempts) FROM trial WHERE state = 'done'" "6|1"
	# The last two one after the other.
	sql_is "SELECT count(*) FROM trial a JOIN trial b ON a.number > 4 AND b.number > a.number AND b.started_us < a.ended_us" 0
	sql_is "SELECT count(*) FROM event WHERE kind = 'edited'" 2
	"$TUNER" verify
	"$TUNER" replay
	# The stored job has the last one.
	"$TUNER" status --json | jq -e '.budget.trials == 6 and .budget.parallel == 1'
}

@test "a budget that is spent as it is edited ends the run, and what is wrong with it changes nothing" {
	TRIALS=9 PARALLEL=2 write_job '"arms": { "a": "random", "b": "sobol" },'
	sed -i '/"strategy"/d' job.jsonc
	held 2
	run "$TUNER" run job.jsonc --set budget.trials=0
	[ "$status" -eq 2 ]
	# By hand, what no version of ours asks.
	sqlite3 tuner.db "INSERT INTO request (job, verb, argument, created_us) VALUES
		(1, 'budget', '{\"budget\": {\"trials\": -3}}', 9e15), (1, 'budget', '{\"budget\": 3}', 9e15), (1, 'budget', '{}', 9e15)"
	await sql_is "SELECT count(*) FROM request WHERE answered_us IS NULL" 0
	sql_is "SELECT count(*) FROM request WHERE refused" 3
	sql_is "SELECT count(*) FROM event WHERE kind = 'edited'" 0
	"$TUNER" run job.jsonc --set budget.trials=2 >told
	grep -q 'has taken this' told
	rm hold-*
	finished
	[ "$status" -eq 0 ]
	grep -q 'all 4 trials of the budget have ended' output
	sql_is "SELECT count(*) FROM trial" 4
	"$TUNER" verify
	"$TUNER" replay
	# What a run that was killed has not answered does not reach the next one, whose file may be newer.
	sqlite3 tuner.db "INSERT INTO request (job, verb, argument, created_us) VALUES (1, 'budget', '{\"budget\": {\"trials\": 7}}', 1)"
	"$TUNER" run job.jsonc --set budget.trials=3 --quiet
	sql_is "SELECT count(*) FROM trial" 6
	sql_is "SELECT answer FROM request WHERE created_us = 1" "the run had ended already"
}

@test "a budget for a run that does not answer in time is taken when it goes on, and that is said" {
	TRIALS=2 PARALLEL=1 write_job
	held 1
	kill -STOP "$PID"
	run "$TUNER" run job.jsonc --trials 3
	[ "$status" -eq 5 ]
	[[ "$(flat)" == *"process $PID, which runs job job, has not answered for 5 s: it takes the edited budget when it goes on;"*"\"kill -CONT $PID\" resumes it"* ]]
	kill -CONT "$PID"
	await grep -q '^edited: budget.trials: 2 -> 3$' output
	await sql_is "SELECT count(*) FROM request WHERE answered_us IS NOT NULL" 1
	# One that is killed meanwhile takes nothing: the next run has the budget that it was given.
	kill -STOP "$PID"
	(await sql_is "SELECT count(*) FROM request WHERE answered_us IS NULL" 1 && kill -KILL "$PID") &
	rm hold-*
	run "$TUNER" run job.jsonc --trials 4
	wait $!
	[ "$status" -eq 0 ]
	[[ "$output" == *"all 4 trials of the budget have ended"* ]]
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 4
	sql_is "SELECT answer FROM request ORDER BY id DESC LIMIT 1" "the run had ended already"
}

@test "a deadline that is edited ends the run that is under way; one that is about to end takes no budget" {
	TRIALS=9 PARALLEL=1 write_job
	held 1
	"$TUNER" stop job --wait >stopped &
	await grep -q 'no new trials' stopped
	run "$TUNER" run job.jsonc --trials 12
	[ "$status" -eq 2 ]
	[[ "$(flat)" == *'is about to end, and takes no other budget: the next "tuner run" does'* ]]
	rm hold-2
	finished
	wait
	sql_is "SELECT count(*) FROM trial" 2
	start "$TUNER" run job.jsonc
	await running_is 1
	"$TUNER" run job.jsonc --set 'budget.deadline=2020-01-01T00:00:00Z' >told
	grep -q 'has taken this' told
	finished
	grep -q "the budget's deadline has passed" output
	sql_is "SELECT state FROM job" done
	sql_is "SELECT count(*) FROM trial" 3
}

# As another version, or another program, might write it.
@test "a request that nobody understands is refused in words, and changes nothing" {
	write_job
	touch hold
	start "$TUNER" run job.jsonc
	await sql_is "SELECT count(*) FROM attempt WHERE state = 'running'" 1
	while IFS='|' read -r verb argument answer; do
		sqlite3 -cmd '.timeout 5000' tuner.db "INSERT INTO request (job, verb, argument, created_us) VALUES (1, '$verb', '$argument', strftime('%s', 'now', '+1 minute') * 1000000)"
		await sql_is "SELECT count(*) FROM request WHERE answered_us IS NULL" 0
		sql_is "SELECT refused, answer LIKE '%$answer%' FROM request ORDER BY id DESC LIMIT 1" "1|1" ||
			{ echo "$verb $argument: $(sql "SELECT answer FROM request ORDER BY id DESC LIMIT 1")"; false; }
	done <<'END'
dance|{}|this tuner (%) does not know "dance"
drain|{}|drain: which host?
drain|{"host": "nowhere", "drain": true}|there is no host "nowhere"; the job_s are: 
add-hosts|{"hosts": "a"}|which hosts are to be added?
budget|{"budget": 7}|budget: which one?
gc|{}|how many of the best are to be kept?
gc|{"best": 0}|how many of the best are to be kept?
retry|{}|neither a class nor a trial is named
retry|{"classes": [1]}|a class is a string
retry|{"classes": ["ok"]}|trials of class "ok" have their objective: there is nothing to run again
retry|{"classes": ["zzzzzzzzzz"]}|there is no class "zzzzzzzzzz": "tuner status" names those of the job_s failures
retry|{"trials": [1.5]}|a trial_s number is a whole one from 1
stop|{"trial": 7}|trial 7 is not running
stop|{"trial": 0}|which trial is to be stopped?
stop|{"trial": "1"}|which trial is to be stopped?
END
	rm hold
	finished
	[ "$status" -eq 0 ]
	sql_is "$done_trials" 6
	sql_is "SELECT count(*), sum(refused) FROM request" "15|15"
	"$TUNER" verify
}
