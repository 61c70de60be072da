/* SPDX-License-Identifier: ISC */
/*
 * Design: a space is compiled once for a configuration and a set of flows,
 * because coordinates depend on every edge that either mentions. Questions
 * are then boxes (flows, one packet, "all that is new here") handed to
 * judge.c, or walks over the program (reach.c).
 */
#include "firewall/space.h"

#include <errno.h>
#include <stdlib.h>

#include "firewall/program.h"

static void note_all(struct fw_space *sp)
{
	struct fw_atlas *at = &sp->atlas;
	const struct fw_chain *c = sp->rules->chains;

	for (; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			fw_atlas_note_addrs(at, &r->src);
			fw_atlas_note_addrs(at, &r->dst);
			fw_atlas_note_zones(at, &r->in);
			fw_atlas_note_zones(at, &r->out);
		}
	}
	for (size_t i = 0; i < sp->n_flows; i++)
		fw_atlas_note_addrs(at, &sp->flows[i].dst);
	fw_atlas_note_addrs(at, &sp->place->src);
	if (sp->place->in)
		fw_atlas_note_zone(at, sp->place->in);
	if (sp->place->out)
		fw_atlas_note_zone(at, sp->place->out);
}

int fw_space_alloc(struct fw_space **spp, const struct fw_rules *rules,
                   const struct fw_flow *flows, size_t n_flows,
                   const struct fw_place *place, const struct fw_host *hosts,
                   size_t n_hosts)
{
	struct fw_space *sp = calloc(1, sizeof(*sp));
	int err;

	if (!sp)
		return ENOMEM;
	sp->rules = rules;
	sp->flows = flows;
	sp->n_flows = n_flows;
	sp->place = place;
	sp->left = FW_SPACE_STEPS;
	sp->least = FW_LEAST_STEPS;
	sp->compare_left = FW_COMPARE_STEPS;
	sp->parts_left = FW_SPACE_PARTS;
	sp->few = FW_FEW;
	fw_atlas_init(&sp->atlas, hosts, n_hosts);
	note_all(sp);
	err = fw_atlas_close(&sp->atlas);
	if (!err)
		err = fw_program_make(&sp->program, rules, &sp->atlas);
	if (err)
		fw_space_free(sp);
	else
		*spp = sp;
	return err;
}

void fw_space_free(struct fw_space *sp)
{
	if (!sp)
		return;
	fw_program_fini(&sp->program);
	fw_atlas_fini(&sp->atlas);
	free(sp);
}

static void put_zone(struct fw_box *b, const struct fw_space *sp, enum fw_dim d,
                     const char *name)
{
	if (!name)
		return;
	b->lo[d] = b->hi[d] = fw_atlas_zone(&sp->atlas, name);
}

/* All but @p name. @return how many boxes */
static size_t but_zone(struct fw_box b[2], const struct fw_space *sp,
                       enum fw_dim d, const char *name)
{
	const uint32_t id = fw_atlas_zone(&sp->atlas, name);
	const struct fw_box all = b[0];
	size_t n = 0;

	if (id > all.lo[d]) {
		b[n] = all;
		b[n++].hi[d] = id - 1;
	}
	if (id < all.hi[d]) {
		b[n] = all;
		b[n++].lo[d] = id + 1;
	}
	return n;
}

/* Zones and state of new connections at the place. Where one end alone is
 * known, the other is elsewhere. @return how many boxes */
static size_t place_boxes(struct fw_box b[2], const struct fw_space *sp)
{
	const struct fw_place *p = sp->place;
	const bool is_routed = p->path == FW_PATH_FORWARD;

	b[0] = fw_box_full(&sp->atlas);
	put_zone(&b[0], sp, FW_DIM_IN, is_routed ? p->in : "");
	put_zone(&b[0], sp, FW_DIM_OUT, p->out);
	b[0].lo[FW_DIM_STATE] = b[0].hi[FW_DIM_STATE] = 0;
	if (!is_routed || !p->in == !p->out)
		return 1;
	return p->out ? but_zone(b, sp, FW_DIM_IN, p->out)
	              : but_zone(b, sp, FW_DIM_OUT, p->in);
}

void fw_space_limit(struct fw_space *sp, uint64_t steps)
{
	sp->left = steps;
	sp->least = 1;
}

/* Of addresses that nobody was asked about, those that nobody has. */
static void leave_out(struct fw_ivals *ids, const struct fw_space *sp)
{
	const struct fw_addrs *strays = &sp->rules->strays;
	const struct fw_ival all = fw_atlas_family(&sp->atlas, FW_IP4 | FW_IP6);

	if (sp->place->src.first || !strays->first)
		return;
	ids->n = 0;
	fw_atlas_flow_addrs(ids, &sp->atlas, strays);
	fw_ivals_complement(ids, all);
}

