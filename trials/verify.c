#include "trials/verify.h"

#include "trials/curve.h"
#include "trials/migrate.h"
#include "trials/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what to do ---- */

#define SALVAGE                                                                                    \
	"copy the file away; `sqlite3 FILE .recover | sqlite3 NEW` saves what can still be read"
#define EDITED                                                                                     \
	"somebody edited the database: go on from an older copy, or make it right by hand in a "   \
	"copy"
#define COUNTER "no result is lost: set the column to what there is"
#define LIFE                                                                                       \
	"run nothing on this job before it is right: go on from an older copy, or give the "       \
	"results to a new job with `tuner tell JOB --add`"
#define DECISION                                                                                   \
	"the results stand, but `tuner replay` cannot recompute this decision; an older copy may"
#define MANIFEST                                                                                   \
	"no result is lost, but `tuner show` and `keep` go by it: `tuner gc --dry-run` says what " \
	"is on the disk"
#define SCHEMA "make it again from trials/schema.sql, while no job runs"

/* ---- the checks ---- */

/* A check is one query. Each row is a violation, described in its only column; ?1 is the job, 0 for
 * all. */
struct check {
	const char *name, *sql, *remedy;
};

#define JOB       "'job ' || j.name || ': ' || "
#define TRIAL     "'job ' || j.name || ', trial ' || t.number || ': ' || "
#define ATTEMPT   "'job ' || j.name || ', trial ' || t.number || ', attempt ' || a.number || ': ' || "
#define OF_JOBS   "FROM job j WHERE ?1 IN (0, j.id) AND "
#define OF_TRIALS "FROM trial t JOIN job j ON j.id = t.job WHERE ?1 IN (0, t.job) AND "
#define OF_ATTEMPTS                                                                                \
	"FROM attempt a JOIN trial t ON t.id = a.trial JOIN job j ON j.id = t.job "                \
	"WHERE ?1 IN (0, t.job) AND "
#define OF_DECISIONS                                                                               \
	"FROM decision d JOIN trial t ON t.id = d.id JOIN job j ON j.id = t.job "                  \
	"WHERE ?1 IN (0, t.job) AND "
#define OF_EVENTS "FROM event e JOIN job j ON j.id = e.job WHERE ?1 IN (0, e.job) AND "

/* The rows of the objective's metric in all of a trial's attempts. */
#define OBJECTIVE_ROWS                                                                             \
	"FROM attempt a JOIN metric m ON m.attempt = a.id "                                        \
	"JOIN metric_name n ON n.id = m.name "                                                     \
	"WHERE a.trial = t.id AND n.name = "                                                       \
	"(SELECT metric FROM objective_version WHERE id = t.objective_version)"

/* The newest score of each trial that was rescored. */
#define NEWEST_SCORE                                                                               \
	"newest AS MATERIALIZED (SELECT trial, max(id) AS id FROM event WHERE kind = 'rescored' "  \
	"AND trial IS NOT NULL GROUP BY trial), score AS MATERIALIZED (SELECT e.trial, e.id AS "   \
	"event, json_extract(e.data, '$.objective_version') AS version, json_extract(e.data, "     \
	"'$.state') AS state, json_extract(e.data, '$.outcome') AS outcome, "                      \
	"json_extract(e.data, '$.objective') AS objective FROM newest JOIN event e ON e.id = "     \
	"newest.id) "

/* Ends of trials that were reopened, and the events of the reopening. */
#define TAKEN_BACK                                                                                 \
	"WITH taken_back AS MATERIALIZED (SELECT trial, id AS event, json_extract(data, "          \
	"'$.ended_event') AS ended_event, json_extract(data, '$.state') AS state, "                \
	"json_extract(data, '$.outcome') AS outcome, data -> '$.objective' AS objective FROM "     \
	"event WHERE kind = 'reopened'), rescored AS MATERIALIZED (SELECT trial, id FROM event "   \
	"WHERE kind = 'rescored' AND trial IS NOT NULL) "

