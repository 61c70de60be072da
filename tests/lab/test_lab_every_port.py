"""The edge answers every port of a profile, to real clients and hostile ones.

Two namespaces joined by a cable: the edge in one, everybody else in the other.
As root the ranges go by sk_lookup, in a user namespace by TPROXY, and once by
sockets alone; what is asserted is the same.
"""
import base64
import ctypes
import os
import pathlib
import random
import re
import resource
import select
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time
import traceback

import yaml

PRUMO = os.environ["PRUMO"]
PROFILE = pathlib.Path(os.environ["PRUMO_PROFILES"]) / "cloudphone-pro.yaml"
SKIP = 77
NAMES = "198.51.100.50"  # every name of the profile
OTHER_CLIENT = "198.51.100.3"
HERE_NET = "/run/netns/edge"
PLACES = ["--map", "187.72.201.0/24=198.51.101.0/24",
          "--map", "189.112.195.0/24=198.51.102.0/24",
          "--map", "45.63.1.46/32=198.51.100.46/32",
          # of other networks: another edge's
          "--map", "100.0.0.0/8=198.0.0.0/8", "--map", "172.0.0.0/8=198.0.0.0/8"]


def place(host):
    """Where a host of the profile is; None: at another edge."""
    if host.startswith("187.72.201."):
        return "198.51.101." + host.split(".")[3]
    if host == "189.112.195.169":
        return "198.51.102.169"
    if host == "45.63.1.46":
        return "198.51.100.46"
    return NAMES if host[-1].isalpha() else None


def rows():
    profile = yaml.safe_load(PROFILE.read_text(encoding="utf-8"))
    for row in profile["rows"]:
        at = place(row["host"])
        if at:
            yield at, row


def run(*argv, check=True, **more):
    return subprocess.run([str(a) for a in argv], check=check, timeout=20,
                          capture_output=True, **more)


# The two namespaces


def enter(path):
    with open(path, "rb") as f:
        if ctypes.CDLL(None, use_errno=True).setns(f.fileno(), 0):
            raise OSError(ctypes.get_errno(), "setns")


def build():
    run("mount", "-t", "tmpfs", "none", "/run")
    os.mkdir("/run/netns")
    run("ip", "link", "set", "lo", "up")
    run("ip", "netns", "add", "client")
    pathlib.Path(HERE_NET).touch()
    run("mount", "--bind", "/proc/self/ns/net", HERE_NET)
    run("ip", "link", "add", "edge", "type", "veth", "peer", "name", "client",
        "netns", "client")
    run("ip", "link", "set", "edge", "up")
    addresses = {NAMES, *(at for at, _ in rows())}
    for at in addresses:
        run("ip", "addr", "add", f"{at}/32", "dev", "edge")
    run("ip", "addr", "add", "2001:db8::10/64", "dev", "edge", "nodad")
    run("ip", "route", "add", "198.51.100.0/24", "dev", "edge")
    client = ["ip", "-n", "client"]
    run(*client, "link", "set", "lo", "up")
    run(*client, "link", "set", "client", "up")
    run(*client, "addr", "add", "198.51.100.2/22", "dev", "client")
    run(*client, "addr", "add", f"{OTHER_CLIENT}/22", "dev", "client")
    run(*client, "addr", "add", "2001:db8::2/64", "dev", "client", "nodad")


