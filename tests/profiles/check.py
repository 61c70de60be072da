#!/usr/bin/env python3
"""Run `prumo profile` on the profiles here and compare with what was agreed.

usage: check.py PRUMO SOURCE_ROOT [--write]

Every bad-NAME.yaml must be refused with the words of bad-NAME.err; the others
must load. The linter must say what lint-NAME.out has, and nothing else.
"""
import os
import pathlib
import subprocess
import sys

GOOD = {"cloudphone-pro": "profiles/cloudphone-pro.yaml",
        "example-voz": "tests/profiles/example-voz.yaml"}
STATUS_REFUSED = 64
LINT_STATUS = {"cloudphone-pro": 2, "example-voz": 0}

prumo = os.path.abspath(sys.argv[1])
root = pathlib.Path(sys.argv[2]).resolve()
here = root / "tests/profiles"
is_write = "--write" in sys.argv
faults = []


def run(*args):
    env = dict(os.environ, LC_ALL="C.UTF-8", LANGUAGE="", NO_COLOR="1")
    done = subprocess.run([prumo, "profile", *args], cwd=root, env=env,
                          capture_output=True, text=True, timeout=20)
    return done.returncode, done.stdout, done.stderr


def compare(path, text):
    if is_write:
        path.write_text(text)
    elif not path.exists() or path.read_text() != text:
        faults.append(f"{path} differs; now:\n{text}")


def expect(what, got, wanted):
    if got != wanted:
        faults.append(f"{what}: exit status {got}, expected {wanted}")


bad = sorted(here.glob("bad-*.yaml"))
for path in bad:
    status, out, err = run("show", str(path.relative_to(root)))
    expect(path.name, status, STATUS_REFUSED)
    compare(path.with_suffix(".err"), err)
for name, path in GOOD.items():
    for kind in "text", "json":
        status, out, err = run("show", "-o", kind, path)
        expect(f"show {name}", status, 0)
        compare(here / f"show-{name}.{kind}", out + err)
        status, out, err = run("lint", "-o", kind, path)
        expect(f"lint {name}", status, LINT_STATUS[name])
        compare(here / f"lint-{name}.{kind}", out + err)
print("\n".join(faults) or f"{len(bad)} refused, {len(GOOD)} as agreed")
sys.exit(bool(faults) or not bad)
