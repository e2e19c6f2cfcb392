/* Looks at code, data and versions while a job runs, without making it wait.
 *
 *     witness_create -> witness_ask, at each launch -> witness_next, now and then -> witness_destroy
 *
 * Two threads of their own ask git, read files and list packages. They touch neither the database nor anything
 * else of the loop's; what they find is handed over by witness_next. Code and data are looked at when the first
 * launch asks for it and then at most once a second and for at most a twentieth of the time, so a launch is
 * answered by the first look that began after it. */
#ifndef TUNER_WITNESS_H
#define TUNER_WITNESS_H

#include "base/sha256.h"
#include "base/text.h"
#include "scheduler/code.h"
#include "scheduler/command.h"
#include "scheduler/surroundings.h"

/* Copied, but for the environment that is inherited: that must stay. */
struct witness_request {
	bool looks_at_code; /* false: it is frozen */
	struct code_place place;
	const struct channel *channels;
	size_t n_channels; /* 0: there are no data to look at */
	struct surroundings_request surroundings;
	size_t patch_bytes_max;
	bool skips_versions;
};

enum seen { SEEN_CODE, SEEN_DATA, SEEN_VERSIONS, SEEN_TROUBLE };

struct sighting {
	enum seen what;
	int64_t asked; /* of code and data: launches up to this one are answered */
	int64_t since_us; /* wall clock: what changed since the last look did so after this; 0: not known,
			     or this is the first look */
	char fingerprint[SHA256_TEXT]; /* of code, data and the text of versions */
	struct text facts; /* JSON object; of SEEN_TROUBLE what is wrong, in words */
	struct text
		patch; /* of code: what differs from the commit; only where the fingerprint is new */
};

struct witness;

/* Starts the threads: versions are looked at at once. TUNER_RETRY if there can be no thread. */
TUNER_MUST_CHECK
bool witness_create(
	const struct witness_request *request, struct witness **ret, struct tuner_error *err);

/* A launch: returns its number, from 1, which a sighting's `asked` will reach. */
int64_t witness_ask(struct witness *witness);

/* The next thing seen, if there is one; the caller finishes it. Does not wait. */
bool witness_next(struct witness *witness, struct sighting *ret);
void sighting_finish(struct sighting *sighting);

/* Answers what has been asked without further delay, but at most for so long; what is still to be seen after
 * that is given up. Then witness_next has the rest. */
void witness_settle(struct witness *witness, int64_t timeout_us);

/* NULL is fine. A thread that hangs in a file system is left behind, with its memory. */
void witness_destroy(struct witness *witness);

#endif
