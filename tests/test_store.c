#include "tests/fixture_trials.h"

#include "base/sha256.h"
#include "trials/related_trial.h"
#include "trials/location.h"
#include "trials/rescore.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- the disk, as SQLite sees it ---- */

/* The library's calls come here: this program's symbols go before libc's. */
static unsigned n_syncs;
int fdatasync(int fd)
{
	n_syncs++;
	return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	n_syncs++;
	return (int)syscall(SYS_fsync, fd);
}

/* The n-th write from now, and every one behind it, finds the disk full. 0: none. */
static unsigned writes_left;
static bool disk_full;
static ssize_t write_or_fail(int fd, const void *bytes, size_t length, off_t offset)
{
	if (writes_left > 0 && --writes_left == 0)
		disk_full = true;
	if (disk_full) {
		errno = ENOSPC;
		return -1;
	}
	return pwrite(fd, bytes, length, offset);
}

static void fill_disk_after(unsigned writes)
{
	sqlite3_vfs *const vfs = sqlite3_vfs_find(NULL);
	const sqlite3_syscall_ptr call = writes > 0 ? (sqlite3_syscall_ptr)write_or_fail : NULL;

	writes_left = writes;
	disk_full = false;
	/* It has one or the other; what it has not is refused. */
	const int narrow = vfs->xSetSystemCall(vfs, "pwrite", call);
	const int wide = vfs->xSetSystemCall(vfs, "pwrite64", call);

	assert_true(narrow == SQLITE_OK || wide == SQLITE_OK);
}

/* ---- files ---- */

static int64_t size_of(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 ? status.st_size : -1;
}

static mode_t mode_of(const char *path)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return status.st_mode & 0777;
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static const char *beside(const struct fixture *f, const char *end)
{
	static char path[128];

	snprintf(path, sizeof path, "%s%s", f->path, end);
	return path;
}

static void write_file(const char *path, const char *bytes)
{
	struct tuner_error err;

	assert_true(file_write_atomic(path, bytes, strlen(bytes), 0600, false, &err));
}

/* A database of somebody else's, or of ours from another time. */
static void run_sql(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	char *message = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s", message);
	sqlite3_close(db);
}

static struct text content(const char *path)
{
	struct text text = TEXT_EMPTY;
	struct tuner_error err;

	if (!file_read(path, 1 << 24, &text, &err))
		fail_msg("%s", err.message);
	return text;
}

static void assert_unchanged(const char *path, struct text *before)
{
	struct text after = content(path);

	assert_int_equal(after.length, before->length);
	assert_memory_equal(after.bytes, before->bytes, after.length);
	text_finish(&after);
	text_finish(before);
}

static void open_store(struct fixture *f, enum store_mode mode)
{
	ASSERT_OK(f, store_open(f->path, mode, &f->store, &f->err));
}

static void close_store(struct fixture *f)
{
	store_close(f->store);
	f->store = NULL;
}

static void refuse_open(
	struct fixture *f, enum store_mode mode, enum tuner_code code, const char *part)
{
	struct store *store = NULL;

	assert_false(store_open(f->path, mode, &store, &f->err));
	assert_null(store);
	ASSERT_SAYS(f, code, part);
}

/* A transaction of one event. */
static bool add_event(struct fixture *f, const char *kind, enum store_durability durability)
{
	int64_t id;

	return store_begin(f->store, durability, &f->err) &&
	       event_add(f->store, f->job, 0, 0, kind, NULL, fixture_now(f), &id, &f->err) &&
	       store_commit(f->store, &f->err);
}

static void assert_sound(struct fixture *f)
{
	ASSERT_ROWS(f, "PRAGMA integrity_check", "ok");
	ASSERT_ROWS(f, "PRAGMA foreign_key_check", "");
}

/* ---- opening ---- */

static void a_new_database_is_ours_alone(void **state)
{
	struct fixture *const f = *state;
	const mode_t mask = umask(0);

	open_store(f, STORE_WRITE);
	umask(mask);
	assert_int_equal(mode_of(f->path), 0600);
	assert_int_equal(mode_of(beside(f, "-wal")), 0600);
	assert_int_equal(mode_of(beside(f, ".lock")), 0600);
	assert_string_equal(store_path(f->store), f->path);
	assert_string_equal(store_directory(f->store), beside(f, ".d"));
	ASSERT_ROWS(f, "PRAGMA application_id", "1953853042");
	assert_true(fixture_number(f, "PRAGMA user_version") == STORE_SCHEMA_VERSION);
	ASSERT_ROWS(f, "PRAGMA journal_mode", "wal");
	ASSERT_ROWS(f, "PRAGMA foreign_keys", "1");
	ASSERT_ROWS(f,
		"SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
		"AND sql NOT LIKE '%) STRICT'",
		"");
	assert_sound(f);
	close_store(f);
	assert_false(exists(beside(f, "-wal")));
	assert_false(exists(beside(f, "-shm")));
}

static void what_is_committed_is_there_when_it_is_opened_again(void **state)
{
	struct fixture *const f = *state;

	open_store(f, STORE_WRITE);
	const int64_t id = fixture_add_job(f, "job", 5, "loss", "minimize");

	close_store(f);
	open_store(f, STORE_READ);
	fixture_use_job(f, id);
	close_store(f);
	open_store(f, STORE_WRITE);
	fixture_use_job(f, id);
}

/* An end that is taken back is not forgotten: its event stays, and the new one says what it was. */
static void a_failed_trial_may_be_put_back_and_a_done_one_may_not(void **state)
{
	struct fixture *const f = *state;
	struct reopening *reopenings = NULL;
	size_t n = 0;

	open_store(f, STORE_WRITE);
	fixture_use_job(f, fixture_add_job(f, "job", 5, "loss", "minimize"));
	const int64_t id = fixture_add_trial(f);
	const int64_t attempt = fixture_run_attempt(f, id);
	struct attempt_end end = fixture_end_of(OUTCOME_OOM_HOST, TRIAL_FAILED, NAN);
	int64_t event = 0;

	end.counts_as = OUTCOME_CRASHED;
	CHANGE(f, attempt_end(f->store, attempt, &end, fixture_now(f), &event, &f->err));
	ASSERT_ROWS(f, "SELECT outcome FROM trial", "crashed");
	ASSERT_ROWS(f, "SELECT outcome FROM attempt", "oom-host");
	ASSERT_ROWS(f,
		"SELECT json_extract(data, '$.outcome', '$.counts_as') FROM event "
		"WHERE kind = 'ended'",
		"[\"oom-host\",\"crashed\"]");

	CHANGE(f, trial_reopen(f->store, id, fixture_now(f), &f->err));
	REFUSED(f, TUNER_USAGE, "is proposed", trial_reopen(f->store, id, fixture_now(f), &f->err));
	ASSERT_ROWS(f, "SELECT state, ended_event IS NULL, started_us IS NULL FROM trial",
		"proposed|1|1");
	ASSERT_ROWS(f,
		"SELECT json_extract(r.data, '$.state', '$.outcome') , json_extract(r.data, "
		"'$.ended_event') = e.id FROM event r, event e WHERE r.kind = 'reopened' AND "
		"e.kind = 'ended'",
		"[\"failed\",\"crashed\"]|1");
	ASSERT_OK(f, trial_reopenings(f->store, 1, &reopenings, &n, &f->err));
	assert_int_equal(n, 1);
	assert_true(reopenings[0].trial_id == id && reopenings[0].attempts == 1);
	assert_true(reopenings[0].event > event);
	assert_int_equal(reopenings[0].ended_event, event);
	assert_true(reopenings[0].state == TRIAL_FAILED && isnan(reopenings[0].objective));
	assert_int_equal(reopenings[0].outcome, OUTCOME_CRASHED);
	free(reopenings);

	/* A partial curve's value, to the bit. */
	const int64_t stopped = fixture_add_trial(f);

	fixture_end(f, fixture_run_attempt(f, stopped), OUTCOME_TIMEOUT, TRIAL_STOPPED, 0.1 + 0.2);
	CHANGE(f, trial_reopen(f->store, stopped, fixture_now(f), &f->err));
	ASSERT_OK(f, trial_reopenings(f->store, 1, &reopenings, &n, &f->err));
	assert_int_equal(n, 2);
	assert_true(reopenings[1].objective == 0.1 + 0.2);
	free(reopenings);

	/* Its second life ends well, and for good. */
	fixture_end(f, fixture_run_attempt(f, id), OUTCOME_OK, TRIAL_DONE, 1.5);
	REFUSED(f, TUNER_USAGE, "is done", trial_reopen(f->store, id, fixture_now(f), &f->err));
	ASSERT_ROWS(
		f, "SELECT state, objective, attempts FROM trial WHERE number = 1", "done|1.5|2");
	assert_sound(f);
}

/* Neither a row nor a value, but a place among the values. */
static void a_trial_may_go_without_a_parameter(void **state)
{
	struct fixture *const f = *state;
	const struct decision decision = fixture_decision();
	struct trial_list list = { 0 };

	open_store(f, STORE_WRITE);
	fixture_use_job(f, fixture_add_job(f, "job", 5, "loss", "minimize"));
	struct trial_new trial = fixture_new(f);

	trial.values = (const double[]){ NAN, 1 };
	trial.parameters = "{\"optimizer\": \"adam\"}";
	const int64_t id = fixture_propose(f, &trial, &decision);
	const struct trial_filter filter = { .job_id = f->job, .repeat = -1 };

	assert_true(trial_select(f->store, &filter, &list, &f->err));
	assert_int_equal(list.n, 1);
	assert_int_equal(list.items[0].id, id);
	assert_int_equal(list.items[0].d, 2);
	assert_true(isnan(list.items[0].values[0]) && list.items[0].values[1] == 1);
	trial_list_finish(&list);

	const struct trial_filter brief = {
		.job_id = f->job, .repeat = -1, .without_values = true
	};

	assert_true(trial_select(f->store, &brief, &list, &f->err));
	assert_int_equal(list.n, 1);
	assert_int_equal(list.items[0].d, 0);
	assert_null(list.items[0].values);
	assert_string_equal(list.items[0].parameters, trial.parameters);
	trial_list_finish(&list);
	trial.values = (const double[]){ INFINITY, 1 };
	assert_true(store_begin(f->store, STORE_DURABLE, &f->err));
	int64_t ignored;
	bool capped;

	assert_false(fixture_create(f, &trial, &decision, &ignored, &capped));
	store_rollback(f->store);
}

static void a_missing_database_is_made_by_a_writer_only(void **state)
{
	struct fixture *const f = *state;

	refuse_open(f, STORE_READ, TUNER_USAGE, "--db");
	refuse_open(f, STORE_REQUEST, TUNER_USAGE, "there is no such database");
	assert_false(exists(f->path));
	assert_false(exists(beside(f, ".lock")));
}

static void of_another_database_the_advice_names_what_named_it(void **state)
{
	static const struct {
		const char *bytes, *says; /* NULL: there is none */
	} cases[] = { { NULL, ": there is no such database; name another one with --reuse" },
		{ "words", ": this is not a database of tuner; name another one with --reuse" } };
	struct fixture *const f = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct text wanted = TEXT_EMPTY;

		if (cases[i].bytes != NULL)
			write_file(f->path, cases[i].bytes);
		text_print(&wanted, "%s%s", f->path, cases[i].says);
		assert_false(store_open_other(f->path, "--reuse", &f->store, &f->err));
		assert_int_equal(f->err.code, TUNER_USAGE);
		assert_string_equal(f->err.message, wanted.bytes);
		text_finish(&wanted);
	}
}

