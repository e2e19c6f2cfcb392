#!/usr/bin/env bats
# Hosts that are reached by ssh: real sshds of ours on this machine (tests/ssh/hosts).

load run/common

hosts() {
	"$BATS_TEST_DIRNAME/ssh/hosts" "$@"
}

# In which a killed tuner leaves the directory of its connection's socket.
export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR

# The directory is named so that a word that somebody forgot to quote is seen.
host() { # NAME [MORE]
	printf '{"backend": "ssh", "name": "%s", "address": "%s", "directory": "%s/it'"'"'s on %s", "gpus": "none",
	"ssh_options": ["-F", "%s/rig/config"]%s}' "$1" "$1" "$DIR" "$1" "$DIR" "${2+, $2}"
}

# with_hosts HOST...: what --set takes.
with_hosts() {
	local IFS=,
	echo "hosts=[$*]"
}

need() { # [links]
	local reason
	reason=$(hosts why "$@") || skip "$reason"
}

begin_hosts() { # N
	need
	hosts start "$DIR/rig" "$1"
}

teardown() {
	local pid
	for pid in "${STARTED[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	if [ -f "$DIR/tuner.db" ]; then
		timeout 20 "$TUNER" stop --db "$DIR/tuner.db" >/dev/null 2>&1 || true
	fi
	hosts stop "$DIR/rig"
	cd /
	rm -rf "$DIR"
}

# Notes its start in $NOTES, whatever directory it runs in.
write_remote_job() { # [MORE]
	write_job "\"env\": {\"NOTES\": \"$DIR\"}, \"backoff\": \"100ms\", ${1-}"
	cat >train.sh <<'END'
echo "$TUNER_TRIAL $TUNER_ATTEMPT $TUNER_HOST $$" >>"$NOTES/starts"
while [ -e "$NOTES/hold" ] || [ -e "$NOTES/hold-$TUNER_TRIAL-$TUNER_ATTEMPT" ]; do sleep 0.02; done
awk -v x="$2" 'BEGIN { printf "loss=%.17g\n", (x - 0.3) ^ 2 }'
END
}

stop_says() { # WORDS
	[[ "$("$TUNER" stop)" == *"$1"* ]]
}

started() { # N
	[ -e starts ] && [ "$(lines_of starts)" -ge "$1" ]
}

@test "ssh: code goes there, and results and output come back" {
	begin_hosts 1
	TRIALS=3 write_remote_job
	cat >>train.sh <<'END'
cat data.txt "$SM_CHANNEL_TRAIN/part"
[ ! -e ignored.bin ] && [ ! -e tuner.db ] && [ ! -e .git ] || echo "too much was sent"
[ "$PWD" != "$NOTES" ] && [ "$HOME" = "$NOTES/rig/h1/home" ] || echo "not there"
echo weights >"$SM_MODEL_DIR/model.bin"
echo table >"$SM_OUTPUT_DATA_DIR/table.csv"
echo 1 >"$TUNER_CHECKPOINT_DIR/step"
END
	mkdir .git channel
	echo data >data.txt
	echo part >channel/part
	echo bits >ignored.bin
	echo '*.bin' >.gitignore
	"$TUNER" run job.jsonc --quiet --set "$(with_hosts "$(host h1)")" --set 'channels={"train": "channel"}'
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 3
	sql_is "SELECT DISTINCT backend || ' ' || host FROM attempt" "ssh h1"
	[ "$(cat tuner.db.d/job/0002/1/model/model.bin)" = weights ]
	[ "$(cat tuner.db.d/job/0003/1/output/data/table.csv)" = table ]
	[ "$(cat tuner.db.d/job/0001/checkpoint/step)" = 1 ]
	# They are recorded once they are here.
	sql_is "SELECT count(*) FROM artifact WHERE path LIKE '%model.bin' AND sha256 IS NOT NULL" 3
	run "$TUNER" logs job 2
	[[ "$output" == *"loss="*$'\n'"data"$'\n'"part" ]]
	"$TUNER" verify
}

@test "ssh: a job runs here and there at a time" {
	begin_hosts 1
	TRIALS=5 PARALLEL=2 write_remote_job
	touch hold-2-1 hold-3-1
	start "$TUNER" run job.jsonc --set "$(with_hosts '{"slots": 1, "gpus": "none"}' "$(host h1 '"slots": 1')")"
	await started 3
	[ "$(sed -n 's/^[23] 1 \([^ ]*\) .*/\1/p' starts | sort -u | wc -l)" -eq 2 ]
	rm hold-2-1 hold-3-1
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT group_concat(backend) FROM (SELECT DISTINCT backend FROM attempt ORDER BY backend)" local,ssh
}

