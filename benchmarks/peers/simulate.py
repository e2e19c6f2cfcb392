"""One run of a method on a problem: virtual workers, virtual time.

With one worker a trial takes one unit. With more, a trial's duration is log-normal and depends on
(problem, seed, trial number) only, so it is the same for every method.
"""
import heapq
import time


class Run:
    def __init__(self, problem, adapter, seed, workers, budget):
        self.problem, self.seed, self.workers, self.budget = problem, seed, workers, budget
        self.adapter = adapter(problem.space, seed, budget, *objectives_of(problem))
        self.launched = 0
        self.running = []  # a heap of (finished, number, values, seconds of the ask)
        self.rows = []

    def launch(self, now):
        self.launched = number = self.launched + 1
        began = time.process_time()
        if number <= self.problem.initial_count:
            values = self.problem.initial(self.seed, number - 1)
            self.adapter.start(number, values)
        else:
            values = self.adapter.ask(number)
        seconds = time.process_time() - began
        took = 1.0 if self.workers == 1 else self.problem.duration(self.seed, number)
        heapq.heappush(self.running, (now + took, number, values, seconds))

    def finish(self):
        """Ends the trial that is the next to end; returns when that is."""
        finished, number, values, seconds = heapq.heappop(self.running)
        observed = self.problem.observe(values, self.seed, number)
        more = self.beside(values, number)
        began = time.process_time()
        self.adapter.tell(number, observed, **more)
        seconds += time.process_time() - began
        others = [self.problem.others(values)] if self.problem.n_others else []
        self.rows.append((number, finished, self.problem.value(values), observed, seconds, *others))
        return finished

    def beside(self, values, number):
        """What the trial reports beside its value, for the adapters that know it."""
        more = {}
        if self.problem.n_limits:
            more["excess"] = self.problem.observe_excess(values, self.seed, number)
        if self.problem.n_others:
            more["others"] = self.problem.observe_others(values, self.seed, number)
        return more


def objectives_of(problem):
    """Their number, where there are several."""
    return [problem.n_others + 1] if problem.n_others else []


def simulate(problem, adapter, seed, workers, budget=None):
    """The trials of a run in the order of their ends: (trial, finished, value, observed, seconds), and a list of the
    further objectives without noise where there are any."""
    run = Run(problem, adapter, seed, workers, budget or problem.budget)
    for _ in range(min(workers, run.budget)):
        run.launch(0.0)
    while run.running:
        now = run.finish()
        if run.launched < run.budget:
            run.launch(now)
    return run.rows
