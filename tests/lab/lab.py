"""What the lab tests share: opening labs, and talking through them."""
import os
import pathlib
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).parent
LAB_RUN = os.environ["PRUMO_LAB_RUN"]
PRUMO = os.environ["PRUMO"]
SKIP = 77
CLIENT = "192.0.2.33"
SERVER = "198.51.100.10"


def identity():
    """The words that make a command run as nobody, if that is asked for."""
    if os.environ.get("PRUMO_LAB_AS") != "nobody":
        return []
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid", "65534", "--regid", "65534",
            "--clear-groups"]


def command(*args):
    return identity() + [str(a) for a in args]


def lab(*args, timeout=30):
    """Run prumo-lab-run to its end."""
    return subprocess.run(command(LAB_RUN, *args), capture_output=True,
                          text=True, timeout=timeout, cwd="/", check=False)


def scenario(path, *args, options=(), timeout=60):
    """Run a command in the client of a scenario file (prumo-scenario(5)).

    options: --truth K:FILE, --seed N and the like, of prumo-lab-run.
    """
    return lab("--scenario", path, *options, "client", *args,
               timeout=timeout)


def ask(options, datagrams, source_port=5060, listen_s=0):
    """Send datagrams from the client to the sink; what came back, in order.

    options: of prumo-lab-run. datagrams: (destination port, bytes). Each
    answer is (what the server received, from where); None for silence.
    """
    words = [f"{port}:{data.hex()}" for port, data in datagrams]
    done = lab(*options, "--server", f"server:exec python3 {HERE}/sink.py",
               "client", "python3", HERE / "ask.py", source_port, listen_s,
               *words)
    assert done.returncode == 0, done.stderr
    answers = []
    for line in done.stdout.splitlines():
        if line == "-":
            answers.append(None)
        else:
            where, data = line.split(" ")
            answers.append((bytes.fromhex(data), where))
    return answers


def main():
    """Run the tests of the calling script, or skip all of them."""
    if os.environ.get("PRUMO_LAB_AS") == "nobody":
        if os.geteuid() != 0:
            sys.exit(SKIP)  # already so in the other run
        if subprocess.run(command("test", "-x", LAB_RUN),
                          check=False).returncode:
            print("nobody may not reach", LAB_RUN)
            sys.exit(SKIP)
    done = lab("client", "true")
    if done.returncode == SKIP:
        print(done.stderr)
        sys.exit(SKIP)
    unittest.main(verbosity=2)
