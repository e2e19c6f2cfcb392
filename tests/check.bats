#!/usr/bin/env bats
# Bad input always ends in a message and exit status 2; good input is explained.

load run/common

ROOT="$BATS_TEST_DIRNAME"

# Exit 2, with a message that names file, line and column, or the file; nothing is created.
assert_refused() { # FILE
	local status=0
	"$TUNER" check "$1" >out 2>err || status=$?
	if [ "$status" -ne 2 ] || ! grep -q "$(basename "$1")" err || grep -qi 'sanitizer\|runtime error' err; then
		echo "$1: status $status" >&2
		cat err >&2
		return 1
	fi
}

# bats test_tags=plain
@test "there are at least forty broken job files, and each is refused with its place" {
	[ "$(find "$ROOT/broken" -type f | wc -l)" -ge 40 ]
	for file in "$ROOT"/broken/*; do
		assert_refused "$file"
		grep -Eq "^(tuner: )?$file:[0-9]+:[0-9]+: error: |^(tuner: )?$file: " err || { cat err >&2; false; }
	done
	[ ! -e tuner.db ]
}

# bats test_tags=plain
@test "run refuses them as check does" {
	for file in "$ROOT"/broken/*; do
		run "$TUNER" run "$file"
		[ "$status" -eq 2 ] || { echo "$file: $status $output" >&2; false; }
	done
	[ ! -e tuner.db ]
}

@test "the good ones pass" {
	# One of them names GPUs.
	mkdir bin
	printf '#!/bin/sh\nfor i in 0 1 2 3 4 5 6 7; do echo "$i, GPU-0000000$i, Fake, 1024"; done\n' >bin/nvidia-smi
	chmod +x bin/nvidia-smi
	export PATH="$PWD/bin:$PATH"
	unset CUDA_VISIBLE_DEVICES
	for file in "$ROOT"/good/*; do
		"$TUNER" check "$file" >out
		grep -q '^space:' out
		"$TUNER" check --json "$file" | jq -e '.errors == 0' >out
	done
}

@test "without a command it is for asking and telling, and run says so" {
	echo '{"objective": {"metric": "loss", "goal": "minimize"},
		"parameters": {"x": {"type": "float", "min": 0, "max": 1}}}' >ask.json
	"$TUNER" check ask.json >out 2>err
	[ ! -s err ]
	grep -q '^for "tuner ask" and "tuner ask-tell" only' out
	not grep -q '^machine:\|^runs in' out
	"$TUNER" check --json ask.json | jq -e '.errors == 0 and .slots == 0'
	"$TUNER" schema | jq -e '.required | index("command") == null'
	run "$TUNER" run ask.json
	[ "$status" -eq 2 ]
	[[ "$output" == *'"command" is missing'*'tuner ask'* ]]
	run "$TUNER" try ask.json
	[ "$status" -eq 2 ]
	[ ! -e tuner.db ]
	# What is given is looked at all the same.
	sed 's/^{/{"command": ["no-such-program"], /' ask.json >given.json
	assert_refused given.json
	grep -q 'no-such-program' err
}

@test "2 MiB, deep nesting and bytes that are no text are refused" {
	{ echo '{"description": "'; head -c 2097152 /dev/zero | tr '\0' x; echo '"}'; } >large.json
	assert_refused large.json
	grep -q '1048576' err
	{ head -c 100000 /dev/zero | tr '\0' '['; } >deep.json
	assert_refused deep.json
	head -c 5000 /dev/urandom >random.json
	assert_refused random.json
	: >empty.json
	assert_refused empty.json
	assert_refused missing.json
	mkdir directory.json
	assert_refused directory.json
}

# bats test_tags=plain
@test "a job file cut anywhere is refused" {
	write_job
	size=$(wc -c <job.jsonc)
	for length in $(seq 0 7 $((size - 3))); do
		head -c "$length" job.jsonc >cut.jsonc
		assert_refused cut.jsonc
	done
}

@test "all errors come at once, each with the nearest key" {
	write_job
	sed 's/"min": 0/"mim": 0/; s/"trials"/"trails"/; s/"minimize"/"smallest"/' job.jsonc >bad.jsonc
	assert_refused bad.jsonc
	[ "$(grep -c 'error: ' err)" -ge 3 ]
	grep -q '"min"' err
	grep -q '"trials"' err
}

@test "a pattern that backtracks for ever is cut short, in a log and in a run" {
	write_job
	sed 's/"loss=[^"]*"/"(a+)+b loss=([0-9.]+)"/' job.jsonc >slow.jsonc
	head -c 50000 /dev/zero | tr '\0' a >log
	run timeout 60 "$TUNER" check slow.jsonc --log log
	[ "$status" -eq 0 ]
	run timeout 60 "$TUNER" run slow.jsonc --trials 1 -- cat log
	[ "$status" -ne 124 ]
}

@test "check prints the space, the scales, the budget, the defaults and the slots" {
	write_job
	run "$TUNER" check job.jsonc
	[ "$status" -eq 0 ]
	[[ "$output" == *"0 to 1, linear"* ]]
	[[ "$output" == *"budget.trials"* ]]
	[[ "$output" == *"(default)"* ]]
	[[ "$output" == *"  network "*'"host"  (default)'* ]]
	[[ "$output" == *"  memory "*"no limit  (default)"* ]]
	[[ "$output" == *"2 slots"* ]]
	[ ! -e tuner.db ]
}

@test "check --log counts what patterns find and proposes others" {
	write_job
	printf 'epoch 1 loss=0.5 acc: 0.25\nepoch 2 loss=0.25 acc: 0.5\n' >old.log
	run "$TUNER" check job.jsonc --log old.log
	[ "$status" -eq 0 ]
	[[ "$output" == *"loss: found 2 times"* ]]
	[[ "$output" == *"acc: 2 times"* ]]
}

@test "check --log reads as a run does: the first value that is no step, and infinities" {
	write_job
	sed -i 's/"metrics": .*/"metrics": [{ "name": "loss", "regex": "(?<step>[0-9]+): loss=([-0-9.inf]+)" }],/' job.jsonc
	printf '1: loss=-inf acc=-inf\n2: loss=0.5 acc=1\n' >old.log
	run "$TUNER" check job.jsonc --log old.log
	[ "$status" -eq 0 ]
	[[ "$output" == *"loss: found 2 times"* ]]
	[[ "$output" != *"loss: 2 times"* ]]
	[[ "$output" == *"acc: 2 times"* ]]
	run "$TUNER" check job.jsonc --log .
	[ "$status" -eq 2 ]
	[[ "$output" == *"cannot read ."* ]]
}

