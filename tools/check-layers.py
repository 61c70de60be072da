#!/usr/bin/env python3
"""Fail when an #include in src/ breaks tools/layers.txt."""
import pathlib, re, sys

root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
allowed = {}
for line in (root / "tools/layers.txt").read_text().splitlines():
    line = line.split("#")[0]
    if ":" in line:
        name, _, deps = line.partition(":")
        allowed[name.strip()] = set(deps.split()) | {name.strip()}
order = list(allowed)
bad = [f"layers.txt: {n} uses {d}, listed below it"
       for n, ds in allowed.items() for d in ds if order.index(d) > order.index(n)]
files = sorted(p for d in ("src", "lab") for p in (root / d).rglob("*.[ch]"))
for path in files:
    parts = path.relative_to(root).parts
    here = parts[1] if parts[0] == "src" or parts[1] in allowed else parts[0]
    for no, text in enumerate(path.read_text().splitlines(), 1):
        if m := re.match(r'\s*#\s*include\s+"([a-z]+)/', text):
            if m[1] not in allowed.get(here, ()):
                bad.append(f"{path}:{no}: {here}/ may not include {m[1]}/")
print("\n".join(bad) or f"layers: {len(order)} folders, no arrow upwards")
sys.exit(bool(bad))
