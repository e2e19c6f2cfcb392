#!/usr/bin/env bats
# What becomes of attempts, with the real supervisor: what the machine did wrong is launched again, and
# the strategy never hears of it.

load run/common

# Kills the command of an attempt as the kernel, or a person, would.
kill_command() { # TRIAL ATTEMPT
	await test -s "tuner.db.d/job/$1/$2/started"
	await grep -q "^$((10#$1)) $2 " starts
	kill -KILL "$(jq .command_pid "tuner.db.d/job/$1/$2/started")"
}

# What every decision was made of and came to, but for ids and times.
decisions() { # JOB
	sql "SELECT t.number, t.parameters, hex(d.hyperparameters), d.mean, d.sd, d.acquisition, d.branch, d.pending
		FROM decision d JOIN trial t ON t.id = d.id JOIN job j ON j.id = t.job
		WHERE j.name = '$1' ORDER BY t.number"
}

# bats test_tags=plain
@test "SIGKILL from outside is retried, and every decision is as if it had not been" {
	TRIALS=8 PARALLEL=1 STRATEGY=bayesian write_job '"backoff": 0,'
	"$TUNER" run job.jsonc --name calm --quiet --set strategy.initial=4
	rm starts
	touch hold-3 hold-6
	start "$TUNER" run job.jsonc --set strategy.initial=4
	kill_command 0003 1
	rm hold-3
	kill_command 0006 1
	kill_command 0006 2
	rm hold-6
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT group_concat(a.outcome) FROM attempt a JOIN trial t ON t.id = a.trial JOIN job j ON j.id = t.job
		WHERE j.name = 'job' AND t.number IN (3, 6)" oom-host,ok,oom-host,oom-host,ok
	[ "$(decisions job)" = "$(decisions calm)" ]
	[ "$(decisions job | grep -c model)" -ge 3 ]
	# The same parameters and seed each time.
	[ "$(grep '^6 ' starts | cut -d' ' -f3,4 | sort -u | wc -l)" -eq 1 ]
}

@test "a launch that begins anew and ends sooner is not given what an earlier one had come to" {
	cat >train.sh <<-'END'
		if [ "$TUNER_ATTEMPT" = 1 ]; then last=6; else last=3; fi
		for step in $(seq $last); do
			echo "@tuner {\"step\": $step, \"loss\": $((TUNER_ATTEMPT * 100 - step)), \"size\": $step}"
		done
		[ "$TUNER_ATTEMPT" != 1 ] || { echo "No space left on device"; exit 1; }
		[ "$TUNER_TRIAL" != 2 ] || sleep 60
	END
	cat >job.jsonc <<-'END'
		{ "command": ["sh", "train.sh"], "arguments": "none", "objective": { "metric": "loss", "goal": "minimize" },
		  "parameters": { "x": { "type": "float", "min": 0, "max": 1 } }, "strategy": "random",
		  "retries": 1, "backoff": "10ms", "timeout": "4s", "grace": "100ms", "budget": { "trials": 2, "parallel": 1 } }
	END
	"$TUNER" run job.jsonc --quiet
	# Steps 1 to 3 of the second launch: 4 to 6 of the first are no part of what ended.
	sql_is "SELECT group_concat(state || ' ' || objective || ' ' || last_value || ' ' || last_step, ', ') FROM trial" \
		"done 197.0 197.0 3, stopped 197.0 197.0 3"
	[ "$("$TUNER" show 1 --json | jq -c '[.metrics.loss[].step]')" = "[1,2,3]" ]
	sql_is "SELECT group_concat(step) FROM v_learning_curve WHERE number = 1 AND is_objective" "1,2,3"
	# So by another objective, and a formula that sees them as they come.
	"$TUNER" rescore job --set 'objective.expression=loss + size' --set objective.goal=minimize
	sql_is "SELECT group_concat(objective) FROM trial" "200.0,200.0"
	sed -i 's/"metric": "loss"/"expression": "loss + size"/' job.jsonc
	"$TUNER" run job.jsonc --quiet --name other
	sql_is "SELECT group_concat(objective) FROM trial t JOIN job j ON j.id = t.job WHERE j.name = 'other'" "200.0,200.0"
	"$TUNER" verify
}

