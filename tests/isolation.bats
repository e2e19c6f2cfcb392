#!/usr/bin/env bats
# What a job file keeps from its command: the network, memory; and what it gives it in private: secrets. Where this machine
# delegates no cgroup, `tests/uml tests/isolation.bats` has a kernel that does.

load run/common

# write_own_job TRAIN: its command is this script.
write_own_job() {
	write_job
	cat >train.sh
}

# bats test_tags=plain
@test "without a network the command sees loopback, and itself on it" {
	"$(dirname "$TUNER")/../scheduler/tuner-supervise" --try-no-network || skip "no user namespaces here"
	TRIALS=2 write_own_job <<'END'
tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ' >"seen-$TUNER_TRIAL"
python3 - <<'PY' >>"seen-$TUNER_TRIAL"
import socket
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname(), timeout=5)
print("loopback")
try:
    socket.create_connection(("192.0.2.1", 80), timeout=5)
except OSError as e:
    print("refused")
PY
id -u >>"seen-$TUNER_TRIAL"
echo "loss=$TUNER_TRIAL"
END
	run "$TUNER" run job.jsonc --set network=none
	[ "$status" -eq 0 ]
	[ "$(cat seen-2)" = "$(printf 'lo\nloopback\nrefused\n%s' "$(id -u)")" ]
}

@test "the command without a network dies with its supervisor" {
	"$(dirname "$TUNER")/../scheduler/tuner-supervise" --try-no-network || skip "no user namespaces here"
	TRIALS=1 write_own_job <<'END'
echo $$ >pid
while [ -e hold ]; do sleep 0.05; done
echo loss=1
END
	touch hold
	start "$TUNER" run job.jsonc --set network=none --set backoff=0
	await test -s pid
	command_pid=$(cat pid)
	kill -KILL "$(jq -r .supervisor_pid tuner.db.d/job/0001/1/started 2>/dev/null || ps -o ppid= -p "$command_pid" | tr -d ' ')"
	await is_dead "$command_pid"
	rm hold
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT group_concat(outcome) FROM attempt" lost,ok
}

@test "where the kernel refuses it, check and run refuse it, too" {
	TRIALS=1 write_job
	cat >refuse <<'END'
#!/bin/sh
echo "Operation not permitted" >&2
exit 73
END
	chmod +x refuse
	for what in check run; do
		TUNER_SUPERVISE=$PWD/refuse run "$TUNER" "$what" job.jsonc --set network=none
		[ "$status" -eq 2 ]
		[[ "$output" == *"no user namespace"*"Operation not permitted"*"sysctl"* ]]
	done
	run "$TUNER" check job.jsonc --set network=bridged
	[ "$status" -eq 2 ]
}

# bats test_tags=plain
@test "more memory than a trial may have ends it, and is its configuration's failure" {
	TRIALS=2 write_own_job <<'END'
if [ "$TUNER_TRIAL" = 2 ]; then
	sh -c 'setsid python3 -c "
import time
keep = bytearray(200 << 20)
time.sleep(60)" & wait'
fi
echo "loss=$TUNER_TRIAL"
END
	run "$TUNER" run job.jsonc --set 'memory="100 MiB"' --set budget.parallel=1
	[ "$status" -eq 0 ]
	sql_is "SELECT group_concat(state || ' ' || outcome || ' ' || attempts) FROM trial" "done ok 1,failed crashed 1"
	sql_is "SELECT message LIKE 'it %, and \"memory\" allows 100 MiB' FROM trial WHERE number = 2" 1
}

@test "what keeps the memory, check says" {
	TRIALS=1 write_job
	run "$TUNER" check job.jsonc
	[[ "$output" != *"memory is kept"* ]]
	run "$TUNER" check job.jsonc --set 'memory="100 MiB"'
	[ "$status" -eq 0 ]
	[[ "$output" == *"memory is kept by a cgroup"* || "$output" == *"memory is kept by looking at it ("*"cgroup"* ]]
}

@test "where a cgroup is delegated, it keeps the memory, and is gone afterwards" {
	"$(dirname "$TUNER")/../scheduler/tuner-supervise" --try-memory || skip "no delegated cgroup here"
	TRIALS=2 write_own_job <<'END'
cat /proc/self/cgroup >>groups
if [ "$TUNER_TRIAL" = 2 ]; then
	sh -c 'setsid python3 -c "
import time
keep = bytearray(200 << 20)
time.sleep(60)" & wait'
fi
echo "loss=$TUNER_TRIAL"
END
	run "$TUNER" run job.jsonc --set 'memory="100 MiB"' --set budget.parallel=1
	[ "$status" -eq 0 ]
	sql_is "SELECT group_concat(state || ' ' || outcome || ' ' || attempts) FROM trial" "done ok 1,failed crashed 1"
	sql_is "SELECT message LIKE 'it came to the limit of its cgroup%' FROM trial WHERE number = 2" 1
	[ "$(grep -c '^0::.*/tuner-' groups)" -eq 2 ]
	while IFS=: read -r _ _ path; do [ ! -e "/sys/fs/cgroup$path" ]; done < <(grep '^0::' groups)
}

