#include "tuner/ci_report.h"

bool ci_report_read(
	struct ci_report *report, struct store *store, int64_t job_id, struct tuner_error *err)
{
	const struct trial_filter filter = { .job_id = job_id,
		.repeat = -1,
		.order = TRIAL_BY_NUMBER,
		.without_values = true,
		.own = true };
	struct trial best;
	bool found = false;

	if (!report_load(store, job_id, &report->job, err) ||
		!trial_count_own(store, job_id, report->counts, err) ||
		!trial_select(store, &filter, &report->trials, err) ||
		!report_best(&report->job, &best, &found, err))
		return false;
	for (size_t i = 0; i < report->trials.n; i++) {
		const struct trial *trial = &report->trials.items[i];
		if (found && trial->number == best.number)
			report->best = trial;
		if (trial->state == TRIAL_FAILED)
			report->failures[trial->outcome]++;
	}
	if (found)
		trial_finish(&best);
	return true;
}

void ci_report_finish(struct ci_report *report)
{
	trial_list_finish(&report->trials);
	report_close(&report->job);
}
