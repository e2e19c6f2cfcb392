#include "tuner/page.h"

#include "base/file.h"
#include "base/number.h"
#include "tuner/text_width.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* No script and nothing external; the reader's own fonts and colours, but dark on light on paper.
 * Wide content scrolls in the exhibit around it: to a screen reader, a table displayed as a block
 * is no longer a table. */
static const char STYLE[] =
	":root{color-scheme:light dark;--line:#c8c8c8;--soft:#f3f3f3;--faint:#666}\n"
	"@media screen and "
	"(prefers-color-scheme:dark){:root{--line:#444;--soft:#222;--faint:#aaa}}\n"
	"body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
	"background:Canvas;color:CanvasText}\n"
	"h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2.5rem;border-bottom:1px solid "
	"var(--line)}h3{font-size:1.05rem}\n"
	".exhibit{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem}\n"
	"th,td{padding:.2rem .7rem;border-bottom:1px solid var(--line);text-align:left;"
	"vertical-align:top}\n"
	"th.n,td.n{text-align:right;font-variant-numeric:tabular-nums}\n"
	"figure{margin:1.5rem 0}svg{max-width:100%;height:auto}\n"
	"figcaption{font-weight:600}\n"
	".source,details{font-size:.75rem;color:var(--faint)}\n"
	".source code{overflow-wrap:anywhere}\n"
	"pre{background:var(--soft);padding:.6rem;overflow-x:auto;font-size:.8rem;"
	"white-space:pre-wrap;overflow-wrap:anywhere}\n"
	"pre.rows{max-height:20rem;overflow-y:auto;white-space:pre}\n"
	"@media print{:root{color-scheme:light}body{max-width:none;margin:0}details{display:none}"
	"figure,tr{break-inside:avoid}h2{break-after:avoid}}\n";

/* ---- words ---- */

/* In Markdown, special characters are escaped. */
static void add_words(struct page *page, const char *words)
{
	if (page->html)
		text_add_markup(page->out, words);
	else
		text_add_markdown(page->out, words);
}

void page_begin(struct page *page, const char *title)
{
	if (!page->html) {
		text_add(page->out, "# ");
		add_words(page, title);
		text_add(page->out, "\n");
		return;
	}
	text_add(page->out,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, "
		"initial-scale=1\">\n<title>");
	text_add_markup(page->out, title);
	text_add(page->out, "</title>\n<style>\n");
	text_add(page->out, STYLE);
	text_add(page->out, "</style>\n</head>\n<body>\n<main>\n<h1>");
	text_add_markup(page->out, title);
	text_add(page->out, "</h1>\n");
}

void page_end(struct page *page)
{
	if (page->html)
		text_add(page->out, "</main>\n</body>\n</html>\n");
}

static void heading(struct page *page, int level, const char *id, const char *words)
{
	if (!page->html) {
		text_print(page->out, "\n%.*s ", level, "####");
		add_words(page, words);
		text_add(page->out, "\n");
		return;
	}
	text_print(page->out, "<h%d", level);
	if (id != NULL)
		text_print(page->out, " id=\"%s\"", id);
	text_add(page->out, ">");
	add_words(page, words);
	text_print(page->out, "</h%d>\n", level);
}

void page_section(struct page *page, const char *id, const char *words)
{
	heading(page, 2, id, words);
}

void page_subsection(struct page *page, const char *words)
{
	heading(page, 3, NULL, words);
}

void page_say(struct page *page, const char *format, ...)
{
	struct text words = TEXT_EMPTY;
	va_list args;

	va_start(args, format);
	text_print_v(&words, format, args);
	va_end(args);
	text_add(page->out, page->html ? "<p>" : "\n");
	add_words(page, words.bytes);
	text_add(page->out, page->html ? "</p>\n" : "\n");
	page->out->failed = page->out->failed || text_failed(&words);
	text_finish(&words);
}

