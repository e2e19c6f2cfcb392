/* Messages between tuner and its agent, and the supervisor's records as the agent reads them. */
#include "scheduler/flat_json.h"
#include "scheduler/message.h"
#include "scheduler/ssh_link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct message start = { .kind = MESSAGE_START,
	.attempt = 7,
	.number = INT64_MIN,
	.directory = "job-1/0007/1",
	.key = "0123456789abcdef",
	.bytes = "\0tree",
	.n = 5 };

static void a_message_comes_as_it_went(void **state)
{
	struct buffer buffer = { 0 };
	struct message got;
	size_t used;

	assert_true(message_write(&buffer, &start));
	assert_true(message_write(&buffer, &(struct message){ .kind = MESSAGE_PING, .number = 3 }));
	assert_int_equal(message_read(&buffer, &got, &used), MESSAGE_READ);
	assert_int_equal(got.kind, MESSAGE_START);
	assert_int_equal(got.attempt, 7);
	assert_true(got.number == INT64_MIN);
	assert_string_equal(got.directory, start.directory);
	assert_string_equal(got.key, start.key);
	assert_int_equal(got.n, 5);
	assert_memory_equal(got.bytes, "\0tree", 5);
	buffer_take(&buffer, used);
	assert_int_equal(message_read(&buffer, &got, &used), MESSAGE_READ);
	assert_int_equal(got.kind, MESSAGE_PING);
	assert_int_equal(got.number, 3);
	assert_int_equal(got.n, 0);
	buffer_take(&buffer, used);
	assert_int_equal(buffer_size(&buffer), 0);
	buffer_finish(&buffer);
}

/* Whatever is not there yet is waited for; nothing is read beyond. */
static void a_part_of_a_message_is_no_message(void **state)
{
	struct buffer whole = { 0 };
	struct message got;
	size_t used;

	assert_true(message_write(&whole, &start));
	for (size_t n = 0; n < buffer_size(&whole); n++) {
		struct buffer part = { 0 };
		assert_true(buffer_add(&part, whole.memory, n));
		assert_int_equal(message_read(&part, &got, &used), MESSAGE_PART);
		buffer_finish(&part);
	}
	buffer_finish(&whole);
}

/* The message with one byte changed. */
static enum message_read read_changed(size_t at, char byte)
{
	struct buffer buffer = { 0 };
	struct message got;
	size_t used;

	assert_true(message_write(&buffer, &start));
	buffer.memory[at] = byte;
	const enum message_read read = message_read(&buffer, &got, &used);
	buffer_finish(&buffer);
	return read;
}

static void what_is_no_message_is_refused(void **state)
{
	struct buffer buffer = { 0 };
	struct message got;
	size_t used;

	assert_int_equal(read_changed(4, 0), MESSAGE_BAD); /* kinds that nobody knows */
	assert_int_equal(read_changed(4, 9), MESSAGE_BAD);
	assert_int_equal(read_changed(4, 64), MESSAGE_BAD);
	assert_int_equal(read_changed(4, 74), MESSAGE_BAD);
	assert_int_equal(read_changed(3, 1), MESSAGE_BAD); /* 16 MiB */
	assert_int_equal(read_changed(0, 3), MESSAGE_BAD); /* shorter than its own fields */
	assert_int_equal(read_changed(21, 5), MESSAGE_BAD); /* the fields do not fill it */
	assert_int_equal(read_changed(24, 1), MESSAGE_BAD); /* one reaches far behind it */
	assert_int_equal(read_changed(26, '\0'), MESSAGE_BAD); /* a NUL in a directory */
	/* The kind is seen before the message is there. */
	assert_true(buffer_add(&buffer, "\x30\0\0\0\x7f", 5));
	assert_int_equal(message_read(&buffer, &got, &used), MESSAGE_BAD);
	buffer_finish(&buffer);
}

static void what_is_too_long_is_not_written(void **state)
{
	struct buffer buffer = { 0 };
	char *bytes = calloc(1, MESSAGE_BYTES_MAX);
	struct message message = { .kind = MESSAGE_START, .bytes = bytes, .n = MESSAGE_BYTES_MAX };

	assert_non_null(bytes);
	assert_false(message_write(&buffer, &message));
	message.n = MESSAGE_BYTES_MAX - 64;
	assert_true(message_write(&buffer, &message));
	free(bytes);
	buffer_finish(&buffer);
}

static void entries_come_as_they_went(void **state)
{
	struct buffer tree = { 0 };
	struct entry entry;
	size_t at = 0;

	assert_true(entry_write(&tree, ENTRY_DIRECTORY, "model", NULL, 0));
	assert_true(entry_write(&tree, ENTRY_FILE, "input/a", "x\0y", 3));
	assert_true(entry_read(tree.memory, tree.to, &at, &entry));
	assert_int_equal(entry.kind, ENTRY_DIRECTORY);
	assert_string_equal(entry.name, "model");
	assert_true(entry_read(tree.memory, tree.to, &at, &entry));
	assert_int_equal(entry.kind, ENTRY_FILE);
	assert_int_equal(entry.n, 3);
	assert_memory_equal(entry.bytes, "x\0y", 3);
	assert_false(entry_read(tree.memory, tree.to, &at, &entry));
	assert_int_equal(at, tree.to);

	tree.memory[0] = 'x';
	at = 0;
	assert_false(entry_read(tree.memory, tree.to, &at, &entry));
	assert_int_equal(at, 0);
	buffer_finish(&tree);
}

