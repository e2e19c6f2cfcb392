#include "trials/decision.h"

#include "base/text.h"
#include "trials/sql.h"

#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- doubles as bytes, little-endian on every machine, every bit kept ---- */

static void encode(const double *values, size_t n, unsigned char *ret)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t bits;

		memcpy(&bits, &values[i], sizeof bits);
		bits = htole64(bits);
		memcpy(ret + i * sizeof bits, &bits, sizeof bits);
	}
}

static void decode(const unsigned char *bytes, size_t n, double *ret)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t bits;

		memcpy(&bits, bytes + i * sizeof bits, sizeof bits);
		bits = le64toh(bits);
		memcpy(&ret[i], &bits, sizeof bits);
	}
}

/* ---- writing ---- */

static bool intern_machine(struct store *store, const struct decision *decision, int64_t *ret_id,
	struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		"SELECT id FROM machine WHERE libraries = ?1 AND cpu = ?2 AND program = ?3");
	query_bind_text(&query, decision->libraries);
	query_bind_text(&query, decision->cpu);
	query_bind_text(&query, decision->program);
	if (!query_scalar(&query, 0, ret_id, err))
		return false;
	if (*ret_id > 0)
		return true;
	query_open(
		&query, store, "INSERT INTO machine (libraries, cpu, program) VALUES (?1, ?2, ?3)");
	query_bind_text(&query, decision->libraries);
	query_bind_text(&query, decision->cpu);
	query_bind_text(&query, decision->program);
	return query_insert(&query, ret_id, err);
}

static void print_pending(const struct decision *decision, struct text *ret)
{
	text_add_char(ret, '[');
	for (size_t i = 0; i < decision->n_pending; i++)
		text_print(ret, "%s%" PRId64, i > 0 ? "," : "", decision->pending[i]);
	text_add_char(ret, ']');
}

static bool insert_row(struct store *store, int64_t id, const struct trial_new *trial,
	const struct decision *d, int64_t machine, const char *pending, const void *hyperparameters,
	struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		"INSERT INTO decision (id, strategy, branch, reason, space_version, "
		"objective_version, seen, start, sequence, next_sequence, budget_trials, parallel, "
		"work_limit, work, without_model, mean, sd, acquisition, incumbent, took_us, "
		"machine, "
		"settings, pending, hyperparameters) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, "
		"?17, "
		"?18, ?19, ?20, ?21, ?22, ?23, ?24)");
	query_bind_int(&query, id);
	query_bind_text(&query, d->strategy);
	query_bind_text(&query, d->branch);
	query_bind_text(&query, d->reason ? d->reason : "");
	query_bind_int(&query, trial->space_version);
	query_bind_int(&query, trial->objective_version);
	query_bind_int_or_null(&query, d->seen, 0);
	query_bind_int_or_null(&query, d->start, 0);
	query_bind_int(&query, d->sequence);
	query_bind_int(&query, d->next_sequence);
	query_bind_int(&query, d->budget_trials);
	query_bind_int(&query, d->parallel);
	query_bind_int(&query, d->work_limit);
	query_bind_int(&query, d->work);
	query_bind_int(&query, d->without_model);
	query_bind_double(&query, d->mean);
	query_bind_double(&query, d->sd);
	query_bind_double(&query, d->acquisition);
	query_bind_double(&query, d->incumbent);
	query_bind_int(&query, d->took_us);
	query_bind_int(&query, machine);
	query_bind_text(&query, d->settings ? d->settings : "{}");
	query_bind_text(&query, pending);
	query_bind_blob(&query, hyperparameters, d->n_hyperparameters * sizeof(double));
	return query_run(&query, err);
}

bool decision_insert(struct store *store, int64_t trial_id, const struct trial_new *trial,
	const struct decision *decision, struct tuner_error *err)
{
	struct text pending = TEXT_EMPTY;
	unsigned char *hyperparameters = NULL;
	int64_t machine = 0;
	bool ok = false;

	if (!intern_machine(store, decision, &machine, err))
		return false;
	print_pending(decision, &pending);
	if (decision->n_hyperparameters > 0) {
		hyperparameters = malloc(decision->n_hyperparameters * sizeof(double));
		if (hyperparameters)
			encode(decision->hyperparameters, decision->n_hyperparameters,
				hyperparameters);
	}
	if (text_failed(&pending) || (decision->n_hyperparameters > 0 && !hyperparameters)) {
		tuner_fail_memory(err);
		goto out;
	}
	ok = insert_row(
		store, trial_id, trial, decision, machine, pending.bytes, hyperparameters, err);
out:
	text_finish(&pending);
	free(hyperparameters);
	return ok;
}

