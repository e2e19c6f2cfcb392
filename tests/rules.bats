#!/usr/bin/env bats
# Conditions, constraints and priors from end to end: parameters that are there only under others, formulas
# that every configuration satisfies.

load run/common

# none GREP-ARGUMENT...: no line matches.
none() {
	[ "$(grep -c "$@")" -eq 0 ]
}

# A tree over three optimizers; what the command got stands in ./got, one line a launch.
write_tree() { # STRATEGY
	cat >train.sh <<-'END'
		echo "$* | $(env | grep '^TUNER_PARAM_' | cut -d = -f 1 | sort | tr '\n' ' ')| $(cat "$TUNER_PARAMS")" >>got
		lr=0; batch=0; momentum=0
		while [ $# -gt 1 ]; do
			case $1 in --lr) lr=$2 ;; --batch) batch=$2 ;; --momentum) momentum=$2 ;; esac
			shift 2
		done
		awk -v l="$lr" -v b="$batch" -v m="$momentum" \
			'BEGIN { printf "loss=%.9f\n", (log(l) + 1)^2 - b / 500 - m }'
	END
	cat >job.jsonc <<-END
		{
		  "name": "tree",
		  "objective": {"metric": "loss", "goal": "minimize"},
		  "metrics": [{"name": "loss", "regex": "loss=([-0-9.]+)"}],
		  "parameters": {
		    "momentum": {"type": "float", "min": 0, "max": 0.9, "when": {"optimizer": "sgd"}},
		    "optimizer": {"type": "categorical", "values": ["sgd", "adam", "rmsprop"]},
		    "nesterov": {"type": "bool", "when": {"optimizer": ["sgd"]}},
		    "steps": {"type": "int", "min": 1, "max": 4, "when": {"nesterov": true}},
		    "beta": {"type": "float", "min": 0.8, "max": 0.99, "when": {"optimizer": ["adam"]}},
		    "lr": {"type": "float", "min": 0.001, "max": 1},
		    "batch": {"type": "ordinal", "values": [32, 64, 128, 256]}
		  },
		  "fixed": {"scale": 3},
		  "constraints": ["lr * batch * scale <= 100", "optimizer != 'sgd' or momentum + lr < 1"],
		  "strategy": {"name": "$1"},
		  "budget": {"trials": ${TRIALS:-100}, "parallel": 2},
		  "command": ["sh", "train.sh"]
		}
	END
}

constraints_hold() {
	local value="json_extract(parameters, '\$.%s')"
	local lr batch momentum optimizer
	printf -v lr "$value" lr
	printf -v batch "$value" batch
	printf -v momentum "$value" momentum
	printf -v optimizer "$value" optimizer
	sql_is "SELECT count(*) FROM trial WHERE $lr * $batch * 3 > 100" 0
	sql_is "SELECT count(*) FROM trial WHERE $optimizer = 'sgd' AND NOT $momentum + $lr < 1" 0
}

# Every parameter is there exactly where its conditions say so: in JSON and as rows.
conditions_hold() {
	sql_is "SELECT count(*) FROM trial t,
		(SELECT 'momentum' AS name, 'sgd' AS value UNION SELECT 'nesterov', 'sgd' UNION SELECT 'beta', 'adam')
		WHERE (json_extract(t.parameters, '\$.' || name) IS NOT NULL) !=
		(json_extract(t.parameters, '\$.optimizer') = value)" 0
	sql_is "SELECT count(*) FROM trial WHERE (json_extract(parameters, '\$.steps') IS NOT NULL) !=
		coalesce(json_extract(parameters, '\$.nesterov'), 0)" 0
	sql_is "SELECT count(*) FROM trial t WHERE
		(SELECT count(*) FROM json_each(t.parameters)) !=
		(SELECT count(*) FROM trial_param p WHERE p.trial = t.id)" 0
	sql_is "SELECT count(*) FROM trial_param p JOIN parameter q ON q.id = p.parameter
		JOIN trial t ON t.id = p.trial WHERE json_extract(t.parameters, '\$.' || q.name) IS NULL" 0
}

