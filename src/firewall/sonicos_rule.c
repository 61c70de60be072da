/* SPDX-License-Identifier: ISC */
/*
 * Design: an access rule is a list of clauses, on its own line or each on one
 * of its own; both are read by the same reader. A clause that is not known
 * here may narrow what the rule matches, so it makes a doubt; "no" before it
 * says that it does not.
 */
#include <errno.h>

#include "base/i18n.h"
#include "firewall/sonicos_read.h"

static void read_service(struct fw_sonic_reader *r, struct slice *rest)
{
	struct fw_sonic_side *side = &r->rule->service;
	struct slice after = *rest, w;

	*side = (struct fw_sonic_side){.kind = FW_SONIC_ANY};
	if (fw_sonic_next_is(r, rest, "protocol")) {
		if (fw_sonic_read_ports(r, rest, &side->proto, &side->plo,
		                        &side->phi))
			fw_sonic_doubt(r->rule, "its service is not read");
		else
			side->kind = FW_SONIC_PORTS;
		return;
	}
	if (fw_sonic_word(r, &after, &w) &&
	    (fw_sonic_is(w, "any") || fw_sonic_is(w, "name") ||
	     fw_sonic_is(w, "group"))) {
		(void)fw_sonic_read_side(r, rest, side);
		return;
	}
	fw_sonic_doubt(r->rule, "its service is not read");
}

static void read_end(struct fw_sonic_reader *r, struct slice *rest,
                     bool is_source)
{
	struct fw_sonic_side *side = is_source ? &r->rule->src : &r->rule->dst;

	if (fw_sonic_next_is(r, rest, "port")) {
		struct fw_sonic_side ports;

		if (!fw_sonic_read_side(r, rest, &ports) ||
		    ports.kind != FW_SONIC_ANY)
			fw_sonic_doubt(r->rule, "source ports");
		return;
	}
	(void)fw_sonic_next_is(r, rest, "address");
	if (!fw_sonic_read_side(r, rest, side)) {
		fw_sonic_fault(r, _("Not an address, a name or \"any\"."));
		fw_sonic_doubt(r->rule, "its addresses are not read");
		*side = (struct fw_sonic_side){.kind = FW_SONIC_ANY};
	}
}

static void read_users(struct fw_sonic_reader *r, struct slice *rest)
{
	const bool is_in = fw_sonic_next_is(r, rest, "included");
	struct slice w;

	if (!is_in)
		(void)fw_sonic_next_is(r, rest, "excluded");
	if (!fw_sonic_word(r, rest, &w))
		return;
	if (!fw_sonic_is(w, is_in ? "all" : "none"))
		fw_sonic_doubt(r->rule, "it asks for users");
	if (fw_sonic_is(w, "name") || fw_sonic_is(w, "group"))
		(void)fw_sonic_word(r, rest, &w);
}

static void read_schedule(struct fw_sonic_reader *r, struct slice *rest)
{
	struct slice w;

	if (fw_sonic_next_is(r, rest, "always-on") ||
	    !fw_sonic_word(r, rest, &w))
		return;
	if (fw_sonic_is(w, "name") || fw_sonic_is(w, "group"))
		(void)fw_sonic_word(r, rest, &w);
	if (!fw_sonic_is(w, "always on"))
		r->rule->schedule = w;
}

static void read_action(struct fw_sonic_reader *r, struct slice *rest)
{
	struct slice w;

	if (!fw_sonic_word(r, rest, &w))
		return;
	r->rule->has_action = fw_sonic_is(w, "allow") ||
	                      fw_sonic_is(w, "deny") ||
	                      fw_sonic_is(w, "discard");
	r->rule->action = fw_sonic_is(w, "allow")  ? FW_ACCEPT
	                  : fw_sonic_is(w, "deny") ? FW_REJECT
	                                           : FW_DROP;
	if (!r->rule->has_action)
		fw_sonic_fault(r, _("Expected allow, deny or discard."));
}

