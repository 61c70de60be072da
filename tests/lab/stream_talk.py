"""stream_talk.py server | client: SIP over TCP, written as TCP may cut it.

Each end writes a stream of messages in pieces that do not respect them; the
server then says what it heard from whom, and the client prints what it heard.
"""
import json
import socket
import sys
import threading
import time

PORT = 5060
SERVER = "198.51.100.10"
PAUSE_S = 0.01
KEEPALIVE = b"\r\n\r\n"


def request(uri, host, number, body=b""):
    return (f"OPTIONS sip:{uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/TCP {host};branch=z9hG4bK{number}\r\n"
            f"Contact: <sip:6001@{host}>\r\nCSeq: {number} OPTIONS\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def stream(uri, host):
    """Messages of one end, and the pieces that it writes them in."""
    body = b" ".join(b"%d" % i for i in range(6000))
    messages = [request(uri, host, 1), request(uri, host, 2, body[:700]),
                request(uri, host, 3), request(uri, host, 4, body[:20000]),
                KEEPALIVE, request(uri, host, 5, body[:200]),
                request(uri, host, 6, body[:3000])]
    text = b"".join(messages)
    pieces, at = [], 0
    two = len(messages[0]) + len(messages[1])
    # inside of a name, two and a half at once, the rest, bytes one by one
    cuts = [30, len(messages[0]) - 3, two + 40, two + 41,
            len(text) - 3400, *range(len(text) - 3100, len(text) - 3050),
            len(text) - 1, len(text)]
    for cut in cuts:
        pieces.append(text[at:cut])
        at = cut
    return messages, pieces


def write(sock, pieces):
    for piece in pieces:
        sock.sendall(piece)
        time.sleep(PAUSE_S)


def read(sock):
    data = b""
    while True:
        more = sock.recv(65535)
        if not more:
            return data
        data += more


def server():
    listener = socket.create_server(("", PORT))
    print("ready", flush=True)
    sock, peer = listener.accept()
    uri = f"{peer[0]}:{peer[1]}"
    writer = threading.Thread(
        target=write, args=(sock, stream(uri, f"{SERVER}:{PORT}")[1]))
    writer.start()
    heard = read(sock)
    writer.join()
    sock.sendall(b"\x00" + json.dumps(
        {"peer": uri, "heard": heard.decode()}).encode())
    sock.close()
    time.sleep(5)


def client():
    nodelay = int(sys.argv[2])
    sock = socket.create_connection((SERVER, PORT),
                                    source_address=("", PORT))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, nodelay)
    host = f"{sock.getsockname()[0]}:{PORT}"
    heard = []
    reader = threading.Thread(target=lambda: heard.append(read(sock)))
    reader.start()
    write(sock, stream(f"{SERVER}:{PORT}", host)[1])
    sock.shutdown(socket.SHUT_WR)
    reader.join()
    text, _, said = heard[0].partition(b"\x00")
    print(json.dumps({"host": host, "heard": text.decode(),
                      **{f"server_{k}": v
                         for k, v in json.loads(said).items()}}))


if __name__ == "__main__":
    {"server": server, "client": client}[sys.argv[1]]()
