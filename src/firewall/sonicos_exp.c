/* SPDX-License-Identifier: ISC */
/*
 * Design: an .exp file is the whole box as settings, key=value joined by "&"
 * and wrapped in base64; a key ends in the number of its row. The text is
 * unwrapped with a line per setting, so that every finding has a line:
 * `base64 -d box.exp | tr '&' '\n'` shows the same ones.
 *
 * SonicWall does not document the keys. Those read here are the ones that
 * public readers of such files agree on; where they disagree (0 and 1 as
 * actions, both of which block) no difference is made, and what none of them
 * knows (SIP, consistent NAT, schedules, users) is unknown, never guessed.
 * It is not written: a part of a backup would reset the rest of the box. Its
 * box has a command line, so a patch is commands; read after the settings,
 * from a line "configure" on, they are what is typed on that box.
 *
 * Sources: Dapacr/sonicwall_parser and other public readers of such files;
 * an export of an NSA with policyInactivityUdp_N=30, policyInactivity_N=15.
 */
#include <errno.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "firewall/sonicos.h"

enum table {
	TABLE_ADDR,
	TABLE_ADDR6,
	TABLE_FQDN,
	TABLE_ADDR_MEMBER,
	TABLE_SERVICE,
	TABLE_SERVICE_MEMBER,
	TABLE_POLICY,
	TABLE_POLICY6,
	TABLE_NAT,
	TABLE_INTERFACE,
	N_TABLES,
};

enum field {
	FIELD_ID,
	FIELD_TYPE,
	FIELD_A, /* first address or port; member */
	FIELD_B, /* last address, mask or port; group */
	FIELD_PROTO,
	FIELD_DOMAIN,
	FIELD_ZONE,
	FIELD_ACTION,
	FIELD_ENABLED,
	FIELD_COMMENT,
	FIELD_FROM,
	FIELD_TO,
	FIELD_SRC,
	FIELD_DST,
	FIELD_SERVICE,
	FIELD_SRC_SERVICE,
	FIELD_PRIORITY,
	FIELD_UDP,
	FIELD_TCP,
	FIELD_TRANS_SRC,
	FIELD_TRANS_DST,
	FIELD_TRANS_SERVICE,
	FIELD_OUT,
	N_FIELDS,
};

enum {
	TYPE_HOST = 1,
	TYPE_RANGE = 2,
	TYPE_NETWORK = 4,
	ACTION_ALLOW = 2,
	ACTION_MAX = 2,
};

struct row {
	struct row *next;
	unsigned line;
	struct slice raw;
	struct slice fields[N_FIELDS]; /* p is NULL: not there */
	struct slice odd; /* a setting that names what is unknown */
};

struct key {
	const char *base;
	enum table table;
	enum field field;
};