static const struct check checks[] = {
	/* ---- the file ---- */
	{ "integrity",
		"SELECT 'the file: ' || replace(integrity_check, char(10), ' ') FROM "
		"pragma_integrity_check(21) "
		"WHERE integrity_check <> 'ok'",
		SALVAGE },
	{ "references",
		"SELECT 'table ' || \"table\" || ', row ' || coalesce(rowid, '?') || "
		"': refers to a row of ' || parent || ' that is not there' "
		"FROM pragma_foreign_key_check",
		EDITED },
	{ "studies",
		"SELECT 'job ' || j.name || ': is not in the table studies' FROM job j LEFT JOIN "
		"studies s ON s.study_id = j.id AND s.study_name = j.name WHERE s.study_id IS NULL "
		"UNION ALL SELECT 'study ' || s.study_name || ': there is no such job' FROM "
		"studies s "
		"LEFT JOIN job j ON j.id = s.study_id AND j.name = s.study_name WHERE j.id IS NULL",
		SCHEMA },

	/* ---- jobs ---- */
	{ "job-end",
		"SELECT " JOB "'is ' || j.state || ', but its end is ' || coalesce(j.ended_us, "
		"'missing') " OF_JOBS "(j.state = 'open') <> (j.ended_us IS NULL)",
		EDITED },
	{ "versions",
		"SELECT " JOB "'its space or its objective is not the newest of its own' " OF_JOBS
		"(j.space_version IS NOT (SELECT id FROM space_version WHERE job = j.id ORDER BY "
		"version DESC LIMIT 1) OR j.objective_version IS NOT (SELECT id FROM "
		"objective_version WHERE job = j.id ORDER BY version DESC LIMIT 1))",
		EDITED },
	{ "queue",
		"SELECT " TRIAL "'is from ' || t.source || ', but ' || count(q.id) || ' entries of "
		"the queue name it' FROM trial t JOIN job j ON j.id = t.job LEFT JOIN queue q ON "
		"q.trial = t.id AND q.source = t.source AND q.job = t.job WHERE ?1 IN (0, t.job) "
		"GROUP BY t.id HAVING count(q.id) <> (t.source IN ('first', 'enqueue'))",
		DECISION },

	/* ---- trials ---- */
	{ "trial-numbers",
		"SELECT " JOB "'has ' || count(*) || ' trials, numbered from ' || min(t.number) || "
		"' to ' || max(t.number) FROM trial t JOIN job j ON j.id = t.job WHERE ?1 IN (0, "
		"t.job) GROUP BY t.job HAVING min(t.number) <> 1 OR max(t.number) <> count(*) OR "
		"count(DISTINCT t.number) <> count(*)",
		LIFE },
	{ "arm-numbers",
		"SELECT " JOB "'an arm has ' || count(*) || ' trials, numbered in it from ' || "
		"min(t.arm_number) || ' to ' || max(t.arm_number) FROM trial t JOIN job j ON j.id "
		"= "
		"t.job WHERE ?1 IN (0, t.job) GROUP BY t.job, t.arm, t.repeat HAVING "
		"min(t.arm_number) <> 1 OR max(t.arm_number) <> count(*) OR count(DISTINCT "
		"t.arm_number) <> count(*)",
		LIFE },
	{ "trial-versions",
		"SELECT " TRIAL "'its space or its objective is another job''s' " OF_TRIALS
		"(NOT EXISTS (SELECT 1 FROM space_version WHERE id = t.space_version AND job = "
		"t.job) OR NOT EXISTS (SELECT 1 FROM objective_version WHERE id = "
		"t.objective_version AND job = t.job))",
		EDITED },
	{ "parameters",
		"SELECT " TRIAL "'its parameters are ' || t.parameters || ', but in trial_param '"
		" || coalesce((SELECT group_concat(p.name || '=' || v.value, ' ') FROM trial_param "
		"v "
		"JOIN parameter p ON p.id = v.parameter WHERE v.trial = t.id), 'there are "
		"none') " OF_TRIALS
		"((SELECT count(*) FROM json_each(t.parameters)) <> (SELECT count(*) "
		"FROM trial_param WHERE trial = t.id) OR EXISTS (SELECT 1 FROM trial_param v JOIN "
		"parameter p ON p.id = v.parameter LEFT JOIN json_each(t.parameters) e ON e.key = "
		"p.name WHERE v.trial = t.id AND (p.space_version <> t.space_version OR "
		/* Numbers to what SQLite's own reading of decimals may round. */
		"CASE WHEN p.labels IS NULL THEN coalesce(abs(e.value - v.value) > 1e-12 * "
		"abs(v.value), 1) ELSE e.value IS NOT json_extract(p.labels, '$[' || CAST(v.value "
		"AS "
		"INTEGER) || ']') END)))",
		EDITED },
	{ "trial-end",
		"SELECT " TRIAL "'is ' || t.state || ', but ' || CASE WHEN t.ended_us IS NULL THEN "
		"'has no time of its end' WHEN e.id IS NULL THEN 'has no event of its end' ELSE "
		"'event ' || e.id || ' is not its end' END FROM trial t JOIN job j ON j.id = t.job "
		"LEFT JOIN event e ON e.id = t.ended_event WHERE ?1 IN (0, t.job) AND t.state IN "
		"('done', 'failed', 'stopped') AND (t.ended_us IS NULL OR e.id IS NULL OR e.kind "
		"<> "
		"'ended' OR e.trial IS NOT t.id)",
		LIFE },
	{ "ended-as",
		"WITH " NEWEST_SCORE ", said AS (SELECT e.id, e.trial, json_extract(e.data, "
		"'$.state') AS state, json_extract(e.data, '$.objective') AS objective FROM trial "
		"t JOIN event e ON e.id = t.ended_event WHERE ?1 IN (0, t.job) AND e.kind = "
		"'ended' AND e.trial = t.id AND NOT EXISTS (SELECT 1 FROM newest n WHERE n.trial = "
		"t.id AND n.id > e.id)) SELECT " TRIAL
		"'is ' || t.state || ', ' || coalesce(t.objective, 'without an objective') || ', "
		"but event ' || s.id || ' ended it as ' || s.state || ', ' || "
		"coalesce(s.objective, 'without an objective') FROM said s JOIN trial t ON t.id = "
		"s.trial JOIN job j ON j.id = t.job WHERE s.state <> t.state OR (t.objective IS "
		"NULL) <> (s.objective IS NULL) OR (t.objective <> s.objective AND NOT "
		/* To what SQLite's own reading of decimals may round; an infinite one to none. */
		"abs(t.objective - s.objective) <= 1e-12 * min(abs(t.objective), "
		"abs(s.objective)))",
		EDITED },
	{ "trial-open",
		TAKEN_BACK "SELECT " TRIAL
			   "'is ' || t.state || ', but event ' || e.id || ' ended it' FROM event "
			   "e JOIN trial t ON t.id = e.trial JOIN job j ON j.id = t.job LEFT JOIN "
			   "taken_back b ON b.ended_event = e.id WHERE ?1 IN (0, t.job) "
			   "AND e.kind = 'ended' AND b.event IS NULL AND t.ended_event IS NOT e.id",
		LIFE },
	{ "reopened",
		TAKEN_BACK
		"SELECT " TRIAL "'event ' || b.event || ' takes back its end in event ' || "
		"coalesce(b.ended_event, 'none') || ', which ' || CASE WHEN e.id IS "
		"NULL THEN 'is no end of it before that' WHEN t.ended_event = e.id THEN "
		"'still stands' ELSE 'said otherwise' END FROM taken_back b JOIN trial t "
		"ON t.id = b.trial JOIN job j ON j.id = t.job LEFT JOIN event e ON e.id = "
		"b.ended_event AND e.trial = t.id AND e.kind = 'ended' AND e.id < b.event "
		"WHERE ?1 IN (0, t.job) AND (e.id IS NULL OR t.ended_event = e.id OR (NOT EXISTS "
		"(SELECT 1 FROM rescored r WHERE r.trial = t.id AND r.id BETWEEN e.id AND b.event) "
		"AND (json_extract(e.data, '$.state') IS NOT b.state OR "
		/* A trial stopped before it ran keeps the outcome of its earlier attempt. */
		"(json_extract(e.data, '$.outcome') <> '' AND b.outcome IS NOT "
		"coalesce(json_extract(e.data, '$.counts_as'), json_extract(e.data, "
		"'$.outcome'))) OR e.data -> '$.objective' IS NOT "
		"b.objective))) UNION ALL SELECT " TRIAL
		"'its end in event ' || b.ended_event || ' was taken back ' || count(*) || "
		"' times' FROM taken_back b JOIN trial t ON t.id = b.trial JOIN job j ON "
		"j.id = t.job WHERE ?1 IN (0, t.job) GROUP BY b.ended_event HAVING "
		"count(*) > 1",
		LIFE },
	{ "rescored",
		"WITH " NEWEST_SCORE "SELECT " TRIAL
		"'is ' || t.state || ', ' || coalesce(t.objective, 'without an objective') || ', "
		"but event ' || s.event || ' made it ' || s.state || ', ' || coalesce(s.objective, "
		"'without an objective') FROM score s JOIN trial t ON t.id = s.trial JOIN job j ON "
		"j.id = t.job WHERE ?1 IN (0, t.job) AND s.event > t.ended_event AND (t.state <> "
		"s.state OR t.outcome IS NOT s.outcome OR (t.objective IS NULL) <> (s.objective IS "
		/* Numbers to what SQLite's own reading of decimals may round. */
		"NULL) OR abs(t.objective - s.objective) > 1e-12 * abs(t.objective)) UNION ALL "
		"SELECT " TRIAL "'its objective is not the job''s newest' " OF_TRIALS
		"t.objective_version <> j.objective_version UNION ALL SELECT " JOB
		"'has ' || count(DISTINCT o.id) || ' versions of its objective, and ' || (SELECT "
		"count(*) FROM event e WHERE e.job = j.id AND e.kind = 'rescored' AND e.trial IS "
		"NULL) || ' events that made a new one' FROM job j JOIN objective_version o ON "
		"o.job "
		"= j.id WHERE ?1 IN (0, j.id) GROUP BY j.id HAVING count(DISTINCT o.id) <> 1 + "
		"(SELECT count(*) FROM event e WHERE e.job = j.id AND e.kind = 'rescored' AND "
		"e.trial IS NULL)",
		EDITED },
	{ "outcome",
		"SELECT " TRIAL
		"'is ' || t.state || ' with outcome ' || coalesce(t.outcome, 'none') " OF_TRIALS
		"((t.state = 'done' AND t.outcome IS NOT 'ok') OR (t.state IN ('failed', "
		"'stopped') AND t.outcome IS 'ok'))",
		EDITED },
	{ "limits",
		"WITH " NEWEST_SCORE ", last AS (SELECT t.id AS trial, max(t.ended_event, "
		"coalesce(n.id, 0)) AS event FROM trial t LEFT JOIN newest n ON n.trial = t.id "
		"WHERE ?1 IN (0, t.job) AND t.ended_event IS NOT NULL) SELECT " TRIAL
		"'how it kept the limits is ' || coalesce(t.limits, 'not there') || ', but event ' "
		"|| e.id || ' says ' || coalesce(e.data -> '$.limits', 'nothing') FROM last l JOIN "
		"event e ON e.id = l.event JOIN trial t ON t.id = l.trial JOIN job j ON j.id = "
		"t.job WHERE t.limits IS NOT (e.data -> '$.limits') UNION ALL SELECT " TRIAL
		"'its outcome is ' || coalesce(t.outcome, 'none') || ', but how it kept the limits "
		"is ' || coalesce(t.limits, 'not there') " OF_TRIALS
		"(t.outcome IS 'over-limit' AND t.state = 'failed') <> EXISTS (SELECT 1 "
		"FROM json_each(t.limits, '$.excess') WHERE value IS NULL OR value > 0)",
		EDITED },
	{ "also",
		"WITH " NEWEST_SCORE ", last AS (SELECT t.id AS trial, max(t.ended_event, "
		"coalesce(n.id, 0)) AS event FROM trial t LEFT JOIN newest n ON n.trial = t.id "
		"WHERE ?1 IN (0, t.job) AND t.ended_event IS NOT NULL) SELECT " TRIAL
		"'its further objectives are ' || coalesce(t.also, 'not there') || ', but event ' "
		"|| e.id || ' says ' || coalesce(e.data -> '$.also', 'nothing') FROM last l JOIN "
		"event e ON e.id = l.event JOIN trial t ON t.id = l.trial JOIN job j ON j.id = "
		"t.job WHERE t.also IS NOT (e.data -> '$.also') UNION ALL SELECT " TRIAL
		"'is done with ' || coalesce(json_array_length(t.also), 0) || ' further objectives "
		"of ' || coalesce(json_array_length(o.definition, '$.also'), 0) FROM trial t JOIN "
		"job j ON j.id = t.job JOIN objective_version o ON o.id = t.objective_version "
		"WHERE "
		"?1 IN (0, t.job) AND t.state = 'done' AND coalesce(json_array_length(t.also), 0) "
		"<> coalesce(json_array_length(o.definition, '$.also'), 0)",
		EDITED },
	{ "times",
		"SELECT " TRIAL "'ended before it started' " OF_TRIALS "t.ended_us < t.started_us "
		"UNION ALL SELECT " ATTEMPT "'ended before it started' " OF_ATTEMPTS
		"a.ended_us < a.started_us",
		EDITED },

	/* ---- attempts ---- */
	{ "attempts",
		"SELECT " TRIAL "'counts ' || t.attempts || ' attempts, has ' || count(a.id) || "
		"coalesce(', numbered from ' || min(a.number) || ' to ' || max(a.number), '') FROM "
		"trial t JOIN job j ON j.id = t.job LEFT JOIN attempt a ON a.trial = t.id WHERE ?1 "
		"IN (0, t.job) GROUP BY t.id HAVING count(a.id) <> t.attempts OR (count(a.id) > 0 "
		"AND (min(a.number) <> 1 OR max(a.number) <> count(a.id) OR count(DISTINCT "
		"a.number) "
		"<> count(a.id)))",
		LIFE },
	{ "attempt-keys",
		"SELECT count(*) || ' attempts have the key ' || a.key " OF_ATTEMPTS
		"true GROUP BY a.key HAVING count(*) > 1",
		LIFE },
	{ "attempt-directories",
		"SELECT count(*) || ' attempts have the directory ' || a.directory " OF_ATTEMPTS
		"a.directory <> '' GROUP BY a.directory HAVING count(*) > 1 UNION ALL "
		"SELECT " ATTEMPT "'has no directory' " OF_ATTEMPTS
		"(a.directory = '') <> (a.backend IN ('caller', 'reused'))",
		LIFE },
	{ "attempt-state",
		"SELECT " ATTEMPT "'is ' || a.state || CASE WHEN a.number < t.attempts THEN ', but "
		"attempt ' || t.attempts || ' has taken its place' ELSE ', but its trial is ' || "
		"t.state END " OF_ATTEMPTS "CASE WHEN a.number < t.attempts THEN a.state NOT IN "
		"('ended', 'lost') ELSE t.state NOT IN (SELECT value FROM json_each(CASE a.state "
		"WHEN "
		"'running' THEN '[\"running\"]' WHEN 'lost' THEN '[\"running\",\"proposed\"]' WHEN "
		"'ended' THEN '[\"proposed\",\"paused\",\"done\",\"failed\",\"stopped\"]' ELSE "
		"'[\"proposed\"]' END)) END",
		LIFE },
	{ "trial-state",
		"SELECT " TRIAL "'is ' || t.state || ' without an attempt' " OF_TRIALS
		"t.state IN ('running', 'done', 'failed') AND NOT EXISTS (SELECT 1 FROM attempt "
		"WHERE trial = t.id)",
		LIFE },
	{ "attempt-end",
		"SELECT " ATTEMPT "'is ' || a.state || ', but its end is ' || coalesce(a.ended_us, "
		"'missing') " OF_ATTEMPTS
		"(a.state = 'ended') <> (a.ended_us IS NOT NULL) UNION ALL "
		"SELECT " ATTEMPT "'runs, but has no start' " OF_ATTEMPTS
		"a.state = 'running' AND a.started_us IS NULL",
		EDITED },
	{ "last-outcome",
		/* By a rule of the job the outcome may count as another (outcomes: fail). */
		"WITH counted AS MATERIALIZED (SELECT attempt, json_extract(data, '$.counts_as') "
		"AS outcome FROM event WHERE kind IN ('ended', 'retry') AND outcome IS NOT "
		"NULL), " NEWEST_SCORE "SELECT " TRIAL
		"'its outcome is ' || coalesce(t.outcome, 'none') || ', that of its "
		"last attempt ' || coalesce(c.outcome, a.outcome) FROM attempt a JOIN trial t ON "
		"t.id = a.trial JOIN job j ON j.id = t.job LEFT JOIN counted c ON c.attempt = a.id "
		"LEFT JOIN score s ON s.trial = t.id WHERE ?1 IN (0, t.job) AND a.number = "
		"t.attempts AND a.state = 'ended' AND t.outcome IS NOT s.outcome AND t.outcome IS "
		"NOT coalesce(c.outcome, a.outcome) AND NOT (t.state = 'stopped' AND t.outcome = "
		"'user-stopped' AND 'over-limit' IN (coalesce(c.outcome, a.outcome), "
		"coalesce(s.outcome, '')))",
		EDITED },
	{ "leases",
		"SELECT " ATTEMPT
		"'has a lease of ' || (a.lease_us / 1e6) || ' s, and backend ' || "
		"a.backend " OF_ATTEMPTS
		"(a.lease_us <= 0 OR (a.lease_us IS NOT NULL AND a.backend "
		"<> 'caller') OR (a.lease_us IS NULL) <> (a.heard_us IS NULL))",
		"until it is right the trial may count as pending for ever: set lease_us and "
		"heard_us "
		"to NULL, or tell its result" },

	/* ---- metrics ---- */
	{ "metric-rows",
		"SELECT " ATTEMPT "'has ' || count(*) || ' rows of ' || n.name || ' at step ' || "
		"m.step FROM metric m JOIN metric_name n ON n.id = m.name JOIN attempt a "
		"ON a.id = m.attempt JOIN trial t ON t.id = a.trial JOIN job j ON j.id = t.job "
		"WHERE "
		"?1 IN (0, t.job) GROUP BY m.attempt, m.name, m.step HAVING count(*) > 1",
		SALVAGE },
	{ "metric-attempts",
		"SELECT " ATTEMPT "'never ran, but has metrics' " OF_ATTEMPTS
		"a.state = 'intended' AND EXISTS (SELECT 1 FROM metric WHERE attempt = a.id)",
		EDITED },
	{ "metric-count",
		"SELECT " TRIAL
		"'counts ' || t.metric_count || ' values of its objective, has ' || "
		"(SELECT count(*) " OBJECTIVE_ROWS ") " OF_TRIALS
		"t.metric_count <> (SELECT count(*) " OBJECTIVE_ROWS ")",
		COUNTER },
	{ "metric-last",
		"SELECT " TRIAL
		"'its last value is ' || coalesce(t.last_value, 'none') || ' at step "
		"' || coalesce(t.last_step, 'none') || ', not that of its curve' " OF_TRIALS
		/* Rows of a superseded attempt are not the last. */
		"EXISTS (SELECT 1 " OBJECTIVE_ROWS " AND a.number = t.attempts) AND NOT EXISTS "
		"(SELECT 1 FROM (SELECT m.step, m.value " OBJECTIVE_ROWS
		" AND a.number = t.attempts ORDER BY m.step DESC LIMIT 1) r WHERE r.step IS "
		"t.last_step AND r.value IS t.last_value)",
		COUNTER },
	{ "metric-best",
		"SELECT " TRIAL "'its best value is ' || coalesce(t.best_value, 'none') || ', not "
		"that of its curve' FROM trial t JOIN job j ON j.id = t.job JOIN objective_version "
		"o "
		"ON o.id = t.objective_version WHERE ?1 IN (0, t.job) AND t.best_value IS NOT "
		"(SELECT "
		"CASE o.goal WHEN 'maximize' THEN max(m.value) ELSE min(m.value) "
		"END " OBJECTIVE_ROWS " AND " ROW_IS_IN_CURVE(
			"t") ") "
			     /* While a later attempt runs, it may be one that this attempt gives up. */
			     "AND (t.attempts = 1 OR NOT EXISTS (SELECT 1 FROM attempt a WHERE "
			     "a.trial = t.id "
			     "AND a.state <> 'ended'))",
		COUNTER },
	{ "metric-offset",
		"SELECT " ATTEMPT
		"'has read ' || a.log_offset || ' bytes of its output' " OF_ATTEMPTS
		"a.log_offset < 0",
		EDITED },

	/* ---- decisions ---- */
	{ "decisions",
		"SELECT " TRIAL "'has no decision' " OF_TRIALS
		"NOT EXISTS (SELECT 1 FROM decision WHERE id = t.id)",
		DECISION },
	{ "decision-versions",
		"SELECT " TRIAL "'was decided for another space or objective' " OF_DECISIONS
		"(d.space_version <> t.space_version OR d.objective_version > "
		"t.objective_version OR NOT EXISTS (SELECT 1 FROM objective_version WHERE id = "
		"d.objective_version AND job = t.job))",
		DECISION },
	{ "decision-names",
		"SELECT " TRIAL
		"'was decided by ' || d.strategy || ', ' || d.branch || ', which is "
		"not known' " OF_DECISIONS "(d.strategy NOT IN ('random', 'sobol', 'grid', "
		"'bayesian') OR d.branch NOT IN ('user', 'random', 'sobol', 'grid', 'design', "
		"'model', 'fallback'))",
		"a newer tuner wrote it: use that, or its results without `tuner replay`" },
	{ "decision-seen",
		"SELECT " TRIAL
		"'has seen event ' || d.seen || ', which is no end of the job''s before "
		"it' FROM decision d JOIN trial t ON t.id = d.id JOIN job j ON j.id = t.job JOIN "
		"event "
		"p ON p.trial = t.id AND p.kind = 'proposed' LEFT JOIN event e ON e.id = d.seen "
		"WHERE "
		"?1 IN (0, t.job) AND d.seen IS NOT NULL AND (e.id IS NULL OR e.job <> t.job OR "
		"e.kind NOT IN ('ended', 'reopened', 'rescored') OR e.id >= p.id)",
		DECISION },
	{ "decision-start",
		"SELECT " TRIAL
		"'began from the hyperparameters of decision ' || d.start || ', which "
		"is none of the job''s before it that has any' " OF_DECISIONS
		"d.start IS NOT NULL AND NOT EXISTS (SELECT 1 FROM decision s JOIN trial u ON u.id "
		"= "
		"s.id WHERE s.id = d.start AND s.id < d.id AND u.job = t.job AND s.hyperparameters "
		"IS "
		"NOT NULL)",
		DECISION },
	{ "decision-pending",
		TAKEN_BACK "SELECT " TRIAL
			   "'took trial ' || p.value || ' as pending, which ' || CASE WHEN u.id "
			   "IS NULL THEN 'is not there' WHEN u.number >= t.number THEN 'is not "
			   "before it' ELSE 'had ended' END FROM decision d JOIN trial t ON t.id = "
			   "d.id JOIN job j ON j.id = t.job JOIN json_each(d.pending) p LEFT JOIN "
			   "trial u ON u.job = t.job AND u.number = p.value WHERE ?1 IN (0, t.job) "
			   "AND (u.id IS NULL OR u.number >= t.number OR u.ended_event <= "
			   "coalesce(d.seen, 0) OR EXISTS (SELECT 1 FROM taken_back WHERE trial = "
			   "u.id AND ended_event <= d.seen AND event > d.seen))",
		DECISION },
	{ "decision-model",
		"SELECT " TRIAL "'was decided by ' || d.branch || ', ' || CASE WHEN "
		"d.hyperparameters IS NULL THEN 'without hyperparameters' ELSE 'with "
		"hyperparameters' END " OF_DECISIONS
		"(d.branch = 'model') <> (d.hyperparameters IS NOT NULL) UNION ALL SELECT " TRIAL
		"'was predicted with a standard deviation of ' || d.sd " OF_DECISIONS "d.sd < 0",
		DECISION },
	{ "sequence",
		"SELECT 'job ' || name || ', trial ' || number || ': begins at point ' || sequence "
		"|| "
		"' of the sequence, not where the one before it ended' FROM (SELECT j.name, "
		"t.number, "
		"d.sequence, d.next_sequence, d.strategy, coalesce(lag(d.next_sequence) OVER "
		"(PARTITION BY "
		"t.job, "
		"t.arm, t.repeat ORDER BY t.arm_number), 0) AS before " OF_DECISIONS
		"true) WHERE sequence <> before OR (next_sequence < sequence AND strategy <> "
		"'grid')", /* an edited grid is searched from its beginning, too */
		DECISION },

	/* ---- events ---- */
	{ "event-ids",
		"SELECT 'there are ' || count(*) || ' events, but the last one is number ' || "
		"max(max(id), (SELECT seq FROM sqlite_sequence WHERE name = 'event')) FROM event "
		"HAVING count(*) <> max(max(id), (SELECT seq FROM sqlite_sequence WHERE name = "
		"'event'))",
		"facts are missing: go on from an older copy" },
	{ "event-subjects",
		"SELECT 'event ' || e.id || ' of job ' || j.name || ' is about a trial or attempt "
		"of "
		"another' " OF_EVENTS
		"((e.trial IS NOT NULL AND NOT EXISTS (SELECT 1 FROM trial WHERE "
		"id = e.trial AND job = e.job)) OR (e.attempt IS NOT NULL AND NOT EXISTS (SELECT 1 "
		"FROM attempt WHERE id = e.attempt AND trial IS e.trial)))",
		EDITED },
	{ "event-proposed",
		"SELECT " TRIAL
		"'was proposed in ' || count(e.id) || ' events' FROM trial t JOIN job "
		"j ON j.id = t.job LEFT JOIN event e ON e.trial = t.id AND e.kind = 'proposed' "
		"WHERE "
		"?1 IN (0, t.job) GROUP BY t.id HAVING count(e.id) <> 1",
		"facts are missing or doubled: go on from an older copy" },
	{ "event-stops",
		"SELECT 'event ' || e.id || ' of job ' || j.name || ' is to stop ' || CASE WHEN "
		"e.attempt IS NULL THEN 'no attempt' ELSE 'an attempt that had ended' END FROM "
		"event e JOIN job j ON j.id = e.job LEFT JOIN event x ON x.attempt = e.attempt AND "
		"x.id < e.id AND x.kind IN ('ended', 'retry', 'late', 'paused') AND "
		"json_extract(x.data, '$.outcome') IS NOT NULL WHERE ?1 IN (0, e.job) AND "
		"e.kind = 'stop' AND (e.attempt IS NULL OR x.id IS NOT NULL)",
		EDITED },
	{ "event-ends",
		"SELECT " ATTEMPT
		"'is ' || a.state || ', but ended in ' || count(e.id) || ' events' "
		"FROM attempt a JOIN trial t ON t.id = a.trial JOIN job j ON j.id = t.job LEFT "
		"JOIN "
		"event e ON e.attempt = a.id AND e.kind IN ('ended', 'retry', 'late', 'paused') "
		"AND "
		"json_extract(e.data, '$.outcome') IS NOT NULL WHERE ?1 IN (0, t.job) GROUP BY "
		"a.id "
		"HAVING count(e.id) <> (a.state = 'ended')",
		"facts are missing or doubled: go on from an older copy" },

	/* ---- files ---- */
	{ "manifests",
		"SELECT " ATTEMPT
		"'is ' || a.state || ', and ' || CASE WHEN m.attempt IS NULL THEN "
		"'has no manifest' WHEN m.job <> t.job THEN 'its manifest is another job''s' ELSE "
		"'has a manifest' END FROM attempt a JOIN trial t ON t.id = a.trial JOIN job j ON "
		"j.id = t.job LEFT JOIN manifest m ON m.attempt = a.id WHERE ?1 IN (0, t.job) AND "
		"((a.state = 'ended' AND a.directory <> '') <> (m.attempt IS NOT NULL) OR m.job <> "
		"t.job)",
		MANIFEST },
	{ "manifest-removal",
		"SELECT " ATTEMPT "'event ' || e.id || ' is no removal of its files, or they still "
		"count ' || m.bytes || ' bytes' FROM manifest m JOIN attempt a ON a.id = m.attempt "
		"JOIN trial t ON t.id = a.trial JOIN job j ON j.id = t.job JOIN event e ON e.id IN "
		"(m.removal, m.checkpoint_removal) WHERE ?1 IN (0, t.job) AND (e.kind <> 'removed' "
		"OR e.attempt IS NOT a.id OR (e.id = m.removal AND m.bytes <> 0))",
		MANIFEST },
	{ "artifacts",
		"SELECT " ATTEMPT "'lists ' || count(f.id) || ' files of ' || sum(f.bytes) || ' "
		"bytes, and counts ' || m.files || ' of ' || m.bytes FROM manifest m JOIN artifact "
		"f ON f.attempt = m.attempt JOIN attempt a ON a.id = m.attempt JOIN trial t ON "
		"t.id "
		"= a.trial JOIN job j ON j.id = t.job WHERE ?1 IN (0, t.job) GROUP BY m.attempt "
		"HAVING count(f.id) > m.files OR (m.removal IS NULL AND (sum(f.bytes) > m.bytes OR "
		"(count(f.id) = m.files AND sum(f.bytes) <> m.bytes)))",
		MANIFEST },
};

