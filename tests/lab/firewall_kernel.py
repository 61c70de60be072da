#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Rulesets of nftables and iptables: what we predict against what the kernel
does, with real packets through a router between two hosts.

usage: firewall_kernel.py FIREWALL_DECIDE

Rulesets as people have them are in rulesets/ (.nft, .rules of iptables-save,
.rules6 of ip6tables-save); others are generated. The environment sets how
many: PRUMO_KERNEL_CASES (default 200), and PRUMO_KERNEL_SEED. Exit status 77: no right to make namespaces here.
"""
import ctypes
import errno
import json
import os
import random
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile

HOST, PEER, WAN4, LAN4 = '192.0.2.2', '198.51.100.2', '198.51.100.1', '192.0.2.1'
PEERS = ['198.51.100.2', '198.51.100.3', '198.51.100.77', '198.51.100.130']
HOSTS = ['192.0.2.2', '192.0.2.9']
HOSTS6 = ['2001:db8:1::2', '2001:db8:1::9']
PEERS6 = ['2001:db8:2::2', '2001:db8:2::3', '2001:db8:2::77', '2001:db8:2::130']
WAN6, LAN6 = '2001:db8:2::1', '2001:db8:1::1'
RULESETS = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'rulesets')
PORTS = [53, 80, 443, 5059, 5060, 5061, 5080, 9999, 10000, 30000, 65535]
SPORTS = [1024, 5060, 40000]
CLONE_NEWNET = 0x40000000
NEW = 1


def inside():
    """Run ourselves again in new namespaces, where we are root."""
    if os.environ.get('PRUMO_KERNEL_INSIDE'):
        return
    probe = subprocess.run(['unshare', '-Urn', 'true'], capture_output=True)
    if probe.returncode or not tools():
        print('cannot make namespaces, or nft or ip is missing: skipped')
        sys.exit(77)
    os.environ['PRUMO_KERNEL_INSIDE'] = '1'
    os.execvp('unshare', ['unshare', '-Urnm', '--', sys.executable] + sys.argv)


def tools():
    paths = '/usr/sbin:/sbin:' + os.environ.get('PATH', '')
    os.environ['PATH'] = paths
    return has_tool('nft') and has_tool('ip')


def has_tool(name):
    return any(os.access(os.path.join(p, name), os.X_OK)
               for p in os.environ['PATH'].split(':'))


def run(*args, **kw):
    return subprocess.run(args, check=True, capture_output=True, text=True, **kw)


class Host:
    """A namespace of its own, kept alive by a process that opens sockets."""

    def __init__(self):
        self.here, there = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            self.here.close()
            if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
                os._exit(1)
            there.send(b'1')
            serve(there)
        there.close()
        self.here.recv(1)

    def sockets(self, specs):
        """Ask for sockets: a list of (kind, address, port, rcv-only)."""
        out = []
        for i in range(0, len(specs), 100):
            part = specs[i:i + 100]
            self.here.send(repr(part).encode())
            _, fds, _, _ = socket.recv_fds(self.here, 16, 128)
            out += [socket.socket(fileno=fd) for fd in fds]
        return out

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.here.close()


def serve(chan):
    run('ip', 'link', 'set', 'lo', 'up')
    while True:
        order = chan.recv(65536)
        if not order:
            os._exit(0)
        socks = []
        for kind, addr, port in eval(order):
            family = socket.AF_INET6 if ':' in addr else socket.AF_INET
            s = socket.socket(family, getattr(socket, kind),
                              0 if kind != 'SOCK_RAW' else socket.IPPROTO_TCP)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((addr, port))
            s.setblocking(False)
            socks.append(s)
        socket.send_fds(chan, [b'x'], [s.fileno() for s in socks])
        for s in socks:
            s.close()


def mac(ip, dev):
    return json.loads(run(*ip, '-j', 'link', 'show', 'dev', dev).stdout)[0]['address']


def wire(host, peer):
    run('ip', 'link', 'add', 'lan', 'type', 'veth', 'peer', 'name', 'h0')
    run('ip', 'link', 'add', 'wan', 'type', 'veth', 'peer', 'name', 'p0')
    run('ip', 'link', 'set', 'h0', 'netns', str(host.pid))
    run('ip', 'link', 'set', 'p0', 'netns', str(peer.pid))
    for dev, addr, addr6 in (('lan', LAN4, LAN6), ('wan', WAN4, WAN6)):
        run('ip', 'addr', 'add', addr + '/24', 'dev', dev)
        run('ip', 'addr', 'add', addr6 + '/64', 'dev', dev, 'nodad')
        run('ip', 'link', 'set', dev, 'up')
    run('ip', 'link', 'set', 'lo', 'up')
    for pid, dev, addrs, addrs6, gw, gw6 in (
            (host.pid, 'h0', HOSTS, HOSTS6, LAN4, LAN6),
            (peer.pid, 'p0', PEERS, PEERS6, WAN4, WAN6)):
        ns = ['nsenter', '-t', str(pid), '-n', 'ip']
        for a in addrs:
            run(*ns, 'addr', 'add', a + '/24', 'dev', dev)
        for a in addrs6:
            run(*ns, 'addr', 'add', a + '/64', 'dev', dev, 'nodad')
        run(*ns, 'link', 'set', dev, 'up')
        run(*ns, 'route', 'add', 'default', 'via', gw)
        run(*ns, '-6', 'route', 'add', 'default', 'via', gw6)
        # Nobody waits for a neighbour to answer, through whatever firewall.
        near = 'lan' if dev == 'h0' else 'wan'
        run(*ns, 'neigh', 'replace', gw6, 'lladdr', mac(['ip'], near), 'dev', dev)
        for a in addrs6:
            run('ip', 'neigh', 'replace', a, 'lladdr', mac(ns, dev), 'dev', near)
    for path in ('ipv4/ip_forward', 'ipv6/conf/all/forwarding'):
        with open('/proc/sys/net/' + path, 'w') as f:
            f.write('1')


def checksum(b):
    s = sum((b[i] << 8) + b[i + 1] for i in range(0, len(b), 2))
    s = (s >> 16) + (s & 0xffff)
    return ~(s + (s >> 16)) & 0xffff


def syn(src, dst, sport, dport, mark):
    """A SYN whose sequence number tells us which packet it was."""
    tcp = (sport.to_bytes(2, 'big') + dport.to_bytes(2, 'big') +
           mark.to_bytes(4, 'big') + bytes(4) + b'\x50\x02\xff\xff' + bytes(4))
    family = socket.AF_INET6 if ':' in src else socket.AF_INET
    pseudo = (socket.inet_pton(family, src) + socket.inet_pton(family, dst) +
              b'\0\6' + len(tcp).to_bytes(2, 'big') + tcp)
    return tcp[:16] + checksum(pseudo).to_bytes(2, 'big') + tcp[18:]


class Net:
    def __init__(self):
        self.host, self.peer = Host(), Host()
        wire(self.host, self.peer)
        self.udp_out = {}
        keys = [(a, p) for a in HOSTS + HOSTS6 for p in SPORTS]
        for k, s in zip(keys, self.host.sockets([('SOCK_DGRAM', *k) for k in keys])):
            self.udp_out[k] = s
        keys = [(a, p) for a in PEERS + PEERS6 for p in PORTS]
        socks = self.peer.sockets([('SOCK_DGRAM', *k) for k in keys])
        self.udp_in = dict(zip(socks, keys))
        self.raw_out = dict(zip(HOSTS + HOSTS6, self.host.sockets(
            [('SOCK_RAW', a, 0) for a in HOSTS + HOSTS6])))
        self.raw_in = self.peer.sockets(
            [('SOCK_RAW', a, 0) for a in PEERS + PEERS6])
        # The peers' kernels would refuse a SYN; nobody listens to that.
        run('nsenter', '-t', str(self.peer.pid), '-n', 'nft',
            'add table inet q; add chain inet q o { type filter hook output priority 0; };'
            'add rule inet q o tcp flags rst drop')

    def send(self, packets):
        """Send all; return the set of indexes that arrived."""
        for i, (src, dst, proto, sport, dport) in enumerate(packets):
            try:
                if proto == 17:
                    self.udp_out[src, sport].sendto(i.to_bytes(4, 'big'), (dst, dport))
                else:
                    self.raw_out[src].sendto(syn(src, dst, sport, dport, i), (dst, 0))
            except OSError as e:  # an ICMP error of an earlier packet
                if e.errno not in (errno.EPERM, errno.EACCES, errno.ECONNREFUSED,
                                   errno.EHOSTUNREACH):
                    raise
                if proto == 17:
                    self.udp_out[src, sport].sendto(i.to_bytes(4, 'big'), (dst, dport))
        return self.collect(len(packets))

    def collect(self, n):
        got = set()
        socks = list(self.udp_in) + self.raw_in
        while True:
            ready = select.select(socks, [], [], 0.01)[0]
            if not ready:
                return got
            for s in ready:
                data = s.recv(2048)
                if s in self.udp_in:
                    got.add(int.from_bytes(data[:4], 'big'))
                    continue
                # only a raw socket of IPv4 shows the header before it
                is6 = s.family == socket.AF_INET6
                tcp = data if is6 else data[(data[0] & 15) * 4:]
                if tcp[13] == 2:
                    got.add(int.from_bytes(tcp[4:8], 'big'))

    def close(self):
        self.host.close()
        self.peer.close()


# Generated rulesets -------------------------------------------------------

def pick(rnd, values, most=3):
    return rnd.sample(values, rnd.randint(1, min(most, len(values))))


def span(rnd):
    a, b = sorted(rnd.sample(PORTS, 2))
    return a, b


def nft_ports(rnd):
    kind = rnd.random()
    if kind < 0.3:
        return '%s%d' % (rnd.choice(['', '', '!= ', '< ', '<= ', '> ', '>= ']),
                         rnd.choice(PORTS[:-1]))
    if kind < 0.6:
        return '%s%d-%d' % ((rnd.choice(['', '!= ']),) + span(rnd))
    return '%s{ %s }' % (rnd.choice(['', '!= ']), ', '.join(
        str(p) for p in pick(rnd, PORTS)))


def nft_addrs(rnd, values):
    kind = rnd.random()
    no = rnd.choice(['', '', '!= '])
    base = values[0].rsplit('.', 1)[0]
    if kind < 0.3:
        return no + rnd.choice(values)
    if kind < 0.5:
        return '%s%s.%d/%d' % (no, base, rnd.choice([0, 64, 128]), rnd.choice([25, 26, 30]))
    if kind < 0.7:
        return '%s%s.%d-%s.%d' % (no, base, rnd.randint(0, 9), base, rnd.randint(10, 200))
    return '%s{ %s }' % (no, ', '.join(pick(rnd, values)))


def nft_match(rnd):
    out = []
    if rnd.random() < 0.25:
        out.append('iifname %s"%s"' % (rnd.choice(['', '!= ']),
                                       rnd.choice(['lan', 'wan', 'la*', 'eth*'])))
    if rnd.random() < 0.25:
        out.append('oifname %s{ %s }' % (rnd.choice(['', '!= ']), ', '.join(
            '"%s"' % i for i in pick(rnd, ['lan', 'wan', 'x9']))))
    if rnd.random() < 0.2:
        out.append('ct state %s' % rnd.choice(
            ['new', 'established,related', '!= new', 'invalid', '{ new, related }']))
    if rnd.random() < 0.3:
        out.append('ip saddr ' + nft_addrs(rnd, HOSTS))
    if rnd.random() < 0.5:
        out.append('ip daddr ' + nft_addrs(rnd, PEERS))
    if rnd.random() < 0.1:
        out.append('ip daddr @peers')
    kind = rnd.random()
    if kind < 0.35:
        out.append('%s dport %s' % (rnd.choice(['tcp', 'udp']), nft_ports(rnd)))
    elif kind < 0.5:
        out.append('meta l4proto { tcp, udp } th dport ' + nft_ports(rnd))
    elif kind < 0.6:
        out.append('meta l4proto %s%s' % (rnd.choice(['', '!= ']), rnd.choice(['tcp', 'udp'])))
    elif kind < 0.7:
        out.append('%s sport %d dport'.replace(' dport', '') % (
            rnd.choice(['tcp', 'udp']), rnd.choice(SPORTS)))
    elif kind < 0.75:
        out.append('meta l4proto . th dport @svc')
    elif kind < 0.8:
        out.append('ip daddr . udp dport { %s . %d, %s . %d-%d }' % (
            (PEERS[0], rnd.choice(PORTS), PEERS[1]) + span(rnd)))
    if rnd.random() < 0.1:
        out.append('counter')
    return ' '.join(out)


def nft_rule(rnd, chains):
    if rnd.random() < 0.08:
        ports = rnd.sample(PORTS, 3)
        return '%s dport vmap { %s }' % (rnd.choice(['tcp', 'udp']), ', '.join(
            '%d : %s' % (p, rnd.choice(['accept', 'drop', 'continue', 'return'] +
                                       ['jump ' + c for c in chains])) for p in ports))
    verdicts = ['accept', 'drop', 'accept', 'drop', 'return', 'continue', 'reject']
    verdicts += ['jump ' + c for c in chains] + ['goto ' + c for c in chains]
    return (nft_match(rnd) + ' ' + rnd.choice(verdicts)).strip()


def nft_ruleset(rnd):
    """Chains may call only later ones: no loops."""
    subs = ['sub%d' % i for i in range(rnd.randint(0, 3))]
    lines = ['table inet fw {',
             '\tset peers { type ipv4_addr; flags interval; elements = { %s } ; }' %
             ', '.join(pick(rnd, PEERS)),
             '\tset svc { type inet_proto . inet_service; elements = { tcp . 80, udp . 5060, udp . %d } ; }'
             % rnd.choice([53, 443, 9999])]
    for i, s in enumerate(subs):
        lines.append('\tchain %s {' % s)
        lines += ['\t\t' + nft_rule(rnd, subs[i + 1:]) for _ in range(rnd.randint(1, 5))]
        lines.append('\t}')
    for hook, prio in [('forward', 0)] + rnd.sample(
            [('prerouting', -300), ('prerouting', -150), ('postrouting', 0),
             ('forward', 10), ('forward', -5)], rnd.randint(0, 2)):
        lines.append('\tchain %s%d {' % (hook[:4], prio + 300))
        lines.append('\t\ttype filter hook %s priority %d; policy %s;' % (
            hook, prio, rnd.choice(['accept', 'drop'] if hook == 'forward' else ['accept'])))
        for _ in range(rnd.randint(1, 8)):
            rule = nft_rule(rnd, subs)
            if hook != 'prerouting' or 'oifname' not in rule and 'reject' not in rule:
                lines.append('\t\t' + rule)
        lines.append('\t}')
    # A prerouting chain may reach a reject by a jump: not possible there.
    text = '\n'.join(lines + ['}', ''])
    if 'hook prerouting' in text or 'hook postrouting' in text:
        text = text.replace('reject', 'drop')
    return text


def ipt_match(rnd):
    out = []
    if rnd.random() < 0.25:
        out.append('%s-i %s' % (rnd.choice(['', '! ']), rnd.choice(['lan', 'wan', 'la+'])))
    if rnd.random() < 0.25:
        out.append('%s-o %s' % (rnd.choice(['', '! ']), rnd.choice(['lan', 'wan', 'w+'])))
    if rnd.random() < 0.3:
        out.append('%s-s %s' % (rnd.choice(['', '! ']), rnd.choice(
            HOSTS + ['192.0.2.0/30', '192.0.2.0/24'])))
    if rnd.random() < 0.5:
        out.append('%s-d %s' % (rnd.choice(['', '! ']), rnd.choice(
            PEERS + ['198.51.100.0/25', '198.51.100.128/25'])))
    elif rnd.random() < 0.3:
        out.append('-m iprange %s--dst-range 198.51.100.2-198.51.100.%d' % (
            rnd.choice(['', '! ']), rnd.randint(3, 140)))
    kind = rnd.random()
    if kind < 0.7:
        out.append('-p ' + rnd.choice(['tcp', 'udp']))
        if rnd.random() < 0.5:
            out.append('-m multiport %s--%s %s' % (
                rnd.choice(['', '! ']), 'dports', ','.join(
                    str(p) for p in pick(rnd, PORTS)) + ',%d:%d' % span(rnd)))
        else:
            out.append('%s--dport %d:%d' % ((rnd.choice(['', '! ']),) + span(rnd)))
        if 'multiport' not in out[-1] and rnd.random() < 0.2:
            out.append('%s--sport %d' % (rnd.choice(['', '! ']), rnd.choice(SPORTS)))
    elif kind < 0.8:
        out.append('! -p ' + rnd.choice(['tcp', 'udp']))
    if rnd.random() < 0.2:
        out.append('-m conntrack %s--ctstate %s' % (
            rnd.choice(['', '! ']), rnd.choice(['NEW', 'RELATED,ESTABLISHED', 'INVALID'])))
    if rnd.random() < 0.1:
        out.append('-m comment --comment "a \\"b\\" c"')
    return ' '.join(out)


def ipt_ruleset(rnd):
    subs = ['S%d' % i for i in range(rnd.randint(0, 3))]
    lines = ['*filter', ':INPUT ACCEPT [0:0]',
             ':FORWARD %s [0:0]' % rnd.choice(['ACCEPT', 'DROP']), ':OUTPUT ACCEPT [0:0]']
    lines += [':%s - [0:0]' % s for s in subs]
    for i, c in enumerate(['FORWARD'] + subs):
        later = subs[i:]
        for _ in range(rnd.randint(1, 8)):
            verdict = rnd.choice(['-j ACCEPT', '-j DROP', '-j ACCEPT', '-j DROP', '-j RETURN',
                                  '-j REJECT --reject-with icmp-port-unreachable'] +
                                 ['-j ' + s for s in later] + ['-g ' + s for s in later])
            lines.append(' '.join(['-A', c, ipt_match(rnd), verdict]).replace('  ', ' '))
    return '\n'.join(lines + ['COMMIT', ''])


# The comparison -----------------------------------------------------------

def packets(rnd, n, hosts=HOSTS, peers=PEERS):
    return [(rnd.choice(hosts), rnd.choice(peers), rnd.choice([6, 17]),
             rnd.choice(SPORTS), rnd.choice(PORTS)) for _ in range(n)]


def predict(decide, text, pkts):
    with tempfile.NamedTemporaryFile('w', suffix='.rules') as f:
        f.write(text)
        f.flush()
        ask = ''.join('forward lan wan %s %s %d %d %d %d\n' % (*p, NEW) for p in pkts)
        out = subprocess.run([decide, f.name], input=ask, capture_output=True, text=True)
        if out.returncode:
            raise AssertionError('not read:\n%s\n%s' % (text, out.stderr))
        return [line.split() for line in out.stdout.splitlines()]


def load(text, tool):
    run('nft', 'flush ruleset')
    how = ['nft', '-f', '-'] if tool == 'nft' else [tool + '-restore']
    return subprocess.run(how, input=text, capture_output=True, text=True)


def listing(tool):
    return run(*(['nft', 'list', 'ruleset'] if tool == 'nft' else [tool + '-save'])).stdout


def compare(net, decide, text, tool, pkts, is_script=False):
    """A script says things that no listing does: only its listing is read.
    @return how many packets, how many not predicted, what was wrong"""
    done = load(text, tool)
    if done.returncode:
        return 0, 0, [('the kernel refused it', done.stderr, text)]
    shown = listing(tool)
    text = shown if is_script else text
    # Ports are reused: no packet may meet the connection of another one.
    fresh = list(dict.fromkeys(pkts))
    said = predict(decide, text, fresh)
    listed = predict(decide, shown, fresh)
    subprocess.run(['conntrack', '-F'], capture_output=True)
    got = net.send(fresh)
    bad = []
    unknown = 0
    for i, p in enumerate(fresh):
        if [said[i][0], said[i][2:]] != [listed[i][0], listed[i][2:]]:
            bad.append(('text and listing differ', p, said[i], listed[i], text, shown))
        if said[i][0] == 'unknown':
            unknown += 1
        elif (said[i][0] == 'pass') != (i in got):
            bad.append(('predicted %s by line %s' % (said[i][0], said[i][1]),
                        'the kernel %s' % ('passed it' if i in got else 'dropped it'),
                        p, text))
    return len(fresh), unknown, bad


TOOLS = {'.nft': 'nft', '.rules': 'iptables', '.rules6': 'ip6tables'}


def found(net, decide, rnd, name):
    """A ruleset as people have them: what it says must be known, both ways."""
    tool = TOOLS[os.path.splitext(name)[1]]
    if not has_tool('nft' if tool == 'nft' else tool + '-restore'):
        return 0, 0, []
    with open(os.path.join(RULESETS, name)) as f:
        text = f.read()
    pkts = []
    if tool != 'ip6tables':
        pkts += packets(rnd, 300)
    if tool != 'iptables':
        pkts += packets(rnd, 300, HOSTS6, PEERS6)
    n, unknown, bad = compare(net, decide, text, tool, pkts, tool == 'nft')
    if not bad and unknown * 10 > n:
        bad = [(name, '%d of %d packets are not predicted' % (unknown, n))]
    return n, unknown, bad


CT = '''table inet fw {
	ct helper h { type "sip" protocol udp; }
	ct timeout t { protocol udp; policy = { unreplied : %d, replied : %d } ; }
	chain pre { type filter hook prerouting priority filter; policy accept;
		%s ct helper set "h"
		%s ct timeout set "t"
	}
}
'''


def attributes(net, decide, rnd):
    """Helper and session time, as the kernel's own table shows them."""
    idle = rnd.choice([77, 300, 1234])
    text = (CT % (idle, idle, 'udp dport %s' % nft_ports(rnd),
                  'ip daddr ' + nft_addrs(rnd, PEERS)))
    text = text.replace('; }\n\tct', '\n\t}\n\tct').replace(' ; }\n', '\n\t}\n')
    done = load(text, 'nft')
    if done.returncode:
        return 0, [('the kernel refused it', done.stderr, text)]
    subprocess.run(['conntrack', '-F'], capture_output=True)
    pkts = [p for p in dict.fromkeys(packets(rnd, 40)) if p[2] == 17]
    said = predict(decide, text, pkts)
    net.send(pkts)
    table = run('conntrack', '-L', '-p', 'udp').stdout
    bad = []
    for p, s in zip(pkts, said):
        m = re.search(r'udp\s+17 (\d+) src=%s dst=%s sport=%d dport=%d .*' % (
            p[0], p[1], p[3], p[4]), table)
        if not m:
            bad.append(('no connection', p, text))
            continue
        has_helper = 'helper=sip' in m.group(0)
        left = int(m.group(1))
        want = int(s[3]) if int(s[3]) > 0 else None
        if has_helper != (s[2] == 'sip'):
            bad.append(('helper', p, s, m.group(0), text))
        if (want is None) != (left <= 30) or (want and not want - 3 <= left <= want):
            bad.append(('session time', p, s, m.group(0), text))
    return len(pkts), bad


