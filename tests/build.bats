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
