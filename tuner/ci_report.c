#include "tuner/ci_report.h"

/* The best trial that counts, without results of earlier jobs (source "added"), which show nothing
 * about this run. */
static bool find_best(struct ci_report *report, struct tuner_error *err)
{
	const struct trial_filter filter = { .job_id = report->job.job.id,
		.repeat = -1,
		.states = 1u << TRIAL_DONE,
		.order = TRIAL_BY_OBJECTIVE,
		.limit = 1,
		.without_values = true,
		.own = true };
	struct trial_list best;

	if (!trial_select(report->job.store, &filter, &best, err))
		return false;
	for (size_t i = 0; best.n > 0 && i < report->trials.n; i++)
		if (report->trials.items[i].number == best.items[0].number)
			report->best = &report->trials.items[i];
	trial_list_finish(&best);
	return true;
}

bool ci_report_read(
	struct ci_report *report, struct store *store, int64_t job_id, struct tuner_error *err)
{
	const struct trial_filter filter = { .job_id = job_id,
		.repeat = -1,
		.order = TRIAL_BY_NUMBER,
		.without_values = true,
		.own = true };

	if (!report_load(store, job_id, &report->job, err) ||
		!trial_count_own(store, job_id, report->counts, err) ||
		!trial_select(store, &filter, &report->trials, err) || !find_best(report, err))
		return false;
	for (size_t i = 0; i < report->trials.n; i++) {
		const struct trial *trial = &report->trials.items[i];
		if (trial->state == TRIAL_FAILED)
			report->failures[trial->outcome]++;
	}
	return true;
}

void ci_report_finish(struct ci_report *report)
{
	trial_list_finish(&report->trials);
	report_close(&report->job);
}
