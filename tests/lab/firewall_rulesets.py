# SPDX-License-Identifier: ISC
"""Rulesets of nftables and iptables by chance, of all that people write."""
from firewall_net import HOSTS, HOSTS6, PEERS, PEERS6, PORTS, SPORTS, WAN4, WAN6

BASES = {4: ('192.0.2', '198.51.100'), 6: ('2001:db8:1:', '2001:db8:2:')}
# What the model cannot say, and so must not be sure about.
ODD = ['meta length > 10', 'ip ttl > 1', 'tcp flags & (syn | ack) == syn',
       'ct direction original', 'meta mark 0', 'ip dscp cs0', 'tcp flags syn',
       'limit rate 100000/second', 'meta mark != 0', 'udp length 12',
       'meta pkttype host', 'fib daddr type != local', 'ct status snat',
       'limit name "few"', 'ct count 1000', 'ip protocol != { 1, 2 }',
       'quota over 900 mbytes', 'icmp type echo-request', 'meta hour > 1',
       'update @seen { ip saddr limit rate over 9999/second }',
       'add @seen { ip saddr }', 'meta random > 2147483648',
       'tcp option maxseg exists', 'ip daddr & 0.0.0.2 == 2',
       'ct original ip saddr 192.0.2.2', 'ct mark 0', 'numgen inc mod 2 0',
       'ct state != established,related', 'ct state ! established',
       'ct status confirmed', 'ct direction reply', '@th,16,16 5060',
       'ip daddr & 255.255.255.128 != 198.51.100.0', 'meta protocol ip',
       'iifname . oifname != { "lan" . "wan" }', 'meta l4proto 6-17',
       'meta mark . ip daddr { 0 . 198.51.100.2 }', 'ct helper "sip"',
       'ct state & (established|related) != 0',
       'limit rate over 1/day burst 1 packets', 'iif != "lo"']
# What has no say in a verdict.
IDLE = ['counter', 'counter name "hits"', 'log prefix "a: \\\\b, {drop}"',
        'meta mark set 7', 'ct mark set mark and 0xff or 1', 'meta mark set ct mark', 'meta priority set 1:2',
        'log level debug flags tcp sequence,options', 'ip dscp set ef',
        'udp checksum set 0', 'ct helper set "sip-0"', 'ct timeout set "t3"',
        'ct zone set 7', 'notrack', 'update @seen { ip daddr timeout 5s }',
        'ct helper set udp dport map { 5060 : "sip-0" }']
# A verdict map over what the model cannot say.
ODD_KEYS = ['meta mark vmap { 0 : %s, 1 : %s }', 'ct mark vmap { 0 : %s, 1 : %s }',
            'ip dscp vmap { cs0 : %s, ef : %s }',
            'ct direction vmap { original : %s, reply : %s }',
            'numgen inc mod 2 vmap { 0 : %s, 1 : %s }',
            'meta l4proto vmap { udp : %s, tcp : %s }',
            'meta nfproto vmap { ipv4 : %s, ipv6 : %s }',
            'udp dport vmap { 5060 : %s, * : %s }',
            'ip saddr vmap { 192.0.2.0/29 : %s, 192.0.2.8-192.0.2.200 : %s }']
IPT_ODD = ['-m mark --mark 0x0', '-m mark ! --mark 0x0', '-m length --length 0:40',
           '-m limit --limit 10000/sec', '-m ttl --ttl-gt 1',
           '-m addrtype ! --dst-type LOCAL', '-m pkttype --pkt-type unicast']


def pick(rnd, values, most=3):
    return rnd.sample(values, rnd.randint(1, min(most, len(values))))