static void an_empty_file_is_taken_by_a_writer_only(void **state)
{
	struct fixture *const f = *state;

	write_file(f->path, ""); /* as a crash leaves it before the tables are made */
	refuse_open(f, STORE_READ, TUNER_USAGE, "empty");
	open_store(f, STORE_WRITE);
	assert_true(fixture_number(f, "SELECT count(*) FROM job") == 0);
}

static void a_database_of_another_program_is_left_alone(void **state)
{
	static const char *const foreign[] = {
		"CREATE TABLE notes (text TEXT)",
		"CREATE TABLE notes (text TEXT); PRAGMA user_version = 1",
		("CREATE TABLE notes (text TEXT); PRAGMA user_version = 1; "
		 "PRAGMA application_id = 1252002"),
		/* our number, but no version that we ever gave */
		"CREATE TABLE job (id INTEGER); PRAGMA application_id = 1953853042",
		"PRAGMA application_id = 1252002",
	};
	struct fixture *const f = *state;

	for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
		run_sql(f->path, foreign[i]);
		struct text before = content(f->path);

		refuse_open(f, STORE_WRITE, TUNER_USAGE, "another program");
		if (i < 4)
			refuse_open(f, STORE_READ, TUNER_USAGE, "another program");
		assert_unchanged(f->path, &before);
		assert_false(exists(beside(f, ".lock")));
		unlink(f->path);
	}
}

static void a_file_that_is_no_database_is_left_alone(void **state)
{
	struct fixture *const f = *state;
	char text[4097];

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	write_file(f->path, text);
	struct text before = content(f->path);

	refuse_open(f, STORE_WRITE, TUNER_USAGE, "not a database of tuner");
	refuse_open(f, STORE_READ, TUNER_USAGE, "not a database of tuner");
	assert_unchanged(f->path, &before);
}

static void a_directory_is_no_database(void **state)
{
	struct fixture *const f = *state;

	assert_int_equal(mkdir(f->path, 0700), 0);
	refuse_open(f, STORE_WRITE, TUNER_USAGE, "not a file");
	refuse_open(f, STORE_READ, TUNER_USAGE, "not a file");
}

static void a_directory_that_does_not_exist_is_named(void **state)
{
	struct fixture *const f = *state;
	char path[128];

	snprintf(path, sizeof path, "%s/nowhere/tuner.db", f->directory);
	assert_false(store_open(path, STORE_WRITE, &f->store, &f->err));
	ASSERT_SAYS(f, TUNER_USAGE, "nowhere");
	assert_false(store_open("", STORE_WRITE, &f->store, &f->err));
	ASSERT_SAYS(f, TUNER_USAGE, "empty");
}

static void names_are_taken_as_they_stand(void **state)
{
	static const char *const names[] = { ":memory:", "a b.db", "a%41?mode=ro#x.db", "\"'.db",
		"file:x.db" };
	struct fixture *const f = *state;
	char old[4096];

	assert_non_null(getcwd(old, sizeof old));
	assert_int_equal(chdir(f->directory), 0);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		ASSERT_OK(f, store_open(names[i], STORE_WRITE, &f->store, &f->err));
		close_store(f);
		assert_true(size_of(names[i]) > 0);
	}
	assert_int_equal(chdir(old), 0);
}

/* ---- without permission ---- */

/* Runs `body` in a process to which permissions apply; root becomes nobody. It returns true if all is
 * well, and says in f->err what is not. */
