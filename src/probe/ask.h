/* SPDX-License-Identifier: ISC */
/**
 * A question to one service of the profile, and how it ends.
 *
 * A kind of question (`struct ask_ops`) is one file: ask_sip.c, ask_http.c...
 * It opens what it needs, speaks the service's own protocol, and says once
 * how that ended. It knows nothing of profiles, rows, facts or findings: the
 * asker plans, paces, shares and writes down.
 *
 * Everything runs in the loop of net/. A question must not block, keeps its
 * sockets few (a range excepted), and ends by itself within `patience_ns`.
 *
 * Silence is never read as an answer: a datagram is repeated at least four
 * times within the patience, a SYN is left to the kernel and joined by a
 * second connection after a second, so that 5 % loss each way does not look
 * like a closed port.
 */
#pragma once

#include "base/addr.h"
#include "fact/fact.h"

enum ask_via {
	ASK_UDP,
	ASK_TCP,
	ASK_TLS,
	ASK_WS,  /**< WebSocket over TCP */
	ASK_WSS, /**< WebSocket over TLS */
};

/** Whom. Borrowed from the plan; outlives the question. */
struct ask_target {
	const char *host;   /**< as the profile prints it: for SNI, Host, the
	                         domain of SIP and XMPP; numeric or a name */
	struct addr addr;   /**< where the packets go, with the (first) port */
	uint16_t port_last; /**< of a range; else the same as in `addr` */
	enum ask_via via;
};

/** What the user gave besides; any of them may be NULL. Borrowed. */
struct ask_account {
	const char *sip_user, *sip_password, *sip_domain;
	const char *turn_user, *turn_password;
};

struct range_board;

struct ask_conf {
	int64_t patience_ns; /**< for one question */
	int64_t rtt_ns;      /**< of this network, as far as known; 0: not */
	struct ask_account account;
	const uint8_t *pin; /**< SHA-256 of a certificate that is good whatever
	                         is wrong with it: the edge's; NULL: none */
	unsigned *flows_left; /**< new NAT mappings that this run may still
	                           make; a question counts down what it makes
	                           and asks no more at 0 */
	bool is_full_range;   /**< visit every port of a range */
	unsigned flows_per_s; /**< NAT mappings that a range may make in a
	                           second; 0: as many as the path bears */
	bool is_patient; /**< a range: silence is asked once more after a pause
	                  */
	struct range_board *board; /**< of the ranges of this run; NULL: none */
	bool has_edge; /**< an edge is known to be at that address: silence is
	                    then an answer */
};

/** How far it came. Later ones include the earlier. */
enum ask_layer {
	ASK_LAYER_NONE,
	ASK_LAYER_CONNECT, /**< TCP opened */
	ASK_LAYER_TLS,     /**< the handshake was finished */
	ASK_LAYER_PROTOCOL,
};

enum ask_end {
	ASK_ANSWERED, /**< the service spoke its protocol: it is reached */
	ASK_OPEN,     /**< the port is reached; nobody speaks first there */
	ASK_OTHER,    /**< something answered that is not that service */
	ASK_SILENT,   /**< nothing at all, as often as it was tried */
	ASK_REFUSED,  /**< TCP reset of the SYN, or an ICMP error */
	ASK_CUT,      /**< reset or closed after it had opened */
	ASK_BAD_TLS,  /**< no TLS, an alert, or a certificate that is wrong */
	ASK_PARTLY,   /**< of a range: some ports pass, some do not */
	ASK_LOCAL,    /**< this computer did not let it out; see `error` */
	ASK_LIMITED,  /**< an edge answers this address no more at present, and
	                   says for how long: the field wait_s (int) */
	ASK_NO_MEANS, /**< nothing there answers, and without an edge nobody
	                   can tell closed from blocked */
	ASK_ENDS,
};

struct ask_result {
	enum ask_end end;
	enum ask_layer layer;
	bool is_edge;   /**< the far end has said that it is one */
	int64_t rtt_ns; /**< first byte sent to first byte back; 0: none */
	int error;      /**< errno of what ended it; 0: none */
	bool is_dropped_here; /**< it was answered, and this computer dropped
	                           that; ASK_LOCAL. The asker finds out. */
	struct addr offender; /**< who sent the ICMP error; ADDR_NONE: nobody */
	uint8_t icmp_type, icmp_code; /**< where there is an offender */
	unsigned n_sent;              /**< datagrams or connections tried */
	struct val fields;            /**< map: what else was learned; keys are
	                                   documented at the kind of question */
	struct val evidence;          /**< map: bytes that prove it */
};

struct ask;

/** Once per question, in the loop, never inside ask_start(). The question's
 *  state is gone when it returns. @p r is borrowed, its values live in the
 *  report's arena. */
typedef void ask_done_fn(void *arg, const struct ask_result *r);

struct ask_ops {
	const char *name;    /**< [a-z-]+: "sip-options"; in the JSON */
	const char *summary; /**< one line, N_(): for --list-checks */
	size_t state_bytes;  /**< zeroed before start() */

	/** @return 0: ask_end() follows exactly once; else nothing is held */
	int (*start)(void *state, struct ask *a);

	/** Let go of everything: after ask_end(), or early. Once. */
	void (*stop)(void *state);
};

/** What a question sees; lives as long as its state. */
struct ask {
	const struct ask_target *target;
	const struct ask_conf *conf;
	struct report *report; /**< for memory only: no facts are added here */
	struct ask_result result; /**< filled by the question, then ask_end() */
};

/**
 * Put a question.
 *
 * @param ap      Out; untouched unless 0 is returned. Release: ask_free().
 * @param target  Borrowed, like @p conf, @p ops and @p report.
 *
 * @return 0, ENOMEM, or what the question's start() says
 */
WARN_UNUSED int ask_start(struct ask **ap, const struct ask_ops *ops,
                          const struct ask_target *target,
                          const struct ask_conf *conf, struct report *report,
                          ask_done_fn *done, void *arg);

/** Early or after its end; not inside the question's own callbacks but
 *  allowed in `done`. NULL is fine. */
void ask_free(struct ask *a);

/** For questions: it is over; `a->result` says how. The caller returns at
 *  once: the state is stopped, and `done` called, in a later turn. */
void ask_end(struct ask *a);

/** "answered", "silent"...; "connect", "tls"...; "udp", "wss"...: JSON. */
const char *ask_end_name(enum ask_end e);
const char *ask_layer_name(enum ask_layer l);
const char *ask_via_name(enum ask_via v);
