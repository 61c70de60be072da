"""Whoever dies first, nothing is left: no process, no namespace, no file."""
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

import lab

MARK = str(86400 + os.getpid())  # what ours sleep; nobody else does
KINDS = ("user", "net", "pid", "mnt")


def children(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


def processes():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def marked():
    """Processes of ours that still live."""
    found = []
    for pid in processes():
        try:
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if words == f"sleep\0{MARK}\0".encode():
            found.append(pid)
    return found


def namespaces(pid):
    found = set()
    for kind in KINDS:
        try:
            found.add(os.readlink(f"/proc/{pid}/ns/{kind}"))
        except OSError:
            pass  # it ended meanwhile
    return found


def is_held(names):
    """Whether any process is still in one of these namespaces."""
    return any(namespaces(pid) & names for pid in processes())


def await_true(claim, seconds=5):
    end = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class Teardown(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        os.chmod(self.dir.name, 0o777)
        self.start = subprocess.Popen(
            lab.command(lab.LAB_RUN, "--alg-at", "1", "--bg",
                        f"server:(setsid sleep {MARK} &); exec sleep {MARK}",
                        "client", "sleep", MARK),
            cwd="/", env={**os.environ, "TMPDIR": self.dir.name},
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.pins = []
        self.addCleanup(self.release)
        self.assertTrue(await_true(lambda: len(marked()) == 3))
        self.starter = self.start.pid
        self.keeper, = children(self.starter)
        self.init, = children(self.keeper)
        own = namespaces("self")
        self.names = set()
        for pid in (self.init, *marked()):
            # Pinned, or the kernel would give the number to the next lab.
            self.pins += [os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY)
                          for kind in KINDS]
            self.names |= namespaces(pid) - own
        self.assertEqual(len(self.names), 6)  # user, pid, mnt, three net

    def release(self):
        self.start.kill()
        self.start.wait()
        self.start.stderr.close()
        while self.pins:
            os.close(self.pins.pop())
        for pid in marked():  # only when a claim of ours is wrong
            os.kill(pid, signal.SIGKILL)
        self.dir.cleanup()

    def assert_gone(self, at_once):
        def is_gone():
            return not marked() and not is_held(self.names)

        # Where nobody was left to wait for it, the kernel takes a moment.
        self.assertTrue(is_gone() if at_once else await_true(is_gone))
        self.assertEqual(os.listdir(self.dir.name), [])

    def test_signals_to_the_starter(self):
        # One lab a signal: setUp() makes the first.
        for signo in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP,
                      signal.SIGQUIT):
            with self.subTest(signo=signo):
                self.start.send_signal(signo)
                self.assertEqual(self.start.wait(10), 128 + signo)
                self.assert_gone(at_once=True)
            if signo != signal.SIGQUIT:
                self.release()
                self.setUp()

    def test_kill_of_the_starter(self):
        self.start.kill()
        self.start.wait(10)
        self.assert_gone(at_once=False)

    def test_kill_of_the_keeper(self):
        os.kill(self.keeper, signal.SIGKILL)
        self.assertEqual(self.start.wait(10), 128 + signal.SIGKILL)
        self.assert_gone(at_once=False)

    def test_kill_of_init(self):
        os.kill(self.init, signal.SIGKILL)
        self.assertEqual(self.start.wait(10), 128 + signal.SIGKILL)
        self.assert_gone(at_once=True)

    def test_death_of_the_command(self):
        for pid in marked():
            os.kill(pid, signal.SIGKILL)
        self.assertEqual(self.start.wait(10), 128 + signal.SIGKILL)
        self.assert_gone(at_once=True)


class End(unittest.TestCase):
    def test_success_leaves_nothing(self):
        done = lab.lab("--bg", f"server:setsid sleep {MARK}", "client",
                       "true")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(marked(), [])

    def test_failure_leaves_nothing(self):
        done = lab.lab("--bg", f"server:sleep {MARK}", "--server",
                       "server:exit 1", "client", "true")
        self.assertEqual(done.returncode, 3)
        self.assertEqual(marked(), [])


lab.main()
