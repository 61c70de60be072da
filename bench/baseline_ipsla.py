#!/usr/bin/python3
"""The method of sippulse's ipsla (2019), as a baseline for make eval.

    bench/baseline_ipsla.py server ADDRESS
    bench/baseline_ipsla.py client ADDRESS

An INVITE over UDP carries the MD5 of the phone's own address in X-ALG-PREIP.
The far end compares it with the MD5 of the host in Contact, in SDP c= and in
Via, and answers with a sum: 1, 2 and 4 for each that differs. The client
prints "clean", "alg" or "failed" (no answer within 5 s). Written from the
published description of the method, not from its code.
"""
import hashlib
import re
import socket
import sys

PORT = 5060
WAIT_S = 5
RECV_BYTES = 65535
HOSTS = (r"^Contact:.*@([0-9.]+)", r"^c=IN IP4 ([0-9.]+)",
         r"^Via: SIP/2.0/UDP ([0-9.]+)")


def md5(host):
    return hashlib.md5(host.encode(), usedforsecurity=False).hexdigest()


def judge(text):
    said = re.search(r"^X-ALG-PREIP:\s*(\w+)", text, re.M)
    mask = 0
    for bit, pattern in enumerate(HOSTS):
        host = re.search(pattern, text, re.M | re.I)
        if not (said and host and md5(host.group(1)) == said.group(1)):
            mask |= 1 << bit
    return mask


def serve(address):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, PORT))
    print("ready", flush=True)
    while True:
        data, peer = s.recvfrom(RECV_BYTES)
        text = data.decode("latin-1")
        if not text.startswith("INVITE "):
            continue
        lines = ["SIP/2.0 480 Tested"]
        for name in ("Via", "From", "To", "Call-ID", "CSeq"):
            found = re.search(rf"^{name}:.*?\r?$", text, re.M | re.I)
            lines.append(found.group(0).rstrip() if found else f"{name}:")
        lines += [f"X-ALG-MASK: {judge(text)}", "Content-Length: 0", "", ""]
        s.sendto("\r\n".join(lines).encode("latin-1"), peer)


def ask(address):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect((address, PORT))
    host = s.getsockname()[0]
    s.close()
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((host, PORT))
    s.settimeout(WAIT_S)
    body = (f"v=0\r\no=sla 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\n"
            "t=0 0\r\nm=audio 10000 RTP/AVP 0\r\n")
    text = (f"INVITE sip:sla@{address} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {host}:{PORT};rport;branch=z9hG4bKsla\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:sla@{host}:{PORT}>;tag=sla\r\n"
            f"To: <sip:sla@{address}>\r\nCall-ID: sla\r\nCSeq: 1 INVITE\r\n"
            f"Contact: <sip:sla@{host}:{PORT}>\r\n"
            f"X-ALG-PREIP: {md5(host)}\r\n"
            f"Content-Type: application/sdp\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}")
    s.sendto(text.encode(), (address, PORT))
    try:
        answer = s.recv(RECV_BYTES).decode("latin-1")
    except socket.timeout:
        return "failed"
    found = re.search(r"^X-ALG-MASK:\s*(\d+)", answer, re.M)
    if not found:
        return "failed"
    return "alg" if int(found.group(1)) else "clean"


if __name__ == "__main__":
    if sys.argv[1] == "server":
        serve(sys.argv[2])
    print(ask(sys.argv[2]))
