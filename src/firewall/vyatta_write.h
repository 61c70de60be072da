/* SPDX-License-Identifier: ISC */
/** How EdgeOS and VyOS are written; the inside of the dialects. */
#pragma once

#include "firewall/vyatta.h"

enum {
	FW_VY_MAX_PATCHED = 32, /**< chains that one patch adds rules to */
};

/** A chain that a patch adds rules to. */
struct fw_vy_taken {
	const struct fw_chain *chain;
	unsigned long before; /**< number of the first rule that may be in
	                           the way of any of them; 0: none */
};

struct fw_vy_emitter {
	struct wr *out, *undo;
	struct diag *dg;
	struct fw_patch_out *patch; /**< NULL: a whole box is written */
	enum fw_vy_form form;
	long firewall; /**< version of those words in the footer; 0: latest */
	bool is_named; /**< helpers are off unless named */
	const char *path;            /**< "firewall name PRUMO" */
	const char *prefix;          /**< of the names of groups */
	const struct fw_chain *used; /**< numbers that are taken; or NULL */
	unsigned long freed;         /**< no number from this one on is taken */
	unsigned long number, limit;
	bool is6, is_down; /**< numbers go down: rules of a patch */
	struct fw_vy_taken taken[FW_VY_MAX_PATCHED];
	size_t n_taken;
	unsigned group; /**< the last number of a rule's groups */
	int err;
};

/** Forms from 1.4 on have base chains, host names, and interfaces in rules. */
bool fw_vy_has_base(enum fw_vy_form form);

/** Say in e->dg that @p r cannot be written, and set e->err. */
void fw_vy_refuse(struct fw_vy_emitter *e, const struct fw_rule *r,
                  const char *why);
void fw_vy_check_rule(struct fw_vy_emitter *e, const struct fw_rule *r);

/** Has a rule of @p c that number, which is less than @p freed? */
bool fw_vy_is_used(const struct fw_chain *c, unsigned long number,
                   unsigned long freed);

/** The rule's number; 0 for one that has no line. */
unsigned long fw_vy_number_of(const struct fw_rule *r);

/** The rule and its groups, whose names have @p group, below e->path. */
void fw_vy_put_rule(struct fw_vy_emitter *e, const struct fw_rule *r,
                    unsigned group);
void fw_vy_put_alg(struct fw_vy_emitter *e);
void fw_vy_put_idle(struct fw_vy_emitter *e, const char *what, int64_t s);

/**
 * The commands that take @p commands back, which were given to a box with the
 * configuration @p text.
 *
 * @return 0, ENOMEM; ENOTSUP: what would have to be said again is not plain
 *         words; EPROTO: they are not commands, or fail
 */
WARN_UNUSED int fw_vy_undo(struct wr *undo, struct slice text,
                           struct slice commands);
