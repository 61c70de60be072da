/* SPDX-License-Identifier: ISC */
/*
 * Design: `show current-config` is the script that makes the box again, so
 * both are read by one reader: a command, indented lines that belong to it,
 * `exit`. What people type is not indented and may leave `exit` out, so a
 * line that cannot belong to the open command and begins another one closes
 * it. Before 6.5 objects stand on one line, and `ipv4` is left out.
 *
 * Sources: SonicOS 7 API reference (its words are those of the commands):
 * access-rules, address-objects, service-objects, voip; `show access-rules`
 * of 6.2 and `show current-config` of 6.5 to 8 as public tools read them.
 */
#include <errno.h>
#include <string.h>

#include "base/i18n.h"
#include "firewall/sonicos_read.h"

/* ---- objects ---- */

static bool is_content(struct slice rest)
{
	struct slice w;

	if (!fw_word_next(&rest, &w))
		return true;
	return fw_sonic_is(w, "host") || fw_sonic_is(w, "network") ||
	       fw_sonic_is(w, "range") || fw_sonic_is(w, "domain") ||
	       fw_sonic_is(w, "zone") || fw_sonic_is(w, "tcp") ||
	       fw_sonic_is(w, "udp") || fw_sonic_is(w, "address");
}

/* NAME, or "name NAME" as the commands have it too. */
static bool read_name(struct fw_sonic_reader *r, struct slice *rest,
                      struct slice *name)
{
	struct slice after = *rest;

	if (fw_sonic_next_is(r, &after, "name") && !is_content(after))
		*rest = after;
	return fw_sonic_word(r, rest, name) && name->n;
}

static void open_nameless(struct fw_sonic_reader *r)
{
	fw_sonic_warn(r, _("This object has no name."));
	r->block = FW_SONIC_BLOCK_OTHER;
	r->kept = NULL;
}

/* An object that is written again has the new content alone; those of IPv4
 * and IPv6 may share a name. */
static void forget(struct fw_object *o, bool is_name, bool is4)
{
	const struct fw_addr *a = o->addrs.first;

	if (a && (a->kind != FW_ADDR_RANGE) == is_name &&
	    (is_name || fw_ip_is4(a->lo) == is4))
		o->addrs = (struct fw_addrs){0};
}

static void read_content(struct fw_sonic_reader *r, struct slice rest)
{
	struct slice w, after = rest, domain;
	struct fw_ip lo, hi;

	if (!fw_sonic_word(r, &after, &w))
		return;
	if (fw_sonic_is(w, "host") || fw_sonic_is(w, "network") ||
	    fw_sonic_is(w, "range")) {
		if (fw_sonic_read_ip(r, &rest, &lo, &hi)) {
			forget(r->obj->object, false, fw_ip_is4(lo));
			fw_sonic_obj_add_range(r->s, r->obj, lo, hi);
			return;
		}
		fw_sonic_fault(r, _("Not an address, a network or a range."));
		r->obj->is_unknown = true;
	} else if (fw_sonic_is(w, "domain") &&
	           fw_sonic_word(r, &after, &domain)) {
		forget(r->obj->object, true, false);
		fw_sonic_obj_add_host(r->s, r->obj, domain);
	}
}

static void open_addr(struct fw_sonic_reader *r, struct slice rest)
{
	struct slice family, name;

	r->block = FW_SONIC_BLOCK_ADDR;
	if (!fw_sonic_word(r, &rest, &family) || !read_name(r, &rest, &name)) {
		open_nameless(r);
		return;
	}
	r->obj = fw_sonic_obj_get(r->s, FW_SONIC_ADDRS, name, r->n, r->line);
	if (r->obj && fw_sonic_is(family, "mac"))
		r->obj->is_unknown = true;
	if (r->obj)
		read_content(r, rest);
}

