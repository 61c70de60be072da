#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Patches of nftables and iptables, done to a kernel in a namespace.

usage: firewall_patch.py PRUMO

The commands that `prumo audit` shows turn the running rules into exactly the
rules it judged; the undo brings the old ones back; a second audit, of this
very host, then finds nothing to mend. What `prumo rules` writes is loaded
beside rules that are there, lets real packets pass, and is undone; sessions
are forgotten to those it names, and to nobody else. Exit status 77: no right
to make namespaces here.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from firewall_net import (HOSTS, HOSTS6, PEERS, PEERS6, TCP, UDP, WAN4, WAN6,
                          Net)

PRUMO = os.path.abspath(sys.argv[1])

HELPER = '''
	ct helper sip-5060 {
		type "sip" protocol udp
		l3proto inet
	}'''
NFT = {
    # the helper's line stands between others that say the same words
    'helper among twins': '''table inet fw {%s
	chain pre {
		type filter hook prerouting priority filter; policy accept;
		udp dport 5060 ip saddr 192.0.2.9 accept comment "ct helper set"
		udp dport 5060 ct helper set "sip-5060"
		udp dport 6060 ct helper set "sip-5060"
		udp dport { 53, 123 } accept
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		ip daddr 198.51.100.0/25 drop
		ip daddr 198.51.100.0/24 udp dport 5060 accept
		ip daddr 203.0.113.4 drop
		tcp dport { 80, 443 } accept
	}
}
''' % HELPER,
    'helper alone, all dropped': '''table inet fw {%s
	chain pre {
		type filter hook prerouting priority filter; policy accept;
		udp dport 5060 ct helper set "sip-5060"
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
	}
}
''' % HELPER,
    'quotes, maps and jumps': '''table ip fw {
	chain calls {
		ip daddr 198.51.100.0/24 drop comment "it's $(reboot) `x`"
	}
	chain forward {
		type filter hook forward priority filter; policy accept;
		tcp dport vmap { 22 : drop, 23 : drop }
		jump calls
		ip daddr 203.0.113.4 drop
	}
}
''',
}
# one line that is several rules: what stops a flow is not the first of them
NFT['a set of pairs'] = '''table inet fw {
	set svc {
		type inet_proto . inet_service
		elements = { tcp . 80, udp . 5060, udp . 30000 }
	}

	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		meta l4proto . th dport @svc drop
		tcp dport vmap { 22 : accept, 5061 : drop, 5080 : drop }
		tcp dport 443 accept
	}
}
'''
IPT = {
    'helper among twins': '''*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -p udp -m udp --dport 5060 -m comment --comment "it's $(reboot) `x`" -j CT --helper sip
-A PREROUTING -p udp -m udp --dport 6060 -j CT --helper sip
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -d 198.51.100.0/25 -j DROP
-A FORWARD -d 198.51.100.0/24 -p udp -m udp --dport 5060 -j ACCEPT
-A FORWARD -d 203.0.113.4/32 -j DROP
-A FORWARD -p tcp -m multiport --dports 80,443 -j ACCEPT
COMMIT
''',
    'nothing but a policy': '''*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
COMMIT
''',
}
# as prumo rules --for iptables writes it, for both programs
BOTH = '''*filter
:FORWARD DROP [0:0]
-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A FORWARD -6 -d 2001:db8:9::/64 -j ACCEPT
-A FORWARD -4 -d 198.51.100.0/24 -p 17 -j DROP
-A FORWARD -6 -d 2001:db8::/64 -p 17 -j REJECT
-A FORWARD -p 6 -j DROP
COMMIT
'''
PROFILE = '''schema: prumo/profile/1
id: patches
name: Patches
source:
  title: "For a test"
tables:
  - id: t
rows:
  - {table: t, row: 1, host: 198.51.100.2, ports: [5060, 5061, 5080],
     transports: [udp, tcp], direction: both, description: "SIP", class: sip,
     service: voice}
  - {table: t, row: 2, host: 203.0.113.4, ports: [10000-65535],
     transports: [udp, tcp], direction: both, description: "RTP", class: rtp,
     service: voice}
  - {table: t, row: 3, host: 198.51.100.200, ports: [443], transports: [tcp],
     direction: both, description: "Web", class: web, service: web}
%srequirements:
  sip_alg_allowed: false
  timers:
    - {kind: udp-session, min_s: 300, text: "5 min", stated: "here"}
'''
SIX = '''  - {table: t, row: 4, host: "2001:db8::2", ports: [5060, 10000-65535],
     transports: [udp, tcp], direction: both, description: "SIP", class: sip,
     service: voice}
'''


