#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The real `prumo edge` against a small prober, sipsak and SIPp, on loopback.

usage: test_edge.py PRUMO [TEST...]
"""
import hashlib, os, random, shutil, signal, socket, struct, subprocess, sys
import tempfile, time, traceback

from edge_client import *

UDP, TCP, TLS = 1, 2, 3
LIMITED = b"PRM\xf1\x06\x01\x00\x00"
SIP_PORTS = ("sip", "sip-alt", "control")


def test_ready_line(edge):
    words = edge.line.split()
    names = [w.split("=")[0] for w in words]
    assert names == ["ready", "sip", "sip-alt", "tls", "stun", "control", "sha256",
                     "range"]
    assert len(edge.fingerprint) == 64


def test_udp_mirror_on_every_port(edge):
    with edge.udp() as s:
        for shot, port in enumerate(SIP_PORTS):
            token = hello(edge, s, port)
            sent = request(b"OPTIONS", tag(b"12345678", shot), token)
            answer = edge.ask(s, port, sent)
            assert answer.startswith(b"SIP/2.0 200 OK\r\n"), answer
            m = mirror_of(answer)
            assert m["bytes"] == sent and m["shot"] == shot
            assert m["session"] == b"12345678" and m["transport"] == UDP
            assert m["port"] == edge.ports[port]
            assert m["source"] == s.getsockname()[:2]
            assert m["ttl"] == 64


def test_plain_bytes_come_back(edge):
    with edge.udp() as s:
        for port in (*SIP_PORTS, "stun"):
            token = hello(edge, s, port)
            sent = dgram(PLAIN, tag(b"12345678", 9) + token + b"\0\xffany")
            answer = edge.ask(s, port, sent)
            assert answer[:5] == b"PRM\xf1\x04"
            assert read_mirror(answer[8:])["bytes"] == sent
            bad = sent.replace(token, b"ptk1" + b"0" * 32)
            assert edge.silent(s, port, bad)


def test_no_amplification_without_a_token(edge):
    rng = random.Random(20)
    base = request(b"OPTIONS", tag(b"12345678", 1), extra=b"X: 1\r\n")
    n = 0
    with edge.udp() as s:
        s.settimeout(0.05)
        for _ in range(60):
            data = bytearray(base)
            for _ in range(rng.randrange(3)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            s.sendto(bytes(data), (edge.address, edge.ports["sip"]))
            try:
                assert len(s.recv(65536)) <= len(data)
                n += 1
            except TimeoutError:
                pass
        assert 5 <= n <= 60
        # the limit: at most its burst and what the time adds to it; now and
        # then it says so, never longer than what it answers
        s.setblocking(False)
        start, got, told = time.monotonic(), 0, []
        for i in range(1600):
            if i < 1500:
                s.sendto(base, (edge.address, edge.ports["sip"]))
            if i % 20 == 0 or i > 1500:
                time.sleep(0.003) # what it has not read yet, it may lose
            try:
                while True:
                    answer = s.recv(65536)
                    if answer[:8] == LIMITED:
                        told.append(answer)
                    else:
                        got += 1
            except BlockingIOError:
                pass
        took = time.monotonic() - start
        assert 300 <= got <= 600 + 100 * took + 1, (got, took)
        assert 1 <= len(told) <= 4 + took + 1, told
        assert all(len(a) == 10 and 0 < a[9] < 10 for a in told), told


def test_keepalive_and_stun(edge):
    with edge.udp() as s:
        assert edge.ask(s, "sip", b"\r\n\r\n") == b"\r\n"
        binding = bytes.fromhex("000100002112a442") + b"0123456789ab"
        answer = edge.ask(s, "stun", binding)
        assert answer[:2] == b"\x01\x01" and answer[8:20] == b"0123456789ab"
        port = struct.unpack(">H", answer[26:28])[0] ^ 0x2112
        assert port == s.getsockname()[1]
    with edge.tcp("stun") as s:
        s.sendall(binding[:7])
        time.sleep(0.05)
        s.sendall(binding[7:] + binding)
        data = b""
        while len(data) < 2 * len(answer):
            data += s.recv(4096)
        assert data[:2] == b"\x01\x01"


def test_streams_mirror_whole_and_split(edge):
    for port, connect, kind in (("sip", edge.tcp, TCP), ("sip-alt", edge.tcp, TCP),
                                ("control", edge.tcp, TCP), ("tls", edge.tls, TLS),
                                ("control", edge.tls, TLS)):
        with connect(port) as s:
            s.sendall(b"\r\n\r\n")
            assert s.recv(100) == b"\r\n"
            for shot, cut in enumerate((0, 1, 40, 200)):
                sent = request(b"REGISTER", tag(b"abcdefgh", shot), transport=b"TCP",
                               extra=b"Contact: <sip:a@192.0.2.9>\r\n")
                if cut:
                    s.sendall(sent[:cut])
                    time.sleep(0.02)
                s.sendall(sent[cut:])
                answer = read_message(s)
                assert answer.startswith(b"SIP/2.0 200"), answer
                m = mirror_of(answer)
                assert m["bytes"] == sent and m["transport"] == kind
                assert m["port"] == edge.ports[port] and m["shot"] == shot


def test_invite_and_its_ends(edge):
    with edge.udp() as s:
        token = hello(edge, s)
        invite = request(b"INVITE", tag(b"12345678", 1), token)
        assert edge.ask(s, "sip", invite).startswith(b"SIP/2.0 183")
        cancel = request(b"CANCEL", tag(b"12345678", 1), token)
        got = {edge.ask(s, "sip", cancel)[:11], s.recv(65536)[:11]}
        assert got == {b"SIP/2.0 200", b"SIP/2.0 487"}, got
        assert edge.silent(s, "sip", request(b"ACK", tag(b"12345678", 1), token))
        invite = request(b"INVITE", tag(b"12345678", 2), token)
        assert edge.ask(s, "sip", invite).startswith(b"SIP/2.0 183")
        s.settimeout(6)
        start = time.monotonic()
        final = s.recv(65536)
        assert final.startswith(b"SIP/2.0 480"), final
        assert 3.5 < time.monotonic() - start < 5.5


def test_control_session(edge):
    c = Control(edge)
    with edge.udp() as s:
        sent = request(b"OPTIONS", tag(c.session, 3), c.token)
        answer = edge.ask(s, "sip", sent)
        answer2 = edge.ask(s, "sip", sent)
        assert answer[:11] == answer2[:11] == b"SIP/2.0 200"
        # an answer of ours to nothing, and bytes that nobody understands
        s.sendto(b"SIP/2.0 200 OK\r\nCall-ID: " + tag(c.session, 4) + b"\r\n\r\n",
                 (edge.address, edge.ports["sip"]))
        s.sendto(dgram(PROBE, tag(c.session, 5) + b"hole"),
                 (edge.address, edge.ports["stun"]))
        time.sleep(0.1)
        seen = c.report()
        assert sorted(seen) == [3, 4, 5]
        r = seen[3]
        assert r["count"] == 2 and r["transport"] == UDP
        assert r["port"] == edge.ports["sip"] and r["source"] == s.getsockname()[:2]
        assert r["length"] == len(sent) and r["flags"] == 3
        assert r["sha256"] == hashlib.sha256(sent).digest()
        assert r["answer"] == len(answer)
        assert r["answer_sha256"] == hashlib.sha256(answer).digest()
        assert seen[4]["answer"] == 0 and seen[4]["flags"] == 2
        assert seen[5]["port"] == edge.ports["stun"]
        assert c.fetch(3, 1) == (0, sent) and c.fetch(3, 2) == (0, answer)
        assert c.fetch(9, 1) == (2, b"")  # ENOENT

        # back along the flow, now and later
        assert c.sent(SEND, struct.pack(">HHIB", 1, 3, 0, 0) + b"inbound")[:2] == (1, 0)
        assert s.recvfrom(100) == (b"inbound", (edge.address, edge.ports["sip"]))
        start = time.monotonic()
        assert c.sent(SEND, struct.pack(">HHIB", 2, 3, 300, 0) + b"later")[:2] == (2, 0)
        assert 0.29 < time.monotonic() - start < 1
        assert s.recv(100) == b"later"
        # shots at another port of ours, from a port of theirs and a fresh one
        with edge.udp() as other:
            to = other.getsockname()[1]
            for port in (edge.ports["sip-alt"], 0):
                reply = c.sent(SHOOT, struct.pack(">HHHHIB", 3, 3, port, to, 0, 0) + b"pin")
                data, source = other.recvfrom(100)
                assert reply == (3, 0, source[1]) and data == b"pin"
                assert port in (0, source[1])
        # a hop count is for a port that hears what became of it
        body = struct.pack(">HHHHIB", 8, 3, 0, to, 0, 1)
        assert c.sent(SHOOT, body + b"x")[1] == 22  # EINVAL
        # never to who has not proved his address, nor from a port not ours
        assert c.sent(SEND, struct.pack(">HHIB", 4, 5, 0, 0) + b"x")[1] == 13
        assert c.sent(SHOOT, struct.pack(">HHHHIB", 5, 5, 0, 9, 0, 0) + b"x")[1] == 13
        assert c.sent(SEND, struct.pack(">HHIB", 6, 77, 0, 0) + b"x")[1] == 2
        assert c.sent(SHOOT, struct.pack(">HHHHIB", 7, 3, 9, 9, 0, 0) + b"x")[1] != 0
    c.stream.close()


def test_control_reaches_streams(edge):
    c = Control(edge, "tls")
    with edge.tcp("sip") as s:
        sent = request(b"OPTIONS", tag(c.session, 1), transport=b"TCP")
        s.sendall(sent)
        answer = read_message(s)
        assert c.report()[1]["transport"] == TCP
        assert c.fetch(1, 2) == (0, answer)
        assert c.sent(SEND, struct.pack(">HHIB", 1, 1, 0, 0) + b"inbound")[:2] == (1, 0)
        assert s.recv(100) == b"inbound"
    time.sleep(0.1)
    assert c.sent(SEND, struct.pack(">HHIB", 2, 1, 0, 0) + b"x")[1] == 32  # EPIPE


def from_port(edge, port, local):
    s = socket.socket(edge.family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.settimeout(3)
    s.bind((edge.address, local))
    s.connect((edge.address, edge.ports[port]))
    return s


def test_control_reaches_a_silent_connection(edge):
    c = Control(edge)

    def beside(number, ttl=0, data=b"inbound"):
        return c.sent(SHOOT, struct.pack(">HHHHIB", number, number, edge.ports["sip"],
                                         0, 0, ttl) + data)[1]

    def tie(number):
        s = from_port(edge, "sip-alt", 0)
        s.sendall(request(b"OPTIONS", tag(c.session, number), transport=b"TCP"))
        assert read_message(s).startswith(b"SIP/2.0 200")
        return s

    with tie(1) as tied, edge.tcp("sip") as stranger:
        # nobody but who has spoken from the same port
        assert beside(1) == 32  # EPIPE
        with from_port(edge, "sip", tied.getsockname()[1]) as mute:
            time.sleep(0.1)
            assert beside(1) == 0 and mute.recv(100) == b"inbound"
            # loopback counts no hops; what had a TTL is the last
            assert beside(1, 1, b"last") == 0 and mute.recv(100) == b"last"
            assert beside(1) == beside(1, 1) == 32
        # not where anything was said, whole or begun, nor without the tie
        for number, said, heard in ((2, b"\r\n\r\n", b"\r\n"), (5, b"PR", b"")):
            with tie(number) as other, \
                    from_port(edge, "sip", other.getsockname()[1]) as talks:
                talks.sendall(said)
                assert talks.recv(100) == heard if heard else not time.sleep(0.1)
                assert beside(number) == 32
        with tie(6) as other, from_port(edge, "sip", other.getsockname()[1]):
            time.sleep(0.1)
            other.close()
            time.sleep(0.1)
            assert beside(6) == 32
        stranger.settimeout(0.1)
        try:
            assert not stranger.recv(100)
        except TimeoutError:
            pass
        # along the tie itself; TLS and UDP know no such thing
        send = struct.pack(">HHIB", 3, 1, 0, 5)
        assert c.sent(SEND, send + b"dies")[1] == 0 and tied.recv(100) == b"dies"
        assert c.sent(SEND, send + b"more")[1] == 32
        with edge.tls("tls") as tls:
            tls.sendall(request(b"OPTIONS", tag(c.session, 4), transport=b"TLS"))
            assert read_message(tls).startswith(b"SIP/2.0 200")
            assert c.sent(SEND, struct.pack(">HHIB", 4, 4, 0, 5) + b"x")[1] == 22
            assert beside(4) == 22  # EINVAL
    c.stream.close()


def test_control_refuses_nonsense(edge):
    c = Control(edge)
    kind, body = c.ask(OPEN, c.session)
    assert (kind, body[0]) == (ERROR, OPEN)
    sessions = [c]
    try:
        while len(sessions) < 40:
            sessions.append(Control(edge))
    except Refused as e:
        assert e.err == 122, e.err  # EDQUOT
    assert len(sessions) == 32
    for x in sessions:
        x.stream.close()
    time.sleep(0.2)
    for junk in (b"PRM\xf2\x00\x00\x00\x00\x00\x00", b"PRM\xf2\x02\x00\xff\xff\xff\xff",
                 b"PRMx", b"\0\0\0\0" * 4, b"PRM\xf2" + os.urandom(64)):
        with edge.tls("control") as s:
            s.sendall(junk)
            try:
                while s.recv(100):
                    pass
            except (OSError, TimeoutError):
                pass
    Control(edge).stream.close()


def test_malformed_never_hurts(edge):
    rng = random.Random(7)
    base = request(b"INVITE", tag(b"12345678", 1), extra=b"Contact: <sip:a@b>\r\n")
    with edge.udp() as s:
        for i in range(600):
            data = bytearray(base if i % 2 else os.urandom(rng.randrange(200)))
            for _ in range(rng.randrange(8)):
                if data:
                    data[rng.randrange(len(data))] = rng.randrange(256)
            port = rng.choice((*SIP_PORTS, "stun"))
            s.sendto(bytes(data[:rng.randrange(len(data) + 1)]),
                     (edge.address, edge.ports[port]))
        s.sendto(b"", (edge.address, edge.ports["sip"]))
    for i in range(60):
        with edge.tcp(rng.choice(SIP_PORTS)) as s:
            s.sendall(os.urandom(100) if i % 2 else base[:rng.randrange(len(base))])
    with edge.tcp("sip") as s:
        try:
            for _ in range(40):  # a header without end
                s.sendall(b"OPTIONS sip:a SIP/2.0\r\nX: " + b"a" * 8000)
        except OSError:
            pass
    with edge.tls("tls") as s:
        s.sendall(request(b"OPTIONS", tag(b"12345678", 2), transport=b"TLS"))
        assert read_message(s).startswith(b"SIP/2.0 200")


def test_connections_of_a_source_have_a_rate(edge):
    start, answered, told, n = time.monotonic(), 0, set(), 2600
    for _ in range(n):
        with edge.tcp("sip") as s:
            try:
                s.sendall(b"\r\n\r\n")
                answer = s.recv(100)
                answered += answer == b"\r\n"
                if answer[:8] == LIMITED:
                    told.add(int.from_bytes(answer[8:], "big"))
            except ConnectionError:
                pass
    # the burst, and what the time that it took adds to it
    most = 2400 + 50 * (time.monotonic() - start) + 1
    assert 2400 <= answered <= most, (answered, most)
    # until there is room for a whole check: 128 connections
    assert told and told <= {1, 2, 3}, told
    with edge.udp() as s:
        assert edge.ask(s, "sip", b"\r\n\r\n") == b"\r\n"


def test_new_sessions_give_no_new_shots(edge):
    start, left, told = time.monotonic(), 0, set()
    with edge.udp() as s, edge.udp() as other:
        for _ in range(6):
            c = Control(edge)
            edge.ask(s, "sip", request(b"OPTIONS", tag(c.session, 1), c.token))
            for i in range(64):
                shot = struct.pack(">HHHHIB", i, 1, 0, other.getsockname()[1], 0, 0)
                err = c.sent(SHOOT, shot + b"x")[1]
                left += err == 0
                told.add(err)
            c.stream.close()
    assert told == {0, 11}, told  # EAGAIN
    assert 256 <= left <= 256 + 20 * (time.monotonic() - start) + 1, left


def test_sipsak(edge):
    if not shutil.which("sipsak"):
        return "no sipsak"
    run = subprocess.run(["sipsak", "-v", "-s",
                          f"sip:{edge.address}:{edge.ports['sip']}"],
                         capture_output=True, timeout=20)
    assert run.returncode == 0, run
    return None


SCENARIO = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="register">
<send retrans="500"><![CDATA[
REGISTER sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];rport;branch=[branch]
Max-Forwards: 70
From: <sip:a@[local_ip]>;tag=[call_number]
To: <sip:a@[remote_ip]>
Call-ID: [call_id]
CSeq: 1 REGISTER
Contact: <sip:a@[local_ip]:[local_port]>;expires=60
User-Agent: a rather long name, so that the answer is shorter than this
Content-Length: 0

]]></send>
<recv response="200"></recv>
</scenario>
"""