static void read_service_content(struct fw_sonic_reader *r, struct slice rest)
{
	struct slice after = rest, w;
	uint16_t lo, hi;
	int proto, err;

	if (!fw_sonic_word(r, &after, &w) || fw_sonic_is(w, "uuid") ||
	    fw_sonic_is(w, "name") || fw_sonic_is(w, "no"))
		return;
	err = fw_sonic_read_ports(r, &rest, &proto, &lo, &hi);
	r->obj->object->services = (struct fw_services){0};
	if (!err)
		fw_sonic_obj_add_ports(r->s, r->obj, proto, lo, hi);
	else if (err == EBADMSG)
		fw_sonic_fault(r, _("Not a first and a last port."));
	if (err)
		r->obj->is_unknown = true;
}

static void open_service(struct fw_sonic_reader *r, struct slice rest)
{
	struct slice name;

	r->block = FW_SONIC_BLOCK_SERVICE;
	if (!read_name(r, &rest, &name)) {
		open_nameless(r);
		return;
	}
	r->obj = fw_sonic_obj_get(r->s, FW_SONIC_SERVICES, name, r->n, r->line);
	if (r->obj)
		read_service_content(r, rest);
}

static void open_group(struct fw_sonic_reader *r, struct slice rest,
                       bool is_addr)
{
	struct slice family, name;

	r->block = is_addr ? FW_SONIC_BLOCK_ADDR_GROUP
	                   : FW_SONIC_BLOCK_SERVICE_GROUP;
	if ((is_addr && !fw_sonic_word(r, &rest, &family)) ||
	    !read_name(r, &rest, &name)) {
		open_nameless(r);
		return;
	}
	r->obj = fw_sonic_obj_get(r->s,
	                          is_addr ? FW_SONIC_ADDRS : FW_SONIC_SERVICES,
	                          name, r->n, r->line);
}

/* @return false: the line is no member, and begins something else */
static bool read_member(struct fw_sonic_reader *r, struct slice rest,
                        bool is_addr)
{
	const bool is_no = fw_sonic_next_is(r, &rest, "no");
	struct slice w, name;

	if (!fw_sonic_word(r, &rest, &w))
		return false;
	if (r->indent > r->head_indent && !fw_has_prefix(w, "address-") &&
	    !fw_has_prefix(w, "service-"))
		return true;
	if (!fw_sonic_is(w, is_addr ? "address-object" : "service-object") &&
	    !fw_sonic_is(w, is_addr ? "address-group" : "service-group"))
		return false;
	if (is_addr && !fw_sonic_word(r, &rest, &w))
		return false;
	if (!read_name(r, &rest, &name) || slice_trim(rest).n)
		return false;
	if (is_no)
		return (r->obj && fw_sonic_obj_cut_member(r->obj, name)) ||
		       r->indent > r->head_indent;
	if (r->obj)
		fw_sonic_obj_add_member(r->s, r->obj, name);
	return true;
}

/* ---- interfaces and NAT ---- */

static void open_interface(struct fw_sonic_reader *r, struct slice rest)
{
	struct slice w;

	r->block = FW_SONIC_BLOCK_INTERFACE;
	if (!fw_sonic_word(r, &rest, &r->interface))
		r->block = FW_SONIC_BLOCK_OTHER;
	else if (fw_sonic_next_is(r, &rest, "vlan") &&
	         fw_sonic_word(r, &rest, &w))
		r->interface = slice_str(arena_fmt(
			&r->s->scratch, "%.*s:V%.*s", (int)r->interface.n,
			(const char *)r->interface.p, (int)w.n,
			(const char *)w.p));
}

static void read_interface(struct fw_sonic_reader *r, struct slice rest)
{
	struct slice w, *zone;

	if (!fw_sonic_word(r, &rest, &w) ||
	    (!fw_sonic_is(w, "zone") && !fw_sonic_is(w, "ip-assignment")) ||
	    !fw_sonic_word(r, &rest, &w))
		return;
	zone = arena_alloc(&r->s->scratch, sizeof(*zone));
	fw_sonic_check(r->s, zone);
	if (!zone)
		return;
	*zone = w;
	fw_dict_put(&r->s->interfaces, NULL, r->interface, zone);
}

