#!/usr/bin/env bats
# What trials were made of: recorded, shown, and frozen if the job file says so.

load run/common

# A repository of its own, with what common.bash's job needs; nothing of the user's configuration.
repository() { # [DIRECTORY]
	export HOME=$DIR/home GIT_CONFIG_NOSYSTEM=1
	mkdir -p home
	mkdir -p "${1:-work}" && cd "${1:-work}" || return
	git init -q .
	write_job "${2-}"
	printf '%s\n' starts 'hold*' '*.log' output data >.gitignore
	commit first
}

commit() { # MESSAGE
	git add -A . ':!tuner.db*' ':!job.jsonc'
	git -c user.name=a -c user.email=a@b commit -qm "$1"
}

provenance() { # FILTER [TRIAL]: of jq, on the provenance of the trial's last attempt
	"$TUNER" show "${2:-1}" --json | jq -r ".launches[-1].provenance$1"
}

@test "an attempt's arguments, variables, seed, code, data and versions are recorded" {
	mkdir data
	echo 1 >data/a
	repository work '"channels": { "train": "../data" }, "env": { "MODE": "fast", "MY_TOKEN": "t0ps3cret" },'
	MKL_NUM_THREADS=3 UNKNOWN_VARIABLE=x HF_TOKEN=t0ps3cret "$TUNER" run job.jsonc
	[ "$(provenance '.arguments[0:3] | join(" ")')" = "sh train.sh --x" ]
	[ "$(provenance .directory)" = "$PWD" ]
	[ "$(provenance .seed)" = "$(awk '$1 == 1 { print $4 }' starts)" ]
	[ "$(provenance .environment.MODE)" = fast ]
	[ "$(provenance .environment.MKL_NUM_THREADS)" = 3 ]
	[ "$(provenance '.environment | has("MY_TOKEN"), .MY_TOKEN')" = $'true\nnull' ]
	[ "$(provenance '.environment | has("UNKNOWN_VARIABLE"), has("HF_TOKEN")')" = $'false\nfalse' ]
	[ "$(provenance .code.commit)" = "$(git rev-parse HEAD)" ]
	[ "$(provenance .code.source)" = live ]
	[ "$(provenance .data.channels.train.files)" = 1 ]
	[ "$(provenance .versions.kernel)" = "$(uname -r)" ]
	sql_is "SELECT count(*) FROM provenance WHERE code IS NULL OR data IS NULL" 0
	sql_is "SELECT count(*), count(DISTINCT code), count(DISTINCT environment) FROM provenance" "6|1|1"
	# A secret may stand in the job file's own text, and nowhere else.
	sql_is "SELECT count(*) FROM document WHERE instr(content, 't0ps3cret')" 0
	"$TUNER" show 1 | grep -q 'made of'
	"$TUNER" verify
}

@test "what differs from the commit can be had back, new files included" {
	repository
	sed -i 's/loss=/nothing=/; s/nothing=/loss=/; $a # edited' train.sh
	printf 'print("new")' >new.py
	printf '#!/bin/sh\necho "ä"\n' >tool.sh
	chmod +x tool.sh
	echo 'no program' >results.txt
	"$TUNER" run job.jsonc
	"$TUNER" show 1 --patch >../patch
	git clone -q . ../clone
	(cd ../clone && git apply ../patch)
	cmp train.sh ../clone/train.sh
	cmp new.py ../clone/new.py
	cmp tool.sh ../clone/tool.sh
	[ -x ../clone/tool.sh ]
	[ ! -e ../clone/results.txt ]
}

