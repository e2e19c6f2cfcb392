#!/usr/bin/env bats
# How the program is built where the machine is not the common one.

load run/common

ROOT="$BATS_TEST_DIRNAME/.."

@test "a build for another CPU takes nothing from the compiler for this one" {
	command -v meson >/dev/null || skip "needs meson"
	command -v musl-gcc >/dev/null || skip "needs musl-gcc"
	# A cross build to meson, whatever the compiler makes.
	cat >other.txt <<-'END'
		[binaries]
		c = 'cc'
		ar = 'ar'
		pkgconfig = 'pkg-config'
		[host_machine]
		system = 'linux'
		cpu_family = 'aarch64'
		cpu = 'aarch64'
		endian = 'little'
	END
	meson setup --cross-file other.txt other "$ROOT" >setup.log || { cat setup.log; false; }
	! grep -q musl other/build.ninja
}

@test "the loops are optimised whatever flags a package brings" {
	command -v meson >/dev/null || skip "needs meson"
	CFLAGS="-g -O2" meson setup --buildtype=plain plain "$ROOT" >setup.log || { cat setup.log; false; }
	jq -r '.[] | select(.output | contains("surrogate_loops_")) | .command' plain/compile_commands.json >commands
	[ -s commands ]
	while read -r command; do
		[ "$(grep -o -- ' -O[^ ]*' <<<"$command" | tail -n 1)" = " -O3" ] || { echo "$command"; false; }
	done <commands
}
