#!/usr/bin/env bats
# Trials as jobs of a real Slurm cluster (tests/slurm/cluster), through both ways to talk to it.

load run/common

setup_file() {
	export CLUSTER=$BATS_TEST_DIRNAME/slurm/cluster
	MISSING=$("$CLUSTER" missing | tr '\n' ' ') || true
	export MISSING
	[ -z "$MISSING" ] || return 0
	CLUSTER_DIR=$(mktemp -d /tmp/slurm-XXXXXX)
	export CLUSTER_DIR
	chmod 755 "$CLUSTER_DIR"
	"$CLUSTER" start "$CLUSTER_DIR" >"$CLUSTER_DIR/variables" 3>&- 2>"$CLUSTER_DIR/why" || MISSING="a cluster that starts: $(tail -n 3 "$CLUSTER_DIR/why")"
}

teardown_file() {
	[ -n "${CLUSTER_DIR-}" ] || return 0
	"$CLUSTER" stop "$CLUSTER_DIR" || true
	rm -rf "$CLUSTER_DIR"
}

need_cluster() {
	[ -z "$MISSING" ] || skip "this needs ${MISSING% } (scripts/setup --test)"
	# shellcheck disable=SC1091
	. "$CLUSTER_DIR/variables"
	(umask 077 && echo "$REST_TOKEN" >token)
}

host() { # KEYS: one host of the backend slurm, by sbatch
	echo "hosts=[{\"backend\": \"slurm\", \"slots\": 4${1:+, $1}}]"
}

rest_host() { # KEYS: by slurmrestd
	host "\"url\": \"$REST_URL\", \"token_file\": \"token\"${1:+, $1}"
}

jobs_are() { # STATE N
	[ "$(squeue --me --noheader --states="$1" | wc -l)" -eq "$2" ]
}

each_started_once() {
	[ "$(cut -d' ' -f1,2 starts | sort | uniq -d | wc -l)" -eq 0 ]
}

# What the command was told, of Slurm and of us.
write_telling_job() {
	write_job "$@"
	cat >>train.sh <<'END'
echo "$TUNER_TRIAL gpus=$TUNER_NUM_GPUS cuda=${CUDA_VISIBLE_DEVICES-} job=${SLURM_JOB_ID:+yes} setup=${SETUP-} home=$HOME" >>told
END
}

@test "trials are jobs, by sbatch" {
	need_cluster
	TRIALS=4 PARALLEL=8 write_telling_job
	run "$TUNER" run job.jsonc --set "$(host '"gpus_per_trial": 1, "script_lines": ["#SBATCH --comment=ours", "export SETUP=here"]')"
	[ "$status" -eq 0 ]
	[[ "$output" == *"4 done, 0 stopped, 0 failed"* ]]
	each_started_once
	[ "$(grep -cE '^[1-4] gpus=1 cuda=[01] job=yes setup=here home=/' told)" -eq 4 ]
	sql_is "SELECT group_concat(DISTINCT backend || ' ' || host) FROM attempt" "slurm slurm"
	grep -q -- '--comment=ours' tuner.db.d/job/0001/1/job.sh
	"$TUNER" verify
}

