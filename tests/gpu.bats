#!/usr/bin/env bats
# GPUs that trials share, that others use, and that are measured: with an nvidia-smi of ours on PATH, which reads
# what the test writes into smi/: gpus (index, UUID, MiB), loads (UUID, utilisation, MiB used, watts, degrees), and apps (UUID,
# pid, MiB), to which each trial adds itself by a file of its own, smi/app-PID. Or with a library of ours for tuner-nvml, which
# reads the same.

load run/common

A=GPU-aaaa0000-0000
B=GPU-bbbb0000-0000

# Instead of nvidia-smi, which is not there; with FAULT (tests/nvml/fake_nvml.c).
write_nvml() { # GPU...
	write_smi "$@"
	rm bin/nvidia-smi
	unset TUNER_NVML
	export FAKE_NVML="$DIR/smi" FAKE_NVML_FAULT="${FAULT-}" LD_LIBRARY_PATH="$TUNER_BUILD/tests/nvml${OLD:+/old}"
}

# What each trial does: it appears among the GPU's processes with $NEEDS MiB, waits, and goes.
write_gpu_job() { # HOST-KEYS
	write_job
	cat >train.sh <<'END'
echo "$TUNER_TRIAL $TUNER_ATTEMPT $CUDA_VISIBLE_DEVICES" >>starts
echo "$(sed -n "$((CUDA_VISIBLE_DEVICES + 1))s/^[0-9]*, \([^,]*\),.*/\1/p" smi/gpus), $$, $(cat needs 2>/dev/null || echo 1000)" >"smi/app-$$"
trap 'rm -f "smi/app-$$"' EXIT
if [ -e seen ]; then
	for i in $(seq 600); do # until our memory is in the database
		sqlite3 -readonly tuner.db "SELECT 'yes' FROM attempt a JOIN trial t ON t.id = a.trial
			WHERE t.number = $TUNER_TRIAL AND a.state <> 'ended' AND gpu_memory_peak_bytes > 0" 2>/dev/null | grep -q yes && break
		sleep 0.05
	done
fi
while [ -e hold ] || [ -e "hold-$TUNER_TRIAL" ]; do sleep 0.02; done
if [ -e "oom-$TUNER_TRIAL-$TUNER_ATTEMPT" ]; then
	echo "RuntimeError: CUDA out of memory. Tried to allocate 20.00 MiB" >&2; exit 1
fi
awk -v x="$2" 'BEGIN { printf "loss=%.17g\n", (x - 0.3) ^ 2 }'
END
	sed -i "s/\"hosts\": .*/\"hosts\": [{ $1 }],/; s/\"parallel\": [0-9]*/\"start_failures\": 50/" job.jsonc
}

# write_gpu_job, on a host behind an ssh that goes nowhere.
write_far_gpu_job() { # HOST-KEYS
	printf '#!/bin/sh\nfor word; do :; done\nexec /bin/sh -c "$word"\n' >bin/ssh
	chmod +x bin/ssh
	export XDG_RUNTIME_DIR=$DIR
	write_gpu_job '"backend": "ssh", "address": "there", "directory": "'"${DIR//\//\\/}"'\/there", "sync": "none", '"$1"
}

starts_are() { [ -e starts ] && [ "$(lines_of starts)" -eq "$1" ]; }

@test "a number of trials shares each GPU, and what they did with it is kept" {
	write_smi $A $B
	TRIALS=5 write_gpu_job '"trials_per_gpu": 2'
	touch hold-2 hold-3 hold-4 hold-5 seen
	start "$TUNER" run job.jsonc
	await starts_are 5
	await sh -c '[ "$(sqlite3 -readonly tuner.db "SELECT count(*) FROM attempt WHERE gpu_memory_peak_bytes > 0")" -ge 5 ]'
	rm hold-*
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT group_concat(n) FROM (SELECT count(*) AS n FROM attempt WHERE id > 1 GROUP BY gpus)" 2,2
	# The second may begin before the end of the first, which has reported, is known.
	sql_is "SELECT count(*) FROM v_host_use WHERE number > 1 AND gpu_together = 2" 4
	sql_is "SELECT count(*) FROM v_host_use WHERE gpu_memory_peak_bytes = 1000 * 1048576 AND gpu_utilisation_mean = 50.0 AND gpu_power_mean_w = 200.5 AND gpu_temperature_max_c = 60.0" 5
	[ "$("$TUNER" hosts --json | jq -c '[.[0].gpus[] | [.gpu, .trials, .measured.gpus, .measured.utilisation_mean, .measured.memory_peak_bytes / 1048576]]')" = \
		'[["'$A'",[],1,50,1000],["'$B'",[],1,50,1000]]' ]
	"$TUNER" hosts | grep -q 'GPU-aaaa0000  NVIDIA H0  -  *3  *50 %  *1000 MiB  '
	run "$TUNER" show job 2
	[[ "$output" == *"1000.0 MiB on the GPU"*"50 % busy (at most 50 %), 200 W, up to 60 C"*"shared by up to 2 trials"* ]]
	[[ "$output" == *"train.sh --x"* ]]
	[ "$("$TUNER" show job 2 --json | jq -c '.launches[0].gpu_use | [.together, .utilisation_mean]')" = "[2,50]" ]
	"$TUNER" report job --format md -o - | grep -q 'Trials shared GPUs: a second of a GPU counts for each'
	"$TUNER" verify
}

