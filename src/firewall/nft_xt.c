/* SPDX-License-Identifier: ISC */
/*
 * Design: rules of iptables-nft hold what is said in no other way as "xt
 * match NAME" and "xt target NAME", without what they were told. A match
 * that is not known closes a rule as any other word does. A target may take
 * the packet, or give its connection a helper: only those that cannot are
 * passed over.
 */
#include "firewall/nft_rule.h"

static bool is_name(const struct nft_token *t, const char *const *names)
{
	for (; *names; names++) {
		if (slice_eq_str(t->s, *names))
			return true;
	}
	return false;
}

/* Marks, options and logs; ip{,6}tables-extensions(8) */
static const char *const harmless[] = {
	"AUDIT",   "CHECKSUM", "CLASSIFY", "CONNMARK",    "CONNSECMARK",
	"DSCP",    "ECN",      "HL",       "IDLETIMER",   "LED",
	"LOG",     "MARK",     "NFACCT",   "NFLOG",       "RATEEST",
	"SECMARK", "SET",      "TCPMSS",   "TCPOPTSTRIP", "TOS",
	"TRACE",   "TTL",      NULL,
};

static const struct {
	const char *name;
	enum fw_action action;
	enum fw_nat_kind nat;
} known[] = {
	{"REJECT", FW_REJECT, FW_NAT_NONE},
	{"SNAT", FW_ACCEPT, FW_NAT_SOURCE},
	{"MASQUERADE", FW_ACCEPT, FW_NAT_SOURCE},
	{"DNAT", FW_ACCEPT, FW_NAT_DEST},
	{"REDIRECT", FW_ACCEPT, FW_NAT_REDIRECT},
};

/* A helper, a time, or no tracking at all. */
static void read_ct(struct fw_match *m, struct nft_xt *out)
{
	m->rule.is_template = true;
	m->rule.attrs.alg = FW_UNKNOWN;
	m->rule.attrs.udp_idle_s = FW_IDLE_UNKNOWN;
	m->rule.attrs.tcp_idle_s = FW_IDLE_UNKNOWN;
	out->is_untracked = true;
}

size_t nft_xt_read(struct nft_xt *out, struct fw_match *m,
                   const struct nft_token *t, size_t n)
{
	const struct nft_token *name;

	if (n < 3 || !nft_is(t, "xt"))
		return 0;
	name = &t[2];
	if (nft_is(&t[1], "match"))
		return slice_eq_str(name->s, "comment") ? 3 : 0;
	if (!nft_is(&t[1], "target"))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (!slice_eq_str(name->s, known[i].name))
			continue;
		m->rule.action = known[i].action;
		m->rule.nat.kind = known[i].nat;
		return 3;
	}
	if (slice_eq_str(name->s, "CT"))
		read_ct(m, out);
	else if (!is_name(name, harmless))
		out->is_any = true;
	return 3;
}