static int product(struct fw_set *out, const struct fw_space *sp,
                   const struct fw_addrs *dst,
                   const struct fw_services *services)
{
	const struct fw_ival fam = fw_atlas_family(
		&sp->atlas, sp->rules->families & ~sp->rules->no_names);
	struct fw_box bases[2];
	const size_t n_bases = place_boxes(bases, sp);
	struct fw_ivals src_ids = {0}, dst_ids = {0};
	bool is_name_only = true;
	int err = 0;

	fw_atlas_flow_addrs(&src_ids, &sp->atlas, &sp->place->src);
	leave_out(&src_ids, sp);
	fw_atlas_flow_addrs(&dst_ids, &sp->atlas, dst);
	for (const struct fw_addr *a = dst->first; a; a = a->next)
		is_name_only &= a->kind == FW_ADDR_NAME;
	/* A name is asked for in the families the text speaks for; an
	 * address of another family stays in, and is not known. */
	if (is_name_only)
		fw_ivals_clip(&dst_ids, fam);
	for (size_t i = 0; i < n_bases && !err; i++)
		err = fw_product_add(out, &sp->atlas, &bases[i], &src_ids,
		                     &dst_ids, services);
	fw_ivals_fini(&src_ids);
	fw_ivals_fini(&dst_ids);
	return err;
}

int fw_flow_boxes(struct fw_set *out, const struct fw_space *sp, size_t i)
{
	return product(out, sp, &sp->flows[i].dst, &sp->flows[i].services);
}

int fw_place_boxes(struct fw_set *out, const struct fw_space *sp)
{
	const struct fw_addrs any = {0};
	const struct fw_services all = {0};

	return product(out, sp, &any, &all);
}

static void swap_dims(struct fw_box *b, enum fw_dim d, enum fw_dim e)
{
	const uint32_t lo = b->lo[d], hi = b->hi[d];

	b->lo[d] = b->lo[e];
	b->hi[d] = b->hi[e];
	b->lo[e] = lo;
	b->hi[e] = hi;
}

enum {
	STATE_NEW = 0, /* bit numbers of FW_STATE_* */
	STATE_ESTABLISHED = 1,
	STATE_INVALID = 3,
};

/* What answers look like. No connection of TCP begins with one. */
static void reverse(struct fw_set *s, uint32_t state)
{
	for (size_t i = 0; i < s->n; i++) {
		struct fw_box *b = &s->boxes[i];

		swap_dims(b, FW_DIM_SRC, FW_DIM_DST);
		swap_dims(b, FW_DIM_SPORT, FW_DIM_DPORT);
		swap_dims(b, FW_DIM_IN, FW_DIM_OUT);
		b->lo[FW_DIM_STATE] = b->hi[FW_DIM_STATE] =
			state == STATE_NEW &&
					b->lo[FW_DIM_PROTO] == FW_PROTO_TCP
				? STATE_INVALID
				: state;
	}
}

int fw_space_judge(struct fw_judgement *out, struct arena *a,
                   struct fw_space *sp, size_t i)
{
	struct fw_set regions;
	int err;

	fw_set_init(&regions);
	err = fw_flow_boxes(&regions, sp, i);
	if (!err)
		err = fw_judge_regions(out, a, sp, sp->place->path, &regions,
		                       false);
	fw_set_fini(&regions);
	return err;
}

static int judge_reply(struct fw_judgement *out, struct arena *a,
                       struct fw_space *sp, size_t i,
                       const struct fw_judgement *there, uint32_t state)
{
	const bool is_back =
		there->nat_rule && there->nat_rule->nat.kind == FW_NAT_SOURCE;
	const enum fw_path path = sp->place->path == FW_PATH_FORWARD
	                                  ? FW_PATH_FORWARD
	                                  : FW_PATH_INPUT;
	struct fw_set regions;
	int err;

	fw_set_init(&regions);
	err = fw_flow_boxes(&regions, sp, i);
	if (!err) {
		reverse(&regions, state);
		err = fw_judge_regions(out, a, sp, path, &regions, is_back);
	}
	fw_set_fini(&regions);
	return err;
}

int fw_space_judge_reply(struct fw_judgement *out, struct arena *a,
                         struct fw_space *sp, size_t i,
                         const struct fw_judgement *there)
{
	struct fw_judgement kept, bare;
	int err = 0;

	/* To a firewall that forgot the question, an answer is new. */
	if (there->is_stateless)
		err = judge_reply(&bare, a, sp, i, there, STATE_NEW);
	if (!err && (there->is_stateful || !there->is_stateless))
		err = judge_reply(&kept, a, sp, i, there, STATE_ESTABLISHED);
	if (err)
		return err;
	if (!there->is_stateless) {
		*out = kept;
		return 0;
	}
	if (there->is_stateful && kept.verdict != bare.verdict)
		bare.verdict = FW_DONT_KNOW;
	*out = bare;
	return 0;
}

static uint32_t state_id(unsigned state)
{
	uint32_t i = 0;

	while (i < 4 && !(state & 1U << i))
		i++;
	return i;
}

