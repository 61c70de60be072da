"""Questions in SIP, STUN, TURN, XMPP and NTP, to servers that speak it."""
import os
import shutil
import tempfile
import unittest

import yaml

import ask_one
import lab
import pki
import rig

CONFIG = lab.HERE / "server"
AWAIT = f"server:cd /tmp; exec python3 {lab.HERE}/await_port.py"
NEEDED = ("kamailio", "turnserver", "prosody", "openssl", "dnsmasq")
# Only where it is there: its package throws out the machine's own time keeper.
CHRONY = shutil.which("chronyd", path="/usr/bin:/usr/sbin")
ACCOUNT = {"sip_user": "alice", "sip_password": "secret"}
TURN = {"turn_user": "alice", "turn_password": "secret"}
HASTE = {"patience_ms": 900}  # where silence is to be found
# The table of ports of each server: UDP and TCP, TLS, WebSocket, its TLS.
MD5 = {"udp": 5060, "tcp": 5060, "tls": 5061, "ws": 8080, "wss": 8443}
SHA256 = {"udp": 5070, "tcp": 5070, "tls": 5071, "ws": 8090, "wss": 8453}
COTURN = {"udp": 3478, "tcp": 3478, "tls": 5349}
DOMAIN = "example.com"
# What dnsmasq says of services: (service, target, port, priority).
RECORDS = [
    ("_sip._udp.sip", "a", 5060, 10), ("_sip._udp.pool", "b", 5070, 10),
    ("_sips._tcp.sip", "a", 5061, 10), ("_sips._ws.sip", "a", 8443, 10),
    ("_stun._udp.turn", "a", 3478, 10), ("_turn._tcp.turn", "a", 3478, 10),
    ("_turns._tcp.turn", "a", 5349, 10),
    ("_xmpp-client._tcp.chat", "a", 5222, 10),
    ("_sip._tcp.half", "dead", 5999, 20), ("_sip._tcp.half", "a", 5060, 10),
    ("_sip._tcp.moved", "a", 5070, 10), ("_sip._tcp.lie", "liar", 5060, 10),
    ("_sip._udp.loop", "_sip._udp.loop", 5060, 10),
]
HOSTS = ("a", "b", "dead", "liar", "plain")
# A row for each: transport, port, class, how it fares; what else it has.
SERVICES = {
    "_sip._udp.sip": ("udp", "5060-5070", "sip", "answered"),
    "_sips._tcp.sip": ("tls", 5061, "sip", "answered"),
    "_sips._ws.sip": ("tls", 8443, "webrtc", "answered", {
        "issuers": ["Another CA"]}),
    "_stun._udp.turn": ("udp", 3478, "stun", "answered"),
    "_turn._tcp.turn": ("tcp", 3478, "stun", "answered"),
    "_turns._tcp.turn": ("tls", 5349, "stun", "answered"),
    "_xmpp-client._tcp.chat": ("tcp", 5222, "chat", "answered"),
    "_sip._tcp.half": ("tcp", "5060-5999", "sip", "refused"),
    "_sip._tcp.moved": ("tcp", 5060, "sip", "answered"),
    "_sip._tcp.lie": ("tcp", 5060, "sip", "answered", {
        "addresses": ["203.0.113.9"]}),
    "_sip._tcp.plain": ("tcp", 5060, "sip", "answered"),
    "_sip._udp.root": ("udp", 5060, "sip", "not-offered"),
    "_sip._udp.gone": ("udp", 5060, "sip", "no-address"),
    "_sip._udp.loop": ("udp", 5060, "sip", "no-address"),
}


