/* SPDX-License-Identifier: ISC */
/*
 * Design: what a policy hands its packets to, beside accepting them. A
 * profile is named by the policy, or by a group of profiles that it names
 * (`profile-type group`). Of these, the VoIP profile decides on SIP, and
 * application control may block calls by what they are. An application list
 * is asked entry by entry, the first that fits decides; which number is which
 * application is Fortinet's to know, so a list that blocks some by number
 * leaves calls in doubt, and so does one that is not in the text. Tables that
 * are asked before the policies leave no policy that accepts a proof.
 */
#include <string.h>

#include "base/i18n.h"
#include "firewall/fortios_read.h"

struct slice fw_forti_profile_word(const struct fw_forti_ctx *c,
                                   const struct fw_forti_scope *sc,
                                   const struct fw_forti_node *policy,
                                   const char *name, bool *is_missing)
{
	const struct slice group = fw_forti_word(policy, "profile-group");
	const struct fw_forti_node *e;

	*is_missing = false;
	if (!group.n || fw_forti_is(policy, "profile-type", "single"))
		return fw_forti_word(policy, name);
	e = fw_forti_find_entry(c, sc, "firewall profile-group", group);
	*is_missing = !e;
	return e ? fw_forti_word(e, name) : group;
}

/* FortiGuard's categories that no call, no STUN, chat or page of a provider
 * is of: P2P, Proxy, Remote.Access, Game, Botnet, Email, Social.Media. */
static bool is_unrelated(int64_t category)
{
	static const int64_t ids[] = {2, 6, 7, 8, 19, 21, 23};

	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		if (category == ids[i])
			return true;
	}
	return false;
}

/* Does it ask for more than the category? */
static bool is_narrow(const struct fw_forti_node *e)
{
	static const char *const names[] = {
		"risk",      "sub-category", "application",
		"protocols", "vendor",       "technology",
		"behavior",  "popularity",   "parameters",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct slice word = fw_forti_word(e, names[i]);

		if (word.n && !slice_eq_str(word, "all"))
			return true;
	}
	return false;
}

enum {
	MAX_CATEGORY = 63,
	V_6_2 = 6002000,
};

/* Of what it blocks, may something be the provider's that no entry before it
 * let pass? And what does it let pass? */
static bool may_block(const struct fw_forti_node *e, uint64_t *passed)
{
	struct fw_forti_words w = fw_forti_words_of(e, "category");
	const bool is_pass = fw_forti_is(e, "action", "pass") ||
	                     fw_forti_is(e, "action", "monitor");
	const bool is_sure = !is_narrow(e);
	bool has_category = false, may = false;
	struct slice word;

	while (fw_forti_word_next(&w, &word)) {
		const int64_t id = fw_forti_number(word, 0);
		const uint64_t bit = id <= MAX_CATEGORY ? UINT64_C(1) << id : 0;

		has_category = true;
		if (is_pass && is_sure)
			*passed |= bit;
		else if (!is_pass && !is_unrelated(id) && !(*passed & bit))
			may = true;
	}
	if (!has_category && is_pass && is_sure)
		*passed = UINT64_MAX;
	if (!has_category && !is_pass)
		may = *passed != UINT64_MAX;
	return may;
}

static const struct fw_forti_node *blocker(const struct fw_forti_ctx *c,
                                           const struct fw_forti_node *list)
{
	static const struct {
		const char *name, *value;
		bool is_last; /* of what no entry decides */
	} switches[] = {
		{"enforce-default-app-port", "enable", false},
		{"control-default-network-services", "enable", false},
		{"other-application-action", "block", true},
		{"unknown-application-action", "block", true},
	};
	struct fw_forti_node *at = fw_forti_config(&c->t, list, "entries");
	uint64_t passed = 0;

	for (struct fw_forti_node *e =
	             fw_forti_next(at ? at->first : NULL, FW_FORTI_EDIT);
	     e; e = fw_forti_next(e->next, FW_FORTI_EDIT)) {
		if (may_block(e, &passed))
			return e;
	}
	for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
		if (switches[i].is_last && passed == UINT64_MAX)
			continue;
		if (fw_forti_is(list, switches[i].name, switches[i].value))
			return fw_forti_value(list, switches[i].name);
	}
	return NULL;
}

/* Told once per list, whatever the number of its policies. */
static bool judge_list(struct fw_forti_ctx *c, const struct fw_forti_node *list,
                       struct slice name)
{
	const struct fw_forti_node *at = list ? blocker(c, list) : NULL;

	if (at)
		diag_add(c->dg, DIAG_WARN, at->raw,
		         _("Application control: this may block calls. An "
		           "entry before it that lets VoIP pass (category 3) "
		           "makes sure."));
	else if (!list)
		diag_add(c->dg, DIAG_WARN, name,
		         _("This application list is not in the text; "
		           "whether it blocks calls is not known."));
	return at || !list;
}

