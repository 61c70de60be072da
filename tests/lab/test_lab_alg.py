"""The adversary is the kernel's own SIP ALG, and it is where we say."""
import unittest

import lab


def invite(media_port=46000):
    """An INVITE whose every address is the client's own."""
    sdp = ("v=0\r\no=- 1 1 IN IP4 192.0.2.33\r\ns=-\r\n"
           "c=IN IP4 192.0.2.33\r\nt=0 0\r\n"
           f"m=audio {media_port} RTP/AVP 0\r\n")
    return ("INVITE sip:b@198.51.100.10 SIP/2.0\r\n"
            "Via: SIP/2.0/UDP 192.0.2.33:5060;branch=z9hG4bK1\r\n"
            "Max-Forwards: 70\r\nFrom: <sip:a@192.0.2.33:5060>;tag=1\r\n"
            "To: <sip:b@198.51.100.10>\r\nCall-ID: call me back\r\n"
            "CSeq: 1 INVITE\r\nContact: <sip:a@192.0.2.33:5060>\r\n"
            "Content-Type: application/sdp\r\n"
            f"Content-Length: {len(sdp)}\r\n\r\n{sdp}").encode()


class Alg(unittest.TestCase):
    def test_rewrites_at_the_hop_that_has_it(self):
        for hop, address in ((1, "203.0.113.2"), (3, "198.18.3.2")):
            with self.subTest(hop=hop):
                got = lab.ask(["--hops", 4, "--alg-at", hop],
                              [(5060, invite())])
                text = got[0][0].decode()
                for line in (f"Via: SIP/2.0/UDP {address}:5060;",
                             f"Contact: <sip:a@{address}:5060>",
                             f"o=- 1 1 IN IP4 {address}\r\n",
                             f"c=IN IP4 {address}\r\n"):
                    self.assertIn(line, text)
                self.assertNotIn(lab.CLIENT, text)

    def test_leaves_other_ports_alone(self):
        got = lab.ask(["--alg-at", 1], [(5062, invite())])
        self.assertEqual(got, [(invite(), "203.0.113.2|5060")])

    def test_off_changes_no_byte(self):
        got = lab.ask(["--nat-at", 1], [(5060, invite())])
        self.assertEqual(got, [(invite(), "203.0.113.2|5060")])

    def test_without_nat_changes_no_byte(self):
        got = lab.ask([], [(5060, invite())])
        self.assertEqual(got, [(invite(), "192.0.2.33|5060")])

    def test_drops_what_it_dislikes(self):
        got = lab.ask(["--alg-at", 1], [(5060, invite(media_port=80))])
        self.assertEqual(got, [None])

    def test_opens_a_pinhole_for_media(self):
        for options, want in ((["--alg-at", 1], True),
                              (["--nat-at", 1], False)):
            with self.subTest(options=options):
                got = lab.ask([*options, "--firewall-at", 1],
                              [(5060, invite())], listen_s=0.5)
                self.assertEqual(got[1] is not None, want)


def timer(options, port):
    """Seconds left of the entry for one datagram to this port, at r1."""
    send = ("import socket; s = socket.socket(socket.AF_INET, "
            "socket.SOCK_DGRAM); s.bind(('', 7777)); "
            f"s.sendto(b'x', ('198.51.100.10', {port}))")
    done = lab.lab("--bg", f'client:python3 -c "{send}"', *options, "r1",
                   "sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10; do "
                   "conntrack -L -p udp --sport 7777 2>/dev/null | grep . "
                   "&& exit 0; sleep 0.1; done; exit 1")
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[2]), "helper=sip" in done.stdout


class Timer(unittest.TestCase):
    def test_helper_holds_an_hour(self):
        seconds, has_helper = timer(["--alg-at", 1], 5060)
        self.assertTrue(has_helper)
        self.assertGreater(seconds, 3500)

    def test_other_port_holds_half_a_minute(self):
        seconds, has_helper = timer(["--alg-at", 1], 5062)
        self.assertFalse(has_helper)
        self.assertLessEqual(seconds, 30)

    def test_off_holds_half_a_minute(self):
        seconds, has_helper = timer(["--nat-at", 1], 5060)
        self.assertFalse(has_helper)
        self.assertLessEqual(seconds, 30)

    def test_life_can_be_chosen(self):
        seconds, _ = timer(["--nat-at", 1, "--udp-timeout", 77], 5062)
        self.assertLessEqual(seconds, 77)
        self.assertGreater(seconds, 60)


lab.main()
