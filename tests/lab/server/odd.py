"""Servers that are odd, each on a port of its own; say ready when all are.

TCP 7001 accepts and is silent, 7002 speaks SSH, 7003 closes, 7004 resets at
the first byte. UDP 7011 answers nonsense, 7012 answers SIP to the fourth
datagram only, 7013 is a TURN server of RFC 8489 that knows SHA-256 and
relays to nobody, 7014 a time server an hour ahead, 7015 one that is tired.
"""
import hashlib
import hmac

import socket
import struct
import threading
import time

HERE = "198.51.100.10"
COOKIE = 0x2112A442
NONCE = b"obMatJos2gAAA" + b"0123456789"
ALGORITHMS = struct.pack(">HHHH", 1, 0, 2, 0)
KEY = hashlib.sha256(b"alice:example.com:secret").digest()


def silent(conn):
    time.sleep(30)
    conn.close()


def ssh(conn):
    conn.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
    conn.recv(1024)
    time.sleep(0.2)
    conn.close()


def close(conn):
    conn.close()


def reset(conn):
    conn.recv(1)
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    conn.close()


def tcp(port, talk):
    s = socket.create_server((HERE, port))

    def run():
        while True:
            threading.Thread(target=talk, args=(s.accept()[0],),
                             daemon=True).start()
    threading.Thread(target=run, daemon=True).start()


def udp(port, answer):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((HERE, port))

    def run():
        while True:
            data, peer = s.recvfrom(65535)
            said = answer(data, peer)
            if said:
                s.sendto(said, peer)
    threading.Thread(target=run, daemon=True).start()


def late(data, _, seen={}):
    """The same request, word for word, or it does not count."""
    seen[data] = seen.get(data, 0) + 1
    if seen[data] < 4:
        return None
    keep = [line for line in data.decode().split("\r\n")
            if line.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
    return "\r\n".join(["SIP/2.0 503 Too Late", *keep, "Content-Length: 0",
                        "", ""]).encode()


def attribute(kind, value):
    return struct.pack(">HH", kind, len(value)) + value + \
        b"\0" * (-len(value) % 4)


def message(kind, tid, body):
    return struct.pack(">HHI", kind, len(body), COOKIE) + tid + body


def sealed(kind, tid, body):
    """With MESSAGE-INTEGRITY-SHA256, by a hand that is not ours."""
    head = struct.pack(">HHI", kind, len(body) + 36, COOKIE) + tid
    mac = hmac.new(KEY, head + body, hashlib.sha256).digest()
    return head + body + attribute(0x1C, mac)


def is_sealed(data):
    """Does it hold, and were the algorithms sent back as they were?"""
    at = 20
    found = {}
    while at < len(data):
        kind, n = struct.unpack_from(">HH", data, at)
        found[kind] = (at, data[at + 4:at + 4 + n])
        at += 4 + n + -n % 4
    if 0x1C not in found or 8 in found:
        return False
    at, mac = found[0x1C]
    head = data[:2] + struct.pack(">H", at + 36 - 20) + data[4:at]
    return found[0x8002][1] == ALGORITHMS and \
        found[0x1D][1] == struct.pack(">HH", 2, 0) and \
        found[0x06][1] == b"alice" and \
        hmac.compare_digest(mac, hmac.new(KEY, head,
                                          hashlib.sha256).digest())


def turn(data, _):
    kind, = struct.unpack_from(">H", data)
    tid = data[8:20]
    if not is_sealed(data):
        return message(kind | 0x110, tid, attribute(9, b"\0\0\4\1") +
                       attribute(0x14, b"example.com") +
                       attribute(0x15, NONCE) +
                       attribute(0x8002, ALGORITHMS))
    if kind == 8:  # CreatePermission
        return sealed(0x118, tid, attribute(9, b"\0\0\4\3Forbidden"))
    relayed = struct.pack(">BBH4s", 0, 1, 50000 ^ COOKIE >> 16, bytes(
        a ^ b for a, b in zip(socket.inet_aton(HERE),
                              struct.pack(">I", COOKIE))))
    return sealed(kind | 0x100, tid, attribute(0x16, relayed) +
                  attribute(0x0D, struct.pack(">I", 600)))


def stamp(seconds):
    return struct.pack(">Q", int((seconds + 2208988800) * 2 ** 32))


def hour_ahead(data, _):
    now = stamp(time.time() + 3600)
    return bytes([0x24, 2, 6, 0xEC]) + bytes(12) + now + data[40:48] + \
        now + now


def tired(data, _):
    return bytes([0xE4, 0, 6, 0xEC]) + bytes(8) + b"RATE" + bytes(8) + \
        data[40:48] + bytes(16)


for p, f in {7001: silent, 7002: ssh, 7003: close, 7004: reset}.items():
    tcp(p, f)
for p, f in {7011: lambda *_: b"nonsense", 7012: late, 7013: turn,
             7014: hour_ahead, 7015: tired}.items():
    udp(p, f)
print("ready", flush=True)
threading.Event().wait()