/* ---- making them ---- */

static bool add(struct violation_list *list, size_t *capacity, const struct check *check,
	const char *what, struct tuner_error *err)
{
	char *copy = strdup(what);

	if (!copy)
		return tuner_fail_memory(err);
	if (!array_grow((void **)&list->items, &list->n, capacity, sizeof *list->items, err)) {
		free(copy);
		return false;
	}
	list->items[list->n - 1] =
		(struct violation){ .check = check->name, .what = copy, .remedy = check->remedy };
	return true;
}

/* A failure for lack of memory, or because of a writer, tells nothing about the database. */
static bool is_damage(const struct tuner_error *failed)
{
	struct tuner_error memory;

	(void)!tuner_fail_memory(&memory);
	return failed->code != TUNER_RETRY && strcmp(failed->message, memory.message) != 0;
}

static bool read_rows(struct violation_list *list, size_t *capacity, const struct check *check,
	struct query *query, struct tuner_error *err)
{
	bool found = false, ok = true;

	for (size_t n = 0; ok && (ok = query_row(query, &found, err)) && found; n++) {
		if (n == VIOLATIONS_MAX) {
			list->more = true;
			break;
		}
		ok = add(list, capacity, check, query_text(query), err);
	}
	query_close(query);
	return ok;
}

static bool make(struct store *store, int64_t job_id, const struct check *check,
	struct violation_list *list, size_t *capacity, struct tuner_error *err)
{
	struct tuner_error failed = { TUNER_OK, "" };
	struct query query;

