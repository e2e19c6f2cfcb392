-- From version 4 to 5: curves end where the last attempt's end.

DROP VIEW v_learning_curve;
DROP VIEW trial_intermediate_values;

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