static void as_anybody(struct fixture *f, bool (*body)(struct fixture *f))
{
	const pid_t pid = fork();

	if (pid == 0) {
		const bool ok =
			(geteuid() != 0 || (setgid(65534) == 0 && setuid(65534) == 0)) && body(f);

		if (!ok)
			print_error("%s\n", f->err.message);
		_exit(ok ? 0 : 1);
	}
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static bool says(const struct fixture *f, enum tuner_code code, const char *part)
{
	return f->err.code == code && strstr(f->err.message, part) != NULL;
}

static bool refuses_to_write(struct fixture *f)
{
	return !store_open(f->path, STORE_WRITE, &f->store, &f->err) &&
	       says(f, TUNER_USAGE, "cannot be written to") && says(f, TUNER_USAGE, "--db");
}

static void a_directory_that_cannot_be_written_is_refused(void **state)
{
	struct fixture *const f = *state;

	assert_int_equal(chmod(f->directory, 0555), 0);
	as_anybody(f, refuses_to_write);
	assert_int_equal(chmod(f->directory, 0700), 0);
	assert_false(exists(f->path));
}

static bool reads_the_job(struct fixture *f)
{
	return store_open(f->path, STORE_READ, &f->store, &f->err) &&
	       fixture_number(f, "SELECT count(*) FROM job") == 1 && refuses_to_write(f);
}

/* Where no -shm can be made, a file that was closed cleanly still opens. Its name goes through a URI. */
static void a_directory_that_cannot_be_written_can_be_read(void **state)
{
	struct fixture *const f = *state;

	snprintf(f->path, sizeof f->path, "%s/a %%41?mode=rw#\xc3\xa9.db", f->directory);
	open_store(f, STORE_WRITE);
	fixture_add_job(f, "job", 5, "loss", "minimize");
	close_store(f);
	assert_int_equal(chmod(f->path, 0444), 0);
	assert_int_equal(chmod(f->directory, 0555), 0);
	as_anybody(f, reads_the_job);
	assert_int_equal(chmod(f->directory, 0700), 0);
}

static bool refuses_to_read(struct fixture *f)
{
	return !store_open(f->path, STORE_READ, &f->store, &f->err) && f->err.code == TUNER_USAGE;
}

/* A copy with commits that are only in its -wal: to read it without them would be to read the past. */
static void a_wal_that_cannot_be_used_is_not_ignored(void **state)
{
	struct fixture *const f = *state;

	open_store(f, STORE_WRITE);
	close_store(f);
	assert_int_equal(chmod(f->path, 0444), 0);
	write_file(beside(f, "-wal"), "commits");
	assert_int_equal(chmod(beside(f, "-wal"), 0444), 0);
	assert_int_equal(chmod(f->directory, 0555), 0);
	as_anybody(f, refuses_to_read);
	assert_int_equal(chmod(f->directory, 0700), 0);
}

/* ---- where it lies ---- */

static void network_file_systems_are_known(void **state)
{
	static const struct {
		unsigned long magic;
		const char *name;
	} cases[] = {
		{ 0x6969, "NFS" }, { 0xff534d42, "CIFS" }, { 0xfe534d42, "SMB" },
		{ 0x01021997, "9p" }, { 0x0bd00bd3, "Lustre" }, { 0x47504653, "GPFS" },
		{ 0xef53, NULL }, /* ext4 */
		{ 0x58465342, NULL }, /* XFS */
		{ 0x01021994, NULL }, /* tmpfs */
		{ 0x794c7630, NULL }, /* overlayfs */
		{ 0x65735546, NULL }, /* FUSE */
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *const name = location_network_name(cases[i].magic);

		if (cases[i].name)
			assert_string_equal(name, cases[i].name);
		else
			assert_null(name);
	}
}

static void two_names_of_one_database_have_one_lock(void **state)
{
	struct fixture *const f = *state;
	char link[128];
	int64_t pid = 0;

	snprintf(link, sizeof link, "%s/link.db", f->directory);
	open_store(f, STORE_WRITE);
	assert_int_equal(symlink("tuner.db", link), 0);
	ASSERT_OK(f, store_holder(link, &pid, &f->err));
	assert_int_equal(pid, getpid());
	close_store(f);

	struct store *store = NULL;

	ASSERT_OK(f, store_open(link, STORE_WRITE, &store, &f->err));
	refuse_open(f, STORE_WRITE, TUNER_RETRY, "in use");
	assert_string_equal(store_path(store), link);
	assert_string_equal(store_directory(store), beside(f, ".d"));
	store_close(store);
}

static void a_link_that_leads_nowhere_is_refused(void **state)
{
	struct fixture *const f = *state;

	assert_int_equal(symlink("elsewhere.db", f->path), 0);
	refuse_open(f, STORE_WRITE, TUNER_USAGE, "leads nowhere");
	refuse_open(f, STORE_READ, TUNER_USAGE, "leads nowhere");
}

/* ---- one writer ---- */

/* Another process, which does as it is told, byte by byte, and answers each with a byte. */
struct process {
	pid_t pid;
	int told, says;
};

static char hear(const struct process *process)
{
	char byte = 0;

	assert_int_equal(read(process->says, &byte, 1), 1);
	return byte;
}

/* `body` reads from fd 3 of its arguments what to do; it never returns. */
static struct process start(struct fixture *f, void (*body)(struct fixture *f, int in, int out))
{
	int in[2], out[2];

	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	const struct process process = { .pid = fork(), .told = in[1], .says = out[0] };

	if (process.pid == 0) {
		close(in[1]);
		close(out[0]);
		body(f, in[0], out[1]);
		_exit(0);
	}
	close(in[0]);
	close(out[1]);
	return process;
}

static void finish(const struct process *process, int signal)
{
	int status = 0;

	if (signal != 0)
		kill(process->pid, signal);
	close(process->told);
	close(process->says);
	assert_int_equal(waitpid(process->pid, &status, 0), process->pid);
	if (signal != 0)
		assert_true(WIFSIGNALED(status));
	else
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void say(int out, char byte)
{
	if (write(out, &byte, 1) != 1)
		_exit(1);
}

static void hold_the_lock(struct fixture *f, int in, int out)
{
	char byte;

	if (!store_open(f->path, STORE_WRITE, &f->store, &f->err))
		_exit(1);
	say(out, 'y');
	if (read(in, &byte, 1) == 0) /* until the other end closes */
		store_close(f->store);
}

static void a_second_writer_is_refused_with_the_pid_of_the_first(void **state)
{
	struct fixture *const f = *state;
	const struct process holder = start(f, hold_the_lock);
	char pid[32];
	int64_t found = 0;

	snprintf(pid, sizeof pid, "pid %d", (int)holder.pid);
	assert_int_equal(hear(&holder), 'y');
	refuse_open(f, STORE_WRITE, TUNER_RETRY, pid);
	ASSERT_SAYS(f, TUNER_RETRY, "tuner stop");
	ASSERT_OK(f, store_holder(f->path, &found, &f->err));
	assert_int_equal(found, holder.pid);
	finish(&holder, 0);
	ASSERT_OK(f, store_holder(f->path, &found, &f->err));
	assert_int_equal(found, 0);
	open_store(f, STORE_WRITE);
}

static void the_lock_of_a_killed_writer_is_free(void **state)
{
	struct fixture *const f = *state;
	const struct process holder = start(f, hold_the_lock);
	int64_t pid = -1;

	assert_int_equal(hear(&holder), 'y');
	finish(&holder, SIGKILL);
	assert_true(size_of(beside(f, ".lock")) > 0); /* its pid still stands there */
	ASSERT_OK(f, store_holder(f->path, &pid, &f->err));
	assert_int_equal(pid, 0);
	open_store(f, STORE_WRITE);
	assert_sound(f);
}

static void nobody_holds_what_was_never_opened(void **state)
{
	struct fixture *const f = *state;
	int64_t pid = -1;

	ASSERT_OK(f, store_holder(f->path, &pid, &f->err));
	assert_int_equal(pid, 0);
	assert_false(exists(beside(f, ".lock")));
}

static void a_holder_whose_pid_is_not_written_yet_is_somebody(void **state)
{
	struct fixture *const f = *state;
	int64_t pid = 0;
	int fd = -1;

	ASSERT_OK(f, file_lock(beside(f, ".lock"), &fd, &f->err));
	ASSERT_OK(f, store_holder(f->path, &pid, &f->err));
	assert_int_equal(pid, -1);
	refuse_open(f, STORE_WRITE, TUNER_RETRY, "another process");
	close(fd);
}

static int64_t expected_holder;

static bool knows_the_holder(struct fixture *f)
{
	int64_t pid = -1;

	return access(beside(f, ".lock"), R_OK) != 0 && store_holder(f->path, &pid, &f->err) &&
	       pid == expected_holder;
}

/* Its owner may let others read the database; the lock stays his. */
static void who_may_not_open_the_lock_knows_the_holder_by_the_kernel(void **state)
{
	struct fixture *const f = *state;
	const struct process holder = start(f, hold_the_lock);

	assert_int_equal(hear(&holder), 'y');
	assert_int_equal(chmod(beside(f, ".lock"), 0), 0);
	assert_int_equal(chmod(f->directory, 0711), 0);
	expected_holder = holder.pid;
	as_anybody(f, knows_the_holder);
	finish(&holder, 0);
	expected_holder = 0;
	as_anybody(f, knows_the_holder);
}

static void readers_and_requests_stand_beside_the_writer(void **state)
{
	struct fixture *const f = *state;
	struct store *reader = NULL, *requester = NULL;
	struct request request;
	int64_t last = -1, id = 0;
	bool found = false;

	open_store(f, STORE_WRITE);
	fixture_use_job(f, fixture_add_job(f, "job", 5, "loss", "minimize"));
	ASSERT_OK(f, store_open(f->path, STORE_READ, &reader, &f->err));
	ASSERT_OK(f, store_open(f->path, STORE_REQUEST, &requester, &f->err));

	ASSERT_OK(f, request_add(requester, f->job, "stop", NULL, fixture_now(f), &id, &f->err));
	ASSERT_OK(f, request_next(f->store, f->job, &request, &found, &f->err));
	assert_true(found);
	assert_int_equal(request.id, id);
	request_finish(&request);
	ASSERT_OK(f, add_event(f, "seen", STORE_LAZY));
	ASSERT_OK(f, event_last(reader, f->job, &last, &f->err));
	assert_true(last > 0);

	/* A reader's connection does not write, whatever it is asked. */
	assert_false(sql_execute(reader->db, f->path, "DELETE FROM job", &f->err));
	ASSERT_SAYS(f, TUNER_USAGE, "readonly");
	store_close(reader);
	store_close(requester);
}

static void a_reader_sees_the_state_of_one_moment(void **state)
{
	struct fixture *const f = *state;
	struct store *reader = NULL;
	struct query query;
	int64_t n = -1;
	bool found = false;

	open_store(f, STORE_WRITE);
	fixture_use_job(f, fixture_add_job(f, "job", 5, "loss", "minimize"));
	ASSERT_OK(f, store_open(f->path, STORE_READ, &reader, &f->err));
	ASSERT_OK(f, store_begin(f->store, STORE_LAZY, &f->err));
	ASSERT_OK(f, event_add(f->store, f->job, 0, 0, "a", NULL, 1, &n, &f->err));
	ASSERT_OK(f, event_last(reader, f->job, &n, &f->err));
	assert_int_equal(n, 0); /* not committed */

	query_open(&query, reader, "SELECT count(*) FROM job");
	ASSERT_OK(f, query_row(&query, &found, &f->err));
	ASSERT_OK(f, store_commit(f->store, &f->err)); /* a reader in mid-query hinders nobody */
	query_close(&query);
	ASSERT_OK(f, event_last(reader, f->job, &n, &f->err));
	assert_true(n > 0);
	store_close(reader);
}

/* ---- limits ---- */

static void assert_limits(const struct judgement *limits, double objective, double a, double b)
{
	assert_int_equal(limits->n_limits, 2);
	assert_true(limits->objective == objective);
	assert_true(limits->excess[0] == a || (isnan(a) && isnan(limits->excess[0])));
	assert_true(limits->excess[1] == b || (isnan(b) && isnan(limits->excess[1])));
	assert_int_equal(limits->n_also, 2);
	assert_true(limits->also[0] == a || (isnan(a) && isnan(limits->also[0])));
	assert_true(limits->also[1] == 0.1);
}

static int64_t add_over_limit(struct fixture *f, double a, double b)
{
	const int64_t attempt = fixture_run_attempt(f, fixture_add_trial(f));
	struct attempt_end end = fixture_end_of(OUTCOME_OK, TRIAL_FAILED, NAN);
	int64_t event = 0;

	end.counts_as = OUTCOME_OVER_LIMIT;
	end.message = "";
	end.trial_message = "too slow";
	end.judgement = (struct judgement){ .n_limits = 2,
		.objective = 1.0 / 3,
		.excess = { a, b },
		.n_also = 2,
		.also = { a, 0.1 } };
	CHANGE(f, attempt_end(f->store, attempt, &end, fixture_now(f), &event, &f->err));
	return attempt;
}

static struct trial only_trial(struct fixture *f, struct trial_list *list)
{
	const struct trial_filter filter = { .job_id = f->job, .repeat = -1 };

	ASSERT_OK(f, trial_select(f->store, &filter, list, &f->err));
	assert_int_equal(list->n, 1);
	return list->items[0];
}

static void how_a_trial_kept_its_limits_is_read_to_the_bit(void **state)
{
	static const double all[][2] = { { 0.1, -0.2 }, { NAN, INFINITY }, { -INFINITY, 5e-324 } };

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct fixture *const f = *state;
		struct trial_list list;
		char name[16];

		if (i == 0)
			open_store(f, STORE_WRITE);
		snprintf(name, sizeof name, "job %zu", i);
		fixture_use_job(f, fixture_add_job(f, name, 5, "loss", "minimize"));
		add_over_limit(f, all[i][0], all[i][1]);

		const struct trial trial = only_trial(f, &list);

		assert_limits(&trial.judgement, 1.0 / 3, all[i][0], all[i][1]);
		assert_int_equal(trial.state, TRIAL_FAILED);
		assert_int_equal(trial.outcome, OUTCOME_OVER_LIMIT);
		assert_true(isnan(trial.objective));
		assert_string_equal(trial.message, "too slow");
		trial_list_finish(&list);
	}
	struct fixture *const f = *state;

	ASSERT_ROWS(
		f, "SELECT group_concat(DISTINCT outcome || '/' || message) FROM attempt", "ok/");
	/* Optuna reads what cannot be computed as broken. */
	ASSERT_ROWS(f, "SELECT group_concat(value_json, ' ') FROM trial_system_attributes",
		"[0.1,-0.2] [1e999,1e999] [-1e999,5e-324]");
	ASSERT_ROWS(f, "SELECT DISTINCT state FROM trials", "COMPLETE");
	ASSERT_ROWS(f, "SELECT printf('%.3f', min(value)) FROM trial_values WHERE objective = 0",
		"0.333");
}

static void limits_come_back_with_an_end_that_was_taken_back(void **state)
{
	struct fixture *const f = *state;
	struct reopening *reopenings;
	struct trial_list list;
	size_t n;

	open_store(f, STORE_WRITE);
	fixture_use_job(f, fixture_add_job(f, "job", 5, "loss", "minimize"));
	add_over_limit(f, 2, -1);
	CHANGE(f, trial_reopen(f->store, 1, fixture_now(f), &f->err));

	struct trial trial = only_trial(f, &list);

	assert_int_equal(trial.judgement.n_limits, 0);
	assert_int_equal(trial.judgement.n_also, 0);
	ASSERT_OK(f, trial_reopenings(f->store, f->job, &reopenings, &n, &f->err));
	assert_int_equal(n, 1);
	reopening_undo(&reopenings[0], &trial);
	assert_int_equal(trial.outcome, OUTCOME_OVER_LIMIT);
	assert_limits(&trial.judgement, 1.0 / 3, 2, -1);
	free(reopenings);
	trial_list_finish(&list);
}

/* ---- further objectives ---- */

static void add_outcome(struct fixture *f, double loss, double lag, double hits)
{
	const int64_t attempt = fixture_run_attempt(f, fixture_add_trial(f));
	struct attempt_end end = fixture_end_of(OUTCOME_OK, TRIAL_DONE, loss);
	int64_t event = 0;

	end.judgement = (struct judgement){ .n_also = 2, .also = { lag, hits } };
	CHANGE(f, attempt_end(f->store, attempt, &end, fixture_now(f), &event, &f->err));
}

static void add_outcome_of_four(struct fixture *f, const double v[4])
{
	const int64_t attempt = fixture_run_attempt(f, fixture_add_trial(f));
	struct attempt_end end = fixture_end_of(OUTCOME_OK, TRIAL_DONE, v[0]);
	int64_t event = 0;

	end.judgement = (struct judgement){ .n_also = 3, .also = { v[1], v[2], v[3] } };
	CHANGE(f, attempt_end(f->store, attempt, &end, fixture_now(f), &event, &f->err));
}

static void give_further_objectives(struct fixture *f)
{
	close_store(f);
	run_sql(f->path,
		"UPDATE objective_version SET definition = '{\"also\": [{\"minimize\": "
		"\"`lag-ms`\"}, {\"maximize\": \"log2(hits)\"}]}' WHERE goal = 'minimize'");
	open_store(f, STORE_WRITE);
}

static void the_front_is_of_all_objectives(void **state)
{
	struct fixture *const f = *state;

	open_store(f, STORE_WRITE);
	fixture_use_job(f, fixture_add_job(f, "job", 20, "loss", "minimize"));
	give_further_objectives(f);
	add_outcome(f, 3, 10, 5);
	add_outcome(f, 1, 30, 5);
	add_outcome(f, 3, 11, 5); /* the first is faster */
	add_outcome(f, 3, 10, 4); /* and hits more */
	add_outcome(f, 3, 10, 5); /* equal to the first */
	add_outcome(f, 9, 90, 6);
	add_outcome(f, 9, INFINITY, 6);
	fixture_end(
		f, fixture_run_attempt(f, fixture_add_trial(f)), OUTCOME_NAN, TRIAL_FAILED, NAN);
	ASSERT_ROWS(f,
		"SELECT group_concat(number, ' ') FROM (SELECT number FROM v_front ORDER BY "
		"number)",
		"1 2 5 6");
	/* With one objective the front is the best. */
	fixture_use_job(f, fixture_add_job(f, "single", 5, "accuracy", "maximize"));
	for (int i = 0; i < 3; i++)
		fixture_add_done(f, i % 2);
	ASSERT_ROWS(f, "SELECT job || number FROM v_front WHERE job = 'single'", "single2");
}

/* (objective, further one) of two to be minimised. */
static void add_outcome_of_two(struct fixture *f, double loss, double lag)
{
	const int64_t attempt = fixture_run_attempt(f, fixture_add_trial(f));
	struct attempt_end end = fixture_end_of(OUTCOME_OK, TRIAL_DONE, loss);
	int64_t event = 0;

	end.judgement = (struct judgement){ .n_also = 1, .also = { lag } };
	CHANGE(f, attempt_end(f->store, attempt, &end, fixture_now(f), &event, &f->err));
}

static void the_front_of_two_objectives_is_a_stair(void **state)
{
	struct fixture *const f = *state;

	open_store(f, STORE_WRITE);
	for (int job = 0; job < 2; job++) { /* each on its own */
		fixture_use_job(
			f, fixture_add_job(f, job == 0 ? "job" : "other", 20, "loss", "minimize"));
		close_store(f);
		run_sql(f->path,
			"UPDATE objective_version SET definition = '{\"also\": [{\"minimize\": "
			"\"lag\"}]}'");
		open_store(f, STORE_WRITE);
		if (job == 1)
			add_outcome_of_two(f, -9, -9);
		add_outcome_of_two(f, 2, 4);
		add_outcome_of_two(f, 2, 4); /* both are on it */
		add_outcome_of_two(f, 2, 5); /* as good in one, worse in the other */
		add_outcome_of_two(f, 3, 4);
		add_outcome_of_two(f, 3, 3);
		add_outcome_of_two(f, 2.5, 9);
		add_outcome_of_two(f, 1, INFINITY);
		add_outcome_of_two(f, INFINITY, -INFINITY);
		add_outcome_of_two(f, 0.5, INFINITY); /* surpasses the infinite one before */
	}
	ASSERT_ROWS(f,
		"SELECT group_concat(number, ' ') FROM (SELECT number FROM v_front WHERE job = "
		"'job' ORDER BY number)",
		"1 2 5 8 9");
	ASSERT_ROWS(f,
		"SELECT group_concat(number, ' ') FROM (SELECT number FROM v_front WHERE job = "
		"'other' ORDER BY number)",
		"1 9");
}

/* Each objective in turn decides that the second trial is off the front, whatever its goal is. */
static void of_four_objectives_each_counts(void **state)
{
	struct fixture *const f = *state;
	static const double better[4] = { 1, -1, 1, -1 }; /* of goals maximize, minimize ... */

	open_store(f, STORE_WRITE);
	for (int k = 0; k < 4; k++)
		for (int sign = -1; sign <= 1; sign += 2) {
			double v[4] = { 0, 0, 0, 0 };
			char name[16];

			snprintf(name, sizeof name, "job %d %d", k, sign);
			fixture_use_job(f, fixture_add_job(f, name, 5, "accuracy", "maximize"));
			close_store(f);
			run_sql(f->path, "UPDATE objective_version SET definition = '{\"also\": "
					 "[{\"minimize\": \"a\"}, {\"maximize\": \"b\"}, "
					 "{\"minimize\": \"c\"}]}'");
			open_store(f, STORE_WRITE);
			add_outcome_of_four(f, v);
			v[k] = sign;
			add_outcome_of_four(f, v);
			ASSERT_ROWS(f,
				"SELECT number FROM v_front WHERE job_id = (SELECT max(id) FROM "
				"job)",
				sign == better[k] ? "2" : "1");
		}
}

static void add_timeout(struct fixture *f)
{
	const int64_t attempt = fixture_run_attempt(f, fixture_add_trial(f));

	fixture_add_metric(f, attempt, 1, 0.25);
	fixture_end(f, attempt, OUTCOME_TIMEOUT, TRIAL_STOPPED, 0.25);
}

static void optuna_sees_all_objectives(void **state)
{
	struct fixture *const f = *state;

	open_store(f, STORE_WRITE);
	fixture_use_job(f, fixture_add_job(f, "single", 5, "accuracy", "maximize"));
	fixture_add_done(f, 7);
	fixture_use_job(f, fixture_add_job(f, "job", 5, "loss", "minimize"));
	give_further_objectives(f);
	add_outcome(f, 3, INFINITY, -0.5);
	ASSERT_ROWS(f,
		"SELECT group_concat(study_id || ' ' || objective || ' ' || direction, ', ') FROM "
		"(SELECT * FROM study_directions ORDER BY study_id, objective)",
		"1 0 MAXIMIZE, 2 0 MINIMIZE, 2 1 MINIMIZE, 2 2 MAXIMIZE");
	ASSERT_ROWS(f, "SELECT count(DISTINCT study_direction_id) FROM study_directions", "4");
	ASSERT_ROWS(f,
		"SELECT group_concat(trial_id || ' ' || objective || ' ' || coalesce(value, "
		"value_type), ', ') FROM (SELECT * FROM trial_values ORDER BY trial_id, objective)",
		"1 0 7.0, 2 0 3.0, 2 1 INF_POS, 2 2 -0.5");
	ASSERT_ROWS(f, "SELECT count(DISTINCT trial_value_id) FROM trial_values", "4");
	/* One that a limit of time has stopped has not all of them, and so none: Optuna copies no
	 * study with a trial of another number of values. */
	add_timeout(f);
	ASSERT_ROWS(f, "SELECT state FROM trials WHERE trial_id = 3", "PRUNED");
	ASSERT_ROWS(f, "SELECT count(*) FROM trial_values WHERE trial_id = 3", "0");
	fixture_use_job(f, 1);
	add_timeout(f);
	ASSERT_ROWS(f, "SELECT objective || ' ' || value FROM trial_values WHERE trial_id = 4",
		"0 0.25");
	ASSERT_ROWS(f, "SELECT group_concat(value_json, ' ') FROM study_system_attributes",
		"[\"accuracy\"] [\"loss\",\"lag-ms\",\"log2(hits)\"]");
}

static void limits_of_an_earlier_objective_come_back(void **state)
{
	struct fixture *const f = *state;
	const struct score score = { TRIAL_DONE, OUTCOME_OK, 1.0 / 3,
		{ 2, 1.0 / 3, { -2, -5 }, 2, { -2, 0.1 } } };
	struct rescoring *rescorings;
	struct trial_list list;
	int64_t version = 0;
	size_t n;

	open_store(f, STORE_WRITE);
	fixture_use_job(f, fixture_add_job(f, "job", 5, "loss", "minimize"));
	add_over_limit(f, 2, -1);
	only_trial(f, &list);
	ASSERT_OK(f, store_begin(f->store, STORE_LAZY, &f->err));
	ASSERT_OK(f, job_add_objective_version(f->store, f->job, "loss", "minimize", "{}",
			     fixture_now(f), &version, &f->err));
	ASSERT_OK(f, trial_rescore(f->store, &list.items[0], version, &score, NULL, fixture_now(f),
			     &f->err));
	ASSERT_OK(f, job_rescored(f->store, f->job, version, fixture_now(f), &f->err));
	ASSERT_OK(f, store_commit(f->store, &f->err));
	trial_list_finish(&list);

	struct trial trial = only_trial(f, &list);

	assert_limits(&trial.judgement, 1.0 / 3, -2, -5);
	assert_string_equal(trial.message, "");
	ASSERT_OK(f, trial_rescorings(f->store, f->job, &rescorings, &n, &f->err));
	rescorings_undo(rescorings, n, version - 1, 0, &trial);
	assert_limits(&trial.judgement, 1.0 / 3, 2, -1);
	free(rescorings);
	trial_list_finish(&list);
}

static void what_a_decision_expected_of_limits_is_read(void **state)
{
	static const char *const settings[] = {
		"{\"name\": \"bayesian\", \"gain_mean\": 2, \"gain_sd\": 0.5}",
		"{\"name\": \"bayesian\", \"gain_mean\": 3, \"gain_sd\": 0.25, "
		"\"limits_probability\": 0.75}"
	};
	struct fixture *const f = *state;
	struct prognosis read[4];
	size_t n = 0;

	open_store(f, STORE_WRITE);
	fixture_use_job(f, fixture_add_job(f, "job", 5, "loss", "minimize"));
	for (size_t i = 0; i < 2; i++) {
		struct decision decision = fixture_decision();
		const struct trial_new trial = fixture_new(f);

		decision.strategy = "bayesian";
		decision.branch = "model";
		decision.settings = settings[i];
		decision.incumbent = 1;
		fixture_propose(f, &trial, &decision);
	}
	ASSERT_OK(f, decision_prognoses(f->store, f->job, "", 0, read, 4, &n, &f->err));
	assert_int_equal(n, 2);
	assert_true(read[0].mean == 2 && read[0].sd == 0.5 && read[0].over == 0);
	assert_true(read[1].mean == 3 && read[1].incumbent == 1 && read[1].over == 0.25);
}

static void what_limits_cannot_be_is_told(void **state)
{
	static const char *const wrong[] = { "{}", "{\"objective\":1,\"excess\":[]}",
		"{\"objective\":1,\"excess\":[1,2,3,4,5,6,7,8,9]}", "{\"excess\":[1]}",
		"{\"objective\":1,\"excess\":[\"1\"]}" };
	struct fixture *const f = *state;

	open_store(f, STORE_WRITE);
	fixture_use_job(f, fixture_add_job(f, "job", 5, "loss", "minimize"));
	add_over_limit(f, 2, -1);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		const struct trial_filter filter = { .job_id = f->job, .repeat = -1 };
		struct trial_list list;
		char sql[200];

		snprintf(sql, sizeof sql, "UPDATE trial SET limits = '%s'", wrong[i]);
		run_sql(f->path, sql);
		assert_false(trial_select(f->store, &filter, &list, &f->err));
		ASSERT_SAYS(f, TUNER_FATAL, "trial 1: how it kept the limits is");
	}
}

