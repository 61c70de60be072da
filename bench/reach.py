#!/usr/bin/python3
"""The whole profile through `prumo check`, and through nmap.

    bench/reach.py BUILD_DIR

A provider's edge stands behind two routers and 40 ms of round trip, each run
in a fresh lab. Every case has its limit, and its figure is the ratio to it:
1 is the limit. Flows that are dropped are so in silence, on the second
router. nmap is asked the same ports of the same hosts, and of a range as many
as check asked, in turn with check; what it needs is a ratio of the same
round. It sends less, for it sees ports: check speaks to each service in its
own protocol, and follows what fails to the box where it ends. A run that
tells something untrue ends the bench.
"""
import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROUNDS = 3
EDGE = "198.51.100.10"
NOBODY = "198.51.100.250"
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
DROP_ALL = [f"ip daddr {EDGE}/24 drop"]
QUICK_S = 5


def setup(build):
    """The provider of the lab tests, on this build."""
    os.environ.update(PRUMO=str(build / "prumo"),
                      PRUMO_LAB_RUN=str(build / "lab/tool/prumo-lab-run"),
                      PRUMO_PROFILES=str(ROOT / "profiles"),
                      PRUMO_SCHEMA=str(ROOT / "docs/report.schema.json"))
    sys.path.insert(0, str(ROOT / "tests/lab"))
    import services  # pylint: disable=import-outside-toplevel
    return services


def rule(flow):
    _, at, transport, first, last = flow
    transport = "udp" if transport == "udp" else "tcp"
    return f"ip daddr {at} {transport} dport {first}-{last} drop"


