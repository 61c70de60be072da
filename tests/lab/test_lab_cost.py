"""What a check costs in packets and memory: held to what is promised.

The time is measured by bench/, on a quiet machine.
"""
import json
import unittest

import lab
import rig

MAX_PACKETS, MAX_BYTES = 60, 16 << 20
COUNT = """
counter sent {}
counter received {}
chain out {
	type filter hook output priority 0
	oifname wan counter name sent
}
chain in {
	type filter hook input priority 0
	iifname wan counter name received
}
"""
# Linux counts what the parent held before exec(), too: an upper bound.
MEASURE = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([done.returncode, done.stdout, usage.ru_maxrss * 1024]))
"""


class Cost(unittest.TestCase):
    def measure(self, *options):
        """@return report, packets both ways, bytes of memory"""
        with rig.Lab(*options, nodes=["r1"]) as room:
            room.nft("client", COUNT)
            status, text, memory = json.loads(room.must(
                "client", "env", "PRUMO_STAY_HOME=1", "python3", "-c",
                MEASURE, lab.PRUMO, "check", "--edge", lab.SERVER, "-o",
                "json"))
            counters = room.counters("client")
        packets = counters["sent"][0] + counters["received"][0]
        return rig.Report(text, status), packets, memory

    def test_clean_path(self):
        report, packets, memory = self.measure("--nat-at", 1)
        self.assertEqual((report.status, report.findings), (0, []))
        # Each datagram was sent once: else this measures the machine.
        tries = {f["evidence"]["tries"] for f in report.pick(direction="out")}
        self.assertGreater(packets, 20)
        if tries == {1}:
            self.assertLessEqual(packets, MAX_PACKETS)
        self.assertLess(memory, MAX_BYTES)

    def test_with_alg(self):
        report, _, memory = self.measure("--alg-at", 1)
        self.assertEqual(report.status, 2)
        self.assertLess(memory, MAX_BYTES)


lab.main()
