/* What an attempt has left on the disk besides our own files: the model, the output, whatever else
 * it wrote into its directory (its artefacts), and the checkpoints, which all attempts of a trial
 * share.
 *
 *     artifacts_scan                                        lists and hashes
 *     artifacts_set_aside -> artifacts_delete_set_aside     removes, in two steps
 *
 * `root` is DATABASE.d, `relative` an attempt's directory below it: "JOB/0007/1". Every component
 * below root is opened without following links: whatever a command has put there, nothing outside
 * root is read or removed. A link is neither listed nor counted; removal removes the link itself.
 *
 * Setting aside is a rename into JOB/0007/.tuner-removed-1, so it takes no time and cannot collide
 * with the next attempt; deleting takes as long as the disk needs. Both may be repeated, also after
 * a kill in between. */
#ifndef SCHEDULER_ARTIFACTS_H
#define SCHEDULER_ARTIFACTS_H

#include "base/error.h"
#include "base/sha256.h"
#include "base/text.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define ARTIFACTS_SUMS "SHA256SUMS" /* in the attempt's directory, for sha256sum --check */
#define ARTIFACTS_SET_ASIDE                                                                        \
	".tuner-removed-" /* and the attempt's number, in the trial's directory */

enum {
	ARTIFACTS_LISTED_MAX = 1000, /* files that are listed one by one; all of them are counted */
};

struct artifact {
	char *path; /* relative to the attempt's directory: "model/weights.pt" */
	int64_t bytes;
	char sha256[SHA256_TEXT]; /* "": not computed */
};

struct artifacts {
	struct artifact *items; /* by path; at most ARTIFACTS_LISTED_MAX */
	size_t n, capacity;
	int64_t files, bytes; /* all, listed or not */
	int64_t checkpoint_bytes; /* of the trial */
	char message
		[240]; /* what could not be read or was not listed; "" if there is nothing to say */
};

void artifacts_finish(struct artifacts *artifacts); /* zeroed: does nothing */

/* Lists what an attempt that has ended left. With `hash`, each listed file is read in full and
 * SHA256SUMS is written (if that fails, ret->message says so); a file that is almost all holes is
 * reported in the message instead. An unreadable file is not a failure. A missing directory yields
 * an empty list. Soon after *cancel becomes true (NULL: never), returns TUNER_RETRY. */
TUNER_MUST_CHECK
bool artifacts_scan(const char *root, const char *relative, bool hash, const atomic_bool *cancel,
	struct artifacts *ret, struct tuner_error *err);

/* Bytes that an attempt's artefacts and its trial's checkpoints take at this moment, also while it
 * runs. */
TUNER_MUST_CHECK
bool artifacts_measure(const char *root, const char *relative, int64_t *ret_artifact_bytes,
	int64_t *ret_checkpoint_bytes, struct tuner_error *err);

/* Hashes one file below the attempt's directory; TUNER_USAGE if it does not exist or is not a
 * file. */
TUNER_MUST_CHECK
bool artifact_hash(const char *root, const char *relative, const char *path,
	char ret_sha256[SHA256_TEXT], int64_t *ret_bytes, struct tuner_error *err);

/* Size of such a file, without reading it; -1: no such file. */
TUNER_MUST_CHECK
bool artifact_size(const char *root, const char *relative, const char *path, int64_t *ret_bytes,
	struct tuner_error *err);

/* Sets aside what is to be removed: the attempt's artefacts, the trial's checkpoints. Missing ones
 * are no failure. */
TUNER_MUST_CHECK
bool artifacts_set_aside(const char *root, const char *relative, bool artifacts, bool checkpoint,
	struct tuner_error *err);
TUNER_MUST_CHECK
bool artifacts_delete_set_aside(const char *root, const char *relative, struct tuner_error *err);

/* What has been set aside and is still on the disk, since it could not be deleted. */
void artifacts_count_set_aside(
	const char *root, const char *relative, int64_t *ret_bytes, int64_t *ret_checkpoint_bytes);

/* Whether a name directly in an attempt's directory is one of our own files. */
bool artifacts_name_is_ours(const char *name);

/* A file that only a kill can have left: ".tuner-*.tmp", "exit.json.new". */
bool artifacts_name_is_leftover(const char *name);

/* Opens a directory below root component by component, following no link. An absolute `relative` (a
 * host with a directory of its own) is opened without following a link in the last component only.
 * -1 with errno; the caller closes. */
int artifacts_open_below(const char *root, const char *relative);

/* Bytes of all files below an open directory's entry (a file or a directory; a link counts 0). */
int64_t artifacts_bytes_at(int directory_fd, const char *name);

#endif