static bool list_blocks(struct fw_forti_ctx *c, const struct fw_forti_scope *sc,
                        struct slice name)
{
	const struct fw_forti_node *list =
		fw_forti_find_entry(c, sc, "application list", name);
	bool *blocks;

	if (!list && slice_eq_str(name, "default"))
		return false; /* the factory's only watches */
	blocks = fw_dict_get(&c->apps, sc->node, name);
	if (blocks)
		return *blocks;
	blocks = arena_alloc(&c->scratch, sizeof(*blocks));
	fw_forti_check(c, blocks);
	if (!blocks)
		return true;
	*blocks = judge_list(c, list, name);
	fw_dict_put(&c->apps, sc->node, name, blocks);
	return *blocks;
}

bool fw_forti_apps_block(struct fw_forti_ctx *c,
                         const struct fw_forti_scope *sc,
                         const struct fw_forti_node *policy)
{
	bool is_missing;
	const struct slice name = fw_forti_profile_word(
		c, sc, policy, "application-list", &is_missing);

	if (!name.n || fw_forti_is(policy, "utm-status", "disable"))
		return false;
	return is_missing || list_blocks(c, sc, name);
}

/* ---- what comes before the policies ---- */

static bool drops_any(struct fw_forti_ctx *c, const struct fw_forti_scope *sc,
                      const struct fw_forti_node *e)
{
	UNUSED(c);
	UNUSED(sc);
	return e != NULL;
}

static bool drops_ttl(struct fw_forti_ctx *c, const struct fw_forti_scope *sc,
                      const struct fw_forti_node *e)
{
	UNUSED(c);
	UNUSED(sc);
	return !fw_forti_is(e, "action", "accept");
}

static bool drops_apps(struct fw_forti_ctx *c, const struct fw_forti_scope *sc,
                       const struct fw_forti_node *e)
{
	const struct slice name = fw_forti_word(e, "application-list");

	return fw_forti_is(e, "application-list-status", "enable") && name.n &&
	       list_blocks(c, sc, name);
}

void fw_forti_read_first(struct fw_forti_ctx *c, struct fw_forti_scope *sc)
{
	static const struct {
		const char *list;
		bool (*drops)(struct fw_forti_ctx *c,
		              const struct fw_forti_scope *sc,
		              const struct fw_forti_node *e);
	} rows[] = {
		{"config firewall acl", drops_any},
		{"config firewall acl6", drops_any},
		{"config firewall ttl-policy", drops_ttl},
		{"config firewall interface-policy", drops_apps},
		{"config firewall interface-policy6", drops_apps},
	};

	/* Since 6.2 the policies of this mode only choose the inspection. */
	if (sc->is_ngfw && (c->version < 0 || c->version >= V_6_2))
		sc->decides_first = "set ngfw-mode policy-based";
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fw_forti_node *at = fw_forti_config(
			&c->t, sc->node, rows[i].list + strlen("config "));
		struct fw_forti_node *e =
			fw_forti_next(at ? at->first : NULL, FW_FORTI_EDIT);

		for (; e; e = fw_forti_next(e->next, FW_FORTI_EDIT)) {
			if (!fw_forti_is(e, "status", "disable") &&
			    rows[i].drops(c, sc, e))
				sc->decides_first = rows[i].list;
		}
	}
}

/* ---- rates ---- */

static void warn_anomalies(struct fw_forti_ctx *c,
                           const struct fw_forti_node *policy)
{
	struct fw_forti_node *table = fw_forti_config(&c->t, policy, "anomaly");
	struct fw_forti_node *a =
		fw_forti_next(table ? table->first : NULL, FW_FORTI_EDIT);

	for (; a; a = fw_forti_next(a->next, FW_FORTI_EDIT)) {
		if (fw_has_prefix(a->key, "udp_") &&
		    fw_forti_is(a, "status", "enable") &&
		    fw_forti_is(a, "action", "block"))
			diag_add(c->dg, DIAG_WARN, a->raw,
			         _("This drops UDP above a threshold, which "
			           "many calls at once may reach (each is some "
			           "50 packets a second); it is not judged."));
	}
}

void fw_forti_warn_rates(struct fw_forti_ctx *c,
                         const struct fw_forti_scope *sc)
{
	static const char *const lists[] = {"firewall DoS-policy",
	                                    "firewall DoS-policy6"};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct fw_forti_node *at =
			fw_forti_config(&c->t, sc->node, lists[i]);
		struct fw_forti_node *e =
			fw_forti_next(at ? at->first : NULL, FW_FORTI_EDIT);

		for (; e; e = fw_forti_next(e->next, FW_FORTI_EDIT)) {
			if (!fw_forti_is(e, "status", "disable"))
				warn_anomalies(c, e);
		}
	}
}
