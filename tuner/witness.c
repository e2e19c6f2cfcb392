#include "tuner/witness.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
	PAUSE_US = 1000000, /* between two inspections, at least */
	SHARE = 20, /* and at least this many times the inspection's duration */
	SIGHTINGS_MAX = 256, /* not yet fetched; beyond this the oldest are dropped */
};

struct witness {
	const struct witness_request *request; /* = &own */
	struct witness_request own;
	char **memory; /* the memory behind its pointers */
	size_t n_memory, memory_capacity;
	bool out_of_memory;

	/* Used only by the inspecting thread. */
	struct code code;
	bool has_code;
	struct file_list *data; /* by channel */
	char code_told[SHA256_TEXT]; /* the fingerprint whose patch has been handed over */

	pthread_mutex_t lock; /* guards everything below */
	pthread_cond_t changed;
	int64_t asked, answered;
	bool settling; /* no more pauses */
	bool ending; /* nothing more is inspected */
	unsigned busy; /* threads alive */
	bool looks, lists; /* which of them */
	struct sighting *sightings;
	size_t n, capacity;
	bool abandoned; /* the last thread frees the witness */
};

void sighting_finish(struct sighting *sighting)
{
	text_finish(&sighting->facts);
	text_finish(&sighting->patch);
}

/* ---- the request, copied: a thread that is left behind still reads it ---- */

/* Freed with the witness. */
static void *keep(struct witness *witness, void *memory)
{
	if (memory != NULL && !array_reserve(&witness->memory, witness->n_memory,
				      &witness->memory_capacity, sizeof(*witness->memory))) {
		free(memory);
		memory = NULL;
	}
	if (memory != NULL)
		witness->memory[witness->n_memory++] = memory;
	else
		witness->out_of_memory = true;
	return memory;
}

static const char *keep_text(struct witness *witness, const char *text)
{
	return text != NULL ? keep(witness, strdup(text)) : NULL;
}

static char *const *keep_vector(struct witness *witness, char *const *vector)
{
	size_t n = 0;

	if (vector == NULL)
		return NULL;
	while (vector[n] != NULL)
		n++;
	char **copy = keep(witness, calloc(n + 1, sizeof(*copy)));
	for (size_t i = 0; copy != NULL && i < n; i++)
		copy[i] = (char *)keep_text(witness, vector[i]);
	return copy;
}

static bool copy_request(
	struct witness *witness, const struct witness_request *request, struct tuner_error *err)
{
	struct witness_request *own = &witness->own;
	struct channel *channels =
		keep(witness, calloc(request->n_channels + 1, sizeof(*channels)));

	*own = *request;
	witness->request = own;
	own->place.directory = keep_text(witness, request->place.directory);
	own->place.database = keep_text(witness, request->place.database);
	own->place.job_file = keep_text(witness, request->place.job_file);
	own->place.secrets = keep_text(witness, request->place.secrets);
	own->place.command = keep_vector(witness, request->place.command);
	own->surroundings.prefix = keep_vector(witness, request->surroundings.prefix);
	own->surroundings.command = own->place.command;
	own->surroundings.variables = keep_vector(witness, request->surroundings.variables);
	own->surroundings.directory = keep_text(witness, request->surroundings.directory);
	for (size_t i = 0; channels != NULL && i < request->n_channels; i++)
		channels[i] = (struct channel){ keep_text(witness, request->channels[i].name),
			keep_text(witness, request->channels[i].path) };
	own->channels = channels;
	return !witness->out_of_memory || tuner_fail_memory(err);
}

static void witness_free(struct witness *witness)
{
	for (size_t i = 0; i < witness->n_memory; i++)
		free(witness->memory[i]);
	free(witness->memory);
	for (size_t i = 0; i < witness->n; i++)
		sighting_finish(&witness->sightings[i]);
	free(witness->sightings);
	code_finish(&witness->code);
	for (size_t i = 0; witness->data && i < witness->own.n_channels; i++)
		file_list_finish(&witness->data[i]);
	free(witness->data);
	pthread_mutex_destroy(&witness->lock);
	pthread_cond_destroy(&witness->changed);
	free(witness);
}

/* Hands it over; without memory it is lost, as if not seen. */
static void tell(struct witness *witness, struct sighting *sighting)
{
	pthread_mutex_lock(&witness->lock);
	if (witness->n == SIGHTINGS_MAX) {
		sighting_finish(&witness->sightings[0]);
		memmove(witness->sightings, witness->sightings + 1,
			--witness->n * sizeof(*witness->sightings));
	}
	if (array_reserve(&witness->sightings, witness->n, &witness->capacity,
		    sizeof(*witness->sightings)))
		witness->sightings[witness->n++] = *sighting;
	else
		sighting_finish(sighting);
	pthread_mutex_unlock(&witness->lock);
}

