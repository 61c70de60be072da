"""Nothing is invented: the kernel's own capture holds what is reported.

Both sides of the router are captured. What the report calls sent is looked
for on the side it was sent from, and what arrived on the other, whole
datagrams and byte by byte; TCP by the bytes of its streams.
"""
import pathlib
import re
import subprocess
import tempfile
import unittest

import lab
import rig

ESCAPE = re.compile(rb"\\(x[0-9A-F]{2}|[rnt\\])", re.I)
ALIKE = (5080, 10443)  # no ALG reads these ports


def raw(text):
    """The bytes that the report's text stands for."""
    def back(match):
        word = match.group(1)
        if word[:1] in b"xX":
            return bytes.fromhex(word[1:].decode())
        return {b"r": b"\r", b"n": b"\n", b"t": b"\t",
                b"\\": b"\\"}[word]

    return ESCAPE.sub(back, text.encode())


class Side:
    """What one side of the router saw."""

    def __init__(self, path):
        done = subprocess.run(
            ["tshark", "-r", path, "-T", "fields", "-e", "udp.dstport",
             "-e", "udp.payload", "-e", "tcp.stream", "-e", "tcp.srcport",
             "-e", "tcp.payload"],
            capture_output=True, text=True, check=True)
        self.datagrams, streams = [], {}
        for line in done.stdout.splitlines():
            port, udp, stream, source, tcp = (line + "\t" * 4).split("\t")[:5]
            # An ICMP error holds the ports of what it quotes, and no payload
            if udp:
                self.datagrams.append((int(port.split(",")[0]),
                                       bytes.fromhex(udp.split(",")[0])))
            if tcp:
                key = stream, source
                streams[key] = streams.get(key, b"") + bytes.fromhex(tcp)
        self.streams = list(streams.values())
        assert self.datagrams and self.streams

    def holds(self, transport, data, is_head):
        if transport == "tcp":
            return any(data in stream for stream in self.streams)
        if is_head:
            return any(d.startswith(data) for _, d in self.datagrams)
        return any(d == data for _, d in self.datagrams)

    def to_port(self, port):
        return sorted(d for p, d in self.datagrams if p == port)


class Bytes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as top:
            path = pathlib.Path(top, "capture")
            cls.report = rig.demo_report("--capture", str(path))
            cls.client = Side(path / "client.pcap")
            cls.wan = Side(path / "wan.pcap")
        cls.edited = [f for f in cls.report.pick(result="edited")
                      if f["transport"] in ("udp", "tcp")]

    def sides(self, fact):
        """Where it came from, and where it went to."""
        if fact["direction"] in ("out", "reply"):
            return self.client, self.wan
        return self.wan, self.client

    def test_every_direction_was_edited(self):
        self.assertEqual({f["direction"] for f in self.edited},
                         {"out", "answer", "in", "reply"})
        self.assertEqual({f["transport"] for f in self.edited},
                         {"udp", "tcp"})

    def test_sent_and_arrived_are_in_the_captures(self):
        for fact in self.edited:
            with self.subTest(scope=fact["scope"],
                              variant=fact.get("variant"),
                              direction=fact["direction"]):
                here, there = self.sides(fact)
                # Of an answer the body is the mirror, which is not told.
                is_head = fact["direction"] == "answer"
                sent = raw(fact["evidence"]["sent"])
                arrived = raw(fact["evidence"]["arrived"])
                self.assertNotEqual(sent, arrived)
                transport = fact["transport"]
                self.assertTrue(here.holds(transport, sent, is_head))
                self.assertTrue(there.holds(transport, arrived, is_head))
                # ... and neither was seen on the other side.
                self.assertFalse(there.holds(transport, sent, is_head))
                self.assertFalse(here.holds(transport, arrived, is_head))

    def test_every_edit_is_in_its_message(self):
        n_edits = 0
        for fact in self.edited:
            sent = raw(fact["evidence"]["sent"])
            arrived = raw(fact["evidence"]["arrived"])
            for edit in fact["edits"]:
                with self.subTest(scope=fact["scope"], edit=edit):
                    if edit["before"] is not None:
                        self.assertIn(raw(edit["before"]), sent)
                    if edit["after"] is not None:
                        self.assertIn(raw(edit["after"]), arrived)
                    self.assertNotEqual(edit["before"], edit["after"])
                    n_edits += 1
        self.assertGreater(n_edits, 20)

    def test_the_finding_repeats_what_facts_say(self):
        evidence = self.report.alg()["evidence"]
        for key, directions in (("edits", ("out", "reply")),
                                ("inbound_edits", ("in", "answer"))):
            known = [edit for fact in self.edited for edit in fact["edits"]
                     if fact["direction"] in directions]
            for edit in evidence[key]:
                self.assertIn(edit, known)

    def test_clean_ports_carried_the_same_bytes(self):
        clean = {f["dst_port"] for f in
                 self.report.pick(result="clean", transport="udp")}
        for port in ALIKE:
            self.assertIn(port, clean)
            sent = self.client.to_port(port)
            self.assertGreater(len(sent), 2)
            self.assertEqual(sent, self.wan.to_port(port))

    def test_dropped_is_on_one_side_only(self):
        dropped, = self.report.pick(result="request-dropped")
        self.assertEqual(dropped["variant"], "low-rtp-port")
        low = re.compile(rb"\r\nm=audio ([1-9][0-9]{0,2}|10[01][0-9]|102[0-3])"
                         rb" ")
        found = [d for d in self.client.to_port(5060) if low.search(d)]
        self.assertEqual(len(found), dropped["evidence"]["tries"])
        self.assertFalse([d for d in self.wan.to_port(5060)
                          if low.search(d)])


lab.main()
