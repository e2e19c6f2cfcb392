/* A loss of power at any moment leaves a whole database, with all that was acknowledged.
 *
 *     test_power_loss                     a sample of moments and losses
 *     test_power_loss --all [SEEDS [N]]   each moment (each N-th) with each loss, SEEDS times: long
 *     test_power_loss --at N LOSS SEED    one again, and the calls before it */
#include "base/file.h"
#include "fixture_trials.h"
#include "sanitized.h"
#include "torn_disk.h"
#include "trials/health.h"
#include "trials/open.h"
#include "trials/verify.h"

#include <sys/stat.h>
#include <unistd.h>

enum { COMMITS_MAX = 64, LARGE = 1300000, SAMPLE = 150, SAMPLE_LARGE = 50 };

/* Which moments are looked at; the rest is for a person. */
static struct {
	bool all;
	size_t at, every;
	enum loss loss;
	uint64_t seed, seeds;
} wanted = { .seeds = 1, .every = 1 };

/* ---- what a database holds ---- */

static uint64_t add_hash(uint64_t h, const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ ((const unsigned char *)bytes)[i]) * UINT64_C(1099511628211);
	return (h ^ 0x1f) * UINT64_C(1099511628211);
}

static uint64_t hash_rows(struct store *store, const char *sql, uint64_t h)
{
	struct tuner_error err;
	struct query query;
	bool found = false;

	query_open(&query, store, sql);
	while (query_row(&query, &found, &err) && found)
		for (int i = 0; i < sqlite3_column_count(query.handle); i++) {
			const int type = sqlite3_column_type(query.handle, i);
			const void *bytes = sqlite3_column_blob(query.handle, i);

			h = add_hash(h, &type, sizeof type);
			h = add_hash(h, bytes, (size_t)sqlite3_column_bytes(query.handle, i));
		}
	query_close(&query);
	return h;
}

