"""storm.py SECONDS SEED: throw rubbish at every port of the edge.

Prints what was sent to how many datagrams and connections. Real messages,
bent in every way that a seed can think of, from many source ports, beside
plain noise; RFC 4475's kinds of torture among them.
"""
import random
import socket
import sys
import time

EDGE = "198.51.100.10"
UDP_PORTS = (5060, 5080, 3478, 10443)
TCP_PORTS = (5060, 5080, 5061, 3478, 10443)

HEAD = (b"OPTIONS sip:user@198.51.100.10 SIP/2.0\r\n"
        b"Via: SIP/2.0/UDP 192.0.2.33:5060;branch=z9hG4bKstorm\r\n"
        b"Max-Forwards: 70\r\nFrom: <sip:a@192.0.2.33>;tag=1\r\n"
        b"To: <sip:b@198.51.100.10>\r\nCall-ID: storm@192.0.2.33\r\n"
        b"CSeq: 1 OPTIONS\r\n")
TORTURE = (
    HEAD + b"Content-Length: 0\r\n\r\n",
    HEAD + b"Content-Length: 4294967296\r\n\r\n",
    HEAD + b"Content-Length: -1\r\n\r\n",
    HEAD + b"Content-Length: 99\r\n\r\nshort",
    HEAD + b"l: 0\r\nContent-Length: 5\r\n\r\nhello",
    HEAD.replace(b"OPTIONS", b"!interesting-Method0123456789_*+`.%indeed'~"),
    HEAD.replace(b"70", b"-300"),
    HEAD.replace(b"CSeq: 1", b"CSeq: 36893488147419103232"),
    HEAD.replace(b"SIP/2.0\r\n", b"SIP/7.0\r\n", 1) + b"\r\n",
    HEAD.replace(b"sip:user", b"soap.beep://192.0.2.103:3002/user"),
    HEAD.replace(b"\r\n", b"\n") + b"\n",
    HEAD.replace(b"Via:", b"v\r\n :\t\r\n ") + b"\r\n",
    HEAD + b"Subject: " + bytes(range(1, 256)).replace(b"\n", b"") +
    b"\r\n\r\n",
    HEAD + b"X: " + b"a" * 1200 + b"\r\n\r\n",
    HEAD + b"Via: SIP/2.0/UDP 192.0.2.33\r\n" * 30 + b"\r\n",
    HEAD.replace(b"OPTIONS", b"REGISTER") + b"Contact: *\r\n"
    b"Expires: 999999999999\r\n\r\n",
    HEAD.replace(b"OPTIONS", b"INVITE") + b"Content-Type: application/sdp"
    b"\r\nContent-Length: 30\r\n\r\nv=0\r\no=- 1 1 IN IP4 1\r\nc=\r\n\r\n\0",
    HEAD.replace(b"OPTIONS", b"ACK") + b"\r\n",
    HEAD.replace(b"OPTIONS", b"CANCEL") + b"\r\n",
    b"SIP/2.0 200 OK\r\n" + HEAD.split(b"\r\n", 1)[1] + b"\r\n",
    b"SIP/2.0 4294967301 better not break the receiver\r\n\r\n",
    b"\r\n\r\n", b"\r\n", b"\0", b"",
    bytes.fromhex("000100002112a442") + b"t" * 12,
    bytes.fromhex("0001fffc2112a442") + b"t" * 12,
    bytes.fromhex("000100082112a442") + b"t" * 12 + b"\x00\x06\xff\xff1234",
    bytes.fromhex("010100002112a442") + b"t" * 12,
)


def bend(rnd, data):
    """The same with some bytes lost, doubled, changed or swapped."""
    data = bytearray(data)
    for _ in range(rnd.randrange(1, 8)):
        at = rnd.randrange(len(data) + 1)
        kind = rnd.randrange(5)
        if kind == 0:
            data[at:at + rnd.randrange(1, 40)] = b""
        elif kind == 1:
            data[at:at] = data[at:at + rnd.randrange(1, 60)]
        elif kind == 2 and at < len(data):
            data[at] = rnd.randrange(256)
        elif kind == 3:
            data[at:at] = rnd.choice((b"\r\n", b"\0", b"%", b";", b"\xff",
                                      b"[", b"\"", b"<sip:"))
        else:
            del data[at:]
    return bytes(data[:1400])


def one(rnd):
    kind = rnd.randrange(4)
    if kind == 0:
        return rnd.choice(TORTURE)[:1400]
    if kind == 1:
        return rnd.randbytes(rnd.randrange(0, 600))
    return bend(rnd, rnd.choice(TORTURE))


def connect(rnd):
    s = socket.socket()
    s.settimeout(0.3)
    try:
        s.connect((EDGE, rnd.choice(TCP_PORTS)))
        for _ in range(rnd.randrange(4)):
            s.sendall(one(rnd))
        if rnd.randrange(2):
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1" + 7 *
                         b"\0")  # leaves by a reset
    except OSError:
        pass
    s.close()


def main():
    rnd = random.Random(int(sys.argv[2]))
    socks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
             for _ in range(8)]
    datagrams = connections = 0
    end = time.monotonic() + float(sys.argv[1])
    while time.monotonic() < end:
        for _ in range(40):
            rnd.choice(socks).sendto(one(rnd), (EDGE, rnd.choice(UDP_PORTS)))
            datagrams += 1
        connect(rnd)
        connections += 1
        time.sleep(0.002)  # a third of a small machine is storm enough
    print(datagrams, connections)


main()
