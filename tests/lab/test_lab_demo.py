"""The demonstration shows what it says, against the kernel's own ALG.

prumo demo itself asks the router whether its ALG is as announced and ends
with 3 where it is not, so every other status here is one with the adversary
in place.
"""
import concurrent.futures
import ipaddress
import json
import os
import pathlib
import tempfile
import unittest

import lab
import rig
import services

CLIENT, PUBLIC = "192.0.2.33", "203.0.113.2"


def hop_address(hop):
    """The side of a router that answers the client."""
    return {1: "192.0.2.1", 2: "203.0.113.1"}.get(hop, f"198.18.{hop - 1}.1")


def nat_address(hop):
    return PUBLIC if hop == 1 else f"198.18.{hop}.2"


def fields(edits):
    """field: all pairs of before and after"""
    found = {}
    for edit in edits:
        found.setdefault(edit["field"], []).append(
            (edit["before"], edit["after"]))
    return found


class Found(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.report = rig.demo_report()
        cls.alg = cls.report.alg()

    def test_verdict(self):
        self.assertEqual(self.report.status, 2)
        self.assertEqual(self.report.verdict, "not-ready")
        self.assertEqual(self.report.ids(), ["alg.rewrites-sip"])
        self.assertEqual((self.alg["severity"], self.alg["segment"],
                          self.alg["act"]), ("fail", "router", "customer"))

    def test_edits_with_both_values(self):
        edits = fields(self.alg["evidence"]["edits"])
        pair = (f"{CLIENT}:5060", f"{PUBLIC}:5060")
        self.assertIn(pair, edits["Via"])
        self.assertIn(pair, edits["Contact"])
        self.assertEqual(edits["SDP o="], [("o=- 1 1 IN IP4 192.0.2.155",
                                            f"o=- 1 1 IN IP4 {PUBLIC}")])
        self.assertEqual(edits["SDP c="], [(f"c=IN IP4 {CLIENT}",
                                            f"c=IN IP4 {PUBLIC}")])

    def test_what_the_kernel_leaves_alone(self):
        edits = fields(self.alg["evidence"]["edits"])
        for field in ("Call-ID", "Route", "Record-Route", "X-Prumo",
                      "X-Prumo-Addr", "Authorization", "Request-URI"):
            self.assertNotIn(field, edits)

    def test_location(self):
        fact, = self.report.pick("alg.location")
        for where in (fact, self.alg["evidence"]["location"]):
            self.assertEqual((where["hop"], where["address"]),
                             (1, "192.0.2.1"))

    def test_clean_ports_are_the_remedy(self):
        clean = self.alg["evidence"]["clean"]
        self.assertIn("5080/UDP", clean)
        self.assertIn("5061/TLS", clean)
        for port, transport in ((5080, "udp"), (5061, "tls")):
            got = self.report.pick(dst_port=port, transport=transport)
            self.assertTrue(got)
            for fact in got:
                self.assertEqual((fact["result"], fact["state"],
                                  fact["edits"]), ("clean", "pass", []))
        remedies = {r["id"]: r for r in self.alg["remedy"]}
        for name, word in (("use-tls", "5061"),
                           ("use-alternative-port", "5080")):
            self.assertFalse(remedies[name]["needs_router"])
            self.assertIn(word, remedies[name]["text"])
        self.assertTrue(remedies["alg-off"]["needs_router"])

    def test_pinhole(self):
        fact, = self.report.pick("alg.pinhole")
        self.assertEqual(fact["result"], "open")

    def test_fingerprint(self):
        mark = self.alg["evidence"]["fingerprint"]
        self.assertEqual((mark["name"], mark["confidence"]),
                         ("linux-netfilter", "high"))

    def test_every_edited_fact_says_what_was_edited(self):
        edited = self.report.pick(result="edited")
        self.assertGreater(len(edited), 5)
        for fact in edited:
            self.assertTrue(fact["edits"])
            self.assertEqual(fact["dst_port"], 5060)
            self.assertNotEqual(fact["evidence"]["sent"],
                                fact["evidence"]["arrived"])


class Off(unittest.TestCase):
    def test_nothing_but_pass(self):
        for options in ((), ("--hops", "1"), ("--hops", "4")):
            with self.subTest(options=options):
                report = rig.demo_report("--alg", "off", *options)
                self.assertEqual((report.status, report.findings),
                                 (0, []), report.told())
                # Names are given, not asked for: no fact of this network.
                self.assertEqual({f["state"] for f in report.facts
                                  if f.get("result") != "given"},
                                 {"pass"}, report.told())
                self.assertGreater(len(report.pick(result="clean")), 5)


class Reached(unittest.TestCase):
    """Every flow of the profile, at the lab's addresses."""

    def assert_reached(self, report, scopes):
        self.assertEqual(list(services.fares(report)), scopes)
        for flow in report.pick("flow.reached"):
            self.assertEqual(flow["state"], "pass", flow)
            for index in flow["asked"]:
                self.assertEqual(report.facts[index]["address"],
                                 flow["address"])

    def test_every_flow_is_named_by_its_row(self):
        flows = services.flows()
        self.assertEqual(len(flows), 116)
        for options in ((), ("--alg", "off")):
            with self.subTest(options=options):
                report = rig.demo_report(*options)
                self.assert_reached(report, [f[0] for f in flows])
                self.assertEqual([f["address"] for f in
                                  report.pick("flow.reached")],
                                 [f[1] for f in flows])

    def test_table_by_row_follows_the_cause(self):
        done = rig.demo(env={"LANGUAGE": "C", "LC_ALL": "C.UTF-8"})
        cause = done.stdout.index("alg.rewrites-sip")
        table = done.stdout.index("116 of 116 reached")
        self.assertLess(cause, table)
        self.assertIn("189.112.195.169 (Sinalização SIP): "
                      "5060 5061 5080/UDP, 5060 5061 5080/TCP",
                      done.stdout[table:])

    def test_any_profile_by_a_path_too(self):
        rows = [{"table": "t", "row": 1, "host": "203.0.113.77",
                 "ports": ["5060"], "transports": ["udp"]},
                {"table": "t", "row": 2, "host": "sip.example",
                 "ports": ["5060", "20000-20100"], "transports": ["udp"]},
                {"table": "t", "row": 3, "host": "SIP.example",
                 "ports": ["5080"], "transports": ["tcp"]},
                {"table": "t", "row": 4, "host": "_sips._tcp.voz.example",
                 "ports": ["5061"], "transports": ["tls"]},
                {"table": "t", "row": 5, "host": "_stun._udp.voz.example",
                 "ports": ["3478"], "transports": ["udp"],
                 "class": "stun"}]
        sip = next(r for r in services.ROWS if r["class"] == "sip")
        profile = {**services.PROFILE, "settings": [], "rows": [
            {**sip, **row} for row in rows]}
        profile["tables"] = [{"id": "t"}]
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "own.yaml"
            path.write_text(json.dumps(profile))
            os.chmod(folder, 0o755)
            # A path that is none from where the edge is started.
            report = rig.demo_report(os.path.relpath(path, "/"))
        self.assertEqual(report.ids(), ["alg.rewrites-sip"])
        self.assert_reached(report, ["t/1/udp/5060", "t/2/udp/5060",
                                     "t/2/udp/20000-20100", "t/3/tcp/5080",
                                     "t/4/tls/5061", "t/5/udp/3478"])
        self.assertEqual(len({f["address"] for f in
                              report.pick("flow.reached")}), 3)
        # The edge is their name server.
        sips, stun = report.pick("name.service", result="resolved")
        self.assertEqual(
            [(n["services"], n["replacement"]) for n in sips["naptr"]],
            [("SIPS+D2T", "_sips._tcp.voz.example")])
        self.assertEqual((sips["targets"], stun["targets"]),
                         ([{"host": "voz.example", "port": 5061}],
                          [{"host": "voz.example", "port": 3478}]))

    def test_scenario_with_an_edge_alone(self):
        report = rig.demo_report("--scenario", str(
            lab.HERE.parents[1] / "scenarios" / "udp-blocked.yaml"))
        self.assertEqual(report.status, 2)
        self.assertEqual({(f["transport"] == "udp", f["state"]) for f in
                          report.pick("flow.reached")},
                         {(True, "fail"), (False, "pass")})

    def test_nothing_goes_to_the_real_addresses(self):
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o777)
            rig.demo("--capture", folder)
            sent = destinations(pathlib.Path(folder) / "client.pcap")
        self.assertLessEqual(set(services.PLACES.values()) | {lab.SERVER},
                             sent)
        nets = [ipaddress.ip_network(net) for net in
                ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]
        self.assertEqual([a for a in sent if not any(
            ipaddress.ip_address(a) in net for net in nets)], [])


