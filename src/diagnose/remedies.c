/* SPDX-License-Identifier: ISC */
/*
 * Design: one table, read from top to bottom, so that the order of the rows
 * is the order of the advice: first what needs no password, then the box,
 * then those to call, then the proof. A row says for which trouble, segment
 * and implementation it holds and what this run must have measured.
 */
#include "diagnose/remedies.h"

#include "base/i18n.h"

/* What must have been measured; it also gives the step its arguments. */
enum need {
	NEED_NOTHING,
	NEED_TLS,       /* %1$s: port */
	NEED_ALT_UDP,   /* %1$s: port */
	NEED_TCP,       /* %1$s: port */
	NEED_WAY_ROUND, /* any of the three */
	NEED_ADDRESS,   /* %1$s: address of the box, %2$s: its hop */
	NEED_PAIR, /* %1$s, %2$s: hop and address of one, %3$s, %4$s: of the
	              next, either of which is the box */
};

#define ON(segment) (1U << (segment))
#define BY(fp)      (1U << (fp))

enum {
	ANY = 0,
	ALG_OR_STATE = TROUBLE_ALG | TROUBLE_STATE,
	BLOCKED = TROUBLE_PORT | TROUBLE_UDP | TROUBLE_RANGE,
	OUTSIDE = TROUBLE_SERVER | TROUBLE_CERT,
	LOST = BLOCKED | TROUBLE_LOSS,
};

static const unsigned at_home = ON(SEGMENT_UNKNOWN) | ON(SEGMENT_ROUTER) |
                                ON(SEGMENT_LAN) | ON(SEGMENT_DEVICE);