def span(rnd):
    return tuple(sorted(rnd.sample(PORTS, 2)))


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
    if kind < 0.3:
        return no + rnd.choice(values)
    if kind < 0.5 and ':' in values[0]:
        return '%s%s:0/%d' % (no, values[0][:11], rnd.choice([120, 121, 126]))
    base = values[0].rsplit('.', 1)[0]
    if kind < 0.5:
        return '%s%s.%d/%d' % (no, base, rnd.choice([0, 64, 128]),
                               rnd.choice([25, 26, 30]))
    if kind < 0.7:
        sep = '::' if ':' in base else '.'
        base = values[0][:12].rstrip(':') if sep == '::' else base
        return '%s%s%s%d-%s%s%d' % (no, base, sep, rnd.randint(0, 9), base,
                                    sep, rnd.randint(10, 200))
    return '%s{ %s }' % (no, ', '.join(pick(rnd, values)))


def nft_nets(rnd, out):
    """Addresses: of one family, or the rule could never match."""
    is6 = rnd.random() < 0.3
    ip, hosts, peers = (('ip6', HOSTS6, PEERS6) if is6 else
                        ('ip', HOSTS, PEERS))
    if rnd.random() < 0.3:
        out.append('%s saddr %s' % (ip, nft_addrs(rnd, hosts)))
    if rnd.random() < 0.5:
        out.append('%s daddr %s' % (ip, nft_addrs(rnd, peers)))
    elif rnd.random() < 0.2:
        out.append(rnd.choice(['ip daddr @peers', 'ip daddr != @peers',
                               'ip6 daddr @six', 'ip daddr @none',
                               'ip saddr != @none']))


def nft_match(rnd):
    out = []
    if rnd.random() < 0.25:
        out.append('iifname %s"%s"' % (rnd.choice(['', '!= ']), rnd.choice(
            ['lan', 'wan', 'la*', 'eth*'])))
    if rnd.random() < 0.25:
        out.append('oifname %s{ %s }' % (rnd.choice(['', '!= ']), ', '.join(
            '"%s"' % i for i in pick(rnd, ['lan', 'wan', 'x9']))))
    if rnd.random() < 0.2:
        out.append('ct state %s' % rnd.choice(
            ['new', 'established,related', '!= new', 'invalid',
             '{ new, related }', 'untracked', '!= { new, untracked }']))
    if rnd.random() < 0.08:
        out.append('meta nfproto ' + rnd.choice(['ipv4', 'ipv6']))
    if rnd.random() < 0.06:
        out.append(rnd.choice(ODD))
    nft_nets(rnd, out)
    kind = rnd.random()
    if kind < 0.35:
        out.append('%s dport %s' % (rnd.choice(['tcp', 'udp']), nft_ports(rnd)))
    elif kind < 0.5:
        out.append('meta l4proto { tcp, udp } th dport ' + nft_ports(rnd))
    elif kind < 0.6:
        out.append('meta l4proto %s%s' % (rnd.choice(['', '!= ']),
                                          rnd.choice(['tcp', 'udp'])))
    elif kind < 0.7:
        out.append('%s sport %d' % (rnd.choice(['tcp', 'udp']),
                                    rnd.choice(SPORTS)))
    elif kind < 0.73:
        out.append('meta l4proto . th dport @svc')
    elif kind < 0.75:
        out.append('ip daddr . udp dport @pairs')
    elif kind < 0.8:
        out.append('ip daddr . udp dport { %s . %d, %s . %d-%d }' % (
            (PEERS[0], rnd.choice(PORTS), PEERS[1]) + span(rnd)))
    if rnd.random() < 0.1:
        out.append(rnd.choice(IDLE))
    return ' '.join(one_family(out))


def one_family(out):
    """The kernel's tools refuse a rule that asks for both."""
    four = [o for o in out if 'ip ' in o or 'ipv4' in o or 'icmp ' in o]
    six = [o for o in out if 'ip6 ' in o or 'ipv6' in o]
    tcp = [o for o in out if o.startswith('tcp ')]
    udp = [o for o in out if o.startswith('udp ') or '. udp' in o]
    gone = (four if four and six else []) + (udp if tcp and udp else [])
    if tcp or udp:
        gone += [o for o in out if 'icmp ' in o]
    if any('tcp' in o or 'icmp' in o for o in out):
        gone += [o for o in out if o in IDLE and 'udp ' in o]
    return [o for o in out if o not in gone]


