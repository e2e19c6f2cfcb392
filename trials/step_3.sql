-- From version 2 to 3: what ended attempts have left on the disk.

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
