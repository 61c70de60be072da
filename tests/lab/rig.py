"""An open lab that a test steers, and reports that it believes."""
import json
import os
import pathlib
import socket
import subprocess
import tempfile

import jsonschema

import lab

SCHEMA = pathlib.Path(os.environ["PRUMO_SCHEMA"])
EDGE = f"server:exec {lab.PRUMO} edge --user root"
VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
READY, REMARKS, NOT_READY, COULD_NOT_TEST = 0, 1, 2, 3
VERDICTS = {"ready": READY, "ready-with-remarks": READY,
            "not-ready": NOT_READY, "could-not-test": COULD_NOT_TEST}


class Report:
    """A report in JSON that keeps to its schema."""

    def __init__(self, text, status):
        self.json = json.loads(text)
        VALIDATOR.validate(self.json)
        for finding in self.json["findings"]:
            assert max(finding["facts"]) < len(self.json["facts"])
        self.verdict = self.json["verdict"]
        self.facts = self.json["facts"]
        self.findings = self.json["findings"]
        self.status = status
        if status != REMARKS:
            assert VERDICTS[self.verdict] == status, (self.verdict, status)

    def pick(self, fact_id="alg.ladder", **want):
        """The facts of this id that have all of these members."""
        return [f for f in self.facts if f["id"] == fact_id and
                all(f.get(key) == value for key, value in want.items())]

    def seen(self):
        """All facts but those of the profile's hosts, which are not here."""
        return [f for f in self.facts if f["id"] != "flow.reached"]

    def ids(self):
        return [f["id"] for f in self.findings]

    def alg(self):
        """The one finding about an ALG, or None."""
        found = [f for f in self.findings if f["id"].startswith("alg.")]
        assert len(found) < 2, found
        return found[0] if found else None

    def told(self):
        """What was found, in short: for the messages of failed tests."""
        keys = ("scope", "variant", "direction", "state", "result", "why",
                "hop", "hop_min", "hop_max")
        return "\n".join(
            [self.verdict] + [f"{f['id']} {f['evidence']}"
                              for f in self.findings] +
            [" ".join([f["id"], *(str(f[k]) for k in keys if f.get(k))])
             for f in self.facts])


class Lab:
    """A lab that stays open, with somebody to talk to in some nodes."""

    def __init__(self, *options, nodes=(), servers=(EDGE,)):
        self.dir = tempfile.TemporaryDirectory()
        os.chmod(self.dir.name, 0o777)
        agent = ["python3", lab.HERE / "agent.py"]
        words = [*options]
        for node in nodes:
            # No descriptor to wait on but the one that never ends.
            words += ["--server", f"{node}:exec python3 {agent[1]} "
                      f"{self.dir.name}/{node} <{self.dir.name}/open"]
        for server in servers:
            words += ["--server", server]
        os.mkfifo(f"{self.dir.name}/open")
        os.chmod(f"{self.dir.name}/open", 0o666)
        self.hold = os.open(f"{self.dir.name}/open", os.O_RDWR)
        self.run_lab = subprocess.Popen(
            lab.command(lab.LAB_RUN, *words, "client", *agent,
                        f"{self.dir.name}/client"),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, cwd="/")
        if self.run_lab.stdout.readline() != "ready\n":
            said = self.run_lab.communicate()[1]
            self.close()
            raise AssertionError(said)

    def close(self):
        self.run_lab.communicate()
        os.close(self.hold)
        self.dir.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def run(self, node, *argv, text="", env=None, timeout=60):
        """Run argv in a node. @return status, stdout, stderr"""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(f"{self.dir.name}/{node}")
            with sock.makefile("rw") as stream:
                stream.write(json.dumps(
                    {"argv": [str(a) for a in argv], "input": text,
                     "env": env or {}, "timeout": timeout}) + "\n")
                stream.flush()
                return json.loads(stream.readline())

    def must(self, node, *argv, text=""):
        status, out, err = self.run(node, *argv, text=text)
        assert status == 0, (argv, text, err)
        return out

    def nft(self, node, rules):
        """Add rules: the lines of one table of its own."""
        self.must(node, "nft", "-f", "-",
                  text=f"table inet test {{\n{rules}\n}}\n")

    def counters(self, node):
        """Every named counter of a node: name to (packets, bytes)."""
        out = json.loads(self.must(node, "nft", "-j", "list", "counters"))
        return {c["counter"]["name"]:
                (c["counter"]["packets"], c["counter"]["bytes"])
                for c in out["nftables"] if "counter" in c}

    def check(self, *options, target=("--edge", lab.SERVER), env=None,
              timeout=60):
        """prumo check in the client. @return its Report"""
        status, out, err = self.run(
            "client", lab.PRUMO, "check", *target, "-o", "json", *options,
            env={"PRUMO_STAY_HOME": "1", **(env or {})}, timeout=timeout)
        assert status is not None and out, (status, err)
        return Report(out, status)


def demo(*options, env=None, timeout=30):
    """prumo demo to its end."""
    return subprocess.run(
        lab.command(lab.PRUMO, "demo", *options), capture_output=True,
        text=True, timeout=timeout, cwd="/", check=False,
        env={**os.environ, **(env or {})})


def demo_report(*options):
    done = demo("-o", "json", *options)
    assert done.stdout, done.stderr
    return Report(done.stdout, done.returncode)