/* ---- reading ---- */

/* One piece of memory holds all data that a decision points to: the arrays first, for their
 * alignment. The same code runs twice, to measure (bytes NULL) and to fill. */
struct arena {
	char *bytes;
	size_t used, size; /* size: as measured */
};

static void *arena_take(struct arena *arena, size_t size)
{
	void *const at = arena->bytes ? arena->bytes + arena->used : NULL;

	arena->used += size;
	tuner_assert(!arena->bytes || arena->used <= arena->size);
	return at;
}

static const char *arena_copy(struct arena *arena, const char *text)
{
	const size_t size = strlen(text) + 1;
	char *const copy = arena_take(arena, size);

	return copy ? memcpy(copy, text, size) : NULL;
}

/* Parses the trial numbers in a text from print_pending into `ret`, unless that is NULL. *ret_n:
 * their number. False for any other text: somebody has edited the database. */
static bool parse_pending(const char *json, int64_t *ret, size_t *ret_n)
{
	const char *at = json + 1;
	char *end;

	*ret_n = 0;
	if (strcmp(json, "[]") == 0)
		return true;
	for (end = (char *)json; *end == '[' || *end == ','; at = end + 1) {
		const int64_t number = strtoll(at, &end, 10);

		if (end == at || (*end != ',' && *end != ']'))
			return false;
		if (ret)
			ret[*ret_n] = number;
		(*ret_n)++;
	}
	return strcmp(end, "]") == 0;
}

#define SELECT_DECISION                                                                            \
	"SELECT d.hyperparameters, d.pending, d.strategy, d.branch, d.reason, d.settings, "        \
	"m.libraries, "                                                                            \
	"m.cpu, m.program, d.id, d.seen, d.start, d.sequence, d.next_sequence, d.budget_trials, "  \
	"d.parallel, d.work_limit, d.work, d.without_model, d.mean, d.sd, d.acquisition, "         \
	"d.incumbent, d.took_us, d.objective_version FROM decision d "

#define JOIN_MACHINE "CROSS JOIN machine m ON m.id = d.machine "

static bool read_arrays(struct query *query, struct arena *arena, struct decision *ret)
{
	const size_t bytes = (size_t)sqlite3_column_bytes(query->handle, query->column);
	const void *const blob = sqlite3_column_blob(query->handle, query->column++);
	double *const hyperparameters = arena_take(arena, bytes);

	ret->n_hyperparameters = bytes / sizeof(double);
	if (hyperparameters && blob)
		decode(blob, ret->n_hyperparameters, hyperparameters);
	ret->hyperparameters = hyperparameters;

	const char *const json = query_text(query);

	if (!parse_pending(json, NULL, &ret->n_pending))
		return false;
	int64_t *const pending = arena_take(arena, ret->n_pending * sizeof *pending);

	ret->pending = pending;
	return !pending || parse_pending(json, pending, &ret->n_pending);
}

static void read_strings(struct query *query, struct arena *arena, struct decision *ret)
{
	ret->strategy = arena_copy(arena, query_text(query));
	ret->branch = arena_copy(arena, query_text(query));
	ret->reason = arena_copy(arena, query_text(query));
	ret->settings = arena_copy(arena, query_text(query));
	ret->libraries = arena_copy(arena, query_text(query));
	ret->cpu = arena_copy(arena, query_text(query));
	ret->program = arena_copy(arena, query_text(query));
}

static void read_numbers(struct query *query, struct decision *ret)
{
	ret->id = query_int(query);
	ret->seen = query_int_or(query, 0);
	ret->start = query_int_or(query, 0);
	ret->sequence = query_int(query);
	ret->next_sequence = query_int(query);
	ret->budget_trials = query_int(query);
	ret->parallel = query_int(query);
	ret->work_limit = query_int(query);
	ret->work = query_int(query);
	ret->without_model = query_int(query) != 0;
	ret->mean = query_double(query);
	ret->sd = query_double(query);
	ret->acquisition = query_double(query);
	ret->incumbent = query_double(query);
	ret->took_us = query_int(query);
	ret->objective_version = query_int(query);
}

static bool read_decision(struct query *query, struct arena *arena, struct decision *ret)
{
	query->column = 0;
	if (!read_arrays(query, arena, ret))
		return false;
	read_strings(query, arena, ret);
	read_numbers(query, ret);
	return true;
}

/* Reads the query's current row. */
static bool read_row(
	struct query *query, struct decision *ret, char **ret_memory, struct tuner_error *err)
{
	struct decision decision = { 0 };
	struct arena arena = { NULL, 0, 0 };