def resolver():
    words = [f"--host-record={host}.{DOMAIN},{lab.SERVER}" for host in HOSTS]
    words += [f"--srv-host={name}.{DOMAIN},{to}.{DOMAIN},{port},{priority},1"
              for name, to, port, priority in RECORDS]
    words += [f"--srv-host=_sip._udp.root.{DOMAIN}"]
    words += [f"--naptr-record=sip.{DOMAIN},{order},1,s,{service},,{to}"
              for order, service, to in (
                  (20, "SIPS+D2T", f"_sips._tcp.sip.{DOMAIN}"),
                  (30, "SIP+D2U", f"_sip._udp.pool.{DOMAIN}"))]
    return (f"{AWAIT} 53 dnsmasq -d -C /dev/null --port=53 --no-resolv "
            f"--listen-address={lab.SERVER} --bind-interfaces --no-hosts "
            f"--local=/{DOMAIN}/ --local=/invalid/ " + " ".join(words))


def profile():
    rows = [{"table": "t", "row": i + 1, "host": f"{name}.{DOMAIN}",
             "ports": [port], "transports": [transport], "direction": "out",
             "description": name, "class": kind, "service": "s",
             **dict(*more)}
            for i, (name, (transport, port, kind, _, *more)) in enumerate(
                SERVICES.items())]
    return yaml.safe_dump({
        "schema": "prumo/profile/1", "id": "srv", "name": "Services",
        "source": {"title": "Services"}, "tables": [{"id": "t"}],
        "rows": rows, "requirements": {"sip_alg_allowed": False}})


def kamailio(ports, cert, digest, once, path, where):
    texts = {"CERT": cert[0], "KEY": cert[1], "HASH": digest,
             "WS_PATH": path}
    numbers = {"PORT": ports["udp"], "TLS_PORT": ports["tls"],
               "WS_PORT": ports["ws"], "WSS_PORT": ports["wss"],
               "ONCE": once}
    words = [f"-A '{k}=\"{v}\"'" for k, v in texts.items()] + \
        [f"-A {k}={v}" for k, v in numbers.items()]
    run = f"{where}/kamailio{ports['udp']}"
    os.mkdir(run)
    os.chmod(run, 0o777)
    return (f"{AWAIT} {ports['tcp']} kamailio -f {CONFIG}/registrar.cfg -DD "
            f"-E -m 32 -M 4 -Y {run} -P {run}/pid {' '.join(words)}")


def servers(keys, where):
    good = keys.make("good", "sip.example.com", "chat.example.com",
                     "turn.example.com")
    old = keys.make("old", "sip.example.com", "old.example.com",
                    end="20200201000000Z")
    data = f"{where}/prosody"
    os.mkdir(data)
    os.chmod(data, 0o777)
    # the first, for it does not say when it is ready
    chrony = ["server:chronyd -d -x -u root 'local stratum 8' allow "
              f"'cmdport 0' 'bindcmdaddress /' 'bindaddress {lab.SERVER}' "
              f"'pidfile {where}/chrony.pid' >/dev/null 2>&1 & "
              "echo ready; wait"] if CHRONY else []
    return chrony + [
        kamailio(MD5, good, "MD5", 0, "^/$", where),
        kamailio(SHA256, old, "SHA-256", 1, "^/ws$", where),
        f"{AWAIT} 3478 turnserver -n --no-cli -L {lab.SERVER} --lt-cred-mech "
        f"-r example.com -u alice:secret --cert {good[0]} --pkey {good[1]} "
        f"--log-file {where}/turn.log --pidfile {where}/turn.pid",
        f"{AWAIT} 3678 turnserver -n --no-cli -p 3678 -L {lab.SERVER} "
        "--no-tls --no-dtls --lt-cred-mech -r example.com -u alice:secret "
        f"--denied-peer-ip={lab.SERVER} --log-file {where}/turn2.log "
        f"--pidfile {where}/turn2.pid",
        f"server:export PROSODY_DATA={data} PROSODY_CERTS={keys.dir}; "
        f"{AWAIT.split(':', 1)[1]} 5280 prosody --config "
        f"{CONFIG}/prosody.cfg.lua -F",
        f"server:exec python3 {CONFIG}/odd.py", resolver()]


class Shared:
    """One lab for all: its servers take longer to start than to answer."""
    keys = temp = room = None


