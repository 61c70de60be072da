/* SPDX-License-Identifier: ISC */
/**
 * What SIP ALGs do to messages, behaviour by behaviour.
 *
 * A set of behaviours makes a persona. Each is seeded from what is known of
 * real ones and is honest: every edit is noted, so that tests know the truth.
 * Pure: a message, the flow it belongs to and the time in; bytes or a drop
 * out. Fuzzed by fuzz/fuzz_router_alg.c.
 */
#pragma once

#include "router/nat.h"

enum {
	ROUTER_ALG_MAX_NOTES = 4096, /**< kept; all are counted */
	ROUTER_ALG_NOTE_BYTES = 160, /**< kept of a text */
	ROUTER_ALG_MAX_EDITS = 96,   /**< in one message */
	ROUTER_ALG_MAX_MEDIA = 64,   /**< streams that are remembered */
};

/** Order is precedence: where two want the same bytes, the first has them. */
enum router_alg_id {
	/* B: corruption */
	ROUTER_ALG_LOSE_SEMICOLON,
	ROUTER_ALG_PORT_OVERFLOW,
	ROUTER_ALG_LOSE_CRLF,
	ROUTER_ALG_LENGTH_STALE,
	ROUTER_ALG_LENGTH_TEXT,
	ROUTER_ALG_LENGTH_PAD,
	ROUTER_ALG_UNFOLD,
	ROUTER_ALG_EXPAND,
	ROUTER_ALG_TCP_NO_FIXUP,
	/* A: rewriting */
	ROUTER_ALG_VIA,
	ROUTER_ALG_CONTACT,
	ROUTER_ALG_CONTACT_FIRST,
	ROUTER_ALG_FROM_TO,
	ROUTER_ALG_CALL_ID,
	ROUTER_ALG_ROUTE,
	ROUTER_ALG_REQUEST_URI,
	ROUTER_ALG_SDP,
	ROUTER_ALG_SDP_ORIGIN,
	ROUTER_ALG_RTP_RANGE,
	ROUTER_ALG_NAT_TRACE,
	ROUTER_ALG_DIGEST,
	ROUTER_ALG_RECEIVED,
	ROUTER_ALG_OWN_VIA,
	ROUTER_ALG_MAX_FORWARDS,
	ROUTER_ALG_REORDER,
	ROUTER_ALG_RECASE,
	ROUTER_ALG_BRANCH,
	ROUTER_ALG_BLIND,
	/* How the rewriters match and write */
	ROUTER_ALG_PORT_ADDED,
	ROUTER_ALG_OWN_PORT_ONLY,
	ROUTER_ALG_FOREIGN,
	/* C: loss */
	ROUTER_ALG_DROP_BAD_MEDIA,
	ROUTER_ALG_DROP_RTP_REUSE,
	ROUTER_ALG_DROP_BUSY,
	ROUTER_ALG_DROP_UNKNOWN,
	ROUTER_ALG_DROP_LONG_LINE,
	ROUTER_ALG_DROP_LONG_URI,
	ROUTER_ALG_DROP_NO_PORT,
	ROUTER_ALG_DROP_NON_SIP,
	ROUTER_ALG_DROP_LARGE,
	ROUTER_ALG_DROP_FRAGMENTS,
	ROUTER_ALG_DROP_HOST_CONTACT,
	ROUTER_ALG_DROP_FAST,
	ROUTER_ALG_DROP_TCP,
	/* D: state */
	ROUTER_ALG_TIMER,
	ROUTER_ALG_PINHOLE,
	ROUTER_ALG_PINHOLE_ANYONE,
	ROUTER_ALG_GHOST,
	ROUTER_ALG_WRONG_PORT,
	ROUTER_ALG_REMAP,
	ROUTER_ALG_TWIN_DROP,
	ROUTER_ALG_PINHOLE_CALLS,
	ROUTER_ALG_STALE,
	ROUTER_ALG_STALE_DEAD,
	/* E: where it works */
	ROUTER_ALG_UDP_ONLY,
	ROUTER_ALG_TCP_ONLY,
	ROUTER_ALG_OUT_ONLY,
	ROUTER_ALG_TCP_ASSEMBLE,
	ROUTER_ALG_BEHAVIOURS,
};

