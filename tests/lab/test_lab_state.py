"""An ALG that edits nothing shows in ports that open and in timers."""
import concurrent.futures
import unittest

import lab
import rig

HELPER = """
ct helper sip-udp { type "sip" protocol udp; }
chain helper {
	type filter hook prerouting priority mangle
	udp dport 5060 ct helper set "sip-udp"
}
chain guard {
	type filter hook forward priority -5
	ct state established,related accept
	iifname wan drop
}
"""


class Pinhole(unittest.TestCase):
    def test_helper_that_does_not_translate(self):
        with rig.Lab(nodes=["r1"]) as room:
            room.nft("r1", HELPER)
            report = room.check()
            strict = room.check("--strict")
            room.must("r1", "sh", "-c",
                      "conntrack -L -p udp --dport 5060 | grep helper=sip")
        self.assertEqual((report.status, strict.status), (0, 1),
                         report.told())
        for one in (report, strict):
            self.assertEqual(one.verdict, "ready-with-remarks")
            self.assertEqual(one.ids(), ["alg.opens-pinholes"])
            self.assertEqual(one.alg()["severity"], "warn")
            pinhole, = one.pick("alg.pinhole")
            self.assertEqual((pinhole["state"], pinhole["result"]),
                             ("warn", "open"))
            self.assertFalse(one.pick(result="edited"))
            self.assertEqual(one.alg()["evidence"]["location"]["hop"], 1,
                             one.pick("alg.location"))


class Twins(unittest.TestCase):
    def check(self, words):
        with rig.Lab("--hops", 3, "--router", words) as room:
            return room.check()

    def test_the_second_of_two_is_lost(self):
        wishes = ("1:alg=twin-drop", "2:alg=twin-drop,out.loss=3,in.loss=3")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for hop, report in enumerate(pool.map(self.check, wishes), 1):
                self.assertEqual(report.ids(), ["path.loses-twins"],
                                 report.told())
                fact, = report.pick("path.twins")
                self.assertEqual(fact["evidence"]["second"], 0)
                self.assertGreaterEqual(fact["evidence"]["known"], 5)
                # the edge cannot begin a session towards here
                place = report.findings[0]["evidence"]["location"]
                self.assertEqual((place.get("hop"), place["hop_min"],
                                  place["hop_max"], place["basis"]),
                                 (None, hop, hop + 1, "drop"), report.told())


class Stale(unittest.TestCase):
    """What the kernel's conntrack does with a session that it knew before."""
    SPEAK = ("import socket; s = socket.socket(socket.AF_INET, "
             "socket.SOCK_DGRAM); s.bind(('', 5060)); "
             f"s.sendto(b'x', ('{lab.SERVER}', 5060))")
    FORGET = ("r1", "conntrack", "-D", "-p", "udp", "--dport", "5060")

    def assert_cleared(self, room):
        room.must(*self.FORGET)
        report = room.check()
        self.assertEqual((report.status, report.findings), (0, []),
                         report.told())

    def test_helper_stays_with_the_old_session(self):
        with rig.Lab("--nat-at", 1, nodes=["r1"]) as room:
            room.nft("r1", HELPER)
            room.must("client", "python3", "-c", self.SPEAK)
            room.must("r1", "nft", "flush", "chain", "inet", "test", "helper")
            report = room.check()
            self.assertEqual(report.ids(), ["alg.stale-session"],
                             report.told())
            evidence = report.alg()["evidence"]
            self.assertIn("alg.rewrites-sip", evidence["also"])
            self.assertEqual(evidence["location"]["hop"], 1)
            self.assert_cleared(room)

    def test_session_from_before_the_nat_is_dead(self):
        with rig.Lab("--hops", 2, nodes=["r1", "r2"]) as room:
            room.nft("r1", "chain track {\n"
                     "type filter hook forward priority 0\n"
                     "ct state new accept\n}")
            room.nft("r2", "chain carrier {\n"
                     "type filter hook forward priority 0\n"
                     "iifname lan ip saddr 192.0.2.0/24 drop\n}")
            room.must("client", "python3", "-c", self.SPEAK)
            room.nft("r1", "chain nat {\n"
                     "type nat hook postrouting priority srcnat\n"
                     "oifname wan masquerade\n}")
            report = room.check()
            self.assertEqual(report.ids(), ["path.stale-session"],
                             report.told())
            # it ends at the second router, and the first has led it there
            place = report.findings[0]["evidence"]["location"]
            self.assertEqual(place["hop_min"], 1, report.told())
            self.assert_cleared(room)


class Timer(unittest.TestCase):
    @staticmethod
    def measure(options, wait_s):
        with rig.Lab(*options) as room:
            return room.check(f"--timer={wait_s}")

    @classmethod
    def setUpClass(cls):
        # What is measured is a time, so they wait together.
        wishes = ((("--alg-at", 1, "--udp-timeout", 2), 5),
                  (("--nat-at", 1, "--udp-timeout", 60), 3),
                  (("--nat-at", 1, "--udp-timeout", 1), 4),
                  (("--hops", 3, "--router", "2:alg=timer,udp-new=2,"
                    "udp-replied=2,udp-stream=2"), 4))
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            cls.stretched, cls.long, cls.short, cls.alone = pool.map(
                lambda wish: cls.measure(*wish), wishes)

    def assert_timer(self, report, *want):
        fact, = report.pick("alg.timer")
        self.assertEqual((fact["result"], fact["sip_alive"],
                          fact["control_alive"]), want, report.told())

    def test_session_of_the_sip_port_outlives_others(self):
        self.assert_timer(self.stretched, "longer-on-sip", True, False)
        self.assertIn("alg.stretches-timer",
                      self.stretched.alg()["evidence"]["also"])

    def test_box_that_does_nothing_else_is_placed(self):
        self.assert_timer(self.alone, "longer-on-sip", True, False)
        self.assertEqual(self.alone.ids(), ["alg.stretches-timer"])
        place = self.alone.alg()["evidence"]["location"]
        self.assertEqual((place["hop"], place["basis"]), (2, "state"),
                         self.alone.pick("alg.location"))

    def test_equal_without_alg(self):
        for report, alive in ((self.long, True), (self.short, False)):
            self.assert_timer(report, "same", alive, alive)
            self.assertEqual((report.status, report.findings), (0, []))


lab.main()
