"""Ranges of ports to their exact edges, and where a flow ends."""
import json
import os
import unittest

import lab
import rig

ASK_ONE = os.environ["ASK_ONE"]
TRACE_ONE = os.environ["TRACE_ONE"]
HOME = {"PRUMO_STAY_HOME": "1"}
SERVER6 = "2001:db8:ffff::10"

# The far end answers on every port. Few ports share a socket: where many
# flows from one port are redirected to one, netfilter runs out of ports.
SHARE = 500
FIRST_SOCKET = 9000
PORTS = range(10000, 65536)
SOCKETS = {f"{p}-{min(p + SHARE - 1, PORTS[-1])}": FIRST_SOCKET + i
           for i, p in enumerate(range(PORTS[0], PORTS[-1], SHARE))}
REDIRECT = ("chain every { type nat hook prerouting priority dstnat\n"
            "meta l4proto { tcp, udp } redirect to : th dport map { " +
            ", ".join(f"{ports} : {to}" for ports, to in SOCKETS.items()) +
            " }\n}")
FAR_END = (f"server:exec {os.environ['ANSWER_ALL']} {FIRST_SOCKET} "
           f"{max(SOCKETS.values())}")
FORWARD = ("chain f {{ type filter hook forward priority 0\n"
           "iifname lan {}\n}}")
TALKATIVE = ("icmp_ratelimit=0", "icmp_msgs_per_sec=100000",
             "icmp_msgs_burst=100000")


class Far(rig.Lab):
    """A lab whose server answers on every port."""

    def __init__(self, *options, nodes=()):
        super().__init__(*options, nodes=("server", *nodes),
                         servers=(FAR_END,))
        self.nft("server", REDIRECT)

    def rules(self, node, *rules):
        self.must(node, "sh", "-c", "nft delete table inet test || :")
        if rules:
            self.nft(node, FORWARD.format("\niifname lan ".join(rules)))

    def put(self, program, *args):
        status, out, err = self.run("client", program, *args, env=HOME)
        assert status == 0, (args, status, out, err)
        return json.loads(out)["facts"][0]

    def ask(self, via, ports="10000-65535", *keys):
        """One question to a range. @return how it ended, with its fields"""
        end = self.put(ASK_ONE, "range", via, "edge", lab.SERVER, ports,
                       "has_edge=1", "flows=1000", *keys)["value"]
        return {**end, **end["fields"]}

    def trace(self, via, port, control, control_port=20000, *keys):
        return self.put(TRACE_ONE, lab.SERVER, via, port, control,
                        control_port, *keys)["value"]


