# SPDX-License-Identifier: ISC
"""A router's namespace, with us on both of its wires: frames go in at one
side and are read at the other, and the kernel's own table of connections is
read over netlink. Nothing is forked and nothing is waited for.
"""
import ctypes
import os
import socket
import struct
import subprocess
import sys

HOSTS = ['192.0.2.2', '192.0.2.9']
PEERS = ['198.51.100.2', '198.51.100.3', '198.51.100.77', '198.51.100.130']
HOSTS6 = ['2001:db8:1::2', '2001:db8:1::9']
PEERS6 = ['2001:db8:2::2', '2001:db8:2::3', '2001:db8:2::77',
          '2001:db8:2::130']
WAN4, LAN4 = '198.51.100.1', '192.0.2.1'
WAN6, LAN6 = '2001:db8:2::1', '2001:db8:1::1'
PORTS = [53, 80, 443, 5059, 5060, 5061, 5080, 9999, 10000, 30000, 65535]
SPORTS = [1024, 5060, 40000]
MAC = {'lan': '02:00:00:00:00:01', 'h0': '02:00:00:00:00:02',
       'wan': '02:00:00:00:00:03', 'p0': '02:00:00:00:00:04'}
CLONE_NEWNET = 0x40000000
TCP, UDP = 6, 17
AT_ONCE = 60  # as many as a socket's buffer holds for sure
MARK = b'\x88\xb5'  # an ethertype for experiments: no firewall sees it


def has_tool(name):
    return any(os.access(os.path.join(p, name), os.X_OK)
               for p in os.environ['PATH'].split(':'))


def inside():
    """Run ourselves again in new namespaces, where we are root."""
    os.environ['PATH'] = '/usr/sbin:/sbin:' + os.environ.get('PATH', '')
    if os.environ.get('PRUMO_KERNEL_INSIDE'):
        return
    probe = subprocess.run(['unshare', '-Urn', 'true'], capture_output=True)
    if probe.returncode or not has_tool('nft') or not has_tool('ip'):
        print('cannot make namespaces, or nft or ip is missing: skipped')
        sys.exit(77)
    os.environ['PRUMO_KERNEL_INSIDE'] = '1'
    os.execvp('unshare', ['unshare', '-Urnm', '--', sys.executable] + sys.argv)


def run(*args, **kw):
    return subprocess.run(args, check=True, capture_output=True, text=True,
                          **kw)


def mac(dev):
    return bytes.fromhex(MAC[dev].replace(':', ''))


def packed(ip):
    return socket.inet_pton(family_of(ip), ip)


def family_of(ip):
    return socket.AF_INET6 if ':' in ip else socket.AF_INET


