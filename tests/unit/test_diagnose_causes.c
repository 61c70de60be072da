/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "diagnose/diagnose.h"
#include "flow_story.h"
#include "oom.h"

/* Something that passes, so that what fails is told from no network. */
#define LOSSY                                                   \
	"flow c 198.51.100.3 5060/udp sip answered lossy=yes\n" \
	"flow c 198.51.100.3 5080/udp sip answered lossy=yes\n" \
	"flow c 198.51.100.3 80/tcp web answered lossy=yes\n"   \
	"flow c 198.51.100.3 443/tcp web answered lossy=yes\n"  \
	"flow c 198.51.100.3 5222/tcp chat answered lossy=yes\n"
#define GOOD                                          \
	"flow a 198.51.100.1 443/tcp web answered\n"  \
	"flow a 198.51.100.1 5060/udp sip answered\n" \
	"flow a 198.51.100.1 5222/tcp chat answered\n"

static const struct {
	const char *why;
	const char *facts;
	const char *want; /* "ID severity segment n; ID ..." */
} cases[] = {
	{"all is well", GOOD, ""},
	{"not asked is no failure",
         GOOD "flow b 198.51.100.2 5060/udp sip skipped reason=not-wanted\n",
         ""},
	{"what nobody can tell is no proof",
         GOOD "flow b 198.51.100.2 5061/udp sip no-means\n",
         "check.needs-edge warn unknown 1"},
	{"a box that opens connections, with nothing behind it",
         GOOD "flow b 198.51.100.2 5061/tcp sip cut accepted=2:carrier\n"
              "flow c 198.51.100.3 5061/tcp sip cut accepted=2:carrier\n"
              "flow d 198.51.100.4 5061/tcp sip cut stop=1-1:router\n",
         "path.tcp-proxy fail carrier 2; path.ports-blocked fail router 1"},
	{"the same, and the server answers through it",
         GOOD "flow b 198.51.100.2 5061/tcp sip answered accepted=1:router\n",
         "path.tcp-proxy warn router 1"},
	{"two boxes are two",
         GOOD "flow b 198.51.100.2 5061/tcp sip answered accepted=1:router\n"
              "flow c 198.51.100.3 5060/tcp sip answered accepted=3:carrier\n",
         "path.tcp-proxy warn router 1; path.tcp-proxy warn carrier 1"},
	{"one that is known by its pages has one name",
         GOOD "flow b 198.51.100.2 80/tcp web answered edge=1 proxied=1 "
              "accepted=1:router\n",
         "path.web-proxy warn router 1"},
	{"what the edge limits is not blocked",
         GOOD "flow b 198.51.100.2 5061/udp sip limited\n"
              "flow b 198.51.100.2 5060/tcp sip limited\n",
         "edge.limited warn provider 2"},
	{"what was not tested is not known",
         GOOD "flow b 198.51.100.2 5060/udp sip unfinished\n"
              "flow c - 5060/udp sip skipped reason=no-name-server\n"
              "flow d 192.0.2.9 5060/udp sip skipped reason=stay-home\n",
         "check.incomplete warn unknown 3"},
	{"at home, where nothing of the profile is",
         "flow d 192.0.2.9 5060/udp sip skipped reason=stay-home\n", ""},
	{"a closed port is a failure of calls",
         GOOD "flow b 198.51.100.2 5060/udp sip silent stop=1-2:router\n",
         "path.ports-blocked fail router 1"},
	{"chat is not",
         GOOD "flow b 198.51.100.2 5222/tcp chat cut stop=1-2:router\n",
         "path.ports-blocked warn router 1"},
	{"many ports and hosts at one place are one",
         GOOD "flow b 198.51.100.2 5060/udp sip silent stop=1-2:router\n"
              "flow b 198.51.100.2 5080/udp sip silent\n"
              "flow c 198.51.100.3 80/tcp web refused stop=1-1:router\n"
              "flow d 198.51.100.4 80/tcp web silent stop=0-3:unknown\n",
         "path.ports-blocked fail router 4"},
	{"two places are two",
         GOOD "flow b 198.51.100.2 5060/udp sip silent stop=1-2:router\n"
              "flow c 198.51.100.3 80/tcp web silent stop=2-3:carrier\n",
         "path.ports-blocked fail router 1; "
         "path.ports-blocked warn carrier 1"},
	{"UDP as a whole",
         "flow a 198.51.100.1 443/tcp web answered\n"
         "flow a 198.51.100.1 5222/tcp chat answered\n"
         "flow a 198.51.100.1 5060/udp sip silent stop=2-3:carrier\n"
         "flow b 198.51.100.2 10000-65535/udp rtp silent\n",
         "path.udp-blocked fail carrier 2"},
	{"one UDP port is not all of UDP",
         "flow a 198.51.100.1 443/tcp web answered\n"
         "flow a 198.51.100.1 5222/tcp chat answered\n"
         "flow a 198.51.100.1 5060/udp sip silent stop=2-3:carrier\n",
         "path.ports-blocked fail carrier 1"},
	{"everything but the web",
         "flow a 198.51.100.1 443/tcp web answered\n"
         "flow a 198.51.100.1 80/tcp web answered\n"
         "flow a 198.51.100.1 5222/tcp chat silent\n"
         "flow a 198.51.100.1 5060/udp sip silent stop=1-2:router\n"
         "flow b 198.51.100.2 10000-65535/udp rtp silent\n",
         "path.only-web fail router 3"},
	{"one web port alone, and the other is no cause of its own",
         "flow a 198.51.100.1 443/tcp web answered\n"
         "flow a 198.51.100.1 80/tcp web silent stop=1-2:router\n"
         "flow b 198.51.100.2 80/tcp web silent\n"
         "flow a 198.51.100.1 5222/tcp chat silent\n"
         "flow b 198.51.100.2 5060/udp sip silent stop=1-2:router\n",
         "path.only-web fail router 4"},
	{"nothing at all",
         "flow a 198.51.100.1 443/tcp web silent\n"
         "flow a 198.51.100.1 5060/udp sip silent stop=1-2:router\n",
         "path.no-way fail router 2"},
	{"a part of a range, with its ports",
         GOOD "flow b 198.51.100.2 10000-65535/udp rtp partly "
              "stop=2-3:carrier blocked=10000-12345+20000-20000\n",
         "path.range-blocked fail carrier 1"},
	{"this computer's own filter",
         GOOD "flow b 198.51.100.2 5060/udp sip local error=EPERM\n"
              "flow b 198.51.100.2 5080/udp sip local error=EPERM\n",
         "device.firewall fail device 2"},
	{"this computer's own filter, on the way in",
         GOOD "flow b 198.51.100.2 5060/udp sip local is_dropped_here=1\n"
              "flow b 198.51.100.2 5080/udp sip local error=EPERM\n",
         "device.firewall fail device 1; device.firewall fail device 1"},
	{"this computer has no route",
         GOOD "flow b 198.51.100.2 5060/udp sip local "
              "error=ENETUNREACH\n",
         "device.no-network fail device 1"},
	{"a dead name server",
         GOOD "name b silent\nname c silent\n"
              "flow b - 5060/udp sip no-address\n"
              "flow c - 443/tcp web no-address\n",
         "name.resolver-dead fail unknown 2"},
	{"a name that is gone",
         GOOD "name b no-address\nflow b - 443/tcp web no-address\n",
         "name.not-found warn unknown 1"},
	{"a service that is not offered",
         GOOD "service _sip._udp.b not-offered\n"
              "flow _sip._udp.b - 5060/udp sip not-offered\n"
              "flow c - 443/tcp web no-address\n",
         "name.not-offered fail provider 1; name.not-found warn unknown 1"},
	{"a service that no name server knows",
         GOOD "service _sip._udp.b silent\nname b silent\n"
              "flow _sip._udp.b - 5060/udp sip no-address target=b\n",
         "name.resolver-dead fail unknown 1"},
	{"a service without a record, whose domain answers",
         GOOD "service _sip._udp.b fallback\nname b resolved\n"
              "flow _sip._udp.b 198.51.100.1 5060/udp sip answered "
              "target=b\n",
         "name.no-record warn unknown 0"},
	{"a service without a record, whose domain has no address",
         GOOD "service _sip._udp.b no-address\nname b no-address\n"
              "flow _sip._udp.b - 5060/udp sip no-address target=b\n",
         "name.not-found fail unknown 1"},
	{"a service at a port of its own",
         GOOD "service _sip._udp.b resolved 5070\nname c resolved\n"
              "flow _sip._udp.b 198.51.100.1 5070/udp sip answered "
              "target=c\n",
         "name.unexpected-port warn unknown 0"},
	{"a service that leads to a stranger, who does not answer",
         GOOD "service _sip._udp.b resolved\n"
              "name c resolved foreign=198.51.100.77\n"
              "flow _sip._udp.b 198.51.100.77 5060/udp sip silent "
              "target=c\n",
         "name.wrong-address fail unknown 1"},
	{"names that lead nowhere, all to one address",
         GOOD "name b resolved\nname c resolved\nname d resolved\n"
              "flow b 203.0.113.9 5060/udp sip silent\n"
              "flow c 203.0.113.9 443/tcp web silent\n"
              "flow d 203.0.113.9 443/tcp web silent\n",
         "name.wrong-address fail unknown 3"},
	{"two names at one host that is down are no lie",
         GOOD "name b resolved\nname c resolved\n"
              "flow b 203.0.113.9 443/tcp web silent stop=2-3:carrier\n"
              "flow c 203.0.113.9 443/tcp web silent\n",
         "path.ports-blocked warn carrier 2"},
	{"a name that leads inside",
         GOOD "name b resolved\n"
              "flow b 192.168.1.1 443/tcp web refused\n",
         "name.wrong-address warn unknown 1"},
	{"a login page, whatever else fails",
         "flow d - 5060/udp sip skipped reason=no-name-server\n"
         "flow a 198.51.100.1 80/tcp web other portal=sure\n"
         "flow a 198.51.100.1 443/tcp web bad-tls faults=untrusted\n"
         "flow b 198.51.100.2 5060/udp sip silent\n",
         "path.captive-portal fail lan 3"},
	{"the router's table",
         GOOD "table 4096\n"
              "flow b 198.51.100.2 10000-65535/udp rtp unfinished\n"
              "flow b 198.51.100.2 5060/udp sip silent\n",
         "nat.table-full fail router 2"},
	{"the router's table, met by ranges alone",
         GOOD "table 300\n"
              "flow b 198.51.100.2 10000-65535/udp rtp partly limited=40\n",
         "nat.table-full fail router 1"},
	{"a blocked part is one, whatever the table",
         GOOD "table 300\n"
              "flow b 198.51.100.2 10000-65535/udp rtp partly limited=40 "
              "stop=2-3:carrier blocked=20000-20000\n",
         "path.range-blocked fail carrier 1"},
	{"what is lossy there waits for a place in the table",
         GOOD "table 300\n"
              "flow b 198.51.100.2 10000-65535/udp rtp partly limited=40\n"
              "flow c 198.51.100.3 5060/udp sip answered lossy=yes\n",
         "nat.table-full fail router 1"},
	{"on a drowned line no table is full",
         GOOD LOSSY "table 9\n"
                    "flow h 198.51.100.9 10000-65535/udp rtp partly "
                    "limited=4\n",
         "path.loses-packets fail unknown 6"},
	{"unless old flows went on",
         GOOD LOSSY "table 9 going on\n"
                    "flow h 198.51.100.9 10000-65535/udp rtp partly "
                    "limited=4\n",
         "nat.table-full fail router 1"},
	{"one rule, and a router that tired of saying where",
         GOOD "flow b 198.51.100.2 5060/udp sip silent stop=1-2:router\n"
              "flow c 198.51.100.3 5060/udp sip silent stop=2-3:carrier\n",
         "path.ports-blocked fail carrier 2"},
	{"two boxes, each with ports of its own",
         GOOD "flow b 198.51.100.2 5060/udp sip silent stop=1-2:router\n"
              "flow c 198.51.100.3 5061/udp sip silent stop=2-3:carrier\n",
         "path.ports-blocked fail router 1; "
         "path.ports-blocked fail carrier 1"},
	{"two boxes far apart",
         GOOD "flow b 198.51.100.2 5060/udp sip silent stop=0-1:router\n"
              "flow c 198.51.100.3 5060/udp sip silent stop=2-3:carrier\n",
         "path.ports-blocked fail router 1; "
         "path.ports-blocked fail carrier 1"},
	{"a range of which some hosts' walks ended early",
         GOOD "flow b 198.51.100.2 10000-65535/udp rtp partly "
              "stop=1-2:router blocked=20000-20009\n"
              "flow c 198.51.100.3 10000-65535/udp rtp partly "
              "stop=2-3:carrier blocked=20000-20009\n"
              "flow d 198.51.100.4 10000-65535/udp rtp partly "
              "blocked=20000-20009\n",
         "path.range-blocked fail carrier 3"},
	{"interception, as an edge has it",
         GOOD "flow b 198.51.100.2 5061/tcp sip bad-tls intercepted=yes "
              "faults=untrusted issuer=Box\n",
         "tls.intercepted fail unknown 1"},
	{"interception, by one issuer for all",
         GOOD "flow b 198.51.100.2 443/tcp web bad-tls faults=untrusted "
              "issuer=Box\n"
              "flow c 198.51.100.3 443/tcp web bad-tls faults=untrusted "
              "issuer=Box\n"
              "flow d 198.51.100.4 443/tcp web bad-tls faults=untrusted "
              "issuer=Box\n",
         "tls.intercepted warn unknown 3"},
	{"one host with a certificate of its own is no interception",
         GOOD "flow b 198.51.100.2 443/tcp web bad-tls "
              "faults=self-signed issuer=Own\n"
              "flow b 198.51.100.2 5061/tcp sip bad-tls "
              "faults=self-signed issuer=Own\n",
         "tls.untrusted warn unknown 2"},
	{"an old certificate",
         GOOD "flow b 198.51.100.2 5061/tcp sip bad-tls faults=expired\n",
         "tls.expired fail provider 1"},
	{"a certificate of somebody else",
         GOOD "flow b 198.51.100.2 443/tcp web bad-tls faults=name\n",
         "tls.wrong-name warn provider 1"},
	{"all certificates are old: the clock",
         GOOD "flow b 198.51.100.2 5061/tcp sip bad-tls faults=not-yet "
              "sha256=aa behind=86400\n"
              "flow c 198.51.100.3 443/tcp web bad-tls faults=not-yet "
              "sha256=bb behind=86400\n",
         "device.clock-wrong fail device 2"},
	{"one certificate is old, and the servers say what time it is",
         GOOD "flow b 198.51.100.2 5061/tcp sip bad-tls faults=expired "
              "ahead=86400\n"
              "flow c 198.51.100.3 80/tcp web answered date=90000\n",
         "device.clock-wrong fail device 1"},
	{"one is not valid yet, by a clock that is behind",
         GOOD "flow b 198.51.100.2 5061/tcp sip bad-tls faults=not-yet "
              "behind=86400 date=-90000\n",
         "device.clock-wrong fail device 1"},
	{"not by so much",
         GOOD "flow b 198.51.100.2 5061/tcp sip bad-tls faults=expired "
              "ahead=86400\n"
              "flow c 198.51.100.3 80/tcp web answered date=1000\n",
         "tls.expired fail provider 1"},
	{"the servers say that the clock is right",
         GOOD "flow b 198.51.100.2 5061/tcp sip bad-tls faults=expired "
              "sha256=aa ahead=86400 date=0\n"
              "flow c 198.51.100.3 443/tcp web bad-tls faults=expired "
              "sha256=bb ahead=86400 date=1\n",
         "tls.expired fail provider 2"},
	{"servers that disagree say nothing",
         GOOD "flow b 198.51.100.2 5061/tcp sip bad-tls faults=expired "
              "ahead=86400 date=0\n"
              "flow c 198.51.100.3 80/tcp web answered date=90000\n",
         "tls.expired fail provider 1"},
	{"another name is no matter of the clock",
         GOOD "flow b 198.51.100.2 5061/tcp sip bad-tls faults=expired+name "
              "ahead=86400 date=90000\n",
         "tls.expired fail provider 1"},
	{"a clock that is wrong and harms nobody",
         GOOD "flow b 198.51.100.2 80/tcp web answered date=900\n"
              "flow c 198.51.100.3 80/tcp web answered date=901\n",
         "device.clock-wrong warn device 0"},
	{"NTP and HTTP agree, the signs being opposite",
         GOOD "flow b 198.51.100.2 123/udp ntp answered ntp=-900\n"
              "flow c 198.51.100.3 80/tcp web answered date=901\n",
         "device.clock-wrong warn device 0"},
	{"one service sends its users to another site, and all else passes",
         GOOD "flow b 198.51.100.2 80/tcp web answered portal=likely "
              "to=login.example\n",
         ""},
	{"nothing but pages that send elsewhere",
         "flow a 198.51.100.1 5060/udp sip silent\n"
         "flow b 198.51.100.2 80/tcp web answered portal=likely "
         "to=login.example\n",
         "path.captive-portal fail lan 1"},
	{"two hosts send to the same stranger",
         GOOD "flow b 198.51.100.2 80/tcp web answered portal=likely "
              "to=login.example\n"
              "flow c 198.51.100.3 80/tcp web answered portal=likely "
              "to=login.example\n"
              "flow d 198.51.100.4 5060/udp sip silent\n",
         "path.captive-portal fail lan 1"},
	{"two hosts send to two",
         GOOD "flow b 198.51.100.2 80/tcp web answered portal=likely "
              "to=login.example\n"
              "flow c 198.51.100.3 80/tcp web answered portal=likely "
              "to=other.example\n",
         ""},
	{"a good certificate of an issuer that the profile does not name",
         GOOD "cert b is_other_issuer\n", "tls.other-issuer warn unknown 0"},
	{"an issuer that nobody knows, and not the profile's",
         GOOD "flow b 198.51.100.2 443/tcp web bad-tls faults=untrusted "
              "is_other_issuer=1\n",
         "tls.intercepted warn unknown 1"},
	{"a name server that takes its time",
         GOOD "name a resolved took=1400\n", "name.slow warn unknown 0"},
	{"the first one is silent, the second is not",
         GOOD "name a resolved took=500 error=ETIMEDOUT\n",
         "name.slow warn unknown 0"},
	{"a quick one", GOOD "name a resolved took=90\n", ""},
	{"UDP to the name server is swallowed",
         GOOD "name a resolved took=90 tcp=1\n",
         "name.only-tcp warn unknown 0"},
	{"by TCP neither", GOOD "name b silent tcp=1 error=ETIMEDOUT\n", ""},
	{"truncated, and TCP is shut",
         GOOD "name b silent truncated=1 error=ETIMEDOUT\n",
         "name.cut-short warn unknown 0"},
	{"truncated, and TCP had it all", GOOD "name a resolved truncated=1\n",
         ""},
	{"the search list leads elsewhere",
         GOOD "name b no-address search=b.corp.example\n"
              "flow b - 443/tcp web no-address\n",
         "name.not-found warn unknown 1; name.search-list warn device 0"},
	{"names that nobody has get an address",
         GOOD "name a resolved inventing=198.51.100.66\n",
         "name.invented warn unknown 0"},
	{"and this one got the same",
         GOOD "name b resolved inventing=198.51.100.66\n"
              "flow b 198.51.100.66 5060/udp sip silent\n",
         "name.wrong-address fail unknown 1; name.invented warn unknown 0"},
	{"the profile does not know the address, and nothing is there",
         GOOD "name b resolved foreign=198.51.100.77\n"
              "flow b 198.51.100.77 5060/udp sip silent\n",
         "name.wrong-address fail unknown 1"},
	{"the profile does not know it, and it works",
         GOOD "name b resolved foreign=198.51.100.77\n"
              "flow b 198.51.100.77 5060/udp sip answered\n",
         "name.unexpected-address warn unknown 0"},
	{"an account that is refused",
         GOOD "login sip.registered a refused\n"
              "login sip.registered a refused\n"
              "login turn.answer b refused\n",
         "account.sip-refused warn provider 0; "
         "account.turn-refused warn provider 0"},
	{"a server whose TLS is of another time",
         GOOD "flow b 198.51.100.2 5061/tcp sip bad-tls old-tls=1\n"
              "flow c 198.51.100.3 443/tcp web bad-tls\n",
         "tls.too-old fail unknown 1; tls.failed warn unknown 1"},
	{"a relay through which nothing comes",
         GOOD "relay a silent client\nrelay a silent client\n",
         "service.relay-silent warn unknown 0"},
	{"one that was silent to itself alone, refuses, or works",
         GOOD "relay a silent relay\nrelay b denied client\n"
              "relay c passed client\n",
         ""},
	{"accounts that are taken, or were not shown",
         GOOD "login sip.registered a sha-256\nlogin turn.answer b md5\n"
              "login sip.registered a withheld\n"
              "login turn.answer b required\n",
         ""},
	{"the hosts file knows better",
         GOOD "name a resolved addresses=198.51.100.1 hosts=192.0.2.9\n",
         "name.hosts-file warn device 0"},
	{"the hosts file says the same",
         GOOD "name a resolved addresses=198.51.100.1 hosts=198.51.100.1\n",
         ""},
	{"one server's clock is its own",
         GOOD "flow b 198.51.100.2 80/tcp web answered date=900\n", ""},
	{"no TLS at all", GOOD "flow b 198.51.100.2 5061/tcp sip bad-tls\n",
         "tls.failed fail unknown 1"},
	{"the service is not running",
         GOOD "flow b 198.51.100.2 5060/tcp sip refused "
              "stop=3-3:provider who=server\n"
              "flow b 198.51.100.2 5060/udp sip refused "
              "offender=198.51.100.2\n",
         "service.stopped fail provider 2"},
	{"silent by UDP right where the server refuses the same port by TCP",
         GOOD "flow b 198.51.100.2 53/tcp dns refused stop=3-3:provider "
              "who=server\n"
              "flow b 198.51.100.2 53/udp dns silent stop=2-3:carrier\n",
         "service.stopped warn provider 2"},
	{"silent by UDP before that",
         GOOD "flow b 198.51.100.2 53/tcp dns refused stop=3-3:provider "
              "who=server\n"
              "flow b 198.51.100.2 53/udp dns silent stop=1-2:router\n",
         "service.stopped warn provider 1; path.ports-blocked warn router 1"},
	{"the server said so to the trace, and by TCP as well, to all appearance",
         "flow b 198.51.100.2 53/udp dns silent stop=3-3:provider "
         "who=server basis=icmp-refusal\n"
         "flow b 198.51.100.2 53/tcp dns refused stop=2-3:unknown "
         "who=unknown basis=reset\n",
         "service.stopped warn provider 2"},
	{"refused behind the last router, by whom is not known",
         GOOD "flow b 198.51.100.2 443/tcp web refused "
              "stop=3-4:provider who=unknown\n",
         "service.refused warn provider 1"},
	{"refused, and nobody knows how far the server is",
         GOOD "flow b 198.51.100.2 443/tcp web refused "
              "stop=1-2:unknown who=unknown\n",
         "service.refused warn unknown 1"},
	{"refused, and not followed",
         GOOD "flow b 198.51.100.2 443/tcp web refused\n",
         "service.refused warn unknown 1"},
	{"refused where a box is known that blocks",
         GOOD "flow b 198.51.100.2 443/tcp web refused "
              "stop=1-3:unknown who=unknown\n"
              "flow c 198.51.100.3 443/tcp web refused "
              "stop=1-1:router who=middlebox\n",
         "path.ports-blocked warn router 2"},
	{"refused by the last router itself is a block",
         GOOD "flow b 198.51.100.2 443/tcp web refused "
              "stop=3-3:provider who=middlebox\n",
         "path.ports-blocked warn provider 1"},
	{"refused by a box is not the service",
         GOOD "flow b 198.51.100.2 5060/udp sip refused "
              "offender=192.0.2.1 stop=1-1:router\n",
         "path.ports-blocked fail router 1"},
	{"a host that is down",
         GOOD "flow b 198.51.100.2 443/tcp web silent "
              "stop=3-4:provider\n"
              "flow b 198.51.100.2 80/tcp web silent\n",
         "service.silent warn provider 2"},
	{"somebody else answers",
         GOOD "flow b 198.51.100.2 5060/tcp sip other\n",
         "service.other fail unknown 1"},
	{"IPv6 alone fails",
         GOOD "flow b 2001:db8::1 443/tcp web silent mixed=yes\n",
         "path.ip6-broken warn unknown 1"},
	{"a page that was changed",
         GOOD "flow b 198.51.100.2 80/tcp web answered edge=yes altered=yes\n",
         "path.web-proxy warn unknown 1"},
	{"an edge's page with a proxy's words",
         GOOD "flow b 198.51.100.2 80/tcp web answered edge=yes proxied=yes\n",
         "path.web-proxy warn unknown 1"},
	{"no edge, and a proxy's words: the provider may have one",
         GOOD "flow b 198.51.100.2 80/tcp web answered proxied=yes\n", ""},
	{"an edge that has another name over TLS",
         GOOD "flow b 198.51.100.2 80/tcp web answered edge=yes server=x\n"
              "flow b 198.51.100.2 443/tcp web answered edge=yes server=y "
              "sha256=aa\n",
         "path.web-proxy warn unknown 1"},
	{"a server that is no edge may have two names",
         GOOD "flow b 198.51.100.2 80/tcp web answered server=x\n"
              "flow b 198.51.100.2 443/tcp web answered server=y sha256=aa\n",
         ""},
	{"large messages are lost, there or back",
         GOOD "mtu fragments_pass\nmtu fragments_back\n",
         "path.fragments-dropped warn unknown 0"},
	{"a lossy line is a remark",
         GOOD "flow b 198.51.100.2 5060/udp sip answered lossy=yes\n",
         "path.loses-packets warn unknown 1"},
	{"on a drowned line silence proves nothing",
         GOOD LOSSY "flow h 198.51.100.9 80/tcp web silent\n"
                    "flow h 198.51.100.9 443/tcp web cut\n",
         "path.loses-packets fail unknown 7"},
	{"of a range too",
         GOOD LOSSY "flow h 198.51.100.9 10000-65535/tcp rtp partly "
                    "stop=1-2:router blocked=20000-20009 rejected=9\n"
                    "flow i 198.51.100.8 10000-65535/tcp rtp partly "
                    "blocked=20000-20009\n",
         "path.loses-packets fail unknown 6; path.range-blocked fail router 1"},
	{"and a refusal is still one",
         GOOD LOSSY "flow h 198.51.100.9 80/tcp web refused stop=1-2:router\n",
         "path.ports-blocked warn router 1; "
         "path.loses-packets warn unknown 5"},
};

