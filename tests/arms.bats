#!/usr/bin/env bats
# Strategies compared inside one job.

load run/common

# write_arms: job.jsonc of two arms, as write_job.
write_arms() {
	write_job
	sed -i 's/^	"strategy":.*/	"arms": { "gp": "bayesian", "random": "random" }, "repeats": '"${REPEATS:-2}"',/' job.jsonc
}

# bats test_tags=plain
@test "each arm has its trials, and the arms of a repeat begin alike and train with the same seeds" {
	TRIALS=7 PARALLEL=2 write_arms
	"$TUNER" run job.jsonc --quiet --set 'first=[{"x": 0.5}]'
	sql_is "SELECT group_concat(arm || repeat || ':' || n, ' ') FROM
		(SELECT arm, repeat, count(*) AS n FROM trial GROUP BY arm, repeat)" "gp0:7 gp1:7 random0:7 random1:7"
	# The first five, and only they, are shared; repeats differ but for what the user gave.
	sql_is "SELECT group_concat(n) FROM (SELECT a.arm_number AS n FROM trial a JOIN trial b USING (repeat, arm_number)
		WHERE a.arm = 'gp' AND b.arm = 'random' AND a.parameters = b.parameters ORDER BY repeat, n)" 1,2,3,4,5,1,2,3,4,5
	sql_is "SELECT group_concat(a.arm_number) FROM trial a JOIN trial b USING (arm, arm_number, parameters)
		WHERE a.arm = 'gp' AND a.repeat = 0 AND b.repeat = 1" 1
	# TUNER_SEED is the fourth word of a start, the trial the first.
	while read -r trial _ _ seed; do
		echo "$(sql "SELECT repeat || ' ' || arm_number FROM trial WHERE number = $trial") $seed"
	done <starts | sort | uniq -c >seeds
	[ "$(lines_of seeds)" -eq 14 ]
	[ "$(awk '{ print $1 }' seeds | sort -u)" -eq 2 ]
}

@test "a trial's arm and repeat are told wherever the trial is" {
	TRIALS=2 PARALLEL=1 write_arms
	"$TUNER" run job.jsonc --quiet
	number=$(sql "SELECT number FROM trial WHERE arm = 'random' AND repeat = 1 LIMIT 1")
	"$TUNER" show "$number" | grep -q '^proposed by random/2 design '
	[ "$("$TUNER" show "$number" --json | jq -r '"\(.arm)/\(.repeat)"')" = random/2 ]
	[ "$("$TUNER" trials --json | jq -r '[.[] | "\(.arm)/\(.repeat)"] | unique | join(" ")')" = \
		"gp/1 gp/2 random/1 random/2" ]
	best=$("$TUNER" best --json | jq -r '"\(.arm)/\(.repeat)"')
	[[ "$("$TUNER" best)" == *"(proposed by $best design)"* ]]
	[[ "$("$TUNER" status)" == *"($best design): x="* ]]
	# Of a search without arms there is nothing to tell.
	TRIALS=1 write_job '"name": "single",'
	"$TUNER" run job.jsonc --quiet
	[ "$("$TUNER" best single --json | jq -c '[.arm, .repeat]')" = '[null,null]' ]
}

# bats test_tags=plain
@test "all searches of a comparison advance together" {
	TRIALS=3 PARALLEL=1 REPEATS=2 write_arms
	"$TUNER" run job.jsonc --quiet
	sql_is "SELECT group_concat(n) FROM (SELECT arm_number AS n FROM trial ORDER BY number)" 1,1,1,1,2,2,2,2,3,3,3,3
	# Which arm goes first changes with the repeat.
	sql_is "SELECT group_concat(arm || repeat, ' ') FROM (SELECT arm, repeat FROM trial ORDER BY number LIMIT 4)" "gp0 random0 random1 gp1"
}

# bats test_tags=plain
@test "an arm's decisions are those of a job of its own" {
	TRIALS=9 PARALLEL=1 REPEATS=1 write_arms
	"$TUNER" run job.jsonc --quiet
	TRIALS=9 PARALLEL=1 STRATEGY=bayesian write_job
	"$TUNER" run job.jsonc --name alone --quiet
	arm() { # JOB ARM
		sql "SELECT t.parameters FROM trial t JOIN job j ON j.id = t.job WHERE j.name = '$1' AND arm = '$2' ORDER BY arm_number"
	}
	[ "$(arm job gp)" = "$(arm alone '')" ]
	[ "$(arm job random)" != "$(arm alone '')" ]
}

# bats test_tags=plain
@test "every decision of every arm replays, and is explained by its own arm" {
	TRIALS=10 PARALLEL=2 REPEATS=2 write_arms
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" replay
	[ "$status" -eq 0 ]
	[[ "$output" == *"40 decisions"* || "$output" == *"40"* ]]
	number=$(sql "SELECT max(number) FROM trial WHERE arm = 'gp'")
	"$TUNER" why job "$number" --json | jq -r '.nearest[].trial' >near
	[ -s near ]
	while read -r trial; do
		sql_is "SELECT arm FROM trial WHERE number = $trial" gp
	done <near
	"$TUNER" importance job
}

