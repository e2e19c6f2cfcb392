#include "tuner/table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct table {
	size_t n_columns, n_cells, capacity;
	bool *right;
	char **cells; /* the header's first */
	bool failed;
};

size_t text_cut(const char *text, size_t width)
{
	const char *at = text;
	for (; *at != '\0'; at++) {
		if (((unsigned char)*at & 0xc0) == 0x80)
			continue;
		if (width-- == 0)
			break;
	}
	return (size_t)(at - text);
}

size_t text_width(const char *text)
{
	size_t n = 0;
	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

unsigned table_width(void)
{
	struct winsize size;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
		return size.ws_col;
	return 0;
}

struct table *table_create(const char *const *columns, size_t n)
{
	struct table *table = calloc(1, sizeof(*table));
	if (table == NULL)
		return NULL;
	table->n_columns = n;
	table->right = calloc(n + 1, sizeof(*table->right));
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
		free(table->cells[i]);
	free(table->cells);
	free(table->right);
	free(table);
}

static bool make_room(struct table *table)
{
	if (table->n_cells < table->capacity)
		return true;
	const size_t capacity = table->capacity > 0 ? 2 * table->capacity : 256;
	char **cells = reallocarray(table->cells, capacity, sizeof(*cells));
	if (cells == NULL)
		return false;
	table->cells = cells;
	table->capacity = capacity;
	return true;
}

void table_add(struct table *table, const char *format, ...)
{
	struct text text = TEXT_EMPTY;
	va_list args;
	if (table == NULL || table->failed)
		return;
	va_start(args, format);
	text_print_v(&text, format, args);
	va_end(args);
	char *cell = text_take(&text);
	if (cell == NULL || !make_room(table)) {
		free(cell);
		table->failed = true;
		return;
	}
	for (char *c = cell; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	table->cells[table->n_cells++] = cell;
}

static void add_spaces(struct text *line, size_t n)
{
	while (n-- > 0)
		text_add_char(line, ' ');
}

static void add_cell(struct text *line, const char *cell, size_t width, bool right, bool last)
{
	const size_t spaces = width - text_width(cell);
	if (right)
		add_spaces(line, spaces);
	text_add(line, cell);
	if (!right && !last)
		add_spaces(line, spaces);
}

bool table_print(const struct table *table, unsigned width, FILE *out, struct tuner_error *err)
{
	struct text line = TEXT_EMPTY;
	size_t *widths =
		table && !table->failed ? calloc(table->n_columns + 1, sizeof(*widths)) : NULL;
	if (widths == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < table->n_cells; i++) {
		const size_t cell = text_width(table->cells[i]), k = i % table->n_columns;
		if (cell > widths[k])
			widths[k] = cell;
	}
	for (size_t i = 0; i < table->n_cells; i++) {
		const size_t k = i % table->n_columns;
		const bool last = k + 1 == table->n_columns;
		add_cell(&line, table->cells[i], widths[k], table->right[k], last);
		if (!last) {
			text_add(&line, "  ");
			continue;
		}
		const size_t length = width > 0 ? text_cut(line.bytes, width) : line.length;
		fprintf(out, "%.*s\n", (int)length, line.bytes);
		text_clear(&line);
	}
	free(widths);
	text_finish(&line);
	return true;
}
