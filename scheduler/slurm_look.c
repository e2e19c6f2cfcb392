#include "scheduler/slurm_inside.h"

#include "base/clock.h"
#include "base/file.h"
#include "scheduler/attempt_files.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long we wait for Slurm to say why a command was ended. */
static const int64_t WORD_US = 30 * SECOND;
/* How long files may take to become visible here after Slurm has said that a job is over. */
static const int64_t FILES_US = 10 * SECOND;
/* A job on a node that Slurm has given up may still run; after this silence it counts as ended. */
static const int64_t SILENCE_LOST_US = 30 * SECOND;
/* A job that Slurm believes to be running, but that has been silent for this long, is ended. */
static const int64_t SILENCE_DEAD_US = 120 * SECOND;
static const int64_t SILENCE_LOOK_US = 10 * SECOND;
/* Looking at files takes at most a hundredth of our time, even on a slow file system. */
static const int64_t LOOKS_MIN_US = 100000, LOOKS_MAX_US = 2 * SECOND, LOOKS_SHARE = 100;

enum {
	LOG_BYTES_MAX = 1 << 20,
	/* Of waiting attempts, this many, oldest first, may begin before the next list reports
	 * it. */
	WAITING_LOOKS = 16,
};

/* Whether an end needs no explanation from Slurm: successful, or because we asked for it. */
static bool speaks_for_itself(const struct slurm_attempt *attempt)
{
	const struct exit_record *exit = &attempt->exit;

	return attempt->signal != 0 || exit->kind == EXIT_NO_START || exit->kind == EXIT_TIMEOUT ||
	       (exit->kind == EXIT_CODE && exit->code == 0);
}

/* Explains who ended the command from outside, which the record alone cannot tell. */
static void explain_exit(const struct slurm_attempt *attempt, struct exit_record *exit)
{
	if (speaks_for_itself(attempt))
		return;
	switch (attempt->end) {
	case SLURM_TIMEOUT:
		exit->kind = EXIT_TIMEOUT;
		break;
	case SLURM_OUT_OF_MEMORY:
		exit->out_of_memory = true;
		break;
	case SLURM_PREEMPTED:
	case SLURM_CANCELLED:
	case SLURM_NODE_FAIL:
		exit->kind = EXIT_STOPPED;
		exit->stop_signal = SIGTERM;
		break;
	default:
		break;
	}
}

static void ended_event(
	struct slurm_attempt *attempt, const struct exit_record *exit, struct backend_event *ret)
{
	attempt->stage = OVER;
	attempt->cancel = false;
	ret->kind = BACKEND_ENDED;
	ret->exit = *exit;
}

static void last_line(const char *directory, char ret[160])
{
	struct tuner_error ignored;
	struct text log = TEXT_EMPTY;
	char *path = path_join(directory, ATTEMPT_JOB_LOG);
	size_t end = 0;

	ret[0] = '\0';
	if (path != NULL && access(path, F_OK) == 0 &&
		file_read(path, LOG_BYTES_MAX, &log, &ignored))
		end = log.length;
	while (end > 0 && strchr(" \t\r\n", log.bytes[end - 1]) != NULL)
		end--;
	size_t start = end;
	while (start > 0 && log.bytes[start - 1] != '\n')
		start--;
	snprintf(ret, 160, "%.*s", (int)(end - start < 159 ? end - start : 159), log.bytes + start);
	free(path);
	text_finish(&log);
}

/* The next attempt may be launched now, but Slurm's report may be wrong, or our cancel lost when we
 * die: should the job begin nevertheless, its supervisor then starts nothing. If that cannot be
 * written, Slurm's report has to do. */
static void forbid_start(const struct slurm_attempt *attempt)
{
	struct tuner_error ignored;

	if (attempt->job > 0)
		(void)!attempt_ask_to_stop(attempt->directory, SIGTERM, &ignored);
}

/* Nothing of the command has run. */
static void failed_event(struct slurm_attempt *attempt, struct backend_event *ret)
{
	char line[160] = "";

	forbid_start(attempt);
	attempt->stage = OVER;
	attempt->cancel = attempt->cancel && attempt->job > 0;
	ret->kind = BACKEND_FAILED;
	if (attempt->job > 0 && attempt->end == SLURM_FAILED && !attempt->vanished)
		last_line(attempt->directory, line);
	snprintf(ret->message, sizeof(ret->message), "%.140s%s%s%.90s",
		attempt->message[0] != '\0' ? attempt->message : "it was ended before it began",
		attempt->refused || attempt->end == SLURM_UNKNOWN ? "" : " before it began",
		line[0] != '\0' ? ": " : "", line);
}

