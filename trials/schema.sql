-- The database of `tuner`, schema version 10. This file is what a new database is made from.
--
-- Times are microseconds since 1970, UTC (columns *_us). A real number that is NULL is NaN, unless its
-- comment says otherwise; infinities are SQLite's own (9e999, -9e999). Names are singular; the plural
-- ones at the end belong to Optuna. For reading, start with the views v_trial, v_best_so_far,
-- v_learning_curve and v_host_use: their columns are added to, never renamed.

---------------------------------------------------------------------------- jobs

CREATE TABLE job (              -- one tuning job: space + objective + budget + command
  id                INTEGER PRIMARY KEY,
  name              TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 512),
  state             TEXT NOT NULL CHECK (state IN ('open', 'done', 'stopped', 'failed')),
  reason            TEXT NOT NULL,      -- why it ended, for people; '' while open
  file              TEXT NOT NULL,      -- the job file's text as last taken
  path              TEXT NOT NULL,      -- where that file was; '' for standard input
  directory         TEXT NOT NULL,      -- absolute: where its commands run
  seed              INTEGER NOT NULL,
  trial_cap         INTEGER NOT NULL CHECK (trial_cap >= 0), -- trials per arm and repeat; those of source 'added' do not count
  space_version     INTEGER REFERENCES space_version(id),     -- the current ones
  objective_version INTEGER REFERENCES objective_version(id),
  created_us        INTEGER NOT NULL,
  ended_us          INTEGER,            -- NULL while open
  runtime_us        INTEGER NOT NULL DEFAULT 0 -- time spent in `tuner run`
) STRICT;

CREATE TABLE run (              -- one sitting of `tuner run`
  id          INTEGER PRIMARY KEY,
  job         INTEGER NOT NULL REFERENCES job(id),
  pid         INTEGER NOT NULL,
  host        TEXT NOT NULL,
  program     TEXT NOT NULL,            -- version of tuner
  began_us    INTEGER NOT NULL,
  ended_us    INTEGER,                  -- NULL: still running, or killed
  reason      TEXT NOT NULL DEFAULT '',
  exit_status INTEGER
) STRICT;

CREATE TABLE space_version (    -- the search space; an edit of the job file adds a version
  id         INTEGER PRIMARY KEY,
  job        INTEGER NOT NULL REFERENCES job(id),
  version    INTEGER NOT NULL CHECK (version >= 1),
  definition TEXT NOT NULL CHECK (json_valid(definition)), -- object by parameter; under "" the constraints, if any, and with them the fixed values
  created_us INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX space_version_number ON space_version(job, version);

CREATE TABLE parameter (        -- what is varied, one row per space version
  id            INTEGER PRIMARY KEY,    -- rises with position within a space version
  space_version INTEGER NOT NULL REFERENCES space_version(id),
  position      INTEGER NOT NULL CHECK (position >= 0),
  name          TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 512),
  kind          TEXT NOT NULL CHECK (kind IN ('float', 'int', 'categorical')),
  distribution  TEXT NOT NULL CHECK (json_valid(distribution)), -- in Optuna's JSON
  labels        TEXT CHECK (labels IS NULL OR json_valid(labels)) -- array of a categorical's values; NULL otherwise
) STRICT;
CREATE UNIQUE INDEX parameter_position ON parameter(space_version, position);
CREATE UNIQUE INDEX parameter_name ON parameter(space_version, name);