def setUpModule():
    missing = [n for n in NEEDED
               if not shutil.which(n, path="/usr/bin:/usr/sbin")]
    if missing:
        raise unittest.SkipTest(f"no {missing}")
    Shared.keys = pki.Pki()
    Shared.temp = tempfile.TemporaryDirectory()
    os.chmod(Shared.temp.name, 0o777)
    Shared.room = rig.Lab("--nat-at", 1, nodes=("server",),
                          servers=servers(Shared.keys, Shared.temp.name))
    Shared.room.nft("server", "chain input { type filter hook input "
                    "priority 0; udp dport 5099 drop; "
                    "tcp dport 5099 drop; }")


def tearDownModule():
    Shared.room.close()
    Shared.temp.cleanup()


class Records(unittest.TestCase, Shared):
    """A profile of service records alone: dnsmasq leads to the servers."""

    @classmethod
    def setUpClass(cls):
        path = f"{cls.temp.name}/srv.yaml"
        with open(path, "w", encoding="ascii") as f:
            f.write(profile())
        with open(f"{cls.temp.name}/account", "w", encoding="ascii") as f:
            f.write("sip_user=alice\nsip_password=wrong\n"
                    "turn_user=alice\nturn_password=wrong\n")
        cls.report = cls.room.check("--skip", "sip-alg,mtu", "--account",
                                    f"{cls.temp.name}/account", path,
                                    target=("--dns", lab.SERVER),
                                    env={"SSL_CERT_FILE": cls.keys.root})

    def test_by_tcp_where_udp_does_not_reach_the_name_server(self):
        self.room.must("server", "nft", "-f", "-", text="""table inet deaf {
            chain input {
                type filter hook input priority 1; udp dport 53 drop
            }
        }""")
        report = self.room.check("--skip", "sip-alg",
                                 f"{self.temp.name}/srv.yaml",
                                 target=("--dns", lab.SERVER),
                                 env={"SSL_CERT_FILE": self.keys.root})
        self.room.must("server", "nft", "delete", "table", "inet", "deaf")
        self.assertEqual({f["description"]: f["result"]
                          for f in report.pick("flow.reached")},
                         {name: row[3] for name, row in SERVICES.items()},
                         report.told())
        self.assertIn("name.only-tcp", report.ids())

    def service(self, name):
        fact, = self.report.pick("name.service", scope=f"{name}.{DOMAIN}")
        return fact

    def flow(self, name):
        fact, = self.report.pick("flow.reached", description=name)
        return fact

    def test_every_row_is_asked_by_its_own_protocol(self):
        self.assertEqual({name: self.flow(name)["result"]
                          for name in SERVICES},
                         {name: row[3] for name, row in SERVICES.items()},
                         self.report.told())
        self.assertEqual({name: (self.flow(name)["protocol"],
                                 self.flow(name)["dst_port"])
                          for name in list(SERVICES)[1:7]},
                         {"_sips._tcp.sip": ("sip-options", 5061),
                          "_sips._ws.sip": ("sip-options", 8443),
                          "_stun._udp.turn": ("stun", 3478),
                          "_turn._tcp.turn": ("turn", 3478),
                          "_turns._tcp.turn": ("turn", 5349),
                          "_xmpp-client._tcp.chat": ("xmpp", 5222)})

    def test_naptr_leads_before_the_record_of_the_row(self):
        fact = self.service("_sip._udp.sip")
        self.assertEqual([(t["host"], t["port"]) for t in fact["targets"]],
                         [(f"b.{DOMAIN}", 5070), (f"a.{DOMAIN}", 5060)])
        self.assertEqual([n["services"] for n in fact["naptr"]],
                         ["SIPS+D2T", "SIP+D2U"])
        self.assertEqual([s["name"] for s in fact["srv"]],
                         [f"_sip._udp.{d}.{DOMAIN}" for d in ("sip", "pool")])
        self.assertEqual(len(self.flow("_sip._udp.sip")["asked"]), 2)

    def test_one_of_two_targets_fails(self):
        flow = self.flow("_sip._tcp.half")
        self.assertEqual((flow["state"], flow["is_mixed"], flow["target"],
                          flow["dst_port"]),
                         ("warn", True, f"dead.{DOMAIN}", 5999), flow)

    def test_results_of_records(self):
        self.assertEqual({name: self.service(name)["result"]
                          for name in SERVICES
                          if self.service(name)["result"] != "resolved"},
                         {"_sip._tcp.plain": "fallback",
                          "_sip._udp.root": "not-offered",
                          "_sip._udp.gone": "no-address",
                          "_sip._udp.loop": "no-address"})
        self.assertEqual(self.service("_sip._tcp.moved")["unlisted_ports"],
                         [5070])
        self.assertEqual(self.flow("_sip._tcp.moved")["dst_port"], 5070)

    def test_each_cause_is_one_finding(self):
        self.assertEqual(self.report.ids(), [
            "name.not-offered", "name.not-found", "service.stopped",
            "name.unexpected-address", "name.no-record",
            "name.unexpected-port", "tls.other-issuer",
            "account.sip-refused", "account.turn-refused"], self.report.told())


