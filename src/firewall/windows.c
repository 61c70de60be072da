/* SPDX-License-Identifier: ISC */
/*
 * Design: Windows Defender Firewall has no order: a rule that blocks wins
 * over all that allow. So only rules that allow can be written, and none may
 * stand below one that does not. It filters its own host's traffic only, has
 * no ALG and no session time to set, which the script says.
 *
 * Text goes into single quotes and in ASCII only: PowerShell takes
 * typographic quotation marks for quotes too, and old versions misread UTF-8.
 *
 * Sources: learn.microsoft.com, New-NetFirewallRule,
 * New-NetFirewallDynamicKeywordAddress and Add-MpPreference.
 */
#include "firewall/windows.h"

#include <errno.h>
#include <string.h>

#include "base/i18n.h"
#include "firewall/vendor.h"

static const char exclusion_id[] = "antivirus.path";

int fw_windows_exclusion_add(struct fw_rules *rules, const char *path)
{
	struct fw_setting *s = fw_setting_add(rules, exclusion_id);

	if (!s)
		return ENOMEM;
	s->raw = slice_str(path);
	return 0;
}

enum {
	MAX_TEXT = 300
};

static bool is_plain(uint8_t c)
{
	return c >= ' ' && c < 0x7f;
}

static void put_quoted(struct wr *w, struct slice text)
{
	wr_str(w, "'");
	for (size_t i = 0; i < text.n && i < MAX_TEXT; i++) {
		const uint8_t c = text.p[i];

		if (c == '\'')
			wr_u8(w, c);
		wr_u8(w, is_plain(c) ? c : '?');
	}
	wr_str(w, "'");
}

/* The same name always gets the same identity, so that running the script
 * again does not make another. RFC 9562, section 5.8: version 8. */