/** Name and meaning; names are option words and JSON ids. */
struct router_alg_behaviour {
	const char *name;
	const char *row; /**< of the catalogue of misbehaviour: "A1" */
	const char *does;
};

extern const struct router_alg_behaviour
	router_alg_behaviours[ROUTER_ALG_BEHAVIOURS];

/** A set of behaviours: bit i is behaviour i. */
typedef uint64_t router_alg_set;

static inline router_alg_set router_alg_bit(enum router_alg_id id)
{
	return UINT64_C(1) << id;
}

struct router_alg_persona {
	const char *name;
	const char *like; /**< what it resembles */
	router_alg_set set;
};

/** Ends with a NULL name. */
extern const struct router_alg_persona router_alg_personas[];

/** One behaviour by its name. @return 0, or ENOENT */
WARN_UNUSED int router_alg_find(enum router_alg_id *idp, struct slice name);

/** @return the persona of that name, or NULL */
const struct router_alg_persona *router_alg_persona(struct slice name);

struct router_alg_conf {
	router_alg_set set;
	uint16_t port;         /**< of SIP, on the far side; 5060 */
	unsigned large_bytes;  /**< ROUTER_ALG_DROP_LARGE: above; 1300 */
	unsigned fast_pps;     /**< ROUTER_ALG_DROP_FAST: above; 10 */
	unsigned busy_streams; /**< ROUTER_ALG_DROP_BUSY: at most; 4 */
	int64_t pinhole_ns;    /**< life of a pinhole; 180 s */
	int64_t change_ns;     /**< ROUTER_ALG_STALE...: sessions that began
	                            before it, since the start, are old; 0: those
	                            of the phones' own port are */
};

extern const struct router_alg_conf router_alg_defaults;

struct router_alg_note {
	enum router_alg_id id;
	bool is_out, is_drop, is_move;
	size_t at;          /**< in the message as it came */
	size_t was_n, is_n; /**< bytes; more than are kept: the start is */
	uint8_t was[ROUTER_ALG_NOTE_BYTES], is[ROUTER_ALG_NOTE_BYTES];
};

struct router_alg;

/** @param nat  Where pinholes are made; borrowed. @return 0 or ENOMEM */
WARN_UNUSED int router_alg_alloc(struct router_alg **ap,
                                 const struct router_alg_conf *conf,
                                 struct router_nat *nat);
void router_alg_free(struct router_alg *a);

enum router_alg_verdict {
	ROUTER_ALG_SAME,
	ROUTER_ALG_EDITED,
	ROUTER_ALG_DROPPED,
};

/** Is this flow SIP to this ALG? One that is not old is not, where old ones
 *  alone keep the ALG. */
bool router_alg_minds(const struct router_alg *a, const struct router_flow *f,
                      uint8_t proto);

/**
 * Take a UDP payload or one TCP segment. In TCP only a segment that is one
 * whole message is edited, as by the kernel's ALG; who is to see more puts
 * them together first (stream.h).
 *
 * @param w  Out: the new payload, for ROUTER_ALG_EDITED.
 */
WARN_UNUSED enum router_alg_verdict
router_alg_take(struct router_alg *a, struct wr *w, struct slice payload,
                const struct router_flow *flow, uint8_t proto, int64_t now_ns);

/** Count what a behaviour did that changes nothing by itself. */
void router_alg_count_add(struct router_alg *a, enum router_alg_id id,
                          bool is_out);

/** Note what a behaviour outside of messages did. */
void router_alg_note_drop(struct router_alg *a, enum router_alg_id id,
                          bool is_out);

/** Note an endpoint that a behaviour has replaced by another. */
void router_alg_note_move(struct router_alg *a, enum router_alg_id id,
                          bool is_out, const struct addr *was,
                          const struct addr *is);

/** How often a behaviour struck, [0] out, [1] in. */
uint64_t router_alg_count(const struct router_alg *a, enum router_alg_id id,
                          bool is_in);

/** The notes, as a JSON list. */
void router_alg_notes_put(struct wr *w, const struct router_alg *a);

/** How many more there would be, had there been room. */
uint64_t router_alg_notes_missing(const struct router_alg *a);
