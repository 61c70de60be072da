/* SPDX-License-Identifier: ISC */
/** Text to and from the one rule model: one file per vendor. */
#pragma once

#include "base/diag.h"
#include "fact/words.h"
#include "firewall/flow.h"
#include "firewall/rule.h"

/** What a dialect can say. A rule that needs more is refused by name. */
enum fw_cap {
	FW_CAP_IP6 = 1 << 0,
	FW_CAP_NAMES = 1 << 1, /**< host names as addresses */
	FW_CAP_NEGATION = 1 << 2,
	FW_CAP_ZONES = 1 << 3,
	FW_CAP_SPORT = 1 << 4,
	FW_CAP_STATES = 1 << 5,
	FW_CAP_SCHEDULE = 1 << 6,
	FW_CAP_CHAINS = 1 << 7, /**< jumps and returns */
	FW_CAP_REJECT = 1 << 8,
	FW_CAP_DISABLED = 1 << 9, /**< rules that are there but off */
	FW_CAP_NAT = 1 << 10,
	FW_CAP_ALG = 1 << 11,      /**< can turn SIP helpers off */
	FW_CAP_UDP_IDLE = 1 << 12, /**< session time per flow or globally */
	FW_CAP_OFFLOAD = 1 << 13,
	FW_CAP_DSCP = 1 << 14,
	FW_CAP_COMMENT = 1 << 15,
	FW_CAP_RULE_IDLE = 1 << 16, /**< session time is the accepting rule's:
	                                 FW_EDIT_IDLE names it */
	FW_CAP_RULE_OFFLOAD = 1 << 17, /**< so is offload, of rules for hosts
	                                    of their own: FW_EDIT_OFFLOAD_OFF
	                                    names it */
	FW_CAP_FLOW_OFFLOAD = 1 << 18, /**< rules offload what comes to them,
	                                    and its session time with it: two
	                                    FW_EDIT_INSERT before them keep a
	                                    flow off, one for its answers */
};

/** One change to a configuration; patch.h plans them. */
enum fw_edit_kind {
	FW_EDIT_INSERT,  /**< an accept rule for `flow` before `before` */
	FW_EDIT_ALG_OFF, /**< undo `rule`, `setting` or `object`, or the
	                      default when all are NULL */
	FW_EDIT_IDLE,    /**< raise session time to `idle_s` */
	FW_EDIT_OFFLOAD_OFF,
	FW_EDIT_RETURN, /**< accept what belongs to a connection; no `flow` */
};

struct fw_edit {
	struct fw_edit *next;
	enum fw_edit_kind kind;
	const struct fw_flow *flow;
	struct fw_services services;  /**< FW_EDIT_INSERT: what is missing */
	const struct fw_place *place; /**< FW_EDIT_INSERT, _IDLE: for whom */
	const struct fw_chain *chain;
	const struct fw_rule *before; /**< NULL: at the end of the chain */
	const struct fw_rule *rule;
	const struct fw_setting *setting;
	const struct fw_object *object;
	int64_t idle_s;
	bool is_reply; /**< FW_EDIT_INSERT: for the answers to the flow */
};

/** What a patch is made of; the dialect writes all of its texts. */
struct fw_patch_out {
	struct wr commands; /**< to be typed or pasted on the box */
	struct wr undo;     /**< takes exactly that back */
	struct wr clear;    /**< forgets old sessions to these hosts */
	struct wr patched;  /**< the whole configuration after it */
	struct words why;   /**< there is none: the reason, and what to do
	                         next; else no msgid */
	size_t n_names;     /**< flows left as the box knows no host names */
	struct arena arena; /**< holds the words */
};

/** Say why there is no patch, N_() with what it is about as %1$s and %2$s
 *  (copied; NULL: nothing). The first reason stays. */
void fw_patch_refuse(struct fw_patch_out *out, const char *msgid, const char *a,
                     const char *b);

