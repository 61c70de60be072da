"""DNS, TCP, TLS and HTTP, asked of dnsmasq and nginx."""
import os
import shutil
import tempfile
import unittest

import yaml

import ask_one
import lab
import pki
import rig

NAME = "sip.example.com"
CONFIG = lab.HERE / "server"
AWAIT = f"exec python3 {lab.HERE}/await_port.py"
HASTE = {"patience_ms": 900}  # where silence is to be found
BIG = 60  # addresses: more than 512 bytes hold
LIAR = 5354  # the port of a name server that lies
SILENT = 7003  # where nothing gets through
DELAY_MS = 20  # of the last router, each way
R1 = "192.0.2.1"
SERVER6 = "2001:db8:ffff::10"
R1_6 = "2001:db8::1"


def nginx(directory, name):
    text = (CONFIG / name).read_text(encoding="ascii")
    path = f"{directory}/{name}"
    with open(path, "w", encoding="ascii") as f:
        f.write(text.replace("@DIR@", directory)
                .replace("@ADDR6@", f"[{SERVER6}]")
                .replace("@ADDR@", lab.SERVER))
    return f"nginx -e {directory}/error.log -c {path}"


def dnsmasq(port, *words):
    return " ".join([
        f"dnsmasq -d -C /dev/null --port={port}",
        f"--listen-address={lab.SERVER} --bind-interfaces --no-resolv",
        "--no-hosts", *words])


def resolver():
    big = [f"--host-record=big.example.com,203.0.113.{i + 1}"
           for i in range(BIG)]
    return dnsmasq(
        53, *(f"--local=/{name}/" for name in ("com", "invalid", "example")),
        f"--host-record={NAME},{lab.SERVER},2001:db8::10",
        "--host-record=sip1.example.com,203.0.113.1",
        "--host-record=pbx.corp.example,203.0.113.9",
        f"--srv-host=_sip._udp.{NAME},sip2.example.com,5060,20,1",
        f"--srv-host=_sip._udp.{NAME},sip1.example.com,5062,10,1",
        f"--srv-host=_sip._ws.{NAME},sip1.example.com,80,10,1",
        f"--naptr-record={NAME},20,1,s,SIP+D2U,,_sip._udp.{NAME}",
        f"--naptr-record={NAME},10,1,s,SIP+D2W,,_sip._ws.{NAME}", *big)


def liar():
    """Nobody's names have an address, and TCP is shut (RULES)."""
    big = [f"--host-record=big.example.com,{lab.SERVER},2001:db8::{i + 1:x}"
           for i in range(BIG)]
    return dnsmasq(LIAR, "--address=/invalid/203.0.113.66",
                   f"--host-record={NAME},{lab.SERVER}",
                   "--host-record=pbx.corp.example,203.0.113.9", *big)


def profile():
    """Names, each with a fault of its own."""
    rows = [(NAME, 443, "sip"), ("big.example.com", 80, "web"),
            ("pbx.corp", 443, "web")]
    return yaml.safe_dump({
        "schema": "prumo/profile/1", "id": "names", "name": "Names",
        "source": {"title": "Names"}, "tables": [{"id": "t"}],
        "requirements": {"sip_alg_allowed": False},
        "rows": [{"table": "t", "row": i + 1, "host": host, "ports": [port],
                  "transports": ["tcp"], "direction": "out", "class": kind,
                  "service": "s", "description": "d"}
                 for i, (host, port, kind) in enumerate(rows)]})


RULES = f"""
chain forward {{
    type filter hook forward priority 0;
    tcp dport 7001 reject with icmp admin-prohibited
    tcp dport 7002 reject with tcp reset
    tcp dport 7003 drop
    udp dport 7003 drop
    tcp dport {LIAR} reject with tcp reset
}}
chain prerouting {{
    type nat hook prerouting priority -100;
    ip daddr {lab.SERVER} tcp dport 8080 redirect
}}"""


def long_lived_root(keys):
    """As roots are: only the leaf's own dates are at fault then."""
    keys.openssl("req", "-new", "-key", "root.key", "-out", "root.csr",
                 "-subj", "/CN=Lab root", "-addext",
                 "basicConstraints=critical,CA:TRUE")
    keys.openssl("ca", "-batch", "-selfsign", "-config", "cnf", "-keyfile",
                 "root.key", "-in", "root.csr", "-out", "root.pem",
                 "-startdate", "20000101000000Z", "-enddate",
                 "20491231235959Z", "-notext")