static void put_found(struct wr *w, const struct report *r)
{
	for (const struct finding *fd = r->findings; fd; fd = fd->next) {
		size_t n = 0;

		for (const struct val_item *it = fd->facts.items.first; it;
		     it = it->next) {
			const struct fact *f = r->facts;

			while (f->index != (size_t)it->v.i)
				f = f->next;
			n += strcmp(f->id, "flow.reached") == 0;
		}
		wr_fmt(w, "%s%s %s %s %zu", fd == r->findings ? "" : "; ",
		       fd->id, finding_severity_name(fd->severity),
		       segment_name(fd->segment), n);
	}
}

static void test_each_cause_is_one_finding(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wr w = wr_init_heap();
		struct report r;

		report_init(&r);
		add_lines(&r, cases[i].facts);
		assert_int_equal(diagnose_run(&r), 0);
		put_found(&w, &r);
		if (!slice_eq_str(wr_slice(&w), cases[i].want))
			fail_msg("%s: %.*s", cases[i].why, (int)w.n,
			         (const char *)w.p);
		wr_fini(&w);
		report_fini(&r);
	}
}

/* Who must act has something to do, in words that have all they need. */
static void test_what_calls_need_was_left_out(void **state)
{
	static const struct {
		const char *facts;
		enum verdict want;
	} all[] = {
		{GOOD, VERDICT_READY},
		{GOOD "flow b - 5060/udp sip skipped reason=no-name-server\n",
	         VERDICT_COULD_NOT_TEST},
		{GOOD "flow b - 5222/tcp chat skipped reason=no-name-server\n",
	         VERDICT_READY_WITH_REMARKS},
		{GOOD "flow b - 5060/udp sip unfinished\n"
	              "flow c 198.51.100.3 5060/udp sip silent\n",
	         VERDICT_NOT_READY},
		{GOOD "flow b 198.51.100.2 5061/udp sip no-means\n",
	         VERDICT_READY_WITH_REMARKS},
		{GOOD "flow b 198.51.100.2 5061/udp sip limited\n",
	         VERDICT_COULD_NOT_TEST},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct report r;

		report_init(&r);
		r.is_tested = true;
		add_lines(&r, all[i].facts);
		assert_int_equal(diagnose_run(&r), 0);
		assert_int_equal(report_verdict(&r), all[i].want);
		report_fini(&r);
	}
}