/* ---- another version ---- */

/* Which may be that of a warm start, and not the one that is used without --db. */
static void what_brings_an_older_database_forward_names_it(void **state)
{
	struct fixture *const f = *state;
	char advice[sizeof f->path + 64];

	open_store(f, STORE_WRITE);
	close_store(f);
	run_sql(f->path, "PRAGMA user_version = 6");
	snprintf(advice, sizeof advice, "`tuner run JOB --db %s`", f->path);
	refuse_open(f, STORE_READ, TUNER_USAGE, advice);
}

static void a_newer_database_can_only_be_read(void **state)
{
	struct fixture *const f = *state;

	open_store(f, STORE_WRITE);
	fixture_add_job(f, "job", 5, "loss", "minimize");
	close_store(f);
	run_sql(f->path, "ALTER TABLE job ADD COLUMN future TEXT; PRAGMA user_version = 99");
	struct text before = content(f->path);

	refuse_open(f, STORE_WRITE, TUNER_USAGE, "newer tuner");
	refuse_open(f, STORE_REQUEST, TUNER_USAGE, "newer tuner");
	open_store(f, STORE_READ);
	assert_true(fixture_number(f, "SELECT count(*) FROM job") == 1);
	close_store(f);
	assert_unchanged(f->path, &before);
	for (int version = 1; version <= STORE_SCHEMA_VERSION; version++) {
		char end[32];

		snprintf(end, sizeof end, ".v%d.bak", version);
		assert_false(exists(beside(f, end)));
	}
}