@test "ssh: frozen code runs there as it was" {
	begin_hosts 1
	TRIALS=2 PARALLEL=1 write_remote_job '"source": "snapshot",'
	echo 'cat word.txt; basename "$PWD"' >>train.sh
	echo first >word.txt
	echo word.txt >.gitignore
	touch hold-2-1
	start "$TUNER" run job.jsonc --set "$(with_hosts "$(host h1)")"
	await started 1
	echo second >word.txt
	await started 2
	kill -KILL "$PID"
	rm hold-2-1
	"$TUNER" run job.jsonc --quiet --trials 3 --set "$(with_hosts "$(host h1)")"
	for trial in 1 2 3; do
		run "$TUNER" logs job $trial
		[[ "$output" == *"first"*"code-"* ]]
	done
}

@test "ssh: a host that is added while the job runs gets the code, frozen where it is" {
	begin_hosts 1
	TRIALS=3 PARALLEL=2 write_remote_job '"source": "snapshot",'
	echo 'cat word.txt; basename "$PWD"' >>train.sh
	echo first >word.txt
	touch hold-2-1
	start "$TUNER" run job.jsonc --set 'hosts=[{"slots": 1, "gpus": "none"}]'
	await started 2
	echo second >word.txt
	"$TUNER" hosts add job.jsonc --set "$(with_hosts '{"slots": 1, "gpus": "none"}' "$(host h1 '"slots": 1')")"
	await started 3
	rm hold-2-1
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT host FROM attempt WHERE trial = 3" h1
	run "$TUNER" logs job 3
	[[ "$output" == *"first"*"code-"* ]]
}

@test "ssh: the same configurations as on this machine" {
	begin_hosts 1
	STRATEGY=bayesian TRIALS=12 PARALLEL=1 write_remote_job
	"$TUNER" run job.jsonc --quiet --db here.db --set 'hosts=[{"gpus": "none"}]'
	"$TUNER" run job.jsonc --quiet --db there.db --set "$(with_hosts "$(host h1)")"
	for db in here there; do
		sqlite3 -readonly $db.db "SELECT number, parameters, objective FROM trial ORDER BY number" >$db
	done
	[ "$(lines_of here)" -eq 12 ]
	diff here there
}

@test "ssh: what a killed tuner left there is ended by tuner stop, or taken over" {
	begin_hosts 1
	TRIALS=2 PARALLEL=1 write_remote_job
	touch hold
	start "$TUNER" run job.jsonc --set "$(with_hosts "$(host h1)")"
	await started 1
	kill -KILL "$PID"
	await "$TUNER" stop job
	await is_dead "$(cut -d' ' -f4 starts)"
	sql_is "SELECT count(*) FROM attempt WHERE outcome = 'interrupted'" 1
	start "$TUNER" run job.jsonc --set "$(with_hosts "$(host h1)")"
	await started 2
	kill -KILL "$PID"
	rm hold
	"$TUNER" run job.jsonc --quiet --set "$(with_hosts "$(host h1)")"
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 2
	[ "$(lines_of starts)" -eq 3 ]
	[ -z "$(cut -d' ' -f1,2 starts | sort | uniq -d)" ]
}

@test "ssh: a retry on another host finds the checkpoint" {
	begin_hosts 2
	TRIALS=2 PARALLEL=1 write_remote_job '"outcomes": {"crashed": "retry"},'
	cat >>train.sh <<'END'
echo "$TUNER_ATTEMPT after $(cat "$TUNER_CHECKPOINT_DIR/from" 2>/dev/null)" >>"$NOTES/checkpoints"
echo "$TUNER_HOST" >"$TUNER_CHECKPOINT_DIR/from"
[ "$TUNER_ATTEMPT" -gt 1 ] || [ "$TUNER_TRIAL" -eq 1 ] || { kill -KILL "$PPID"; sleep 30; }
[ "$TUNER_ATTEMPT" -gt 1 ]
END
	touch hold
	start "$TUNER" run job.jsonc --set "$(with_hosts "$(host h1)" "$(host h2)")"
	await grep -q 'host h1 answers' output
	await grep -q 'host h2 answers' output
	rm hold
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 2
	# Each on one host, and then on the other.
	sql_is "SELECT count(DISTINCT trial || host) FROM attempt" 4
	[ "$(grep -c '^2 after h[12]$' checkpoints)" -eq 2 ]
	# The first had failed; the second had lost its supervisor.
	sql_is "SELECT group_concat(outcome, ' ') FROM (SELECT outcome FROM attempt WHERE number = 1 ORDER BY trial)" "crashed lost"
}

