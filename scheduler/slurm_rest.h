/* Internals of slurm_rest.c: slurmrestd's JSON. Two formats are known. v0.0.38 has plain numbers,
 * one state per job, and objects for environments; from v0.0.40 on a number is {"set", "infinite",
 * "number"}, a state is a list (a base and flags), and an environment a list of NAME=VALUE. No I/O
 * here. */
#ifndef SCHEDULER_SLURM_REST_H
#define SCHEDULER_SLURM_REST_H

#include "base/text.h"
#include "scheduler/slurm_transport.h"

/* Newest first; ended by 0. v0.0.39 has neither format, and was current for half a year only. */
extern const int slurm_rest_versions[];

/* The body of a submit request. `environment`: NAME=VALUE strings, NULL-terminated. NULL without
 * memory; caller frees. */
char *slurm_rest_submit_body(int version, const struct slurm_settings *settings,
	const struct slurm_request *request, char *const *environment);

/* A server's answer. */
struct slurm_rest_answer {
	long status; /* HTTP */
	int64_t took_us; /* time from request to reply */
	const char *body;
	size_t size;
};

/* Fills result, message, job and jobs (calloc'ed; the caller frees). *ret_token: the token is
 * probably the cause of the failure. False without memory. */
bool slurm_rest_parse(
	const struct slurm_rest_answer *answer, struct slurm_reply *ret, bool *ret_token);

#endif
