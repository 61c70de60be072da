"""A profile asked of real servers, with no edge: all well, and each amiss."""
import concurrent.futures
import os
import pathlib
import tempfile
import unittest

import yaml

import lab
import rig
import services

DNS = "198.51.100.53"
# program: its host, address, and (class, transport, port) that are asked
SERVERS = {
    "kamailio": ("sip.example", "198.51.100.30", [
        ("sip", "udp", 5060), ("sip", "tcp", 5060), ("sip", "tcp", 5061),
        ("sip", "tcp", 443), ("webrtc", "tcp", 8089)]),
    "coturn": ("turn.example", "198.51.100.32", [
        ("stun", "udp", 3478), ("stun", "tcp", 3478),
        ("stun", "tcp", 5349)]),
    "prosody": ("chat.example", "198.51.100.33", [
        ("chat", "tcp", 5222), ("chat", "tcp", 5280),
        ("chat", "tcp", 5422)]),
    "nginx": ("www.example", "198.51.100.34", [
        ("web", "tcp", 80), ("web", "tcp", 443)]),
    "dnsmasq": (DNS, DNS, [("dns", "udp", 53), ("dns", "tcp", 53)]),
}
TLS = {"kamailio": {5061, 443, 8089}, "coturn": {5349}, "prosody": {5222},
       "nginx": {443}}
PORTS = {"kamailio": {"wss": [443, 8089]},  # others than the usual ones
         "prosody": {"http": [5280, 5422]}}
FINDINGS = {"expired": "tls.expired", "wrong-name": "tls.wrong-name",
            "self-signed": "tls.untrusted"}
CASES = [("all", None), ("full", None), ("nameless", None),
         ("moved", "kamailio"), ("no-udp-53", None), ("reset-443", "nginx")]
CASES += [("stopped", p) for p in SERVERS]
# each program with a fault of its own, each fault with some program
CASES += [("expired", "kamailio"), ("wrong-name", "coturn"),
          ("expired", "prosody"), ("wrong-name", "nginx"),
          ("self-signed", "coturn"), ("self-signed", "nginx")]
# the same network on a computer whose clock is wrong
YEAR_S = 365 * 24 * 3600
CLOCKS = {"clock-behind": -3 * YEAR_S, "clock-ahead": 30 * YEAR_S}
CASES += [(clock, None) for clock in CLOCKS]
ACCOUNT = "turn_user=prumo\nturn_password=prumo\n"
DONE = {}


def flows(program):
    return {(transport, port) for _, transport, port in SERVERS[program][2]}


def profile(case, who):
    def listed(p):
        at = "198.51.100.99" if (case, who) == ("moved", p) else SERVERS[p][1]
        return {"addresses": [at]} if services.is_name(SERVERS[p][0]) else {}

    rows = [{"table": "t", "row": i + 1, "host": host, "ports": [port],
             "transports": [transport], "direction": "out",
             "direction_printed": "out", "description": kind, "class": kind,
             "service": program, "purpose": program, **listed(program)}
            for i, (program, host, kind, transport, port) in enumerate(
                (p, s[0], *ask) for p, s in SERVERS.items() for ask in s[2])]
    return {"schema": "prumo/profile/1", "id": "real", "name": "Real servers",
            "source": {"title": "Servers", "publisher": "Lab",
                       "language": "en"},
            "tables": [{"id": "t", "title": "Servers", "page": "1"}],
            "rows": rows, "requirements": services.PROFILE["requirements"]}


def scenario(case, who):
    servers = []
    for program, (host, at, _) in SERVERS.items():
        words = {"program": program, "addresses": [at]}
        if program != "dnsmasq":
            words["host"] = host
        if program == who and case in FINDINGS:
            words["certificate"] = case
        if program in PORTS:
            words["ports"] = PORTS[program]
        if program != who or case != "stopped":
            servers.insert(0 if program == "dnsmasq" else len(servers), words)
    return {"schema": "prumo/scenario/1", "name": "servers",
            "summary": "real servers", "routers": [
                {"kernel": ["nat"]}, {"program": ["nat=off", {
                    "no-udp-53": "rule=drop:udp:53-53",
                    "reset-443": "rule=reset:tcp:443-443"}[case]]}
                if case in ("no-udp-53", "reset-443") else {"kernel": []}],
            "addresses": [s[1] for s in SERVERS.values()],
            "names": [{"name": s[0], "address": s[1]}
                      for s in SERVERS.values() if services.is_name(s[0])],
            "servers": servers}


def run_one(case):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        at = pathlib.Path(folder)
        (at / "servers.yaml").write_text(yaml.safe_dump(scenario(*case)))
        (at / "real.yaml").write_text(yaml.safe_dump(profile(*case)))
        (at / "account").write_text(ACCOUNT)
        env = ["env", "PRUMO_STAY_HOME=1"]
        options = ["--skip", "sip-alg"]
        if case[0] != "nameless":
            options += ["--dns", DNS]
        if case[0] in CLOCKS:
            env += [f"LD_PRELOAD={os.environ['WRONG_CLOCK']}",
                    f"CLOCK_AHEAD_S={CLOCKS[case[0]]}"]
        if case[0] == "full":
            options += ["--full", "--account", at / "account"]
        done = lab.scenario(at / "servers.yaml", *env, lab.PRUMO, "check",
                            *options, "-o", "json", at / "real.yaml")
        assert done.stdout, (case, done.stderr)
        return rig.Report(done.stdout, done.returncode)


def setUpModule():
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        DONE.update(zip(CASES, pool.map(run_one, CASES)))


