/* Reads a job file's tree: one pass checks every value against the table of keys, then accessors
 * fetch values, with the table's defaults.
 *
 *     check_shape -> read_objective, read_space, read_search, read_run -> job_file
 *
 * An accessor never reports: for a value that the check has already refused it returns the default,
 * so that one fault gives one message. Relations between values are checked by the read_ functions,
 * which return false only without memory. */
#ifndef TUNER_JOBFILE_READER_H
#define TUNER_JOBFILE_READER_H

#include "tuner/jobfile.h"
#include "tuner/jobfile_keys.h"
#include "tuner/jobfile_source.h"

struct reader {
	const struct job_source *source;
	const cJSON *root;
	struct diagnostics *list;
	struct job_file *file; /* being filled */
	enum command_need need;
	bool stored; /* a stored job: its directory is the one that "directory" led to */
};

/* ---- reporting ---- */

enum at { AT_VALUE, AT_KEY };

/* Reports an error or warning at a node: "parameters.lr.min: " and the message, preceded by the
 * --set that put the node there, if any. */
void report_error(struct reader *reader, const cJSON *node, enum at at, const char *format, ...)
	TUNER_PRINTF(4, 5);
void report_warning(struct reader *reader, const cJSON *node, enum at at, const char *format, ...)
	TUNER_PRINTF(4, 5);

/* Reports an error about the whole file. */
void report_missing(struct reader *reader, const char *format, ...) TUNER_PRINTF(2, 3);

/* "; did you mean \"loss\"?" if one of the words is near, else "". Returns ret_text. */
enum { HINT_BYTES = 200 };
const char *nearest_hint(
	const char *word, const char *const *words, size_t n, char ret_text[HINT_BYTES]);

/* ---- checking against the table ---- */

void check_shape(struct reader *reader);

/* ---- accessors: object may be NULL, or the word that stands for it ---- */

/* The member if it exists, valid or not. */
const cJSON *member_raw(const cJSON *object, const char *name);

/* The member if it exists and fits the table. */
const cJSON *member(const cJSON *object, enum section section, const char *name);

bool has_member(const cJSON *object, const char *name); /* also an invalid one */

/* True also for a misspelt name for which the key was suggested, since that already reports it as
 * missing. */
bool has_member_or_misnamed(const cJSON *object, enum section section, const char *name);

/* The value, or else the table's default; a key without either is a bug. */
int64_t member_integer(const cJSON *object, enum section section, const char *name);
double member_number(const cJSON *object, enum section section, const char *name);
bool member_boolean(const cJSON *object, enum section section, const char *name);
int64_t member_duration_us(const cJSON *object, enum section section, const char *name);
int64_t member_size(const cJSON *object, enum section section, const char *name);

/* Index of the word among the key's words. */
int member_word(const cJSON *object, enum section section, const char *name);

/* ---- the parts of a file ---- */

/* A faulty parameter keeps its place, so that its name is known, but gets no bounds, so that
 * nothing more is reported about it. The file is refused in the end. */
void mark_faulty(struct parameter *parameter);
bool is_faulty(const struct parameter *parameter);

/* Whether it may name a job or a host, and its directory: letters, digits, '.', '_' and '-', at
 * most 100 bytes, not beginning with '.' or '-'. */
bool is_name(const char *name);

/* The strings of an array without its other items; NULL-terminated. NULL without memory. */
char **copy_strings(const cJSON *array);

/* Must precede the command, which a host's prefix may start. */
TUNER_MUST_CHECK bool read_hosts(struct reader *reader, struct tuner_error *err);

/* What a host of the backend ssh adds; of another, its keys are errors. */
TUNER_MUST_CHECK bool read_ssh(
	struct reader *reader, const cJSON *node, struct job_host *host, struct tuner_error *err);
void refuse_ssh_keys(struct reader *reader, const cJSON *node, const char *backend);
/* What a host of the backend slurm adds; of another, its keys are errors. */
TUNER_MUST_CHECK bool read_slurm(
	struct reader *reader, const cJSON *node, struct job_host *host, struct tuner_error *err);
void refuse_slurm_keys(struct reader *reader, const cJSON *node, const char *backend);
void job_slurm_destroy(struct job_slurm *slurm);

/* Reads what the definition says of good values of parameter i, which has been read. */
TUNER_MUST_CHECK bool read_prior(
	struct reader *reader, const cJSON *definition, size_t i, struct tuner_error *err);
void check_priors(struct reader *reader); /* once the strategies are known */

/* Reads conditions and constraints, once all parameters are known. */
TUNER_MUST_CHECK bool read_rules(struct reader *reader, struct tuner_error *err);

TUNER_MUST_CHECK bool read_space(struct reader *reader, struct tuner_error *err);
/* Reads the objective; the second, once the metrics are known, checks that they include those it
 * names. */
TUNER_MUST_CHECK bool read_objective(struct reader *reader, struct tuner_error *err);
void check_objective_metrics(struct reader *reader);

TUNER_MUST_CHECK bool read_search(struct reader *reader, struct tuner_error *err);
/* Once the space and the directory are known. */
TUNER_MUST_CHECK bool read_warm_start(struct reader *reader, struct tuner_error *err);
void warm_parents_destroy(struct job_warm_start *warm_start);
TUNER_MUST_CHECK bool read_run(struct reader *reader, struct tuner_error *err);

#endif
