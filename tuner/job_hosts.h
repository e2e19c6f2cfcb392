/* Hosts of an edited job file beside those of the stored job: `tuner hosts add`. */
#ifndef TUNER_JOB_HOSTS_H
#define TUNER_JOB_HOSTS_H

#include "tuner/jobfile.h"

/* What reports, attempt rows and messages call an entry of "hosts"; `machine` is this machine's name. */
const char *job_host_label(const struct job_host *host, const char *machine);

/* "h2, h3": those of a file from `from` on, up to `end`. Appended. */
void job_hosts_text(const struct job_file *file, size_t from, size_t end, struct text *ret);

/* "hosts" of the file as JSON; of a file without, what it stands for. The caller frees; NULL without memory. */
char *job_hosts_json(const struct job_file *file);

/* How the answer of a run begins that has taken hosts. */
#define HOSTS_ADDED "added: "

struct job_hosts {
	struct job_file *old; /* the stored file */
	struct job_file *all; /* likewise, with the hosts that are new behind its own */
	struct job_file *
		named; /* likewise, with the edited file's hosts alone, in its order; those that the
				   job has as the job has them */
	bool stays[HOSTS_MAX]; /* whether the edited file names that of `old`, too */
};

/* Compares the hosts of an edited file (JSON) with those of the stored job, by backend and name; this machine is
 * one host, whatever it is called. TUNER_USAGE: names that are not unique, too many, what the job file does not
 * take. The caller finishes *ret in each case. */
TUNER_MUST_CHECK
bool job_hosts_merge(
	const struct job *job, const char *hosts, struct job_hosts *ret, struct tuner_error *err);
void job_hosts_finish(struct job_hosts *hosts);

#endif
