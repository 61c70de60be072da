#!/usr/bin/python3
"""Measure the detector: prumo check against routers whose truth is known.

    bench/eval.py BUILD_DIR [--write FILE] [--json FILE] [--only PATTERN]

Every behaviour and persona of prumo-lab-router, the kernel's own ALG, and a
set of networks that must not be called an ALG. A behaviour counts where the
router's own record says that it struck. Numbers are counts with their
denominators; what was missed is named. Beside them the same networks as two
published methods see them: bench/baseline_ibc.py and baseline_ipsla.py.
"""
import argparse
import concurrent.futures
import fnmatch
import json
import os
import pathlib
import subprocess
import tempfile
import time

import yaml

PROFILE = (pathlib.Path(__file__).resolve().parent.parent
           / "profiles/cloudphone-pro.yaml")
SERVER = "198.51.100.10"
SERVER6 = "2001:db8:ffff::10"
PARALLEL = 4
SEEDS = (1, 2, 3)
BASELINES = ("ibc", "ipsla")
BENCH = pathlib.Path(__file__).resolve().parent
SCENARIOS = BENCH.parent / "scenarios"
# What may be set while it runs; the lab's own check needs a long sip_timeout.
KERNEL = pathlib.Path("/sys/module/nf_conntrack_sip/parameters")
KERNEL_VALUES = {"sip_direct_media": "0", "sip_direct_signalling": "0",
                 "sip_external_media": "1", "sip_timeout": "1800"}
TIMEOUT_S = 150

# Behaviours that only change how others work, and those others.
WITH = {
    "port-added": "via+contact", "own-port-only": "via+contact",
    "foreign": "contact+sdp", "length-stale": "sdp", "length-text": "sdp",
    "tcp-no-fixup": "via+contact", "ghost": "pinhole", "out-only":
    "via+contact", "udp-only": "via+contact", "tcp-only": "via+contact",
    "tcp-assemble": "via+contact", "stale": "via+contact",
}
# What a finding may be called, beside rewrites-sip for class A.
CLASSIFIED = {
    "own-via": {"alg.acts-as-proxy"}, "max-forwards": {"alg.acts-as-proxy"},
    "lose-semicolon": {"alg.corrupts-sip"},
    "port-overflow": {"alg.corrupts-sip"}, "lose-crlf": {"alg.corrupts-sip"},
    # behind router 2 the new address is as long as the old one
    "length-stale": {"alg.corrupts-sip", "alg.rewrites-sip"},
    "request-uri": {"alg.edits-inbound"},  # a router's: towards the phone
    "length-text": {"alg.corrupts-sip", "alg.rewrites-sip"},
    "drop-fragments": {"path.drops-messages", "alg.drops-sip"},
    "drop-tcp": {"path.sip-port-blocked", "alg.drops-sip"},
    "drop-fast": {"alg.drops-sip", "path.drops-messages"},
    "received": {"alg.edits-inbound"}, "pinhole": {"alg.opens-pinholes"},
    "pinhole-anyone": {"alg.opens-pinholes"},
    "pinhole-calls": {"alg.opens-pinholes"}, "ghost":
    {"alg.opens-pinholes"}, "timer": {"alg.stretches-timer"},
    "wrong-port": {"alg.drops-answers"}, "remap": {"alg.moves-binding"},
    "twin-drop": {"path.loses-twins"}, "stale": {"alg.stale-session"},
    "stale-dead": {"path.stale-session"},
}
BY_ROW = {"A": {"alg.rewrites-sip"}, "B": {"alg.rewrites-sip"},
          "C": {"alg.drops-sip"}, "D": {"alg.edits-inbound"},
          "E": {"alg.rewrites-sip"}}
PATHS = {
    "40 ms, 1 % loss": "out.delay=20,in.delay=20,out.loss=0.5,in.loss=0.5",
    "300 ms, 5 % loss": "out.delay=150,in.delay=150,out.loss=2.5,in.loss=2.5",
    "40 ms, a fifth overtakes": "out.delay=20,in.delay=20,out.reorder=20,"
                                "in.reorder=20",
}


def scenarios():
    """Those with an edge, as (file, what it is expected to show)."""
    for path in sorted(SCENARIOS.glob("*.yaml")):
        text = yaml.safe_load(path.read_text())
        programs = [s.get("program", "") for s in text["servers"]]
        if "expect" in text and "edge" in programs:
            yield path, text["expect"]


