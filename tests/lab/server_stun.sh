#!/bin/sh
# coturn, for RFC 5780: two addresses, two ports, UDP alone. Its log is our
# stdout, where "ready" comes once it answers.
dir=$(mktemp -d)
trap 'kill $! 2>/dev/null; rm -rf "$dir"' EXIT
trap 'exit 0' TERM INT
turnserver -n --no-cli --stun-only --no-tls --no-dtls --no-tcp \
	-L 198.51.100.10 -L 198.51.100.20 --log-file stdout --simple-log \
	--pidfile "$dir/pid" >"$dir/log" 2>&1 &
for _ in 1 2 3 4 5 6 7 8 9; do
	timeout 1 turnutils_stunclient 198.51.100.10 >/dev/null 2>&1 && {
		echo ready
		wait $!
		exit
	}
	sleep 0.1
done
cat "$dir/log" >&2
exit 1