# bats test_tags=plain
@test "one GPU gives one slot, and one trial has an objective" {
	write_smi $A
	TRIALS=2 write_gpu_job '"gpus": "auto"'
	run "$TUNER" check job.jsonc --set budget.parallel=2
	[ "$status" -eq 0 ]
	[[ "$output" == *"the GPUs give 1 slot: 1 trial runs at a time"* ]]
	"$TUNER" run job.jsonc --quiet --trials 1
	run "$TUNER" importance
	[[ "$output" == *"1 trial has an objective"* ]]
}

# bats test_tags=plain
@test "out of memory beside another trial: again, alone, and not held against it" {
	write_smi $A
	TRIALS=3 write_gpu_job '"trials_per_gpu": 2'
	touch hold-2 hold-3 oom-2-1
	start "$TUNER" run job.jsonc --set retries=0 --set backoff=0
	await starts_are 3
	rm hold-2
	await sh -c '[ "$(sqlite3 -readonly tuner.db "SELECT a.outcome FROM attempt a JOIN trial t ON t.id = a.trial WHERE t.number = 2")" = oom-gpu ]'
	starts_are 3
	rm hold-3
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 3
	sql_is "SELECT group_concat(outcome || ' ' || gpu_together, ', ') FROM v_host_use WHERE number = 2" "oom-gpu 2, ok 1"
	"$TUNER" verify
}

# bats test_tags=plain
@test "a GPU is emptied for who ran out of memory, and nothing new is started on it" {
	write_smi $A
	TRIALS=6 write_gpu_job '"trials_per_gpu": 2'
	touch hold-2 hold-3 hold-4 oom-2-1
	start "$TUNER" run job.jsonc --set retries=0 --set backoff=0
	await starts_are 3
	rm hold-2
	await sh -c '[ "$(sqlite3 -readonly tuner.db "SELECT count(*) FROM attempt WHERE outcome = '"'oom-gpu'"'")" = 1 ]'
	rm hold-3
	await sh -c '[ "$(sqlite3 -readonly tuner.db "SELECT state FROM trial WHERE number = 3")" = done ]'
	sleep 0.5
	rm hold-4
	finished
	[ "$status" -eq 0 ]
	[ "$(grep '^[256] ' starts | head -2)" = "$(printf '2 1 0\n2 2 0')" ]
}

# bats test_tags=plain
@test "a retry that wants a GPU of its own is all that is left, and gets it" {
	write_smi $A
	TRIALS=3 write_gpu_job '"trials_per_gpu": 2'
	touch hold-2 hold-3 oom-2-1
	start "$TUNER" run job.jsonc --set retries=0 --set backoff=1s
	await starts_are 3
	rm hold-2 hold-3 # the GPU is given back before the retry is due
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT group_concat(outcome || ' ' || gpu_together, ', ') FROM v_host_use WHERE number = 2" "oom-gpu 2, ok 1"
	"$TUNER" verify
}

# bats test_tags=plain
@test "a retry that may share does not hold up one for which a GPU has been emptied" {
	write_smi $A
	TRIALS=5 write_gpu_job '"trials_per_gpu": 2'
	sed -i '/^if .*oom-/i [ ! -e "kill-$TUNER_TRIAL-$TUNER_ATTEMPT" ] || { rm "smi/app-$$"; kill -9 $$; }' train.sh
	touch hold-2 hold-3 hold-4 hold-5 kill-3-1 oom-2-1
	start "$TUNER" run job.jsonc --set backoff=5s # more than a slow machine takes from one end to the other
	await starts_are 3
	rm hold-3
	await starts_are 4
	rm hold-2
	await starts_are 5
	sleep 6 # both are due
	rm hold-4 hold-5
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 5
	sql_is "SELECT group_concat(outcome || ' ' || gpu_together, ', ') FROM v_host_use WHERE number = 2" "oom-gpu 2, ok 1"
}

