/* The table of the job file's keys: the only place that knows which keys exist, which values they
 * accept, their defaults, and what other tools call them. The reader checks against it; `tuner
 * schema` and `tuner check` print it.
 *
 * A key added here is checked and described automatically; its meaning is read in jobfile_search.c,
 * jobfile_space.c, jobfile_rules.c or jobfile_run.c. */
#ifndef TUNER_JOBFILE_KEYS_H
#define TUNER_JOBFILE_KEYS_H

#include "base/text.h"
#include "surrogate/stopping.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

/* The kinds of objects in a job file. */
enum section {
	SECTION_FILE, /* the file itself */
	SECTION_OBJECTIVE,
	SECTION_METRIC, /* an item of "metrics" */
	SECTION_PARAMETER, /* a value of "parameters" */
	SECTION_ARM, /* a member of "arms" */
	SECTION_STRATEGY,
	SECTION_BUDGET,
	SECTION_STOPPING, /* "early_stopping" */
	SECTION_FAILURE, /* an item of "failures" */
	SECTION_OUTCOMES, /* "outcomes" */
	SECTION_OUTCOME, /* a member of it */
	SECTION_HOST, /* an item of "hosts" */
	SECTION_CODE, /* "source" */
	SECTION_KEEP, /* "keep" */
	SECTION_WARM_START, /* "warm_start" */
	SECTION_PARENT, /* an item of its "jobs" */
	SECTION_ALSO, /* an item of "objective.also" */
	SECTIONS
};

enum key_type {
	KEY_STRING, /* not empty */
	KEY_TEXT, /* a string that may be empty */
	KEY_BOOLEAN,
	KEY_INTEGER, /* min..max */
	KEY_INTEGER_OR_AUTO, /* min..max, or "auto" */
	KEY_NUMBER, /* min..max */
	KEY_SCALAR, /* string, number or boolean */
	KEY_SEED, /* a whole number from 0 on; as a string up to 2^64 - 1 */
	KEY_DURATION, /* "1h30m", or seconds as a number; min..max seconds */
	KEY_SIZE, /* "64 MiB", or bytes as a number; min..max bytes */
	KEY_TIME, /* "2026-08-30T18:00:00Z" */
	KEY_WORD, /* one of words */
	KEY_REDUCE, /* "last", "best" or "mean of last N" */
	KEY_GPUS, /* "auto", "none" or an array of indices */
	KEY_STRINGS, /* array of strings */
	KEY_SCALARS, /* array of scalars */
	KEY_OBJECT, /* an object of section `contains`, or a word if that section has a shorthand */
	KEY_OBJECTS, /* an array of such objects */
	KEY_OBJECT_MAP, /* an object of name: object */
	KEY_STRING_MAP, /* an object of name: string */
	KEY_SCALAR_MAP, /* an object of name: scalar */
	KEY_SCALAR_MAPS, /* an array of objects of name: scalar */
	KEY_PRIOR, /* two scalars, or an object of name: number */
	KEY_CONDITIONS, /* an object of name: scalar or array of scalars */
	KEY_ENVIRONMENT, /* a KEY_SCALAR_MAP, or an array of names */
};

struct key {
	enum section section;
	const char *name;
	enum key_type type;
	enum section contains; /* for KEY_OBJECT, KEY_OBJECTS, KEY_OBJECT_MAP */
	double min, max; /* for numbers, both inclusive; for an array or map: number of items */
	const char *words; /* for KEY_WORD, separated by '|' */
	const char *aliases; /* other tools' terms for `words`: "double=float", separated by '|' */
	const char *otherwise; /* the default as JSON; NULL: none, or as in `derived` */
	const char *derived; /* the default in words, if it is derived from other values */
	bool required;
	bool to_run; /* required for running */
	const char *help; /* one sentence without its full stop */
	const char *synonyms; /* other tools' names for it, separated by '|' */
	/* For a string, or the names in a map: the schema's JSON "pattern". */
	const char *pattern;
};

extern const struct key
	job_keys[]; /* ended by a row without a name; a section's rows are contiguous */

/* The row with this name; NULL if there is none. */
const struct key *key_find(enum section section, const char *name);

/* As key_find, for a name from our own code, which must exist. */
const struct key *key_get(enum section section, const char *name);

/* The row, perhaps of another section, that `word` in this section may have meant: by other tools'
 * names, else by spelling. NULL if none is near. *ret_synonym: `word` is another tool's name for
 * it. */
const struct key *key_suggest(enum section section, const char *word, bool *ret_synonym);

/* The key's place in the file: "budget.trials", "parameters.NAME.min", "hosts.0.gpus". */
void key_path(const struct key *key, struct text *ret);

/* The key of this section whose value a plain word may give in place of the object ("name" of
 * strategy); NULL if the section has no such shorthand. */
const char *section_shorthand(enum section section);

/* The keys of early_stopping that a rule uses, separated by '|'; "" for none. */
const char *stopping_rule_settings(enum stopping_rule rule);

/* "a whole number from 1 to 1000000", "one of \"minimize\", \"maximize\"" ... */
void key_expectation(const struct key *key, struct text *ret);

/* True if the value itself is what the key expects; of objects and arrays only the number of items
 * is checked. */
bool key_accepts(const struct key *key, const cJSON *value);

/* ---- lists of words, separated by '|' (words, synonyms ...; NULL is empty) ---- */

enum { WORD_BYTES = 64 };

size_t words_count(const char *words);
void words_get(const char *words, size_t n, char ret_word[WORD_BYTES]); /* n < words_count */
int words_index(const char *words, const char *word); /* -1: not in the list */

/* The word of a KEY_WORD that `word` may mean, by its aliases or by spelling; false if none. */
bool key_suggest_word(const struct key *key, const char *word, char ret_word[WORD_BYTES]);

#endif