static const struct key keys[] = {
	{"addrObjId", TABLE_ADDR, FIELD_ID},
	{"addrObjType", TABLE_ADDR, FIELD_TYPE},
	{"addrObjIp1", TABLE_ADDR, FIELD_A},
	{"addrObjIp2", TABLE_ADDR, FIELD_B},
	{"addrObjZone", TABLE_ADDR, FIELD_ZONE},
	{"addrObjV6Id", TABLE_ADDR6, FIELD_ID},
	{"addrObjFqdnId", TABLE_FQDN, FIELD_ID},
	{"addrObjFqdn", TABLE_FQDN, FIELD_DOMAIN},
	{"addrObjFqdnZone", TABLE_FQDN, FIELD_ZONE},
	{"addro_atomToGrp", TABLE_ADDR_MEMBER, FIELD_A},
	{"addro_grpToGrp", TABLE_ADDR_MEMBER, FIELD_B},
	{"svcObjId", TABLE_SERVICE, FIELD_ID},
	{"svcObjType", TABLE_SERVICE, FIELD_TYPE},
	{"svcObjIpType", TABLE_SERVICE, FIELD_PROTO},
	{"svcObjPort1", TABLE_SERVICE, FIELD_A},
	{"svcObjPort2", TABLE_SERVICE, FIELD_B},
	{"so_atomToGrp", TABLE_SERVICE_MEMBER, FIELD_A},
	{"so_grpToGrp", TABLE_SERVICE_MEMBER, FIELD_B},
	{"policyAction", TABLE_POLICY, FIELD_ACTION},
	{"policyName", TABLE_POLICY, FIELD_ID},
	{"policyComment", TABLE_POLICY, FIELD_COMMENT},
	{"policyEnabled", TABLE_POLICY, FIELD_ENABLED},
	{"policySrcZone", TABLE_POLICY, FIELD_FROM},
	{"policyDstZone", TABLE_POLICY, FIELD_TO},
	{"policySrcNet", TABLE_POLICY, FIELD_SRC},
	{"policyDstNet", TABLE_POLICY, FIELD_DST},
	{"policyDstSvc", TABLE_POLICY, FIELD_SERVICE},
	{"policySrcSvc", TABLE_POLICY, FIELD_SRC_SERVICE},
	{"policyPriority", TABLE_POLICY, FIELD_PRIORITY},
	{"policyInactivityUdp", TABLE_POLICY, FIELD_UDP},
	{"policyInactivity", TABLE_POLICY, FIELD_TCP},
	{"policyActionV6", TABLE_POLICY6, FIELD_ACTION},
	{"policyNameV6", TABLE_POLICY6, FIELD_ID},
	{"policyCommentV6", TABLE_POLICY6, FIELD_COMMENT},
	{"policyEnabledV6", TABLE_POLICY6, FIELD_ENABLED},
	{"policySrcZoneV6", TABLE_POLICY6, FIELD_FROM},
	{"policyDstZoneV6", TABLE_POLICY6, FIELD_TO},
	{"policySrcNetV6", TABLE_POLICY6, FIELD_SRC},
	{"policyDstNetV6", TABLE_POLICY6, FIELD_DST},
	{"policyDstSvcV6", TABLE_POLICY6, FIELD_SERVICE},
	{"policySrcSvcV6", TABLE_POLICY6, FIELD_SRC_SERVICE},
	{"policyPriorityV6", TABLE_POLICY6, FIELD_PRIORITY},
	{"policyInactivityUdpV6", TABLE_POLICY6, FIELD_UDP},
	{"policyInactivityV6", TABLE_POLICY6, FIELD_TCP},
	{"natPolicyOrigSrc", TABLE_NAT, FIELD_SRC},
	{"natPolicyOrigDst", TABLE_NAT, FIELD_DST},
	{"natPolicyOrigSvc", TABLE_NAT, FIELD_SERVICE},
	{"natPolicyTransSrc", TABLE_NAT, FIELD_TRANS_SRC},
	{"natPolicyTransDst", TABLE_NAT, FIELD_TRANS_DST},
	{"natPolicyTransSvc", TABLE_NAT, FIELD_TRANS_SERVICE},
	{"natPolicySrcIface", TABLE_NAT, FIELD_FROM},
	{"natPolicyDstIface", TABLE_NAT, FIELD_OUT},
	{"natPolicyEnabled", TABLE_NAT, FIELD_ENABLED},
	{"iface_ifnum", TABLE_INTERFACE, FIELD_ID},
	{"interface_Zone", TABLE_INTERFACE, FIELD_ZONE},
};

/* What is typed on the box follows its settings. */
static const char commands_mark[] = "\nconfigure";

/* @return where the line before them ends, or SIZE_MAX */
static size_t find_commands(struct slice text)
{
	size_t at = 0, n;

	while ((n = slice_find(slice_sub(text, at, SIZE_MAX),
	                       slice_str(commands_mark))) != SIZE_MAX) {
		const size_t end = at + n + sizeof(commands_mark) - 1;

		if (end < text.n &&
		    (text.p[end] == '\n' || text.p[end] == '\r'))
			return at + n;
		at = end;
	}
	return SIZE_MAX;
}

struct reader {
	struct fw_sonic s;
	struct fw_dict keys, rows;
	struct row *first[N_TABLES], *last[N_TABLES];
	size_t n_unread;
	struct slice commands; /* after the settings */
	unsigned n_lines;      /* of settings */
};

/* ---- settings ---- */