/* What a clause of a NAT policy is about. */
enum part {
	PART_NONE,
	PART_SOURCE,
	PART_DESTINATION,
	PART_SERVICE,
};

static enum part part_of(struct slice w, bool *is_translated)
{
	static const char *const parts[] = {"source", "destination", "service"};
	const struct slice to = slice_str("translated-");
	const bool is_to = w.n > to.n && slice_ieq(slice_sub(w, 0, to.n), to);

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (fw_sonic_is(is_to ? slice_sub(w, to.n, SIZE_MAX) : w,
		                parts[i])) {
			*is_translated = is_to;
			return (enum part)(PART_SOURCE + i);
		}
	}
	return PART_NONE;
}

static void put_nat_value(struct fw_sonic_nat *n, enum part part,
                          bool is_translated, struct slice name)
{
	struct fw_sonic_side *const sides[] = {NULL, &n->src, &n->dst,
	                                       &n->service};
	struct slice *const to[] = {NULL, &n->to_src, &n->to_dst,
	                            &n->to_service};

	if (is_translated) {
		*to[part] = name;
		return;
	}
	*sides[part] = (struct fw_sonic_side){.kind = FW_SONIC_ANY};
	if (name.n) {
		sides[part]->kind = FW_SONIC_NAME;
		sides[part]->name = name;
	}
}

/* One line of it. @return false: the words to come are of no use */
static bool read_nat_word(struct fw_sonic_reader *r, struct slice *rest,
                          struct slice w, enum part *part, bool *is_translated)
{
	static const char *const ends[] = {"comment", "uuid", "id", "priority"};
	struct slice value = {NULL, 0};
	enum part next;

	if (fw_sonic_is(w, "inbound"))
		(void)fw_sonic_word(r, rest, &r->nat->in);
	else if (fw_sonic_is(w, "outbound"))
		(void)fw_sonic_word(r, rest, &r->nat->out);
	else if (fw_sonic_is(w, "translated"))
		*is_translated = true;
	else if ((next = part_of(w, is_translated)) != PART_NONE)
		*part = next;
	else if (fw_sonic_is_one_of(w, ends, ARRAY_LEN(ends)) ||
	         *part == PART_NONE)
		return false;
	else if (fw_sonic_is(w, "any") || fw_sonic_is(w, "original") ||
	         ((fw_sonic_is(w, "name") || fw_sonic_is(w, "group")) &&
	          fw_sonic_word(r, rest, &value)))
		put_nat_value(r->nat, *part, *is_translated, value);
	return true;
}

static void read_nat(struct fw_sonic_reader *r, struct slice rest)
{
	const bool is_no = fw_sonic_next_is(r, &rest, "no");
	enum part part = PART_NONE;
	bool is_translated = false;
	struct slice w;

	if (fw_sonic_next_is(r, &rest, "enable")) {
		r->nat->is_disabled = is_no;
		return;
	}
	while (!is_no && fw_sonic_word(r, &rest, &w)) {
		if (!read_nat_word(r, &rest, w, &part, &is_translated))
			return;
	}
}

static void open_nat(struct fw_sonic_reader *r, struct slice rest)
{
	r->block = FW_SONIC_BLOCK_NAT;
	r->nat = fw_sonic_nat_add(r->s, r->n, r->line);
	if (!r->nat)
		return;
	if (fw_sonic_next_is(r, &rest, "ipv6"))
		r->nat->families = FW_IP6;
	else
		(void)fw_sonic_next_is(r, &rest, "ipv4");
	read_nat(r, rest);
}

/* ---- VoIP ---- */

static void put_sip(struct fw_sonic_reader *r, enum fw_tri tri)
{
	struct fw_sonic_voip *v = &r->s->voip;

	v->sip = tri;
	v->is_sip_seen = true;
	v->sip_line = r->n;
	v->sip_raw = r->line;
}

/* "sip" only enters the section where that has a switch of its own; where it
 * has none, it is the switch. */
