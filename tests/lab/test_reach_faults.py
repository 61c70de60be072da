"""Networks and computers that are at fault as a whole, each one cause."""
import concurrent.futures
import contextlib
import os
import pathlib
import tempfile
import unittest

import lab
import services

HOPS = 4
HELD = 3900  # flows of other programs
TABLE = 4096
OWN = "table inet own {{\nchain o {{\ntype filter hook output priority 0\n" \
      "oifname wan {}\n}}\n}}\n"
# Linux counts what it keeps of each computer.
KEPT = ("set kept {{\ntype ipv4_addr\nsize 100\nflags dynamic\n}}\n"
        "chain k {{\ntype filter hook forward priority -5\n"
        "iifname lan ct state new add @kept "
        "{{ ip saddr ct count over {} }} drop\n}}")
# name: rule of this computer's own firewall, flows that it stops
LOCAL = {
    "udp drop": ("udp dport 5060 drop", ("udp", 5060)),
    "udp reject": ("udp dport 5060 reject", ("udp", 5060)),
    "tcp reject": ("tcp dport 5061 reject", ("tcp", 5061)),
    "tcp drop": ("tcp dport 5061 drop", ("tcp", 5061)),
    "tcp reset": ("tcp dport 5061 reject with tcp reset", ("tcp", 5061)),
    "all tcp": ("meta l4proto tcp reject with tcp reset", ("tcp", None)),
    "all udp": ("meta l4proto udp reject", ("udp", None)),
}
# And what comes in: in vain it is asked again, beside what the kernel counts.
INWARD = OWN.replace("chain o", "chain i").replace("hook output", "hook input")
INWARD = INWARD.replace("oifname", "iifname")
DROPPED = {"udp": ("udp sport 5060 drop", 5060),
           "all udp": ("meta l4proto udp drop", None)}
CAUGHT = ("chain n {{\ntype nat hook prerouting priority -100\n"
          "iifname lan tcp dport 80 redirect to :8080\n}}\n"
          "chain f {{\ntype filter hook forward priority -5\n"
          "iifname lan {}\n}}")
# name: what the box answers, what becomes of all else
BOXES = {
    "portal, reject": ("return 302 http://login.example.net/;", "reject"),
    "portal, drop": ("return 200 '<WISPAccessGatewayParam/>';", "drop"),
    "proxy": (f"proxy_pass http://{services.NET}.100:80;", "accept"),
}
# who opens the connections, and what the server does with his: the severity,
# and where that is
NEAR = {("r1", "accept"): ("warn", "router", 1, "192.0.2.1"),
        ("r2", "reject with tcp reset"): ("fail", "carrier", 2,
                                          "203.0.113.1")}
ROW = 8  # whole checks, one after the other
# till the edge has enough, and then so often that it stays so for a while
FLOOD = f"""import os, socket, time
end, has_enough = time.monotonic() + 15, False
while time.monotonic() < end:
    with socket.create_connection(('{lab.SERVER}', 5060)) as s:
        if not has_enough:
            s.sendall(bytes((13, 10, 13, 10)))
            has_enough = s.recv(9)[:3] == b'PRM'
            if has_enough and os.fork():
                os._exit(0)
    time.sleep(0.005 * has_enough)
"""
DONE = {}


def hold(n):
    """A program that keeps flows open: datagrams from one port to many."""
    return ("import socket; s = socket.socket(socket.AF_INET, "
            "socket.SOCK_DGRAM); "
            f"[s.sendto(b'x', ('{lab.SERVER}', 20000 + i)) "
            f"for i in range({n})]")


def run_table(n_held, size):
    with services.Room("--hops", HOPS, "--router",
                       f"1:mapping=apd,mappings={size}") as room:
        room.must("client", "python3", "-c", hold(n_held))
        return room.reach("--skip", "sip-alg")


