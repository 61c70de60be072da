"""Ranges blocked at odd edges, and how check reports them: exactly."""
import concurrent.futures
import os
import unittest

import lab
import services

HOPS = 4
RANGES = [f for f in services.flows() if f[3] != f[4]]
LOW = ["10000-12345"]
ONE = ["20000"]
HOLES = ["10000-12345", "30007-41234", "50011-65535"]
# transport, holes, what the rule does, for one host alone
RUNS = [(transport, holes, does, is_one)
        for transport, does in (("udp", "drop"), ("tcp", "drop"),
                                ("tcp", "reject with tcp reset"))
        for holes in (LOW, ONE, HOLES) for is_one in (False, True)]
# One of each kind with each set of holes: the others are for the bench.
RUNS = [run for i, run in enumerate(RUNS) if i % 2 == i // 6 % 2
        or run[1] == HOLES]
AT_ONCE = 2
if os.environ.get("RANGES") == "some":
    AT_ONCE = 1
    RUNS = RUNS[:1] + [run for run in RUNS if run[1] == HOLES and run[3]]
DONE = {}


def hosts(transport, is_one):
    """The hosts of the document whose range is blocked, by their address."""
    at = dict.fromkeys(f[1] for f in RANGES if f[2] == transport)
    return list(at)[:1] if is_one else list(at)


def key(run):
    transport, holes, does, is_one = run
    return (transport, ", ".join(holes), does, is_one)


def run_one(run):
    transport, holes, does, is_one = run
    with services.Room("--hops", HOPS, "--nat-at", 1, nodes=["r2"]) as room:
        room.block("r2", [
            f"ip daddr {at} {transport} dport {{ {', '.join(holes)} }} {does}"
            for at in hosts(transport, is_one)])
        return room.reach("--skip", "sip-alg")


def setUpModule():
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        DONE.update(zip(map(key, RUNS), pool.map(run_one, RUNS)))


class Ranges(unittest.TestCase):

    def test_reported_exactly(self):
        for run in RUNS:
            transport, holes, _, is_one = run
            report = DONE[key(run)]
            with self.subTest(run=run):
                self.assertEqual(report.ids(), ["path.range-blocked"],
                                 report.told())
                finding, = report.findings
                self.assertEqual(
                    finding["evidence"]["blocked"],
                    [f"{hole}/{transport.upper()}" for hole in holes])
                self.assertEqual(finding["segment"], "carrier")
                self.assertEqual(finding["evidence"]["location"]["hop"], 2)
                named = {report.facts[i]["address"]
                         for i in finding["facts"]
                         if report.facts[i]["id"] == "flow.reached"}
                self.assertEqual(named, set(hosts(transport, is_one)))

    def test_no_other_fails(self):
        for run in RUNS:
            transport, _, _, is_one = run
            at = hosts(transport, is_one)
            want = {f[0] for f in RANGES if f[2] == transport and f[1] in at}
            with self.subTest(run=run):
                self.assertEqual(
                    {f["scope"] for f in DONE[key(run)].pick("flow.reached")
                     if f["state"] != "pass"}, want)


if __name__ == "__main__":
    lab.main()
