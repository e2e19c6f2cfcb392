#!/usr/bin/env python3
"""Writes docs/jobfile.md from the job file's own schema:  tuner schema | scripts/jobfile_doc.py"""
import json
import re
import sys

HEAD = """# The job file

A job file is JSON with comments and trailing commas, at most 1 MiB and 64 levels deep. Unknown keys, duplicates and settings without
effect are errors. `tuner check FILE` reports all errors at once, with line and column, and prints the value of each setting, defaults
included. Relative paths count from `directory`, by default the place of the job file; a relative `directory` itself counts from that place. `--set KEY=VALUE` of `run`, `try`, `check`, `ask` and `ask-tell` changes any key
(`--set budget.trials=5`); several take effect one after the other. `--set KEY=null` takes a key out, or the entry of a list, so that its default holds (`--set parameters.lr.prior=null`, `--set objective.limits=null` of `rescore`): no
key has the value `null`.

```jsonc
{
  "objective": { "metric": "validation-accuracy", "goal": "maximize" },
  "metrics": [{ "name": "validation-accuracy", "regex": "val_acc=([0-9.]+)" }],
  "parameters": {
    "lr": { "type": "float", "min": 0.001, "max": 0.5, "scale": "log" },
    "layers": { "type": "int", "min": 2, "max": 8 },
    "optimizer": { "type": "categorical", "values": ["sgd", "adam"] },
    "batch_size": { "type": "ordinal", "values": [32, 64, 128, 256] }
  },
  "fixed": { "epochs": 10 },
  "first": [{ "lr": 0.01, "layers": 4, "optimizer": "sgd", "batch_size": 64 }],
  "early_stopping": "median",
  "budget": { "trials": 40, "parallel": 2, "runtime": "8h" },
  "command": ["python3", "-c", "print('val_acc=0.5')"]
}
```

The next `tuner run` takes up an edited file. Budget, hosts, retries, timeouts, early stopping, strategy and `first` change at once;
parameters become a new version of the space, from which the model keeps what still fits. `command`, `arguments`, `directory`, `source`, `fixed`,
`channels`, `env`, the objective's pattern and the strategies of `arms` change only with `--accept-change` once there is a trial that has not failed. The seed and `warm_start` cannot change (another `--name` is another job), and the objective only by `tuner rescore` ([objective.md](objective.md)), but at once while no trial has a result.

A file of the same name in another directory is taken for this file, moved. But while this file is still in its place and the database is not beside the other one, that needs `--accept-change`; so does `job.json` beside `job.jsonc`.
While a run is under way, `tuner run` of a file of which only `budget` was edited (or with `--trials`, `--parallel`) hands it to that run: running trials go on, and further ones keep to it. More slots than
before are there at once, as far as the GPUs allow. `tuner hosts add` gives more `hosts` to a run that is under way ([hosts.md](hosts.md#hosts-that-come-and-go)).

This page is made from `tuner schema` by `scripts/jobfile_doc.py`; editors check a file against that schema
(`tuner schema > tuner.schema.json`, and `"$schema": "tuner.schema.json"` in the file).
"""

