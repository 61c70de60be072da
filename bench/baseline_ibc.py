#!/usr/bin/python3
"""The method of ibc's sip-alg-detector (2009), as a baseline for make eval.

    bench/baseline_ibc.py server ADDRESS
    bench/baseline_ibc.py client ADDRESS

One INVITE over UDP to port 5060, sent once. The far end returns the request
line and headers in base64 in a 180, and the body likewise in a 500; the
client compares line by line. The client prints "clean", "alg" or "failed"
(no answer within 5 s). Written from the published description of the method
(README of the project), not from its code.
"""
import base64
import re
import socket
import sys

PORT = 5060
WAIT_S = 5
RECV_BYTES = 65535


def header(message, name):
    found = re.search(rf"^{name}:[ \t]*(.*?)\r?$", message, re.M | re.I)
    return found.group(1) if found else ""


def answer(request, status, body):
    lines = [f"SIP/2.0 {status}"]
    lines += [f"{name}: {header(request, name)}" for name in
              ("Via", "From", "To", "Call-ID", "CSeq")]
    lines += [f"Content-Length: {len(body)}", "", body]
    return "\r\n".join(lines).encode()


def serve(address):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, PORT))
    print("ready", flush=True)
    while True:
        data, peer = s.recvfrom(RECV_BYTES)
        text = data.decode("latin-1")
        if not text.startswith("INVITE "):
            continue
        head, _, body = text.partition("\r\n\r\n")
        for status, part in (("180 Ringing", head),
                             ("500 Mirrored", body)):
            mirror = base64.b64encode(part.encode("latin-1")).decode()
            s.sendto(answer(text, status, mirror), peer)


def invite(local, to):
    body = "\r\n".join([
        "v=0", f"o=probe 1 1 IN IP4 {local[0]}", "s=-",
        f"c=IN IP4 {local[0]}", "t=0 0", "m=audio 4730 RTP/AVP 8",
        "a=rtpmap:8 PCMA/8000", ""])
    head = "\r\n".join([
        f"INVITE sip:probe@{to} SIP/2.0",
        f"Via: SIP/2.0/UDP {local[0]}:{local[1]};rport;branch=z9hG4bKibc",
        "Max-Forwards: 70", f"To: <sip:probe@{to}>",
        f"From: <sip:probe@{local[0]}:{local[1]}>;tag=ibc",
        f"Call-ID: ibc@{local[0]}", "CSeq: 1 INVITE",
        f"Contact: <sip:probe@{local[0]}:{local[1]}>",
        "Content-Type: application/sdp", f"Content-Length: {len(body)}"])
    return head, body


def ask(address):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect((address, PORT))
    host = s.getsockname()[0]
    s.close()
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((host, PORT))
    s.settimeout(WAIT_S)
    head, body = invite((host, PORT), address)
    s.sendto(f"{head}\r\n\r\n{body}".encode(), (address, PORT))
    mirrored = {}
    try:
        while len(mirrored) < 2:
            text = s.recv(RECV_BYTES).decode("latin-1")
            status = text[8:11]
            part = text.partition("\r\n\r\n")[2]
            mirrored[status] = base64.b64decode(part).decode("latin-1")
    except (socket.timeout, ValueError):
        return "failed"
    is_same = (mirrored.get("180", "").splitlines() == head.splitlines()
               and mirrored.get("500", "").splitlines() == body.splitlines())
    return "clean" if is_same else "alg"


if __name__ == "__main__":
    if sys.argv[1] == "server":
        serve(sys.argv[2])
    print(ask(sys.argv[2]))
