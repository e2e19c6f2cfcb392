-- From version 7 to 8: how trials kept their job's limits.

ALTER TABLE trial ADD COLUMN limits TEXT CHECK (limits IS NULL OR json_valid(limits));

DROP VIEW v_trial;
DROP VIEW trials;
DROP VIEW trial_values;
DROP VIEW trial_system_attributes;

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
         t.job AS job_id, t.id AS trial_id, t.limits
    FROM trial t
    JOIN job j ON j.id = t.job
    JOIN objective_version o ON o.id = t.objective_version
    LEFT JOIN decision d ON d.id = t.id;

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

CREATE VIEW trial_values AS -- a pruned trial has its last value, as Optuna itself does it
  SELECT trial_value_id, trial_id, 0 AS objective,
         CASE WHEN v BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308 THEN v END AS value,
         CASE WHEN v > 1.7976931348623157e308 THEN 'INF_POS'
              WHEN v < -1.7976931348623157e308 THEN 'INF_NEG' ELSE 'FINITE' END AS value_type
    FROM (SELECT id AS trial_value_id, id AS trial_id,
                 CASE WHEN state = 'done' THEN objective
                      WHEN state = 'stopped' AND outcome IN ('early-stopped', 'timeout')
                      THEN last_value
                      WHEN outcome = 'over-limit' THEN limits ->> '$.objective' END AS v
            FROM trial)
   WHERE v IS NOT NULL;

CREATE VIEW trial_system_attributes AS -- above 0: broken; so is what cannot be computed
  SELECT id AS trial_system_attribute_id, id AS trial_id, 'constraints' AS key,
         replace(limits -> '$.excess', 'null', '1e999') AS value_json
    FROM trial WHERE limits IS NOT NULL;