def run_pace(kind, size):
    """Every port, faster than such a table forgets."""
    options = (("--nat-at", 1) if kind == "kernel" else
               ("--router", f"1:mapping=apd,mappings={size}"))
    with services.Room("--hops", HOPS, *options,
                       nodes=["r1"] if kind == "kernel" else []) as room:
        if kind == "kernel":
            room.nft("r1", KEPT.format(size))
        return room.reach("--skip", "sip-alg", "--full-range=1000")


def run_kept(n_held, size):
    """The kernel's own table, which other programs have nearly filled."""
    with services.Room("--hops", HOPS, "--nat-at", 1, nodes=["r1"]) as room:
        room.nft("r1", KEPT.format(size))
        room.must("client", "python3", "-c", hold(n_held))
        return room.reach("--skip", "sip-alg")


def run_local(rule, table=OWN, options=("--skip", "sip-alg")):
    with services.Room("--hops", HOPS, "--nat-at", 1) as room:
        room.must("client", "nft", "-f", "-", text=table.format(rule))
        return room.reach(*options)


def run_often():
    """From one address, and then once more when the edge has enough."""
    with services.Room("--hops", 1) as room:
        ids = [room.reach("--skip", "sip-alg").ids() for _ in range(ROW)]
        room.must("client", "sh", "-c", "exec python3 -c \"$0\" "
                  ">/dev/null 2>&1 </dev/null", FLOOD)
        return ids, room.reach()