@test "edited code is an event, a warning and a mark; what trials leave behind is not" {
	TRIALS=2 PARALLEL=1 repository
	echo 'echo x >>results.csv; echo "{}" >"result-$TUNER_TRIAL.json"' >>train.sh
	"$TUNER" run job.jsonc
	"$TUNER" run job.jsonc --trials 4
	sql_is "SELECT count(*) FROM fingerprint" 1
	[[ "$("$TUNER" status)" != *warning* ]]
	[[ "$("$TUNER" trials)" != *code* ]]
	echo '# edited' >>train.sh
	"$TUNER" run job.jsonc --trials 6 >output
	grep -q 'warning: trial 5 runs different code' output
	sql_is "SELECT count(*) FROM event WHERE kind = 'code'" 1
	[[ "$("$TUNER" status)" == *"ran the code in 2 states, the last from trial 5 on"* ]]
	[ "$("$TUNER" trials --json | jq -c 'map(.code[0])')" = "[1,1,1,1,2,2]" ]
	[[ "$("$TUNER" trials)" == *code* ]]
	[[ "$("$TUNER" show 5)" == *"state 2 of 2"* ]]
	[[ "$("$TUNER" best)" == *" of 2 of the code"* ]]
	# The job file is no code, and going back is no new state.
	sed -i '$d' train.sh
	"$TUNER" run job.jsonc --trials 8 --set backoff=1
	sql_is "SELECT count(*) FROM fingerprint" 2
	[ "$("$TUNER" trials --json | jq -c 'map(.code[0])')" = "[1,1,1,1,2,2,1,1]" ]
}

@test "an edit while trials run belongs to those that are launched after it" {
	TRIALS=5 PARALLEL=2 repository
	touch hold-2 hold-3
	start "$TUNER" run job.jsonc
	await sql_is "SELECT count(*) > 0 FROM provenance WHERE code IS NOT NULL" 1
	await sql_is "SELECT count(*) FROM attempt WHERE state = 'running'" 2
	echo '# edited' >>train.sh
	rm hold-*
	finished
	[ "$status" -eq 0 ]
	[ "$("$TUNER" trials --json | jq -c 'map(.code[0])')" = "[1,1,1,2,2]" ]
	grep -q 'warning: trial 4 runs different code from the one before it: train.sh' output
}

@test "changed data are an event and a warning" {
	mkdir data
	echo 1 >data/a
	TRIALS=2 repository work '"channels": { "train": "../data" },'
	"$TUNER" run job.jsonc
	echo 1 >../data/b
	"$TUNER" run job.jsonc --trials 4 >output
	grep -q 'warning: trial 3 finds different data' output
	[[ "$("$TUNER" status)" == *"found the data in 2 states, the last from trial 3 on"* ]]
	sql_is "SELECT count(*) FROM event WHERE kind = 'data'" 1
}

@test "data that change while trials run belong to those that are launched after it" {
	mkdir data more
	echo 1 >data/a
	echo 1 >more/a
	TRIALS=5 PARALLEL=2 repository work '"channels": { "train": "../data", "test": "../more", "same": "../home" },'
	touch hold-2 hold-3
	start "$TUNER" run job.jsonc
	await sql_is "SELECT count(*) > 0 FROM provenance WHERE data IS NOT NULL" 1
	await sql_is "SELECT count(*) FROM attempt WHERE state = 'running'" 2
	echo 2 >../data/a
	echo 2 >../more/a
	rm hold-*
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT group_concat(p.data = (SELECT min(data) FROM provenance)) FROM provenance p JOIN attempt a ON a.id = p.attempt" 1,1,1,0,0
	grep -q 'warning: trial 4 finds different data from the one before it: train, test$' output
}

# bats test_tags=plain
@test "without git the files that the command names are its code" {
	write_job
	echo 'x' >unrelated.txt
	"$TUNER" run job.jsonc
	[ "$(provenance .code.commit)" = null ]
	[ "$(provenance .code.no_git)" != null ]
	echo x >>unrelated.txt
	"$TUNER" run job.jsonc --trials 8
	sql_is "SELECT count(*) FROM fingerprint" 1
	echo '# edited' >>train.sh
	"$TUNER" run job.jsonc --trials 10
	sql_is "SELECT count(*) FROM fingerprint" 2
}

