"""Every scenario that is shipped, opened from its file with real parts.

The router's own record (its truth) or the kernel's connection table shows
that the adversary of each is really on; prumo lab itself refuses to go on
where the kernel's ALG is not as asked for.
"""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import jsonschema
import yaml

import lab
import rig

FOLDER = lab.HERE.parent.parent / "scenarios"
TRUTH = jsonschema.Draft202012Validator(json.loads(
    (lab.HERE.parent.parent / "docs/truth.schema.json").read_text()))
FILES = sorted(FOLDER.glob("*.yaml"))
PROFILE = lab.HERE.parent.parent / "profiles/cloudphone-pro.yaml"
TALK = lab.HERE / "scenario_talk.py"
MISSING = {"prosody": "prosody", "kamailio": "kamailio", "nginx":
           "nginx-light", "coturn": "coturn", "sipp": "sip-tester",
           "dnsmasq": "dnsmasq-base"}


def prumo_lab(*args, text="", env=None, timeout=90):
    return subprocess.run(
        lab.command(lab.PRUMO, "lab", *args), capture_output=True, text=True,
        timeout=timeout, cwd="/", check=False, input=text,
        env={**os.environ, "PRUMO_SCENARIOS": str(FOLDER), **(env or {})})


def within(name, *command, options=(), node="client", truth=None):
    """Run a command in a scenario; what it printed, and router 1's truth."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        told = pathlib.Path(folder) / "truth.json"
        words = [*options, "--in", node]
        if truth:
            words += ["--truth", f"{truth}:{told}"]
        done = prumo_lab("run", *words, name, "--", *command)
        said = json.loads(told.read_text()) if truth else None
        if said:
            TRUTH.validate(said)
        return done, said


def talk(name, *words, **more):
    done, truth = within(name, "python3", TALK, *words, **more)
    if done.returncode:
        raise AssertionError(done.stdout + done.stderr)
    return done.stdout, truth


class Found(unittest.TestCase):
    """What check says is what the scenario says of itself."""

    def judge(self, path):
        want = yaml.safe_load(path.read_text())
        program = "program" in want["routers"][0]
        options = ["--timer=40"] if path.stem == "persona-timer-only" else []
        done, truth = within(path.stem, lab.PRUMO, "check", "--edge",
                             lab.SERVER, "-o", "json", *options, PROFILE,
                             truth=1 if program else None)
        assert done.stdout, done.stderr
        return want, rig.Report(done.stdout, done.returncode), truth

    def test_each(self):
        mine = [p for p in FILES if "program: edge" in p.read_text()]
        self.assertGreater(len(mine), 20)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for path, got in zip(mine, pool.map(self.judge, mine)):
                with self.subTest(scenario=path.stem):
                    self.assert_found(*got)

    def assert_found(self, want, report, truth):
        expect = want["expect"]
        ids = {i for f in report.findings
               for i in (f["id"], *f["evidence"].get("also", []))}
        if not expect["alg"]:
            self.assertFalse({i for i in ids if i.startswith("alg.")
                              and i != "alg.unknown"}, report.told())
            if truth:
                self.assertEqual(truth["edits"], [])
            return
        self.assertTrue(ids & set(expect["findings"]), report.told())
        # A stretched timer is no edit: the finding measured it.
        if truth and want["name"] != "persona-timer-only":
            struck = sum(b["out"] + b["in"] for b in truth["behaviours"])
            self.assertGreater(struck, 0)


class Adversary(unittest.TestCase):
    """Each network is as bad as it says, by the router's own count."""

    def test_udp_blocked(self):
        out, truth = talk("udp-blocked", "udp", 5060, "tcp", 5060, truth=1)
        self.assertEqual(out.split(), ["udp/5060", "-", "tcp/5060", "ok"])
        self.assertGreater(truth["out"]["ruled_out"], 0)

    def test_strict_firewall(self):
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o777)
            done = lab.scenario(
                FOLDER / "strict-firewall.yaml", "python3", TALK,
                "udp", 5060, "tcp", 5060, "tcp", 443,
                options=["--truth", f"1:{folder}/t", "--server",
                         f"server:exec python3 {TALK} listen 443"])
            assert done.returncode == 0, done.stderr
            truth = json.loads(pathlib.Path(f"{folder}/t").read_text())
        self.assertEqual(done.stdout.split(), ["udp/5060", "-", "tcp/5060",
                                               "-", "tcp/443", "ok"])
        self.assertGreater(truth["out"]["ruled_out"], 1)

    def test_table_full(self):
        _, truth = talk("table-full-4096", "many", 4500, truth=1)
        self.assertEqual(truth["mappings"], 4096)
        self.assertGreater(truth["out"]["table_full"], 300)

    def late(self, seconds):
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o777)
            done = lab.scenario(
                FOLDER / "short-udp-timer.yaml", "python3", TALK, "late",
                seconds, options=["--truth", f"1:{folder}/t", "--server",
                                  f"server:exec python3 {TALK} later 9100"])
            assert done.returncode == 0, done.stderr
            return done.stdout, json.loads(
                pathlib.Path(f"{folder}/t").read_text())

    def test_short_udp_timer(self):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            early, late = pool.map(self.late, (5, 24))
        self.assertEqual(early[0].split(), ["late", "ok"])
        self.assertEqual(late[0].split(), ["late", "-"])
        self.assertEqual(late[1]["in"]["filtered"], 1)
        self.assertEqual(early[1]["in"]["filtered"], 0)

    def test_slow_and_lossy(self):
        out, truth = talk("slow-and-lossy", "many", 2000, truth=1)
        lost = truth["out"]["lost"]
        self.assertTrue(10 < lost < 150, lost)
        again = talk("slow-and-lossy", "many", 2000, truth=1)[1]
        other = talk("slow-and-lossy", "many", 2000, truth=1,
                     options=["--seed", "8"])[1]
        self.assertEqual(again["out"]["lost"], lost)
        self.assertEqual(again["seed"], truth["seed"])
        self.assertNotEqual(other["seed"], truth["seed"])
        rtt = [float(w) for w in talk("slow-and-lossy", "rtt", 8)[0].split()]
        self.assertGreater(min(rtt), 0.3)

    def test_cgnat(self):
        shown = prumo_lab("show", "cgnat").stdout
        self.assertIn("100.64.1.1", shown)
        seeds = []
        for hop in 1, 2:
            _, truth = talk("cgnat", "udp", 5060, truth=hop)
            self.assertGreater(truth["mappings"], 0)
            seeds.append(truth["seed"])
        # a router takes the two numbers after its seed as well
        self.assertGreater(abs(seeds[1] - seeds[0]), 2)
        out, _ = talk("cgnat", "seen")
        self.assertEqual(out.strip(), "198.18.2.2")

    def test_double_nat(self):
        out, _ = talk("double-nat", "seen")
        self.assertEqual(out.strip(), "198.18.2.2")

    def test_second_phone(self):
        script = (f"python3 {TALK} udp 5060 >/dev/null && "
                  "ip -br link show wan")
        for node, address in (("client", "02:00:00:00:00:01"),
                              ("client2", "02:00:00:00:ff:02")):
            done, truth = within("second-phone", "sh", "-c", script,
                                 node=node, truth=1)
            self.assertIn(address, done.stdout, done.stderr)
            self.assertGreater(truth["mappings"], 0)

    def test_two_phones_at_once(self):
        path = FOLDER / "second-phone.yaml"
        phone = f"exec python3 {TALK} hold 5060"
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o777)
            done = lab.scenario(
                path, "python3", TALK, "hold", 5060, "once", options=[
                    "--truth", f"1:{folder}/t", "--server",
                    f"client2:{phone}"])
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stdout.split(), ["ready"])
            truth = json.loads(pathlib.Path(f"{folder}/t").read_text())
        self.assertGreaterEqual(truth["mappings"], 2)

    def test_busy_path(self):
        _, truth = talk("busy-path", "sleep", 3, truth=1)
        self.assertGreater(truth["out"]["overflowed"], 0)