def nft_map(rnd, chains):
    verdict = lambda: rnd.choice(['accept', 'drop', 'continue', 'return'] +
                                 ['jump ' + c for c in chains])
    if rnd.random() < 0.25:
        return rnd.choice(ODD_KEYS) % (verdict(), verdict())
    kind = rnd.random()
    if kind < 0.5:
        return '%s dport vmap { %s }' % (rnd.choice(['tcp', 'udp']), ', '.join(
            '%d : %s' % (p, verdict()) for p in rnd.sample(PORTS, 3)))
    if kind < 0.7:
        return 'ct state vmap { established : %s, new : %s, invalid : %s }' % (
            verdict(), verdict(), verdict())
    if kind < 0.78:
        return 'udp dport vmap @ports'
    if kind < 0.88:
        return 'ip saddr . ip daddr vmap { %s }' % ', '.join(
            '%s . %s : %s' % (rnd.choice(HOSTS), p, verdict())
            for p in pick(rnd, PEERS))
    return 'iifname%s vmap { %s }' % rnd.choice([
        ('', '"lan" : %s, "6in4-wan" : %s' % (verdict(), verdict())),
        (' . udp dport', '"lan" . 5060 : %s, "6in4-wan" . 99 : %s' % (
            verdict(), verdict())),
        (' . ip saddr', '"lan" . %s : %s' % (HOSTS[0], verdict()))])


def nft_rule(rnd, chains):
    if rnd.random() < 0.1:
        return nft_map(rnd, chains)
    verdicts = ['accept', 'drop', 'accept', 'drop', 'return', 'continue',
                'reject']
    verdicts += ['jump ' + c for c in chains] + ['goto ' + c for c in chains]
    if rnd.random() < 0.01:
        verdicts = ['jump { meta l4proto udp drop; counter ; }']
    rule = (nft_match(rnd) + ' ' + rnd.choice(verdicts)).strip()
    if rnd.random() < 0.05:
        rule += ' comment "%s"' % rnd.choice(
            ['accept # drop', "it's { } ; $x", 'S\xe3o Jo\xe3o', 'a\\\\b'])
    return rule


def nft_attributes(rnd, lines):
    """Helpers, session times, and packets without a state."""
    for _ in range(rnd.randint(1, 4)):
        lines.append('\t\t%s %s' % (nft_match(rnd), rnd.choice(
            ['ct helper set "sip-%d"' % rnd.randint(0, 2),
             'ct timeout set "t%d"' % rnd.randint(0, 3),
             'ct timeout set "t%d"' % rnd.randint(0, 3)] +
            ['notrack'] * (rnd.random() < 0.3))))


def nft_nat(rnd, hook):
    if hook != 'postrouting':
        if rnd.random() < 0.4:
            return 'redirect to :9'
        return rnd.choice(['dnat ip to ' + rnd.choice(PEERS),
                           'dnat ip6 to ' + rnd.choice(PEERS6)])
    return rnd.choice(['masquerade', 'snat ip to ' + WAN4,
                       'snat ip6 to ' + WAN6])


def nft_nat_chain(rnd, lines, hook):
    for _ in range(rnd.randint(1, 3)):
        what = nft_nat(rnd, hook)
        match = nft_match(rnd)
        is_apart = ('ip saddr', 'ip daddr', 'ip ttl', 'ip dscp')
        if hook != 'postrouting' or 'snat' in what:
            family = 'ipv6' if 'ip6' in what else 'ipv4'
            if 'redirect' in what:
                match = 'udp dport ' + nft_ports(rnd)
            else:
                match = 'meta nfproto %s %s dport %s' % (
                    family, rnd.choice(['tcp', 'udp']), nft_ports(rnd))
        elif 'oifname' in match and hook != 'postrouting' or \
                'ip6 ' in match and any(a in match for a in is_apart):
            match = ''
        lines.append('\t\t%s %s' % (match, rnd.choice(
            [what, what, 'accept', 'return'])))