class Real(unittest.TestCase, Shared):
    def ask(self, kind, via, port, host="sip.example.com", **keys):
        return ask_one.ask(self.room, kind, via, host, lab.SERVER, port,
                           env={"SSL_CERT_FILE": self.keys.root}, **keys)

    def assert_ended(self, got, end, layer, **fields):
        self.assertEqual((got.end, got.layer), (end, layer), got)
        for key, value in fields.items():
            self.assertEqual(got.fields.get(key), value, f"{key}: {got}")

    def is_registered(self, port):
        _, out, err = self.room.run("client", "sipsak", "-vv", "-s",
                                    f"sip:alice@{lab.SERVER}:{port}")
        self.assertIn("SIP/2.0 ", out, err)
        return "SIP/2.0 200" in out


class Sip(Real):
    def test_options_over_every_transport(self):
        for via, port in MD5.items():
            with self.subTest(via=via):
                got = self.ask("sip-options", via, port)
                self.assert_ended(got, "answered", "protocol", code=200,
                                  reason="OK")
                self.assertIn("kamailio", got["server"])
                if via in ("udp", "tcp", "tls"):
                    self.assertNotEqual(got["received"], lab.CLIENT)
                    self.assertGreater(got["rport"], 0)

    def test_registers_and_leaves_nothing(self):
        for ports, digest in (MD5, "md5"), (SHA256, "sha-256"):
            for via, port in ports.items():
                if ports is SHA256 and via in ("tls", "wss"):
                    continue  # its certificate has expired
                with self.subTest(via=via, digest=digest):
                    got = self.ask("sip-register", via, port,
                                   sip_domain="example.com", **ACCOUNT)
                    self.assert_ended(got, "answered", "protocol", code=200,
                                      auth=digest, is_registered=True,
                                      is_removed=True)
                    self.assertFalse(self.is_registered(ports["udp"]))

    def test_registers_through_a_proxy_that_asks(self):
        got = self.ask("sip-register", "udp", 5060,
                       sip_domain="proxy.example.com", **ACCOUNT)
        self.assert_ended(got, "answered", "protocol", code=200, auth="md5",
                          is_removed=True)

    def test_wrong_password(self):
        for ports in MD5, SHA256:
            for via in "udp", "tcp":
                with self.subTest(via=via, port=ports[via]):
                    got = self.ask("sip-register", via, ports[via],
                                   sip_domain="example.com",
                                   sip_user="alice", sip_password="wrong")
                    self.assert_ended(got, "answered", "protocol", code=401,
                                      auth="refused", is_registered=False)
                    self.assertLess(got.all["sent"], 4)

    def test_without_an_account(self):
        got = self.ask("sip-register", "udp", 5060)
        self.assert_ended(got, "answered", "protocol", code=401)
        self.assertNotIn("auth", got.fields)
        self.assertNotIn("Contact:", got.evidence["request"])

    def test_expired_certificate_is_shown_no_password(self):
        for via in "tls", "wss":
            with self.subTest(via=via):
                got = self.ask("sip-register", via, SHA256[via],
                               sip_domain="example.com", **ACCOUNT)
                self.assert_ended(got, "bad-tls", "protocol", code=401,
                                  auth="withheld", is_registered=False)
                self.assertEqual(got["certificate"]["faults"], ["expired"])

    def test_wrong_name_in_certificate(self):
        got = self.ask("sip-options", "tls", 5061, host="sip2.example.com")
        self.assert_ended(got, "bad-tls", "protocol", code=200)
        self.assertEqual(got["certificate"]["faults"], ["name"])

    def test_a_stop_in_the_middle_removes_the_binding(self):
        """The patience ends before the removal is answered."""
        got = self.ask("sip-register", "udp", 5060, patience_ms=1,
                       sip_domain="example.com", **ACCOUNT)
        self.assertIn(got.end, ("answered", "silent"))
        self.assertFalse(self.is_registered(5060))

    def test_repeats_the_same_request(self):
        got = self.ask("sip-options", "udp", 7012)
        self.assert_ended(got, "answered", "protocol", code=503)
        self.assertEqual(got.all["sent"], 4)

    def test_what_is_not_sip(self):
        for via, port, end, layer in (
                ("udp", 5999, "refused", "none"),
                ("tcp", 5999, "refused", "none"),
                ("tls", 5999, "refused", "none"),
                ("ws", 5999, "refused", "none"),
                ("udp", 5099, "silent", "none"),
                ("tcp", 5099, "silent", "none"),
                ("udp", 7011, "other", "none"),
                ("tcp", 7001, "silent", "connect"),
                ("tls", 7001, "silent", "connect"),
                ("tcp", 7002, "other", "connect"),
                ("tls", 7002, "bad-tls", "connect"),
                ("ws", 7002, "other", "connect"),
                ("ws", 5280, "other", "connect"),
                ("tcp", 7003, "cut", "connect"),
                ("tcp", 7004, "cut", "connect"),
                ("tls", 7004, "cut", "connect")):
            with self.subTest(via=via, port=port):
                got = self.ask("sip-options", via, port, **HASTE)
                self.assert_ended(got, end, layer)
        got = self.ask("sip-options", "udp", 5999, **HASTE)
        self.assertEqual((got.all["offender"], got.all["icmp_type"],
                          got.all["icmp_code"]), (lab.SERVER, 3, 3))
        got = self.ask("sip-options", "udp", 5099, **HASTE)
        self.assertGreaterEqual(got.all["sent"], 5)


