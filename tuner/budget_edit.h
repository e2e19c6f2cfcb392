/* An edited budget for a job that is being run: "tuner run" of the edited file hands it to the process that
 * runs the job, whose trials go on. */
#ifndef TUNER_BUDGET_EDIT_H
#define TUNER_BUDGET_EDIT_H

#include "tuner/command.h"
#include "tuner/jobfile.h"

/* Hands the budget of `file` over if a "tuner run" lives for the job of its name and if nothing but the
 * budget differs from the stored file; prints what was taken. *ret_taken false: none of this holds, or that
 * process has ended meanwhile, and nothing was printed. A refusal is TUNER_USAGE; TUNER_RETRY: that process lives and has
 * not answered, and takes the budget later. */
TUNER_MUST_CHECK
bool budget_edit_send(const struct invocation *call, const struct job_file *file, bool *ret_taken,
	struct tuner_error *err);

/* The stored file of a job with this budget (JSON), and as it is. *ret_changes: a line for each difference.
 * TUNER_USAGE if a key is not accepted. The caller destroys and finishes all three. */
TUNER_MUST_CHECK
bool budget_edit_read(const struct job *job, const char *budget, struct job_file **ret_old,
	struct job_file **ret_new, struct text *ret_changes, struct tuner_error *err);

#endif
