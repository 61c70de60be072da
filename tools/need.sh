#!/bin/sh
# Install the Debian packages that the named jobs need and that are not there.
# Usage: tools/need.sh JOB...   (build, demo, test, lint, bench)
set -eu

packages() {
	case $1 in
	build) echo gcc libc6-dev make meson ninja-build pkg-config gettext \
		libre-dev libcyaml-dev libyaml-dev libssl-dev libexpat1-dev \
		libbpf-dev libnftables-dev ;;
	demo) echo iproute2 nftables conntrack ;;
	test) echo clang libclang-rt-14-dev libcmocka-dev python3 python3-yaml \
		python3-jsonschema nginx-light libnginx-mod-stream \
		dnsmasq-base openssl \
		kamailio kamailio-tls-modules sip-tester \
		sipsak tshark util-linux iptables coturn stun-client \
		kamailio-websocket-modules prosody \
		iproute2 nftables curl nmap ;;
	lint) echo clang clang-format clang-tidy cppcheck mandoc python3 ;;
	bench) echo python3 python3-yaml python3-jsonschema tshark \
		python3-capirca nmap iproute2 util-linux ;;
	*) echo "tools/need.sh: unknown job '$1'" >&2; exit 64 ;;
	esac
}

missing=
for job in "$@"; do
	for p in $(packages "$job"); do
		case " $missing " in *" $p "*) continue ;; esac
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null |
			grep -q '^install ok installed$' || missing="$missing $p"
	done
done
[ -n "$missing" ] || exit 0

sudo=
[ "$(id -u)" -eq 0 ] || sudo=sudo
echo "Installing from Debian:$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
$sudo apt-get install -y -q --no-install-recommends $missing >/dev/null 2>&1 || {
	$sudo apt-get update -q
	$sudo apt-get install -y -q --no-install-recommends $missing
}