# bats test_tags=plain
@test "a job that rules so takes SIGKILL for the configuration's failure" {
	TRIALS=3 PARALLEL=1 write_job '"outcomes": { "oom-host": "fail" },'
	touch hold-2
	start "$TUNER" run job.jsonc
	kill_command 0002 1
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT state || ' ' || outcome FROM trial WHERE number = 2" "failed crashed"
	sql_is "SELECT outcome FROM attempt WHERE trial = (SELECT id FROM trial WHERE number = 2)" oom-host
	"$TUNER" verify
	[ "$(lines_of starts)" -eq 3 ]
}

# bats test_tags=plain
@test "infrastructure that fails too often ends the job with 5, configurations that fail never do" {
	TRIALS=12 write_job '"backoff": 0, "retries": 0,'
	cat >train.sh <<'END'
if [ "$TUNER_TRIAL" -eq 1 ]; then echo loss=1; exit 0; fi
if [ -e machine ]; then echo "CUDA error: uncorrectable ECC error encountered" >&2; fi
exit 1
END
	run "$TUNER" run job.jsonc --set budget.failures=3
	[ "$status" -eq 0 ]
	sql_is "SELECT count(*) FROM trial WHERE outcome = 'crashed'" 11
	touch machine
	run "$TUNER" run job.jsonc --name machine --set budget.failures=3
	[ "$status" -eq 5 ]
	[[ "$output" == *"budget.failures"* ]]
	sql_is "SELECT count(*) FROM trial t JOIN job j ON j.id = t.job WHERE j.name = 'machine' AND outcome = 'crashed'" 0
	sql_is "SELECT count(*) BETWEEN 3 AND 4 FROM trial WHERE outcome = 'lost'" 1
}

# bats test_tags=plain
@test "a pattern may end the job; what it hit is launched again by the next run" {
	TRIALS=4 PARALLEL=1 write_job '"failures": [{ "pattern": "license has expired", "class": "end" }],'
	cat >train.sh <<'END'
if [ "$TUNER_TRIAL" -eq 2 ] && [ ! -e license ]; then echo "license has expired"; exit 7; fi
echo loss=1
END
	run "$TUNER" run job.jsonc
	[ "$status" -eq 3 ]
	[[ "$output" == *"license has expired"* ]]
	sql_is "SELECT group_concat(state) FROM (SELECT state FROM trial ORDER BY number)" done,proposed
	touch license
	# The clock was set back meanwhile: that sitting has ended all the same.
	sqlite3 tuner.db "UPDATE run SET ended_us = began_us - 3600000000"
	run "$TUNER" run job.jsonc
	[ "$status" -eq 0 ]
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 4
}