CREATE TABLE objective_version (
  id         INTEGER PRIMARY KEY,
  job        INTEGER NOT NULL REFERENCES job(id),
  version    INTEGER NOT NULL CHECK (version >= 1),
  metric     TEXT NOT NULL CHECK (length(metric) BETWEEN 1 AND 512),
  goal       TEXT NOT NULL CHECK (goal IN ('minimize', 'maximize')),
  definition TEXT NOT NULL CHECK (json_valid(definition)),
  created_us INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX objective_version_number ON objective_version(job, version);

CREATE TABLE queue (            -- configurations that people asked for, in the order given
  id         INTEGER PRIMARY KEY,
  job        INTEGER NOT NULL REFERENCES job(id),
  arm        TEXT NOT NULL,
  repeat     INTEGER NOT NULL,
  source     TEXT NOT NULL CHECK (source IN ('first', 'enqueue')),
  parameters TEXT NOT NULL CHECK (json_valid(parameters)), -- object by name; may be partial
  created_us INTEGER NOT NULL,
  trial      INTEGER REFERENCES trial(id) -- the trial that took it; NULL: waiting
) STRICT;
CREATE INDEX queue_waiting ON queue(job, arm, repeat) WHERE trial IS NULL;
CREATE INDEX queue_source ON queue(job, source);

CREATE TABLE related_trial (    -- what earlier jobs have found, for a job that learns from them as related
  id         INTEGER PRIMARY KEY,
  job        INTEGER NOT NULL REFERENCES job(id), -- that learns
  parent     INTEGER NOT NULL CHECK (parent >= 0), -- the earlier job's place in warm_start.jobs
  number     INTEGER NOT NULL CHECK (number >= 1), -- in that job
  state      TEXT NOT NULL CHECK (state IN ('done', 'stopped', 'failed')),
  loss       REAL,                      -- its objective, turned so that less is better; failed: NULL
  parameters TEXT NOT NULL CHECK (json_valid(parameters)), -- object by name, of the space that this job had when it was made
  CHECK ((state = 'failed') = (loss IS NULL))
) STRICT;
CREATE INDEX related_trial_parent ON related_trial(job, parent);

---------------------------------------------------------------------------- trials

CREATE TABLE trial (            -- one configuration and its objective
  id                INTEGER PRIMARY KEY,
  job               INTEGER NOT NULL REFERENCES job(id),
  number            INTEGER NOT NULL CHECK (number >= 1), -- in the job, without gaps
  arm               TEXT NOT NULL CHECK (length(arm) <= 63),
  repeat            INTEGER NOT NULL CHECK (repeat >= 0),
  arm_number        INTEGER NOT NULL CHECK (arm_number >= 1), -- in (job, arm, repeat), without gaps
  space_version     INTEGER NOT NULL REFERENCES space_version(id),
  objective_version INTEGER NOT NULL REFERENCES objective_version(id),
  state             TEXT NOT NULL CHECK (state IN
                      ('proposed', 'running', 'done', 'failed', 'stopped', 'paused')),
  source            TEXT NOT NULL CHECK (source IN ('first', 'enqueue', 'strategy', 'added')),
  objective         REAL,               -- the user's unit and sign. done: its value; stopped: of its
                                        -- partial curve, NULL if that gives none; else NULL
  attempts          INTEGER NOT NULL DEFAULT 0,
  outcome           TEXT,               -- of its last ended attempt, or what that counts as; NULL: none has ended
  metric_count      INTEGER NOT NULL DEFAULT 0, -- rows of the objective's metric
  last_step         INTEGER,            -- of that metric; NULL: none yet
  last_value        REAL,
  best_value        REAL,
  created_us        INTEGER NOT NULL,
  started_us        INTEGER,            -- of its first attempt (since it was reopened, if it was)
  ended_us          INTEGER,            -- NULL while open
  ended_event       INTEGER REFERENCES event(id), -- the event that ended it: the commit order
  parameters        TEXT NOT NULL CHECK (json_valid(parameters)), -- object by name
  message           TEXT NOT NULL DEFAULT '', limits TEXT CHECK (limits IS NULL OR json_valid(limits)), also TEXT CHECK (also IS NULL OR json_valid(also)), -- why, for people; how it kept the job's limits, NULL: none; its further objectives, an array, NULL: none
  CHECK (state <> 'done' OR objective IS NOT NULL),
  CHECK (state IN ('done', 'stopped') OR objective IS NULL),
  CHECK ((state IN ('done', 'failed', 'stopped')) = (ended_event IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX trial_number ON trial(job, number);
CREATE UNIQUE INDEX trial_arm ON trial(job, arm, repeat, arm_number);
CREATE INDEX trial_state ON trial(job, state, number);
CREATE INDEX trial_ended ON trial(job, ended_event) WHERE ended_event IS NOT NULL;
CREATE INDEX trial_best ON trial(job, objective, number) WHERE state = 'done';
CREATE INDEX trial_outcome ON trial(job, state, outcome, ended_event, number, source) WHERE state IN ('failed', 'stopped') AND source <> 'added';

CREATE TABLE trial_param (      -- the same parameters as numbers, exact to the bit; no row for one that is not active
  id        INTEGER PRIMARY KEY,
  trial     INTEGER NOT NULL REFERENCES trial(id),
  parameter INTEGER NOT NULL REFERENCES parameter(id),
  value     REAL                -- categorical: index into labels
) STRICT;
CREATE UNIQUE INDEX trial_param_parameter ON trial_param(trial, parameter);

CREATE TABLE attempt (          -- one launch of a trial's command, or its evaluation by who asked for it
  id          INTEGER PRIMARY KEY,
  trial       INTEGER NOT NULL REFERENCES trial(id),
  number      INTEGER NOT NULL CHECK (number >= 1), -- in the trial
  state       TEXT NOT NULL CHECK (state IN ('intended', 'starting', 'running', 'lost', 'ended')),
  outcome     TEXT CHECK (outcome IN ('ok', 'early-stopped', 'user-stopped', 'timeout', 'preempted',
                'interrupted', 'lost', 'launch-failed', 'oom-host', 'disk-full', 'nan', 'diverged',
                'oom-gpu', 'no-metric', 'crashed')),
  key         TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 39), -- goes with the launch
  backend     TEXT NOT NULL,            -- 'local' ...; 'caller': asked for and told, not launched
  host        TEXT NOT NULL,
  slot        INTEGER NOT NULL,
  gpus        TEXT NOT NULL CHECK (json_valid(gpus)), -- array of UUIDs
  directory   TEXT NOT NULL,            -- relative to DATABASE.d; '' of a caller's
  intended_us INTEGER NOT NULL,
  started_us  INTEGER,                  -- NULL: the command has not started
  ended_us    INTEGER,
  exit_code   INTEGER,                  -- NULL: none
  signal      INTEGER,                  -- NULL: none
  user_us     INTEGER NOT NULL DEFAULT 0, -- processor time of the command and its children
  system_us   INTEGER NOT NULL DEFAULT 0,
  max_rss_bytes         INTEGER NOT NULL DEFAULT 0,
  gpu_memory_peak_bytes INTEGER NOT NULL DEFAULT 0,
  cost        REAL,                     -- NULL: not priced
  log_offset  INTEGER NOT NULL DEFAULT 0, -- bytes of output that were scraped and committed
  scrape      TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(scrape)), -- the scraper's counts there
  message     TEXT NOT NULL DEFAULT '',
  lease_us    INTEGER,                  -- a caller's: pending for so long after heard_us; NULL: until told
  heard_us    INTEGER,                  -- when it last told of it, or asked; NULL without a lease
  CHECK ((state = 'ended') = (outcome IS NOT NULL)),
  CHECK ((lease_us IS NULL) = (heard_us IS NULL))
) STRICT;
CREATE UNIQUE INDEX attempt_number ON attempt(trial, number);
CREATE UNIQUE INDEX attempt_key ON attempt(key);
CREATE INDEX attempt_open ON attempt(trial) WHERE state <> 'ended';

CREATE TABLE metric_name (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 512)
) STRICT;

CREATE TABLE metric (           -- a named value at a step of an attempt
  id      INTEGER PRIMARY KEY,
  attempt INTEGER NOT NULL REFERENCES attempt(id),
  name    INTEGER NOT NULL REFERENCES metric_name(id),
  step    INTEGER NOT NULL,
  value   REAL,
  time_us INTEGER NOT NULL,
  UNIQUE (attempt, name, step)          -- no other index: about 50 bytes a row
) STRICT;

CREATE TABLE manifest (         -- what an ended attempt has left on the disk: a launched one has a row from its end on
  attempt         INTEGER PRIMARY KEY REFERENCES attempt(id),
  job             INTEGER NOT NULL REFERENCES job(id),
  state           TEXT NOT NULL CHECK (state IN ('pending', 'recorded', 'removing')),
                                        -- pending: not looked at yet; removing: a removal may not be complete
  files           INTEGER NOT NULL DEFAULT 0, -- its artefacts, when it was looked at
  bytes           INTEGER NOT NULL DEFAULT 0, -- what they take; 0 from their removal on
  checkpoint_bytes INTEGER NOT NULL DEFAULT 0, -- what the trial's checkpoints take; 0 from their removal, or the next attempt, on
  recorded_us     INTEGER,              -- NULL while pending
  removal         INTEGER REFERENCES event(id), -- the event by which the artefacts were given up; NULL: they stay
  checkpoint_removal INTEGER REFERENCES event(id), -- the same of the checkpoints
  message         TEXT NOT NULL DEFAULT '', -- what could not be read or removed
  CHECK ((state = 'pending') = (recorded_us IS NULL))
) STRICT;
CREATE INDEX manifest_due ON manifest(job, state, attempt) WHERE state <> 'recorded';
CREATE INDEX manifest_kept ON manifest(job, bytes, checkpoint_bytes) WHERE bytes + checkpoint_bytes > 0;

CREATE TABLE artifact (         -- one file of a manifest
  id      INTEGER PRIMARY KEY,
  attempt INTEGER NOT NULL REFERENCES manifest(attempt),
  path    TEXT NOT NULL CHECK (length(path) > 0), -- in the attempt's directory
  bytes   INTEGER NOT NULL CHECK (bytes >= 0),
  sha256  TEXT CHECK (length(sha256) = 64), -- NULL: was not computed, as it was not to stay
  UNIQUE (attempt, path)
) STRICT;

CREATE TABLE machine (          -- what a decision was computed with
  id      INTEGER PRIMARY KEY,
  libraries    TEXT NOT NULL,
  cpu     TEXT NOT NULL,
  program TEXT NOT NULL,
  UNIQUE (libraries, cpu, program)
) STRICT;

-- How a configuration came about: all that is needed to compute it again, and what the model thought.
CREATE TABLE decision (
  id              INTEGER PRIMARY KEY REFERENCES trial(id), -- one per trial, under the trial's id
  strategy        TEXT NOT NULL,        -- 'random', 'sobol', 'grid', 'bayesian'
  branch          TEXT NOT NULL CHECK (length(branch) <= 15), -- 'user', 'design', 'model' ...
  reason          TEXT NOT NULL,        -- why a fallback was taken; '' otherwise
  space_version     INTEGER NOT NULL REFERENCES space_version(id),
  objective_version INTEGER NOT NULL REFERENCES objective_version(id),
  seen            INTEGER REFERENCES event(id), -- the last event that informed it; NULL: none
  start           INTEGER REFERENCES decision(id), -- whose hyperparameters the fit began from
  sequence        INTEGER NOT NULL,     -- quasi-random points that its arm had used before
  next_sequence   INTEGER NOT NULL,     -- and after
  budget_trials   INTEGER NOT NULL,
  parallel        INTEGER NOT NULL,
  work_limit      INTEGER NOT NULL,     -- evaluations; 0: the strategy's own bounds
  work            INTEGER NOT NULL,     -- evaluations done
  without_model   INTEGER NOT NULL CHECK (without_model IN (0, 1)),
  mean            REAL,                 -- predicted, the user's unit and sign; NULL: no model
  sd              REAL,
  acquisition     REAL,                 -- log expected improvement
  incumbent       REAL,                 -- the value to improve on
  took_us         INTEGER NOT NULL,
  machine         INTEGER NOT NULL REFERENCES machine(id),
  settings        TEXT NOT NULL CHECK (json_valid(settings)),
  pending         TEXT NOT NULL CHECK (json_valid(pending)), -- trial numbers taken as pending, in order
  hyperparameters BLOB CHECK (length(hyperparameters) % 8 = 0) -- doubles, little-endian; NULL: no model
) STRICT;
CREATE INDEX decision_fitted ON decision(id) WHERE hyperparameters IS NOT NULL;

---------------------------------------------------------------------------- provenance

CREATE TABLE document (         -- a text that many rows share, stored once
  id      INTEGER PRIMARY KEY,
  sha256  TEXT NOT NULL UNIQUE CHECK (length(sha256) = 64), -- of the whole
  bytes   INTEGER NOT NULL CHECK (bytes >= length(content)), -- of the whole; content may be cut
  content BLOB NOT NULL
) STRICT;

CREATE TABLE fingerprint (      -- a state of code or data that attempts of a job found
  id       INTEGER PRIMARY KEY,
  job      INTEGER NOT NULL REFERENCES job(id),
  kind     TEXT NOT NULL CHECK (kind IN ('code', 'data')),
  sha256   TEXT NOT NULL CHECK (length(sha256) = 64),
  source   TEXT NOT NULL CHECK (source IN ('live', 'snapshot', 'git')),
  facts    TEXT NOT NULL CHECK (json_valid(facts)), -- commit, number of files, what was not looked at ...
  patch    INTEGER REFERENCES document(id), -- what differs from the commit; NULL: nothing, or no commit
  found_us INTEGER NOT NULL             -- first
) STRICT;
CREATE UNIQUE INDEX fingerprint_sha256 ON fingerprint(job, kind, sha256, source);

CREATE TABLE job_source (       -- where the code of a job lies that does not run live
  job       INTEGER PRIMARY KEY REFERENCES job(id),
  code      INTEGER NOT NULL REFERENCES fingerprint(id),
  directory TEXT NOT NULL               -- relative to DATABASE.d
) STRICT;

CREATE TABLE run_versions (     -- what a run's machine offered: driver, CUDA, Python packages
  run      INTEGER PRIMARY KEY REFERENCES run(id),
  versions INTEGER NOT NULL REFERENCES document(id) -- a JSON object
) STRICT;

CREATE TABLE provenance (       -- what an attempt was launched with; none of a caller's
  attempt     INTEGER PRIMARY KEY REFERENCES attempt(id),
  run         INTEGER NOT NULL REFERENCES run(id),
  seed        INTEGER NOT NULL,         -- TUNER_SEED
  arguments   TEXT NOT NULL CHECK (json_valid(arguments)), -- the argument vector
  directory   TEXT NOT NULL,            -- where it runs
  environment INTEGER REFERENCES document(id), -- the variables that are kept: a JSON object
  code        INTEGER REFERENCES fingerprint(id), -- NULL: not looked at
  data        INTEGER REFERENCES fingerprint(id)  -- NULL: not looked at, or no channels
) STRICT;
CREATE INDEX provenance_code ON provenance(code) WHERE code IS NOT NULL;
CREATE INDEX provenance_data ON provenance(data) WHERE data IS NOT NULL;

CREATE TABLE gpu_use (          -- what an attempt did with its GPUs: of their samples, one every few seconds
  attempt             INTEGER PRIMARY KEY REFERENCES attempt(id),
  together            INTEGER NOT NULL CHECK (together >= 1), -- trials on its GPU at a time, at most; 1: it was alone
  samples             INTEGER NOT NULL DEFAULT 0,
  utilisation_mean    REAL,             -- percent, of the whole GPU whoever used it; NULL: not measured
  utilisation_max     REAL,
  power_mean_w        REAL,
  temperature_max_c   REAL
) STRICT;

---------------------------------------------------------------------------- the log

CREATE TABLE event (            -- facts in commit order; ids are never reused
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  job     INTEGER NOT NULL REFERENCES job(id),
  trial   INTEGER REFERENCES trial(id),
  attempt INTEGER REFERENCES attempt(id),
  kind    TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),
  data    TEXT NOT NULL CHECK (json_valid(data)),
  time_us INTEGER NOT NULL
) STRICT;
CREATE INDEX event_job ON event(job);
CREATE INDEX event_trial ON event(trial) WHERE trial IS NOT NULL;

