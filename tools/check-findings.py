#!/usr/bin/env python3
"""Fail when docs/findings.md lacks an id that src/diagnose/ can produce."""
import pathlib, re, sys

root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
known = set(re.findall(r"`([a-z0-9.-]+)`",
                       (root / "docs/findings.md").read_text()))
text = "".join(p.read_text() for p in (root / "src/diagnose").glob("*.c"))
ids = set(re.findall(r'"((?:alg|path|edge)\.[a-z-]+)"', text))
ids |= set(re.findall(r'^\t\{"([a-z-]+)",\s+\w', text, re.M))
bad = sorted(ids - known)
print("\n".join(f"docs/findings.md: no {i}" for i in bad)
      or f"findings: {len(ids)} ids documented")
sys.exit(bool(bad) or not ids)