def halves(flows, n_round):
    """Which flows a round drops: every round others."""
    return random.Random(n_round).sample(flows, len(flows) // 2)


def nothing(*_):
    return []


class Case:
    """One way that the network may be, and how check is asked there."""

    def __init__(self, name, limit_s, *options, drop=nothing, rules=(),
                 names=True, nmap=False):
        self.name, self.limit_s, self.options = name, limit_s, options
        self.drop, self.rules = drop, rules  # rules that amount to drop
        self.names, self.nmap = names, nmap


CASES = [
    Case("all open", 3, nmap=True),
    Case("half dropped", 8, drop=halves, nmap=True),
    Case("UDP dropped", 8, rules=["meta l4proto udp drop"],
         drop=lambda flows, _: [f for f in flows if f[2] == "udp"]),
    Case("quick: all open", QUICK_S, "--quick"),
    Case("quick: half dropped", QUICK_S, "--quick", drop=halves),
    Case("quick: all dropped", QUICK_S, "--quick", rules=DROP_ALL,
         drop=lambda flows, _: flows),
    Case("quick: resolver dead", QUICK_S, "--quick", "--dns", NOBODY,
         names=False),
]


def run(services, dropped, rules, argv):
    """@return what it cost, and what it said"""
    lines = [*(rule(f) for f in dropped), *rules]
    with tempfile.NamedTemporaryFile("w", suffix=".nft") as f:
        f.write("table inet reach {\nchain c {\n"
                "type filter hook forward priority -5\niifname wan accept\n"
                + "\n".join(lines) + "\n}\n}\n")
        f.flush()
        os.chmod(f.name, 0o644)
        done = subprocess.run(
            [os.environ["PRUMO_LAB_RUN"], "--hops", "2",
             "--router", "1:nat=off,out.delay=20,in.delay=20",
             "--server", services.edge(),
             "--server", f"r2:nft -f {f.name} && echo ready",
             "client", "python3", ROOT / "bench/measure.py",
             "sh", "-c", '"$@" | tee /dev/stderr >/dev/null', "sh", *argv],
            capture_output=True, text=True, check=True,
            env={"PRUMO_STAY_HOME": "1", "PATH": PATH})
    return json.loads(done.stdout), done.stderr


def check(services, case, n_round):
    dropped = case.drop(services.flows(), n_round)
    cost, said = run(
        services, [] if case.rules else dropped, case.rules,
        [os.environ["PRUMO"], "check", "-o", "json", "--edge", EDGE,
         *services.places(case.names), *case.options])
    report = json.loads(said)
    cost["own_s"] = report["run"]["took_ms"] / 1000
    cost["said"] = report["run"]["plan"][
        "packets" if case.drop is nothing else "packets_most"]
    facts = report["facts"]
    fares = {f["scope"]: f for f in facts
             if f["id"] == "flow.reached"}
    assert set(fares) == {f[0] for f in services.flows()}
    names = set() if case.names else {
        scope for scope, f in fares.items() if "names/" in scope}
    wrong = [f"{scope}: {f['state']}" for scope, f in fares.items()
             if scope not in names and f["state"] != "skipped" and
             (f["state"] == "pass") == (scope in {d[0] for d in dropped})]
    assert not wrong, (case.name, n_round, wrong)
    n_tried = {scope: facts[f["asked"][0]].get("detail", {}).get("tried")
               for scope, f in fares.items() if "asked" in f}
    return cost, dropped, n_tried


def sample(first, last, n):
    """n ports of a range, spread over it, both ends among them."""
    n = max(n, 2)
    return sorted({first + (last - first) * i // (n - 1) for i in range(n)})


def nmap(services, dropped, n_tried):
    """One nmap for all hosts that are asked the same ports, all at once.
    @return what it cost"""
    hosts, n_open = {}, 0
    for flow in services.flows():
        scope, at, transport, first, last = flow
        ports = [first] if first == last else sample(first, last,
                                                     n_tried[scope])
        letter = "U" if transport == "udp" else "T"
        hosts.setdefault(at, []).extend(f"{letter}:{p}" for p in ports)
        if letter == "T" and flow not in dropped:
            n_open += len(ports)
    groups = {}
    for at, ports in hosts.items():
        groups.setdefault(",".join(sorted(ports)), []).append(at)
    runs = [" ".join(["nmap -Pn -n -T4 -sS -p", ports, *ats,
                      "-sU &" if "U:" in ports else "&"])
            for ports, ats in groups.items()]
    cost, said = run(services, dropped, (),
                     ["sh", "-c", "\n".join([*runs, "wait"])])
    assert len(re.findall(r"/tcp +open ", said)) == n_open, said
    return cost


def show(case, costs):
    for key, what in (("seconds", "in all"), ("own_s", "by its own clock")):
        values = [c[key] for c in costs]
        mid = statistics.median(values)
        print(f"{case.name:<22} {mid:6.2f} s {what:<16} "
              f"worst {max(values):6.2f}   limit {case.limit_s}   "
              f"ratio {mid / case.limit_s:.2f}")
    packets, sent, said = (statistics.median(c[key] for c in costs)
                           for key in ("packets", "sent", "said"))
    print(f"{case.name:<22} {packets:6.0f} packets, {sent:.0f} of them sent, "
          f"{sent / said:.2f} of what was announced "
          f"{'if all answer' if case.drop is nothing else 'at most'}",
          flush=True)


def show_nmap(case, costs, theirs):
    for key, what in (("seconds", "time"), ("packets", "packets")):
        ratios = [t[key] / c[key] for c, t in zip(costs, theirs)]
        print(f"{case.name:<22} nmap needs {statistics.median(ratios):.1f} "
              f"times the {what} ({min(ratios):.1f} to {max(ratios):.1f})",
              flush=True)


def bench(services, case):
    costs, theirs = [], []
    for n_round in range(ROUNDS):
        cost, dropped, n_tried = check(services, case, n_round)
        costs.append(cost)
        if case.nmap:
            theirs.append(nmap(services, dropped, n_tried))
    show(case, costs)
    if theirs:
        show_nmap(case, costs, theirs)
    return statistics.median(c["seconds"] for c in costs) <= case.limit_s


def main():
    services = setup(pathlib.Path(sys.argv[1]).resolve())
    met = [bench(services, case) for case in CASES]
    if not all(met):
        sys.exit("reach: slower than it should be")


if __name__ == "__main__":
    main()
