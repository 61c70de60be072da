"""The persona of the kernel's ALG and the kernel's ALG: the same bytes."""
import sys
import unittest

import lab
import router_texts

sys.dont_write_bytecode = True


def talk(*options):
    done = lab.lab(*options, "--server",
                   f"server:exec python3 {lab.HERE}/router_talk.py server",
                   "client", "python3", lab.HERE / "router_talk.py", "client",
                   timeout=60)
    assert done.returncode == 0, done.stderr
    said = {}
    for line in done.stdout.splitlines():
        number, data = line.split(" ")
        data = None if data == "-" else bytes.fromhex(data)
        if data and data.startswith(b"got "):
            data = bytes.fromhex(data[4:].decode())
        said.setdefault(int(number), []).append(data)
    return said


class Netfilter(unittest.TestCase):
    def test_persona_is_the_kernel_byte_for_byte(self):
        kernel = talk("--hops", 1, "--alg-at", 1)
        ours = talk("--hops", 1, "--router", "1:persona=netfilter")
        n_edited = 0
        for number, text in enumerate(router_texts.OUT):
            with self.subTest(number=number, text=text[:60]):
                self.assertEqual(ours[number], kernel[number])
            n_edited += kernel[number][0] != router_texts.out(number)
        self.assertGreater(n_edited, 20)

    def test_without_behaviours_no_byte_changes(self):
        for nat in ("off", "none", "on"):
            got = talk("--hops", 1, "--router", f"1:nat={nat}")
            for number in range(len(router_texts.OUT)):
                self.assertEqual(got[number][0], router_texts.out(number))


lab.main()