	if (!read_decision(query, &arena, &decision))
		return tuner_fail(err, TUNER_FATAL,
			"a decision's pending trials are not a list of numbers: the database was "
			"edited");
	arena = (struct arena){ .bytes = malloc(arena.used), .size = arena.used };
	if (!arena.bytes)
		return tuner_fail_memory(err);
	const bool filled = read_decision(query, &arena, &decision);

	tuner_assert(filled);
	*ret = decision;
	*ret_memory = arena.bytes;
	return true;
}

/* Reads the first row of a query on SELECT_DECISION, and closes the query. */
static bool read_one(struct query *query, struct decision *ret, char **ret_memory, bool *ret_found,
	struct tuner_error *err)
{
	bool ok = query_row(query, ret_found, err);

	if (ok && *ret_found)
		ok = read_row(query, ret, ret_memory, err);
	query_close(query);
	return ok;
}

bool decision_load(struct store *store, int64_t trial_id, struct decision *ret, char **ret_memory,
	struct tuner_error *err)
{
	struct query query;
	bool found = false;

	query_open(&query, store, SELECT_DECISION JOIN_MACHINE "WHERE d.id = ?1");
	query_bind_int(&query, trial_id);
	if (!read_one(&query, ret, ret_memory, &found, err))
		return false;
	return found || tuner_fail(err, TUNER_FATAL,
				"there is no decision of a trial with id %" PRId64, trial_id);
}

/* Searches from the newest fit backwards; ids rise with time, so the search ends at the job's first
 * trial. */
bool decision_latest(struct store *store, int64_t job_id, const char *arm, int64_t repeat,
	struct decision *ret, char **ret_memory, bool *ret_found, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		SELECT_DECISION "CROSS JOIN trial t ON t.id = d.id " JOIN_MACHINE
				"WHERE d.hyperparameters IS NOT NULL AND d.id >= "
				"(SELECT id FROM trial WHERE job = ?1 AND number = 1) "
				"AND t.job = ?1 AND t.arm = ?2 AND t.repeat = ?3 "
				"ORDER BY d.id DESC LIMIT 1");
	query_bind_int(&query, job_id);
	query_bind_text(&query, arm);
	query_bind_int(&query, repeat);
	return read_one(&query, ret, ret_memory, ret_found, err);
}

bool decision_sequence(struct store *store, int64_t job_id, const char *arm, int64_t repeat,
	int64_t *ret_sequence, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		"SELECT d.next_sequence FROM trial t CROSS JOIN decision d ON d.id = t.id "
		"WHERE t.job = ?1 AND t.arm = ?2 AND t.repeat = ?3 ORDER BY t.arm_number DESC "
		"LIMIT 1");
	query_bind_int(&query, job_id);
	query_bind_text(&query, arm);
	query_bind_int(&query, repeat);
	return query_scalar(&query, 0, ret_sequence, err);
}

bool decision_prognoses(struct store *store, int64_t job_id, const char *arm, int64_t repeat,
	struct prognosis *ret, size_t size, size_t *ret_n, struct tuner_error *err)
{
	struct query query;
	bool found = false, ok = true;

	*ret_n = 0;
	query_open(&query, store,
		/* Older versions stored only the prediction. */
		"SELECT mean, sd, incumbent, over FROM (SELECT d.id, "
		"coalesce(json_extract(d.settings, "
		"'$.gain_mean'), d.mean) AS mean, coalesce(json_extract(d.settings, '$.gain_sd'), "
		"d.sd) AS sd, d.incumbent, 1 - coalesce(json_extract(d.settings, "
		"'$.limits_probability'), 1) AS over FROM trial t "
		"CROSS JOIN decision d ON d.id = t.id WHERE t.job = ?1 AND t.arm = ?2 AND t.repeat "
		"= "
		"?3 AND d.branch <> 'user' AND d.objective_version = (SELECT objective_version "
		"FROM "
		"job WHERE id = ?1) ORDER BY t.arm_number DESC LIMIT ?4) ORDER BY id");
	query_bind_int(&query, job_id);
	query_bind_text(&query, arm);
	query_bind_int(&query, repeat);
	query_bind_int(&query, (int64_t)size);
	while (ok && (ok = query_row(&query, &found, err)) && found && *ret_n < size) {
		struct prognosis *prognosis = &ret[(*ret_n)++];

		prognosis->mean = query_double(&query);
		prognosis->sd = query_double(&query);
		prognosis->incumbent = query_double(&query);
		prognosis->over = query_double(&query);
	}
	query_close(&query);
	return ok;
}
