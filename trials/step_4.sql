-- From version 3 to 4: what failed, and what happened to a trial, is found without reading all there is.

CREATE INDEX trial_outcome ON trial(job, state, outcome, ended_event, number, source) WHERE state IN ('failed', 'stopped') AND source <> 'added';
CREATE INDEX event_trial ON event(trial) WHERE trial IS NOT NULL;
