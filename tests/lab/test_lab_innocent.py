"""What is no ALG is never called one: no finding, and ready."""
import unittest

import lab
import rig

MASQUERADE = "oifname wan meta l4proto { tcp, udp } masquerade"


class Innocent(unittest.TestCase):
    def check(self, options, nodes=(), prepare=None, is_filtered=True,
              check=(), target=("--edge", lab.SERVER)):
        with rig.Lab(*options, nodes=nodes) as room:
            if prepare:
                prepare(room)
            report = room.check(*check, target=target)
            self.assertEqual((report.status, report.findings), (0, []),
                             report.told())
            self.assertEqual({f["result"] for f in report.pick()},
                             {"clean"}, report.told())
            # Where nothing is filtered, an open port says nothing.
            states = {"pass"} if is_filtered else {"pass", "unknown"}
            self.assertEqual({f["state"] for f in report.seen()}, states,
                             report.told())
            return report

    def test_no_nat(self):
        report = self.check(["--hops", 2], is_filtered=False)
        mapping, = report.pick("nat.mapping")
        self.assertEqual(mapping["result"], "none")

    def test_stateful_firewall(self):
        report = self.check(["--firewall-at", 1])
        pinhole, = report.pick("alg.pinhole")
        self.assertEqual(pinhole["result"], "closed")

    def test_nat(self):
        report = self.check(["--nat-at", 1, "--firewall-at", 1])
        mapping, = report.pick("nat.mapping")
        self.assertEqual(mapping["observed"], "203.0.113.2:5060")

    def test_changed_source_port(self):
        for how in ("random", "fully-random"):
            with self.subTest(how=how):
                def prepare(room, how=how):
                    room.must("r1", "nft", "flush", "chain", "inet", "lab",
                              "nat")
                    room.must("r1", "nft", "add rule inet lab nat "
                              f"{MASQUERADE} {how}")

                report = self.check(["--nat-at", 1], ["r1"], prepare)
                mapping, = report.pick("nat.mapping")
                self.assertEqual(mapping["result"], "address-and-port")
                seen = {f["evidence"]["observed"] for f in
                        report.pick(transport="udp", direction="out")
                        if "observed" in f["evidence"]}
                self.assertGreater(len(seen), 1)  # symmetric

    def test_double_nat(self):
        report = self.check(["--hops", 3, "--nat-at", 1, "--nat-at", 2])
        mapping, = report.pick("nat.mapping")
        self.assertEqual(mapping["observed"], "198.18.2.2:5060")
        self.assertTrue(report.pick(variant="public-address",
                                    result="clean"))

    def test_ip6(self):
        self.check(["--ip6", "--hops", 3], check=["-6"], is_filtered=False,
                   target=["--edge", "2001:db8:ffff::10"])

    def test_small_mtu(self):
        count = ("counter whole {}\ncounter parts {}\n"
                 "chain c {\n"
                 "type filter hook prerouting priority -450;\n"
                 "ip frag-off & 0x3fff != 0 counter name parts\n}")

        def prepare(room):
            room.nft("r2", count)
            room.must("r1", "ip", "link", "set", "wan", "mtu", "900")
            room.must("r2", "ip", "link", "set", "lan", "mtu", "900")

        with rig.Lab("--nat-at", 1, nodes=["r1", "r2"]) as room:
            prepare(room)
            report = room.check()
            # A big message in many parts, and others that became two.
            self.assertGreater(room.counters("r2")["parts"][0], 10)
        self.assertEqual((report.status, report.findings), (0, []),
                         report.told())
        self.assertEqual({f["result"] for f in report.pick()}, {"clean"},
                         report.told())


lab.main()
