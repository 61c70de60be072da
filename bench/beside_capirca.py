#!/usr/bin/python3
"""The same policy through capirca and through prumo's firewall room.

    bench/beside_capirca.py BUILD_DIR

capirca (Debian's python3-capirca) is what operators generate filters with;
its shade check compares terms pair by pair. Both sides get the rules that
bench_firewall makes, take turns in one run, and are timed inside their own
process. capirca's check grows with the square: a minute in all.
Prints a table in Markdown; ratios are medians over the rounds.
"""
import json
import logging
import re
import statistics
import subprocess
import sys
import time

from capirca.lib import iptables, naming, policy

ROUNDS = 3
SIZES = (1000, 5000)
SERVICES = {"5060,5061,5080": ("SIP", "5060/udp 5061/udp 5080/udp"),
            "10000:65535": ("RTP", "10000-65535/udp"),
            "80,443": ("WEB", "80/tcp 443/tcp"),
            "5222,5280": ("CHAT", "5222/tcp 5280/tcp"),
            "3478,5349": ("STUN", "3478/udp 5349/udp")}
RULE = re.compile(r"-A FORWARD -d (\S+) -p (udp|tcp) -m \S+ --dports? (\S+) "
                  r"-j (ACCEPT|DROP)")


def rules_of(program, n):
    text = subprocess.run([program, "rules", str(n)], capture_output=True,
                          text=True, check=True).stdout
    found = RULE.findall(text)
    assert len(found) == n, (len(found), n)
    return found


def definitions(rules):
    names = naming.Naming()
    names.ParseNetworkList([f"H{i} = {rule[0]}"
                            for i, rule in enumerate(rules)])
    names.ParseServiceList([f"{name} = {ports}"
                            for name, ports in SERVICES.values()])
    return names


def policy_of(rules):
    terms = ["header {\n  target:: iptables FORWARD DROP\n}\n"]
    for i, (_, protocol, ports, action) in enumerate(rules):
        word = "accept" if action == "ACCEPT" else "deny"
        terms.append(f"term t{i} {{\n  destination-address:: H{i}\n"
                     f"  destination-port:: {SERVICES[ports][0]}\n"
                     f"  protocol:: {protocol}\n  action:: {word}\n}}\n")
    return "".join(terms)


def timed(fn):
    start = time.process_time()  # what else runs here is not its fault
    result = fn()
    return result, (time.process_time() - start) * 1000


def capirca(rules):
    """Milliseconds to write, and to look for shade."""
    names, text = definitions(rules), policy_of(rules)
    parsed, read_ms = timed(lambda: policy.ParsePolicy(
        text, names, shade_check=False))
    _, emit_ms = timed(lambda: str(iptables.Iptables(parsed, 2)))

    def check():
        try:
            policy.ParsePolicy(text, names, shade_check=True)
        except policy.ShadingError:
            pass

    return emit_ms, timed(check)[1] - read_ms


def prumo(program, n):
    done = subprocess.run([program, "json", str(n)], capture_output=True,
                          text=True, check=True)
    got = json.loads(done.stdout)
    return got["emit_ms"], got["shadow_ms"]


def main():
    program = f"{sys.argv[1]}/bench/bench_firewall"
    logging.disable(logging.CRITICAL)
    print("| rules | what | capirca ms | prumo ms | ratio |")
    print("| --- | --- | --- | --- | --- |")
    for n in SIZES:
        rules = rules_of(program, n)
        rounds = [(capirca(rules), prumo(program, n))
                  for _ in range(ROUNDS)]
        for i, what in enumerate(("written as iptables",
                                  "rules that can never match")):
            theirs, ours = ([r[side][i] for r in rounds] for side in (0, 1))
            ratio = statistics.median(t / o for t, o in zip(theirs, ours))
            print(f"| {n} | {what} | {statistics.median(theirs):.0f} | "
                  f"{statistics.median(ours):.1f} | {ratio:.0f} |")


if __name__ == "__main__":
    main()
