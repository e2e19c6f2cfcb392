/* The rows of a query over the views, for reports that print each query beside its result: running
 * it again with any SQLite gives the same numbers.
 *
 * Read-only: a query that would change something is refused. */
#ifndef TRIALS_VIEW_H
#define TRIALS_VIEW_H

#include "trials/store.h"

#include <stddef.h>

enum { VIEW_COLUMNS_MAX = 128, VIEW_CELLS_MAX = 1000000 };

struct view_cell {
	double number; /* NaN: NULL, or text */
	const char *text; /* a number's shortest decimal that reads back; "" for NULL */
	bool is_number;
};

struct view {
	size_t columns, rows;
	char **names;
	struct view_cell *cells; /* row by row */
	char **memory; /* the texts, in the order of the cells */
};

/* Runs one statement. TUNER_FATAL if it is not a query that only reads, or gives more than
 * VIEW_CELLS_MAX cells. */
TUNER_MUST_CHECK
bool view_read(struct store *store, const char *query, struct view *ret, struct tuner_error *err);
void view_finish(struct view *view); /* a zeroed view is allowed */

const struct view_cell *view_cell(const struct view *view, size_t row, size_t column);

/* The first cell's number; NaN if there is no row. */
TUNER_MUST_CHECK
bool view_number(struct store *store, const char *query, double *ret, struct tuner_error *err);

/* Lets a view be computed once for all later queries of this store: a temporary table of its name
 * stands in front of it. What the database gets from then on is not in it. */
TUNER_MUST_CHECK
bool view_hold(struct store *store, const char *name, struct tuner_error *err);

#endif
