#!/usr/bin/python3
"""Run everything that 'make test' promises, and count it.

Two builds (gcc; clang with the address and undefined-behaviour sanitizers),
each with all its suites, then the static checks and a short run of every
fuzzer. The last line is 'N passed, N failed, N skipped'.
"""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FUZZ_SECONDS = 4
FUZZ_PARALLEL = os.cpu_count() or 1
SANITIZE = ["-Db_sanitize=address,undefined", "-Db_lundef=false"]

count = {"passed": 0, "failed": 0, "skipped": 0}


def say(text):
    print(text, flush=True)


def run(argv, **kw):
    return subprocess.run(argv, cwd=ROOT, stdin=subprocess.DEVNULL, **kw)


def note(name, outcome, output=""):
    count[outcome] += 1
    if outcome != "passed":
        say(f"{outcome.upper()}: {name}")
        if output:
            say(output[-6000:])


def step(name, argv, env=None):
    start = time.monotonic()
    r = run(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace")
    note(name, "failed" if r.returncode else "passed", r.stdout)
    say(f"-- {name}: {time.monotonic() - start:.0f} s")
    return r.returncode == 0


def build(folder, options, cc):
    env = dict(os.environ, CC=cc)
    if not (ROOT / folder / "build.ninja").exists():
        argv = ["meson", "setup", folder, *options]
    else:
        argv = ["meson", "configure", folder, *options]
    return (step(f"{folder}: setup", argv, env)
            and step(f"{folder}: compile", ["ninja", "-C", folder]))


def meson_tests(folder, *args):
    """Run a build's tests; count each of them."""
    start = time.monotonic()
    log = ROOT / folder / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    # most of them wait for a network of their own
    run(["meson", "test", "-C", folder, "--no-rebuild", "--num-processes",
         str((os.cpu_count() or 1) + 1), *args],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if not log.exists():
        note(f"{folder}: tests did not run", "failed")
        return
    outcomes = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}
    for line in log.read_text().splitlines():
        t = json.loads(line)
        note(f"{folder}: {t['name']}", outcomes.get(t["result"], "failed"),
             (t.get("stdout") or "") + (t.get("stderr") or ""))
    say(f"-- {folder}: tests: {time.monotonic() - start:.0f} s")


def fuzzers():
    if not build("build-fuzz", ["-Dfuzz=libfuzzer", "-Dtests=false",
                                *SANITIZE], "clang"):
        return
    folder = ROOT / "build-fuzz" / "fuzz"

    def fuzz(exe):
        name = exe.name.removeprefix("fuzz_")
        found = folder / "found" / name
        found.mkdir(parents=True, exist_ok=True)
        step(f"fuzz {name}",
             [str(exe), f"-max_total_time={FUZZ_SECONDS}", "-timeout=10",
              "-rss_limit_mb=1024", f"-artifact_prefix={found}/crash-",
              str(found), f"fuzz/corpus/{name}"])

    exes = [exe for exe in sorted(folder.glob("fuzz_*"))
            if exe.is_file() and os.access(exe, os.X_OK)]
    with concurrent.futures.ThreadPoolExecutor(FUZZ_PARALLEL) as pool:
        list(pool.map(fuzz, exes))


def main():
    # Debian's own programs, whatever else this machine has installed
    os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin:" + os.environ["PATH"]
    os.environ["PRUMO_STAY_HOME"] = "1"
    os.environ["LC_ALL"] = "C.UTF-8"
    os.environ.pop("LANGUAGE", None)
    os.environ.pop("NO_COLOR", None)
    if build("build-test", ["-Dtests=true", "-Dfuzz=replay"], "gcc"):
        meson_tests("build-test")
    if build("build-asan", ["-Dtests=true", "-Dfuzz=replay", *SANITIZE],
             "clang"):
        meson_tests("build-asan", "--no-suite", "style")
    for job in ("format", "tidy", "check", "manual"):
        step(f"lint {job}", ["tools/lint.sh", job])
    fuzzers()
    say("{passed} passed, {failed} failed, {skipped} skipped".format(**count))
    return 1 if count["failed"] or not count["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
