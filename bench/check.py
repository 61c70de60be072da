#!/usr/bin/python3
"""What a check costs in the demonstration's lab, against its limits.

Runs with the ALG on and off take turns, each in a fresh lab, so that a slow
minute of the machine meets both. Every figure is the median of ROUNDS, with
the worst beside it, and its ratio to the limit: 1 is the limit.
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys

ROUNDS = 7
ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMITS = {
    "on": (("seconds", "s", 3.0), ("kib", "KiB", 16 * 1024)),
    "off": (("seconds", "s", 3.0), ("kib", "KiB", 16 * 1024),
            ("packets", "packets", 60)),
}
STATUS = {"on": 2, "off": 0}
TITLE = {"on": "SIP ALG on, 2 hops: ladder and location",
         "off": "clean path, 2 hops"}


def one(prumo, alg):
    at = ["--alg-at", "1"] if alg == "on" else ["--nat-at", "1"]
    p = subprocess.run(
        [prumo.parent / "lab/tool/prumo-lab-run", "--hops", "2", *at,
         "--server", f"server:{prumo} edge --user root", "client",
         "/usr/bin/python3", ROOT / "bench/measure.py", prumo, "check",
         "--edge", "198.51.100.10", "-q"],
        cwd=ROOT, stdout=subprocess.PIPE, check=True,
        env={**os.environ, "PRUMO_STAY_HOME": "1"})
    got = json.loads(p.stdout)
    if got["status"] != STATUS[alg]:
        sys.exit(f"bench: status {got['status']} with the ALG {alg}")
    return got


def main():
    prumo = pathlib.Path(sys.argv[1]).resolve()
    runs = {"on": [], "off": []}
    for _ in range(ROUNDS):
        for alg, got in runs.items():
            got.append(one(prumo, alg))
    for alg, got in runs.items():
        print(f"{TITLE[alg]} ({ROUNDS} runs)")
        for key, unit, limit in LIMITS[alg]:
            values = [g[key] for g in got]
            mid = statistics.median(values)
            print(f"  {mid:9.2f} {unit:8} worst {max(values):9.2f}"
                  f"   limit {limit:g}   ratio {mid / limit:.2f}")


if __name__ == "__main__":
    main()
