/* SPDX-License-Identifier: ISC */
/**
 * What the edge answers: (bytes, whence, now) to bytes.
 *
 * Pure: no sockets, no clock, no allocation. Fuzzed by
 * fuzz/fuzz_edge_answer.c. The rule that holds it together: to a UDP source
 * that has not proved its address (a good token in the message) no answer is
 * longer than its request, but STUN's and DNS's (see edge_answer()); a mirror
 * only goes to a proven one. A TCP or TLS source has proved its address by the
 * handshake, and still needs a tag to get a mirror.
 */
#pragma once

#include "edge/calls.h"
#include "edge/dns.h"
#include "edge/flow.h"
#include "wire/dgram.h"

enum {
	EDGE_NAME_BYTES = 64,
	EDGE_ANSWER_MAX_BYTES = 192 * 1024,
	EDGE_UDP_MAX_BYTES = 65507, /**< a datagram over IPv4 */
};

struct edge_conf {
	uint8_t secret[WIRE_SECRET_BYTES];
	/** Of the Server header: words of [A-Za-z0-9._/-]; empty: none */
	char name[EDGE_NAME_BYTES];
	struct wire_services services; /**< told in WELCOME */
	struct edge_zone zone;         /**< of EDGE_DNS; borrowed */
};

enum edge_call_event {
	EDGE_CALL_NONE,
	EDGE_CALL_START, /**< INVITE: remember `final` under `call_key` */
	EDGE_CALL_END,   /**< CANCEL, BYE: send 487 for `call_key` */
};

/** Room for one answer; 400 KiB, made once. */
struct edge_answerer;

struct edge_answer {
	struct slice bytes; /**< empty: silence. Borrows from the answerer. */
	struct slice final; /**< EDGE_CALL_START: a 480. Borrows likewise. */
	enum edge_call_event call;
	uint64_t call_key;
	bool has_tag;
	bool is_proven;
	bool is_welcome; /**< as long as what it answers, at most */
	struct wire_tag tag;
};

/** @param conf, calls  Borrowed; must outlive it.
 *  @return 0 or ENOMEM. Release: edge_answerer_free(). */
WARN_UNUSED int edge_answerer_alloc(struct edge_answerer **ap,
                                    const struct edge_conf *conf,
                                    const struct edge_calls *calls);

/** NULL is fine. */
void edge_answerer_free(struct edge_answerer *an);

/**
 * Answer one datagram, or one message of a stream.
 *
 *   HELLO          WELCOME
 *   PLAIN          MIRROR, if the token is good
 *   STUN binding   on a port that speaks it; RFC 8489 makes the answer to
 *                  the smallest request (20 bytes) 32 bytes over IPv4 and 44
 *                  over IPv6: 1.6 and 2.2 times as long
 *   TURN request   likewise; 403 (Allocate) or 437: nothing is relayed
 *   DNS, NTP       likewise; at most EDGE_DNS_UDP_MAX_BYTES, and 48 for 48
 *   CRLFCRLF       CRLF (RFC 5626, section 4.4.1)
 *   SIP request    likewise; as any server would; with a mirror as its body,
 * when it has a tag and is proven other          silence; a proven, tagged
 * datagram that no SIP answer can be built for gets a MIRROR datagram
 *
 * @param out  Always filled.
 */
void edge_answer(struct edge_answer *out, struct edge_answerer *an,
                 const struct edge_arrival *a);

/** A HELLO has no tag: a whole range of them need not be searched for one. */
bool edge_answer_is_hello(struct slice bytes);

/** The final answer of a call with another status line, into @p w. */
void edge_answer_final(struct wr *w, const struct edge_final *f,
                       bool is_cancelled);
