# SPDX-License-Identifier: ISC
"""A prober in a few lines: what tests/mock/test_edge.py says to the edge.

Written from the headers in src/wire, not from the code, so that it is a
second opinion about the bytes.
"""
import base64, hashlib, os, signal, socket, ssl, struct, subprocess

MASK = bytes.fromhex("009dc3715ee82bb496d769a21fcd35f48a533c")
HELLO, WELCOME, PLAIN, MIRROR, PROBE = 1, 2, 3, 4, 5
OPEN, REPORT, FETCH, SEND, SHOOT = 1, 2, 3, 4, 5
SESSION, SEEN, COPY, SENT, ERROR = 0x81, 0x82, 0x83, 0x84, 0x85
SEEN_BYTES = 111


def xor(data, mask):
    return bytes(a ^ b for a, b in zip(data, mask))


def read_addr(data):
    raw = xor(data, MASK)
    family, port = raw[0], struct.unpack(">H", raw[1:3])[0]
    kind, n = (socket.AF_INET, 4) if family == 4 else (socket.AF_INET6, 16)
    return socket.inet_ntop(kind, raw[3:3 + n]), port


def read_mirror(data):
    version, flags, transport, ttl, port = struct.unpack(">BBBBH", data[:6])
    assert version == 1
    size = struct.unpack(">I", data[79:83])[0]
    body = bytes(c ^ 0xA5 for c in data[83:])
    assert len(body) == size
    if not flags & 1:
        assert hashlib.sha256(body).digest() == data[47:79]
    return {"flags": flags, "transport": transport, "ttl": ttl, "port": port,
            "session": data[6:14], "shot": struct.unpack(">H", data[14:16])[0],
            "source": read_addr(data[16:35]),
            "length": struct.unpack(">I", data[43:47])[0], "bytes": body}