TAIL = """
## How values are written

| kind | examples |
|---|---|
| duration | `90` (seconds), `"90s"`, `"30m"`, `"1h30m"`, `"1.5d"`, `"250ms"` |
| size | `1048576` (bytes), `"64 MiB"`, `"1 GB"`; K, M and G alone are powers of 1024 |
| point in time | `"2026-08-30T18:00:00Z"`, `"2026-08-30 18:00+02:00"`: with a zone |
| `seed` | `1`, `"18446744073709551615"` |

Names of parameters become `--NAME`, `{NAME}` and the variables `TUNER_PARAM_NAME` and `SM_HP_NAME`. They have no blanks, quotes, braces, backslashes or
`=`, do not begin with `-`, and have at most 255 bytes. A job's name has at most 100 bytes.

## Examples

Each of these can stand in the job file above; `tuner check` shows what follows from it.

One of each kind of parameter. An `ordinal` has an order, which the model uses; a `categorical` has none. `"scale": "auto"`
is usually right; `reverse-log` is for values whose distance to 1 matters:

```jsonc
"parameters": {
  "lr":        { "type": "float", "min": 1e-5, "max": 0.1, "scale": "log" },
  "momentum":  { "type": "float", "min": 0, "max": 0.99, "scale": "reverse-log" },
  "dropout":   { "type": "float", "min": 0, "max": 0.5, "step": 0.1 },
  "layers":    { "type": "int", "min": 2, "max": 12, "description": "of the encoder" },
  "width":     { "type": "int", "min": 16, "max": 1024, "scale": "log" },
  "batch":     { "type": "ordinal", "values": [32, 64, 128, 256] },
  "optimizer": { "type": "categorical", "values": ["sgd", "adam", "lamb"] },
  "nesterov":  { "type": "bool" },
  "heads":     { "type": "fixed", "value": 8 }
},
"first": [
  { "lr": 0.01, "momentum": 0.9 },
  { "optimizer": "adam", "batch": 64 }
]
```

A tree: `momentum` and `nesterov` are active only with SGD, `damping` only with `nesterov`. `when` names other parameters (int,
categorical, ordinal or bool) and their values, one or an array; all conditions must hold, and each parameter that they name must itself be active. An inactive
parameter is no argument and no variable of the command, is absent from the trial's parameters, and shows as a dash in tables:

```jsonc
"parameters": {
  "optimizer": { "type": "categorical", "values": ["sgd", "adam", "lamb"] },
  "momentum":  { "type": "float", "min": 0, "max": 0.99, "when": { "optimizer": "sgd" } },
  "nesterov":  { "type": "bool", "when": { "optimizer": ["sgd"] } },
  "damping":   { "type": "float", "min": 0, "max": 0.2, "when": { "nesterov": true } },
  "beta2":     { "type": "float", "min": 0.9, "max": 0.999, "when": { "optimizer": ["adam", "lamb"] } },
  "lr":        { "type": "float", "min": 0.001, "max": 0.5 }
},
"first": [{ "optimizer": "sgd", "momentum": 0.9, "nesterov": false, "lr": 0.1 }]
```

Formulas that every configuration must satisfy; [below](#constraints) are the details. They refer to `fixed` values by name, too:

```jsonc
"constraints": [
  "lr * batch_size <= 20",
  "layers <= 4 or optimizer == 'adam'"
]
```

Two metrics from one output; the objective is the mean of the last five values. Once there is a list, the objective, its limits and gates can use only what it names (without a pattern if `@tuner` lines report it); all else that `@tuner` lines report is recorded, too:

```jsonc
"objective": { "metric": "val-loss", "goal": "minimize", "reduce": "mean of last 5" },
"metrics": [
  { "name": "val-loss", "regex": "epoch (?<step>[0-9]+).*val_loss: (?<value>[-+0-9.einfa]+)" },
  { "name": "val-accuracy", "regex": "val_acc: ([0-9.]+)" }
]
```

Placeholders instead of appended arguments, data by name, variables, and where the command runs:

```jsonc
"command": ["./prepare.sh", "train.py", "--lr={lr}", "--out", "{model_dir}"],
"parameters": { "lr": { "min": 0.001, "max": 0.1 } },
"first": [{ "lr": 0.01 }],
"fixed": {},
"directory": ".",
"channels": { "train": "data" },
"env": { "TOKENIZERS_PARALLELISM": false, "WANDB_MODE": "offline" }
```

Another style of arguments, for a command that takes `lr=0.01`:

```jsonc
"arguments": "{name}={value}"
```

An objective made of several metrics, and one that counts what errors cost ([objective.md](objective.md)):

```jsonc
"objective": {
  "expression": "`val-accuracy` - 0.02 * log2(latency_ms)", "goal": "maximize",
  "reduce": { "val-accuracy": "max", "latency_ms": "mean of last 3" }
},
"metrics": [{ "name": "val-accuracy" }, { "name": "latency_ms" }]
```

Limits that a result must keep ([objective.md](objective.md#limits)):

```jsonc
"objective": { "metric": "accuracy", "goal": "maximize", "limits": ["latency_ms <= 20", "`peak-memory` <= 4e9"] },
"metrics": [{ "name": "accuracy" }, { "name": "latency_ms" }, { "name": "peak-memory" }]
```

Several objectives, of which the Pareto front is searched for ([objective.md](objective.md#several-objectives)):

```jsonc
"objective": { "metric": "accuracy", "goal": "maximize", "also": [{ "minimize": "log2(latency_ms)" }, { "maximize": "recall" }] },
"metrics": [{ "name": "accuracy" }, { "name": "latency_ms" }, { "name": "recall" }], "early_stopping": "none"
```

```jsonc
"objective": { "cost": { "false_negative": 5, "false_positive": 1 }, "per": "case" },
"metrics": [{ "name": "true_positive" }, { "name": "true_negative" }, { "name": "false_positive" }, { "name": "false_negative" }]
```

The Gaussian process from the tenth trial on, for an objective without noise; and a grid with three values for each float:

```jsonc
"strategy": { "name": "bayesian", "initial": 9, "deterministic": true, "warp": "axes", "transform": "half-rank", "trust_region": "never" },
"seed": "18446744073709551615"
```

```jsonc
"strategy": { "name": "grid", "points": 3 }
```

For trials that take from a minute to an hour, depending on their configuration: those that are likely to end soon come first. And a strategy that explores more than usual:

```jsonc
"strategy": { "acquisition": "ei", "incumbent": "noisy", "cost_aware": true }
```

```jsonc
"strategy": { "acquisition": "ucb", "ucb_beta": 3 }
```

A Gaussian process that is not sure of its own hyperparameters:

```jsonc
"strategy": { "name": "bayesian", "hyperparameters": "marginal" }
```

All the ways in which a search can end. The first that applies ends it, and `tuner status` names it. Trials that run at that moment are stopped at `target`, `runtime`, `deadline` and
`cost`; otherwise they run to their end:

```jsonc
"budget": {
  "trials": 200, "parallel": 4, "runtime": "12h", "deadline": "2126-08-30T18:00:00Z", "target": 0.99,
  "cost": 40, "not_improving": 30, "converged": true, "failures": 20, "start_failures": 5
},
"hosts": [{ "price": 2.5 }]
```

Each early-stopping rule. A rule looks at a running trial's newest value, five times a second. Under every rule NaN stops the trial, and so does an infinite
value on the bad side (`inf` of what is minimized); an infinitely good one never does. The first two never stop the best trial so far:

```jsonc
"early_stopping": { "rule": "median", "max_step": 50, "grace": 5, "min_trials": 6, "top": 0, "patience": 1, "margin": 0.001 }
```

```jsonc
"early_stopping": { "rule": "asha", "max_step": 81, "min_step": 1, "eta": 3, "min_trials": 3, "top": 1, "margin": 0 }
```

```jsonc
"early_stopping": { "rule": "threshold", "bound": 0.1, "grace": 3 }
```

Limits of one launch, what a failure means, and how often it is tried again:

```jsonc
"timeout": "2h",
"grace": "1m",
"log_max": "1 GiB",
"retries": 3,
"failures": [
  { "pattern": "loss exploded", "class": "diverged" },
  { "pattern": "NFS server .* not responding", "class": "crashed", "retry": true },
  { "pattern": "license has expired", "class": "end" }
]
```

What follows from each class ([command.md](command.md#how-it-ends) has the defaults). Here a full GPU is not the configuration's fault, since others share it; a full host
memory is; a lost machine is forgiven more often than other faults; and a command without a metric ends the job:

```jsonc
"backoff": "30s",
"outcomes": {
  "oom-gpu": "retry",
  "oom-host": "fail",
  "lost": { "then": "retry", "retries": 5 },
  "no-metric": "end"
}
```

All classes. Here failures of the machine are forgiven five times, each class by itself, and `timeout` fails a trial even if it has reported:

```jsonc
"outcomes": {
  "timeout": "fail", "nan": "fail", "diverged": "fail", "oom-gpu": "fail", "no-metric": "fail", "crashed": "fail",
  "preempted": "retry",
  "lost": { "then": "retry", "retries": 5 }, "launch-failed": { "then": "retry", "retries": 5 },
  "oom-host": { "then": "retry", "retries": 5 }, "disk-full": { "then": "retry", "retries": 5 }
}
```

GPUs that hold several trials each, while other people may compute on them, too ([gpus.md](gpus.md)). Without GPUs this host still has two slots:

```jsonc
"hosts": [{ "gpus": "auto", "trials_per_gpu": "auto", "busy_gpus": "leave" }]
```

A trial that uses more memory than this is ended, which counts as the configuration's failure. `"network": "none"` would leave the trial only loopback, and
`"env_file": "secrets.env"` would give it variables that are stored nowhere ([command.md](command.md)):

```jsonc
"memory": "8 GiB"
```

Strategies compared inside one job ([compare.md](compare.md)): here five times 40 trials of each. A `strategy` of the whole job is then an error:

```jsonc
"arms": {
  "gp": { "strategy": { "name": "bayesian", "warp": "free" } },
  "random": "random"
},
"repeats": 5
```

A host used without GPUs, and with a prefix (`["conda", "run", "-n", "torch"]`, say). `"gpus": [0, 1]` would use these two, and
`"gpus_per_trial": 2` would give both to one trial:

```jsonc
"hosts": [{ "name": "here", "backend": "local", "slots": 2, "priority": 1, "gpus": "none", "prefix": ["env", "LC_ALL=C"] }]
```

Code that cannot change under a running job ([provenance.md](provenance.md)): a copy of what is in the directory when the job begins, or a
commit of a repository:

```jsonc
"source": { "code": "snapshot" }
```

```jsonc
"source": { "git": "https://git.example.org/team/training.git", "commit": "4f2a9c81d7e3b6a05c19e8d2f7b4a6c3d0e1f592", "path": "images" }
```

The former is `"source": "snapshot"` for short.

What is kept of the files that trials save: models, output files and checkpoints of the three best trials and of the five that ended last,
at most 200 GiB in all ([artifacts.md](artifacts.md)):

```jsonc
"keep": { "best": 3, "last": 5, "disk": "200 GiB" }
```

This machine, and two that ssh reaches ([hosts.md](hosts.md)):

```jsonc
"hosts": [
  { "gpus": "none" },
  { "backend": "ssh", "name": "gpu1", "address": "gpu1.lab", "user": "me", "port": 2222, "directory": "/scratch/me/tuner",
    "host_timeout": "1h", "lease": "30m", "ssh_options": ["-o", "IdentitiesOnly=yes"] },
  { "backend": "ssh", "address": "gpu2.lab", "directory": "/shared/tuner", "sync": "none" }
]
```

A Slurm cluster, by sbatch and by slurmrestd ([hosts.md](hosts.md#slurm)):

```jsonc
"hosts": [{
  "backend": "slurm", "slots": 16, "ahead": 4, "directory": "/shared/tuner", "partition": "gpu", "gres": "gpu:1",
  "cores": 8, "memory": "32 GiB", "time_limit": "4h", "account": "vision", "qos": "normal", "constraint": "a100",
  "script_lines": ["#SBATCH --exclude=node7", "module load cuda"]
}]
```

```jsonc
"hosts": [
  { "backend": "slurm", "name": "near", "url": "http://login:6820", "user": "me", "token_file": "~/.slurm-token",
    "slots": 16, "gpus_per_trial": 1, "priority": 1 },
  { "backend": "slurm", "name": "far", "url": "https://slurm.example.org", "slots": 4,
    "token_command": ["ssh", "far", "scontrol", "token", "lifespan=3600"] }
]
```

Using the results of earlier jobs (`warm_start`) has a page of its own, with examples: [warm-start.md](warm-start.md).

For people and editors only:

```jsonc
"$schema": "./tuner.schema.json",
"name": "resnet-1.0",
"description": "the second try",
"tags": ["resnet", "cifar"]
```

## Constraints

A constraint is a formula that is true or false. The operators, from the loosest to the tightest:

| | |
|---|---|
| `or`, <code>&#124;&#124;</code> | |
| `and` or `&&` | |
| `not` or `!` | |
| `<` `<=` `>` `>=` `==` `!=` | they do not chain: `a < b and b < c` |
| `+` `-` | |
| `*` `/` | |
| `-` `+` | signs |
| `^` or `**` | powers, from right to left: `2^3^2` is 512, `-2^2` is -4 |

Functions: `abs` `ceil` `exp` `floor` `log` (natural) `log2` `log10` `sqrt` of one number, `pow` of two, `min` and `max` of two or
more. Numbers are written as in JSON; there are `true`, `false` and parentheses.

A name is that of a parameter or a fixed value. It stands in backquotes if it has anything but letters, digits, `_` and `.`, if it begins with a digit or a point,
or if it is a word such as `and` or `true`: `` `weight-decay` <= lr ``. A parameter whose `values` are all numbers is a number; one whose values are all true or
false (a `bool`) is true or false by itself (`not nesterov`). Any other is a string: it can be compared, by `==` and `!=`, with one of
its values in single or double quotes.

A constraint applies where all parameters that it names are active; otherwise it demands nothing. A comparison
with something that is not a number (`log(-1)`, `0/0`) is false. There may be 100 constraints; each may have 1000 bytes, 500 numbers, names and operators, and 50 levels.

Every strategy keeps to the constraints, and `first` and `tuner enqueue` must, too. Configurations are drawn until one satisfies them, up to 65536 times; if
none did, or if none of a finite space can, `tuner check` says so. So constraints that leave a part in a thousand of the space are
fine, but an equation between floats (`a + b == 1`) is not: vary only one of them. A finite space with conditions or constraints is
counted, and exhausted, up to 1048576 combinations.

## What you expect

```jsonc
"parameters": {
  "lr": { "type": "float", "min": 1e-5, "max": 1, "prior": [1e-3, 1e-2] },
  "optimizer": { "type": "categorical", "values": ["sgd", "adam", "lion"], "prior": { "adam": 3 } },
  "layers": { "type": "int", "min": 2, "max": 8 },
  "batch_size": { "type": "ordinal", "values": [32, 64, 128, 256] }
}
```

A `prior` says where you expect the best value before there is a result. For a number or an ordinal it names two values: two times in three the best one lies between them. What stands behind that is a normal
distribution on the parameter's scale, cut at its bounds, of which these values are a standard deviation from the middle. For a category or a bool it weighs values: here `adam` is the best three times as often as each
of the others; numbers and bools are in quotes there, and as short as arguments have them: `{"true": 4}`, `{"1": 2}` for `1.0`. A tenth of it is always even, so no value is excluded.

`random` draws from the prior, and evenly only where it leads to nothing but what `constraints` forbid or what has been tried. Of `sobol`'s points, and of the first trials by `bayesian`, half follow it. Then the model's expected improvement is multiplied by the prior to the power of
0.6 `budget.trials`/n² after n ended trials: your word counts at first, and the results overrule it. A good prior saves much of the first half of a search and a wrong one costs about as much
([surrogate.md](surrogate.md#what-the-user-expects) has figures), so leave out what you only guess. While the power can halve what is expected, `budget.converged` ends no search. `tuner doctor` says where the best trials contradict it. It has no effect on `grid`. For a configuration that is known to be good there is `first`.
"""

