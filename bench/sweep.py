#!/usr/bin/python3
"""The whole range 10000-65535, asked by ask_range and by nmap.

    bench/sweep.py BUILD_DIR

Both ask the same ports of the same host over the same path, taking turns,
each in a fresh lab. The far end is a kernel that refuses every port and
limits nothing, so each port's state is what its own answer says, for both.
Shown are seconds and packets, sent and received, and their ratios.
"""
import json
import pathlib
import re
import statistics
import subprocess
import sys

ROUNDS = 3
SERVER = "198.51.100.10"
PORTS = "10000-65535"
N_PORTS = 55536
PATHS = {"0 ms": [],
         "20 ms": ["--router", "1:nat=off,out.delay=10,in.delay=10"]}
FAR_END = ("server:cd /proc/sys/net/ipv4 && echo 0 >icmp_ratelimit && "
           "echo 10000000 >icmp_msgs_per_sec && "
           "echo 10000000 >icmp_msgs_burst; echo ready")
NMAP = ["nmap", "-Pn", "-n", "--min-rate", "50000", "-p", PORTS, SERVER]
GOALS = {("udp", "20 ms"): 3}  # times as fast as nmap, at least


def tools(build, via):
    return {"ask_range": [build / "bench/bench_sweep", "range", via, "host",
                          SERVER, PORTS, "full=1", "flows=70000",
                          "patience_ms=60000"],
            "nmap": [*NMAP, "-sU" if via == "udp" else "-sT"]}


def complete(out):
    """Did it say of every port that it was answered?"""
    if out.startswith("{"):
        got = json.loads(out)["facts"][0]["value"]["fields"]
        return got["passed"] == N_PORTS
    return re.search(rf"Not shown: {N_PORTS} closed", out) is not None


def run(build, path, argv):
    here = pathlib.Path(__file__).resolve().parent
    done = subprocess.run(
        [build / "lab/tool/prumo-lab-run", "--hops", "1", *PATHS[path],
         "--server", FAR_END, "client", "python3", here / "measure.py",
         "sh", "-c", '"$@" | tee /dev/stderr >/dev/null', "sh", *argv],
        capture_output=True, text=True, check=True,
        env={"PRUMO_STAY_HOME": "1",
             "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    cost = json.loads(done.stdout)
    assert complete(done.stderr), (argv, done.stderr[-1000:])
    return cost


def compare(build, via, path):
    costs = {name: [] for name in tools(build, via)}
    for _ in range(ROUNDS):
        for name, argv in tools(build, via).items():
            costs[name].append(run(build, path, argv))
    times = statistics.median(
        theirs["seconds"] / ours["seconds"]
        for ours, theirs in zip(costs["ask_range"], costs["nmap"]))
    packets = statistics.median(
        theirs["packets"] / ours["packets"]
        for ours, theirs in zip(costs["ask_range"], costs["nmap"]))
    for name, all_costs in costs.items():
        seconds = [c["seconds"] for c in all_costs]
        print(f"{via} {path:>5}  {name:<9} "
              f"{statistics.median(seconds):6.2f} s "
              f"({min(seconds):.2f} to {max(seconds):.2f}), "
              f"{statistics.median(c['packets'] for c in all_costs):.0f} "
              "packets", flush=True)
    print(f"{via} {path:>5}  nmap needs {times:.2f} times the time, "
          f"{packets:.2f} times the packets", flush=True)
    return times >= GOALS.get((via, path), 0)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    met = [compare(build, via, path)
           for via in ("udp", "tcp") for path in PATHS]
    if not all(met):
        sys.exit("sweep: slower than it should be")


main()