class Ranges(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Far("--hops", "3", nodes=("r2",))
        cls.addClassCleanup(cls.lab.close)

    def test_all_open(self):
        self.lab.rules("r2")
        for via in ("udp", "tcp"):
            with self.subTest(via=via):
                got = self.lab.ask(via)
                self.assertEqual(got["end"], "answered", got)
                self.assertTrue(got["is_edge"])
                self.assertEqual(got["blocked"], [])
                self.assertEqual(got["passed"], got["tried"])
                self.assertLess(1000 - got["flows_left"], 60)

    def test_odd_edges(self):
        holes = [[10000, 12345], [30007, 41234], [50011, 65535]]
        spans = ", ".join(f"{a}-{b}" for a, b in holes)
        for via in ("udp", "tcp"):
            for how in ("drop", "reject"):
                with self.subTest(via=via, how=how):
                    self.lab.rules("r2", f"{via} dport {{ {spans} }} {how}")
                    got = self.lab.ask(via)
                    self.assertEqual(got["end"], "partly", got)
                    self.assertEqual(got["blocked"], holes, got)
                    self.assertTrue(got["exact"])
                    self.assertNotIn("table_limit", got)
                    self.assertLess(1000 - got["flows_left"], 400)

    def test_tcp_reset(self):
        self.lab.rules("r2", "tcp dport 20001-29999 reject with tcp reset")
        got = self.lab.ask("tcp")
        self.assertEqual(got["blocked"], [[20001, 29999]], got)
        self.assertEqual(got["error"], "ECONNREFUSED")
        self.assertGreater(got["refused"], 0)

    def test_admin_prohibited_names_its_sender(self):
        self.lab.rules("r2", "meta l4proto { tcp, udp } th dport "
                       "10000-65535 reject with icmpx admin-prohibited")
        for via in ("udp", "tcp"):
            with self.subTest(via=via):
                got = self.lab.ask(via)
                self.assertEqual(got["end"], "refused", got)
                self.assertEqual(got["blocked"], [[10000, 65535]])
                self.assertEqual(got["offender"], "203.0.113.1")
                self.assertEqual((got["icmp_type"], got["icmp_code"]),
                                 (3, 13))

    def test_whole_range_silent(self):
        self.lab.rules("r2", "meta l4proto { tcp, udp } th dport "
                       "10000-65535 drop")
        for via in ("udp", "tcp"):
            with self.subTest(via=via):
                got = self.lab.ask(via)
                self.assertEqual(got["end"], "silent", got)
                self.assertEqual(got["blocked"], [[10000, 65535]])
                self.assertEqual(got["passed"], 0)

    def test_full_range_finds_single_ports(self):
        holes = [[10000, 12345], [20000, 20000], [30001, 30001],
                 [30003, 30003], [65535, 65535]]
        spans = ", ".join(f"{a}-{b}" if a < b else str(a) for a, b in holes)
        self.lab.rules("r2", f"udp dport {{ {spans} }} drop")
        got = self.lab.ask("udp", "10000-65535", "full=1", "flows=60000",
                           "patience_ms=30000")
        self.assertEqual(got["blocked"], holes, got)
        self.assertEqual(got["tried"], len(PORTS))
        self.assertTrue(got["exact"])
        self.assertEqual(got["miss_ppm"], 0)
        self.lab.rules("r2", "tcp dport { 10501, 10777-10779 } drop")
        got = self.lab.ask("tcp", "10000-12000", "full=1", "flows=60000",
                           "patience_ms=30000")
        self.assertEqual(got["blocked"], [[10501, 10501], [10777, 10779]],
                         got)


class Limits(unittest.TestCase):
    def test_table_of_4096_flows(self):
        with Far("--hops", "2", "--router",
                 "1:mapping=apd,mappings=4096") as far:
            got = far.ask("udp", "10000-65535", "full=1", "flows=60000",
                          "patience_ms=30000")
            self.assertEqual(got["blocked"], [], got)
            self.assertEqual(got["end"], "partly")
            # flows of other programs have their share of the table
            self.assertLessEqual(got["table_limit"], 4096)
            self.assertGreater(got["table_limit"], 4080)

    def test_loss_is_not_blocking(self):
        with Far("--hops", "2", "--router",
                 "1:out.loss=5%,in.loss=5%") as far:
            for via in ("udp", "tcp"):
                with self.subTest(via=via):
                    got = far.ask(via, "10000-65535", "patience_ms=20000")
                    self.assertEqual(got["end"], "answered", got)
                    self.assertEqual(got["blocked"], [])


class NoEdge(unittest.TestCase):
    """The server's own refusals prove the path; its silence nothing."""

    @classmethod
    def setUpClass(cls):
        cls.lab = rig.Lab("--hops", "2", servers=(), nodes=("r1",))
        cls.addClassCleanup(cls.lab.close)

    def ask(self, via, *keys):
        status, out, err = self.lab.run(
            "client", ASK_ONE, "range", via, "none", lab.SERVER,
            "10000-65535", "flows=1000", *keys, env=HOME)
        assert status == 0, err
        end = json.loads(out)["facts"][0]["value"]
        return {**end, **end["fields"]}

    def test_closed_ports_are_reached(self):
        for via in ("udp", "tcp"):
            with self.subTest(via=via):
                got = self.ask(via)
                self.assertEqual(got["end"], "open", got)
                self.assertEqual(got["blocked"], [])
                self.assertGreater(got["closed"], 3)
                self.assertFalse(got["is_edge"])

    def test_silence_is_no_answer(self):
        self.lab.nft("r1", FORWARD.format("udp dport 10000-65535 drop"))
        got = self.ask("udp")
        self.lab.must("r1", "nft", "delete", "table", "inet", "test")
        self.assertEqual(got["end"], "no-means", got)


class Where(unittest.TestCase):
    HOPS = (None, "192.0.2.1", "203.0.113.1", "198.18.2.1", "198.18.3.1")
    SEGMENTS = (None, "router", "carrier", "carrier", "provider")

    @classmethod
    def setUpClass(cls):
        cls.lab = Far("--hops", "4", nodes=("r1", "r2", "r3", "r4"))
        cls.addClassCleanup(cls.lab.close)
        for node in ("r1", "r2", "r3", "r4"):
            for knob in TALKATIVE:
                cls.lab.run(node, "sysctl", "-qw", f"net.ipv4.{knob}")
            cls.lab.rules(
                node, *(f"meta l4proto {{ tcp, udp }} th dport 1{node[1]}{i}00 "
                        f"{how}" for i, how in enumerate(
                            ("drop", "reject with icmpx admin-prohibited",
                             "reject with icmpx host-unreachable",
                             "reject with icmpx port-unreachable"))),
                f"tcp dport 1{node[1]}400 reject with tcp reset",
                "udp dport 9998 drop" if node == "r4" else
                "udp dport 9997 drop" if node == "r2" else "")

    def check(self, got, hop, basis):
        self.assertEqual(got["basis"], basis, got)
        self.assertEqual(got["address"], self.HOPS[hop], got)
        self.assertEqual(got["hop_min"], hop, got)
        self.assertTrue(got["is_exact"], got)
        self.assertEqual(got["hops"], 4, got)
        self.assertEqual(got["segment"], self.SEGMENTS[hop], got)

    def test_each_hop_by_each_means(self):
        codes = {1: 13, 2: 1, 3: 3}
        for hop in range(1, 5):
            for via, control in (("udp", "udp"), ("tcp", "tcp")):
                with self.subTest(hop=hop, via=via, how="drop"):
                    got = self.lab.trace(via, 10000 + hop * 1000, control,
                                         20000, "rtt_ms=20")
                    self.check(got, hop, "quote")
                    self.assertEqual(got["hop_max"], hop + 1)
            for i, code in codes.items():
                via = "udp" if i % 2 else "tcp"
                with self.subTest(hop=hop, via=via, code=code):
                    got = self.lab.trace(via, 10000 + hop * 1000 + i * 100,
                                         "udp", 20000, "rtt_ms=20")
                    self.check(got, hop, "icmp-refusal")
                    self.assertEqual(got["icmp_code"], code)
            with self.subTest(hop=hop, how="reset"):
                got = self.lab.trace("tcp", 10400 + hop * 1000, "udp", 20000,
                                     "rtt_ms=20")
                self.check(got, hop, "reset")
                self.assertEqual(got["who"], "middlebox")
                self.assertEqual(got["reset_ttl"], 65 - hop)

    def test_reset_of_the_server_itself(self):
        got = self.lab.trace("tcp", 443, "tcp", 20000, "rtt_ms=20")
        self.assertEqual((got["basis"], got["who"]), ("reset", "server"), got)
        self.assertEqual(got["segment"], "provider")
        self.assertEqual(got["hop_min"], 5)

    def test_reset_told_by_a_closed_port(self):
        """No flow is known good, but that port's refusal tells how far."""
        got = self.lab.trace("tcp", 443, "udp", 9999, "rtt_ms=20",
                             "closed=1")
        self.assertEqual((got["basis"], got["who"], got["segment"]),
                         ("reset", "server", "provider"), got)
        self.assertEqual((got["hops"], got["server_ttl"]),
                         (4, got["reset_ttl"]))
        for hop in (1, 4):
            got = self.lab.trace("tcp", 10400 + hop * 1000, "udp", 9999,
                                 "rtt_ms=20", "closed=1")
            self.assertEqual((got["who"], got["hop_min"], got["address"]),
                             ("middlebox", hop, self.HOPS[hop]), got)

    def test_reset_where_the_other_flow_ends_before_the_server(self):
        for port, hop in ((12400, 2), (14400, 4)):
            got = self.lab.trace("tcp", port, "udp", 9998, "rtt_ms=20",
                                 "closed=1")
            self.assertEqual((got["who"], got["hop_min"], got["hop_max"]),
                             ("middlebox", hop, hop), got)
            self.assertEqual(got["address"], self.HOPS[hop], got)
        for other in (9998, 9997):
            got = self.lab.trace("tcp", 443, "udp", other, "rtt_ms=20",
                                 "closed=1")
            self.assertEqual((got["who"], got["segment"], got["is_exact"]),
                             ("unknown", "unknown", False), got)
            self.assertEqual((got["hop_min"], got["hop_max"]), (4, 5), got)

    def test_port_unreachable_of_the_server_itself(self):
        got = self.lab.trace("udp", 443, "udp", 20000, "rtt_ms=20")
        self.assertEqual((got["basis"], got["who"]),
                         ("icmp-refusal", "server"), got)

    def test_any_payload(self):
        got = self.lab.trace("udp", 12000, "udp", 20000, "rtt_ms=20",
                             "payload=OPTIONS sip:x SIP/2.0")
        self.check(got, 2, "quote")

    def test_what_passes_ends_nowhere(self):
        for via in ("udp", "tcp"):
            got = self.lab.trace(via, 30000, "udp", 20000, "rtt_ms=20")
            self.assertEqual(got["basis"], "none", got)

    def test_the_way_back(self):
        self.lab.nft("r2", "chain back { type filter hook forward "
                     "priority 1\niifname wan udp sport 33333 drop\n}")
        got = self.lab.trace("udp", 33333, "udp", 20000, "rtt_ms=20")
        self.assertTrue(got["may_be_way_back"], got)
        self.assertEqual(got["hop_min"], 4)

    def test_own_computer(self):
        self.lab.must("client", "nft", "-f", "-", text=(
            "table inet own { chain o { type filter hook output priority 0\n"
            "udp dport 15000 drop\n}\n}"))
        got = self.lab.trace("udp", 15000, "udp", 20000, "rtt_ms=20")
        self.assertEqual((got["basis"], got["segment"]), ("local", "device"),
                         got)


class SixToo(unittest.TestCase):
    """The same over IPv6, where options and codes are others."""

    @classmethod
    def setUpClass(cls):
        cls.lab = Far("--hops", "3", "--ip6", nodes=("r2",))
        cls.addClassCleanup(cls.lab.close)
        cls.lab.must("r2", "sysctl", "-qw", "net.ipv6.icmp.ratelimit=0")
        both = "meta l4proto { tcp, udp } th dport"
        cls.lab.rules(
            "r2", f"{both} 11000 drop", f"{both} 40000-50001 drop",
            f"{both} 11001 reject with icmpx admin-prohibited",
            "tcp dport 11002 reject with tcp reset")

    def test_ranges(self):
        for via in ("udp", "tcp"):
            got = self.lab.put(ASK_ONE, "range", via, "edge", SERVER6,
                               "10000-65535", "has_edge=1", "flows=1000")
            self.assertEqual(got["value"]["fields"]["blocked"],
                             [[40000, 50001]], got)

    def test_where(self):
        for port, basis in ((11000, "quote"), (11001, "icmp-refusal"),
                            (11002, "reset")):
            for via in ("tcp", "udp"):
                if (via, basis) == ("udp", "reset"):
                    continue
                got = self.lab.put(TRACE_ONE, SERVER6, via, port, "udp",
                                   20000, "rtt_ms=20")["value"]
                self.assertEqual((got["basis"], got["address"],
                                  got["hop_min"], got["is_exact"]),
                                 (basis, "2001:db8:1::1", 2, True), got)

    def test_closed_ports_and_large_datagrams_arrive(self):
        for kind in (("range", "udp"), ("mtu", "udp")):
            got = self.lab.put(ASK_ONE, *kind, "none", SERVER6,
                               "9500-9520" if kind[0] == "range" else 9500,
                               "flows=1000")["value"]
            self.assertEqual(got["end"], "open", got)


class SilentHop(unittest.TestCase):
    def test_a_hop_that_never_answers_is_not_accused(self):
        with Far("--hops", "4", "--silent-at", "3", nodes=("r2", "r4")) as far:
            far.rules("r2", "udp dport 12000 drop")
            far.rules("r4", "udp dport 14000 drop")
            got = far.trace("udp", 12000, "udp", 20000, "rtt_ms=20")
            self.assertEqual((got["hop_min"], got["hop_max"]), (2, 4), got)
            self.assertFalse(got["is_exact"])
            self.assertEqual(got["segment"], "unknown")
            got = far.trace("udp", 14000, "udp", 20000, "rtt_ms=20")
            self.assertEqual((got["hop_min"], got["hop_max"]), (4, 5), got)


class Mtu(unittest.TestCase):
    def mtu(self, far, *keys):
        end = far.put(ASK_ONE, "mtu", "udp", "edge", lab.SERVER, "5060",
                      *keys)["value"]
        return {**end, **end["fields"]}

    def test_paths(self):
        with rig.Lab("--hops", "3", nodes=("r2",)) as one:
            one.put = lambda *a: Far.put(one, *a)
            got = self.mtu(one)
            self.assertEqual(got["end"], "answered", got)
            self.assertEqual(got["path_mtu_bytes"], 1500)
            self.assertEqual(got["largest_udp_bytes"], 3000)
            self.assertTrue(got["fragments_pass"] and got["fragments_back"])
            one.nft("r2", "chain p { type filter hook prerouting priority "
                    "-450\niifname lan ip frag-off & 0x1fff != 0 drop\n}")
            got = self.mtu(one)
            self.assertEqual(got["end"], "partly", got)
            self.assertFalse(got["fragments_pass"])
            self.assertEqual(got["largest_udp_bytes"], 1400)
            one.must("r2", "nft", "flush", "ruleset")
            one.must("r2", "ip", "link", "set", "wan", "mtu", "1432")
            got = self.mtu(one)
            self.assertEqual(got["path_mtu_bytes"], 1432, got)
            self.assertTrue(got["is_mtu_told"])


lab.main()
