/* SPDX-License-Identifier: ISC */
/**
 * Which box changes a message: the same message at rising TTL.
 *
 * A router that lets a datagram die quotes it in its ICMP error (RFC 792,
 * RFC 1812 section 4.3.2.3, RFC 4443 section 3.3). Where the quote first
 * differs from what was sent, the box before that router has changed it. A
 * message that is swallowed draws errors up to the box that swallows it.
 *
 * Pure: no sockets and no clock. The caller sends what hop_walk_next() asks
 * for and reports what comes back.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/cursor.h"

enum {
	HOP_MAX = 30,
	HOP_TRIES = 3, /**< each hop is asked this often, whatever it answers */
};

/** What one hop said. */
struct hop_view {
	struct addr addr;   /**< who answered; ADDR_NONE: nobody */
	unsigned n_tries;   /**< messages sent with this TTL */
	unsigned n_answers; /**< ICMP errors that came back */
	size_t quote_bytes; /**< longest quote of the payload */
	bool is_unchanged;  /**< a quote reaches past the edit, and is intact */
	bool is_changed;    /**< a quote differs */
	size_t changed_at;  /**< first differing byte of that quote */
	struct slice before; /**< what was sent, around there; borrowed */
	struct slice after;  /**< what was quoted; borrowed */
};

struct hop_walk {
	unsigned n_hops;     /**< routers to ask: TTL 1 to n_hops */
	size_t edit_at;      /**< where the far end saw the first edit;
	                          SIZE_MAX: the message never arrives */
	int64_t gap_ns;      /**< between two messages */
	int64_t patience_ns; /**< silence after the last message */
	unsigned ttl, round; /**< the next to send; round from 0 */
	unsigned n_short;    /**< quotes too short to tell what they quote */
	unsigned n_enough;   /**< answers that prove that a hop was reached: 1,
	                          or more where a message may slip through */
	int64_t due_ns;
	struct hop_view hops[HOP_MAX + 1]; /**< by TTL; [0] is not used */
};

/**
 * Begin.
 *
 * @param n_hops   Routers on the path, at most HOP_MAX; 0 is allowed.
 * @param edit_at  As hop_walk.edit_at.
 */
void hop_walk_init(struct hop_walk *w, unsigned n_hops, size_t edit_at,
                   int64_t srtt_ns, int64_t now_ns);

/**
 * What to do now.
 *
 * @param ttl  Out: 1 to n_hops: send one message with this TTL now; 0: wait.
 *
 * @return when to ask again, monotonic ns; INT64_MAX: it is over
 */
int64_t hop_walk_next(struct hop_walk *w, unsigned *ttl, int64_t now_ns);

/**
 * An ICMP error came back.
 *
 * @param sent   The payload that was sent; must outlive the walk.
 * @param quote  What was quoted of it; must outlive the walk.
 */
void hop_walk_on_quote(struct hop_walk *w, unsigned ttl,
                       const struct addr *offender, struct slice sent,
                       struct slice quote);

/**
 * An ICMP error came back whose quote is too short to say what it quotes.
 *
 * In the rounds it is only counted. If there was any, a last round asks the
 * hops that stayed nameless one at a time, so that it can be told who it was.
 */
void hop_walk_on_short(struct hop_walk *w, const struct addr *offender);

/** Where the box is. Hops count from 1; 0 is this computer. */
struct hop_place {
	bool is_known;
	bool is_exact;    /**< the box is hop `hop_min` */
	unsigned hop_min; /**< the last that saw it unchanged (0: sent so) */
	unsigned hop_max; /**< the first that saw it changed, or did not get
	                       it; n_hops + 1: the far end */
	struct addr addr; /**< of the box, when is_exact */
	unsigned hop;     /**< of the box, when is_exact */
};

/**
 * Judge an edit: the far end saw the message changed at `edit_at`.
 *
 * The box that edits is at `hop_min` when its own quote was intact and the
 * next hop's was not: routers quote what they received (measured with Linux,
 * where the ALG works after the TTL check). Hops that are silent or quote too
 * little widen the range.
 */
struct hop_place hop_walk_edit(const struct hop_walk *w);

/**
 * Judge a loss: the far end never got the message, though a twin arrives.
 *
 * A box may swallow before or after its TTL check, so the result is the last
 * hop that answered and the next that could have, never a single one.
 *
 * @param twin  A walk by a message that arrives: it tells which hops answer
 *              at all. NULL: there was none, and the next hop is taken for
 *              one that does.
 */
struct hop_place hop_walk_loss(const struct hop_walk *w,
                               const struct hop_walk *twin);

/** What the far end's walk towards here has found, by the hops as they count
 *  from here. @p n_hops  routers on the path, the same both ways */
struct hop_place hop_place_turn(const struct hop_place *pl, unsigned n_hops);

/**
 * What two losses say together, one each way, of a message that the same box
 * swallows in both.
 *
 * Wherever a box checks the TTL, before it swallows or after, the pair of one
 * way and the pair of the other share that box alone; unless it judges at one
 * of its interfaces only: then the pairs are the same, and stay one.
 *
 * @return @p there where the two contradict, or @p back knows nothing
 */
struct hop_place hop_place_meet(const struct hop_place *there,
                                const struct hop_place *back);