@test "ssh: checkpoints go from host to host, whatever their clocks say" {
	begin_hosts 2
	TRIALS=1 PARALLEL=1 write_remote_job '"outcomes": {"crashed": "retry"}, "retries": 9,'
	cat >>train.sh <<'END'
file=$TUNER_CHECKPOINT_DIR/seen
echo "$(cat "$file" 2>/dev/null)$TUNER_ATTEMPT" >"$file.new"
mv "$file.new" "$file"
# The clock of h1 is right, and the one of h2 two hours behind.
[ "$TUNER_HOST" = h1 ] || touch -d '-2 hours' "$file"
[ "$TUNER_ATTEMPT" -ge 6 ]
END
	touch hold
	start "$TUNER" run job.jsonc --set "$(with_hosts "$(host h1)" "$(host h2)")"
	await grep -q 'host h1 answers' output
	await grep -q 'host h2 answers' output
	rm hold
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT count(DISTINCT host) FROM attempt" 2
	[ "$(cat tuner.db.d/job/0001/checkpoint/seen)" = 123456 ]
}

@test "ssh: a host that stays away loses its trials, and what turns up later is ended" {
	begin_hosts 2
	TRIALS=3 PARALLEL=2 write_remote_job
	touch hold-2-1 hold-3-1
	start "$TUNER" run job.jsonc --set "$(with_hosts "$(host h1 '"slots": 1, "host_timeout": 2, "priority": 1')" "$(host h2 '"slots": 1')")"
	await started 3
	pid=$(sed -n 's/^[23] 1 h1 //p' starts)
	hosts away "$DIR/rig" h1
	await grep -q 'has not answered for 2 s; will be launched again' output
	not is_dead "$pid"
	hosts back "$DIR/rig" h1
	await grep -q 'a lost attempt has turned up' output
	await is_dead "$pid"
	rm -f hold-2-1 hold-3-1
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 3
	sql_is "SELECT count(*) FROM attempt WHERE outcome = 'lost' AND host = 'h1'" 1
	sql_is "SELECT count(*) FROM event WHERE kind = 'late'" 1
	[ "$(lines_of starts)" -eq 4 ]
	"$TUNER" verify
}

@test "ssh: a host whose disk was emptied by a restart is sent the code again, and what ran there is lost" {
	begin_hosts 1
	TRIALS=4 PARALLEL=1 write_remote_job
	touch hold-2-1
	start "$TUNER" run job.jsonc --set "$(with_hosts "$(host h1)")"
	await started 2
	await sql_is "SELECT state FROM attempt WHERE trial = 2" running
	hosts away rig h1
	for pid in $(sed -n 's/^2 1 .* //p' starts) $(pgrep -f "^$DIR/it's on h1/.tuner/"); do
		kill -KILL "$pid" 2>/dev/null || true
	done
	mv "it's on h1" "before the restart"
	rm hold-2-1
	hosts back rig h1
	finished
	[ "$status" -eq 0 ]
	# Whether trial 3 begins before or after its second attempt is the backoff's matter.
	sql_is "SELECT group_concat(trial || ' ' || number || ' ' || outcome) FROM (SELECT * FROM attempt ORDER BY trial, number)" \
		"1 1 ok,2 1 lost,2 2 ok,3 1 ok,4 1 ok"
	"$TUNER" verify
}

@test "ssh: tuner stop does not wait for ever for a host, and the next run ends what runs there" {
	begin_hosts 1
	TRIALS=1 PARALLEL=1 write_remote_job
	touch hold
	start "$TUNER" run job.jsonc --set "$(with_hosts "$(host h1 '"host_timeout": 1')")"
	await started 1
	kill -KILL "$PID"
	hosts away "$DIR/rig" h1
	run "$TUNER" stop job
	[ "$status" -eq 0 ]
	[[ "$output" == *"host h1 did not answer: anything still running there is ended"* ]]
	pid=$(cut -d' ' -f4 starts)
	not is_dead "$pid"
	hosts back "$DIR/rig" h1
	rm hold && touch hold-1-1
	"$TUNER" run job.jsonc --quiet --set "$(with_hosts "$(host h1)")"
	is_dead "$pid"
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 1
	[ "$(lines_of starts)" -eq 2 ]
}

