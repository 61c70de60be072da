#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Rulesets of nftables and iptables: what we predict against what the kernel
does, with real packets through a router, their answers, and the kernel's own
table of connections.

usage: firewall_kernel.py FIREWALL_DECIDE

Rulesets as people have them are in rulesets/ (.nft, .rules of iptables-save,
.rules6 of ip6tables-save, .rules46 for both); those that nftables comes with
are taken where they are installed; others are generated (firewall_rulesets.py).
The environment sets how many: PRUMO_KERNEL_CASES (default 2000), and every how
many of them what the tools list is read as well, as text and as JSON:
PRUMO_KERNEL_LISTED (default 8), and PRUMO_KERNEL_SEED. Exit status 77: no right to make namespaces here.
"""
import multiprocessing
import os
import random
import socket
import subprocess
import sys
import time

from firewall_net import (HOSTS, HOSTS6, PEERS, PEERS6, PORTS, SPORTS, TCP,
                          UDP, WAN4, WAN6, Net, has_tool, inside, packed, run)
from firewall_rulesets import ipt_ruleset, nft_addrs, nft_ports, nft_ruleset

RULESETS = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'rulesets')
EXAMPLES = '/usr/share/doc/nftables/examples'
TOOLS = {'.nft': 'nft', '.rules': 'iptables', '.rules6': 'ip6tables',
         '.rules46': 'both'}
BOTH = {'both': ['iptables', 'ip6tables']}
POLICY_S = 5000  # the session time of "CT --timeout prumo"
UNKNOWN_S = -2
HELPER_S = 3600  # what the SIP helper gives
WORKERS = 4
LISTED = int(os.environ.get('PRUMO_KERNEL_LISTED', '8'))
WAIT_S = 2.1     # before that, no UDP session counts as a stream


class Decide:
    """firewall_decide, asked over pipes."""

    def __init__(self, path):
        self.p = subprocess.Popen([path], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True,
                                  stderr=subprocess.PIPE)

    def __call__(self, text, packets, path='forward', way='new', settings=()):
        ends = 'lan wan' if path == 'forward' else '- wan'
        ask = ['rules %d\n%s' % (len(text.encode()), text)]
        ask += ['set %s %d\n' % s for s in settings]
        ask += ['%s %s %s %s %d %d %d %s\n' % (path, ends, *p, way)
                for p in packets]
        self.p.stdin.write(''.join(ask) + 'go\n')
        self.p.stdin.flush()
        out = [self.p.stdout.readline().split() for _ in packets]
        if packets and not out[-1]:
            raise AssertionError('not read:\n%s\n%s' % (
                text, self.p.stderr.read()))
        return out


def packets(rnd, n, hosts, peers, protos=(TCP, UDP)):
    return list(dict.fromkeys(
        (rnd.choice(hosts), rnd.choice(peers), rnd.choice(protos),
         rnd.choice(SPORTS), rnd.choice(PORTS)) for _ in range(n)))


class Compare:
    def __init__(self, net, decide):
        self.net, self.decide = net, decide
        self.n_packets = self.n_unknown = self.n_connections = 0
        self.n_rulesets = self.n_json = self.n_apart = 0
        self.bad = []

    def load(self, text, tool, is_script):
        if tool == 'nft' and not is_script:
            return self.net.nft.do('flush ruleset\n' + text)[1]
        self.net.nft.do('flush ruleset')
        # A script's variables would outlive it in the library.
        hows = [['nft', '-f', '-']] if is_script else [
            [t + '-restore'] for t in BOTH.get(tool, [tool])]
        for how in hows:
            done = subprocess.run(how, input=text, text=True,
                                  capture_output=True)
            if done.returncode:
                return done.stderr
        return None

    def listing(self, tool):
        if tool == 'nft':
            return self.net.nft.do('list ruleset')[0]
        return ''.join(run(t + '-save').stdout
                       for t in BOTH.get(tool, [tool]))

    def wrong(self, *what):
        self.bad.append(what)

    def case(self, text, tool, pkts, path='forward', is_listed=False,
             is_script=False):
        """A script says things that no listing does: only its listing is
        read."""
        self.n_rulesets += 1
        why = self.load(text, tool, is_script)
        if why:
            self.wrong('the kernel refused it', why, text)
            return
        if is_script:
            text = self.listing(tool)
        said = self.decide(text, pkts, path)
        if is_listed and not is_script:
            self.alike(text, self.listing(tool), pkts, said, path)
        if is_listed and tool != 'nft':
            # empty where the other iptables keeps rules out of its sight
            shown = self.net.nft.do('list ruleset')[0]
            if shown:
                self.alike(text, shown, pkts, said, path)
        if is_listed or is_script:
            shown = self.net.nft.as_json()
            self.n_json += bool(shown)
            if shown:
                self.alike(text, shown, pkts, said, path)
        self.net.conntrack.flush()
        got = self.net.send(pkts, path)
        self.verdicts(text, pkts, said, got, path, 'new')
        table = self.net.conntrack.table()
        back = self.decide(text, pkts, path, 'reply')
        heard = self.net.answer(got, path)
        kept = {i: p for i, p in enumerate(pkts) if i in got}
        self.verdicts(text, kept, back, heard, path, 'reply')
        self.connections(text, pkts, said, got, table)

    def alike(self, text, shown, pkts, said, path):
        for p, a, b in zip(pkts, said, self.decide(shown, pkts, path)):
            # A listing leaves out what other words imply: by one of the two
            # less may be known, and nothing else.
            known = [(x, y) for x, y, none in zip(
                [a[0]] + a[2:], [b[0]] + b[2:],
                ('unknown', '?', str(UNKNOWN_S))) if none not in (x, y)]
            if a[0] != 'unknown' != b[0] and any(x != y for x, y in known):
                self.wrong('text and listing differ', p, a, b, text, shown)
            self.n_apart += len(known) < 3 and [a[0]] + a[2:] != [
                b[0]] + b[2:]

    def verdicts(self, text, pkts, said, got, path, way):
        items = pkts.items() if isinstance(pkts, dict) else enumerate(pkts)
        for i, p in items:
            self.n_packets += 1
            if said[i][0] == 'unknown':
                self.n_unknown += 1
            elif (said[i][0] == 'pass') != (i in got):
                self.wrong('%s, %s: predicted %s by line %s' % (
                    path, way, said[i][0], said[i][1]), 'the kernel ' + (
                        'passed it' if i in got else 'dropped it'), p, text)
            elif i in got and way == 'new' and got[i][1] != packed(p[1]):
                self.wrong('predicted pass: it went elsewhere', p, got[i],
                           text)

    def connections(self, text, pkts, said, got, table, default_s=30):
        """Helper and session time of what passed, in the kernel's words. Of
        UDP not yet answered: the rulesets give both times alike."""
        for i, p in enumerate(pkts):
            key = (packed(p[0]), packed(p[1])) + p[2:]
            if p[2] != UDP or i not in got or key not in table:
                continue
            left, helper = table[key]
            self.n_connections += 1
            want = said[i][2]
            if want != '?' and (helper == 'sip') != (want == 'sip'):
                self.wrong('helper', p, said[i], helper, text)
            idle = int(said[i][3])
            if idle == UNKNOWN_S:
                # in nftables nothing but a doubt leaves it open
                is_right = text.startswith('table') or left > POLICY_S - 5
            elif want == '?' and helper == 'sip':
                is_right = left > HELPER_S - 3 >= idle - 3
            elif idle == 120:
                is_right = left <= default_s
            else:
                is_right = idle - 3 <= left <= idle
            if not is_right:
                self.wrong('session time', p, said[i], left, text)

    def found(self, rnd, name):
        """A ruleset as people have them: what it says must be known."""
        tool = TOOLS[os.path.splitext(name)[1]]
        if not has_tool('nft' if tool == 'nft' else 'iptables-restore'):
            return
        with open(os.path.join(RULESETS, name), encoding='utf-8') as f:
            text = f.read()
        before = self.n_packets, self.n_unknown
        if tool != 'ip6tables':
            self.case(text, tool, packets(rnd, 300, HOSTS, PEERS),
                      is_listed=tool == 'both', is_script=tool == 'nft')
        if tool != 'iptables':
            self.case(text, tool, packets(rnd, 300, HOSTS6, PEERS6),
                      is_listed=tool == 'both', is_script=tool == 'nft')
        if (self.n_unknown - before[1]) * 10 > self.n_packets - before[0]:
            self.wrong(name, 'too many packets are not predicted')

    def example(self, rnd, name):
        """One that nftables comes with, and that loads without its devices:
        what the tool lists of it."""
        with open(os.path.join(EXAMPLES, name), encoding='utf-8') as f:
            text = f.read()
        if self.load(text, 'nft', True):
            return
        for hosts, peers in ((HOSTS, PEERS), (HOSTS6, PEERS6)):
            self.case(text, 'nft', packets(rnd, 60, hosts, peers),
                      is_script=True)

    def generated(self, rnd, i, has_ipt):
        tool = 'nft'
        if has_ipt and i % 4 == 3:
            tool = rnd.choice(['iptables', 'iptables', 'ip6tables'])
        is6 = tool == 'ip6tables'
        text = nft_ruleset(rnd) if tool == 'nft' else ipt_ruleset(rnd, is6)
        path = rnd.choice(['forward'] * 4 + ['output'])
        pkts = []
        if not is6:
            pkts += packets(rnd, 40, HOSTS if path == 'forward' else [WAN4],
                            PEERS)
        if tool != 'iptables':
            pkts += packets(rnd, 40 if is6 else 20,
                            HOSTS6 if path == 'forward' else [WAN6], PEERS6)
        # Two that become one connection, or leave from one port: NAT would
        # tell them apart by another port.
        low = text.lower()
        one_far = 'dnat' in low
        one_near = 'masquerade' in low or 'snat' in low
        pkts = list({(p[0] * (not one_near), p[1] * (not one_far)) + p[2:]: p
                     for p in pkts}.values())
        self.case(text, tool, pkts, path, i % LISTED == 0)

    def streams(self, text, tool, pkts, settings):
        """Sessions that were answered, and spoke once more after a while."""
        self.n_rulesets += 1
        why = self.load(text, tool, False)
        if why:
            self.wrong('the kernel refused it', why, text)
            return
        said = self.decide(text, pkts, settings=settings)
        self.net.conntrack.flush()
        got = self.net.send(pkts, 'forward')
        self.net.answer(got, 'forward')
        time.sleep(WAIT_S)
        self.net.send(pkts, 'forward')
        table = self.net.conntrack.table()
        for i, p in enumerate(pkts):
            key = (packed(p[0]), packed(p[1])) + p[2:]
            if i not in got or key not in table:
                self.wrong('no session', p, said[i], text)
                continue
            left, helper = table[key]
            self.n_connections += 1
            if said[i][2] != '?' and (helper == 'sip') != (
                    said[i][2] == 'sip'):
                self.wrong('helper of a stream', p, said[i], helper, text)
            idle = int(said[i][3])
            if not (idle - 3 <= left <= idle or
                    idle == UNKNOWN_S and POLICY_S - 3 <= left <= POLICY_S):
                self.wrong('time of a stream', p, said[i], left, text)


STREAM = '''table inet fw {
	ct helper h {
		type "sip" protocol udp
		l3proto inet
	}
%s	chain one {
		type filter hook prerouting priority filter; policy accept;
%s	}
	chain two {
		type filter hook prerouting priority filter; policy accept;
%s	}
	chain early {
		type filter hook prerouting priority raw; policy accept;
		udp sport 1024 ct timeout set "t0"
		udp sport 1024 ct helper set "h"
	}
}
'''
TIMES = '''	ct timeout t%d {
		protocol udp
		l3proto ip
		policy = { %s }
	}
'''


def stream_rules(rnd):
    lines = [['\t\tip daddr %s udp dport %s ct timeout set "t%d"\n' % (
        nft_addrs(rnd, PEERS), nft_ports(rnd), rnd.randint(0, 3))
        for _ in range(4)] for _ in range(2)]
    lines[0].append('\t\tudp dport %s ct helper set "h"\n' %
                    rnd.choice(PORTS))
    times = ['unreplied : 200, replied : %d' % rnd.choice([301, 999]),
             'replied : 777', 'unreplied : 50', 'unreplied : 9, replied : 4000']
    return STREAM % (''.join(TIMES % t for t in enumerate(times)),
                     ''.join(lines[0]), ''.join(lines[1]))


STREAM_IPT = '''*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -p udp -m udp --dport 5060 -j CT --timeout prumo
-A PREROUTING -p udp -m udp --dport 5060:5061 -j CT --helper sip
-A PREROUTING -p udp -m udp --dport 80 -j CT --helper tftp
-A PREROUTING -p udp -m udp --dport 53:443 -j CT --helper sip --timeout prumo
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
COMMIT
'''


def sysctl(name, value):
    with open('/proc/sys/net/netfilter/' + name, 'w', encoding='ascii') as f:
        f.write(str(value))


def all_streams(c, rnd, has_ipt):
    everyone = [(h, p, UDP, s, d) for h in HOSTS for p in PEERS
                for s in SPORTS for d in PORTS]
    stream = 'nf_conntrack_udp_timeout_stream'
    for value in (120, 432):
        sysctl(stream, value)
        c.streams(stream_rules(rnd), 'nft', everyone, [(stream, value)])
    if has_ipt:
        c.streams(STREAM_IPT, 'iptables', everyone, [(stream, 432)])
    sysctl(stream, 120)


def work(k, cases, seed):
    """One worker's share, in a network of its own."""
    rnd = random.Random(seed * WORKERS + k)
    has_ipt = has_tool('iptables-restore')
    net = Net(k)
    c = Compare(net, Decide(os.path.abspath(sys.argv[1])))
    if has_ipt:
        for name, family in (('prumo', socket.AF_INET),
                             ('prumo6', socket.AF_INET6)):
            net.conntrack.timeout_policy(name, family, POLICY_S, POLICY_S)
    if k == 0:
        all_streams(c, rnd, has_ipt)
    for name in sorted(os.listdir(RULESETS))[k::WORKERS]:
        c.found(rnd, name)
    if has_tool('nft') and os.path.isdir(EXAMPLES):
        names = sorted(n for n in os.listdir(EXAMPLES) if n.endswith('.nft'))
        for name in names[k::WORKERS]:
            c.example(rnd, name)
    for i in range(k, cases, WORKERS):
        c.generated(rnd, i // WORKERS, has_ipt)
    net.close()
    return (c.n_rulesets, c.n_packets, c.n_unknown, c.n_connections, c.n_json,
            c.n_apart, c.bad)


def main():
    inside()
    cases = int(os.environ.get('PRUMO_KERNEL_CASES', '2000'))
    seed = int(os.environ.get('PRUMO_KERNEL_SEED', '1'))
    # A ruleset's way into the kernel is mostly waiting: several at a time.
    with multiprocessing.get_context('fork').Pool(WORKERS) as pool:
        done = pool.starmap(work, [(k, cases, seed) for k in range(WORKERS)],
                            1)
    bad = [b for d in done for b in d[6]]
    print('%d rulesets, %d packets, %d not predicted, %d connections, %d as '
          'JSON, %d packets known of one listing only: ' % tuple(
              sum(d[i] for d in done) for i in range(6)) +
          '%d disagreements' % len(bad))
    for b in bad[:3]:
        print('\n'.join(str(x) for x in b), file=sys.stderr)
    sys.exit(1 if bad else 0)


if __name__ == '__main__':
    main()