@contextlib.contextmanager
def nginx(node, name, port, **marks):
    """A --server for a lab: nginx with that configuration, its @MARKS@ filled
    in, once it listens on the port."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        conf = pathlib.Path(folder) / name
        text = (lab.HERE / "server" / name).read_text(encoding="ascii")
        for mark, value in {"DIR": folder, **marks}.items():
            text = text.replace(f"@{mark}@", value)
        conf.write_text(text, encoding="ascii")
        yield (f"{node}:nginx -e {folder}/error.log -c {conf} & "
               f"while ! ss -ltn | grep -q :{port}; do sleep 0.02; done; "
               "echo ready; wait")


def run_box(does, rest):
    with nginx("r1", "box.conf", 8080, DOES=does) as box:
        with services.Room("--hops", HOPS, "--nat-at", 1, nodes=["r1"],
                           boxes=[box]) as room:
            room.nft("r1", CAUGHT.format(rest))
            # behind a portal nothing is worth waiting for
            haste = [] if rest == "accept" else ["--quick"]
            return room.reach("--skip", "sip-alg", *haste)


def run_near(node, does):
    """A box that opens connections to a port itself; behind it the server's
    own port is as the rule says. All others are far away."""
    far = f"{HOPS}:out.delay=20,in.delay=20"
    with nginx(node, "stream.conf", 9061, ADDR=f"{services.NET}.101") as box:
        with services.Room("--hops", HOPS, "--nat-at", 1, "--router", far,
                           nodes=[node, "server"], boxes=[box]) as room:
            room.nft(node, "chain n {\ntype nat hook prerouting priority "
                     "-100\niifname lan tcp dport 5061 redirect to :9061\n}")
            room.nft("server", "chain i {\ntype filter hook input priority 0"
                     f"\ntcp dport 5061 {does}\n}}")
            return room.reach("--only", "sip")


def run_resolver(rule):
    """Names asked of an address where no server is."""
    with services.Room("--hops", HOPS, "--nat-at", 1, nodes=["r2"],
                       ) as room:
        room.block("r2", [rule] if rule else [])
        return room.check(*services.places(names=False), "--dns",
                          f"{services.NET}.200", "--skip", "sip-alg")


def setUpModule():
    jobs = {("table", TABLE): (run_table, HELD, TABLE),
            ("table", 300): (run_table, 0, 300),
            ("pace", "kernel"): (run_pace, "kernel", 256),
            ("pace", "router"): (run_pace, "router", 512),
            ("kept", 300): (run_kept, 200, 300),
            ("resolver", "silent"): (
                run_resolver, f"ip daddr {services.NET}.200 drop"),
            ("resolver", "stopped"): (run_resolver, None),
            "often": (run_often,)}
    jobs.update({("near", k): (run_near, *k) for k in NEAR})
    jobs.update({("local", k): (run_local, v[0]) for k, v in LOCAL.items()})
    jobs.update({("inward", k): (run_local, v[0], INWARD, ())
                 for k, v in DROPPED.items()})
    jobs["inward", "tcp"] = (run_local, "tcp sport 5060 drop", INWARD, ())
    jobs.update({("box", k): (run_box, *v) for k, v in BOXES.items()})
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        runs = {key: pool.submit(*job) for key, job in jobs.items()}
        DONE.update({key: run.result() for key, run in runs.items()})


class Table(unittest.TestCase):
    """A router that keeps so many flows: that is what is said, and how many
    this computer could add."""

    def test_full_table_is_not_blocked_ports(self):
        for size, held in ((TABLE, HELD), (300, 0)):
            report = DONE["table", size]
            with self.subTest(size=size):
                self.assertEqual(report.ids(), ["nat.table-full"],
                                 report.told())
                limit, = report.pick("nat.table")
                # an answer that came too late is not counted
                self.assertLessEqual(limit["value"], size - held)
                self.assertGreater(limit["value"], (size - held) // 2)
                finding, = report.findings
                self.assertIn(f" {limit['value']} ", finding["title"])
                self.assertEqual(finding["segment"], "router")


    def test_every_port_counts_what_the_table_keeps(self):
        for kind, size in (("kernel", 256), ("router", 512)):
            report = DONE["pace", kind]
            with self.subTest(kind=kind):
                self.assertEqual(report.ids(), ["nat.table-full"],
                                 report.told())
                limit, = report.pick("nat.table")
                self.assertGreater(limit["going_on"], 0)
                # this router remembers connections that were closed
                kept = limit["value"] + (limit["closed"] if kind == "router"
                                         else 0)
                self.assertLessEqual(kept, size)
                # the rest of the check keeps some flows, too
                self.assertGreater(kept, size - 32)
                for ports in report.pick("range.ports"):
                    self.assertEqual(ports.get("detail", {})
                                     .get("blocked", []), [])

    def test_what_others_keep_fills_the_kernels_table(self):
        report = DONE["kept", 300]
        self.assertEqual(report.ids(), ["nat.table-full"], report.told())
        limit, = report.pick("nat.table")
        self.assertGreater(limit["going_on"], 0)


class Local(unittest.TestCase):

    def test_own_firewall_is_this_computer(self):
        for name, (_, (transport, port)) in LOCAL.items():
            report = DONE["local", name]
            with self.subTest(name=name):
                self.assertEqual(report.ids(), ["device.firewall"],
                                 report.told())
                finding, = report.findings
                self.assertEqual(finding["segment"], "device")
                self.assertEqual(finding["act"], "customer")
                stopped = {f[0] for f in services.flows()
                           if f[2] == transport and port in (None, f[3])}
                self.assertEqual(
                    {f["scope"] for f in report.pick("flow.reached")
                     if f["state"] != "pass"}, stopped)


    def test_answers_that_are_dropped_here_accuse_nobody_else(self):
        for name, (_, port) in DROPPED.items():
            report = DONE["inward", name]
            with self.subTest(name=name):
                # whether an ALG is on the way cannot be seen behind it
                self.assertEqual(report.ids(), ["device.firewall",
                                                "alg.unknown"], report.told())
                finding = report.findings[0]
                self.assertEqual(finding["segment"], "device")
                stopped = {f[0] for f in services.flows()
                           if f[2] == "udp" and port in (None, f[3])}
                self.assertEqual(
                    {f["scope"] for f in report.pick("flow.reached")
                     if f["state"] != "pass"}, stopped)
                self.assertEqual(
                    {f["scope"] for f in report.pick("flow.reached")
                     if f.get("is_dropped_here")}, stopped)

    def test_what_may_be_dropped_here_accuses_no_router(self):
        # Servers repeat their SYN-ACKs, so not every port can be proved.
        report = DONE["inward", "tcp"]
        self.assertTrue(report.pick("flow.reached", state="fail"))
        for finding in report.findings:
            self.assertIn(finding["segment"], ("device", "unknown"),
                          report.told())
        stops = report.pick("path.stops")
        self.assertTrue(stops)
        for stop in stops:
            self.assertNotIn("address", stop)
            self.assertNotIn("last_address", stop)


class Near(unittest.TestCase):

    def test_box_that_opens_connections_is_found_and_placed(self):
        for (node, does), want in NEAR.items():
            report = DONE["near", (node, does)]
            with self.subTest(node=node, does=does):
                self.assertEqual(report.ids(), ["path.tcp-proxy"],
                                 report.told())
                finding, = report.findings
                place = finding["evidence"]["location"]
                self.assertEqual(
                    (finding["severity"], finding["segment"], place["hop"],
                     place["address"]), want)
                self.assertEqual(place["basis"], "accepts")
                self.assertEqual(finding["evidence"]["ports"], ["5061/TCP"])
                named = {report.facts[i]["scope"] for i in finding["facts"]
                         if report.facts[i]["id"] == "flow.reached"}
                self.assertEqual(named, {f[0] for f in services.flows()
                                         if f[2:4] == ("tcp", 5061)})
                self.assertEqual(report.pick("path.accepts")[0]
                                 ["server_hop_min"], HOPS + 1)


class Often(unittest.TestCase):
    """What the edge limits is never told as the network's doing."""

    def test_many_checks_in_a_row_meet_no_limit(self):
        self.assertEqual(DONE["often"][0], [[]] * ROW)

    def test_limit_is_told_as_that(self):
        report = DONE["often"][1]
        # of what it does not answer, some things cannot be known
        self.assertLessEqual({"edge.limited"}, set(report.ids()))
        self.assertLessEqual(set(report.ids()), {
            "edge.limited", "alg.unknown", "tls.untrusted"}, report.told())
        self.assertEqual(report.verdict, "could-not-test")
        said, = [f for f in report.findings if f["id"] == "edge.limited"]
        self.assertRegex(said["title"], "wait [1-9][0-9]* s")
        self.assertLessEqual({f["result"] for f in report.pick("flow.reached")},
                             {"answered", "open", "limited", "bad-tls"})


