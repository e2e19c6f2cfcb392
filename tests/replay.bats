#!/usr/bin/env bats
# tuner replay and tuner verify: what a search decided comes out once more, and its database is sound.
#
#     REPLAY_TRIALS=200 bats tests/replay.bats        the longest search in full; scripts/replay for every build

load run/common

# write_search [MORE]: job.jsonc, over numbers, a category and a whole number; a command that takes a
# random while, and fails in a corner. MORE is more keys, ending with a comma.
write_search() {
	local strategy='"bayesian"'
	[ -z "${STRATEGY-}" ] || strategy=$STRATEGY
	cat >train.sh <<'END2'
echo "$TUNER_TRIAL $TUNER_ATTEMPT" >>starts
while [ -e "hold-$TUNER_TRIAL" ]; do sleep 0.02; done
while [ -e gate ] && [ "$TUNER_TRIAL" -gt "$(cat gate)" ]; do sleep 0.05; done
sleep "0.0$((RANDOM % 10))"
awk -v x="$2" -v y="$4" -v k="$6" -v n="$8" -v mended="$(ls mended 2>/dev/null)" 'BEGIN {
	if (x > 0.9 && mended == "") exit 3
	printf "loss=%.17g\n", (x - 0.3) ^ 2 + y + (k == "b") / 10 + n / 100
}'
END2
	cat >job.jsonc <<END2
{
	${1-}
	"command": ["bash", "train.sh"],
	"objective": { "metric": "loss", "goal": "${GOAL:-minimize}" },
	"metrics": [{ "name": "loss", "regex": "loss=([-+0-9.einfa]+)" }],
	"parameters": {
		"x": { "type": "float", "min": 0, "max": ${MAX:-1}, "scale": "linear" },
		"y": { "type": "float", "min": 0.0001, "max": 1 },
		"k": { "type": "categorical", "values": ["a", "b"] },
		"n": { "type": "int", "min": 1, "max": 8 }
	},
	"strategy": $strategy,
	"hosts": [{ "backend": "local", "gpus": "none" }],
	"budget": { "trials": ${TRIALS:-12}, "parallel": ${PARALLEL:-2} }
}
END2
}

# All decisions come out once more, to the bit, and the database is sound.
is_replayed() {
	run "$TUNER" replay "$@"
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	[[ "$output" == *"all are the same to the bit"* ]] || { echo "$output"; false; }
	run "$TUNER" verify "$@"
	[ "$status" -eq 0 ] || { echo "$output"; false; }
}

has_ended() { # N
	[ "$(sql "SELECT count(*) FROM trial WHERE ended_us > 0")" -ge "$1" ]
}

# 200 trials with sanitizers on a busy machine take their time.
await_long() {
	await "$@" || await "$@" || await "$@" || await "$@"
}

# Trials behind the N-th begin, but wait before they do anything.
search_to() { # N
	echo "$1" >gate.new
	mv gate.new gate
}

has_trials() { # N
	[ "$(sql "SELECT count(*) FROM trial")" -ge "$1" ]
}

# Changes rows in a way in which tuner never would.
tamper() { # SQL
	sqlite3 tuner.db "$1"
}

