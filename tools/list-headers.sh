#!/bin/sh
# The headers of the tree, one a line, as they are included.
cd "$(dirname "$0")/.." || exit 1
find src lab -name '*.h' 2>/dev/null | sed 's|^src/||' | sort
