#!/usr/bin/python3
"""How much the lab's own router forwards, beside the kernel on the same path.

    bench/forward.py BUILD_DIR

Runs take turns, each in a fresh lab: the user-space router with NAT and no
impairment, and the kernel's NAT. The flood is more than either carries, so
what arrives in a second is what it forwards. Then the router's table is
filled with a hundred thousand mappings and its memory is read.
"""
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

ROUNDS = 5
SECONDS = 2
LIMIT_PPS = 50_000
MAPPINGS = 100_000
LIMIT_MIB = 128
SERVER = "198.51.100.10"
CLIENTS = ("192.0.2.33", "192.0.2.34")
PATHS = {"lab/router": ["--router", "1:nat=on"], "kernel": ["--nat-at", "1"]}


def lab(build, *argv):
    return subprocess.run([build / "lab/tool/prumo-lab-run", "--hops", "1",
                           *argv], capture_output=True, text=True, check=True,
                          env={"PRUMO_STAY_HOME": "1", "PATH":
                               "/usr/sbin:/usr/bin:/sbin:/bin"})


def rate(build, options):
    load = build / "bench/bench_forward"
    done = lab(build, *options, "--server", f"server:exec {load} sink",
               "client", load, "flood", SERVER, str(SECONDS))
    got = json.loads(re.search(r"\{\"datagrams.*\}", done.stderr).group())
    return got["datagrams"] / got["seconds"]


def fill(build):
    """Mappings made, and the router's memory at its most, in MiB."""
    load = build / "bench/bench_forward"
    with tempfile.TemporaryDirectory() as folder:
        truth = pathlib.Path(folder, "truth.json")
        words = ("1:pool=4,pooling=arbitrary,ports=random,udp-new=300,"
                 f"mappings={MAPPINGS}")
        peak = ("for p in /proc/[0-9]*; do read -r name <$p/comm; "
                "[ \"$name\" = prumo-lab-route ] && grep VmHWM $p/status; "
                "done; true")
        done = lab(build, "--router", words, "--truth", f"1:{truth}",
                   "client", "sh", "-c",
                   f"ip addr add {CLIENTS[1]}/24 dev wan; " + "".join(
                       f"{load} flows {SERVER} {MAPPINGS // 2} {address}; "
                       for address in CLIENTS) + f"sleep 1; {peak}")
        kib = int(re.search(r"VmHWM:\s*(\d+)", done.stdout).group(1))
        return json.loads(truth.read_text()), kib / 1024


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    got = {name: [] for name in PATHS}
    for _ in range(ROUNDS):
        for name, options in PATHS.items():
            got[name].append(rate(build, options))
    print(f"forwarding with NAT, {ROUNDS} runs each, in turn")
    for name, values in got.items():
        print(f"  {statistics.median(values):9.0f} packets/s  {name}, "
              f"worst {min(values):.0f}")
    ratio = statistics.median(a / b for a, b in zip(*got.values()))
    mine = statistics.median(got["lab/router"])
    print(f"  ratio to the kernel {ratio:.2f}; to the limit of "
          f"{LIMIT_PPS} packets/s {mine / LIMIT_PPS:.2f}")
    truth, mib = fill(build)
    print(f"  {truth['mappings']} mappings in {mib:.1f} MiB, ratio to the "
          f"limit of {LIMIT_MIB} MiB {mib / LIMIT_MIB:.2f}")


if __name__ == "__main__":
    main()