@test "ssh: a host without rsync is told what it lacks" {
	begin_hosts 1
	[[ "$(getent passwd "$(id -un)")" == *bash ]] || skip "the login shell is not bash"
	mkdir few
	for program in sh mkdir cksum head chmod mv rm uname; do ln -s "$(command -v $program)" few/; done
	echo "PATH=$DIR/few" >rig/h1/home/.bashrc
	TRIALS=1 write_remote_job
	start "$TUNER" run job.jsonc --set "$(with_hosts "$(host h1)")"
	await grep -q 'host h1 does not answer: it has no rsync: install it there' output
	kill -TERM "$PID"
	finished
	[ "$status" -eq 143 ]
}

@test "ssh: why the code does not get there is told, not what follows from it" {
	begin_hosts 1
	TRIALS=1 write_remote_job
	# A login shell that prints something; as ForceCommand has it, all that ssh asks for goes through it.
	hosts away "$DIR/rig" h1
	echo "ForceCommand echo Welcome; exec sh -c \"\$SSH_ORIGINAL_COMMAND\"" >>rig/h1/sshd_config
	hosts back "$DIR/rig" h1
	start "$TUNER" run job.jsonc --set "$(with_hosts "$(host h1)")"
	await grep -q 'its login shell prints something where rsync is to speak: let ~/.bashrc' output
	await sql_is "SELECT count(*) FROM event WHERE kind = 'host'" 1
	"$TUNER" status | grep -q 'host h1 is down: the working directory cannot be sent there: its login shell'
	kill -TERM "$PID"
	finished
	# A disk that is full for rsync, as ulimit has it.
	hosts away "$DIR/rig" h1
	sed -i '$d' rig/h1/sshd_config
	echo "ForceCommand trap \"\" XFSZ; ulimit -f 4000; exec sh -c \"\$SSH_ORIGINAL_COMMAND\"" >>rig/h1/sshd_config
	hosts back "$DIR/rig" h1
	head -c 8000000 /dev/urandom >large
	start "$TUNER" run job.jsonc --set "$(with_hosts "$(host h1)")"
	await grep -q 'cannot be sent there: rsync: .*large.*: File too large' output
}

@test "ssh: results that do not come are told of, hold nothing up, and are fetched by the next run, even if the job has ended" {
	begin_hosts 1
	TRIALS=4 PARALLEL=1 write_remote_job '"keep": {"disk": "1 GiB"},'
	echo 'echo weights >"$SM_MODEL_DIR/model.bin"' >>train.sh
	hosts away "$DIR/rig" h1
	echo "ForceCommand case \"\$SSH_ORIGINAL_COMMAND\" in *--sender*) echo broken disk >&2; exit 23;; esac; exec sh -c \"\$SSH_ORIGINAL_COMMAND\"" >>rig/h1/sshd_config
	hosts back "$DIR/rig" h1
	start "$TUNER" run job.jsonc --set "$(with_hosts "$(host h1)")"
	await sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 4
	finished
	cat output
	[ "$status" -eq 0 ]
	grep -q 'warning: host h1: what trial 1 has left there cannot be fetched: broken disk' output
	grep -q 'The files that 4 attempts saved on h1 are not here yet: "tuner run job.jsonc" fetches them' output
	run "$TUNER" doctor
	[ "$status" -eq 1 ]
	[[ "$output" == *"the files that 4 attempts saved on h1 are not here"* ]]
	hosts away "$DIR/rig" h1
	sed -i '$d' rig/h1/sshd_config
	hosts back "$DIR/rig" h1
	"$TUNER" run job.jsonc --set "$(with_hosts "$(host h1)")"
	[ "$(cat tuner.db.d/job/*/1/model/model.bin | sort | uniq -c)" = "      4 weights" ]
	sql_is "SELECT count(*) FROM artifact WHERE path LIKE '%model.bin' AND sha256 IS NOT NULL" 4
	run "$TUNER" run job.jsonc --set "$(with_hosts "$(host h1)")"
	[[ "$output" == *"is complete after 4 trials"* ]]
	"$TUNER" verify
}

