#!/usr/bin/env python3
"""check-report.py PROGRAM GOLDEN_DIR SCHEMA [--write]

Compare what PROGRAM writes with the files in GOLDEN_DIR, and its JSON with
the schema. --write makes the files anew, to be read before they are kept.
"""
import json, os, pathlib, subprocess, sys
import xml.etree.ElementTree

import jsonschema

program, golden, schema = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
is_write = "--write" in sys.argv
bad = []


def run(form, case, language):
    env = dict(os.environ, LC_ALL="C.UTF-8", LANGUAGE=language)
    return subprocess.run([program, form, case], env=env, check=True,
                          stdout=subprocess.PIPE).stdout


def check(name, out):
    path = golden / name
    if is_write:
        path.write_bytes(out)
    elif path.read_bytes() != out:
        bad.append(f"{name} differs:\n" + out.decode("utf-8", "replace"))


def check_junit(case, report):
    """Well-formed, and it counts what it holds."""
    root = xml.etree.ElementTree.fromstring(run("junit", case, "pt_BR"))
    cases = root.findall("testsuite/testcase")
    for tag, counted in (("failure", "failures"), ("skipped", "skipped")):
        if len(root.findall(f"testsuite/testcase/{tag}")) != int(
                root.get(counted)):
            bad.append(f"{case}: {counted} is miscounted")
    if len(cases) != int(root.get("tests")) or len(cases) != len(
            report["facts"]) + len(report["findings"]):
        bad.append(f"{case}: a fact or a finding is not in the JUnit")
    ids = [x["id"] for x in report["findings"] + report["facts"]]
    if [c.get("classname") for c in cases] != ids:
        bad.append(f"{case}: JUnit has other ids")


schema = json.loads(pathlib.Path(schema).read_text(encoding="utf-8"))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
for case in "alg", "clean", "hostile", "empty", "carrier":
    out = run("json", case, "en")
    check(f"{case}.json", out)
    for error in validator.iter_errors(json.loads(out)):
        bad.append(f"{case}.json: {error.json_path}: {error.message}")
    if run("json", case, "pt_BR") != out:
        bad.append(f"{case}.json depends on the language")
    check_junit(case, json.loads(out))
    check(f"{case}.txt", run("text", case, "en"))
    check(f"{case}.pt_BR.txt", run("text", case, "pt_BR"))
    check(f"{case}.pt_BR.ascii.txt", run("ascii", case, "pt_BR"))
if run("text", "alg", "pt_BR") == run("text", "alg", "en"):
    bad.append("pt_BR is English: no catalogue in PRUMO_LOCALEDIR")
if not run("ascii", "hostile", "pt_BR").isascii():
    bad.append("not ASCII without UTF-8")
check("alg.verbose.txt", run("verbose", "alg", "en"))
broken = json.loads(run("json", "alg", "en"))
del broken["findings"][0]["segment"]
if validator.is_valid(broken):
    bad.append("the schema lets anything pass")
print("\n".join(bad) or "report: as before")
sys.exit(bool(bad))
