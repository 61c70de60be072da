"""Other people's servers and clients: what can be said, and no more."""
import shutil
import unittest

import lab
import rig

# The mirror of a message is what none of them gives, so that neither "ready"
# nor "clean" can be said, whether the ALG is on or off.
TARGET = ("--server", lab.SERVER)
AWAIT = f"server:cd /tmp; exec python3 {lab.HERE}/await_sip.py"
CONFIG = lab.HERE / "server"
SERVERS = {
    "kamailio": (f"{AWAIT} 5060 kamailio -f {CONFIG}/kamailio.cfg -DD -E "
                 "-m 16 -M 4", {"udp/5060", "udp/5080", "tcp/5060"}),
    "sipp": (f"{AWAIT} 5060 sipp -sf {CONFIG}/uas.xml -i {lab.SERVER} "
             "-p 5060 -t u1 -nostdin", {"udp/5060"}),
    "prumo": (rig.EDGE, {"udp/5060", "udp/5080", "tcp/5060", "tls/5061"}),
}


class Servers(unittest.TestCase):
    def check(self, name, *options):
        start, _ = SERVERS[name]
        if not shutil.which(name, path="/usr/bin:/usr/sbin") and \
                name != "prumo":
            self.skipTest(f"no {name}")
        with rig.Lab(*options, servers=[start]) as room:
            return room.check(target=TARGET)

    def assert_honest(self, report, answers):
        self.assertEqual((report.status, report.verdict),
                         (3, "could-not-test"), report.told())
        self.assertEqual(report.ids(), ["alg.unknown"], report.told())
        seen = report.pick("alg.via-reflection")
        self.assertEqual({f"{f['transport']}/{f['dst_port']}" for f in seen
                          if f["result"] == "same"}, answers)
        self.assertEqual(len(seen), 4)
        for fact in seen:
            if fact["result"] == "same":
                self.assertEqual(fact["state"], "pass")
                self.assertIn("does not prove", fact["summary"])
            else:
                self.assertEqual((fact["state"], fact["result"]),
                                 ("unknown", "unknown"))
                self.assertTrue(fact["why"])
        ladder, = report.pick()
        self.assertEqual(ladder["state"], "skipped")
        for unseen in ("Contact", "SDP", "dropped", "pinholes"):
            self.assertIn(unseen, ladder["why"])
        self.assertNotIn("clean", {f.get("result") for f in report.facts})
        for finding in report.findings:
            self.assertNotIn("clean", finding["evidence"])

    def test_every_server_with_and_without_alg(self):
        for name, (_, answers) in SERVERS.items():
            for option in "--nat-at", "--alg-at":
                with self.subTest(server=name, option=option):
                    self.assert_honest(self.check(name, option, 1), answers)

    def test_no_server(self):
        with rig.Lab("--nat-at", 1, servers=()) as room:
            report = room.check(target=TARGET)
        self.assertEqual((report.status, report.verdict),
                         (3, "could-not-test"), report.told())
        self.assertFalse(report.pick("alg.via-reflection", state="pass"))


class ForeignClient(unittest.TestCase):
    @unittest.skipUnless(shutil.which("sipsak"), "no sipsak")
    def test_sipsak_is_answered(self):
        with rig.Lab("--nat-at", 1) as room:
            for uri, words, told in (
                    (f"sip:{lab.SERVER}:5060", [], "SIP/2.0 200 "),
                    (f"sip:{lab.SERVER}:5080", [], "SIP/2.0 200 "),
                    (f"sip:user@{lab.SERVER}:5060", ["-U"], "successful"),
                    (f"sip:{lab.SERVER}:5060", ["-E", "tcp"],
                     "SIP/2.0 200 ")):
                with self.subTest(uri=uri, words=words):
                    status, out, err = room.run("client", "sipsak", "-vv",
                                                *words, "-s", uri)
                    self.assertEqual(status, 0, out + err)
                    self.assertIn(told, out)


lab.main()