static void open_sip(struct fw_sonic_reader *r, bool is_no)
{
	struct fw_sonic_voip *v = &r->s->voip;

	if (is_no) {
		put_sip(r, FW_OFF);
		v->is_sip_enable_said = v->is_odd = false;
		v->by_rule = FW_OFF;
		return;
	}
	if (!v->is_sip_enable_said)
		put_sip(r, FW_UNKNOWN);
	r->block = FW_SONIC_BLOCK_SIP;
}

static void read_sip(struct fw_sonic_reader *r, struct slice rest)
{
	struct fw_sonic_voip *v = &r->s->voip;
	const bool is_no = fw_sonic_next_is(r, &rest, "no");
	static const char *const plain[] = {
		"tcp",
		"transforms-in-service-object",
		"non-sip-packets",
		"b2bua-support",
		"signaling-timeout",
		"media-timeout",
		"signaling-port",
		"endpoint-registration-anomaly-tracking",
		"registration-tracking-interval",
		"failed-registration-threshold",
		"endpoint-block-interval",
	};
	struct slice w;

	if (!fw_sonic_word(r, &rest, &w))
		return;
	if (fw_sonic_is(w, "enable")) {
		put_sip(r, is_no ? FW_OFF : FW_ON);
		v->is_sip_enable_said = true;
		return;
	}
	if (fw_sonic_is(w, "access-rule-based")) {
		v->by_rule = is_no ? FW_OFF : FW_ON;
		return;
	}
	if (fw_sonic_is_one_of(w, plain, ARRAY_LEN(plain)))
		return;
	fw_sonic_warn(
		r,
		_("This line about SIP is not known here, so what becomes of "
	          "SIP is not known."));
	v->is_odd = true;
}

/* @return false: the line is not of the VoIP page */
static bool read_voip(struct fw_sonic_reader *r, struct slice rest)
{
	struct fw_sonic_voip *v = &r->s->voip;
	const bool is_no = fw_sonic_next_is(r, &rest, "no");
	struct slice w;

	if (!fw_sonic_word(r, &rest, &w))
		return true;
	if (fw_sonic_is(w, "consistent-nat")) {
		v->nat = is_no ? FW_OFF : FW_ON;
		v->nat_line = r->n;
		v->nat_raw = r->line;
	} else if (fw_sonic_is(w, "sip") && slice_trim(rest).n == 0) {
		open_sip(r, is_no);
	} else if (fw_sonic_is(w, "h323")) {
		if (!is_no)
			r->block = FW_SONIC_BLOCK_H323;
	} else if (!fw_sonic_is(w, "flush-all")) {
		const bool is_sip = fw_has_prefix(w, "sip");

		if (!is_sip)
			return false;
		fw_sonic_warn(
			r, _("This line about SIP is not known here, so what "
		             "becomes of SIP is not known."));
		v->is_sip_seen = v->is_odd = true;
		v->sip_line = r->n;
		v->sip_raw = r->line;
	}
	return true;
}

/* ---- lines ---- */

static void read_version(struct fw_sonic_reader *r, struct slice rest)
{
	struct slice w;
	size_t at = 0, n = 0;

	if (!fw_sonic_word(r, &rest, &w))
		return;
	while (at < w.n && (w.p[at] < '0' || w.p[at] > '9'))
		at++;
	while (at + n < w.n && w.p[at + n] != ' ')
		n++;
	r->s->is_export = true;
	if (n)
		r->s->rules->version = fw_sonic_dup(r->s, slice_sub(w, at, n));
}

/* A box lets go of no object that a rule uses, so to forget one that none uses
 * any more changes nothing. @return false: not a command that is read here */
static bool remove_block(struct fw_sonic_reader *r, struct slice rest)
{
	static const char *const objects[] = {"address-object", "address-group",
	                                      "service-object",
	                                      "service-group"};
	struct slice w;

	if (!fw_sonic_word(r, &rest, &w))
		return false;
	if (fw_sonic_is(w, "access-rule")) {
		fw_sonic_rule_remove(r, rest);
		return true;
	}
	return fw_sonic_is_one_of(w, objects, ARRAY_LEN(objects));
}

