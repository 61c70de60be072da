"""A router that keeps silent makes a range, never a guess."""
import concurrent.futures
import json
import unittest

import lab
import rig


class Behind(unittest.TestCase):
    def test_alg_behind_another_nat(self):
        with rig.Lab("--hops", 3, "--nat-at", 1, "--alg-at", 2) as room:
            report = room.check()
        self.assertEqual((report.status, report.ids()),
                         (2, ["alg.rewrites-sip"]), report.told())
        place = report.alg()["evidence"]["location"]
        self.assertEqual((place["hop"], place["address"]),
                         (2, "203.0.113.1"), report.told())
        self.assertIn("SDP o=", {e["field"] for e in
                                 report.alg()["evidence"]["edits"]})


class Location(unittest.TestCase):
    def place(self, *options):
        with rig.Lab(*options) as room:
            report = room.check()
        self.assertEqual(report.ids(), ["alg.rewrites-sip"], report.told())
        fact, = report.pick("alg.location")
        return report, fact

    def test_silence_behind_the_alg(self):
        _, fact = self.place("--hops", 4, "--alg-at", 1, "--silent-at", 2)
        self.assertEqual((fact["hop"], fact["hop_min"], fact["hop_max"]),
                         (None, 1, 3))
        self.assertNotIn("address", fact)

    def test_silence_of_the_alg(self):
        report, fact = self.place("--hops", 4, "--alg-at", 2,
                                  "--silent-at", 2)
        self.assertEqual((fact["hop"], fact["hop_min"], fact["hop_max"]),
                         (None, 1, 3))
        self.assertEqual((report.alg()["segment"]), "unknown")

    def test_silence_of_the_first(self):
        _, fact = self.place("--hops", 4, "--alg-at", 1, "--silent-at", 1)
        self.assertEqual((fact["hop"], fact["hop_min"], fact["hop_max"]),
                         (None, 0, 2))

    def test_silence_elsewhere_harms_nothing(self):
        _, fact = self.place("--hops", 4, "--alg-at", 1, "--silent-at", 4)
        self.assertEqual((fact["hop"], fact["address"]), (1, "192.0.2.1"))

    def test_all_silent(self):
        _, fact = self.place("--alg-at", 1, "--silent-at", 1,
                             "--silent-at", 2)
        self.assertEqual((fact["hop"], fact["state"]), (None, "unknown"))
        self.assertTrue(fact["why"])

    def test_quotes_are_what_was_sent(self):
        _, fact = self.place("--hops", 3, "--alg-at", 2)
        first, second, third = fact["evidence"]["quotes"]
        for quote, address in ((first, "192.0.2.1"),
                               (second, "203.0.113.1"),
                               (third, "198.18.2.1")):
            self.assertEqual((quote["address"], quote["tries"]),
                             (address, 3))
            self.assertGreater(quote["quote_bytes"], 400)
        self.assertNotIn("first_difference", first)
        self.assertNotIn("first_difference", second)
        self.assertEqual(third["first_difference"], fact["evidence"]["at"])
        self.assertIn("192.0.2.33", fact["evidence"]["before"])
        self.assertIn("198.18.2.2", fact["evidence"]["after"])


class BothWays(unittest.TestCase):
    def place(self, hop, words, finding):
        with rig.Lab("--hops", 3, "--router", f"{hop}:{words}") as room:
            report = room.check()
        self.assertIn(finding, report.ids(), report.told())
        fact, = report.pick("alg.location")
        return fact

    def test_what_is_swallowed_both_ways(self):
        fact = self.place(2, "alg=drop-unknown-method", "alg.drops-sip")
        self.assertEqual((fact["hop"], fact["address"], fact["hop_min"],
                          fact["hop_max"]), (2, "203.0.113.1", 2, 2))

    def test_what_is_swallowed_one_way(self):
        fact = self.place(2, "alg=drop-unknown-method+out-only",
                          "alg.drops-sip")
        self.assertEqual((fact["hop"], fact["hop_min"], fact["hop_max"],
                          fact["last_address"], fact["next_address"]),
                         (None, 2, 3, "203.0.113.1", "198.18.2.1"))

    def test_what_comes_in_changed(self):
        fact = self.place(2, "alg=request-uri", "alg.edits-inbound")
        self.assertEqual((fact["hop"], fact["address"], fact["direction"]),
                         (2, "203.0.113.1", "in"))


