#include "scheduler/curl_library.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

/* Since 2006; and Debian's second build, by GnuTLS. */
static const char *const names[] = { "libcurl.so.4", "libcurl-gnutls.so.4" };

static const struct {
	size_t place;
	const char *name;
} functions[] = {
	{ offsetof(struct curl_library, global_init), "curl_global_init" },
	{ offsetof(struct curl_library, easy_init), "curl_easy_init" },
	{ offsetof(struct curl_library, easy_reset), "curl_easy_reset" },
	{ offsetof(struct curl_library, easy_setopt), "curl_easy_setopt" },
	{ offsetof(struct curl_library, easy_getinfo), "curl_easy_getinfo" },
	{ offsetof(struct curl_library, easy_strerror), "curl_easy_strerror" },
	{ offsetof(struct curl_library, easy_cleanup), "curl_easy_cleanup" },
	{ offsetof(struct curl_library, multi_init), "curl_multi_init" },
	{ offsetof(struct curl_library, multi_setopt), "curl_multi_setopt" },
	{ offsetof(struct curl_library, multi_add_handle), "curl_multi_add_handle" },
	{ offsetof(struct curl_library, multi_remove_handle), "curl_multi_remove_handle" },
	{ offsetof(struct curl_library, multi_socket_action), "curl_multi_socket_action" },
	{ offsetof(struct curl_library, multi_info_read), "curl_multi_info_read" },
	{ offsetof(struct curl_library, multi_cleanup), "curl_multi_cleanup" },
	{ offsetof(struct curl_library, slist_append), "curl_slist_append" },
	{ offsetof(struct curl_library, slist_free_all), "curl_slist_free_all" },
};

enum { FUNCTIONS = sizeof functions / sizeof *functions };

_Static_assert(FUNCTIONS * sizeof(void (*)(void)) == sizeof(struct curl_library),
	"every function has its row");

bool curl_library_open(struct curl_library *ret, struct tuner_error *err)
{
	void *library = NULL;

	for (size_t i = 0; i < sizeof names / sizeof *names && library == NULL; i++)
		library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	if (library == NULL)
		return tuner_fail(err, TUNER_USAGE,
			"slurmrestd is spoken to through libcurl, which cannot be loaded (%.200s): "
			"install it (libcurl4), or leave \"url\" out, and sbatch and squeue are "
			"used",
			dlerror());
	for (size_t i = 0; i < FUNCTIONS; i++) {
		void *found = dlsym(library, functions[i].name);

		if (found == NULL)
			return tuner_fail(err, TUNER_USAGE,
				"the libcurl that is installed has no %s: install a newer one",
				functions[i].name);
		/* POSIX: the bits of the one are those of the other. */
		memcpy((char *)ret + functions[i].place, &found, sizeof found);
	}
	return ret->global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK || tuner_fail_memory(err);
}
