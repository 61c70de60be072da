"""Each flow blocked, dropped and refused, at each hop, and found exactly.

Each flow has a number, and in each of seven runs those are blocked whose
number has that bit: so any two flows are told apart in one run at least. Some
are then blocked alone; bench/blocked.py does so with each.
"""
import concurrent.futures
import time
import unittest

import blocking
import lab
import rig
import services

FLOWS = services.flows()
HOPS = 4
# node, what its rule does, where it stops
RUNS = [
    ("r1", "drop"),
    ("r2", "drop"),
    ("r3", "drop"),
    ("r1", "reject"),
    ("r2", "reject with icmp type admin-prohibited"),
    ("r2", "reset"),
    ("r3", "reset"),
]
SEGMENTS = {"r1": "router", "r2": "carrier", "r3": "carrier"}
ENDS = {"drop": {"silent", "partly"}}
ALONE = blocking.sample(seed=4)
DONE = {}


def is_blocked(run, i):
    return (i + 1) >> run & 1


def rule(flow, does):
    _, at, transport, first, last = flow
    if does == "reset":
        does = ("reject with tcp reset" if transport == "tcp" else "drop")
    return f"ip daddr {at} {transport} dport {first}-{last} {does}"


def run_one(run):
    node, does = RUNS[run]
    with services.Room("--hops", HOPS, "--nat-at", 1, nodes=[node]) as room:
        room.block(node, [rule(f, does) for i, f in enumerate(FLOWS)
                          if is_blocked(run, i)])
        return room.reach("--skip", "sip-alg")


def run_quick():
    with services.Room("--hops", HOPS, nodes=["r2"]) as room:
        room.block("r2", ["meta l4proto udp drop",
                          "tcp dport != 443 drop"])
        DONE["no resolver"] = ask_dead_resolver(room)
        return room.reach("--quick")


def run_web():
    """A firewall that lets out one web port, not asked in haste."""
    with services.Room("--hops", HOPS, nodes=["r1"]) as room:
        room.block("r1", ["meta l4proto udp drop",
                          "tcp dport != 443 drop"])
        return room.reach()


def ask_dead_resolver(room):
    """--quick with an edge whose name nobody tells.
    @return status, seconds, stderr"""
    start = time.monotonic()
    status, _, err = room.run(
        "client", "unshare", "-m", "sh", "-c",
        "echo nameserver 198.51.100.250 >$0/resolv.conf && "
        "mount --bind $0/resolv.conf /etc/resolv.conf && unset "
        "PRUMO_STAY_HOME && exec $1 check --quick --edge edge.example",
        room.dir.name, lab.PRUMO)
    return status, time.monotonic() - start, err


def setUpModule():
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        # the longest first
        jobs = {"web": pool.submit(run_web), "quick": pool.submit(run_quick)}
        jobs.update({run: pool.submit(run_one, run)
                     for run in range(len(RUNS))})
        jobs.update({case: pool.submit(blocking.run, case)
                     for case in ALONE})
        DONE.update({name: job.result() for name, job in jobs.items()})


class Blocked(unittest.TestCase):

    def test_exactly_what_is_blocked_fails(self):
        for run in range(len(RUNS)):
            states = {f["scope"]: f["state"]
                      for f in DONE[run].pick("flow.reached")}
            for i, flow in enumerate(FLOWS):
                want = "fail" if is_blocked(run, i) else "pass"
                with self.subTest(run=RUNS[run], flow=flow):
                    self.assertEqual(states[flow[0]], want)

    def test_the_way_it_fails_is_told(self):
        for run, (_, does) in enumerate(RUNS):
            for flow in DONE[run].pick("flow.reached", state="fail"):
                is_tcp = flow["transport"] == "tcp"
                with self.subTest(run=RUNS[run], flow=flow["scope"]):
                    if does == "drop" or (does == "reset" and not is_tcp):
                        self.assertEqual(flow["result"], "silent")
                    else:
                        # Refusals are limited to some in a second.
                        self.assertIn(flow["result"], ("refused", "silent"))

    def test_one_cause_at_the_right_hop(self):
        for run, (node, does) in enumerate(RUNS):
            report = DONE[run]
            with self.subTest(run=RUNS[run]):
                self.assertEqual(set(report.ids()), {"path.ports-blocked"},
                                 report.told())
                place = report.findings[0]["evidence"]["location"]
                self.assertEqual(place["hop"], int(node[1]), place)
                self.assertEqual(report.findings[0]["segment"],
                                 SEGMENTS[node])
                self.assertEqual(len(report.findings), 1, report.told())
                named = {report.facts[i]["scope"]
                         for i in report.findings[0]["facts"]
                         if report.facts[i]["id"] == "flow.reached"}
                self.assertEqual(named, {f[0] for i, f in enumerate(FLOWS)
                                         if is_blocked(run, i)})

    def test_one_flow_alone(self):
        for case in ALONE:
            with self.subTest(case=case):
                self.assertEqual(
                    blocking.told(blocking.faults(DONE[case], case)), "")

    def test_who_must_act(self):
        self.assertEqual(DONE[0].findings[0]["act"], "customer")
        self.assertEqual(DONE[1].findings[0]["act"], "carrier")

    def test_all_but_one_web_port_is_one_cause(self):
        report = DONE["web"]
        self.assertEqual(report.ids(), ["path.only-web"], report.told())
        found = report.findings[0]
        self.assertEqual(found["evidence"]["location"]["hop"], 1, found)
        self.assertEqual((found["segment"], found["act"]),
                         ("router", "customer"))
        self.assertNotIn("443/TCP", found["evidence"]["ports"])
        self.assertIn("80/TCP", found["evidence"]["ports"])

    def test_quick_does_not_wait_for_the_resolver(self):
        status, seconds, err = DONE["no resolver"]
        self.assertEqual(status, rig.COULD_NOT_TEST, err)
        self.assertIn("edge.example", err)
        # the system's own patience is ten
        self.assertLess(seconds, 8)

    def test_quick_keeps_to_its_time(self):
        report = DONE["quick"]
        self.assertLess(report.json["run"]["took_ms"], 5000)
        self.assertIn("path.only-web", report.ids(), report.told())


if __name__ == "__main__":
    lab.main()