T_POLICY = '''	ct timeout t%d {
		protocol %s
		l3proto %s
		policy = { %s }
	}'''


def nft_objects(rnd, lines):
    for i, family in enumerate(('inet', 'ip', 'ip6')):
        lines += ['\tct helper sip-%d {' % i, '\t\ttype "sip" protocol udp',
                  '\t\tl3proto ' + family, '\t}']
    for i in range(3):
        idle = rnd.choice([77, 300, 1234, 3600])
        lines.append(T_POLICY % (i, 'udp', rnd.choice(['inet', 'ip', 'ip6']),
                                 'unreplied : %d, replied : %d' % (idle, idle)))
    lines.append(T_POLICY % (3, 'tcp', 'ip', 'established : 7000'))


BASE_CHAINS = [('prerouting', -300), ('prerouting', -150), ('postrouting', 0),
               ('postrouting', 150), ('forward', 10), ('forward', -5),
               ('forward', 0), ('prerouting', -50), ('output', 0),
               ('output', -150), ('output', -300), ('input', 0)]


def nft_chain(rnd, lines, n, hook, prio, subs):
    kind = 'filter'
    lines.append('\tchain %s%d {' % (hook[:4], n))
    lines.append('\t\ttype %s hook %s priority %d; policy %s;' % (
        kind, hook, prio, rnd.choice(['accept', 'drop'] if hook in (
            'forward', 'output', 'input') and prio > -150 else ['accept'])))
    if hook in ('prerouting', 'output') and rnd.random() < 0.6:
        nft_attributes(rnd, lines)
    for _ in range(rnd.randint(1, 8)):
        lines.append('\t\t' + nft_rule(rnd, subs))
    lines.append('\t}')


def nft_ruleset(rnd):
    """Chains may call only later ones: no loops."""
    subs = ['sub%d' % i for i in range(rnd.randint(0, 3))]
    lines = ['table inet fw {']
    nft_objects(rnd, lines)
    lines += ['\tset peers { type ipv4_addr; flags interval; elements = { %s } ; }' %
              ', '.join(pick(rnd, PEERS)),
              '\tset six { type ipv6_addr; elements = { %s } ; }' %
              ', '.join(pick(rnd, PEERS6)),
              '\tset none { type ipv4_addr; }',
              '\tset seen { type ipv4_addr; size 99; flags dynamic,timeout; '
              'timeout 60s; }',
              '\tset pairs { type ipv4_addr . inet_service; flags interval; '
              'elements = { %s . %d-%d comment "a, b", 198.51.100.64/26 . %d } '
              '; }' % ((rnd.choice(PEERS[:2]),) + span(rnd) +
                       (rnd.choice(PORTS),)),
              '\tmap ports { type inet_service : verdict; elements = { %d : '
              'accept, %d : drop } ; }' % tuple(rnd.sample(PORTS, 2)),
              '\tcounter hits { }', '\tlimit few { rate 10000/second; }',
              '\tset svc { type inet_proto . inet_service; elements = { tcp . 80, '
              'udp . 5060, udp . %d } ; }' % rnd.choice([53, 443, 9999])]
    for i, s in enumerate(subs):
        lines.append('\tchain %s {' % s)
        lines += ['\t\t' + nft_rule(rnd, subs[i + 1:])
                  for _ in range(rnd.randint(1, 5))]
        lines.append('\t}')
    more = rnd.sample(BASE_CHAINS, rnd.randint(0, 3))
    for n, (hook, prio) in enumerate([('forward', 0)] + more):
        nft_chain(rnd, lines, n, hook, prio, subs)
    if rnd.random() < 0.25:
        hook = rnd.choice(['prerouting', 'postrouting', 'output',
                           'postrouting'])
        lines += ['\tchain nat {', '\t\ttype nat hook %s priority %d; policy '
                  'accept;' % (hook, rnd.choice([-100, 0, 100]))]
        nft_nat_chain(rnd, lines, hook)
        lines.append('\t}')
    text = '\n'.join(lines + ['}', ''])
    # Some hooks know no reject, and a jump leads there too.
    if 'hook prerouting' in text or 'hook postrouting' in text:
        text = text.replace('reject', 'drop')
    return text