static void tell_trouble(struct witness *witness, const char *what, const struct tuner_error *err)
{
	struct sighting sighting = {
		.what = SEEN_TROUBLE, .facts = TEXT_EMPTY, .patch = TEXT_EMPTY
	};

	text_print(&sighting.facts, "%s: %s", what, err->message);
	tell(witness, &sighting);
}

/* Up to ten names of an array. */
struct names {
	struct text *to;
	size_t n;
};

static void add_name(struct names *names, const char *name)
{
	enum { NAMED_MAX = 10 };

	if (names->n < NAMED_MAX) {
		text_add(names->to, names->n > 0 ? "," : "");
		text_add_json_string(names->to, name);
	}
	names->n++;
}

/* Names the files that differ between two sorted lists, and returns their earliest change (wall
 * clock): 0 if there is none, or if a file is gone, whose time of change is unknown. */
static int64_t compare_lists(
	const struct file_list *old, const struct file_list *new, struct names *names)
{
	int64_t since_us = INT64_MAX;
	size_t n = 0;

	for (size_t i = 0, k = 0; i < old->n || k < new->n;) {
		const int order = i == old->n   ? 1
				  : k == new->n ? -1
						: strcmp(old->items[i].path, new->items[k].path);
		if (order != 0 || strcmp(old->items[i].sum, new->items[k].sum) != 0 ||
			old->items[i].kind != new->items[k].kind) {
			const int64_t us = order < 0 ? 0 : new->items[k].ctime_ns / 1000;
			since_us = us < since_us ? us : since_us;
			if (names != NULL)
				add_name(names,
					order <= 0 ? old->items[i].path : new->items[k].path);
			n++;
		}
		i += order <= 0;
		k += order >= 0;
	}
	return n > 0 ? since_us : 0;
}

static void add_changed_files(
	struct sighting *sighting, const struct file_list *old, const struct file_list *new)
{
	struct names names = { .to = &sighting->facts };

	text_add(&sighting->facts, ",\"changed\":[");
	sighting->since_us = compare_lists(old, new, &names);
	text_print(&sighting->facts, "],\"n_changed\":%zu", names.n);
}

/* ---- code ---- */

static bool see_code(struct witness *witness, int64_t asked, struct tuner_error *err)
{
	const struct witness_request *request = witness->request;
	struct sighting sighting = {
		.what = SEEN_CODE, .asked = asked, .facts = TEXT_EMPTY, .patch = TEXT_EMPTY
	};
	struct code code = { 0 };
	bool cut = false;

	if (!code_read(&request->place, CODE_PROGRAMS, &code_limits,
		    witness->has_code ? &witness->code : NULL, &code, err))
		return false;
	struct code before = witness->code;
	witness->code = code;
	memcpy(sighting.fingerprint, code.files.fingerprint, SHA256_TEXT);
	if (strcmp(witness->code_told, sighting.fingerprint) != 0) {
		if (!code_commit(&witness->code, err) ||
			!code_patch(&witness->code, request->patch_bytes_max, &sighting.patch, &cut,
				err)) {
			code_finish(&before);
			sighting_finish(&sighting);
			return false;
		}
		text_add(&sighting.facts, "{");
		code_facts(&witness->code, &sighting.facts);
		if (witness->has_code)
			add_changed_files(&sighting, &before.files, &witness->code.files);
		text_print(&sighting.facts, ",\"patch_complete\":%s}", cut ? "false" : "true");
		memcpy(witness->code_told, sighting.fingerprint, SHA256_TEXT);
	}
	code_finish(&before);
	witness->has_code = true;
	tell(witness, &sighting);
	return true;
}

/* ---- data ---- */

static bool list_channel(
	const struct channel *channel, struct file_list *ret, struct tuner_error *err)
{
	struct stat status;
	char *real = realpath(channel->path, NULL);
	bool ok = true;

	*ret = (struct file_list){ 0 };
	if (real == NULL || stat(real, &status) != 0) {
		free(real); /* missing: then the list is empty, which shows it */
		return file_list_init(ret, "/", &data_limits, err);
	}
	if (S_ISDIR(status.st_mode)) {
		ok = file_list_init(ret, real, &data_limits, err) && file_list_walk(ret, "", err);
	} else {
		char *parent = path_directory(real);
		ok = (parent != NULL || tuner_fail_memory(err)) &&
		     file_list_init(ret, parent, &data_limits, err) &&
		     file_list_add(ret, path_name(real), strlen(path_name(real)), false, err);
		free(parent);
	}
	free(real);
	return ok;
}

