"""prumo check through routers whose truth is known."""
import json
import os
import pathlib
import tempfile
import unittest

import lab

PROFILE = lab.HERE.parent.parent / "profiles/cloudphone-pro.yaml"
# The result of an INVITE in two segments: by those that put TCP together, and
# by those that look at segments.
SPLIT = {"fortios-proxy": "edited", "asa": "edited", "sonicwall": "edited",
         "netfilter": "clean"}
WANT = {
    "netfilter": "alg.rewrites-sip",
    "quicksec": "alg.rewrites-sip",
    "fortios-proxy": "alg.acts-as-proxy",
    "asa": "alg.rewrites-sip",
    "sonicwall": "alg.rewrites-sip",
    "blind-replace": "alg.rewrites-sip",
    "semicolon-loser": "alg.corrupts-sip",
    "port-overflow": "alg.corrupts-sip",
    "broken-content-length": "alg.corrupts-sip",
    "pinhole-only": "alg.opens-pinholes",
    "large-dropper": "path.drops-messages",
}


def check(*options, edge=lab.SERVER):
    """The report of a check, and what the router says it did."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        truth = pathlib.Path(folder) / "truth.json"
        done = lab.lab(*options, "--truth", f"1:{truth}", "--server",
                       f"server:exec {lab.PRUMO} edge --user root", "client",
                       "env", "PRUMO_STAY_HOME=1", lab.PRUMO, "check",
                       "--edge", edge, "-o", "json", PROFILE, timeout=60)
        assert done.stdout, done.stderr
        return json.loads(done.stdout), json.loads(truth.read_text())


class Persona(unittest.TestCase):
    def test_each_is_found_for_what_it_is(self):
        for name, want in WANT.items():
            with self.subTest(persona=name):
                report, truth = check("--router", f"1:persona={name}")
                struck = sum(b["out"] + b["in"] for b in truth["behaviours"])
                self.assertGreater(struck, 0)
                ids = [i for f in report["findings"]
                       for i in (f["id"], *f["evidence"].get("also", []))]
                self.assertIn(want, ids)
                if name in SPLIT:
                    self.assertEqual({f["result"] for f in report["facts"]
                                      if f.get("variant") == "split"},
                                     {SPLIT[name]})

    def test_edits_are_located_at_their_hop(self):
        report, truth = check("--hops", 3, "--router", "1:persona=asa")
        hops = [f["evidence"]["location"]["hop"] for f in report["findings"]
                if "location" in f["evidence"]]
        self.assertEqual(hops, [1])
        self.assertGreater(len(truth["edits"]), 10)

    def test_ip6_is_edited_where_it_is_translated(self):
        for alg, want in (("", []), (",persona=asa", ["alg.rewrites-sip"])):
            with self.subTest(alg=alg):
                report, truth = check(
                    "--ip6", "--hops", 2, "--router", f"1:nat6=on{alg}",
                    edge="2001:db8:ffff::10")
                self.assertEqual([f["id"] for f in report["findings"]], want)
                self.assertGreater(truth["mappings"], 3)
                self.assertEqual({e["after"].rsplit(":5060")[0]
                                  for e in truth["edits"]
                                  if e.get("before") == "[2001:db8::33]:5060"},
                                 {"[2001:db8:1::2]"} if alg else set())

    def test_a_nat_is_no_alg(self):
        for words in ("nat=on", "nat=none", "nat=off",
                      "mapping=apd,filter=apd,ports=random", "mtu=1400",
                      "icmp=28", "out.delay=20,in.delay=20"):
            with self.subTest(words=words):
                report, truth = check("--router", f"1:{words}")
                self.assertEqual(report["findings"], [])
                self.assertEqual(truth["edits"], [])


SIP = ("def sip(n): return (f'OPTIONS sip:b@192.0.2.33 SIP/2.0\\r\\nVia: "
       "SIP/2.0/UDP 192.0.2.33:5070;branch=z9hG4bK{n}\\r\\nFrom: "
       "<sip:a@192.0.2.33:5070>;tag=1\\r\\nTo: <sip:b@198.51.100.10>\\r\\n"
       "Call-ID: {n}@192.0.2.33\\r\\nCSeq: {n} OPTIONS\\r\\nContact: "
       "<sip:a@192.0.2.33:5070>\\r\\nContent-Length: 0\\r\\n\\r\\n')"
       ".encode()\n")
LISTEN = ("import socket\ns = socket.create_server(('', 5060))\n"
          "print('ready', flush=True)\ns = s.accept()[0]\n"
          "while s.recv(4096): s.send(b'SIP/2.0 200 OK\\r\\n"
          "Content-Length: 0\\r\\n\\r\\n')")

# or the kernel would complain, at a rate of its own
SINK = ("import socket, time\ns = socket.socket(socket.AF_INET, "
        "socket.SOCK_DGRAM)\ns.bind(('', 5060))\n"
        "print('ready', flush=True)\ntime.sleep(60)")


class Truth(unittest.TestCase):
    def test_same_seed_same_edits_over_tcp(self):
        script = (f"import socket\n{SIP}s = socket.socket()\n"
                  "s.bind(('', 5070)); s.connect(('198.51.100.10', 5060))\n"
                  "for n in range(9): s.sendall(sip(n)); s.recv(99)")
        told = []
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o777)
            for seed in (7, 7, 8):
                truth = pathlib.Path(folder) / f"{len(told)}.json"
                done = lab.lab(
                    "--router", f"1:persona=asa,ports=random,seed={seed}",
                    "--truth", f"1:{truth}", "--server",
                    f'server:exec python3 -c "{LISTEN}"', "client",
                    "python3", "-c", script)
                self.assertEqual(done.returncode, 0, done.stderr)
                said = json.loads(truth.read_text())
                # how many segments carry no more than an ACK, is chance
                told.append([said["edits"], said["behaviours"]])
        self.assertEqual(told[0], told[1])
        self.assertNotEqual(told[0], told[2])
        self.assertGreaterEqual(len(told[0][0]), 27)

    def test_same_seed_same_run(self):
        # paced, and over only when the router has had time for the last
        script = (f"import socket, time\n{SIP}s = socket.socket("
                  "socket.AF_INET, socket.SOCK_DGRAM)\n"
                  "s.bind(('', 5070))\nfor i in range(500):\n"
                  " s.sendto(sip(i) if i % 10 else b'x', ('198.51.100.10', "
                  "5060))\n time.sleep(0.002)\ntime.sleep(1.5)")
        counts, texts = [], []
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o777)
            for seed in (7, 7, 8):
                truth = pathlib.Path(folder) / f"{len(counts)}.json"
                done = lab.lab("--router", "1:persona=asa,ports=random,"
                               f"out.loss=30,seed={seed}",
                               "--truth", f"1:{truth}", "--server",
                               f'server:exec python3 -c "{SINK}"', "client",
                               "python3", "-c", script)
                self.assertEqual(done.returncode, 0, done.stderr)
                texts.append(truth.read_text())
                said = json.loads(texts[-1])["out"]
                counts.append((said["received"], said["lost"]))
        self.assertEqual(counts[0], (500, counts[1][1]))
        self.assertEqual(texts[0], texts[1])
        self.assertGreater(len(json.loads(texts[0])["edits"]), 1000)
        self.assertNotEqual(counts[0], counts[2])
        self.assertTrue(100 < counts[0][1] < 200)

    def test_a_wrong_word_is_refused(self):
        done = lab.lab("--router", "1:persona=nobody", "client", "true")
        self.assertEqual(done.returncode, 3)
        self.assertIn("persona=nobody", done.stderr)


lab.main()