	list->checks++;
	query_open(&query, store, check->sql);
	if (strstr(check->sql, "?1"))
		query_bind_int(&query, job_id);
	if (read_rows(list, capacity, check, &query, &failed))
		return true;
	if (is_damage(&failed)) {
		const struct check broken = { check->name, NULL, SALVAGE };

		return add(list, capacity, &broken, failed.message, err);
	}
	*err = failed;
	return false;
}

/* ---- tables, views, indexes and triggers ---- */

static bool is_there(
	struct store *store, const char *type, const char *name, bool *ret, struct tuner_error *err)
{
	struct query query;
	int64_t n = 0;

	query_open(
		&query, store, "SELECT count(*) FROM sqlite_schema WHERE type = ?1 AND name = ?2");
	query_bind_text(&query, type);
	query_bind_text(&query, name);
	const bool ok = query_scalar(&query, 0, &n, err);

	*ret = n > 0;
	return ok;
}

/* Reads the view's first row, which evaluates every column. */
static bool read_view(struct store *store, const char *name, struct tuner_error *err)
{
	char sql[128];
	struct query query;
	bool found;

	snprintf(sql, sizeof sql, "SELECT * FROM \"%.80s\" LIMIT 1", name);
	query_open(&query, store, sql);
	const bool ok = query_row(&query, &found, err);

	query_close(&query);
	return ok;
}

