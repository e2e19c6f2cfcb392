#!/usr/bin/env python3
"""tests/kill_everywhere.py sees each loss that it looks for: one is made by hand in what a job has left.

    tests/test_kill_checks.py
"""
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import kill_commands
import kill_everywhere as harness


class Checks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.whole = pathlib.Path(tempfile.mkdtemp(prefix="tuner-kill-"))
        cls.addClassCleanup(shutil.rmtree, cls.whole)
        harness.write_job(cls.whole, harness.KINDS["keep"])
        harness.sit_to_the_end(cls.whole)
        with harness.Outcome(cls.whole) as outcome:
            cls.configurations = outcome.configurations()

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="tuner-kill-"))
        self.addCleanup(shutil.rmtree, self.directory)
        shutil.copytree(self.whole, self.directory, dirs_exist_ok=True)

    def change(self, statement):
        with sqlite3.connect(self.directory / "tuner.db") as db:
            self.assertGreater(db.execute(statement).rowcount, 0)
        db.close()

    def note(self, name, line):
        with open(self.directory / name, "a", encoding="ascii") as file:
            file.write(line + "\n")

    def broken(self, what):
        with self.assertRaisesRegex(harness.Broken, what):
            harness.check(self.directory, self.configurations)

    def test_nothing_is_wrong_with_an_undisturbed_job(self):
        harness.check(self.directory, self.configurations)

    def test_a_job_that_is_still_open(self):
        self.change("UPDATE job SET state = 'open'")
        self.broken("the job's state")

    def test_an_attempt_that_is_still_open(self):
        self.change("UPDATE attempt SET state = 'running', outcome = NULL WHERE trial = 7")
        self.broken("open attempts")

    def test_another_number_of_trials(self):
        self.change("UPDATE trial SET number = 21 WHERE number = 20")
        self.broken("numbers of trials")

    def test_a_trial_without_its_objective(self):
        self.change("UPDATE trial SET objective = 0.5 WHERE number = 4")
        self.broken("objective of trial 4")

    def test_another_configuration(self):
        self.change("UPDATE trial_param SET value = 0.5 WHERE trial = 5")
        self.broken("configurations")

    def test_a_decision_that_is_lost(self):
        self.change("DELETE FROM decision WHERE id = 20")
        self.broken("without a decision")

    def test_a_decision_that_did_not_know_what_ran(self):
        self.change("UPDATE decision SET pending = '[1]' WHERE id = 20")
        self.broken("pending trials of decision 20")

    def test_a_quasi_random_point_used_twice(self):
        self.change("UPDATE decision SET sequence = sequence - 1 WHERE id = 9")
        self.broken("quasi-random points used before trial 9")

    def test_a_command_that_started_twice(self):
        self.note("starts", (self.directory / "starts").read_text().splitlines()[3])
        self.broken("started twice")

    def test_a_command_that_nobody_intended(self):
        self.note("starts", "1 2 0123456789abcdef0123456789abcdef")
        self.broken("never intended")

    def test_a_command_that_did_not_start(self):
        lines = (self.directory / "starts").read_text().splitlines(keepends=True)
        (self.directory / "starts").write_text("".join(lines[1:]))
        self.broken("without a start")

    def test_an_outcome_that_no_kill_explains(self):
        self.change("UPDATE attempt SET outcome = 'preempted' WHERE trial = 7")
        self.broken("outcomes: {'preempted'}")

    def test_a_metric_that_is_lost(self):
        self.change("DELETE FROM metric WHERE attempt = 3 AND step = (SELECT max(step) FROM metric)")
        self.broken("metric rows of job/0003/1")

    def test_a_metric_that_is_doubled(self):
        self.change("INSERT INTO metric (attempt, name, step, value, time_us) "
                    "SELECT attempt, name, step + 1, value, time_us FROM metric "
                    "WHERE attempt = 3 ORDER BY step DESC LIMIT 1")
        self.broken("metric rows of job/0003/1")

    def test_output_that_is_lost(self):
        output = self.directory / "tuner.db.d/job/0003/1/output.log"
        output.write_text(output.read_text().splitlines(keepends=True)[0])
        self.broken("output of job/0003/1")

    def leave_process(self, key):
        process = subprocess.Popen(["sleep", "60"], env={**os.environ, "TUNER_ATTEMPT_KEY": key})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.note("pids-3", str(process.pid))

    def test_a_process_that_is_left_over(self):
        with harness.Outcome(self.directory) as outcome:
            (key,), *_ = outcome.rows("SELECT key FROM attempt")
        self.leave_process(key)
        self.broken("alive after the end")

    def test_another_process_that_has_got_the_number_is_none_left_over(self):
        self.leave_process("0" * 32)
        harness.check(self.directory, self.configurations)

    def test_a_process_that_lived_when_the_next_attempt_started(self):
        self.note("alive", "3 2 17")
        self.broken("alive when the next attempt started")

    def test_a_file_that_is_left_half_written(self):
        (self.directory / "tuner.db.d/job/0003/1/exit.json.new").touch()
        self.broken("left half written: .*exit.json.new")

    def test_an_attempt_that_was_given_up_and_had_started(self):
        self.change("UPDATE attempt SET outcome = 'interrupted' WHERE trial = 7")
        self.broken("given up as never launched that had started")

    def test_a_counter_that_is_wrong(self):
        self.change("UPDATE trial SET metric_count = 4 WHERE id = 7")
        self.broken("tuner verify, exit status 1")

    def test_a_decision_that_does_not_come_out_again(self):
        self.change("UPDATE decision SET branch = 'random' WHERE id = 7")
        self.broken("tuner replay, exit status 1")

    def test_a_command_is_taken_once_or_not_at_all(self):
        killed, done, failed = {"killed": 1}, {"status": 0}, {"status": 2}
        self.assertTrue(kill_commands.taken(done, lambda: 1))
        self.assertFalse(kill_commands.taken(killed, lambda: 0))
        for report, n in (killed, 2), (done, 0), (done, 2), (failed, 1):
            with self.assertRaises(harness.Broken):
                kill_commands.taken(report, lambda n=n: n)

    def best(self):
        return self.value("SELECT number FROM trial ORDER BY objective LIMIT 1")

    def worst(self):
        return self.value("SELECT number FROM trial ORDER BY objective DESC LIMIT 1")

    def value(self, query):
        with sqlite3.connect(self.directory / "tuner.db") as db:
            value, = db.execute(query).fetchone()
        db.close()
        return value

    def trial(self, number):
        return self.directory / f"tuner.db.d/job/{number:04}"

    def test_a_model_of_the_best_that_is_lost(self):
        (self.trial(self.best()) / "1/model/weights").unlink()
        self.broken("the model of trial")

    def test_a_model_of_the_best_that_is_another(self):
        (self.trial(self.best()) / "1/model/weights").write_text("0.5\n")
        self.broken("the model of trial")

    def test_a_model_that_should_have_gone(self):
        model = self.trial(self.worst()) / "1/model"
        model.mkdir()
        (model / "weights").write_text("0.5\n")
        self.broken("the model of trial")

    def test_a_checkpoint_of_the_best_that_is_lost(self):
        shutil.rmtree(self.trial(self.best()) / "checkpoint")
        self.broken("checkpoints of trial")

    def test_a_removal_that_was_not_finished(self):
        (self.trial(self.worst()) / ".tuner-removed-1").mkdir()
        self.broken("removals that were not finished")

    def test_a_file_that_nobody_has_looked_at(self):
        self.change("UPDATE manifest SET state = 'pending', recorded_us = NULL WHERE attempt = 3")
        self.broken("unfinished manifests")

    def test_a_file_that_is_not_listed(self):
        self.change("DELETE FROM artifact WHERE attempt = 3")
        self.broken("job/0003/1 lists")

    def test_a_hash_that_is_another(self):
        self.change(f"UPDATE artifact SET sha256 = replace(sha256, 'a', 'b') WHERE attempt = {self.best()}")
        self.broken("its hash in")

    def test_a_removal_without_its_event(self):
        with sqlite3.connect(self.directory / "tuner.db") as db:
            db.executescript("DROP TRIGGER event_update")
        db.close()
        self.change("UPDATE event SET kind = 'noted' WHERE kind = 'removed'")
        self.broken("removals of")

    def test_calls_are_spread_from_the_first_to_the_last(self):
        self.assertEqual(harness.spread(10, 20), list(range(1, 11)))
        self.assertEqual(harness.spread(100, 4), [13, 38, 63, 88])


if __name__ == "__main__":
    unittest.main()
