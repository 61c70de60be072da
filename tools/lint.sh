#!/bin/sh
# Format, static analysis, manual pages. One argument runs one of them.
set -eu
cd "$(dirname "$0")/.."

sources() {
	git ls-files '*.c' '*.h'
}

format() {
	sources | xargs clang-format --dry-run --Werror
}

# Real flags come from the compile commands of a clang build.
clang_tidy() {
	[ -f build-tidy/build.ninja ] ||
		CC=clang meson setup build-tidy >/dev/null
	ninja -C build-tidy -t compdb >/dev/null
	git ls-files 'src/*.c' 'lab/*.c' |
		xargs -P "$(nproc)" -n 3 \
			clang-tidy --quiet -p build-tidy "$@" 2>/dev/null
}

tidy() {
	clang_tidy --checks='-clang-analyzer-*'
}

# Follows every path through the code: minutes.
analyze() {
	clang_tidy
}

check() {
	cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 \
		--enable=warning,performance,portability \
		--suppress=missingIncludeSystem --suppress=varFuncNullUB \
		-Isrc -I. -j 2 src lab
}

manual() {
	mandoc -Tlint -Wwarning man/*.[15]
}

for job in ${1:-format analyze check manual}; do
	"$job" || { echo "lint: $job failed" >&2; exit 1; }
done
