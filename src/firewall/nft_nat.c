/* SPDX-License-Identifier: ISC */
/* What changes packets and their connections, in the nft language. */
#include "firewall/nft_rule.h"

static const struct {
	const char *word;
	enum fw_nat_kind kind;
	bool is_last; /* its target and flags end the rule */
} nats[] = {
	{"masquerade", FW_NAT_SOURCE, true},
	{"snat", FW_NAT_SOURCE, true},
	{"dnat", FW_NAT_DEST, true},
	{"redirect", FW_NAT_REDIRECT, true},
	{"tproxy", FW_NAT_REDIRECT, false},
};

static struct slice text_of(const struct nft_token *t, size_t n)
{
	const uint8_t *end = t[n - 1].s.p + t[n - 1].s.n;

	return slice_trim((struct slice){t->s.p, (size_t)(end - t->s.p)});
}

/* "ip to 192.0.2.1:5060 persistent"
 *
 * @return what the target and its flags take, or 0: they are not all that
 *         counts, for a map translates only what it has */
static size_t read_target(struct fw_match *m, const struct nft_token *t,
                          size_t n)
{
	bool is_plain = true;
	size_t from = 0, to;

	/* A listing leaves the match out that this implies. */
	if (n && nft_is(t, "ip"))
		fw_match_families(m, FW_IP4);
	else if (n && nft_is(t, "ip6"))
		fw_match_families(m, FW_IP6);
	from += n && nft_is_one_of(t, "ip ip6");
	from += from < n && nft_is(&t[from], "to");
	for (to = from; to < n; to++) {
		if (nft_is_one_of(&t[to],
		                  "comment random fully-random persistent"))
			break;
		is_plain &= !nft_is_one_of(&t[to], "map numgen jhash symhash");
	}
	if (to > from) {
		m->rule.nat.to =
			arena_dup(m->arena, text_of(&t[from], to - from));
		m->no_memory |= !m->rule.nat.to;
	}
	while (to < n && !nft_is(&t[to], "comment"))
		to++;
	return is_plain ? to : 0;
}

size_t nft_nat_read(struct fw_match *m, const struct nft_token *t, size_t n)
{
	for (size_t i = 0; n && i < ARRAY_LEN(nats); i++) {
		size_t n_target;

		if (!nft_is(t, nats[i].word))
			continue;
		m->rule.nat.kind = nats[i].kind;
		m->rule.action = FW_ACCEPT;
		n_target = read_target(m, t + 1, n - 1);
		return nats[i].is_last ? 1 + n_target : 1;
	}
	return 0;
}

static size_t operand(struct fw_match *m, const struct nft_token *t, size_t n)
{
	size_t i = 0;

	while (i < n && nft_is(&t[i], "("))
		i++;
	/* Where there is no connection, or no such header, the rule ends. */
	if (i < n && nft_is_one_of(&t[i], "ct ip ip6 tcp udp th"))
		fw_match_doubt(m, text_of(&t[i], 1));
	i += i < n && nft_is_one_of(&t[i], "meta ct ip ip6 tcp udp th") ? 2 : 1;
	while (i < n && nft_is(&t[i], ")"))
		i++;
	return i < n ? i : n;
}

size_t nft_set_read(struct fw_match *m, const struct nft_token *t, size_t n)
{
	size_t i = 3;
	int proto;

	if (n < 4 || !nft_is(&t[2], "set") ||
	    nft_is_one_of(&t[1], "helper timeout expectation"))
		return 0;
	/* What follows sees another packet. */
	if (nft_is_one_of(&t[1], "saddr daddr sport dport") &&
	    !nft_is(t, "ether"))
		m->rule.nat.kind = FW_NAT_DEST;
	/* of a header that other packets have not */
	if (nft_is_one_of(t, "ip ip6"))
		fw_match_families(m, nft_is(t, "ip") ? FW_IP4 : FW_IP6);
	else if (fw_proto_parse(&proto, t->s) == 0)
		fw_match_proto(m, proto);
	i += operand(m, &t[i], n - i);
	while (i < n && nft_is_one_of(&t[i], "& | ^ and or xor")) {
		i++;
		i += operand(m, &t[i], n - i);
	}
	return i;
}

size_t nft_object_read(struct nft_parser *p, struct fw_match *m,
                       const struct nft_token *t, size_t n)
{
	const bool is_helper = n > 1 && nft_is(&t[1], "helper");
	const struct fw_object *o;
	struct fw_attrs *at = &m->rule.attrs;
	char *name;

	if (n < 4 || !nft_is(t, "ct") || !nft_is(&t[2], "set") ||
	    (!is_helper && !nft_is(&t[1], "timeout")))
		return 0;
	name = arena_dup(m->arena, t[3].s);
	m->no_memory |= !name;
	o = name ? fw_object_find(p->rules,
	                          is_helper ? FW_OBJECT_HELPER
	                                    : FW_OBJECT_TIMEOUT,
	                          p->table, name)
	         : NULL;
	if (!o) {
		at->alg = is_helper ? FW_UNKNOWN : at->alg;
		at->helper = is_helper && t[3].kind == NFT_STRING ? name
		                                                  : at->helper;
		at->udp_idle_s = is_helper ? at->udp_idle_s : FW_IDLE_UNKNOWN;
		at->tcp_idle_s = is_helper ? at->tcp_idle_s : FW_IDLE_UNKNOWN;
		return 4;
	}
	if (o->services.first && !m->is_closed)
		fw_match_proto(m, o->services.first->proto);
	if (is_helper) {
		fw_match_families(m, o->families);
		at->alg = o->attrs.alg;
		at->helper = o->attrs.helper;
	} else {
		at->udp_idle_s = o->attrs.udp_idle_s;
		at->tcp_idle_s = o->attrs.tcp_idle_s;
	}
	return 4;
}
