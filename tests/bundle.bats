#!/usr/bin/env bats
# scripts/bundle: a folder with the program and its libraries, for machines that have none of them.

load run/common

ROOT="$BATS_TEST_DIRNAME/.."

make_bundle() {
	"$ROOT/scripts/bundle" made "$TUNER_BUILD" >bundle.log || { cat bundle.log; false; }
	mv made moved
}

# bats test_tags=plain
@test "every library but the C library's comes from the bundle, also after it was moved" {
	make_bundle
	# What the loader itself says it opens, with nothing in the environment to lead it.
	env -i LD_DEBUG=files moved/bin/tuner version 2>debug >version
	[ "$(head -n 1 version)" = "$("$TUNER" version | head -n 1)" ]
	sed -n 's/.*calling init: //p' debug | sort -u >opened
	grep -q '/moved/bin/\.\./lib/libgslcblas' opened # which only another library needs
	[ "$(grep -c '/moved/bin/\.\./lib/' opened)" -eq "$(find moved/lib -name 'lib*.so*' | wc -l)" ]
	not grep -Ev '/moved/bin/\.\./lib/|/lib(c|m)\.so\.6$|/ld-linux|vdso' opened
	not grep -q 'not found' <(ldd moved/bin/tuner)
}

# bats test_tags=plain
@test "a job runs from a bundle, and its commands get nothing of it in their environment" {
	make_bundle
	cat >job.jsonc <<-'END'
		{
			"command": ["sh", "-c", "env >environment-$TUNER_TRIAL; cat /proc/$PPID/maps >supervisor; echo loss=$2", "sh"],
			"objective": { "metric": "loss", "goal": "minimize" },
			"metrics": [{ "name": "loss", "regex": "loss=([0-9.e-]+)" }],
			"parameters": { "x": { "type": "float", "min": 0, "max": 1 } },
			"hosts": [{ "gpus": "none" }], "budget": { "trials": 2, "parallel": 1 }
		}
	END
	env -i PATH=/usr/bin:/bin moved/bin/tuner run job.jsonc
	sql_is "SELECT group_concat(state) FROM trial" done,done
	not grep -h '^LD_' environment-1 environment-2
	not grep -q "$TUNER_BUILD" supervisor # it is the bundle's own
	grep -q /moved/libexec/tuner/tuner-supervise supervisor
}

# bats test_tags=plain
@test "a bundle has the worker and the benchmark, and says what is missing" {
	make_bundle
	[ -x moved/workers/python3-torch ]
	[ -s moved/licences/tuner ]
	run moved/benchmarks/cifar10
	[ "$status" -eq 2 ]
	[[ "$output" == *"--data DIR is missing"* ]]
	mkdir data
	for name in data_batch_1 data_batch_2 data_batch_3 data_batch_4 data_batch_5 test_batch; do
		head -c 3073 /dev/zero >data/$name.bin
	done
	PYTHON='' PATH="$DIR/bin:/usr/bin:/bin" run moved/benchmarks/cifar10 --data data --device cuda
	[ "$status" -eq 2 ] # no GPU, or no PyTorch; but the program was found
	[[ "$output" != *"scripts/build"* ]]
}

# bats test_tags=plain
@test "a folder that is not empty, and a build that is not there, are refused" {
	mkdir full
	touch full/file
	run "$ROOT/scripts/bundle" full "$TUNER_BUILD"
	[ "$status" -eq 1 ]
	[ "$output" = "bundle: full is not empty" ]
	run "$ROOT/scripts/bundle" new none
	[ "$status" -eq 1 ]
	[ "$output" = "bundle: there is no none/tuner/tuner: scripts/build makes it" ]
	[ ! -e new ]
}