# bats test_tags=plain
@test "a long search with kills, restarts, edits, retries, a late result and configurations of one's own" {
	n=${REPLAY_TRIALS:-40}
	TRIALS=$n PARALLEL=8 write_search \
		'"backoff": "1s", "first": [{"x": 0.5, "y": 0.5, "k": "a", "n": 4}, {"x": 0.2}, {"x": 0.95, "n": 2}],'
	search_to $((n / 4))
	start "$TUNER" run --plain job.jsonc
	await_long has_ended $((n / 4))
	kill -KILL "$PID"
	finished

	# Asked for by another program, and pending for a moment only; told when that has long passed.
	late=$("$TUNER" ask job.jsonc --lease 0.3s --json | jq '.trials[0].trial')
	"$TUNER" enqueue job x=0.25,k=b
	search_to $((n / 2))
	start "$TUNER" run --plain job.jsonc --set strategy.cost_aware=true --set strategy.incumbent=augmented
	await_long has_ended $((n / 2 - 1))
	"$TUNER" enqueue job x=0.31,y=0.001,k=a,n=1
	# What failed is run again, and fails again.
	"$TUNER" retry job --class crashed
	# A supervisor dies: the attempt is lost, the trial launched once more.
	directory=$(sql "SELECT directory FROM attempt WHERE state = 'running' AND backend = 'local'
		ORDER BY id DESC LIMIT 1")
	kill -KILL "$(jq .supervisor_pid "tuner.db.d/$directory/started")"
	await sql_is "SELECT count(*) FROM attempt WHERE outcome = 'lost'" 1
	search_to $((n * 5 / 8))
	# One is asked for and not told, and the lost one may wait for a place.
	await_long has_ended $((n * 5 / 8 - 2))
	await_long sql_is "SELECT count(*) FROM trial WHERE number = 3 AND state = 'failed' AND attempts > 1" 1
	kill -KILL "$PID"
	finished

	"$TUNER" tell job "$late" 0.5
	"$TUNER" tell job --add x=0.4,y=0.2,k=b,n=2 0.31
	touch mended hold-3
	"$TUNER" retry job --class crashed
	search_to $((n + 1)) # what was observed elsewhere counts for no budget
	start "$TUNER" run --quiet job.jsonc --set strategy.incumbent=best \
		--set parameters.x.min=0.1 --set parameters.x.max=0.96
	# It had failed for some decisions, and is pending again for later ones.
	await_long sql_is "SELECT count(*) > 0 FROM decision d, json_each(d.pending) p WHERE p.value = 3 AND d.seen >
		(SELECT max(json_extract(data, '$.ended_event')) FROM event WHERE kind = 'reopened' AND trial = 3)" 1
	rm hold-3
	finished
	[ "$status" -eq 0 ] || { cat output; false; }

	sql_is "SELECT count(*) >= $n FROM trial WHERE state IN ('done', 'failed')" 1
	sql_is "SELECT count(*) > 0 FROM decision WHERE branch = 'model'" 1
	sql_is "SELECT count(DISTINCT settings LIKE '%cost_aware\": true%') FROM decision" 2
	sql_is "SELECT count(*) FROM space_version" 2
	sql_is "SELECT count(*) > 0 FROM decision WHERE pending <> '[]' AND space_version = 2" 1
	# While it was not told nobody waited for it, once its lease was over.
	sql_is "SELECT count(*) > 0 FROM decision d JOIN trial t ON t.number = $late WHERE d.id > t.id
		AND coalesce(d.seen, 0) < t.ended_event AND NOT EXISTS
		(SELECT 1 FROM json_each(d.pending) WHERE value = $late)" 1
	sql_is "SELECT count(*) FROM (SELECT DISTINCT source FROM trial)" 4
	sql_is "SELECT count(*) > 0 FROM event WHERE kind = 'reopened' GROUP BY trial HAVING count(*) > 1 LIMIT 1" 1
	is_replayed
	cp tuner.db "${REPLAY_KEEP:-/dev/null}"
}

# bats test_tags=plain
@test "every strategy and setting" {
	for strategy in '"random"' '"sobol"' '{"name": "grid", "points": 3}' '"bayesian"' \
		'{"name": "bayesian", "initial": 4, "deterministic": true, "incumbent": "best"}' \
		'{"name": "bayesian", "incumbent": "noisy", "cost_aware": true}' \
		'{"name": "bayesian", "incumbent": "augmented"}' \
		'{"name": "bayesian", "acquisition": "ucb", "ucb_beta": 0.7}' \
		'{"name": "bayesian", "acquisition": "thompson"}' \
		'{"name": "bayesian", "hyperparameters": "marginal", "warp": "free"}' \
		'{"name": "bayesian", "warp": "axes", "transform": "none", "trust_region": "always"}'; do
		rm -rf tuner.db*
		GOAL=maximize STRATEGY=$strategy write_search
		sed -i '/^sleep/d' train.sh
		"$TUNER" run --quiet job.jsonc
		sql_is "SELECT count(*) FROM decision" 12
		is_replayed || { echo "$strategy"; false; }
	done
}

# bats test_tags=plain
@test "conditions, constraints, and a finite space down to its last point" {
	cat >job.jsonc <<'END2'
{
	"command": ["sh", "-c", "echo loss=$(( $TUNER_TRIAL % 5 ))"],
	"arguments": "none",
	"objective": { "metric": "loss", "goal": "minimize" },
	"metrics": [{ "name": "loss", "regex": "loss=([0-9.]+)" }],
	"parameters": {
		"k": { "type": "categorical", "values": ["a", "b"] },
		"m": { "type": "int", "min": 1, "max": 4, "when": { "k": "b" } },
		"o": { "type": "ordinal", "values": [1, 2, 4] }
	},
	"fixed": { "f": 4 },
	"constraints": ["o < f or k == 'a'"],
	"strategy": { "name": "bayesian", "initial": 3 },
	"hosts": [{ "gpus": "none" }],
	"budget": { "trials": 30, "parallel": 2 }
}
END2
	"$TUNER" run --quiet job.jsonc
	sql_is "SELECT count(*) FROM trial" 11
	is_replayed
	# What a constraint names is part of the space, also where it is fixed.
	sed -i 's/"f": 4/"f": 5/' job.jsonc
	"$TUNER" run --quiet job.jsonc --accept-change
	sql_is "SELECT count(*) FROM trial" 15
	sql_is "SELECT count(*) FROM space_version" 2
	is_replayed
}

@test "configurations that were asked for, and a space that was edited under running ones" {
	# So that it matters how many are known: what fits no more counts while it is pending, and no longer.
	STRATEGY='{"name": "bayesian", "initial": 22}' write_search
	printf '%s\n' '{"ask": 3}' '{"tell": 2, "value": 0.5}' '{"ask": 2}' '{"tell": 1, "failed": "diverged"}' \
		'{"add": {"x": 0.1, "y": 0.1, "k": "a", "n": 1}, "value": 0.2}' '{"ask": 9}' |
		"$TUNER" ask-tell job.jsonc --db tuner.db >answers
	not grep error answers
	sed -i 's/"values": \["a", "b"\]/"values": ["b", "c"]/' job.jsonc
	"$TUNER" ask job.jsonc --count 4 >/dev/null
	touch hold-20
	start "$TUNER" run --plain job.jsonc --trials 26
	await grep -q '^20 ' starts
	kill -KILL "$PID"
	finished
	# What runs, and what was asked for, does not fit any more.
	sed -i 's/"values": \["b", "c"\]/"values": ["d", "e"]/' job.jsonc
	start "$TUNER" run --plain job.jsonc --trials 30
	await has_trials 22
	rm hold-20
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT count(*) FROM space_version" 3
	sql_is "SELECT group_concat(DISTINCT branch) FROM decision WHERE id > 21" design,model
	is_replayed
}

@test "trials that were put back, twice and while the job ran, had failed for what was decided before" {
	TRIALS=9 STRATEGY='{"name": "bayesian", "initial": 4}' write_search '"backoff": 0,'
	cat >train.sh <<'END2'
echo "$TUNER_TRIAL $TUNER_ATTEMPT" >>starts
while [ -e "hold-$TUNER_TRIAL" ]; do sleep 0.02; done
case $TUNER_TRIAL in
3 | 7) [ -e mended ] || { echo "CUDA out of memory" >&2; exit 1; } ;;
8) until [ "$(sqlite3 tuner.db 'SELECT state FROM trial WHERE number = 7')" = failed ]; do sleep 0.05; done ;; # 9 sees that
esac
awk -v x="$2" -v y="$4" 'BEGIN { printf "loss=%.17g\n", (x - 0.3) ^ 2 + y }'
END2
	"$TUNER" run --quiet job.jsonc
	sql_is "SELECT group_concat(number) FROM trial WHERE outcome = 'oom-gpu'" 3,7
	"$TUNER" retry job --trial 7
	"$TUNER" run --quiet job.jsonc --trials 11
	touch mended hold-12 hold-13
	start "$TUNER" run --plain job.jsonc --trials 16
	await grep -q "^13 " starts
	"$TUNER" retry job --class oom-gpu
	rm hold-12 hold-13
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 16
	sql_is "SELECT count(*) FROM event WHERE kind = 'reopened'" 3
	sql_is "SELECT count(*) > 0 FROM decision d, event e WHERE d.seen = e.id AND e.kind = 'reopened'" 1
	is_replayed
	run "$TUNER" why job 9 --json
	jq -e '.seen.failed == 2' <<<"$output"
	run "$TUNER" why job 16 --json
	echo "$output"; sql "select id,kind,trial,data from event"; sql "select id,seen,pending from decision"; 	jq -e '.seen.failed == 0' <<<"$output"

	cp tuner.db sound.db
	tamper "DROP TRIGGER event_update; UPDATE event SET data = json_set(data, '$.state', 'stopped')
		WHERE kind = 'reopened' AND trial = 3"
	run "$TUNER" replay
	[ "$status" -eq 1 ]
	run "$TUNER" verify
	[ "$status" -eq 1 ]
	[[ "$output" == *"reopened: job job, trial 3: event "*"said otherwise"* ]]
	cp sound.db tuner.db
	tamper "DROP TRIGGER event_update; UPDATE event SET kind = 'late' WHERE kind = 'reopened' AND trial = 3"
	run "$TUNER" verify
	[ "$status" -eq 1 ]
	[[ "$output" == *"trial-open: job job, trial 3: is done, but event "* ]]
	run "$TUNER" replay
	[ "$status" -eq 1 ]
}