class Edge:
    def __init__(self, way, *more):
        names = sorted({r["host"] for at, r in rows() if at == NAMES})
        resolve = [w for n in names for w in ("--resolve", f"{n}:{NAMES}")]
        env = dict(os.environ, PRUMO_STAY_HOME="1", LC_ALL="C.UTF-8",
                   LANGUAGE="C")
        self.process = subprocess.Popen(
            ["nsenter", f"--net={HERE_NET}", PRUMO, "edge", "--user",
             "root", "--range", way, "--dns", *PLACES, *resolve, *more,
             "cloudphone-pro"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
        line = self.process.stdout.readline()
        assert line.startswith("ready "), self.process.stderr.read()
        self.said = dict(w.split("=") for w in line.split()[1:])
        assert self.said["range"] == way, line

        # said before `ready`, if at all
        os.set_blocking(self.process.stderr.fileno(), False)
        self.remarks = self.process.stderr.read() or ""
        os.set_blocking(self.process.stderr.fileno(), True)

    def alive(self):
        assert self.process.poll() is None, self.process.stderr.read()

    def stop(self, sig=signal.SIGTERM):
        self.process.send_signal(sig)
        out, err = self.process.communicate(timeout=10)
        assert out == "" and "ERROR" not in err, (out, err)
        return err


# What a prober says


def hello():
    nonce = os.urandom(8)
    return nonce, b"PRM\xf1\x01\x01\0\0" + os.urandom(8) + nonce + bytes(104)


def is_welcome(data, nonce):
    return data[:6] == b"PRM\xf1\x02\x01" and data[8:16] == nonce


def family(at):
    return socket.AF_INET6 if ":" in at else socket.AF_INET


def udp(at, port, data, timeout=2):
    """From a connected socket: an answer from another port is no answer."""
    with socket.socket(family(at), socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        s.connect((at, port))
        s.send(data)
        return s.recv(65536)


def tcp(at, port, timeout=3):
    s = socket.socket(family(at), socket.SOCK_STREAM)
    s.settimeout(timeout)
    s.connect((at, port))
    return s


def tls(at, port):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(tcp(at, port), server_hostname="any.example")


def said(s, data, until=None):
    """Send, and read until a mark, or the end."""
    s.sendall(data)
    got = b""
    while until is None or until not in got:
        more = s.recv(65536)
        if not more:
            assert until is None, got
            break
        got += more
    return got


def refused(call, *args):
    try:
        call(*args)
    except ConnectionRefusedError:
        return True
    return False


BINDING = b"\0\1\0\0\x21\x12\xa4\x42"
ALLOCATE = b"\0\3\0\x08\x21\x12\xa4\x42" + b"0123456789ab" + b"\0\x19\0\4\x11\0\0\0"


def binding():
    return BINDING + os.urandom(12)


def is_binding_answer(data):
    return data[:2] == b"\1\1" and data[4:8] == b"\x21\x12\xa4\x42"


def options(transport):
    return (f"OPTIONS sip:a.example SIP/2.0\r\nVia: SIP/2.0/{transport} "
            "198.51.100.2:5060;branch=z9hG4bK1;rport\r\nMax-Forwards: 70\r\n"
            "From: <sip:a@a.example>;tag=1\r\nTo: <sip:a.example>\r\n"
            f"Call-ID: {random.random()}\r\nCSeq: 1 OPTIONS\r\n"
            "X-Room: so that the answer is no longer than the question, which "
            "has to be of some length for that, and is by now\r\n"
            "Content-Length: 0\r\n\r\n").encode()


def is_page(got, edge):
    head, body = got.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 200 OK"), head
    assert b"\r\nServer: prumo-edge\r\n" in head + b"\r\n", head
    assert edge.said["sha256"].encode() in body, body
    return True


GET = b"GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n"
STREAM = (b"<stream:stream to='chat.example' xmlns='jabber:client' "
          b"xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>")


def port_speaks(edge, at, cls, transport, port):
    """A port of a class, asked for what that class is about."""
    if cls == "sip" and transport == "udp":
        assert udp(at, port, options("UDP")).startswith(b"SIP/2.0 200")
    elif cls == "sip":
        with (tls if port == 5061 else tcp)(at, port) as s:
            name = "TLS" if port == 5061 else "TCP"
            assert said(s, options(name), b"\r\n\r\n").startswith(b"SIP/2.0 200")
    elif cls == "stun" and transport == "udp":
        assert is_binding_answer(udp(at, port, binding()))
    elif cls == "stun":
        for opened in (tcp, tls) if port == 5349 else (tcp,):
            with opened(at, port) as s:
                s.sendall(binding())
                assert is_binding_answer(s.recv(100))
    elif cls == "chat" and port in (5222, 5422):
        with tcp(at, port) as s:
            got = said(s, STREAM, b"</stream:features>")
            assert b"id='prumo-edge-" in got and b"starttls" in got, got
    else:  # web and its like; and chat's 80, 443, 5280
        with (tls if port == 443 else tcp)(at, port) as s:
            assert is_page(said(s, GET), edge)


# Tests


def test_every_flow_speaks_its_protocol(edge):
    n = 0
    for at, row in rows():
        for port in row["ports"]:
            for transport in row["transports"]:
                if not isinstance(port, int):
                    continue
                port_speaks(edge, at, row["class"], transport, port)
                n += 1
    assert n > 70, n


def test_ranges_answer_from_the_port_that_was_asked(edge):
    count, first = 55536, 10000
    if edge.said["range"] == "sockets":
        count = int(re.search(r"only the first (\d+)", edge.remarks).group(1))
        assert count >= 100, count
    ports = [first, first + 1, 10443, first + count - 1,
             *random.sample(range(first, first + count), 8)]
    ports = [p for p in ports if p < first + count]
    for at, row in rows():
        if row["class"] != "rtp":
            continue
        if at == NAMES: # twice would be over the limit of strangers
            assert is_binding_answer(udp(at, ports[-1], binding()))
        for port in ports:
            for transport in row["transports"]:
                nonce, ask = hello()
                if transport == "udp":
                    assert is_welcome(udp(at, port, ask), nonce), (at, port)
                else:
                    with tcp(at, port) as s:
                        got = said(s, ask, nonce)
                        assert is_welcome(got, nonce), (at, port)


def test_whole_range_at_once(edge):
    """All 55 536 ports, in a moment, and each answers from itself."""
    if edge.said["range"] == "sockets":
        return
    at = place("187.72.201.45")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        s.setblocking(False)
        left = {}
        for port in range(10000, 65536):
            left[port] = hello()
        for _ in range(4):
            for i, (port, (_, ask)) in enumerate(list(left.items())):
                s.sendto(ask, (at, port))
                if i % 200 == 0:
                    collect(s, at, left, 0)
            collect(s, at, left, 0.2)
            if not left:
                break
        assert not left, (len(left), sorted(left)[:5])


def collect(s, at, left, seconds):
    while select.select([s], [], [], seconds)[0]:
        data, source = s.recvfrom(4096)
        if source[0] == at and source[1] in left and \
                is_welcome(data, left[source[1]][0]):
            del left[source[1]]


def test_addresses_answer_only_their_rows(edge):
    web = place("187.72.201.30")  # 80 and 443 alone
    nonce, ask = hello()
    assert refused(udp, web, 10050, ask)
    assert refused(tcp, web, 10050) and refused(tcp, web, 5222)
    # names: RTP over UDP, and not over TCP
    assert is_welcome(udp(NAMES, 10050, ask), nonce)
    assert refused(tcp, NAMES, 10050)


def test_curl(edge):
    at = place("187.72.201.31")
    pin = "/.well-known/prumo-edge"
    for scheme in ("http", "https"):
        got = run("curl", "-sk", f"{scheme}://{at}{pin}", f"{scheme}://{at}{pin}")
        assert got.stdout.decode() == 2 * (edge.said["sha256"] + "\n"), got
    got = run("curl", "-sI", f"http://{at}/")
    assert b"Server: prumo-edge" in got.stdout, got
    got = run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}",
              f"http://{at}/other")
    assert got.stdout == b"404", got
    got = run("curl", "-s", "--data", "<body rid='1' to='chat.example' "
              "xmlns='http://jabber.org/protocol/httpbind'/>",
              f"http://{at}:5280/http-bind")
    assert b"sid='prumo-edge-" in got.stdout, got


def test_openssl_starttls(edge):
    at = place("187.72.201.31")
    for port in (5222, 5422):
        # its own end of input would end it before the answer
        got = run("sh", "-c", "(cat; sleep 0.3) | openssl s_client -connect "
                  f"{at}:{port} -starttls xmpp -xmpphost chat.example",
                  check=False, input=STREAM)
        assert b"CN = prumo-edge" in got.stdout, got
        assert b"<stream:features></stream:features>" in got.stdout, got


def test_nothing_follows_starttls_in_the_clear(edge):
    with tcp(place("187.72.201.31"), 5222) as s:
        said(s, STREAM, b"</stream:features>")
        s.sendall(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" + STREAM)
        assert s.recv(4096) == \
            b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
        assert not select.select([s], [], [], 0.3)[0]


class WebSocket:
    def __init__(self, s, protocol):
        self.s = s
        key = base64.b64encode(os.urandom(16))
        got = said(s, b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
                   b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                   b"Sec-WebSocket-Key: " + key + b"\r\nSec-WebSocket-Protocol: "
                   + protocol + b"\r\n\r\n", b"\r\n\r\n")
        assert got.startswith(b"HTTP/1.1 101 "), got
        assert b"Sec-WebSocket-Protocol: " + protocol in got, got

    def send(self, first, data):
        mask = os.urandom(4)
        length = bytes([0x80 | len(data)]) if len(data) < 126 else \
            b"\xfe" + struct.pack(">H", len(data))
        self.s.sendall(bytes([first]) + length + mask +
                       bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def exactly(self, n):
        got = b""
        while len(got) < n:
            more = self.s.recv(n - len(got))
            assert more, got
            got += more
        return got

    def read(self):
        first, n = self.exactly(2)
        if n == 126:
            n = struct.unpack(">H", self.exactly(2))[0]
        return first, self.exactly(n)


def test_websocket(edge):
    at = place("187.72.201.41")
    for opened, port in ((tcp, 80), (tls, 443)):
        with opened(at, port) as s:
            ws = WebSocket(s, b"sip")
            ask = options("WSS")
            ws.send(0x81, ask)
            first, answer = ws.read()
            assert first == 0x81 and answer.startswith(b"SIP/2.0 200"), answer
            ws.send(0x01, ask[:50])
            ws.send(0x89, b"beat")
            ws.send(0x80, ask[50:])
            assert ws.read() == (0x8A, b"beat")
            assert ws.read()[1].startswith(b"SIP/2.0 200")
            ws.send(0x88, b"\x03\xe8")
            assert ws.read()[0] == 0x88 and not s.recv(10)
    with tcp(place("187.72.201.31"), 5280) as s:
        ws = WebSocket(s, b"xmpp")
        ws.send(0x81, b"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' "
                b"to='chat.example' version='1.0'/>")
        assert b"id='prumo-edge-" in ws.read()[1]
        assert b"features" in ws.read()[1]


def test_turn_is_refused(edge):
    at = place("187.72.201.41")
    got = udp(at, 3478, ALLOCATE)
    assert got[:2] == b"\x01\x13" and b"\0\x09\0\x04\0\0\x04\x03" in got, got
    assert len(got) <= len(ALLOCATE)
    with tls(at, 5349) as s:
        s.sendall(ALLOCATE)
        assert s.recv(100)[:2] == b"\x01\x13"


def test_stun_clients(edge):
    at = place("187.72.201.41")
    for argv in (["turnutils_stunclient", "-p", "3478", at],
                 ["turnutils_stunclient", "-p", "33333", at]):
        if edge.said["range"] == "sockets" and "33333" in argv:
            continue
        got = run(*argv, check=False)
        assert b"reflexive addr: 198.51.100." in got.stdout, got


def query(name, kind, number=7):
    return struct.pack(">HHHHHH", number, 0x100, 1, 0, 0, 0) + b"".join(
        bytes([len(w)]) + w.encode() for w in name.split(".")) + \
        b"\0" + struct.pack(">HH", kind, 1)


def test_dns(edge):
    name = "chat.ucpro.algartelem.com.br"
    ip = socket.inet_aton(NAMES)
    answer = udp(NAMES, 53, query(name, 1))
    assert answer[3] & 15 == 0 and answer.endswith(b"\0\4" + ip), answer
    assert udp(NAMES, 53, query(name, 28))[7] == 0  # no AAAA
    assert udp(NAMES, 53, query("no.ucpro.algartelem.com.br", 1))[3] & 15 == 3
    assert udp(NAMES, 53, query("example.org", 1))[3] & 15 == 5
    with tcp(NAMES, 53) as s:
        ask = query(name, 1)
        s.sendall(struct.pack(">H", len(ask)) + ask)
        assert s.recv(512)[2:].endswith(ip)


def test_nmap(edge):
    if edge.said["range"] == "sockets":
        return
    at = place("187.72.201.45")
    got = run("nmap", "-n", "-Pn", "-sT", "-p", "5060,10000,10443,31337,65535,9999",
              at)
    opened = re.findall(rb"^(\d+)/tcp +open", got.stdout, re.M)
    assert opened == [b"5060", b"10000", b"10443", b"31337", b"65535"], got


def test_ip6(edge):
    """Names without an address are everywhere: not here, they all have one."""
    assert refused(tcp, "2001:db8::10", 80)
    assert udp("2001:db8::10", 5060, options("UDP")).startswith(b"SIP/2.0 200")


def test_strangers_have_a_limit(edge):
    """STUN earns more bytes than it costs, so a forged source gets few."""
    at = place("187.72.201.41")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((OTHER_CLIENT, 0))
        s.settimeout(0.5)
        start = time.monotonic()
        for i in range(300):
            s.sendto(binding(), (at, 3478 if i % 2 else 10001))
        n = 0
        try:
            while True:
                s.recv(100)
                n += 1
        except TimeoutError:
            pass
        most = 40 + 10 * (time.monotonic() - start) + 1
        assert 20 <= n <= most, (n, most)


def test_junk_hurts_nobody(edge):
    rng = random.Random(5)
    for at, port in ((NAMES, 80), (NAMES, 443), (NAMES, 5222), (NAMES, 5280),
                     (NAMES, 3478), (NAMES, 5349), (NAMES, 53),
                     (place("187.72.201.45"), 10007)):
        for junk in (os.urandom(200), b"\0" * 100, b"GET " + b"a" * 9000,
                     b"<" + b"a" * 9000, b"PRM\xf1" + os.urandom(200),
                     b"PRM\xf2" + os.urandom(50), b"\r\n\r\n", b"<a><b/>" * 90,
                     b"POST /http-bind HTTP/1.1\r\nHost: a\r\n"
                     b"Content-Length: 99999999999\r\n\r\n"):
            for opened in (tcp, tls):
                try:
                    with opened(at, port) as s:
                        s.settimeout(0.02)
                        s.sendall(junk[:rng.randrange(1, len(junk) + 1)])
                        s.recv(4096)
                except OSError:
                    pass
    edge.alive()


def test_flood_of_connections_is_bounded(edge):
    """One source's flood ends at its limit, and another is served."""
    held = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (2048, 2048))
        for _ in range(1100):
            s = socket.socket()
            held.append(s)
            s.settimeout(2)
            s.connect((place("187.72.201.45"), 10005))
            s.sendall(b"P")
        time.sleep(0.3)
        poll = select.poll()
        for s in held:
            poll.register(s, select.POLLIN)
        closed = len(poll.poll(0))
        assert 1100 - 1024 <= closed < 200, closed
        with socket.socket() as s:
            s.settimeout(2)
            s.bind((OTHER_CLIENT, 0))
            s.connect((NAMES, 80))
            assert is_page(said(s, GET), edge)
    finally:
        for s in held:
            s.close()


def test_kill_leaves_nothing(way):
    """Neither rule nor program outlives the process, and the next one works."""
    edge = Edge(way)
    edge.process.kill()
    edge.process.communicate()
    rules = run("nsenter", f"--net={HERE_NET}", "nft", "list", "ruleset")
    assert b"prumo" not in rules.stdout, rules
    assert refused(tcp, place("187.72.201.45"), 20000)


def test_slow_loris(slow):
    """Bytes now and then keep nothing: 20 s for a message, 15 s of silence."""
    for name, s, start in slow:
        s.settimeout(max(0.1, start + 24 - time.monotonic()))
        try:
            while s.recv(4096):
                pass
        except ConnectionError:
            pass
        except TimeoutError as e:
            raise AssertionError(f"{name} is still open") from e


class Slow:
    """Connections that say too little, fed while the others are tested."""

    def __init__(self):
        self.open = []
        for name, at, port, first in (
                ("http", NAMES, 80, b"GET / HTTP/1.1\r\nX: "),
                ("xmpp", NAMES, 5222, b"<stream:stream a='"),
                ("range", place("187.72.201.45"), 10009, b""),
                ("ws", NAMES, 5280, b"GET /")):
            s = tcp(at, port)
            s.sendall(first)
            self.open.append((name, s, time.monotonic()))

    def feed(self):
        for name, s, _ in self.open:
            try:
                if name != "range":
                    s.sendall(b"a")
            except OSError:
                pass

    def __iter__(self):
        return iter(self.open)


TESTS = [f for n, f in sorted(globals().items()) if n.startswith("test_") and
         f.__code__.co_varnames[0] == "edge"]
# The same code whatever way a range goes: once is enough.
RANGES = [test_addresses_answer_only_their_rows, test_whole_range_at_once,
          test_every_flow_speaks_its_protocol, test_nmap, test_stun_clients,
          test_ranges_answer_from_the_port_that_was_asked]


def inside(way, only):
    build()
    enter("/run/netns/client")
    failed = []

    def attempt(name, test, arg):
        if only and name not in only:
            return
        start = time.monotonic()
        try:
            test(arg)
            print(f"ok {way} {name} {time.monotonic() - start:.2f} s")
        except Exception as e:  # the next ones are worth knowing too
            print("FAIL", way, name, repr(e)[:1500])
            traceback.print_exc(file=sys.stdout)
            failed.append(name)

    if way != "sockets":
        attempt("test_kill_leaves_nothing", test_kill_leaves_nothing, way)
    edge = Edge(way)
    slow = Slow() if way == "tproxy" else None
    for test in TESTS if way == "tproxy" else RANGES:
        attempt(test.__name__, test, edge)
        if slow:
            slow.feed()
    if slow:
        attempt("test_slow_loris", test_slow_loris, slow)
    edge.stop()
    sys.exit(bool(failed))


def can(*options):
    return run("unshare", *options, "true", check=False).returncode == 0


def main():
    if len(sys.argv) > 2 and sys.argv[1] == "--inside":
        inside(sys.argv[2], sys.argv[3:])
    private = ["-fpnm", "--mount-proc", "--kill-child"]
    user = ["-Ur", *private]
    ways = {}
    if can(*user):
        ways["tproxy"] = ways["sockets"] = user
    if os.geteuid() == 0 and can(*private):
        ways["sk_lookup"] = private
    if not ways:
        sys.exit(SKIP)
    running = [subprocess.Popen(["unshare", *options, sys.executable, __file__,
                                 "--inside", way, *sys.argv[1:]])
               for way, options in ways.items()]
    sys.exit(any([r.wait() for r in running]))


if __name__ == "__main__":
    main()
