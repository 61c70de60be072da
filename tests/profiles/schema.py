#!/usr/bin/env python3
"""Check the profiles against profiles/profile.schema.json.

usage: schema.py SOURCE_ROOT

The schema must accept what prumo accepts, and refuse a profile that has a key
too many, a class too many or a key too few.
"""
import copy
import json
import pathlib
import sys

import jsonschema
import yaml

root = pathlib.Path(sys.argv[1])
schema = json.loads((root / "profiles/profile.schema.json").read_text())
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
faults = []
good = sorted((root / "profiles").glob("*.yaml"))
good.append(root / "tests/profiles/example-voz.yaml")
for path in good:
    profile = yaml.safe_load(path.read_text())
    for e in validator.iter_errors(profile):
        faults.append(f"{path}: {list(e.path)}: {e.message[:200]}")
    worse = [copy.deepcopy(profile) for _ in range(3)]
    worse[0]["colour"] = "red"
    worse[1]["rows"][0]["class"] = "voice"
    del worse[2]["rows"][0]["host"]
    for n, p in enumerate(worse):
        if validator.is_valid(p):
            faults.append(f"{path}: spoilt in way {n}, and accepted")


def undescribed(at, node):
    for key, sub in node.get("properties", {}).items():
        if "description" not in sub:
            faults.append(f"schema: {at}/{key} has no description")
        undescribed(f"{at}/{key}", sub)
        undescribed(f"{at}/{key}[]", sub.get("items", {}))


undescribed("", schema)
print("\n".join(faults) or f"{len(good)} profiles as the schema says")
sys.exit(bool(faults))