@test "a decision that was changed is named, with both values" {
	write_search
	"$TUNER" run --quiet job.jsonc
	is_replayed
	cp tuner.db sound.db
	last="(SELECT max(id) FROM decision WHERE branch = 'model')"
	number=$(sql "SELECT max(id) FROM decision WHERE branch = 'model'")
	for change in "mean = mean + 1e-9|mean" "sd = sd * 1.000000000001|sd" "acquisition = 0|acquisition" \
		"incumbent = 7|incumbent" "branch = 'design'|branch" "next_sequence = next_sequence + 1|next_sequence" \
		"hyperparameters = zeroblob(length(hyperparameters))|hyperparameter 1" "work = work + 1|work" \
		"budget_trials = 200, settings = replace(settings, '\"initial\": 0', '\"initial\": 30')|branch" \
		"settings = '{\"name\": \"tomorrow\"}'|settings"; do
		cp sound.db tuner.db
		tamper "UPDATE decision SET ${change%|*} WHERE id = $last"
		run "$TUNER" replay
		[ "$status" -eq 1 ]
		[[ "$output" == *"1 differ"* ]] || { echo "$change: $output"; false; }
		[[ "$output" == *"trial $number: ${change#*|} was "*", is "* ]] || { echo "$change: $output"; false; }
	done
	cp sound.db tuner.db
	tamper "UPDATE trial_param SET value = value + 1e-9 WHERE trial = $number AND parameter = 1"
	run "$TUNER" replay --trial "$number"
	[ "$status" -eq 1 ]
	[[ "$output" == *"trial $number: parameter x was "* ]]
	# A result that was changed changes what was decided after it, and nothing before.
	cp sound.db tuner.db
	tamper "UPDATE trial SET objective = 0.000001 WHERE id = 2"
	run "$TUNER" replay --json
	[ "$status" -eq 1 ]
	[ "$(jq '.differences | length' <<<"$output")" -gt 0 ]
	jq -e '.recomputed == 12 and .elsewhere == 0 and .there == null' <<<"$output"
	jq -e '.differences[0] | keys == ["field", "recomputed", "recorded", "trial"]' <<<"$output"
}