@test "retry puts trials back by class or number, with the same parameters and seed" {
	TRIALS=4 PARALLEL=1 write_job '"retries": 0,'
	cat >train.sh <<'END'
echo "$TUNER_TRIAL $TUNER_ATTEMPT $2 $TUNER_SEED" >>starts
if [ -e mended ] || [ "$TUNER_TRIAL" -le 1 ]; then echo loss=$TUNER_TRIAL; exit 0; fi
if [ "$TUNER_TRIAL" -eq 2 ]; then echo "CUDA out of memory"; exit 1; fi
if [ "$TUNER_TRIAL" -eq 3 ]; then echo "[Errno 116] Stale file handle"; exit 1; fi
exit 1
END
	"$TUNER" run job.jsonc --quiet
	sql_is "SELECT group_concat(outcome) FROM (SELECT outcome FROM trial ORDER BY number)" ok,oom-gpu,lost,crashed
	run "$TUNER" retry job
	[ "$status" -eq 2 ]
	[[ "$output" == *"--class"* ]]
	run "$TUNER" retry job --class los
	[ "$status" -eq 2 ]
	[[ "$output" == *'did you mean "lost"'* ]]
	run "$TUNER" retry job --class nan,disk-full
	[ "$status" -eq 2 ]
	[[ "$output" == *"disk-full or nan"*"lost (1)"*"oom-gpu (1)"*"crashed (1)"* ]]
	run "$TUNER" retry job --trial 1
	[ "$status" -eq 2 ]
	[[ "$output" == *"trial 1 is done"* ]]
	run "$TUNER" retry job --trial 9
	[ "$status" -eq 2 ]
	run "$TUNER" retry job --trial 3 --class oom-gpu
	[ "$status" -eq 2 ]
	sql_is "SELECT count(*) FROM event WHERE kind = 'reopened'" 0

	touch mended
	run "$TUNER" retry job --class lost,oom-gpu
	[ "$status" -eq 0 ]
	[[ "$output" == *"trials 2 and 3"* ]]
	"$TUNER" status | grep -Eq '^  tuner run job +launches the trials to be launched$'
	sql_is "SELECT group_concat(state) FROM (SELECT state FROM trial ORDER BY number)" done,proposed,proposed,failed
	sql_is "SELECT count(*) FROM event WHERE kind = 'reopened' AND json_extract(data, '$.ended_event') > 0" 2
	run "$TUNER" run job.jsonc
	[ "$status" -eq 0 ]
	sql_is "SELECT group_concat(state) FROM (SELECT state FROM trial ORDER BY number)" done,done,done,failed
	sql_is "SELECT count(*) FROM trial" 4
	sql_is "SELECT group_concat(outcome) FROM (SELECT outcome FROM attempt ORDER BY trial, number)" \
		ok,oom-gpu,ok,lost,ok,crashed
	[ "$(grep '^[23] ' starts | cut -d' ' -f1,3,4 | sort -u | wc -l)" -eq 2 ]
	run "$TUNER" retry job --trial 4
	[ "$status" -eq 0 ]
	run "$TUNER" run job.jsonc
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 4
	run "$TUNER" show job 4
	[[ "$output" == *"crashed"* ]]
}

@test "a running job takes up at once what retry puts back, and its history forgets it" {
	TRIALS=4 PARALLEL=1 write_job '"retries": 0,'
	cat >train.sh <<'END'
echo "$TUNER_TRIAL $TUNER_ATTEMPT" >>starts
while [ -e "hold-$TUNER_TRIAL" ]; do sleep 0.02; done
if [ "$TUNER_TRIAL" -eq 2 ] && [ "$TUNER_ATTEMPT" -eq 1 ]; then exit 1; fi
echo loss=$TUNER_TRIAL
END
	touch hold-3
	start "$TUNER" run job.jsonc
	await grep -q '^3 1' starts
	run "$TUNER" retry job --class crashed
	[ "$status" -eq 0 ]
	[[ "$output" == *"trial 2 is launched again"* ]]
	rm hold-3
	finished
	[ "$status" -eq 0 ]
	[ "$(cut -d' ' -f1,2 starts | tr '\n' ,)" = "1 1,2 1,3 1,2 2,4 1," ]
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 4
	# What comes after it has seen that it was put back.
	sql_is "SELECT d.seen > e.id FROM decision d, event e WHERE d.id = 4 AND e.kind = 'reopened'" 1
}

# Of trial 1's first attempt, as if tuner had been killed before it knew that it ran.
forget_start() {
	sqlite3 tuner.db "UPDATE attempt SET state = 'intended', started_us = NULL WHERE trial = 1;
		UPDATE trial SET state = 'proposed', started_us = NULL WHERE id = 1"
}

