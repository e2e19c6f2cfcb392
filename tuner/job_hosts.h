/* Merges the hosts of an edited job file with those of the stored job: `tuner hosts add`. */
#ifndef TUNER_JOB_HOSTS_H
#define TUNER_JOB_HOSTS_H

#include "tuner/jobfile.h"

/* The name of an entry of "hosts" in reports, attempt rows and messages; `machine` is this
 * machine's name. */
const char *job_host_label(const struct job_host *host, const char *machine);

/* Appends the names of a file's hosts with indices in [from, end): "h2, h3". */
void job_hosts_text(const struct job_file *file, size_t from, size_t end, struct text *ret);

/* "hosts" of the file as JSON; if absent, its default. The caller frees; NULL without memory. */
char *job_hosts_json(const struct job_file *file);

/* The beginning of a run's answer once it has added hosts. */
#define HOSTS_ADDED "added: "

struct job_hosts {
	struct job_file *old; /* the stored file */
	struct job_file *all; /* the same with the new hosts after its own */
	struct job_file
		*named; /* the same with only the edited file's hosts, in its order; those that the
			  job has already, as the job has them */
	bool stays[HOSTS_MAX]; /* whether the edited file also names the host of `old` */
};

/* Compares the hosts of an edited file (JSON) with those of the stored job, by backend and name;
 * this machine is one host, whatever its name. TUNER_USAGE: duplicate names, too many hosts,
 * entries that a job file may not have. The caller finishes *ret in any case. */
TUNER_MUST_CHECK
bool job_hosts_merge(
	const struct job *job, const char *hosts, struct job_hosts *ret, struct tuner_error *err);
void job_hosts_finish(struct job_hosts *hosts);

#endif