class Servers(unittest.TestCase):

    def failed(self, report):
        return {(f["service"], f["transport"], f["dst_port"])
                for f in report.pick("flow.reached") if f["state"] != "pass"}

    def test_all_are_reached(self):
        report = DONE["all", None]
        self.assertEqual(self.failed(report), set(), report.told())
        self.assertEqual(len(report.pick("flow.reached")), 15)
        spoken = {f["dst_port"]: (f["via"], f["protocol"])
                  for f in report.facts if "via" in f and "protocol" in f}
        self.assertEqual((spoken[8089], spoken[5349]),
                         (("wss", "sip-options"), ("tls", "stun")))
        self.assertEqual((spoken[5280], spoken[5422]),
                         (("tcp", "xmpp-bosh"), ("ws", "xmpp-ws")))
        self.assertEqual(report.ids(), [])
        wss, = report.pick("sip.answer", dst_port=443)
        self.assertEqual((wss["via"], wss["result"]), ("wss", "answered"))

    def test_turn_relays_by_every_transport(self):
        report = DONE["full", None]
        self.assertEqual(report.ids(), [], report.told())
        turns = report.pick("turn.answer", result="answered")
        self.assertEqual({f["via"] for f in turns}, {"udp", "tcp", "tls"})
        for turn in turns:
            self.assertEqual(turn["detail"]["relay_echo"], "passed", turn)

    def test_register_goes_by_every_transport(self):
        told = {(f["via"], f["dst_port"]): f["result"]
                for f in DONE["full", None].pick("sip.registered")}
        self.assertEqual(told, {
            ("udp", 5060): "answered", ("tcp", 5060): "answered",
            ("tls", 5061): "answered", ("wss", 443): "answered",
            ("wss", 8089): "answered"})

    def test_address_that_the_profile_does_not_list(self):
        report = DONE["moved", "kamailio"]
        self.assertEqual(report.ids(), ["name.unexpected-address"],
                         report.told())
        fact, = report.pick("name.resolved", scope="sip.example")
        self.assertEqual(fact["foreign"], ["198.51.100.30"])

    def test_names_are_asked_by_tcp_where_udp_is_swallowed(self):
        report = DONE["no-udp-53", None]
        self.assertEqual(self.failed(report), {("dnsmasq", "udp", 53)},
                         report.told())
        self.assertEqual(report.ids(), ["path.ports-blocked",
                                        "name.only-tcp"])

    def test_reset_of_a_box_is_not_the_servers(self):
        report = DONE["reset-443", "nginx"]
        self.assertEqual(self.failed(report), {("nginx", "tcp", 443),
                                               ("kamailio", "tcp", 443)})
        self.assertEqual(report.ids(), ["path.ports-blocked"], report.told())

    def test_first_name_of_sip_is_looked_into(self):
        told = {f["scope"]: f.get("detail")
                for f in DONE["all", None].pick("name.resolved")}
        self.assertEqual([name for name, d in told.items() if d],
                         ["sip.example"])
        self.assertEqual(told["sip.example"]["addresses"], ["198.51.100.30"])
        self.assertEqual([s["name"] for s in told["sip.example"]["srv"]],
                         ["_sip._udp.sip.example", "_sip._tcp.sip.example",
                          "_sips._tcp.sip.example"])

    def test_what_could_not_be_looked_up_is_not_ready(self):
        report = DONE["nameless", None]
        self.assertEqual((report.verdict, report.status),
                         ("could-not-test", rig.COULD_NOT_TEST),
                         report.told())
        self.assertEqual(report.ids(), ["check.incomplete"])
        self.assertEqual(len(report.findings[0]["facts"]), 13)

    def test_stopped_server_refuses_its_flows_alone(self):
        for case, who in CASES:
            if case != "stopped" or who == "dnsmasq":
                continue
            report = DONE[case, who]
            with self.subTest(who=who):
                self.assertEqual(self.failed(report),
                                 {(who, *f) for f in flows(who)},
                                 report.told())
                self.assertEqual(
                    {f["result"] for f in report.pick("flow.reached",
                                                      state="fail")},
                    {"refused"}, report.told())
                self.assertEqual(report.ids(), ["service.stopped"],
                                 report.told())
                self.assertEqual((report.findings[0]["segment"],
                                  report.findings[0]["act"]),
                                 ("provider", "provider"))

    def test_stopped_name_server_is_two_causes(self):
        """Names have no address, and the flows to the server itself."""
        report = DONE["stopped", "dnsmasq"]
        self.assertEqual(report.ids(), ["name.resolver-dead",
                                        "service.stopped"], report.told())
        self.assertEqual(report.findings[1]["evidence"]["hosts"], [DNS])

    def test_wrong_clock_is_no_fault_of_the_servers(self):
        for clock in CLOCKS:
            report = DONE[clock, None]
            with self.subTest(clock=clock):
                self.assertEqual(report.ids(), ["device.clock-wrong"],
                                 report.told())
                finding, = report.findings
                self.assertEqual(finding["segment"], "device")
                self.assertEqual(self.failed(report),
                                 {(who, "tcp", port) for who in TLS
                                  for port in TLS[who]})

    def test_certificate_is_named_for_what_it_is(self):
        for case, who in CASES:
            if case not in FINDINGS:
                continue
            report = DONE[case, who]
            with self.subTest(case=case, who=who):
                self.assertEqual(self.failed(report),
                                 {(who, "tcp", port) for port in TLS[who]},
                                 report.told())
                self.assertEqual(report.ids(), [FINDINGS[case]],
                                 report.told())


if __name__ == "__main__":
    lab.main()
