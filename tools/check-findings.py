#!/usr/bin/env python3
"""Fail when docs/findings.md lacks an id that src/diagnose/ or src/firewall/
can produce."""
import pathlib, re, sys

root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
known = set(re.findall(r"`([a-z0-9.-]+)`",
                       (root / "docs/findings.md").read_text()))
text = "".join(p.read_text() for p in (root / "src/diagnose").glob("*.c"))
ids = set(re.findall(r'"((?:alg|path|edge|device|name|nat|tls|service)\.[a-z0-9-]+)"', text))
ids |= set(re.findall(r'^\t\{"([a-z-]+)",\s+\w', text, re.M))
audit = "".join((root / "src/firewall" / name).read_text() for name in
                ("audit.c", "tell.c", "tell_from.c", "tell_rules.c"))
of_audit = set(re.findall(r'"((?:audit|firewall)\.[a-z-]+)"', audit))
causes = re.search(r"\} causes\[\] = \{(.*?)\n\};", audit, re.S)[1]
of_audit |= set(re.findall(r'(?<!N_\()"([a-z]+(?:-[a-z]+)+)"', causes))
of_audit |= set(re.findall(r'^\t+"([a-z]+(?:-[a-z]+)+)",$', audit, re.M))
ids |= of_audit
bad = sorted(ids - known)
print("\n".join(f"docs/findings.md: no {i}" for i in bad)
      or f"findings: {len(ids)} ids documented")
sys.exit(bool(bad) or not ids or not of_audit)
