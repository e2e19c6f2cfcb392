#!/usr/bin/env python3
"""Writes docs/jobfile.md from the job file's own schema:  tuner schema | scripts/jobfile_doc.py"""
import json
import re
import sys

HEAD = """# The job file

JSON with comments and trailing commas, at most 1 MiB and 64 levels deep. Unknown keys, duplicates and settings without
effect are errors; `tuner check FILE` reports all of them at once, with line and column, and prints every default.
Relative paths count from where the file is. `--set KEY=VALUE` of `run`, `try` and `check` changes any key
(`--set budget.trials=5`).

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
  "strategy": "bayesian",
  "early_stopping": "median",
  "budget": { "trials": 40, "parallel": 2, "runtime": "8h" },
  "command": ["python3", "-c", "print('val_acc=0.5')"]
}
```

An edited file is taken up by the next `tuner run`: budget, hosts, retries, timeouts, early stopping, strategy and `first` at once;
parameters as a new version of the space, from which the model keeps what still fits; `command`, `fixed`, `channels` and `env` only
with `--accept-change`; objective and seed not at all (another `--name` is another job).

This page is made from `tuner schema` by `scripts/jobfile_doc.py`; editors check a file against that schema
(`tuner schema > tuner.schema.json`, and `"$schema": "tuner.schema.json"` in the file).
"""

TITLES = {
    "objective": "objective", "metric": "metrics, each", "parameter": "parameters, each",
    "strategy": "strategy", "budget": "budget", "early_stopping": "early_stopping",
    "failure": "failures, each", "host": "hosts, each",
}


def type_text(schema):
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
        return f"array of {type_text(schema.get('items', {}))}".rstrip()
    if kind == "object":
        return f"object of {type_text(schema.get('additionalProperties', {}))}".rstrip()
    bounds = [f"{schema[key]:g}" for key in ("minimum", "maximum") if key in schema]
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


if __name__ == "__main__":
    main()
