#!/usr/bin/env python3
"""Hold the documentation against the program and the tree.

Usage: check.py PRUMO SOURCE-ROOT

Every command has a manual page with exactly the options that its --help
shows, in every language; every page is installed; docs/wire.md knows every
message; prumo-scenario(5) knows every word of a router; both READMEs say the
same things, and what their walk through an audit shows is what the program
writes; no link leads nowhere.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

PRUMO = os.path.abspath(sys.argv[1])
ROOT = pathlib.Path(sys.argv[2]).resolve()
bad = []


def text(path):
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except OSError as e:
        bad.append(f"{path}: {e.strerror}")
        return ""


def help_of(*words, language="C"):
    env = dict(os.environ, LC_ALL="C.UTF-8", LANGUAGE=language)
    done = subprocess.run([PRUMO, *words, "--help"], env=env, text=True,
                          capture_output=True, check=False, encoding="utf-8")
    if done.returncode or not done.stdout:
        bad.append(f"prumo {' '.join(words)} --help fails")
    return done.stdout


def options_in_help(shown):
    lines = re.findall(r"^  +-.*$", shown, re.M)
    return {o for line in lines
            for o in re.findall(r"(?<![\w(-])--?[\w][\w-]*", line)}


def options_in_page(page, only_listed):
    page = page.replace("\\\n", "")
    if only_listed:
        page = "\n".join(re.findall(r"^\.It Fl .*$", page, re.M))
    found = set()
    for name in re.findall(r"\bFl (-?[\w][\w-]*)", page):
        # "Fl 46qv" in a synopsis stands for four options
        found |= ({"-" + name} if name.startswith("-")
                  else {"-" + letter for letter in name})
    return found


def check_command(name):
    path = f"man/prumo-{name}.1"
    page = text(path)
    shown = help_of(name)
    want = options_in_help(shown)
    if not want:
        bad.append(f"prumo {name} --help shows no option")
    listed = options_in_page(page, only_listed=True)
    for o in sorted(want - listed):
        bad.append(f"{path}: does not explain {o}")
    for o in sorted(options_in_page(page, only_listed=False) - want):
        bad.append(f"{path}: {o} is not in 'prumo {name} --help'")
    for language in text("po/LINGUAS").split():
        other = help_of(name, language=language)
        if other == shown:
            bad.append(f"prumo {name} --help: not in {language}")
        if options_in_help(other) != want:
            bad.append(f"prumo {name} --help: other options in {language}")


def check_pages():
    commands = re.findall(r"^  ([a-z]+) +\S", help_of(), re.M)
    if not commands:
        bad.append("prumo --help shows no command")
    for name in commands:
        check_command(name)
    overview = text("man/prumo.1")
    installed = text("man/meson.build")
    for page in sorted((ROOT / "man").glob("*.[0-9]")):
        stem = page.stem.removeprefix("prumo").removeprefix("-")
        if page.suffix == ".1" and stem and stem not in commands:
            bad.append(f"man/{page.name}: there is no such command")
        if f"'{page.name}'" not in installed:
            bad.append(f"man/meson.build: does not install {page.name}")
        if stem and f".Xr prumo-{stem} {page.suffix[1:]}" not in overview:
            bad.append(f"man/prumo.1: does not mention {page.stem}")


def check_wire():
    page = text("docs/wire.md")
    n = 0
    for header, kind in (("dgram", "dgram_type"), ("control", "frame_type"),
                         ("place", "transport"), ("place", "role")):
        source = text(f"src/wire/{header}.h")
        body = re.search(r"enum wire_%s \{(.*?)\}" % kind, source, re.S)
        if not body:
            bad.append(f"src/wire/{header}.h: no enum wire_{kind}")
            continue
        for name, value in re.findall(r"WIRE_(\w+) = (\w+)", body[1]):
            n += 1
            name = name.removeprefix("ROLE_")
            if not re.search(rf"^\| `{name}` \| {value} \|", page, re.M):
                bad.append(f"docs/wire.md: no row for {name}, {value}")
    if n == 0:
        bad.append("src/wire: no messages found")


def check_router():
    page = text("man/prumo-scenario.5")
    alg = text("lab/router/alg.c")
    conf = text("lab/router/conf.c")
    rows = re.findall(r'\{"([a-z0-9-]+)",\s*"([A-E]\d+)"', alg)
    keys = re.findall(r'\{"([a-z-]+)", KIND_', conf)
    keys += re.findall(r'name "\.([a-z-]+)"', conf)
    if len(rows) < 50 or len(keys) < 30:
        bad.append("lab/router: no behaviours or no words found")
    for name, row in rows:
        if not re.search(rf"^\.It Cm {name} Ta {row} Ta ", page, re.M):
            bad.append(f"man/prumo-scenario.5: no row for {name}, {row}")
    for name in re.findall(r'^\t\{\s*"([a-z0-9-]+)",\s*"', alg, re.M):
        if not re.search(rf"^\.It Cm {name} Ta ", page, re.M):
            bad.append(f"man/prumo-scenario.5: no persona {name}")
    for key in keys:
        if not re.search(rf"^\.(?:It )?Cm (?:.* )?{key}(?:\s|$)", page, re.M):
            bad.append(f"man/prumo-scenario.5: does not explain {key}")


def prose(page):
    """Without blocks of code, in which # is no heading."""
    return re.sub(r"^```.*?^```", "", page, flags=re.M | re.S)


