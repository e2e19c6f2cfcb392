#!/usr/bin/env bats
# What docs/database.md says about the database is so.

load run/common

PAGE="$BATS_TEST_DIRNAME/../docs/database.md"

# A job with trials of every kind: done ones with two metrics, one that fails, one that is stopped,
# and configurations of the model.
run_job() {
	cat >train.sh <<'END'
case $TUNER_TRIAL in
2) echo "no such layer" >&2; exit 1 ;;
3)
	echo '@tuner {"step": 1, "loss": 500}'
	echo '@tuner {"step": 2, "loss": 600}'
	exec sleep 60
	;;
esac
for step in 1 2 3; do
	awk -v x="$2" -v step=$step 'BEGIN {
		printf "@tuner {\"step\": %d, \"loss\": %.17g, \"time\": %d}\n",
			step, (x - 0.3) ^ 2 + 1 / step, step
	}'
done
END
	cat >job.jsonc <<'END'
{
	"command": ["sh", "train.sh"],
	"objective": {"metric": "loss", "goal": "minimize"},
	"parameters": {"x": {"type": "float", "min": 0, "max": 1, "scale": "linear"}},
	"first": [{"x": 0.9}, {"x": 0.8}, {"x": 0.7}],
	"strategy": {"name": "bayesian", "initial": 5},
	"early_stopping": {"rule": "threshold", "bound": 100, "grace": 1, "patience": 1},
	"budget": {"trials": 10, "parallel": 2},
	"hosts": [{"gpus": "none"}]
}
END
	"$TUNER" run --quiet job.jsonc
}

# The page's queries, one file each: query-1.sql ...
queries() {
	awk '/^```sql$/ { inside = 1; file = "query-" ++n ".sql"; next }
		/^```$/ { inside = 0 }
		inside { print >file }' "$PAGE"
}

# The columns that the page lists below "### VIEW".
documented_columns() { # VIEW
	awk -v title="### $1" '$0 == title { inside = 1; next } /^##/ { inside = 0 }
		inside && /^\| `/ { print $0 }' "$PAGE" |
		cut -d'|' -f2 | grep -o '[a-z0-9_]*' | sort
}

# bats test_tags=plain
@test "every query of the page runs and finds something" {
	run_job
	queries
	[ -e query-8.sql ]
	for query in query-*.sql; do
		sqlite3 -readonly tuner.db <"$query" >rows
		[ -s rows ] || { cat "$query"; false; }
	done
}

# bats test_tags=plain
@test "the page lists the columns of each view, no more and no fewer" {
	run_job
	for view in v_trial v_best_so_far v_learning_curve v_host_use; do
		sql "SELECT name FROM pragma_table_info('$view') ORDER BY name" >there
		documented_columns "$view" >listed
		[ -s there ]
		LC_ALL=C sort there | diff - <(LC_ALL=C sort listed)
	done
}

# bats test_tags=plain
@test "the page lists every table that is ours" {
	run_job
	for table in $(sql "SELECT name FROM sqlite_schema WHERE type = 'table'
		AND name NOT IN ('studies', 'alembic_version') AND name NOT LIKE 'sqlite_%'"); do
		awk '/^## Tables/ { inside = 1 } inside' "$PAGE" | grep -q "^|.*\`$table\`.*|" ||
			{ echo "$table"; false; }
	done
}

# bats test_tags=plain
@test "a trial's state, objective, curve and message are what its command did" {
	run_job
	sql_is "SELECT group_concat(state, ' ') FROM (SELECT state FROM v_trial ORDER BY number LIMIT 3)" \
		"done failed stopped"
	sql_is "SELECT abs(objective - 0.36 - 1.0 / 3) < 1e-12 FROM v_trial WHERE number = 1" 1
	sql_is "SELECT objective IS NULL, outcome, message LIKE '%no such layer%' FROM v_trial WHERE number = 2" \
		"1|crashed|1"
	sql_is "SELECT objective IS NULL, partial_objective, outcome FROM v_trial WHERE number = 3" \
		"1|600.0|early-stopped"
	sql_is "SELECT count(*) FROM v_learning_curve WHERE number = 1 AND metric = 'time' AND value = step
		AND NOT is_objective" 3
	sql_is "SELECT count(*) FROM v_trial WHERE branch = 'model' AND predicted_sd IS NULL" 0
	sql_is "SELECT count(*) > 0 FROM v_trial WHERE branch = 'model'" 1
	sql_is "SELECT count(*), max(finished), sum(best = (SELECT min(objective) FROM v_trial)) >= 1
		FROM v_best_so_far" "8|8|1"
}

# bats test_tags=plain
@test "nothing stays beside the database but its lock and its attempts" {
	run_job
	[ "$(cd "$DIR" && echo tuner.db*)" = "tuner.db tuner.db.d tuner.db.lock" ]
	[ ! -s tuner.db.lock ]
	[ "$(stat -c %a tuner.db)" = 600 ]
	[ "$(stat -c %a tuner.db.d)" = 700 ]
}

@test "a database that was moved with its attempts goes on" {
	run_job
	mkdir elsewhere
	mv tuner.db tuner.db.d elsewhere
	"$TUNER" run --quiet --db elsewhere/tuner.db job.jsonc --trials 11
	cd elsewhere
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 9
	[ -s tuner.db.d/job/0011/1/output.log ]
	"$TUNER" logs 1 | grep -q '"loss"'
}

# bats test_tags=plain
@test "events are facts, and Optuna's names are read only" {
	run_job
	for statement in "DELETE FROM event" "UPDATE event SET kind = 'x'" \
		"INSERT OR REPLACE INTO event SELECT * FROM event" "DELETE FROM studies" \
		"UPDATE studies SET study_name = 'x'" "INSERT INTO studies VALUES (9, 'x')" \
		"INSERT INTO trials (trial_id) VALUES (99)" "DELETE FROM alembic_version"; do
		run sqlite3 tuner.db "$statement"
		[ "$status" -ne 0 ] || { echo "$statement"; false; }
	done
	sql_is "SELECT count(*) FROM studies JOIN job ON job.id = study_id AND job.name = study_name" 1
	sql_is "SELECT group_concat(state, ' ') FROM (SELECT state FROM trials ORDER BY number LIMIT 3)" \
		"COMPLETE FAIL PRUNED"
}
