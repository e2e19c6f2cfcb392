-- From version 2 to 3: what ended attempts have left on the disk, and what they did with their GPUs.

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

-- Those that ended before are looked through by the job's next run.
INSERT INTO manifest (attempt, job, state)
  SELECT a.id, t.job, 'pending' FROM attempt a JOIN trial t ON t.id = a.trial
   WHERE a.state = 'ended' AND a.directory <> '';

CREATE TABLE gpu_use (          -- what an attempt did with its GPUs: of their samples, one every few seconds
  attempt             INTEGER PRIMARY KEY REFERENCES attempt(id),
  together            INTEGER NOT NULL CHECK (together >= 1), -- trials on its GPU at a time, at most; 1: it was alone
  samples             INTEGER NOT NULL DEFAULT 0,
  utilisation_mean    REAL,             -- percent, of the whole GPU whoever used it; NULL: not measured
  utilisation_max     REAL,
  power_mean_w        REAL,
  temperature_max_c   REAL
) STRICT;

DROP VIEW v_host_use;
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
