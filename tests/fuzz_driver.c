#include "tests/fuzz_driver.h"

#include "base/file.h"
#include "base/random.h"
#include "base/text.h"

#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum {
	RUNS = 400, /* unless --runs says otherwise: a second or two */
	CHANGES_MAX = 8,
	INPUT_MAX =
		1
		<< 16, /* of kept inputs and changed ones; the programs have bounds of their own */
	REPEATS_MAX = 300, /* deeper than any nesting that is accepted */
};

struct corpus {
	struct text *items;
	size_t n;
};

/* For the handler of a signal, which can be given nothing. */
static volatile unsigned long long seed_now, run_now;

/* ---- kept inputs ---- */

static void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(2);
}

static void add_input(struct corpus *corpus, struct text *input)
{
	corpus->items = reallocarray(corpus->items, corpus->n + 1, sizeof(*corpus->items));
	if (corpus->items == NULL)
		fail("out of memory");
	corpus->items[corpus->n++] = *input;
}

static void add_file(struct corpus *corpus, const char *path)
{
	struct text input = TEXT_EMPTY;
	struct tuner_error err;
	if (!file_read(path, INPUT_MAX, &input, &err))
		fail(err.message);
	add_input(corpus, &input);
}

/* In the order of their names, which does not depend on the file system. */
static void add_directory(struct corpus *corpus, const char *path)
{
	struct dirent **entries;
	const int n = scandir(path, &entries, NULL, alphasort);
	if (n < 0)
		fail(path);
	for (int i = 0; i < n; i++) {
		char *name = path_join(path, entries[i]->d_name);
		if (name == NULL)
			fail("out of memory");
		if (entries[i]->d_name[0] != '.')
			add_file(corpus, name);
		free(name);
		free(entries[i]);
	}
	free(entries);
}

static void add_path(struct corpus *corpus, const char *path)
{
	DIR *directory = opendir(path);
	if (directory == NULL) {
		add_file(corpus, path);
		return;
	}
	closedir(directory);
	add_directory(corpus, path);
}

/* ---- random changes ---- */

static const char *const numbers[] = { "0", "-1", "1", "2", "64", "255", "256", "65536",
	"2147483647", "2147483648", "-2147483649", "4294967296", "9007199254740993",
	"9223372036854775807", "9223372036854775808", "-9223372036854775809", "1e308", "-1e308",
	"1e-320", "1e999", "0.1", "NaN", "Infinity", "00", "1e", "-" };

static const char *const bytes_of_note[] = { "\xff", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80",
	"\xc0\x80", "\xef\xbb\xbf", "\x1b[2J", "\r", "\n", "\t", "\\u0000", "\\ud800", "\"", "\\" };

static const char *one_of(struct random *random, const char *const *words, size_t n)
{
	return words[random_below(random, n)];
}

static const char *a_word(struct random *random)
{
	size_t n = 0;
	while (fuzz_words[n] != NULL)
		n++;
	return one_of(random, fuzz_words, n);
}

/* A number in the input becomes another: *ret_length of the bytes from the place returned. */
static size_t find_number(struct random *random, const struct text *text, size_t *ret_length)
{
	const size_t from = random_below(random, text->length + 1);
	size_t at = from;
	while (at < text->length && !isdigit((unsigned char)text->bytes[at]))
		at++;
	*ret_length = 0;
	while (at + *ret_length < text->length &&
		isdigit((unsigned char)text->bytes[at + *ret_length]))
		++*ret_length;
	return at;
}

static void add_repeated(struct text *text, const char *word, size_t n)
{
	for (size_t i = 0; i < n; i++)
		text_add(text, word);
}