@test "ssh: a connection that breaks at a job's end is waited for a moment, and results come" {
	begin_hosts 1
	TRIALS=1 write_remote_job
	echo 'echo weights >"$SM_MODEL_DIR/model.bin"' >>train.sh
	hosts away "$DIR/rig" h1
	echo "ForceCommand case \"\$SSH_ORIGINAL_COMMAND\" in *--sender*) touch $DIR/fetched; [ -e $DIR/away ] || sleep 60;; esac; exec sh -c \"\$SSH_ORIGINAL_COMMAND\"" >>rig/h1/sshd_config
	hosts back "$DIR/rig" h1
	start "$TUNER" run job.jsonc --set "$(with_hosts "$(host h1)")"
	await test -e fetched
	touch away
	hosts away "$DIR/rig" h1
	sleep 2
	kill -0 "$PID"
	hosts back "$DIR/rig" h1
	finished
	[ "$status" -eq 0 ]
	[ "$(cat tuner.db.d/job/0001/1/model/model.bin)" = weights ]
	run grep 'not here yet' output
	[ "$status" -eq 1 ]
}

@test "ssh: what was lost with a host that was away at the job's end is told of, and ended by tuner stop or the next run" {
	begin_hosts 1
	local end pid
	for end in stop run; do
		TRIALS=2 PARALLEL=2 write_remote_job '"outcomes": {"lost": "fail"},'
		touch hold-2-1
		start "$TUNER" run job.jsonc --set "$(with_hosts "$(host h1 '"host_timeout": 4')")"
		await started 2
		pid=$(sed -n 's/^2 1 .* //p' starts)
		await sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 1
		await sql_is "SELECT state FROM attempt WHERE trial = 2" running
		hosts away "$DIR/rig" h1
		finished
		cat output
		[ "$status" -eq 0 ]
		grep -q '1 lost attempt may still be running on h1: "tuner stop job" ends it once the host answers' output
		run "$TUNER" doctor
		[[ "$output" == *"1 lost attempt may still be running on h1"* ]]
		hosts back "$DIR/rig" h1
		kill -0 "$pid"
		if [ $end = stop ]; then
			# It gives a host 4 s to answer, which a busy machine may not keep to.
			await stop_says '1 lost attempt, whose results no longer count, is ended'
		else
			"$TUNER" run job.jsonc --quiet --set "$(with_hosts "$(host h1)")"
		fi
		await is_dead "$pid"
		sql_is "SELECT count(*) FROM event WHERE kind = 'late'" 1
		sql_is "SELECT state FROM job" done
		run "$TUNER" stop
		[ "$output" = "job job: nothing is running" ]
		"$TUNER" verify
		rm -rf tuner.db* starts
	done
}

@test "ssh: the clock of a host may differ by hours, and times are told by ours" {
	[ -e "$TUNER_BUILD/tests/libclock_shift.so" ] || skip "this build has no clock to shift"
	begin_hosts 1
	TRIALS=2 PARALLEL=1 write_remote_job
	local shift
	for shift in -18000 18000; do
		touch hold-2-1
		echo $shift >shift
		start env CLOCK_SHIFT="$DIR/shift" LD_PRELOAD="$TUNER_BUILD/tests/libclock_shift.so" \
			ASAN_OPTIONS="${ASAN_OPTIONS-}:verify_asan_link_order=0" \
			"$TUNER" run job.jsonc --set "$(with_hosts "$(host h1)")"
		await started 2
		await sql_is "SELECT state FROM attempt WHERE trial = 2" running
		await sql_is "SELECT abs(started_us - intended_us) < 60000000 FROM attempt WHERE trial = 2" 1
		rm hold-2-1
		finished
		[ "$status" -eq 0 ]
		sql_is "SELECT count(*) FROM v_trial WHERE waited_s BETWEEN -1 AND 60" 2
		sql_is "SELECT count(*) FROM attempt WHERE ended_us BETWEEN intended_us - 1000000 AND intended_us + 60000000" 2
		rm -rf tuner.db* starts
	done
}

