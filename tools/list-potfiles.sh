#!/bin/sh
# The sources with words for humans, one a line: po/POTFILES.
cd "$(dirname "$0")/.." || exit 1
find src lab -name '*.c' -exec grep -lE '\b(N?_|ngettext)\(' {} + \
	2>/dev/null | LC_ALL=C sort
