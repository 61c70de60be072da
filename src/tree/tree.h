/* SPDX-License-Identifier: ISC */
/**
 * YAML text as a tree that knows its places.
 *
 * Accepts the part of YAML that profiles and scenarios need: one document of
 * maps, lists and scalars. Anchors, aliases, tags, duplicate keys, control
 * characters and deep nesting are refused, so the tree is never larger than
 * a constant times the text.
 */
#pragma once

#include <stdbool.h>

#include "base/diag.h"

enum {
	TREE_MAX_DEPTH = 12,
};

enum tree_node_kind {
	TREE_NODE_SCALAR,
	TREE_NODE_MAP,
	TREE_NODE_LIST,
};

struct tree_node {
	struct tree_node *next; /**< in the map or list that holds it */
	enum tree_node_kind kind;
	struct slice key;    /**< in a map: its key, decoded */
	struct slice key_at; /**< in a map: the key in the source text */
	struct slice text;   /**< scalar, decoded; a NUL follows */
	struct slice at;     /**< in the source text, never past one line */
	struct tree_node *first, *last;
	size_t n; /**< children */
};

/**
 * Read a document.
 *
 * @param rootp  Out; untouched unless 0 is returned. Lives in @p a; `at`
 *               and `key_at` borrow from @p text.
 *
 * @return 0, or EBADMSG (in @p dg), or ENOMEM
 */
WARN_UNUSED int tree_read(const struct tree_node **rootp, struct arena *a,
                          struct slice text, struct diag *dg);

/** @return the child of a map, or NULL; @p map may be NULL or no map. */
const struct tree_node *tree_get(const struct tree_node *map, const char *key);