@test "what a killed supervisor has left in its cgroup is found there, whatever it has forgotten" {
	"$(dirname "$TUNER")/../scheduler/tuner-supervise" --try-memory || skip "no delegated cgroup here"
	TRIALS=1 write_own_job <<'END'
env -i setsid sh -c 'sed -n s/^0:://p /proc/self/cgroup >group; echo $$ >stray; exec sleep 300' &
while [ -e hold ]; do sleep 0.05; done
echo loss=1
END
	touch hold
	start "$TUNER" run job.jsonc --set 'memory="100 MiB"' --set backoff=0
	await test -s stray
	stray=$(cat stray)
	group=/sys/fs/cgroup$(cat group)
	[ -e "$group" ]
	kill -KILL "$PID"
	wait "$PID" || true
	kill -KILL "$(jq -r .supervisor_pid tuner.db.d/job/0001/1/started)"
	rm hold
	[ ! -e "/proc/$stray/status" ] || ! is_dead "$stray"
	start "$TUNER" run job.jsonc --set 'memory="100 MiB"' --set backoff=0
	finished
	[ "$status" -eq 0 ]
	is_dead "$stray"
	[ ! -e "$group" ]
	sql_is "SELECT group_concat(outcome) FROM attempt" lost,ok
}

# bats test_tags=plain
@test "memory that processes share is counted once, also while they end" {
	TRIALS=1 write_own_job <<'END'
python3 - <<'PY'
import os, time
keep = bytearray(60 << 20)
end = time.monotonic() + 3
while time.monotonic() < end:
    for i in range(8):
        if os.fork() == 0:
            time.sleep(0.02)
            os._exit(0)
    for i in range(8):
        os.wait()
for i in range(8):
    if os.fork() == 0:
        time.sleep(1)
        os._exit(0)
for i in range(8):
    os.wait()
PY
echo loss=1
END
	run "$TUNER" run job.jsonc --set 'memory="200 MiB"'
	[ "$status" -eq 0 ]
}

@test "secrets come from a file, and are nowhere else" {
	TRIALS=1 write_own_job <<'END'
[ "$TOKEN" = "s3cr3t-value" ] && [ "$QUOTED" = "a b" ] && [ "$TUNER_TRIAL" = 1 ] && [ "$PLAIN" = file ] && echo loss=1
END
	printf '# a comment\n\nTOKEN=s3cr3t-value\nQUOTED="a b"\r\nPLAIN=file\n' >.secrets
	chmod 644 .secrets
	run "$TUNER" check job.jsonc --set env_file=.secrets
	[ "$status" -eq 2 ]
	[[ "$output" == *"env_file"*"chmod 600"* ]]
	chmod 600 .secrets
	PLAIN=inherited run "$TUNER" run job.jsonc --set env_file=.secrets
	[ "$status" -eq 0 ]
	sqlite3 tuner.db .dump >dump
	run grep -rl s3cr3t-value tuner.db tuner.db.d dump
	[ "$status" -eq 1 ]
	run "$TUNER" show job 1 --env
	[[ "$output" != *s3cr3t* ]]
}

@test "secrets in the code's own directory are in no patch and no snapshot, and a new value is no edit" {
	command -v git >/dev/null || skip "there is no git"
	TRIALS=3 write_own_job <<'END'
echo TOKEN=renewed >"$SECRETS"
echo loss=1
END
	sed -i 's/"command"/"env": ["SECRETS"], "command"/' job.jsonc
	export SECRETS="$DIR/is it [no].sh"
	echo 'TOKEN=s3cr3t-before' >"$SECRETS"
	chmod 600 "$SECRETS"
	git init -q . && git add train.sh "$SECRETS"
	git -c user.name=me -c user.email=me@here commit -qm all
	for source in live snapshot; do
		echo 'TOKEN=s3cr3t-value' >"$SECRETS"
		echo "# $source" >>train.sh
		run "$TUNER" run job.jsonc --name $source --set source=$source --set 'env_file="is it [no].sh"' --set budget.parallel=1
		echo "$output"
		[ "$status" -eq 0 ]
		[[ "$output" != *changed* ]]
		sqlite3 tuner.db .dump >dump
		run grep -rl s3cr3t tuner.db tuner.db.d dump
		[ "$status" -eq 1 ]
		grep -q "+# $source" <("$TUNER" show $source 1 --patch)
	done
	"$TUNER" verify
}

@test "secrets are read at each launch, and a bad file is told of without its content" {
	TRIALS=2 write_own_job <<'END'
echo start >>starts
printf 'TOKEN=x\nno secret here s3cr3t\n' >.secrets
echo loss=1
END
	printf 'TOKEN=x\nno secret here s3cr3t\n' >.secrets
	chmod 600 .secrets
	for command in check run; do
		run "$TUNER" $command job.jsonc --set env_file=.secrets
		[ "$status" -eq 2 ]
		[[ "$output" == *".secrets has no NAME=VALUE in line 2"* ]]
		[[ "$output" != *s3cr3t* ]]
	done
	[ ! -e starts ] && [ ! -e tuner.db ]
	echo TOKEN=x >.secrets
	run "$TUNER" run job.jsonc --set env_file=.secrets --set backoff=0 --set retries=0 --set budget.parallel=1
	[[ "$output" == *".secrets has no NAME=VALUE in line 2"* ]]
	[[ "$output" != *s3cr3t* ]]
	[ "$(wc -l <starts)" -eq 1 ]
	run "$TUNER" check job.jsonc --set env_file=nowhere
	[ "$status" -eq 2 ]
}
