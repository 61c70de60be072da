"""The shipped profile in the lab: its hosts on documentation addresses."""
import os
import pathlib

import yaml

import lab
import rig

PROFILE = yaml.safe_load(
    (pathlib.Path(os.environ["PRUMO_PROFILES"]) / "cloudphone-pro.yaml")
    .read_text())
ROWS = PROFILE["rows"]
NET = "198.51.100"


def hosts():
    """The hosts of the document, each once, in its order."""
    return list(dict.fromkeys(row["host"] for row in ROWS))


def is_name(host):
    return not host[0].isdigit()


# .10 is the lab's own server.
PLACES = {host: f"{NET}.{100 + i}" for i, host in enumerate(hosts())}
NAMES = [f"{host}:{at}" for host, at in PLACES.items() if is_name(host)]
MAPS = [f"{host}/32={at}/32" for host, at in PLACES.items()
        if not is_name(host)]


def places(names=True):
    """What check and edge are told alike."""
    words = [w for m in MAPS for w in ("--map", m)]
    return words + [w for n in NAMES if names for w in ("--resolve", n)]


def edge(*options):
    """A server that is the provider: all of its addresses, one edge."""
    up = "; ".join(f"ip addr add {at}/32 dev lo" for at in PLACES.values())
    words = " ".join([*places(), *options])
    return (f"server:{up}; exec {lab.PRUMO} edge --user root {words} "
            "cloudphone-pro")


def flows():
    """(scope, address, transport, first, last) of each atomic flow."""
    out = []
    for row in ROWS:
        for ports in row["ports"]:
            first, _, last = str(ports).partition("-")
            for transport in ("udp", "tcp", "tls"):
                if transport in row["transports"]:
                    out.append((f"{row['table']}/{row['row']}/{transport}/"
                                f"{ports}", PLACES[row["host"]], transport,
                                int(first), int(last or first)))
    return out


class Room(rig.Lab):
    """A lab with such a provider at its end."""

    def __init__(self, *options, nodes=(), edge_options=(), boxes=(), **kw):
        super().__init__(*options, nodes=nodes,
                         servers=(edge(*edge_options), *boxes), **kw)

    def block(self, node, rules):
        """Swap the rules of a node: lines for what goes to the server."""
        self.must(node, "nft", "-f", "-", text=(
            "table inet block {}\ndelete table inet block\n"
            "table inet block {\nchain c {\n"
            "type filter hook forward priority -5\n"
            "iifname wan accept\n" + "\n".join(rules) + "\n}\n}\n"))

    def reach(self, *options, **kw):
        """prumo check of the whole profile. @return its Report"""
        return self.check(*places(), *options, **kw)


def fares(report):
    """Scope to result of every flow."""
    return {f["scope"]: f["result"] for f in report.pick("flow.reached")}