/* More backquotes than any run of them inside. */
static void add_fence(struct text *out, const char *text, size_t least)
{
	size_t longest = 0, run = 0;

	for (const char *at = text; *at != '\0'; at++) {
		run = *at == '`' ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	for (size_t i = 0; i < (longest + 1 > least ? longest + 1 : least); i++)
		text_add_char(out, '`');
}

void page_verbatim(struct page *page, const char *text)
{
	if (page->html) {
		text_add(page->out, "<pre>");
		text_add_markup(page->out, text);
		text_add(page->out, "</pre>\n");
		return;
	}
	text_add(page->out, "\n");
	add_fence(page->out, text, 3);
	text_print(page->out, "\n%s\n", text);
	add_fence(page->out, text, 3);
	text_add(page->out, "\n");
}

void page_folded(struct page *page, const char *summary, const char *text)
{
	if (!page->html) {
		page_say(page, "%s:", summary);
		page_verbatim(page, text);
		return;
	}
	text_add(page->out, "<details><summary>");
	text_add_markup(page->out, summary);
	text_add(page->out, "</summary>\n");
	page_verbatim(page, text);
	text_add(page->out, "</details>\n");
}

/* ---- where it comes from ---- */

static void add_source(struct page *page, struct page_source source)
{
	const bool is_query = source.query != NULL;
	const char *text = is_query ? source.query : source.command;

	if (text == NULL)
		return;
	if (page->html) {
		text_print(page->out, "<p class=\"source\">%s <code class=\"%s\">",
			is_query ? "Query:" : "Command:", is_query ? "sql" : "command");
		text_add_markup(page->out, text);
		text_add(page->out, "</code></p>\n");
		return;
	}
	text_print(page->out, "\n<sub>%s</sub> ", is_query ? "Query:" : "Command:");
	add_fence(page->out, text, 1);
	text_add(page->out, text);
	add_fence(page->out, text, 1);
	text_add(page->out, "\n");
}

/* ---- tables ---- */

void page_table_open(struct page *page, const char *id, const char *const *columns, size_t n)
{
	if (page->html)
		text_print(
			page->out, "<div class=\"exhibit\" id=\"%s\">\n<table>\n<thead><tr>", id);
	else
		text_add(page->out, "\n|");
	for (size_t i = 0; i < n; i++) {
		const bool is_number = columns[i][0] == '-';
		text_add(page->out, !page->html ? " "
				    : is_number ? "<th scope=\"col\" class=\"n\">"
						: "<th scope=\"col\">");
		add_words(page, columns[i] + is_number);
		text_add(page->out, page->html ? "</th>" : " |");
	}
	text_add(page->out, page->html ? "</tr></thead>\n<tbody>\n" : "\n|");
	for (size_t i = 0; !page->html && i < n; i++)
		text_add(page->out, columns[i][0] == '-' ? " ---: |" : " --- |");
	if (!page->html)
		text_add(page->out, "\n");
}

void page_row_open(struct page *page)
{
	text_add(page->out, page->html ? "<tr>" : "|");
}

void page_row_close(struct page *page)
{
	text_add(page->out, page->html ? "</tr>\n" : "\n");
}

void page_cell_text(struct page *page, const char *text)
{
	text_add(page->out, page->html ? "<td>" : " ");
	add_words(page, text);
	text_add(page->out, page->html ? "</td>" : " |");
}

/* Short; whole numbers whole. */
static void add_short(struct text *out, double value)
{
	if (value == floor(value) && fabs(value) < 1e15)
		text_print(out, "%.0f", value);
	else
		text_print(out, "%.6g", value);
}

void page_cell_number(struct page *page, double value, const char *path)
{
	char exact[NUMBER_TEXT];

	if (!page->html) {
		text_add(page->out, " ");
	} else {
		text_add(page->out, "<td class=\"n\"");
		if (path != NULL) {
			text_add(page->out, " data-path=\"");
			text_add_markup(page->out, path);
			text_add(page->out, "\"");
		}
		text_print(page->out, " data-v=\"%s\">",
			isnan(value) ? "" : number_from_double(value, exact));
	}
	if (isnan(value))
		text_add(page->out, "-");
	else
		add_short(page->out, value);
	text_add(page->out, page->html ? "</td>" : " |");
}

void page_table_close(struct page *page, struct page_source source)
{
	if (page->html)
		text_add(page->out, "</tbody>\n</table>\n");
	add_source(page, source);
	if (page->html)
		text_add(page->out, "</div>\n");
}

static void add_cell(struct page *page, const struct view_cell *cell)
{
	if (cell->is_number) {
		page_cell_number(page, cell->number, NULL);
		return;
	}
	if (page->html) {
		text_add(page->out, "<td data-v=\"");
		text_add_markup(page->out, cell->text);
		text_add(page->out, "\">");
	} else {
		text_add(page->out, " ");
	}
	add_words(page, cell->text);
	text_add(page->out, page->html ? "</td>" : " |");
}

void page_view(struct page *page, const char *id, const struct view *view, const char *query)
{
	enum { NAME_COLUMNS = 70 };
	const char *columns[VIEW_COLUMNS_MAX];
	char headings[VIEW_COLUMNS_MAX][4 * NAME_COLUMNS + 2];

	for (size_t i = 0; i < view->columns; i++) {
		const bool is_number = view->rows > 0 && view_cell(view, 0, i)->is_number;
		snprintf(headings[i], sizeof(headings[i]), "%s%.*s", is_number ? "-" : "",
			(int)text_fit(view->names[i], NAME_COLUMNS), view->names[i]);
		for (char *at = headings[i]; *at != '\0'; at++)
			if (*at == '_')
				*at = ' ';
		columns[i] = headings[i];
	}
	page_table_open(page, id, columns, view->columns);
	for (size_t row = 0; row < view->rows; row++) {
		page_row_open(page);
		for (size_t i = 0; i < view->columns; i++)
			add_cell(page, view_cell(view, row, i));
		page_row_close(page);
	}
	page_table_close(page, (struct page_source){ .query = query });
}

/* ---- figures ---- */

static bool write_figure(
	const struct page *page, const char *id, const char *svg, struct tuner_error *err)
{
	struct text name = TEXT_EMPTY;

	text_print(&name, "%s/%s.svg", page->figures, id);
	const bool ok = (!text_failed(&name) || tuner_fail_memory(err)) &&
			file_write_atomic(name.bytes, svg, strlen(svg), 0666, false, err);
	text_finish(&name);
	return ok;
}

static bool markdown_figure(struct page *page, const char *id, const char *caption, const char *svg,
	struct page_source source, struct tuner_error *err)
{
	if (page->figures != NULL) {
		if (!write_figure(page, id, svg, err))
			return false;
		text_add(page->out, "\n![");
		add_words(page, caption);
		text_print(
			page->out, "](<%s/%s.svg>)\n", page->link ? page->link : page->figures, id);
	} else {
		page_say(page, "%s (no figure without --figures DIR).", caption);
	}
	add_source(page, source);
	return true;
}

bool page_figure(struct page *page, const char *id, const char *caption, const char *svg,
	const char *rows, const char *rows_of, struct page_source source, struct tuner_error *err)
{
	if (!page->html)
		return markdown_figure(page, id, caption, svg, source, err);
	text_print(page->out, "<figure class=\"exhibit\" id=\"%s\">\n", id);
	text_add(page->out, svg);
	text_add(page->out, "<figcaption>");
	text_add_markup(page->out, caption);
	text_add(page->out, "</figcaption>\n");
	if (rows != NULL) {
		text_add(page->out, "<details><summary>Numbers</summary>\n<pre class=\"rows\">");
		text_add_markup(page->out, rows);
		text_add(page->out, "</pre></details>\n");
	} else {
		text_print(page->out,
			"<p class=\"source\" data-rows-of=\"%s\">Numbers: as of <a "
			"href=\"#%s\">that figure</a>.</p>\n",
			rows_of, rows_of);
	}
	add_source(page, source);
	text_add(page->out, "</figure>\n");
	return true;
}

/* Replaces tabs and line breaks, which separate fields. */
static void add_field(const char *text, struct text *ret)
{
	for (const char *at = text; *at != '\0'; at++)
		text_add_char(ret, *at == '\t' || *at == '\n' || *at == '\r' ? ' ' : *at);
}

void page_rows(const struct view *view, struct text *ret)
{
	for (size_t i = 0; i < view->columns; i++) {
		text_add(ret, i > 0 ? "\t" : "");
		add_field(view->names[i], ret);
	}
	text_add_char(ret, '\n');
	for (size_t row = 0; row < view->rows; row++) {
		for (size_t i = 0; i < view->columns; i++) {
			text_add(ret, i > 0 ? "\t" : "");
			add_field(view_cell(view, row, i)->text, ret);
		}
		text_add_char(ret, '\n');
	}
}
