/* A text is read in three steps.
 *
 * 1. `struct reader` goes over the bytes: it checks the whole grammar, so that every message is
 *    ours and has a place; it notes the place of each value and key in the order in which they
 *    appear; and in a copy of the text it blanks what cJSON does not accept (comments, trailing
 *    commas), keeping offsets.
 * 2. cJSON parses the copy. The only possible failure is a lack of memory.
 * 3. The tree is walked in the same order, and each note gets its node. */
#include "base/json.h"

#include "base/array.h"
#include "base/number.h"
#include "base/text.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	END = -1, /* peek() behind the last byte */
	QUOTED = 40, /* bytes of the user's text that a message quotes */
	FOUND_TEXT = 160, /* bytes of a token's description in a message */
	CJSON_NUMBER_MAX = 63, /* cJSON cuts longer numbers */
};

#define NO_PARENT SIZE_MAX

struct note {
	const cJSON *node;
	size_t parent; /* index of the note of its object or array, in the order of the text */
	struct json_place key, value;
};

struct json_document {
	cJSON *root;
	struct note *notes; /* sorted by the node's address once the document is complete */
	size_t n;
};

struct reader {
	const char *name;
	const char *bytes;
	size_t length, at;
	struct json_place place; /* of bytes[at] */
	unsigned depth;
	char *plain; /* the copy for cJSON */
	struct note *notes;
	size_t n, capacity;
	struct tuner_error *err;
};

/* A part of the text. */
struct slice {
	const char *bytes;
	size_t length;
};

/* An object or array that is being read. */
struct container {
	size_t note;
	struct json_place place;
	char open, close;
	size_t items;
	struct slice key; /* of the member being read, without the quotes */
};

/* --- moving --- */

static int peek(const struct reader *reader)
{
	return reader->at < reader->length ? (unsigned char)reader->bytes[reader->at] : END;
}

static int peek_at(const struct reader *reader, size_t ahead)
{
	return ahead < reader->length - reader->at
		       ? (unsigned char)reader->bytes[reader->at + ahead]
		       : END;
}

/* \n, \r\n and \r end a line; in \r\n the \n does. */
static bool at_line_end(const struct reader *reader)
{
	return peek(reader) == '\n' || (peek(reader) == '\r' && peek_at(reader, 1) != '\n');
}

