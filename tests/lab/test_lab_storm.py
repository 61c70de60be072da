"""An edge under a storm of rubbish stays up, small, and useful."""
import os
import threading
import unittest

import lab
import rig

STORM_S, SEED = 5, 4475
# What a sanitizer keeps of freed memory is not the edge's.
os.environ["ASAN_OPTIONS"] = ":".join(
    [*filter(None, [os.environ.get("ASAN_OPTIONS")]), "quarantine_size_mb=4"])
# From r2, whose address proves itself to the edge at no time.
COUNT = """
counter in {}
counter out {}
counter stun_in {}
counter stun_out {}
chain to {
	type filter hook input priority 0
	ip saddr 198.18.2.2 udp dport 3478 counter name stun_in
	ip saddr 198.18.2.2 udp dport != 3478 counter name in
}
chain from {
	type filter hook output priority 0
	ip daddr 198.18.2.2 udp sport 3478 counter name stun_out
	ip daddr 198.18.2.2 udp sport != 3478 counter name out
}
"""


class Storm(unittest.TestCase):
    def check_under_storm(self, *options):
        with rig.Lab(*options, nodes=["r2", "server"]) as room:
            room.nft("server", COUNT)
            stormed = []
            storm = threading.Thread(target=lambda: stormed.extend(room.run(
                "r2", "python3", lab.HERE / "storm.py", STORM_S, SEED)))
            storm.start()
            reports = [room.check(), room.check()]
            self.assertTrue(storm.is_alive())
            storm.join()
            reports.append(room.check())
            counters = room.counters("server")
            memory = room.must("server", "sh", "-c",
                               "cat /proc/$(pidof prumo)/status")
        status, out, err = stormed
        self.assertEqual(status, 0, err)
        self.assertGreater(int(out.split()[0]), 2000)
        return reports, counters, memory

    def assert_bounded(self, counters):
        # The one exception is STUN, whose answers RFC 8489 makes longer.
        self.assertGreater(counters["in"][0], 1000)
        self.assertGreater(counters["out"][0], 0)
        self.assertLessEqual(counters["out"][1], counters["in"][1])
        self.assertLessEqual(counters["out"][0], counters["in"][0])
        self.assertLessEqual(counters["stun_out"][0],
                             counters["stun_in"][0])
        self.assertLess(counters["stun_out"][1],
                        2 * counters["stun_in"][1])

    def assert_small(self, memory):
        words = dict(line.split(":", 1) for line in memory.splitlines())
        self.assertLess(int(words["VmHWM"].split()[0]), 64 * 1024)

    def test_without_alg(self):
        reports, counters, memory = self.check_under_storm()
        for report in reports:
            self.assertEqual((report.status, report.findings), (0, []),
                             report.told())
        self.assert_bounded(counters)
        self.assert_small(memory)

    def test_with_alg(self):
        reports, counters, memory = self.check_under_storm("--alg-at", 1)
        # An ALG this busy may drop an INVITE besides, which is told then.
        for report in reports:
            self.assertEqual(report.status, 2, report.told())
            self.assertEqual(report.ids()[0], "alg.rewrites-sip",
                             report.told())
            self.assertEqual(report.alg()["evidence"]["location"]["hop"], 1,
                             report.told())
        self.assert_bounded(counters)
        self.assert_small(memory)


lab.main()
