"""Chains of every length carry datagrams, and routers do what was asked."""
import unittest

import lab


class Topology(unittest.TestCase):
    def test_every_length_reaches_the_server(self):
        for hops in range(1, 9):
            with self.subTest(hops=hops):
                got = lab.ask(["--hops", hops], [(5062, b"hello")])
                self.assertEqual(got, [(b"hello", "192.0.2.33|5060")])

    def test_nat_shows_its_own_address(self):
        for hop, address in ((1, "203.0.113.2"), (2, "198.18.2.2"),
                             (4, "198.18.4.2")):
            with self.subTest(hop=hop):
                got = lab.ask(["--hops", 4, "--nat-at", hop],
                              [(5062, b"hello")])
                self.assertEqual(got, [(b"hello", f"{address}|5060")])

    def test_two_nats_in_a_row(self):
        got = lab.ask(["--hops", 3, "--nat-at", 1, "--nat-at", 2],
                      [(5062, b"hello")])
        self.assertEqual(got, [(b"hello", "198.18.2.2|5060")])

    def test_ip6_is_routed_and_never_translated(self):
        done = lab.lab("--ip6", "--hops", 4, "--alg-at", 2, "--server",
                       f"server:exec python3 {lab.HERE}/sink.py", "client",
                       "env", "ASK_IP6=1", "python3", lab.HERE / "ask.py",
                       5060, 0, "5060:" + b"hello".hex())
        self.assertEqual(done.stdout.split(" ")[0], "2001:db8::33|5060",
                         done.stderr)

    def test_firewall_lets_in_only_what_was_asked_for(self):
        for options, want in (([], (b"unasked", "198.51.100.10|5999")),
                              (["--firewall-at", 1], None)):
            with self.subTest(options=options):
                got = lab.ask(["--hops", 2, *options],
                              [(5062, b"call me back")], listen_s=0.5)
                self.assertEqual(got[0][0], b"call me back")
                self.assertEqual(got[1], want)

    def test_a_wrong_wish_is_refused(self):
        for options in (["--hops", 0], ["--hops", 9],
                        ["--hops", 2, "--alg-at", 3], ["--bg", "nonsense"]):
            with self.subTest(options=options):
                done = lab.lab(*options, "client", "true")
                self.assertEqual(done.returncode, 64)

    def test_the_command_decides_the_status(self):
        for status in (0, 2, 7):
            done = lab.lab("client", "sh", "-c", f"exit {status}")
            self.assertEqual(done.returncode, status)
        self.assertEqual(lab.lab("client", "no-such-program").returncode, 127)
        self.assertEqual(lab.lab("r7", "true").returncode, 3)


lab.main()
