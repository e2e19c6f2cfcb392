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

# known_times: what each trial of the known job took: 10 s of arm a, 5 s of b, at a price of 0.01 and 0.02 a second.
known_times() {
	sqlite3 tuner.db "UPDATE attempt SET started_us = 1700000000000000,
		ended_us = 1700000000000000 + (SELECT iif(arm = 'a', 10, 5) FROM trial t WHERE t.id = trial) * 1000000, cost = 0.1"
}

# bats test_tags=plain
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
	[[ "$(flat)" == *"4 repeats cannot give a p-value below 0.125"* ]]
	[[ "$(flat)" == *"by the expected best of all its random trials"* ]]
}

# bats test_tags=plain
@test "over slot-seconds and money arms are compared where every search has spent as much" {
	write_known 4 6
	known_results 4 6
	"$TUNER" run job.jsonc --quiet
	known_times
	# b has spent 30 s in all. By then a has had three trials, 7 - r/10, and b is at 7.
	[ "$(field '.contrasts[0].over_time.spent')" = 30 ]
	[ "$(field '.contrasts[0].over_time.totals | join(" ")')" = "60 30" ]
	[ "$(field '.contrasts[0].over_time.final.difference * 1000 | round')" -eq 250 ]
	[ "$(field '.contrasts[0].over_time.final.p_value')" = 0.125 ]
	# a: 9.5 (the worst), 9 - r/10, 8 - r/10 for 10 s each; b: 9.5, 9.5, 9, 8.5, 8, 7.5 for 5 s each.
	[ "$(field '.contrasts[0].over_time.area.difference * 1000 | round | fabs')" -eq 0 ]
	[ "$(field '.contrasts[0].over_time.faster')" = a ]
	[ "$(field '.contrasts[0].over_time.speed_up')" = null ] # b never comes so far
	# Each trial has cost as much: over money it is as over trials.
	[ "$(field '.contrasts[0].over_money.spent * 1000 | round')" -eq 600 ]
	[ "$(field '.contrasts[0].over_money.final.difference * 1000 | round')" -eq 3250 ]
	[ "$(field '.one_price')" = false ]
	# After two trials b has spent 10 s, and a is at 9 - r/10: b is at 8.5 after 15 s.
	run "$TUNER" compare --trials 2 --json
	[ "$(jq '.contrasts[0].over_time.speed_up * 1000 | round' <<<"$output")" -eq 1500 ]
	run "$TUNER" compare
	[ "$status" -eq 0 ]
	[[ "$output" == *"best at 30 slot-seconds "*"best at 0.6 of money "* ]]
	[[ "$(flat)" == *"When every search has spent 30 slot-seconds, a has found 0.25 better loss than b"* ]]
	[[ "$(flat)" == *"To come to where a then is, b needs more time than it had"* ]]
	[[ "$(flat)" == *"A search of a went on to 60 slot-seconds on average, one of b to 30 slot-seconds"* ]]
}

@test "the mean best so far over each axis" {
	write_known 4 6
	known_results 4 6
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" compare --over money
	[ "$status" -eq 2 ]
	[[ "$output" == *'"price"'* ]]
	known_times
	run "$TUNER" compare --over time
	[ "$status" -eq 0 ]
	# At 15 s: one trial of a, 9 - r/10; three of b.
	grep -q '^ *15  *8.75  8.545 to 8.955  *8.5  8.5 to 8.5$' <<<"$output"
	run "$TUNER" compare --over trials
	[ "$(grep -c '^ *[1-6]  ' <<<"$output")" -eq 6 ]
	"$TUNER" compare --csv --over trials >curves.csv
	grep -q '^arm,strategy,trials,mean_best,low,high$' curves.csv
	grep -q '^a,[a-z]*,1,8.75,8.54[0-9]*,8.95[0-9]*$' curves.csv
	grep -q '^b,random,4,8,8,8$' curves.csv
	[ "$(lines_of curves.csv)" -eq 13 ]
	"$TUNER" compare --csv --over time >curves.csv
	grep -q '^arm,strategy,slot_seconds,mean_best,low,high$' curves.csv
	grep -q '^b,random,15,8.5,8.5,8.5$' curves.csv
	[ "$(grep -c '^b,' curves.csv)" -eq 84 ] # of hundredths of 30 s, those from 5 s on
	[ "$(field '.arms[1].over_time.curve | length')" -eq 84 ]
	"$TUNER" compare --csv --over cost | grep -q '^arm,strategy,money,'
	"$TUNER" compare --svg time.svg --over time >/dev/null
	grep -q 'slot-seconds of each search' time.svg
	python3 -c 'import xml.dom.minidom; xml.dom.minidom.parse("time.svg")'
	"$TUNER" compare --format md --over money | grep -q '^| 0.06 | '
	run "$TUNER" compare --over space
	[ "$status" -eq 2 ]
}