class StunAndTurn(Real):
    def test_binding_over_every_transport(self):
        for via, port in COTURN.items():
            with self.subTest(via=via):
                got = self.ask("stun", via, port, host="turn.example.com")
                self.assert_ended(got, "answered", "protocol",
                                  is_mapped=True, fingerprint=True)
                self.assertIn("Coturn", got["software"])
                self.assertTrue(got["local"].startswith(lab.CLIENT))

    def test_relays_and_releases(self):
        for via, port in COTURN.items():
            with self.subTest(via=via):
                got = self.ask("turn", via, port, host="turn.example.com",
                               **TURN)
                self.assert_ended(got, "answered", "protocol", auth="md5",
                                  realm="example.com", is_permitted=True,
                                  is_bound=True, relay_echo="passed",
                                  relay_peer="relay", is_released=True)
                self.assertTrue(got["relayed"].startswith(lab.SERVER))

    def test_relay_that_refuses_itself(self):
        for via in "udp", "tcp":
            with self.subTest(via=via):
                got = self.ask("turn", via, 3678, **TURN)
                self.assert_ended(got, "answered", "protocol", auth="md5",
                                  code=403, is_permitted=True,
                                  relay_echo="passed", relay_peer="client",
                                  is_released=True)
                self.assertNotIn("is_bound", got.fields)
        got = self.ask("turn", "tcp", 3678, flows=1, **TURN)
        self.assert_ended(got, "answered", "protocol", relay_echo="denied",
                          relay_peer="relay", is_released=True)

    def test_without_credentials(self):
        for via, port in COTURN.items():
            with self.subTest(via=via):
                got = self.ask("turn", via, port, host="turn.example.com")
                self.assert_ended(got, "answered", "protocol", code=401,
                                  realm="example.com", auth="required")

    def test_wrong_password(self):
        got = self.ask("turn", "udp", 3478, turn_user="alice",
                       turn_password="wrong")
        self.assert_ended(got, "answered", "protocol", code=401,
                          auth="refused")

    def test_sha256_and_a_relay_that_denies(self):
        got = self.ask("turn", "udp", 7013, **TURN)
        self.assert_ended(got, "answered", "protocol", auth="sha-256",
                          relayed=f"{lab.SERVER}:50000", code=403,
                          relay_echo="denied", is_released=True)
        got = self.ask("turn", "udp", 7013, turn_user="alice",
                       turn_password="wrong")
        self.assert_ended(got, "answered", "protocol", auth="refused")

    def test_wrong_name_in_certificate(self):
        got = self.ask("turn", "tls", 5349, host="other.example.com", **TURN)
        self.assert_ended(got, "bad-tls", "protocol", auth="withheld")

    def test_what_is_not_stun(self):
        for kind in "stun", "turn":
            for via, port, end, layer in (
                    ("udp", 5999, "refused", "none"),
                    ("tcp", 5999, "refused", "none"),
                    ("udp", 5099, "silent", "none"),
                    ("udp", 7011, "other", "none"),
                    ("tcp", 7001, "silent", "connect"),
                    ("tcp", 7002, "other", "connect"),
                    ("tcp", 7004, "cut", "connect"),
                    ("tls", 7002, "bad-tls", "connect")):
                with self.subTest(kind=kind, via=via, port=port):
                    got = self.ask(kind, via, port, **HASTE)
                    self.assert_ended(got, end, layer)