static void test_each_finding_has_words_and_steps(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct report r;

		report_init(&r);
		add_lines(&r, cases[i].facts);
		assert_int_equal(diagnose_run(&r), 0);
		for (const struct finding *fd = r.findings; fd; fd = fd->next) {
			struct wr w = wr_init_heap();

			assert_non_null(fd->title.msgid);
			assert_non_null(fd->detail.msgid);
			words_put(&w, &fd->title, words_english);
			assert_int_equal(
				slice_find(wr_slice(&w), slice_str("%")),
				SIZE_MAX);
			wr_fini(&w);
			if (!fd->remedy)
				fail_msg("%s: nothing to do", fd->id);
		}
		report_fini(&r);
	}
}

static const struct finding *one_finding(struct report *r, const char *facts)
{
	report_init(r);
	add_lines(r, facts);
	assert_int_equal(diagnose_run(r), 0);
	assert_int_equal(r->n_findings, 1);
	return r->findings;
}

static void test_a_range_names_what_is_blocked(void **state)
{
	struct report r;
	const struct finding *fd = one_finding(
		&r, GOOD "flow b 198.51.100.2 10000-65535/udp rtp partly "
			 "stop=2-3:carrier blocked=10000-12345+20000-20000\n"
			 "flow c 198.51.100.3 10000-65535/udp rtp partly "
			 "stop=2-3:carrier blocked=10000-12345\n");

	UNUSED(state);
	assert_string_equal(fd->title.args[4], "10000-12345/UDP, 20000/UDP");
	assert_int_equal(val_get(&fd->evidence, "blocked")->items.n, 2);
	assert_int_equal(val_get(&fd->evidence, "hosts")->items.n, 2);
	assert_int_equal(val_get(&fd->evidence, "ports")->items.n, 1);
	report_fini(&r);
}