/* Checks one object of a new database. */
static bool check_object(struct store *store, const char *type, const char *name,
	struct violation_list *list, size_t *capacity, struct tuner_error *err)
{
	static const struct check missing = { "schema", NULL, SCHEMA },
				  unreadable = { "views", NULL, SCHEMA };
	struct tuner_error failed = { TUNER_OK, "" };
	char what[400];
	bool there = false;

	if (!is_there(store, type, name, &there, err))
		return false;
	if (!there) {
		snprintf(what, sizeof what, "the %s %s is missing", type, name);
		return add(list, capacity, &missing, what, err);
	}
	if (strcmp(type, "view") != 0 || read_view(store, name, &failed))
		return true;
	if (!is_damage(&failed)) {
		*err = failed;
		return false;
	}
	snprintf(what, sizeof what, "the view %s cannot be read: %.250s", name, failed.message);
	return add(list, capacity, &unreadable, what, err);
}

static bool check_objects(struct store *store, sqlite3_stmt *fresh, struct violation_list *list,
	size_t *capacity, struct tuner_error *err)
{
	bool ok = true;

	list->checks += 2;
	while (ok && sqlite3_step(fresh) == SQLITE_ROW)
		ok = check_object(store, (const char *)sqlite3_column_text(fresh, 0),
			(const char *)sqlite3_column_text(fresh, 1), list, capacity, err);
	return ok;
}

