-- From version 9 to 10: results of related earlier jobs.

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