/* @return false: not a command that is read here */
static bool open_block(struct fw_sonic_reader *r)
{
	struct slice rest = r->line, w;

	if (!fw_sonic_word(r, &rest, &w))
		return true;
	if (fw_sonic_is(w, "no"))
		return remove_block(r, rest);
	if (fw_sonic_is(w, "access-rule"))
		fw_sonic_rule_open(r, rest);
	else if (fw_sonic_is(w, "address-object"))
		open_addr(r, rest);
	else if (fw_sonic_is(w, "address-group"))
		open_group(r, rest, true);
	else if (fw_sonic_is(w, "service-object"))
		open_service(r, rest);
	else if (fw_sonic_is(w, "service-group"))
		open_group(r, rest, false);
	else if (fw_sonic_is(w, "interface"))
		open_interface(r, rest);
	else if (fw_sonic_is(w, "nat-policy"))
		open_nat(r, rest);
	else if (fw_sonic_is(w, "firmware-version"))
		read_version(r, rest);
	else if (fw_sonic_is(w, "voip"))
		r->block = FW_SONIC_BLOCK_VOIP;
	else
		return false;
	return true;
}

static bool is_close(const struct fw_sonic_reader *r)
{
	return fw_sonic_is(r->line, "exit") || fw_sonic_is(r->line, "end");
}

static void grow_rule(struct fw_sonic_reader *r)
{
	r->rule->raw.n = (size_t)(r->line.p + r->line.n - r->rule->raw.p);
}

/* Does the line begin what open_block() reads? */
static bool is_command(struct fw_sonic_reader *r)
{
	static const char *const commands[] = {
		"access-rule",    "address-object",   "address-group",
		"service-object", "service-group",    "interface",
		"nat-policy",     "firmware-version", "voip",
	};
	struct slice rest = r->line, w;

	(void)fw_sonic_next_is(r, &rest, "no");
	return fw_sonic_word(r, &rest, &w) &&
	       fw_sonic_is_one_of(w, commands, ARRAY_LEN(commands));
}

static bool is_of_service(struct fw_sonic_reader *r)
{
	struct slice rest = r->line, w;

	if (r->indent > r->head_indent)
		return true;
	return fw_sonic_word(r, &rest, &w) &&
	       (fw_sonic_is(w, "tcp") || fw_sonic_is(w, "udp"));
}

static bool is_of_addr(struct fw_sonic_reader *r)
{
	struct slice rest = r->line, w;

	if (r->indent > r->head_indent)
		return true;
	return fw_sonic_word(r, &rest, &w) && is_content(r->line);
}

static bool is_of_sip(struct fw_sonic_reader *r)
{
	struct slice rest = r->line, w;

	if (r->indent <= r->head_indent && is_command(r))
		return false;
	(void)fw_sonic_next_is(r, &rest, "no");
	return fw_sonic_word(r, &rest, &w) && !fw_sonic_is(w, "h323") &&
	       !fw_sonic_is(w, "consistent-nat") &&
	       !fw_sonic_is(w, "flush-all");
}

/* @return false: the line does not belong to the open command */
static bool read_body(struct fw_sonic_reader *r)
{
	switch (r->block) {
	case FW_SONIC_BLOCK_NONE:
	case FW_SONIC_BLOCK_OTHER:
		return false;
	case FW_SONIC_BLOCK_RULE:
		if (!fw_sonic_rule_has(r))
			return false;
		if (r->rule) {
			fw_sonic_rule_read(r, r->line);
			grow_rule(r);
		}
		return true;
	case FW_SONIC_BLOCK_ADDR:
		if (!is_of_addr(r))
			return false;
		if (r->obj)
			read_content(r, r->line);
		return true;
	case FW_SONIC_BLOCK_SERVICE:
		if (!is_of_service(r))
			return false;
		if (r->obj)
			read_service_content(r, r->line);
		return true;
	case FW_SONIC_BLOCK_ADDR_GROUP:
	case FW_SONIC_BLOCK_SERVICE_GROUP:
		return read_member(r, r->line,
		                   r->block == FW_SONIC_BLOCK_ADDR_GROUP);
	case FW_SONIC_BLOCK_INTERFACE:
		if (r->indent <= r->head_indent)
			return false;
		read_interface(r, r->line);
		return true;
	case FW_SONIC_BLOCK_NAT:
		if (r->indent <= r->head_indent)
			return false;
		if (r->nat)
			read_nat(r, r->line);
		return true;
	case FW_SONIC_BLOCK_SIP:
		if (is_of_sip(r)) {
			read_sip(r, r->line);
			return true;
		}
		r->block = FW_SONIC_BLOCK_VOIP;
		return read_voip(r, r->line);
	case FW_SONIC_BLOCK_VOIP:
		return read_voip(r, r->line);
	case FW_SONIC_BLOCK_H323:
		return r->indent > r->head_indent ||
		       (!fw_sonic_is(r->line, "sip") && !is_command(r));
	}
	return false;
}

