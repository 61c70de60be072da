/* SPDX-License-Identifier: ISC */
/** Writing FortiOS: what rules and patches share. */
#pragma once

#include "firewall/fortios.h"

struct fw_forti_emitter {
	struct wr *out;
	struct wr *undo;
	struct wr *undo_first; /**< what uses the objects of `undo` */
	struct diag *dg;
	struct fw_patch_out *patch; /**< NULL: a whole box is written */
	struct fw_dict seen;
	const char *prefix;       /* of undo lines */
	char mark[FW_MARK_BYTES]; /**< of names */
	long version;
	bool is_made; /* rules from a profile: NAT is ours to decide */
	int err;
};

/** Say that a rule cannot be written, and fail. */
void fw_forti_refuse(struct fw_forti_emitter *e, const struct fw_rule *r,
                     const char *why);
void fw_forti_check_rule(struct fw_forti_emitter *e, const struct fw_rule *r);

/** Has the rule packets of that family? */
bool fw_forti_has_half(const struct fw_rule *r, bool is6);
/** Does this version keep IPv6 policies apart? */
bool fw_forti_is_split(const struct fw_forti_emitter *e);

/** Entries for the tables of addresses, services and policies. An id of 0
 *  lets the box choose. */
void fw_forti_put_addrs(struct fw_forti_emitter *e, const struct fw_rule *r,
                        bool is6);
void fw_forti_put_services(struct fw_forti_emitter *e, const struct fw_rule *r);
void fw_forti_put_policy(struct fw_forti_emitter *e, const struct fw_rule *r,
                         unsigned long id, unsigned families);

/** Does this version know default-voip-alg-mode? Not known (-1): taken so. */
bool fw_forti_has_mode(long version);
/** The SIP switches of a VDOM, with that mode or without, and their undo. */
void fw_forti_put_switches(struct fw_forti_emitter *e, bool has_mode);
/** Commands that end sessions to these addresses, and to no others; those
 *  in @p seen are left out, and the rest noted there. */
void fw_forti_put_clear(struct wr *w, struct fw_dict *seen,
                        const struct fw_addrs *set, const char *prefix);

/** What session-ttl takes: never less than 300 s. */
int64_t fw_forti_ttl_at_least(int64_t v);
