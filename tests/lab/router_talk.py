"""router_talk.py server|client: both say what tests/lab/router_texts.py holds.

The client prints, for each text, what the server got and what it got back,
in hexadecimal; a dash for silence.
"""
import socket
import sys

import router_texts

SERVER, CLIENT = "198.51.100.10", "192.0.2.33"


def server():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((SERVER, 5060))
    turn = {}
    print("ready", flush=True)
    while True:
        data, peer = s.recvfrom(65535)
        if b"X-N: " not in data:
            continue  # the lab, asking whether the ALG is there
        number = int(data.split(b"X-N: ")[1].split(b"\r\n")[0])
        if number in turn:
            continue
        turn[number] = True
        here = f"{peer[0]}:{peer[1]}"
        answer = router_texts.back(number, here)
        # In hexadecimal, which no ALG reads; then the answer.
        s.sendto(b"got " + data.hex().encode(), peer)
        if answer:
            s.sendto(answer, peer)


def client():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((CLIENT, 5060))
    s.settimeout(0.4)
    for number in range(len(router_texts.OUT)):
        s.sendto(router_texts.out(number), (SERVER, 5060))
        for _ in range(2 if router_texts.back(number, "") else 1):
            try:
                print(number, s.recv(65535).hex())
            except TimeoutError:
                print(number, "-")
                break


{"server": server, "client": client}[sys.argv[1]]()