@test "made elsewhere: it says so and holds 1e-6" {
	write_search
	"$TUNER" run --quiet job.jsonc
	tamper "UPDATE machine SET cpu = 'an abacus', program = '0.0.1'"
	run "$TUNER" replay
	[ "$status" -eq 0 ]
	[[ "$output" == *"held to 1e-6"*"processor then: an abacus"*"tuner then: 0.0.1"*"all are the same"* ]]
	[[ "$output" != *"libraries then"* ]]
	[[ "$output" != *"to the bit"$'\n'"all"* ]]
	tamper "UPDATE decision SET mean = mean * (1 + 1e-9), sd = sd * (1 + 1e-9)"
	"$TUNER" replay
	tamper "UPDATE decision SET mean = mean * 1.001 WHERE id = 12"
	run "$TUNER" replay --json
	[ "$status" -eq 1 ]
	jq -e '.elsewhere == 12 and .there.cpu == "an abacus" and .differences[0].field == "mean"' <<<"$output"
}

# Of the processor's, only exp, log and their like are in a decision: glibc has them with and without fused multiply-add, and
# about one value in 1,500 is rounded otherwise.
# bats test_tags=plain
@test "by the exp and log of another processor the decisions are the same within 1e-6" {
	another=GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4
	for strategy in '"bayesian"' '{"name": "bayesian", "incumbent": "noisy", "cost_aware": true}' \
		'{"name": "bayesian", "acquisition": "ucb"}' '{"name": "bayesian", "hyperparameters": "marginal"}' \
		'{"name": "bayesian", "incumbent": "augmented"}'; do
		rm -rf tuner.db*
		TRIALS=20 STRATEGY=$strategy write_search
		"$TUNER" run --quiet job.jsonc
		tamper "UPDATE machine SET cpu = 'an abacus'"
		run "$TUNER" replay
		[ "$status" -eq 0 ]
		[[ "$output" == *"processor then: an abacus"*"to the bit" ]]
		run env $another "$TUNER" replay
		[ "$status" -eq 0 ] || { echo "$strategy: $output"; false; }
		[[ "$output" == *"processor then: an abacus"*"all are the same: "* || "$output" == *"to the bit" ]]
	done
	tamper "UPDATE decision SET sd = sd * 1.0001 WHERE id = 20"
	run env $another "$TUNER" replay --json
	[ "$status" -eq 1 ]
	jq -e '.same_bits < 20 and (.differences | length) == 1 and (.other_maxima | length) >= 0' <<<"$output"
}