static void read_udp(struct fw_sonic_reader *r, struct slice *rest, bool is_no)
{
	if (!fw_sonic_next_is(r, rest, "timeout"))
		return;
	r->rule->udp_idle_s = is_no ? FW_IDLE_UNSET
	                            : fw_sonic_number(r, rest, FW_IDLE_UNKNOWN);
}

/* In minutes: a rule from the factory says 15, and so long it lives. */
static void read_tcp(struct fw_sonic_reader *r, struct slice *rest, bool is_no)
{
	int64_t v;

	if (!fw_sonic_next_is(r, rest, "timeout"))
		return;
	v = is_no ? -1 : fw_sonic_number(r, rest, -1);
	if (v > 0)
		r->rule->tcp_idle_s = v * 60;
	else
		r->rule->tcp_idle_s = is_no ? FW_IDLE_UNSET : FW_IDLE_UNKNOWN;
}

static void read_dscp(struct fw_sonic_reader *r, struct slice *rest)
{
	int64_t v;

	if (!fw_sonic_next_is(r, rest, "dscp") ||
	    !fw_sonic_next_is(r, rest, "explicit"))
		return;
	v = fw_sonic_number(r, rest, FW_DSCP_UNSET);
	r->rule->dscp = v < 64 ? (int)v : FW_DSCP_UNSET;
}

static void read_priority(struct fw_sonic_reader *r, struct slice *rest)
{
	int64_t at;

	if (!fw_sonic_next_is(r, rest, "manual"))
		return;
	at = fw_sonic_number(r, rest, -1);
	fw_sonic_rule_move(r, at);
	r->rule->priority = at;
}

/* What is there and changes nothing for whose packets the rule is. */
static const char *const plain_clauses[] = {
	"uuid",
	"id",
	"fragments",
	"logging",
	"flow-reporting",
	"packet-monitoring",
	"management",
	"max-connections",
	"connection-limit",
	"h323",
	"dpi",
	"dpi-ssl",
	"cos-override",
	"bandwidth-management",
	"ticket",
	"single-sign-on",
	"auto-rule",
	"redirect-unauthenticated-users-to-log-in",
	"packet-dissection-filter",
	"block-traffic-for-single-sign-on",
	"display",
	"tag",
};

static const char *const clauses[] = {
	"from",          "to",
	"action",        "source",
	"destination",   "service",
	"schedule",      "users",
	"enable",        "name",
	"comment",       "priority",
	"udp",           "tcp",
	"sip",           "quality-of-service",
	"geo-ip-filter", "botnet-filter",
	"reflexive",
};

static bool is_plain(struct slice w)
{
	return fw_sonic_is_one_of(w, plain_clauses, ARRAY_LEN(plain_clauses));
}

static void doubt_line(struct fw_sonic_reader *r, struct slice w, bool is_no)
{
	struct slice shown = slice_sub(r->line, 0, 80);

	/* What is off narrows nothing. */
	if (is_no)
		return;
	if (!fw_sonic_is(w, "geo-ip-filter") &&
	    !fw_sonic_is(w, "botnet-filter") && !fw_sonic_is(w, "reflexive"))
		fw_sonic_warn(
			r,
			_("This line of an access rule is not known here; the "
		          "rule is taken with a doubt."));
	fw_sonic_doubt(r->rule, arena_fmt(&r->s->rules->arena, "%.*s",
	                                  (int)shown.n, (const char *)shown.p));
}

/* A clause whose values are not clauses. @return false: it ends the line */
static bool read_last(struct fw_sonic_reader *r, struct slice w,
                      struct slice *rest, bool is_no)
{
	if (fw_sonic_is(w, "priority"))
		read_priority(r, rest);
	else if (fw_sonic_is(w, "udp"))
		read_udp(r, rest, is_no);
	else if (fw_sonic_is(w, "tcp"))
		read_tcp(r, rest, is_no);
	else if (fw_sonic_is(w, "quality-of-service") && !is_no)
		read_dscp(r, rest);
	else if (!is_plain(w) && !fw_sonic_is(w, "name") &&
	         !fw_sonic_is(w, "comment"))
		doubt_line(r, w, is_no);
	return false;
}

