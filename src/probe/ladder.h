/* SPDX-License-Identifier: ISC */
/**
 * The SIP ALG ladder: which messages to send where, how often, and what
 * their fate means.
 *
 * Pure: no sockets and no clock. The first stage asks little, so that a clean
 * network costs few packets; only what looks odd earns a second stage, which
 * separates "this port is blocked" from "this message is not liked" by
 * sending the same message to the edge's twin port, where no ALG expects SIP.
 *
 * Silence is never read as an answer: a datagram is tried LADDER_TRIES times,
 * and is a drop only where what the other messages lost makes chance unlikely.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/cursor.h"
#include "sip/canary.h"
#include "wire/place.h"

enum {
	LADDER_MAX_SHOTS = 128,
	LADDER_TRIES = 6,
	LADDER_MAX_GAP_MS = 300, /**< between two tries but the first */
	LADDER_AGAIN = 3, /**< more tries of what was lost, beside its twin */
	LADDER_SOON = 3,  /**< tries of a call after which its twin follows */
	LADDER_TRIES_MAX = 15, /**< where even these may be lost by chance */
	LADDER_OPEN_MS = 3300, /**< TCP or TLS, plus round trips: two SYNs lost
	                            and sent again after 1 and 2 s fit */
	LADDER_TALK_MS = 2000, /**< the answer, once it is open, plus round
	                            trips: on a short path three
	                            retransmissions fit, on a long one two */
	LADDER_SYN_AGAIN_MS = 1000, /**< it took that long to open: a SYN was
	                                 lost */
	LADDER_FALLBACK_MS = 3000,  /**< more to talk, then */
	LADDER_NONE = -1,
};

enum ladder_what {
	LADDER_OPTIONS,
	LADDER_REGISTER,
	LADDER_INVITE,
	LADDER_MESSAGE,
	LADDER_UNKNOWN_METHOD,
	LADDER_CRLF,  /**< CRLFCRLF, the keep-alive of RFC 5626 */
	LADDER_PLAIN, /**< bytes that are not SIP */
};

#define LADDER_CALL_1 "call-1"      /**< variant: the first of many calls */
#define LADDER_NEW    "new-session" /**< variant: LADDER_FRESH */
#define LADDER_OLD    "again" /**< variant: once more, beside LADDER_NEW */

enum ladder_how {
	LADDER_SPLIT = 1 << 0,        /**< TCP: in two segments */
	LADDER_PUBLIC = 1 << 1,       /**< carries the observed address, as STUN
	                                   users do */
	LADDER_SECOND_PHONE = 1 << 2, /**< from another socket, announcing the
	                                   media port of LADDER_CALL_1 */
	LADDER_FRESH = 1 << 3,        /**< from another socket, as a session
	                                   that nobody knows yet */
	LADDER_ELSEWHERE = LADDER_SECOND_PHONE | LADDER_FRESH,
};

/** What to send where. */
struct ladder_spec {
	enum wire_transport transport;
	enum wire_role role;
	enum ladder_what what;
	unsigned flags;      /**< enum sip_canary_flag */
	size_t pad_bytes;    /**< 0: as long as it comes out */
	unsigned how;        /**< LADDER_SPLIT... */
	const char *variant; /**< JSON name of what is special; NULL: nothing */
};

enum ladder_result {
	LADDER_UNDECIDED,       /**< not sent, or still on its way */
	LADDER_CLEAN,           /**< arrived as it was sent */
	LADDER_EDITED,          /**< arrived, changed */
	LADDER_REQUEST_DROPPED, /**< lost, while its twin arrived */
	LADDER_ANSWER_DROPPED,  /**< arrived, and its answer was lost */
	LADDER_BLOCKED,         /**< nothing at all passes to this port */
	LADDER_REFUSED,         /**< ICMP error or TCP reset */
	LADDER_NO_ANSWER,       /**< lost; request or answer, nobody can tell */
	LADDER_LOSSY,           /**< lost on a line that loses so much else that
	                             chance may do that */
	LADDER_NOT_CONNECTED,   /**< its connection opened too late for it to
	                             leave, while others to the port opened */
	LADDER_UNKNOWN,         /**< answered, but not by an edge's mirror */
};

struct ladder_shot {
	struct ladder_spec spec;
	unsigned n_sent;
	unsigned n_again; /**< tries beyond LADDER_TRIES */
	int64_t first_ns, due_ns, answered_ns;
	int64_t sent_ns[LADDER_TRIES_MAX];
	int64_t open_ns; /**< TCP or TLS: 0: not yet */

	/* what came back, set by the ladder_on_*() functions */
	bool is_closed;        /**< no more tries */
	bool is_open;          /**< TCP or TLS: the message has left */
	bool is_answered;      /**< an answer of any kind arrived here */
	bool is_seen;          /**< the edge says that it arrived there */
	bool is_arrival_known; /**< by mirror or digest */
	bool is_edited;
	bool is_refused;