# bats test_tags=plain
@test "a search's slot-seconds and money are those of all its attempts" {
	write_known 2 3
	known_results 2 3
	"$TUNER" run job.jsonc --quiet --set 'hosts=[{"gpus": "none", "price": 3600}]'
	# As if the fourth trial had been lost once, after 100 s, and waited an hour for its next attempt.
	sqlite3 tuner.db "UPDATE attempt SET number = 2 WHERE trial = (SELECT id FROM trial WHERE number = 4);
		INSERT INTO attempt (trial, number, state, outcome, key, backend, host, slot, gpus, directory, intended_us,
			started_us, ended_us, cost)
		SELECT trial, 1, 'ended', 'lost', 'other', backend, host, slot, gpus, directory, started_us - 3700000000,
			started_us - 3700000000, started_us - 3600000000, cost * 100e6 / (ended_us - started_us)
		FROM attempt WHERE trial = (SELECT id FROM trial WHERE number = 4);
		UPDATE trial SET attempts = 2, started_us = started_us - 3700000000 WHERE number = 4"
	"$TUNER" compare --csv >all.csv
	for search in a,1 a,2 b,1 b,2; do
		awk -F, -v arm="${search%,*}" -v repeat="${search#*,}" \
			'$1 == arm && $3 == repeat { seconds = $8; money = $9 } END { print seconds, money }' all.csv
	done >ours
	sql "SELECT printf('%.9f %.9f', sum(h.busy_s), sum(h.cost)) FROM v_host_use h JOIN trial t ON t.id = h.trial_id
		GROUP BY t.arm, t.repeat ORDER BY t.arm, t.repeat" >theirs
	# Microseconds are what the CSV has.
	paste -d ' ' ours theirs >both
	awk 'function differ(a, b) { return a - b > 2e-6 || b - a > 2e-6 }
		NF == 4 && !differ($1, $3) && !differ($2, $4) { same++ } END { exit !(NR == 4 && same == 4) }' both || {
		cat both
		false
	}
	[ "$(awk '$1 > 100 && $1 < 200' ours | wc -l)" -eq 1 ]
	[ "$(field '.one_price')" = true ]
	run "$TUNER" compare
	[[ "$(flat)" == *"Every slot-second had the same price"* ]]
	not grep '^best at .* of money' <<<"$output" || false
}

@test "where all results are the same, the sentences make no difference of it" {
	write_known 6 3
	awk 'BEGIN { for (t = 1; t <= 36; t++) print t, 0.1 }' >results
	"$TUNER" run job.jsonc --quiet
	known_times
	run "$TUNER" compare
	[ "$status" -eq 0 ]
	[[ "$(flat)" == *"After 3 trials a and b have found the same in each repeat. When every search has"* ]]
	[[ "$(flat)" == *"slot-seconds, a and b have found the same in each repeat."* ]]
	run grep -E 'chance|difference of|To come to|more than can be told' <<<"$(flat)"
	[ "$status" -eq 1 ]
	"$TUNER" compare --format md >md
	run grep ' $' md
	[ "$status" -eq 1 ]
	[ "$(field '.contrasts[0].words' | tail -c 2)" = . ]
	# Neither is the slower one, nor needs it a third of the trials for where it is itself.
	[ "$(field '.contrasts[0] | [., .over_time][] | [.faster, .speed_up, .speed_up_interval[], .speed_up_expected] | map(. == null) | all')" = $'true\ntrue' ]
}

# bats test_tags=plain
@test "an infinite objective is no result: it makes no mean infinite, and no difference NaN" {
	write_known 4 4
	sed -i 's/\[-+0-9.e\]/[-+0-9.einf]/' job.jsonc
	known_results 4 4
	sed -i -E 's/^([1-8]) .*/\1 inf/' results # the first trial of each search
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" compare
	[ "$status" -eq 0 ]
	[[ "$output" != *nan* && "$output" != *inf* && "$output" == *" 75 % "* ]]
	# a ends at 6 - r/10, b at 8.
	[ "$(field '.contrasts[0].final.difference * 1000 | round')" -eq 2250 ]
	[ "$(field '.contrasts[0].area.p_value')" = 0.125 ]
	[ "$(field '[.. | numbers | select(isnan or isinfinite)] | length')" -eq 0 ]
}

