/* Launch files of any bytes, as the supervisor reads them: taken or refused with a reason, and what is taken is whole. */
#include "tests/fuzz_directory.h"

#include "scheduler/supervise.h"

#include <fcntl.h>

const char *const fuzz_words[] = { LAUNCH_MAGIC, "kKEY", "d/tmp", "t0", "g30000000", "l67108864",
	"atrue", "aX", "ePATH=/bin", "eTUNER_ATTEMPT_KEY=other", "e", "a", "k", ".", "x", NULL };

static void check_order(const struct order *order)
{
	size_t n = 0;

	CHECK(order->key != NULL && order->directory != NULL && order->arguments[0] != NULL);
	CHECK(order->timeout_us >= 0 && order->grace_us >= 0 && order->log_max_bytes >= 0);
	while (order->environment[n] != NULL)
		n++;
	/* The key is ours, whatever the file says. */
	CHECK(n > 0);
	for (size_t i = 0; i < n; i++)
		CHECK((strncmp(order->environment[i], "TUNER_ATTEMPT_KEY=", 18) == 0) ==
			(i == n - 1));
	CHECK(strcmp(order->environment[n - 1] + 18, order->key) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int directory = -1;
	char message[MESSAGE_MAX] = "";
	struct order order = { 0 };

	fuzz_directory_write(ATTEMPT_LAUNCH, data, size);
	if (directory < 0)
		directory = open(fuzz_directory(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(directory >= 0);
	const bool taken = order_read(directory, &order, message);
	CHECK(taken == (message[0] == '\0'));
	if (taken)
		check_order(&order);
	order_finish(&order);
	return 0;
}
