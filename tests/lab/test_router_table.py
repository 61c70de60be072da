"""The table of the kernel's SIP ALG, row by row, and its persona beside it.

What each row says was measured on the kernel before it was written down; here
the kernel says it again, so that a kernel that behaves otherwise is noticed,
and with it every test that takes the persona for the kernel.
"""
import concurrent.futures
import json
import re
import sys
import unittest

import lab
import table_rows

sys.dont_write_bytecode = True
HERE, THERE = "192.0.2.33", "203.0.113.2"


def talk(*options):
    program = f"python3 {lab.HERE}/table_talk.py"
    done = lab.lab(
        "--hops", 1, *options, "--server", f"server:exec {program} server",
        "client", "sh", "-c", f"ip addr add {table_rows.SECOND}/24 dev wan && "
        f"exec {program} client", timeout=60)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [r["name"] for r in rows] == [r["name"] for r in table_rows.ROWS]
    return {r["name"]: r for r in rows}


def lines(text, name):
    return re.findall(rf"^{name}:\s*(.*?)\r$", text, re.M | re.I)


class Kernel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # at once: both wait more than they work
        with concurrent.futures.ThreadPoolExecutor() as pool:
            cls.rows, cls.ours = pool.map(
                lambda options: talk(*options),
                [("--alg-at", 1), ("--router", "1:persona=netfilter")])

    def got(self, name):
        self.assertIsNotNone(self.rows[name]["got"], name)
        return self.rows[name]["got"]

    def line(self, name, header, nth=0):
        return lines(self.got(name), header)[nth]

    def assert_swapped(self, name, *headers, port=5060):
        """These say the public address; nothing else has changed."""
        want = self.rows[name]["sent"]
        for header in headers:
            want = re.sub(rf"(?mi)^({header}:.*?){HERE}:{port}",
                          rf"\g<1>{THERE}:{port}", want)
        self.assertEqual(self.got(name), want)

    def test_any_source_port_to_5060_alone(self):
        self.assert_swapped("options", "Via", "From", "Contact")
        self.assert_swapped("other-source-port", "Via", "From", "Contact",
                            port=6070)
        self.assertEqual(self.got("other-port"),
                         self.rows["other-port"]["sent"])

    def test_request_uri(self):
        # outbound it names the server, unless a phone calls itself
        self.assertIn(f"OPTIONS {table_rows.URI} SIP/2.0\r\n",
                      self.got("options"))
        self.assertIn(f"OPTIONS sip:b@{THERE}:5060 SIP/2.0\r\n",
                      self.got("request-uri"))
        self.assertIn(f"OPTIONS sip:a@{HERE}:5060 SIP/2.0\r\n",
                      self.rows["inbound"]["back"][0])

    def test_topmost_via(self):
        self.assertEqual(self.line("via-no-port", "Via"), "SIP/2.0/UDP "
                         f"{THERE}:5060;branch=z9hG4bKrow;rport")
        self.assertEqual(self.line("via-compact", "v"), "SIP/2.0/UDP "
                         f"{THERE}:5060;branch=z9hG4bKrow;rport")
        self.assertIn(HERE, self.line("via-lower", "Via", 1))

    def test_contact(self):
        self.assertEqual(
            self.line("contact-list", "Contact"),
            f"<sip:a@{THERE}:5060;ob>;q=1, <sip:b@203.0.113.77:5060>, "
            f"<sip:c@{THERE}:5060>;q=0.5")
        for name in ("contact-sips", "contact-host"):
            self.assert_swapped(name, "Via", "From")
        self.assertIn(THERE, self.line("via-compact", "m"))

    def test_from_and_to(self):
        self.assert_swapped("to", "Via", "From", "To", "Contact")
        self.assert_swapped("from-host", "Via", "Contact")

    def test_left_alone(self):
        self.assert_swapped("untouched", "Via", "From", "Contact")
        self.assertEqual(self.line("options", "Call-ID"), f"row@{HERE}")

    def test_sdp_connection(self):
        self.assertEqual(self.got("sdp").count(f"c=IN IP4 {THERE}\r\n"), 1)
        self.assertEqual(
            self.got("sdp-media-c").count(f"c=IN IP4 {THERE}\r\n"), 2)
        self.assertIn("c=IN IP4 198.18.88.88\r\n", self.got("sdp-foreign-c"))

    def test_sdp_origin_is_the_media_address(self):
        for name, address in (("sdp", THERE), ("sdp-foreign-o", THERE),
                              ("sdp-foreign-c", "198.18.88.88")):
            self.assertIn(f"o=- 1 1 IN IP4 {address}\r\n", self.got(name))

    def test_sdp_port_and_what_goes_stale(self):
        self.assertIn("m=audio 46000 ", self.got("sdp"))
        self.assertIn("m=audio 46009 ", self.got("sdp-odd-port"))
        self.assertIn(f"a=rtcp:46011 IN IP4 {HERE}\r\n",
                      self.got("sdp-stale"))
        self.assertIn(f"1 UDP 1 {HERE} 46010 typ host\r\n",
                      self.got("sdp-stale"))

    def test_length_counts_from_any_line_v(self):
        body = self.got("sdp").split("\r\n\r\n")[1]
        self.assertEqual(self.line("sdp", "Content-Length"), str(len(body)))
        # of a MESSAGE nothing is read: its length stays
        self.assertEqual(self.line("length-text", "Content-Length"),
                         str(len(f"hello {HERE}\r\nv=1\r\n")))

    def test_answer_hides_the_nat(self):
        answer, = self.rows["register"]["back"]
        self.assertNotIn(THERE, answer)
        self.assertIn(f"received={HERE};rport=5060", answer)
        self.assertIn(f"Contact: <sip:a@{HERE}:5060>;expires=60", answer)

    def test_tcp(self):
        self.assert_swapped("tcp-whole", "Via", "From", "Contact")
        self.assert_swapped("tcp-via-udp", "From", "Contact", port=5061)

    def test_tcp_in_two_segments(self):
        # a second half that ends where its Content-Length says is taken for
        # a message; where the cut parts the empty line, nothing is
        self.assert_swapped("tcp-split-early", "From", "Contact", port=5064)
        self.assertEqual(self.got("tcp-split-late"),
                         self.rows["tcp-split-late"]["sent"])

    def test_fragments_are_no_escape(self):
        self.assertGreater(len(self.rows["fragments"]["sent"]), 2400)
        self.assert_swapped("fragments", "Via", "From", "Contact")

    def test_not_sip_passes(self):
        self.assertEqual(self.got("junk"), self.rows["junk"]["sent"])

    def test_dropped(self):
        for name in ("low-port", "high-port", "no-c", "bad-cseq"):
            self.assertIsNone(self.rows[name]["got"], name)

    def test_port_of_another_phone_is_dropped(self):
        self.got("port-announced")
        self.assertIsNone(self.rows["port-taken"]["got"])

    def test_port_of_another_host_is_dropped(self):
        # 46030 and 46031 are the first phone's; they would meet outside
        for name in ("port-of-other-host", "odd-port-of-other-host"):
            self.assertIsNone(self.rows[name]["got"], name)
        self.assertIn("m=audio 46034 ", self.got("port-of-its-own"))

    def test_any_method_is_rewritten(self):
        self.assert_swapped("subscribe", "Via", "From", "Contact")

    def test_pinholes_for_media(self):
        for name, ports in (("pinhole-even", [46050, 46051]),
                            ("pinhole-odd", [46060, 46061]),
                            ("pinhole-foreign-c", [])):
            with self.subTest(name=name):
                self.got(name)
                self.assertEqual(self.rows[name]["heard"], ports)

    def test_sdp_of_other_kinds_is_left_alone(self):
        self.assertIn(f"c=IN IP4 {HERE}\r\n", self.got("sdp-application"))
        self.assertEqual(self.rows["sdp-application"]["heard"], [])

    def test_calls_end_with_bye_or_a_refusal(self):
        self.got("ended-port")
        # a CANCEL alone ends nothing: the answer to the INVITE does
        self.assertEqual(self.rows["cancel"]["heard"], [46090])
        self.assertIsNone(self.rows["cancelled-port"]["got"])
        for nth, ports in enumerate([[46100], [46104], []]):
            self.assertEqual(self.rows[f"invite-{nth}"]["heard"], ports)

    def test_from_another_port_of_the_registrar(self):
        # it expects calls on a Contact whose REGISTER was answered
        self.assertEqual(len(self.rows["from-registrar"]["back"]), 1)
        self.assertEqual(self.rows["from-other-phone"]["back"], [])

    def test_second_phone_is_moved_and_its_texts_follow(self):
        peer = self.rows["second-phone"]["peer"]
        self.assertTrue(peer.startswith(f"{THERE}:"))
        self.assertNotEqual(peer, f"{THERE}:5060")
        for header in ("Via", "From", "Contact"):
            self.assertIn(peer, self.line("second-phone", header))

    def test_persona_is_the_kernel(self):
        second = {r["name"] for r in table_rows.ROWS
                  if r["source"] == table_rows.SECOND}
        for name, row in self.rows.items():
            with self.subTest(name=name):
                mine = dict(self.ours[name])
                if name in second and mine["peer"] and row["peer"]:
                    # which port, is chance
                    mine = json.loads(json.dumps(mine).replace(
                        mine["peer"], row["peer"]))
                self.assertEqual(mine, row)


lab.main()
