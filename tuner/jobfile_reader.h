/* Reading a job file's tree: one pass checks every value against the table of keys, then accessors
 * take what they need, with the table's defaults.
 *
 *     check_shape -> read_objective, read_space, read_search, read_run -> job_file
 *
 * An accessor never reports: for a value that the check has refused already it gives the default, so
 * that one fault has one message. What several values must have in common, the read_ functions
 * check. They return false without memory only. */
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
	bool stored; /* the file's directory is the one that "directory" led to */
};

/* ---- reporting ---- */

enum at { AT_VALUE, AT_KEY };

/* An error or warning at a node: "parameters.lr.min: " and the message, after the --set that put it
 * there if one did. */
void report_error(struct reader *reader, const cJSON *node, enum at at, const char *format, ...)
	TUNER_PRINTF(4, 5);
void report_warning(struct reader *reader, const cJSON *node, enum at at, const char *format, ...)
	TUNER_PRINTF(4, 5);

/* An error of the whole file. */
void report_missing(struct reader *reader, const char *format, ...) TUNER_PRINTF(2, 3);

/* "; did you mean \"loss\"?" if one of the words is near, else "". Returns ret_text. */
enum { HINT_BYTES = 200 };
const char *nearest_hint(
	const char *word, const char *const *words, size_t n, char ret_text[HINT_BYTES]);

/* ---- checking against the table ---- */

void check_shape(struct reader *reader);

/* ---- accessors: object may be NULL, or the word that stands for it ---- */

/* The member if it is there, whatever it is. */
const cJSON *member_raw(const cJSON *object, const char *name);

/* The member if it is there and fits the table. */
const cJSON *member(const cJSON *object, enum section section, const char *name);

bool has_member(const cJSON *object, const char *name); /* also one that does not fit */

/* Also under a name for which the key has been suggested: that it is missing was said thereby. */
bool has_member_or_misnamed(const cJSON *object, enum section section, const char *name);

/* The value, or else the table's default; a key without either is an error of our own. */
int64_t member_integer(const cJSON *object, enum section section, const char *name);
double member_number(const cJSON *object, enum section section, const char *name);
bool member_boolean(const cJSON *object, enum section section, const char *name);
int64_t member_duration_us(const cJSON *object, enum section section, const char *name);
int64_t member_size(const cJSON *object, enum section section, const char *name);

/* Index of the word among the key's words. */
int member_word(const cJSON *object, enum section section, const char *name);

/* ---- the parts of a file ---- */

/* A parameter with a fault keeps its place, so that its name is known, but has no bounds: nothing
 * more is said about it. The file is refused in the end. */
void mark_faulty(struct parameter *parameter);
bool is_faulty(const struct parameter *parameter);

/* What may name a job or a host, and a directory of it: letters, digits, '.', '_' and '-', at most 100 bytes,
 * neither '.' nor '-' in front. */
bool is_name(const char *name);

/* The strings of an array, those that are none left out; NULL-terminated. NULL without memory. */
char **copy_strings(const cJSON *array);

/* Before the command, which a host's prefix may start. */
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

/* Conditions and constraints, once all parameters are known. */
TUNER_MUST_CHECK bool read_rules(struct reader *reader, struct tuner_error *err);

TUNER_MUST_CHECK bool read_space(struct reader *reader, struct tuner_error *err);
/* The objective; once the metrics are known, that they are those it names. */
TUNER_MUST_CHECK bool read_objective(struct reader *reader, struct tuner_error *err);
void check_objective_metrics(struct reader *reader);

TUNER_MUST_CHECK bool read_search(struct reader *reader, struct tuner_error *err);
/* Once the space and the directory are known. */
TUNER_MUST_CHECK bool read_warm_start(struct reader *reader, struct tuner_error *err);
void warm_parents_destroy(struct job_warm_start *warm_start);
TUNER_MUST_CHECK bool read_run(struct reader *reader, struct tuner_error *err);

#endif