static void schema_sum(struct fixture *f, char ret[SHA256_TEXT])
{
	struct query query;
	struct sha256 sum;
	bool found = false;

	sha256_begin(&sum);
	query_open(&query, f->store,
		"SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema "
		"ORDER BY type, name");
	while (query_row(&query, &found, &f->err) && found) {
		const char *object = query_text(&query);
		sha256_add(&sum, object, strlen(object) + 1);
	}
	query_close(&query);
	sha256_end(&sum, ret);
}

#define WITHOUT_STEP_6 "ALTER TABLE machine RENAME COLUMN libraries TO blas; "
/* Any view will do: of another text. */
#define WITHOUT_STEP_5                                                                             \
	"DROP VIEW v_learning_curve; CREATE VIEW v_learning_curve AS SELECT 1 AS job; "            \
	"DROP VIEW trial_intermediate_values; "                                                    \
	"CREATE VIEW trial_intermediate_values AS SELECT 1 AS trial_id; "
#define WITHOUT_STEP_4 "DROP INDEX trial_outcome; DROP INDEX event_trial; "
#define WITHOUT_STEPS_2_AND_3                                                                      \
	"DROP TABLE artifact; DROP TABLE manifest; DROP TABLE provenance; "                        \
	"DROP TABLE run_versions; DROP TABLE job_source; DROP TABLE fingerprint; "                 \
	"DROP TABLE document; DROP TABLE gpu_use; "

/* `without`: takes away what a file of that version lacks, and nothing else. */
static void assert_migrates(struct fixture *f, const char *without, const char *backup)
{
	char fresh[SHA256_TEXT], migrated[SHA256_TEXT];

	open_store(f, STORE_WRITE);
	const int64_t id = fixture_add_job(f, "job", 5, "loss", "minimize");

	schema_sum(f, fresh);
	close_store(f);
	run_sql(f->path, without);
	open_store(f, STORE_WRITE);
	assert_true(exists(beside(f, backup)));
	assert_true(fixture_number(f, "PRAGMA user_version") == STORE_SCHEMA_VERSION);
	schema_sum(f, migrated);
	assert_string_equal(migrated, fresh);
	fixture_use_job(f, id);
}

static void an_old_file_with_a_row_that_refers_nowhere_stays_as_it_is(void **state)
{
	struct fixture *const f = *state;

	open_store(f, STORE_WRITE);
	fixture_add_job(f, "job", 5, "loss", "minimize");
	close_store(f);
	run_sql(f->path, WITHOUT_STEP_8 WITHOUT_STEP_6
		"PRAGMA user_version = 5; INSERT INTO trial_param (trial, parameter, value) "
		"VALUES (99, 1, 0.5)");
	refuse_open(f, STORE_WRITE, TUNER_FATAL, "a row of trial_param refers to one");
	ASSERT_SAYS(f, TUNER_FATAL, "the file is unchanged");
	ASSERT_SAYS(f, TUNER_FATAL, "go on from an older copy");
	run_sql(f->path, "DELETE FROM trial_param");
	open_store(f, STORE_WRITE);
	assert_true(fixture_number(f, "PRAGMA user_version") == STORE_SCHEMA_VERSION);
}

static void a_file_of_version_1_becomes_the_same_as_a_new_one(void **state)
{
	assert_migrates(*state,
		WITHOUT_STEP_8 WITHOUT_STEP_6 WITHOUT_STEP_5 WITHOUT_STEP_4 WITHOUT_STEPS_2_AND_3
		"PRAGMA user_version = 1",
		".v1.bak");
}

static void a_file_of_version_3_becomes_the_same_as_a_new_one(void **state)
{
	assert_migrates(*state,
		WITHOUT_STEP_8 WITHOUT_STEP_6 WITHOUT_STEP_5 WITHOUT_STEP_4
		"PRAGMA user_version = 3",
		".v3.bak");
}

static void a_file_of_version_4_becomes_the_same_as_a_new_one(void **state)
{
	assert_migrates(*state,
		WITHOUT_STEP_8 WITHOUT_STEP_6 WITHOUT_STEP_5 "PRAGMA user_version = 4", ".v4.bak");
}

static void a_file_of_version_5_becomes_the_same_as_a_new_one(void **state)
{
	assert_migrates(*state, WITHOUT_STEP_8 WITHOUT_STEP_6 "PRAGMA user_version = 5", ".v5.bak");
}

static void a_file_of_version_6_becomes_the_same_as_a_new_one(void **state)
{
	assert_migrates(*state, WITHOUT_STEP_8 "PRAGMA user_version = 6", ".v6.bak");
}

/* ---- transactions ---- */

static void a_rollback_leaves_nothing(void **state)
{
	struct fixture *const f = *state;
	int64_t id = 0;

	fixture_use_job(f, fixture_add_job(f, "job", 5, "loss", "minimize"));
	ASSERT_OK(f, store_begin(f->store, STORE_DURABLE, &f->err));
	ASSERT_OK(f, event_add(f->store, f->job, 0, 0, "a", NULL, 1, &id, &f->err));
	store_rollback(f->store);
	store_rollback(f->store); /* nothing to do */
	assert_true(fixture_number(f, "SELECT count(*) FROM event") == 0);
	ASSERT_OK(f, add_event(f, "b", STORE_DURABLE));
}

static void closing_rolls_an_open_transaction_back(void **state)
{
	struct fixture *const f = *state;
	int64_t id = 0;

	fixture_use_job(f, fixture_add_job(f, "job", 5, "loss", "minimize"));
	ASSERT_OK(f, store_begin(f->store, STORE_LAZY, &f->err));
	ASSERT_OK(f, event_add(f->store, f->job, 0, 0, "a", NULL, 1, &id, &f->err));
	close_store(f);
	open_store(f, STORE_WRITE);
	assert_true(fixture_number(f, "SELECT count(*) FROM event") == 0);
}

static void a_durable_commit_waits_for_the_disk_and_a_lazy_one_does_not(void **state)
{
	static const enum store_durability order[] = { STORE_LAZY, STORE_DURABLE, STORE_DURABLE,
		STORE_LAZY, STORE_LAZY, STORE_DURABLE };
	struct fixture *const f = *state;

	fixture_use_job(f, fixture_add_job(f, "job", 5, "loss", "minimize"));
	ASSERT_OK(f, add_event(f, "first", STORE_DURABLE));
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		n_syncs = 0;
		ASSERT_OK(f, add_event(f, "a", order[i]));
		assert_int_equal(n_syncs, order[i] == STORE_DURABLE);
	}
}

/* ---- crashes ---- */

static void die_within_a_transaction(struct fixture *f, int in, int out)
{
	int64_t id;

	if (!store_open(f->path, STORE_WRITE, &f->store, &f->err) ||
		!add_event(f, "committed", STORE_DURABLE) ||
		!store_begin(f->store, STORE_DURABLE, &f->err) ||
		!event_add(f->store, f->job, 0, 0, "lost", NULL, 1, &id, &f->err) ||
		!sql_execute(f->store->db, "", "PRAGMA cache_spill = ON; PRAGMA cache_size = 1",
			&f->err))
		_exit(1);
	for (int i = 0; i < 20000; i++) /* more than the cache holds: pages reach the file */
		if (!event_add(f->store, f->job, 0, 0, "lost", NULL, 1, &id, &f->err))
			_exit(1);
	say(out, 'y');
	pause();
}

static void a_writer_killed_within_a_transaction_leaves_the_last_commit(void **state)
{
	struct fixture *const f = *state;

	open_store(f, STORE_WRITE);
	fixture_use_job(f, fixture_add_job(f, "job", 5, "loss", "minimize"));
	close_store(f);
	const struct process writer = start(f, die_within_a_transaction);

	assert_int_equal(hear(&writer), 'y');
	assert_true(size_of(beside(f, "-wal")) > 100000);
	finish(&writer, SIGKILL);
	open_store(f, STORE_READ);
	ASSERT_ROWS(f, "SELECT kind FROM event", "committed");
	close_store(f);
	open_store(f, STORE_WRITE);
	ASSERT_ROWS(f, "SELECT kind FROM event", "committed");
	assert_sound(f);
	ASSERT_OK(f, add_event(f, "after", STORE_DURABLE));
}

static void commit_pairs(struct fixture *f, int in, int out)
{
	if (!store_open(f->path, STORE_WRITE, &f->store, &f->err))
		_exit(1);
	for (int64_t id;;) {
		if (!store_begin(f->store, STORE_LAZY, &f->err) ||
			!event_add(f->store, f->job, 0, 0, "a", NULL, 1, &id, &f->err) ||
			!event_add(f->store, f->job, 0, 0, "b", NULL, 1, &id, &f->err) ||
			!store_commit(f->store, &f->err))
			_exit(1);
		say(out, 'y');
	}
}

/* Killed wherever it happens to be: what was acknowledged is there, and nothing by half. */
static void a_writer_killed_anywhere_keeps_what_it_acknowledged(void **state)
{
	struct fixture *const f = *state;
	int64_t acknowledged = 0;

	open_store(f, STORE_WRITE);
	fixture_use_job(f, fixture_add_job(f, "job", 5, "loss", "minimize"));
	close_store(f);
	for (int round = 1; round <= 12; round++) {
		const struct process writer = start(f, commit_pairs);

		for (int i = 0; i < 7 * round; i++, acknowledged++)
			assert_int_equal(hear(&writer), 'y');
		kill(writer.pid, SIGKILL);
		for (char byte; read(writer.says, &byte, 1) == 1;)
			acknowledged++; /* those that it said since */
		finish(&writer, SIGKILL);
		open_store(f, STORE_WRITE);
		const double a = fixture_number(f, "SELECT count(*) FROM event WHERE kind = 'a'");
		const double b = fixture_number(f, "SELECT count(*) FROM event WHERE kind = 'b'");

		assert_true(a == b);
		assert_true(a == (double)acknowledged || a == (double)(acknowledged + 1));
		acknowledged = (int64_t)a;
		assert_sound(f);
		close_store(f);
	}
}

/* Whichever write fails, the state stays that of the last commit, the program can go on when there is
 * room again, and nothing is damaged. */
static void why_an_attempt_is_to_be_ended_is_known_to_the_next_writer(void **state)
{
	struct fixture *f = *state;
	const int64_t trial = fixture_add_trial(f);
	const int64_t first = fixture_run_attempt(f, trial);
	enum outcome why;
	char reason[16] = "";

	ASSERT_OK(f, attempt_stop_load(f->store, first, &why, reason, sizeof(reason), &f->err));
	assert_int_equal(why, OUTCOME_NONE);
	CHANGE(f, attempt_stop(f->store, first, OUTCOME_EARLY_STOPPED, "worse than \"0.5\"",
			  fixture_now(f), &f->err));
	ASSERT_OK(f, attempt_stop_load(f->store, first, &why, reason, sizeof(reason), &f->err));
	assert_int_equal(why, OUTCOME_EARLY_STOPPED);
	assert_string_equal(reason, "worse than \"0.5"); /* cut */

	/* What was said of one attempt does not hold for the next. */
	fixture_end(f, first, OUTCOME_LOST, TRIAL_PROPOSED, NAN);
	ASSERT_OK(f, attempt_stop_load(f->store, fixture_run_attempt(f, trial), &why, reason,
			     sizeof(reason), &f->err));
	assert_int_equal(why, OUTCOME_NONE);
}

