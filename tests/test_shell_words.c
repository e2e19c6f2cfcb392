#include "tuner/shell_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void word_is(const char *word, const char *expected)
{
	struct text text = TEXT_EMPTY;
	text_add_shell_word(&text, word);
	assert_string_equal(text.bytes, expected);
	text_finish(&text);
}

static void plain_words_stay_as_they_are(void **state)
{
	word_is("train.py", "train.py");
	word_is("--learning_rate", "--learning_rate");
	word_is("--lr=0.1", "--lr=0.1");
	word_is("/data/cifar-10", "/data/cifar-10");
}

static void what_a_shell_would_take_for_something_else_is_quoted(void **state)
{
	word_is("", "''");
	word_is("a b", "'a b'");
	word_is("$HOME", "'$HOME'");
	word_is("*", "'*'");
	word_is("~", "'~'");
	word_is("a;b", "'a;b'");
	word_is("x=1", "'x=1'"); /* an assignment, in front of a command */
	word_is("--x=a b", "'--x=a b'");
	word_is("it's", "'it'\\''s'");
	word_is("Größe", "'Größe'");
}

/* The words that a real shell makes of the text, each followed by a line break. */
static char *by_a_shell(const char *words)
{
	struct text line = TEXT_EMPTY;
	static char bytes[4096];
	text_print(&line, "printf '%%s\\n' %s", words);
	FILE *pipe = popen(line.bytes, "r");
	assert_non_null(pipe);
	const size_t n = fread(bytes, 1, sizeof(bytes) - 1, pipe);
	bytes[n] = '\0';
	pclose(pipe);
	text_finish(&line);
	return bytes;
}

static void a_shell_reads_the_same_words_back(void **state)
{
	char *const words[] = { (char *)"python3", (char *)"it's", (char *)"a\"b\\c",
		(char *)"`id`", (char *)"$(id)", (char *)"#no", (char *)"!x", (char *)"{a,b}",
		(char *)"x=1", (char *)"\ttab", (char *)"学習", (char *)"-", NULL };
	struct text text = TEXT_EMPTY, expected = TEXT_EMPTY;
	text_add_shell_words(&text, words);
	for (size_t i = 0; words[i] != NULL; i++)
		text_print(&expected, "%s\n", words[i]);
	assert_string_equal(by_a_shell(text.bytes), expected.bytes);
	text_finish(&text);
	text_finish(&expected);
}

/* As the argument of env. */
static void a_name_that_a_shell_would_take_apart_is_quoted(void **state)
{
	struct text text = TEXT_EMPTY;
	text_add_shell_assignment(&text, "SM_HP_A|B=1");
	text_add_char(&text, ' ');
	text_add_shell_assignment(&text, "SM_HP_$(id)=a b");
	text_add_char(&text, ' ');
	text_add_shell_assignment(&text, "SM_HP_A-B=a b");
	assert_string_equal(text.bytes, "'SM_HP_A|B=1' 'SM_HP_$(id)=a b' SM_HP_A-B='a b'");
	assert_string_equal(
		by_a_shell(text.bytes), "SM_HP_A|B=1\nSM_HP_$(id)=a b\nSM_HP_A-B=a b\n");
	text_finish(&text);
}

static void an_assignment_quotes_its_value_alone(void **state)
{
	struct text text = TEXT_EMPTY;
	text_add_shell_assignment(&text, "SM_HOSTS=[\"algo-1\"]");
	text_add_char(&text, ' ');
	text_add_shell_assignment(&text, "EMPTY=");
	text_add_char(&text, ' ');
	text_add_shell_assignment(&text, "A=b=c");
	assert_string_equal(text.bytes, "SM_HOSTS='[\"algo-1\"]' EMPTY= A='b=c'");
	text_finish(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_words_stay_as_they_are),
		cmocka_unit_test(what_a_shell_would_take_for_something_else_is_quoted),
		cmocka_unit_test(a_shell_reads_the_same_words_back),
		cmocka_unit_test(an_assignment_quotes_its_value_alone),
		cmocka_unit_test(a_name_that_a_shell_would_take_apart_is_quoted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
