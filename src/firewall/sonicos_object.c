/* SPDX-License-Identifier: ISC */
/*
 * Design: objects may stand behind the rules that use them, so names are
 * collected first and followed when all is read. A group's content is copied
 * within a budget for the whole text, so that groups of groups cannot blow
 * up. A name that the text does not hold ("X0 Subnet" is made by the box) is
 * never taken for "any" without a doubt.
 */
#include <errno.h>

#include "base/i18n.h"
#include "firewall/sonicos.h"

enum {
	MAX_GROUP_DEPTH = 16,
	MAX_COPIES = 1 << 21,
};

void fw_sonic_check(struct fw_sonic *c, const void *made)
{
	if (!made)
		c->err = ENOMEM;
}

const char *fw_sonic_dup(struct fw_sonic *c, struct slice s)
{
	const char *text = arena_dup(&c->rules->arena, s);

	fw_sonic_check(c, text);
	return text ? text : "";
}

struct fw_sonic_obj *fw_sonic_obj_get(struct fw_sonic *c,
                                      enum fw_sonic_kind kind,
                                      struct slice name, unsigned line,
                                      struct slice raw)
{
	struct fw_sonic_obj *o = fw_dict_get(&c->names[kind], NULL, name);

	if (o)
		return o;
	o = arena_alloc(&c->scratch, sizeof(*o));
	fw_sonic_check(c, o);
	if (!o)
		return NULL;
	o->kind = kind;
	o->name = name;
	o->object = fw_object_add(c->rules,
	                          kind == FW_SONIC_ADDRS ? FW_OBJECT_ADDRS
	                                                 : FW_OBJECT_SERVICES,
	                          fw_sonic_dup(c, name));
	fw_sonic_check(c, o->object);
	if (!o->object)
		return NULL;
	o->object->line = line;
	o->object->raw = raw;
	fw_dict_put(&c->names[kind], NULL, name, o);
	return o;
}

void fw_sonic_obj_add_member(struct fw_sonic *c, struct fw_sonic_obj *o,
                             struct slice name)
{
	struct fw_sonic_member *m = arena_alloc(&c->scratch, sizeof(*m));

	fw_sonic_check(c, m);
	if (!m)
		return;
	m->name = name;
	if (o->last)
		o->last->next = m;
	else
		o->first = m;
	o->last = m;
}

bool fw_sonic_obj_cut_member(struct fw_sonic_obj *o, struct slice name)
{
	struct fw_sonic_member **at = &o->first, *last = NULL;
	bool is_in = false;

	while (*at) {
		if (slice_eq((*at)->name, name)) {
			*at = (*at)->next;
			is_in = true;
		} else {
			last = *at;
			at = &last->next;
		}
	}
	o->last = last;
	return is_in;
}

void fw_sonic_obj_add_range(struct fw_sonic *c, struct fw_sonic_obj *o,
                            struct fw_ip lo, struct fw_ip hi)
{
	fw_sonic_check(c, fw_addrs_add_range(&c->rules->arena,
	                                     &o->object->addrs, lo, hi));
}

void fw_sonic_obj_add_host(struct fw_sonic *c, struct fw_sonic_obj *o,
                           struct slice domain)
{
	const char *name = fw_sonic_dup(c, domain);

	/* "*.example.net" is many names, and none that can be looked up. */
	fw_sonic_check(c, fw_addrs_add_name(
				  &c->rules->arena, &o->object->addrs,
				  slice_find(domain, slice_str("*")) == SIZE_MAX
					  ? FW_ADDR_NAME
					  : FW_ADDR_UNKNOWN,
				  name));
}

void fw_sonic_obj_add_ports(struct fw_sonic *c, struct fw_sonic_obj *o,
                            int proto, uint16_t lo, uint16_t hi)
{
	struct fw_service *s = fw_services_add(
		&c->rules->arena, &o->object->services, proto, lo, hi);

	fw_sonic_check(c, s);
	if (s)
		s->name = o->object->name;
}

static bool budget(struct fw_sonic *c)
{
	const struct slice all = {NULL, 0};

	if (++c->n_copies <= MAX_COPIES)
		return true;
	if (c->n_copies == MAX_COPIES + 1)
		diag_add(c->dg, DIAG_ERROR, all,
		         _("Groups hold too many members in all; from here on "
		           "they are not known."));
	return false;
}

