/* SPDX-License-Identifier: ISC */
/*
 * Design: an export is lines under menus: those that end in a backslash are
 * joined, the menu is remembered. A command's arguments are taken apart only
 * when somebody asks.
 */
#include "firewall/routeros_read.h"

#include <errno.h>

#include "base/i18n.h"

void fw_ros_check(struct fw_ros_ctx *c, const void *made)
{
	if (!made)
		c->err = ENOMEM;
}

static const struct {
	const char *path;
	enum fw_ros_menu menu;
	bool is6;
} menus[] = {
	{"ip firewall filter", FW_ROS_FILTER, false},
	{"ipv6 firewall filter", FW_ROS_FILTER, true},
	{"ip firewall nat", FW_ROS_NAT, false},
	{"ip firewall raw", FW_ROS_RAW, false},
	{"ipv6 firewall raw", FW_ROS_RAW, true},
	{"ip firewall address-list", FW_ROS_LIST, false},
	{"ipv6 firewall address-list", FW_ROS_LIST, true},
	{"ip firewall service-port", FW_ROS_SERVICE_PORT, false},
	{"ip firewall connection tracking", FW_ROS_TRACKING, false},
	{"interface list member", FW_ROS_IFLIST, false},
	{"interface bridge filter", FW_ROS_BRIDGE, false},
	{"ip hotspot", FW_ROS_HOTSPOT, false},
};

static const char *const verbs[] = {
	"add",
	"set",
	"remove",
	"disable",
	"enable",
	"move",
	"unset",
	"print",
	"reset",
	"export",
	"edit",
	"comment",
	"reset-counters",
	"reset-counters-all",
};

/* Menus whose entries bring rules of their own. */
static const char *const dynamic[] = {
	"ip hotspot",
	"ip kid-control",
	"ip upnp",
};

/* Menus that give the box addresses of a family. */
static const struct {
	const char *path;
	bool is6;
} addressing[] = {
	{"ip address", false},    {"ip dhcp-client", false},
	{"ipv6 address", true},   {"ipv6 dhcp-client", true},
	{"ipv6 nd prefix", true}, {"ipv6 route", true},
	{"interface 6to4", true},
};

static bool is_verb(struct slice word)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (slice_eq_str(word, verbs[i]))
			return true;
	}
	return false;
}

/* "/ip firewall filter add ...", "/ip/firewall/filter" or
 * "/ip/firewall/filter/add ...": what is left is the verb and its arguments. */
static struct slice enter_menu(struct fw_ros_ctx *c, struct slice line)
{
	const uint8_t *const end = line.p + line.n;
	char path[64];
	struct wr w = wr_init(path, sizeof(path));
	struct slice rest = line, word, before = line;
	bool is_done = false;

	while (!is_done && fw_word_next(&rest, &word) && !is_verb(word)) {
		struct slice part;

		before = rest;
		while (!is_done && fw_part_next(&word, '/', &part)) {
			is_done = w.n && is_verb(part);
			if (is_done)
				before = (struct slice){part.p,
				                        (size_t)(end - part.p)};
			if (part.n == 0 || is_done)
				continue;
			if (w.n)
				wr_u8(&w, ' ');
			wr_put(&w, part);
		}
	}
	c->menu = FW_ROS_OTHER;
	c->is_dynamic_menu = false;
	c->is_list_menu = slice_eq_str(wr_slice(&w), "interface list");
	c->is_bridge_menu = slice_eq_str(wr_slice(&w), "interface bridge");
	c->is_ip6_menu = slice_eq_str(wr_slice(&w), "ipv6 settings");
	for (size_t i = 0; i < ARRAY_LEN(addressing) && !w.bad; i++) {
		if (!slice_eq_str(wr_slice(&w), addressing[i].path))
			continue;
		if (addressing[i].is6)
			c->has_ip6 = true;
		else
			c->has_ip4 = true;
	}
	for (size_t i = 0; i < ARRAY_LEN(dynamic) && !w.bad; i++)
		c->is_dynamic_menu |= slice_eq_str(wr_slice(&w), dynamic[i]);
	for (size_t i = 0; i < ARRAY_LEN(menus) && !w.bad; i++) {
		if (!slice_eq_str(wr_slice(&w), menus[i].path))
			continue;
		c->menu = menus[i].menu;
		c->is6 = menus[i].is6;
	}
	return slice_trim(before);
}

static void add_bridge(struct fw_ros_ctx *c, struct slice name)
{
	if (name.n)
		fw_ros_check(c, fw_zones_add(&c->rules->arena, &c->bridges,
		                             fw_ros_dup(c, name)));
}

static void add_command(struct fw_ros_ctx *c, struct slice line,
                        struct slice raw, unsigned at)
{
	struct fw_ros_command *cmd;
	struct slice verb = {NULL, 0};