TITLES = {
    "objective": "objective", "metric": "metrics, each", "parameter": "parameters, each",
    "strategy": "strategy", "budget": "budget", "early_stopping": "early_stopping",
    "failure": "failures, each", "outcomes": "outcomes", "outcome": "outcomes.CLASS",
    "host": "hosts, each", "source": "source", "keep": "keep",
    "warm_start": "warm_start", "parent": "warm_start.jobs, each",
}


def number_text(number):
    """In full where it is whole and no round power of ten: such a bound is exact."""
    short = f"{number:g}"
    return short if float(short) == number and "." not in short.split("e")[0] else f"{number:.16g}"


def count_text(schema):
    """How many an array or an object may have: " (at most 40)"."""
    least = schema.get("minItems", schema.get("minProperties", 0))
    most = schema.get("maxItems", schema.get("maxProperties"))
    if most is None:
        return ""
    if least == most:
        return f" ({most} of them)"
    return f" ({least} to {most})" if least > 1 else f" (at most {most})"


def type_text(schema):
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return " or ".join(f"`{json.dumps(word)}`" for word in schema["enum"])
    if "$ref" in schema:
        return "object, below"
    if "anyOf" in schema:
        return " or ".join(type_text(part) for part in schema["anyOf"])
    kind = schema.get("type", "")
    if isinstance(kind, list):
        return ", ".join(kind)
    if kind == "array":
        return f"array of {type_text(schema.get('items', {}))}".rstrip() + count_text(schema)
    if kind == "object":
        return f"object of {type_text(schema.get('additionalProperties', {}))}".rstrip() + count_text(schema)
    bounds = [number_text(schema[key]) for key in ("minimum", "maximum") if key in schema]
    if len(bounds) == 2:
        return f"{kind}, {bounds[0]} to {bounds[1]}"
    return kind


def default_text(schema, required):
    if required:
        return "required"
    if "default" in schema:
        return f"`{json.dumps(schema['default'])}`"
    match = re.search(r"\(default: (.*)\)$", schema.get("description", ""))
    return match.group(1) if match else ""


def table(properties, required):
    yield "| key | takes | default | meaning |"
    yield "|---|---|---|---|"
    for name, schema in properties.items():
        meaning = re.sub(r" \(default: .*\)$", "", schema.get("description", ""))
        cells = [f"`{name}`", type_text(schema), default_text(schema, name in required), meaning]
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def main():
    schema = json.load(sys.stdin)
    print(HEAD)
    print("## The whole file\n")
    print("\n".join(table(schema["properties"], schema["required"])))
    for name, part in schema["$defs"].items():
        print(f"\n## {TITLES.get(name, name)}\n")
        print("\n".join(table(part["properties"], part.get("required", []))))
    print(TAIL, end="")


if __name__ == "__main__":
    main()