static void point(struct fw_box *b, enum fw_dim d, uint32_t v)
{
	b->lo[d] = b->hi[d] = v;
}

int fw_space_decide(struct fw_part *out, struct fw_space *sp, enum fw_path path,
                    const struct fw_packet *packet)
{
	struct fw_box b = fw_box_full(&sp->atlas);
	struct fw_set one = {.boxes = &b, .n = 1};
	struct fw_judgement j;
	struct arena scratch;
	int err;

	point(&b, FW_DIM_IN,
	      packet->in ? fw_atlas_zone(&sp->atlas, packet->in) : 0);
	point(&b, FW_DIM_OUT,
	      packet->out ? fw_atlas_zone(&sp->atlas, packet->out) : 0);
	point(&b, FW_DIM_SRC, fw_atlas_ip(&sp->atlas, packet->src));
	point(&b, FW_DIM_DST, fw_atlas_ip(&sp->atlas, packet->dst));
	point(&b, FW_DIM_PROTO, (uint32_t)packet->proto);
	point(&b, FW_DIM_SPORT, packet->sport);
	point(&b, FW_DIM_DPORT, packet->dport);
	point(&b, FW_DIM_STATE, state_id(packet->state));
	arena_init(&scratch);
	err = fw_judge_regions(&j, &scratch, sp, path, &one, false);
	if (!err) {
		*out = *j.parts;
		out->next = NULL;
	}
	arena_fini(&scratch);
	return err;
}

/* A value people recognise, when the region has it. */
static uint32_t prefer(const struct fw_box *b, enum fw_dim d, uint32_t v)
{
	return v >= b->lo[d] && v <= b->hi[d] ? v : b->lo[d];
}

static struct fw_ip ip_in(const struct fw_space *sp, const struct fw_box *b,
                          enum fw_dim d, const char **name)
{
	/* 192.0.2.10 and 2001:db8::10 */
	static const struct fw_ip nice[] = {
		{0, UINT64_C(0xffffc000020a)},
		{UINT64_C(0x20010db800000000), 0x10},
	};

	for (size_t i = 0; i < ARRAY_LEN(nice); i++) {
		const uint32_t id = fw_atlas_ip(&sp->atlas, nice[i]);

		if (id >= b->lo[d] && id <= b->hi[d]) {
			*name = NULL;
			return nice[i];
		}
	}
	return fw_atlas_ip_at(&sp->atlas, b->lo[d], name);
}

int fw_packet_at(struct fw_packet *out, struct arena *a,
                 const struct fw_space *sp, const struct fw_box *b)
{
	struct fw_packet p = {0};
	const char **names[] = {&p.in, &p.out, &p.src_name, &p.dst_name};

	p.src = ip_in(sp, b, FW_DIM_SRC, &p.src_name);
	p.dst = ip_in(sp, b, FW_DIM_DST, &p.dst_name);
	p.in = fw_atlas_zone_at(&sp->atlas, b->lo[FW_DIM_IN], &p.in_is_like);
	p.out = fw_atlas_zone_at(&sp->atlas, b->lo[FW_DIM_OUT], &p.out_is_like);
	p.proto = (int)prefer(b, FW_DIM_PROTO, FW_PROTO_UDP);
	p.sport = (uint16_t)prefer(b, FW_DIM_SPORT, 40000);
	p.dport = (uint16_t)prefer(b, FW_DIM_DPORT, 5060);
	p.state = 1U << b->lo[FW_DIM_STATE];
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!*names[i])
			continue;
		*names[i] = arena_dup(a, slice_str(*names[i]));
		if (!*names[i])
			return ENOMEM;
	}
	*out = p;
	return 0;
}

double fw_packets_in(const struct fw_space *sp, const struct fw_box *b)
{
	static const enum fw_dim plain[] = {FW_DIM_PROTO, FW_DIM_SPORT,
	                                    FW_DIM_DPORT};
	double n = fw_atlas_ip_width(&sp->atlas, b->lo[FW_DIM_SRC],
	                             b->hi[FW_DIM_SRC]) *
	           fw_atlas_ip_width(&sp->atlas, b->lo[FW_DIM_DST],
	                             b->hi[FW_DIM_DST]);

	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		n *= (double)(b->hi[plain[i]] - b->lo[plain[i]]) + 1;
	return n;
}

enum fw_verdict fw_verdict_worse(enum fw_verdict a, enum fw_verdict b)
{
	if (a == FW_FAIL || b == FW_FAIL)
		return FW_FAIL;
	return a == FW_DONT_KNOW ? a : b;
}

unsigned fw_box_families(const struct fw_space *sp, const struct fw_box *b)
{
	const struct fw_ival six = fw_atlas_family(&sp->atlas, FW_IP6);

	return b->lo[FW_DIM_DST] < six.lo ? FW_IP4 : FW_IP6;
}
