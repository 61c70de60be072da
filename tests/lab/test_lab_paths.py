"""What blocks a port is named for that, and no ALG is accused."""
import concurrent.futures
import unittest

import lab
import rig


def filtered(rule):
    return ("counter hit {}\nchain block {\n"
            f"type filter hook forward priority -5\n{rule}\n}}")


RULES = {
    "drop": "iifname lan udp dport 5060 counter name hit drop",
    "reject": "iifname lan udp dport 5060 counter name hit reject",
    "udp": "iifname lan meta l4proto udp counter name hit drop",
    "tls": "iifname lan tcp dport 5061 counter name hit drop",
    "reset": "iifname lan tcp dport 5060 counter name hit "
             "reject with tcp reset",
    # ... and so every answer to a phone whose own port is that one.
    "both ways": "udp dport 5060 counter name hit drop",
}
DONE = {}  # what it blocks, or who is alone: the report, and what was hit


def run_blocked(name):
    with rig.Lab("--nat-at", 1, nodes=["r1"]) as room:
        room.nft("r1", filtered(RULES[name]))
        return room.check(), room.counters("r1")["hit"][0]


def run_alone(option):
    with rig.Lab(option, 1, servers=()) as room:
        return room.check(), 0


def setUpModule():
    # They wait for what never comes; so they wait together.
    with concurrent.futures.ThreadPoolExecutor(len(RULES) + 2) as pool:
        jobs = {name: pool.submit(run_blocked, name) for name in RULES}
        for option in "--nat-at", "--alg-at":
            jobs[option] = pool.submit(run_alone, option)
        DONE.update({name: job.result() for name, job in jobs.items()})


class Blocked(unittest.TestCase):
    """What a filter at r1 does, told without a word about an ALG."""

    def of(self, name):
        report, hits = DONE[name]
        self.assertGreater(hits, 0)
        self.assertIsNone(report.alg(), report.told())
        return report

    def finding(self, report, name):
        found, = [f for f in report.findings if f["id"] == name]
        return found

    def test_sip_port_dropped(self):
        report = self.of("drop")
        self.assertEqual(report.ids(), ["path.sip-port-blocked"],
                         report.told())
        found = self.finding(report, "path.sip-port-blocked")
        self.assertIn("5060/UDP", found["title"])
        self.assertIn("5080/UDP", found["evidence"]["clean"])
        self.assertNotIn("5060/UDP", found["evidence"]["clean"])
        for fact in report.pick(dst_port=5060, transport="udp",
                                direction="out"):
            self.assertEqual(fact["result"], "blocked", report.told())

    def test_sip_port_rejected(self):
        report = self.of("reject")
        self.assertEqual(report.ids(), ["path.sip-port-blocked"],
                         report.told())
        refused = report.pick(dst_port=5060, transport="udp",
                              result="refused")
        self.assertTrue(refused)
        for fact in refused:
            self.assertEqual(fact["evidence"]["refused_by"], "192.0.2.1")

    def test_sip_port_dropped_both_ways(self):
        report = self.of("both ways")
        self.assertEqual(report.ids(), ["path.sip-port-blocked",
                                        "path.drops-messages"],
                         report.told())
        for port in 5080, 10443:
            self.assertTrue(report.pick(dst_port=port, transport="udp",
                                        result="answer-dropped"))

    def test_udp_blocked(self):
        report = self.of("udp")
        self.assertEqual(report.status, 2)
        self.assertIn("path.udp-blocked", report.ids())
        self.assertFalse(report.pick(transport="udp", state="pass"))
        self.assertTrue(report.pick(transport="tls", state="pass"))

    def test_tls_blocked(self):
        report = self.of("tls")
        self.assertEqual(report.ids(), ["path.sip-port-blocked"],
                         report.told())
        self.assertIn("5061/TLS", report.findings[0]["title"])
        control, = report.pick("edge.control")
        self.assertEqual((control["state"], control["scope"]),
                         ("pass", "tls/10443"))
        for fact in report.pick(transport="tls"):
            self.assertNotEqual(fact["state"], "pass")

    def test_tcp_reset(self):
        report = self.of("reset")
        self.assertEqual(report.ids(), ["path.sip-port-blocked"],
                         report.told())
        self.assertIn("5060/TCP", report.findings[0]["title"])
        for fact in report.pick(transport="tcp", dst_port=5060):
            self.assertEqual(fact["result"], "refused", report.told())
        self.assertFalse(report.pick(transport="udp", state="fail"))


class NoEdge(unittest.TestCase):
    """Where nobody answers, nothing is said about the network."""

    def test_without_and_with_alg(self):
        for option in "--nat-at", "--alg-at":
            with self.subTest(option=option):
                report, _ = DONE[option]
                self.assertEqual((report.status, report.verdict),
                                 (3, "could-not-test"), report.told())
                self.assertEqual(report.ids(), ["edge.unreachable"])
                self.assertFalse(report.pick(state="pass"))


lab.main()
