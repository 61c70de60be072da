"""Where no lab can be, one clear explanation says what would allow it."""
import os
import pathlib
import subprocess
import tempfile
import unittest

import lab

NO_RIGHTS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


def forbidden(kind, *command):
    """Run where the limit of one kind of namespace is 0."""
    script = f'echo 0 >/proc/sys/user/max_{kind}_namespaces && exec "$@"'
    return subprocess.run(
        lab.command("unshare", "-Ur", "sh", "-c", script, "sh", *NO_RIGHTS,
                    *command),
        capture_output=True, text=True, cwd="/", check=False)


class Refusal(unittest.TestCase):
    def test_forbidden_namespaces(self):
        for kind in ("user", "net", "pid", "mnt"):
            with self.subTest(kind=kind):
                done = forbidden(kind, lab.PRUMO, "demo")
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertEqual(done.stdout, "")
                self.assertIn("sudo sysctl -w user."
                              f"max_{kind}_namespaces=15000", done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1)

    def test_forbidden_is_a_skipped_test(self):
        done = forbidden("user", lab.LAB_RUN, "client", "true")
        self.assertEqual(done.returncode, 77)

    def test_missing_program(self):
        # /usr/sbin is where they are, and what an empty mount hides.
        with tempfile.TemporaryDirectory() as empty:
            os.chmod(empty, 0o755)
            for program, package in (("ip", "iproute2"),
                                     ("nft", "nftables"),
                                     ("conntrack", "conntrack")):
                with self.subTest(program=program):
                    hide = "; ".join(
                        f"test ! -e {d}/{program} || "
                        f"mount --bind /dev/null {d}/{program}"
                        for d in ("/bin", "/sbin", "/usr/bin", "/usr/sbin")
                        if not pathlib.Path(d).is_symlink())
                    done = subprocess.run(
                        lab.command("unshare", "-Urm", "sh", "-c",
                                    f'{hide}; exec "$@"', "sh",
                                    lab.PRUMO, "demo"),
                        capture_output=True, text=True, cwd="/", check=False)
                    self.assertEqual(done.returncode, 3, done.stderr)
                    self.assertIn(f"'{program}'", done.stderr)
                    self.assertIn(f"sudo apt install {package}",
                                  done.stderr)


lab.main()
