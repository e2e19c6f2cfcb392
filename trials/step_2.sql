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