def await_open(room, addr, port):
    """For servers that do not say when they are ready."""
    for _ in range(50):
        if ask_one.ask(room, "tcp", "tcp", NAME, addr, port).end == "open":
            return
    raise AssertionError(f"nobody at {addr} {port}")


# A server of which TLS 1.1 is the newest: OpenSSL's, which refuses, and one
# that answers as was done before there was 1.3 (RFC 2246, section 7.4.1.3).
OLD_TLS = """import socket, ssl, subprocess, sys
with socket.create_server(("127.0.0.1", 0)) as at:
    port = str(at.getsockname()[1])
    asked = subprocess.Popen([sys.argv[2], "tls", "tls", "a.example",
                              "127.0.0.1", port])
    peer = at.accept()[0]
    if sys.argv[1] == "hello":
        peer.recv(4096)
        peer.sendall(bytes.fromhex("160301002a" "02000026" "0301")
                     + bytes(range(32)) + bytes.fromhex("00002f00"))
    else:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.set_ciphers("ALL:@SECLEVEL=0")
        tls.minimum_version = ssl.TLSVersion.TLSv1
        tls.maximum_version = ssl.TLSVersion.TLSv1_1
        try:
            tls.wrap_socket(peer, server_side=True)
        except ssl.SSLError:
            pass
    asked.wait()
"""