/* Of every row of every table. */
static uint64_t hash_database(struct store *store)
{
	char names[40][64];
	struct tuner_error err;
	struct query query;
	bool found = false;
	size_t n = 0;

	query_open(
		&query, store, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
	while (query_row(&query, &found, &err) && found && n < 40)
		query_text_into(&query, names[n++], sizeof names[0]);
	query_close(&query);
	uint64_t h = hash_rows(store, "SELECT type, name, sql FROM sqlite_schema ORDER BY name", 7);

	for (size_t i = 0; i < n; i++) {
		char sql[128];

		snprintf(sql, sizeof sql, "SELECT * FROM \"%.63s\" ORDER BY rowid", names[i]);
		h = hash_rows(store, sql, h);
	}
	return h;
}

/* ---- commits ---- */

/* From `began` on its calls may be on the disk; from `ended` on, if it is durable, it is there whatever happens. */
struct commit {
	size_t began, ended;
	bool durable;
	uint64_t hash;
};

struct power {
	struct fixture f; /* first: the fixture's helpers take it */
	char place[64]; /* restored files */
	struct commit commits[COMMITS_MAX];
	size_t n;
	enum store_durability durability;
	size_t began;
};

static void acknowledge(struct power *p, size_t began, bool durable)
{
	const size_t ended = disk_calls();

	assert_true(p->n < COMMITS_MAX);
	p->commits[p->n++] = (struct commit){ began, ended, durable, hash_database(p->f.store) };
}

static void begin(struct power *p, enum store_durability durability)
{
	p->began = disk_calls();
	p->durability = durability;
	ASSERT_OK(&p->f, store_begin(p->f.store, durability, &p->f.err));
}

static void commit(struct power *p)
{
	ASSERT_OK(&p->f, store_commit(p->f.store, &p->f.err));
	acknowledge(p, p->began, p->durability == STORE_DURABLE);
}

/* ---- the life that is recorded ---- */

static void open_store(struct power *p)
{
	ASSERT_OK(&p->f, store_open(p->f.path, STORE_WRITE, &p->f.store, &p->f.err));
}

static void add_job(struct power *p)
{
	const struct job job = { .name = (char *)"job",
		.file = (char *)"{}",
		.path = (char *)"",
		.directory = (char *)"/home/user",
		.seed = 7,
		.trial_cap = 100 };
	int64_t id = 0;

	begin(p, STORE_DURABLE);
	ASSERT_OK(&p->f,
		job_create(p->f.store, &job, "{\"x\": [0, 1]}", fixture_parameters, 2, "loss",
			"minimize", "{\"reduce\": \"last\"}", fixture_now(&p->f), &id, &p->f.err));
	commit(p);
	fixture_use_job(&p->f, id);
}

/* In the transaction that is open. */
static int64_t intend(struct power *p)
{
	const struct trial_new trial = fixture_new(&p->f);
	const struct decision decision = fixture_decision();
	int64_t id = 0, attempt = 0;
	bool capped;
	char key[40], directory[40];

	ASSERT_OK(&p->f, fixture_create(&p->f, &trial, &decision, &id, &capped));
	snprintf(key, sizeof key, "key-%u", ++p->f.keys);
	snprintf(directory, sizeof directory, "job/%04u/1", p->f.keys);
	const struct attempt_new new = { .trial_id = id,
		.key = key,
		.backend = "null",
		.host = "here",
		.gpus = "[]",
		.directory = directory,
		.slot = 1 };

	ASSERT_OK(&p->f, attempt_create(p->f.store, &new, fixture_now(&p->f), &attempt, &p->f.err));
	return attempt;
}

/* Between an intent and its outcome nothing waits for the disk. */
static void run(struct power *p, int64_t attempt)
{
	begin(p, STORE_LAZY);
	ASSERT_OK(&p->f,
		attempt_move(p->f.store, attempt, ATTEMPT_RUNNING, fixture_now(&p->f), &p->f.err));
	commit(p);
	for (int64_t step = 1; step <= 3; step++) {
		const struct metric_row row = { "loss", step, 0.5, fixture_now(&p->f) };

		begin(p, STORE_LAZY);
		ASSERT_OK(&p->f, metric_add(p->f.store, attempt, &row, 1, "loss", false, step * 10,
					 "{}", &p->f.err));
		commit(p);
	}
}

/* Its outcome and the next intent share a commit, as in the loop. */
static int64_t end_and_intend(struct power *p, int64_t attempt, const char *message)
{
	struct attempt_end end = fixture_end_of(OUTCOME_OK, TRIAL_DONE, 0.5);
	int64_t event;

	end.message = message;
	begin(p, STORE_DURABLE);
	ASSERT_OK(&p->f,
		attempt_end(p->f.store, attempt, &end, fixture_now(&p->f), &event, &p->f.err));
	const int64_t next = intend(p);

	commit(p);
	return next;
}

static int64_t live_one(struct power *p, int64_t attempt, const char *message)
{
	run(p, attempt);
	return end_and_intend(p, attempt, message);
}

/* What another process asks, while the writer has the database open. */
static void ask(struct power *p)
{
	struct store *other = NULL;
	const size_t began = disk_calls();
	int64_t id;

	ASSERT_OK(&p->f, store_open(p->f.path, STORE_REQUEST, &other, &p->f.err));
	ASSERT_OK(&p->f,
		request_add(other, p->f.job, "stop", "{}", fixture_now(&p->f), &id, &p->f.err));
	acknowledge(p, began, true);
	store_close(other);
}

static int64_t wal_bytes(struct power *p)
{
	char path[120];
	struct stat status;

	snprintf(path, sizeof path, "%s-wal", p->f.path);
	return stat(path, &status) == 0 ? (int64_t)status.st_size : 0;
}

/* A new database; trials; a clean end, which checkpoints the log and removes it; another run. */
static int64_t live(struct power *p)
{
	open_store(p);
	acknowledge(p, 0, true);
	add_job(p);
	begin(p, STORE_DURABLE);
	int64_t attempt = intend(p);

	commit(p);
	attempt = live_one(p, attempt, "");
	ask(p);
	attempt = live_one(p, attempt, "");
	store_close(p->f.store);
	open_store(p);
	return live_one(p, attempt, "");
}

static void live_small(struct power *p)
{
	run(p, live(p));
	store_close(p->f.store);
	p->f.store = NULL;
}

/* So much that the log is checkpointed beside the commits, and begins anew. */
static void live_large(struct power *p)
{
	char *const large = calloc(LARGE + 1, 1);
	int64_t attempt = live(p);

	memset(large, 'x', LARGE);
	for (int i = 0; i < 4; i++)
		attempt = live_one(p, attempt, large);
	run(p, attempt);
	ASSERT_OK(&p->f, store_checkpoint(p->f.store, &p->f.err));
	const int64_t before = wal_bytes(p);

	attempt = end_and_intend(p, attempt, "");
	attempt = live_one(p, attempt, "");
	/* The log began anew behind the checkpoint, else nothing of this was tested. */
	assert_true(before > 4 << 20 && wal_bytes(p) == before);
	store_close(p->f.store);
	p->f.store = NULL;
	free(large);
}

/* ---- afterwards ---- */

static void empty_place(struct power *p)
{
	struct tuner_error err;

	assert_true(directory_remove(p->place, &err));
	assert_int_equal(mkdir(p->place, 0700), 0);
}

/* Why it is not as it should be, as what stands behind the n-th call; "" if it is. */
static void check_content(struct power *p, struct store *store, size_t n, char ret[400])
{
	const uint64_t hash = hash_database(store);
	struct violation_list violations;
	struct tuner_error err;
	size_t least = 0, most = 0, found = p->n;

	for (size_t i = 0; i < p->n; i++) {
		if (p->commits[i].durable && p->commits[i].ended <= n)
			least = i;
		if (p->commits[i].began < n)
			most = i;
		if (p->commits[i].hash == hash)
			found = i;
	}
	if (found == p->n)
		snprintf(ret, 400, "holds half a commit");
	else if (found < least || found > most)
		snprintf(ret, 400, "holds the commits up to %zu, not to one of %zu to %zu", found,
			least, most);
	else if (!store_verify(store, 0, &violations, &err))
		snprintf(ret, 400, "verify: %.200s", err.message);
	else {
		if (violations.n > 0)
			snprintf(ret, 400, "verify: %.300s", violations.items[0].what);
		violation_list_finish(&violations);
	}
}

static void check(struct power *p, size_t n, enum loss loss, uint64_t seed, char ret[400])
{
	struct tuner_error err;
	struct store *store = NULL;
	char path[100];

	ret[0] = '\0';
	empty_place(p);
	disk_restore(n, loss, seed, p->place);
	snprintf(path, sizeof path, "%s/tuner.db", p->place);
	if (!store_open(path, STORE_WRITE, &store, &err)) {
		snprintf(ret, 400, "cannot be opened: %.300s", err.message);
		return;
	}
	check_content(p, store, n, ret);
	store_close(store);
}

typedef void check_function(struct power *, size_t, enum loss, uint64_t, char ret[400]);

/* Whether all that was looked at is sound. The first that is not is told of, if it should not be so. */
static bool check_moments(struct power *p, check_function *check_one, size_t sample, bool tell)
{
	const size_t calls = disk_calls();
	const size_t looks = all_or(sample, sample / 3);
	const size_t every = wanted.all ? wanted.every : calls < looks ? 1 : calls / looks;
	char why[400], text[160];

	for (size_t n = 0; n <= calls; n += every)
		for (uint64_t seed = 1; seed <= wanted.seeds; seed++)
			for (enum loss loss = 0; loss < LOSSES; loss++) {
				if (!wanted.all && loss != (n / every) % LOSSES)
					continue;
				check_one(p, n, loss, seed, why);
				if (why[0] == '\0')
					continue;
				if (tell)
					print_error("after call %zu of %zu (%s), loss %s, seed %d: "
						    "%s\n",
						n, calls, n > 0 ? disk_call_text(n - 1, text) : "",
						loss_name(loss), (int)seed, why);
				return false;
			}
	return true;
}

/* ---- set up ---- */

static void set_up(struct power *p, bool ignore_syncs)
{
	/* In memory if possible: what is synced here need not outlive anything. */
	const char *const where = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	disk_forget(); /* of a test that failed */
	memset(p, 0, sizeof *p);
	p->f.now_us = 1700000000 * INT64_C(1000000);
	snprintf(p->f.directory, sizeof p->f.directory, "%s/tuner-power-XXXXXX", where);
	snprintf(p->place, sizeof p->place, "%s/tuner-after-XXXXXX", where);
	assert_non_null(mkdtemp(p->f.directory));
	assert_non_null(mkdtemp(p->place));
	snprintf(p->f.path, sizeof p->f.path, "%s/tuner.db", p->f.directory);
	disk_record(p->f.directory, ignore_syncs);
}

static void tear_down(struct power *p)
{
	struct tuner_error err;

	disk_forget();
	assert_true(directory_remove(p->f.directory, &err));
	assert_true(directory_remove(p->place, &err));
}

static void check_life(void (*life)(struct power *), size_t sample)
{
	struct power p;

	set_up(&p, false);
	life(&p);
	disk_stop();
	if (wanted.all)
		print_message("%zu commits, %zu calls\n", p.n, disk_calls());
	assert_true(check_moments(&p, check, sample, true));
	tear_down(&p);
}

static void what_was_acknowledged_is_there_after_any_loss_of_power(void **state)
{
	(void)state;
	check_life(live_small, SAMPLE);
}

static void it_is_there_when_the_log_goes_into_the_database(void **state)
{
	(void)state;
	check_life(live_large, SAMPLE_LARGE);
}

/* The test of the test. */
static void a_disk_that_does_not_sync_is_found_out(void **state)
{
	struct power p;

	(void)state;
	set_up(&p, true);
	live_small(&p);
	disk_stop();
	assert_false(check_moments(&p, check, SAMPLE, false));
	tear_down(&p);
}

/* ---- a migration ---- */

static const struct schema_step newer_steps[] = {
	{ STORE_SCHEMA_VERSION + 1, "ALTER TABLE job ADD COLUMN colour TEXT; CREATE INDEX "
				    "trial_colour ON trial(number);"
				    "UPDATE trial SET message = 'migrated'" },
	{ 0, NULL },
};

static struct schema newer(void)
{
	return (struct schema){ STORE_SCHEMA_VERSION + 1, schema_current.sql, newer_steps };
}

/* Brought forward, whatever state it was in; and a backup, if it has its name, is whole. */
static void check_migrated(struct power *p, size_t n, enum loss loss, uint64_t seed, char ret[400])
{
	const struct schema schema = newer();
	struct tuner_error err;
	struct store *store = NULL, *backup = NULL;
	char path[100], backup_path[120];

	ret[0] = '\0';
	empty_place(p);
	disk_restore(n, loss, seed, p->place);
	snprintf(path, sizeof path, "%s/tuner.db", p->place);
	snprintf(backup_path, sizeof backup_path, "%s.v%d.bak", path, STORE_SCHEMA_VERSION);
	const bool has_backup = access(backup_path, F_OK) == 0;

	if (has_backup && !store_open(backup_path, STORE_READ, &backup, &err))
		snprintf(ret, 400, "the backup cannot be opened: %.200s", err.message);
	else if (has_backup && hash_database(backup) != p->commits[0].hash)
		snprintf(ret, 400, "the backup is not what was to be migrated");
	else if (!has_backup && p->commits[1].ended <= n)
		snprintf(ret, 400, "the backup is lost");
	else if (!store_open_schema(path, STORE_WRITE, &schema, &store, &err))
		snprintf(ret, 400, "cannot be opened: %.300s", err.message);
	else if (hash_database(store) != p->commits[1].hash)
		snprintf(ret, 400, "is not what it was, or not brought forward");
	store_close(backup);
	store_close(store);
}

static void a_migration_is_whole_or_not_there_after_any_loss_of_power(void **state)
{
	const struct schema schema = newer();
	struct power p;

	(void)state;
	set_up(&p, false);
	open_store(&p);
	add_job(&p);
	begin(&p, STORE_DURABLE);
	(void)!intend(&p);
	commit(&p);
	store_close(p.f.store);
	disk_forget(); /* what is there now is durable */
	disk_record(p.f.directory, false);
	p.n = 0;
	ASSERT_OK(&p.f, store_open(p.f.path, STORE_READ, &p.f.store, &p.f.err));
	acknowledge(&p, 0, true);
	store_close(p.f.store);
	ASSERT_OK(&p.f, store_open_schema(p.f.path, STORE_WRITE, &schema, &p.f.store, &p.f.err));
	acknowledge(&p, 0, true);
	store_close(p.f.store);
	p.f.store = NULL;
	disk_stop();
	assert_true(check_moments(&p, check_migrated, SAMPLE, true));
	tear_down(&p);
}

/* ---- for a person ---- */

static int check_one_again(void)
{
	struct power p;
	char why[400], text[160];

	set_up(&p, false);
	live_large(&p);
	disk_stop();
	for (size_t i = wanted.at > 40 ? wanted.at - 40 : 0; i < wanted.at && i < disk_calls(); i++)
		printf("%5zu %s\n", i + 1, disk_call_text(i, text));
	check(&p, wanted.at, wanted.loss, wanted.seed, why);
	printf("%s\n", why[0] != '\0' ? why : "sound");
	tear_down(&p);
	return why[0] != '\0';
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_acknowledged_is_there_after_any_loss_of_power),
		cmocka_unit_test(it_is_there_when_the_log_goes_into_the_database),
		cmocka_unit_test(a_disk_that_does_not_sync_is_found_out),
		cmocka_unit_test(a_migration_is_whole_or_not_there_after_any_loss_of_power),
	};

	if (argc >= 2 && strcmp(argv[1], "--all") == 0) {
		wanted.all = true;
		wanted.seeds = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
		wanted.every = argc > 3 && atoi(argv[3]) > 0 ? (size_t)atoi(argv[3]) : 1;
	} else if (argc == 5 && strcmp(argv[1], "--at") == 0) {
		wanted.at = strtoul(argv[2], NULL, 10);
		wanted.seed = strtoull(argv[4], NULL, 10);
		while (wanted.loss + 1 < LOSSES && strcmp(loss_name(wanted.loss), argv[3]) != 0)
			wanted.loss++;
		return check_one_again();
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
