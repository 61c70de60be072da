/* SPDX-License-Identifier: ISC */
/** FortiOS: its tree of commands, and what decides on SIP; the inside of the
 *  dialect. */
#pragma once

#include "firewall/vendor.h"

enum fw_forti_kind {
	FW_FORTI_CONFIG, /**< config <path> ... end */
	FW_FORTI_EDIT,   /**< edit <key> ... next */
	FW_FORTI_SET,
	FW_FORTI_UNSET,
	FW_FORTI_APPEND,
	FW_FORTI_UNSELECT, /**< while reading; its words are out of the list
	                        afterwards */
};

/** Who bore a name before another took it. */
struct fw_forti_bearer {
	struct fw_forti_bearer *before;
	struct fw_forti_node *node;
	const uint8_t *until; /**< place in the text */
};

struct fw_forti_node {
	struct fw_forti_node *next, *prev, *parent;
	struct fw_forti_node *first, *last;
	enum fw_forti_kind kind;
	struct slice key;  /**< path, key of the entry, or name of the value */
	struct slice rest; /**< values, as written */
	struct slice raw;
	unsigned line;
	bool is_deleted;
};

struct fw_forti_tree {
	struct arena *arena;
	struct fw_rules *rules;
	struct diag *dg;
	struct fw_dict dict; /**< (parent, key) to CONFIG and EDIT nodes */
	struct fw_dict past; /**< (parent, key) to struct fw_forti_bearer */
	struct fw_forti_node *root;
	bool has_renamed;    /**< some entries are called otherwise now */
	bool has_unselected; /**< while reading */
	bool no_memory;
};

/** Build the tree; what is no command is kept in @p rules. */
void fw_forti_read(struct fw_forti_tree *t, struct slice text);

/** @return the node of a path below @p scope, or NULL. */
struct fw_forti_node *fw_forti_config(const struct fw_forti_tree *t,
                                      const struct fw_forti_node *scope,
                                      const char *path);

/**
 * The entry that @p name means where it stands in the text: a name that was
 * given away means what bears another now, until somebody else takes it.
 *
 * @return NULL: there is none, or it was deleted
 */
struct fw_forti_node *fw_forti_entry(const struct fw_forti_tree *t,
                                     const struct fw_forti_node *table,
                                     struct slice name);

/** The value of a name in an entry: of its last `set`; unset: NULL. */
const struct fw_forti_node *fw_forti_value(const struct fw_forti_node *entry,
                                           const char *name);

/** The first word of that value, or an empty slice. */
struct slice fw_forti_word(const struct fw_forti_node *entry, const char *name);
bool fw_forti_is(const struct fw_forti_node *entry, const char *name,
                 const char *word);

/** Next node at or after @p n of a kind that was not deleted. */
struct fw_forti_node *fw_forti_next(struct fw_forti_node *n,
                                    enum fw_forti_kind kind);

enum fw_forti_mode {
	FW_FORTI_MODE_UNKNOWN,
	FW_FORTI_MODE_PROXY,
	FW_FORTI_MODE_KERNEL,
};

/** What decides whether FortiOS touches SIP in one policy. */
struct fw_forti_sip {
	long version; /**< fw_version_num(); -1: not said */
	enum fw_forti_mode mode;
	enum fw_tri helper;  /**< is a session helper named sip there? */
	enum fw_tri profile; /**< SIP in the VoIP profile that is used */
	bool has_profile;    /**< the policy names one */
	bool is_helper_off;  /**< its services have `set helper disable` */
	bool is_flow;        /**< policy in flow mode */
	bool is_ngfw;
};

struct fw_forti_sip_state {
	enum fw_tri alg;
	const char *by;     /**< what acts: "session helper", or NULL */
	const char *source; /**< fact id */
};

/** The reasoning table. */
struct fw_forti_sip_state fw_forti_sip_judge(const struct fw_forti_sip *in);

/** As fw_dialect.emit and .patch. */
WARN_UNUSED int fw_forti_emit(struct wr *out, const struct fw_rules *rules,
                              struct diag *dg);
WARN_UNUSED int fw_forti_patch(struct fw_patch_out *out,
                               const struct fw_rules *rules,
                               const struct fw_edit *edits, struct diag *dg);