@test "init writes what check takes, from nothing, from a command and from a request" {
	"$TUNER" init plain.jsonc
	printf 'print("@tuner {\\"loss\\": 1}")\n' >train.py
	"$TUNER" init made.jsonc -- /usr/bin/python3 train.py --lr 0.01 --batch-size 128
	run "$TUNER" check made.jsonc
	[ "$status" -eq 0 ]
	[[ "$output" == *"lr=0.01 batch-size=128"* ]]
	run "$TUNER" init made.jsonc
	[ "$status" -eq 2 ]
	[[ "$output" == *"--force"* ]]
	cat >request.json <<'END'
{
  "HyperParameterTuningJobName": "cifar",
  "HyperParameterTuningJobConfig": {
    "Strategy": "Bayesian",
    "HyperParameterTuningJobObjective": { "Type": "Maximize", "MetricName": "accuracy" },
    "ResourceLimits": { "MaxNumberOfTrainingJobs": 12, "MaxParallelTrainingJobs": 2 },
    "ParameterRanges": {
      "ContinuousParameterRanges": [
        { "Name": "lr", "MinValue": "0.001", "MaxValue": "0.5", "ScalingType": "Logarithmic" }],
      "IntegerParameterRanges": [], "CategoricalParameterRanges": []
    }
  },
  "TrainingJobDefinition": {
    "StaticHyperParameters": { "epochs": "5" },
    "AlgorithmSpecification": {
      "TrainingImage": "123.dkr.ecr.us-east-1.amazonaws.com/x:1", "TrainingInputMode": "File",
      "MetricDefinitions": [{ "Name": "accuracy", "Regex": "acc=([0-9.]+)" }]
    },
    "RoleArn": "arn:aws:iam::1:role/x",
    "OutputDataConfig": { "S3OutputPath": "s3://x/y" },
    "ResourceConfig": { "InstanceType": "ml.p3.2xlarge", "InstanceCount": 1, "VolumeSizeInGB": 50 },
    "StoppingCondition": { "MaxRuntimeInSeconds": 3600 }
  }
}
END
	run "$TUNER" init from.jsonc --from request.json
	[ "$status" -eq 0 ]
	[[ "$output" == *"RoleArn"* ]]
	"$TUNER" check from.jsonc --set 'command=["true"]' >out
	grep -q '0.001 to 0.5, log' out
	grep -q 'budget.trials *12' out
}

@test "the last N are a plain number, as the schema has it" {
	for n in 0 +5 ' 5' 5.0 ''; do
		echo '{"objective": {"metric": "l", "goal": "minimize", "reduce": "mean of last '"$n"'"},
			"parameters": {"x": {"type": "bool"}}}' >job.json
		run "$TUNER" check job.json
		[ "$status" -eq 2 ]
		[[ "$output" == *'or "mean of last N"'* ]]
	done
}

@test "the schema is JSON and knows the sections" {
	"$TUNER" schema >schema
	jq -e '.properties.objective and .["$defs"].parameter' schema
}