/* Not searched to its ends, and nothing speaks against those of another. */
static void test_a_range_takes_its_ends_from_another(void **state)
{
#define TWO_RANGES(edges)                                      \
	GOOD "flow b 198.51.100.2 10000-65535/udp rtp partly " \
	     "stop=2-3:carrier blocked=12345-40000\n"          \
	     "flow c 198.51.100.3 10000-65535/udp rtp partly " \
	     "stop=2-3:carrier blocked=20000-31337 edges=" edges "\n"
	static const struct {
		const char *facts, *want;
	} all[] = {
		{TWO_RANGES("12000-20000-31337-65535"), "12345-40000/UDP"},
		{TWO_RANGES("20000-20000-31337-65535"),
	         "12345-40000/UDP, 20000-31337/UDP"},
		{TWO_RANGES("12000-20000-31337-39999"),
	         "12345-40000/UDP, 20000-31337/UDP"},
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct report r;
		const struct finding *fd = one_finding(&r, all[i].facts);

		assert_string_equal(fd->title.args[4], all[i].want);
		report_fini(&r);
	}
}

static void test_a_full_table_says_its_size(void **state)
{
	struct report r;
	const struct finding *fd = one_finding(
		&r, GOOD "table 4096\n"
			 "flow b 198.51.100.2 5060/udp sip silent\n");

	UNUSED(state);
	assert_string_equal(fd->title.args[4], "4096");
	report_fini(&r);
}