def inside():
    if os.environ.get('PRUMO_PATCH_INSIDE'):
        return
    os.environ['PATH'] = '/usr/sbin:/sbin:' + os.environ.get('PATH', '')
    probe = subprocess.run(['unshare', '-Urn', 'nft', 'list', 'ruleset'],
                           capture_output=True, check=False)
    if probe.returncode:
        print('cannot make namespaces, or nft is missing: skipped')
        sys.exit(77)
    os.environ['PRUMO_PATCH_INSIDE'] = '1'
    os.execvp('unshare', ['unshare', '-Urnm', '--', sys.executable] + sys.argv)


def run(*args, **kw):
    done = subprocess.run(args, capture_output=True, text=True, check=False,
                          **kw)
    if done.returncode:
        sys.exit(f'{args}: {done.returncode}\n{done.stdout}{done.stderr}')
    return done.stdout


def audit(*args, text=None):
    done = subprocess.run([PRUMO, 'audit', '--profile', 'patches.yaml', '-o',
                           'json', *args], input=text, capture_output=True,
                          text=True, check=False)
    if done.returncode not in (0, 2, 3):
        sys.exit(f'audit {args}: {done.returncode}\n{done.stderr}')
    return done.returncode, json.loads(done.stdout)


def facts(report, name):
    return [f for f in report['facts'] if f['id'] == name]


def bad(report):
    return sorted((f['id'], f['scope']) for f in report['facts']
                  if f['state'] in ('fail', 'unknown'))


class Nft:
    name = 'nftables'

    @staticmethod
    def load(text):
        run('nft', 'flush', 'ruleset')
        run('nft', '-f', '-', input=text)

    @staticmethod
    def list():
        return run('nft', 'list', 'ruleset')


class Ipt:
    name = 'iptables'

    @staticmethod
    def load(text):
        run('nft', 'flush', 'ruleset')
        run('iptables-restore', input=text)

    @staticmethod
    def list():
        lines = run('iptables-save').splitlines()
        return '\n'.join(l for l in lines if l[:1] in '*-:C'
                         ).replace('[0:0]', '') + '\n'


class Both(Ipt):
    """Both families: one text for two programs, or what each of them saved."""
    name = 'iptables and ip6tables'

    @staticmethod
    def load(text):
        four, mark, six = text.partition('# Generated by ip6tables-save\n')
        run('nft', 'flush', 'ruleset')
        run('iptables-restore', input=four)
        run('ip6tables-restore', input=six if mark else four)

    @staticmethod
    def list():
        six = run('ip6tables-save').splitlines()
        return Ipt.list() + '\n'.join(
            ['# Generated by ip6tables-save'] +
            [l for l in six if l[:1] in '*-:C']).replace('[0:0]', '') + '\n'


class Own(Both):
    """Rules of somebody's own, the same for both families."""
    name = 'iptables'

    @staticmethod
    def load(text):
        empty = ''.join(f'*{t}\nCOMMIT\n' for t in (
            'raw', 'mangle', 'nat', 'filter'))
        for tool in ('iptables', 'ip6tables'):
            for chain in ('INPUT', 'FORWARD', 'OUTPUT'):
                run(tool, '-P', chain, 'ACCEPT')
            run(tool + '-restore', input=empty)
            run(tool + '-restore', input=text)

    @staticmethod
    def list():
        """Without counters; an empty table does what none does."""
        text = re.sub(r' (\[\d+:\d+\])?\n', '\n', Both.list())
        return ''.join(t + 'COMMIT\n' for t in text.split('COMMIT\n')
                       if '-A ' in t or ' DROP\n' in t)


def shell(script):
    run('sh', '-e', input=script)


STREAM = '/proc/sys/net/netfilter/nf_conntrack_udp_timeout_stream'


def stream_s():
    with open(STREAM, encoding='ascii') as f:
        return int(f.read())


def check_sysctl(name, patch):
    """The time of all sessions is no rule's: it is raised in this namespace's
    own kernel tables, and comes back to what it was, whatever it was."""
    for was in (120, 77):
        with open(STREAM, 'w', encoding='ascii') as f:
            f.write(str(was))
        shell(patch['commands'])
        assert stream_s() == 300, (name, was, stream_s())
        shell(patch['undo'])
        assert stream_s() == was, (name, was, stream_s())