static void add_channel_facts(
	const struct channel *channel, const struct file_list *list, bool first, struct text *ret)
{
	text_add(ret, first ? "{\"channels\":{" : ",");
	text_add_json_string(ret, channel->name);
	text_add(ret, ":{\"path\":");
	text_add_json_string(ret, channel->path);
	text_print(ret,
		",\"sha256\":\"%s\",\"files\":%zu,\"bytes\":%lld,\"by_size_and_time\":%zu,"
		"\"complete\":%s}",
		list->fingerprint, list->n, (long long)list->bytes, list->not_read,
		list->cut ? "false" : "true");
}

/* The earliest change over several channels. */
static int64_t earlier(int64_t since_us, int64_t other_us, bool first)
{
	return first || other_us < since_us ? other_us : since_us;
}

static bool see_channel(struct witness *witness, size_t i, struct names *changed, int64_t *since_us,
	struct tuner_error *err)
{
	struct file_list list;
	const bool ok =
		list_channel(&witness->request->channels[i], &list, err) &&
		file_list_sum(&list,
			witness->data[i].root && strcmp(witness->data[i].root, list.root) == 0
				? &witness->data[i]
				: NULL,
			&data_limits, err);

	if (!ok) {
		file_list_finish(&list);
		return false;
	}
	if (witness->data[i].root != NULL &&
		strcmp(witness->data[i].fingerprint, list.fingerprint) != 0) {
		*since_us = earlier(
			*since_us, compare_lists(&witness->data[i], &list, NULL), changed->n == 0);
		add_name(changed, witness->request->channels[i].name);
	}
	file_list_finish(&witness->data[i]);
	witness->data[i] = list;
	return true;
}

static bool see_data(struct witness *witness, int64_t asked, struct tuner_error *err)
{
	const struct witness_request *request = witness->request;
	struct sighting sighting = {
		.what = SEEN_DATA, .asked = asked, .facts = TEXT_EMPTY, .patch = TEXT_EMPTY
	};
	struct text changed = TEXT_EMPTY;
	struct names names = { .to = &changed };
	struct sha256 sum;

	sha256_begin(&sum);
	for (size_t i = 0; i < request->n_channels; i++) {
		if (!see_channel(witness, i, &names, &sighting.since_us, err)) {
			text_finish(&changed);
			sighting_finish(&sighting);
			return false;
		}
		sha256_add(&sum, request->channels[i].name, strlen(request->channels[i].name) + 1);
		sha256_add(&sum, witness->data[i].fingerprint, SHA256_TEXT);
		add_channel_facts(
			&request->channels[i], &witness->data[i], i == 0, &sighting.facts);
	}
	text_print(
		&sighting.facts, "},\"changed\":[%s],\"n_changed\":%zu}", changed.bytes, names.n);
	text_finish(&changed);
	sha256_end(&sum, sighting.fingerprint);
	tell(witness, &sighting);
	return true;
}

/* ---- the threads ---- */

static void look(struct witness *witness, int64_t asked)
{
	struct tuner_error err = { TUNER_OK, "" };

	if (witness->request->looks_at_code && !see_code(witness, asked, &err))
		tell_trouble(witness, "the code cannot be examined", &err);
	if (witness->request->n_channels > 0 && !see_data(witness, asked, &err))
		tell_trouble(witness, "the data cannot be examined", &err);
}

/* Called with the lock held. Waits until something is asked and the pause is over, which settling
 * skips. False: nothing more is to be done. */
static bool await_question(struct witness *witness, int64_t next_us)
{
	for (;;) {
		const int64_t now_us = clock_monotonic_us();
		const bool asked = witness->asked > witness->answered;
		if (witness->ending || (witness->settling && !asked))
			return false;
		if (asked && (witness->settling || now_us >= next_us))
			return true;
		struct timespec until;
		clock_gettime(CLOCK_MONOTONIC, &until);
		const int64_t wait_us = asked ? next_us - now_us : 3600000000;
		until.tv_sec += wait_us / 1000000;
		until.tv_nsec += wait_us % 1000000 * 1000;
		if (until.tv_nsec >= 1000000000) {
			until.tv_sec++;
			until.tv_nsec -= 1000000000;
		}
		pthread_cond_timedwait(&witness->changed, &witness->lock, &until);
	}
}

static void leave(struct witness *witness, bool *lives)
{
	pthread_mutex_lock(&witness->lock);
	*lives = false;
	const bool last = --witness->busy == 0 && witness->abandoned;
	pthread_cond_broadcast(&witness->changed);
	pthread_mutex_unlock(&witness->lock);
	if (last)
		witness_free(witness);
}