# bats test_tags=plain
@test "the directory of an attempt was removed: its command is dead before the next, which has another key" {
	TRIALS=2 PARALLEL=1 write_job '"backoff": 0,'
	cat >train.sh <<'END2'
if [ -e pid ] && grep -q '^State:[[:space:]][^ZX]' "/proc/$(cat pid)/status"; then touch alive; fi
echo $$ >pid
echo "$TUNER_TRIAL $TUNER_ATTEMPT $TUNER_ATTEMPT_KEY" >>starts
while [ -e hold ]; do sleep 0.02; done
echo loss=1
END2
	for noticed in false true; do
		touch hold
		start "$TUNER" run --plain job.jsonc
		await grep -q '^1 1 ' starts
		await sql_is "SELECT state FROM attempt" running
		kill -KILL "$PID"
		finished
		"$noticed" || forget_start
		rm -r tuner.db.d/job/0001/1
		(await grep -q '^1 2 ' starts && rm hold) &
		run "$TUNER" run --plain job.jsonc
		[ "$status" -eq 0 ] || { echo "$output"; false; }
		wait
		[ ! -e alive ]
		[ "$(cut -d' ' -f1,2 starts | tr '\n' ,)" = "1 1,1 2,2 1," ]
		[ "$(cut -d' ' -f3 starts | sort -u | wc -l)" -eq 3 ]
		sql_is "SELECT outcome FROM attempt WHERE id = 1" "$("$noticed" && echo lost || echo interrupted)"
		"$TUNER" verify
		rm -r tuner.db* starts pid
	done
}

@test "the directory of an attempt is removed while it runs: what it says is lost, and it is run again" {
	TRIALS=2 PARALLEL=1 write_job '"backoff": 0,'
	touch hold-1
	start "$TUNER" run --plain job.jsonc
	await sql_is "SELECT state FROM attempt" running
	await grep -q '^1 1 ' starts
	rm -r tuner.db.d/job/0001/1
	rm hold-1
	finished
	[ "$status" -eq 0 ]
	[ "$(cut -d' ' -f1,2 starts | tr '\n' ,)" = "1 1,1 2,2 1," ]
	sql_is "SELECT outcome FROM attempt WHERE id = 1" lost
	"$TUNER" verify
}

@test "a trial that was edited out of the space is not launched again" {
	TRIALS=4 PARALLEL=2 write_job '"backoff": "10m", "first": [{ "x": 0.1, "k": "a" }, { "x": 0.9, "k": "b" }, { "x": 0.8, "k": "b" }],'
	sed -i 's/"parameters": {/& "k": { "type": "categorical", "values": ["a", "b"] },/' job.jsonc
	touch hold-2 hold-3
	start "$TUNER" run --plain job.jsonc
	await grep -q '^3 1 ' starts
	await grep -q '^2 1 ' starts
	kill -KILL "$PID"
	finished
	# One waits to be launched again, one runs on and is lost later.
	kill -KILL "$(jq .supervisor_pid tuner.db.d/job/0002/1/started)"
	"$TUNER" run --plain job.jsonc --trials 3 &
	PID=$!
	await sql_is "SELECT outcome FROM attempt WHERE trial = 2" lost
	kill -KILL "$PID"
	finished
	sed -i 's/"a", "b"/"a", "c"/; s/"first": .*,$//' job.jsonc
	start "$TUNER" run --plain job.jsonc
	await sql_is "SELECT count(*) FROM space_version" 2
	await sql_is "SELECT state FROM trial WHERE number = 2" stopped
	kill -KILL "$(jq .supervisor_pid tuner.db.d/job/0003/1/started)"
	rm hold-2 hold-3
	finished
	[ "$status" -eq 0 ]
	[[ "$(cat output)" == *"trial 2 stopped: not launched again: it does not fit the edited space"* ]]
	sql_is "SELECT group_concat(state) FROM (SELECT state FROM trial ORDER BY number)" done,stopped,stopped,done
	sql_is "SELECT count(*) FROM trial WHERE message LIKE '%not launched again%'" 2
	[ "$(grep -c "^[23] " starts)" -eq 2 ]
	"$TUNER" verify
	"$TUNER" replay
	run "$TUNER" retry job --trial 2
	[ "$status" -eq 2 ]
	[[ "$output" == *"does not fit the edited space"* ]]
}

