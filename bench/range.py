#!/usr/bin/python3
"""What the edge's whole range costs, and one port of its own, against a bare
echo on one port.

Two namespaces; servers take turns, so that a slow minute of the machine meets
all of them. Efficiency is answers per second of the server's processor, as a
ratio to the echo's of the same round; the median counts.

Usage: range.py PRUMO BENCH_RANGE   (as root for sk_lookup)
"""
import ctypes
import os
import pathlib
import statistics
import subprocess
import sys

ROUNDS = 7
MS = 1000
EDGE, PORTS = "198.18.0.1", ("10000", "65535")
SOURCES = [f"198.18.1.{i}" for i in range(1, 101)]
GOALS = {"own port": 0.90, "sk_lookup": 0.80, "tproxy": 0.75}
OWN_PORT = "3478"
HERE_NET = "/run/netns/edge"
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def run(*argv, **more):
    return subprocess.run([str(a) for a in argv], check=True, timeout=30, **more)


def build():
    run("mount", "-t", "tmpfs", "none", "/run")
    os.mkdir("/run/netns")
    run("ip", "netns", "add", "client")
    pathlib.Path(HERE_NET).touch()
    run("mount", "--bind", "/proc/self/ns/net", HERE_NET)
    run("ip", "link", "add", "edge", "type", "veth", "peer", "name", "client",
        "netns", "client")
    for ns, link, addresses in (("", "edge", [EDGE]), ("-n client", "client", SOURCES)):
        run("ip", *ns.split(), "link", "set", link, "up")
        for at in addresses:
            run("ip", *ns.split(), "addr", "add", f"{at}/15", "dev", link)
    with open("/run/netns/client", "rb") as f:
        if ctypes.CDLL(None, use_errno=True).setns(f.fileno(), 0):
            raise OSError(ctypes.get_errno(), "setns")


class Server:
    def __init__(self, *argv):
        self.process = subprocess.Popen(
            ["taskset", "-c", str(max(os.sched_getaffinity(0))), "nsenter",
             f"--net={HERE_NET}", *argv],
            # no guard, as in the field: these namespaces have no way out
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("ready"), self.process.stderr.read()

    def seconds(self):
        words = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text(
            encoding="ascii").rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) * TICK_S

    def stop(self):
        self.process.kill()
        self.process.communicate()


def measure(bench, server, ports):
    before = server.seconds()
    out = run("taskset", "-c", str(min(os.sched_getaffinity(0))), bench,
              "flood", EDGE, *ports, MS, *SOURCES, stdout=subprocess.PIPE, text=True)
    n, cpu_s = int(out.stdout), server.seconds() - before
    assert n and cpu_s, (n, cpu_s)
    return n / cpu_s, n / (MS / 1000)


def inside(prumo, bench, ways):
    build()
    rates = {}
    for _ in range(ROUNDS):
        base = None
        for name in ("echo", *ways):
            if name == "echo":
                server, ports = Server(bench, "echo", EDGE, "9999"), ("9999", "9999")
            elif name == "own port":
                server = Server(prumo, "edge", "--user", "root", "--listen", EDGE)
                ports = (OWN_PORT, OWN_PORT)
            else:
                server = Server(prumo, "edge", "--user", "root", "--listen",
                                EDGE, "--range", name, "cloudphone-pro")
                ports = PORTS
            try:
                efficiency, rate = measure(bench, server, ports)
            finally:
                server.stop()
            base = base or efficiency
            rates.setdefault(name, []).append((efficiency / base, rate))
    for name, rounds in rates.items():
        ratio = statistics.median(r for r, _ in rounds)
        goal = GOALS.get(name, 1)
        print(f"{name:10} efficiency {ratio:.2f} (goal {goal:.2f}; "
              f"{min(r for r, _ in rounds):.2f} to {max(r for r, _ in rounds):.2f}), "
              f"{statistics.median(r for _, r in rounds) / 1000:.0f} k answers/s")
    sys.exit(0)


def main():
    if sys.argv[1] == "--inside":
        inside(sys.argv[2], sys.argv[3], sys.argv[4:])
    is_root = os.geteuid() == 0
    ways = ["own port", *(["sk_lookup"] if is_root else []), "tproxy"]
    options = ["-fpnm", "--mount-proc", "--kill-child"]
    sys.exit(subprocess.run(
        ["unshare", *([] if is_root else ["-Ur"]), *options, sys.executable,
         __file__, "--inside", *(os.path.abspath(a) for a in sys.argv[1:3]), *ways],
        check=False).returncode)


if __name__ == "__main__":
    main()
