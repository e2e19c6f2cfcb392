#include "tuner/keep.h"

#include "base/clock.h"
#include "tuner/front.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Trials that failed because of the machine are to continue one day: `tuner retry` puts them
 * back. */
static unsigned spared_outcomes(void)
{
	unsigned spared = 0;

	for (enum outcome o = OUTCOME_OK; o < OUTCOMES; o++)
		if (outcome_is_infrastructure(o))
			spared |= 1u << o;
	return spared;
}

bool keep_rule_read(struct store *store, int64_t job_id, const struct job_keep *keep, int64_t best,
	struct keep_rule *ret, struct tuner_error *err)
{
	struct text front = TEXT_EMPTY;

	*ret = (struct keep_rule){
		.best = best > 0 ? best : keep->best,
		.last = keep->last,
		.spared = spared_outcomes(),
	};
	if (!front_ids(store, job_id, &front, err)) {
		text_finish(&front);
		return false;
	}
	ret->front = text_take(&front);
	return ret->front != NULL || tuner_fail_memory(err);
}

void keep_rule_finish(struct keep_rule *rule)
{
	free((char *)rule->front);
	*rule = (struct keep_rule){ 0 };
}

bool keep_remove_unkept(struct store *store, int64_t job_id, const struct job_keep *keep,
	const char *why, int64_t limit, size_t *ret_n, struct tuner_error *err)
{
	struct keep_rule rule = { 0 };
	struct manifest_list list = { 0 };

	*ret_n = 0;
	if (keep->best == 0)
		return true;
	bool ok = keep_rule_read(store, job_id, keep, 0, &rule, err) &&
		  removal_select(store, job_id, REMOVAL_UNKEPT, &rule, limit, &list, err);
	for (size_t i = 0; ok && i < list.n; i++)
		ok = manifest_remove(store, job_id, &list.items[i], why, clock_wall_us(), err);
	*ret_n = list.n;
	manifest_list_finish(&list);
	keep_rule_finish(&rule);
	return ok;
}

bool keep_make_room(struct store *store, int64_t job_id, const struct job_keep *keep,
	int64_t excess, int64_t limit, size_t *ret_n, int64_t *ret_freed, struct tuner_error *err)
{
	struct keep_rule rule;

	*ret_n = 0;
	*ret_freed = 0;
	bool ok = keep_rule_read(store, job_id, keep, keep->best > 0 ? 0 : 1, &rule, err);
	for (int class = REMOVAL_CHECKPOINTS; ok && class < REMOVAL_CLASSES; class ++) {
		struct manifest_list list = { 0 };
		if (*ret_freed >= excess || (int64_t)*ret_n >= limit)
			break;
		ok = removal_select(store, job_id, (enum removal_class) class, &rule,
			limit - (int64_t)*ret_n, &list, err);
		for (size_t i = 0; ok && i < list.n && *ret_freed < excess; i++) {
			ok = manifest_remove(
				store, job_id, &list.items[i], "keep.disk", clock_wall_us(), err);
			*ret_freed += list.items[i].bytes + list.items[i].checkpoint_bytes;
			(*ret_n)++;
		}
		manifest_list_finish(&list);
	}
	keep_rule_finish(&rule);
	return ok;
}

/* Somebody may have put the trial back since the decision: it then resumes from its checkpoints. */
bool keep_set_aside(struct store *store, const struct manifest *manifest, struct tuner_error *err)
{
	return artifacts_set_aside(store_directory(store), manifest->directory,
		manifest->removal != 0,
		manifest->checkpoint_removal != 0 && manifest->checkpoint_free, err);
}

bool keep_record(struct store *store, int64_t attempt_id, const struct artifacts *found,
	int64_t now_us, struct tuner_error *err)
{
	struct manifest_file *rows = calloc(found->n + 1, sizeof(*rows));

	if (rows == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < found->n; i++) {
		rows[i].path = found->items[i].path;
		rows[i].bytes = found->items[i].bytes;
		memcpy(rows[i].sha256, found->items[i].sha256, sizeof(rows[i].sha256));
	}
	const bool ok = manifest_record(store, attempt_id, rows, found->n, found->files,
		found->bytes, found->checkpoint_bytes, found->message, now_us, err);
	free(rows);
	return ok;
}

char *bytes_text(int64_t bytes, char ret_text[BYTES_TEXT])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB" };
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 999.5 && unit + 1 < sizeof(units) / sizeof(*units)) {
		value /= 1000;
		unit++;
	}
	snprintf(ret_text, BYTES_TEXT, value < 9.95 && unit > 0 ? "%.1f %s" : "%.0f %s", value,
		units[unit]);
	return ret_text;
}