static void lost_event(struct slurm_attempt *attempt, struct backend_event *ret)
{
	forbid_start(attempt);
	attempt->stage = OVER;
	attempt->cancel = false;
	ret->kind = BACKEND_LOST;
	snprintf(ret->message, sizeof(ret->message), "%.200s%s", attempt->message,
		attempt->given_up ? ": it had shown no sign of life for two minutes" : "");
}

/* It has ended without a record: Slurm, or whatever ended it, killed the supervisor too. */
static void gone_event(struct slurm_attempt *attempt, struct backend_event *ret)
{
	struct exit_record exit = { .kind = EXIT_STOPPED,
		.code = -1,
		.signal = SIGKILL,
		.stop_signal = SIGTERM,
		.started_us = attempt->started_us,
		.ended_us = clock_wall_us() };

	if (!attempt->has_started) {
		if (attempt->end == SLURM_NODE_FAIL)
			lost_event(attempt, ret);
		else
			failed_event(attempt, ret);
		return;
	}
	if (attempt->end == SLURM_TIMEOUT)
		exit.kind = EXIT_TIMEOUT;
	if (attempt->end == SLURM_OUT_OF_MEMORY) {
		exit.kind = EXIT_SIGNAL;
		exit.stop_signal = 0;
		exit.out_of_memory = true;
	}
	if (attempt->given_up || attempt->end == SLURM_NODE_FAIL || attempt->end == SLURM_FAILED ||
		attempt->end == SLURM_COMPLETED)
		lost_event(attempt, ret);
	else
		ended_event(attempt, &exit, ret);
}

/* Whether nothing more can come of it. A node that Slurm has given up may only be unreachable: as
 * long as the attempt shows that it is alive, we wait for it. */
static bool is_gone(const struct slurm_attempt *attempt, int64_t now_us)
{
	const int64_t waited_us = now_us - attempt->end_us;

	if (attempt->end == SLURM_UNKNOWN)
		return false;
	if (!attempt->has_started && attempt->running_us == 0 && attempt->end == SLURM_CANCELLED)
		return true;
	if (waited_us < FILES_US)
		return false;
	if (!attempt->has_started || (attempt->end != SLURM_NODE_FAIL && !attempt->vanished))
		return true;
	int64_t silence_us;
	if (!attempt_silence(attempt->directory, &silence_us))
		return false;
	return (silence_us < 0 ? waited_us : silence_us) >= SILENCE_LOST_US;
}

/* Slurm's report is not enough: after only a node's daemon had come back, jobs without a process
 * still counted as running. */
static void check_pulse(struct slurm *slurm, struct slurm_attempt *attempt, int64_t now_us)
{
	if (attempt->state != SLURM_RUNNING || !attempt->has_started || attempt->given_up) {
		attempt->silence_look_us = now_us + SILENCE_DEAD_US;
		return;
	}
	if (now_us < attempt->silence_look_us)
		return;
	attempt->silence_look_us = now_us + SILENCE_LOOK_US;
	int64_t silence_us;
	if (!attempt_silence(attempt->directory, &silence_us) || silence_us < SILENCE_DEAD_US)
		return;
	attempt->given_up = true;
	slurm_cancel(slurm, attempt, true);
}

/* A copied database names the original's directories on the shared file system, and the later
 * launch moves the earlier one's directory away. Checked where it matters: at the start and at the
 * end. */
static bool is_displaced(const struct slurm_attempt *attempt)
{
	struct tuner_error ignored;
	enum launch_owner owner;

	return launch_look(attempt->directory, attempt->key, &owner, &ignored) &&
	       owner == LAUNCH_ANOTHERS;
}

/* Our job is cancelled by its number: a `stop` file would end the other database's attempt. */
static void displaced_event(struct slurm_attempt *attempt, struct backend_event *ret)
{
	attempt->stage = OVER;
	attempt->cancel = attempt->job > 0;
	ret->kind = BACKEND_LOST;
	snprintf(ret->message, sizeof(ret->message),
		"its directory is another database's by now: of two that are copies of each other, "
		"one needs another \"directory\" for this host");
}

static bool take_files(
	struct slurm *slurm, struct slurm_attempt *attempt, int64_t now_us, struct tuner_error *err)
{
	struct attempt_status status;

