# Shared by the tests of the command line. $TUNER is the program, $TUNER_BUILD its build directory.

setup() {
	[ -x "$TUNER" ]
	DIR=$(mktemp -d)
	cd "$DIR" || return
	# GPUs are those of the test's own nvidia-smi, whatever this machine has.
	export OMP_NUM_THREADS=1 TUNER_NVML=none
	unset TUNER_DB CI GITHUB_STEP_SUMMARY
	STARTED=()
	if [ -n "${TESTS_COVERAGE-}" ]; then # scripts/sanitized-tests
		export GCOV_PREFIX="$TESTS_COVERAGE/$BATS_TEST_NUMBER"
	fi
}

# Ends what a failed test left behind, by pid: the program, then what it supervises.
teardown() {
	local pid
	for pid in "${STARTED[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	if [ -f "$DIR/tuner.db" ] && [ "${#STARTED[@]}" -gt 0 ]; then
		"$TUNER" stop --db "$DIR/tuner.db" >/dev/null 2>&1 || true
	fi
	cd /
	rm -rf "$DIR"
	[ ! -d "${GCOV_PREFIX-}" ] || times >"$GCOV_PREFIX/times"
}

# start COMMAND...: in the background; its output goes to ./output, its pid to $PID.
start() {
	"$@" >output 2>&1 3>&- &
	PID=$!
	STARTED+=("$PID")
}

# finished: waits for $PID (60 s at most) and sets $status.
finished() {
	local i
	for i in $(seq 1200); do
		kill -0 "$PID" 2>/dev/null || break
		sleep 0.05
	done
	status=0
	wait "$PID" || status=$?
}

# await COMMAND...: until it succeeds, 30 s at most.
await() {
	local i
	for i in $(seq 600); do
		if "$@" >/dev/null 2>&1; then return 0; fi
		sleep 0.05
	done
	echo "in vain: $*" >&2
	return 1
}

# not COMMAND...: fails if it succeeds. (A failing "!" ends no test, unless it is its last command.)
not() {
	if "$@"; then
		echo "succeeded: $*" >&2
		return 1
	fi
}

# The output in one line: sentences are broken where the terminal ends.
flat() {
	tr -s '\n ' '  ' <<<"$output"
}

# sql QUERY: one value or one row a line, columns separated by |.
sql() {
	sqlite3 -readonly tuner.db "$1"
}

sql_is() { # QUERY VALUE
	local value
	value=$(sql "$1") || return
	[ "$value" = "$2" ] || { printf 'is: %s\n' "$value" >&2; return 1; }
}

# The command of most tests: notes its start in ./starts, does what the file ./mode says, and reports
# (x - 0.3)^2. Started as: sh train.sh --x 0.5
write_train() {
	cat >train.sh <<'END'
echo "$TUNER_TRIAL $TUNER_ATTEMPT $2 $TUNER_SEED" >>starts
while [ -e hold ] || [ -e "hold-$TUNER_TRIAL" ]; do sleep 0.02; done
if [ -e crash ]; then echo "no such thing" >&2; exit 1; fi
awk -v x="$2" 'BEGIN { printf "loss=%.17g\n", (x - 0.3) ^ 2 }'
END
}

# write_job [MORE]: job.jsonc, minimizing loss over x; MORE is more keys, ending with a comma.
write_job() {
	write_train
	cat >job.jsonc <<END
{
	${1-}
	"command": ["sh", "train.sh"],
	"objective": { "metric": "loss", "goal": "minimize" },
	"metrics": [{ "name": "loss", "regex": "loss=([-+0-9.einfa]+)" }],
	"parameters": { "x": { "type": "float", "min": ${MIN:-0}, "max": ${MAX:-1}, "scale": "linear" } },
	"strategy": "${STRATEGY:-random}",
	"hosts": [{ "backend": "local", "gpus": "none" }],
	"budget": { "trials": ${TRIALS:-6}, "parallel": ${PARALLEL:-2} }
}
END
}

# A zombie that nobody has collected yet is dead, too.
is_dead() { # PID
	! grep -q '^State:[[:space:]][^ZX]' "/proc/$1/status" 2>/dev/null
}

lines_of() { # FILE
	wc -l <"$1"
}

# An nvidia-smi that reads what the test writes into smi/ (gpu.bats).
write_smi() { # GPU...: of 10,000 MiB each
	local i=0 gpu
	mkdir -p smi bin locks
	: >smi/apps
	for gpu in "$@"; do
		echo "$i, $gpu, NVIDIA H0, 10000" >>smi/gpus
		echo "$gpu, 50, 4, 10000, 200.5, 60" >>smi/loads
		i=$((i + 1))
	done
	cat >bin/nvidia-smi <<END
#!/bin/sh
case "\$1" in
--query-gpu=index,*) cat "$DIR/smi/gpus" ;;
--query-gpu=uuid,*) echo x >>"$DIR/smi/asked"; cat "$DIR/smi/loads" ;;
--query-compute-apps=*) [ ! -e "$DIR/smi/silent" ] || exit 1; cat "$DIR/smi/apps" "$DIR/smi"/app-* 2>/dev/null; exit 0 ;;
*) exit 9 ;;
esac
END
	chmod +x bin/nvidia-smi
	export PATH="$DIR/bin:$PATH" TUNER_GPU_LOOK_MS=50 TUNER_GPU_LOCKS="$DIR/locks"
	unset CUDA_VISIBLE_DEVICES
}