static void close_block(struct fw_sonic_reader *r)
{
	if (r->block == FW_SONIC_BLOCK_RULE && r->rule)
		grow_rule(r);
	if (r->block == FW_SONIC_BLOCK_SIP || r->block == FW_SONIC_BLOCK_H323)
		r->block = FW_SONIC_BLOCK_VOIP;
	else
		r->block = FW_SONIC_BLOCK_NONE;
	/* The lines of VOIP go on after those of SIP. */
	if (r->block == FW_SONIC_BLOCK_VOIP)
		r->body_indent = SIZE_MAX;
}

/* Whole blocks that are not about calls are kept as one. */
static void keep(struct fw_sonic_reader *r)
{
	r->block = FW_SONIC_BLOCK_OTHER;
	r->n_other++;
	r->kept = fw_kept_add(r->s->rules, r->n, r->line);
	fw_sonic_check(r->s, r->kept);
}

/* As far as people type it out. */
static const char *const configure[] = {"configure", "config", "conf", "con"};

static bool is_talk(struct slice line)
{
	static const char *const words[] = {"commit", "commit best-effort",
	                                    "exit", "end"};

	return fw_sonic_is_one_of(line, words, ARRAY_LEN(words)) ||
	       fw_sonic_is_one_of(line, configure, ARRAY_LEN(configure));
}

static void read_line(struct fw_sonic_reader *r)
{
	const enum fw_sonic_block block = r->block;
	const bool is_comment = r->line.p[0] == '#' || r->line.p[0] == '!';

	if (is_comment)
		return;
	if (block != FW_SONIC_BLOCK_NONE && r->body_indent == SIZE_MAX)
		r->body_indent = r->indent;
	if (block != FW_SONIC_BLOCK_NONE && is_close(r)) {
		/* Of something inside that has its own. */
		if (r->indent <= r->body_indent)
			close_block(r);
		return;
	}
	if (block == FW_SONIC_BLOCK_OTHER && r->indent > r->head_indent) {
		if (r->kept)
			r->kept->raw.n = (size_t)(r->line.p + r->line.n -
			                          r->kept->raw.p);
		return;
	}
	if (block != FW_SONIC_BLOCK_NONE && read_body(r)) {
		if (r->block != block)
			r->body_indent = SIZE_MAX;
		return;
	}
	r->block = FW_SONIC_BLOCK_NONE;
	r->head_indent = r->indent;
	r->body_indent = SIZE_MAX;
	r->is_typed |=
		fw_sonic_is_one_of(r->line, configure, ARRAY_LEN(configure));
	if (!is_talk(r->line) && !open_block(r))
		keep(r);
}

/* A terminal's log has the pager's prompt in it; what follows on that line
 * goes on where the page ended. */
static void skip_prompt(struct fw_sonic_reader *r)
{
	const struct slice prompt = slice_str("--MORE--");

	if (!fw_has_prefix(r->line, "--MORE--"))
		return;
	r->line = slice_trim(slice_sub(r->line, prompt.n, SIZE_MAX));
	r->indent = r->body_indent;
	if (r->indent == SIZE_MAX)
		r->indent = r->head_indent + 1;
}

