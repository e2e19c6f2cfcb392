#include "trials/health.h"

#include "trials/sql.h"
#include "trials/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum { WRITE_LOCK_BYTE = 120 }; /* of the -shm file: sqlite.org/walformat.html */

static bool pragma_text(
	struct store *store, const char *sql, char *ret, size_t size, struct tuner_error *err)
{
	struct query query;
	bool found = false;

	*ret = '\0';
	query_open(&query, store, sql);
	const bool ok = query_row(&query, &found, err);
	if (ok && found)
		query_text_into(&query, ret, size);
	query_close(&query);
	return ok;
}

static int64_t file_bytes(const char *path, const char *end)
{
	char name[4200];
	struct stat status;

	snprintf(name, sizeof(name), "%s%s", path, end);
	return stat(name, &status) == 0 ? (int64_t)status.st_size : 0;
}

/* "1: POSIX  ADVISORY  WRITE 4242 08:01:131 120 120" */
static int64_t writer_of_line(const char *line, const struct stat *shm)
{
	unsigned major_number, minor_number;
	unsigned long inode;
	long long pid, first, last;

	if (sscanf(line, "%*d: POSIX %*s WRITE %lld %x:%x:%lu %lld %lld", &pid, &major_number,
		    &minor_number, &inode, &first, &last) != 6)
		return 0;
	return inode == shm->st_ino && makedev(major_number, minor_number) == shm->st_dev &&
			       first <= WRITE_LOCK_BYTE && last >= WRITE_LOCK_BYTE && pid > 0
		       ? pid
		       : 0;
}

int64_t store_writer(const char *file)
{
	char name[4200], line[256];
	struct stat shm;
	int64_t writer = 0;

	snprintf(name, sizeof(name), "%s-shm", file);
	if (stat(name, &shm) != 0)
		return 0;
	FILE *locks = fopen("/proc/locks", "re");
	while (locks != NULL && writer == 0 && fgets(line, sizeof(line), locks) != NULL)
		writer = writer_of_line(line, &shm);
	if (locks != NULL)
		fclose(locks);
	return writer;
}

bool store_health(struct store *store, struct store_health *ret, struct tuner_error *err)
{
	struct query query;

	*ret = (struct store_health){ 0 };
	if (!pragma_text(store, "PRAGMA journal_mode", ret->journal_mode, sizeof(ret->journal_mode),
		    err))
		return false;
	query_open(&query, store, "SELECT user_version FROM pragma_user_version");
	if (!query_scalar(&query, 0, &ret->version, err))
		return false;
	query_open(
		&query, store, "SELECT time_us FROM event WHERE id = (SELECT max(id) FROM event)");
	if (!query_scalar(&query, 0, &ret->last_event_us, err) ||
		!store_holder(store_path(store), &ret->holder, err))
		return false;
	ret->shared = store_is_shared(store);
	ret->wal_bytes = file_bytes(store_file(store), "-wal");
	ret->writer = store_writer(store_file(store));
	return true;
}

bool attempt_count_outcomes(struct store *store, int64_t job_id, bool launched,
	int64_t ret_counts[OUTCOMES], struct tuner_error *err)
{
	struct query query;
	enum outcome outcome;
	bool found = false, ok;

	memset(ret_counts, 0, OUTCOMES * sizeof(*ret_counts));
	query_open(&query, store,
		"SELECT a.outcome, count(*) FROM attempt a JOIN trial t ON t.id = a.trial "
		"WHERE t.job = ?1 AND a.outcome IS NOT NULL AND NOT (?2 AND a.backend = ?3) "
		"GROUP BY a.outcome");
	query_bind_int(&query, job_id);
	query_bind_int(&query, launched);
	query_bind_text(&query, ATTEMPT_CALLER);
	while ((ok = query_row(&query, &found, err)) && found) {
		if (!(ok = outcome_from_text(query_text(&query), &outcome, err)))
			break;
		ret_counts[outcome] = query_int(&query);
	}
	query_close(&query);
	return ok;
}

/* A sitting ends when nothing runs any more, so all attempts that it launched ended within it.
 * Compares ids, because the clock may have jumped. */
#define IS_UNCONCLUDED                                                                             \
	"e.job = ?1 AND e.kind IN ('ended', 'retry') AND (SELECT p.run FROM provenance p WHERE "   \
	"p.attempt = e.attempt) > coalesce((SELECT max(id) FROM run WHERE job = ?1 AND "           \
	"ended_us IS NOT NULL), 0) "

