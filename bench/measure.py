#!/usr/bin/python3
"""Run a command in a lab's node and say what it cost, as one JSON line.

Seconds of wall clock, its largest memory, and every IPv4 packet that this
node sent and received meanwhile, each fragment for itself; "sent" are those
that it sent.
"""
import json
import resource
import subprocess
import sys
import time


def packets():
    with open("/proc/net/snmp", encoding="ascii") as f:
        names, values = [line.split() for line in f if line.startswith("Ip:")]
    ip = dict(zip(names[1:], map(int, values[1:])))
    sent = ip["OutRequests"] + ip["FragCreates"] - ip["FragOKs"]
    return sent, ip["InReceives"]


before = packets()
start = time.monotonic()
p = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, check=False)
seconds = time.monotonic() - start
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
sent, received = (new - old for new, old in zip(packets(), before))
print(json.dumps({
    "status": p.returncode,
    "seconds": seconds,
    "kib": peak,
    "packets": sent + received,
    "sent": sent,
}))