class Xmpp(Real):
    def test_starttls(self):
        got = self.ask("xmpp", "tcp", 5222, host="chat.example.com")
        self.assert_ended(got, "answered", "protocol", security="starttls",
                          starttls="required", version="1.0",
                          **{"from": "chat.example.com"})
        self.assertEqual(got["certificate"]["faults"], [])
        self.assertIn("SCRAM-SHA-1", got["mechanisms"])

    def test_direct_tls_is_found_on_an_unknown_port(self):
        for via in "tcp", "tls":
            with self.subTest(via=via):
                got = self.ask("xmpp", via, 5422, host="chat.example.com")
                self.assert_ended(got, "answered", "protocol",
                                  security="direct-tls")
                self.assertIsNone(got.error)

    def test_expired_certificate(self):
        got = self.ask("xmpp", "tcp", 5222, host="old.example.com")
        self.assert_ended(got, "bad-tls", "protocol", security="starttls")
        self.assertEqual(got["certificate"]["faults"], ["expired"])

    def test_unknown_host_is_an_answer(self):
        got = self.ask("xmpp", "tcp", 5222, host="none.example.com")
        self.assert_ended(got, "answered", "protocol",
                          condition="host-unknown")

    def test_bosh(self):
        for via, port in ("tcp", 5280), ("tls", 5281):
            with self.subTest(via=via):
                got = self.ask("xmpp-bosh", via, port,
                               host="chat.example.com")
                self.assert_ended(got, "answered", "protocol",
                                  http_status=200,
                                  **{"from": "chat.example.com"})
                self.assertIn("PLAIN", got["mechanisms"])

    def test_websocket(self):
        for via, port in ("ws", 5280), ("wss", 5281):
            with self.subTest(via=via):
                got = self.ask("xmpp-ws", via, port, host="chat.example.com")
                self.assert_ended(got, "answered", "protocol", ws_status=101,
                                  subprotocol="xmpp",
                                  **{"from": "chat.example.com"})
                self.assertIn("PLAIN", got["mechanisms"])

    def test_what_is_not_xmpp(self):
        for kind, via, port, end, layer in (
                ("xmpp", "tcp", 5999, "refused", "none"),
                ("xmpp", "tcp", 5099, "silent", "none"),
                ("xmpp", "tcp", 7001, "silent", "connect"),
                ("xmpp", "tcp", 7002, "other", "connect"),
                ("xmpp", "tcp", 7003, "cut", "connect"),
                ("xmpp", "tls", 7002, "bad-tls", "connect"),
                ("xmpp-bosh", "tcp", 7002, "other", "connect"),
                ("xmpp-bosh", "tcp", 7004, "cut", "connect"),
                ("xmpp-bosh", "tcp", 8080, "other", "connect"),
                ("xmpp-ws", "ws", 8080, "other", "connect")):
            with self.subTest(kind=kind, via=via, port=port):
                got = self.ask(kind, via, port, host="chat.example.com",
                               **HASTE)
                self.assert_ended(got, end, layer)