@test "who ran out of memory beside another is alone in the next run, too" {
	write_smi $A
	TRIALS=3 write_gpu_job '"trials_per_gpu": 2'
	touch hold-2 hold-3 oom-2-1
	start "$TUNER" run job.jsonc --set retries=0 --set backoff=1h
	await starts_are 3
	rm hold-2
	await sh -c '[ "$(sqlite3 -readonly tuner.db "SELECT count(*) FROM attempt WHERE outcome = '"'oom-gpu'"'")" = 1 ]'
	kill -KILL "$PID"
	wait "$PID" || true
	start "$TUNER" run job.jsonc --set retries=0 --set backoff=0
	await grep -q 'resuming: 1 trial under way, 1 to be launched again' output
	await sh -c 'n=$(wc -l <smi/asked); sleep 0.5; [ "$(wc -l <smi/asked)" -gt "$n" ]'
	starts_are 3
	rm hold-3
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT group_concat(outcome || ' ' || gpu_together, ', ') FROM v_host_use WHERE number = 2" "oom-gpu 2, ok 1"
	sql_is "SELECT gpu_together FROM v_host_use WHERE number = 3" 2
	"$TUNER" verify
}

# bats test_tags=plain
@test "who is alone on a GPU of another host is left alone by the next run, too" {
	write_smi $A
	TRIALS=4 write_far_gpu_job '"trials_per_gpu": 2'
	touch hold-2 hold-3 oom-2-1
	start "$TUNER" run job.jsonc --set retries=0 --set backoff=0 --trials 3
	await starts_are 3
	rm hold-2
	await sh -c '[ "$(sqlite3 -readonly tuner.db "SELECT count(*) FROM attempt WHERE outcome = '"'oom-gpu'"'")" = 1 ]'
	touch hold-2
	rm hold-3
	await starts_are 4 # the second trial, alone
	await sh -c '[ "$(sqlite3 -readonly tuner.db "SELECT count(*) FROM attempt WHERE state = '"'running'"'")" = 1 ]'
	kill -KILL "$PID"
	wait "$PID" || true
	start "$TUNER" run job.jsonc --set retries=0 --set backoff=0 --trials 4
	await grep -q 'host there answers' output
	sleep 1
	rm hold-2
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT group_concat(number || ' ' || outcome || ' ' || gpu_together, ', ')
		FROM (SELECT * FROM v_host_use WHERE number IN (2, 4) ORDER BY number, attempt)" \
		"2 oom-gpu 2, 2 ok 1, 4 ok 1"
}

@test "out of memory when it has been alone is its own failure" {
	write_smi $A
	TRIALS=2 write_gpu_job '"trials_per_gpu": 2'
	touch oom-2-1 oom-2-2 hold-1
	start "$TUNER" run job.jsonc --set 'first=[{"x": 0.1}, {"x": 0.2}]' --set budget.parallel=1
	await starts_are 1
	rm hold-1
	finished
	sql_is "SELECT group_concat(state || ' ' || attempts) FROM trial" "done 1,failed 1"
}

@test "auto packs as measurements come, within the device's memory" {
	write_smi $A
	echo 4000 >needs
	TRIALS=9 write_gpu_job '"trials_per_gpu": "auto"'
	touch seen
	run "$TUNER" run job.jsonc
	[ "$status" -eq 0 ]
	[[ "$output" == *"GPU 0 of"*": 2 trials at a time from now on"* ]]
	[[ "$output" != *": 3 trials at a time"* ]]
	sql_is "SELECT max(gpu_together) FROM v_host_use WHERE number <= 3" 1
	sql_is "SELECT max(gpu_together) FROM v_host_use" 2
}

@test "a GPU is not free for want of an answer to who computes on it" {
	write_smi $A
	TRIALS=1 write_gpu_job '"gpus": "auto"'
	echo "$A, 1, 300" >smi/apps
	start "$TUNER" run job.jsonc
	await grep -q 'GPU 0 is not used until it is free: process 1 is computing on it' output
	touch smi/silent
	looks=$(lines_of smi/asked)
	await eval '[ "$(lines_of smi/asked)" -gt $((looks + 5)) ]'
	[ ! -e starts ]
	: >smi/apps
	rm smi/silent
	finished
	[ "$status" -eq 0 ]
	grep -q 'GPU 0 is free again' output
}

# gpus_are WORDS...: of each GPU UUID, index, state, whether a run looks at it, and why.
gpus_are() {
	local words
	words=$("$TUNER" hosts --json | jq -r '.[0].gpus[] | "\(.gpu) \(.index) \(.state) \(.watched) \(.message)"')
	[ "$words" = "$(printf '%s\n' "$@")" ] || { echo "$words"; false; }
}

