/* Messages and entries out of arbitrary bytes: no crash, and what is read is written again as it was.
 *
 * With the meson option `fuzz` (clang) this is a libFuzzer target; otherwise a program that runs mutations
 * of a few messages. */
#include "scheduler/flat_json.h"
#include "scheduler/message.h"

#include "base/random.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(property)                                                                            \
	((property) ? (void)0                                                                      \
		    : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #property), abort()))

static void check_entries(const char *bytes, size_t n)
{
	struct entry entry;
	struct buffer again = { 0 };
	size_t at = 0;

	while (entry_read(bytes, n, &at, &entry)) {
		(void)path_is_below(entry.name);
		CHECK(entry_write(&again, entry.kind, entry.name, entry.bytes, entry.n));
	}
	CHECK(at <= n && buffer_size(&again) == at);
	CHECK(at == 0 || memcmp(again.memory, bytes, at) == 0);
	buffer_finish(&again);
}

static void check_record(const char *bytes, size_t n)
{
	char *text = strndup(n > 0 ? bytes : "", n), value[16];

	CHECK(text != NULL);
	(void)flat_json_is_whole(text);
	double number;
	(void)flat_json_number(text, "a", &number);
	flat_json_string(text, "b", value, sizeof(value));
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct message message;
	struct buffer buffer = { 0 };
	size_t used;

	CHECK(buffer_add(&buffer, data, size));
	check_entries((const char *)data, size);
	check_record((const char *)data, size);
	while (message_read(&buffer, &message, &used) == MESSAGE_READ) {
		struct buffer again = { 0 };
		CHECK(message_write(&again, &message));
		CHECK(buffer_size(&again) == used);
		CHECK(memcmp(again.memory, buffer.memory + buffer.from, used) == 0);
		check_entries(message.bytes, message.n);
		buffer_finish(&again);
		buffer_take(&buffer, used);
	}
	buffer_finish(&buffer);
	return 0;
}

#ifndef FUZZ
static void add_messages(struct buffer *buffer)
{
	static const char record[] = "{\"a\":12,\"b\":\"x\\u0041\\n\",\"c\":true}";
	struct buffer tree = { 0 };

	CHECK(entry_write(&tree, ENTRY_DIRECTORY, "model", NULL, 0));
	CHECK(entry_write(&tree, ENTRY_FILE, "launch", record, sizeof(record)));
	const struct message messages[] = {
		{ .kind = MESSAGE_START,
			.attempt = 1,
			.directory = "job/0001/1",
			.key = "k",
			.bytes = tree.memory,
			.n = tree.to },
		{ .kind = MESSAGE_OUTPUT, .attempt = -1, .number = 99, .bytes = "line\n", .n = 5 },
		{ .kind = MESSAGE_EXIT, .attempt = 1, .bytes = record, .n = sizeof(record) - 1 },
	};
	for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++)
		CHECK(message_write(buffer, &messages[i]));
	buffer_finish(&tree);
}

int main(void)
{
	static const char record[] = "{\"a\":12,\"b\":\"x\\u0041\\n\",\"c\":true}";
	struct random random;
	struct buffer buffer = { 0 };

	random_init(&random, (struct random_key){ .seed = 1, .purpose = RANDOM_TEST });
	add_messages(&buffer);
	for (int i = 0; i < 60000; i++) {
		const bool of_record = i % 3 == 0;
		const size_t n = of_record ? sizeof(record) - 1 : buffer_size(&buffer);
		char *bytes = malloc(n);
		CHECK(bytes != NULL);
		memcpy(bytes, of_record ? record : buffer.memory, n);
		for (uint64_t k = random_below(&random, 4); k > 0; k--)
			bytes[random_below(&random, n)] = (char)random_below(&random, 256);
		LLVMFuzzerTestOneInput((const uint8_t *)bytes, random_below(&random, n + 1));
		free(bytes);
	}
	buffer_finish(&buffer);
	return 0;
}
#endif
