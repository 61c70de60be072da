"""The whole profile over IPv6: its hosts on documentation addresses there."""
import concurrent.futures
import copy
import os
import pathlib
import tempfile
import unittest

import yaml

import blocking
import lab
import rig
import services

SERVER6 = "2001:db8:ffff::10"
PLACES = {host: f"2001:db8:ffff::{100 + i:x}"
          for i, host in enumerate(services.hosts())}
ADDRESSES = {"r1": "2001:db8::1", "r2": "2001:db8:1::1"}
RTP_HOST = next(row["host"] for row in services.ROWS if row["class"] == "rtp")
NODES = ("r1", "r2", "r3")
# name: node, rule, scopes that fail, finding, basis
RUNS = {
    "open": None,
    "drop": ("r2", "udp dport 5060 drop", ("udp", 5060),
             "path.ports-blocked", "quote"),
    "reject": ("r1", "tcp dport 5061 reject with icmpv6 type "
               "admin-prohibited", ("tcp", 5061), "path.ports-blocked",
               "icmp-refusal"),
    "reset": ("r2", "tcp dport 5222 reject with tcp reset", ("tcp", 5222),
              "path.ports-blocked", "reset"),
    # of one host: each is followed, and each needs its ICMP errors
    "range": ("r2", f"ip6 daddr {PLACES[RTP_HOST]} udp dport 10000-12345 "
              "drop", ("udp", 10000),
              "path.range-blocked", "quote"),
}
DONE = {}


def names():
    return [w for host, at in PLACES.items() if services.is_name(host)
            for w in ("--resolve", f"{host}:{at}")]


def profile():
    """The shipped one, with IPv6 where it prints numbers."""
    out = copy.deepcopy(services.PROFILE)
    for row in out["rows"]:
        if not services.is_name(row["host"]):
            row["host"] = PLACES[row["host"]]
    return yaml.safe_dump(out, allow_unicode=True)


def run_one(run):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = pathlib.Path(folder) / "six.yaml"
        path.write_text(profile())
        up = "; ".join(f"ip addr add {at}/128 dev lo nodad"
                       for at in PLACES.values())
        server = (f"server:{up}; exec {lab.PRUMO} edge --user root "
                  f"{' '.join(names())} {path}")
        with rig.Lab("--hops", blocking.HOPS, "--ip6", nodes=NODES,
                     servers=(server,)) as room:
            for node in NODES:
                room.must(node, "sysctl", "-qw", "net.ipv6.icmp.ratelimit=0")
            if RUNS[run]:
                room.nft(RUNS[run][0], "chain f {\ntype filter hook forward "
                         f"priority 0\niifname lan {RUNS[run][1]}\n}}")
            return room.check("-6", *names(), "--skip", "sip-alg", path,
                              target=("--edge", SERVER6))


def setUpModule():
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        DONE.update(zip(RUNS, pool.map(run_one, RUNS)))


class Six(unittest.TestCase):

    def test_every_flow_is_reached_by_ip6(self):
        report = DONE["open"]
        flows = report.pick("flow.reached", state="pass")
        self.assertEqual(len(flows), 116, report.told())
        self.assertEqual({f["address"] for f in flows}, set(PLACES.values()))
        self.assertEqual((report.verdict, report.ids()), ("ready", []))

    def test_what_is_blocked_is_found_at_its_place(self):
        for run, case in RUNS.items():
            if not case:
                continue
            node, _, flow, finding, basis = case
            report = DONE[run]
            with self.subTest(run=run):
                self.assertEqual(
                    {(f["transport"], f["dst_port"]) for f in
                     report.pick("flow.reached") if f["state"] != "pass"},
                    {flow}, report.told())
                self.assertEqual(report.ids(), [finding], report.told())
                found, = report.findings
                place = found["evidence"]["location"]
                self.assertEqual(
                    (place["hop"], place["address"], place["basis"]),
                    (int(node[1]), ADDRESSES[node], basis))
                self.assertEqual(found["segment"], blocking.SEGMENTS[node])
        self.assertEqual(
            DONE["range"].findings[0]["evidence"]["blocked"],
            ["10000-12345/UDP"])


if __name__ == "__main__":
    lab.main()