# Others use both GPUs of the job that is there, and then only one.
others_are_waited_for() { # OF-WHICH-HOST
	echo "$A, 1, 3000" >smi/apps
	echo "$B, 0, 9000, 10000, 200.5, 60" >smi/loads
	start "$TUNER" run job.jsonc
	await grep -q "GPU 0$1 is not used until it is free: process 1 is computing on it" output
	await grep -q "GPU 1$1 is not used until it is free: 9000 MiB" output
	[ ! -e starts ]
	await gpus_are "$A 0 busy true process 1 is computing on it" "$B 1 busy true 9000 MiB of its memory are in use"
	"$TUNER" hosts | grep -q "GPU-aaaa0000.* left alone: process 1 is computing on it"
	touch hold-1 hold-2
	echo "$B, 0, 4, 10000, 200.5, 60" >smi/new
	mv smi/new smi/loads
	await sh -c '"$TUNER" hosts --json | jq -e "[.[0].gpus[] | [.attempts, .trials]] == [[0, []], [1, [1]]]"'
	"$TUNER" hosts | grep -q "GPU-bbbb0000.* in use"
	rm hold-1 hold-2
	finished
	[ "$status" -eq 0 ]
	grep -q "GPU 1$1 is free again" output
	sql_is "SELECT group_concat(DISTINCT gpus) FROM attempt" "[\"$B\"]"
	gpus_are "$A 0 busy false process 1 is computing on it" "$B 1 free false "
	"$TUNER" hosts | grep -q 'state in the last run'
	"$TUNER" verify
}

# bats test_tags=plain
@test "a GPU that others use is left alone until it is free" {
	write_smi $A $B
	TRIALS=2 write_gpu_job '"gpus": "auto"'
	others_are_waited_for ''
	run "$TUNER" run job.jsonc --trials 3 --set 'hosts=[{"gpus": [0], "busy_gpus": "use"}]'
	[ "$status" -eq 0 ]
	sql_is "SELECT gpus FROM attempt ORDER BY id DESC LIMIT 1" "[\"$A\"]"
}

@test "an nvidia-smi that fails later stops nothing" {
	write_smi $A
	TRIALS=2 write_gpu_job '"gpus": "auto"'
	sed -i 's/^--query-gpu=uuid.*/--query-gpu=uuid,*) exit 3 ;;/' bin/nvidia-smi
	run "$TUNER" run job.jsonc
	[ "$status" -eq 0 ]
	sql_is "SELECT sum(samples), max(gpu_memory_peak_bytes) FROM gpu_use JOIN attempt ON attempt.id = attempt" "0|0"
}

@test "on a GPU that the driver no longer lists nothing is started, until it is back" {
	for smi in write_smi write_nvml; do
		$smi $A $B
		TRIALS=16 write_gpu_job '"gpus": "auto", "busy_gpus": "use"'
		# What begins there without its GPU fails.
		sed -i '1i grep -q ^GPU-bbbb smi/loads || [ "$CUDA_VISIBLE_DEVICES" = 0 ] || exit 1\nsleep 0.1' train.sh
		touch hold-3 hold-4 hold-12 hold-13
		start "$TUNER" run job.jsonc
		await starts_are 4
		sed -i '/bbbb/d' smi/loads smi/gpus
		await grep -q 'GPU 1 is gone: the driver no longer lists it' output
		rm hold-3 hold-4
		await starts_are 12 # on the other one
		echo "$B, 50, 4, 10000, 200.5, 60" >>smi/loads
		echo "1, $B, NVIDIA H0, 10000" >>smi/gpus
		await grep -q 'GPU 1 is back' output
		rm hold-13
		await starts_are 16
		rm hold-12
		finished
		cat output
		[ "$status" -eq 0 ]
		sql_is "SELECT count(*) FROM trial WHERE state = 'failed'" 0
		sql_is "SELECT count(*) > 2 FROM attempt WHERE gpus LIKE '%bbbb%'" 1
		rm -rf tuner.db* starts smi
	done
}

@test "where nvidia-smi shows no processes, the GPU's memory is that of who is alone on it" {
	write_smi $A
	TRIALS=2 write_gpu_job '"gpus": "auto"'
	touch seen
	sed -i 's/^--query-compute.*/--query-compute*) exit 0 ;;/' bin/nvidia-smi
	echo "$A, 50, 900, 10000, [N/A], [N/A]" >smi/loads
	run "$TUNER" run job.jsonc
	[ "$status" -eq 0 ]
	sql_is "SELECT group_concat(gpu_memory_peak_bytes / 1048576) FROM attempt" 900,900
	sql_is "SELECT count(*) FROM gpu_use WHERE power_mean_w IS NULL AND utilisation_max = 50.0" 2
}