static const struct remedy {
	const char *id;
	unsigned troubles;
	unsigned segments; /* ON() bits; ANY */
	unsigned prints;   /* BY() bits; ANY */
	enum need need;
	bool needs_router;
	const char *text;
} remedies[] = {
	{"use-tls", TROUBLE_ALG | LOST, ANY, ANY, NEED_TLS, false,
         N_("Set the phone to SIP over TLS, port %1$s. In this very test it "
            "passed unchanged.")},
	{"use-alternative-port", TROUBLE_ALG | TROUBLE_PORT | TROUBLE_LOSS, ANY,
         ANY, NEED_ALT_UDP, false,
         N_("Set the phone to UDP port %1$s. In this very test it passed "
            "unchanged.")},
	{"use-tcp", TROUBLE_ALG | LOST, ANY, ANY, NEED_TCP, false,
         N_("Set the phone to SIP over TCP, port %1$s. In this very test "
            "it passed unchanged.")},
	{"restart-phone", TROUBLE_ALG | LOST, ANY, ANY, NEED_WAY_ROUND, false,
         N_("Then restart the phone, so that it registers by the new way.")},
	{"new-session", TROUBLE_SESSION, ANY, ANY, NEED_NOTHING, false,
         N_("Set the phone to another SIP port of its own, or let it choose "
            "one: it then begins a new session, and in this very test one "
            "passed unchanged.")},
	{"check-connection", TROUBLE_SILENCE, ANY, ANY, NEED_NOTHING, false,
         N_("Check that this computer reaches the Internet and that the name "
            "of the test server is right, then measure again.")},
	{"log-in", TROUBLE_PORTAL, ANY, ANY, NEED_NOTHING, false,
         N_("Open any web page in a browser, log in as the network asks, then "
            "measure again. Phones need a network without a login.")},
	{"set-clock", TROUBLE_CLOCK, ANY, ANY, NEED_NOTHING, false,
         N_("Set date and time of this computer, best by itself from the "
            "Internet (NTP), then measure again.")},
	{"device-firewall", TROUBLE_DEVICE, ANY, ANY, NEED_NOTHING, false,
         N_("Allow the phone's program in the firewall or antivirus of this "
            "computer, for all of these ports, outgoing, and what "
            "comes back.")},
	{"clean-hosts-file", TROUBLE_HOSTS, ANY, ANY, NEED_NOTHING, false,
         N_("Take the name out of this computer's hosts file (/etc/hosts), "
            "unless it was put there on purpose.")},
	{"change-name-server", TROUBLE_NAMES, ANY, ANY, NEED_NOTHING, false,
         N_("Set this computer to another name server, that of the carrier "
            "or a public one, and compare: prumo check --dns ADDRESS")},
	{"dns-in-router", TROUBLE_NAMES, at_home, ANY, NEED_NOTHING, true,
         N_("In the router, look which name servers it hands out (DHCP), and "
            "turn off filters of names for the provider's domains.")},
	{"ip6-off", TROUBLE_IP6, ANY, ANY, NEED_NOTHING, false,
         N_("Until it is mended, turn IPv6 off in the phone or for this "
            "connection.")},
	{"exempt-from-inspection", TROUBLE_TLS, ANY, ANY, NEED_NOTHING, true,
         N_("In the firewall, except the provider's hosts from the inspection "
            "of TLS (SSL inspection, HTTPS scanning).")},
	{"exempt-from-proxy", TROUBLE_PROXY, ANY, ANY, NEED_NOTHING, true,
         N_("In the router or firewall, except the provider's hosts from the "
            "transparent proxy or web filter.")},
	{"use-cable", TROUBLE_LINE, ANY, ANY, NEED_NOTHING, false,
         N_("Connect this computer by cable instead of Wi-Fi, let nobody else "
            "load the line, and measure again.")},
	{"smaller-messages", TROUBLE_SIZE, ANY, ANY, NEED_NOTHING, false,
         N_("Set the phone to SIP over TCP or TLS, or to fewer codecs, so that "
            "no message is cut into fragments.")},
	{"allow-fragments", TROUBLE_SIZE, at_home, ANY, NEED_NOTHING, true,
         N_("In the router or firewall, allow IP fragments and ICMP "
            "'fragmentation needed'.")},
	{"shorter-times", TROUBLE_TABLE, ANY, ANY, NEED_NOTHING, true,
         N_("In the router, raise the number of connections (NAT or session "
            "table), or let idle ones of other programs end sooner; a "
            "restart empties the table for a while.")},
	{"test-all", TROUBLE_GAP, ANY, ANY, NEED_NOTHING, false,
         N_("Let the test come to its end, and where names could not be asked "
            "for give it a name server (--dns) or addresses (--resolve).")},
	{"ask-for-edge", TROUBLE_UNSURE, ANY, ANY, NEED_NOTHING, false,
         N_("Ask the provider for a test server that mirrors what it "
            "receives, and give it with --edge.")},

	{"one-of-two", ALG_OR_STATE | TROUBLE_LOSS, ANY, ANY, NEED_PAIR, false,
         N_("The box is one of two: hop %1$s, %2$s, as it passes the message "
            "on, or hop %3$s, %4$s, as it takes it in. Begin with the nearer "
            "one; if what follows changes nothing there, it is the other.")},
	{"clear-sessions", TROUBLE_SESSION, at_home, ANY, NEED_NOTHING, true,
         N_("Clear the sessions of the router, or restart it, and measure "
            "again: what was changed in it holds for new sessions only.")},
	{"alg-off", ALG_OR_STATE, at_home, ANY, NEED_NOTHING, true,
         N_("Turn the SIP ALG off in the router. Menus call it SIP ALG, SIP "
            "Helper, SIP Passthrough, SIP Transformations, SIP Inspection or "
            "NAT ALG.")},
	{"alg-off-routeros", ALG_OR_STATE, at_home,
         BY(FINGERPRINT_LINUX_NETFILTER), NEED_NOTHING, true,
         N_("On MikroTik RouterOS: /ip firewall service-port set sip "
            "disabled=yes")},
	{"alg-off-edgeos", ALG_OR_STATE, at_home,
         BY(FINGERPRINT_LINUX_NETFILTER), NEED_NOTHING, true,
         N_("On Ubiquiti EdgeOS: configure; set system conntrack modules sip "
            "disable; commit; save; exit")},
	{"alg-off-openwrt", ALG_OR_STATE, at_home,
         BY(FINGERPRINT_LINUX_NETFILTER), NEED_NOTHING, true,
         N_("On OpenWrt: uci set firewall.@defaults[0].auto_helper=0; uci "
            "commit firewall; /etc/init.d/firewall restart")},
	{"alg-off-linux", ALG_OR_STATE, at_home,
         BY(FINGERPRINT_LINUX_NETFILTER), NEED_NOTHING, true,
         N_("On any other Linux: take out the nft rule with 'ct helper set' "
            "for SIP, or the iptables rule with '-j CT --helper sip'.")},
	{"clear-conntrack", ALG_OR_STATE, at_home,
         BY(FINGERPRINT_LINUX_NETFILTER), NEED_NOTHING, true,
         N_("Then clear the old sessions, which keep the helper: restart the "
            "router, or on Linux: conntrack -D -p udp --dport 5060")},
	{"alg-off-junos", ALG_OR_STATE, at_home,
         BY(FINGERPRINT_QUICKSEC_JUNIPER), NEED_NOTHING, true,
         N_("On Juniper Junos: set security alg sip disable; commit. Then "
            "clear the old sessions: clear security flow session destination-port "
            "5060")},
	{"proxy-off", ALG_OR_STATE, at_home, BY(FINGERPRINT_PROXY),
         NEED_NOTHING, true,
         N_("Look for a SIP proxy, a SIP-ALG policy or an application "
            "control for SIP in the firewall, and replace it by a plain "
            "packet filter rule.")},
	{"restart-router", ALG_OR_STATE, at_home,
         BY(FINGERPRINT_UNKNOWN) | BY(FINGERPRINT_PROXY) |
                 BY(FINGERPRINT_SEARCH_AND_REPLACE),
         NEED_NOTHING, true,
         N_("Then restart the router, so that old sessions do not keep the "
            "old behaviour.")},
	{"open-udp", TROUBLE_UDP, at_home, ANY, NEED_NOTHING, true,
         N_("In the router or firewall, allow outgoing UDP to the provider, "
            "for SIP and for the voice itself (RTP).")},
	{"open-range", TROUBLE_RANGE, at_home, ANY, NEED_NOTHING, true,
         N_("In the router or firewall, allow the whole range to the provider, "
            "outgoing with its answers, and look for rules that stand before "
            "that one.")},
	{"open-port", TROUBLE_PORT, at_home, ANY, NEED_NOTHING, true,
         N_("In the router or firewall, allow these ports to the provider, "
            "outgoing with their answers.")},

	{"call-carrier-with-box", ALG_OR_STATE, ON(SEGMENT_CARRIER), ANY,
         NEED_ADDRESS, false,
         N_("Call the Internet carrier and send this report: its box %1$s, at "
            "hop %2$s, interferes with SIP. The bytes before and after are "
            "the proof.")},
	{"call-carrier-blocks", LOST | TROUBLE_RANGE, ON(SEGMENT_CARRIER), ANY,
         NEED_ADDRESS, false,
         N_("Call the Internet carrier and send this report: what is listed "
            "here ends at its box %1$s, hop %2$s.")},
	{"call-carrier", LOST | TROUBLE_TABLE | TROUBLE_NAMES,
         ON(SEGMENT_UNKNOWN), ANY, NEED_NOTHING, false,
         N_("If your own router is not the cause, call the Internet carrier "
            "and send this report.")},
	{"call-provider", ALG_OR_STATE, ON(SEGMENT_PROVIDER), ANY, NEED_NOTHING,
         false,
         N_("Send this report to the telephony provider: the box is next to "
            "its server.")},
	{"call-provider-service", OUTSIDE, ANY, ANY, NEED_NOTHING, false,
         N_("Send this report to the telephony provider: the way to its "
            "server is open, the service is not as its document says.")},
	{"measure-again", ALG_OR_STATE, ANY, ANY, NEED_NOTHING, false,
         N_("Measure again afterwards. Some routers turn the SIP ALG on "
            "again after a reset or an update.")},
	{"measure-again",
         ~(unsigned)(ALG_OR_STATE | TROUBLE_SILENCE | TROUBLE_UNSURE |
                     TROUBLE_SESSION),
         ANY, ANY, NEED_NOTHING, false, N_("Measure again afterwards.")},
};