class Ntp(Real):
    def assert_time(self, port, stratum, ahead_ms):
        got = self.ask("ntp", "udp", port)
        self.assert_ended(got, "answered", "protocol", stratum=stratum,
                          is_set=True)
        self.assertLessEqual(abs(got["offset_ms"] - ahead_ms),
                             got["delay_ms"] / 2 + 1, got)

    @unittest.skipUnless(CHRONY, "no chronyd")
    def test_time(self):
        self.assert_time(123, 8, 0)

    def test_another_time(self):
        self.assert_time(7014, 2, 3600000)

    def test_kiss_of_death(self):
        self.assert_ended(self.ask("ntp", "udp", 7015), "answered",
                          "protocol", stratum=0, kiss="RATE")

    def test_what_is_not_ntp(self):
        for port, end in (5999, "refused"), (5099, "silent"), (7011, "other"):
            with self.subTest(port=port):
                self.assert_ended(self.ask("ntp", "udp", port, **HASTE), end,
                                  "none")


class Edge(unittest.TestCase):
    def test_says_that_it_is_one(self):
        with rig.Lab("--nat-at", 1) as room:
            for kind in "sip-options", "sip-register":
                for via, port in ("udp", 5060), ("tcp", 5060), ("tls", 5061):
                    with self.subTest(kind=kind, via=via):
                        got = ask_one.ask(room, kind, via, lab.SERVER,
                                          lab.SERVER, port)
                        self.assertEqual(got.layer, "protocol", got)
                        self.assertTrue(got.all["is_edge"], got)


class Ip6(unittest.TestCase):
    def test_asks_over_ip6_as_well(self):
        server = "2001:db8:ffff::10"
        with tempfile.TemporaryDirectory() as temp, rig.Lab(
                "--ip6", servers=(
                    rig.EDGE, f"{AWAIT} 3578 turnserver -n --no-cli -p 3578 "
                    f"-L {server} -L {lab.SERVER} --lt-cred-mech --no-tls "
                    "--no-dtls -r example.com -u alice:secret --log-file "
                    f"{temp}/log --pidfile {temp}/pid")) as room:
            def ask(kind, via, port, **keys):
                got = ask_one.ask(room, kind, via, server, server, port,
                                  **keys)
                self.assertEqual(got.layer, "protocol", got)
                return got
            for via, port in ("udp", 5060), ("tcp", 5060), ("tls", 5061):
                with self.subTest(via=via):
                    got = ask("sip-register", via, port, **ACCOUNT)
                    self.assertTrue(got["is_removed"], got)
                    self.assertTrue(got.all["is_edge"], got)
            for via in "udp", "tcp":
                with self.subTest(via=via):
                    got = ask("turn", via, 3578, **TURN)
                    self.assertEqual(got["relay_echo"], "passed", got)
                    self.assertTrue(got["relayed"].startswith("[2001:"), got)


lab.main()
