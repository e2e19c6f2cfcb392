#!/usr/bin/env bats
# How the program is built where the machine is not the common one.

load run/common

ROOT="$BATS_TEST_DIRNAME/.."

# CPU.txt: a cross build to meson, whatever the compiler makes.
for_cpu() { # CPU
	cat >"$1.txt" <<-END
		[binaries]
		c = 'cc'
		ar = 'ar'
		pkgconfig = 'pkg-config'
		[host_machine]
		system = 'linux'
		cpu_family = '$1'
		cpu = '$1'
		endian = 'little'
	END
}

# bats test_tags=plain
@test "a build for another CPU takes nothing from the compiler for this one" {
	command -v meson >/dev/null || skip "needs meson"
	command -v musl-gcc >/dev/null || skip "needs musl-gcc"
	for_cpu aarch64
	meson setup --cross-file aarch64.txt other "$ROOT" >setup.log || { cat setup.log; false; }
	not grep -q musl other/build.ninja
}

# bats test_tags=plain
@test "the loops are optimised whatever flags a package brings" {
	command -v meson >/dev/null || skip "needs meson"
	CFLAGS="-g -O2" meson setup --buildtype=plain plain "$ROOT" >setup.log || { cat setup.log; false; }
	jq -r '.[] | select(.output | contains("surrogate_loops_")) | .command' plain/compile_commands.json >commands
	[ -s commands ]
	while read -r command; do
		[ "$(grep -o -- ' -O[^ ]*' <<<"$command" | tail -n 1)" = " -O3" ] || { echo "$command"; false; }
	done <commands
}

# bats test_tags=plain
@test "where registers hold more than a double, other instructions compute" {
	command -v meson >/dev/null || skip "needs meson"
	for_cpu x86
	meson setup --cross-file x86.txt x86 "$ROOT" >setup.log || { cat setup.log; false; }
	jq -r '.[] | select(.file | contains("surrogate/")) | .command' x86/compile_commands.json >commands
	[ -s commands ]
	run grep -vc -- '-mfpmath=sse' commands
	[ "$output" = 0 ]
	# And it does not compile without.
	run cc -D__FLT_EVAL_METHOD__=2 -fsyntax-only "$ROOT/surrogate/loops.h"
	[ "$status" -ne 0 ]
	[[ "$output" == *-mfpmath=sse* ]]
}

# bats test_tags=plain
@test "what musl-gcc makes is the same in any directory" {
	command -v meson >/dev/null || skip "needs meson"
	command -v musl-gcc >/dev/null || skip "needs musl-gcc"
	for directory in one another; do
		meson setup "$directory" "$ROOT" >setup.log || { cat setup.log; false; }
		ninja -C "$directory" scheduler/tuner-supervise scheduler/tuner-agent >ninja.log || { cat ninja.log; false; }
	done
	cmp one/scheduler/tuner-supervise another/scheduler/tuner-supervise
	cmp one/scheduler/tuner-agent another/scheduler/tuner-agent
}