def destinations(path):
    """Where the IPv4 packets of a capture go (pcap, Ethernet)."""
    data, found, at = path.read_bytes(), set(), 24
    while at < len(data):
        n = int.from_bytes(data[at + 8:at + 12], "little")
        frame = data[at + 16:at + 16 + n]
        at += 16 + n
        if frame[12:14] == b"\x08\x00":
            found.add(str(ipaddress.ip_address(frame[30:34])))
    return found


class Where(unittest.TestCase):
    def test_every_place_in_every_chain(self):
        places = [(hops, at) for hops in range(1, 5)
                  for at in range(1, hops + 1)]
        # A check mostly waits; a few at a time are no load.
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            reports = list(pool.map(lambda place: rig.demo_report(
                "--hops", str(place[0]), "--alg-at", str(place[1])), places))
        for (hops, at), report in zip(places, reports):
            with self.subTest(hops=hops, at=at):
                self.assert_found(report, hops, at)

    def assert_found(self, report, hops, at):
        fact, = report.pick("alg.location")
        self.assertEqual([fact[k] for k in ("hop", "address", "hop_min",
                                            "hop_max")],
                         [at, hop_address(at), at, at + 1], report.told())
        self.assertEqual(report.pick("path.hops")[0]["value"], hops)
        via = fields(report.alg()["evidence"]["edits"])["Via"]
        self.assertIn((f"{CLIENT}:5060", f"{nat_address(at)}:5060"), via)


