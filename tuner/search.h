/* The searches of a job: one, or one for each arm and repeat of a comparison. Each sees only its
 * own trials. */
#ifndef TUNER_SEARCH_H
#define TUNER_SEARCH_H

#include "tuner/proposal.h"

struct search {
	const char *arm; /* "" in a job without arms */
	int64_t repeat; /* from 0 */
	struct job_file
		file; /* the job's, with the arm's strategy; its pointers are the job file's */
	struct history history;
	struct proposer proposer;
	bool exhausted; /* every configuration of the space has been tried */
};

struct search_list {
	struct search *items;
	size_t n;
};

/* Loads the searches from the database. `file` must outlive the list, whose items never move. */
TUNER_MUST_CHECK
bool search_list_load(struct search_list *list, const struct job_file *file, struct store *store,
	int64_t job_id, struct tuner_error *err);
void search_list_finish(struct search_list *list);

/* Reloads the histories, after trials were put back. */
TUNER_MUST_CHECK
bool search_list_reload(
	struct search_list *list, struct store *store, int64_t job_id, struct tuner_error *err);

/* The number of trials of the search that has the fewest, without those observed elsewhere. Searches
 * that the job file no longer has do not count. */
TUNER_MUST_CHECK
bool search_fewest_trials(const struct job_file *file, struct store *store, int64_t job_id,
	int64_t *ret, struct tuner_error *err);

/* The search of a trial's arm and repeat; NULL if the job file no longer has it. */
struct search *search_find(const struct search_list *list, const char *arm, int64_t repeat);

/* Whether it has trials left to propose. */
bool search_is_open(const struct search *search);

/* The open search whose turn it is: that with the fewest trials, so that all advance together and
 * none has the machine at a better time; among equals by repeat, then by arm, beginning with a
 * different arm in each repeat. NULL if none is open. */
struct search *search_next(const struct search_list *list);

/* Over all searches. */
const struct finished_trial *search_list_best(const struct search_list *list); /* NULL: none */
const struct finished_trial *search_list_trial(
	const struct search_list *list, int64_t number); /* NULL: it has not ended */
/* The best without trials observed elsewhere, which no budget counts. */
const struct finished_trial *search_list_best_own(const struct search_list *list);
int64_t search_list_better(
	const struct search_list *list, double objective); /* done trials better than that */
size_t search_list_done(const struct search_list *list); /* trials with an objective */
size_t search_list_ended(const struct search_list *list);

/* "gp/2": for people; "" in a job without arms. */
void search_name(const struct search *search, char ret_name[ARM_NAME_BYTES + 8]);

#endif
