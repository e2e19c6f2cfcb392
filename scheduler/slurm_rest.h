/* Inside of slurm_rest.c: slurmrestd's words. Two shapes are known. v0.0.38 has plain numbers, one state a
 * job, and objects for environments; from v0.0.40 on a number is {"set", "infinite", "number"}, a state is a list (a base and
 * flags), and an environment a list of NAME=VALUE. No I/O here. */
#ifndef SCHEDULER_SLURM_REST_H
#define SCHEDULER_SLURM_REST_H

#include "base/text.h"
#include "scheduler/slurm_transport.h"

/* The newest first; ended by 0. v0.0.39 is neither of the shapes, and was current for half a year. */
extern const int slurm_rest_versions[];

/* The body of a submit. `environment` as NAME=VALUE, NULL-terminated. NULL without memory; caller frees. */
char *slurm_rest_submit_body(int version, const struct slurm_settings *settings,
	const struct slurm_request *request, char *const *environment);

/* What a server's answer amounts to. */
struct slurm_rest_answer {
	long status; /* HTTP */
	int64_t took_us; /* from request to reply */
	const char *body;
	size_t size;
};

/* Fills result, message, job and jobs (calloc'ed; the caller's). *ret_token: it is likely that the token is
 * the trouble. False without memory. */
bool slurm_rest_parse(
	const struct slurm_rest_answer *answer, struct slurm_reply *ret, bool *ret_token);

#endif