/* One change at a random place: *removed bytes of the old text go, what `ret` gets comes instead. */
static size_t change(struct random *random, const struct corpus *corpus, const struct text *text,
	struct text *ret, size_t *ret_removed)
{
	size_t at = random_below(random, text->length + 1);
	const size_t left = text->length - at;
	const struct text *other = &corpus->items[random_below(random, corpus->n)];
	*ret_removed = 0;
	switch (random_below(random, 10)) {
	case 0:
		*ret_removed = left > 0;
		text_add_char(ret, (char)random_below(random, 256));
		break;
	case 1:
		*ret_removed = left; /* cut */
		break;
	case 2:
		*ret_removed = random_below(random, left + 1);
		break;
	case 3: /* the same again */
		text_add_bytes(ret, text->bytes + at, random_below(random, left + 1));
		break;
	case 4:
		if (other->length > 0) {
			const size_t from = random_below(random, other->length);
			text_add_bytes(ret, other->bytes + from,
				random_below(random, other->length - from) + 1);
		}
		break;
	case 5:
	case 6:
		at = find_number(random, text, ret_removed);
		text_add(ret, one_of(random, numbers, sizeof(numbers) / sizeof(*numbers)));
		break;
	case 7:
		text_add(ret, one_of(random, bytes_of_note,
				      sizeof(bytes_of_note) / sizeof(*bytes_of_note)));
		break;
	case 8:
		add_repeated(ret, a_word(random),
			random_below(random, 8) == 0 ? 1 + random_below(random, REPEATS_MAX) : 1);
		break;
	default: /* a bit */
		*ret_removed = left > 0;
		if (left > 0)
			text_add_char(ret, (char)(text->bytes[at] ^ 1 << random_below(random, 8)));
		break;
	}
	return at;
}

static void change_once(struct random *random, const struct corpus *corpus, struct text *text)
{
	struct text inserted = TEXT_EMPTY, changed = TEXT_EMPTY;
	size_t removed;
	const size_t at = change(random, corpus, text, &inserted, &removed);

	text_add_bytes(&changed, text->bytes, at);
	text_add_bytes(&changed, inserted.bytes, inserted.length);
	text_add_bytes(&changed, text->bytes + at + removed, text->length - at - removed);
	text_finish(&inserted);
	if (changed.length > INPUT_MAX) {
		text_finish(&changed);
		return;
	}
	text_finish(text);
	*text = changed;
}

/* ---- running ---- */

/* A copy of exactly that size, so that a read behind it is seen by the sanitizer. */
static void run(const struct text *input)
{
	uint8_t *copy = malloc(input->length + (input->length == 0));
	if (copy == NULL)
		fail("out of memory");
	memcpy(copy, input->bytes, input->length);
	LLVMFuzzerTestOneInput(copy, input->length);
	free(copy);
}

static void run_changed(const struct corpus *corpus, uint64_t seed, uint32_t number)
{
	struct text input = TEXT_EMPTY;
	struct random random;

	random_init(&random,
		(struct random_key){ .seed = seed, .number = number, .purpose = RANDOM_TEST });
	const struct text *from = &corpus->items[random_below(&random, corpus->n)];
	text_add_bytes(&input, from->bytes, from->length);
	for (uint64_t n = 1 + random_below(&random, CHANGES_MAX); n > 0; n--)
		change_once(&random, corpus, &input);
	run(&input);
	text_finish(&input);
}

static void on_abort(int signal)
{
	char line[96];
	const int n = snprintf(
		line, sizeof(line), "--seed %llu: run %llu (0: a kept input)\n", seed_now, run_now);
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		_exit(3);
}

int main(int argc, char **argv)
{
	struct corpus corpus = { 0 };
	unsigned long long runs = RUNS, seed = 1;

	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--runs") == 0 && i + 1 < argc)
			runs = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
			seed = strtoull(argv[++i], NULL, 10);
		else
			add_path(&corpus, argv[i]);
	if (corpus.n == 0)
		fail("usage: fuzz_NAME [--runs N] [--seed S] FILE-OR-DIRECTORY...");
	signal(SIGABRT, on_abort);
	seed_now = seed;
	for (size_t i = 0; i < corpus.n; i++)
		run(&corpus.items[i]);
	for (run_now = 1; run_now <= runs; run_now++)
		run_changed(&corpus, seed, (uint32_t)run_now);
	printf("%zu kept inputs, %llu changed ones from seed %llu\n", corpus.n, runs, seed);
	for (size_t i = 0; i < corpus.n; i++)
		text_finish(&corpus.items[i]);
	free(corpus.items);
	return 0;
}
