"""cut_talk.py server | client: large datagrams over IPv6, both ways whole.

The client prints what came back; the server sends back what it got. Both
kernels cut and put together.
"""
import socket
import sys

SERVER = "2001:db8:ffff::10"
HEAD = (b"OPTIONS sip:%s SIP/2.0\r\nMax-Forwards: 70\r\nCSeq: 1 OPTIONS\r\n"
        b"Content-Length: 0\r\nSubject: " % SERVER.encode())
TRIES = 3


def message(size):
    """Of that size; no part of it looks like another."""
    text = b" ".join(b"%d" % i for i in range(size))
    return HEAD + text[:size - len(HEAD) - 4] + b"\r\n\r\n"


def server(sock):
    sock.bind(("::", 5060))
    print("ready", flush=True)
    while True:
        data, peer = sock.recvfrom(65535)
        sock.sendto(data, peer)


def answer_of(sock, size):
    """The answer of that size: paths may say the one before it again."""
    for _ in range(TRIES):  # the first may only learn how much fits
        sock.sendto(message(size), (SERVER, 5060))
        try:
            while True:
                answer = sock.recv(65535)
                if len(answer) == size:
                    return answer
        except TimeoutError:
            pass
    return b""


def client(sock):
    sock.bind(("::", 5060))
    sock.settimeout(1)
    for size in map(int, sys.argv[2:]):
        print(answer_of(sock, size).hex() or "-")


if __name__ == "__main__":
    udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    {"server": server, "client": client}[sys.argv[1]](udp)