@test "what a job does with its GPUs is measured beside it" {
	need_cluster
	write_smi GPU-aaaa0000-0000 GPU-bbbb0000-0000
	TRIALS=3 write_job
	cat >train.sh <<'END'
printf 'GPU-%s-0000, %s, %s\n' bbbb0000 $$ $((TUNER_TRIAL * 1000)) aaaa0000 $$ $((TUNER_TRIAL * 100)) >"new-$$"
mv "new-$$" "smi/app-$$"
trap 'rm -f "smi/app-$$"' EXIT
for i in $(seq 600); do
	grep -qs '"memory_peak_bytes": [1-9]' "$TUNER_ATTEMPT_DIR/gpus.json" && break
	[ "$TUNER_TRIAL" -lt 3 ] || [ "$i" -lt 10 ] || break # the third has no GPU
	sleep 0.05
done
awk -v x="$2" 'BEGIN { printf "loss=%.17g\n", (x - 0.3) ^ 2 }'
END
	run "$TUNER" run job.jsonc --trials 2 --set "$(host '"gpus_per_trial": 2')" --set budget.parallel=1
	[ "$status" -eq 0 ]
	run "$TUNER" run job.jsonc --trials 3 --set "$(host)"
	[ "$status" -eq 0 ]
	sql_is "SELECT group_concat(number || ' ' || gpu_together || ' ' || (gpu_memory_peak_bytes / 1048576), ', ') FROM v_host_use WHERE number < 3" "1 1 1100, 2 1 2200"
	sql_is "SELECT count(*) FROM v_host_use WHERE gpu_samples > 0 AND gpu_utilisation_mean = 50.0 AND gpu_power_mean_w = 200.5 AND gpu_temperature_max_c = 60.0" 2
	sql_is "SELECT coalesce(gpu_together, 'none') FROM v_host_use WHERE number = 3" none
	"$TUNER" verify
	await eval 'not pgrep -f "tuner-agent-[0-9a-f]* --sample $DIR/"' # it ends with the attempt
}

@test "clusters are added to a running job, by both ways" {
	need_cluster
	TRIALS=4 PARALLEL=3 write_telling_job
	touch hold-2 hold-3
	local here='{"name": "here", "gpus": "none", "slots": 1}'
	start "$TUNER" run job.jsonc --set "hosts=[$here]"
	await sh -c '[ "$(wc -l <starts)" -eq 2 ]'
	run "$TUNER" hosts add job.jsonc --set "hosts=[$here, {\"backend\": \"slurm\", \"slots\": 1}, {\"backend\": \"slurm\", \"name\": \"rest\",
		\"slots\": 1, \"url\": \"$REST_URL\", \"token_file\": \"token\"}]"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ "$output" == *"added: slurm, rest; the job has 1 slot now"* ]]
	[[ "$output" == *"slurm answers"* && "$output" == *"rest answers"* ]]
	[ "$("$TUNER" hosts --json | jq -r 'map(.host + " " + .state) | join(", ")')" = "here in use, slurm in use, rest in use" ]
	await sh -c '[ "$(wc -l <starts)" -ge 3 ]'
	sql_is "SELECT backend FROM attempt WHERE trial = 3" slurm
	rm hold-2 hold-3
	finished
	[ "$status" -eq 0 ]
	each_started_once
	"$TUNER" verify
}

@test "trials are jobs, by slurmrestd; queued ahead; in a directory of the host" {
	need_cluster
	TRIALS=6 PARALLEL=8 write_telling_job '"keep": { "best": 2, "last": 1 },'
	echo 'echo weights >"$TUNER_MODEL_DIR/weights"' >>train.sh
	run "$TUNER" run job.jsonc --set "$(rest_host '"slots": 1, "ahead": 2, "directory": "shared", "name": "big"' | sed 's/"slots": 4, //')"
	[ "$status" -eq 0 ]
	[[ "$output" == *"6 done, 0 stopped, 0 failed"* ]]
	each_started_once
	[ "$(grep -c 'gpus=0 .* job=yes' told)" -eq 6 ]
	sql_is "SELECT count(*) FROM attempt WHERE host = 'big' AND directory LIKE '$PWD/shared/job-%/000_/1'" 6
	[ -f shared/job-*/0006/1/exit.json ]
	sql_is "SELECT count(*) FROM event WHERE kind = 'host'" 1
	[ ! -e tuner.db.d/job ]
	[[ "$("$TUNER" logs job 6)" == *loss=* ]]
	[ "$(find shared -name weights | wc -l)" -le 4 ]
	[ "$(find shared -name weights | wc -l)" -ge 2 ]
	"$TUNER" verify
}

