/* SPDX-License-Identifier: ISC */
/*
 * Design: a table of the fields that the rule model has; whoever asks for
 * another one is not understood, and makes a rule uncertain.
 */
#include "firewall/nft_field.h"

#include "base/text.h"
#include "firewall/vendor.h"

static const struct {
	const char *a, *b;
	struct nft_field f;
} known[] = {
	{"iifname", NULL, {.kind = NFT_F_ZONE}},
	{"iif", NULL, {.kind = NFT_F_ZONE}},
	{"oifname", NULL, {.kind = NFT_F_ZONE, .is_dest = true}},
	{"oif", NULL, {.kind = NFT_F_ZONE, .is_dest = true}},
	{"ip", "saddr", {.kind = NFT_F_ADDR, .families = FW_IP4}},
	{"ip",
         "daddr",
         {.kind = NFT_F_ADDR, .is_dest = true, .families = FW_IP4}},
	{"ip6", "saddr", {.kind = NFT_F_ADDR, .families = FW_IP6}},
	{"ip6",
         "daddr",
         {.kind = NFT_F_ADDR, .is_dest = true, .families = FW_IP6}},
	{"ip", "protocol", {.kind = NFT_F_PROTO, .families = FW_IP4}},
	{"meta", "l4proto", {.kind = NFT_F_PROTO}},
	{"meta", "nfproto", {.kind = NFT_F_NFPROTO}},
	{"meta", "iifname", {.kind = NFT_F_ZONE}},
	{"meta", "oifname", {.kind = NFT_F_ZONE, .is_dest = true}},
	{"tcp", "sport", {.kind = NFT_F_PORT, .proto = 6}},
	{"tcp", "dport", {.kind = NFT_F_PORT, .is_dest = true, .proto = 6}},
	{"udp", "sport", {.kind = NFT_F_PORT, .proto = 17}},
	{"udp", "dport", {.kind = NFT_F_PORT, .is_dest = true, .proto = 17}},
	{"sctp", "sport", {.kind = NFT_F_PORT, .proto = 132}},
	{"sctp", "dport", {.kind = NFT_F_PORT, .is_dest = true, .proto = 132}},
	{"th", "sport", {.kind = NFT_F_PORT, .proto = -1}},
	{"th", "dport", {.kind = NFT_F_PORT, .is_dest = true, .proto = -1}},
	{"ct", "state", {.kind = NFT_F_STATE}},
};

size_t nft_field_read(struct nft_field *f, const struct nft_token *t, size_t n)
{
	for (size_t i = 0; n > 0 && i < ARRAY_LEN(known); i++) {
		if (!nft_is(t, known[i].a))
			continue;
		if (known[i].b && (n < 2 || !nft_is(&t[1], known[i].b)))
			continue;
		*f = known[i].f;
		return known[i].b ? 2 : 1;
	}
	return 0;
}

static bool add_addr(struct fw_match *m, struct fw_addrs *set, struct slice s)
{
	struct fw_ip lo, hi;
	struct fw_addr *a;
	char *name;

	if (fw_ip_parse(&lo, &hi, s) == 0) {
		a = fw_addrs_add_range(m->arena, set, lo, hi);
	} else {
		name = arena_dup(m->arena, s);
		a = name ? fw_addrs_add_name(m->arena, set, FW_ADDR_UNKNOWN,
		                             name)
		         : NULL;
	}
	return a;
}

static bool add_zone(struct fw_match *m, struct fw_zones *set,
                     const struct nft_token *t)
{
	const char *name = arena_dup(m->arena, t->s);
	struct fw_zone *z = name ? fw_zones_add(m->arena, set, name) : NULL;

	if (!z)
		return false;
	/* An index, or a variable of a script. */
	z->is_unknown =
		t->kind == NFT_WORD && t->s.n &&
		((t->s.p[0] >= '0' && t->s.p[0] <= '9') || t->s.p[0] == '$');
	return true;
}

static bool add_port(struct fw_ivals *out, struct slice s)
{
	const size_t cut = slice_find(s, slice_str("-"));
	uint16_t lo, hi;

	if (fw_port_parse(&lo, s) == 0) {
		fw_ivals_add(out, lo, lo);
		return true;
	}
	if (cut == SIZE_MAX || fw_port_parse(&lo, slice_sub(s, 0, cut)) ||
	    fw_port_parse(&hi, slice_sub(s, cut + 1, SIZE_MAX)) || lo > hi)
		return false;
	fw_ivals_add(out, lo, hi);
	return true;
}