/* The bytes are UTF-8, so columns count the bytes that do not continue a character. */
static void advance(struct reader *reader)
{
	const unsigned char byte = (unsigned char)reader->bytes[reader->at];

	if (at_line_end(reader)) {
		reader->place.line++;
		reader->place.column = 1;
	} else if ((byte & 0xC0) != 0x80) {
		reader->place.column++;
	}
	reader->at++;
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* True for bytes of numbers and words, well-formed or not: "1e-5", "true", "1_000", "-Infinity". */
static bool is_word_byte(int c)
{
	return is_digit(c) || is_letter(c) || c == '+' || c == '-' || c == '.';
}

static struct slice word_here(const struct reader *reader)
{
	struct slice word = { .bytes = reader->bytes + reader->at };

	while (is_word_byte(peek_at(reader, word.length)))
		word.length++;
	return word;
}

static bool slice_is(struct slice slice, const char *string)
{
	return slice.length == strlen(string) && memcmp(slice.bytes, string, slice.length) == 0;
}

/* --- saying what is wrong --- */

static bool fail_at(struct reader *reader, struct json_place place, const char *format, ...)
	TUNER_PRINTF(3, 4);
static bool fail_at(struct reader *reader, struct json_place place, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tuner_fail_v(reader->err, TUNER_USAGE, format, args);
	va_end(args);
	return tuner_fail_in(reader->err, "%s:%u:%u: ", reader->name, place.line, place.column);
}

/* The beginning of a slice, at most QUOTED bytes, whole characters only, with "..." if cut. */
static const char *shortened(struct slice slice, char ret_text[QUOTED + 4])
{
	size_t length = 0;

	while (length < slice.length) {
		const size_t size =
			text_utf8_character(slice.bytes + length, slice.length - length);
		if (size == 0 || length + size > QUOTED)
			break;
		length += size;
	}
	memcpy(ret_text, slice.bytes, length);
	strcpy(ret_text + length, length < slice.length ? "..." : "");
	return ret_text;
}

/* The rest of the line up to the closing quote of the string that begins here, both quotes kept. */
static struct slice string_here(const struct reader *reader)
{
	struct slice string = { reader->bytes + reader->at, 1 };

	for (;;) {
		const int c = peek_at(reader, string.length);
		if (c == END || (c < 0x20))
			return string;
		string.length++;
		if (c == '"')
			return string;
		if (c == '\\' && peek_at(reader, string.length) >= 0x20)
			string.length++;
	}
}

static uint32_t code_point(const char *bytes, size_t size)
{
	static const unsigned char lead_bits[] = { 0, 0x7F, 0x1F, 0x0F, 0x07 };
	uint32_t code = (unsigned char)bytes[0] & lead_bits[size];

	for (size_t i = 1; i < size; i++)
		code = code << 6 | ((unsigned char)bytes[i] & 0x3F);
	return code;
}

static void describe_character(const struct reader *reader, char ret_text[FOUND_TEXT])
{
	const char *bytes = reader->bytes + reader->at;
	const size_t size = text_utf8_character(bytes, reader->length - reader->at);

	if (size > 1) /* such as a quotation mark from a word processor, a no-break space */
		snprintf(ret_text, FOUND_TEXT, "'%.*s' (U+%04X)", (int)size, bytes,
			code_point(bytes, size));
	else if (*bytes < 0x20 || *bytes == 0x7F)
		snprintf(ret_text, FOUND_TEXT, "the control character 0x%02x", *bytes);
	else
		snprintf(ret_text, FOUND_TEXT, "'%c'", *bytes);
}

/* The text at this place, as a message names it. */
static const char *found(const struct reader *reader, char ret_text[FOUND_TEXT])
{
	char quoted[QUOTED + 4];
	const int c = peek(reader);

	if (c == END)
		snprintf(ret_text, FOUND_TEXT, "the end of the file");
	else if (c == '"')
		snprintf(ret_text, FOUND_TEXT, "%s", shortened(string_here(reader), quoted));
	else if (c == '\'')
		snprintf(ret_text, FOUND_TEXT, "a single quote (strings take double quotes)");
	else if (c == '#')
		snprintf(ret_text, FOUND_TEXT, "'#' (comments begin with //)");
	else if (is_letter(c))
		snprintf(ret_text, FOUND_TEXT, "the word %s", shortened(word_here(reader), quoted));
	else if (is_digit(c) || (c == '-' && is_digit(peek_at(reader, 1))))
		snprintf(ret_text, FOUND_TEXT, "the number %s",
			shortened(word_here(reader), quoted));
	else
		describe_character(reader, ret_text);
	return ret_text;
}

/* "expected ..., found ...", then the hint, then where the container began if that matters: at the
 * end of the file, or at a bracket that closes something else. */
static bool fail_expected(struct reader *reader, const struct container *in, const char *hint,
	const char *format, ...) TUNER_PRINTF(4, 5);
static bool fail_expected(struct reader *reader, const struct container *in, const char *hint,
	const char *format, ...)
{
	char wanted[FOUND_TEXT], here[FOUND_TEXT], begun[96] = "";
	const int c = peek(reader);
	va_list args;

	va_start(args, format);
	vsnprintf(wanted, sizeof(wanted), format, args);
	va_end(args);
	if (in && (c == END || c == ']' || c == '}'))
		snprintf(begun, sizeof(begun), "; the '%c' of line %u, column %u is still open",
			in->open, in->place.line, in->place.column);
	return fail_at(reader, reader->place, "expected %s, found %s%s%s", wanted,
		found(reader, here), hint, begun);
}

/* --- notes --- */

static bool add_note(struct reader *reader, size_t parent, struct json_place key)
{
	if (!array_reserve(&reader->notes, reader->n, &reader->capacity, sizeof(*reader->notes)))
		return tuner_fail_memory(reader->err);
	reader->notes[reader->n++] =
		(struct note){ .parent = parent, .key = key, .value = reader->place };
	return true;
}

/* --- blanks and comments --- */

static void blank_here(struct reader *reader)
{
	reader->plain[reader->at] = ' ';
	advance(reader);
}

static void skip_line_comment(struct reader *reader)
{
	while (peek(reader) != END && !at_line_end(reader))
		blank_here(reader);
}

static bool skip_block_comment(struct reader *reader)
{
	const struct json_place begin = reader->place;

	blank_here(reader);
	blank_here(reader);
	while (peek(reader) != END) {
		const bool last = peek(reader) == '*' && peek_at(reader, 1) == '/';
		blank_here(reader);
		if (last) {
			blank_here(reader);
			return true;
		}
	}
	return fail_at(reader, begin,
		"expected */ at the end of the comment that begins here, found the end of the "
		"file");
}

static bool skip_blanks(struct reader *reader)
{
	for (;;) {
		const int c = peek(reader), next = c == '/' ? peek_at(reader, 1) : END;
		if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
			advance(reader);
		else if (next == '/')
			skip_line_comment(reader);
		else if (next != '*')
			return true;
		else if (!skip_block_comment(reader))
			return false;
	}
}

/* --- strings --- */

/* Value of a hexadecimal digit, or -1. */
static int hex_digit(int c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The code unit of \uXXXX if one is `ahead` bytes from here, otherwise -1. */
static int32_t unit_at(const struct reader *reader, size_t ahead)
{
	int32_t unit = 0;

	if (peek_at(reader, ahead) != '\\' || peek_at(reader, ahead + 1) != 'u')
		return -1;
	for (size_t i = 2; i < 6; i++) {
		const int digit = hex_digit(peek_at(reader, ahead + i));
		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

/* At most n characters of the escape that begins here, for a message. */
static struct slice escape_here(const struct reader *reader, size_t n)
{
	struct slice escape = { .bytes = reader->bytes + reader->at };

	while (n > 0 && peek_at(reader, escape.length) >= 0x20 &&
		peek_at(reader, escape.length) != '"') {
		escape.length += text_utf8_character(
			escape.bytes + escape.length, reader->length - reader->at - escape.length);
		n--;
	}
	return escape;
}

static void advance_by(struct reader *reader, size_t bytes)
{
	while (bytes-- > 0)
		advance(reader);
}

static bool read_unicode_escape(struct reader *reader)
{
	const int32_t unit = unit_at(reader, 0);
	char quoted[QUOTED + 4];

	if (unit < 0)
		return fail_at(reader, reader->place,
			"expected four hexadecimal digits after \\u, found %s",
			shortened(escape_here(reader, 6), quoted));
	if (unit == 0)
		return fail_at(reader, reader->place,
			"expected a character other than NUL in a string, found \\u0000");
	if (unit < 0xD800 || unit > 0xDFFF) {
		advance_by(reader, 6);
		return true;
	}

	const int32_t low = unit_at(reader, 6);
	if (unit > 0xDBFF || low < 0xDC00 || low > 0xDFFF)
		return fail_at(reader, reader->place,
			"expected a pair of surrogates such as \\ud83d\\ude00, found \\u%04x "
			"without its other half",
			(unsigned)unit);
	advance_by(reader, 12);
	return true;
}

static bool read_escape(struct reader *reader)
{
	const int c = peek_at(reader, 1);
	char quoted[QUOTED + 4];

	if (c == 'u')
		return read_unicode_escape(reader);
	if (c != END && c != '\0' && strchr("\"\\/bfnrt", c)) {
		advance_by(reader, 2);
		return true;
	}
	return fail_at(reader, reader->place,
		"expected \\\" \\\\ \\/ \\b \\f \\n \\r \\t or \\u, found %s (a backslash itself "
		"is "
		"written \\\\)",
		shortened(escape_here(reader, 2), quoted));
}

/* Reads the string that begins here; *ret_inside is the text between the quotes. */
static bool read_string(struct reader *reader, struct slice *ret_inside)
{
	const struct json_place begin = reader->place;

	advance(reader);
	ret_inside->bytes = reader->bytes + reader->at;
	while (peek(reader) != '"') {
		const int c = peek(reader);
		if (c == END || c == '\n' || c == '\r')
			return fail_at(reader, begin,
				"expected a closing '\"' of the string that begins here, found the "
				"end of the %s",
				c == END ? "file" : "line");
		if (c == '\t')
			return fail_at(reader, reader->place,
				"expected no control character in a string, found 0x09 (write "
				"\\t)");
		if (c < 0x20)
			return fail_at(reader, reader->place,
				"expected no control character in a string, found 0x%02x (write "
				"\\u%04x)",
				(unsigned)c, (unsigned)c);
		if (c != '\\')
			advance(reader);
		else if (!read_escape(reader))
			return false;
	}
	ret_inside->length = (size_t)(reader->bytes + reader->at - ret_inside->bytes);
	advance(reader);
	return true;
}

/* --- numbers and words --- */

static size_t digits_from(struct slice word, size_t at)
{
	size_t n = 0;

	while (at + n < word.length && is_digit((unsigned char)word.bytes[at + n]))
		n++;
	return n;
}

static bool byte_is(struct slice word, size_t at, const char *any_of)
{
	return at < word.length && word.bytes[at] && strchr(any_of, word.bytes[at]);
}

/* What the grammar of numbers expects at the fault; NULL if the word is a number. */
static const char *number_fault(struct slice word)
{
	size_t at = word.bytes[0] == '-';
	const size_t whole = digits_from(word, at);

	if (whole == 0)
		return byte_is(word, at, "iInN") ? "a finite number" : "a digit after '-'";
	if (word.bytes[at] == '0' && byte_is(word, at + 1, "xXbBoO"))
		return "a decimal number";
	if (word.bytes[at] == '0' && whole > 1)
		return "a number without leading zeros";
	at += whole;
	if (byte_is(word, at, ".")) {
		const size_t fraction = digits_from(word, ++at);
		if (fraction == 0)
			return "a digit after the decimal point";
		at += fraction;
	}
	if (byte_is(word, at, "eE")) {
		at += 1 + byte_is(word, at + 1, "+-");
		const size_t exponent = digits_from(word, at);
		if (exponent == 0)
			return "a digit in the exponent";
		at += exponent;
	}
	return at == word.length ? NULL : "a number";
}

/* True if a well-formed number is an integer that a double may not represent: up to 2^53 every
 * integer has its own double, beyond that several share one. */
static bool is_integer_beyond_double(struct slice word)
{
	static const char largest[] = "9007199254740992";
	const size_t sign = word.bytes[0] == '-', digits = sizeof(largest) - 1;

	if (sign + digits_from(word, sign) != word.length)
		return false;
	if (word.length - sign != digits)
		return word.length - sign > digits;
	return memcmp(word.bytes + sign, largest, digits) > 0;
}

/* True if some digit before the exponent is not 0. */
static bool has_significant_digit(struct slice word)
{
	for (size_t i = 0; i < word.length && !byte_is(word, i, "eE"); i++)
		if (byte_is(word, i, "123456789"))
			return true;
	return false;
}

/* Reads the number in the copy, and shortens it there if it is too long for cJSON. */
static double number_in_copy(struct reader *reader, size_t length)
{
	char *at = reader->plain + reader->at;
	const char behind = at[length];
	double value = 0;

	at[length] = '\0';
	const bool is_number = number_to_double(at, &value);
	at[length] = behind;
	tuner_assert(is_number);
	if (length > CJSON_NUMBER_MAX && isfinite(value)) {
		char text[NUMBER_TEXT];
		memset(at, ' ', length);
		memcpy(at, text, strlen(number_from_double(value, text)));
	}
	return value;
}

static bool read_number(struct reader *reader)
{
	const struct slice word = word_here(reader);
	const char *fault = number_fault(word);
	char quoted[QUOTED + 4];

	shortened(word, quoted);
	if (fault)
		return fail_at(reader, reader->place, "expected %s, found %s", fault, quoted);
	if (is_integer_beyond_double(word))
		return fail_at(reader, reader->place,
			"expected an integer of at most 9007199254740992 (2^53), found %s; where a "
			"string may stand, write it as a string",
			quoted);

	const double value = number_in_copy(reader, word.length);
	if (isinf(value))
		return fail_at(reader, reader->place,
			"expected a number below 1.8e308 in size, found %s", quoted);
	if (value == 0 && has_significant_digit(word))
		return fail_at(reader, reader->place,
			"expected 0 or a number above 4.9e-324 in size, found %s", quoted);
	advance_by(reader, word.length);
	return true;
}

/* A hint at what the author of a word unknown to JSON may have meant. */
static const char *hint_for_word(struct slice word)
{
	static const struct {
		const char *word, *hint;
	} hints[] = {
		{ "nan", "; a number must be finite" },
		{ "inf", "; a number must be finite" },
		{ "infinity", "; a number must be finite" },
		{ "true", "; write true" },
		{ "yes", "; write true" },
		{ "false", "; write false" },
		{ "no", "; write false" },
		{ "null", "; write null" },
		{ "none", "; write null" },
		{ "undefined", "; write null" },
	};

	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (word.length == strlen(hints[i].word) &&
			strncasecmp(word.bytes, hints[i].word, word.length) == 0)
			return hints[i].hint;
	return "; text takes double quotes";
}

static const char *hint_for_value(const struct reader *reader)
{
	const int c = peek(reader);

	if (is_letter(c))
		return hint_for_word(word_here(reader));
	return c == '+' || c == '.' ? "; a number begins with a digit or '-'" : "";
}

/* --- values --- */

static bool read_value(struct reader *reader, const struct container *in, struct json_place key);

/* "key": value */
static bool read_member(struct reader *reader, struct container *object)
{
	const struct json_place key = reader->place;
	char quoted[QUOTED + 4];

	if (peek(reader) != '"')
		return fail_expected(reader, object,
			is_letter(peek(reader)) ? "; keys take quotes" : "",
			"a key in double quotes or '}'");
	if (!read_string(reader, &object->key) || !skip_blanks(reader))
		return false;
	if (peek(reader) != ':')
		return fail_expected(reader, object, "", "':' after the key \"%s\"",
			shortened(object->key, quoted));
	advance(reader);
	return skip_blanks(reader) && read_value(reader, object, key);
}

static bool fail_separator(struct reader *reader, const struct container *in)
{
	char quoted[QUOTED + 4];

	if (in->close == '}')
		return fail_expected(reader, in, "", "',' or '}' after the value of \"%s\"",
			shortened(in->key, quoted));
	return fail_expected(reader, in, "", "',' or ']' after item %zu", in->items);
}

/* An object or an array; reader->n - 1 is its own note. */
static bool read_container(struct reader *reader)
{
	const bool is_object = peek(reader) == '{';
	struct container in = { .note = reader->n - 1,
		.place = reader->place,
		.open = is_object ? '{' : '[',
		.close = is_object ? '}' : ']' };
	size_t comma = 0; /* offset of the comma before here; 0 if there is none */

	if (reader->depth == JSON_DEPTH_MAX)
		return fail_at(reader, reader->place,
			"expected at most %d levels, found one more '%c'", JSON_DEPTH_MAX, in.open);
	reader->depth++;
	advance(reader);
	for (;;) {
		if (!skip_blanks(reader))
			return false;
		if (peek(reader) == in.close)
			break;
		in.items++;
		if (is_object ? !read_member(reader, &in)
			      : !read_value(reader, &in, (struct json_place){ 0 }))
			return false;
		if (!skip_blanks(reader))
			return false;
		comma = peek(reader) == ',' ? reader->at : 0;
		if (comma)
			advance(reader);
		else if (peek(reader) != in.close)
			return fail_separator(reader, &in);
	}
	if (comma)
		reader->plain[comma] = ' ';
	advance(reader);
	reader->depth--;
	return true;
}

static bool fail_value(struct reader *reader, const struct container *in)
{
	char quoted[QUOTED + 4];

	if (!in)
		return fail_expected(reader, NULL, hint_for_value(reader), "a value");
	if (in->close == ']')
		return fail_expected(reader, in, hint_for_value(reader), "a value or ']'");
	return fail_expected(reader, in, hint_for_value(reader), "a value of \"%s\"",
		shortened(in->key, quoted));
}

/* Any value; `in` is NULL for the whole document, `key` {0, 0} if there is none. */
static bool read_value(struct reader *reader, const struct container *in, struct json_place key)
{
	const struct slice word = word_here(reader);
	const int c = peek(reader);
	struct slice inside;

	if (!add_note(reader, in ? in->note : NO_PARENT, key))
		return false;
	if (c == '{' || c == '[')
		return read_container(reader);
	if (c == '"')
		return read_string(reader, &inside);
	if (c == '-' || is_digit(c))
		return read_number(reader);
	if (!slice_is(word, "true") && !slice_is(word, "false") && !slice_is(word, "null"))
		return fail_value(reader, in);
	advance_by(reader, word.length);
	return true;
}

/* --- the document --- */

/* Wrong encoding is found first, anywhere in the text: everything later relies on UTF-8. */
static bool check_encoding(struct reader *reader)
{
	const char *bytes = reader->bytes;
	bool ok = true;

	if (reader->length >= 2 &&
		(memcmp(bytes, "\xFF\xFE", 2) == 0 || memcmp(bytes, "\xFE\xFF", 2) == 0))
		return fail_at(reader, reader->place, "expected UTF-8, found UTF-16");
	while (ok && reader->at < reader->length) {
		const size_t size =
			text_utf8_character(bytes + reader->at, reader->length - reader->at);
		if (size == 0)
			ok = fail_at(reader, reader->place, "expected UTF-8, found the byte 0x%02x",
				(unsigned char)bytes[reader->at]);
		else if (bytes[reader->at] == '\0')
			ok = fail_at(reader, reader->place, "expected text, found a NUL byte");
		advance_by(reader, size);
	}
	return ok;
}

/* Goes to the first character, past a byte order mark. */
static void rewind_reader(struct reader *reader)
{
	const bool mark = reader->length >= 3 && memcmp(reader->bytes, "\xEF\xBB\xBF", 3) == 0;

	reader->at = mark ? 3 : 0;
	reader->place = (struct json_place){ 1, 1 };
}

static bool read_document(struct reader *reader)
{
	rewind_reader(reader);
	if (!check_encoding(reader))
		return false;
	rewind_reader(reader);
	memset(reader->plain, ' ', reader->at);
	if (!skip_blanks(reader) || !read_value(reader, NULL, (struct json_place){ 0 }) ||
		!skip_blanks(reader))
		return false;
	if (peek(reader) != END)
		return fail_expected(reader, NULL, "", "the end of the file after the value");
	return true;
}

/* Sets the nodes of the notes from index i on; returns the index of the next note. */
static size_t bind_notes(struct note *notes, size_t i, const cJSON *node)
{
	notes[i++].node = node;
	for (const cJSON *child = node->child; child; child = child->next)
		i = bind_notes(notes, i, child);
	return i;
}

static bool is_before(struct json_place a, struct json_place b)
{
	return a.line != b.line ? a.line < b.line : a.column < b.column;
}

/* By container, then key, then place. */
static int compare_keys(const void *left, const void *right)
{
	const struct note *a = left, *b = right;

	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	if (a->node->string && b->node->string) {
		const int order = strcmp(a->node->string, b->node->string);
		if (order)
			return order;
	}
	return is_before(a->value, b->value) ? -1 : is_before(b->value, a->value);
}

static int compare_nodes(const void *left, const void *right)
{
	const uintptr_t a = (uintptr_t)((const struct note *)left)->node;
	const uintptr_t b = (uintptr_t)((const struct note *)right)->node;

	return a < b ? -1 : a > b;
}

static bool is_same_key(const struct note *a, const struct note *b)
{
	return a->parent == b->parent && a->node->string && b->node->string &&
	       strcmp(a->node->string, b->node->string) == 0;
}

/* Refuses a duplicate key in an object, comparing unescaped keys ("a" is "\u0061"). Of several the
 * first in the text is reported. */
static bool check_duplicates(struct reader *reader)
{
	const struct note *first = NULL, *second = NULL;

	qsort(reader->notes, reader->n, sizeof(*reader->notes), compare_keys);
	for (size_t i = 1; i < reader->n; i++) {
		const struct note *note = &reader->notes[i];
		if (is_same_key(note - 1, note) && (!second || is_before(note->key, second->key))) {
			first = note - 1;
			second = note;
		}
	}
	if (!second)
		return true;

	const char *key = second->node->string;
	char quoted[QUOTED + 4];
	return fail_at(reader, second->key,
		"expected each key once, found \"%s\" again (first in line %u)",
		shortened((struct slice){ key, strlen(key) }, quoted), first->key.line);
}

/* Parses the copy, and connects the tree with the notes. */
static bool build_document(struct reader *reader, struct json_document *document)
{
	/* With the terminator: cJSON 1.7.15 reads past the end of texts without one. */
	document->root = cJSON_ParseWithLength(reader->plain, reader->length + 1);
	if (!document->root)
		return tuner_fail_memory(reader->err);
	const size_t bound = bind_notes(reader->notes, 0, document->root);
	tuner_assert(bound == reader->n);
	if (!check_duplicates(reader))
		return false;

	qsort(reader->notes, reader->n, sizeof(*reader->notes), compare_nodes);
	document->notes = reader->notes;
	document->n = reader->n;
	reader->notes = NULL;
	return true;
}

bool json_parse(const char *name, const char *bytes, size_t length, struct json_document **ret,
	struct tuner_error *err)
{
	struct reader reader = {
		.name = name, .bytes = bytes, .length = length, .place = { 1, 1 }, .err = err
	};
	struct json_document *document = NULL;
	bool ok = false;

	if (length > JSON_BYTES_MAX)
		return fail_at(&reader, reader.place, "expected at most %d bytes, found %zu",
			JSON_BYTES_MAX, length);
	reader.plain = malloc(length + 1);
	document = calloc(1, sizeof(*document));
	if (!reader.plain || !document) {
		tuner_fail_memory(err);
		goto out;
	}
	memcpy(reader.plain, bytes, length);
	reader.plain[length] = '\0';
	if (!read_document(&reader) || !build_document(&reader, document))
		goto out;

	*ret = document;
	document = NULL;
	ok = true;
out:
	json_destroy(document);
	free(reader.notes);
	free(reader.plain);
	return ok;
}

void json_destroy(struct json_document *document)
{
	if (!document)
		return;
	cJSON_Delete(document->root);
	free(document->notes);
	free(document);
}

const cJSON *json_root(const struct json_document *document)
{
	return document->root;
}

static const struct note *note_of(const struct json_document *document, const cJSON *node)
{
	const struct note wanted = { .node = node };

	return bsearch(&wanted, document->notes, document->n, sizeof(wanted), compare_nodes);
}

struct json_place json_place_of_value(const struct json_document *document, const cJSON *node)
{
	const struct note *note = note_of(document, node);

	return note ? note->value : (struct json_place){ 0 };
}

struct json_place json_place_of_key(const struct json_document *document, const cJSON *node)
{
	const struct note *note = note_of(document, node);

	return note ? note->key : (struct json_place){ 0 };
}

bool json_whole(const cJSON *node, int64_t low, int64_t high, int64_t *ret)
{
	if (!cJSON_IsNumber(node) || !(node->valuedouble >= (double)low) ||
		!(node->valuedouble <= (double)high) ||
		node->valuedouble != floor(node->valuedouble))
		return false;
	*ret = (int64_t)node->valuedouble;
	return true;
}

const char *json_describe(const cJSON *node, char ret_text[64])
{
	char number[NUMBER_TEXT];

	if (cJSON_IsObject(node))
		return "an object";
	if (cJSON_IsArray(node))
		return "an array";
	if (cJSON_IsString(node))
		return "a string";
	if (cJSON_IsTrue(node))
		return "true";
	if (cJSON_IsFalse(node))
		return "false";
	if (cJSON_IsNull(node))
		return "null";
	if (!cJSON_IsNumber(node))
		return node ? "raw text" : "nothing";
	snprintf(ret_text, 64, "the number %s", number_from_double(node->valuedouble, number));
	return ret_text;
}

/* --- printing --- */

static void print_line_break(struct text *text, unsigned indent, unsigned depth)
{
	if (indent == 0)
		return;
	text_add_char(text, '\n');
	for (size_t i = 0; i < (size_t)indent * depth; i++)
		text_add_char(text, ' ');
}

static void print_node(struct text *text, const cJSON *node, unsigned indent, unsigned depth);

static void print_children(struct text *text, const cJSON *node, unsigned indent, unsigned depth)
{
	const bool is_object = cJSON_IsObject(node);

	text_add_char(text, is_object ? '{' : '[');
	for (const cJSON *child = node->child; child; child = child->next) {
		if (child != node->child)
			text_add_char(text, ',');
		print_line_break(text, indent, depth + 1);
		if (is_object) {
			text_add_json_string(text, child->string);
			text_add(text, indent ? ": " : ":");
		}
		print_node(text, child, indent, depth + 1);
	}
	if (node->child)
		print_line_break(text, indent, depth);
	text_add_char(text, is_object ? '}' : ']');
}

static void print_node(struct text *text, const cJSON *node, unsigned indent, unsigned depth)
{
	if (cJSON_IsObject(node) || cJSON_IsArray(node))
		print_children(text, node, indent, depth);
	else if (cJSON_IsString(node))
		text_add_json_string(text, node->valuestring);
	else if (cJSON_IsRaw(node))
		text_add(text, node->valuestring);
	else if (cJSON_IsNumber(node))
		text_add_json_double(text, node->valuedouble);
	else
		text_add(text, cJSON_IsTrue(node)    ? "true"
			       : cJSON_IsFalse(node) ? "false"
						     : "null");
}

char *json_print(const cJSON *node, unsigned indent)
{
	struct text text = TEXT_EMPTY;

	print_node(&text, node, indent, 0);
	return text_take(&text);
}
