/* SPDX-License-Identifier: ISC */
/*
 * Design: boxes with a web page and no text to paste get numbered steps. The
 * way to the switch is a row of data per box, with who says so; what the
 * rules ask is listed below it, to be held against the box by a person. What
 * weakens the box without helping calls (its packet inspection, its guard
 * against floods) is named so that it stays on.
 */
#include <errno.h>
#include <string.h>

#include "base/i18n.h"
#include "firewall/vendor.h"

enum {
	MAX_STEPS = 5,
};

struct box {
	const char *title; /**< not translated */
	const char *steps[MAX_STEPS];
	const char *undo;
	const char *note;   /**< or NULL */
	const char *source; /**< fact id */
};

static const struct box barracuda = {
	.title = "Barracuda Firewall (X series)",
	.steps = {N_("Open Firewall > Firewall Rules > Custom Firewall Access "
                     "Rules."),
                  N_("Tick \"Disabled\" for the rules LAN-2-INTERNET-SIP and "
                     "INTERNET-2-LAN-SIP: they hand calls to the box's own SIP "
                     "proxy."),
                  N_("See that LAN-2-INTERNET, or a rule of your own above "
                     "any that blocks, lets the traffic below pass: nothing "
                     "else lets SIP pass now."),
                  N_("Save the changes.")},
	.undo = N_("Untick \"Disabled\" for both rules and save."),
	.note = N_("Other Barracuda products (CloudGen) do it elsewhere: ask "
                   "their manual for the SIP plug-in of service objects."),
	.source = "barracuda-sip",
};

static const struct box dlink = {
	.title = "D-Link",
	.steps = {N_("Open the router's page and go to Advanced > Application "
                     "Level Gateway (ALG)."),
                  N_("Untick SIP."), N_("Apply.")},
	.undo = N_("Tick SIP on the same page and apply."),
	.source = "dlink-sip",
};

static const struct box linksys = {
	.title = "Linksys",
	.steps = {N_("Open the router's page and go to Administration, tab "
                     "Advanced."),
                  N_("Switch SIP ALG off."), N_("Save the settings.")},
	.undo = N_("Switch SIP ALG on at the same place."),
	.note = N_(
		"Leave the SPI firewall on: switching it off does not switch "
		"the ALG off and leaves the network open. It is a last "
		"resort, to be tried for minutes."),
	.source = "linksys-sip",
};

static const struct box netgear = {
	.title = "Netgear",
	.steps = {N_("Open the router's page and go to Advanced > Setup > WAN "
                     "Setup."),
                  N_("Tick \"Disable SIP ALG\"."), N_("Apply.")},
	.undo = N_("Untick \"Disable SIP ALG\" and apply."),
	.note = N_("Leave port scan and DoS protection on: they do not touch "
                   "calls, and without them the network is open to floods."),
	.source = "netgear-sip",
};

static const struct box tplink = {
	.title = "TP-Link",
	.steps =
		{N_("Open the router's page and go to Advanced > NAT Forwarding "
                    "> ALG (older ones: Advanced Setup > NAT > ALG)."),
                 N_("Untick SIP ALG; some versions call it \"SIP Enabled\" or "
                    "\"SIP Transformations\"."),
                 N_("Save.")},
	.undo = N_("Tick it on the same page and save."),
	.source = "tplink-sip",
};

static const struct box arris = {
	.title = "Arris TG1692A",
	.steps =
		{N_("Open the modem's page, mostly http://192.168.0.1, with the "
                    "user and password on its label."),
                 N_("Go to Firewall > ALG."), N_("Untick SIP."), N_("Apply.")},
	.undo = N_("Tick SIP on the same page and apply."),
	.source = "arris-sip",
};

static void put_text(struct wr *w, const char *text)
{
	for (; *text; text++)
		wr_u8(w, (unsigned char)*text >= ' ' ? (uint8_t)*text : '?');
}

static void put_services(struct wr *w, const struct fw_rule *r)
{
	const char *sep = "";

	for (const struct fw_service *s = r->services.first; s; s = s->next) {
		const char *name = s->proto == FW_PROTO_TCP   ? "TCP"
		                   : s->proto == FW_PROTO_UDP ? "UDP"
		                                              : NULL;

		wr_str(w, sep);
		if (name)
			wr_str(w, name);
		else if (s->proto == FW_PROTO_ANY)
			wr_str(w, "IP");
		else
			wr_fmt(w, "IP %d", s->proto);
		if (s->dport_lo > 0 || s->dport_hi < FW_PORT_MAX)
			wr_fmt(w, s->dport_lo == s->dport_hi ? " %u" : " %u-%u",
			       s->dport_lo, s->dport_hi);
		sep = ", ";
	}
	if (!r->services.first)
		wr_str(w, "IP");
}

static void put_addrs(struct wr *w, const struct fw_addrs *set)
{
	const char *sep = "";

	for (const struct fw_addr *a = set->first; a; a = a->next) {
		wr_str(w, sep);
		if (a->kind == FW_ADDR_RANGE)
			fw_ip_put(w, a->lo, a->hi);
		else
			put_text(w, a->name);
		sep = ", ";
	}
	if (!set->first)
		wr_str(w, "*");
}