static const char *port_text(struct report *r, const struct shot *s)
{
	return report_fmt(r, "%lld", (long long)s->port);
}

static bool name_pair(struct words *ws, struct report *r, const struct val *box)
{
	struct slice last = val_get_text(box, "last_address");
	struct slice next = val_get_text(box, "next_address");
	int64_t min = val_get_int(box, "hop_min", 0);

	if (val_get_int(box, "hop", 0) > 0 || min < 1 ||
	    val_get_int(box, "hop_max", 0) != min + 1 || !last.n || !next.n)
		return false;
	ws->args[0] = report_fmt(r, "%lld", (long long)min);
	ws->args[1] = report_text(r, last);
	ws->args[2] = report_fmt(r, "%lld", (long long)min + 1);
	ws->args[3] = report_text(r, next);
	return true;
}

/* @return false when this run did not measure what the step needs. */
static bool has_need(struct words *ws, struct report *r,
                     const struct finding *fd, const struct ladder *l,
                     enum need need)
{
	const struct shot *tls = ladder_clean(l, ROLE_TLS, "tls");
	const struct shot *alt = ladder_clean(l, ROLE_SIP_ALT, "udp");
	const struct shot *tcp = ladder_clean(l, ROLE_SIP, "tcp");
	const struct shot *way = NULL;
	const struct val *box = val_get(&fd->evidence, "location");
	struct slice address = val_get_text(box, "address");
	int64_t hop = val_get_int(box, "hop", 0);

	switch (need) {
	case NEED_NOTHING:
		return true;
	case NEED_PAIR:
		return name_pair(ws, r, box);
	case NEED_WAY_ROUND:
		return tls || alt || tcp;
	case NEED_TLS:
		way = tls;
		break;
	case NEED_ALT_UDP:
		way = alt;
		break;
	case NEED_TCP:
		way = tcp;
		break;
	case NEED_ADDRESS:
		if (address.n == 0 || hop <= 0)
			return false;
		ws->args[0] = report_text(r, address);
		ws->args[1] = report_fmt(r, "%lld", (long long)hop);
		return true;
	}
	if (!way)
		return false;
	ws->args[0] = port_text(r, way);
	return true;
}

void remedies_add(struct report *r, struct finding *fd, const struct ladder *l,
                  enum trouble trouble, enum fingerprint fp)
{
	for (size_t i = 0; i < ARRAY_LEN(remedies); i++) {
		const struct remedy *m = &remedies[i];
		struct words text = {.msgid = m->text};

		if (!(m->troubles & trouble) ||
		    (m->segments != ANY && !(m->segments & ON(fd->segment))) ||
		    (m->prints != ANY && !(m->prints & BY(fp))) ||
		    !has_need(&text, r, fd, l, m->need))
			continue;
		finding_remedy(r, fd, m->id, text)->needs_router =
			m->needs_router;
	}
}
