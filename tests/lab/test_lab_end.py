"""However a check is ended, it says what it knows, and whether it could."""
import os
import pathlib
import signal
import subprocess
import threading
import time
import unittest

import lab
import rig

# A parent may have ignored it, and that is inherited.
ENTER = ("import os, signal, sys; signal.signal(signal.SIGINT, "
         "signal.SIG_DFL); open(sys.argv[1], 'w').write(str(os.getpid())); "
         "os.execvp(sys.argv[2], sys.argv[2:])")
PROBES = "counter probes {}\nchain c {\ntype filter hook forward " \
         "priority 10; meta l4proto udp counter name probes\n}"


class Interrupted(unittest.TestCase):
    def interrupt(self, options, ready, extra=(), servers=(rig.EDGE,)):
        """Ctrl-C once ready(room) says so. @return the Report"""
        with rig.Lab(*options, nodes=["r1"], servers=servers) as room:
            room.nft("r1", PROBES)
            pid = pathlib.Path(room.dir.name, "pid")
            done = []
            check = threading.Thread(target=lambda: done.extend(room.run(
                "client", "python3", "-c", ENTER, pid, lab.PRUMO, "check",
                "--edge", lab.SERVER, "-o", "json", *extra,
                env={"PRUMO_STAY_HOME": "1"})))
            check.start()
            end = time.monotonic() + 20
            while not ready(room) and time.monotonic() < end:
                time.sleep(0.05)
            self.assertTrue(check.is_alive())
            room.must("client", "sh", "-c", "kill -INT " + pid.read_text())
            check.join(10)
            self.assertFalse(check.is_alive())
        return rig.Report(done[1], done[0])

    def test_what_was_measured_is_reported(self):
        # Long after the ladder, while it waits for the late answer.
        def is_waiting(room):
            out = room.must("r1", "conntrack", "-L", "-p", "udp",
                            "--dport", "10443")
            return len([line for line in out.splitlines()
                        if "sport=5060 " not in line]) > 0

        report = self.interrupt(["--alg-at", 1], is_waiting, ["--timer=60"])
        self.assertEqual((report.status, report.ids()),
                         (2, ["alg.rewrites-sip"]), report.told())
        timer, = report.pick("alg.timer")
        self.assertEqual((timer["state"], timer["result"]),
                         ("unknown", "unknown"))

    def test_nothing_measured_is_nothing_said(self):
        def is_asked(room):
            return room.counters("r1")["probes"][0] > 2

        report = self.interrupt(["--nat-at", 1], is_asked, servers=())
        self.assertEqual((report.status, report.verdict),
                         (3, "could-not-test"), report.told())
        self.assertIsNone(report.alg())


class Output(unittest.TestCase):
    def test_full_disk(self):
        with rig.Lab("--nat-at", 1) as room:
            for form in "text", "json":
                with self.subTest(form=form):
                    status, _, err = room.run(
                        "client", "sh", "-c", 'exec "$@" >/dev/full', "sh",
                        lab.PRUMO, "check", "--edge", lab.SERVER, "-o", form)
                    self.assertEqual(status, 70)
                    self.assertTrue(err)

    def test_closed_output(self):
        with rig.Lab("--nat-at", 1) as room:
            status, _, err = room.run(
                "client", "sh", "-c", 'exec "$@" >&-', "sh", lab.PRUMO,
                "check", "--edge", lab.SERVER)
            self.assertEqual(status, 70)
            self.assertTrue(err)

    def test_reader_that_is_gone(self):
        """Nobody is told, and nothing crashes."""
        with rig.Lab("--nat-at", 1) as room:
            status, out, _ = room.run(
                "client", "python3", "-c",
                "import os, subprocess, sys; r, w = os.pipe(); os.close(r); "
                "print(subprocess.run(sys.argv[1:], stdout=w).returncode)",
                lab.PRUMO, "check", "--edge", lab.SERVER)
            self.assertEqual(status, 0)
            self.assertIn(int(out), (70, -signal.SIGPIPE))

    def test_demo_to_a_full_disk(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run(
                lab.command(lab.PRUMO, "demo"), stdout=full,
                stderr=subprocess.PIPE, check=False, cwd="/",
                env=dict(os.environ))
        self.assertEqual(done.returncode, 70)


lab.main()
