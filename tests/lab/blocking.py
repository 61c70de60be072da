"""One flow of the profile blocked: what a whole check must say, and no more.

A room for each run: the edge grants one address so many connections, and
runs in a row would meet that limit instead of the rule.
"""
import random

import services

HOPS = 4
NODES = ("r1", "r2", "r3", "r4")
SEGMENTS = {"r1": "router", "r2": "carrier", "r3": "carrier",
            "r4": "provider"}
ADDRESSES = {"r1": "192.0.2.1", "r2": "203.0.113.1", "r3": "198.18.2.1",
             "r4": "198.18.3.1"}
# means: what the rule does, how the flow ends, on what its place rests
MEANS = {
    "drop": ("drop", "silent", "quote"),
    "ICMP reject": ("reject", "refused", "icmp-refusal"),
    "prohibited": ("reject with icmp type admin-prohibited", "refused",
                   "icmp-refusal"),
    "TCP reset": ("reject with tcp reset", "refused", "reset"),
}
# UDP knows no reset: a firewall's other ICMP code stands in for it.
BY_TRANSPORT = {"tcp": ("drop", "ICMP reject", "TCP reset"),
                "udp": ("drop", "ICMP reject", "prohibited")}


def cases():
    """Every flow by every means, as (flow, means, node).

    The nodes take turns, so that every kind of flow meets all of them.
    """
    return [(flow, means, NODES[(i + k) % len(NODES)])
            for i, flow in enumerate(services.flows())
            for k, means in enumerate(BY_TRANSPORT[flow[2]])]


def sample(seed):
    """One of these of each transport and means."""
    kinds = {}
    for case in cases():
        kinds.setdefault((case[0][2], case[1]), []).append(case)
    rng = random.Random(seed)
    return [rng.choice(mine) for mine in kinds.values()]


def rule(flow, does):
    _, at, transport, first, last = flow
    return f"ip daddr {at} {transport} dport {first}-{last} {does}"


def run(case, *options):
    """Check the whole profile in a network that blocks this. @return Report"""
    flow, means, node = case
    with services.Room("--hops", HOPS, "--nat-at", 1, nodes=[node]) as room:
        room.block(node, [rule(flow, MEANS[means][0])])
        return room.reach(*options)


def place_faults(finding, means, node):
    """What is wrong with where a finding puts the cause."""
    place = finding["evidence"].get("location", {})
    want = {"hop": int(node[1]), "address": ADDRESSES[node],
            "basis": MEANS[means][2]}
    out = [f"{key} {place.get(key)}, not {value}"
           for key, value in want.items() if place.get(key) != value]
    if finding["segment"] != SEGMENTS[node]:
        out.append(f"segment {finding['segment']}, not {SEGMENTS[node]}")
    return out


def faults(report, case):
    """Everything that the report gets wrong: words; none is right.

    @return kind to words; kinds: found, others, cause, place
    """
    flow, means, node = case
    out = {"found": [], "others": [], "cause": [], "place": []}
    for fact in report.pick("flow.reached"):
        if fact["scope"] == flow[0]:
            if (fact["state"], fact["result"]) != ("fail", MEANS[means][1]):
                out["found"].append(f"{fact['state']} {fact['result']}")
        elif fact["state"] != "pass":
            out["others"].append(f"{fact['scope']} {fact['result']}")
    if report.ids() != ["path.ports-blocked"]:
        out["cause"].append(" ".join(report.ids()) or "no finding")
        out["place"].append("of no finding")
        return out
    finding, = report.findings
    named = {report.facts[i]["scope"] for i in finding["facts"]
             if report.facts[i]["id"] == "flow.reached"}
    if named != {flow[0]}:
        out["cause"].append("of " + " ".join(sorted(named)))
    out["place"] = place_faults(finding, means, node)
    return out


def told(found):
    """All of these faults in one line; empty: there are none."""
    return "; ".join(f"{kind}: {', '.join(words)}"
                     for kind, words in found.items() if words)
