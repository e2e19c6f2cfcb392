/* libcurl, loaded only to talk to slurmrestd: loading it and the thirty libraries behind it took
 * two thirds of every command's start-up time. The functions have their names without "curl_". */
#ifndef SCHEDULER_CURL_LIBRARY_H
#define SCHEDULER_CURL_LIBRARY_H

#include "base/error.h"

#include <curl/curl.h>

struct curl_library {
	__typeof__(curl_global_init) *global_init;
	__typeof__(curl_easy_init) *easy_init;
	__typeof__(curl_easy_reset) *easy_reset;
	__typeof__(curl_easy_setopt) *easy_setopt;
	__typeof__(curl_easy_getinfo) *easy_getinfo;
	__typeof__(curl_easy_strerror) *easy_strerror;
	__typeof__(curl_easy_cleanup) *easy_cleanup;
	__typeof__(curl_multi_init) *multi_init;
	__typeof__(curl_multi_setopt) *multi_setopt;
	__typeof__(curl_multi_add_handle) *multi_add_handle;
	__typeof__(curl_multi_remove_handle) *multi_remove_handle;
	__typeof__(curl_multi_socket_action) *multi_socket_action;
	__typeof__(curl_multi_info_read) *multi_info_read;
	__typeof__(curl_multi_cleanup) *multi_cleanup;
	__typeof__(curl_slist_append) *slist_append;
	__typeof__(curl_slist_free_all) *slist_free_all;
};

/* Loads libcurl, which stays loaded until the process ends, because its initialization (TLS,
 * resolvers) cannot be undone. TUNER_USAGE if it is not installed. */
TUNER_MUST_CHECK
bool curl_library_open(struct curl_library *ret, struct tuner_error *err);

#endif