static void no_path_leads_out(void **state)
{
	assert_true(path_is_below("a"));
	assert_true(path_is_below("job-1/0007/1"));
	assert_true(path_is_below("..a/.b/c..."));
	assert_false(path_is_below(""));
	assert_false(path_is_below("/a"));
	assert_false(path_is_below("a/"));
	assert_false(path_is_below("a//b"));
	assert_false(path_is_below("a/../b"));
	assert_false(path_is_below(".."));
	assert_false(path_is_below("a/."));
}

static void a_buffer_keeps_its_order(void **state)
{
	struct buffer buffer = { 0 };
	unsigned char in = 0, out = 0;

	for (int i = 0; i < 5000; i++) {
		for (int k = 0; k < i % 7; k++, in++)
			assert_true(buffer_add(&buffer, &in, 1));
		for (int k = 0; k < i % 5 && buffer_size(&buffer) > 0; k++, out++) {
			assert_int_equal((unsigned char)buffer.memory[buffer.from], out);
			buffer_take(&buffer, 1);
		}
	}
	assert_int_equal(buffer_size(&buffer) % 256, (unsigned char)(in - out));
	buffer_finish(&buffer);
}

/* ---- records ---- */

static void a_record_is_read(void **state)
{
	static const char text[] =
		"{\"kind\":\"code\", \"code\":3,\"signal\":-1,"
		"\"message\":\"a\\u0022b\\\\c \xc3\xa9\",\"out_of_memory\":true}\n";
	char message[32];
	double number = 0;

	assert_true(flat_json_is_whole(text));
	assert_int_equal(flat_json_number(text, "code", &number), FLAT_JSON_NUMBER);
	assert_true(number == 3);
	assert_int_equal(flat_json_number(text, "signal", &number), FLAT_JSON_NUMBER);
	assert_true(number == -1);
	assert_int_equal(flat_json_number(text, "cod", &number), FLAT_JSON_MISSING);
	assert_int_equal(flat_json_number(text, "kind", &number), FLAT_JSON_OTHER);
	assert_int_equal(flat_json_number(text, "out_of_memory", &number), FLAT_JSON_OTHER);
	assert_true(flat_json_true(text, "out_of_memory"));
	assert_false(flat_json_true(text, "code"));
	flat_json_string(text, "message", message, sizeof(message));
	assert_string_equal(message, "a\"b\\c \xc3\xa9");
	flat_json_string(text, "message", message, 4);
	assert_string_equal(message, "a\"b");
	flat_json_string(text, "none", message, sizeof(message));
	assert_string_equal(message, "");
	assert_true(flat_json_is_whole("{}"));
}

static void a_torn_record_is_none(void **state)
{
	static const char text[] = "{\"version\":1,\"kind\":\"code\",\"message\":\"x\\\"y\"}";

	for (size_t n = 0; n + 1 < sizeof(text) - 1; n++) {
		char part[sizeof(text)] = "";
		memcpy(part, text, n);
		assert_false(flat_json_is_whole(part));
	}
	assert_false(flat_json_is_whole("{\"a\":1,}"));
	assert_false(flat_json_is_whole("{\"a\":1 \"b\":2}"));
	assert_false(flat_json_is_whole("{\"a\":-}"));
	assert_false(flat_json_is_whole("{\"a\":1} x"));
	assert_false(flat_json_is_whole("[]"));
}

/* ---- words for ssh ---- */

static void checksums_are_those_of_cksum(void **state)
{
	/* printf '' | cksum; printf 123456789 | cksum; head -c 300 /dev/zero | cksum */
	assert_true(posix_checksum("", 0) == 4294967295u);
	assert_true(posix_checksum("123456789", 9) == 930766865u);
	char zeros[300] = "";
	assert_true(posix_checksum(zeros, sizeof(zeros)) == 351385237u);
}

static void what_the_user_gives_ssh_comes_first(void **state)
{
	char *options[] = { (char *)"-F", (char *)"my config", NULL };
	const struct ssh_target target = { "h", "me", 22, options, "/tmp/c" };
	struct strings words = { 0 };

	ssh_words(&target, true, &words);
	assert_false(strings_failed(&words));
	assert_string_equal(strings_item(&words, 0), "ssh");
	assert_string_equal(strings_item(&words, 1), "-F");
	assert_string_equal(strings_item(&words, 2), "my config");
	assert_string_equal(strings_item(&words, words.n - 1), "me");
	assert_string_equal(strings_item(&words, words.n - 3), "-oPort=22");
	strings_finish(&words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_comes_as_it_went),
		cmocka_unit_test(a_part_of_a_message_is_no_message),
		cmocka_unit_test(what_is_no_message_is_refused),
		cmocka_unit_test(what_is_too_long_is_not_written),
		cmocka_unit_test(entries_come_as_they_went),
		cmocka_unit_test(no_path_leads_out),
		cmocka_unit_test(a_buffer_keeps_its_order),
		cmocka_unit_test(a_record_is_read),
		cmocka_unit_test(a_torn_record_is_none),
		cmocka_unit_test(checksums_are_those_of_cksum),
		cmocka_unit_test(what_the_user_gives_ssh_comes_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