class Edge:
    """The real program on free ports of one address."""

    def __init__(self, prumo, address="127.0.0.1", *more):
        ports = [f"--{p}-port=0" for p in
                 ("sip", "sip-alt", "tls", "stun", "control")]
        env = dict(os.environ, PRUMO_STAY_HOME="1")
        self.address = address
        self.family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.process = subprocess.Popen(
            [prumo, "edge", "--listen", address, *ports, *more],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
        self.line = self.process.stdout.readline()
        words = self.line.split()
        assert words and words[0] == "ready", self.process.stderr.read()
        values = dict(w.split("=") for w in words[1:])
        self.fingerprint = values.pop("sha256")
        self.range = values.pop("range")
        self.ports = {k: int(v) for k, v in values.items()}

    def stop(self, sig=signal.SIGTERM):
        self.process.send_signal(sig)
        try:
            out, err = self.process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        return self.process.returncode, out, err

    def udp(self):
        s = socket.socket(self.family, socket.SOCK_DGRAM)
        s.bind((self.address, 0))
        s.settimeout(3)
        return s

    def tcp(self, port):
        s = socket.create_connection((self.address, self.ports[port]), 3)
        s.settimeout(3)
        return s

    def tls(self, port):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        s = context.wrap_socket(self.tcp(port))
        seen = hashlib.sha256(s.getpeercert(binary_form=True)).hexdigest()
        assert seen == self.fingerprint
        return s

    def ask(self, sock, port, data):
        sock.sendto(data, (self.address, self.ports[port]))
        return sock.recv(65536)

    def silent(self, sock, port, data):
        sock.sendto(data, (self.address, self.ports[port]))
        sock.settimeout(0.3)
        try:
            sock.recv(65536)
            return False
        except TimeoutError:
            return True
        finally:
            sock.settimeout(3)


def dgram(kind, body=b""):
    return b"PRM\xf1" + bytes([kind, 1, 0, 0]) + body


def hello(edge, sock, port="sip"):
    data = dgram(HELLO, bytes(8) + b"noncenon").ljust(128, b"\0")
    answer = edge.ask(sock, port, data)
    assert len(answer) <= len(data)
    assert answer[:5] == b"PRM\xf1\x02" and answer[8:16] == b"noncenon"
    assert read_addr(answer[32:51])[1] == sock.getsockname()[1]
    return b"ptk1" + answer[16:32].hex().encode()


def tag(session, shot):
    return b"prm1" + session.hex().encode() + struct.pack(">H", shot).hex().encode()


def request(method, mark, token=b"", transport=b"UDP", extra=b""):
    prumo = b"X-Prumo: " + mark + b"." + token + b"\r\n"
    return (method + b" sip:" + mark + b"@192.0.2.1 SIP/2.0\r\n"
            b"Via: SIP/2.0/" + transport + b" 192.0.2.9:5060;rport;"
            b"branch=z9hG4bK" + mark + b"\r\nMax-Forwards: 70\r\n"
            b"From: <sip:a@192.0.2.9>;tag=" + mark + b"\r\n"
            b"To: <sip:b@192.0.2.1>\r\nCall-ID: " + mark + b"\r\n"
            b"CSeq: 1 " + method + b"\r\n" + prumo + extra +
            b"Content-Length: 0\r\n\r\n")


def mirror_of(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Content-Type: application/x-prumo-mirror" in head, answer
    for lure in (b"Via", b"Contact", b"v=", b"127.0.0.1"):
        assert lure not in body
    assert all(len(line) <= 76 for line in body.split(b"\r\n"))
    return read_mirror(base64.b64decode(body))


def read_message(stream):
    data = b""
    while b"\r\n\r\n" not in data:
        more = stream.recv(65536)
        assert more, data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < size:
        more = stream.recv(65536)
        assert more, data
        body += more
    return head + b"\r\n\r\n" + body


class Refused(Exception):
    """An ERROR frame in place of SESSION."""

    def __init__(self, body):
        super().__init__(body)
        self.err = struct.unpack(">H", body[1:3])[0]


class Control:
    def __init__(self, edge, port="control"):
        self.stream = edge.tls(port)
        self.session = os.urandom(8)
        self.data = b""
        self.stream.sendall(b"PRM\xf2")
        kind, body = self.ask(OPEN, self.session)
        if kind == ERROR:
            self.stream.close()
            raise Refused(body)
        assert kind == SESSION, kind
        self.token = b"ptk1" + body[:16].hex().encode()
        self.source = read_addr(body[16:35])
        assert self.source[1] == self.stream.getsockname()[1]

    def put(self, kind, body=b""):
        self.stream.sendall(bytes([kind, 0]) + struct.pack(">I", len(body)) + body)

    def get(self):
        while True:
            if len(self.data) >= 6:
                n = struct.unpack(">I", self.data[2:6])[0]
                if len(self.data) >= 6 + n:
                    kind, flags = self.data[0], self.data[1]
                    body, self.data = self.data[6:6 + n], self.data[6 + n:]
                    self.more = flags & 1
                    return kind, body
            more = self.stream.recv(65536)
            if not more:
                raise EOFError
            self.data += more

    def ask(self, kind, body=b""):
        self.put(kind, body)
        return self.get()

    def report(self):
        seen = {}
        kind, body = self.ask(REPORT)
        while True:
            assert kind == SEEN and len(body) % SEEN_BYTES == 0
            for at in range(0, len(body), SEEN_BYTES):
                r = body[at:at + SEEN_BYTES]
                shot, count, flags, transport, port = struct.unpack(">HIBBH", r[:10])
                seen[shot] = {
                    "count": count, "flags": flags, "transport": transport,
                    "port": port, "source": read_addr(r[10:29]), "ttl": r[29],
                    "length": struct.unpack(">I", r[38:42])[0],
                    "sha256": r[42:74],
                    "answer": struct.unpack(">I", r[74:78])[0],
                    "answer_sha256": r[78:110]}
            if not self.more:
                return seen
            kind, body = self.get()

    def fetch(self, shot, which):
        kind, body = self.ask(FETCH, struct.pack(">HB", shot, which))
        assert kind == COPY
        return struct.unpack(">H", body[3:5])[0], body[5:]

    def sent(self, kind, body):
        kind, body = self.ask(kind, body)
        assert kind == SENT, (kind, body)
        return struct.unpack(">HHH", body[:6])