class Servers(unittest.TestCase):
    def test_full_provider(self):
        for node in "client", "client2":
            out, _ = talk(
                "full-provider", "sip", "udp", "sip.example", 5060, "sip",
                "tcp", "sip2.example", 5080, "sip", "tls", "sip.example",
                5061, "ws", "sip.example", 8088, "ws", "chat.example", 5280,
                "bosh", "chat.example", 5280, "xmpp", "chat.example", 5222,
                "web", "www.example", "stun", "turn.example", 3478, "sip",
                "udp", "phone.example", 5060, "sip", "udp", "edge.example",
                5060, node=node)
            self.assertEqual(out.split("\n")[:-1], [
                "200", "200", "200", "101", "101", "200", "tls",
                "www.example", "203.0.113.2", "200", "200"])

    def test_turn_relays(self):
        done, _ = within("coturn", "turnutils_uclient", "-y", "-u", "prumo",
                         "-w", "prumo", "-n", "3", "-m", "1", "198.51.100.30")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("lost packets 0 (0.000000%)", done.stdout)

    def test_ip6(self):
        out, _ = talk("kamailio", "sip", "udp", "2001:db8:ffff::30", 5060,
                      "sip", "tcp", "2001:db8:ffff::30", 5060)
        self.assertEqual(out.split(), ["200", "200"])

    def test_names(self):
        done, _ = within("nginx", "sh", "-c", "getent ahostsv4 www.example; "
                         "getent hosts other.example; grep . "
                         "/etc/resolv.conf")
        self.assertIn("198.51.100.30", done.stdout)
        self.assertNotIn("other.example", done.stdout)
        self.assertIn("nameserver 198.51.100.53", done.stdout)

    def test_certificates(self):
        for kind, told in (("valid", "0 (ok)"), ("expired", "10 ("),
                           ("wrong-name", "62 ("), ("self-signed", "18 (")):
            for server in "nginx", "kamailio":
                with self.subTest(kind=kind, server=server), \
                        tempfile.TemporaryDirectory() as folder:
                    path = pathlib.Path(folder) / "x.yaml"
                    os.chmod(folder, 0o755)
                    path.write_text(
                        "schema: prumo/scenario/1\nname: x\nsummary: x\n"
                        "routers: [{kernel: []}]\nservers:\n"
                        f"  - {{program: {server}, host: a.example, "
                        f"certificate: {kind}}}\n")
                    port = {"nginx": 443, "kamailio": 5061}[server]
                    done, _ = within(
                        str(path), "openssl", "s_client", "-connect",
                        f"{lab.SERVER}:{port}", "-servername", "a.example",
                        "-verify_hostname", "a.example")
                    self.assertIn(f"Verify return code: {told}",
                                  done.stdout, done.stderr)

    def test_a_missing_program_is_named(self):
        for name, package in MISSING.items():
            program = "turnserver" if name == "coturn" else name
            hide = "; ".join(
                f"test ! -e {d}/{program} || mount --bind /dev/null "
                f"{d}/{program}" for d in ("/usr/bin", "/usr/sbin"))
            done = subprocess.run(
                lab.command("unshare", "-Urm", "sh", "-c",
                            f'{hide}; exec "$@"', "sh", lab.PRUMO, "lab",
                            "run", "full-provider", "--", "true"),
                capture_output=True, text=True, cwd="/", check=False,
                env={**os.environ, "PRUMO_SCENARIOS": str(FOLDER)})
            with self.subTest(program=program):
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertIn(f"'{program}'", done.stderr)
                self.assertIn(f"apt install {package}", done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1)

    def refusal(self, rest):
        """What is said of a scenario that cannot be opened."""
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            path = pathlib.Path(folder) / "x.yaml"
            path.write_text("schema: prumo/scenario/1\nname: x\nsummary: x\n"
                            "routers: [{kernel: []}]\n" + rest)
            done = prumo_lab("run", path, "--", "true")
        self.assertEqual(done.returncode, 3)
        return done.stderr

    def test_a_server_that_fails_says_why(self):
        self.assertIn("a duplicate listen", self.refusal(
            "servers:\n"
            "  - {program: nginx, ports: {http: [443], https: [443]}}\n"))

    def test_a_program_that_ends_is_named(self):
        self.assertEqual(self.refusal(
            "programs:\n  - {in: server, run: exit 3, await: true}\n"),
            "prumo lab: server: 'exit 3' ended before it was ready\n")