class Words(unittest.TestCase):
    def test_english(self):
        done = rig.demo(env={"LANGUAGE": "C", "LC_ALL": "C.UTF-8"})
        self.assertEqual((done.returncode, done.stderr), (2, ""))
        for words in ("NOT READY", "hop 1, 192.0.2.1", "SDP o=",
                      f"before   {CLIENT}:5060", f"after    {PUBLIC}:5060",
                      "5080/UDP", "5061/TLS", "port 5061"):
            self.assertIn(words, done.stdout)
        self.assertNotIn("\x1b", done.stdout)

    def test_portuguese(self):
        done = rig.demo(env={"LANGUAGE": "pt_BR", "LC_ALL": "C.UTF-8"})
        self.assertEqual((done.returncode, done.stderr), (2, ""))
        for words in ("roteador", "192.0.2.1", "5080/UDP", "5061/TLS",
                      f"{CLIENT}:5060", f"{PUBLIC}:5060"):
            self.assertIn(words, done.stdout)
        self.assertNotIn("NOT READY", done.stdout)
        self.assertNotIn("router", done.stdout)

    def test_json_is_never_translated(self):
        done = rig.demo("-o", "json", env={"LANGUAGE": "pt_BR",
                                           "LC_ALL": "C.UTF-8"})
        report = rig.Report(done.stdout, done.returncode)
        self.assertIn("rewrites the SIP messages", report.alg()["title"])

    def test_ascii_where_the_locale_is(self):
        done = rig.demo(env={"LANGUAGE": "", "LC_ALL": "C"})
        self.assertTrue(done.stdout.isascii())


class Usage(unittest.TestCase):
    def test_bad_options(self):
        for options in (["--hops", "0"], ["--hops", "9"], ["--hops", "x"],
                        ["--alg-at", "3"], ["--alg-at", "0"],
                        ["--alg", "maybe"], ["--nat", ""], ["-o", "xml"],
                        ["--no-such-option"], ["--hops"],
                        ["cloudphone-pro", "another"]):
            with self.subTest(options=options):
                done = rig.demo(*options)
                self.assertEqual((done.returncode, done.stdout), (64, ""))
                self.assertTrue(done.stderr)


lab.main()
