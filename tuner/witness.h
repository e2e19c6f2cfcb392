/* Inspects code, data and versions while a job runs, without making the job wait.
 *
 *     witness_create -> witness_ask, at each launch -> witness_next, now and then -> witness_destroy
 *
 * Two threads ask git, read files and list packages. They touch neither the database nor anything
 * else of the loop's; witness_next hands over what they find. Code and data are inspected when the
 * first launch asks for it, and then at most once a second and for at most a twentieth of the time,
 * so a launch is answered by the first inspection that began after it. */
#ifndef TUNER_WITNESS_H
#define TUNER_WITNESS_H

#include "base/sha256.h"
#include "base/text.h"
#include "scheduler/code.h"
#include "scheduler/command.h"
#include "scheduler/surroundings.h"

/* Copied, except for the inherited environment, which must stay valid. */
struct witness_request {
	bool looks_at_code; /* false: the code is frozen */
	struct code_place place;
	const struct channel *channels;
	size_t n_channels; /* 0: there are no data to inspect */
	struct surroundings_request surroundings;
	size_t patch_bytes_max;
	bool skips_versions;
};

enum seen { SEEN_CODE, SEEN_DATA, SEEN_VERSIONS, SEEN_TROUBLE };

struct sighting {
	enum seen what;
	int64_t asked; /* for code and data: launches up to this one are answered */
	int64_t since_us; /* wall clock: changes since the last inspection happened after this; 0:
			     unknown, or the first inspection */
	char fingerprint[SHA256_TEXT]; /* of code, data and the text of versions */
	struct text facts; /* JSON object; for SEEN_TROUBLE what is wrong, in words */
	struct text
		patch; /* for code: differences from the commit; only if the fingerprint is new */
};

struct witness;

/* Starts the threads; versions are inspected at once. TUNER_RETRY if no thread can be created. */
TUNER_MUST_CHECK
bool witness_create(
	const struct witness_request *request, struct witness **ret, struct tuner_error *err);

/* Call at a launch: returns its number, from 1, which a sighting's `asked` will reach. */
int64_t witness_ask(struct witness *witness);

/* Takes the next sighting, if there is one; the caller finishes it. Does not wait. */
bool witness_next(struct witness *witness, struct sighting *ret);
void sighting_finish(struct sighting *sighting);

/* Answers pending questions without further delay, for at most timeout_us; inspections not finished
 * by then are given up. witness_next then has the rest. */
void witness_settle(struct witness *witness, int64_t timeout_us);

/* NULL is fine. A thread that hangs in a file system is abandoned, with its memory. */
void witness_destroy(struct witness *witness);

#endif
