"""5 % loss each way changes no verdict, with the ALG and without."""
import concurrent.futures
import unittest

import lab
import rig

RUNS = 4
LOSS = """
counter out {}
counter back {}
chain loss {
	type filter hook forward priority 10
	iifname lan numgen random mod 100 < 5 counter name out drop
	iifname wan numgen random mod 100 < 5 counter name back drop
}
"""


def run(options):
    """@return the report, and what was lost on the way there and back"""
    with rig.Lab("--hops", 3, *options, nodes=["r2"]) as room:
        room.nft("r2", LOSS)
        report = room.check()
        lost = room.counters("r2")
    return report, lost["out"][0], lost["back"][0]


def runs(*options):
    # A check mostly waits.
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(run, [options] * RUNS))


class Loss(unittest.TestCase):
    def assert_lossy(self, done):
        self.assertGreater(sum(out for _, out, _ in done), 0)
        self.assertGreater(sum(back for _, _, back in done), 0)

    def test_without_alg(self):
        done = runs("--nat-at", 1, "--firewall-at", 1)
        self.assert_lossy(done)
        for report, _, _ in done:
            self.assertEqual((report.status, report.findings), (0, []),
                             report.told())
            self.assertFalse(report.pick(state="fail"), report.told())
            self.assertFalse(report.pick(result="edited"), report.told())

    def test_with_alg(self):
        done = runs("--alg-at", 1)
        self.assert_lossy(done)
        for report, _, _ in done:
            self.assertEqual(report.status, 2, report.told())
            self.assertEqual(report.ids(), ["alg.rewrites-sip"],
                             report.told())
            evidence = report.alg()["evidence"]
            self.assertEqual(evidence["fingerprint"]["name"],
                             "linux-netfilter", report.told())
            place = evidence["location"]
            self.assertEqual((place["hop"], place["address"]),
                             (1, "192.0.2.1"), report.told())
            for port in ("5080/UDP", "5061/TLS"):
                self.assertIn(port, evidence["clean"], report.told())


lab.main()
