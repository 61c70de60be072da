"""IPv6 datagrams that two kernels cut, through routers that must see them."""
import concurrent.futures
import json
import os
import pathlib
import sys
import tempfile
import unittest

import cut_talk
import lab

sys.dont_write_bytecode = True
SIZES = (1200, 1440, 3000, 20000)  # whole; nearly too long; cut
PARALLEL = 3


def talk(words):
    """What came back of each size, and the router's truth."""
    program = f"python3 {lab.HERE}/cut_talk.py"
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        truth = pathlib.Path(folder) / "truth.json"
        done = lab.lab(
            "--hops", 1, "--ip6", "--router", f"1:{words}", "--truth",
            f"1:{truth}", "--server", f"server:exec {program} server",
            "client", *program.split(), "client", *SIZES, timeout=60)
        assert done.returncode == 0, done.stderr
        got = [b"" if line == "-" else bytes.fromhex(line)
               for line in done.stdout.splitlines()]
        return got, json.loads(truth.read_text())


class Cut(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        words = ("nat=off", "nat=none", "nat=on", "nat=none,mtu=1280",
                 "nat=none,alg=max-forwards", "nat=off,alg=recase",
                 "nat=none,out.reorder=40,out.dup=40,out.delay=5,in.dup=40",
                 "nat=none,drop-fragments=on",
                 "nat=none,alg=drop-large")
        with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
            cls.said = dict(zip(words, pool.map(talk, words)))

    def test_without_an_alg_all_comes_as_sent(self):
        for words, (got, truth) in self.said.items():
            if "alg" in words or "drop" in words:
                continue
            with self.subTest(words=words):
                self.assertEqual(got, [cut_talk.message(n) for n in SIZES])
                self.assertGreater(truth["out"]["fragments"], 10)
                self.assertGreater(truth["in"]["fragments"], 10)

    def test_an_alg_sees_the_message_whole(self):
        for words, was, edited in (
                ("nat=none,alg=max-forwards", b": 70", b": 68"),
                ("nat=off,alg=recase", None, None)):
            with self.subTest(words=words):
                got, truth = self.said[words]
                sent = [cut_talk.message(n) for n in SIZES]
                if was:
                    self.assertEqual(
                        got, [m.replace(was, edited, 1) for m in sent])
                else:
                    self.assertEqual([m.lower() for m in got],
                                     [m.lower() for m in sent])
                    self.assertTrue(all(g != m for g, m in zip(got, sent)))
                self.assertGreater(truth["out"]["fragments"], 10)

    def test_what_is_refused_is_refused_whole(self):
        for words in ("nat=none,drop-fragments=on", "nat=none,alg=drop-large"):
            with self.subTest(words=words):
                got, _ = self.said[words]
                self.assertEqual(got[0], cut_talk.message(SIZES[0]))
                self.assertEqual(got[2:], [b"", b""])


lab.main()