static void a_full_disk_loses_nothing(void **state)
{
	struct fixture *const f = *state;
	double before = 0;
	bool failed = true;

	fixture_use_job(f, fixture_add_job(f, "job", 1000, "loss", "minimize"));
	for (unsigned n = 1; failed; n++) {
		const struct trial_new trial = fixture_new(f);
		const struct decision decision = fixture_decision();
		bool capped;
		int64_t id;

		ASSERT_OK(f, store_begin(f->store, STORE_DURABLE, &f->err));
		fill_disk_after(n);
		failed = !fixture_create(f, &trial, &decision, &id, &capped) ||
			 !store_commit(f->store, &f->err);
		fill_disk_after(0);
		if (failed) {
			ASSERT_SAYS(f, TUNER_FATAL, "no space left");
			store_rollback(f->store);
		}
		assert_true(fixture_number(f, "SELECT count(*) FROM trial") == before + !failed);
		before += !failed;
		assert_sound(f);
		fixture_add_trial(f);
		before++;
	}
	close_store(f);
	open_store(f, STORE_WRITE);
	assert_true(fixture_number(f, "SELECT count(*) FROM trial") == before);
	assert_true(before > 3); /* several writes failed */
	assert_sound(f);
}

/* The same when the tables are made: the next try starts from nothing. */
static void a_full_disk_makes_no_half_database(void **state)
{
	struct fixture *const f = *state;
	bool failed = true;
	unsigned n;

	for (n = 1; failed; n++) {
		fill_disk_after(n);
		failed = !store_open(f->path, STORE_WRITE, &f->store, &f->err);
		fill_disk_after(0);
		if (failed)
			ASSERT_SAYS(f, TUNER_FATAL, "no space left");
	}
	assert_true(n > 20);
	assert_sound(f);
	fixture_use_job(f, fixture_add_job(f, "job", 5, "loss", "minimize"));
}

/* ---- the length of the WAL ---- */

enum { MIB = 1 << 20 };

static void commit_mib(struct fixture *f, int mib)
{
	char sql[256];

	snprintf(sql, sizeof sql,
		"INSERT INTO event (job, kind, data, time_us) "
		"VALUES (%" PRId64 ", 'big', json_quote(hex(zeroblob(%d))), 1)",
		f->job, mib * MIB / 2);
	ASSERT_OK(f, store_begin(f->store, STORE_LAZY, &f->err));
	ASSERT_OK(f, sql_execute(f->store->db, f->path, sql, &f->err));
	ASSERT_OK(f, store_commit(f->store, &f->err));
}

static void the_wal_stays_small(void **state)
{
	struct fixture *const f = *state;

	fixture_use_job(f, fixture_add_job(f, "job", 5, "loss", "minimize"));
	for (int i = 0; i < 30; i++) {
		commit_mib(f, 1);
		ASSERT_OK(f, store_checkpoint(f->store, &f->err));
	}
	assert_true(size_of(beside(f, "-wal")) < 6 * MIB);
	assert_true(size_of(f->path) > 24 * MIB);
}

static void the_wal_stays_small_if_nobody_asks_for_checkpoints(void **state)
{
	struct fixture *const f = *state;

	fixture_use_job(f, fixture_add_job(f, "job", 5, "loss", "minimize"));
	for (int i = 0; i < 40; i++)
		commit_mib(f, 1);
	assert_true(size_of(beside(f, "-wal")) < 24 * MIB);
}

static int64_t begin_reading(struct fixture *f, struct store *reader)
{
	int64_t n = -1;

	ASSERT_OK(f, sql_execute(reader->db, f->path, "BEGIN", &f->err));
	ASSERT_OK(f, event_last(reader, f->job, &n, &f->err));
	return n;
}

/* Two readers that overlap: whenever one ends, the other has begun already. Each looks for as long as a
 * query takes. */
static void read_without_a_gap(struct fixture *f, int in, int out)
{
	static const struct timespec query = { .tv_nsec = 10 * 1000 * 1000 };
	struct store *readers[2] = { NULL, NULL };
	struct pollfd end = { .fd = in, .events = POLLIN };

	for (int i = 0; i < 2; i++) {
		if (!store_open(f->path, STORE_READ, &readers[i], &f->err))
			_exit(1);
		begin_reading(f, readers[i]);
	}
	say(out, 'y');
	for (int i = 0; poll(&end, 1, 0) == 0; i = 1 - i) {
		if (!sql_execute(readers[i]->db, f->path, "ROLLBACK", &f->err))
			_exit(1);
		begin_reading(f, readers[i]);
		nanosleep(&query, NULL);
	}
	store_close(readers[0]);
	store_close(readers[1]);
}

static void the_wal_stays_below_64_mib_while_readers_come_and_go(void **state)
{
	struct fixture *const f = *state;
	int64_t longest = 0;

	fixture_use_job(f, fixture_add_job(f, "job", 5, "loss", "minimize"));
	close_store(f); /* no connection goes along with a fork */
	const struct process readers = start(f, read_without_a_gap);

	assert_int_equal(hear(&readers), 'y');
	open_store(f, STORE_WRITE);
	for (int i = 0; i < 44; i++) {
		commit_mib(f, 2);
		ASSERT_OK(f, store_checkpoint(f->store, &f->err));
		if (size_of(beside(f, "-wal")) > longest)
			longest = size_of(beside(f, "-wal"));
	}
	assert_true(longest < 64 * MIB);
	finish(&readers, 0);
}

static void a_reader_that_never_ends_is_told_of_and_loses_nothing(void **state)
{
	struct fixture *const f = *state;
	struct store *reader = NULL;

	fixture_use_job(f, fixture_add_job(f, "job", 5, "loss", "minimize"));
	ASSERT_OK(f, store_open(f->path, STORE_READ, &reader, &f->err));
	commit_mib(f, 1);
	const int64_t seen = begin_reading(f, reader);

	commit_mib(f, 40);
	ASSERT_OK(f, store_checkpoint(f->store, &f->err)); /* waits for it, and then goes on */
	commit_mib(f, 28);
	assert_false(store_checkpoint(f->store, &f->err));
	ASSERT_SAYS(f, TUNER_RETRY, "fuser");
	ASSERT_OK(f, store_checkpoint(f->store, &f->err)); /* once is enough */
	assert_int_equal(
		fixture_number(&(struct fixture){ .store = reader }, "SELECT max(id) FROM event"),
		seen);

	store_close(reader);
	commit_mib(f, 5);
	ASSERT_OK(f, store_checkpoint(f->store, &f->err));
	assert_int_equal(size_of(beside(f, "-wal")), 0);
	assert_true(fixture_number(f, "SELECT count(*) FROM event") == 4);
	assert_sound(f);
}

/* ---- lists of all states ---- */

/* Twelve trials: done, failed, stopped, running and proposed ones, ended in another order than proposed. */
static void add_mixture(struct fixture *f)
{
	static const double objectives[] = { 3, 1, 2, 1 };
	int64_t attempts[12];

	for (size_t i = 0; i < 12; i++) {
		const int64_t trial = fixture_add_trial(f);

		attempts[i] = i < 10 ? fixture_run_attempt(f, trial) : 0;
	}
	for (size_t i = 0; i < 4; i++) /* 8, 6, 4, 2 */
		fixture_end(f, attempts[7 - 2 * i], OUTCOME_OK, TRIAL_DONE, objectives[i]);
	fixture_end(f, attempts[2], OUTCOME_CRASHED, TRIAL_FAILED, NAN); /* 3 */
	fixture_end(f, attempts[0], OUTCOME_NAN, TRIAL_FAILED, NAN); /* 1 */
	fixture_end(f, attempts[4], OUTCOME_CRASHED, TRIAL_STOPPED, 9); /* 5 */
}

static void numbers_of(struct fixture *f, const struct trial_filter *filter, char ret[64])
{
	struct trial_list list;
	size_t used = 0;

	ASSERT_OK(f, trial_select(f->store, filter, &list, &f->err));
	ret[0] = '\0';
	for (size_t i = 0; i < list.n; i++)
		used += (size_t)snprintf(
			ret + used, 64 - used, "%s%d", i > 0 ? " " : "", (int)list.items[i].number);
	trial_list_finish(&list);
}

static void assert_listed(struct fixture *f, enum trial_order order, unsigned states, bool newest,
	int64_t limit, const char *wanted)
{
	const struct trial_filter filter = { .job_id = f->job,
		.repeat = -1,
		.states = states,
		.order = order,
		.newest = newest,
		.limit = limit };
	char numbers[64];

	numbers_of(f, &filter, numbers);
	assert_string_equal(numbers, wanted);
}

static void lists_of_all_states_have_one_order(void **state)
{
	const unsigned running = 1u << TRIAL_RUNNING, done = 1u << TRIAL_DONE;
	struct fixture *const f = *state;

	add_mixture(f);
	assert_listed(f, TRIAL_BY_END, 0, false, 0, "8 6 4 2 3 1 5 7 9 10 11 12");
	assert_listed(f, TRIAL_BY_END, 0, true, 0, "8 6 4 2 3 1 5 7 9 10 11 12");
	assert_listed(f, TRIAL_BY_END, 0, false, 3, "8 6 4");
	assert_listed(f, TRIAL_BY_END, 0, false, 8, "8 6 4 2 3 1 5 7");
	assert_listed(f, TRIAL_BY_END, 0, true, 3, "10 11 12");
	assert_listed(f, TRIAL_BY_END, 0, true, 7, "1 5 7 9 10 11 12");
	assert_listed(f, TRIAL_BY_END, 0, true, 5, "7 9 10 11 12");
	assert_listed(f, TRIAL_BY_END, running | done, true, 0, "8 6 4 2 7 9 10");
	assert_listed(f, TRIAL_BY_OBJECTIVE, 0, false, 0, "2 6 4 8 1 3 5 7 9 10 11 12");
	assert_listed(f, TRIAL_BY_OBJECTIVE, 0, false, 5, "2 6 4 8 1");
	assert_listed(f, TRIAL_BY_OBJECTIVE, 0, true, 2, "11 12");
	assert_listed(f, TRIAL_BY_OBJECTIVE, 0, true, 9, "8 1 3 5 7 9 10 11 12");
	assert_listed(f, TRIAL_BY_OBJECTIVE, running | done, false, 6, "2 6 4 8 7 9");
	assert_listed(f, TRIAL_BY_NUMBER, running, true, 2, "9 10");
	assert_listed(f, TRIAL_BY_NUMBER, 0, true, 2, "11 12");
}

static void what_failed_is_counted_by_its_outcome(void **state)
{
	struct fixture *const f = *state;
	int64_t counts[OUTCOMES], last = -1;

	ASSERT_OK(f, trial_count_outcomes(f->store, f->job, counts, &last, &f->err));
	assert_int_equal(last, 0);
	add_mixture(f);
	const int64_t idle = fixture_add_trial(f);

	CHANGE(f, trial_stop(f->store, idle, "", fixture_now(f), &f->err));
	ASSERT_OK(f, trial_count_outcomes(f->store, f->job, counts, &last, &f->err));
	assert_int_equal(counts[OUTCOME_CRASHED], 2); /* failed, and stopped */
	assert_int_equal(counts[OUTCOME_NAN], 1);
	assert_int_equal(counts[OUTCOME_NONE], 1); /* before a launch */
	assert_int_equal(counts[OUTCOME_OK], 0);
	assert_int_equal(last, 1); /* not the highest number, but the last end of a failed one */
}