def must_not():
    """Networks without an ALG, as (name, options of the lab)."""
    for mapping in ("ei", "ad", "apd"):
        for filter_ in ("ei", "ad", "apd"):
            for ports in ("preserve", "random"):
                yield (f"NAT {mapping}/{filter_}/{ports}",
                       ["--router", f"1:mapping={mapping},filter={filter_},"
                        f"ports={ports}"])
    words = {
        "NAT, ports by parity": "ports=parity",
        "NAT, ports in sequence": "ports=sequential",
        "NAT with hairpin": "hairpin=on",
        "a firewall with state": "nat=none",
        "a plain router": "nat=off",
        "NAT, ICMP quotes of 28 bytes": "icmp=28",
        "NAT, ICMP silent": "icmp=silent",
        "NAT, ICMP limited": "icmp-rate=1",
        "NAT, DSCP bleached": "out.dscp=bleach,in.dscp=bleach",
        "NAT, MTU 1400": "mtu=1400",
        "NAT, MTU 576": "mtu=576",
        "NAT, 40 ms of jitter": "out.jitter=40,in.jitter=40",
        "NAT, a tenth comes twice": "out.dup=10,in.dup=10",
        "NAT, a slow line": "out.rate=256,in.rate=512,out.queue=100",
    }
    for name, text in words.items():
        yield name, ["--router", f"1:{text}"]
    for seed in SEEDS:
        yield (f"NAT, 5 % loss, seed {seed}",
               ["--router", f"1:out.loss=5,in.loss=5,seed={seed}"])
        yield (f"NAT, bursts of loss, seed {seed}",
               ["--router", "1:out.bad=1,out.good=30,out.bad-loss=80,"
                f"in.bad=1,in.good=30,in.bad-loss=80,seed={seed}"])
        for path, text in PATHS.items():
            yield (f"NAT, {path}, seed {seed}",
                   ["--router", f"1:{text},seed={seed}"])
    yield "two NATs in a row", ["--router", "1:nat=on", "--router",
                                "2:nat=on"]
    for words in ("nat6=on", "nat6=on,mapping=apd,filter=apd,ports=random",
                  "nat=on", "nat=none"):
        yield f"{words}, IPv6", ["--ip6", "--router", f"1:{words}"]
    yield "the kernel's NAT", ["--nat-at", "1"]
    yield "two of the kernel's NATs", ["--nat-at", "1", "--nat-at", "2"]
    yield "the kernel's firewall", ["--firewall-at", "1"]


class Case:
    """One network, and what check should say of it."""

    def __init__(self, kind, name, options, want=(), hop=1, behaviour=None,
                 check=(), hops=3, kernel=None, scenario=None):
        self.kind, self.name, self.options = kind, name, options
        self.want, self.hop, self.behaviour = set(want), hop, behaviour
        self.check, self.hops = list(check), hops
        self.kernel = kernel  # a module parameter's name, or None
        self.scenario = scenario  # a file; options: the same, or None

    def is_ip6(self):
        """Asked over IPv6, which the older methods do not know."""
        return "--ip6" in (self.options or ())


