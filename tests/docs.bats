#!/usr/bin/env bats
# What the documentation says is so.

load run/common

ROOT="$BATS_TEST_DIRNAME/.."

# The fenced or indented JSON examples of a page that are whole job files, one file each.
examples() { # PAGE
	awk -v n=0 '
		/^ *\{ *$/ { inside = 1; n++; file = "example-" n ".jsonc"; indent = index($0, "{") }
		inside { print >file }
		inside && /^ *\} *$/ && index($0, "}") == indent { inside = 0; close(file) }' "$1"
}

@test "docs/jobfile.md is what the schema says" {
	"$TUNER" schema | /usr/bin/python3 "$ROOT/scripts/jobfile_doc.py" >jobfile.md
	diff jobfile.md "$ROOT/docs/jobfile.md"
}

@test "every job file in README and docs passes check" {
	mkdir bin
	printf '#!/bin/sh\n' >bin/python3
	chmod +x bin/python3
	touch train.py
	for page in README.md docs/jobfile.md; do
		rm -f example-*
		examples "$ROOT/$page"
		[ -e example-1.jsonc ]
		for file in example-*; do
			PATH="$PWD/bin:$PATH" "$TUNER" check "$file"
		done
	done
}

# bats test_tags=plain
@test "the manual page names every command and option" {
	page=$(tr -d '\\' <"$ROOT/docs/tuner.1")
	"$TUNER" help >help
	[ "$(grep -c '^  [a-z]' help)" -ge 16 ]
	for command in $(awk '/^  [a-z]/ { print $1 }' help); do
		grep -q "B $command\b" <<<"$page"
		for option in $("$TUNER" help "$command" | grep -o -- '--[a-z][a-z-]*' | sort -u); do
			grep -q -- "$option\b" <<<"$page" || { echo "$command $option"; false; }
		done
	done
}

# bats test_tags=plain
@test "the manual page names the commands that print JSON, and those that take over" {
	page=$(tr -d '\\' <"$ROOT/docs/tuner.1" | tr '\n' ' ')
	for option in json take-over; do
		case $option in
		json) sentence=$(grep -o 'Print JSON, with [^.]*' <<<"$page") ;;
		take-over) sentence=$(grep -o 'With run, stop, [^:]*, if the database' <<<"$page") ;;
		esac
		for command in $("$TUNER" help | awk '/^  [a-z]/ { print $1 }'); do
			named=no takes=no
			! grep -q "[ ,]$command\([, .]\|$\)" <<<"$sentence" || named=yes
			! "$TUNER" help "$command" | grep -q -- "--$option\b" || takes=yes
			[ $named = $takes ] || { echo "$command --$option: the page $named, the program $takes"; false; }
		done
	done
}

@test "the SQL of README runs" {
	write_job
	"$TUNER" run job.jsonc
	awk '/^    -- the ten best trials/ { on = 1 } /^Optuna/ { on = 0 } on' "$ROOT/README.md" >queries.sql
	[ "$(grep -c ';' queries.sql)" -eq 3 ]
	run sqlite3 -readonly tuner.db <queries.sql
	[ "$status" -eq 0 ]
	[[ "$output" == *'{"x": '* ]]
}

@test "what an installed page links to or shows is installed, too" {
	for page in $(grep -o '[a-z-]*\.md' "$ROOT/docs/meson.build"); do
		for link in $(grep -o '](<\?[a-z][a-z0-9/.-]*' "$ROOT/docs/$page" | sed 's/](<\?//; s|/.*||' | grep -v '^https\?$' | sort -u); do
			grep -q "'$link'" "$ROOT/docs/meson.build" || { echo "$page: $link"; false; }
		done
	done
}

@test "the manual page names the pages that a user needs" {
	for page in "$ROOT"/docs/*.md; do
		page=$(basename "$page")
		case $page in
		fashion-mnist.md | real-tasks.md | regret.md | surrogate.md | verification.md) continue ;; # how good it is, and why
		esac
		sed -n '/^\.SH SEE ALSO/,$p' "$ROOT/docs/tuner.1" | tr -d '\\' | grep -qw -- "$page" || { echo "$page"; false; }
	done
}

@test "links between pages lead somewhere" {
	cd "$ROOT"
	for page in README.md docs/*.md benchmarks/*.md; do
		for link in $(grep -o '](\([^)#]*\))' "$page" | tr -d '()]' | grep -v '^http'); do
			[ -e "$(dirname "$page")/$link" ] || { echo "$page: $link"; false; }
		done
	done
}

@test "a script that is asked for help explains itself, and does nothing" {
	for script in build bundle demo replay sanitize setup test; do
		run timeout 20 "$ROOT/scripts/$script" --help
		[ "$status" -eq 0 ]
		[[ "$output" == *"    scripts/$script"* ]]
		run timeout 20 "$ROOT/scripts/$script" --nonsense
		[ "$status" -eq 2 ]
	done
}