@test "a trial whose parameter was edited out is not launched again without it" {
	TRIALS=2 PARALLEL=1 write_job '"backoff": "10m", "first": [{ "x": 0.1, "y": 3 }, { "x": 0.9, "y": 4 }],'
	cp job.jsonc plain.jsonc
	sed -i 's/"parameters": {/& "y": { "type": "int", "min": 1, "max": 9 },/' job.jsonc
	touch fail-2
	printf '%s\n' '[ ! -e "fail-$TUNER_TRIAL" ] || exit 7' | cat - train.sh >new.sh
	mv new.sh train.sh
	"$TUNER" run --quiet job.jsonc
	sql_is "SELECT outcome FROM trial WHERE number = 2" crashed
	sed 's/"first": .*,$//' plain.jsonc >job.jsonc
	rm fail-2
	"$TUNER" run --quiet job.jsonc --trials 3
	run "$TUNER" retry job --trial 2
	[ "$status" -eq 2 ]
	[[ "$output" == *"does not fit the edited space"* ]]
	# As it was, it is launched as it was.
	"$TUNER" run --quiet job.jsonc --trials 4 --set 'parameters.y={"type": "int", "min": 1, "max": 9}'
	"$TUNER" retry job --trial 2
	# One that waits for its turn when it is edited out, too.
	"$TUNER" run --plain job.jsonc --trials 5 >output
	grep -q 'trial 2 stopped: not launched again: it does not fit the edited space' output
	"$TUNER" verify
	"$TUNER" replay
}

# bats test_tags=plain
@test "what another database has left in the place of an attempt is put aside, and not taken for its result" {
	TRIALS=3 PARALLEL=1 write_job
	"$TUNER" run --quiet job.jsonc
	sqlite3 tuner.db ".backup older.db"
	"$TUNER" run --quiet job.jsonc --trials 5

	# Trials 4 and 5 of an older copy are not those whose directories are there.
	sqlite3 tuner.db "SELECT objective FROM trial WHERE number > 3" >before
	mv older.db tuner.db
	rm -f tuner.db-*
	run "$TUNER" run --plain job.jsonc --set strategy=sobol --trials 5
	[ "$status" -eq 0 ]
	[[ "$output" == *"warning: the directory of trial 4 belonged to another database"*"tuner.db.d/job/0004.old"* ]]
	[ -s tuner.db.d/job/0004.old/1/exit.json ]
	[ "$(lines_of starts)" -eq 7 ]
	[ "$(sql "SELECT objective FROM trial WHERE number > 3")" != "$(cat before)" ]
	sql_is "SELECT count(*) FROM trial t JOIN trial_param p ON p.trial = t.id
		WHERE abs(objective - (value - 0.3) * (value - 0.3)) > 1e-12" 0

	# A new database, and the directory of the old one.
	rm -f tuner.db tuner.db-*
	run "$TUNER" run --plain job.jsonc --set seed=7
	[ "$status" -eq 0 ]
	[ "$(lines_of starts)" -eq 10 ]
	[ -e tuner.db.d/job/0003.old/1/exit.json ]
	sql_is "SELECT count(*) FROM trial t JOIN trial_param p ON p.trial = t.id
		WHERE abs(objective - (value - 0.3) * (value - 0.3)) > 1e-12" 0
}

@test "recovery does not take over another database's attempt" {
	TRIALS=1 PARALLEL=1 write_job '"backoff": 0,'
	touch hold
	start "$TUNER" run --plain job.jsonc
	await sql_is "SELECT state FROM attempt" running
	kill -KILL "$PID"
	finished
	forget_start
	sqlite3 tuner.db "UPDATE attempt SET key = '0123456789abcdef0123456789abcdef'"
	(await grep -q '^1 2 ' starts && rm hold) &
	run "$TUNER" run --plain job.jsonc
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	wait
	[[ "$output" == *"warning: the directory of trial 1 belonged to another database"* ]]
	sql_is "SELECT group_concat(outcome) FROM attempt" interrupted,ok
	[ -d tuner.db.d/job/0001.old/1 ]
	"$TUNER" verify
}