# bats test_tags=plain
@test "a job's configurations are the same wherever it runs" {
	need_cluster
	for where in here sbatch slurmrestd; do
		case $where in
		here) hosts='hosts=[{"gpus": "none"}]' ;;
		sbatch) hosts=$(host) ;;
		slurmrestd) hosts=$(rest_host) ;;
		esac
		STRATEGY=bayesian TRIALS=4 PARALLEL=1 write_job
		"$TUNER" run job.jsonc --quiet --name "$where" --set "$hosts"
		sql "SELECT number, parameters, objective FROM trial WHERE job = (SELECT id FROM job WHERE name = '$where')" >"of-$where"
		[ "$(lines_of "of-$where")" -eq 4 ]
	done
	cmp of-here of-sbatch
	cmp of-here of-slurmrestd
}

# bats test_tags=plain
@test "a killed tuner finds its jobs again, and starts none twice" {
	need_cluster
	for hosts in "$(host)" "$(rest_host)"; do
		rm -rf tuner.db* starts
		TRIALS=5 PARALLEL=8 write_job
		sed -i 's/^awk/echo loss=1; sleep 1; awk/' train.sh # passes the probe at once
		start "$TUNER" run job.jsonc --set "$hosts"
		await test -e starts
		await sh -c '[ $(wc -l <starts) -ge 2 ]'
		kill -KILL "$PID"
		wait "$PID" || true
		start "$TUNER" run job.jsonc --set "$hosts"
		finished
		[ "$status" -eq 0 ]
		each_started_once
		[ "$(lines_of starts)" -eq 5 ]
		"$TUNER" verify
	done
}

@test "tuner stop ends what its run has left, in the queue too" {
	need_cluster
	TRIALS=8 PARALLEL=8 write_job
	sed -i 's/^awk/echo loss=1; awk/' train.sh
	sed -i '1s/^/echo loss=2; /' train.sh
	touch hold
	start "$TUNER" run job.jsonc --set "$(host '"gpus_per_trial": 2' | sed 's/"slots": 4/"slots": 3/')"
	await sh -c '[ $(wc -l <starts) -eq 2 ]'
	await jobs_are pending 1
	kill -KILL "$PID"
	wait "$PID" || true
	run "$TUNER" stop
	[ "$status" -eq 0 ]
	[[ "$output" == *"3 trials that outlived"* ]]
	await jobs_are running,pending,completing 0
	sql_is "SELECT count(*) FROM attempt WHERE outcome = 'interrupted'" 3
	[ "$(lines_of starts)" -eq 2 ]
	rm hold
	"$TUNER" run job.jsonc --quiet --trials 3 --set "$(host)"
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 3
	"$TUNER" verify
}

@test "what Slurm refuses is told in its words, and a token that has expired is read anew" {
	need_cluster
	TRIALS=2 write_job
	for hosts in "$(host '"partition": "nowhere"')" "$(rest_host '"partition": "nowhere"')"; do
		run "$TUNER" run job.jsonc --set "$hosts" --set retries=0 --set budget.start_failures=1
		[ "$status" -eq 3 ]
		sql_is "SELECT message LIKE '%nvalid partition%' FROM attempt ORDER BY id DESC LIMIT 1" 1
		rm -rf tuner.db*
	done
	echo "not.a.token" >token
	start "$TUNER" run job.jsonc --set "$(rest_host)"
	await grep -q 'does not answer: .*token' output
	"$CLUSTER" token "$CLUSTER_DIR" 600 >token
	finished
	[ "$status" -eq 0 ]
	run "$TUNER" run job.jsonc --trials 3 --set "$(host "\"url\": \"$REST_URL\", \"token_command\": [\"$CLUSTER\", \"token\", \"$CLUSTER_DIR\", \"600\"]")"
	[ "$status" -eq 0 ]
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 3
}