	enum ladder_result result; /**< set by ladder_judge() */
};

/** Ports that this run does not have; shots to them are not planned. */
enum {
	LADDER_NO_ALT = 1 << 0,
	LADDER_NO_TLS = 1 << 1,
	LADDER_NO_TWIN = 1 << 2,
	LADDER_NO_SIP = 1 << 3, /**< a provider that speaks TLS alone */
};

struct ladder {
	struct ladder_shot shots[LADDER_MAX_SHOTS];
	size_t n;
	int64_t srtt_ns; /**< smoothed, from shots sent once (Karn); 0: none */
	int64_t gap_ns;  /**< between two datagrams */
	int64_t quiet_until_ns;
	unsigned missing; /**< LADDER_NO_* bits; set before planning */
	bool has_reports; /**< the control session tells what arrived */
	bool is_refined;  /**< the second stage was planned */
	bool is_plain;    /**< the first stage has shown nothing odd */
	bool is_full;     /**< what only an office's calls or odd ones show is
	                       planned too; set before planning */
};

/** @param srtt_ns  0 where it is not known yet. */
void ladder_init(struct ladder *l, int64_t srtt_ns, bool has_reports);

/** @return index of the shot, or LADDER_NONE: there already, no room, or no
 *  such port */
int ladder_add(struct ladder *l, const struct ladder_spec *spec);

/** The shots that every run sends.
 *  @param is_src_5060  The socket's port is 5060, so a Via without a port
 *                      still names it. */
void ladder_plan_first(struct ladder *l, bool is_src_5060);

/** Shots to a SIP port by UDP that were answered, but not at once, or that
 *  were lost and have no twin to be compared with. */
size_t ladder_n_late(const struct ladder *l);

/** Of all datagrams that were sent, none has arrived or was refused. */
bool ladder_is_udp_silent(const struct ladder *l);

/** What else the run has shown; it decides whether a second stage is due. */
struct ladder_signs {
	bool is_natted; /**< the observed address is not our own */
	bool is_src_5060;
	bool is_answer_edited; /**< an answer came back changed */
	bool is_inbound_edited;
	bool is_pinhole_open;
	bool is_udp_shut; /**< nothing passes by UDP, SIP or not, to the twin
	                       port either: it has nothing more to tell */
};

/**
 * Plan what the first stage makes necessary; does so once.
 *
 * @return how many shots were added; 0: the first stage has told it all
 */
size_t ladder_plan_second(struct ladder *l, const struct ladder_signs *signs);

/**
 * Plan a few calls at once, and a second phone that takes the media port of
 * the first of them; with the second stage, where the first has shown nothing
 * odd but that media ports are refused.
 *
 * @return how many shots were added
 */
size_t ladder_plan_calls(struct ladder *l, const struct ladder_signs *signs);

/** Plan the twins of those calls that nothing has come back for yet, though
 *  they were tried more than once or twice. */
void ladder_plan_call_twins(struct ladder *l);

/**
 * What to do now.
 *
 * @param shot  Out: index to send now, or LADDER_NONE.
 *
 * @return when to ask again, monotonic ns; INT64_MAX: nothing is pending
 */
int64_t ladder_next(struct ladder *l, int *shot, int64_t now_ns);

/** The shot was sent (or its stream was started). */
void ladder_on_sent(struct ladder *l, int shot, int64_t now_ns);

/** The connection of a TCP or TLS shot is open, and the message under way. */
void ladder_on_open(struct ladder *l, int shot, int64_t now_ns);

/** Something came back for it: closes it. */
void ladder_on_answer(struct ladder *l, int shot, int64_t now_ns);

/** The edge's copy is known: is it different from what was sent? */
void ladder_on_arrival(struct ladder *l, int shot, bool is_edited);

/** The control session says that it arrived. */
void ladder_on_seen(struct ladder *l, int shot);

/** An ICMP error or a reset: closes it, unless an answer had come. */
void ladder_on_refused(struct ladder *l, int shot);

/** The stream of a TCP or TLS shot ended without an answer. */
void ladder_on_stream_end(struct ladder *l, int shot);

/** Set the result of every shot, from all that is known now. */
void ladder_judge(struct ladder *l);

/** A message to that port was answered, or is known to have arrived. */
bool ladder_passes(const struct ladder *l, enum wire_transport transport,
                   enum wire_role role);

/** @return the first shot that fits, or LADDER_NONE. @p variant as in the
 *  spec; NULL: only full messages. */
int ladder_find(const struct ladder *l, enum wire_transport transport,
                enum wire_role role, enum ladder_what what,
                const char *variant);

/** JSON names: "request-dropped", "INVITE", "sip-alt". */
const char *ladder_result_name(enum ladder_result r);
const char *ladder_what_name(enum ladder_what w);
const char *ladder_role_name(const struct ladder_spec *spec);
