#!/usr/bin/env python3
"""Fail unless every sentence in the sources is translated in every po/*.po.

A folder's po/part-*.po, which waits for tools/merge-po.sh, counts as well.
"""
import pathlib, re, subprocess, sys, tempfile

root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
po = root / "po"
bad = []


def run(*args):
    done = subprocess.run([str(a) for a in args], cwd=root, text=True,
                          capture_output=True, encoding="utf-8")
    if done.returncode:
        bad.append(done.stderr.strip() or f"{args[0]} failed")
    return done.stdout


def entries(text):
    """(msgid, [msgstr...], flags) of a catalogue without line breaks."""
    for block in text.split("\n\n"):
        ids = re.findall(r'^msgid "(.*)"$', block, re.M)
        strs = re.findall(r'^msgstr(?:\[\d\])? "(.*)"$', block, re.M)
        if ids and ids[0] and "\n#~" not in "\n" + block:
            yield ids[0], strs, re.findall(r"^#, (.*)$", block, re.M)


def positions(text):
    return set(re.findall(r"%\d\$s", text))


sources = run("tools/list-potfiles.sh").split()
listed = (po / "POTFILES").read_text().split()
if sources != listed:
    bad.append("po/POTFILES is not what tools/list-potfiles.sh says: run "
               "tools/merge-po.sh")
header = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
with tempfile.TemporaryDirectory() as tmp:
    tmp = pathlib.Path(tmp)
    run("xgettext", "--from-code=UTF-8", "--keyword=_", "--keyword=N_",
        "--no-wrap", "-o", tmp / "all.pot", *sources)
    parts = []
    for part in sorted(po.glob("part-*.po")):
        text = part.read_text(encoding="utf-8")
        copy = tmp / part.name
        copy.write_text(text if "Content-Type:" in text else header + text,
                        encoding="utf-8")
        parts.append(copy)
    for lang in (po / "LINGUAS").read_text().split():
        run("msgcat", "--use-first", "-o", tmp / "lang.po", po / f"{lang}.po",
            *parts)
        run("msgfmt", "-c", "-o", tmp / "lang.mo", tmp / "lang.po")
        merged = run("msgmerge", "--quiet", "--no-fuzzy-matching", "--no-wrap",
                     "-o", "-", tmp / "lang.po", tmp / "all.pot")
        n = 0
        for msgid, strs, flags in entries(merged):
            n += 1
            if any("fuzzy" in f for f in flags):
                bad.append(f"{lang}: fuzzy: {msgid}")
            if not strs or not all(strs):
                bad.append(f"{lang}: not translated: {msgid}")
            elif any(positions(s) != positions(msgid) for s in strs):
                bad.append(f"{lang}: other arguments: {msgid}")
        if n == 0:
            bad.append(f"{lang}: no sentences found")
print("\n".join(bad) or f"po: {len(sources)} sources, all translated")
sys.exit(bool(bad))
