/* SPDX-License-Identifier: ISC */
/*
 * Design: what a FortiOS configuration says of the whole box or of a VDOM is
 * read before the policies, which depend on it. Each thing is told as a
 * setting with its line, or as the vendor's default where the text is silent.
 */
#include <errno.h>
#include <string.h>

#include "firewall/fortios_read.h"

enum {
	UDP_IDLE_S = 180,
	V_5_2 = 5002000,
};

static struct fw_setting *add_setting(struct fw_forti_ctx *c, const char *id,
                                      const char *source,
                                      const struct fw_forti_node *at)
{
	struct fw_setting *s = fw_setting_add(c->rules, id);

	if (!s) {
		c->err = ENOMEM;
		return NULL;
	}
	s->source = source;
	s->is_default = !at;
	if (at) {
		s->line = at->line;
		s->raw = at->raw;
	}
	return s;
}

static void add_alg_setting(struct fw_forti_ctx *c, const char *id,
                            const char *source, const struct fw_forti_node *at,
                            enum fw_tri alg)
{
	struct fw_setting *s = add_setting(c, id, source, at);

	if (s)
		s->attrs.alg = alg;
}

enum fw_tri fw_forti_profile_state(struct fw_forti_ctx *c,
                                   const struct fw_forti_scope *sc,
                                   struct slice name,
                                   const struct fw_forti_node **at)
{
	const struct fw_forti_node *e =
		fw_forti_find_entry(c, sc, "voip profile", name);
	const struct fw_forti_node *sip;

	if (!e)
		return FW_UNKNOWN;
	sip = fw_forti_config(&c->t, e, "sip");
	*at = fw_forti_value(sip, "status");
	return *at && fw_forti_is(sip, "status", "disable") ? FW_OFF : FW_ON;
}

/* Switches that are told but decide nothing. */
static void report_switches(struct fw_forti_ctx *c,
                            const struct fw_forti_node *settings)
{
	static const struct {
		const char *name;
		const char *source;
	} rows[] = {
		{"sip-helper", "fortios-sip-helper-switch"},
		{"sip-expectation", "fortios-sip-expectation"},
		{"sip-nat-trace", "fortios-sip-nat-trace"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fw_forti_node *n =
			fw_forti_value(settings, rows[i].name);

		if (n)
			(void)add_setting(c, rows[i].name, rows[i].source, n);
	}
}

void fw_forti_read_settings(struct fw_forti_ctx *c, struct fw_forti_scope *sc)
{
	const struct fw_forti_node *settings =
		fw_forti_config(&c->t, sc->node, "system settings");
	const struct fw_forti_node *mode =
		fw_forti_value(settings, "default-voip-alg-mode");
	const struct fw_forti_node *profile = NULL;
	enum fw_tri state = FW_ON;

	sc->is_ngfw = fw_forti_is(settings, "ngfw-mode", "policy-based");
	if (mode && fw_forti_is(settings, "default-voip-alg-mode",
	                        "kernel-helper-based")) {
		sc->mode = FW_FORTI_MODE_KERNEL;
		state = FW_OFF;
	} else if (mode) {
		sc->mode = FW_FORTI_MODE_PROXY;
	} else if (c->version < V_5_2) {
		state = c->version < 0 ? FW_UNKNOWN : FW_OFF;
	}
	add_alg_setting(c, "default-voip-alg-mode", "fortios-mode-default",
	                mode, state);
	report_switches(c, settings);
	sc->default_profile =
		fw_forti_profile_state(c, sc, slice_str("default"), &profile);
	/* The factory profile is there even when the text is silent. */
	if (sc->default_profile == FW_UNKNOWN)
		sc->default_profile = FW_ON;
	add_alg_setting(c, "voip-profile.default", "fortios-profile-default",
	                profile, sc->default_profile);
	fw_forti_times_read(c, sc);
}

/* The entry is found by its name: its number differs between versions. */
static void read_helpers(struct fw_forti_ctx *c)
{
	struct fw_forti_node *at =
		fw_forti_config(&c->t, c->global, "system session-helper");
	struct fw_forti_node *e;
	bool found = false;

	/* A table that only deletes says nothing of the rest of it. */
	c->helper = at && fw_forti_next(at->first, FW_FORTI_EDIT) ? FW_OFF
	                                                          : FW_UNKNOWN;
	for (e = fw_forti_next(at ? at->first : NULL, FW_FORTI_EDIT); e;
	     e = fw_forti_next(e->next, FW_FORTI_EDIT)) {
		if (!fw_forti_is(e, "name", "sip"))
			continue;
		found = true;
		c->helper = FW_ON;
		add_alg_setting(c, "session-helper.sip", "fortios-helper-sip",
		                e, FW_ON);
	}
	if (!found)
		add_alg_setting(c, "session-helper.sip", "fortios-helper-sip",
		                c->helper == FW_OFF ? at : NULL, c->helper);
}

void fw_forti_read_global(struct fw_forti_ctx *c)
{
	const struct fw_forti_node *sys =
		fw_forti_config(&c->t, c->global, "system global");
	const struct fw_forti_node *n = fw_forti_value(sys, "udp-idle-timer");
	struct fw_setting *s;

	c->udp_idle_s = fw_forti_number(fw_forti_word(sys, "udp-idle-timer"),
	                                UDP_IDLE_S);
	s = add_setting(c, "udp-idle-timer", "fortios-udp-idle", n);
	if (s)
		s->attrs.udp_idle_s = c->udp_idle_s;
	c->rules->defaults.udp_idle_s = c->udp_idle_s;
	read_helpers(c);
}