def test_sipp(edge):
    if not shutil.which("sipp"):
        return "no sipp"
    for transport in ("u1", "t1"):
        with tempfile.TemporaryDirectory() as work:
            path = os.path.join(work, "register.xml")
            with open(path, "w") as f:
                f.write(SCENARIO)
            run = subprocess.run(
                ["sipp", f"{edge.address}:{edge.ports['sip']}", "-sf", path, "-m", "5",
                 "-r", "10", "-t", transport, "-i", edge.address, "-nostdin",
                 "-timeout", "10s", "-timeout_error"],
                cwd=work, capture_output=True, timeout=30)
            assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    return None


def test_ip6(prumo):
    try:
        edge = Edge(prumo, "::1")
    except AssertionError as e:
        if "listen" in str(e):
            return "no IPv6"
        raise
    with edge.udp() as s:
        token = hello(edge, s)
        sent = request(b"OPTIONS", tag(b"12345678", 0), token)
        m = mirror_of(edge.ask(s, "sip", sent))
        assert m["bytes"] == sent and m["source"][0] == "::1"
    Control(edge).stream.close()
    assert edge.stop()[0] == 0
    return None


def test_shared_secret(prumo):
    with tempfile.NamedTemporaryFile() as f:
        f.write(os.urandom(40))
        f.flush()
        one = Edge(prumo, "127.0.0.1", "--secret-file", f.name)
        two = Edge(prumo, "127.0.0.1", "--secret-file", f.name)
    with one.udp() as s:
        token = hello(one, s)
        sent = request(b"OPTIONS", tag(b"12345678", 0), token)
        assert mirror_of(two.ask(s, "sip", sent))["bytes"] == sent
    assert one.stop()[0] == 0 and two.stop()[0] == 0