class Services(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for program in "nginx", "dnsmasq", "openssl":
            if not shutil.which(program, path="/usr/bin:/usr/sbin"):
                raise unittest.SkipTest(f"no {program}")
        cls.keys = keys = pki.Pki()
        long_lived_root(keys)
        keys.make("good", NAME)
        keys.make("expired", NAME, end="20210101000000Z")
        keys.make("future", NAME, start="20480101000000Z")
        keys.make("other", "www.example.net")
        keys.openssl("req", "-x509", *pki.KEY, "-keyout", "self.key", "-out",
                     "self.pem", "-subj", "/O=Firewall Inc/CN=box", "-addext",
                     f"subjectAltName=DNS:{NAME}")
        os.chmod(f"{keys.dir}/self.key", 0o644)
        os.chmod(keys.dir, 0o777)
        cls.addClassCleanup(keys.temp.cleanup)
        cls.room = rig.Lab(
            "--router", f"2:out.delay={DELAY_MS},in.delay={DELAY_MS}",
            nodes=["r1"], servers=[
                f"server:{AWAIT} 443 {nginx(keys.dir, 'nginx.conf')}",
                f"server:{AWAIT} 53 {resolver()}",
                f"server:{AWAIT} {LIAR} {liar()}",
                f"server:{AWAIT} 5353 " +
                dnsmasq(5353, "--address=/#/203.0.113.66"),
                f"r1:{nginx(keys.dir, 'proxy.conf')} & echo ready; wait"])
        cls.addClassCleanup(cls.room.close)
        cls.room.nft("r1", RULES)
        await_open(cls.room, lab.SERVER, 8080)

    def ask(self, kind, via, port, host=NAME, addr=lab.SERVER, **keys):
        return ask_one.ask(self.room, kind, via, host, addr, port,
                           env={"SSL_CERT_FILE": self.keys.root,
                                "SSL_CERT_DIR": "/nowhere",
                                "http_proxy": "http://u:pw@192.0.2.8:3128"},
                           **keys)

    # TCP

    def test_tcp(self):
        for port, end, error, offender in (
                (80, "open", None, "-"),
                (9, "refused", "ECONNREFUSED", "-"),
                (7001, "refused", "EHOSTUNREACH", R1),
                (7002, "refused", "ECONNREFUSED", "-"),
                (7003, "silent", "ETIMEDOUT", "-")):
            with self.subTest(port=port):
                told = self.ask("tcp", "tcp", port, **HASTE)
                self.assertEqual((told.end, told.error,
                                  told.all["offender"]),
                                 (end, error, offender), told)

    def test_tcp_measures_the_way(self):
        told = self.ask("tcp", "tcp", 80)
        self.assertGreaterEqual(told["connect_ms"], 2 * DELAY_MS)
        self.assertEqual(told.layer, "connect")

    def test_flows_run_out(self):
        told = self.ask("tcp", "tcp", 80, flows=0)
        self.assertEqual((told.end, told.error), ("local", "EDQUOT"))
        self.assertEqual(self.ask("tcp", "tcp", 80, flows=5)
                         .all["flows_left"], 4)
        self.assertEqual(self.ask("tcp", "tcp", 7003, flows=5,
                                  patience_ms=1300).all["flows_left"], 3)

    # TLS

    def test_tls_good(self):
        told = self.ask("tls", "tls", 443)
        self.assertEqual((told.end, told.layer), ("open", "tls"), told)
        cert = told["certificate"]
        self.assertEqual((cert["faults"], cert["names"]), ([], [NAME]))
        self.assertEqual(cert["issuer"], "CN=Lab root")
        self.assertEqual(cert["root"], "CN=Lab root")
        self.assertIn(told["tls_version"], ("TLSv1.2", "TLSv1.3"))
        self.assertGreaterEqual(told["hello_ms"], 2 * DELAY_MS)
        self.assertNotIn("is_near", told.fields)

    def test_tls_bad(self):
        for port, faults in ((444, ["expired"]), (445, ["name"]),
                             (446, ["not-yet"]),
                             (447, ["untrusted", "self-signed"])):
            with self.subTest(port=port):
                told = self.ask("tls", "tls", port)
                self.assertEqual((told.end, told["tls_failure"]),
                                 ("bad-tls", "certificate"), told)
                cert = told["certificate"]
                self.assertEqual(cert["faults"], faults, told)
                self.assertTrue(cert["why"])
                self.assertEqual("clock_ahead_s" in cert, port == 444)
                self.assertEqual("clock_behind_s" in cert, port == 446)
        self.assertEqual(cert["issuer_name"], "Firewall Inc")

    def test_tls_pin_makes_good(self):
        cert = self.ask("tls", "tls", 447)["certificate"]
        told = self.ask("tls", "tls", 447, pin=cert["sha256"])
        self.assertEqual(told.end, "open", told)
        self.assertTrue(told["certificate"]["is_pinned"])
        told = self.ask("tls", "tls", 447, pin=cert["key_pin"])
        self.assertEqual(told.end, "bad-tls", told)

    def test_tls_alert_and_no_tls(self):
        told = self.ask("tls", "tls", 448)
        self.assertEqual((told.end, told["tls_failure"], told["tls_alert"]),
                         ("bad-tls", "alert", 112), told)
        told = self.ask("tls", "tls", 80)
        self.assertEqual((told.end, told["tls_failure"]),
                         ("bad-tls", "not-tls"), told)

    def test_tls_of_another_time(self):
        for how, want in (("library", "alert"), ("hello", "too-old")):
            with self.subTest(how=how):
                status, out, err = self.room.run(
                    "client", "python3", "-W", "ignore", "-c", OLD_TLS, how,
                    ask_one.ASK_ONE, env={"PRUMO_STAY_HOME": "1"})
                self.assertEqual(status, 0, err)
                told = ask_one.Ended(out)
                self.assertEqual((told.end, told["tls_failure"]),
                                 ("bad-tls", want), told)
                self.assertTrue(told["is_old_tls"])

    # HTTP

    def test_http_answers(self):
        told = self.ask("http", "tcp", 80)
        self.assertEqual((told.end, told.layer, told["status"]),
                         ("answered", "protocol", 200), told)
        self.assertIn("nginx", told["server"])
        self.assertEqual(told["body_bytes"], 6)
        self.assertIn(told["clock_ahead_s"], (-1, 0, 1))
        self.assertEqual(told["proxy_env"], "http_proxy=192.0.2.8:3128")
        for key in "portal", "is_proxied", "is_near", "is_body_altered":
            self.assertNotIn(key, told.fields)

    def test_http_portals(self):
        for port, end, portal, why in (
                (81, "answered", "likely", "redirect-foreign"),
                (82, "other", "sure", "redirect-private"),
                (83, "other", "sure", "status-511")):
            with self.subTest(port=port):
                told = self.ask("http", "tcp", port)
                self.assertEqual((told.end, told["portal"],
                                  told["portal_why"]),
                                 (end, portal, why), told)

    def test_http_is_followed_for_one_step_on_the_same_host(self):
        for port, end, status, portal in ((87, "other", 511, "sure"),
                                          (88, "answered", 200, None)):
            with self.subTest(port=port):
                told = self.ask("http", "tcp", port)
                self.assertEqual((told.end, told["followed"]["status"],
                                  told.fields.get("portal")),
                                 (end, status, portal), told)
        told = self.ask("http", "tcp", 81)
        self.assertEqual(told["redirect_host"], "portal.example.net")
        self.assertNotIn("followed", told.fields)

    def test_http_proxies_and_edges(self):
        told = self.ask("http", "tcp", 84)
        self.assertTrue(told["is_proxied"])
        self.assertEqual(told["location"], "https://sip.example.com/")
        self.assertNotIn("portal", told.fields)
        told = self.ask("http", "tcp", 85)
        self.assertTrue(told["is_body_altered"] and told.all["is_edge"], told)
        told = self.ask("http", "tls", 443)
        self.assertNotIn("is_body_altered", told.fields)
        self.assertTrue(told["is_intercepted"], told)

    def test_http_that_is_none(self):
        told = self.ask("http", "tcp", 86)
        self.assertEqual((told.end, told.layer, told.error),
                         ("cut", "connect", "ECONNRESET"), told)
        told = self.ask("http", "tcp", 53, **HASTE)
        self.assertEqual((told.end, told.layer), ("silent", "connect"), told)
        told = self.ask("http", "tls", 444)
        self.assertEqual((told.end, told["status"]), ("bad-tls", 200), told)

    def test_http_accepted_nearer_than_the_server(self):
        told = self.ask("http", "tcp", 8080, rtt_ms=2 * DELAY_MS)
        self.assertEqual((told.end, told["is_near"]), ("answered", True),
                         told)
        self.assertGreaterEqual(told["far_ms"], 2 * DELAY_MS)
        self.assertLess(told["near_ms"], DELAY_MS)

    # DNS

    def test_dns_tells_all(self):
        told = self.ask("dns", "udp", 53)
        self.assertEqual((told.end, told["rcode"], told["addresses"]),
                         ("answered", 0, [lab.SERVER, "2001:db8::10"]), told)
        self.assertEqual([r["services"] for r in told["naptr"]["records"]],
                         ["SIP+D2W", "SIP+D2U"])
        by_name = {entry["name"]: entry["records"] for entry in told["srv"]}
        self.assertEqual([(r["priority"], r["port"], r["target"])
                          for r in by_name[f"_sip._udp.{NAME}"]],
                         [(10, 5062, "sip1.example.com"),
                          (20, 5060, "sip2.example.com")])
        self.assertEqual(len(by_name[f"_sip._ws.{NAME}"]), 1)
        self.assertEqual({t["name"]: [r["address"] for r in t["records"]]
                          for t in told["targets"]},
                         {"sip1.example.com": ["203.0.113.1"],
                          "sip2.example.com": []})
        self.assertEqual(told["invented"]["rcode"], 3)
        first = told["servers"][0]["a"]
        self.assertGreaterEqual(first["ms"], 2 * DELAY_MS)
        for key in "is_inventing", "found_by_search", "is_disagreeing":
            self.assertNotIn(key, told.fields)

    def test_dns_truncated_goes_on_by_tcp(self):
        told = self.ask("dns", "udp", 53, host="big.example.com")
        self.assertEqual(len(told["addresses"]), 32, told)
        first = told["servers"][0]["a"]
        self.assertTrue(first["is_truncated"] and first["is_tcp"], first)
        self.assertNotIn("is_truncated", told["servers"][0]["aaaa"])

    def test_dns_by_tcp_alone(self):
        told = self.ask("dns", "tcp", 53)
        self.assertEqual(told["addresses"][0], lab.SERVER)
        self.assertTrue(told["servers"][0]["a"]["is_tcp"])
        self.assertEqual(told["servers"][0]["a"]["sent"], 0)

    def test_dns_of_a_number_asks_whether_it_is_there(self):
        told = self.ask("dns", "udp", 53, host=lab.SERVER)
        self.assertEqual((told.end, told["rcode"], told["addresses"]),
                         ("answered", 3, []), told)
        self.assertNotIn("naptr", told.fields)

    def test_dns_lies(self):
        told = self.ask("dns", "udp", 5353)
        self.assertIn("203.0.113.66", told["addresses"])
        self.assertTrue(told["is_inventing"])

    def test_dns_silent_and_refused(self):
        told = self.ask("dns", "udp", 7003, **HASTE)
        self.assertEqual((told.end, told["servers"][0]["a"]["sent"]),
                         ("silent", 4), told)
        told = self.ask("dns", "udp", 9)
        self.assertEqual((told.end, told.all["offender"]),
                         ("refused", lab.SERVER), told)

    def test_dns_counts_what_was_lost(self):
        self.room.must("r1", "nft", "-f", "-", text="""table inet loss {
            chain forward {
                type filter hook forward priority 1;
                udp dport 53 numgen inc mod 2 == 0 drop
            }
        }""")
        told = self.ask("dns", "udp", 53)
        self.room.must("r1", "nft", "delete", "table", "inet", "loss")
        self.assertEqual(told["addresses"], [lab.SERVER, "2001:db8::10"],
                         told)
        self.assertGreater(told.all["sent"], 8)

    def test_dns_as_the_system_would(self):
        path = f"{self.keys.dir}/resolv.conf"
        with open(path, "w", encoding="ascii") as f:
            f.write(f"search corp.example\nnameserver {lab.SERVER}\n"
                    f"nameserver {lab.SERVER}\n")
        script = (f"mount --bind {path} /etc/resolv.conf && "
                  'exec "$0" dns udp "$1" - 53')
        for name, found in (("pbx", "pbx.corp.example"), (NAME, None)):
            status, out, err = self.room.run(
                "client", "unshare", "-m", "sh", "-c", script,
                ask_one.ASK_ONE, name, env={"PRUMO_STAY_HOME": "1"})
            self.assertEqual(status, 0, err)
            told = ask_one.Ended(out)
            self.assertEqual(told.fields.get("found_by_search"), found, told)
            self.assertEqual(len(told["servers"]), 2)

    def test_check_finds_what_is_wrong_with_names(self):
        files = {"resolv.conf": "search example\n",
                 "hosts": f"203.0.113.7 {NAME}\n", "names.yaml": profile()}
        for name, text in files.items():
            with open(f"{self.keys.dir}/{name}", "w", encoding="ascii") as f:
                f.write(text)
        status, out, err = self.room.run(
            "client", "unshare", "-m", "sh", "-c",
            f"mount --bind {self.keys.dir}/resolv.conf /etc/resolv.conf && "
            f"mount --bind {self.keys.dir}/hosts /etc/hosts && "
            'exec "$0" "$@"', lab.PRUMO, "check", "-4", "--skip", "sip-alg",
            "-o", "json", "--dns", f"{lab.SERVER}:{SILENT}", "--dns",
            f"{lab.SERVER}:{LIAR}", f"{self.keys.dir}/names.yaml",
            env={"PRUMO_STAY_HOME": "1", "SSL_CERT_FILE": self.keys.root,
                 "SSL_CERT_DIR": "/nowhere"})
        self.assertTrue(out, err)
        report = rig.Report(out, status)
        self.assertEqual(set(report.ids()), {
            "name.not-found", "name.slow", "name.cut-short",
            "name.search-list", "name.invented", "name.hosts-file"},
            report.told())
        self.assertEqual(
            [f["result"] for f in report.pick("flow.reached")],
            ["answered", "answered", "no-address"])

    def test_dns_keeps_at_home(self):
        told = self.ask("dns", "udp", 53, addr="192.0.1.1")
        self.assertEqual((told.end, told.error), ("local", "EPERM"), told)


class Services6(unittest.TestCase):
    """The same over IPv6, through the kernel's own routers."""

    @unittest.skipUnless(shutil.which("nginx", path="/usr/bin:/usr/sbin"),
                         "no nginx")
    def test_all(self):
        rules = """chain forward {
            type filter hook forward priority 0;
            tcp dport 7001 reject with icmpv6 admin-prohibited
            tcp dport 7003 drop
        }"""
        with tempfile.TemporaryDirectory() as temp:
            os.chmod(temp, 0o777)
            servers = [f"server:{AWAIT} 53 " + dnsmasq(
                           53, "--local=/com/", f"--listen-address={SERVER6}",
                           f"--host-record={NAME},{SERVER6}"),
                       f"server:{nginx(temp, 'nginx6.conf')} & "
                       "echo ready; wait"]
            with rig.Lab("--ip6", nodes=["r1"], servers=servers) as room:
                room.nft("r1", rules)
                await_open(room, SERVER6, 80)
                self.check(room)

    def check(self, room):
        def ask(kind, via, port, **keys):
            return ask_one.ask(room, kind, via, NAME, SERVER6, port, **keys)

        self.assertEqual(ask("http", "tcp", 80)["status"], 200)
        for port, end, offender in ((80, "open", "-"), (9, "refused", "-"),
                                    (7001, "refused", R1_6),
                                    (7003, "silent", "-")):
            told = ask("tcp", "tcp", port, **HASTE)
            self.assertEqual((told.end, told.all["offender"]),
                             (end, offender), told)
        for via in "udp", "tcp":
            self.assertEqual(ask("dns", via, 53)["addresses"], [SERVER6])
        told = ask("dns", "udp", 9)
        self.assertEqual((told.end, told.all["offender"]),
                         ("refused", SERVER6), told)


lab.main()