static void read_lines(struct fw_sonic_reader *r, struct slice text)
{
	struct rd rd = rd_init(text);
	struct slice line;

	while (!r->s->err && rd_line(&rd, &line)) {
		r->n++;
		r->indent = 0;
		while (r->indent < line.n &&
		       (line.p[r->indent] == ' ' || line.p[r->indent] == '\t'))
			r->indent++;
		r->line = slice_trim(line);
		skip_prompt(r);
		if (r->line.n)
			read_line(r);
	}
}

static void init_edits(struct fw_sonic_reader *r)
{
	fw_dict_init_like(&r->rules, &r->s->interfaces);
	fw_dict_init_like(&r->uuids, &r->s->interfaces);
	fw_dict_init_like(&r->pairs, &r->s->interfaces);
}

void fw_sonic_read_commands(struct fw_sonic *c, struct slice text,
                            unsigned line)
{
	struct fw_sonic_rule *const first = c->first, *const last = c->last;
	struct fw_sonic_reader r = {.s = c,
	                            .body_indent = SIZE_MAX,
	                            .n = line - 1,
	                            .is_typed = true,
	                            .below = c->first};

	init_edits(&r);
	c->first = c->last = NULL;
	read_lines(&r, text);
	if (!c->last)
		c->first = first;
	else
		c->last->next = first;
	if (last)
		c->last = last;
}

static int parse(struct fw_rules *out, struct slice text, struct diag *dg)
{
	const size_t n_before = dg->n_errors;
	const struct slice all = {NULL, 0};
	struct fw_sonic s;
	struct fw_sonic_reader r = {.s = &s, .body_indent = SIZE_MAX};

	fw_sonic_init(&s, out, text, dg);
	init_edits(&r);
	out->dialect = "sonicos";
	out->text = text;
	if (fw_has_prefix(text, "\xef\xbb\xbf"))
		text = slice_sub(text, 3, SIZE_MAX);
	read_lines(&r, text);
	if (r.n_other && !s.err)
		diag_add(dg, DIAG_NOTE, all,
		         _("Sections that are not about calls, or not known "
		           "here, are kept as they are: %zu."),
		         r.n_other);
	return fw_sonic_done(&s, n_before);
}

static int recognise(struct slice text)
{
	struct rd rd = rd_init(slice_sub(text, 0, 1 << 16));
	struct slice line;
	int score = 0;

	if (fw_has_prefix(text, "\xef\xbb\xbf"))
		rd = rd_init(slice_sub(text, 3, 1 << 16));
	while (rd_line(&rd, &line)) {
		line = slice_trim(line);
		if (fw_has_prefix(line, "firmware-version \"SonicOS"))
			return 100;
		if (fw_has_prefix(line, "access-rule ipv4 ") ||
		    fw_has_prefix(line, "access-rule ipv6 ") ||
		    fw_has_prefix(line, "access-rule from ") ||
		    fw_has_prefix(line, "address-object ipv4 ") ||
		    fw_has_prefix(line, "address-object ipv6 ") ||
		    fw_has_prefix(line, "address-object fqdn "))
			score = 95;
		if (score < 60 && (fw_sonic_is(line, "consistent-nat") ||
		                   fw_sonic_is(line, "no consistent-nat")))
			score = 60;
	}
	return score;
}

const struct fw_dialect fw_dialect_sonicos = {
	.name = "sonicos",
	.title = "SonicWall SonicOS",
	.file_ext = ".txt",
	.lan = "LAN",
	.wan = "WAN",
	.caps = FW_CAP_IP6 | FW_CAP_NAMES | FW_CAP_ZONES | FW_CAP_STATES |
                FW_CAP_REJECT | FW_CAP_DISABLED | FW_CAP_ALG | FW_CAP_UDP_IDLE |
                FW_CAP_DSCP | FW_CAP_SCHEDULE | FW_CAP_COMMENT,
	.recognise = recognise,
	.parse = parse,
	.emit = fw_sonic_emit,
	.patch = fw_sonic_patch,
};