/* Attempt 2 comes to nothing, 3 goes on from step 2 of 1 and ends sooner. */
static void steps_that_a_later_attempt_gave_up_are_in_no_view_of_curves(void **state)
{
	struct fixture *const f = *state;
	const int64_t trial = fixture_add_trial(f);
	const int64_t first = fixture_run_attempt(f, trial);
	const struct metric_row other = { "memory", 6, 0.25, fixture_now(f) };

	for (int64_t step = 1; step <= 6; step++)
		fixture_add_metric(f, first, step, 10. * (double)step);
	CHANGE(f, metric_add(f->store, first, &other, 1, f->metric, false, 0, "{}", &f->err));
	fixture_end(f, first, OUTCOME_CRASHED, TRIAL_PROPOSED, NAN);
	fixture_end(f, fixture_run_attempt(f, trial), OUTCOME_CRASHED, TRIAL_PROPOSED, NAN);
	ASSERT_ROWS(f, "SELECT count(*) FROM v_learning_curve", "7");

	const int64_t third = fixture_run_attempt(f, trial);

	fixture_add_metric(f, third, 3, 31);
	fixture_add_metric(f, third, 4, 41);
	ASSERT_ROWS(f,
		"SELECT group_concat(step || ' ' || value || ' ' || attempt, ', ') FROM "
		"(SELECT * FROM v_learning_curve WHERE is_objective ORDER BY step)",
		"1 10.0 1, 2 20.0 1, 3 31.0 3, 4 41.0 3");
	ASSERT_ROWS(
		f, "SELECT metric, step FROM v_learning_curve WHERE NOT is_objective", "memory|6");
	ASSERT_ROWS(f,
		"SELECT group_concat(step || ' ' || intermediate_value, ', ') FROM (SELECT * FROM "
		"trial_intermediate_values ORDER BY step)",
		"1 10.0, 2 20.0, 3 31.0, 4 41.0");
}

/* Attempt 2 goes on from step 1 of the first and ends at step 2. */
static void add_trial_whose_best_step_was_given_up(struct fixture *f)
{
	const int64_t trial = fixture_add_trial(f), first = fixture_run_attempt(f, trial);

	fixture_add_metric(f, first, 1, 5);
	fixture_add_metric(f, first, 2, 4);
	fixture_add_metric(f, first, 3, 1);
	fixture_end(f, first, OUTCOME_LOST, TRIAL_PROPOSED, NAN);
	assert_true(fixture_number(f, "SELECT best_value FROM v_trial") == 1);

	const int64_t second = fixture_run_attempt(f, trial);

	fixture_add_metric(f, second, 2, 6);
	fixture_end(f, second, OUTCOME_OK, TRIAL_DONE, 6);
}

static void the_best_value_is_of_no_step_that_was_given_up(void **state)
{
	struct fixture *const f = *state;

	add_trial_whose_best_step_was_given_up(f);
	assert_true(fixture_number(f, "SELECT best_value FROM v_trial") == 5);
	assert_true(fixture_number(f, "SELECT metric_count FROM v_trial") == 4);
}

/* Before version 7 it was of any. */
static void a_file_of_version_6_gets_the_best_values_of_curves(void **state)
{
	struct fixture *const f = *state;

	add_trial_whose_best_step_was_given_up(f);
	fixture_add_done(f, 3);
	close_store(f);
	run_sql(f->path, "UPDATE trial SET best_value = 1 WHERE attempts = 2; " WITHOUT_STEP_8
			 "PRAGMA user_version = 6");
	open_store(f, STORE_WRITE);
	ASSERT_ROWS(f,
		"SELECT group_concat(number || ' ' || coalesce(best_value, 'none'), ', ') FROM "
		"v_trial",
		"1 5.0, 2 none");
}

static void a_file_of_version_7_becomes_the_same_as_a_new_one(void **state)
{
	assert_migrates(*state, WITHOUT_STEP_8 "PRAGMA user_version = 7", ".v7.bak");
}

static void a_file_of_version_9_becomes_the_same_as_a_new_one(void **state)
{
	assert_migrates(*state, WITHOUT_STEP_10 "PRAGMA user_version = 9", ".v9.bak");
}

/* They are read by the earlier job, in their order there, and leave the job's own tables alone. */
static void related_trials_come_back_as_they_were(void **state)
{
	struct fixture *const f = *state;
	const struct related_trial given[] = {
		{ 1, 7, TRIAL_DONE, -0.1, (char *)"{\"x\": 0.5}" },
		{ 0, 9, TRIAL_STOPPED, 1e308, (char *)"{\"x\": 0.25}" },
		{ 0, 3, TRIAL_FAILED, NAN, (char *)"{}" },
		{ 0, 4, TRIAL_DONE, INFINITY, (char *)"{\"x\": 1}" },
	};
	static const size_t order[] = { 1, 2, 3, 0 };
	struct related_trial_list list;

	open_store(f, STORE_WRITE);
	const int64_t job = fixture_add_job(f, "job", 5, "loss", "minimize");
	const int64_t other = fixture_add_job(f, "other", 5, "loss", "minimize");

	ASSERT_OK(f, store_begin(f->store, STORE_LAZY, &f->err));
	for (size_t i = 0; i < 4; i++)
		ASSERT_OK(f, related_trial_add(f->store, job, &given[i], &f->err));
	ASSERT_OK(f, store_commit(f->store, &f->err));
	close_store(f);
	open_store(f, STORE_WRITE);
	ASSERT_OK(f, related_trial_select(f->store, job, &list, &f->err));
	assert_int_equal(list.n, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct related_trial *found = &list.items[i], *wanted = &given[order[i]];

		assert_int_equal(found->parent, wanted->parent);
		assert_int_equal(found->number, wanted->number);
		assert_int_equal(found->state, wanted->state);
		assert_true(
			found->loss == wanted->loss || (isnan(found->loss) && isnan(wanted->loss)));
		assert_string_equal(found->parameters, wanted->parameters);
	}
	related_trial_list_finish(&list);
	ASSERT_OK(f, related_trial_select(f->store, other, &list, &f->err));
	assert_int_equal(list.n, 0);
	related_trial_list_finish(&list);
	assert_true(fixture_number(f, "SELECT count(*) FROM trial") == 0);
	assert_true(fixture_number(f, "SELECT count(*) FROM trials") == 0);
}

static void a_related_failure_has_no_loss_and_a_result_has_one(void **state)
{
	struct fixture *const f = *state;
	const struct related_trial wrong[] = { { 0, 1, TRIAL_FAILED, 0.5, (char *)"{}" },
		{ 0, 1, TRIAL_DONE, NAN, (char *)"{}" }, { 0, 1, TRIAL_RUNNING, 0.5, (char *)"{}" },
		{ 0, 1, TRIAL_DONE, 0.5, (char *)"{" } };

	open_store(f, STORE_WRITE);
	const int64_t job = fixture_add_job(f, "job", 5, "loss", "minimize");

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		ASSERT_OK(f, store_begin(f->store, STORE_LAZY, &f->err));
		assert_false(related_trial_add(f->store, job, &wrong[i], &f->err));
		store_rollback(f->store);
	}
}

static void a_file_of_version_8_becomes_the_same_as_a_new_one(void **state)
{
	assert_migrates(*state, WITHOUT_STEP_9 "PRAGMA user_version = 8", ".v8.bak");
}

static void a_trial_has_its_own_events(void **state)
{
	struct fixture *const f = *state;
	struct event_list all, own;
	size_t n = 0;

	add_mixture(f);
	ASSERT_OK(f, add_event(f, "edited", STORE_LAZY)); /* of no trial */
	const int64_t id = (int64_t)fixture_number(f, "SELECT id FROM trial WHERE number = 4");

	ASSERT_OK(f, event_select(f->store, f->job, 0, 0, &all, &f->err));
	ASSERT_OK(f, event_select_trial(f->store, id, &own, &f->err));
	for (size_t i = 0; i < all.n; i++) {
		if (all.items[i].trial_number != 4)
			continue;
		assert_true(n < own.n);
		assert_int_equal(own.items[n].id, all.items[i].id);
		assert_int_equal(own.items[n].trial_number, 4);
		assert_string_equal(own.items[n++].kind, all.items[i].kind);
	}
	assert_int_equal(own.n, n);
	assert_true(n >= 2); /* proposed, ended */
	event_list_finish(&all);
	event_list_finish(&own);
}

/* ---- settings ---- */

/* All that was committed is in another file, and the open one is not what has the name now. */
static void a_file_that_lost_its_name_is_written_elsewhere(void **state)
{
	struct fixture *const f = *state;
	fixture_add_job(f, "job", 5, "loss", "minimize");
	ASSERT_OK(f, store_check_place(f->store, &f->err));
	assert_int_equal(unlink(f->path), 0);
	assert_false(store_check_place(f->store, &f->err));
	ASSERT_SAYS(f, TUNER_FATAL, ".rescued");
	assert_int_equal(mode_of(beside(f, ".rescued")), 0600);
	/* One that is there already stays as it is. */
	assert_false(store_check_place(f->store, &f->err));
	ASSERT_SAYS(f, TUNER_FATAL, ".rescued2");
	assert_int_equal(access(beside(f, ".rescued2"), F_OK), 0);
	close_store(f);
	assert_int_equal(rename(beside(f, ".rescued"), f->path), 0);
	open_store(f, STORE_WRITE);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM job"), 1);
}

/* So is one whose log did: else a kill would lose all since the last checkpoint. */
static void a_log_that_lost_its_name_is_written_elsewhere(void **state)
{
	struct fixture *const f = *state;
	fixture_add_job(f, "job", 5, "loss", "minimize");
	ASSERT_OK(f, store_check_place(f->store, &f->err));
	/* Others may empty it, when all of it is in the database. */
	run_sql(f->path, "PRAGMA wal_checkpoint(TRUNCATE)");
	ASSERT_OK(f, store_check_place(f->store, &f->err));
	assert_int_equal(unlink(beside(f, "-wal")), 0);
	assert_false(store_check_place(f->store, &f->err));
	ASSERT_SAYS(f, TUNER_FATAL, "-wal was removed or replaced");
	close_store(f);
	assert_int_equal(rename(beside(f, ".rescued"), f->path), 0);
	open_store(f, STORE_WRITE);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM job"), 1);
}

/* Two that write it under two names would not know of each other. */
static void a_file_with_two_names_is_read_only(void **state)
{
	struct fixture *const f = *state;
	fixture_add_job(f, "job", 5, "loss", "minimize");
	close_store(f);
	assert_int_equal(link(f->path, beside(f, ".copy")), 0);
	assert_false(store_open(f->path, STORE_WRITE, &f->store, &f->err));
	ASSERT_SAYS(f, TUNER_USAGE, "hard links");
	assert_false(store_open(f->path, STORE_REQUEST, &f->store, &f->err));
	ASSERT_SAYS(f, TUNER_USAGE, "VACUUM INTO");
	open_store(f, STORE_READ);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM job"), 1);
	close_store(f);
	assert_int_equal(unlink(beside(f, ".copy")), 0);
	open_store(f, STORE_WRITE);
}