def ipt_net(rnd, is6, far):
    hosts, peers = (HOSTS6, PEERS6) if is6 else (HOSTS, PEERS)
    if far:
        nets = (['2001:db8:2::/121', '2001:db8:2::80/121'] if is6 else
                ['198.51.100.0/25', '198.51.100.128/25'])
        return rnd.choice(peers + nets)
    return rnd.choice(hosts + (['2001:db8:1::/126', '2001:db8:1::/64'] if is6
                               else ['192.0.2.0/30', '192.0.2.0/24']))


def ipt_match(rnd, is6, ways='io'):
    out = []
    no = lambda: rnd.choice(['', '! '])
    if 'i' in ways and rnd.random() < 0.25:
        out.append('%s-i %s' % (no(), rnd.choice(['lan', 'wan', 'la+'])))
    if 'o' in ways and rnd.random() < 0.25:
        out.append('%s-o %s' % (no(), rnd.choice(['lan', 'wan', 'w+'])))
    if rnd.random() < 0.3:
        out.append('%s-s %s' % (no(), ipt_net(rnd, is6, False)))
    if rnd.random() < 0.5:
        out.append('%s-d %s' % (no(), ipt_net(rnd, is6, True)))
    elif rnd.random() < 0.3:
        base = '2001:db8:2::' if is6 else '198.51.100.'
        out.append('-m iprange %s--dst-range %s2-%s%d' % (
            no(), base, base, rnd.randint(3, 140)))
    kind = rnd.random()
    if kind < 0.7:
        out.append('-p ' + rnd.choice(['tcp', 'udp']))
        if rnd.random() < 0.5:
            out.append('-m multiport %s--%s %s' % (
                no(), 'dports', ','.join(str(p) for p in pick(rnd, PORTS)) +
                ',%d:%d' % span(rnd)))
        else:
            out.append('%s--dport %d:%d' % ((no(),) + span(rnd)))
        if 'multiport' not in out[-1] and rnd.random() < 0.2:
            out.append('%s--sport %d' % (no(), rnd.choice(SPORTS)))
    elif kind < 0.8:
        out.append('! -p ' + rnd.choice(['tcp', 'udp']))
    if rnd.random() < 0.2:
        out.append('-m conntrack %s--ctstate %s' % (no(), rnd.choice(
            ['NEW', 'RELATED,ESTABLISHED', 'INVALID', 'UNTRACKED'])))
    if rnd.random() < 0.06:
        odd = rnd.choice(IPT_ODD)
        out.append(odd if not is6 or 'ttl' not in odd else '-m hl --hl-gt 1')
    if rnd.random() < 0.1:
        out.append('-m comment --comment "a \\"b\\" -j c"')
    return ' '.join(out)


def ipt_line(chain, match, verdict):
    return ' '.join(['-A', chain, match, verdict]).replace('  ', ' ')