# The job that is there and another one, on one GPU; the first is killed while its trial runs.
two_tuners_share() { # WHAT-THE-GPU-IS-CALLED
	sed 's/starts/starts2/; s/hold-/not-/' train.sh >train2.sh
	sed 's/train.sh/train2.sh/' job.jsonc >other.jsonc
	touch hold-1
	start "$TUNER" run job.jsonc --db one.db
	ONE=$PID
	await starts_are 1
	mv output output1
	start "$TUNER" run other.jsonc --db two.db
	TWO=$PID
	await test -e output
	mv output output2
	await grep -q "$1 is in use by another tuner (job job): waiting for it" output2
	await sh -c '"$TUNER" hosts --db two.db | grep "GPU-aaaa0000.* taken by job job of another tuner"'
	"$TUNER" hosts --db one.db | grep "GPU-aaaa0000.* 1  *1 .*in use"
	kill -KILL "$ONE"
	wait "$ONE" || true
	await eval '[ "$(pgrep -c -f "agent-[^ ]* $DIR/there ")" -le 1 ]' # the other job's
	not flock -n -x "locks/$A" true # the trial's supervisor has it
	[ ! -e starts2 ]
	start "$TUNER" run job.jsonc --db one.db
	await grep -q 'resuming: 1 trial under way' output
	[ ! -e starts2 ]
	rm hold-1
	finished
	[ "$status" -eq 0 ]
	PID=$TWO
	finished
	[ "$status" -eq 0 ]
	[ "$(lines_of starts2)" -eq 2 ]
	[ "$(lines_of starts)" -eq 2 ]
}

@test "two tuners share the GPUs through locks, and a killed one's trial keeps its own" {
	write_smi $A
	TRIALS=2 write_gpu_job '"gpus": "auto"'
	two_tuners_share "GPU 0"
}

@test "a trial that lives on keeps its GPU when the job's GPUs were edited" {
	write_smi $A $B
	TRIALS=4 write_gpu_job '"gpus": [0, 1]'
	touch hold-2 hold-3
	start "$TUNER" run job.jsonc
	await starts_are 3
	# Which is where depends on whether the end of the first was known when the second began.
	on_a=$(sql "SELECT trial FROM attempt WHERE trial > 1 AND gpus = '[\"$A\"]'")
	on_b=$((5 - on_a))
	kill -KILL "$PID"
	wait "$PID" || true
	rm "hold-$on_a"
	start "$TUNER" run job.jsonc --set 'hosts=[{"gpus": [1]}]'
	await grep -q 'under way' output
	await sh -c 'n=$(wc -l <smi/asked); sleep 0.5; [ "$(wc -l <smi/asked)" -gt "$n" ]'
	starts_are 3
	rm "hold-$on_b"
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT gpus FROM attempt WHERE trial = $on_b" "[\"$B\"]"
	sql_is "SELECT count(*) FROM v_host_use WHERE gpu_together > 1" 0
}

configurations() {
	sql "SELECT number, parameters FROM trial ORDER BY number"
}

# bats test_tags=plain
@test "NVML gives the slots, configurations and measurements that nvidia-smi gives" {
	local source
	for source in smi nvml old; do
		mkdir "$source"
		(
			cd "$source"
			DIR=$PWD
			case $source in
			smi) write_smi $A $B ;;
			nvml) write_nvml $A $B ;;
			old) OLD=1 write_nvml $A $B ;;
			esac
			TRIALS=4 write_gpu_job '"trials_per_gpu": 2'
			touch seen
			"$TUNER" check job.jsonc | grep -A1 '^machine:' >machine
			"$TUNER" run job.jsonc --seed 7
			sql_is "SELECT count(*) FROM v_host_use WHERE gpu_memory_peak_bytes = 1000 * 1048576 AND gpu_utilisation_mean = 50.0 AND gpu_power_mean_w = 200.5 AND gpu_temperature_max_c = 60.0" 4
			configurations >configurations
			"$TUNER" verify
		)
	done
	[ "$(lines_of smi/configurations)" -eq 4 ]
	cmp smi/configurations nvml/configurations
	cmp smi/configurations old/configurations
	cmp smi/machine nvml/machine
	cmp smi/machine old/machine
	grep -q '4 slots' nvml/machine
	[ -e smi/smi/asked ]
	[ ! -e nvml/smi/asked ]
}

@test "other people's work is seen by NVML, too" {
	write_nvml $A $B
	TRIALS=2 write_gpu_job '"gpus": "auto"'
	echo "$A, 1, 3000" >smi/apps
	run "$TUNER" run job.jsonc
	[ "$status" -eq 0 ]
	[[ "$output" == *"GPU 0 is not used until it is free: process 1 is computing on it"* ]]
	sql_is "SELECT group_concat(DISTINCT gpus) FROM attempt" "[\"$B\"]"
}

@test "an NVML that crashes while trials run stops nothing" {
	FAULT=crash write_nvml $A
	TRIALS=2 write_gpu_job '"gpus": "auto"'
	run "$TUNER" run job.jsonc
	[ "$status" -eq 0 ]
	sql_is "SELECT sum(samples) FROM gpu_use" 0
	sql_is "SELECT group_concat(DISTINCT gpus) FROM attempt" "[\"$A\"]"
}