def times():
    where = '/proc/sys/net/netfilter/'
    out = {}
    for name in sorted(os.listdir(where)):
        if 'timeout' in name or 'helper' in name:
            with open(where + name, encoding='ascii') as f:
                out[name] = f.read()
    return out


def conntrack_do(line):
    """It fails when there is nothing to do as well."""
    done = subprocess.run(line.split(), capture_output=True, text=True,
                          check=False)
    assert 'flow entries have been deleted' in done.stderr, (line, done)


def check_clear(lines, gone, kept):
    """Sessions as (their beginner, the other)."""
    run('conntrack', '-F')
    for src, dst in gone + kept:
        port = '5060' if src in HOSTS + HOSTS6 else '5061'
        run('conntrack', '-I', '-p', 'udp', '-s', src, '-d', dst, '--sport',
            port, '--dport', port, '-t', '99')
    for line in lines:
        conntrack_do(line)
    left = re.findall(r'^\S.*?src=(\S+) dst=(\S+)', run('conntrack', '-L') + run(
        'conntrack', '-L', '-f', 'ipv6'), re.M)
    assert set(left) == set(kept), (lines, left, kept)
    run('conntrack', '-F')


def check_patch_clear(text):
    """Of the profile's hosts, those whose lines were mended."""
    phones = {False: HOSTS[0], True: HOSTS6[0]}
    lines = text.splitlines()
    hosts = ['198.51.100.2', '203.0.113.4', '198.51.100.200', '2001:db8::2',
             '198.51.100.3', '2001:db8::3']
    gone = [h for h in hosts if f'conntrack -D -d {h}' in lines]
    assert len(gone) == len(lines) > 0, text
    check_clear(lines, [(phones[':' in h], h) for h in gone],
                [(phones[':' in h], h) for h in hosts if h not in gone])


def check(kind, name, text, is_listed=True):
    kind.load(text)
    before = kind.list()
    _, report = audit('-', text=before if is_listed else text)
    found = facts(report, 'audit.patch')
    assert found, (name, 'no patch')
    patch = found[0]
    if issubclass(kind, Ipt):
        check_sysctl(name, patch)
    assert kind.list() == before, name
    shell(patch['commands'])
    after = kind.list()
    kind.load(patch['patched'])
    shown = kind.list()
    assert after == shown, f'{name}: the kernel has\n{after}\nshown was\n{shown}'
    status, again = audit('-', text=after)
    left = {i for i, _ in bad(again)}
    if issubclass(kind, Ipt):
        left -= {'audit.udp-idle'}
    assert not left, (name, bad(again))
    # of this host it knows the times as well
    _, again = audit('--live', '--lan', 'lan0')
    assert not bad(again), (name, bad(again))
    check_patch_clear(patch['clear'])
    kind.load(text)
    times_before = times()
    shell(patch['commands'])
    shell(patch['undo'])
    assert times() == times_before, (name, times(), times_before)
    undone = kind.list()
    assert undone == before, f'{name}: was\n{before}\nundone\n{undone}'
    print(f'{kind.name}, {name}: {patch["commands"].count(chr(10))} commands')
    return status


def check_halves():
    """Two files, in any order, are one firewall; so are two listings."""
    Both.load(BOTH)
    for name in ('iptables-save', 'ip6tables-save'):
        with open(name, 'w', encoding='ascii') as f:
            f.write(run(name))
    for args in (['iptables-save', 'ip6tables-save'],
                 ['ip6tables-save', 'iptables-save'], ['--live']):
        _, report = audit('--lan', 'lan0', *args)
        said = facts(report, 'audit.flow')
        assert 'unknown' not in {f['state'] for f in said}, (args, said)
        assert any(f['state'] == 'fail' for f in said), (args, said)


def check_written():
    """What is written for both programs is taken by both of them, and what
    they save has nothing to mend but the time of sessions."""
    text = run(PRUMO, 'rules', '--for', 'iptables', 'patches.yaml')
    assert ' -6 ' in text and ' -4 ' in text, text
    Both.load(text)
    _, report = audit('-', text=Both.list())
    left = {i for i, _ in bad(report)} - {'audit.udp-idle'}
    assert not left, bad(report)