def test_privileges_are_gone(prumo):
    edge = Edge(prumo)
    with open(f"/proc/{edge.process.pid}/status") as f:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
    assert status["NoNewPrivs"] == "1"
    if os.geteuid() == 0:
        assert "0" not in status["Uid"].split() + status["Gid"].split()
        assert not status["Groups"].split()
        assert int(status["CapEff"], 16) == 0
    assert edge.stop()[0] == 0


def test_signals_end_it_cleanly(prumo):
    for sig in (signal.SIGTERM, signal.SIGINT):
        edge = Edge(prumo)
        c = Control(edge)
        with edge.udp() as s, edge.tcp("sip"):
            edge.ask(s, "sip", request(b"INVITE", tag(c.session, 1), c.token))
            c.put(SEND, struct.pack(">HHIB", 1, 1, 60000, 0) + b"never")
            time.sleep(0.1)
            status, out, err = edge.stop(sig)
        assert status == 0 and out == "", (status, out, err)
        assert "ERROR" not in err, err


def test_bad_options(prumo):
    for options in (["--sip-port", "65536"], ["--listen", "example"], ["more"],
                    ["--name", "a\nb"], ["--secret-file", "/dev/null"],
                    ["--cert", "/nonexistent", "--key", "/nonexistent"],
                    ["--user", "no-such-user"] if os.geteuid() == 0 else ["--x"]):
        run = subprocess.run([prumo, "edge", "--listen", "127.0.0.1", "--sip-port", "0",
                              "--sip-alt-port", "0", "--tls-port", "0", "--stun-port",
                              "0", "--control-port", "0", *options],
                             capture_output=True, text=True, timeout=10)
        assert run.returncode == 64, (options, run)
        assert run.stdout == "" and "prumo" in run.stderr, run


def main():
    prumo, only = sys.argv[1], sys.argv[2:]
    tests = [(n, f) for n, f in globals().items()
             if n.startswith("test_") and (not only or n in only)]
    failed = 0
    for name, test in tests:
        own = test.__code__.co_varnames[0] == "prumo"
        edge = None if own else Edge(prumo)
        try:
            why = test(prumo if own else edge)
            print("skip" if why else "ok", name, why or "")
        except Exception as e:
            failed += 1
            print("FAIL", name, repr(e)[:2000])
            traceback.print_exc(file=sys.stdout)
        finally:
            if edge:
                status, _, err = edge.stop()
                if status != 0 or err:
                    failed += 1
                    print("FAIL", name, "ended with", status, err)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