# bats test_tags=plain
@test "how a job ends by itself, by its time and by others" {
	need_cluster
	TRIALS=1 write_job
	cat >train.sh <<'END'
echo loss=1
echo "$TUNER_ATTEMPT" >>starts
case $(cat mode) in
crash) echo "no such thing" >&2; exit 3 ;;
wait) while [ -e hold ]; do sleep 0.05; done ;;
esac
END
	echo crash >mode
	run "$TUNER" run job.jsonc --set "$(rest_host)" --set budget.start_failures=1
	[ "$status" -eq 3 ]
	sql_is "SELECT outcome || exit_code || message FROM attempt" "crashed3exit status 3: no such thing"
	rm -rf tuner.db* starts
	# Somebody cancels it: it is tried again, elsewhere or later.
	echo wait >mode
	touch hold
	start "$TUNER" run job.jsonc --set "$(rest_host)" --set backoff=0
	await test -e starts
	await jobs_are running 1
	scancel --me
	# Slurm takes its time on a busy machine.
	await sh -c '[ $(wc -l <starts) -eq 2 ]' || await sh -c '[ $(wc -l <starts) -eq 2 ]'
	rm hold
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT group_concat(outcome) FROM attempt" "preempted,ok"
	rm -rf tuner.db* starts
	# Ours: SIGTERM and the grace are the supervisor's, not Slurm's.
	touch hold
	start "$TUNER" run job.jsonc --set "$(rest_host)" --set timeout=2
	finished
	sql_is "SELECT outcome FROM attempt" timeout
}

# Needs no Slurm: the server is a stand-in.
# bats test_tags=plain
@test "the newer shape of slurmrestd's words is asked for, spoken and understood" {
	start "$BATS_TEST_DIRNAME/slurm/newer" port a.good.token
	local server=$PID
	await test -e port
	REST_URL=http://127.0.0.1:$(cat port)
	echo a.good.token >token
	TRIALS=4 PARALLEL=8 write_telling_job
	run "$TUNER" run job.jsonc --set "$(rest_host '"gres": "gpu:2", "time_limit": 600, "memory": "1 GiB", "ahead": 1')"
	[ "$status" -eq 0 ]
	[[ "$output" == *"4 done, 0 stopped, 0 failed"* ]]
	[ "$(grep -c 'gpus=2 ' told)" -eq 4 ]
	# Ended from here, as from a queue.
	rm -rf tuner.db* starts
	touch hold
	start "$TUNER" run job.jsonc --set "$(rest_host)"
	await test -e starts
	kill -KILL "$PID"
	wait "$PID" || true
	"$TUNER" stop
	sql_is "SELECT outcome FROM attempt" interrupted
	echo a.bad.token >token
	start "$TUNER" run job.jsonc --set "$(rest_host)"
	await grep -q 'does not answer: .*token' output
	rm hold
	echo a.good.token >token
	finished
	[ "$status" -eq 0 ]
	# What waits in the queue is cancelled. The token comes as scontrol prints it.
	rm -rf tuner.db*
	touch queue
	start "$TUNER" run job.jsonc --set "$(host "\"url\": \"$REST_URL/\", \"token_command\": [\"echo\", \"SLURM_JWT=a.good.token\"]")"
	await grep -q 'host slurm answers' output
	await sql_is "SELECT count(*) FROM attempt" 1
	await test -e tuner.db.d/job/0001/1/job.sh
	sleep 0.5
	kill -TERM "$PID"
	finished
	[ "$status" -eq 143 ]
	[ "$(lines_of cancelled)" -eq 1 ]
	sql_is "SELECT outcome FROM attempt" interrupted
	kill "$server"
	start "$TUNER" run job.jsonc --set "$(rest_host)"
	await grep -q 'host slurm does not answer: slurmrestd at .*onnect' output
	kill -TERM "$PID"
	finished
	[ "$status" -eq 143 ]
}