CREATE TRIGGER event_update BEFORE UPDATE ON event BEGIN
  SELECT RAISE(ABORT, 'events are facts: a correction is a new event');
END;
CREATE TRIGGER event_delete BEFORE DELETE ON event BEGIN
  SELECT RAISE(ABORT, 'events are facts: they are never deleted');
END;
-- REPLACE deletes without that trigger, so a taken id is refused before it comes to that.
CREATE TRIGGER event_replace BEFORE INSERT ON event
WHEN NEW.id > 0 AND EXISTS (SELECT 1 FROM event WHERE id = NEW.id) BEGIN
  SELECT RAISE(ABORT, 'events are facts: an id is used once');
END;

CREATE TABLE request (          -- what other processes ask of the one that runs the job
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  job         INTEGER NOT NULL REFERENCES job(id),
  verb        TEXT NOT NULL CHECK (length(verb) BETWEEN 1 AND 64),
  argument    TEXT NOT NULL CHECK (json_valid(argument)),
  created_us  INTEGER NOT NULL,
  answered_us INTEGER,                  -- NULL: not yet
  refused     INTEGER NOT NULL DEFAULT 0 CHECK (refused IN (0, 1)),
  answer      TEXT,
  CHECK ((answered_us IS NULL) = (answer IS NULL))
) STRICT;
CREATE INDEX request_open ON request(job) WHERE answered_us IS NULL;