static void put_guid(struct wr *w, const char *name)
{
	uint64_t h[2] = {UINT64_C(0xcbf29ce484222325),
	                 UINT64_C(0x84222325cbf29ce4)};

	for (size_t k = 0; k < 2; k++) {
		for (const char *p = name; *p; p++)
			h[k] = (h[k] ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
	}
	wr_fmt(w, "'{%08x-%04x-8%03x-%04x-%012llx}'", (unsigned)(h[0] >> 32),
	       (unsigned)(h[0] >> 16 & 0xffff), (unsigned)(h[0] & 0xfff),
	       (unsigned)(h[1] >> 48 & 0x3fff) | 0x8000U,
	       (unsigned long long)(h[1] & UINT64_C(0xffffffffffff)));
}

static bool is_named(const struct fw_addr *a)
{
	return a->kind == FW_ADDR_NAME;
}

static bool has_kind(const struct fw_addrs *set, bool want_names)
{
	for (const struct fw_addr *a = set->first; a; a = a->next) {
		if (is_named(a) == want_names)
			return true;
	}
	return !set->first && !want_names;
}

static void put_addrs(struct wr *w, const struct fw_addrs *set,
                      const char *option)
{
	const char *sep = "";

	if (!set->first)
		return;
	wr_fmt(w, " `\n    %s ", option);
	for (const struct fw_addr *a = set->first; a; a = a->next) {
		if (is_named(a))
			continue;
		wr_fmt(w, "%s'", sep);
		fw_ip_put(w, a->lo, a->hi);
		wr_str(w, "'");
		sep = ", ";
	}
}

static void put_names(struct wr *w, const struct fw_addrs *set)
{
	const char *sep = " `\n    -RemoteDynamicKeywordAddresses ";

	for (const struct fw_addr *a = set->first; a; a = a->next) {
		if (!is_named(a))
			continue;
		wr_str(w, sep);
		put_guid(w, a->name);
		sep = ", ";
	}
}

static bool is_all(uint16_t lo, uint16_t hi)
{
	return lo == 0 && hi == FW_PORT_MAX;
}

static bool is_like(const struct fw_service *a, const struct fw_service *b)
{
	return a->proto == b->proto && a->sport_lo == b->sport_lo &&
	       a->sport_hi == b->sport_hi &&
	       is_all(a->dport_lo, a->dport_hi) ==
	               is_all(b->dport_lo, b->dport_hi);
}

static void put_range(struct wr *w, uint16_t lo, uint16_t hi)
{
	wr_fmt(w, lo == hi ? "'%u'" : "'%u-%u'", lo, hi);
}

static void put_service(struct wr *w, const struct fw_service *s, bool is_in)
{
	const char *sep =
		is_in ? " `\n    -LocalPort " : " `\n    -RemotePort ";

	if (s->proto == FW_PROTO_TCP || s->proto == FW_PROTO_UDP)
		wr_fmt(w, " -Protocol %s",
		       s->proto == FW_PROTO_TCP ? "TCP" : "UDP");
	else if (s->proto != FW_PROTO_ANY)
		wr_fmt(w, " -Protocol %d", s->proto);
	if (!is_all(s->sport_lo, s->sport_hi)) {
		wr_str(w, is_in ? " -RemotePort " : " -LocalPort ");
		put_range(w, s->sport_lo, s->sport_hi);
	}
	if (is_all(s->dport_lo, s->dport_hi))
		return;
	for (const struct fw_service *t = s; t; t = t->next) {
		if (!is_like(s, t))
			continue;
		wr_str(w, sep);
		put_range(w, t->dport_lo, t->dport_hi);
		sep = ", ";
	}
}

static void put_one(struct wr *w, const struct fw_rule *r,
                    const struct fw_service *s, bool has_names)
{
	const bool is_in = r->chain->hook == FW_HOOK_INPUT;
	const struct fw_zones *zones = is_in ? &r->in : &r->out;

	wr_str(w, "New-NetFirewallRule -Group 'Prumo' -DisplayName ");
	put_quoted(w, slice_str(r->name ? r->name : r->id));
	wr_fmt(w, " `\n    -Direction %s -Action Allow -Enabled %s",
	       is_in ? "Inbound" : "Outbound",
	       r->is_disabled ? "False" : "True");
	if (s)
		put_service(w, s, is_in);
	put_addrs(w, &r->src, is_in ? "-RemoteAddress" : "-LocalAddress");
	if (has_names)
		put_names(w, &r->dst);
	else
		put_addrs(w, &r->dst,
		          is_in ? "-LocalAddress" : "-RemoteAddress");
	for (const struct fw_zone *z = zones->first; z; z = z->next) {
		wr_str(w,
		       z == zones->first ? " `\n    -InterfaceAlias " : ", ");
		put_quoted(w, slice_str(z->name));
	}
	wr_str(w, " | Out-Null\n");
}

static void put_rule(struct wr *w, const struct fw_rule *r)
{
	for (int names = 0; names < 2; names++) {
		const struct fw_service *s = r->services.first;

		if (!has_kind(&r->dst, names))
			continue;
		if (!s)
			put_one(w, r, NULL, names);
		for (; s; s = s->next) {
			const struct fw_service *t = r->services.first;

			while (!is_like(t, s))
				t = t->next;
			if (t == s || is_all(s->dport_lo, s->dport_hi))
				put_one(w, r, s, names);
		}
	}
}

static void put_keywords(struct wr *w, struct wr *undo, const struct fw_rule *r)
{
	for (const struct fw_addr *a = r->dst.first; a; a = a->next) {
		if (!is_named(a))
			continue;
		wr_str(w, "New-NetFirewallDynamicKeywordAddress -Id ");
		put_guid(w, a->name);
		wr_str(w, " -Keyword ");
		put_quoted(w, slice_str(a->name));
		wr_str(w, " -AutoResolve $true "
		          "-ErrorAction SilentlyContinue | Out-Null\n");
		wr_str(undo, "#     Remove-NetFirewallDynamicKeywordAddress "
		             "-Id ");
		put_guid(undo, a->name);
		wr_str(undo, "\n");
	}
}

static void refuse(struct diag *dg, const struct fw_rule *r, const char *why)
{
	const struct slice all = {NULL, 0};

	diag_add(dg, DIAG_ERROR, all, _("Rule %s cannot be written here: %s."),
	         r->id, why);
}

static bool check_rule(const struct fw_rule *r, struct diag *dg)
{
	const struct fw_zones *zones =
		r->chain->hook == FW_HOOK_INPUT ? &r->in : &r->out;
	const size_t n_before = dg->n_errors;

	if (r->action != FW_ACCEPT)
		refuse(dg, r,
		       _("Windows has no order, and what blocks would win over "
		         "what allows"));
	if (r->attrs.alg == FW_ON)
		refuse(dg, r, _("it wants the SIP ALG on"));
	for (const struct fw_service *s = r->services.first; s; s = s->next) {
		if (s->proto != FW_PROTO_TCP && s->proto != FW_PROTO_UDP &&
		    (!is_all(s->dport_lo, s->dport_hi) ||
		     !is_all(s->sport_lo, s->sport_hi)))
			refuse(dg, r, _("ports need TCP or UDP"));
	}
	if (has_kind(&r->src, true) ||
	    (r->chain->hook == FW_HOOK_INPUT && has_kind(&r->dst, true)))
		refuse(dg, r,
		       _("a host name can only be where traffic goes to"));
	for (const struct fw_addr *a = r->dst.first; a; a = a->next) {
		if (a->kind == FW_ADDR_UNKNOWN)
			refuse(dg, r, _("an address of it is not known"));
	}
	for (const struct fw_addr *a = r->src.first; a; a = a->next) {
		if (a->kind == FW_ADDR_UNKNOWN)
			refuse(dg, r, _("an address of it is not known"));
	}
	/* Windows takes an alias for a pattern, and quotes for quotes. */
	for (const struct fw_zone *z = zones->first; z; z = z->next) {
		if (strpbrk(z->name, "*?[]'`"))
			refuse(dg, r, _("its interfaces are not plain names"));
	}
	(void)fw_states_fit(r, dg);
	return dg->n_errors == n_before;
}

/* A "?" in it would stand for any character, and leave more unwatched. */
static int check_exclusions(const struct fw_rules *rules, struct diag *dg)
{
	const struct slice all = {NULL, 0};
	int err = 0;

	for (const struct fw_setting *s = rules->settings; s; s = s->next) {
		size_t n = 0;

		if (strcmp(s->id, exclusion_id) != 0)
			continue;
		while (n < s->raw.n && n < MAX_TEXT && is_plain(s->raw.p[n]))
			n++;
		if (n == s->raw.n)
			continue;
		diag_add(dg, DIAG_ERROR, all,
		         _("A folder that the antivirus should leave alone "
		           "cannot be written here: its name has more than "
		           "ASCII in it, or is too long."));
		err = ENOTSUP;
	}
	return err;
}

static int check_all(const struct fw_rules *rules, struct diag *dg)
{
	const struct slice all = {NULL, 0};
	int err = check_exclusions(rules, dg);

	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		if ((c->hook != FW_HOOK_OUTPUT && c->hook != FW_HOOK_INPUT) ||
		    c->kind != FW_CHAIN_FILTER) {
			diag_add(dg, DIAG_ERROR, all,
			         _("Windows filters its own traffic: "
			           "only rules for the host itself can be "
			           "written, not chain %s."),
			         c->name);
			err = ENOTSUP;
		}
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if (!fw_is_return_rule(r) && !check_rule(r, dg))
				err = ENOTSUP;
		}
	}
	return err;
}