run_tree() { # STRATEGY TRIALS
	write_tree "$1"
	"$TUNER" run job.jsonc --quiet
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" "$2"
	constraints_hold
	conditions_hold
}

# bats test_tags=plain
@test "bayesian: 100 trials keep to the tree and to the constraints" {
	run_tree bayesian 100
	sql_is "SELECT count(*) > 50 FROM decision WHERE branch = 'model'" 1
}

# bats test_tags=plain
@test "random: 100 trials keep to the tree and to the constraints" {
	run_tree random 100
}

# bats test_tags=plain
@test "sobol: 100 trials keep to the tree and to the constraints" {
	run_tree sobol 100
}

# bats test_tags=plain
@test "grid: 100 trials keep to the tree and to the constraints" {
	run_tree grid 100
}

# bats test_tags=plain
@test "a command gets active parameters only: arguments, variables and file" {
	TRIALS=30 write_tree sobol
	"$TUNER" run job.jsonc --quiet
	[ "$(lines_of got)" -eq 30 ]
	# Without SGD there is nothing of it, and with it everything.
	grep -v -- '--optimizer sgd' got >others
	[ -s others ]
	none -i 'momentum\|nesterov\|steps' others
	grep -- '--optimizer sgd' got >sgd
	[ -s sgd ]
	none -v -- '--momentum .* TUNER_PARAM_MOMENTUM .*"momentum":' sgd
	none -i 'beta' sgd
	none -- '--nesterov false.*STEPS' sgd
	none -v -- '--scale 3 |.*TUNER_PARAM_SCALE.*"scale":3' got
}

# bats test_tags=plain
@test "tables show a dash, show and best leave out what is not active" {
	TRIALS=12 write_tree sobol
	"$TUNER" run job.jsonc --quiet
	number=$(sql "SELECT min(number) FROM trial WHERE json_extract(parameters, '$.optimizer') = 'rmsprop'")
	run "$TUNER" trials tree
	[ "$status" -eq 0 ]
	[[ "$(grep "^ *$number " <<<"$output")" =~ -\ +rmsprop\ +-\ +-\ +- ]]
	run "$TUNER" show tree "$number"
	[[ "$output" == *rmsprop* && "$output" != *momentum* && "$output" != *beta* ]]
	run "$TUNER" best tree --command
	[ "$status" -eq 0 ]
	[[ "$output" == *"--optimizer"* ]]
}

# bats test_tags=plain
@test "the published views have no row of what is not active" {
	TRIALS=12 write_tree sobol
	"$TUNER" run job.jsonc --quiet
	sql_is "SELECT count(*) FROM trial_params" "$(sql "SELECT count(*) FROM trial_param")"
	sql_is "SELECT count(*) FROM trial_params p JOIN trials t USING (trial_id)
		WHERE p.param_name = 'beta'" \
		"$(sql "SELECT count(*) FROM trial WHERE json_extract(parameters, '$.optimizer') = 'adam'")"
}

# bats test_tags=plain
@test "words with the placeholder of an inactive parameter are left out" {
	TRIALS=12 write_tree sobol
	sed -i 's/"command": .*/"command": ["sh", "train.sh", "--lr", "{lr}", "--batch={batch}", "--opt={optimizer}", "--momentum={momentum}", "--beta={beta}", "--rest={nesterov}{steps}{scale}"]/' job.jsonc
	"$TUNER" run job.jsonc --quiet
	none -- '--opt=adam.*--momentum\|--opt=adam.*--rest\|{' <(cut -d '|' -f 1 got)
	grep -q -- '--opt=adam --beta=0' got
	grep -q -- '--opt=sgd --momentum=0' got
}

@test "an option that would stay alone is warned of" {
	write_tree sobol
	sed -i 's/"command": .*/"command": ["sh", "train.sh", "--momentum", "{momentum}"]/' job.jsonc
	run "$TUNER" check job.jsonc
	[ "$status" -eq 0 ]
	[[ "$output" == *'warning: command.3: where momentum is not active'*'"--momentum={momentum}" in one word'* ]]
}

