# A thin front: Meson builds, tools/ does the rest. Each target installs what
# it lacks with apt, and says so first (tools/need.sh).

BUILD  ?= build
PREFIX ?= /usr/local

.PHONY: all build demo test lint bench blocked eval install clean

all: build

build:
	@tools/need.sh build
	@test -f $(BUILD)/build.ninja || \
		meson setup $(BUILD) --prefix=$(PREFIX) -Dtests=false -Dfuzz=off
	@ninja -C $(BUILD)
	@echo "$(BUILD)/prumo is ready."

# The demonstration succeeds when it has found the ALG that it set up, which
# prumo itself reports with status 2: that network is not ready.
demo: build
	@tools/need.sh demo
	@$(BUILD)/prumo demo; status=$$?; \
	if [ $$status -eq 2 ]; then exit 0; fi; \
	echo "make demo: expected status 2 of 'prumo demo', got $$status" >&2; \
	exit 1

test:
	@tools/need.sh build demo test lint
	@tools/run-tests.py

lint:
	@tools/need.sh build lint
	@tools/lint.sh

bench: build
	@tools/need.sh demo bench
	@bench/check.py $(BUILD)/prumo
	@ninja -C $(BUILD) bench/bench_firewall
	@$(BUILD)/bench/bench_firewall 5000 50000
	@$(BUILD)/bench/bench_firewall shapes 5000 50000
	@$(BUILD)/bench/bench_firewall big 100
	@bench/beside_capirca.py $(BUILD)
	@ninja -C $(BUILD) bench/bench_forward bench/bench_sweep bench/bench_range
	@status=0; \
	bench/forward.py $(BUILD) || status=1; \
	bench/sweep.py $(BUILD) || status=1; \
	bench/reach.py $(BUILD) || status=1; \
	bench/table.py $(BUILD) || status=1; \
	bench/range.py $(BUILD)/prumo $(BUILD)/bench/bench_range || status=1; \
	exit $$status

# Some minutes, mostly of waiting.
eval: build
	@tools/need.sh demo bench
	@bench/eval.py $(BUILD) --write docs/evaluation.md

# Some minutes as well.
blocked: build
	@tools/need.sh demo bench
	@bench/blocked.py $(BUILD) --write docs/blocked.md

install: build
	meson install -C $(BUILD)

clean:
	rm -rf build build-*