---------------------------------------------------------------------------- views for people

-- One row per trial. job: its name. number: in the job, from 1. parameters: a JSON object, so
-- json_extract(parameters, '$.learning_rate') gives one of them. objective: NULL unless state is 'done'.
-- partial_objective: what the partial curve of a stopped trial gives. predicted_mean, predicted_sd: what
-- the model expected; NULL without one. waited_s: from the proposal to the start; duration_s: from the
-- first start to the end, pauses between attempts included. Both are NULL until known. limits: how the
-- trial kept the job's limits, NULL without any; excess: how far beyond each it was, at most 0 if it kept it;
-- objective: what it would have been without limits (its outcome is 'over-limit' if it broke one). also: the
-- values of further objectives, an array; NULL without any.
CREATE VIEW v_trial AS
  SELECT j.name AS job, t.number, t.arm, t.repeat, t.state, t.source, d.branch, t.parameters,
         CASE t.state WHEN 'done' THEN t.objective END AS objective,
         CASE t.state WHEN 'stopped' THEN t.objective END AS partial_objective,
         o.metric, o.goal, t.last_step, t.last_value, t.best_value, t.metric_count,
         t.attempts, t.outcome, t.message,
         d.mean AS predicted_mean, d.sd AS predicted_sd, d.took_us / 1e6 AS suggest_s,
         strftime('%Y-%m-%d %H:%M:%S', t.created_us / 1000000, 'unixepoch') AS created,
         strftime('%Y-%m-%d %H:%M:%S', t.started_us / 1000000, 'unixepoch') AS started,
         strftime('%Y-%m-%d %H:%M:%S', t.ended_us / 1000000, 'unixepoch') AS ended,
         (t.started_us - t.created_us) / 1e6 AS waited_s,
         (t.ended_us - t.started_us) / 1e6 AS duration_s,
         t.job AS job_id, t.id AS trial_id, t.limits, t.also
    FROM trial t
    JOIN job j ON j.id = t.job
    JOIN objective_version o ON o.id = t.objective_version
    LEFT JOIN decision d ON d.id = t.id;

