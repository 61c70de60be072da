"""Two kernels' TCP through a router that puts SIP messages together."""
import concurrent.futures
import json
import os
import pathlib
import sys
import tempfile
import unittest

import lab
import stream_talk

sys.dont_write_bytecode = True
ALG = "alg=via+contact+request-uri+tcp-assemble"
BAD = "loss=3,{0}.reorder=10,{0}.dup=5,{0}.delay=15,{0}.jitter=10"
BAD = ",".join(f"{d}.{BAD.format(d)}" for d in ("out", "in"))
# name: behaviours at router 2, the path of both routers, TCP_NODELAY
RUNS = {
    "assembled": (ALG, "seed=1", 1),
    "small segments wait": (ALG, "seed=1", 0),
    "a bad path": (ALG, f"{BAD},seed=2", 1),
    "a bad path again": (ALG, f"{BAD},seed=5", 0),
    "small packets": (ALG, "mtu=600", 1),
    "one direction": (ALG + "+out-only", "seed=1", 1),
    "by segment": ("alg=via+contact+request-uri", "seed=1", 1),
}
PARALLEL = 4


def talk(run):
    alg, path, nodelay = run
    program = f"python3 {lab.HERE}/stream_talk.py"
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        truth = pathlib.Path(folder) / "truth.json"
        done = lab.lab(
            "--hops", 2, "--router", f"1:nat=off,{path}", "--router",
            f"2:{alg},{path}", "--truth", f"2:{truth}", "--server",
            f"server:exec {program} server", "client", *program.split(),
            "client", nodelay, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout), json.loads(truth.read_text())


def streams(said):
    """(heard, sent, sent as edited) of each direction."""
    inner, outer = said["host"], said["server_peer"]
    there = f"{stream_talk.SERVER}:{stream_talk.PORT}"
    for heard, uri, host, was, edited in (
            (said["server_heard"], there, inner, inner, outer),
            (said["heard"], outer, there, outer, inner)):
        sent = b"".join(stream_talk.stream(uri, host)[0]).decode()
        yield heard, sent, sent.replace(was, edited)


class Stream(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
            cls.said = dict(zip(RUNS, pool.map(talk, RUNS.values())))

    def test_each_end_hears_exactly_the_edited_messages(self):
        for name in ("assembled", "small segments wait", "a bad path",
                     "a bad path again", "small packets"):
            with self.subTest(name):
                said, truth = self.said[name]
                for heard, sent, edited in streams(said):
                    self.assertEqual(heard, edited)
                    self.assertNotEqual(sent, edited)
                struck = {b["name"]: b for b in truth["behaviours"]}
                # six requests: Via and Contact one way, their URI the other
                self.assertEqual(struck["via"]["out"], 6)
                self.assertEqual(struck["contact"]["out"], 6)
                self.assertEqual(struck["request-uri"]["in"], 6)
                self.assertGreater(struck["tcp-assemble"]["out"], 0)
                self.assertGreater(struck["tcp-assemble"]["in"], 0)

    def test_what_it_does_not_mind_passes_through(self):
        said, _ = self.said["one direction"]
        (heard_out, _, edited), (heard_in, sent, _) = streams(said)
        self.assertEqual(heard_out, edited)
        self.assertEqual(heard_in, sent)

    def test_by_segment_what_is_split_stays(self):
        """As the kernel's ALG: or this would prove nothing of the other."""
        said, truth = self.said["by segment"]
        for heard, _, edited in streams(said):
            self.assertNotEqual(heard, edited)
        struck = {b["name"]: b for b in truth["behaviours"]}
        self.assertLess(struck["via"]["out"], 6)


lab.main()