def cases(known):
    for b in known["behaviours"]:
        name = b["name"]
        together = f"{WITH[name]}+{name}" if name in WITH else name
        want = CLASSIFIED.get(name, BY_ROW[b["row"][0]])
        check = ["--timer=40"] if name == "timer" else []
        for hop in (1, 2):
            words = f"{hop}:alg={together}"
            yield Case(f"class {b['row'][0]}", f"{name} at hop {hop}",
                       ["--router", words], want, hop, name, check)
            if hop == 1:
                yield Case(f"class {b['row'][0]}, IPv6", f"{name}, IPv6",
                           ["--ip6", "--router", f"1:nat6=on,alg={together}"],
                           want, hop, name, check)
            if b["row"][0] == "C":
                yield Case("class C, --full", f"{name} at hop {hop}, --full",
                           ["--router", words], want | {"alg.drops-sip"},
                           hop, name, ["--full"])
    expected = dict(scenarios())
    for name in known["personas"]:
        path = SCENARIOS / f"persona-{name}.yaml"
        want = expected[path]["findings"]
        check = ["--timer=40"] if name == "timer-only" else []
        yield Case("personas", name, ["--router", f"1:persona={name}"], want,
                   expected[path].get("alg-at", 1), check=check,
                   scenario=path)
        if name in ("timer-only", "pinhole-only", "large-dropper"):
            continue
        for path, text in PATHS.items():
            for seed in SEEDS:
                yield Case(f"personas, {path}", f"{name}, {path}, seed {seed}",
                           ["--router", f"1:persona={name},{text},"
                            f"seed={seed}"], want)
    for path, text in PATHS.items():
        for seed in SEEDS:
            yield Case(f"drop-tcp, {path}", f"drop-tcp, {path}, seed {seed}",
                       ["--router", f"2:alg=drop-tcp,{text},seed={seed}"],
                       CLASSIFIED["drop-tcp"], 2, "drop-tcp")
    for hop in (1, 2, 3):
        yield Case("the kernel's ALG", f"netfilter at hop {hop}",
                   ["--alg-at", str(hop)], {"alg.rewrites-sip"}, hop)
    for name, value in KERNEL_VALUES.items():
        if os.access(KERNEL / name, os.W_OK):
            yield Case("the kernel's ALG", f"netfilter, {name}={value}",
                       ["--alg-at", "1"], {"alg.rewrites-sip"}, kernel=name)
    yield Case("the kernel's ALG", "netfilter before a second NAT",
               ["--alg-at", "1", "--nat-at", "2"], {"alg.rewrites-sip"})
    yield Case("the kernel's ALG", "netfilter behind another NAT",
               ["--nat-at", "1", "--alg-at", "2"], {"alg.rewrites-sip"}, 2)
    yield Case("the kernel's ALG", "netfilter beside silent routers",
               ["--alg-at", "1", "--silent-at", "3"], {"alg.rewrites-sip"})
    for name, options in must_not():
        yield Case("must not", name, options)
    for path, expect in expected.items():
        if expect.get("alg") is False:
            yield Case("must not", f"scenario {path.stem}", None,
                       scenario=path)


def run_baseline(name, case, build):
    """What an older method says of the same network."""
    program = f"/usr/bin/python3 {BENCH}/baseline_{name}.py"
    argv = [str(build / "lab/tool/prumo-lab-run"), "--hops", str(case.hops),
            *case.options, "--server", f"server:exec {program} server {SERVER}",
            "client", *program.split(), "client", SERVER]
    try:
        return subprocess.run(argv, capture_output=True, text=True,
                              timeout=TIMEOUT_S, check=False).stdout.strip()
    except subprocess.TimeoutExpired:
        return "failed"


def run_set(case, build, folder, number):
    """With the module parameter that the case is about."""
    if not case.kernel:
        return run_all(case, build, folder, number)
    path = KERNEL / case.kernel
    before = path.read_text()
    path.write_text(KERNEL_VALUES[case.kernel])
    try:
        return run_all(case, build, folder, number)
    finally:
        path.write_text(before)


def run_all(case, build, folder, number):
    result = run(case, build, folder, number)
    if case.kind != "class C, --full" and case.options is not None and \
            not case.is_ip6():
        result["baselines"] = {b: run_baseline(b, case, build)
                               for b in BASELINES}
    return result


def run(case, build, folder, number):
    truth = folder / f"{number}.json"
    argv = [str(build / "lab/tool/prumo-lab-run")]
    if case.scenario:
        argv += ["--prumo", str(build / "prumo"), "--scenario",
                 str(case.scenario)]
    else:
        argv += ["--hops", str(case.hops), *case.options]
    if case.behaviour:
        argv += ["--truth", f"{case.hop}:{truth}"]
    if not case.scenario:
        argv += ["--server", f"server:exec {build}/prumo edge --user root"]
    argv += ["client", str(build / "prumo"), "check", "--edge",
             SERVER6 if case.is_ip6() else SERVER, "-o", "json", *case.check, str(PROFILE)]
    env = dict(os.environ, PRUMO_STAY_HOME="1", LC_ALL="C.UTF-8")
    start = time.monotonic()
    try:
        done = subprocess.run(argv, capture_output=True, text=True, env=env,
                              timeout=TIMEOUT_S, check=False)
        report = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError) as e:
        return {"failed": f"{type(e).__name__}"}
    result = {"seconds": time.monotonic() - start,
              "verdict": report["verdict"], "ids": [], "hops": [],
              "ranges": []}
    for f in report["findings"]:
        result["ids"] += [f["id"], *f["evidence"].get("also", [])]
        if "location" in f["evidence"]:
            place = f["evidence"]["location"]
            result["hops"].append(place.get("hop"))
            result["ranges"].append((place["hop_min"], place["hop_max"]))
    if case.behaviour and truth.exists():
        for b in json.loads(truth.read_text())["behaviours"]:
            if b["name"] == case.behaviour:
                result["struck"] = b["out"] + b["in"]
    return result


