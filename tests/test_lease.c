/* Who writes a database on a network file system: the lease, the mode, the copy, the requests. */
#include "tests/fixture_trials.h"
#include "base/clock.h"
#include "base/process.h"
#include "trials/copy.h"
#include "trials/lease.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where the program under test looks, everything is NFS. */
int statfs(const char *path, struct statfs *ret)
{
	*ret = (struct statfs){ .f_type = 0x6969 };
	return access(path, F_OK);
}

/* ---- judging ---- */

static struct lease_owner me(void)
{
	struct lease_owner owner;

	lease_self(&owner);
	strcpy(owner.key, "0123456789abcdef0123456789abcdef");
	strcpy(owner.host, "node1");
	strcpy(owner.machine, "m1");
	strcpy(owner.boot, "b1");
	owner.renewed_us = 1000;
	return owner;
}

static void a_process_of_this_machine_is_alive_or_dead(void **state)
{
	const struct lease_owner self = me();
	struct lease_owner owner = self;

	(void)state;
	assert_int_equal(lease_judge(&owner, &self, 500), LEASE_ALIVE);
	owner.pid_start++; /* the pid is another's by now */
	assert_int_equal(lease_judge(&owner, &self, 500), LEASE_DEAD);
	owner = self;
	owner.pid = 1 << 30;
	assert_int_equal(lease_judge(&owner, &self, 500), LEASE_DEAD);
	owner = self;
	owner.pid_namespace++; /* of a container, where pids are others */
	owner.pid = 1 << 30;
	assert_int_equal(lease_judge(&owner, &self, 500), LEASE_UNKNOWN);
}

static void a_machine_that_was_started_again_has_lost_its_processes(void **state)
{
	const struct lease_owner self = me();
	struct lease_owner owner = self;

	(void)state;
	strcpy(owner.boot, "b0");
	assert_int_equal(lease_judge(&owner, &self, 1001), LEASE_DEAD);
	/* What was heard of after we were started is another machine of the same name. */
	assert_int_equal(lease_judge(&owner, &self, 1000), LEASE_UNKNOWN);
	owner = self;
	owner.boot[0] = '\0';
	assert_int_equal(lease_judge(&owner, &self, 1001), LEASE_UNKNOWN);
}

static void of_other_machines_nothing_is_known_however_old(void **state)
{
	const struct lease_owner self = me();
	struct lease_owner owner = self;

	(void)state;
	owner.renewed_us = 1;
	strcpy(owner.host, "node2");
	assert_int_equal(lease_judge(&owner, &self, 1000), LEASE_UNKNOWN);
	owner = self;
	strcpy(owner.machine, "m2");
	assert_int_equal(lease_judge(&owner, &self, 1000), LEASE_UNKNOWN);
	owner = self;
	owner.key[0] = '\0'; /* cannot be read */
	assert_int_equal(lease_judge(&owner, &self, 1000), LEASE_UNKNOWN);
}

/* ---- taking ---- */

static void put(const struct fixture *f, const char *end, const char *bytes)
{
	struct tuner_error err;
	char path[160];

	snprintf(path, sizeof path, "%s%s", f->path, end);
	assert_true(file_write_atomic(path, bytes, strlen(bytes), 0600, false, &err));
}

/* A lease of a process of this machine that is gone, or of a machine far away. */
static void put_lease(const struct fixture *f, const char *end, const char *host, const char *key)
{
	struct lease_owner self;
	char bytes[700];

	lease_self(&self);
	snprintf(bytes, sizeof bytes,
		"{\"key\": \"%s\", \"host\": \"%s\", \"machine\": \"%s\", \"boot\": \"%s\", "
		"\"pid_namespace\": %lld, \"pid\": 1073741824, \"pid_start\": 5, \"since_us\": "
		"1000000, "
		"\"renewed_us\": 2000000, \"copied_us\": 0}",
		key, host ? host : self.host, self.machine, self.boot,
		(long long)self.pid_namespace);
	put(f, end, bytes);
}

#define DEAD_KEY "00000000000000000000000000000001"

static size_t files_beside(const struct fixture *f, const char *part)
{
	char command[200], line[32] = "";

	snprintf(command, sizeof command, "ls -A %s | grep -c -- '%s'", f->directory, part);
	FILE *pipe = popen(command, "r");
	assert_non_null(fgets(line, sizeof line, pipe));
	pclose(pipe);
	return strtoul(line, NULL, 10);
}