-- The Pareto front of a job, of all its searches together: its done trials that no other one equals in all
-- objectives and surpasses in one. With one objective: the trials with the best one.
-- Inside it, all objectives (a to d) are to be minimised; b to d are NULL where there are no further ones. Of two, a
-- trial is surpassed if one before it in the order of both has at most its b. Of more, each is compared with those
-- before it in the order of the first, so that what surpasses it is soon found.
CREATE VIEW v_front AS
  WITH outcome AS MATERIALIZED (
    SELECT t.id, t.job, CASE o.goal WHEN 'minimize' THEN t.objective ELSE -t.objective END AS a,
           CASE WHEN o.definition ->> '$.also[0].minimize' IS NULL THEN -(t.also ->> 0) ELSE t.also ->> 0 END AS b,
           CASE WHEN o.definition ->> '$.also[1].minimize' IS NULL THEN -(t.also ->> 1) ELSE t.also ->> 1 END AS c,
           CASE WHEN o.definition ->> '$.also[2].minimize' IS NULL THEN -(t.also ->> 2) ELSE t.also ->> 2 END AS d
      FROM trial t JOIN objective_version o ON o.id = t.objective_version WHERE t.state = 'done' ORDER BY a),
  stair AS MATERIALIZED (
    SELECT *, min(b) OVER (PARTITION BY job ORDER BY a, b GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) <= b AS below
      FROM outcome)
  SELECT j.name AS job, t.arm, t.repeat, t.number, t.objective, t.also, t.parameters, t.job AS job_id, t.id AS trial_id
    FROM stair x JOIN trial t ON t.id = x.id JOIN job j ON j.id = t.job
   WHERE CASE WHEN x.b IS NOT NULL AND x.c IS NULL THEN x.below IS NOT 1 ELSE NOT EXISTS (
     SELECT 1 FROM outcome y
      WHERE y.job = x.job
        AND y.a <= x.a AND (y.b <= x.b OR y.b IS NULL) AND (y.c <= x.c OR y.c IS NULL) AND (y.d <= x.d OR y.d IS NULL)
        AND (y.a < x.a OR y.b < x.b OR y.c < x.c OR y.d < x.d)) END;