/* Compares with a new database in memory. */
static bool check_schema(
	struct store *store, struct violation_list *list, size_t *capacity, struct tuner_error *err)
{
	static const char path[] = ":memory:";
	sqlite3_stmt *fresh = NULL;
	sqlite3 *db = NULL;
	bool ok = false;
	int status = sqlite3_open(path, &db);

	if (status == SQLITE_OK && !schema_create(db, path, &schema_current, err))
		goto out;
	if (status == SQLITE_OK)
		status = sqlite3_prepare_v2(db,
			"SELECT type, name FROM sqlite_schema ORDER BY rowid", -1, &fresh, NULL);
	ok = status == SQLITE_OK ? check_objects(store, fresh, list, capacity, err)
				 : sql_fail(db, path, status, err);
out:
	sqlite3_finalize(fresh);
	sqlite3_close(db);
	return ok;
}

bool store_verify(
	struct store *store, int64_t job_id, struct violation_list *ret, struct tuner_error *err)
{
	size_t capacity = 0;

	*ret = (struct violation_list){ 0 };
	bool ok = check_schema(store, ret, &capacity, err);

	for (size_t i = 0; ok && i < sizeof checks / sizeof *checks; i++)
		ok = make(store, job_id, &checks[i], ret, &capacity, err);
	if (!ok)
		violation_list_finish(ret);
	return ok;
}

void violation_list_finish(struct violation_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i].what);
	free(list->items);
	*list = (struct violation_list){ 0 };
}