def ipt_raw(rnd, is6):
    lines = ['*raw', ':PREROUTING ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]']
    for _ in range(rnd.randint(1, 4)):
        chain, ways = rnd.choice([('PREROUTING', 'i'), ('OUTPUT', 'o')])
        match = '%s -p udp --dport %d:%d' % ((rnd.choice(['', '-i lan'])
                                              if ways == 'i' else '',) +
                                             span(rnd))
        what = rnd.choice(['-j CT --helper sip', '-j CT --timeout prumo',
                           '-j CT --helper sip --timeout prumo',
                           '-j CT --helper tftp', '-j CT --notrack',
                           '-j ACCEPT', '-j RETURN', '-j DROP'])
        if is6:
            what = what.replace('prumo', 'prumo6')
        lines.append(ipt_line(chain, match, what))
    return lines + ['COMMIT']


def ipt_nat(rnd, is6):
    lines = ['*nat', ':PREROUTING ACCEPT [0:0]', ':INPUT ACCEPT [0:0]',
             ':OUTPUT ACCEPT [0:0]', ':POSTROUTING ACCEPT [0:0]']
    for _ in range(rnd.randint(1, 3)):
        chain, ways, what = rnd.choice(
            [('PREROUTING', 'i', '-j DNAT --to-destination ' +
              ('[%s]' % PEERS6[0] if is6 else PEERS[0])),
             ('PREROUTING', 'i', '-p udp -j REDIRECT --to-ports 9'),
             ('POSTROUTING', 'o', '-j MASQUERADE'),
             ('POSTROUTING', 'o', '-j SNAT --to-source ' +
              (WAN6 if is6 else WAN4)),
             ('POSTROUTING', 'o', '-j ACCEPT')])
        match = ipt_match(rnd, is6, ways)
        lines.append(ipt_line(chain, '' if '-p' in what else match, what))
    return lines + ['COMMIT']


def ipt_filter(rnd, is6):
    subs = ['S%d' % i for i in range(rnd.randint(0, 3))]
    lines = ['*filter', ':INPUT %s [0:0]' % rnd.choice(['ACCEPT', 'DROP']),
             ':FORWARD %s [0:0]' % rnd.choice(['ACCEPT', 'DROP']),
             ':OUTPUT %s [0:0]' % rnd.choice(['ACCEPT', 'DROP'])]
    lines += [':%s - [0:0]' % s for s in subs]
    with_ = 'icmp6-port-unreachable' if is6 else 'icmp-port-unreachable'
    for i, c in enumerate(['INPUT', 'FORWARD', 'OUTPUT'] + subs):
        later = subs[max(i - 2, 0):]
        ways = {'INPUT': 'i', 'FORWARD': 'io', 'OUTPUT': 'o'}.get(c, '')
        for _ in range(rnd.randint(1, 8)):
            verdict = rnd.choice(
                ['-j ACCEPT', '-j DROP', '-j ACCEPT', '-j DROP', '-j RETURN',
                 '-j REJECT --reject-with ' + with_] +
                ['-j ' + s for s in later] + ['-g ' + s for s in later])
            lines.append(ipt_line(c, ipt_match(rnd, is6, ways), verdict))
    return lines + ['COMMIT']


def ipt_ruleset(rnd, is6):
    lines = ['# Generated by ip6tables-save' if is6 else
             '# Generated by iptables-save']
    if rnd.random() < 0.4:
        lines += ipt_raw(rnd, is6)
    if rnd.random() < 0.3:
        lines += ipt_nat(rnd, is6)
    if rnd.random() < 0.2:
        lines += ['*mangle', ':PREROUTING ACCEPT [0:0]', ':INPUT ACCEPT [0:0]',
                  ':FORWARD ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]',
                  ':POSTROUTING ACCEPT [0:0]']
        lines += [ipt_line(c, ipt_match(rnd, is6, w), rnd.choice(
            ['-j ACCEPT', '-j DROP', '-j MARK --set-xmark 0x1/0xffffffff',
             '-j RETURN'])) for c, w in pick(rnd, [
                 ('PREROUTING', 'i'), ('FORWARD', 'io'), ('OUTPUT', 'o'),
                 ('POSTROUTING', 'o')])] + ['COMMIT']
    return '\n'.join(lines + ipt_filter(rnd, is6) + [''])
