"""What every peer's adapter has in common.

    peer = Adapter(space, seed, budget)
    peer = Adapter(space, seed, budget, objectives)     on a problem with several
    peer.start(number, values)      a shared initial point is on its way
    values = peer.ask(number)       the peer's own next trial; it runs from now on
    peer.tell(number, y)            its end; y is NaN if the trial failed
    peer.tell(number, y, excess)    the same on a problem with limits: by how much each is exceeded, at most 0 within
    peer.tell(number, y, excess, others)  the same with several objectives, of which y is the first
    peer.add(points, ys)            a history

Peers keep their defaults, with these exceptions, the same for all: they model as soon as STARTUP
trials have given a value (the shared points take the place of their own first ones), and a failed trial
is reported as failed where there is a way to; where there is none, it gets the worst value seen so far.

No peer knows a scale that is logarithmic in 1 - x: it gets 1 - x on a logarithmic scale instead.
"""
import math

STARTUP = 3


class Adapter:
    def __init__(self, space):
        self.space = space
        self.running = {}  # trial number -> what the peer needs to be told its end
        self.worst = 0.0
        self.any_value = False

    def add(self, points, ys):
        """Trials made elsewhere, all at once; no trial is running."""
        for number, (values, y) in enumerate(zip(points, ys)):
            self.start(number, values)
            self.tell(number, y)

    def outward(self, values):
        """Values as the peer has them: {name: float, int or index}."""
        return {p.name: to_peer(p, x) for p, x in zip(self.space, values)}

    def inward(self, named):
        """Back from the peer's, inside the bounds whatever the rounding on the way."""
        return [from_peer(p, named[p.name]) for p in self.space]

    def value_or_worst(self, y):
        """For peers without failures: what a failed trial is said to have given."""
        if math.isnan(y):
            return self.worst
        self.worst = max(self.worst, y) if self.any_value else y
        self.any_value = True
        return y


def bounds(p):
    """Of the peer's variable."""
    return (1 - p.max, 1 - p.min) if p.scale == "reverse-log" else (p.min, p.max)


def is_log(p):
    return p.scale in ("log", "reverse-log")


def to_peer(p, x):
    if p.type != "float":
        return int(x)
    if p.scale == "reverse-log":
        x = 1 - x
    low, high = bounds(p)
    return min(max(x, low), high)


def from_peer(p, u):
    if p.type != "float":
        return float(round(float(u)))
    x = 1 - float(u) if p.scale == "reverse-log" else float(u)
    if p.step:
        x = p.min + p.step * round((x - p.min) / p.step)
    return min(max(x, p.min), p.max)