class Calls(unittest.TestCase):
    """An INVITE that is lost for other calls, while those go on."""

    WISHES = (
        # options: hop, least and last hop
        ("1:alg=drop-rtp-reuse", (1, 1, 1)),
        ("3:alg=drop-rtp-reuse", (3, 3, 3)),
        ("1:alg=drop-busy", (1, 1, 1)),
        ("2:alg=drop-busy", (2, 2, 2)),
        # what takes longer than the edge lets a call last
        ("1:alg=drop-busy,out.delay=150,in.delay=150", (1, 1, 1)),
        ("2:alg=drop-rtp-reuse,out.delay=150,in.delay=150", (2, 2, 2)),
        # what the far end says does not end a call there
        ("2:alg=drop-rtp-reuse+out-only", (None, 2, 3)),
    )

    def test_one_hop_by_who_ends_the_call(self):
        def check(wish):
            with rig.Lab("--hops", 3, "--router", wish[0]) as room:
                return room.check()

        with concurrent.futures.ThreadPoolExecutor(7) as pool:
            reports = pool.map(check, self.WISHES)
            for (words, want), report in zip(self.WISHES, reports):
                with self.subTest(words=words):
                    self.assertEqual(report.ids(), ["alg.drops-sip"],
                                     report.told())
                    fact, = report.pick("alg.location")
                    self.assertEqual((fact["hop"], fact["hop_min"],
                                      fact["hop_max"]), want,
                                     (report.told(), fact["evidence"]))


class OverTcp(unittest.TestCase):
    """Connections open; the messages are swallowed."""

    SIX = "2001:db8:ffff::10"
    WISHES = (
        # options, edge: hop, least and last hop, its address or the last's
        (("--router", "1:alg=drop-tcp"), lab.SERVER,
         (1, 1, 1, "192.0.2.1")),
        # the way there ends at the edge: only the way back tells
        (("--router", "3:alg=drop-tcp"), lab.SERVER,
         (3, 3, 3, "198.18.2.1")),
        (("--router", "2:alg=drop-tcp", "--ip6"), SIX,
         (2, 2, 2, "2001:db8:1::1")),
        # one mapping for all that comes from a port
        (("--router", "1:nat=on,mapping=ei,ports=random",
          "--router", "2:alg=drop-tcp"), lab.SERVER,
         (2, 2, 2, "203.0.113.1")),
        # a mapping for each: the edge finds no connection to send along
        (("--router", "1:nat=on,mapping=apd,ports=random",
          "--router", "2:alg=drop-tcp"), lab.SERVER,
         (None, 2, 3, "203.0.113.1")),
        # what comes in arrives
        (("--router", "2:alg=drop-tcp+out-only"), lab.SERVER,
         (None, 2, 3, "203.0.113.1")),
    )

    @staticmethod
    def check(wish):
        options, edge, _ = wish
        with rig.Lab("--hops", 3, *options) as room:
            return room.check(target=("--edge", edge))

    def test_one_hop_where_both_ends_can_send(self):
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            reports = pool.map(self.check, self.WISHES)
            for (options, _, want), report in zip(self.WISHES, reports):
                with self.subTest(options=options):
                    self.assertEqual(report.ids(), ["path.sip-port-blocked"],
                                     report.told())
                    place = report.findings[0]["evidence"]["location"]
                    self.assertEqual(
                        (place.get("hop"), place["hop_min"],
                         place["hop_max"],
                         place.get("address", place.get("last_address"))),
                        want, report.told())
                    fact, = report.pick("alg.location")
                    self.assertEqual(fact["scope"], "tcp")
                    self.assertEqual(fact["evidence"]["back"][0]["answers"],
                                     2 * ("out-only" in options[1]))