static int hex(uint8_t ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	if (ch >= 'a' && ch <= 'f')
		return ch - 'a' + 10;
	return ch >= 'A' && ch <= 'F' ? ch - 'A' + 10 : -1;
}

/* Without %XX, which is left alone where it is none. */
static struct slice plain(struct reader *r, struct slice v)
{
	struct wr w;

	if (slice_find(v, slice_str("%")) == SIZE_MAX)
		return v;
	w = wr_init(arena_alloc(&r->s.scratch, v.n), v.n);
	fw_sonic_check(&r->s, w.p);
	if (!w.p)
		return v;
	for (size_t i = 0; i < v.n; i++) {
		const bool is_hex = v.p[i] == '%' && i + 2 < v.n &&
		                    hex(v.p[i + 1]) >= 0 &&
		                    hex(v.p[i + 2]) >= 0;

		if (!is_hex) {
			wr_u8(&w, v.p[i]);
			continue;
		}
		wr_u8(&w, (uint8_t)(hex(v.p[i + 1]) << 4 | hex(v.p[i + 2])));
		i += 2;
	}
	return wr_slice(&w);
}

static struct row *row_get(struct reader *r, enum table t, struct slice number,
                           unsigned line, struct slice raw)
{
	struct row *row = fw_dict_get(&r->rows, &r->first[t], number);

	if (row)
		return row;
	row = arena_alloc(&r->s.scratch, sizeof(*row));
	fw_sonic_check(&r->s, row);
	if (!row)
		return NULL;
	row->line = line;
	row->raw = raw;
	if (r->last[t])
		r->last[t]->next = row;
	else
		r->first[t] = row;
	r->last[t] = row;
	fw_dict_put(&r->rows, &r->first[t], number, row);
	return row;
}

/* Numbers, addresses and ids of the box name nothing; nor do these words. */
static bool names_something(struct slice v)
{
	static const char *const words[] = {"any", "all", "none", "always on"};
	bool has_letter = false;

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (slice_ieq(v, slice_str(words[i])))
			return false;
	}
	for (size_t i = 0; i < v.n; i++) {
		const bool is_id = hex(v.p[i]) >= 0 || v.p[i] == '-' ||
		                   v.p[i] == '.' || v.p[i] == ':';

		has_letter |= !is_id;
	}
	return has_letter;
}

static void read_odd(struct reader *r, struct slice base, struct slice number,
                     struct slice value, unsigned line, struct slice raw)
{
	const size_t n = base.n;
	const bool is6 = n > 2 && slice_eq_str(slice_sub(base, n - 2, 2), "V6");
	struct row *row;

	if (!fw_has_prefix(base, "policy") || !number.n ||
	    !names_something(plain(r, value)))
		return;
	row = row_get(r, is6 ? TABLE_POLICY6 : TABLE_POLICY, number, line, raw);
	if (row && !row->odd.n)
		row->odd = raw;
}

static void read_version(struct reader *r, struct slice value)
{
	size_t n = 0;

	while (n < value.n && value.p[n] != ' ' && value.p[n] != '%')
		n++;
	if (n && value.p[0] >= '0' && value.p[0] <= '9')
		r->s.rules->version =
			fw_sonic_dup(&r->s, slice_sub(value, 0, n));
}

static void read_setting(struct reader *r, struct slice raw, unsigned line)
{
	const size_t eq = slice_find(raw, slice_str("="));
	const struct slice name = slice_sub(raw, 0, eq);
	struct slice value, base = name, number = {NULL, 0};
	const struct key *k;
	struct row *row;
	size_t at = name.n;

	if (eq == SIZE_MAX) {
		diag_add(r->s.dg, DIAG_WARN, raw,
		         _("Not a setting: there is no \"=\". Kept as it is."));
		fw_sonic_check(&r->s, fw_kept_add(r->s.rules, line, raw));
		return;
	}
	value = slice_sub(raw, eq + 1, SIZE_MAX);
	while (at > 0 && name.p[at - 1] >= '0' && name.p[at - 1] <= '9')
		at--;
	if (at > 0 && at < name.n && name.p[at - 1] == '_') {
		base = slice_sub(name, 0, at - 1);
		number = slice_sub(name, at, SIZE_MAX);
	}
	k = number.n ? fw_dict_get(&r->keys, NULL, base) : NULL;
	if (slice_eq_str(name, "buildNum"))
		read_version(r, value);
	if (!k) {
		read_odd(r, base, number, value, line, raw);
		fw_sonic_check(&r->s, fw_kept_add(r->s.rules, line, raw));
		r->n_unread++;
		return;
	}
	row = row_get(r, k->table, number, line, raw);
	if (!row)
		return;
	value = plain(r, value);
	/* There, and empty: another thing than absent. */
	row->fields[k->field] = value.p ? value : slice_sub(raw, 0, 0);
}

