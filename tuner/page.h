/* Writes a report as HTML or Markdown: headings, sentences, tables and figures; each table and
 * figure with the query or command that recomputes it.
 *
 * A table cell's data-v has its number in full (to the last bit); for a number from a JSON
 * document, data-path has its path there ("contrasts.0.final.difference"). A figure's numbers are
 * below it, folded: tab-separated lines in the order of the query's rows, or "path value" lines of
 * the document.
 *
 * Writing never fails at the call: check text_failed(page->out) at the end. */
#ifndef TUNER_PAGE_H
#define TUNER_PAGE_H

#include "base/text.h"
#include "trials/view.h"

struct page {
	bool html;
	struct text *out;
	const char *figures; /* directory for Markdown's figures; NULL: no figures */
	const char *link; /* that directory relative to the document's; NULL: as in `figures` */
};

/* How to recompute the numbers: a query to the database, or a command whose JSON has them. */
struct page_source {
	const char *query;
	const char *command;
};

void page_begin(struct page *page, const char *title);
void page_end(struct page *page);

void page_section(struct page *page, const char *id, const char *heading);
void page_subsection(struct page *page, const char *heading);
void page_say(struct page *page, const char *format, ...) TUNER_PRINTF(2, 3); /* a paragraph */
void page_verbatim(struct page *page, const char *text); /* a command line */
void page_folded(struct page *page, const char *summary, const char *text); /* a file */

/* A table, cell by cell. A column whose heading begins with '-' holds numbers. */
void page_table_open(struct page *page, const char *id, const char *const *columns, size_t n);
void page_row_open(struct page *page);
void page_cell_text(struct page *page, const char *text);
/* `path`: where the source's JSON has the number; NULL: nowhere. NaN: no number. */
void page_cell_number(struct page *page, double value, const char *path);
void page_row_close(struct page *page);
void page_table_close(struct page *page, struct page_source source);

/* A table of a query's rows. */
void page_view(struct page *page, const char *id, const struct view *view, const char *query);

/* A figure. `rows`: its numbers; NULL: they are below the figure `rows_of`. */
TUNER_MUST_CHECK
bool page_figure(struct page *page, const char *id, const char *caption, const char *svg,
	const char *rows, const char *rows_of, struct page_source source, struct tuner_error *err);

/* Appends a query's rows as a figure's numbers: a line of names, then a line per row. */
void page_rows(const struct view *view, struct text *ret);

#endif
