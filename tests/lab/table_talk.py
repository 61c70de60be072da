"""table_talk.py server|client: the rows of tests/lab/test_router_table.py.

What the server is to do with a message travels in its X-Do, in base64, which
no ALG reads: texts to send back, each from a port of the server. First it
says, in hexadecimal, what it got and from where.
"""
import base64
import json
import socket
import sys
import time

import table_rows as rows

SERVER = "198.51.100.10"
WAIT_S = 0.4
ALONE_S = 0.05  # two writes become two segments
MAX_BYTES = 65535


def wanted(data):
    if b"X-Do: " not in data:
        return None
    word = data.split(b"X-Do: ")[1].split(b"\r\n")[0]
    return json.loads(base64.b64decode(word))


def got(data, peer):
    said = json.dumps({"got": data.decode("latin-1"),
                       "peer": f"{peer[0]}:{peer[1]}"})
    return b"got " + said.encode().hex().encode() + b"\n"


def serve_tcp(listener):
    conn, peer = listener.accept()
    with conn:
        conn.settimeout(WAIT_S)
        data = b""
        try:
            while len(data) < MAX_BYTES:
                piece = conn.recv(MAX_BYTES)
                if not piece:
                    break
                data += piece
        except TimeoutError:
            pass
        conn.sendall(got(data, peer))


def server():
    import selectors
    udp = {}
    for port in (5060, 5062, 5070):
        udp[port] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp[port].bind((SERVER, port))
    listener = socket.create_server((SERVER, 5060))
    ready = selectors.DefaultSelector()
    for s in (*udp.values(), listener):
        ready.register(s, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in ready.select():
            if key.fileobj is listener:
                serve_tcp(listener)
                continue
            data, peer = key.fileobj.recvfrom(MAX_BYTES)
            if data.startswith(b"plain"):
                key.fileobj.sendto(got(data, peer), peer)
                continue
            do = wanted(data)
            if do is None:
                continue
            key.fileobj.sendto(got(data, peer), peer)
            for port, text in do["back"]:
                text = text.replace("{p}", f"{peer[0]}:{peer[1]}")
                udp[port].sendto(text.encode(), peer)
            for port in do["knock"]:
                udp[5070].sendto(b"knock", (peer[0], port))


def send_tcp(row, pieces):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.bind((row["source"], row["source_port"]))
        s.settimeout(3)
        s.connect((SERVER, 5060))
        for piece in pieces:
            s.sendall(piece)
            time.sleep(ALONE_S)
        data = b""
        while not data.endswith(b"\n"):
            data += s.recv(MAX_BYTES)
        return [data]


def heard(sockets):
    """Who of them has been sent something."""
    end = time.monotonic() + WAIT_S
    ports = []
    for s in sockets:
        s.settimeout(max(end - time.monotonic(), 0.001))
        try:
            s.recv(MAX_BYTES)
            ports.append(s.getsockname()[1])
        except TimeoutError:
            pass
        s.close()
    return ports


def send_udp(row, data):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((row["source"], row["source_port"]))
        s.settimeout(WAIT_S)
        s.sendto(data, (SERVER, row["port"]))
        answers = []
        for _ in range(1 + len(row["back"])):
            try:
                answers.append(s.recv(MAX_BYTES))
            except TimeoutError:
                break
        return answers


def client():
    for row in rows.ROWS:
        data = rows.bytes_of(row)
        doors = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                 for _ in row["knock"]]
        for door, port in zip(doors, row["knock"]):
            door.bind((row["source"], port))
        if row["tcp"]:
            answers = send_tcp(row, rows.pieces_of(row, data))
        else:
            answers = send_udp(row, data)
        said = {"name": row["name"], "sent": data.decode("latin-1"),
                "got": None, "peer": None, "back": [],
                "heard": heard(doors)}
        for answer in answers:
            if answer.startswith(b"got "):
                said.update(json.loads(bytes.fromhex(
                    answer[4:].strip().decode())))
            else:
                said["back"].append(answer.decode("latin-1"))
        print(json.dumps(said), flush=True)


{"server": server, "client": client}[sys.argv[1]]()
