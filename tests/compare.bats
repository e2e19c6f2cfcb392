#!/usr/bin/env bats
# Comparisons: what `tuner compare` computes from trials whose results are known.

load run/common

# A job of two arms whose results are a function of (arm, repeat, trial): found by its own trial's row. The script
# reads ./results, which has "REPEAT TRIAL GP RANDOM" lines; the arm is seen from where x lies: sobol or random.
write_known() { # REPEATS TRIALS
	cat >train.sh <<'END'
echo "loss=$(awk -v t="$TUNER_TRIAL" '$1 == t { print $2 }' results)"
END
	cat >job.jsonc <<END
{
	"command": ["sh", "train.sh"],
	"objective": { "metric": "loss", "goal": "minimize" },
	"metrics": [{ "name": "loss", "regex": "loss=([-+0-9.e]+)" }],
	"parameters": { "x": { "type": "float", "min": 0, "max": 1 } },
	"arms": { "a": "sobol", "b": "random" },
	"repeats": $1,
	"hosts": [{ "gpus": "none" }],
	"budget": { "trials": $2, "parallel": 1 }
}
END
}

# One at a time all searches advance together: trial 1 is a/1, 2 b/1, then b/2 a/2, ..., and so on again.
known_results() { # REPEATS TRIALS
	awk -v repeats="$1" -v trials="$2" 'BEGIN {
		for (t = 1; t <= trials; t++)
			for (r = 1; r <= repeats; r++)
				for (i = 0; i < 2; i++) {
					arm = (r % 2 == 1) == (i == 0) ? "a" : "b"
					print ++n, arm == "a" ? 10 - t - r / 10 : 10 - t / 2
				}
	}' >results
}

field() { # FILTER
	"$TUNER" compare --json | jq -r "$1"
}

@test "differences, areas and speed-up of known curves" {
	write_known 4 6
	known_results 4 6
	"$TUNER" run job.jsonc --quiet
	# a ends at 4 - r/10, b at 7: a is 3.1, 3.2, 3.3, 3.4 better.
	[ "$(field '.contrasts[0].final.difference * 1000 | round')" -eq 3250 ]
	[ "$(field '.contrasts[0].final.p_value')" = 0.125 ]
	# Student: 3.25 -+ 3.1824 * 0.1291 / 2
	[ "$(field '.contrasts[0].final.interval | map(. * 1000 | round) | join(" ")')" = "3045 3455" ]
	# Means of 10 - t - r/10 and 10 - t/2 over t = 1..6 are 6.5 - r/10 and 8.25.
	[ "$(field '.contrasts[0].area.difference * 1000 | round')" -eq 2000 ]
	[ "$(field '.contrasts[0].faster')" = a ]
	[ "$(field '.contrasts[0].speed_up')" = null ] # b never comes so far
	# After two trials a is at 7.75: b is there between 4 (8) and 5 (7.5), after 4.5 of 2.
	run "$TUNER" compare --trials 2 --json
	[ "$(jq '.contrasts[0].speed_up * 1000 | round' <<<"$output")" -eq 2250 ]
	[ "$(jq '.repeats' <<<"$output")" -eq 4 ]
	run "$TUNER" compare
	[ "$status" -eq 0 ]
	[[ "$output" == *"4 repeats cannot give a p-value below 0.125"* ]]
	[[ "$output" == *"by the expected best of all its random trials"* ]]
}

@test "formats: CSV, Markdown and a figure" {
	write_known 2 3
	known_results 2 3
	"$TUNER" run job.jsonc --quiet
	[ "$("$TUNER" compare --csv | wc -l)" -eq 13 ]
	"$TUNER" compare --csv | grep -q '^a,sobol,2,3,[0-9]*,6.7999999999999998,6.7999999999999998,'
	"$TUNER" compare --format md --svg figure.svg >report.md
	grep -q '^| best at the end | +' report.md
	python3 -c 'import xml.dom.minidom; xml.dom.minidom.parse("figure.svg")'
	run "$TUNER" compare --csv --json
	[ "$status" -eq 2 ]
	run "$TUNER" compare --format html
	[ "$status" -eq 2 ]
}

@test "two jobs may be compared, if they are of one kind" {
	TRIALS=5 write_job
	"$TUNER" run job.jsonc --quiet --name one
	"$TUNER" run job.jsonc --quiet --name two --set strategy=sobol
	run "$TUNER" compare one two
	[ "$status" -eq 0 ]
	[[ "$output" == *"One repeat says nothing of chance"* ]]
	[[ "$output" == *"The two were separate jobs"* ]]
	run "$TUNER" compare one
	[ "$status" -eq 2 ]
	[[ "$output" == *'has no "arms"'* ]]
	"$TUNER" run job.jsonc --quiet --name other --set objective.goal=maximize
	run "$TUNER" compare one other
	[ "$status" -eq 2 ]
	[[ "$output" == *"cannot be compared"* ]]
}

@test "a comparison under way compares what there is, and says so" {
	write_known 2 4
	known_results 2 4
	"$TUNER" run job.jsonc --quiet --trials 2
	run "$TUNER" compare
	[[ "$output" != *"not finished"* ]]
	touch stopped
	start "$TUNER" run job.jsonc --set 'command=["sh", "-c", "while [ -e stopped ]; do sleep 0.05; done; sh train.sh"]' --accept-change
	await sh -c "sqlite3 -readonly tuner.db \"SELECT state FROM trial WHERE number = 9\" | grep -q running"
	run "$TUNER" compare
	[ "$status" -eq 0 ]
	[[ "$output" == *"not finished: 2 of 4 trials are compared"* ]]
	rm stopped
	finished
	[ "$status" -eq 0 ]
}