static void put_exclusions(struct wr *w, struct wr *undo,
                           const struct fw_rules *rules)
{
	for (const struct fw_setting *s = rules->settings; s; s = s->next) {
		if (strcmp(s->id, exclusion_id) != 0)
			continue;
		wr_str(w, "Add-MpPreference -ExclusionPath ");
		put_quoted(w, s->raw);
		wr_str(w, "\n");
		wr_str(undo, "#     Remove-MpPreference -ExclusionPath ");
		put_quoted(undo, s->raw);
		wr_str(undo, "\n");
	}
}

static int emit(struct wr *out, const struct fw_rules *rules, struct diag *dg)
{
	struct wr undo = wr_init_heap();
	const int err = check_all(rules, dg);

	if (err)
		return err;
	wr_str(out,
	       "# Windows 10, 11 and Server: run in PowerShell as "
	       "administrator.\n"
	       "#\n"
	       "# Windows lets programs send unless the default for outbound "
	       "traffic is Block:\n"
	       "#     Get-NetFirewallProfile | Format-Table Name, "
	       "DefaultOutboundAction\n"
	       "# These rules are needed only then. Windows has no SIP ALG and "
	       "no session time\n"
	       "# to set: both belong to the router. Rules for host names need "
	       "Windows 11 or\n"
	       "# Windows 10 22H2, and network protection in Microsoft "
	       "Defender.\n"
	       "$ErrorActionPreference = 'Stop'\n"
	       "Remove-NetFirewallRule -Group 'Prumo' "
	       "-ErrorAction SilentlyContinue\n");
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if (fw_is_return_rule(r))
				continue;
			put_keywords(out, &undo, r);
			put_rule(out, r);
		}
	}
	put_exclusions(out, &undo, rules);
	wr_str(out, "\n# Undo:\n"
	            "#     Remove-NetFirewallRule -Group 'Prumo'\n");
	wr_put(out, wr_slice(&undo));
	out->bad |= undo.bad;
	wr_fini(&undo);
	return 0;
}

const struct fw_dialect fw_dialect_windows = {
	.name = "windows",
	.title = "Windows Defender Firewall",
	.file_ext = ".ps1",
	.caps = FW_CAP_IP6 | FW_CAP_NAMES | FW_CAP_ZONES | FW_CAP_SPORT |
                FW_CAP_STATES | FW_CAP_DISABLED | FW_CAP_ALG | FW_CAP_UDP_IDLE |
                FW_CAP_COMMENT,
	.emit = emit,
};
