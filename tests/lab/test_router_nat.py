"""What the router is told to be, two tools of others find it to be.

coturn's turnutils_natdiscovery (RFC 5780) and Debian's stun client (RFC 3489)
run in the client, coturn is their server. What they cannot tell: with a
mapping that depends on the destination the stun client does not look at the
filter; natdiscovery asks for a hairpin from the very socket that it sends to,
so a filter that depends on ports, or a mapping that does, hides it.
"""
import concurrent.futures
import itertools
import re
import sys
import unittest

import lab

sys.dont_write_bytecode = True
SERVER = "198.51.100.10"
PARALLEL = 7  # they wait more than they work
KINDS = {"ei": "Endpoint Independent", "ad": "Address Dependent",
         "apd": "Address and Port Dependent"}
FILTERS = {"ei": "Independent Filter", "ad": "Address Dependent Filter",
           "apd": "Port Dependent Filter"}
POOL = {f"203.0.113.{i}" for i in (2, 4, 5, 6)}
# The server tells each sender its address; many sockets ask.
TELL = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 9))
print("ready", flush=True)
while True:
    _, who = s.recvfrom(99)
    s.sendto(who[0].encode(), who)
"""
ASK = f"""
import socket
for _ in range(40):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(5)
    s.sendto(b"?", ("{SERVER}", 9))
    print(s.recv(99).decode())
"""
HAIRPIN = "maybe a successful hairpinning"


def ask(words):
    """What both tools print behind such a router."""
    done = lab.lab(
        "--hops", 1, "--router", f"1:{words}", "--server",
        f"server:exec sh {lab.HERE}/server_stun.sh", "client", "sh", "-c",
        f"turnutils_natdiscovery -m -f -H {SERVER}; stun {SERVER}; true",
        timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


class Nat(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        todo = [f"mapping={m},filter={f},hairpin={h}" for m, f, h in
                itertools.product(KINDS, KINDS, ("off", "on"))]
        todo += ["nat=off", "nat=none", "ports=random"]
        with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
            cls.said = dict(zip(todo, pool.map(ask, todo)))

    def kinds(self):
        for m, f, h in itertools.product(KINDS, KINDS, ("off", "on")):
            with self.subTest(mapping=m, filter=f, hairpin=h):
                yield m, f, h, self.said[f"mapping={m},filter={f},hairpin={h}"]

    def test_mapping(self):
        for m, _, _, said in self.kinds():
            self.assertEqual(re.findall("NAT with (.*) Mapping!", said),
                             [KINDS[m]])
            self.assertEqual("Independent Mapping" in said.split(
                "Primary:")[1], m == "ei")

    def test_filter(self):
        for m, f, _, said in self.kinds():
            self.assertEqual(re.findall("NAT with (.*) Filtering!", said),
                             [KINDS[f]])
            if m == "ei":
                self.assertIn(FILTERS[f], said)

    def test_hairpin(self):
        for m, f, h, said in self.kinds():
            if h == "off":
                self.assertNotIn(HAIRPIN, said)
            elif m == "ei" and f == "ei":
                self.assertIn(HAIRPIN, said)
            if m == "ei" and f == "ei":
                self.assertEqual("no hairpin" in said, h == "off")

    def test_ports(self):
        for _, _, _, said in self.kinds():
            self.assertIn("preserves ports", said)
        self.assertIn("random port", self.said["ports=random"])

    def test_pooling(self):
        """One phone has one address, or with each socket another."""
        for pooling in ("paired", "arbitrary"):
            done = lab.lab(
                "--hops", 2, "--router", f"1:pool=4,pooling={pooling}",
                "--server", f"server:exec python3 -c '{TELL}'",
                "client", "python3", "-c", ASK, timeout=60)
            seen = set(done.stdout.split())
            with self.subTest(pooling=pooling):
                self.assertLessEqual(seen, POOL, done.stderr)
                self.assertEqual(len(seen), 1 if pooling == "paired" else 4)

    def test_without_translation(self):
        self.assertIn("Primary: Open", self.said["nat=off"])
        self.assertIn("Primary: Firewall", self.said["nat=none"])

    def test_no_alg_touches_stun(self):
        for said in self.said.values():
            self.assertIn("No ALG: Mapped == XOR-Mapped", said)


lab.main()
