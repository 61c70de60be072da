"""The edge as systemd starts it: its unit is sound, and it gives up all that
the unit grants."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

PRUMO = os.environ["PRUMO"]
UNIT = pathlib.Path(os.environ["PRUMO_UNIT"]).read_text(encoding="utf-8")
SKIP = 77
EXPOSED_MOST = "25"  # of 100; 92 is a service without any restraint


def granted():
    names = re.search(r"^AmbientCapabilities=(.*)$", UNIT, re.M).group(1).split()
    bounding = re.search(r"^CapabilityBoundingSet=(.*)$", UNIT, re.M).group(1)
    assert names == bounding.split(), (names, bounding)
    return [n.lower().removeprefix("cap_") for n in names]


def test_unit_is_sound():
    if not shutil.which("systemd-analyze"):
        return "no systemd-analyze"
    with tempfile.TemporaryDirectory() as work:
        path = pathlib.Path(work) / "prumo-edge.service"
        # verify wants the program to be there, as it will be
        path.write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={PRUMO}", UNIT,
                               flags=re.M), encoding="utf-8")
        for argv in (["verify", "--man=no"],
                     ["security", "--offline=true", f"--threshold={EXPOSED_MOST}"]):
            done = subprocess.run(["systemd-analyze", *argv, path], text=True,
                                  capture_output=True, timeout=30, check=False)
            if "D-Bus" in done.stderr or "Unknown" in done.stderr:
                return done.stderr.strip()
            assert done.returncode == 0, (argv, done.stdout[-800:], done.stderr)
            assert argv[0] != "verify" or not done.stderr, done.stderr
    return None


def test_capabilities_are_given_up():
    caps = ",".join("+" + c for c in granted())
    words = re.search(r"^Environment=EDGE_OPTIONS=(.*)$", UNIT, re.M).group(1)
    edge = ["setpriv", "--reuid", "65534", "--regid", "65534",
            "--clear-groups", "--no-new-privs", f"--inh-caps=-all,{caps}",
            f"--ambient-caps=-all,{caps}", f"--bounding-set=-all,{caps}",
            PRUMO, "edge", *words.split()]
    env = dict(os.environ, PRUMO_STAY_HOME="1")
    with subprocess.Popen(
            ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh",
             *edge],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=env) as process:
        try:
            line = process.stdout.readline()
            if not line:
                said = process.stderr.read()
                # where this test is not root of the whole system
                return said if "not permitted" in said else fail(said)
            assert line.rstrip().endswith(("range=sk_lookup", "range=tproxy")), line
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text(
                encoding="utf-8")
            for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                assert int(re.search(rf"^{name}:\s+(\w+)$", status, re.M)
                           .group(1), 16) == 0, status
            assert re.search(r"^Uid:(\s+65534){4}$", status, re.M), status
            assert re.search(r"^NoNewPrivs:\s+1$", status, re.M), status
            # without any of them, what they opened still works
            got = subprocess.run(
                ["nsenter", f"--net=/proc/{process.pid}/ns/net", "curl", "-s",
                 "http://127.0.0.1/"], capture_output=True, text=True,
                timeout=10, check=True)
            assert got.stdout.startswith("prumo-edge\n"), got
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0, process.returncode
    return None


def fail(why):
    raise AssertionError(why)


def main():
    skipped = [test_unit_is_sound()]
    if os.geteuid() == 0:
        skipped.append(test_capabilities_are_given_up())
    else:
        skipped.append("not root")
    for why in filter(None, skipped):
        print("skip:", why)
    sys.exit(SKIP if all(skipped) else 0)


if __name__ == "__main__":
    main()