def check_live():
    """This namespace's own rules, as its host and as a router."""
    Nft.load(NFT['helper among twins'])
    status, report = audit('--live', '--lan', 'lan0')
    assert status == 2, status
    assert any(f['state'] == 'fail' for f in facts(report, 'audit.alg'))
    idle = facts(report, 'audit.udp-idle')
    assert any('nf_conntrack_udp_timeout_stream' in json.dumps(f)
               for f in idle), idle
    status, report = audit('--live')
    assert all(f['state'] == 'pass' for f in facts(report, 'audit.flow'))
    with open('/proc/sys/net/netfilter/nf_conntrack_udp_timeout_stream',
              'w', encoding='ascii') as timer:
        timer.write('77')
    _, report = audit('--live')
    assert any(f['value'] == 77 for f in facts(report, 'audit.udp-idle'))
    Ipt.load(IPT['helper among twins'])
    status, report = audit('--live', '--lan', 'lan0')
    flows = facts(report, 'audit.flow')
    # nftables shows the same tables, and they are judged once
    scopes = [f['scope'] for f in flows]
    assert len(scopes) == len(set(scopes)) and scopes, scopes
    assert not [f for f in flows if f['state'] == 'unknown'], flows
    assert status == 2, status
    run('nft', 'flush', 'ruleset')
    status, report = audit('--live')
    assert status == 0 and not bad(report), report
    # without rules nothing keeps connections
    assert not facts(report, 'audit.udp-idle'), report
    done = subprocess.run(['unshare', '-U', PRUMO, 'audit', '--profile',
                           'patches.yaml', '--live'], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 3 and 'root' in done.stderr, done
    print('live: as router, as host, and without the rights')


# of somebody who has rules already
OURS_NFT = '''table inet ours {
	ct helper h {
		type "sip" protocol udp
		l3proto inet
	}

	ct timeout t {
		protocol udp
		l3proto ip
		policy = { unreplied : 44, replied : 444 }
	}

	set friends {
		type ipv4_addr
		flags interval
		elements = { 198.51.100.64/26 }
	}

	chain pre {
		type filter hook prerouting priority filter; policy accept;
		udp dport 9999 ct helper set "h"
		udp dport 9998 ct timeout set "t"
	}

	chain forward {
		type filter hook forward priority filter - 5; policy accept;
		iifname "lan" ip daddr @friends tcp dport { 80, 443 } accept comment "it's ours"
	}
}
'''
OURS_IPT = '''*raw
-A PREROUTING -p udp -m udp --dport 9999 -j CT --helper sip
COMMIT
*nat
-A POSTROUTING -p tcp -m tcp --dport 81 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:ours - [0:0]
-A INPUT -i lo -j ACCEPT
-A FORWARD -i lan -p tcp -m tcp --dport 80 -m comment --comment "it's ours" -j ours
-A ours -j ACCEPT
COMMIT
'''
CALLS = '''schema: prumo/profile/1
id: calls
name: Calls
source:
  title: "For a test"
tables:
  - id: t
rows:
  - {table: t, row: 1, host: 198.51.100.2, ports: [5060], transports: [udp, tcp],
     direction: both, description: "SIP", class: sip, service: voice}
  - {table: t, row: 2, host: media.example, ports: [10000-65535],
     transports: [udp], direction: both, description: "RTP", class: rtp,
     service: voice}
  - {table: t, row: 3, host: "2001:db8:2::2", ports: [5060], transports: [udp],
     direction: both, description: "SIP", class: sip, service: voice}
requirements:
  sip_alg_allowed: false
  timers:
    - {kind: udp-session, min_s: 300, text: "5 min", stated: "here"}
'''
# no prefix: a range, of which each address is somebody to call
MEDIA = '198.51.100.3-198.51.100.76'
GOOD = [(HOSTS[0], PEERS[0], UDP, 5060, 5060),
        (HOSTS[0], PEERS[0], TCP, 40000, 5060),
        (HOSTS[0], PEERS[1], UDP, 40000, 30000),
        (HOSTS6[0], PEERS6[0], UDP, 5060, 5060)]
OTHERS = [(HOSTS[0], PEERS[0], UDP, 5060, 80),
          (HOSTS[0], PEERS[3], UDP, 40000, 30000),
          (HOSTS6[0], PEERS6[1], UDP, 5060, 5060)]
WEB = (HOSTS[0], PEERS[2], TCP, 40000, 80)


def said(text, words):
    """The commands below the words of a comment."""
    below = text[text.index(words):].splitlines()[1:]
    n = next(i for i, l in enumerate(below + ['']) if l[:6] != '#     ')
    return [l[6:] for l in below[:n]]


def rules(kind, *more):
    return run(PRUMO, 'rules', '--for', kind, '--resolve',
               'media.example=' + MEDIA, *more, 'calls.yaml')


def passes(net, packets, path='forward'):
    run('conntrack', '-F')
    got = net.send(packets, path)
    heard = net.answer(got, path)
    return [i in got and i in heard for i in range(len(packets))]


def check_made(net, kind, ours, loads, web_passes):
    """Rules loaded beside others, used, and taken back."""
    kind.load(ours)
    before, times_before = kind.list(), times()
    text = rules(kind.name)
    for words in ('Before, keep', 'Session time is the kernel'):
        for line in said(text, words) if words in text else []:
            shell(line)
    run(*loads, input=text)
    if kind is not Nft:
        run(*[w.replace('iptables', 'ip6tables') for w in loads], input=text)
    for part in before.split('\n\n' if kind is Nft else 'COMMIT\n'):
        if 'filter\n' not in part:
            assert part in kind.list(), (loads, part, kind.list())
    everything = GOOD + OTHERS + [WEB]
    want = [True] * len(GOOD) + [False] * len(OTHERS) + [web_passes]
    assert passes(net, everything) == want, (loads, passes(net, everything))
    for key, (left, helper) in net.conntrack.table().items():
        assert helper == '-', (key, left, helper)
    for line in said(text, '# Undo:'):
        shell(line)
    assert kind.list() == before, (
        f'{loads}: was\n{before}\nundone\n{kind.list()}')
    assert times() == times_before, (times(), times_before)
    assert passes(net, everything) == [True] * len(everything), loads
    print(f'made for {loads}: loaded, used, undone')


def use_tools(which):
    """iptables of one kind for all that call it. @return is it here?"""
    os.makedirs(which, exist_ok=True)
    for four in ('iptables', 'ip6tables'):
        for what in ('', '-save', '-restore'):
            tool = shutil.which(f'{four}-{which}{what}')
            if not tool:
                return False
            if not os.path.lexists(f'{which}/{four}{what}'):
                os.symlink(tool, f'{which}/{four}{what}')
    path = os.environ['PATH'].split(':')
    os.environ['PATH'] = ':'.join([os.path.abspath(which)] + [
        p for p in path if os.path.basename(p) not in ('nft', 'legacy')])
    return not subprocess.run(['iptables', '-S'], capture_output=True,
                              check=False).returncode


# Every port of them is a row: what is said of it is of one packet.
LIVE = '''schema: prumo/profile/1
id: live
name: Live
source:
  title: "For a test"
tables:
  - id: t
rows:
%s
requirements:
  sip_alg_allowed: true
'''
LIVE_ROW = '''  - {table: t, row: %d, host: "%s", ports: [%d], transports: [%s],
     direction: both, description: "Calls", class: sip, service: voice}'''
ASKED = [(h, proto, port) for h in PEERS[:1] + PEERS[2:] + PEERS6[:3]
         for proto in (UDP, TCP) for port in (53, 443, 5060, 30000)]
# which rules ask for what no text says: a mark, or who phones are
MOST_UNKNOWN = {'home-router.nft': 24, 'office.nft': 1}
RULESETS = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'rulesets')