-- One row per trial with an objective, in the order in which they ended. finished: 1, 2, 3 ... within
-- (job, arm, repeat). best: the best objective so far, by the goal. improved: 1 if this trial set it.
-- elapsed_s: since the first of the job's trials that began at all.
CREATE VIEW v_best_so_far AS
  SELECT job, arm, repeat, finished, number, objective, best,
         best <> lag(best, 1, NULL) OVER w IS NOT 0 AS improved, elapsed_s, parameters, job_id
    FROM (SELECT j.name AS job, t.arm, t.repeat, t.number, t.objective, t.ended_event,
                 row_number() OVER w AS finished,
                 CASE o.goal WHEN 'maximize' THEN max(t.objective) OVER w
                             ELSE min(t.objective) OVER w END AS best,
                 (t.ended_us - (SELECT f.started_us FROM trial f
                                 WHERE f.job = t.job AND f.started_us IS NOT NULL
                                 ORDER BY f.number LIMIT 1)) / 1e6 AS elapsed_s,
                 t.parameters, t.job AS job_id
            FROM trial t
            JOIN job j ON j.id = t.job
            JOIN objective_version o ON o.id = t.objective_version
           WHERE t.state = 'done'
          WINDOW w AS (PARTITION BY j.name, t.job, t.arm, t.repeat ORDER BY t.ended_event))
  WINDOW w AS (PARTITION BY job, job_id, arm, repeat ORDER BY finished);

-- The curves: one row per metric and step of a trial, from the latest attempt that reported the step, without
-- the steps that were given up: those beyond the last one of a later attempt.
-- value: NULL is NaN. is_objective: 1 for the metric that is tuned. elapsed_s: since that attempt began.
CREATE VIEW v_learning_curve AS
  SELECT j.name AS job, t.number, n.name AS metric, m.step, m.value,
         n.name = o.metric AS is_objective, a.number AS attempt,
         (m.time_us - a.started_us) / 1e6 AS elapsed_s, m.time_us / 1e6 AS unix_time,
         t.job AS job_id, t.id AS trial_id
    FROM job j
    CROSS JOIN trial t ON t.job = j.id
    CROSS JOIN attempt a ON a.trial = t.id
    CROSS JOIN metric m ON m.attempt = a.id
    CROSS JOIN metric_name n ON n.id = m.name
    CROSS JOIN objective_version o ON o.id = t.objective_version
   WHERE NOT EXISTS (SELECT 1 FROM attempt b
                      WHERE b.trial = t.id AND b.number > a.number
                        AND (m.step > (SELECT max(k.step) FROM metric k WHERE k.attempt = b.id AND k.name = m.name)
                             OR EXISTS (SELECT 1 FROM metric k
                                         WHERE k.attempt = b.id AND k.name = m.name AND k.step = m.step)));

-- One row per attempt: which slot of which host worked on what, from when to when. busy_s of an attempt
-- that still runs is NULL. cpu_s: processor time, user and system. gpu_*: of the table gpu_use.
CREATE VIEW v_host_use AS
  SELECT a.backend, a.host, a.slot, a.gpus, j.name AS job, t.number, a.number AS attempt, a.state,
         a.outcome,
         strftime('%Y-%m-%d %H:%M:%S', a.started_us / 1000000, 'unixepoch') AS started,
         strftime('%Y-%m-%d %H:%M:%S', a.ended_us / 1000000, 'unixepoch') AS ended,
         a.started_us / 1e6 AS started_unix, a.ended_us / 1e6 AS ended_unix,
         (a.ended_us - a.started_us) / 1e6 AS busy_s, (a.user_us + a.system_us) / 1e6 AS cpu_s,
         a.max_rss_bytes, a.gpu_memory_peak_bytes, a.cost, t.job AS job_id, t.id AS trial_id,
         g.together AS gpu_together, g.samples AS gpu_samples, g.utilisation_mean AS gpu_utilisation_mean,
         g.utilisation_max AS gpu_utilisation_max, g.power_mean_w AS gpu_power_mean_w,
         g.temperature_max_c AS gpu_temperature_max_c
    FROM job j
    CROSS JOIN trial t ON t.job = j.id
    CROSS JOIN attempt a ON a.trial = t.id
    LEFT JOIN gpu_use g ON g.attempt = a.id;

---------------------------------------------------------------------------- Optuna's names
-- So that optuna.load_study(storage='sqlite:///tuner.db') and optuna-dashboard open this file, live.
-- They read; whatever they try to write fails and changes nothing. All thirteen names must exist: Optuna
-- makes a table of its own for one that is missing. trials.number counts from 0: it is ours - 1.
--
-- `studies` and `alembic_version` are tables, because some readers look for tables of these names.
-- Triggers fill them from `job` and `optuna`, and refuse every change that would make them differ.