@test "an NVML that fails is told of by check, run and doctor, and none is asked where none is wanted" {
	FAULT=init write_nvml $A
	TRIALS=1 write_gpu_job '"gpus": "auto"'
	run "$TUNER" check job.jsonc
	[[ "$output" == *"no GPU can be used (NVML fails: Driver/library version mismatch)"* ]]
	run "$TUNER" doctor
	[[ "$output" == *"no GPUs are available: NVML fails: Driver/library version mismatch"* ]]
	export FAKE_NVML_FAULT=no-driver
	run "$TUNER" check job.jsonc
	[[ "$output" != *"no GPU can be used"* ]]
	export FAKE_NVML_FAULT=
	run "$TUNER" check job.jsonc
	[[ "$output" == *"1 slot: 1 GPU (NVIDIA H0)"* ]]
	TUNER_NVML=none run "$TUNER" check job.jsonc
	[[ "$output" != *"NVIDIA H0"* ]]
}

@test "what the job file may say of sharing" {
	write_smi $A $B
	TRIALS=2 write_gpu_job '"gpus": "auto"'
	run "$TUNER" check job.jsonc --set 'hosts=[{"trials_per_gpu": 3}]'
	[ "$status" -eq 0 ]
	[[ "$output" == *"6 slots: 1 GPU (NVIDIA H0), shared by 3, and "* ]]
	run "$TUNER" check job.jsonc --set 'hosts=[{"trials_per_gpu": "auto"}]'
	[[ "$output" == *"16 slots: 1 GPU (NVIDIA H0), shared by up to 8, and "* ]]
	run "$TUNER" check job.jsonc --set 'hosts=[{"trials_per_gpu": 2, "gpus_per_trial": 2}]'
	[ "$status" -eq 2 ]
	[[ "$output" == *"they are shared with no other"* ]]
	run "$TUNER" check job.jsonc --set 'hosts=[{"trials_per_gpu": 2, "gpus": "none"}]'
	[ "$status" -eq 2 ]
	[[ "$output" == *"has no effect without GPUs"* ]]
	run "$TUNER" check job.jsonc --set 'hosts=[{"trials_per_gpu": 0}]'
	[ "$status" -eq 2 ]
	[[ "$output" == *'"auto" or a whole number from 1 to 64'* ]]
	run "$TUNER" check job.jsonc --set 'hosts=[{"trials_per_gpu": "many"}]'
	[ "$status" -eq 2 ]
}