	if (line.n && line.p[0] == '/')
		line = enter_menu(c, line);
	if (line.n == 0)
		return;
	(void)fw_word_next(&line, &verb);
	if (!is_verb(verb)) {
		diag_add(c->dg, DIAG_WARN, raw,
		         _("Not understood; kept as it is. Expected a menu "
		           "that begins with \"/\", or add, set, remove."));
		fw_ros_check(c, fw_kept_add(c->rules, at, raw));
		return;
	}
	c->has_dynamic |= c->is_dynamic_menu;
	if (c->is_bridge_menu && slice_eq_str(verb, "add"))
		add_bridge(c, fw_ros_value(line, "name"));
	if (c->is_list_menu)
		fw_ros_read_joined(c, line);
	if (c->menu == FW_ROS_OTHER) {
		c->is_ip6_off |=
			c->is_ip6_menu &&
			slice_eq_str(fw_ros_value(line, "disable-ipv6"), "yes");
		fw_ros_check(c, fw_kept_add(c->rules, at, raw));
		return;
	}
	cmd = arena_alloc(&c->scratch, sizeof(*cmd));
	fw_ros_check(c, cmd);
	if (!cmd)
		return;
	*cmd = (struct fw_ros_command){.menu = c->menu,
	                               .is6 = c->is6,
	                               .verb = verb,
	                               .args = slice_trim(line),
	                               .raw = raw,
	                               .line = at};
	if (c->last)
		c->last->next = cmd;
	else
		c->first = cmd;
	c->last = cmd;
}

static bool goes_on(struct slice line)
{
	return line.n && line.p[line.n - 1] == '\\';
}

/* A backslash at the end joins lines; blanks that begin the next one go. */
static struct slice join(struct fw_ros_ctx *c, struct rd *rd, struct slice line,
                         unsigned *n_lines, struct slice *raw)
{
	struct wr w = wr_init_heap();
	struct slice more = line, joined = line;
	char *text;

	while (goes_on(more)) {
		wr_put(&w, slice_sub(more, 0, more.n - 1));
		if (!rd_line(rd, &more)) {
			diag_add(c->dg, DIAG_WARN, line,
			         _("The text ends inside this command."));
			more = slice_sub(line, line.n, 0);
			break;
		}
		(*n_lines)++;
		raw->n = (size_t)(more.p + more.n - raw->p);
		more = slice_trim(more);
	}
	wr_put(&w, more);
	text = w.bad ? NULL : arena_dup(&c->rules->arena, wr_slice(&w));
	fw_ros_check(c, text);
	if (text)
		joined = (struct slice){(const uint8_t *)text, w.n};
	wr_fini(&w);
	return joined;
}

void fw_ros_read_lines(struct fw_ros_ctx *c, struct slice text)
{
	struct rd rd = rd_init(text);
	struct slice line;
	unsigned n = 0;

	while (!c->err && rd_line(&rd, &line)) {
		const unsigned at = ++n;
		struct slice raw;

		raw = line = slice_trim(line);
		if (fw_has_prefix(line, "#error exporting") ||
		    fw_has_prefix(line, "#interrupted"))
			diag_add(c->dg, DIAG_WARN, line,
			         _("The export is not whole: what is missing "
			           "is taken for what the factory has."));
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (goes_on(line))
			line = join(c, &rd, line, &n, &raw);
		add_command(c, line, raw, at);
	}
}

static bool is_blank(uint8_t ch)
{
	return ch == ' ' || ch == '\t';
}

size_t fw_ros_bracket_len(struct slice s)
{
	size_t n = 0, depth = 0;

	for (; n < s.n; n++) {
		if (s.p[n] == '\\' && n + 1 < s.n) {
			n++;
		} else if (s.p[n] == '"') {
			for (n++; n < s.n && s.p[n] != '"'; n++)
				n += s.p[n] == '\\';
		} else if (s.p[n] == '[') {
			depth++;
		} else if (s.p[n] == ']' && --depth == 0) {
			return n + 1;
		}
	}
	return s.n;
}

/* Take key=value, or a bare word, which is then the key. */
bool fw_ros_arg_next(struct slice *rest, struct slice *key, struct slice *value)
{
	struct slice s = slice_trim(*rest);
	size_t n = 0;

	if (s.n == 0)
		return false;
	if (s.p[0] == '[') {
		n = fw_ros_bracket_len(s);
		*key = slice_sub(s, 0, n);
		*value = slice_sub(s, n, 0);
		*rest = slice_sub(s, n, SIZE_MAX);
		return true;
	}
	while (n < s.n && s.p[n] != '=' && !is_blank(s.p[n]))
		n++;
	*key = slice_sub(s, 0, n);
	*value = slice_sub(s, n, 0);
	if (n >= s.n || s.p[n] != '=') {
		*rest = slice_sub(s, n, SIZE_MAX);
		return true;
	}
	s = slice_sub(s, n + 1, SIZE_MAX);
	n = 0;
	if (s.n && s.p[0] == '[') {
		n = fw_ros_bracket_len(s);
		*value = slice_sub(s, 0, n);
	} else if (s.n && s.p[0] == '"') {
		for (n = 1; n < s.n && s.p[n] != '"'; n++)
			n += s.p[n] == '\\';
		*value = slice_sub(s, 1, (n < s.n ? n : s.n) - 1);
		n++;
	} else {
		while (n < s.n && !is_blank(s.p[n]))
			n++;
		*value = slice_sub(s, 0, n);
	}
	*rest = slice_sub(s, n < s.n ? n : s.n, SIZE_MAX);
	return true;
}

struct slice fw_ros_value(struct slice args, const char *name)
{
	struct slice key, value, found = {NULL, 0};

	while (fw_ros_arg_next(&args, &key, &value)) {
		if (slice_eq_str(key, name))
			found = value;
	}
	return found;
}

struct slice fw_ros_arg(const struct fw_ros_command *cmd, const char *name)
{
	return fw_ros_value(cmd->args, name);
}