# bats test_tags=plain
@test "replay and verify: what there is not" {
	write_search
	run "$TUNER" replay
	[ "$status" -eq 2 ]
	run "$TUNER" verify
	[ "$status" -eq 2 ]
	"$TUNER" run --quiet job.jsonc --trials 2
	run "$TUNER" replay --trial 7
	[ "$status" -eq 2 ]
	[[ "$output" == *'job job has no trial 7'* ]]
	run "$TUNER" replay --trial 0
	[ "$status" -eq 2 ]
	run "$TUNER" verify another
	[ "$status" -eq 2 ]
}

@test "a grid that was edited on its way is searched from its beginning, too: verify, replay" {
	STRATEGY=grid TRIALS=3 PARALLEL=1 write_job
	sed -i 's/"strategy": "grid"/"strategy": { "name": "grid", "points": 3 }/' job.jsonc
	"$TUNER" run job.jsonc --quiet
	"$TUNER" run job.jsonc --quiet --trials 5 --set parameters.x.max=4
	sql_is "SELECT group_concat(parameters, ' ') FROM trial" '{"x": 0.0} {"x": 0.5} {"x": 1.0} {"x": 2.0} {"x": 4.0}'
	"$TUNER" verify
	"$TUNER" replay
}

@test "verify says in one line what is wrong and what to do, and --json the same" {
	write_search
	"$TUNER" run --quiet job.jsonc
	run "$TUNER" verify
	[ "$status" -eq 0 ]
	[[ "$output" == *"checks, nothing is wrong" ]]
	"$TUNER" verify --json | jq -e '.violations == [] and .checks > 30 and .more == false'
	tamper "UPDATE trial SET attempts = 2 WHERE id = 3"
	run "$TUNER" verify job
	[ "$status" -eq 1 ]
	[ "$(grep -c '^attempts: job job, trial 3: counts 2 attempts, has 1.*To do: ' <<<"$output")" -eq 1 ]
	run "$TUNER" verify --json
	[ "$status" -eq 1 ]
	jq -e '.violations[] | select(.check == "attempts") | .remedy != ""' <<<"$output"
}

# bats test_tags=plain
@test "verify finds a live job sound, again and again" {
	TRIALS=30 PARALLEL=4 write_search
	start "$TUNER" run --plain job.jsonc
	await has_trials 1
	while kill -0 "$PID" 2>/dev/null; do
		run "$TUNER" verify
		[ "$status" -eq 0 ] || { echo "$output"; false; }
		run "$TUNER" replay
		[ "$status" -eq 0 ] || { echo "$output"; false; }
	done
	finished
	[ "$status" -eq 0 ]
}
