"""The whole profile on a network that lets everything through."""
import json
import unittest

import lab
import rig
import services

INTERRUPT = lab.HERE / "interrupt.py"
REAL = ", ".join(h for h in services.hosts() if not services.is_name(h))
COUNTERS = ("counter sent {}\ncounter home {}\n"
            "chain count {\ntype filter hook forward priority -10\n"
            f"ip daddr {{ {REAL} }} counter name home\n"
            "iifname lan counter name sent\n}")
PROTOCOLS = {
    "sip": {"sip-options"}, "rtp": {"range"}, "stun": {"stun"},
    "web": {"http"}, "licence": {"http"}, "api": {"http"},
    "webrtc": {"http"}, "chat": {"http", "xmpp", "xmpp-bosh", "xmpp-ws"},
}


class Open(unittest.TestCase):

    def setUp(self):
        # A room each: an edge limits how often one source may come.
        self.room = services.Room("--hops", 2, "--nat-at", 1, nodes=["r1"],
                                  edge_options=["--dns"])
        self.addCleanup(self.room.close)
        self.room.nft("r1", COUNTERS)

    def counted(self, name, before=(0, 0)):
        now = self.room.counters("r1")[name]
        return [n - b for n, b in zip(now, before)]

    def test_every_flow_is_reached_and_named_by_its_row(self):
        report = self.room.reach()
        fares = services.fares(report)
        self.assertEqual(list(fares), [f[0] for f in services.flows()])
        self.assertEqual(set(fares.values()) - {"answered", "open"}, set(),
                         report.told())
        self.assertEqual(len(fares), 116)
        self.assertEqual(report.verdict, "ready")
        self.assertEqual(report.ids(), [])

        for flow in report.pick("flow.reached"):
            self.assertIn(flow["protocol"], PROTOCOLS[flow["class"]])
            # An answer of STUN has no room for who gives it.
            self.assertTrue(flow["is_edge"] or flow["class"] == "stun", flow)

            for index in flow["asked"]:
                asked = report.facts[index]
                self.assertEqual(asked["address"], flow["address"])
                self.assertEqual(asked["state"], "pass")

    def test_cost_is_not_exceeded(self):
        before = self.counted("sent")
        report = self.room.reach("--skip", "sip-alg")
        packets, size = self.counted("sent", before)
        plan = report.json["run"]["plan"]
        self.assertGreater(packets, plan["packets"] / 2)
        self.assertLessEqual(packets, plan["packets"])
        self.assertGreater(size, plan["bytes"] / 2)
        self.assertLessEqual(size, plan["bytes"])
        self.assertLessEqual(plan["packets"], plan["packets_most"])
        self.assertLessEqual(packets, plan["packets_most"])
        self.assertLess(plan["took_ms"], plan["seconds_most"] * 1000)

    def test_names_come_from_the_name_server(self):
        report = self.room.check(*services.places(names=False), "--dns",
                                 lab.SERVER, "--only", "names,more-names")
        names = report.pick("name.resolved")
        self.assertEqual({n["state"] for n in names}, {"pass"})
        self.assertEqual({n["scope"]: n["addresses"] for n in names},
                         {h: [a] for h, a in services.PLACES.items()
                          if services.is_name(h)})
        self.assertEqual(len(report.pick("flow.reached", state="pass")), 61)

    def test_only_and_skip(self):
        report = self.room.reach("--only", "sip,addresses/1",
                                 "--skip", "udp")
        asked = report.pick("flow.reached", state="pass")
        self.assertEqual({f["class"] for f in asked}, {"sip", "licence"})
        self.assertEqual({f["transport"] for f in asked}, {"tcp"})
        self.assertEqual(len(asked), 2 + 5 * 3)
        self.assertEqual(report.pick("alg.ladder"), [])
        rest = report.pick("flow.reached", state="skipped")
        self.assertEqual(len(rest), 116 - len(asked))
        self.assertTrue(all(f["why"] for f in rest))

    def test_unknown_words_are_refused(self):
        status, _, err = self.room.run("client", lab.PRUMO, "check",
                                       "--only", "sips")
        self.assertEqual(status, 64)
        self.assertIn("sips", err)

    def test_list_says_what_it_costs(self):
        out = self.room.must("client", lab.PRUMO, "check", "--list-checks",
                             *services.places())
        lines = out.splitlines()
        self.assertIn("sip-alg", lines[0])
        self.assertIn("116 flows", lines[-1])
        self.assertEqual(len([x for x in lines if "range/udp" in x]), 8)

    def test_nothing_goes_to_the_real_addresses(self):
        before = self.counted("home")
        status, out, _ = self.room.run(
            "client", lab.PRUMO, "check", "-o", "json",
            env={"PRUMO_STAY_HOME": "1"})
        report = rig.Report(out, status)
        flows = report.pick("flow.reached", state="skipped")
        self.assertEqual(len(flows), 116)
        self.assertTrue(all("PRUMO_STAY_HOME" in f["why"] or
                            "name" in f["why"] for f in flows))
        self.assertEqual(report.verdict, "could-not-test")
        self.assertEqual(self.counted("home", before), [0, 0])
        # ... and the counter would have seen it.
        self.room.run("client", "python3", "-c", (
            "import socket; s = socket.socket(socket.AF_INET, "
            "socket.SOCK_DGRAM); s.sendto(b'x', "
            f"('{services.hosts()[0]}', 9))"))
        self.assertEqual(self.counted("home", before)[0], 1)

    def test_text_is_a_table_by_row(self):
        out = self.room.must(
            "client", "env", "PRUMO_STAY_HOME=1", lab.PRUMO, "check",
            "--edge", lab.SERVER, *services.places())
        self.assertIn("116 of 116 reached", out)
        self.assertIn("189.112.195.169 (Sinalização SIP): "
                      "5060 5061 5080/UDP, 5060 5061 5080/TCP", out)
        self.assertEqual(out.count("OmniPro"), 2)

    def test_what_is_known_is_told_on_interrupt(self):
        self.room.block("r1", ["udp dport 5060 drop"])
        status, out, err = self.room.run(
            "client", "python3", INTERRUPT, 400, lab.PRUMO, "check",
            "--skip", "sip-alg", "--edge", lab.SERVER, "-o", "json",
            *services.places(), env={"PRUMO_STAY_HOME": "1"})
        self.assertTrue(out, (status, err))
        fares = {f["scope"]: f["result"] for f in json.loads(out)["facts"]
                 if f["id"] == "flow.reached"}
        self.assertIn("unfinished", fares.values(), err)
        self.assertIn("answered", fares.values())


if __name__ == "__main__":
    lab.main()
