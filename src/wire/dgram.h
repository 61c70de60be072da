/* SPDX-License-Identifier: ISC */
/**
 * Datagrams between probe and edge, on any UDP port of the edge.
 *
 *   HELLO    p->e  session, nonce; always WIRE_HELLO_BYTES long
 *   WELCOME  e->p  nonce, token, where you come from, where I listen;
 *                  never longer than a HELLO
 *   PLAIN    p->e  tag and token as text, then any payload
 *   MIRROR   e->p  the answer to a PLAIN with a good token
 *   PROBE    any   tag as text, then any payload; never answered
 *   LIMITED  e->p  no answer yet: this address has asked too often
 *
 * All begin with "PRM\xf1", a type and a version. LIMITED is also all that a
 * stream gets which an edge does not accept.
 */
#pragma once

#include "wire/mirror.h"
#include "wire/place.h"
#include "wire/tag.h"
#include "wire/token.h"

enum wire_dgram_type {
	WIRE_HELLO = 1,
	WIRE_WELCOME = 2,
	WIRE_PLAIN = 3,
	WIRE_MIRROR = 4,
	WIRE_PROBE = 5,
	WIRE_LIMITED = 6,
};

enum {
	WIRE_HELLO_BYTES = 128,
	WIRE_NONCE_BYTES = 8,
	WIRE_DGRAM_HDR_BYTES = 8,
	WIRE_LIMITED_BYTES = 10,
};

struct wire_hello {
	uint8_t session[WIRE_SESSION_BYTES];
	uint8_t nonce[WIRE_NONCE_BYTES]; /**< comes back in the WELCOME */
};

struct wire_welcome {
	uint8_t nonce[WIRE_NONCE_BYTES];
	struct wire_token token;
	struct addr source;
	int64_t wall_ns; /**< the edge's clock */
	struct wire_services services;
};

struct wire_plain {
	struct wire_tag tag;
	struct wire_token token;
	struct slice payload;
};

struct wire_probe {
	struct wire_tag tag;
	struct slice payload;
};

struct wire_limited {
	uint16_t wait_s; /**< then there is room for a whole check again */
};

/**
 * What kind of datagram is it? Only the header is looked at.
 *
 * @param type  Out; untouched unless 0 is returned.
 *
 * @return 0, or EBADMSG: not one of ours, or of another version
 */
WARN_UNUSED int wire_dgram_type(enum wire_dgram_type *type, struct slice in);

void wire_hello_put(struct wr *w, const struct wire_hello *h);
void wire_welcome_put(struct wr *w, const struct wire_welcome *h);

/** The same for who sends many: @p services as wire_services_put() has
 *  written them, instead of those of @p h. */
void wire_welcome_put_with(struct wr *w, const struct wire_welcome *h,
                           struct slice services);

void wire_plain_put(struct wr *w, const struct wire_plain *p);
void wire_probe_put(struct wr *w, const struct wire_probe *p);
/** How every LIMITED begins: all but wait_s. Static. */
struct slice wire_limited_head(void);

void wire_limited_put(struct wr *w, const struct wire_limited *l);
void wire_mirror_dgram_put(struct wr *w, const struct wire_mirror *m);

/**
 * Read a whole datagram of one type.
 *
 * Out parameters are untouched unless 0 is returned; payloads borrow from
 * @p in.
 *
 * @return 0, or EBADMSG: malformed or of another type. A HELLO of another
 *         length than WIRE_HELLO_BYTES is malformed.
 */
WARN_UNUSED int wire_hello_decode(struct wire_hello *h, struct slice in);
WARN_UNUSED int wire_welcome_decode(struct wire_welcome *h, struct slice in);
WARN_UNUSED int wire_plain_decode(struct wire_plain *p, struct slice in);
WARN_UNUSED int wire_probe_decode(struct wire_probe *p, struct slice in);
WARN_UNUSED int wire_limited_decode(struct wire_limited *l, struct slice in);

/** As above; @p m and @p store as in wire_mirror_decode(), with its ENOMEM. */
WARN_UNUSED int wire_mirror_dgram_decode(struct wire_mirror *m,
                                         struct wr *store, struct slice in);
