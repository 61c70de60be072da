/* SPDX-License-Identifier: ISC */
/** What EdgeOS and VyOS share, as both come from Vyatta: a tree of words; the
 *  inside of the dialects. */
#pragma once

#include "firewall/vendor.h"

/** A word of a path. A value is the last word of its path. */
struct fw_vy_node {
	struct fw_vy_node *next, *prev, *parent;
	struct fw_vy_node *first, *last; /**< in the order of the text */
	struct fw_vy_node *back;         /**< what its brace was opened in */
	struct slice word;
	struct slice raw; /**< the line that says it, or the first of them */
	unsigned line;
	unsigned n_entered; /**< below it, so far */
};

enum {
	FW_VY_PATH_MAX = 16,
};

struct fw_vy_tree {
	struct arena *arena;
	struct fw_rules *rules;
	struct diag *dg;
	struct fw_dict dict; /**< (parent, word) to node, of large parents */
	struct fw_vy_node *root;
	struct fw_vy_node *scope; /**< where commands work, after `edit` */
	/* While reading: the nodes of the last `set`, and where their words
	 * end in it. */
	struct slice said_line;
	struct {
		struct fw_vy_node *node;
		size_t end;
	} said[FW_VY_PATH_MAX];
	size_t n_said;
	long conntrack; /**< of the footer; -1: no footer */
	bool is_json;   /**< of a UniFi gateway */
	bool no_memory;
};

/** Is it the tree in JSON, as a UniFi gateway and its controller have it? */
bool fw_vy_json_is(struct slice text);

/** Read it. @param n  Out: the number of its last line but one.
 *  @return its bytes; commands may follow */
size_t fw_vy_json_read(struct fw_vy_tree *t, struct slice text, unsigned *n);

/** The node of @p word below @p parent, which is made if need be. A word that
 *  is said again moves to the end: of values, the last counts. @return NULL:
 *  no memory */
struct fw_vy_node *fw_vy_enter(struct fw_vy_tree *t, struct fw_vy_node *parent,
                               struct slice word, struct slice raw,
                               unsigned line);

/** Read curly and set forms, mixed as they come, or JSON. What is neither is
 * kept in
 *  @p t->rules. */
void fw_vy_read(struct fw_vy_tree *t, struct slice text);

/** One line of set, delete, edit, rename and the like, after the text.
 *  @return false: it is none of them, or cannot be done. */
bool fw_vy_command(struct fw_vy_tree *t, struct slice line);

/** @return N of "what@N" in the footer of @p text, or -1: it has none. @p what
 *  ends with "@". */
long fw_vy_footer(struct slice text, const char *what);

/** @return the node of @p word right below @p parent, or NULL. */
struct fw_vy_node *fw_vy_child(const struct fw_vy_tree *t,
                               const struct fw_vy_node *parent,
                               struct slice word);

/** @return the node of the path below @p scope, or NULL. */
struct fw_vy_node *fw_vy_find(const struct fw_vy_tree *t,
                              const struct fw_vy_node *scope, const char *path);

/** The value said last below @p path, or an empty slice. */
struct slice fw_vy_value(const struct fw_vy_tree *t,
                         const struct fw_vy_node *scope, const char *path);

/** What decides whether the box touches SIP. */
struct fw_vy_sip {
	bool is_edgeos;
	bool is_part; /**< of a UniFi gateway: its controller says the rest */
	bool has_leaf, is_disabled; /**< system conntrack modules sip */
	bool has_base;  /**< it has words that came after what they mean */
	long conntrack; /**< version in the footer; -1: none */
};

struct fw_vy_sip_state {
	enum fw_tri alg;
	const char *source; /**< fact id */
};

/** The reasoning table. */
struct fw_vy_sip_state fw_vy_sip_judge(const struct fw_vy_sip *in);

/** Named lists of the configuration, by kind of list. */
struct fw_vy_groups {
	struct fw_dict dict; /**< (kind, name) to struct fw_object */
	size_t n_copies;
};

/** Read `firewall group`. @return 0 or ENOMEM */
WARN_UNUSED int fw_vy_groups_read(struct fw_vy_groups *g, struct fw_vy_tree *t);

/** One rule into chain @p c. @return it, or NULL: no memory. */
WARN_UNUSED struct fw_rule *fw_vy_rule_add(struct fw_vy_tree *t,
                                           struct fw_vy_groups *g,
                                           struct fw_chain *c,
                                           const struct fw_vy_node *rule);

/** The packets that a rule of another kind names, to accept them. @p kind is
 *  the first word of its id. @return it, or NULL: no memory. */
WARN_UNUSED struct fw_rule *fw_vy_packets_add(struct fw_vy_tree *t,
                                              struct fw_vy_groups *g,
                                              struct fw_chain *c,
                                              const struct fw_vy_node *rule,
                                              const char *kind);

/** Chains of what zones say of traffic that is routed: where VyOS from 1.4
 *  says it (`firewall zone`), and where older ones and EdgeOS do. */
#define FW_VY_ZONES     "zones"
#define FW_VY_OLD_ZONES "zone-policy"

enum fw_vy_form {
	FW_VY_EDGEOS,
	FW_VY_OLD,  /**< VyOS up to 1.3 */
	FW_VY_1_4,  /**< base chains; helpers off unless named */
	FW_VY_LATER /**< 1.5: timers under firewall global-options */
};

enum fw_vy_form fw_vy_form_of(const char *dialect, const char *version);
/** As fw_dialect.lacks. */
unsigned fw_vy_lacks(const struct fw_rules *rules);

/** As fw_dialect.emit, for one dialect. */
WARN_UNUSED int fw_vy_emit(struct wr *out, const struct fw_rules *rules,
                           enum fw_vy_form form, struct diag *dg);
/** As fw_dialect.patch. */
WARN_UNUSED int fw_vy_patch(struct fw_patch_out *out,
                            const struct fw_rules *rules,
                            const struct fw_edit *edits, struct diag *dg);