static void one_has_it_and_gives_it_back(void **state)
{
	struct fixture *f = *state;
	struct lease *lease = NULL, *other = NULL;

	ASSERT_OK(f, lease_take(f->path, &lease, &f->err));
	ASSERT_OK(f, lease_check(lease, &f->err));
	assert_int_equal(files_beside(f, "lease"), 1);
	assert_false(lease_take(f->path, &other, &f->err));
	ASSERT_SAYS(f, TUNER_RETRY, "is in use by process");
	assert_null(strstr(f->err.message, "--take-over")); /* it lives here */
	lease_release(lease);
	assert_int_equal(files_beside(f, "lease"), 0);
	ASSERT_OK(f, lease_take(f->path, &other, &f->err));
	lease_release(other);
}

static void a_dead_owners_is_taken_over_at_once(void **state)
{
	struct fixture *f = *state;
	struct lease *lease = NULL;

	put_lease(f, ".lease", NULL, DEAD_KEY);
	put_lease(f, ".lease.after-" DEAD_KEY, NULL,
		"00000000000000000000000000000002"); /* killed, too */
	ASSERT_OK(f, lease_take(f->path, &lease, &f->err));
	ASSERT_OK(f, lease_check(lease, &f->err));
	assert_int_equal(files_beside(f, "lease"), 1);
	lease_release(lease);
	assert_int_equal(files_beside(f, "lease"), 0);
}

static void another_machines_is_taken_over_on_a_word_only(void **state)
{
	struct fixture *f = *state;
	struct lease *lease = NULL;
	bool taken = false;

	put_lease(f, ".lease", "faraway", DEAD_KEY);
	put_lease(f, ".lease.after-" DEAD_KEY, "elsewhere", "00000000000000000000000000000002");
	assert_false(lease_take(f->path, &lease, &f->err));
	ASSERT_SAYS(f, TUNER_RETRY, "process 1073741824 on faraway");
	ASSERT_SAYS(f, TUNER_RETRY, "--take-over");
	ASSERT_SAYS(f, TUNER_RETRY, " h ago");
	ASSERT_OK(f, lease_revoke(f->path, &taken, &f->err));
	assert_true(taken);
	ASSERT_OK(f, lease_take(f->path, &lease, &f->err));
	lease_release(lease);
	ASSERT_OK(f, lease_revoke(f->path, &taken, &f->err));
	assert_false(taken);
}

static void what_cannot_be_read_is_nobodys_to_take(void **state)
{
	static const char *const broken[] = { "", "{", "{\"key\": \"../../x\"}", "[]",
		"{\"key\": 5}" };
	struct fixture *f = *state;
	struct lease *lease = NULL;
	bool taken = false;

	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		put(f, ".lease", broken[i]);
		assert_false(lease_take(f->path, &lease, &f->err));
		ASSERT_SAYS(f, TUNER_RETRY, "whose name cannot be read");
		ASSERT_OK(f, lease_revoke(f->path, &taken, &f->err));
		assert_true(taken);
	}
	ASSERT_OK(f, lease_take(f->path, &lease, &f->err));
	lease_release(lease);
}

static void nobody_takes_it_from_a_living_process(void **state)
{
	struct fixture *f = *state;
	struct lease *lease = NULL;
	bool taken = false;

	ASSERT_OK(f, lease_take(f->path, &lease, &f->err));
	assert_false(lease_revoke(f->path, &taken, &f->err));
	ASSERT_SAYS(f, TUNER_USAGE, "That process lives");
	ASSERT_OK(f, lease_check(lease, &f->err));
	lease_release(lease);
}

static void who_has_lost_it_knows_and_touches_nothing(void **state)
{
	struct fixture *f = *state;
	struct lease *lease = NULL;
	struct lease_owner owner;
	bool there;

	ASSERT_OK(f, lease_take(f->path, &lease, &f->err));
	put_lease(f, ".lease", "faraway", DEAD_KEY);
	lease_note_copy(lease, 5);
	assert_false(lease_check(lease, &f->err));
	ASSERT_SAYS(f, TUNER_FATAL, "on faraway");
	lease_release(lease);
	ASSERT_OK(f, lease_read(f->path, &there, &owner, &f->err));
	assert_true(there);
	assert_string_equal(owner.key, DEAD_KEY);
}