/* @return whether all of it was copied. */
static bool copy(struct fw_sonic *c, struct fw_object *to,
                 const struct fw_object *from)
{
	for (const struct fw_addr *a = from->addrs.first; a && !c->err;
	     a = a->next) {
		struct fw_addr *n;

		if (!budget(c))
			return false;
		n = fw_addrs_add_name(&c->rules->arena, &to->addrs, a->kind,
		                      a->name);
		fw_sonic_check(c, n);
		if (n) {
			n->lo = a->lo;
			n->hi = a->hi;
		}
	}
	for (const struct fw_service *s = from->services.first; s && !c->err;
	     s = s->next) {
		struct fw_service *n;

		if (!budget(c))
			return false;
		n = fw_services_add(&c->rules->arena, &to->services, s->proto,
		                    s->dport_lo, s->dport_hi);
		fw_sonic_check(c, n);
		if (n)
			n->name = s->name;
	}
	return true;
}

static const struct fw_sonic_obj *follow(struct fw_sonic *c,
                                         enum fw_sonic_kind kind,
                                         struct slice name, unsigned depth)
{
	struct fw_sonic_obj *o = fw_dict_get(&c->names[kind], NULL, name);

	if (!o || o->is_done)
		return o;
	if (o->is_busy || depth > MAX_GROUP_DEPTH)
		return NULL;
	o->is_busy = true;
	for (const struct fw_sonic_member *m = o->first; m && !c->err;
	     m = m->next) {
		const struct fw_sonic_obj *in =
			follow(c, kind, m->name, depth + 1);

		if (!in || in->is_unknown || !copy(c, o->object, in->object))
			o->is_unknown = true;
	}
	/* Created, and never given a content. */
	if (!o->first && !o->object->addrs.first && !o->object->services.first)
		o->is_unknown = true;
	if (o->is_unknown && kind == FW_SONIC_ADDRS)
		fw_sonic_check(c, fw_addrs_add_name(
					  &c->rules->arena, &o->object->addrs,
					  FW_ADDR_UNKNOWN, o->object->name));
	o->is_busy = false;
	o->is_done = true;
	return o;
}

void fw_sonic_put_addrs(struct fw_sonic *c, struct fw_addrs *to,
                        const struct fw_sonic_side *side)
{
	const struct fw_sonic_obj *o;
	struct fw_object into = {.addrs = *to};
	bool is_known;

	if (side->kind == FW_SONIC_RANGE)
		fw_sonic_check(c, fw_addrs_add_range(&c->rules->arena, to,
		                                     side->lo, side->hi));
	if (side->kind != FW_SONIC_NAME)
		return;
	o = follow(c, FW_SONIC_ADDRS, side->name, 0);
	is_known = o && copy(c, &into, o->object);
	*to = into.addrs;
	if (!is_known)
		fw_sonic_check(c, fw_addrs_add_name(
					  &c->rules->arena, to, FW_ADDR_UNKNOWN,
					  fw_sonic_dup(c, side->name)));
}

void fw_sonic_put_services(struct fw_sonic *c, struct fw_rule *r,
                           const struct fw_sonic_side *side)
{
	const struct fw_sonic_obj *o;
	struct fw_object into = {.kind = FW_OBJECT_SERVICES};

	if (side->kind == FW_SONIC_PORTS)
		fw_sonic_check(c, fw_services_add(&c->rules->arena,
		                                  &r->services, side->proto,
		                                  side->plo, side->phi));
	if (side->kind != FW_SONIC_NAME)
		return;
	o = follow(c, FW_SONIC_SERVICES, side->name, 0);
	if (o && !o->is_unknown && copy(c, &into, o->object)) {
		r->services = into.services;
		return;
	}
	/* What is not known of it could be any packet. */
	if (!r->conditional) {
		r->conditional = arena_fmt(&c->rules->arena, "service %.*s",
		                           (int)slice_sub(side->name, 0, 80).n,
		                           (const char *)side->name.p);
		fw_sonic_check(c, r->conditional);
	}
}
