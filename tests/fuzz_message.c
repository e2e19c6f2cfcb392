/* Messages and entries out of arbitrary bytes: no crash, and what is read is written again as it was.
 *
 * With the meson option `fuzz` (clang) this is a libFuzzer target; otherwise a program that runs mutations
 * of a few messages. */
#include "scheduler/flat_json.h"
#include "scheduler/gpu_report.h"
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

/* A report that was read is the same after one more journey. */
static void check_report(const char *bytes, size_t n)
{
	static struct gpu_report report, again;
	struct text text = TEXT_EMPTY, second = TEXT_EMPTY;
	char *given = strndup(n > 0 ? bytes : "", n);

	CHECK(given != NULL);
	gpu_report_parse(given, &report);
	CHECK(report.n_samples <= GPUS_MAX && report.n_apps <= GPU_APPS_MAX);
	gpu_report_print(&report, &text);
	gpu_report_parse(text.bytes, &again);
	gpu_report_print(&again, &second);
	CHECK(strcmp(text.bytes, second.bytes) == 0);
	text_finish(&text);
	text_finish(&second);
	free(given);
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
	check_report((const char *)data, size);
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
	static const char report[] =
		"samples\nGPU-a-1, 35, 1234, 81559, 123.45, 45\nGPU-b-1, nan, -, -, nan, 0\n"
		"apps\nGPU-a-1, 4242, 512, 1, 0123456789abcdef\nGPU-b-1, 7, -, 0, \n";
	struct random random;
	struct buffer buffer = { 0 };

	random_init(&random, (struct random_key){ .seed = 1, .purpose = RANDOM_TEST });
	add_messages(&buffer);
	for (int i = 0; i < 60000; i++) {
		const char *const from = i % 3 == 0 ? record : i % 3 == 1 ? report : buffer.memory;
		const size_t n = i % 3 == 0   ? sizeof(record) - 1
				 : i % 3 == 1 ? sizeof(report) - 1
					      : buffer_size(&buffer);
		char *bytes = malloc(n);
		CHECK(bytes != NULL);
		memcpy(bytes, from, n);
		for (uint64_t k = random_below(&random, 4); k > 0; k--)
			bytes[random_below(&random, n)] = (char)random_below(&random, 256);
		LLVMFuzzerTestOneInput((const uint8_t *)bytes, random_below(&random, n + 1));
		free(bytes);
	}
	buffer_finish(&buffer);
	return 0;
}
#endif