static void read_settings(struct reader *r, struct slice all)
{
	const size_t cut = find_commands(all);
	const struct slice text = slice_sub(all, 0, cut);
	struct rd rd = rd_init(text);
	struct slice line;
	unsigned n = 0;

	while (!r->s.err && rd_line(&rd, &line)) {
		n++;
		if (line.n)
			read_setting(r, line, n);
	}
	r->commands = cut == SIZE_MAX ? slice_sub(all, all.n, 0)
	                              : slice_sub(all, cut + 1, SIZE_MAX);
	r->n_lines = n;
}

/* ---- tables ---- */

static int64_t number_of(const struct row *row, enum field f)
{
	uint64_t v;

	return text_u64(&v, row->fields[f], INT32_MAX) ? -1 : (int64_t)v;
}

static struct fw_sonic_obj *obj_of(struct reader *r, const struct row *row,
                                   enum fw_sonic_kind kind)
{
	if (!row->fields[FIELD_ID].n)
		return NULL;
	return fw_sonic_obj_get(&r->s, kind, row->fields[FIELD_ID], row->line,
	                        row->raw);
}

static void read_addr(struct reader *r, const struct row *row)
{
	struct fw_sonic_obj *o = obj_of(r, row, FW_SONIC_ADDRS);
	const struct slice a = row->fields[FIELD_A], b = row->fields[FIELD_B];
	const int64_t type = number_of(row, FIELD_TYPE);
	struct fw_ip lo, hi, x;
	char text[64];
	struct wr w = wr_init(text, sizeof(text));
	bool is_ok = false;

	if (!o ||
	    (type != TYPE_HOST && type != TYPE_RANGE && type != TYPE_NETWORK))
		return;
	if (type == TYPE_RANGE) {
		is_ok = !fw_ip_parse(&lo, &x, a) && !fw_ip_parse(&x, &hi, b) &&
		        fw_ip_cmp(lo, hi) <= 0;
	} else {
		wr_put(&w, a);
		if (type == TYPE_NETWORK) {
			wr_u8(&w, '/');
			wr_put(&w, b);
		}
		is_ok = !w.bad && fw_ip_parse(&lo, &hi, wr_slice(&w)) == 0;
	}
	if (is_ok) {
		fw_sonic_obj_add_range(&r->s, o, lo, hi);
		return;
	}
	diag_add(r->s.dg, DIAG_ERROR, row->raw,
	         _("Not an address, a network or a range."));
	o->is_unknown = true;
}

static void read_service(struct reader *r, const struct row *row)
{
	struct fw_sonic_obj *o = obj_of(r, row, FW_SONIC_SERVICES);
	const int64_t proto = number_of(row, FIELD_PROTO);
	uint16_t lo, hi;

	/* Of a group, the ports are the box's own business. */
	if (!o || number_of(row, FIELD_TYPE) != 1)
		return;
	if (proto != FW_PROTO_TCP && proto != FW_PROTO_UDP) {
		o->is_unknown = true;
		return;
	}
	if (fw_port_parse(&lo, row->fields[FIELD_A]) ||
	    fw_port_parse(&hi, row->fields[FIELD_B]) || lo > hi) {
		diag_add(r->s.dg, DIAG_ERROR, row->raw,
		         _("Not a first and a last port."));
		o->is_unknown = true;
		return;
	}
	fw_sonic_obj_add_ports(&r->s, o, (int)proto, lo, hi);
}

