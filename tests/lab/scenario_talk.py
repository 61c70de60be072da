"""scenario_talk.py WORDS...: ask servers from within a scenario.

Each question is a word and what belongs to it; a line is printed for each.
"""
import base64
import os
import re
import socket
import ssl
import struct
import subprocess
import sys
import time

SERVER = "198.51.100.10"
words = sys.argv[1:]


def take():
    return words.pop(0)


def options(transport, me):
    me = (f"[{me[0]}]" if ":" in me[0] else me[0], me[1])
    return (f"OPTIONS sip:talk@{SERVER} SIP/2.0\r\n"
            f"Via: SIP/2.0/{transport.upper()} {me[0]}:{me[1]};rport;"
            f"branch=z9hG4bK{os.getpid()}\r\nMax-Forwards: 70\r\n"
            f"From: <sip:talk@{SERVER}>;tag=1\r\nTo: <sip:talk@{SERVER}>\r\n"
            f"Call-ID: {os.getpid()}\r\nCSeq: 1 OPTIONS\r\n"
            "Content-Length: 0\r\n\r\n").encode()


def udp_ask(host, port, data, source=0, tries=3):
    """data: bytes, or made from the address of the socket."""
    info = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(info[0], socket.SOCK_DGRAM) as s:
        s.settimeout(0.7)
        s.bind(("", source))
        s.connect(info[4])
        for _ in range(tries):
            s.send(data(s.getsockname()) if callable(data) else data)
            try:
                return s.recv(65535)
            except (TimeoutError, OSError):
                continue
    return None


def tls(s, host):
    return ssl.create_default_context().wrap_socket(s, server_hostname=host)


def sip_options(me):
    return options("udp", me)


def ask_udp():
    port = int(take())
    answer = udp_ask(SERVER, port, sip_options, source=5060)
    print(f"udp/{port}", "ok" if answer else "-")


def ask_tcp():
    port = int(take())
    try:
        socket.create_connection((SERVER, port), 2).close()
        print(f"tcp/{port}", "ok")
    except OSError:
        print(f"tcp/{port}", "-")


def ask_sip():
    transport, host, port = take(), take(), int(take())
    if transport == "udp":
        answer = udp_ask(host, port, sip_options)
    else:
        s = socket.create_connection((host, port), 5)
        s = tls(s, host) if transport == "tls" else s
        s.sendall(options(transport, s.getsockname()))
        answer = s.recv(65535)
    print(answer.split()[1].decode())


def http(s, text):
    s.sendall(text.replace("\n", "\r\n").encode())
    data = b""
    while b"\r\n\r\n" not in data:
        more = s.recv(65535)
        if not more:
            break
        data += more
    return data


def ask_ws():
    host, port = take(), int(take())
    path, name = ("/", "sip") if port == 8088 else ("/xmpp-websocket", "xmpp")
    key = base64.b64encode(b"sixteen bytes ok").decode()
    answer = http(socket.create_connection((host, port), 5), (
        f"GET {path} HTTP/1.1\nHost: {host}\nUpgrade: websocket\n"
        f"Connection: Upgrade\nSec-WebSocket-Key: {key}\n"
        f"Sec-WebSocket-Version: 13\nSec-WebSocket-Protocol: {name}\n\n"))
    print(answer.split()[1].decode())


def ask_bosh():
    host, port = take(), int(take())
    answer = http(socket.create_connection((host, port), 5),
                  f"GET /http-bind HTTP/1.1\nHost: {host}\n"
                  "Connection: close\n\n")
    print(answer.split()[1].decode())


def ask_xmpp():
    """STARTTLS, with the certificate verified."""
    host, port = take(), int(take())
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"{host}:{port}", "-starttls",
         "xmpp", "-xmpphost", host, "-verify_return_error",
         "-verify_hostname", host], input="", capture_output=True, text=True,
        check=False, timeout=20)
    print("tls" if "Verify return code: 0 (ok)" in done.stdout else
          done.stdout + done.stderr)


def ask_web():
    host = take()
    s = tls(socket.create_connection((host, 443), 5), host)
    answer = http(s, f"GET / HTTP/1.1\nHost: {host}\nConnection: close\n\n")
    body = answer.split(b"\r\n\r\n")[1] or s.recv(65535)
    print(body.decode().strip())


def ask_stun():
    """The address that the server sees."""
    host, port = take(), int(take())
    answer = udp_ask(host, port, struct.pack(
        ">HHI", 1, 0, 0x2112a442) + b"twelve bytes")
    at = answer.index(b"\x00\x20\x00\x08")
    port_and_ip = answer[at + 6:at + 12]
    print(socket.inet_ntoa(bytes(a ^ b for a, b in zip(
        port_and_ip[2:], b"\x21\x12\xa4\x42"))))


def ask_seen():
    answer = udp_ask(SERVER, 5060, sip_options).decode()
    print(re.search(r"received=([\d.]+)", answer)[1])


def ask_many():
    """As many sessions of a NAT that maps by the whole five-tuple."""
    n = int(take())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for i in range(n):
            s.sendto(b"x", (SERVER, 20000 + i))
            if i % 50 == 0:
                time.sleep(0.005)
    time.sleep(0.5)
    print("sent", n)


def ask_later():
    """The server of ask_late()."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((SERVER, int(take())))
        print("ready", flush=True)
        asked, peer = s.recvfrom(100)
        time.sleep(int(asked.split()[1]))
        s.sendto(b"here", peer)
        time.sleep(60)


def ask_listen():
    """The server of ask_tcp()."""
    with socket.create_server((SERVER, int(take()))):
        print("ready", flush=True)
        time.sleep(60)


def ask_late():
    """Does an answer arrive that takes so many seconds?"""
    seconds = int(take())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(seconds + 3)
        s.bind(("", 7000))
        s.sendto(f"in {seconds}".encode(), (SERVER, 9100))
        try:
            print("late", s.recv(100) and "ok")
        except TimeoutError:
            print("late", "-")


def ask_rtt():
    for _ in range(int(take())):
        began = time.monotonic()
        if udp_ask(SERVER, 5060, sip_options, tries=1):
            print(time.monotonic() - began)


def ask_hold():
    """A phone that has registered and stays at this port."""
    port = int(take())
    if not udp_ask(SERVER, 5060, sip_options, source=port):
        sys.exit("no answer")
    print("ready", flush=True)
    if words:
        words.clear()
    else:
        time.sleep(60)


def ask_sleep():
    time.sleep(int(take()))


while words:
    globals()[f"ask_{take()}"]()
