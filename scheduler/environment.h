/* The variables of a training command: its own, SageMaker's, and ours. */
#ifndef SCHEDULER_ENVIRONMENT_H
#define SCHEDULER_ENVIRONMENT_H

#include "scheduler/command.h"
#include "scheduler/strings.h"

/* The paths that an attempt knows, as the command is told them. */
char *attempt_path(const struct command_request *request, const char *name); /* caller frees */
char *attempt_checkpoint(const struct command_request *request); /* caller frees */

/* GPUs as CUDA_VISIBLE_DEVICES wants them: "0,1" by index, since many programs read integers; by UUID
 * if a MIG slice is among them, since slices have no index. "" without GPUs. */
void slot_gpus(const struct slot *slot, struct text *ret);

/* The hyperparameters as a JSON object, values as they are, or all as strings (SageMaker's file). */
void arguments_json(const struct argument *arguments, size_t n, bool as_strings, struct text *ret);

/* Fills ret (empty) with all of it, by the rules of command_build. */
TUNER_MUST_CHECK
bool environment_build(
	const struct command_request *request, struct strings *ret, struct tuner_error *err);

#endif
