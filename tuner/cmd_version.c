#include "tuner/command.h"

#include "scheduler/machine.h"
#include "tuner/report_json.h"
#include "tuner/trial_report.h"
#include "tuner/version.h"

#include <cjson/cJSON.h>
#include <gnu/libc-version.h>
#include <gsl/gsl_version.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <sqlite3.h>

int cmd_version(const struct invocation *call, struct tuner_error *err)
{
	char pcre2[64] = "", cpu[64];
	pcre2_config(PCRE2_CONFIG_VERSION, pcre2);
	machine_cpu_name(cpu);
	const char *const lines[][2] = {
		{ "tuner", TUNER_VERSION },
		{ "gsl", gsl_version },
		{ "glibc", gnu_get_libc_version() },
		{ "sqlite", sqlite3_libversion() },
		{ "pcre2", pcre2 },
		{ "cjson", cJSON_Version() },
		{ "cpu", cpu },
	};
	cJSON *object = call->json ? cJSON_CreateObject() : NULL;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		if (!call->json)
			printf("%-7s %s\n", lines[i][0], lines[i][1]);
		else if (!cJSON_AddStringToObject(object, lines[i][0], lines[i][1])) {
			cJSON_Delete(object);
			tuner_fail_memory(err);
			return -1;
		}
	}
	return !call->json || json_out(object, err) ? EXIT_DONE : -1;
}