static void put_rule(struct wr *w, const struct fw_rule *r)
{
	wr_str(w, "   - ");
	if (r->src.first) {
		put_addrs(w, &r->src);
		wr_str(w, " -> ");
	}
	put_addrs(w, &r->dst);
	wr_str(w, ": ");
	put_services(w, r);
	if (r->name) {
		wr_str(w, "  (");
		put_text(w, r->name);
		wr_str(w, ")");
	}
	wr_str(w, "\n");
}

static bool check_rule(const struct fw_rule *r, struct diag *dg)
{
	const struct slice all = {NULL, 0};
	const char *why = NULL;

	if (r->action != FW_ACCEPT)
		why = _("steps can only let traffic pass");
	else if (r->attrs.alg == FW_ON)
		why = _("it wants the SIP ALG on");
	for (const struct fw_addr *a = r->dst.first; a && !why; a = a->next) {
		if (a->kind == FW_ADDR_UNKNOWN)
			why = _("an address of it is not known");
	}
	for (const struct fw_addr *a = r->src.first; a && !why; a = a->next) {
		if (a->kind == FW_ADDR_UNKNOWN)
			why = _("an address of it is not known");
	}
	if (why)
		diag_add(dg, DIAG_ERROR, all,
		         _("Rule %s cannot be written here: %s."), r->id, why);
	return fw_states_fit(r, dg) && !why;
}

/* What the rules ask: whether the ALG is to be off, and the longest time. */
static int survey(const struct fw_rules *rules, bool *has_alg, int64_t *idle_s,
                  struct diag *dg)
{
	int err = 0;

	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if (fw_is_return_rule(r))
				continue;
			if (!check_rule(r, dg))
				err = ENOTSUP;
			*has_alg |= r->attrs.alg == FW_OFF;
			if (r->attrs.udp_idle_s > *idle_s)
				*idle_s = r->attrs.udp_idle_s;
		}
	}
	return err;
}

static void put_list(struct wr *w, const struct fw_rules *rules)
{
	for (const struct fw_chain *c = rules->chains; c; c = c->next) {
		for (const struct fw_rule *r = c->first; r; r = r->next) {
			if (!fw_is_return_rule(r) && !r->is_disabled)
				put_rule(w, r);
		}
	}
}

static int emit_box(struct wr *w, const struct box *b,
                    const struct fw_rules *rules, struct diag *dg)
{
	const struct fw_vendor_fact *fact = fw_vendor_fact_find(b->source);
	bool has_alg = false;
	int64_t idle_s = 0;
	unsigned n = 0;
	const int err = survey(rules, &has_alg, &idle_s, dg);

	if (err)
		return err;
	wr_fmt(w, "%s\n\n", b->title);
	for (size_t i = 0; has_alg && i < MAX_STEPS && b->steps[i]; i++)
		wr_fmt(w, "%u. %s\n", ++n, _(b->steps[i]));
	wr_fmt(w, "%u. %s\n", ++n,
	       _("From the factory, all that the network opens towards the "
	         "Internet passes, and the answers come back. If outgoing "
	         "traffic was limited here, let this pass:"));
	put_list(w, rules);
	if (idle_s > 0) {
		wr_fmt(w, "%u. ", ++n);
		wr_fmt(w,
		       _("Calls need UDP sessions that live %lld s without "
		         "traffic. This box has no setting for it that is "
		         "known: let \"prumo check\" measure it."),
		       (long long)idle_s);
		wr_str(w, "\n");
	}
	wr_fmt(w, "%u. %s\n", ++n,
	       _("Restart the box, so that it forgets the old connections, and "
	         "look again after each update of its software: some switch "
	         "the ALG on again."));
	if (b->note)
		wr_fmt(w, "\n%s\n", _(b->note));
	if (has_alg)
		wr_fmt(w, "\n%s %s\n", _("Undo:"), _(b->undo));
	wr_fmt(w, "\n%s %s\n", _("Source:"), fact ? fact->document : "");
	return 0;
}

#define BOX_CAPS                                                    \
	(FW_CAP_IP6 | FW_CAP_NAMES | FW_CAP_ZONES | FW_CAP_STATES | \
	 FW_CAP_DISABLED | FW_CAP_ALG | FW_CAP_UDP_IDLE | FW_CAP_COMMENT)

#define DIALECT(var, id, shown)                                             \
	static int emit_##var(struct wr *out, const struct fw_rules *rules, \
	                      struct diag *dg)                              \
	{                                                                   \
		return emit_box(out, &(var), rules, dg);                    \
	}                                                                   \
	const struct fw_dialect fw_dialect_##var = {                        \
		.name = (id),                                               \
		.title = (shown),                                           \
		.file_ext = ".txt",                                         \
		.caps = BOX_CAPS,                                           \
		.emit = emit_##var,                                         \
	}

DIALECT(arris, "arris-tg1692a", "Arris TG1692A");
DIALECT(barracuda, "barracuda", "Barracuda Firewall");
DIALECT(dlink, "dlink", "D-Link");
DIALECT(linksys, "linksys", "Linksys");
DIALECT(netgear, "netgear", "Netgear");
DIALECT(tplink, "tplink", "TP-Link");