/* A foreign program that writes, and how often it was waited for. */
struct foreign {
	sqlite3 *db;
	struct store *store; /* that waits */
	unsigned looks;
	bool hurries;
};

/* Six seconds pass in no time: whoever hurries has waited for long enough, others are asked again. */
static bool lets_go_late(void *context)
{
	struct foreign *const foreign = context;

	if (foreign->looks == 0)
		foreign->store->busy_since_us -= 6000000;
	if (++foreign->looks == 3)
		assert_int_equal(
			sqlite3_exec(foreign->db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	return foreign->hurries;
}

static void a_patient_writer_waits_for_a_foreign_one(void **state)
{
	struct fixture *const f = *state;
	struct foreign foreign = { .store = f->store };

	fixture_use_job(f, fixture_add_job(f, "job", 5, "loss", "minimize"));
	assert_int_equal(sqlite3_open(f->path, &foreign.db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(foreign.db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	store_be_patient(f->store, lets_go_late, &foreign);
	assert_true(add_event(f, "a", STORE_DURABLE));
	assert_int_equal(foreign.looks, 3);

	foreign.looks = 0;
	foreign.hurries = true;
	assert_int_equal(sqlite3_exec(foreign.db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_false(add_event(f, "b", STORE_DURABLE));
	assert_int_equal(f->err.code, TUNER_RETRY);
	assert_int_equal(foreign.looks, 1);
	store_be_patient(f->store, NULL, NULL);
	sqlite3_close(foreign.db);
}

static void the_optuna_series_is_one_of_two(void **state)
{
	struct fixture *const f = *state;

	ASSERT_ROWS(f, "SELECT version_num FROM alembic_version", "v3.2.0.a");
	run_sql(f->path, "UPDATE optuna SET alembic = 'v3.0.0.d' WHERE id = 1");
	ASSERT_ROWS(f, "SELECT version_num FROM alembic_version", "v3.0.0.d");
	run_sql(f->path, "UPDATE optuna SET alembic = 'v3.2.0.a' WHERE id = 1");
	ASSERT_ROWS(f, "SELECT version_num FROM alembic_version", "v3.2.0.a");
}

/* ---- statements ---- */

/* More texts than are kept, and one text open twice: both go on, only slower. */
static void statements_beyond_those_kept_work(void **state)
{
	struct fixture *const f = *state;
	struct query outer, inner;
	char sql[64];
	bool found;

	for (int i = 0; i < 2 * STATEMENT_SLOTS; i++) {
		snprintf(sql, sizeof sql, "SELECT %d", i);
		assert_true(fixture_number(f, sql) == i);
	}
	assert_int_equal(f->store->n_statements, STATEMENTS_MAX);
	query_open(&outer, f->store, "SELECT 7");
	ASSERT_OK(f, query_row(&outer, &found, &f->err));
	query_open(&inner, f->store, "SELECT 7");
	ASSERT_OK(f, query_row(&inner, &found, &f->err));
	assert_int_equal(query_int(&inner), 7);
	query_close(&inner);
	assert_int_equal(query_int(&outer), 7);
	query_close(&outer);
	assert_true(fixture_number(f, "SELECT 7") == 7);
}

static void a_faulty_statement_is_told_of_at_its_run(void **state)
{
	struct fixture *const f = *state;
	struct query query;
	bool found;

	query_open(&query, f->store, "SELECT missing FROM nowhere WHERE a = ?1");
	query_bind_int(&query, 1);
	query_bind_text(&query, "x");
	assert_false(query_row(&query, &found, &f->err));
	ASSERT_SAYS(f, TUNER_FATAL, "nowhere");
	query_close(&query);
}

#define IN_DIRECTORY(test)                                                                         \
	cmocka_unit_test_setup_teardown(test, fixture_set_up_directory, fixture_tear_down)
#define IN_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)
#define IN_JOB(test)                                                                               \
	cmocka_unit_test_setup_teardown(test, fixture_set_up_minimizing, fixture_tear_down)

static void assert_score(const struct trial *trial, enum trial_state state, double objective)
{
	assert_int_equal(trial->state, state);
	assert_true(trial->objective == objective || (isnan(trial->objective) && isnan(objective)));
}

/* It failed in event 3, was scored in 5, put back in 6, ended again in 7 and was scored in 9. */
static void each_end_has_its_own_scores(void **state)
{
	const struct score failed = { TRIAL_FAILED, OUTCOME_NO_METRIC, NAN };
	const struct score first = { TRIAL_DONE, OUTCOME_OK, 2 };
	const struct score second = { TRIAL_DONE, OUTCOME_OK, 3 },
			   last = { TRIAL_DONE, OUTCOME_OK, 30 };
	const struct rescoring rescorings[] = { { 1, 5, 2, first, failed },
		{ 1, 9, 3, last, second } };
	struct trial anew = { .id = 1, .state = TRIAL_DONE, .objective = 30, .ended_event = 7 };
	struct trial before = { .id = 1, .state = TRIAL_DONE, .objective = 2, .ended_event = 3 };
	struct trial other = { .id = 2, .state = TRIAL_DONE, .objective = 4, .ended_event = 4 };

	rescorings_undo(rescorings, 2, 0, 0, &anew);
	assert_score(&anew, TRIAL_DONE, 3);
	rescorings_undo(rescorings, 2, 2, 6, &before);
	assert_score(&before, TRIAL_DONE, 2);
	rescorings_undo(rescorings, 2, 1, 6, &before);
	assert_score(&before, TRIAL_FAILED, NAN);
	rescorings_undo(rescorings, 2, 0, 0, &other);
	assert_score(&other, TRIAL_DONE, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(a_new_database_is_ours_alone),
		IN_DIRECTORY(what_is_committed_is_there_when_it_is_opened_again),
		IN_DIRECTORY(a_failed_trial_may_be_put_back_and_a_done_one_may_not),
		IN_DIRECTORY(a_trial_may_go_without_a_parameter),
		IN_DIRECTORY(a_missing_database_is_made_by_a_writer_only),
		IN_DIRECTORY(of_another_database_the_advice_names_what_named_it),
		IN_DIRECTORY(an_empty_file_is_taken_by_a_writer_only),
		IN_DIRECTORY(a_database_of_another_program_is_left_alone),
		IN_DIRECTORY(a_file_that_is_no_database_is_left_alone),
		IN_DIRECTORY(a_directory_is_no_database),
		IN_DIRECTORY(a_directory_that_does_not_exist_is_named),
		IN_DIRECTORY(names_are_taken_as_they_stand),
		IN_DIRECTORY(a_directory_that_cannot_be_written_is_refused),
		IN_DIRECTORY(a_directory_that_cannot_be_written_can_be_read),
		IN_DIRECTORY(a_wal_that_cannot_be_used_is_not_ignored),
		cmocka_unit_test(network_file_systems_are_known),
		IN_DIRECTORY(two_names_of_one_database_have_one_lock),
		IN_DIRECTORY(a_link_that_leads_nowhere_is_refused),
		IN_DIRECTORY(a_second_writer_is_refused_with_the_pid_of_the_first),
		IN_DIRECTORY(the_lock_of_a_killed_writer_is_free),
		IN_DIRECTORY(nobody_holds_what_was_never_opened),
		IN_DIRECTORY(a_holder_whose_pid_is_not_written_yet_is_somebody),
		IN_DIRECTORY(who_may_not_open_the_lock_knows_the_holder_by_the_kernel),
		IN_DIRECTORY(readers_and_requests_stand_beside_the_writer),
		IN_DIRECTORY(a_reader_sees_the_state_of_one_moment),
		IN_DIRECTORY(what_brings_an_older_database_forward_names_it),
		IN_DIRECTORY(a_newer_database_can_only_be_read),
		IN_DIRECTORY(a_file_of_version_1_becomes_the_same_as_a_new_one),
		IN_DIRECTORY(an_old_file_with_a_row_that_refers_nowhere_stays_as_it_is),
		IN_DIRECTORY(a_file_of_version_3_becomes_the_same_as_a_new_one),
		IN_DIRECTORY(a_file_of_version_4_becomes_the_same_as_a_new_one),
		IN_DIRECTORY(a_file_of_version_5_becomes_the_same_as_a_new_one),
		IN_DIRECTORY(a_file_of_version_6_becomes_the_same_as_a_new_one),
		IN_DIRECTORY(a_file_of_version_7_becomes_the_same_as_a_new_one),
		IN_DIRECTORY(a_file_of_version_8_becomes_the_same_as_a_new_one),
		IN_DIRECTORY(a_file_of_version_9_becomes_the_same_as_a_new_one),
		IN_DIRECTORY(related_trials_come_back_as_they_were),
		IN_DIRECTORY(a_related_failure_has_no_loss_and_a_result_has_one),
		IN_DIRECTORY(how_a_trial_kept_its_limits_is_read_to_the_bit),
		IN_DIRECTORY(limits_come_back_with_an_end_that_was_taken_back),
		IN_DIRECTORY(the_front_is_of_all_objectives),
		IN_DIRECTORY(the_front_of_two_objectives_is_a_stair),
		IN_DIRECTORY(of_four_objectives_each_counts),
		IN_DIRECTORY(optuna_sees_all_objectives),
		IN_DIRECTORY(limits_of_an_earlier_objective_come_back),
		IN_DIRECTORY(what_limits_cannot_be_is_told),
		IN_DIRECTORY(what_a_decision_expected_of_limits_is_read),
		IN_STORE(a_rollback_leaves_nothing),
		IN_STORE(closing_rolls_an_open_transaction_back),
		IN_STORE(a_durable_commit_waits_for_the_disk_and_a_lazy_one_does_not),
		IN_DIRECTORY(a_writer_killed_within_a_transaction_leaves_the_last_commit),
		IN_DIRECTORY(a_writer_killed_anywhere_keeps_what_it_acknowledged),
		IN_JOB(why_an_attempt_is_to_be_ended_is_known_to_the_next_writer),
		IN_STORE(a_full_disk_loses_nothing),
		IN_DIRECTORY(a_full_disk_makes_no_half_database),
		IN_STORE(the_wal_stays_small),
		IN_JOB(lists_of_all_states_have_one_order),
		IN_JOB(what_failed_is_counted_by_its_outcome),
		IN_JOB(steps_that_a_later_attempt_gave_up_are_in_no_view_of_curves),
		IN_JOB(the_best_value_is_of_no_step_that_was_given_up),
		IN_JOB(a_file_of_version_6_gets_the_best_values_of_curves),
		IN_JOB(a_trial_has_its_own_events),
		cmocka_unit_test(each_end_has_its_own_scores),
		IN_STORE(the_wal_stays_small_if_nobody_asks_for_checkpoints),
		IN_STORE(the_wal_stays_below_64_mib_while_readers_come_and_go),
		IN_STORE(a_reader_that_never_ends_is_told_of_and_loses_nothing),
		IN_STORE(a_file_that_lost_its_name_is_written_elsewhere),
		IN_STORE(a_file_with_two_names_is_read_only),
		IN_STORE(a_log_that_lost_its_name_is_written_elsewhere),
		IN_STORE(a_patient_writer_waits_for_a_foreign_one),
		IN_STORE(the_optuna_series_is_one_of_two),
		IN_STORE(statements_beyond_those_kept_work),
		IN_STORE(a_faulty_statement_is_told_of_at_its_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
