#!/bin/sh
# Bring po/ up to date: list the sources, take in and delete po/part-*.po
# (translations that came with a folder), add new sentences, drop old ones.
set -eu
cd "$(dirname "$0")/.."
tools/list-potfiles.sh >po/POTFILES
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
xgettext --files-from=po/POTFILES --from-code=UTF-8 --keyword=_ --keyword=N_ \
	--add-comments=TRANSLATORS --package-name=prumo --omit-header \
	--sort-by-file --output="$tmp/prumo.pot"
sed -i '1i # SPDX-License-Identifier: ISC\
msgid ""\
msgstr ""\
"Content-Type: text/plain; charset=UTF-8\\n"\
' "$tmp/prumo.pot"
set -- po/pt_BR.po
for part in po/part-*.po; do
	[ -e "$part" ] || continue
	# a part may have no header; msgcat needs the charset
	if grep -q '^"Content-Type:' "$part"; then
		cp "$part" "$tmp/$(basename "$part")"
	else
		{
			printf 'msgid ""\nmsgstr ""\n'
			printf '"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
			cat "$part"
		} >"$tmp/$(basename "$part")"
	fi
	set -- "$@" "$tmp/$(basename "$part")"
done
msgcat --use-first --output-file="$tmp/all.po" "$@"
msgmerge --quiet --no-fuzzy-matching --no-location --sort-by-file \
	--output-file="$tmp/new.po" "$tmp/all.po" "$tmp/prumo.pot"
msgattrib --no-obsolete --output-file=po/pt_BR.po "$tmp/new.po"
rm -f po/part-*.po
msgattrib --untranslated --no-location po/pt_BR.po
