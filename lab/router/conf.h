/* SPDX-License-Identifier: ISC */
/**
 * A router in words: "persona=netfilter,mapping=apd,out.loss=1%".
 *
 * Words are "key=value", parted by commas or line ends, applied in order;
 * router_conf_help() lists them. Pure; fuzzed by fuzz/fuzz_router_conf.c.
 */
#pragma once

#include "router/router.h"

enum {
	/** Leaves the table room for the timer that an ALG sets. */
	ROUTER_CONF_MAX_RANGES = ROUTER_NAT_MAX_RANGES - 1,
};

/**
 * @param conf  Changed by each word that is understood.
 * @param bad   Out: the first word that is refused; borrows.
 *
 * @return 0, EBADMSG: not understood, or EEXIST: what has one value was said
 *         before
 */
WARN_UNUSED int router_conf_read(struct router_conf *conf, struct slice *bad,
                                 struct slice text);

/** How the word @p bad, which was refused, should look: "nat=off|none|on". */
void router_conf_want(struct wr *w, struct slice bad);

/**
 * Once all words are read: a word that does nothing without another.
 *
 * @param word  Out, when EBADMSG: its key; static.
 * @param need  Out, then: the key that is missing, or 0; static.
 *
 * @return 0 or EBADMSG
 */
WARN_UNUSED int router_conf_check(const struct router_conf *conf,
                                  const char **word, const char **need);

/** Every word, behaviour and persona, for humans. */
void router_conf_help(struct wr *w);

/** Behaviours and personas as JSON: what an evaluation goes through. */
void router_conf_list(struct wr *w);