def check_readmes():
    shapes = []
    for path in ("README.md", "LEIA-ME.md"):
        page = text(path)
        for word in ("make demo", "make test"):
            if word not in page:
                bad.append(f"{path}: does not mention '{word}'")
        shapes.append((
            [len(h) for h in re.findall(r"^(#+) ", prose(page), re.M)],
            len(re.findall(r"^```", page, re.M)),
            len(re.findall(r"^\|", page, re.M))))
    if shapes[0] != shapes[1]:
        bad.append("README.md and LEIA-ME.md differ in headings, blocks or "
                   f"rows of tables: {shapes[0]}, {shapes[1]}")


def audit_of(config, language):
    """What a terminal shows: standard error first, since it is not held."""
    env = dict(os.environ, LC_ALL="C.UTF-8", LANGUAGE=language,
               PRUMO_PROFILES=str(ROOT / "profiles"))
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "fortigate.conf")
        path.write_text(config, encoding="utf-8")
        done = subprocess.run([PRUMO, "audit", path.name], cwd=folder,
                              env=env, text=True, capture_output=True,
                              check=False, encoding="utf-8")
    return done.stderr + done.stdout


def check_walk(path, language):
    found = re.search(r"^\$ cat fortigate.conf\n(.*?)"
                      r"^\$ prumo audit fortigate.conf\n(.*?)^```$",
                      text(path), re.M | re.S)
    if not found:
        bad.append(f"{path}: no walk through an audit")
        return
    shown = audit_of(found[1], language)
    at = 0
    for part in found[2].split("[...]\n"):
        at = shown.find(part, at)
        if at < 0:
            bad.append(f"{path}: the audit does not say:\n{part}")
            return
        at += len(part)


def anchors(page):
    found = set()
    for heading in re.findall(r"^#+ (.*)$", prose(page), re.M):
        plain = re.sub(r"[^\w\s-]", "", heading.lower())
        found.add(plain.strip().replace(" ", "-"))
    return found


def check_links():
    n = 0
    for page in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]):
        name = page.relative_to(ROOT)
        body = prose(page.read_text(encoding="utf-8"))
        for link in re.findall(r"\]\(([^)\s]+)\)", body):
            if re.match(r"[a-z]+:", link):
                continue
            n += 1
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            if not target.exists():
                bad.append(f"{name}: {link} leads nowhere")
            elif anchor and anchor not in anchors(
                    target.read_text(encoding="utf-8")):
                bad.append(f"{name}: {link}: no such heading")
    if n == 0:
        bad.append("no links found")


check_pages()
check_wire()
check_router()
check_readmes()
check_walk("README.md", "C")
check_walk("LEIA-ME.md", "pt_BR")
check_links()
print("\n".join(bad) or "docs: as the program says")
sys.exit(bool(bad))