static void test_a_busy_computer_accuses_no_line(void **state)
{
	static const char *const want[] = {"The line loses packets: ",
	                                   "The line loses packets, or this "};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		struct report r;
		const struct finding *fd;

		report_init(&r);
		if (i == 1)
			(void)put(&r, &r.run, "late_ms", val_int(150));
		add_lines(&r, GOOD "flow b 198.51.100.2 5060/udp sip answered "
		                   "lossy=yes\n");
		assert_int_equal(diagnose_run(&r), 0);
		fd = r.findings;
		assert_non_null(fd);
		assert_string_equal(fd->id, "path.loses-packets");
		assert_memory_equal(fd->title.msgid, want[i], strlen(want[i]));
		report_fini(&r);
	}
}

static void test_a_place_is_shown(void **state)
{
	struct report r;
	const struct finding *fd = one_finding(
		&r, GOOD
		"flow b 198.51.100.2 5060/udp sip silent stop=1-2:router\n");
	const struct val *at = val_get(&fd->evidence, "location");

	UNUSED(state);
	assert_int_equal(val_get_int(at, "hop", 0), 1);
	assert_int_equal(val_get_int(at, "hop_max", 0), 2);
	assert_int_equal(fd->act, ACT_CUSTOMER);
	report_fini(&r);
}

static void test_no_memory_is_said(void **state)
{
	const char *facts = cases[4].facts;
	int err = ENOMEM;

	UNUSED(state);
	for (unsigned long n = 0; err; n++) {
		struct report r;

		report_init(&r);
		add_lines(&r, facts);
		oom_after(n);
		err = diagnose_run(&r);
		oom_after(OOM_NEVER);
		assert_true(err == 0 || (err == ENOMEM && r.no_memory));
		report_fini(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_cause_is_one_finding),
		cmocka_unit_test(test_what_calls_need_was_left_out),
		cmocka_unit_test(test_each_finding_has_words_and_steps),
		cmocka_unit_test(test_a_range_names_what_is_blocked),
		cmocka_unit_test(test_a_range_takes_its_ends_from_another),
		cmocka_unit_test(test_a_full_table_says_its_size),
		cmocka_unit_test(test_a_busy_computer_accuses_no_line),
		cmocka_unit_test(test_a_place_is_shown),
		cmocka_unit_test(test_no_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