class Resolver(unittest.TestCase):

    def test_dead_resolver_is_one_cause(self):
        named = {f["host"] for f in services.ROWS
                 if services.is_name(f["host"])}
        for how in ("silent", "stopped"):
            report = DONE["resolver", how]
            with self.subTest(how=how):
                self.assertEqual(report.ids(), ["name.resolver-dead"],
                                 report.told())
                failed = report.pick("flow.reached", state="fail")
                self.assertEqual({f["host"] for f in failed}, named)
                self.assertEqual({f["result"] for f in failed},
                                 {"no-address"})


class Boxes(unittest.TestCase):

    def test_login_page_explains_all(self):
        for name in ("portal, reject", "portal, drop"):
            report = DONE["box", name]
            with self.subTest(name=name):
                self.assertEqual(report.ids(), ["path.captive-portal"],
                                 report.told())
                self.assertEqual(report.verdict, "not-ready")

    def test_proxy_is_seen(self):
        report = DONE["box", "proxy"]
        self.assertEqual(report.ids(), ["path.web-proxy"], report.told())
        finding, = report.findings
        self.assertEqual(finding["severity"], "warn")
        named = {report.facts[i]["dst_port"] for i in finding["facts"]
                 if report.facts[i]["id"] == "flow.reached"}
        self.assertEqual(named, {80})
        self.assertEqual(report.verdict, "ready-with-remarks")


if __name__ == "__main__":
    lab.main()