# bats test_tags=plain
@test "a configuration by a person must keep to the rules" {
	TRIALS=3 write_tree sobol
	"$TUNER" run job.jsonc --quiet
	run "$TUNER" enqueue tree 'optimizer=adam,momentum=0.5'
	[ "$status" -eq 2 ]
	[[ "$output" == *'momentum: is given in vain: it is there only where optimizer is "sgd"'* ]]
	run "$TUNER" enqueue tree 'momentum=0.5'
	[ "$status" -eq 2 ]
	[[ "$output" == *'momentum: needs optimizer to be given as well'* ]]
	run "$TUNER" enqueue tree 'lr=0.9,batch=256'
	[ "$status" -eq 2 ]
	[[ "$output" == *'it breaks the constraint "lr * batch * scale <= 100"'* ]]
	run "$TUNER" enqueue tree 'batch=32,lr=0.9,optimizer=sgd,momentum=0.5'
	[[ "$output" == *'it breaks the constraint "optimizer'* ]]
	"$TUNER" enqueue tree 'optimizer=sgd,momentum=0.5'
	"$TUNER" enqueue tree 'optimizer=adam,beta=0.9,lr=0.1,batch=32'
	"$TUNER" run job.jsonc --quiet --set budget.trials=5
	sql_is "SELECT json_extract(parameters, '$.momentum') FROM trial WHERE number = 4" 0.5
	sql_is "SELECT parameters FROM trial WHERE number = 5" \
		'{"optimizer": "adam", "beta": 0.9, "lr": 0.1, "batch": 32}'
	sql_is "SELECT branch FROM decision d JOIN trial t ON t.id = d.id WHERE number = 5" user
}

# bats test_tags=plain
@test "an edited rule is a new version of the space, and earlier trials stay data" {
	TRIALS=10 write_tree bayesian
	"$TUNER" run job.jsonc --quiet
	sed -i 's/<= 100/<= 50/; s/"when": {"nesterov": true}/"when": {"nesterov": false}/' job.jsonc
	run "$TUNER" run job.jsonc --set budget.trials=20
	[ "$status" -eq 0 ]
	[[ "$output" == *'constraints.0: "lr * batch * scale <= 100" -> "lr * batch * scale <= 50"'* ]]
	sql_is "SELECT count(*) FROM space_version" 2
	sql_is "SELECT json_extract(definition, '$.\"\"[0]') FROM space_version WHERE version = 2" \
		"lr * batch * scale <= 50"
	sql_is "SELECT json_extract(definition, '$.steps.when.nesterov[0]') FROM space_version
		WHERE version = 2" 0
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 20
	sql_is "SELECT count(*) FROM trial WHERE number > 10 AND json_extract(parameters, '$.lr') *
		json_extract(parameters, '$.batch') * 3 > 50" 0
}

# bats test_tags=plain
@test "a space that is finite is exhausted, each configuration once" {
	TRIALS=100 write_tree bayesian
	sed -i '/"momentum"\|"beta"\|"lr"/d; s/"constraints": .*/"constraints": ["batch >= 64"],/' job.jsonc
	sed -i 's/--lr) lr/--batch) lr/' train.sh
	run "$TUNER" run job.jsonc
	[ "$status" -eq 0 ]
	# (sgd: nesterov false, or true with 4 steps; two others) x 3
	sql_is "SELECT count(*) FROM trial" 21
	sql_is "SELECT count(DISTINCT parameters) FROM trial" 21
	run "$TUNER" check job.jsonc
	[[ "$output" == *"space: 4 parameters, 21 configurations"* ]]
}

@test "constraints that leave nothing are an error of the file" {
	write_tree sobol
	run "$TUNER" check job.jsonc --set 'constraints=["lr < 0.5", "lr + batch < 1"]'
	[ "$status" -eq 2 ]
	[[ "$output" == *"constraints.1: no configuration"*"satisfies the constraints"* ]]
	[ ! -e tuner.db ]
}