def checksum(b):
    s = sum(struct.unpack('!%dH' % (len(b) // 2), b))
    s = (s >> 16) + (s & 0xffff)
    return ~(s + (s >> 16)) & 0xffff


def segment(src, dst, proto, sport, dport, mark, is_reply=False):
    """What IP carries; the mark says later which packet it was."""
    if proto == UDP:
        body = struct.pack('!HHHHI', sport, dport, 12, 0, mark)
        at = 6
    else:
        seq, ack, flags = (7, mark + 1, 0x12) if is_reply else (mark, 0, 2)
        body = struct.pack('!HHIIBBHHH', sport, dport, seq, ack, 0x50, flags,
                           0xffff, 0, 0)
        at = 16
    pseudo = src + dst + struct.pack('!HH', proto, len(body))
    return body[:at] + struct.pack('!H', checksum(pseudo + body) or 0xffff
                                   ) + body[at + 2:]


def datagram(src, dst, proto, sport, dport, mark, is_reply=False):
    """Addresses are packed."""
    body = segment(src, dst, proto, sport, dport, mark, is_reply)
    if len(src) == 16:
        return struct.pack('!IHBB', 0x60000000, len(body), proto, 64
                           ) + src + dst + body
    head = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(body), 1, 0x4000, 64,
                       proto, 0) + src + dst
    return head[:10] + struct.pack('!H', checksum(head)) + head[12:] + body


def dissect(ip):
    """@return (src, dst, proto, sport, dport, mark, is_reply) or None"""
    is6 = ip[0] >> 4 == 6
    proto, at = (ip[6], 40) if is6 else (ip[9], (ip[0] & 15) * 4)
    src, dst = (ip[8:24], ip[24:40]) if is6 else (ip[12:16], ip[16:20])
    if proto not in (TCP, UDP) or len(ip) < at + 12:
        return None
    sport, dport = struct.unpack_from('!HH', ip, at)
    if proto == UDP:
        mark, is_reply = struct.unpack_from('!I', ip, at + 8)[0], None
    elif ip[at + 13] == 2:
        mark, is_reply = struct.unpack_from('!I', ip, at + 4)[0], False
    elif ip[at + 13] == 0x12:
        mark, is_reply = struct.unpack_from('!I', ip, at + 8)[0] - 1, True
    else:
        return None
    return src, dst, proto, sport, dport, mark, is_reply


class Conntrack:
    """The kernel's connections: flushed, and read with time and helper."""

    def __init__(self):
        self.s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
        self.s.settimeout(5)

    def ask(self, kind, flags, family=0, body=b''):
        self.s.send(struct.pack('=IHHIIBBH', 20 + len(body), kind, flags, 1,
                                0, family, 0, 0) + body)

    def ack(self):
        code = struct.unpack_from('=i', self.s.recv(65536), 16)[0]
        if code:
            raise OSError(-code, os.strerror(-code))

    def flush(self):
        self.ask(0x102, 5)
        self.ack()

    def timeout_policy(self, name, family, unreplied_s, replied_s):
        """What nfct(8) does: "add timeout NAME inet udp ..."."""
        data = attr(1, struct.pack('!I', unreplied_s)) + attr(
            2, struct.pack('!I', replied_s))
        self.ask(0x800, 0x405, body=attr(1, name.encode() + b'\0') +
                 attr(2, struct.pack('!H', family)) + attr(3, b'\x11') +
                 attr(0x8004, data))
        self.ack()

    def table(self):
        """{(src, dst, proto, sport, dport): (seconds left, helper)}"""
        out = {}
        self.ask(0x101, 0x305)
        while True:
            data = self.s.recv(1 << 20)
            while data:
                n, kind = struct.unpack_from('=IH', data)
                if kind == 3:
                    return out
                entry(out, attrs(data[20:n]))
                data = data[(n + 3) & ~3:]


def attr(kind, body):
    return struct.pack('=HH', 4 + len(body), kind) + body + bytes(
        -len(body) % 4)


def attrs(data):
    out = {}
    while len(data) >= 4:
        n, kind = struct.unpack_from('=HH', data)
        out[kind & 0x3fff] = data[4:n]
        data = data[(n + 3) & ~3:]
    return out


def entry(out, a):
    t = attrs(a[1])
    ip, proto = attrs(t[1]), attrs(t[2])
    if 2 not in proto:
        return
    key = (ip.get(1) or ip[3], ip.get(2) or ip[4], proto[1][0],
           struct.unpack('!H', proto[2])[0], struct.unpack('!H', proto[3])[0])
    helper = attrs(a[5])[1].rstrip(b'\0').decode() if 5 in a else '-'
    left = struct.unpack('!I', a[7])[0] if 7 in a else 0
    out[key] = (left, helper)


NFT_OUTPUT_JSON = 1 << 4  # nftables/libnftables.h


class Nft:
    """libnftables, which nft(8) is a thin face of: no process per ruleset."""

    def __init__(self):
        try:
            self.lib = ctypes.CDLL('libnftables.so.1')
        except OSError:
            print('no libnftables: skipped')
            sys.exit(77)
        for f in ('nft_ctx_new', 'nft_ctx_get_output_buffer',
                  'nft_ctx_get_error_buffer'):
            getattr(self.lib, f).restype = ctypes.c_void_p
        self.ctx = ctypes.c_void_p(self.lib.nft_ctx_new(0))
        self.lib.nft_ctx_buffer_output(self.ctx)
        self.lib.nft_ctx_buffer_error(self.ctx)

    def do(self, text):
        """@return (what it said, what was wrong or None)"""
        rc = self.lib.nft_run_cmd_from_buffer(self.ctx, text.encode())
        out, err = (ctypes.string_at(f(self.ctx)).decode() for f in (
            self.lib.nft_ctx_get_output_buffer,
            self.lib.nft_ctx_get_error_buffer))
        return out, (err or 'refused') if rc else None

    def as_json(self):
        """@return the ruleset as `nft -j list ruleset` shows it; '' from a
        library without JSON"""
        self.lib.nft_ctx_output_set_flags(self.ctx, NFT_OUTPUT_JSON)
        out, why = self.do('list ruleset')
        self.lib.nft_ctx_output_set_flags(self.ctx, 0)
        return '' if why else out


def tap(dev):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.setsockopt(263, 23, 1)  # PACKET_IGNORE_OUTGOING
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    s.bind((dev, 0))
    s.settimeout(10)
    return s


def far_side(chan):
    """In a namespace of its own: both wires' other ends, without addresses,
    so that its kernel answers nothing by itself."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        os._exit(1)
    chan.send(b'1')
    chan.recv(1)
    for dev in ('h0', 'p0'):
        run('ip', 'link', 'set', dev, 'up')
    socks = [tap('h0'), tap('p0')]
    socket.send_fds(chan, [b'x'], [s.fileno() for s in socks])
    chan.recv(1)
    os._exit(0)


class Net:
    def __init__(self, k):
        """The k-th of several; this process leaves for a network of its
        own."""
        # One processor: what was queued first is then seen first.
        cpus = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cpus[k % len(cpus)]})
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), 'unshare')
        self.chan, there = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            self.chan.close()
            far_side(there)
        there.close()
        self.chan.recv(1)
        self.wire()
        self.chan.send(b'2')
        _, fds, _, _ = socket.recv_fds(self.chan, 16, 2)
        self.h0, self.p0 = (socket.socket(fileno=fd) for fd in fds)
        self.lan, self.wan = tap('lan'), tap('wan')
        self.raw = {}
        for family, level, option in ((socket.AF_INET, 0, 3),
                                      (socket.AF_INET6, 41, 36)):
            s = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
            s.setsockopt(level, option, 1)  # the header is in the data
            self.raw[family] = s
        self.local = [socket.socket(f, socket.SOCK_RAW, p) for f in (
            socket.AF_INET, socket.AF_INET6) for p in (TCP, UDP)]
        self.conntrack = Conntrack()
        self.nft = Nft()

    def wire(self):
        for near, far, addrs in (('lan', 'h0', (LAN4 + '/24', LAN6 + '/64')),
                                 ('wan', 'p0', (WAN4 + '/24', WAN6 + '/64'))):
            run('ip', 'link', 'add', near, 'address', MAC[near], 'type',
                'veth', 'peer', 'name', far, 'address', MAC[far])
            run('ip', 'link', 'set', far, 'netns', str(self.pid))
            for a in addrs:
                run('ip', 'addr', 'add', a, 'dev', near,
                    *(['nodad'] if ':' in a else []))
            run('ip', 'link', 'set', near, 'up')
        run('ip', 'link', 'set', 'lo', 'up')
        for dev, far, ips in (('lan', 'h0', HOSTS + HOSTS6),
                              ('wan', 'p0', PEERS + PEERS6)):
            for a in ips:
                run('ip', 'neigh', 'replace', a, 'lladdr', MAC[far], 'dev',
                    dev, 'nud', 'permanent')
        for path in ('ipv4/ip_forward', 'ipv6/conf/all/forwarding'):
            with open('/proc/sys/net/' + path, 'w') as f:
                f.write('1')

    def close(self):
        self.chan.close()
        os.waitpid(self.pid, 0)

    def send(self, packets, path):
        """Send all, each marked by its index.
        @return {index: the packet's five as they arrived}"""
        self.forget()
        got = {}
        for i, (src, dst, proto, sport, dport) in enumerate(packets):
            ip = datagram(packed(src), packed(dst), proto, sport, dport, i)
            if path == 'output':
                try:
                    self.raw[family_of(src)].sendto(ip, (dst, 0))
                except OSError:
                    pass  # a firewall says so to its own programs
            else:
                self.h0.send(frame('lan', 'h0', ip))
            if i % AT_ONCE == AT_ONCE - 1:
                got.update(self.arrived(self.h0, self.p0, False))
        got.update(self.arrived(self.h0, self.p0, False))
        return got

    def answer(self, got, path):
        """Answer what arrived. @return {index: ...} of answers heard"""
        heard = {}
        self.forget()
        for n, (i, p) in enumerate(got.items()):
            src, dst, proto, sport, dport = p
            ip = datagram(dst, src, proto, dport, sport, i, True)
            self.p0.send(frame('wan', 'p0', ip))
            if n % AT_ONCE == AT_ONCE - 1:
                heard.update(self.arrived(self.p0, self.h0, True))
        heard.update(self.arrived(self.p0, self.h0, True))
        return heard if path == 'forward' else self.at_home()

    def forget(self):
        """What NAT sent back where it came from is nobody's now: its mark
        would be taken for that of another packet."""
        self.at_home()
        for s in (self.h0, self.p0):
            while True:
                try:
                    s.recv(2048, socket.MSG_DONTWAIT)
                except BlockingIOError:
                    break

    def at_home(self):
        """What reached the router itself."""
        heard = {}
        for s in self.local:
            is6, proto = s.family == socket.AF_INET6, s.proto
            while True:
                try:
                    data = s.recv(2048, socket.MSG_DONTWAIT)
                except BlockingIOError:
                    break
                # only a raw socket of IPv4 shows the header before it
                if is6:
                    data = b'\x60\0\0\0\0\0' + bytes([proto]) + bytes(
                        33) + data
                p = dissect(data)
                if p and p[6] is not False:
                    heard[p[5]] = p[:5]
        return heard

    def arrived(self, first, last, is_reply):
        """Behind all frames goes one of no protocol that filters see; where
        the router hands it on, all frames before it were judged."""
        near_in, near_out = ((self.lan, self.wan) if first is self.h0 else
                             (self.wan, self.lan))
        first.send(b'\xff' * 6 + mac('h0') + MARK + bytes(46))
        self.until_mark(near_in)
        near_out.send(b'\xff' * 6 + mac('wan') + MARK + bytes(46))
        got = {}
        for data in self.until_mark(last):
            p = data[12:14] in (b'\x08\x00', b'\x86\xdd') and dissect(
                data[14:])
            if p and p[6] in (None, is_reply):
                got[p[5]] = p[:5]
        return got

    @staticmethod
    def until_mark(s):
        out = []
        while True:
            data = s.recv(2048)
            if data[12:14] == MARK:
                return out
            out.append(data)


def frame(to, of, ip):
    return mac(to) + mac(of) + (b'\x86\xdd' if ip[0] >> 4 == 6 else
                                b'\x08\x00') + ip