static void read_uuid(struct fw_sonic_reader *r, struct slice *rest)
{
	(void)fw_sonic_word(r, rest, &r->rule->uuid);
	if (!r->rule->id.n)
		r->rule->id = r->rule->uuid;
}

/* One clause. @return false at the end, or where nothing fits */
static bool read_clause(struct fw_sonic_reader *r, struct slice *rest)
{
	const bool is_no = fw_sonic_next_is(r, rest, "no");
	struct fw_sonic_rule *rule = r->rule;
	struct slice w;

	if (!fw_sonic_word(r, rest, &w))
		return false;
	if (fw_sonic_is(w, "from"))
		(void)fw_sonic_word(r, rest, &rule->from);
	else if (fw_sonic_is(w, "to"))
		(void)fw_sonic_word(r, rest, &rule->to);
	else if (fw_sonic_is(w, "action"))
		read_action(r, rest);
	else if (fw_sonic_is(w, "source"))
		read_end(r, rest, true);
	else if (fw_sonic_is(w, "destination"))
		read_end(r, rest, false);
	else if (fw_sonic_is(w, "service"))
		read_service(r, rest);
	else if (fw_sonic_is(w, "schedule"))
		read_schedule(r, rest);
	else if (fw_sonic_is(w, "users"))
		read_users(r, rest);
	else if (fw_sonic_is(w, "enable"))
		rule->is_disabled = is_no;
	else if (fw_sonic_is(w, "name") && !is_no)
		(void)fw_sonic_word(r, rest, &rule->id);
	else if (fw_sonic_is(w, "uuid"))
		read_uuid(r, rest);
	else if (fw_sonic_is(w, "comment") && !is_no)
		(void)fw_sonic_word(r, rest, &rule->name);
	else if (fw_sonic_is(w, "sip"))
		rule->sip = is_no ? FW_OFF : FW_ON;
	else
		return read_last(r, w, rest, is_no);
	return true;
}

void fw_sonic_rule_read(struct fw_sonic_reader *r, struct slice rest)
{
	struct slice before;

	do
		before = rest;
	while (!r->s->err && read_clause(r, &rest) && rest.n &&
	       rest.p != before.p);
}

void fw_sonic_rule_head(struct fw_sonic_reader *r, struct slice rest)
{
	bool is6 = false;

	if (fw_sonic_next_is(r, &rest, "ipv6"))
		is6 = true;
	else
		(void)fw_sonic_next_is(r, &rest, "ipv4");
	r->rule->families = is6 ? FW_IP6 : FW_IP4;
	fw_sonic_rule_read(r, rest);
}

void fw_sonic_rule_open(struct fw_sonic_reader *r, struct slice rest)
{
	struct fw_sonic_rule head, *rule = NULL;
	bool is_new = false;

	fw_sonic_rule_init(&head);
	r->block = FW_SONIC_BLOCK_RULE;
	if (r->is_typed) {
		r->rule = &head;
		fw_sonic_rule_head(r, rest);
		rule = fw_sonic_rule_find(r, &head);
	}
	if (rule) {
		rule->line = r->n;
		rule->raw = r->line;
	} else if (r->is_typed && head.uuid.n && !head.from.n && !head.to.n) {
		fw_sonic_warn(r, _("There is no such access rule here."));
	} else {
		rule = fw_sonic_rule_add(r->s, r->n, r->line);
		is_new = true;
	}
	r->rule = rule;
	if (!rule)
		return;
	fw_sonic_rule_head(r, rest);
	if (is_new)
		fw_sonic_rule_learn(r, rule);
	r->s->has_ip6 |= rule->families == FW_IP6;
}

/* Indented under the command, or a clause of it that was typed. */
bool fw_sonic_rule_has(struct fw_sonic_reader *r)
{
	struct slice rest = r->line, w;

	if (r->indent > r->head_indent)
		return true;
	(void)fw_sonic_next_is(r, &rest, "no");
	return fw_sonic_word(r, &rest, &w) &&
	       (fw_sonic_is_one_of(w, clauses, ARRAY_LEN(clauses)) ||
	        is_plain(w));
}