@test "where git ignores the directory of a job, the files that the command names are its code" {
	repository
	mkdir scratch
	echo scratch >>.gitignore
	commit ignored
	cd scratch
	write_job
	TUNER_DB=here.db "$TUNER" run job.jsonc
	export TUNER_DB=here.db
	[ "$(provenance .code.no_git)" = "git ignores this directory" ]
	[ "$(provenance .code.commit)" = null ]
	echo '# edited' >>train.sh
	"$TUNER" run job.jsonc --trials 8 >output
	grep -q 'warning: trial 7 runs different code from the one before it' output
}

@test "a machine without git is no error" {
	repository
	mkdir ../bin
	for program in sh awk sleep cat; do ln -s "$(command -v $program)" ../bin/; done
	PATH=$DIR/bin "$TUNER" run job.jsonc
	[ "$(provenance .code.no_git)" = "there is no git" ]
}

@test "nothing that a repository configures is run" {
	repository
	cat >../evil <<END
#!/bin/sh
echo "\$0 \$*" >>$DIR/evil.log
cat
#!/bin/sh
echo "\$0 \$*" >>$DIR/evil.log
cat
END
	chmod +x ../evil
	echo '*.sh filter=evil diff=evil' >.gitattributes
	commit attributes
	git config core.fsmonitor "$DIR/evil"
	git config core.hooksPath "$DIR/hooks"
	git config filter.evil.clean "$DIR/evil"
	git config filter.evil.process "$DIR/evil"
	git config diff.evil.textconv "$DIR/evil"
	git config diff.evil.command "$DIR/evil"
	git config diff.external "$DIR/evil"
	git config core.pager "$DIR/evil"
	mkdir ../hooks
	for hook in post-index-change post-checkout pre-commit; do cp ../evil ../hooks/$hook; done
	rm -f ../evil.log
	echo '# edited' >>train.sh
	GIT_EXTERNAL_DIFF=$DIR/evil "$TUNER" run job.jsonc
	[ "$(provenance .code.patch)" = true ]
	[ ! -e ../evil.log ]
	"$TUNER" run job.jsonc --name frozen --set source=snapshot
	[ ! -e ../evil.log ]
}

@test "a git that hangs makes no trial wait" {
	TRIALS=3 PARALLEL=1 repository
	mkdir ../bin
	printf '#!/bin/sh\nexec sleep 20\n' >../bin/git
	chmod +x ../bin/git
	PATH=$DIR/bin:$PATH start "$TUNER" run job.jsonc
	await sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 3
	finished
	[ "$status" -eq 0 ]
	sql_is "SELECT count(*) FROM provenance WHERE code IS NULL" 3
}

# bats test_tags=plain
@test "a snapshot is what trials run, whatever is edited later" {
	TRIALS=2 repository work '"source": "snapshot",'
	echo 'untracked' >untracked.txt
	echo 'ignored' >some.log
	"$TUNER" run job.jsonc >output
	copy=$(echo tuner.db.d/job/source/*)
	grep -q "code: a copy of 3 files" output
	cmp train.sh "$copy/train.sh"
	[ -e "$copy/untracked.txt" ]
	[ ! -e "$copy/some.log" ]
	[ ! -e "$copy/tuner.db" ]
	[ ! -e "$copy/job.jsonc" ]
	echo 'exit 1' >train.sh
	"$TUNER" run job.jsonc --trials 4
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 4
	[ "$(wc -l <"$copy/starts")" -eq 4 ]
	sql_is "SELECT count(*) FROM provenance WHERE code = (SELECT code FROM job_source)" 4
	sql_is "SELECT count(*) FROM event WHERE kind = 'source'" 1
	[[ "$("$TUNER" best --command)" == "cd $PWD/$copy "* ]]
	# Taken anew only when asked for: the edited one fails.
	run "$TUNER" run job.jsonc --trials 6 --accept-change
	[[ "$output" == *"code: a new copy of 3 files"* ]]
	sql_is "SELECT count(*) FROM event WHERE kind = 'source'" 2
	sql_is "SELECT count(*) FROM trial WHERE state = 'failed'" 2
	[ "$(find tuner.db.d/job/source -mindepth 1 -maxdepth 1 | wc -l)" -eq 2 ]
	[ "$(provenance .code.state 5)" = 2 ]
}

@test "a snapshot of a directory inside a repository keeps its place, links and modes" {
	repository
	mkdir -p sub lib
	cp train.sh job.jsonc sub/
	echo 'true' >lib/part.sh
	chmod 700 lib/part.sh
	ln -s ../lib/part.sh sub/link.sh
	echo '../lib/part.sh && ./link.sh || exit 1' >>sub/train.sh
	sed -i 's/"command"/"source": "snapshot", "command"/' sub/job.jsonc
	commit sub
	cd sub
	"$TUNER" run job.jsonc
	copy=$(echo tuner.db.d/job/source/*)
	[ "$(provenance .directory)" = "$PWD/$copy/sub" ]
	[ -L "$copy/sub/link.sh" ]
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 6
}

@test "submodules are part of the code" {
	repository inner
	cd "$DIR"
	repository outer '"source": "snapshot",'
	git -c protocol.file.allow=always submodule --quiet add "$DIR/inner" module
	commit module
	"$TUNER" run job.jsonc
	[ -e tuner.db.d/job/source/*/module/train.sh ]
}

