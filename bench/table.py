#!/usr/bin/python3
"""A router that keeps 4 096 flows, found by visiting every port.

    bench/table.py BUILD_DIR

Two routers: the kernel, whose rule counts what its conntrack keeps of the
computer, and the lab's own, which also keeps connections that were closed.
Each is filled by `check --full-range=1000`; and once more nearly all of it by
other programs, where a plain check has to tell. What it says is compared with
what the router keeps; blocked ports, or another finding, end the bench.
"""
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SIZE = 4096
HELD = 3900


def faults(build):
    """The lab test of such routers, on this build."""
    os.environ.update(PRUMO=str(build / "prumo"),
                      PRUMO_LAB_RUN=str(build / "lab/tool/prumo-lab-run"),
                      PRUMO_PROFILES=str(ROOT / "profiles"),
                      PRUMO_SCHEMA=str(ROOT / "docs/report.schema.json"))
    sys.path.insert(0, str(ROOT / "tests/lab"))
    import test_reach_faults  # pylint: disable=import-outside-toplevel
    return test_reach_faults


def show(name, report, n_kept):
    assert report.ids() == ["nat.table-full"], report.told()
    for ports in report.pick("range.ports"):
        told = ports.get("detail", {}).get("blocked", [])
        assert not told or ports["state"] == "unknown", ports
    limit, = report.pick("nat.table")
    closed = limit.get("closed", 0)
    print(f"{name:<36} keeps {n_kept}: told {limit['value']}"
          f"{f' and {closed} closed again' if closed else ''}, "
          f"{limit['going_on']} ranges went on, "
          f"{report.json['run']['took_ms'] / 1000:.1f} s", flush=True)


def main():
    tests = faults(pathlib.Path(sys.argv[1]).resolve())
    show("kernel, every port", tests.run_pace("kernel", SIZE), SIZE)
    show("lab router, every port", tests.run_pace("router", SIZE), SIZE)
    show("kernel, filled by others", tests.run_kept(HELD, SIZE), SIZE - HELD)
    show("lab router, filled by others", tests.run_table(HELD, SIZE),
         SIZE - HELD)


if __name__ == "__main__":
    main()
