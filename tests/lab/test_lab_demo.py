"""The whole program against the kernel's ALG, as `prumo demo` runs it."""
import json
import os
import subprocess
import tempfile
import unittest

import lab


def demo(*args):
    return subprocess.run(lab.command(lab.PRUMO, "demo", *args),
                          capture_output=True, text=True, timeout=60,
                          cwd="/", check=False)


def report(*args):
    done = demo("-o", "json", *args)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def edits(found):
    """Every edit that the report tells, with the fact that it belongs to."""
    return [(fact, edit) for fact in found["facts"]
            for edit in fact.get("edits", [])]


def packets(path):
    """All the UDP payloads of a capture, by the kernel's word."""
    done = subprocess.run(
        ["tshark", "-r", path, "-Y", "udp", "-T", "fields", "-e",
         "udp.payload"], capture_output=True, text=True, check=True)
    return [bytes.fromhex(line) for line in done.stdout.split()]


class Demo(unittest.TestCase):
    def test_catches_and_locates(self):
        for options, hop in (([], 1), (["--hops", "4", "--alg-at", "3"], 3)):
            with self.subTest(options=options):
                status, found = report(*options)
                self.assertEqual(status, 2)
                self.assertEqual(found["verdict"], "not-ready")
                self.assertIn("alg.rewrites-sip",
                              [f["id"] for f in found["findings"]])
                where, = [f for f in found["facts"]
                          if f["id"] == "alg.location"]
                self.assertEqual(where["hop"], hop)
                fields = {edit["field"] for _, edit in edits(found)}
                self.assertLessEqual(
                    {"Via", "Contact", "SDP o=", "SDP c="}, fields)

    def test_finds_nothing_where_nothing_is(self):
        for options in (["--alg", "off"],
                        ["--alg", "off", "--nat", "off", "--hops", "3"]):
            with self.subTest(options=options):
                status, found = report(*options)
                self.assertEqual(status, 0)
                self.assertEqual(found["verdict"], "ready")
                self.assertEqual(found["findings"], [])
                self.assertEqual(edits(found), [])

    def test_reports_what_the_kernel_captured(self):
        with tempfile.TemporaryDirectory() as above:
            os.chmod(above, 0o777)
            status, found = report("--capture", above + "/c")
            self.assertEqual(status, 2)
            inner = b"\0".join(packets(above + "/c/client.pcap"))
            outer = b"\0".join(packets(above + "/c/wan.pcap"))
        told = [(fact["direction"], edit) for fact, edit in edits(found)
                if fact["id"] == "alg.ladder" and fact["transport"] == "udp"]
        self.assertEqual({direction for direction, _ in told},
                         {"out", "answer", "in", "reply"})
        for direction, edit in told:
            before, after = edit["before"].encode(), edit["after"].encode()
            with self.subTest(direction=direction, field=edit["field"]):
                is_outward = direction in ("out", "reply")
                self.assertTrue(before in (inner if is_outward else outer))
                self.assertTrue(after in (outer if is_outward else inner))

    def test_draws_the_network_only_when_asked(self):
        self.assertEqual(demo("--alg", "off").stderr, "")
        picture = demo("--alg", "off", "-v").stderr.splitlines()
        self.assertEqual(len(picture), 3)
        for word in ("client", "r1", "r2", "server"):
            self.assertIn(word, picture[0])
        self.assertIn("203.0.113.1", picture[1])

    def test_refuses_wrong_options(self):
        for options in (["--hops", "9"], ["--hops", "2", "--alg-at", "3"],
                        ["--alg", "maybe"], ["-o", "xml"], ["--what"],
                        ["one", "two"]):
            with self.subTest(options=options):
                done = demo(*options)
                self.assertEqual(done.returncode, 64)
                self.assertEqual(done.stdout, "")

    def test_interrupted_demo_leaves_nothing(self):
        started = subprocess.Popen(lab.command(lab.PRUMO, "demo"),
                                   stdout=subprocess.DEVNULL, cwd="/")
        try:
            started.wait(0.4)
        except subprocess.TimeoutExpired:
            pass
        children = f"/proc/{started.pid}/task/{started.pid}/children"
        with open(children, encoding="ascii") as f:
            keeper, = f.read().split()
        started.terminate()
        self.assertEqual(started.wait(10), 128 + 15)
        self.assertFalse(os.path.exists(f"/proc/{keeper}"))


lab.main()