@test "this machine's GPUs are locked, watched and shared when it is added to a running job" {
	write_smi $A $B
	printf '#!/bin/sh\nexit 255\n' >bin/ssh
	chmod +x bin/ssh
	TRIALS=3 write_gpu_job '"backend": "ssh", "address": "far"'
	touch seen hold-3
	echo "$A, 1, 3000" >smi/apps
	start "$TUNER" run job.jsonc
	await test -e tuner.db
	await sh -c "$TUNER hosts --json"
	await "$TUNER" hosts add job.jsonc --set 'hosts=[{"gpus": "auto", "trials_per_gpu": 2}]'
	await grep -q 'GPU 0 is not used until it is free: process 1 is computing on it' output
	await starts_are 3
	[ "$(ls locks | wc -l)" -ge 1 ]
	rm hold-3
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT group_concat(DISTINCT gpus) FROM attempt" "[\"$B\"]"
	sql_is "SELECT count(*) FROM v_host_use WHERE gpu_memory_peak_bytes > 0" 3
}

@test "each slice of a divided GPU is a place of its own, and goes by its UUID" {
	write_smi $A $B
	sed -i "s/^\*) exit 9/-L) cat smi\/slices ;;\n&/" bin/nvidia-smi
	cat >smi/slices <<END
GPU 0: NVIDIA H0 (UUID: $A)
  MIG 3g.20gb     Device  0: (UUID: MIG-one)
  MIG 3g.20gb     Device  1: (UUID: MIG-two)
GPU 1: NVIDIA H0 (UUID: $B)
END
	TRIALS=4 write_job
	echo 'echo "$CUDA_VISIBLE_DEVICES" >>seen' >>train.sh
	touch hold-2 hold-3
	start "$TUNER" run job.jsonc --set 'hosts=[{"gpus": [0]}]'
	await starts_are 3
	rm hold-2 hold-3
	finished
	[ "$status" -eq 0 ]
	[ "$(sort -u seen | paste -sd' ')" = "MIG-one MIG-two" ]
	sql_is "SELECT group_concat(DISTINCT gpus) FROM (SELECT gpus FROM attempt ORDER BY gpus)" '["MIG-one"],["MIG-two"]'
	[ -e locks/MIG-one ]
	run env PATH="$PWD/empty:/usr/bin:/bin" TUNER_NVML=none "$TUNER" check job.jsonc --set 'hosts=[{"gpus_per_trial": 2}]'
	command -v /usr/bin/nvidia-smi || [[ "$output" == *'warning: "gpus_per_trial" is 2, and there is no GPU: trials run on the CPU'* ]]
	run "$TUNER" check job.jsonc --set 'hosts=[{"gpus_per_trial": 2}]'
	echo "$output"
	[ "$status" -eq 2 ]
	[[ "$output" == *"a trial can use one MIG slice"* ]]
}

@test "GPUs of a host reached by ssh are measured, and packed by it" {
	write_smi $A
	echo 4000 >needs
	TRIALS=9 write_far_gpu_job '"trials_per_gpu": "auto"'
	touch seen
	run "$TUNER" run job.jsonc
	[ "$status" -eq 0 ]
	[[ "$output" == *"GPU 0 of there: 2 trials at a time from now on"* ]]
	[[ "$output" != *": 3 trials at a time"* ]]
	sql_is "SELECT max(gpu_together) FROM v_host_use WHERE number <= 3" 1
	sql_is "SELECT max(gpu_together) FROM v_host_use" 2
	sql_is "SELECT count(*) FROM v_host_use WHERE gpu_memory_peak_bytes = 4000 * 1048576 AND gpu_utilisation_mean = 50.0 AND gpu_power_mean_w = 200.5 AND gpu_temperature_max_c = 60.0" 9
	"$TUNER" verify
}

@test "a GPU of a host reached by ssh that others use is left alone until it is free" {
	write_smi $A $B
	TRIALS=2 write_far_gpu_job '"gpus": "auto"'
	others_are_waited_for " of there"
}

# bats test_tags=plain
@test "a host reached by ssh whose nvidia-smi answers nothing more is used all the same" {
	write_smi $A
	TRIALS=2 write_far_gpu_job '"gpus": "auto"'
	sed -i 's/^--query-gpu=uuid.*/--query-gpu=uuid,*) exit 3 ;;/' bin/nvidia-smi
	run "$TUNER" run job.jsonc
	[ "$status" -eq 0 ]
	sql_is "SELECT sum(samples), max(gpu_memory_peak_bytes) FROM gpu_use JOIN attempt ON attempt.id = attempt" "0|0"
}

@test "on a host reached by ssh, two tuners share the GPUs through locks, and a killed one's trial keeps its own" {
	write_smi $A
	TRIALS=2 write_far_gpu_job '"gpus": "auto"'
	two_tuners_share "GPU 0 of there"
}

# bats test_tags=plain
@test "locks that were lost with the connection are claimed anew" {
	write_smi $A
	TRIALS=3 write_far_gpu_job '"gpus": "auto"'
	touch hold-2
	start "$TUNER" run job.jsonc
	await starts_are 2
	agent=$(pgrep -f "agent-[^ ]* $DIR/there ")
	kill -KILL "$agent"
	await grep -q 'host there does not answer' output
	await eval '[ "$(grep -c "host there answers" output)" -eq 2 ]'
	await eval 'ls -l "/proc/$(pgrep -f "agent-[^ ]* $DIR/there ")/fd" | grep -q "locks/$A"'
	rm hold-2
	finished
	[ "$status" -eq 0 ]
	starts_are 3
	sql_is "SELECT count(*) FROM attempt" 3
}

# write_second_host: another host, "elsewhere", with an nvidia-smi of its own, in bin2 and smi2.
write_second_host() { # GPU
	mkdir -p bin2 smi2
	sed "s|$DIR/smi|$DIR/smi2|g" bin/nvidia-smi >bin2/nvidia-smi
	chmod +x bin2/nvidia-smi
	sed "s/$A/$1/" smi/gpus >smi2/gpus
	sed "s/$A/$1/" smi/loads >smi2/loads
	: >smi2/apps
	sed -i "2i case \"\$*\" in *\"\$DIR/elsewhere\"*) PATH=\$DIR/bin2:\$PATH ;; esac" bin/ssh
	export DIR
	sed -i "s|\"hosts\": \\[\\(.*\\)\\],|\"hosts\": [\1, { \"backend\": \"ssh\", \"address\": \"elsewhere\", \"directory\": \"$DIR/elsewhere\", \"sync\": \"none\" }],|" job.jsonc
}

# asked_more_often N: more questions of the first host's GPUs than so far, as a clock.
more_questions() {
	local now
	now=$(lines_of smi/asked)
	await eval '[ "$(lines_of smi/asked)" -ge '$((now + $1))' ]'
}

# bats test_tags=plain
@test "GPUs that a job does not use are left to others" {
	write_smi $A
	TRIALS=3 write_far_gpu_job '"gpus": "auto"'
	write_second_host $B
	touch hold-2
	start "$TUNER" run job.jsonc --parallel 1
	await starts_are 2
	used=$(sql "SELECT substr(gpus, 3, length(gpus) - 4) FROM attempt WHERE trial = 2")
	[ "$used" = "$A" ] && other=$B || other=$A
	await grep -q 'host elsewhere answers' output
	await grep -q 'host there answers' output
	more_questions 10
	written=$(stat -c %Y.%y "locks/$other" 2>/dev/null || true)
	more_questions 60 # at least 3 s
	[ "$(stat -c %Y.%y "locks/$other" 2>/dev/null || true)" = "$written" ]
	[ ! -e "locks/$other" ] || flock -n -x "locks/$other" true
	rm hold-2
	finished
	[ "$status" -eq 0 ]
}

# bats test_tags=plain
@test "a lock that comes when it is no longer wanted is given back" {
	write_smi $A
	TRIALS=3 write_far_gpu_job '"gpus": "auto"'
	write_second_host $B
	touch hold-2 hold-3
	echo "other@1" >"locks/$B"
	exec 8<"locks/$B"
	flock -s 8
	start "$TUNER" run job.jsonc 8<&-
	await starts_are 2
	await grep -q 'GPU 0 of elsewhere is in use by another tuner (job other)' output
	agent=$(pgrep -f "agent-[^ ]* $DIR/elsewhere ")
	kill -STOP "$agent"
	more_questions 30 # it is claimed once a second
	exec 8<&-
	rm hold-2
	await starts_are 3 # on the first host
	kill -CONT "$agent"
	await grep -q job@ "locks/$B"
	await flock -n -x "locks/$B" true
	not flock -n -x "locks/$A" true
	rm hold-3
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT count(DISTINCT host) FROM attempt" 1
}

# bats test_tags=plain
@test "on a host that comes back without one of its GPUs the other is not given away twice" {
	write_smi $A $B
	TRIALS=4 write_far_gpu_job '"gpus": "auto"'
	touch hold-2 hold-3
	start "$TUNER" run job.jsonc
	await starts_are 3
	on_a=$(sql "SELECT trial FROM attempt WHERE trial > 1 AND gpus LIKE '%aaaa%'")
	for name in gpus loads; do
		grep "$B" smi/$name | sed 's/^1,/0,/' >smi/new
		mv smi/new smi/$name
	done
	kill -KILL "$(pgrep -f "agent-[^ ]* $DIR/there ")"
	await eval '[ "$(grep -c "host there answers" output)" -eq 2 ]'
	rm "hold-$on_a"
	await sh -c '[ "$(sqlite3 -readonly tuner.db "SELECT count(*) FROM trial WHERE state = '"'done'"'")" = 2 ]'
	more_questions 20
	starts_are 3
	rm hold-*
	finished
	[ "$status" -eq 0 ]
	starts_are 4
	sql_is "SELECT gpus FROM attempt WHERE trial = 4" "[\"$B\"]"
}

# bats test_tags=plain
@test "a host reached by ssh whose GPUs cannot be locked is used with a warning" {
	write_smi $A
	TRIALS=1 write_far_gpu_job '"gpus": "auto"'
	rmdir locks
	touch locks
	run "$TUNER" run job.jsonc
	[ "$status" -eq 0 ]
	[[ "$output" == *"warning: GPUs cannot be locked on there (the directory cannot be made or written): another tuner may use them as well"* ]]
}

# bats test_tags=plain
@test "a budget.parallel that is raised during a run gives more GPUs, and a lowered one fewer" {
	for far in '' far; do
		write_smi $A $B
		TRIALS=6 write_${far:+far_}gpu_job '"gpus": "auto"'
		touch hold-2 hold-3 hold-4
		start "$TUNER" run job.jsonc --parallel 1
		await starts_are 2
		echo "$B, 1, 300" >smi/apps # others use the second one
		"$TUNER" run job.jsonc --parallel 2
		await grep -q "GPU 1${far:+ of there} is not used until it is free" output
		starts_are 2
		: >smi/apps
		await starts_are 3
		sql_is "SELECT count(*) FROM attempt WHERE number = 1 AND trial = 3 AND gpus LIKE '%bbbb%'" 1
		"$TUNER" run job.jsonc --parallel 1
		rm hold-3
		await grep -q 'edited: .*parallel.*: 2 -> 1' output
		await sh -c '[ "$(sqlite3 -readonly tuner.db "SELECT count(*) FROM trial WHERE state = '"'done'"'")" = 2 ]'
		starts_are 3
		rm hold-2 hold-4
		finished
		[ "$status" -eq 0 ]
		starts_are 6
		sql_is "SELECT count(*) FROM attempt WHERE trial > 3 AND gpus LIKE '%bbbb%'" 0
		rm -rf tuner.db* starts smi there
	done
}