@test "what a killed run has left of a copy does no harm" {
	TRIALS=2 repository work '"source": "snapshot",'
	mkdir -p tuner.db.d/job/source/.new/deep
	echo part >tuner.db.d/job/source/.new/train.sh
	"$TUNER" run job.jsonc
	[ ! -e tuner.db.d/job/source/.new ]
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 2
}

@test "what cannot be frozen is refused with what to do" {
	TRIALS=2 repository work '"source": "snapshot",'
	truncate -s 600M huge.bin
	run "$TUNER" run job.jsonc
	[ "$status" -eq 2 ]
	[[ "$output" == *"at most 512 MiB"*"huge.bin"*".gitignore"* ]]
	[ ! -e tuner.db.d/job/source/.new ]
	rm huge.bin
	"$TUNER" run job.jsonc
	rm -r tuner.db.d/job/source
	run "$TUNER" run job.jsonc --trials 4
	[ "$status" -eq 2 ]
	[[ "$output" == *"is gone"*"--accept-change"* ]]
	"$TUNER" run job.jsonc --trials 4 --accept-change
	# What git ignores is not copied: the command must be told where it lies.
	mkdir data
	cp train.sh data/tool
	chmod +x data/tool
	run "$TUNER" run job.jsonc --name other --set 'command=["data/tool"]'
	[ "$status" -eq 2 ]
	[[ "$output" == *"is not in the copy of the code"* ]]
	run "$TUNER" run job.jsonc --name third --set 'command=["sh", "train.sh", "data"]' --set arguments=none
	[[ "$output" == *'warning: "data" is not in the copy'* ]]
}

@test "without git a snapshot holds the directory" {
	TRIALS=2 write_job '"source": "snapshot",'
	mkdir lib
	echo x >lib/part.txt
	"$TUNER" run job.jsonc
	[ -e tuner.db.d/job/source/*/lib/part.txt ]
	[ ! -e tuner.db.d/job/source/*/tuner.db ]
	truncate -s 100M huge.bin
	run "$TUNER" run job.jsonc --name other
	[ "$status" -eq 2 ]
	[[ "$output" == *"at most 64 MiB"*"git init"* ]]
}