static void read_members(struct reader *r, enum table t,
                         enum fw_sonic_kind kind)
{
	for (const struct row *row = r->first[t]; row && !r->s.err;
	     row = row->next) {
		struct fw_sonic_obj *o;

		if (!row->fields[FIELD_A].n || !row->fields[FIELD_B].n)
			continue;
		o = fw_sonic_obj_get(&r->s, kind, row->fields[FIELD_B],
		                     row->line, row->raw);
		if (o)
			fw_sonic_obj_add_member(&r->s, o, row->fields[FIELD_A]);
	}
}

static void read_objects(struct reader *r)
{
	for (struct row *row = r->first[TABLE_ADDR]; row && !r->s.err;
	     row = row->next)
		read_addr(r, row);
	/* Which keys hold an IPv6 address is not known. */
	for (struct row *row = r->first[TABLE_ADDR6]; row && !r->s.err;
	     row = row->next)
		(void)obj_of(r, row, FW_SONIC_ADDRS);
	for (struct row *row = r->first[TABLE_FQDN]; row && !r->s.err;
	     row = row->next) {
		struct fw_sonic_obj *o = obj_of(r, row, FW_SONIC_ADDRS);

		if (o && row->fields[FIELD_DOMAIN].n)
			fw_sonic_obj_add_host(&r->s, o,
			                      row->fields[FIELD_DOMAIN]);
	}
	for (struct row *row = r->first[TABLE_SERVICE]; row && !r->s.err;
	     row = row->next)
		read_service(r, row);
	read_members(r, TABLE_ADDR_MEMBER, FW_SONIC_ADDRS);
	read_members(r, TABLE_SERVICE_MEMBER, FW_SONIC_SERVICES);
}

/* An empty value is "any"; an absent one is not said. */
static void read_side(struct fw_sonic_side *side, struct fw_sonic_rule *to,
                      struct slice v)
{
	if (!v.p)
		fw_sonic_doubt(to, "a setting is missing");
	if (v.n && !slice_ieq(v, slice_str("any"))) {
		side->kind = FW_SONIC_NAME;
		side->name = v;
	}
}

static struct slice zone_of(struct slice v)
{
	/* What the box writes for "any". */
	if (slice_eq_str(v, "-1") || slice_eq_str(v, "4294967295"))
		return (struct slice){NULL, 0};
	return v;
}

static void read_times(struct fw_sonic_rule *to, const struct row *row)
{
	const int64_t udp_s = number_of(row, FIELD_UDP);
	const int64_t tcp_min = number_of(row, FIELD_TCP);

	to->udp_idle_s = udp_s > 0 ? udp_s : FW_IDLE_UNKNOWN;
	if (tcp_min > 0)
		to->tcp_idle_s = tcp_min * 60;
}

static void read_policy(struct reader *r, const struct row *row,
                        unsigned families)
{
	struct fw_sonic_rule *to =
		fw_sonic_rule_add(&r->s, row->line, row->raw);
	const int64_t action = number_of(row, FIELD_ACTION);

	if (!to)
		return;
	to->families = families;
	r->s.has_ip6 |= families == FW_IP6;
	to->from = zone_of(row->fields[FIELD_FROM]);
	to->to = zone_of(row->fields[FIELD_TO]);
	to->id = row->fields[FIELD_ID];
	to->name = row->fields[FIELD_COMMENT];
	to->has_action = action >= 0 && action <= ACTION_MAX;
	to->action = action == ACTION_ALLOW ? FW_ACCEPT : FW_DROP;
	to->is_disabled = number_of(row, FIELD_ENABLED) == 0;
	if (number_of(row, FIELD_ENABLED) < 0)
		fw_sonic_doubt(to, "a setting is missing");
	if (row->odd.n)
		fw_sonic_doubt(to,
		               fw_sonic_dup(&r->s, slice_sub(row->odd, 0, 80)));
	if (row->fields[FIELD_SRC_SERVICE].n)
		fw_sonic_doubt(to, "source ports");
	to->priority = number_of(row, FIELD_PRIORITY);
	read_side(&to->src, to, row->fields[FIELD_SRC]);
	read_side(&to->dst, to, row->fields[FIELD_DST]);
	read_side(&to->service, to, row->fields[FIELD_SERVICE]);
	read_times(to, row);
}

