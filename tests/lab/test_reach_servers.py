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
        ("sip", "udp", 5060), ("sip", "tcp", 5060), ("sip", "tcp", 5061)]),
    "coturn": ("turn.example", "198.51.100.32", [
        ("stun", "udp", 3478), ("stun", "tcp", 3478)]),
    "prosody": ("chat.example", "198.51.100.33", [
        ("chat", "tcp", 5222), ("chat", "tcp", 5280)]),
    "nginx": ("www.example", "198.51.100.34", [
        ("web", "tcp", 80), ("web", "tcp", 443)]),
    "dnsmasq": (DNS, DNS, [("dns", "udp", 53), ("dns", "tcp", 53)]),
}
TLS = {"kamailio": 5061, "nginx": 443}
FINDINGS = {"expired": "tls.expired", "wrong-name": "tls.wrong-name",
            "self-signed": "tls.untrusted"}
CASES = [("all", None)]
CASES += [("stopped", p) for p in SERVERS if p != "dnsmasq"]
CASES += [(fault, p) for fault in FINDINGS for p in TLS]
DONE = {}


def flows(program):
    return {(transport, port) for _, transport, port in SERVERS[program][2]}


def profile():
    rows = [{"table": "t", "row": i + 1, "host": host, "ports": [port],
             "transports": [transport], "direction": "out",
             "direction_printed": "out", "description": kind, "class": kind,
             "service": program, "purpose": program}
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
        if program == who and case != "stopped":
            words["certificate"] = case
        if program != who or case != "stopped":
            servers.insert(0 if program == "dnsmasq" else len(servers), words)
    return {"schema": "prumo/scenario/1", "name": "servers",
            "summary": "real servers", "routers": [{"kernel": ["nat"]},
                                                   {"kernel": []}],
            "addresses": [s[1] for s in SERVERS.values()],
            "names": [{"name": s[0], "address": s[1]}
                      for s in SERVERS.values() if services.is_name(s[0])],
            "servers": servers}


def run_one(case):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        at = pathlib.Path(folder)
        (at / "servers.yaml").write_text(yaml.safe_dump(scenario(*case)))
        (at / "real.yaml").write_text(yaml.safe_dump(profile()))
        done = lab.scenario(
            at / "servers.yaml", "env", "PRUMO_STAY_HOME=1", lab.PRUMO,
            "check", "--skip", "sip-alg", "--dns", DNS, "-o", "json",
            at / "real.yaml")
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
        self.assertEqual(len(report.pick("flow.reached")), 11)
        self.assertEqual(report.ids(), [])

    def test_stopped_server_refuses_its_flows_alone(self):
        for case, who in CASES:
            if case != "stopped":
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

    def test_certificate_is_named_for_what_it_is(self):
        for case, who in CASES:
            if case not in FINDINGS:
                continue
            report = DONE[case, who]
            with self.subTest(case=case, who=who):
                self.assertEqual(self.failed(report),
                                 {(who, "tcp", TLS[who])}, report.told())
                self.assertEqual(report.ids(), [FINDINGS[case]],
                                 report.told())


if __name__ == "__main__":
    lab.main()