# bats test_tags=plain
@test "why and importance speak of each parameter of a tree once" {
	cat >tree.jsonc <<'END'
{
	"name": "tree", "objective": { "metric": "loss", "goal": "minimize" },
	"parameters": {
		"optimizer": { "type": "categorical", "values": ["sgd", "adam"] },
		"lr": { "min": 0.001, "max": 1, "scale": "log" },
		"momentum": { "min": 0, "max": 0.9, "when": { "optimizer": ["sgd"] } }
	},
	"strategy": { "name": "bayesian", "initial": 6 },
	"budget": { "trials": 16 }
}
END
	for i in $(seq 16); do echo '{"ask": 1}'; echo "{\"tell\": $i, \"value\": 0.$((i * 37 % 100))}"; done >lines
	"$TUNER" ask-tell tree.jsonc --db tuner.db <lines >answers
	for trial in $(seq 7 16); do
		"$TUNER" why tree "$trial" --json >why.json
		jq -e '.lengthscales | map(.parameter) | . == ["optimizer", "lr", "momentum"]' why.json
	done
	"$TUNER" importance tree --json >importance.json
	jq -e '.parameters | map(.parameter) | sort == ["lr", "momentum", "optimizer"]' importance.json
	jq -e '[.parameters[].total] | all(. >= 0 and . <= 1)' importance.json
}

# ---- what the user expects ----

# A bowl around lr = .03 with adam, where its user expects the best.
write_expected() { # STRATEGIES
	cat >expected.jsonc <<-END
		{
		  "objective": {"metric": "loss", "goal": "minimize"},
		  "metrics": [{"name": "loss", "regex": "loss=([-0-9.e]+)"}],
		  "parameters": {
		    "lr": {"type": "float", "min": 0.0001, "max": 1, "prior": [0.02, 0.05]},
		    "optimizer": {"type": "categorical", "values": ["sgd", "adam", "lion"], "prior": {"adam": 4}},
		    "momentum": {"type": "float", "min": 0, "max": 0.9, "prior": [0.7, 0.8], "when": {"optimizer": "sgd"}}
		  },
		  $1
		  "budget": {"trials": 20, "parallel": 1},
		  "command": ["awk", "BEGIN { printf \"loss=%.12g \", (log({lr}) - log(.03))^2 + (\"{optimizer}\" != \"adam\") }"]
		}
	END
}

@test "a prior leads the search, as check, show and why say, and replays" {
	write_expected
	run "$TUNER" check expected.jsonc
	[ "$status" -eq 0 ]
	[[ "$output" == *"lr "*", prior [0.02, 0.05]"*'prior {"adam": 4}'*'prior [0.7, 0.8], when optimizer is "sgd"'* ]]
	"$TUNER" run expected.jsonc --quiet
	"$TUNER" replay | grep -q 'all are the same to the bit'
	"$TUNER" verify
	# Half of the five of the design, and all but a few of the model's: an even draw gives 2 of 20.
	near="json_extract(parameters, '\$.lr') BETWEEN .01 AND .1 AND json_extract(parameters, '\$.optimizer') = 'adam'"
	n=$(sqlite3 tuner.db "SELECT count(*) FROM trial WHERE $near")
	[ "$n" -ge 10 ]
	run "$TUNER" why best
	[[ "$output" == *"weighed with the priors, by which it is "*" times as likely to be good as an even draw"* ]]
	"$TUNER" why best --json | jq -e '.prior_density > 3 and .branch == "model"'
	"$TUNER" why 1 --json | jq -e '.prior_density > 0 and .branch == "design"'
	"$TUNER" why 1 | grep -q '^  by the priors it is .* times as likely'
	# Without a word on it there is nothing to weigh.
	jq 'del(.parameters[].prior)' expected.jsonc >even.jsonc
	"$TUNER" run even.jsonc --quiet --trials 6
	"$TUNER" why even 6 --json | jq -e '.prior_density == null'
	run "$TUNER" why even 6
	[[ "$output" != *prior* ]]
	[ "$(sqlite3 tuner.db "SELECT count(*) FROM (SELECT parameters FROM trial GROUP BY parameters HAVING count(*) = 2)")" -ge 1 ]
}