def ours(net, path):
    """What this host says of itself, beside what it does."""
    where = ['--lan', 'lan', '--wan', 'wan'] if path == 'forward' else [
        '--wan', 'wan']
    _, report = audit('--live', *where, '--profile', 'live.yaml')
    states = {}
    drops = []
    for f in facts(report, 'audit.flow'):
        states.setdefault(f['scope'], []).append(f['state'])
        p = f['evidence'].get('packet')
        # of an answer, and of NAT, it takes another packet first
        if f['state'] == 'fail' and f['direction'] == 'original':
            # its own address is the only one that a program has
            src = p['src'] if path == 'forward' else (
                WAN6 if ':' in p['dst'] else WAN4)
            drops.append((src, p['dst'], p['protocol_number'], p['sport'],
                          p['dport']))
    four, six = ((HOSTS[0], HOSTS6[0]) if path == 'forward' else (WAN4, WAN6))
    packets = [(six if ':' in h else four, h, proto, 40000, port)
               for h, proto, port in ASKED]
    real = passes(net, packets, path)
    return ([states[f't-{i + 1}'] for i in range(len(ASKED))], real,
            passes(net, drops, path))


def check_host(net, name, most_unknown=0):
    for path in ('forward', 'output'):
        said_all, real, dropped = ours(net, path)
        n_unknown = sum('unknown' in s for s in said_all)
        assert n_unknown <= most_unknown, (name, path, n_unknown, said_all)
        for states, does, asked in zip(said_all, real, ASKED):
            assert does or set(states) != {'pass'}, (name, path, asked, states)
        assert not any(dropped), (name, path, dropped)
        print(f'live, {name}, {path}: {sum(real)} of {len(real)} pass, '
              f'{n_unknown} unknown')


