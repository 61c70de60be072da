"""A server that tells what it got, in hexadecimal, which no ALG reads."""
import select
import socket

socks = []
for port in (5060, 5062):
    for family, address in ((socket.AF_INET, "0.0.0.0"),
                            (socket.AF_INET6, "::")):
        s = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.bind((address, port))
        socks.append(s)
print("ready", flush=True)
while True:
    for s in select.select(socks, [], [])[0]:
        data, peer = s.recvfrom(65535)
        if data.strip():
            s.sendto(f"{peer[0]}|{peer[1]} {data.hex()}".encode(), peer)
        if b"call me back" in data:
            # From where nobody asked: only a pinhole lets it through.
            other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            other.bind(("198.51.100.10", 5999))
            other.sendto(b"unasked", (peer[0], 46000))
