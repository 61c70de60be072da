#!/usr/bin/python3
"""Block each flow of the profile in turn, and see what a whole check says.

    bench/blocked.py BUILD_DIR [--write FILE] [--only PATTERN]

One network for each flow and each means of blocking it, behind a NAT and four
routers that take turns to block. Right is: this flow fails, no other does,
there is one finding, about this flow alone, and it names the router and its
segment. Numbers are counts with their denominators; what is wrong is listed.
"""
import argparse
import collections
import concurrent.futures
import fnmatch
import os
import pathlib
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PARALLEL = 4
KINDS = ("found", "others", "cause", "place")


def modules(build):
    """The lab tests' own helpers, for the programs of this build."""
    os.environ.update({
        "PRUMO": str(build / "prumo"),
        "PRUMO_LAB_RUN": str(build / "lab/tool/prumo-lab-run"),
        "PRUMO_PROFILES": str(ROOT / "profiles"),
        "PRUMO_SCHEMA": str(ROOT / "docs/report.schema.json"),
        "LC_ALL": "C.UTF-8", "LANGUAGE": "C"})
    sys.path.insert(0, str(ROOT / "tests/lab"))
    import blocking
    return blocking


def name(case):
    flow, means, node = case
    return f"{flow[0]} {means} at {node}"


def judge(blocking, case):
    """@return faults by kind, seconds"""
    try:
        report = blocking.run(case)
    except (AssertionError, OSError, ValueError) as error:
        return {"found": [f"no report: {error}"]}, None
    return blocking.faults(report, case), report.json["run"]["took_ms"] / 1000


def share(rows, kind):
    return f"{sum(not found.get(kind) for _, found, _ in rows)} of {len(rows)}"


def table(rows):
    groups = collections.defaultdict(list)
    for row in rows:
        flow, means, _ = row[0]
        groups[flow[2].upper(), means].append(row)
    if len(groups) > 1:
        groups["all", ""] = rows
    out = ["| flows | blocked by | exactly right | it fails | no other does | "
           "one cause | hop and segment | median s | longest s |",
           "|" + " --- |" * 9]
    for (transport, means), mine in groups.items():
        seconds = [s for _, _, s in mine if s is not None] or [0]
        right = sum(not any(found.values()) for _, found, _ in mine)
        out.append(f"| {transport} | {means} | {right} of {len(mine)} | "
                   + " | ".join(share(mine, kind) for kind in KINDS)
                   + f" | {statistics.median(seconds):.1f} | "
                   f"{max(seconds):.1f} |")
    return out


def document(blocking, rows):
    out = ["# Each flow blocked in turn", "",
           "Written by `make blocked` (bench/blocked.py): a whole check of "
           "the profile for each of its",
           "flows and each means of blocking it, in a lab with a NAT and four "
           "routers that take turns to",
           "block. *It fails*: as it must, silent or refused. *No other "
           "does*: all other flows are",
           "reached. *One cause*: one finding, about this flow alone. *Hop "
           "and segment*: the finding",
           "names the router that blocks, and whose it is. UDP has no reset: "
           "*prohibited* is another",
           "ICMP code. Linux limits ICMP errors to six at once and one a "
           "second for each address they",
           "go to, so that most of a range's ports are refused in silence; "
           "the limit of all together,",
           "icmp_msgs_per_sec, is one for each namespace (measured with Linux "
           "6.18: two namespaces that",
           "were set to 200 sent 200 a second each, at the same time), so "
           "that labs do not disturb each",
           "other.", ""]
    wrong = [f"- {name(case)}: {blocking.told(found)}"
             for case, found, _ in rows if any(found.values())]
    out += [*table(rows), "", "## Not exactly right", "",
            *(wrong or ["None."])]
    return "\n".join(out) + "\n", len(wrong)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("build", type=pathlib.Path)
    p.add_argument("--write", type=pathlib.Path)
    p.add_argument("--only", default="*", help="of the names of the runs")
    args = p.parse_args()
    blocking = modules(args.build.resolve())
    cases = [c for c in blocking.cases()
             if fnmatch.fnmatch(name(c), args.only)]
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        rows = [(c, *got) for c, got in zip(cases, pool.map(
            lambda c: judge(blocking, c), cases))]
    text, n_wrong = document(blocking, rows)
    if args.write:
        args.write.write_text(text)
    print(text, end="")
    return n_wrong > 0


if __name__ == "__main__":
    sys.exit(main())