def forget_all():
    for which in ('legacy', 'nft'):
        if use_tools(which):
            Own.load('')
    run('nft', 'flush', 'ruleset')


def load_ruleset(name):
    with open(os.path.join(RULESETS, name), encoding='utf-8') as f:
        text = f.read()
    if name.endswith('.nft'):
        run('nft', '-f', '-', input=text)
    if name.endswith(('.rules', '.rules46')):
        run('iptables-restore', input=text)
    if name.endswith(('.rules6', '.rules46')):
        run('ip6tables-restore', input=text)


# a server that lets its own programs call only what it knows
STRICT = '''*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT DROP [0:0]
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A OUTPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A OUTPUT -p udp -m multiport --dports 53,5060 -j ACCEPT
-A OUTPUT -o wan -p tcp -m tcp --dport 443 -m owner --uid-owner 0 -j ACCEPT
-A OUTPUT -p tcp -m tcp --dport 5060 -j REJECT
COMMIT
'''


def check_hosts(net):
    """Hosts as people have them, by each of the tools, and mixed."""
    with open('live.yaml', 'w', encoding='utf-8') as f:
        f.write(LIVE % '\n'.join(
            LIVE_ROW % (i + 1, h, port, 'udp' if proto == UDP else 'tcp')
            for i, (h, proto, port) in enumerate(ASKED)))
    for name in sorted(os.listdir(RULESETS)):
        for which in ('nft', 'legacy') if 'rules' in name else ('nft',):
            forget_all()
            if use_tools(which):
                load_ruleset(name)
                check_host(net, f'{name}, {which}',
                           MOST_UNKNOWN.get(name, 0))
    forget_all()
    for which in ('nft', 'legacy'):
        if use_tools(which):
            Own.load(STRICT)
            check_host(net, f'strict, {which}', len(ASKED) // 8)
            forget_all()
    for which, name in (('nft', 'docker.rules'), ('legacy', 'ufw.rules6'),
                        ('nft', 'firewalld.nft')):
        if use_tools(which):
            load_ruleset(name)
    use_tools('nft')
    check_host(net, 'all of them together')
    forget_all()


def check_all_made():
    net = Net(0)
    with open('calls.yaml', 'w', encoding='utf-8') as f:
        f.write(CALLS)
    check_made(net, Nft, OURS_NFT, ['nft', '-f', '-'], False)
    run('nft', 'flush', 'ruleset')
    for which in ('nft', 'legacy'):
        if use_tools(which):
            check_made(net, Own, OURS_IPT, ['iptables-restore'], False)
            check_made(net, Own, OURS_IPT, ['iptables-restore', '--noflush'],
                       True)
            check_made(net, Own, '', ['iptables-restore'], False)
            Own.load('')
    check_hosts(net)
    use_tools('nft')
    phone, phone6 = HOSTS[0], HOSTS6[0]
    to = [(phone, PEERS[0]), (phone, '198.51.100.3'), (phone, '198.51.100.64'),
          (phone, '198.51.100.76'), (phone6, PEERS6[0])]
    back = [(b, a) for a, b in to]
    others = [(phone, '198.51.100.1'), (phone, '198.51.100.77'),
              (phone, '192.0.2.9'), (phone6, PEERS6[1])]
    for kind in ('nftables', 'iptables'):
        text = rules(kind)
        check_clear(said(text, 'forget those'), to, back + others)
        text = rules(kind, '--inbound')
        check_clear(said(text, 'forget those'), to + back, others)
    net.close()


inside()
# where a patch keeps what it will put back
run('mount', '-t', 'tmpfs', 'none', '/var/tmp')
os.environ['LC_ALL'] = 'C.UTF-8'
with tempfile.TemporaryDirectory() as where:
    os.chdir(where)
    with open('patches.yaml', 'w', encoding='utf-8') as f:
        f.write(PROFILE % '')
    for name, text in NFT.items():
        check(Nft, name, text)
    for name, text in IPT.items():
        check(Ipt, name, text)
    check_live()
    with open('patches.yaml', 'w', encoding='utf-8') as f:
        f.write(PROFILE % SIX)
    check_halves()
    check_written()
    check(Both, 'as saved', BOTH)
    check(Both, 'as written', BOTH, is_listed=False)
    check_all_made()
