/* SPDX-License-Identifier: ISC */
/*
 * Design: what holds for all connections of the box, beside its rules: the
 * helper, the times of connection tracking, and what there is of IPv6.
 */
#include "firewall/routeros_read.h"

#include "base/text.h"

enum {
	UDP_STREAM_S = 180,
	TCP_ESTABLISHED_S = 86400,
};

/* "5m", "1h30m", "00:05:00", "180". -1: not a time. */
static int64_t seconds(struct slice s)
{
	static const struct {
		char unit;
		int64_t s;
	} units[] = {
		{'w', 604800}, {'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
	int64_t total = 0, v = 0;
	bool has = false;

	if (slice_find(s, slice_str(":")) != SIZE_MAX) {
		struct slice part;

		while (fw_part_next(&s, ':', &part)) {
			uint64_t n;

			if (text_u64(&n, part, 100000))
				return -1;
			total = total * 60 + (int64_t)n;
		}
		return total;
	}
	for (size_t i = 0; i < s.n && i < 24; i++) {
		size_t k = 0;

		if (s.p[i] >= '0' && s.p[i] <= '9' && v < 100000000) {
			v = v * 10 + (s.p[i] - '0');
			has = true;
			continue;
		}
		while (k < ARRAY_LEN(units) && units[k].unit != (char)s.p[i])
			k++;
		if (k == ARRAY_LEN(units) || !has)
			return -1;
		total += v * units[k].s;
		v = 0;
	}
	return has ? total + v : -1;
}

static struct fw_setting *add_setting(struct fw_ros_ctx *c, const char *id,
                                      const char *source,
                                      const struct fw_ros_command *at)
{
	struct fw_setting *s = fw_setting_add(c->rules, id);

	fw_ros_check(c, s);
	if (!s)
		return NULL;
	s->source = source;
	s->is_default = !at;
	if (at) {
		s->line = at->line;
		s->raw = at->raw;
	}
	return s;
}

/* The item that is there from the factory, as commands left it. */
static void read_sip(struct fw_ros_ctx *c)
{
	const struct fw_ros_items *list = &c->items[FW_ROS_SERVICE_PORT][false];
	const struct fw_ros_item *it = list->first;
	enum fw_tri alg = FW_ON;
	struct fw_setting *s;

	if (!it)
		return;
	if (slice_eq_str(fw_ros_value(it->args, "disabled"), "yes"))
		alg = FW_OFF;
	if (c->lost[FW_ROS_SERVICE_PORT][false].n)
		alg = FW_UNKNOWN;
	if (c->untracked)
		alg = FW_OFF;
	c->rules->defaults.alg = alg;
	c->rules->defaults.helper = alg == FW_ON ? "service-port sip" : NULL;
	if (c->untracked)
		s = add_setting(c, "connection-tracking",
		                "routeros-tracking-off", c->untracked);
	else
		s = add_setting(c, "service-port.sip",
		                alg == FW_UNKNOWN ? "routeros-sip-lost"
		                                  : "routeros-sip-default",
		                it->by);
	if (s)
		s->attrs.alg = alg;
}

static void read_tracking(struct fw_ros_ctx *c)
{
	struct fw_attrs *d = &c->rules->defaults;
	const struct fw_ros_command *at = NULL;
	struct fw_setting *s;

	d->udp_idle_s = UDP_STREAM_S;
	d->tcp_idle_s = TCP_ESTABLISHED_S;
	for (const struct fw_ros_command *m = c->first; m; m = m->next) {
		int64_t udp_s, tcp_s;

		if (m->menu != FW_ROS_TRACKING)
			continue;
		udp_s = seconds(fw_ros_arg(m, "udp-stream-timeout"));
		tcp_s = seconds(fw_ros_arg(m, "tcp-established-timeout"));
		if (udp_s >= 0) {
			d->udp_idle_s = udp_s;
			at = m;
		}
		if (tcp_s >= 0)
			d->tcp_idle_s = tcp_s;
	}
	c->rules->is_stateless = c->untracked;
	if (c->untracked)
		return;
	s = add_setting(c, "udp-stream-timeout", "routeros-udp-default", at);
	if (s)
		s->attrs.udp_idle_s = d->udp_idle_s;
}

/* What is written last holds. */
static void read_switch(struct fw_ros_ctx *c)
{
	for (const struct fw_ros_command *m = c->first; m; m = m->next) {
		const struct slice is_on = m->menu == FW_ROS_TRACKING
		                                   ? fw_ros_arg(m, "enabled")
		                                   : (struct slice){NULL, 0};

		if (slice_eq_str(is_on, "no"))
			c->untracked = m;
		else if (is_on.n)
			c->untracked = NULL;
	}
}

/* From the factory IPv6 has rules and no addresses: what nobody gave one is
 * not asked about names in IPv6. */
static void read_ip6(struct fw_ros_ctx *c)
{
	if (c->is_ip6_off || (c->has_ip4 && !c->has_ip6))
		c->rules->no_names = FW_IP6;
}

void fw_ros_read_box(struct fw_ros_ctx *c)
{
	read_switch(c);
	read_sip(c);
	if (!c->err)
		read_tracking(c);
	read_ip6(c);
}

/* ---- without connection tracking ---- */

/* It is not documented whether packets without it are "untracked" or
 * "invalid"; that they are nothing else is. */
static void untrack_rule(struct fw_rule *r)
{
	if (r->states == FW_STATE_ALL)
		return;
	if (r->states & (FW_STATE_UNTRACKED | FW_STATE_INVALID)) {
		r->states = FW_STATE_ALL;
		if (!r->conditional)
			r->conditional = "connection-state";
		return;
	}
	r->is_disabled = true;
}

/* Where addresses were to be translated and are not, answers are lost, unless
 * somebody else translates them. */
static void doubt_all(struct fw_ros_ctx *c)
{
	struct fw_chain *ch = fw_chain_add(c->rules, "connection tracking");
	struct fw_rule *r;

	fw_ros_check(c, ch);
	if (!ch)
		return;
	ch->table = "connection tracking";
	ch->families = FW_IP4;
	ch->hook = FW_HOOK_PREROUTING;
	ch->kind = FW_CHAIN_FILTER;
	ch->priority = -500;
	r = fw_rule_add(c->rules, ch);
	fw_ros_check(c, r);
	if (!r)
		return;
	r->id = "connection-tracking";
	r->families = FW_IP4;
	r->states = FW_STATE_ALL;
	r->action = FW_DROP;
	r->conditional = "nat without connection tracking";
	r->line = c->untracked->line;
	r->raw = c->untracked->raw;
}

void fw_ros_untrack(struct fw_ros_ctx *c)
{
	bool has_nat = false;

	if (!c->untracked)
		return;
	for (struct fw_chain *ch = c->rules->chains; ch; ch = ch->next) {
		for (struct fw_rule *r = ch->first; r; r = r->next) {
			has_nat |=
				r->nat.kind == FW_NAT_SOURCE && !r->is_disabled;
			if (ch->kind == FW_CHAIN_NAT)
				r->is_disabled = true;
			else
				untrack_rule(r);
		}
	}
	if (has_nat)
		doubt_all(c);
}