bool nft_field_compare(struct fw_ivals *out, const char *compare,
                       struct slice s)
{
	const bool is_less = compare[0] == '<';
	uint16_t at;

	if (fw_port_parse(&at, s))
		return false;
	if (compare[1] != '=') {
		if (at == (is_less ? 0 : FW_PORT_MAX))
			return false;
		at = (uint16_t)(is_less ? at - 1 : at + 1);
	}
	fw_ivals_add(out, is_less ? 0 : at, is_less ? at : FW_PORT_MAX);
	return true;
}

static bool state_bit(unsigned *bits, struct slice s)
{
	static const char *const names[] = {"new", "established", "related",
	                                    "invalid", "untracked"};

	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		if (slice_eq_str(s, names[i])) {
			*bits |= 1U << i;
			return true;
		}
	}
	return false;
}

static bool add_protos(bool set[256], struct slice s)
{
	const size_t cut = slice_find(s, slice_str("-"));
	uint64_t lo, hi;
	int proto;

	if (fw_proto_parse(&proto, s) == 0) {
		set[proto] = true;
		return true;
	}
	if (cut == SIZE_MAX || text_u64(&lo, slice_sub(s, 0, cut), 255) ||
	    text_u64(&hi, slice_sub(s, cut + 1, SIZE_MAX), 255))
		return false;
	for (uint64_t i = lo; i <= hi; i++)
		set[i] = true;
	return true;
}

bool nft_field_gather(struct fw_match *m, struct nft_gathered *g,
                      const struct nft_field *f, const struct nft_token *t)
{
	switch (f->kind) {
	case NFT_F_ZONE:
		/* all that the other elements leave */
		if (t->kind == NFT_WORD && slice_eq_str(t->s, "*"))
			return false;
		m->no_memory |= !add_zone(m, &g->zones, t);
		return true;
	case NFT_F_ADDR:
		/* An address of IPv4 in one of IPv6 is on no wire. */
		if (f->families == FW_IP6 && fw_has_prefix(t->s, "::ffff:") &&
		    slice_find(t->s, slice_str(".")) != SIZE_MAX)
			return true;
		m->no_memory |= !add_addr(m, &g->addrs, t->s);
		return true;
	case NFT_F_PROTO:
		return add_protos(g->protos, t->s);
	case NFT_F_NFPROTO:
		g->families |= slice_eq_str(t->s, "ipv4") ? FW_IP4 : 0U;
		g->families |= slice_eq_str(t->s, "ipv6") ? FW_IP6 : 0U;
		return g->families;
	case NFT_F_PORT:
		return add_port(&g->ports, t->s);
	case NFT_F_STATE:
		return state_bit(&g->states, t->s);
	}
	return false;
}

void nft_field_narrow(struct fw_match *m, struct nft_gathered *g,
                      const struct nft_field *f, bool is_negated)
{
	switch (f->kind) {
	case NFT_F_ZONE:
		g->zones.is_negated = is_negated;
		fw_match_zones(m, f->is_dest, g->zones);
		break;
	case NFT_F_ADDR:
		g->addrs.is_negated = is_negated;
		fw_match_families(m, f->families);
		fw_match_addrs(m, f->is_dest, g->addrs);
		break;
	case NFT_F_PROTO:
		if (f->families)
			fw_match_families(m, f->families);
		fw_match_protos(m, g->protos, is_negated);
		break;
	case NFT_F_NFPROTO:
		fw_match_families(m, is_negated ? ~g->families : g->families);
		break;
	case NFT_F_PORT:
		if (f->proto >= 0)
			fw_match_proto(m, f->proto);
		fw_ivals_normalise(&g->ports);
		fw_match_ports(m, f->is_dest, &g->ports, is_negated);
		break;
	case NFT_F_STATE:
		fw_match_states(m, g->states, is_negated);
		break;
	}
}

void nft_field_doubt(struct fw_match *m, const struct nft_field *f,
                     struct slice why)
{
	if (f->kind == NFT_F_ADDR)
		fw_match_families(m, f->families);
	if (f->kind == NFT_F_PORT && f->proto >= 0)
		fw_match_proto(m, f->proto);
	fw_match_doubt(m, why);
}