# bats test_tags=plain
@test "a comparison goes on after kill -9, and grows with its repeats" {
	TRIALS=6 PARALLEL=2 REPEATS=1 write_arms
	touch hold-7
	start "$TUNER" run job.jsonc
	await grep -q '^7 ' starts
	kill -KILL "$PID"
	rm hold-7
	"$TUNER" run job.jsonc --quiet
	[ "$(cut -d' ' -f1 starts | sort | uniq -d)" = "" ]
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 12
	"$TUNER" run job.jsonc --quiet --set repeats=2
	sql_is "SELECT group_concat(arm || repeat || ':' || n, ' ') FROM
		(SELECT arm, repeat, count(*) AS n FROM trial GROUP BY arm, repeat)" "gp0:6 gp1:6 random0:6 random1:6"
	"$TUNER" verify
	run "$TUNER" run job.jsonc --set repeats=2 --set 'arms.gp={"strategy": "sobol"}'
	[ "$status" -eq 2 ]
	[[ "$output" == *"--accept-change"* ]]
}

@test "a comparison of which repeats were dropped continues from what the others have had" {
	TRIALS=2 PARALLEL=2 REPEATS=3 write_arms
	"$TUNER" run job.jsonc --quiet
	sed -i 's/"repeats": 3/"repeats": 1/' job.jsonc
	run "$TUNER" run job.jsonc
	[ "$status" -eq 0 ]
	[[ "$(flat)" == *'"tuner run job.jsonc --trials 3"'* ]]
	[[ "$("$TUNER" status)" == *'tuner run job --trials 3 '* ]]
	"$TUNER" run job.jsonc --quiet --trials 4
	sql_is "SELECT group_concat(arm || repeat || ':' || n, ' ') FROM
		(SELECT arm, repeat, count(*) AS n FROM trial GROUP BY arm, repeat)" "gp0:4 gp1:2 gp2:2 random0:4 random1:2 random2:2"
	"$TUNER" verify
}

@test "what a comparison says of itself, and what it refuses" {
	TRIALS=2 write_arms
	run "$TUNER" check job.jsonc
	[[ "$output" == *"compares 2 arms (gp, random), 2 repeats, 2 trials each: 8 trials"* ]]
	[[ "$output" == *'arms.random.strategy '*' {"name": "random"'* ]]
	"$TUNER" check job.jsonc --json | jq -e '.job.settings[] | select(.key == "arms.gp.strategy").value.name == "bayesian"'
	run "$TUNER" run job.jsonc --plain
	[ "$status" -eq 0 ]
	[[ "$output" == *"all 8 trials of the budget have ended"* ]]
	[[ "$output" == *"(gp/2, "* ]]
	run "$TUNER" status
	[[ "$output" == *"8 of 8 trials"* ]]
	run "$TUNER" trials
	[[ "$output" == *"random/2 "* ]]
	run "$TUNER" enqueue job x=0.5
	[ "$status" -eq 2 ]
	run "$TUNER" ask job
	[ "$status" -eq 2 ]
	run "$TUNER" run job.jsonc
	[ "$status" -eq 0 ]
	[[ "$output" == *"is complete after 8 trials"* ]]
}

@test "arms that lie further apart than any number are compared in numbers" {
	write_job '"arms": { "a": "random", "b": "sobol" }, "repeats": 3,'
	sed -i '/"strategy"/d; s/"trials": [0-9]*/"trials": 3/' job.jsonc
	echo '[ "$((TUNER_TRIAL % 2))" -eq 0 ] && echo loss=1.7e308 || echo loss=-1.7e308' >train.sh
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" compare
	[ "$status" -eq 0 ]
	[[ "$output" != *nan* ]]
	"$TUNER" compare --json >compared.json
	not grep nan compared.json
	jq -e '[.. | .p_value? // empty] | length > 0 and all(. > 0)' compared.json
}

@test "penalties of the largest number there is are compared in numbers" {
	write_job '"arms": { "a": "random", "b": "sobol" }, "repeats": 2,'
	# Three thirds of it are rounded to more, as seven sevenths are not.
	sed -i '/"strategy"/d; s/"trials": [0-9]*/"trials": 3/' job.jsonc
	echo 'echo loss=1.7976931348623157e308' >train.sh
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" compare
	[ "$status" -eq 0 ]
	[[ "$output" == *"mean best over the trials "*" +0 "* ]]
	[[ "$output" != *nan* && "$output" != *inf* ]]
}

@test "who asks of a job with arms is refused, and nothing of it is stored before" {
	TRIALS=6 PARALLEL=1 write_arms
	run "$TUNER" ask job.jsonc
	[ "$status" -eq 2 ]
	[[ "$output" == *"the job compares arms"* ]]
	[ ! -e tuner.db ]
	"$TUNER" run job.jsonc --quiet --trials 2
	for asks in ask tell; do
		[ "$asks" = ask ] && what=job.jsonc || what="job 1 0.5"
		# shellcheck disable=SC2086
		run "$TUNER" "$asks" $what
		[ "$status" -eq 2 ]
		[ "${#lines[@]}" -eq 1 ]
	done
	sql_is "SELECT count(*) FROM event WHERE kind = 'edited'" 0
}
