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
	c->rules->defaults.alg = alg;
	c->rules->defaults.helper = alg == FW_ON ? "service-port sip" : NULL;
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
	s = add_setting(c, "udp-stream-timeout", "routeros-udp-default", at);
	if (s)
		s->attrs.udp_idle_s = d->udp_idle_s;
}

/* From the factory IPv6 has rules and no addresses: what nobody gave one is
 * not asked about names in IPv6. */
static void read_ip6(struct fw_ros_ctx *c)
{
	if (c->has_ip4 && !c->has_ip6)
		c->rules->no_names = FW_IP6;
}

void fw_ros_read_box(struct fw_ros_ctx *c)
{
	read_sip(c);
	if (!c->err)
		read_tracking(c);
	read_ip6(c);
}