/* A value that is empty is the original, or any. */
static void read_nat_side(struct fw_sonic_side *side, struct slice v)
{
	if (!v.n || slice_ieq(v, slice_str("any")))
		return;
	side->kind = FW_SONIC_NAME;
	side->name = v;
}

static void read_nat(struct reader *r, const struct row *row)
{
	struct fw_sonic_nat *n = fw_sonic_nat_add(&r->s, row->line, row->raw);

	if (!n)
		return;
	n->in = row->fields[FIELD_FROM];
	n->out = row->fields[FIELD_OUT];
	n->to_src = row->fields[FIELD_TRANS_SRC];
	n->to_dst = row->fields[FIELD_TRANS_DST];
	n->to_service = row->fields[FIELD_TRANS_SERVICE];
	n->is_disabled = number_of(row, FIELD_ENABLED) == 0;
	read_nat_side(&n->src, row->fields[FIELD_SRC]);
	read_nat_side(&n->dst, row->fields[FIELD_DST]);
	read_nat_side(&n->service, row->fields[FIELD_SERVICE]);
}

static void read_tables(struct reader *r)
{
	for (struct row *row = r->first[TABLE_INTERFACE]; row; row = row->next)
		fw_dict_put(&r->s.interfaces, NULL, row->fields[FIELD_ID],
		            &row->fields[FIELD_ZONE]);
	read_objects(r);
	for (struct row *row = r->first[TABLE_POLICY]; row && !r->s.err;
	     row = row->next)
		read_policy(r, row, FW_IP4);
	for (struct row *row = r->first[TABLE_POLICY6]; row && !r->s.err;
	     row = row->next)
		read_policy(r, row, FW_IP6);
	for (struct row *row = r->first[TABLE_NAT]; row && !r->s.err;
	     row = row->next)
		read_nat(r, row);
}

/* ---- the wrapping ---- */

static bool is_base64(uint8_t ch)
{
	const uint8_t letter = (uint8_t)((ch | 0x20) - 'a');

	return letter < 26 || (uint8_t)(ch - '0') < 10 || ch == '+' ||
	       ch == '/' || ch == '=';
}

static bool is_blank(uint8_t ch)
{
	return ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n';
}

/* How much of it is base64, in whole groups of four. */
static size_t wrapped_len(struct slice text)
{
	size_t n = 0, n_chars = 0, good = 0;
	bool is_end = false; /* padding is last */

	for (; n < text.n; n++) {
		const uint8_t ch = text.p[n];

		if (ch <= ' ' && is_blank(ch))
			continue;
		if (!is_base64(ch))
			break;
		is_end |= ch == '=';
		if (++n_chars % 4 == 0) {
			good = n + 1;
			if (is_end)
				break;
		}
	}
	return good;
}

/* Keys that no other program's settings have. */
static bool is_sonic(struct slice text)
{
	static const char *const marks[] = {
		"policyAction_", "addrObjId_",      "svcObjId_",
		"shortProdName", "checksumVersion", "iface_ifnum_",
	};

	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		const size_t at = slice_find(text, slice_str(marks[i]));
		const struct slice near = slice_sub(text, at, 32);

		if (at != SIZE_MAX &&
		    slice_find(near, slice_str("=")) != SIZE_MAX)
			return true;
	}
	return false;
}

/* The good part of what is not wholly base64. */
static void unwrap_part(struct reader *r, struct wr *w, struct slice body)
{
	const size_t good = wrapped_len(body);
	size_t at = good;

	while (at < body.n && is_blank(body.p[at]))
		at++;
	diag_add(r->s.dg, DIAG_ERROR, slice_sub(body, at < body.n ? at : 0, 1),
	         _("The base64 of this backup ends here; the rest is not "
	           "read."));
	w->n = 0;
	if (text_base64_read(w, slice_sub(body, 0, good)))
		w->n = 0;
}

