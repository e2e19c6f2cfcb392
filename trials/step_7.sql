-- From version 6 to 7: the best value of a trial is one of its curve, without what a later attempt gave up.

UPDATE trial SET best_value =
  (SELECT CASE o.goal WHEN 'maximize' THEN max(m.value) ELSE min(m.value) END
     FROM objective_version o
     CROSS JOIN metric_name n ON n.name = o.metric
     CROSS JOIN attempt a ON a.trial = trial.id
     CROSS JOIN metric m ON m.attempt = a.id AND m.name = n.id
    WHERE o.id = trial.objective_version
      AND (a.number = trial.attempts
           OR NOT EXISTS (SELECT 1 FROM attempt b
                           WHERE b.trial = a.trial AND b.number > a.number
                             AND (m.step > (SELECT max(k.step) FROM metric k WHERE k.attempt = b.id AND k.name = m.name)
                                  OR EXISTS (SELECT 1 FROM metric k
                                              WHERE k.attempt = b.id AND k.name = m.name AND k.step = m.step)))))
 WHERE attempts > 1 AND best_value IS NOT NULL;
