"""Each router answers for itself, and quotes what it received."""
import unittest

import lab


def trace(*options, ttls=(1, 2, 3, 4)):
    done = lab.lab("--hops", 4, *options, "client", "python3",
                   lab.HERE / "ttl.py", *ttls)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


class Icmp(unittest.TestCase):
    def test_each_hop_names_itself(self):
        self.assertEqual(trace(), ["192.0.2.1 same", "203.0.113.1 same",
                                   "198.18.2.1 same", "198.18.3.1 same"])

    def test_quote_differs_only_behind_the_alg(self):
        self.assertEqual(trace("--alg-at", 2),
                         ["192.0.2.1 same", "203.0.113.1 same",
                          "198.18.2.1 edited", "198.18.3.1 edited"])

    def test_nat_alone_edits_nothing(self):
        self.assertEqual(trace("--nat-at", 2),
                         ["192.0.2.1 same", "203.0.113.1 same",
                          "198.18.2.1 same", "198.18.3.1 same"])

    def test_a_silent_hop_says_nothing(self):
        self.assertEqual(trace("--silent-at", 2, ttls=(1, 2, 3)),
                         ["192.0.2.1 same", "silent", "198.18.2.1 same"])


lab.main()
