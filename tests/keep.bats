#!/usr/bin/env bats
# What trials save: recorded with hashes, kept or removed as the job file says, and found again by a retry.

load run/common

FILES=tuner.db.d/job

# Saves a model, a log and a checkpoint; SIZE bytes of model (default 1000). The objective is x.
write_saver() {
	cat >train.sh <<'TRAIN'
echo "$TUNER_TRIAL $TUNER_ATTEMPT $2 $TUNER_SEED" >>starts
head -c "$(cat size 2>/dev/null || echo 1000)" /dev/zero >"$TUNER_MODEL_DIR/weights"
echo "$2" >"$TUNER_OUTPUT_DIR/notes"
echo "$TUNER_ATTEMPT $TUNER_SEED" >>"$TUNER_CHECKPOINT_DIR/steps"
while [ -e hold ] || [ -e "hold-$TUNER_TRIAL" ]; do sleep 0.02; done
if [ -e fail.sh ]; then . ./fail.sh; fi
echo "loss=$2"
TRAIN
}

# write_saving_job [MORE]
write_saving_job() {
	write_job "${1-}"
	write_saver
}

run_job() {
	"$TUNER" run job.jsonc --quiet "$@"
}

# The numbers of the trials that still have this file, in one line.
trials_with() { # FILE, such as 1/model/weights
	local path
	for path in "$FILES"/*/$1; do
		[ -e "$path" ] || continue
		path=${path#"$FILES/"}
		echo "$((10#${path%%/*}))"
	done | sort -n | paste -sd ' '
}

# The numbers of the N best trials.
best_trials() { # N
	sql "SELECT number FROM trial WHERE state = 'done' ORDER BY objective LIMIT $1" |
		sort -n | paste -sd ' '
}

# ---- recording ----

@test "every file that a trial saved is listed, and its hash is that of sha256sum" {
	TRIALS=3 write_saving_job
	run_job
	sql_is "SELECT count(*), count(sha256) FROM artifact" "6|6"
	sql_is "SELECT group_concat(DISTINCT state) FROM manifest" recorded
	for trial in 0001 0002 0003; do
		(cd "$FILES/$trial/1" && sha256sum --check --strict --quiet SHA256SUMS)
	done
	local hash
	hash=$(sha256sum <"$FILES/0002/1/output/data/notes")
	sql_is "SELECT sha256 FROM artifact WHERE attempt = 2 AND path = 'output/data/notes'" \
		"${hash%% *}"
	"$TUNER" show 2 >shown
	grep -q "${hash:0:12}  output/data/notes" shown
	"$TUNER" show 2 --json | jq -e --arg hash "${hash%% *}" \
		'.artifacts | length == 2 and .[1].sha256 == $hash and .[0].bytes == 1000 and (.[0].removed | not)'
	"$TUNER" best --artifacts >paths
	[ "$(lines_of paths)" -eq 2 ]
	while read -r path; do [ -f "$path" ]; done <paths
}

@test "why no file of a trial is named: not recorded yet, which gc does; removed; nothing saved" {
	TRIALS=3 write_saving_job
	run_job
	local best worst
	best=$(best_trials 1)
	# As it is where tuner was killed before it had looked.
	sqlite3 tuner.db "DELETE FROM artifact; UPDATE manifest SET state = 'pending', recorded_us = NULL, files = 0, bytes = 0, checkpoint_bytes = 0"
	run "$TUNER" best --artifacts
	[ "$status" -eq 2 ]
	[[ "$(flat)" == *"the files of trial $best are not recorded yet: the next \"tuner run\" or \"tuner gc\" will do that"* ]]
	[[ "$("$TUNER" show "$best")" == *"not examined yet"* ]]
	run "$TUNER" gc --dry-run --best 2
	[[ "$output" == *"3 attempts have not been examined yet and are not counted"* ]]
	sql_is "SELECT count(*) FROM artifact" 0
	"$TUNER" gc --best 2
	sql_is "SELECT group_concat(DISTINCT state) FROM manifest" recorded
	sql_is "SELECT count(*), count(sha256) FROM artifact a JOIN manifest m USING (attempt) WHERE removal IS NULL" "4|4"
	[ "$(trials_with 1/model/weights)" = "$(best_trials 2)" ]
	"$TUNER" best --artifacts >paths
	[ "$(lines_of paths)" -eq 2 ]
	worst=$(sql "SELECT number FROM trial ORDER BY objective DESC LIMIT 1")
	[[ "$("$TUNER" show "$worst")" == *"weights  (removed)"* ]]
	rm -rf "$FILES"
	run "$TUNER" best --artifacts
	[ "$status" -eq 2 ]
	[[ "$output" == *"no longer exists"* ]]
	sqlite3 tuner.db "UPDATE manifest SET bytes = 0, removal = (SELECT max(removal) FROM manifest)"
	run "$TUNER" best --artifacts
	[ "$status" -eq 2 ]
	[[ "$(flat)" == *"the files of trial $best were removed: \"tuner show job $best\" says when and why"* ]]
	rm -rf tuner.db*
	write_job
	run_job
	run "$TUNER" best --artifacts
	[ "$status" -eq 2 ]
	[[ "$(flat)" == *"has saved nothing: its command may save to TUNER_MODEL_DIR and TUNER_OUTPUT_DIR"* ]]
}

# bats test_tags=plain
@test "what a killed tuner has not looked at is recorded by the next run" {
	TRIALS=2 PARALLEL=2 write_saving_job
	touch hold
	start "$TUNER" run job.jsonc --quiet
	await sql_is "SELECT count(*) FROM attempt WHERE state = 'running'" 1
	kill -KILL "$PID"
	wait "$PID" || true
	rm hold
	await test -e "$FILES/0001/1/exit.json"
	run_job
	sql_is "SELECT count(sha256) FROM artifact" 4
	# As after a kill between the outcome's commit and the look.
	sqlite3 tuner.db "DELETE FROM artifact;
		UPDATE manifest SET state = 'pending', recorded_us = NULL, files = 0, bytes = 0"
	run_job --trials 3
	sql_is "SELECT count(sha256) FROM artifact" 6
	"$TUNER" verify --hashes
}

# ---- keep ----

@test "keep.best: the best trials keep what they saved, of the others results and logs stay" {
	TRIALS=8 write_saving_job '"keep": {"best": 2},'
	run_job
	local best
	best=$(best_trials 2)
	[ "$(trials_with 1/model/weights)" = "$best" ]
	[ "$(trials_with 1/output/data/notes)" = "$best" ]
	[ "$(trials_with checkpoint/steps)" = "$best" ]
	[ "$(trials_with 1/output.log)" = "1 2 3 4 5 6 7 8" ]
	[ "$(trials_with 1/exit.json)" = "1 2 3 4 5 6 7 8" ]
	sql_is "SELECT count(*) FROM metric" 8
	sql_is "SELECT count(*) FROM event WHERE kind = 'removed'" 6
	sql_is "SELECT count(*) FROM artifact" 16
	[ -z "$(find "$FILES" -name '.tuner-removed*')" ]
	"$TUNER" verify --hashes
	for trial in 1 2 3 4 5 6 7 8; do "$TUNER" show $trial; done >shown
	[ "$(grep -c 'artefacts removed, 1.0 kB; checkpoints removed, .* by keep.best' shown)" -eq 6 ]
}

# bats test_tags=plain
@test "keep.last: those that ended last stay, too" {
	TRIALS=6 PARALLEL=1 MIN=0.1 write_saving_job '"keep": {"best": 1, "last": 2},'
	run_job
	local wanted
	wanted=$({ best_trials 1; echo 5; echo 6; } | sort -nu | paste -sd ' ')
	[ "$(trials_with 1/model/weights)" = "$wanted" ]
}

@test "with several objectives the whole Pareto front keeps what it saved, and beside it only the N best" {
	TRIALS=12 write_saving_job '"keep": {"best": 2},'
	# Costs of 0 to 5: of the trials of one cost the one with the least loss may be on the front.
	sed -i 's/"minimize" },/"minimize", "also": [{ "minimize": "cost" }] },/
		s/"metrics": \[/&{ "name": "cost", "regex": "cost=([0-9]+)" }, /' job.jsonc
	echo 'echo cost=$((TUNER_TRIAL % 6))' >fail.sh
	run_job
	front="SELECT number, id FROM trial t WHERE NOT EXISTS (SELECT 1 FROM trial b WHERE b.objective < t.objective
		AND b.number % 6 <= t.number % 6)" # no two have the same loss
	[ "$(sql "SELECT count(*) > 1 AND count(*) < 12 FROM ($front)")" -eq 1 ]
	wanted=$(sql "SELECT number FROM ($front) UNION SELECT number FROM (SELECT number FROM trial ORDER BY objective LIMIT 2)" |
		paste -sd ' ')
	[ "$(trials_with 1/model/weights)" = "$wanted" ]
	[ "$(trials_with checkpoint/steps)" = "$wanted" ]
	"$TUNER" gc --best 1
	[ "$(trials_with 1/model/weights)" = "$(sql "SELECT number FROM ($front)" | paste -sd ' ')" ]
}

@test "a removal that a kill has cut short is finished by the next run" {
	TRIALS=3 write_saving_job '"keep": {"best": 3},'
	run_job
	# Decided, and not yet done: as after a kill between the event and the rename.
	sqlite3 tuner.db "INSERT INTO event (job, trial, attempt, kind, data, time_us) VALUES (1, 2, 2, 'removed', '{}', 1);
		UPDATE manifest SET state = 'removing', bytes = 0, checkpoint_bytes = 0,
			removal = last_insert_rowid(), checkpoint_removal = last_insert_rowid() WHERE attempt = 2"
	# And half-way through the deletion.
	mkdir -p "$FILES/0002/.tuner-removed-1/model.0"
	touch "$FILES/0002/.tuner-removed-1/model.0/weights"
	run_job --trials 4
	[ ! -e "$FILES/0002/1/model" ]
	[ ! -e "$FILES/0002/checkpoint" ]
	[ ! -e "$FILES/0002/.tuner-removed-1" ]
	sql_is "SELECT group_concat(DISTINCT state) FROM manifest" recorded
}

@test "a link in a trial's directory is removed as a link" {
	mkdir precious
	echo data >precious/file
	TRIALS=3 write_saving_job '"keep": {"best": 1},'
	cat >fail.sh <<-END
		ln -s "$PWD/precious" "\$TUNER_MODEL_DIR/link"
		rm -rf "\$TUNER_CHECKPOINT_DIR"
		ln -s "$PWD/precious" "\$TUNER_CHECKPOINT_DIR"
	END
	run_job
	[ "$(trials_with 1/model/weights)" = "$(best_trials 1)" ]
	[ "$(cat precious/file)" = data ]
}

@test "as long as no trial is done, nothing is removed" {
	TRIALS=2 PARALLEL=1 write_saving_job '"keep": {"best": 1},'
	echo 'exit 1' >fail.sh
	run run_job
	[ "$status" -eq 4 ]
	[ "$(trials_with 1/model/weights)" = "1 2" ]
}

# ---- the disk budget ----

@test "keep.disk: the oldest that are not the best go, checkpoints before models" {
	TRIALS=6 PARALLEL=1 write_saving_job '"keep": {"disk": "3500"},'
	run_job
	# Three models fit, and the notes.
	[ "$(trials_with 1/model/weights | wc -w)" -eq 3 ]
	[[ " $(trials_with 1/model/weights) " == *" $(best_trials 1) "* ]]
	sql_is "SELECT sum(bytes) + sum(checkpoint_bytes) <= 3500 FROM manifest" 1
	sql_is "SELECT group_concat(DISTINCT json_extract(data, '$.why')) FROM event WHERE kind = 'removed'" keep.disk
	"$TUNER" verify
}

@test "a budget that the best alone exceed holds launches, ends the run and says what to do" {
	TRIALS=12 PARALLEL=1 write_saving_job '"keep": {"best": 2, "disk": 1500},'
	run run_job
	[ "$status" -eq 5 ]
	[[ $output == *"keep.disk allows 1.5 kB: raise it, or lower keep.best"* ]]
	[ "$(trials_with 1/model/weights)" = "$(best_trials 2)" ]
	local n
	n=$(sql "SELECT count(*) FROM trial")
	[ "$n" -lt 12 ] # more than two: some begin while what was saved is looked through
	"$TUNER" status >shown
	grep -q 'warning: the limit is exceeded, and none of it may be removed' shown
	# Again, and nothing is launched.
	run run_job
	[ "$status" -eq 5 ]
	sql_is "SELECT count(*) FROM trial" "$n"
	# A raised budget goes on.
	run_job --set keep.disk=100000
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 12
	[ "$(trials_with 1/model/weights)" = "$(best_trials 2)" ]
	run "$TUNER" status
	[[ $output != *warning* ]]
}

# ---- retries ----

# The first attempt of each trial ends so; the second finds its checkpoint and has the same seed.
retry_finds_checkpoint() { # OUTCOME KEYS HOW
	TRIALS=2 PARALLEL=1 write_saving_job "\"keep\": {\"best\": 1}, \"backoff\": 0, $2"
	cat >fail.sh <<-END
		if [ "\$TUNER_ATTEMPT" -eq 1 ]; then
			$3
			sleep 60
		fi
	END
	run_job
	sql_is "SELECT group_concat(outcome, ' ') FROM (SELECT outcome FROM attempt ORDER BY id)" \
		"$1 ok $1 ok"
	local seed
	seed=$(awk '$1 == 1 { print $4 }' starts | sort -u)
	[ "$(wc -w <<<"$seed")" -eq 1 ]
	local kept
	kept=$(best_trials 1)
	seed=$(awk -v t="$kept" '$1 == t { print $4 }' starts | sort -u)
	printf '1 %s\n2 %s\n' "$seed" "$seed" | diff - "$FILES/000$kept/checkpoint/steps"
}

@test "a lost attempt's retry finds its checkpoint, with the same seed" {
	retry_finds_checkpoint lost '' 'kill -KILL $PPID'
}

@test "a preempted attempt's retry finds its checkpoint, with the same seed" {
	retry_finds_checkpoint preempted '' 'kill -TERM $PPID'
}

@test "a retry by rule after a full GPU finds its checkpoint, with the same seed" {
	retry_finds_checkpoint oom-gpu '"outcomes": {"oom-gpu": "retry"},' \
		'echo "CUDA out of memory"; exit 1'
}

@test "what the machine made fail keeps its checkpoint for tuner retry" {
	TRIALS=3 PARALLEL=1 write_saving_job '"keep": {"best": 1}, "retries": 0,'
	echo '[ "$TUNER_TRIAL" -ne 2 ] || [ -e mended ] || kill -KILL $PPID; sleep 0.01' >fail.sh
	run_job
	sql_is "SELECT state || ' ' || outcome FROM trial WHERE number = 2" "failed lost"
	[[ " $(trials_with checkpoint/steps) " == *" 2 "* ]]
	touch mended
	"$TUNER" retry --trial 2
	run_job
	sql_is "SELECT state || ' ' || attempts FROM trial WHERE number = 2" "done 2"
	[ "$(trials_with checkpoint/steps)" = "$(best_trials 1)" ]
}

# ---- gc ----

@test "gc --dry-run says what gc then frees" {
	TRIALS=5 write_saving_job
	run_job
	touch "$FILES/0001/1/exit.json.new" "$FILES/0002/1/.tuner-0f.tmp"
	mkdir -p "$FILES/0077/1/model" tuner.db.d/forgotten "$FILES/source/copy" # the job's own code
	echo old >"$FILES/0077/1/model/weights"
	"$TUNER" gc --dry-run >dry
	grep -q 'the job file has no keep.best; --best N' dry
	grep -q '^job job: would free 0 B' dry
	"$TUNER" gc --dry-run --best 2 --json >before
	"$TUNER" gc --best 2 --json >after
	jq -e '.classes.artifacts.count == 3 and .classes.checkpoints.count == 3 and
		.classes.leftovers.count == 2 and .classes.unknown.count == 2 and .dry_run' before
	diff <(jq 'del(.dry_run)' before) <(jq 'del(.dry_run)' after)
	[ "$(trials_with 1/model/weights)" = "77" ] || [ "$(trials_with 1/model/weights)" = "$(best_trials 2) 77" ]
	[ ! -e "$FILES/0001/1/exit.json.new" ]
	[ ! -e "$FILES/0002/1/.tuner-0f.tmp" ]
	# What the database does not know goes only if asked for.
	[ -d tuner.db.d/forgotten ]
	"$TUNER" gc --unknown >after
	grep -q '^    job/0077$' after
	[ ! -e "$FILES/0077" ]
	[ ! -e tuner.db.d/forgotten ]
	[ -d "$FILES/source/copy" ]
	[ "$(trials_with 1/model/weights)" = "$(best_trials 2)" ]
	"$TUNER" gc --dry-run --json | jq -e '.bytes == 0'
	"$TUNER" verify --hashes
}

@test "gc --unknown takes a launch that the database does not know, and nothing else of its trial" {
	TRIALS=2 write_saving_job
	run_job
	mkdir -p "$FILES/0001/9/model"
	echo old >"$FILES/0001/9/model/weights"
	echo mine >"$FILES/0001/notes.txt"
	"$TUNER" gc >said
	grep -q '^  unknown  *1  .*; only with --unknown$' said
	[ -e "$FILES/0001/9/model/weights" ]
	"$TUNER" gc --unknown >said
	grep -q '^    job/0001/9$' said
	[ ! -e "$FILES/0001/9" ]
	[ "$(trials_with 1/model/weights)" = "1 2" ]
	[ "$(trials_with checkpoint/steps)" = "1 2" ]
	[ -e "$FILES/0001/notes.txt" ]
	"$TUNER" verify --hashes
}

@test "what cannot be removed keeps nothing else, and is told of once and by its place" {
	TRIALS=2 PARALLEL=1 write_saving_job
	echo 'mkdir -p "$TUNER_ATTEMPT_DIR/output/$(printf "d/%.0s" $(seq 300))"; sleep 0' >fail.sh
	run_job
	local worse=$((3 - $(best_trials 1)))
	run "$TUNER" gc --best 1
	[ "$status" -eq 1 ]
	[[ "$output" == *"1 could not be removed:"*"job/000$worse/1: cannot remove .tuner-removed-1: directories lie more than 256 levels deep in it"* ]]
	[ -z "$(find "$FILES/000$worse" -name weights)" ]
	run "$TUNER" gc --best 1
	[ "$status" -eq 1 ]
	[[ "$output" == *"1 could not be removed:"*"job/000$worse/.tuner-removed-1: cannot remove"* ]]
}

@test "gc says no more freed than it could remove" {
	anybody="setpriv --reuid 65534 --regid 65534 --clear-groups"
	$anybody test -x "$TUNER" || skip "nobody cannot be, or cannot run it"
	TRIALS=2 PARALLEL=1 write_saving_job
	run_job
	local worse=$((3 - $(best_trials 1)))
	chown -R 65534:65534 .
	chmod 755 . "$FILES/000$worse/1/model"
	chown -R 0:0 "$FILES/000$worse/1/model"
	$anybody "$TUNER" gc --best 1 --json >freed || status=$?
	[ "$status" -eq 1 ]
	[ "$(jq .failed freed)" -eq 1 ]
	[ -s "$FILES/000$worse/1/model/weights" ]
	[ ! -e "$FILES/000$worse/1/output" ]
	# The notes, not the 1000 bytes of the model; and the checkpoint.
	jq -e '.bytes > 0 and .bytes < 100 and .classes.checkpoints.bytes > 0' freed
}

@test "gc --logs removes the output of attempts that failed, and no other" {
	TRIALS=3 PARALLEL=1 write_saving_job
	echo '[ "$TUNER_TRIAL" -ne 2 ] || exit 1' >fail.sh
	run_job
	"$TUNER" gc --logs
	[ "$(trials_with 1/output.log)" = "1 3" ]
	[ "$(trials_with 1/exit.json)" = "1 2 3" ]
}

@test "a running job removes what gc asks for, and refuses the rest" {
	TRIALS=4 PARALLEL=1 write_saving_job
	touch hold-4
	start "$TUNER" run job.jsonc --quiet
	await sql_is "SELECT count(*) FROM manifest WHERE state = 'recorded'" 3
	await sql_is "SELECT count(*) FROM attempt WHERE state = 'running'" 1
	await test -s "$FILES/0004/checkpoint/steps"
	run "$TUNER" gc
	[ "$status" -eq 2 ]
	[[ $output == *"--best N"* ]]
	run "$TUNER" gc --best 1 --unknown
	[ "$status" -eq 2 ]
	[[ $output == *"tuner stop"* ]]
	"$TUNER" gc --best 1 >answer
	grep -q 'the files of 2 attempts are being removed' answer
	await sql_is "SELECT count(*) FROM manifest WHERE state = 'recorded' AND removal IS NOT NULL" 2
	[ "$(trials_with 1/model/weights)" = "$(best_trials 1) 4" ]
	[[ " $(trials_with checkpoint/steps) " == *" 4 "* ]]
	rm hold-4
	finished
	[ "$status" -eq 0 ]
}

# bats test_tags=plain
@test "gc touches nothing of a trial that has not ended" {
	TRIALS=2 PARALLEL=1 write_saving_job '"keep": {"best": 1},'
	touch hold-2
	start "$TUNER" run job.jsonc --quiet
	await sql_is "SELECT count(*) FROM attempt WHERE state = 'running' AND trial = 2" 1
	await test -s "$FILES/0002/checkpoint/steps" # the last that it saves before it waits
	kill -KILL "$PID"
	wait "$PID" || true
	touch "$FILES/0002/1/.tuner-0f.tmp"
	"$TUNER" gc --logs --unknown
	[ -e "$FILES/0002/1/.tuner-0f.tmp" ]
	[ -e "$FILES/0002/1/model/weights" ]
	[ -e "$FILES/0002/checkpoint/steps" ]
	rm hold-2
	run_job
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 2
}

# ---- verify ----

@test "verify tells of files that are missing, have another size or, with --hashes, other bytes" {
	TRIALS=3 PARALLEL=1 write_saving_job
	run_job
	"$TUNER" verify --hashes
	rm "$FILES/0001/1/model/weights"
	echo more >>"$FILES/0002/1/output/data/notes"
	head -c 1000 /dev/urandom >"$FILES/0003/1/model/weights"
	run "$TUNER" verify
	[ "$status" -eq 1 ]
	[[ $output == *"trial 1, attempt 1: model/weights is missing"* ]]
	[[ $output == *"trial 2, attempt 1: output/data/notes has "*" bytes, and had "* ]]
	[[ $output != *"trial 3"* ]]
	run "$TUNER" verify --hashes
	[[ $output == *"trial 3, attempt 1: model/weights has changed"* ]]
	# A link to a file of the same size is not the file.
	mv "$FILES/0002/1/model/weights" elsewhere
	ln -s "$PWD/elsewhere" "$FILES/0002/1/model/weights"
	run "$TUNER" verify
	[[ $output == *"trial 2, attempt 1: model/weights is missing"* ]]
}