CREATE TABLE optuna (           -- which Optuna may open the file
  id      INTEGER PRIMARY KEY CHECK (id = 1),
  alembic TEXT NOT NULL CHECK (alembic IN ('v3.2.0.a', 'v3.0.0.d')) -- 3.2 and later; 3.0 and 3.1
) STRICT;

CREATE TABLE studies (study_id INTEGER PRIMARY KEY, study_name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE alembic_version (version_num TEXT NOT NULL PRIMARY KEY) STRICT;

CREATE TRIGGER studies_insert BEFORE INSERT ON studies
WHEN NOT EXISTS (SELECT 1 FROM job WHERE id = NEW.study_id AND name = NEW.study_name) BEGIN
  SELECT RAISE(ABORT, 'studies mirrors the table job: read only');
END;
CREATE TRIGGER studies_update BEFORE UPDATE ON studies
WHEN NEW.study_id <> OLD.study_id
  OR NOT EXISTS (SELECT 1 FROM job WHERE id = NEW.study_id AND name = NEW.study_name) BEGIN
  SELECT RAISE(ABORT, 'studies mirrors the table job: read only');
END;
CREATE TRIGGER studies_delete BEFORE DELETE ON studies
WHEN EXISTS (SELECT 1 FROM job WHERE id = OLD.study_id) BEGIN
  SELECT RAISE(ABORT, 'studies mirrors the table job: read only');
END;
CREATE TRIGGER job_insert_study AFTER INSERT ON job BEGIN
  INSERT INTO studies (study_id, study_name) VALUES (NEW.id, NEW.name);
END;
CREATE TRIGGER job_update_study AFTER UPDATE OF name ON job BEGIN
  UPDATE studies SET study_name = NEW.name WHERE study_id = NEW.id;
END;
CREATE TRIGGER job_delete_study AFTER DELETE ON job BEGIN
  DELETE FROM studies WHERE study_id = OLD.id;
END;

CREATE TRIGGER alembic_version_insert BEFORE INSERT ON alembic_version
WHEN NOT EXISTS (SELECT 1 FROM optuna WHERE alembic = NEW.version_num)
  OR EXISTS (SELECT 1 FROM alembic_version) BEGIN
  SELECT RAISE(ABORT, 'alembic_version mirrors the table optuna: read only');
END;
CREATE TRIGGER alembic_version_update BEFORE UPDATE ON alembic_version
WHEN NOT EXISTS (SELECT 1 FROM optuna WHERE alembic = NEW.version_num) BEGIN
  SELECT RAISE(ABORT, 'alembic_version mirrors the table optuna: read only');
END;
CREATE TRIGGER alembic_version_delete BEFORE DELETE ON alembic_version BEGIN
  SELECT RAISE(ABORT, 'alembic_version mirrors the table optuna: read only');
END;
CREATE TRIGGER optuna_insert_alembic AFTER INSERT ON optuna BEGIN
  INSERT INTO alembic_version (version_num) VALUES (NEW.alembic);
END;
CREATE TRIGGER optuna_update_alembic AFTER UPDATE ON optuna BEGIN
  UPDATE alembic_version SET version_num = NEW.alembic;
END;
INSERT INTO optuna (id, alembic) VALUES (1, 'v3.2.0.a');

CREATE VIEW version_info AS
  SELECT 1 AS version_info_id, 12 AS schema_version, '4.0.0' AS library_version;

CREATE VIEW study_directions AS
  SELECT j.id * 4 AS study_direction_id, upper(o.goal) AS direction, j.id AS study_id, 0 AS objective
    FROM job j JOIN objective_version o ON o.id = j.objective_version
  UNION ALL
  SELECT j.id * 4 + a.key + 1, CASE WHEN a.value ->> '$.minimize' IS NULL THEN 'MAXIMIZE' ELSE 'MINIMIZE' END,
         j.id, a.key + 1
    FROM job j JOIN objective_version o ON o.id = j.objective_version, json_each(o.definition, '$.also') a;

CREATE VIEW study_user_attributes AS
  SELECT id * 2 AS study_user_attribute_id, id AS study_id, 'state' AS key,
         json_quote(state) AS value_json FROM job
  UNION ALL
  SELECT id * 2 + 1, id, 'directory', json_quote(directory) FROM job;

CREATE VIEW study_system_attributes AS -- the axes' names
  SELECT j.id AS study_system_attribute_id, j.id AS study_id, 'study:metric_names' AS key,
         (SELECT json_group_array(name)
            FROM (SELECT o.metric AS name
                  UNION ALL
                  SELECT CASE WHEN f GLOB '`*`' AND instr(substr(f, 2, length(f) - 2), '`') = 0
                              THEN substr(f, 2, length(f) - 2) ELSE f END
                    FROM (SELECT coalesce(a.value ->> '$.minimize', a.value ->> '$.maximize') AS f
                            FROM json_each(o.definition, '$.also') a))) AS value_json
    FROM job j JOIN objective_version o ON o.id = j.objective_version;

-- Optuna's samplers learn from PRUNED trials and ignore FAIL: a trial that a person stopped is FAIL. One
-- over a limit is COMPLETE, with its constraints as trial_system_attributes have them.
-- Datetimes have a blank and exactly six digits: some versions of SQLAlchemy misread anything else.
CREATE VIEW trials AS
  SELECT id AS trial_id, number - 1 AS number, job AS study_id,
         CASE state WHEN 'proposed' THEN 'WAITING'
                    WHEN 'running' THEN 'RUNNING'
                    WHEN 'paused' THEN 'RUNNING'
                    WHEN 'done' THEN 'COMPLETE'
                    WHEN 'stopped' THEN CASE WHEN outcome IN ('early-stopped', 'timeout')
                                             THEN 'PRUNED' ELSE 'FAIL' END
                    ELSE CASE outcome WHEN 'over-limit' THEN 'COMPLETE' ELSE 'FAIL' END END AS state,
         strftime('%Y-%m-%d %H:%M:%S', coalesce(started_us, ended_us) / 1000000, 'unixepoch')
           || printf('.%06d', coalesce(started_us, ended_us) % 1000000) AS datetime_start,
         strftime('%Y-%m-%d %H:%M:%S', ended_us / 1000000, 'unixepoch')
           || printf('.%06d', ended_us % 1000000) AS datetime_complete
    FROM trial;

CREATE VIEW trial_params AS
  SELECT v.id AS param_id, v.trial AS trial_id, p.name AS param_name, v.value AS param_value,
         p.distribution AS distribution_json
    FROM trial_param v JOIN parameter p ON p.id = v.parameter
   WHERE v.value IS NOT NULL;

CREATE VIEW trial_values AS -- a pruned trial has its last value, as Optuna itself does it; none with several objectives
  SELECT trial_value_id, trial_id, objective,
         CASE WHEN v BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308 THEN v END AS value,
         CASE WHEN v > 1.7976931348623157e308 THEN 'INF_POS'
              WHEN v < -1.7976931348623157e308 THEN 'INF_NEG' ELSE 'FINITE' END AS value_type
    FROM (SELECT id * 4 AS trial_value_id, id AS trial_id, 0 AS objective,
                 CASE WHEN state = 'done' THEN objective
                      WHEN state = 'stopped' AND outcome IN ('early-stopped', 'timeout')
                           AND NOT EXISTS (SELECT 1 FROM objective_version o
                                            WHERE o.id = objective_version AND o.definition -> '$.also' IS NOT NULL)
                      THEN last_value
                      WHEN outcome = 'over-limit' THEN limits ->> '$.objective' END AS v
            FROM trial
          UNION ALL
          SELECT t.id * 4 + a.key + 1, t.id, a.key + 1, CAST(a.value AS REAL)
            FROM trial t, json_each(t.also) a
           WHERE t.state = 'done' OR t.outcome = 'over-limit')
   WHERE v IS NOT NULL;

CREATE VIEW trial_intermediate_values AS -- the objective's curve, as v_learning_curve has it
  SELECT m.id AS trial_intermediate_value_id, a.trial AS trial_id, m.step,
         CASE WHEN m.value BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308
              THEN m.value END AS intermediate_value,
         CASE WHEN m.value IS NULL THEN 'NAN'
              WHEN m.value > 1.7976931348623157e308 THEN 'INF_POS'
              WHEN m.value < -1.7976931348623157e308 THEN 'INF_NEG' ELSE 'FINITE'
         END AS intermediate_value_type
    FROM attempt a
    CROSS JOIN trial t ON t.id = a.trial
    CROSS JOIN objective_version o ON o.id = t.objective_version
    CROSS JOIN metric_name n ON n.name = o.metric
    CROSS JOIN metric m ON m.attempt = a.id AND m.name = n.id
   WHERE NOT EXISTS (SELECT 1 FROM attempt b
                      WHERE b.trial = a.trial AND b.number > a.number
                        AND (m.step > (SELECT max(k.step) FROM metric k WHERE k.attempt = b.id AND k.name = m.name)
                             OR EXISTS (SELECT 1 FROM metric k
                                         WHERE k.attempt = b.id AND k.name = m.name AND k.step = m.step)));

CREATE VIEW trial_user_attributes AS
  SELECT id * 2 AS trial_user_attribute_id, id AS trial_id, 'branch' AS key,
         json_quote(branch) AS value_json FROM decision
  UNION ALL
  SELECT id * 2 + 1, id, 'outcome', json_quote(outcome) FROM trial WHERE outcome IS NOT NULL;

CREATE VIEW trial_system_attributes AS -- above 0: broken; so is what cannot be computed
  SELECT id AS trial_system_attribute_id, id AS trial_id, 'constraints' AS key,
         replace(limits -> '$.excess', 'null', '1e999') AS value_json
    FROM trial WHERE limits IS NOT NULL;

CREATE VIEW trial_heartbeats AS -- none: a client that watches heartbeats must not fail our trials
  SELECT NULL AS trial_heartbeat_id, NULL AS trial_id, NULL AS heartbeat WHERE 0;