@test "asking and telling heeds a prior as run does, and what somebody gives in full has none" {
	write_expected
	"$TUNER" run expected.jsonc --quiet --trials 9
	"$TUNER" trials --json | jq -c '.[].parameters' >ran
	cat >client.py <<-'END'
		import json, math, subprocess, sys
		tuner = subprocess.Popen([sys.argv[1], "ask-tell", "expected.jsonc", "--set", "budget.trials=9"], text=True, bufsize=1,
		                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
		def say(**line):
		    print(json.dumps(line), file=tuner.stdin, flush=True)
		    return json.loads(tuner.stdout.readline())
		losses = iter(open("losses"))
		for _ in range(9):
		    trial, = say(ask=1)["trials"]
		    print(json.dumps(trial["parameters"]))
		    say(tell=trial["trial"], value=float(next(losses)))
	END
	"$TUNER" trials --json | python3 -c 'import json, sys; [print(repr(t["objective"])) for t in json.load(sys.stdin)]' >losses
	python3 client.py "$TUNER" | jq -c . >asked
	jq -cS . ran >a && jq -cS . asked >b
	cmp a b
	"$TUNER" enqueue expected '{"lr": 0.5, "optimizer": "lion"}'
	"$TUNER" run expected.jsonc --quiet --trials 10
	"$TUNER" why expected 10 --json | jq -e '.branch == "user" and .prior_density == null'
}

@test "why says of a sequence whether it fills the space evenly" {
	write_expected
	jq '.strategy = "sobol" | .budget.trials = 2' expected.jsonc >sequence.jsonc
	"$TUNER" run sequence.jsonc --name by-priors --quiet
	jq 'del(.parameters[].prior)' sequence.jsonc >even.jsonc
	"$TUNER" run even.jsonc --name even --quiet
	"$TUNER" why by-priors 2 | grep "half of which fills the space evenly, and half follows the priors"
	"$TUNER" why even 2 | grep "sequence, which fills the space evenly"
}

@test "an edited prior is a new version of the space, in which all trials stay data" {
	write_expected
	"$TUNER" run expected.jsonc --quiet --trials 8
	sed -i 's/\[0.02, 0.05\]/[0.01, 0.04]/' expected.jsonc
	run "$TUNER" run expected.jsonc --trials 12
	[ "$status" -eq 0 ]
	[[ "$output" == *'"prior": [0.02, 0.05]'*'"prior": [0.01, 0.04]'* ]]
	sql_is "SELECT count(*) FROM space_version" 2
	"$TUNER" replay | grep -q 'all are the same to the bit'
	"$TUNER" why 9 --json | jq -e '.seen.trials == 8'
	"$TUNER" verify
}

@test "arms have the same prior, random search's is named in the report, and a grid has none" {
	write_expected '"arms": {"gp": "bayesian", "random": "random", "sobol": "sobol"}, "repeats": 2,'
	"$TUNER" run expected.jsonc --quiet --set budget.trials=6
	"$TUNER" replay | grep -q 'all are the same to the bit'
	"$TUNER" report --output report.html
	grep -q 'lr by its prior, optimizer by its prior, momentum by its prior' report.html
	run "$TUNER" check expected.jsonc --set 'arms={"one": "grid", "two": {"strategy": {"name": "grid", "points": 3}}}'
	[ "$status" -eq 2 ]
	[[ "$(flat)" == *'parameters.lr.prior: has no effect on the strategy "grid"'* ]]
	"$TUNER" check expected.jsonc --set 'arms={"one": "grid", "two": "random"}' >/dev/null
}