class Command(unittest.TestCase):
    def test_list_knows_every_file(self):
        done = prumo_lab("list")
        self.assertEqual(done.returncode, 0, done.stderr)
        for path in FILES:
            text = yaml.safe_load(path.read_text())
            self.assertRegex(done.stdout, f"(?m)^{path.stem} +"
                             f"{text['summary']}$")

    def test_status_is_the_command_s(self):
        for status in 0, 1, 7, 255:
            done, _ = within("clean", "sh", "-c", f"exit {status}")
            self.assertEqual(done.returncode, status)
        self.assertEqual(within("clean", "/no/such")[0].returncode, 127)

    def test_every_node(self):
        for node, address in (("client", "192.0.2.33"), ("r1", "203.0.113.2"),
                              ("server", "198.51.100.10")):
            done, _ = within("clean", "ip", "-br", "addr", node=node)
            self.assertIn(address, done.stdout)

    def test_shell_reads_commands(self):
        done = prumo_lab("shell", "clean", text="echo $PRUMO_SCENARIO\n"
                         "echo $PRUMO_STAY_HOME\nexit 5\n")
        self.assertEqual((done.returncode, done.stdout), (5, "clean\n1\n"))

    def test_shell_on_a_terminal(self):
        done = subprocess.run(
            lab.command("python3", lab.HERE / "terminal.py", lab.PRUMO, "lab",
                        "shell", "clean"), capture_output=True, text=True,
            timeout=60, cwd="/", check=False,
            env={**os.environ, "PRUMO_SCENARIOS": str(FOLDER)})
        self.assertEqual(done.returncode, 9, done.stdout + done.stderr)
        self.assertIn("[clean: client] $ ", done.stdout)
        self.assertIn("still 42", done.stdout)

    def test_demo_opens_a_scenario(self):
        for name, status, ids in (("clean", 0, []),
                                  ("kernel-alg", 2, ["alg.rewrites-sip"]),
                                  ("coturn", 0, []),
                                  ("kamailio", 3, ["alg.unknown"])):
            done = rig.demo("--scenario", name, "-o", "json",
                            env={"PRUMO_SCENARIOS": str(FOLDER)}, timeout=60)
            self.assertTrue(done.stdout, done.stderr)
            report = rig.Report(done.stdout, done.returncode)
            self.assertEqual((report.status, report.ids()), (status, ids))

    def test_demo_takes_one_network(self):
        done = rig.demo("--scenario", "clean", "--alg", "off")
        self.assertEqual((done.returncode, done.stdout), (64, ""))

    def test_nothing_stays(self):
        before = sorted(os.listdir("/run/lock"))
        done, _ = within("nginx", "ls", "/run/lock")
        self.assertIn("nginx0", done.stdout)
        self.assertEqual(sorted(os.listdir("/run/lock")), before)

    def test_a_router_is_known_by_its_name(self):
        done, _ = within("persona-asa", "sh", "-c", "cat /proc/*/comm")
        self.assertIn("prumo-lab-route", done.stdout.split())

    def test_usage(self):
        for words in ([], ["run"], ["run", "clean"], ["shell"], ["list", "x"],
                      ["open", "clean"], ["show", "clean", "x"],
                      ["run", "no-such", "true"], ["shell", "clean", "x"],
                      ["run", "--in", "moon", "clean", "true"],
                      ["run", "--in", "client2", "clean", "true"],
                      ["run", "--seed", "x", "clean", "true"],
                      ["run", "--truth", "9:x", "clean", "true"],
                      ["run", "--truth", "1", "clean", "true"],
                      ["run", "--truth", "1:/tmp/x", "clean", "true"],
                      ["run", "--truth", "1:/no/x", "persona-asa", "true"],
                      ["--no-such"]):
            with self.subTest(words=words):
                done = prumo_lab(*words)
                self.assertEqual((done.returncode, done.stdout), (64, ""))
                self.assertTrue(done.stderr)
        self.assertIn("unexpected argument 'x'",
                      prumo_lab("list", "x").stderr)

    def test_faults_have_places(self):
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            path = pathlib.Path(folder) / "x.yaml"
            path.write_text("schema: prumo/scenario/1\nname: x\nsummary: x\n"
                            "routers:\n  - program: persona=nobody\n"
                            "servers:\n  - program: asterisk\n")
            done = prumo_lab("show", path)
        self.assertEqual(done.returncode, 64)
        self.assertIn("x.yaml:5:14: error", done.stderr)
        self.assertIn("'persona=nobody'; expected persona=netfilter|",
                      done.stderr)
        self.assertIn("x.yaml:7:14: error", done.stderr)


lab.main()
