/* The rows of a query over the views, for reports that print the query beside what it gave: who runs it again with
 * any SQLite has the same numbers.
 *
 * Read only: a query that would change something is refused. */
#ifndef TRIALS_VIEW_H
#define TRIALS_VIEW_H

#include "trials/store.h"

#include <stddef.h>

enum { VIEW_COLUMNS_MAX = 128, VIEW_CELLS_MAX = 1000000 };

struct view_cell {
	double number; /* NaN: NULL, or text */
	const char *text; /* of a number the shortest that reads back; "" for NULL */
	bool is_number;
};

struct view {
	size_t columns, rows;
	char **names;
	struct view_cell *cells; /* row by row */
	char **memory; /* the texts, as the cells */
};

/* One statement. TUNER_FATAL if it is not one that reads, or gives more than VIEW_CELLS_MAX cells. */
TUNER_MUST_CHECK
bool view_read(struct store *store, const char *query, struct view *ret, struct tuner_error *err);
void view_finish(struct view *view); /* of a zeroed one nothing */

const struct view_cell *view_cell(const struct view *view, size_t row, size_t column);

/* The first cell's number; NaN without one. */
TUNER_MUST_CHECK
bool view_number(struct store *store, const char *query, double *ret, struct tuner_error *err);

#endif
