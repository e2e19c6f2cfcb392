#include "tuner/table.h"

#include "base/array.h"
#include "tuner/text_width.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH_WITHOUT_TERMINAL = 100 };

struct cell {
	char *text;
	size_t columns;
	enum table_style style; /* the row's style, in its first cell */
};

struct table {
	size_t n_columns, n_cells, capacity;
	bool *right;
	struct cell *cells; /* the header's first */
	bool failed;
};

unsigned table_width(void)
{
	struct winsize size;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
		return size.ws_col;
	return 0;
}

bool paragraph_print(const struct text *sentences, FILE *out, struct tuner_error *err)
{
	struct text lines = TEXT_EMPTY;
	const unsigned width = table_width();

	text_add_wrapped(&lines, sentences->bytes, width > 0 ? width : WIDTH_WITHOUT_TERMINAL);
	const bool ok = (!text_failed(sentences) && !text_failed(&lines)) || tuner_fail_memory(err);
	if (ok)
		fputs(lines.bytes, out);
	text_finish(&lines);
	return ok;
}

bool lines_out(struct text *lines, struct tuner_error *err)
{
	struct text shown = TEXT_EMPTY;
	const unsigned width = table_width();

	if (width > 0)
		text_add_wrapped_lines(&shown, lines->bytes, width);
	const bool ok = (!text_failed(lines) && !text_failed(&shown)) || tuner_fail_memory(err);
	if (ok)
		fputs(width > 0 ? shown.bytes : lines->bytes, stdout);
	text_finish(&shown);
	text_finish(lines);
	return ok;
}

struct table *table_create(const char *const *columns, size_t n)
{
	struct table *table = calloc(1, sizeof(*table));
	tuner_assert(n > 0);
	if (table == NULL)
		return NULL;
	table->n_columns = n;
	table->right = calloc(n, sizeof(*table->right));
	table->failed = table->right == NULL;
	for (size_t i = 0; i < n && !table->failed; i++) {
		table->right[i] = columns[i][0] == '-' && columns[i][1] != '\0';
		table_add(table, "%s", columns[i] + table->right[i]);
	}
	return table;
}

void table_destroy(struct table *table)
{
	if (table == NULL)
		return;
	for (size_t i = 0; i < table->n_cells; i++)
		free(table->cells[i].text);
	free(table->cells);
	free(table->right);
	free(table);
}

static bool make_room(struct table *table)
{
	return array_reserve(
		&table->cells, table->n_cells, &table->capacity, sizeof(*table->cells));
}

void table_add(struct table *table, const char *format, ...)
{
	struct text raw = TEXT_EMPTY, shown = TEXT_EMPTY;
	va_list args;
	if (table == NULL || table->failed)
		return;
	va_start(args, format);
	text_print_v(&raw, format, args);
	va_end(args);
	text_add_visible(&shown, raw.bytes);
	char *cell = text_failed(&raw) ? NULL : text_take(&shown);
	if (cell != NULL && make_room(table))
		table->cells[table->n_cells++] =
			(struct cell){ .text = cell, .columns = text_columns(cell) };
	else {
		free(cell);
		table->failed = true;
	}
	text_finish(&raw);
	text_finish(&shown);
}

void table_style(struct table *table, enum table_style style)
{
	if (table == NULL || table->failed)
		return;
	tuner_assert(table->n_cells > 0);
	const size_t last = table->n_cells - 1;
	table->cells[last - last % table->n_columns].style = style;
}

static const char *style_code(enum table_style style)
{
	switch (style) {
	case TABLE_BOLD:
		return "\033[1m";
	case TABLE_GREEN:
		return "\033[32m";
	case TABLE_YELLOW:
		return "\033[33m";
	case TABLE_RED:
		return "\033[31m";
	case TABLE_FAINT:
		return "\033[2m";
	case TABLE_PLAIN:
		break;
	}
	return "";
}

/* The width of each column; NULL without memory. */
static size_t *column_widths(const struct table *table)
{
	size_t *widths = calloc(table->n_columns, sizeof(*widths));
	for (size_t i = 0; widths != NULL && i < table->n_cells; i++)
		if (table->cells[i].columns > widths[i % table->n_columns])
			widths[i % table->n_columns] = table->cells[i].columns;
	return widths;
}

static void add_blanks(struct text *line, size_t n)
{
	while (n-- > 0)
		text_add_char(line, ' ');
}

/* The row that begins at cells[first], as text without styles; an incomplete last row is shorter. */
static void add_row(
	const struct table *table, const size_t *widths, size_t first, struct text *line)
{
	size_t pending = 0; /* blanks printed only if something follows */
	for (size_t k = 0; k < table->n_columns && first + k < table->n_cells; k++) {
		const struct cell *cell = &table->cells[first + k];
		const size_t blanks = widths[k] - cell->columns;
		if (table->right[k])
			pending += blanks;
		if (cell->columns > 0) {
			add_blanks(line, pending);
			text_add(line, cell->text);
			pending = 0;
		}
		if (!table->right[k])
			pending += blanks;
		pending += widths[k] > 0 ? 2 : 0;
	}
}

static void print_line(const struct text *line, unsigned width, const char *style, FILE *out)
{
	size_t length = line->length;
	const char *cut = "";
	if (width > 0 && text_columns(line->bytes) > width) {
		length = text_fit(line->bytes, width - 1);
		cut = "…";
	}
	fprintf(out, "%s%.*s%s%s\n", style, (int)length, line->bytes, cut,
		style[0] != '\0' ? "\033[0m" : "");
}

bool table_print(
	const struct table *table, unsigned width, bool color, FILE *out, struct tuner_error *err)
{
	struct text line = TEXT_EMPTY;
	size_t *widths = table && !table->failed ? column_widths(table) : NULL;
	bool ok = widths != NULL;
	for (size_t first = 0; ok && first < table->n_cells; first += table->n_columns) {
		const enum table_style style = first == 0 ? TABLE_BOLD : table->cells[first].style;
		text_clear(&line);
		add_row(table, widths, first, &line);
		ok = !text_failed(&line);
		if (ok)
			print_line(&line, width, color ? style_code(style) : "", out);
	}
	free(widths);
	text_finish(&line);
	return ok || tuner_fail_memory(err);
}

static void add_markdown_cell(const struct cell *cell, struct text *line)
{
	text_add(line, "| ");
	for (const char *at = cell->text; *at != '\0'; at++) {
		if (*at == '|')
			text_add_char(line, '\\');
		text_add_char(line, *at);
	}
	text_add_char(line, ' ');
}

bool table_print_markdown(const struct table *table, FILE *out, struct tuner_error *err)
{
	struct text line = TEXT_EMPTY;
	if (table == NULL || table->failed)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < table->n_cells; i++) {
		add_markdown_cell(&table->cells[i], &line);
		if ((i + 1) % table->n_columns == 0)
			text_add(&line, "|\n");
		if (i + 1 != table->n_columns)
			continue;
		for (size_t k = 0; k < table->n_columns; k++)
			text_add(&line, table->right[k] ? "| ---: " : "| --- ");
		text_add(&line, "|\n");
	}
	const bool ok = !text_failed(&line) || tuner_fail_memory(err);
	if (ok)
		fwrite(line.bytes, 1, line.length, out);
	text_finish(&line);
	return ok;
}
