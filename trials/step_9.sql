-- From version 8 to 9: the values of further objectives.

ALTER TABLE trial ADD COLUMN also TEXT CHECK (also IS NULL OR json_valid(also));

DROP VIEW v_trial;
DROP VIEW study_directions;
DROP VIEW study_system_attributes;
DROP VIEW trial_values;

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

CREATE VIEW study_directions AS
  SELECT j.id * 4 AS study_direction_id, upper(o.goal) AS direction, j.id AS study_id, 0 AS objective
    FROM job j JOIN objective_version o ON o.id = j.objective_version
  UNION ALL
  SELECT j.id * 4 + a.key + 1, CASE WHEN a.value ->> '$.minimize' IS NULL THEN 'MAXIMIZE' ELSE 'MINIMIZE' END,
         j.id, a.key + 1
    FROM job j JOIN objective_version o ON o.id = j.objective_version, json_each(o.definition, '$.also') a;

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