static void *keep_looking(void *context)
{
	struct witness *witness = context;
	int64_t next_us = 0;

	pthread_mutex_lock(&witness->lock);
	while (await_question(witness, next_us)) {
		const int64_t asked = witness->asked, begin_us = clock_monotonic_us();
		pthread_mutex_unlock(&witness->lock);
		look(witness, asked);
		const int64_t end_us = clock_monotonic_us();
		const int64_t pause_us = SHARE * (end_us - begin_us);
		next_us = end_us + (pause_us > PAUSE_US ? pause_us : PAUSE_US);
		pthread_mutex_lock(&witness->lock);
		witness->answered = asked;
		pthread_cond_broadcast(&witness->changed);
	}
	pthread_mutex_unlock(&witness->lock);
	leave(witness, &witness->looks);
	return NULL;
}

static void *list_versions(void *context)
{
	struct witness *witness = context;
	struct sighting sighting = {
		.what = SEEN_VERSIONS, .facts = TEXT_EMPTY, .patch = TEXT_EMPTY
	};
	struct tuner_error err = { TUNER_OK, "" };
	struct sha256 sum;

	if (surroundings_versions(&witness->request->surroundings, &sighting.facts, &err)) {
		sha256_begin(&sum);
		sha256_add(&sum, sighting.facts.bytes, sighting.facts.length);
		sha256_end(&sum, sighting.fingerprint);
		tell(witness, &sighting);
	} else {
		sighting_finish(&sighting);
		tell_trouble(witness, "the versions cannot be examined", &err);
	}
	leave(witness, &witness->lists);
	return NULL;
}

/* Signals are left to the loop. */
static bool start_thread(
	void *(*work)(void *), struct witness *witness, bool *lives, struct tuner_error *err)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all, before;

	pthread_mutex_lock(&witness->lock);
	*lives = true;
	witness->busy++;
	pthread_mutex_unlock(&witness->lock);
	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	const int failed = pthread_create(&thread, &attributes, work, witness);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (failed == 0)
		return true;
	pthread_mutex_lock(&witness->lock);
	*lives = false;
	witness->busy--;
	pthread_mutex_unlock(&witness->lock);
	return tuner_fail(err, TUNER_RETRY, "no thread: %s", strerror(failed));
}

bool witness_create(
	const struct witness_request *request, struct witness **ret, struct tuner_error *err)
{
	pthread_condattr_t monotonic;
	struct witness *witness = calloc(1, sizeof(*witness));

	if (witness == NULL)
		return tuner_fail_memory(err);
	pthread_mutex_init(&witness->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&witness->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	witness->data = calloc(request->n_channels + 1, sizeof(*witness->data));
	if (!copy_request(witness, request, err) || witness->data == NULL) {
		witness_free(witness);
		return tuner_fail_memory(err);
	}
	const bool looks = request->looks_at_code || request->n_channels > 0;
	if ((looks && !start_thread(keep_looking, witness, &witness->looks, err)) ||
		(!request->skips_versions &&
			!start_thread(list_versions, witness, &witness->lists, err))) {
		witness_destroy(witness);
		return false;
	}
	*ret = witness;
	return true;
}

int64_t witness_ask(struct witness *witness)
{
	pthread_mutex_lock(&witness->lock);
	const int64_t asked = ++witness->asked;
	pthread_cond_broadcast(&witness->changed);
	pthread_mutex_unlock(&witness->lock);
	return asked;
}

bool witness_next(struct witness *witness, struct sighting *ret)
{
	pthread_mutex_lock(&witness->lock);
	const bool found = witness->n > 0;
	if (found) {
		*ret = witness->sightings[0];
		memmove(witness->sightings, witness->sightings + 1,
			--witness->n * sizeof(*witness->sightings));
	}
	pthread_mutex_unlock(&witness->lock);
	return found;
}

/* Called with the lock held. Waits until the threads have ended, at most timeout_us. */
static void await_threads(struct witness *witness, int64_t timeout_us)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_us / 1000000;
	until.tv_nsec += timeout_us % 1000000 * 1000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (witness->busy > 0 &&
		pthread_cond_timedwait(&witness->changed, &witness->lock, &until) != ETIMEDOUT)
		;
}

void witness_settle(struct witness *witness, int64_t timeout_us)
{
	pthread_mutex_lock(&witness->lock);
	witness->settling = true;
	pthread_cond_broadcast(&witness->changed);
	await_threads(witness, timeout_us);
	pthread_mutex_unlock(&witness->lock);
}

void witness_destroy(struct witness *witness)
{
	enum { LAST_US = 100000 };

	if (witness == NULL)
		return;
	pthread_mutex_lock(&witness->lock);
	witness->ending = true;
	pthread_cond_broadcast(&witness->changed);
	await_threads(witness, LAST_US);
	const bool ours = witness->busy == 0;
	witness->abandoned = !ours;
	pthread_mutex_unlock(&witness->lock);
	if (ours)
		witness_free(witness);
}