@test "a search that found nothing is as bad as the worst of its repeat, and a repeat in which none did is left out" {
	write_known 4 2
	known_results 4 2
	sed -i -E 's/^(1|9) .*/\1/' results # a's trials of the first repeat
	sed -i -E 's/^(3|4|11|12) .*/\1/' results # all of the second
	"$TUNER" run job.jsonc --quiet
	# a ends at 8 - r/10, b at 9; in the first repeat b's 9.5, its worst, stands for a.
	[ "$(field '.repeats')" -eq 3 ]
	[ "$(field '.contrasts[0].final.difference * 3000 | round')" -eq 2200 ]
	run "$TUNER" compare
	[[ "$(flat)" == *"1 of 3 searches of a had no result by then: the worst value of the repeat stands for it."* ]]
	[[ "$(flat)" == *"1 repeat is left out, for no search of it has a result."* ]]
	[[ "$(flat)" != *"not that far yet"* ]]
}

# bats test_tags=plain
@test "100 % of trials with a result are all of them, and 0 % none" {
	cat >job.jsonc <<-'END'
		{ "objective": {"metric": "loss", "goal": "minimize"}, "strategy": "random", "budget": {"trials": 210},
		  "parameters": {"x": {"type": "float", "min": 0, "max": 1}} }
	END
	told() { # NAME VALUE_OF_FIRST VALUE_OF_OTHERS
		{
			printf '{"ask": 210}\n{"tell": 1, %s}\n' "$2"
			for trial in $(seq 2 210); do
				printf '{"tell": %d, %s}\n' "$trial" "$3"
			done
		} >lines
		sed "s/{ \"objective/{ \"name\": \"$1\", \"objective/" job.jsonc >"$1.jsonc"
		"$TUNER" ask-tell "$1.jsonc" --db tuner.db <lines >answers
		not grep -q error answers
	}
	told many '"failed": "crashed"' '"value": 1'
	told few '"value": 1' '"failed": "crashed"'
	run "$TUNER" compare many few
	echo "$output"
	[[ "$output" == *" 99 % "* ]]
	[[ "$output" == *" 1 % "* ]]
}

@test "one repeat of the same results says nothing about chance" {
	write_known 1 3
	awk 'BEGIN { for (t = 1; t <= 6; t++) print t, 0.1 }' >results
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" compare
	[[ "$(flat)" == *"a and b have found the same. One repeat says nothing about chance"* ]]
	[[ "$(flat)" != *"To come to"* ]]
}

@test "sentences keep to 100 columns where there is no terminal" {
	write_known 2 3
	known_results 2 3
	"$TUNER" run job.jsonc --quiet
	known_times
	"$TUNER" compare --over time >report
	python3 -c 'import sys; sys.exit(max(len(line.rstrip("\n")) for line in open("report", encoding="utf-8")) > 100)'
	[ "$(grep -c . report)" -gt 15 ]
}

@test "formats: CSV, Markdown and a figure" {
	write_known 2 3
	known_results 2 3
	"$TUNER" run job.jsonc --quiet
	[ "$("$TUNER" compare --csv | wc -l)" -eq 13 ]
	"$TUNER" compare --csv | grep -q '^a,sobol,2,3,[0-9]*,6.7999999999999998,6.7999999999999998,'
	"$TUNER" compare --format md --svg figure.svg >report.md
	grep -q '^| best at the end | +' report.md
	grep -q '^| a | sobol | 6.85 | ' report.md
	python3 -c 'import xml.dom.minidom; xml.dom.minidom.parse("figure.svg")'
	run "$TUNER" compare --svg -
	[ "$status" -eq 2 ]
	[[ "$output" == *'"./-"'* ]]
	[ ! -e ./- ]
	run "$TUNER" compare --svg job.jsonc
	[ "$status" -eq 2 ]
	[[ "$output" == *"--svg: job.jsonc is the job file"* ]]
	run "$TUNER" compare --csv --json
	[ "$status" -eq 2 ]
	run "$TUNER" compare --format html
	[ "$status" -eq 2 ]
}