bool attempt_count_unconcluded(struct store *store, int64_t job_id, int64_t ret_ended[OUTCOMES],
	int64_t ret_failed[OUTCOMES], struct tuner_error *err)
{
	struct query query;
	enum outcome outcome;
	bool found = false, ok;

	memset(ret_ended, 0, OUTCOMES * sizeof(*ret_ended));
	memset(ret_failed, 0, OUTCOMES * sizeof(*ret_failed));
	query_open(&query, store,
		"SELECT coalesce(json_extract(e.data, '$.counts_as'), json_extract(e.data, "
		"'$.outcome')) AS counts_as, count(*), sum(json_extract(e.data, '$.state') = "
		"'failed') FROM event e JOIN attempt a ON a.id = e.attempt WHERE " IS_UNCONCLUDED
		"AND a.backend <> ?2 AND json_extract(e.data, '$.excused') IS NULL GROUP BY "
		"counts_as HAVING counts_as IS NOT NULL");
	query_bind_int(&query, job_id);
	query_bind_text(&query, ATTEMPT_CALLER);
	while ((ok = query_row(&query, &found, err)) && found) {
		if (!(ok = outcome_from_text(query_text(&query), &outcome, err)))
			break;
		ret_ended[outcome] = query_int(&query);
		ret_failed[outcome] = query_int(&query);
	}
	query_close(&query);
	return ok;
}

bool attempt_unconcluded_end(struct store *store, int64_t job_id, int64_t *ret_trial,
	enum outcome *ret_outcome, char *ret_message, size_t size, struct tuner_error *err)
{
	struct query query;
	bool found = false;

	*ret_trial = 0;
	query_open(&query, store,
		"SELECT t.number, a.outcome, a.message FROM event e JOIN attempt a ON a.id = "
		"e.attempt JOIN trial t ON t.id = a.trial WHERE " IS_UNCONCLUDED
		"AND json_extract(e.data, '$.ends_job') ORDER BY e.id DESC LIMIT 1");
	query_bind_int(&query, job_id);
	bool ok = query_row(&query, &found, err);
	if (ok && found) {
		*ret_trial = query_int(&query);
		ok = outcome_from_text(query_text(&query), ret_outcome, err);
		query_text_into(&query, ret_message, size);
	}
	query_close(&query);
	return ok;
}

bool metric_was_reported(
	struct store *store, int64_t job_id, const char *name, bool *ret, struct tuner_error *err)
{
	struct query query;
	int64_t any = 0;

	/* Attempt by attempt, with the index that begins with the attempt, and only to the first
	 * row. */
	query_open(&query, store,
		"SELECT EXISTS (SELECT 1 FROM trial t CROSS JOIN attempt a ON a.trial = t.id "
		"CROSS JOIN metric m ON m.attempt = a.id AND m.name = (SELECT id FROM metric_name "
		"WHERE name = ?2) WHERE t.job = ?1)");
	query_bind_int(&query, job_id);
	query_bind_text(&query, name);
	if (!query_scalar(&query, 0, &any, err))
		return false;
	*ret = any != 0;
	return true;
}

void metric_names_finish(struct metric_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->items[i]);
	free(names->items);
	*names = (struct metric_names){ 0 };
}

bool metric_names_select(
	struct store *store, int64_t job_id, struct metric_names *ret, struct tuner_error *err)
{
	struct metric_names names = { 0 };
	size_t capacity = 0;
	struct query query;
	bool found = false, ok = true;

	/* Name by name, only to the first row of each, as above. */
	query_open(&query, store,
		"SELECT n.name FROM metric_name n WHERE EXISTS (SELECT 1 FROM trial t CROSS JOIN "
		"attempt a ON a.trial = t.id CROSS JOIN metric m ON m.attempt = a.id AND m.name = "
		"n.id WHERE t.job = ?1) ORDER BY n.id");
	query_bind_int(&query, job_id);
	while (ok && (ok = query_row(&query, &found, err)) && found) {
		ok = array_grow(
			(void **)&names.items, &names.n, &capacity, sizeof *names.items, err);
		if (ok && !query_text_copy(&query, &names.items[names.n - 1]))
			ok = tuner_fail_memory(err);
	}
	query_close(&query);
	if (ok)
		*ret = names;
	else
		metric_names_finish(&names);
	return ok;
}

bool prediction_select(struct store *store, int64_t job_id, struct prediction *ret, size_t size,
	size_t *ret_n, struct tuner_error *err)
{
	struct query query;
	bool found = false, ok;

	*ret_n = 0;
	query_open(&query, store,
		"SELECT d.mean, d.sd, t.objective FROM trial t CROSS JOIN decision d ON d.id = "
		"t.id "
		"WHERE t.job = ?1 AND t.state = 'done' AND d.sd > 0 AND d.objective_version = "
		"t.objective_version AND d.mean IS NOT NULL "
		"ORDER BY t.number DESC LIMIT ?2");
	query_bind_int(&query, job_id);
	query_bind_int(&query, (int64_t)size);
	while ((ok = query_row(&query, &found, err)) && found && *ret_n < size) {
		struct prediction *prediction = &ret[(*ret_n)++];
		prediction->mean = query_double(&query);
		prediction->sd = query_double(&query);
		prediction->objective = query_double(&query);
	}
	query_close(&query);
	return ok;
}