struct fw_dialect {
	const char *name;      /**< [a-z0-9-]+: CLI argument and JSON id */
	const char *title;     /**< product name, not translated */
	const char *file_ext;  /**< with the dot */
	unsigned caps;         /**< FW_CAP_* */
	const char *lan, *wan; /**< zones that every such box has from the
	                            factory; NULL: none */
	bool drops_rest;       /**< as written, a line of it drops what no
	                            rule accepts; else the box does unasked */

	/** FW_CAP_* that a box of this version, or of such a text, has not.
	 *  NULL: there is none. */
	unsigned (*lacks)(const struct fw_rules *rules);

	/** How sure that @p text is ours: 0 (no) to 100. NULL with no parse. */
	int (*recognise)(struct slice text);

	/**
	 * Text to rules; NULL: write only.
	 *
	 * Adds faults to @p dg and goes on. What it does not know is kept
	 * (fw_kept_add()) and reported; what makes a rule's match uncertain
	 * sets its `conditional`, never drops it.
	 *
	 * @param out  Initialised, empty; filled even after EBADMSG.
	 *
	 * @return 0, EBADMSG after any DIAG_ERROR, or ENOMEM
	 */
	int (*parse)(struct fw_rules *out, struct slice text, struct diag *dg);

	/**
	 * Rules to text, within `caps`; NULL: read only. Same input, same
	 * bytes. Attributes that the model holds for a rule are written in
	 * the places where this box wants them.
	 *
	 * @return 0, or ENOTSUP for what fw_emit() could not foresee (it is
	 *         in @p dg). Lack of memory is in out->bad.
	 */
	int (*emit)(struct wr *out, const struct fw_rules *rules,
	            struct diag *dg);

	/** Why there is no emit, and what to do instead, N_(); or NULL. */
	const char *instead;

	/** Write a planned patch; NULL: cannot. @return as emit(). */
	int (*patch)(struct fw_patch_out *out, const struct fw_rules *rules,
	             const struct fw_edit *edits, struct diag *dg);
};

/** What the box that @p rules are of, or for, can say: its version counts. */
unsigned fw_dialect_caps(const struct fw_dialect *d,
                         const struct fw_rules *rules);

/** All of them, NULL-ended. */
extern const struct fw_dialect *const fw_dialects[];

/** @return the dialect of that name, or NULL. */
const struct fw_dialect *fw_dialect_find(const char *name);

/** @return the dialect that claims @p text most surely, or NULL. */
const struct fw_dialect *fw_dialect_recognise(struct slice text);

/** Caps that @p rules need. */
unsigned fw_rules_caps(const struct fw_rules *rules);

/**
 * Write rules in a dialect.
 *
 * @return 0, ENOTSUP with each thing it cannot say in @p dg (nothing is
 *         written then), or ENOMEM
 */
WARN_UNUSED int fw_emit(struct wr *out, const struct fw_dialect *d,
                        const struct fw_rules *rules, struct diag *dg);

/**
 * The flows as rules: one per flow, accept, from place->in to place->out,
 * SIP flows with the ALG off, session times as asked, return traffic by
 * state.
 *
 * @return 0 or ENOMEM
 */
WARN_UNUSED int fw_rules_from_flows(struct fw_rules *out,
                                    const struct fw_flow *flows, size_t n,
                                    const struct fw_place *place);

/**
 * What the provider may open towards the phones: one more rule per flow, from
 * place->out to place->in, without any port translation. Only after
 * fw_rules_from_flows().
 *
 * @return 0 or ENOMEM
 */
WARN_UNUSED int fw_rules_add_inbound(struct fw_rules *rules,
                                     const struct fw_flow *flows, size_t n,
                                     const struct fw_place *place);

/** Limit a made rule to a place. @return 0 or ENOMEM */
WARN_UNUSED int fw_rule_set_place(struct arena *a, struct fw_rule *r,
                                  const struct fw_place *place);