@test "a job is not compared with itself" {
	TRIALS=2 write_job
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" compare job job.jsonc
	[ "$status" -eq 2 ]
	[[ "$output" == *"job job cannot be compared with itself"* ]]
}

@test "two jobs may be compared, if they are of one kind" {
	TRIALS=5 write_job
	"$TUNER" run job.jsonc --quiet --name one
	"$TUNER" run job.jsonc --quiet --name two --set strategy=sobol
	run "$TUNER" compare one two
	[ "$status" -eq 0 ]
	[[ "$(flat)" == *"One repeat says nothing about chance"* ]]
	[[ "$(flat)" == *"The two were separate jobs"* && "$output" != *"do differ"* ]]
	"$TUNER" run job.jsonc --quiet --name wider --set parameters.x.max=2 --set fixed.epochs=3 --set strategy=sobol --set seed=2
	run "$TUNER" compare one wider
	[ "$status" -eq 0 ]
	[[ "$(flat)" == *"machines may differ. They do differ in parameters.x, fixed.epochs, to which the difference may be due."* ]]
	run "$TUNER" compare one
	[ "$status" -eq 2 ]
	[[ "$output" == *'has no "arms"'* ]]
	"$TUNER" run job.jsonc --quiet --name other --set objective.goal=maximize
	run "$TUNER" compare one other
	[ "$status" -eq 2 ]
	[[ "$output" == *"cannot be compared"* ]]
	"$TUNER" run job.jsonc --quiet --name greatest --set objective.reduce=max
	run "$TUNER" compare one greatest
	[ "$status" -eq 2 ]
	[[ "$(flat)" == *'score them alike first, "tuner rescore greatest --set objective=...'* ]]
	"$TUNER" rescore greatest --set 'objective={"metric": "loss", "goal": "minimize"}'
	"$TUNER" compare one greatest
}

@test "Markdown does not take a metric's name for its own" {
	TRIALS=3 write_job
	sed -i 's/"loss"/"l*o*<b>"/g' job.jsonc
	"$TUNER" run job.jsonc --quiet --name one
	"$TUNER" run job.jsonc --quiet --name two --set seed=2
	"$TUNER" compare one two --format md >md
	grep -qF '## Least of l\*o\*\<b\>: 1 repeat' md
	run grep -F 'l*o*<b>' md
	[ "$status" -eq 1 ]
	"$TUNER" compare one two | grep -qF 'Least of l*o*<b>: 1 repeat'
}

@test "what a target has ended is not taken for under way" {
	TRIALS=5 PARALLEL=1 write_job
	"$TUNER" run job.jsonc --quiet --name one --set budget.target=5
	"$TUNER" run job.jsonc --quiet --name two
	run "$TUNER" compare one two
	[ "$status" -eq 0 ]
	[[ "$output" == *"1 repeat, 1 trial each"* ]]
	[[ "$(flat)" == *"After 1 trial "* ]]
	[[ "$(flat)" == *"ended before its last trial: 1 of 5 trials are compared"* ]]
	[[ "$(flat)" != *"not finished"* && "$(flat)" != *"still running"* ]]
}

# bats test_tags=plain
@test "a comparison under way compares what there is, and says so" {
	write_known 2 4
	known_results 2 4
	"$TUNER" run job.jsonc --quiet --trials 2
	run "$TUNER" compare
	[[ "$(flat)" != *"not finished"* ]]
	touch stopped
	start "$TUNER" run job.jsonc --set 'command=["sh", "-c", "while [ -e stopped ]; do sleep 0.05; done; sh train.sh"]' --accept-change
	await sh -c "sqlite3 -readonly tuner.db \"SELECT state FROM trial WHERE number = 9\" | grep -q running"
	run "$TUNER" compare
	[ "$status" -eq 0 ]
	[[ "$(flat)" == *"not finished: 2 of 4 trials are compared"* ]]
	[[ "$(flat)" == *"What is still running counts once it has ended"* ]]
	rm stopped
	finished
	[ "$status" -eq 0 ]
}

@test "the summary for CI says what was compared over time" {
	write_known 2 2
	known_results 2 2
	"$TUNER" run job.jsonc --quiet --summary summary.md
	grep -q '^After 2 trials a has found 1.15 better loss than b' summary.md
	grep -q '^When every search has spent .* slot-seconds, ' summary.md
}
