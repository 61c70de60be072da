"""ask.py SOURCE_PORT LISTEN_S PORT:HEX...: send, and print the answers.

With LISTEN_S, wait that long at the end for an unasked datagram to port
46000 and print it, or a dash.
"""
import os
import socket
import sys

family = socket.AF_INET6 if "ASK_IP6" in os.environ else socket.AF_INET
server = "2001:db8:ffff::10" if family == socket.AF_INET6 else "198.51.100.10"
media = socket.socket(family, socket.SOCK_DGRAM)
media.bind(("", 46000))
media.settimeout(float(sys.argv[2]) or 1)
s = socket.socket(family, socket.SOCK_DGRAM)
s.bind(("", int(sys.argv[1])))
s.settimeout(1)


def show(sock):
    try:
        print(sock.recv(65535).decode())
    except TimeoutError:
        print("-")


for word in sys.argv[3:]:
    port, data = word.split(":")
    s.sendto(bytes.fromhex(data), (server, int(port)))
    show(s)
if float(sys.argv[2]):
    try:
        data, peer = media.recvfrom(65535)
        print(f"{peer[0]}|{peer[1]} {data.hex()}")
    except TimeoutError:
        print("-")
