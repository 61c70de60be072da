/* SPDX-License-Identifier: ISC */
/** The inside of the RouterOS dialect. */
#pragma once

#include "firewall/vendor.h"

/** What lines that Prumo adds have in common, and where they go. */
struct fw_ros_mark {
	const char *tag;              /**< begins comments and names of lists */
	bool is_in_list, is_out_list; /**< zones are lists of interfaces */
	bool is_placed;
	unsigned before;  /**< is_placed: rules of the chain that stay above */
	unsigned n_lines; /**< written so far, all of them placed there */
};

/** Does the rule speak of this family? */
bool fw_ros_has_half(const struct fw_rule *r, bool is6);

/** @return 0, or ENOTSUP with the reason in @p dg */
WARN_UNUSED int fw_ros_check_rule(const struct fw_rule *r, struct diag *dg);

/** Lines below "/ip firewall address-list" and "/ip firewall filter". */
void fw_ros_put_lists(struct wr *w, const struct fw_rule *r, bool is6,
                      const struct fw_ros_mark *mark);
void fw_ros_put_rule(struct wr *w, const struct fw_rule *r, const char *chain,
                     bool is6, struct fw_ros_mark *mark);

/** As fw_dialect.emit and .patch. */
WARN_UNUSED int fw_ros_emit(struct wr *out, const struct fw_rules *rules,
                            struct diag *dg);
WARN_UNUSED int fw_ros_patch(struct fw_patch_out *out,
                             const struct fw_rules *rules,
                             const struct fw_edit *edits, struct diag *dg);