@test "ssh: what cannot be meant is refused" {
	TRIALS=1 write_job
	run "$TUNER" check job.jsonc --set 'hosts=[{"backend": "ssh"}]'
	[ "$status" -eq 2 ]
	[[ "$output" == *'ssh expects "address" beside it'* ]]
	run "$TUNER" check job.jsonc --set 'hosts=[{"gpus": "none", "host_timeout": "1m"}]'
	[ "$status" -eq 2 ]
	[[ "$output" == *'hosts.0.host_timeout: has no effect with the backend local'* ]]
	run "$TUNER" check job.jsonc --set 'hosts=[{"backend": "ssh", "address": "me@h"}]'
	[ "$status" -eq 2 ]
	[[ "$output" == *'"user", "port" and "directory" are keys of their own'* ]]
	run "$TUNER" check job.jsonc --set 'hosts=[{"backend": "ssh", "address": "-oProxyCommand=x", "name": "h"}]'
	[ "$status" -eq 2 ]
	run "$TUNER" check job.jsonc --set 'hosts=[{"backend": "ssh", "address": "fe80::1"}]'
	[ "$status" -eq 2 ]
	[[ "$output" == *'expected "name" beside it'* ]]
	run "$TUNER" check job.jsonc --set 'hosts=[{"backend": "ssh", "address": "h", "lease": "5m"}]'
	[ "$status" -eq 2 ]
	[[ "$output" == *'"host_timeout" to be at least the lease and "grace" together'* ]]
	"$TUNER" check job.jsonc --set 'hosts=[{"backend": "ssh", "address": "h", "host_timeout": "6m", "lease": "5m"}]'
	# Programs and data of another machine are not looked for here; a script that is sent is.
	run "$TUNER" check job.jsonc --set 'hosts=[{"backend": "ssh", "address": "h"}]' --set 'channels={"train": "/no/such"}' -- nosuch --x
	[ "$status" -eq 0 ]
	[[ "$output" == *"host h, by ssh:"*"asked for its resources when it is reached"* ]]
	run "$TUNER" check job.jsonc --set 'hosts=[{"backend": "ssh", "address": "h"}]' -- sh nosuch.sh
	[ "$status" -eq 2 ]
}

# The same with longer times, and what came of it, is in docs/hosts.md.
@test "ssh: forty trials among a cut link, a killed tuner and a dead host" {
	need links
	run "$BATS_TEST_DIRNAME/ssh/forty" "$DIR/forty" 3 8 4
	echo "$output"
	[ "$status" -eq 0 ]
}

# bats test_tags=plain
@test "ssh: a GPU there is measured and kept locked, also across a link that is cut" {
	need links
	hosts start "$DIR/rig" 1 links
	write_smi GPU-aaaa0000-0000
	printf 'export PATH="%s/bin:$PATH" TUNER_GPU_LOCKS="%s/locks"\n' "$DIR" "$DIR" >rig/h1/home/.bashrc
	TRIALS=4 write_remote_job
	sed -i "2i echo \"GPU-aaaa0000-0000, \$\$, 700\" >\"\$NOTES/smi/app-\$TUNER_TRIAL\"" train.sh
	sed -i "3i trap 'rm \"\$NOTES/smi/app-\$TUNER_TRIAL\"' EXIT" train.sh
	touch hold-2-1
	start "$TUNER" run job.jsonc --set "$(with_hosts "$(host h1 | sed 's/"gpus": "none"/"gpus": "auto"/')")"
	await started 2
	await sh -c '[ "$(sqlite3 -readonly tuner.db "SELECT max(samples) FROM gpu_use WHERE attempt = 2")" -gt 0 ]'
	hosts cut rig h1
	await grep -q 'host h1 does not answer' output
	kill -KILL "$(pgrep -f "agent-[^ ]* $DIR/it's on h1 ")" # it has not noticed yet, and has the lock, too
	not flock -n -x locks/GPU-aaaa0000-0000 true
	hosts join rig h1
	await eval '[ "$(grep -c "host h1 answers" output)" -eq 2 ]'
	rm hold-2-1
	finished
	cat output
	[ "$status" -eq 0 ]
	[ "$(lines_of starts)" -eq 4 ]
	sql_is "SELECT gpu_memory_peak_bytes / 1048576, gpu_utilisation_mean FROM v_host_use WHERE number = 2" "700|50.0"
	sql_is "SELECT group_concat(DISTINCT gpus) FROM attempt" '["GPU-aaaa0000-0000"]'
	flock -n -x locks/GPU-aaaa0000-0000 true
}