	if (!attempt_look_afar(attempt->directory, &status, err))
		return false;
	if (status.life != ATTEMPT_NEVER_RAN &&
		(!attempt->has_started || status.life == ATTEMPT_FINISHED) &&
		(attempt->displaced = is_displaced(attempt)))
		return true;
	attempt->has_started |= status.life != ATTEMPT_NEVER_RAN;
	if (status.started_us > 0 && attempt->started_us == 0 &&
		!(status.life == ATTEMPT_FINISHED && status.exit.kind == EXIT_NO_START))
		attempt->started_us = status.started_us;
	if (status.life != ATTEMPT_FINISHED || attempt->has_exit)
		return true;
	attempt->has_exit = true;
	attempt->exit = status.exit;
	attempt->exit_us = now_us;
	/* Slurm is asked at once, but at most twice a second. */
	if (!speaks_for_itself(attempt) && slurm->next_list_us > slurm->asked_us + SECOND / 2)
		slurm->next_list_us = slurm->asked_us + SECOND / 2;
	return true;
}

static bool judge(struct slurm *slurm, struct slurm_attempt *attempt, struct backend_event *ret,
	bool *ret_got, struct tuner_error *err)
{
	const int64_t now_us = slurm_now(slurm);

	*ret = (struct backend_event){ .attempt = attempt->id };
	*ret_got = true;
	if (attempt->refused || (attempt->stage == TO_SUBMIT && attempt->signal != 0)) {
		failed_event(attempt, ret);
		return true;
	}
	if (!take_files(slurm, attempt, now_us, err))
		return false;
	if (attempt->displaced) {
		displaced_event(attempt, ret);
		return true;
	}
	if (!attempt->told_started && attempt->started_us > 0) {
		attempt->told_started = true;
		attempt->pass = 0; /* there may be more events */
		ret->kind = BACKEND_STARTED;
		ret->started_us = attempt->started_us;
	} else if (attempt->has_exit &&
		   (speaks_for_itself(attempt) || attempt->end != SLURM_UNKNOWN ||
			   now_us - attempt->exit_us >= WORD_US)) {
		explain_exit(attempt, &attempt->exit);
		ended_event(attempt, &attempt->exit, ret);
	} else if (!attempt->has_exit && is_gone(attempt, now_us)) {
		gone_event(attempt, ret);
	} else {
		*ret_got = false;
		check_pulse(slurm, attempt, now_us);
	}
	return true;
}

/* Whether its files may have changed. `waiting` counts those that wait in the queue. */
static bool is_looked_at(const struct slurm_attempt *attempt, size_t *waiting)
{
	if (attempt->stage == OVER)
		return false;
	if (attempt->refused || attempt->has_started || attempt->end != SLURM_UNKNOWN ||
		attempt->state >= SLURM_RUNNING || attempt->stage == LOOK_UP)
		return true;
	if (attempt->stage == TO_SUBMIT)
		return attempt->signal != 0;
	return attempt->stage == KNOWN && ++*waiting <= WAITING_LOOKS;
}

bool slurm_any_looked_at(const struct slurm *slurm)
{
	size_t waiting = 0;

	for (size_t i = 0; i < slurm->n; i++)
		if (is_looked_at(slurm->attempts[i], &waiting))
			return true;
	return false;
}

static void end_pass(struct slurm *slurm)
{
	int64_t pause_us = LOOKS_SHARE * slurm->pass_cost_us;

	if (pause_us < LOOKS_MIN_US)
		pause_us = LOOKS_MIN_US;
	if (pause_us > LOOKS_MAX_US)
		pause_us = LOOKS_MAX_US;
	slurm->look_at_us = slurm_now(slurm) + pause_us;
	slurm->pass_cost_us = 0;
	slurm->pass++;
}

/* Continues the pass where the last event interrupted it. */
bool slurm_look(
	struct slurm *slurm, struct backend_event *ret, bool *ret_got, struct tuner_error *err)
{
	const int64_t began_us = slurm_now(slurm);
	size_t waiting = 0;
	bool ok = true;

	if (slurm_now(slurm) < slurm->look_at_us)
		return true;
	for (size_t i = 0; ok && !*ret_got && i < slurm->n; i++) {
		struct slurm_attempt *attempt = slurm->attempts[i];
		if (!is_looked_at(attempt, &waiting) || attempt->pass == slurm->pass)
			continue;
		attempt->pass = slurm->pass;
		ok = judge(slurm, attempt, ret, ret_got, err);
	}
	slurm->pass_cost_us += slurm_now(slurm) - began_us;
	if (!*ret_got)
		end_pass(slurm);
	return ok;
}
