/* SPDX-License-Identifier: ISC */
/** One message on its way through the ALG; shared by alg*.c only. */
#pragma once

#include "router/alg.h"
#include "sip/msg.h"

struct router_alg_edit {
	enum router_alg_id id;
	size_t at, n; /* of the message, replaced */
	size_t text, text_n;
};

struct router_alg_media {
	struct addr inner; /* no family: free */
	struct addr phone; /* whose INVITE */
	struct addr outer; /* as it is seen outside */
	uint64_t cseq;
	int64_t until_ns;
};

enum {
	ROUTER_ALG_MAX_PHONES = 16, /* whose last REGISTER is remembered */
};

struct router_alg_register {
	struct addr phone; /* no family: free */
	uint64_t cseq;
};

struct router_alg {
	struct router_alg_conf conf;
	struct router_nat *nat;
	struct router_alg_register registers[ROUTER_ALG_MAX_PHONES];
	size_t n_registers; /* ever */
	struct router_alg_media media[ROUTER_ALG_MAX_MEDIA];
	struct router_alg_note notes[ROUTER_ALG_MAX_NOTES];
	size_t n_notes;
	uint64_t n_unnoted;
	uint64_t counts[ROUTER_ALG_BEHAVIOURS][2];
	int64_t second_ns; /* ROUTER_ALG_DROP_FAST: it began */
	unsigned n_second;
	struct sip_msg msg;
	struct router_alg_edit edits[ROUTER_ALG_MAX_EDITS];
	size_t n_edits;
	uint8_t texts[8192];
	struct wr text;
};

struct router_alg_turn {
	struct router_alg *a;
	const struct sip_msg *m;
	const struct router_flow *flow;
	uint8_t proto;
	int64_t now_ns;
};

static inline bool router_alg_has(const struct router_alg_turn *t,
                                  enum router_alg_id id)
{
	return t->a->conf.set & router_alg_bit(id);
}

/** Replace @p at, which lies in the message (its n may be 0). */
void router_alg_edit(struct router_alg_turn *t, enum router_alg_id id,
                     struct slice at, const char *fmt, ...) PRINTF_FMT(4, 5);

/** The address that the flow's translation gives for @p a; @return false: it
 *  is not the flow's, or stays. Port 0 of @p a: the address alone. */
bool router_alg_map(const struct router_alg_turn *t, struct addr *to,
                    const struct addr *a);

/** Rewrite a host with its port, as the set says. */
void router_alg_host(struct router_alg_turn *t, enum router_alg_id id,
                     struct slice host, struct slice port);

/** Replace the flow's address wherever it stands in @p where. */
void router_alg_blind(struct router_alg_turn *t, enum router_alg_id id,
                      struct slice where);

/** The body is SDP to this ALG: it has a line "v=" and a method that may. */
bool router_alg_has_sdp(const struct router_alg_turn *t, struct slice *sdp);

/** Class C. @return whether the message is dropped; @p idp says by what */
bool router_alg_drops(struct router_alg_turn *t, enum router_alg_id *idp);

/** Classes A and B in the header. */
void router_alg_headers(struct router_alg_turn *t);

/** SDP: rewriting, pinholes. @return as router_alg_drops() */
bool router_alg_sdp(struct router_alg_turn *t, enum router_alg_id *idp);

/** Content-Length, last: @p delta bytes were added to the body. */
void router_alg_length(struct router_alg_turn *t, int64_t delta);