class ChangedOverTcp(unittest.TestCase):
    """By what routers quote of TCP, which only root gets to see."""
    WISHES = (
        (("--router", "1:alg=via+contact+tcp-only"), lab.SERVER,
         (1, 1, 2, "192.0.2.1")),
        (("--router", "1:nat=on,mapping=apd,ports=random",
          "--router", "2:alg=recase+tcp-only"), lab.SERVER,
         (2, 2, 3, "203.0.113.1")),
        (("--router", "3:alg=recase+tcp-only", "--ip6"), OverTcp.SIX,
         (3, 3, 4, "2001:db8:2::1")),
        # it quotes too little
        (("--router", "2:alg=recase+tcp-only,icmp=28"), lab.SERVER,
         (None, 1, 3, None)),
    )

    def test_one_hop(self):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            reports = pool.map(OverTcp.check, self.WISHES)
            for (options, _, want), report in zip(self.WISHES, reports):
                with self.subTest(options=options):
                    self.assertEqual(report.ids(), ["alg.rewrites-sip"],
                                     report.told())
                    fact, = report.pick("alg.location", scope="tcp")
                    self.assertEqual(
                        (fact["hop"], fact["hop_min"], fact["hop_max"],
                         fact.get("address")), want, report.told())

    def test_who_may_not_see_is_told(self):
        with rig.Lab("--router", "1:alg=recase+tcp-only") as room:
            _, out, err = room.run(
                "client", "setpriv", "--bounding-set=-net_raw", lab.PRUMO,
                "check", "--edge", lab.SERVER, "-o", "json",
                "--only", "sip-alg", env={"PRUMO_STAY_HOME": "1"})
        self.assertTrue(out, err)
        report = json.loads(out)
        fact, = (f for f in report["facts"] if f["id"] == "alg.location")
        self.assertEqual((fact["state"], fact["scope"], fact["hop"]),
                         ("unknown", "tcp", None))
        self.assertIn("CAP_NET_RAW", fact["why"])


class State(unittest.TestCase):
    """Nothing is edited: by what a state needs to come about."""
    WISHES = {
        # options: hop, least and last hop, basis, finding
        ("--router", "1:alg=pinhole"):
            (1, 1, 1, "state", "alg.opens-pinholes"),
        ("--router", "2:alg=pinhole+ghost"):
            (2, 2, 2, "state", "alg.opens-pinholes"),
        ("--router", "2:alg=pinhole-anyone,icmp-rate=1"):
            (2, 2, 2, "state", "alg.opens-pinholes"),
        ("--router", "1:alg=pinhole-calls"):
            (1, 1, 1, "state", "alg.opens-pinholes"),
        ("--router", "3:alg=pinhole-calls,out.loss=2,in.loss=2"):
            (3, 3, 3, "state", "alg.opens-pinholes"),
        ("--router", "1:alg=remap"): (1, 1, 1, "state", "alg.moves-binding"),
        ("--router", "2:alg=remap,out.delay=20,in.delay=20"):
            (2, 2, 2, "state", "alg.moves-binding"),
        ("--router", "1:alg=wrong-port"):
            (1, 1, 1, "other-port", "alg.drops-answers"),
        ("--router", "2:alg=wrong-port"):
            (2, 2, 2, "other-port", "alg.drops-answers"),
        # the box and the next are silent
        ("--router", "1:alg=pinhole,icmp=silent", "--silent-at", "2"):
            (None, 1, 2, "state", "alg.opens-pinholes"),
        # what passes the last router is answered
        ("--router", "3:alg=pinhole"):
            (None, 2, 3, "state", "alg.opens-pinholes"),
    }

    @staticmethod
    def check(options):
        with rig.Lab("--hops", 3, *options) as room:
            # a burst would find no limit where nothing is answered
            return room.check(*["--full"] * ("2:alg=wrong-port" in options))

    def test_one_hop_or_what_is_proven(self):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            reports = pool.map(self.check, self.WISHES)
            for (options, want), report in zip(self.WISHES.items(), reports):
                with self.subTest(options=options):
                    fact, = report.pick("alg.location")
                    self.assertEqual(
                        (fact["hop"], fact["hop_min"], fact["hop_max"],
                         fact["basis"]), want[:4],
                        (report.told(), fact["evidence"]))
                    alg = report.alg()
                    self.assertIn(want[4], [
                        alg["id"], *alg["evidence"].get("also", [])])
                    self.assertEqual(report.pick(
                        variant="burst", result="request-dropped"), [])


class Rate(unittest.TestCase):
    def test_a_limit_is_found_and_placed(self):
        with rig.Lab("--hops", 3, "--router", "1:alg=drop-fast") as room:
            report = room.check()
        self.assertEqual(report.ids(), ["alg.drops-sip"], report.told())
        fact, = report.pick("alg.location")
        self.assertEqual(fact["hop"], 1, report.told())


lab.main()