# These leave no mark of their own: they say how another one works.
ONE_WAY = """What is judged on its way out alone is known to two hops and no better: a
router shows that a message has come to it by the ICMP error of one whose time
ends there, which is before it judges what it hands on; nothing beyond the box
ever hears the message, and what the edge sends is not judged, or cannot be
sent: behind a NAT sessions begin on this side alone. Of a session that is dead
it is seen where it ends; a router before that may have led it there."""
UNASKED = """No phone sends an INVITE without a line c= or with a media port below 1024, nor
a CSeq without a number: a network that shows nothing else is asked that with
--full alone."""
UNCOUNTED = {"port-added", "own-port-only", "foreign", "length-stale",
             "length-text", "tcp-no-fixup", "ghost", "out-only",
             "udp-only", "tcp-only"}


def judge(case, result):
    """Add: struck, found, located, classified, false alarm."""
    ids = [i for i in result.get("ids", []) if i != "alg.unknown"]
    faults = [i for i in ids if i.startswith(("alg.", "path."))]
    if case.kind == "must not":
        return {"alarm": any(i.startswith(("alg.", "path.loses-twins",
                                           "path.stale-session"))
                             for i in ids)}
    struck = (case.behaviour is None or case.behaviour in UNCOUNTED
              or result.get("struck", 0) > 0)
    return {"struck": struck, "found": struck and bool(faults),
            "located": struck and case.hop in result.get("hops", []),
            "ranged": struck and any(
                low <= case.hop <= high
                for low, high in result.get("ranges", [])),
            "misplaced": struck and any(
                not low <= case.hop <= high
                for low, high in result.get("ranges", [])),
            "classified": struck and bool(case.want & set(ids))}


def table(rows):
    out = ["| networks | runs | struck | found | one hop | holds the truth | "
           "classified | missed | median s | longest s | ibc | ipsla |",
           "|" + " --- |" * 12]
    kinds = sorted({c.kind for c, _, _ in rows if c.kind != "must not"})
    for kind in kinds:
        mine = [(c, r, j) for c, r, j in rows if c.kind == kind]
        struck = [j for _, _, j in mine if j["struck"]]
        secs = sorted(r.get("seconds", TIMEOUT_S) for _, r, _ in mine)
        n = {k: sum(j[k] for j in struck)
             for k in ("found", "located", "ranged", "classified")}
        old = [sum(r["baselines"][b] == "alg" for _, r, j in mine
                   if j["struck"] and "baselines" in r) if any(
                       "baselines" in r for _, r, _ in mine) else "-"
               for b in BASELINES]
        out.append(f"| {kind} | {len(mine)} | {len(struck)} | {n['found']} | "
                   f"{n['located']}/{len(struck)} | "
                   f"{n['ranged']}/{len(struck)} | {n['classified']} | "
                   f"{len(struck) - n['found']} | {secs[len(secs) // 2]:.1f} "
                   f"| {secs[-1]:.1f} | {old[0]} | {old[1]} |")
    clean = [(c, r, j) for c, r, j in rows if c.kind == "must not"]
    n = sum(j["alarm"] for _, _, j in clean)
    said = {b: [r["baselines"][b] for _, r, _ in clean if "baselines" in r]
            for b in BASELINES}
    out += ["", f"False alarms: {n} of {len(clean)} networks that have no "
            "ALG. Of the older methods, there:"]
    out += [f"{b} {said[b].count('alg')} of {len(said[b])}, and without a result "
            f"{said[b].count('failed')}" + (";" if b == "ibc" else ".")
            for b in BASELINES]
    return out


def listing(title, lines):
    return ["", f"## {title}", "", *(lines or ["None."])]