def main():
    inside()
    decide = os.path.abspath(sys.argv[1])
    cases = int(os.environ.get('PRUMO_KERNEL_CASES', '200'))
    rnd = random.Random(int(os.environ.get('PRUMO_KERNEL_SEED', '1')))
    has_ipt = has_tool('iptables-restore')
    names = sorted(os.listdir(RULESETS))
    net = Net()
    n_pkts = n_unknown = n_ct = 0
    bad = []
    try:
        for name in names:
            n, u, b = found(net, decide, rnd, name)
            n_pkts, n_unknown, bad = n_pkts + n, n_unknown + u, bad + b
        for i in range(cases):
            tool = 'iptables' if has_ipt and i % 2 else 'nft'
            text = nft_ruleset(rnd) if tool == 'nft' else ipt_ruleset(rnd)
            n, u, b = compare(net, decide, text, tool, packets(rnd, 60))
            n_pkts, n_unknown, bad = n_pkts + n, n_unknown + u, bad + b
        for i in range(max(cases // 10, 5)):
            n, b = attributes(net, decide, rnd)
            n_ct, bad = n_ct + n, bad + b
    finally:
        net.close()
    print('%d rulesets, %d packets, %d not predicted, %d connections: %d disagreements'
          % (len(names) + cases, n_pkts, n_unknown, n_ct, len(bad)))
    for b in bad[:3]:
        print('\n'.join(str(x) for x in b), file=sys.stderr)
    sys.exit(1 if bad else 0)


if __name__ == '__main__':
    main()