/* One setting a line, in the model's memory. */
static struct slice unwrap(struct reader *r, struct slice text)
{
	struct slice body = slice_trim(text), out = {NULL, 0};
	struct wr w = wr_init_heap();
	char *copy;
	size_t n;

	/* "&&" ends a file. */
	while (body.n && body.p[body.n - 1] == '&')
		body = slice_trim(slice_sub(body, 0, body.n - 1));
	if (is_sonic(body))
		wr_put(&w, body);
	else if (text_base64_read(&w, body) && !w.bad)
		unwrap_part(r, &w, body);
	n = find_commands(wr_slice(&w));
	for (size_t i = 0; i < w.n && i < n; i++) {
		if (w.p[i] == '&')
			w.p[i] = '\n';
	}
	copy = w.bad ? NULL : arena_dup(&r->s.rules->arena, wr_slice(&w));
	fw_sonic_check(&r->s, copy);
	if (copy)
		out = (struct slice){(const uint8_t *)copy, w.n};
	wr_fini(&w);
	return out;
}

/* Also keeps the place of a fault in the wrapping apart from those of the
 * settings: it has no quotation. */
static void tell_voip(struct reader *r)
{
	const struct slice all = {NULL, 0};

	diag_add(r->s.dg, DIAG_NOTE, all,
	         _("Under which keys a backup keeps SIP transformations and "
	           "consistent NAT is not documented. The output of \"show "
	           "current-config\" says it."));
}

static void tell_unread(struct reader *r)
{
	const struct slice all = {NULL, 0};

	if (r->n_unread)
		diag_add(r->s.dg, DIAG_NOTE, all,
		         _("Settings under keys that are not known here are "
		           "kept as they are: %zu."),
		         r->n_unread);
}

static void learn_keys(struct reader *r)
{
	struct key *known = arena_alloc(&r->s.scratch, sizeof(keys));

	fw_sonic_check(&r->s, known);
	for (size_t i = 0; i < ARRAY_LEN(keys) && known; i++) {
		known[i] = keys[i];
		fw_dict_put(&r->keys, NULL, slice_str(keys[i].base), &known[i]);
	}
}

static int parse(struct fw_rules *out, struct slice text, struct diag *dg)
{
	const size_t n_before = dg->n_errors;
	struct reader r = {0};

	fw_sonic_init(&r.s, out, text, dg);
	out->dialect = "sonicos-exp";
	out->text = text;
	r.s.is_backup = r.s.is_export = true;
	r.keys = r.rows = r.s.interfaces; /* empty, and seeded */
	learn_keys(&r);
	text = unwrap(&r, text);
	tell_voip(&r);
	if (!r.s.err) {
		/* From here on places are those of the settings. */
		out->text = dg->text = text;
		read_settings(&r, text);
	}
	if (!r.s.err)
		read_tables(&r);
	if (!r.s.err && r.commands.n)
		fw_sonic_read_commands(&r.s, r.commands, r.n_lines + 1);
	if (r.keys.no_memory || r.rows.no_memory)
		r.s.err = ENOMEM;
	tell_unread(&r);
	return fw_sonic_done(&r.s, n_before);
}

static int recognise(struct slice text)
{
	struct slice head = slice_sub(slice_trim(text), 0, 1 << 16);
	struct wr w;
	int score;

	if (is_sonic(head))
		return 90;
	head = slice_sub(head, 0, wrapped_len(head));
	if (head.n < 16)
		return 0;
	w = wr_init_heap();
	score = text_base64_read(&w, head) == 0 && !w.bad &&
	                        is_sonic(wr_slice(&w))
	                ? 95
	                : 0;
	wr_fini(&w);
	return score;
}

const struct fw_dialect fw_dialect_sonicos_exp = {
	.name = "sonicos-exp",
	.title = "SonicWall SonicOS (.exp)",
	.file_ext = ".exp",
	.caps = FW_CAP_NAMES,
	.lan = "LAN",
	.wan = "WAN",
	.recognise = recognise,
	.parse = parse,
	.patch = fw_sonic_patch,
	.instead =
		N_("an .exp file is a backup of the whole box, and a part of "
                   "one would reset the rest; --for sonicos writes "
                   "commands instead"),
};