/* Several at once, most of which find a dead owner: each counts up alone, or not at all. */
static void among_many_one_has_it(void **state)
{
	enum { PROCESSES = 6, TURNS = 25 };
	struct fixture *f = *state;
	char count[160];
	long long sum = 0;

	snprintf(count, sizeof count, "%s.count", f->path);
	put(f, ".count", "0");
	put_lease(f, ".lease", NULL, DEAD_KEY);
	for (int i = 0; i < PROCESSES; i++) {
		if (fork() > 0)
			continue;
		for (int turn = 0; turn < TURNS;) {
			struct lease *lease = NULL;
			struct tuner_error err;
			struct text text = TEXT_EMPTY;
			char next[32];

			if (!lease_take(f->path, &lease, &err)) {
				if (err.code != TUNER_RETRY)
					_exit(1);
				usleep(300);
				continue;
			}
			if (!lease_check(lease, &err) || !file_read(count, 32, &text, &err))
				_exit(2);
			snprintf(next, sizeof next, "%lld", atoll(text.bytes) + 1);
			usleep(100);
			if (!file_write_atomic(count, next, strlen(next), 0600, false, &err) ||
				!lease_check(lease, &err))
				_exit(3);
			turn++;
			if (turn == TURNS)
				_exit(0); /* without giving it back: dead */
			lease_release(lease);
		}
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	struct text text = TEXT_EMPTY;

	ASSERT_OK(f, file_read(count, 32, &text, &f->err));
	sum = atoll(text.bytes);
	text_finish(&text);
	assert_int_equal(sum, PROCESSES * TURNS);
	assert_int_equal(files_beside(f, "after"), 0);
}

/* ---- the database ---- */

static void a_shared_database_has_no_wal(void **state)
{
	struct fixture *f = *state;
	char wal[160];

	assert_true(store_is_shared(f->store));
	fixture_add_job(f, "job", 5, "loss", "minimize");
	snprintf(wal, sizeof wal, "%s-wal", f->path);
	assert_int_not_equal(access(wal, F_OK), 0);
	snprintf(wal, sizeof wal, "%s-shm", f->path);
	assert_int_not_equal(access(wal, F_OK), 0);
	assert_int_equal(files_beside(f, "lock"), 0);
}

static void store_again(struct fixture *f)
{
	store_close(f->store);
	f->store = NULL;
	ASSERT_OK(f, store_open(f->path, STORE_WRITE, &f->store, &f->err));
}

static void a_database_of_a_local_disk_is_taken_out_of_wal_mode(void **state)
{
	struct fixture *f = *state;
	char command[200];
	struct store *reader = NULL;
	struct job_list jobs;

	fixture_add_job(f, "job", 5, "loss", "minimize");
	store_close(f->store);
	f->store = NULL;
	snprintf(command, sizeof command, "sqlite3 %s 'PRAGMA journal_mode=wal' >%s/out", f->path,
		f->directory);
	assert_int_equal(system(command), 0);
	ASSERT_OK(f, store_open(f->path, STORE_READ, &reader, &f->err));
	ASSERT_OK(f, job_list(reader, &jobs, &f->err));
	assert_int_equal(jobs.n, 1);
	job_list_finish(&jobs);
	store_close(reader);
	store_again(f);
	assert_int_equal(files_beside(f, "-wal"), 0);
}

static void count_jobs(struct fixture *f, struct store *store, size_t n)
{
	struct job_list jobs;

	ASSERT_OK(f, job_list(store, &jobs, &f->err));
	assert_int_equal(jobs.n, n);
	job_list_finish(&jobs);
}

static void readers_have_the_copy_and_then_the_database(void **state)
{
	struct fixture *f = *state;
	struct store *reader = NULL;

	fixture_add_job(f, "one", 5, "loss", "minimize");
	ASSERT_OK(f, store_checkpoint(f->store, &f->err));
	ASSERT_OK(f, store_open(f->path, STORE_READ, &reader, &f->err));
	assert_true(store_copied_us(reader) > 0);
	count_jobs(f, reader, 1);
	fixture_add_job(f, "two", 5, "loss", "minimize");
	ASSERT_OK(f, store_checkpoint(f->store, &f->err)); /* too early */
	ASSERT_OK(f, store_follow(reader, &f->err));
	count_jobs(f, reader, 1);
	ASSERT_OK(f, copy_refresh(f->store, true, &f->err));
	ASSERT_OK(f, store_follow(reader, &f->err));
	count_jobs(f, reader, 2);
	fixture_add_job(f, "three", 5, "loss", "minimize");
	store_close(f->store);
	f->store = NULL;
	ASSERT_OK(f, store_follow(reader, &f->err));
	assert_true(store_copied_us(reader) == 0);
	count_jobs(f, reader, 3);
	ASSERT_OK(f, store_open(f->path, STORE_WRITE, &f->store, &f->err));
	ASSERT_OK(f, store_checkpoint(f->store, &f->err));
	ASSERT_OK(f, store_follow(reader, &f->err));
	assert_true(store_copied_us(reader) > 0);
	count_jobs(f, reader, 3);
	store_close(reader);
}

static void an_unchanged_copy_is_confirmed(void **state)
{
	struct fixture *f = *state;
	struct stat before, after;
	char path[160];

	snprintf(path, sizeof path, "%s.copy", f->path);
	ASSERT_OK(f, copy_refresh(f->store, true, &f->err));
	assert_int_equal(stat(path, &before), 0);
	ASSERT_OK(f, copy_refresh(f->store, true, &f->err));
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_true(after.st_mtim.tv_sec > before.st_mtim.tv_sec ||
		    after.st_mtim.tv_nsec > before.st_mtim.tv_nsec);
	fixture_add_job(f, "job", 5, "loss", "minimize");
	ASSERT_OK(f, copy_refresh(f->store, true, &f->err));
	assert_int_equal(stat(path, &after), 0);
	assert_int_not_equal(before.st_ino, after.st_ino);
	assert_int_equal(after.st_mode & 0777, 0600);
}

static void a_copy_that_cannot_be_made_is_a_warning(void **state)
{
	struct fixture *f = *state;
	char path[160];

	snprintf(path, sizeof path, "%s.copy.part", f->path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_false(store_checkpoint(f->store, &f->err));
	ASSERT_SAYS(f, TUNER_RETRY, "the copy for readers could not be made");
	ASSERT_OK(f, store_checkpoint(f->store, &f->err)); /* not again before its time */
	assert_int_equal(rmdir(path), 0);
}

/* Between any two writes the lease may go. */
static void nothing_is_written_without_the_lease(void **state)
{
	struct fixture *f = *state;
	struct store *reader = NULL;
	char path[160];

	f->job = fixture_add_job(f, "job", 5, "loss", "minimize");
	ASSERT_OK(f, store_begin(f->store, STORE_LAZY, &f->err));
	ASSERT_OK(f, job_set_state(f->store, f->job, JOB_DONE, "x", fixture_now(f), &f->err));
	put_lease(f, ".lease", "faraway", DEAD_KEY);
	assert_false(store_commit(f->store, &f->err));
	ASSERT_SAYS(f, TUNER_FATAL, "taken over");
	store_rollback(f->store);
	assert_false(store_begin(f->store, STORE_DURABLE, &f->err));
	ASSERT_SAYS(f, TUNER_FATAL, "taken over");
	assert_false(store_check_place(f->store, &f->err));
	store_close(f->store);
	f->store = NULL;
	assert_int_equal(files_beside(f, "lease$"), 1); /* the other's */
	snprintf(path, sizeof path, "%s.lease", f->path);
	assert_int_equal(unlink(path), 0);
	ASSERT_OK(f, store_open(f->path, STORE_READ, &reader, &f->err));
	struct job job = { 0 };

	ASSERT_OK(f, job_load(reader, f->job, &job, &f->err));
	assert_int_equal(job.state, JOB_OPEN);
	job_finish(&job);
	store_close(reader);
}

static void requests_are_files_and_answered_once(void **state)
{
	struct fixture *f = *state;
	struct store *asker = NULL;
	struct request request;
	const int64_t now_us = clock_wall_us();
	int64_t ids[2], row = 0;
	bool found = false;

	f->job = fixture_add_job(f, "job", 5, "loss", "minimize");
	ASSERT_OK(f, store_checkpoint(f->store, &f->err));
	ASSERT_OK(f, store_open(f->path, STORE_REQUEST, &asker, &f->err));
	/* Two in the same microsecond. */
	for (int i = 0; i < 2; i++)
		ASSERT_OK(f, request_add(asker, f->job, i ? "enqueue" : "stop", "{\"n\": 1}",
				     now_us, &ids[i], &f->err));
	assert_true(ids[0] < ids[1]);
	for (int i = 0; i < 2; i++) {
		ASSERT_OK(f, request_load(asker, ids[i], &request, &f->err));
		assert_null(request.answer);
		ASSERT_OK(f, request_next(f->store, f->job, &request, &found, &f->err));
		assert_true(found);
		assert_string_equal(request.verb, i ? "enqueue" : "stop");
		assert_string_equal(request.argument, "{\"n\": 1}");
		row = request.id;
		request_finish(&request);
		store_again(f); /* killed between the two */
		CHANGE(f, request_answer(f->store, row, i == 1, i ? "no" : "\"yes\"",
				  fixture_now(f), &f->err));
	}
	ASSERT_OK(f, request_next(f->store, f->job, &request, &found, &f->err));
	assert_false(found);
	for (int i = 0; i < 2; i++) {
		ASSERT_OK(f, request_load(asker, ids[i], &request, &f->err));
		assert_string_equal(request.answer, i ? "no" : "\"yes\"");
		assert_int_equal(request.refused, i == 1);
		request_finish(&request);
	}
	ASSERT_OK(f, request_next(f->store, f->job, &request, &found, &f->err));
	assert_false(found);
	char command[160];

	snprintf(command, sizeof command, "test -z \"$(ls -A %s.requests)\"", f->path);
	assert_int_equal(system(command), 0);
	store_close(asker);
}

static void what_is_no_request_is_put_aside(void **state)
{
	static const char *const broken[] = { "", "{}", "[1]",
		"{\"job\": 77, \"created_us\": 1, \"verb\": \"stop\", \"argument\": \"{}\"}",
		"{\"job\": 1, \"created_us\": 1, \"verb\": \"\", \"argument\": \"{}\"}",
		"{\"job\": 1, \"created_us\": 1, \"verb\": \"stop\", \"argument\": \"{\"}" };
	struct fixture *f = *state;
	struct request request;
	char path[200], name[64];
	bool found = true;

	f->job = fixture_add_job(f, "job", 5, "loss", "minimize");
	snprintf(path, sizeof path, "%s.requests", f->path);
	assert_int_equal(mkdir(path, 0700), 0);
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		snprintf(name, sizeof name, ".requests/%zu.request", i + 1);
		put(f, name, broken[i]);
		ASSERT_OK(f, request_next(f->store, f->job, &request, &found, &f->err));
		assert_false(found);
		snprintf(path, sizeof path, "%s%s.bad", f->path, name);
		assert_int_equal(access(path, F_OK), 0);
	}
	/* Nobody comes for an answer after an hour. */
	put(f, ".requests/1700000000000000.answer", "{}");
	ASSERT_OK(f, request_next(f->store, f->job, &request, &found, &f->err));
	snprintf(path, sizeof path, "%s.requests/1700000000000000.answer", f->path);
	assert_int_not_equal(access(path, F_OK), 0);
}

int main(void)
{
#define IN_DIRECTORY(test)                                                                         \
	cmocka_unit_test_setup_teardown(test, fixture_set_up_directory, fixture_tear_down)
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_of_this_machine_is_alive_or_dead),
		cmocka_unit_test(a_machine_that_was_started_again_has_lost_its_processes),
		cmocka_unit_test(of_other_machines_nothing_is_known_however_old),
		IN_DIRECTORY(one_has_it_and_gives_it_back),
		IN_DIRECTORY(a_dead_owners_is_taken_over_at_once),
		IN_DIRECTORY(another_machines_is_taken_over_on_a_word_only),
		IN_DIRECTORY(what_cannot_be_read_is_nobodys_to_take),
		IN_DIRECTORY(nobody_takes_it_from_a_living_process),
		IN_DIRECTORY(who_has_lost_it_knows_and_touches_nothing),
		IN_DIRECTORY(among_many_one_has_it),
		WITH_STORE(a_shared_database_has_no_wal),
		WITH_STORE(a_database_of_a_local_disk_is_taken_out_of_wal_mode),
		WITH_STORE(readers_have_the_copy_and_then_the_database),
		WITH_STORE(an_unchanged_copy_is_confirmed),
		WITH_STORE(a_copy_that_cannot_be_made_is_a_warning),
		WITH_STORE(nothing_is_written_without_the_lease),
		WITH_STORE(requests_are_files_and_answered_once),
		WITH_STORE(what_is_no_request_is_put_aside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