def document(rows):
    out = ["# Evaluation", "",
           "Written by `make eval` (bench/eval.py). *Struck*: the router's "
           "own record says that", "the behaviour touched a packet of this "
           "run. *Found*: check named a fault. *One hop*:",
           "it named the right hop and no other; *holds the truth*: the right "
           "hop is among those",
           "that it named. *Classified*: with the right finding. *ibc* and *ipsla*: how often those methods, "
           "written anew from their",
           "published descriptions (bench/baseline_*.py), say ALG of the "
           "same networks.", ""]
    out += table(rows)

    def pick(fn):
        lines = []
        for c, r, j in rows:
            said = ", ".join(sorted(set(r.get("ids", []))))
            if fn(c, j):
                lines.append(f"- {c.name}: "
                             f"{said or r.get('failed') or 'no finding'}")
        return lines

    out += listing("Missed", pick(
        lambda c, j: j.get("struck") and not j["found"]))
    out += listing("Found and wrongly classified", pick(
        lambda c, j: j.get("found") and not j["classified"]))
    ranged = pick(lambda c, j: j.get("ranged") and not j["located"])
    out += listing("Two hops or more, the right one among them",
                   ranged and [*ranged, "", ONE_WAY])
    out += listing("Located wrongly", pick(
        lambda c, j: j.get("found") and j["misplaced"]))
    out += listing("Found and not located", pick(
        lambda c, j: j.get("found") and not j["ranged"]
        and not j["misplaced"]))
    out += listing("False alarms", pick(lambda c, j: j.get("alarm")))
    unasked = pick(lambda c, j: j.get("struck") is False)
    out += listing("Not touched by any message of check",
                   unasked and [*unasked, "", UNASKED])
    return "\n".join(out) + "\n"


def limits(build):
    """What bench_firewall says of sizes and times, in its own words."""
    program = build / "bench/bench_firewall"
    text = "".join(
        subprocess.run([program, *words], capture_output=True, text=True,
                       check=True).stdout
        for words in (("5000",), ("shapes", "5000", "50000"),
                      ("big", "100")))
    return ("\n## The firewall's limits\n\n"
            "Aims: 5000 rules read, judged and written in 50 ms and 50 MB "
            "(51200 KiB) in any dialect; what\ncan never match (dead) of "
            "5000 rules in 1 s and of 50 000 in 30 s, in shapes made to be "
            "hard\n(bench/shapes.c); an end to 100 MB of text. Peaks grow "
            "from line to line of the first two parts,\nwhich are one "
            f"process each.\n\n```\n{text}```\n")


def firewall(build):
    """The same policy through capirca and through us, timed in turn."""
    subprocess.run(["ninja", "-C", str(build), "bench/bench_firewall"],
                   capture_output=True, check=True)
    table_ = subprocess.run(
        ["/usr/bin/python3", BENCH / "beside_capirca.py", build],
        capture_output=True, text=True, check=True).stdout
    return ("\n## The firewall beside capirca\n\n"
            "The same rules, written and searched for what can never match "
            "(bench/beside_capirca.py),\nthree rounds in turn. capirca "
            "compares terms pair by pair, prumo with the union of earlier\n"
            "rules.\n\n" + table_ + limits(build))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("build", type=pathlib.Path)
    p.add_argument("--write", type=pathlib.Path)
    p.add_argument("--json", type=pathlib.Path)
    p.add_argument("--only", default="*")
    args = p.parse_args()
    build = args.build.resolve()
    known = json.loads(subprocess.run(
        [str(build / "lab/tool/prumo-lab-router"), "--list"],
        capture_output=True, text=True, check=True).stdout)
    planned = [c for c in cases(known)
            if fnmatch.fnmatch(f"{c.kind}: {c.name}", args.only)]
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        def put(n):
            return run_set(planned[n], build, pathlib.Path(folder), n)

        # module parameters are the whole machine's: those come alone
        common = [n for n, c in enumerate(planned) if not c.kernel]
        results = dict(zip(common, pool.map(put, common)))
        results.update((n, put(n)) for n, c in enumerate(planned) if c.kernel)
    results = [results[n] for n in range(len(planned))]
    rows = [(c, r, judge(c, r)) for c, r in zip(planned, results)]
    text = document(rows)
    if args.only == "*":
        text += firewall(build)
    if args.write:
        args.write.write_text(text)
    if args.json:
        args.json.write_text(json.dumps(
            [{"kind": c.kind, "name": c.name, **r, **j}
             for c, r, j in rows], indent=1))
    print(text, end="")


if __name__ == "__main__":
    main()
