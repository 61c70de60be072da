#!/usr/bin/env python3
"""Check the scenarios against scenarios/scenario.schema.json, and that the
program and the schema refuse the same things.

usage: scenario_schema.py PRUMO SOURCE_ROOT
"""
import copy
import json
import pathlib
import subprocess
import sys
import tempfile

import jsonschema
import yaml

PRUMO, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
schema = json.loads((ROOT / "scenarios/scenario.schema.json").read_text())
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
faults = []


def program_takes(scenario):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump(scenario, file)  # JSON is YAML
        file.flush()
        done = subprocess.run([PRUMO, "lab", "show", file.name], text=True,
                              capture_output=True, check=False)
    if done.returncode not in (0, 64):
        faults.append(f"prumo lab show ends with {done.returncode}")
    return done.returncode == 0


def spoilt(good):
    """Copies that are wrong in one way each."""
    def worse(change):
        copied = copy.deepcopy(good)
        change(copied)
        return copied

    yield "a key too many", worse(lambda s: s.update(colour="red"))
    yield "another schema", worse(lambda s: s.update(schema="x/1"))
    for key in ("schema", "name", "summary", "routers"):
        yield f"no {key}", worse(lambda s, k=key: s.pop(k))
    yield "no router", worse(lambda s: s.update(routers=[]))
    yield "nine routers", worse(
        lambda s: s.update(routers=[{"kernel": []}] * 9))
    yield "a router of no kind", worse(lambda s: s.update(routers=[{}]))
    yield "a router of two kinds", worse(lambda s: s.update(
        routers=[{"kernel": [], "program": "nat=on"}]))
    yield "an unknown feature", worse(
        lambda s: s.update(routers=[{"kernel": ["magic"]}]))
    yield "five clients", worse(lambda s: s.update(clients=5))
    yield "a name in capitals", worse(lambda s: s.update(name="Clean"))
    yield "an unknown server", worse(
        lambda s: s.update(servers=[{"program": "asterisk"}]))
    yield "an unknown certificate", worse(lambda s: s.update(
        servers=[{"program": "nginx", "certificate": "good"}]))
    yield "port 0", worse(lambda s: s.update(
        servers=[{"program": "nginx", "ports": {"http": [0]}}]))
    yield "a program nowhere", worse(
        lambda s: s.update(programs=[{"in": "moon", "run": "true"}]))
    yield "ip6: maybe", worse(lambda s: s.update(ip6="maybe"))


def undescribed(at, node):
    for key, sub in node.get("properties", {}).items():
        if "description" not in sub:
            faults.append(f"schema: {at}/{key} has no description")
        undescribed(f"{at}/{key}", sub)
        undescribed(f"{at}/{key}[]", sub.get("items", {}))


files = sorted((ROOT / "scenarios").glob("*.yaml"))
for path in files:
    text = yaml.safe_load(path.read_text())
    for e in validator.iter_errors(text):
        faults.append(f"{path}: {list(e.path)}: {e.message[:200]}")
    if text.get("name") != path.stem:
        faults.append(f"{path}: is called {text.get('name')}")
    if not program_takes(text):
        faults.append(f"{path}: the schema takes it, prumo does not")
for why, text in spoilt(yaml.safe_load(
        (ROOT / "scenarios/clean.yaml").read_text())):
    if validator.is_valid(text):
        faults.append(f"{why}: the schema takes it")
    if program_takes(text):
        faults.append(f"{why}: prumo takes it")
undescribed("", schema)
print("\n".join(faults) or f"{len(files)} scenarios as the schema says")
sys.exit(bool(faults))