@test "a commit of a repository is fetched once and run" {
	TRIALS=2 repository origin
	full=$(git rev-parse HEAD)
	echo 'exit 1' >train.sh
	commit broken
	cd "$DIR"
	mkdir job
	cp origin/job.jsonc job
	cd job
	n=0
	for address in ../origin "file://$DIR/origin"; do
		for commit in "$full" "${full:0:8}"; do
			n=$((n + 1))
			"$TUNER" run job.jsonc --name "j$n" --set "source={\"git\": \"$address\", \"commit\": \"$commit\"}"
		done
	done
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 8
	sql_is "SELECT count(*) FROM fingerprint WHERE source = 'git' AND json_extract(facts, '$.commit') = '$full'" 4
	[ "$(git -C tuner.db.d/j1/source/* rev-parse HEAD)" = "$full" ]
	# Gone, it is fetched again: it is the same.
	rm -r tuner.db.d/j1/source
	"$TUNER" run job.jsonc --name j1 --trials 4 --set "source={\"git\": \"../origin\", \"commit\": \"$full\"}"
	sql_is "SELECT count(*) FROM trial t JOIN job j ON j.id = t.job WHERE j.name = 'j1' AND t.state = 'done'" 4
	"$TUNER" try job.jsonc --set "source={\"git\": \"../origin\", \"commit\": \"$full\"}"
}

@test "a commit or a repository that is not there is refused, and can be put right" {
	TRIALS=2 repository origin
	full=$(git rev-parse HEAD)
	git tag abcdef1234
	run "$TUNER" run job.jsonc --set 'source={"git": ".", "commit": "0123456789abcdef0123456789abcdef01234567"}'
	[ "$status" -eq 2 ]
	[[ "$output" == *"has no single commit 0123456789"* ]]
	# A tag that looks like a hash is none.
	run "$TUNER" run job.jsonc --set 'source={"git": ".", "commit": "abcdef1234"}'
	[[ "$output" == *"has no single commit abcdef1234"* ]]
	run "$TUNER" run job.jsonc --set "source={\"git\": \"../nowhere\", \"commit\": \"$full\"}"
	[ "$status" -eq 2 ]
	[[ "$output" == *"cannot fetch"*"nowhere"* ]]
	# The same where whoever starts it ignores the ends of children.
	run python3 -c 'import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])' "$TUNER" run job.jsonc --set "source={\"git\": \"../nowhere\", \"commit\": \"$full\"}"
	[ "$status" -eq 2 ]
	[[ "$output" == *"cannot fetch"*"nowhere"* ]]
	run "$TUNER" run job.jsonc --set "source={\"git\": \".\", \"commit\": \"$full\", \"path\": \"sub\"}"
	[[ "$output" == *"the commit has no directory sub"* ]]
	# Nothing was tried yet: no consent is needed.
	"$TUNER" run job.jsonc --set "source={\"git\": \".\", \"commit\": \"$full\"}"
	[ ! -e tuner.db.d/job/source/.new ]
	sql_is "SELECT count(*) FROM trial WHERE state = 'done'" 2
}

# bats test_tags=plain
@test "after kill -9 the record goes on" {
	TRIALS=4 PARALLEL=1 repository
	touch hold-2
	start "$TUNER" run job.jsonc
	await sql_is "SELECT count(*) FROM provenance WHERE code IS NOT NULL" 2
	kill -KILL "$PID"
	finished
	echo '# edited' >>train.sh
	rm hold-2
	"$TUNER" run job.jsonc
	[ "$("$TUNER" trials --json | jq -c 'map(.code[0])')" = "[1,1,2,2]" ]
	sql_is "SELECT count(*) FROM event WHERE kind = 'code'" 1
	sql_is "SELECT count(DISTINCT run) FROM provenance" 2
	"$TUNER" verify
}

@test "a confirmation ran the code of its search, although git tracks the job file" {
	repository
	git add job.jsonc
	git -c user.name=a -c user.email=a@b commit -qm "with the job file"
	for source in live snapshot; do
		"$TUNER" run job.jsonc --quiet --name "$source" --trials 2 --set source="$source"
		run "$TUNER" confirm "$source" --quiet --top 1 --repeats 1
		[ "$status" -eq 0 ]
		[[ "$(flat)" != *"no trial of the search had"* ]]
		[ "$("$TUNER" confirm "$source" --show --json | jq .other_code)" = false ]
	done
	sql_is "SELECT count(DISTINCT sha256) FROM fingerprint WHERE kind = 'code'" 1
}
