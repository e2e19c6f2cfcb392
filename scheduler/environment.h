/* The variables of a training command: its own, SageMaker's, and ours. */
#ifndef SCHEDULER_ENVIRONMENT_H
#define SCHEDULER_ENVIRONMENT_H

#include "scheduler/command.h"
#include "scheduler/strings.h"

/* The attempt's paths as the command sees them. */
char *attempt_path(const struct command_request *request, const char *name); /* caller frees */
char *attempt_checkpoint(const struct command_request *request); /* caller frees */

/* The slot's GPUs in CUDA_VISIBLE_DEVICES' format: "0,1" by index, since many programs parse
 * integers; by UUID if any is a MIG slice, since slices have no index. "" without GPUs. */
void slot_gpus(const struct slot *slot, struct text *ret);

/* The hyperparameters as a JSON object, with typed values or with all as strings (SageMaker's
 * file). */
void arguments_json(const struct argument *arguments, size_t n, bool as_strings, struct text *ret);

/* Fills ret (empty) with the whole environment, by the rules of command_build. */
TUNER_MUST_CHECK
bool environment_build(
	const struct command_request *request, struct strings *ret, struct tuner_error *err);

#endif
