#!/usr/bin/env bats
# What benchmarks/large and benchmarks/readers measure, in small and without their limits: that it is right.

load run/common

ROOT="$BATS_TEST_DIRNAME/.."

@test "a job whose trials were multiplied is sound, and every command and strategy goes on with it" {
	"$ROOT/benchmarks/large" --build "$TUNER_BUILD" --directory "$DIR" --trials 300 --rows 5 \
		--launches 4 --repeats 1 --verify --no-limits
}

# bats test_tags=plain
@test "readers of all views, Optuna's too, take nothing from a job that writes, and none fails" {
	"$ROOT/benchmarks/readers" --build "$TUNER_BUILD" --directory "$DIR" --readers 4 \
		--seconds 2 --no-limits
}
