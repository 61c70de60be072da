/* SPDX-License-Identifier: ISC */
/**
 * The sip-alg probe's state, shared by its files only:
 *
 *   alg.c        steps and timing
 *   alg_send.c   builds and sends shots
 *   alg_recv.c   takes in what comes back
 *   alg_steps.c  what comes after the ladder: inbound, pinhole, timer
 *   alg_locate.c where the box is
 *   alg_tcp.c    the same for what is lost or changed over TCP alone
 *   alg_tcp_back.c  and from the edge to here
 *   alg_state.c  where a box is that only keeps a state
 *   alg_hold.c   calls that go on while a walk asks for another, and end
 *   alg_burst.c  many requests at once
 *   alg_pairs.c  two sessions that begin at once
 *   alg_calls.c  may the registrar call from any port
 *   alg_facts.c  writes it all down
 */
#pragma once

#include "net/loop.h"
#include "net/quote.h"
#include "net/stream.h"
#include "net/tls.h"
#include "net/udp.h"
#include "probe/control.h"
#include "probe/hop_state.h"
#include "probe/ladder.h"
#include "probe/probe.h"
#include "sip/diff.h"
#include "wire/dgram.h"

/** Shot numbers on the wire; below ALG_NUM_BURST: indexes of the ladder. */
enum {
	ALG_NUM_BURST = 0x180, /**< plus ALG_BURST_ROADS * try + road */
	ALG_NUM_RUSH = 0x1f0,  /**< plus ALG_RUSH_*: a report counts them */
	ALG_NUM_AGAIN = 0x1f8, /**< what was lost, beside its walk */
	ALG_NUM_INBOUND = 0x200,
	ALG_NUM_INBOUND_TWIN = 0x201,
	ALG_NUM_PINHOLE = 0x210,
	ALG_NUM_NO_PINHOLE = 0x211, /**< to a port that was never announced */
	ALG_NUM_TIMER = 0x220,      /**< plus ALG_TIMER_* */
	ALG_NUM_TIMER_LATE = 0x230, /**< plus ALG_TIMER_*: the late answer */
	ALG_NUM_OTHER = 0x240,
	ALG_NUM_KNOCK = 0x241,
	ALG_NUM_CALLS = 0x250, /**< some dozen of alg_calls.c */
	ALG_NUM_WHERE = 0x280, /**< plus what number of question */
	ALG_NUM_PAIR = 0x380,  /**< plus ALG_PAIRS * enum alg_pair + pair */
	ALG_NUM_FREED = 0x3c0, /**< plus TTL: once a call was ended with it */
	ALG_NUM_HOP = 0x400,   /**< plus ALG_WAY_STEP * way + ttl * 4 + try */
	ALG_WAY_STEP = 0x80,
	ALG_NUM_CAUSE = 0x800,  /**< plus TTL: what brings a state about */
	ALG_NUM_EFFECT = 0x840, /**< plus TTL: what shows it */
	ALG_NUM_BACK = 0x900,   /**< plus hop * 8 + is_open * 4 + try */
	ALG_NUM_FENCE = 0x9ff,  /**< asked for, and never sent */
	ALG_NUM_END = 0xa00,
	ALG_NUM_TCP = 0xa00, /**< plus number of connection */
};

enum {
	ALG_TTL = 64, /**< what our datagrams start with */
	ALG_RTP_STEP = 4,
	ALG_TRIES = 3, /**< of what is sent through the control session */
};

#define ALG_STEP_OVER INT64_MIN

struct alg;

/** The I/O side of a ladder shot; same index. Bytes are in the report. */
struct alg_shot {
	struct slice sent;
	struct slice arrived;     /**< p NULL: not known byte by byte */
	struct slice answer;      /**< the first that came back */
	struct slice answer_sent; /**< as the edge sent it, if that differs */
	struct addr observed;     /**< source that the edge saw */
	unsigned ttl;             /**< as it arrived there; 0: unknown */
	uint16_t rtp_port;
	int64_t opened_ns; /**< TCP, TLS: how long that took; 0: it did not */
	struct addr offender; /**< who refused; ADDR_NONE: the far end */
	int error;            /**< how it was refused */
	bool wants_arrived, wants_answer; /**< to be fetched */
	bool is_call_open; /**< an INVITE that must be cancelled */
	unsigned n_acks;
	struct alg_road *road;
};

/** A TCP or TLS connection. */
struct alg_road {
	struct alg *alg;
	int shot; /**< LADDER_NONE: for the control session only */
	struct net_stream *stream;
	int64_t start_ns;
	struct wr in;     /**< received, not yet a whole message */
	int64_t split_ns; /**< when the second half leaves; 0: no half left */
	size_t split_at;
	bool is_open;
};

/** Finding the edge: the token and the control session. */
struct alg_meet {
	uint8_t nonce[WIRE_NONCE_BYTES];
	unsigned n_hellos;
	int64_t hello_ns, due_ns;
	struct alg_road *spare; /**< control port, where 5061 does not open */
	bool has_welcome, has_session, is_session_over;
	uint16_t welcome_port;
	int64_t rtt_ns;
	int session_err;
	uint16_t session_port;
	uint8_t fingerprint[NET_FINGERPRINT_BYTES];
	const char *tls_version;
};

/** Requests that the edge sends to us. */
struct alg_inbound {
	struct slice sent[2], got[2]; /**< [1]: along the twin's flow */
	struct slice reply;           /**< our answer to [0] */
	struct slice reply_arrived;   /**< p NULL: not known */
	bool is_reply_seen, is_reply_edited;
	unsigned n_tries, n_replies;
	int send_err; /**< why the edge did not send; 0: it did */
	int64_t due_ns;
};

/** What the edge sends to a port that an INVITE has announced. */
struct alg_pinhole {
	unsigned n_tries;
	uint16_t rtp_public; /**< as the edge saw it in m= */
	bool is_open;        /**< it came through */
	bool is_idle_open;   /**< so did one to a port never announced */
	bool is_settled;     /**< that one was asked for, and waited for */
	int64_t due_ns;
};

enum {
	ALG_TIMER_SIP,
	ALG_TIMER_TWIN,
	ALG_TIMER_SPARE, /**< as the twin's; nobody speaks on it again */
	ALG_TIMERS
};

struct alg_timer {
	struct net_udp *udp[ALG_TIMERS];
	bool is_ready[ALG_TIMERS], is_alive[ALG_TIMERS];
	bool is_asked, is_done;
	unsigned n_tries;
	int64_t due_ns, end_ns;
};

/** Walks at rising TTL. */
enum alg_way {
	ALG_WAY_OUT,       /**< the message that was changed or lost */
	ALG_WAY_OUT_TWIN,  /**< one that arrives */
	ALG_WAY_BACK,      /**< from the edge to here */
	ALG_WAY_BACK_TWIN, /**< the same along the twin's flow */
	ALG_WAYS
};

struct alg_walk {
	bool is_on;
	bool is_pair;            /**< out: each right after a new session */
	struct hop_walk walk;    /**< back: this computer is the last hop */
	struct ladder_spec spec; /**< out: what is sent */
	uint16_t rtp_port;
	struct slice model;    /**< back: what the edge is to send */
	unsigned model_number; /**< of the tag in it */
	int flow;              /**< back: along which shot's */
	struct slice sent[HOP_MAX + 1][HOP_TRIES + 1];
	bool is_quoted[HOP_MAX + 1][HOP_TRIES + 1]; /**< once is enough */
};

/** What a box keeps that no message shows. */
enum alg_state_kind {
	ALG_STATE_NONE,
	ALG_STATE_PINHOLE, /**< INVITEs open ports */
	ALG_STATE_BINDING, /**< other flows move the SIP port's */
	ALG_STATE_TIMER,   /**< it forgets, but not the SIP port's flows */
	ALG_STATE_ANSWER,  /**< what comes back does not arrive */
	ALG_STATE_CALLS,   /**< a REGISTER opens the phone's port */
};

enum alg_state_phase {
	ALG_STATE_CAUSE, /**< rising TTL, from here */
	ALG_STATE_BACK,  /**< from the edge */
	ALG_STATE_OVER,
};

enum {
	ALG_BESIDE = 3,     /**< other ports that an answer may come to */
	ALG_WHERES = 0x100, /**< questions for the own binding, at most */
};

struct alg_state {
	enum alg_state_kind kind;
	enum alg_state_phase phase;
	struct hop_state notes;
	unsigned ttl, n_rounds;   /**< being tried, and how often it was */
	unsigned n_sends, n_sent; /**< asked of the edge, and done */
	int64_t due_ns, end_ns, quiet_ns;
	bool is_felt;   /**< the effect of this TTL */
	bool is_fenced; /**< the edge was asked to tell all so far */
	bool is_told;   /**< and has */
	unsigned n_tries[HOP_MAX + 1];
	struct net_udp *udp[HOP_MAX + 1]; /**< that INVITEs announce */
	struct net_udp *beside[ALG_BESIDE];
	int open, shut; /**< shots along whose flows the edge sends */
	unsigned from_hop, to_hop; /**< that are asked on the way back */
	unsigned n_wanted;         /**< rounds over them */
	unsigned hole;             /**< TTL whose INVITE's port is open */

	/* where the edge sees the SIP port's flow */
	unsigned n_wheres, n_asked;
	struct slice where;
	bool is_where_known;
	struct addr told;   /**< in answer to this question */
	struct addr seen;   /**< to the one before */
	unsigned candidate; /**< TTL; 0: none yet */
	unsigned n_checks;  /**< of the candidate */
};

enum {
	ALG_TCP_HOPS_MAX = 18, /**< as many as the edge walks; its bound for
	                            connections leaves room for more */
	ALG_TCP_TRIES = 3,     /**< two with the message, and one beside them */
};

/** One message over a connection of its own, with one TTL. */
struct alg_tcp_try {
	struct alg *alg;
	struct net_stream *stream;
	unsigned ttl;
	bool is_twin, is_sent, is_over;
	struct addr local; /**< once it is sent */
	struct slice sent;
};

enum {
	ALG_TCP_BACK_HOPS = 6,
	ALG_TCP_BACK_TRIES = 3, /**< as above */
	/* with some to spare, for what does not open in time */
	ALG_TCP_BACK_PAIRS = ALG_TCP_BACK_HOPS * ALG_TCP_BACK_TRIES + 4,
	ALG_TCP_BACK_MUTES = ALG_TCP_BACK_HOPS * (ALG_TCP_BACK_TRIES - 1) + 2,
};

/**
 * Two connections from one port of ours: what is said on one ties both to the
 * session, since a NAT gives both the same address and port or neither of
 * them is used; on the other nothing is said.
 */
struct alg_tcp_pair {
	struct alg *alg;
	struct net_stream *tie, *mute; /**< mute NULL: none was wanted */
	bool is_tied, is_open;
	unsigned ttl; /**< that the edge was asked to send with; 0: none yet */
	bool is_twin; /**< along the tie */
	bool is_over; /**< something came of it, or nothing can */
};

/** From the edge to here. TTLs count from there; the last is this computer. */
struct alg_tcp_back {
	bool is_on;                       /**< pairs were opened */
	bool is_over;                     /**< and closed */
	unsigned hops[ALG_TCP_BACK_HOPS]; /**< as they count from here */
	size_t n_hops;
	struct hop_walk walk, twin;
	int64_t end_ns; /**< 0: not asked yet */
	struct alg_tcp_pair pairs[ALG_TCP_BACK_PAIRS];
};

/** Walks over TCP. */
struct alg_tcp {
	bool is_started;
	bool is_on;                /**< what it has found is wanted */
	struct net_quotes *quotes; /**< of what is changed */
	bool is_edit;              /**< it is changed, not lost: no twins */
	struct ladder_spec spec, twin_spec;
	struct hop_walk walk, twin;
	int64_t twin_ns, end_ns; /**< when the twins leave; when all is over */
	struct alg_tcp_try tries[ALG_TCP_HOPS_MAX + 1][ALG_TCP_TRIES];
	struct alg_tcp_back back;
};

struct alg_locate {
	struct alg_walk walks[ALG_WAYS];
	struct alg_tcp tcp;
	bool is_started, is_loss;
	bool is_back;          /**< only what comes from the edge is touched */
	bool is_rush;          /**< what is lost is what comes too fast */
	bool is_doubted;       /**< lost on every port: it may be by chance */
	bool is_denied;        /**< only quotes that this program may not see
	                            would tell */
	enum ladder_what what; /**< was walked with */
};

enum {
	ALG_BURST_SIP,
	ALG_BURST_TWIN,
	ALG_BURST_ROADS,
	ALG_BURST_SHOTS = 24,   /**< each way; more a second than one phone */
	ALG_BURST_LIMITED = 10, /**< so many fewer answers than the twin's */
};

/** ACKs that every run sends; two carry SDP, as the answer to an offer. */
enum {
	ALG_RUSH_TAKEN, /**< a second phone's, with the INVITE's media port */
	ALG_RUSH_MORE,  /**< more streams than most calls have */
	ALG_RUSH_PLAIN,
	ALG_RUSHES
};

/** Many requests at once: is the SIP port kept to a rate? */
struct alg_burst {
	unsigned n_sent; /**< on each road */
	bool is_answered[ALG_BURST_SHOTS][ALG_BURST_ROADS];
	unsigned n_rushed;     /**< ACKs that have left, of ALG_RUSH_* */
	bool is_rush_reported; /**< the edge has said which have arrived */
	bool is_rush_seen[ALG_RUSHES];
	int64_t due_ns;
	bool is_done;
};

/** Calls that are begun again, because others are lost for them. */
struct alg_hold {
	bool is_on;
	bool is_ended;           /**< so are those of the ladder */
	bool is_ready;           /**< all that can be held is */
	bool has_passed;         /**< what was lost came through, or might */
	struct ladder_spec spec; /**< of what was lost */
	uint16_t rtp_port;
	unsigned n_calls, n_tries;
	size_t n_held;    /**< calls that were answered */
	int64_t begun_ns; /**< not before that */
	int64_t due_ns;

	/* then: the edge ends them, with rising TTL, until it passes */
	enum {
		ALG_HOLD_WALK,
		ALG_HOLD_END,
		ALG_HOLD_OVER
	} phase;
	int call;               /**< that is ended */
	unsigned from_ttl, ttl; /**< first of the edge's, and being tried */
	unsigned to_ttl;        /**< last */
	bool is_begun;          /**< this TTL was asked of the edge */
	unsigned n_left;        /**< what has left there */
	unsigned n_asks;        /**< INVITEs sent since */
	int64_t end_ns;         /**< for all TTLs */
	unsigned effect; /**< the smallest with which it passed; 0: none */
};

/** What is sent when it is asked whether two sessions may begin at once. */
enum alg_pair {
	ALG_PAIR_FIRST,
	ALG_PAIR_SECOND,
	ALG_PAIR_ALONE,
	ALG_PAIR_KNOWN, /**< second of a pair of sessions that had begun */
	ALG_PAIR_KINDS
};

enum {
	ALG_PAIRS = 8, /**< of each kind */
	ALG_HINTS = 3,
	ALG_PAIRS_HOPS = 16, /**< that are walked at most */
	ALG_PAIRS_WALK = ALG_PAIRS_HOPS * (HOP_TRIES + 1),
};

struct alg_pairs {
	struct net_udp *udp[ALG_PAIR_KNOWN * ALG_PAIRS];
	bool is_answered[ALG_PAIR_KINDS][ALG_PAIRS];
	bool is_tight[ALG_PAIRS]; /**< it left at once indeed */
	struct net_udp
		*hints[ALG_HINTS]; /**< each right after another session */
	bool is_hint_answered[ALG_HINTS], is_begun;
	unsigned n_hints;
	unsigned n_turns;
	int64_t due_ns;
	bool is_done;
	struct net_udp *walk[ALG_PAIRS_WALK]; /**< of seconds, at rising TTL */
	unsigned n_walked;
};

/** Phones of our own, none of which the edge knows. */
enum {
	ALG_PHONE_IN,   /**< is registered */
	ALG_PHONE_OUT,  /**< never is */
	ALG_PHONE_WALK, /**< only in a walk */
	ALG_PHONES
};

enum alg_calls_phase {
	ALG_CALLS_GREET,
	ALG_CALLS_BEFORE,
	ALG_CALLS_REGISTER,
	ALG_CALLS_AFTER,
	ALG_CALLS_OVER,
};

/** Does a box let the registrar call from any port? */
struct alg_calls {
	bool is_hinted; /**< a knock came to a registered port */
	struct net_udp *udp[ALG_PHONES];
	struct addr seen[ALG_PHONES]; /**< port 0: not yet */
	enum alg_calls_phase phase;
	unsigned n_tries;
	int64_t due_ns;
	bool is_again[ALG_PHONES]; /**< has spoken once more */
	bool has_moved;            /**< the edge saw it elsewhere, then */
	bool is_done;              /**< all that comes had time to */
	unsigned n_before[ALG_PHONES], n_after[ALG_PHONES]; /**< knocks */
};

struct alg {
	const struct probe_run *run;
	struct report *r;
	const struct probe_ports *ports;
	uint8_t session[WIRE_SESSION_BYTES];
	struct wire_token token;
	bool has_token;
	struct addr local;    /**< of the UDP socket */
	struct addr observed; /**< ADDR_NONE: not known */
	int ttl_in;           /**< of what the edge sends; 0: not known */
	struct net_udp *udp, *rtp, *rtp_idle;
	struct net_udp *second; /**< a second phone's */
	uint16_t rtp_base;
	struct net_tls *tls;
	struct net_timer *timer;
	struct control *control;
	struct ladder ladder;
	struct alg_shot shots[LADDER_MAX_SHOTS];

	size_t step;
	bool is_entered;   /**< the step has begun */
	int64_t end_ns;    /**< the step's limit */
	unsigned n_waited; /**< answers of the control session still due */
	struct alg_meet meet;
	struct alg_pinhole pinhole;
	struct alg_inbound inbound;
	struct alg_burst burst;
	struct alg_locate locate;
	struct alg_state state;
	struct alg_hold hold;
	struct alg_pairs pairs;
	struct alg_calls calls;
	struct alg_timer idle;
	uint64_t n_datagrams, n_bytes;
	bool is_over;    /**< probe_done() was called */
	bool is_hung_up; /**< the calls of the ladder were ended */
	unsigned n_cancels;
	int err; /**< no memory, no socket: ends the probe */
};

/* alg.c */

/** Look at the steps again, from the loop. */
void alg_kick(struct alg *a);

/** The edge is there, and no datagram has come through to or from it. */
bool alg_is_udp_shut(const struct alg *a);

/** How long an answer of the edge may take now. */
int64_t alg_patience_ns(const struct alg *a);

/* alg_send.c */

struct addr alg_edge(const struct alg *a, uint16_t port);
uint16_t alg_port(const struct alg *a, const struct ladder_spec *sp);
struct addr alg_udp_target(const struct alg *a, const struct ladder_spec *sp);

/** From where a UDP message leaves, and the address that it carries. */
struct net_udp *alg_socket(const struct alg *a, const struct ladder_spec *sp);
struct addr alg_source(const struct alg *a, const struct ladder_spec *sp);

/** The text of the tag with this number. */
struct slice alg_tag(const struct alg *a, unsigned number,
                     char buf[WIRE_TAG_CHARS]);

/** The message of a spec. @p out is in the report. @return 0 or errno */
WARN_UNUSED int alg_build(struct slice *out, struct alg *a,
                          const struct ladder_spec *sp, unsigned number,
                          const struct addr *local, uint16_t rtp_port);

/** The same message as the edge would send it, along the flow of a shot that
 *  it has seen. */
WARN_UNUSED int alg_build_back(struct slice *out, struct alg *a,
                               const struct ladder_spec *sp, unsigned number,
                               int shot);

/** Send or resend a shot of the ladder. */
void alg_send_shot(struct alg *a, int i, int64_t now_ns);

/** Best effort: what the network says comes by ICMP or not at all. */
void alg_send_udp(struct alg *a, struct net_udp *u, const struct addr *to,
                  int ttl, struct slice bytes);

/** Of the INVITE with this number. */
void alg_send_cancel(struct alg *a, const struct ladder_spec *sp,
                     unsigned number, int ttl);

void alg_send_hello(struct alg *a, uint16_t port);

/** Begin a flow from another socket, as a call's voice does; nobody answers.
 */
void alg_send_other(struct alg *a);

/** Connect. @p shot LADDER_NONE: for the control session alone. */
WARN_UNUSED int alg_road_open(struct alg_road **rp, struct alg *a, int shot,
                              uint16_t port, bool is_tls);
void alg_road_free(struct alg_road *road);

/** Send the second half of a split message when its time has come. @return
 *  when that is, or INT64_MAX */
int64_t alg_road_split(struct alg_road *road, int64_t now_ns);

/* alg_recv.c */

extern const struct net_udp_ops alg_udp_ops, alg_rtp_ops, alg_idle_ops;
extern const struct net_stream_ops alg_road_ops;
extern const struct control_ops alg_control_ops;

/* steps: @return when to be called again, or ALG_STEP_OVER */

int64_t alg_step_call_back(struct alg *a, int64_t now_ns);
int64_t alg_step_settle(struct alg *a, int64_t now_ns);
int64_t alg_step_burst(struct alg *a, int64_t now_ns);
int64_t alg_step_hang_up(struct alg *a, int64_t now_ns);
/** The same, for calls that were left to a walk. */
int64_t alg_step_let_go(struct alg *a, int64_t now_ns);
int64_t alg_step_timer(struct alg *a, int64_t now_ns);

/** The announced port is open, and an idle one stays shut. */
bool alg_is_pinhole_open(const struct alg *a);

/* alg_locate.c */

int64_t alg_step_locate(struct alg *a, int64_t now_ns);
/** The same for what alg_step_pairs() has found. */
int64_t alg_step_locate_pairs(struct alg *a, int64_t now_ns);
/** And for alg_step_timer(). */
int64_t alg_step_locate_timer(struct alg *a, int64_t now_ns);

/** A walk will ask for a message that is lost for calls which go on. */
bool alg_locate_wants_calls(const struct alg *a);

/** Routers on the way there; 0: not known. */
unsigned alg_locate_hops(const struct alg *a);
/** The edge can send with a TTL, and its way has as many routers. */
bool alg_locate_may_walk_back(const struct alg *a);
/** A shot along whose flow the edge sends to the twin, or LADDER_NONE. */
int alg_locate_twin_flow(const struct alg *a);

/** A message of a walk was quoted by a router, or has arrived here. */
void alg_locate_take(struct alg *a, unsigned number,
                     const struct addr *offender, struct slice quote);
/** A quote was too short to tell of what. */
void alg_locate_take_short(struct alg *a, const struct addr *offender);

struct hop_place alg_locate_place(const struct alg *a);
/** ADDR_NONE: it answered nothing. */
struct addr alg_locate_name(const struct alg *a, unsigned hop);

/* alg_tcp.c */

/** While a ladder waits for an answer over TCP: begin beside it, for that
 *  wait is long. @return when to be called again, or INT64_MAX */
int64_t alg_tcp_watch(struct alg *a, int64_t now_ns);
/** All that the ladder still waits for are answers over TCP, for so long that
 *  they will hardly come: what is sent next need not wait for them. */
bool alg_tcp_is_mute(const struct alg *a, int64_t now_ns);
/** Is there a port where connections open, and what is said over them is lost?
 *  Then begin to look. */
bool alg_tcp_begin(struct alg *a, int64_t now_ns);
/**
 * Look where a message is changed.
 *
 * @param edit_at  As of hop_walk_init(), in a message of the walk
 *
 * @return 0, EPERM: quotes may not be seen, or ENOMEM...
 */
WARN_UNUSED int alg_tcp_begin_edit(struct alg *a, const struct ladder_spec *sp,
                                   size_t edit_at, int64_t now_ns);
/** A segment was quoted, maybe one of ours. Without text, as an
 *  acknowledgement is, it only names the hop. */
void alg_tcp_take_quote(struct alg *a, const struct net_quote *q);
/** @return when to be called again; INT64_MAX: it is over */
int64_t alg_tcp_next(struct alg *a, int64_t now_ns);
/** Judge a loss; a hop that answered once, and not as often as it was asked,
 *  may have heard it and may have been slow to say so: it widens the place. */
struct hop_place alg_tcp_lost(const struct hop_walk *w,
                              const struct hop_walk *twin);
struct hop_place alg_tcp_place(const struct alg *a);
void alg_tcp_close(struct alg *a);

/* alg_tcp_back.c */

/** Which hops to ask about a box that the way there has placed: those next to
 *  it, and this computer. @return how many of @p hops */
size_t alg_tcp_back_hops(unsigned hops[ALG_TCP_BACK_HOPS],
                         const struct hop_place *there, unsigned n_hops);

/** Open connections that the edge can send along, while others walk. */
void alg_tcp_back_open(struct alg *a, int64_t now_ns);
/** Ask the edge. @p there  as the way there has placed it
 *  @return when to be called again; INT64_MAX: it is over */
int64_t alg_tcp_back_next(struct alg *a, const struct hop_place *there,
                          int64_t now_ns);
/** What was sent under this number, from ALG_NUM_TCP on, has died; or could
 *  not be sent. */
void alg_tcp_back_died(struct alg *a, unsigned number);
void alg_tcp_back_failed(struct alg *a, unsigned number);
/** By the hops as they count from here. */
struct hop_place alg_tcp_back_place(const struct alg *a);
/** Into a fact's evidence. */
void alg_tcp_back_put(struct alg *a, struct fact *f);
void alg_tcp_back_close(struct alg *a);

/* alg_state.c */

/** Is there a state whose box no message can show? Then begin to look. */
bool alg_state_begin(struct alg *a, int64_t now_ns);
bool alg_state_begin_timer(struct alg *a, int64_t now_ns);
/** @return when to be called again; INT64_MAX: it is over */
int64_t alg_state_next(struct alg *a, int64_t now_ns);

/** Something numbered ALG_NUM_CAUSE to ALG_NUM_END came: here (@p offender
 *  NULL), or to a router that says so. */
void alg_state_take(struct alg *a, unsigned number,
                    const struct addr *offender);
/** The edge has sent it, or could not. */
void alg_state_take_sent(struct alg *a, unsigned number, int err);
/** The edge has told all that came before ALG_NUM_FENCE. */
void alg_state_take_fence(struct alg *a);
/** The edge has seen a question numbered from ALG_NUM_WHERE on. */
void alg_state_take_where(struct alg *a, unsigned number,
                          const struct addr *source);

/** "state", "drop" or "other-port" */
const char *alg_state_basis(const struct alg *a);
/** Members of a fact's evidence. */
void alg_state_put(struct alg *a, struct fact *f);
void alg_state_close(struct alg *a);

/* alg_hold.c */

/** Is a message of this kind lost for what others have brought about? */
bool alg_hold_is_due(const struct ladder_spec *sp);
void alg_hold_begin(struct alg *a, int shot, int64_t now_ns);
/** @return whether a walk may begin, or go on; else @p next_ns is when to ask
 *  again */
bool alg_hold_is_ready(struct alg *a, int64_t now_ns, int64_t *next_ns);
/** Beside the walk. @return when to be called again; INT64_MAX: it is over */
int64_t alg_hold_next(struct alg *a, int64_t now_ns);
/** After the walk. @return as alg_hold_next() */
int64_t alg_hold_end_next(struct alg *a, int64_t now_ns);
/** What the edge was asked to end a call with has left, or could not. */
void alg_hold_take_sent(struct alg *a, unsigned number, int err);
/** An INVITE numbered from ALG_NUM_FREED on has passed. */
void alg_hold_take_freed(struct alg *a, unsigned number);
/** What that says of the box, by the hops as they count from here. */
struct hop_place alg_hold_place(const struct alg *a);
/** Into a fact's evidence. */
void alg_hold_put(struct alg *a, struct fact *f);

/* alg_burst.c */

/** Where requests of a burst go: OPTIONS to ALG_BURST_*. */
struct ladder_spec alg_burst_spec(unsigned road);
unsigned alg_burst_answers(const struct alg *a, unsigned road);
/** Answers are missing on the SIP port that the twin has brought. */
bool alg_burst_is_limited(const struct alg *a);
void alg_burst_take(struct alg *a, unsigned number);

/** Send what makes the first second of a run as busy as an office's, and lets
 *  it announce as many media ports: a hint for a burst, or for more calls, that
 *  costs a clean network one packet for each request. */
void alg_burst_rush(struct alg *a);
/** What announces media ports has not arrived. */
bool alg_burst_is_media_lost(const struct alg *a);
/** End what they have announced. */
void alg_burst_hang_up(struct alg *a);
/** Use up what a limit of rate lets through. */
void alg_burst_fill(struct alg *a);

/* alg_pairs.c */

/** alg_send_other(), and a session right after it. */
void alg_pairs_begin(struct alg *a, int64_t now_ns);
int64_t alg_step_pairs(struct alg *a, int64_t now_ns);
/** @return whether it was about that */
bool alg_pairs_take(struct alg *a, unsigned number);
/** The second of two sessions that begin at once does not arrive. */
bool alg_pairs_is_second_lost(const struct alg *a);
extern const struct ladder_spec alg_pairs_spec;
/** Send the second of a pair with this TTL, under a walk's number. @p sent Out:
 *  what that was; left alone where it did not leave at once */
void alg_pairs_walk(struct alg *a, unsigned number, unsigned ttl,
                    struct slice *sent);
void alg_pairs_fact(struct alg *a);
void alg_pairs_close(struct alg *a);

/* alg_calls.c */

/** With what else the edge is asked for: knock at a registered port. */
void alg_calls_hint(struct alg *a);
int64_t alg_step_calls(struct alg *a, int64_t now_ns);
bool alg_calls_is_open(const struct alg *a);
/** @return whether it was about that */
bool alg_calls_take_answer(struct alg *a, unsigned number,
                           const struct sip_msg *m);
bool alg_calls_take_knock(struct alg *a, unsigned number);
/** From ALG_PHONE_WALK, and what the edge answers to it. */
void alg_calls_register(struct alg *a, unsigned number, unsigned ttl);
WARN_UNUSED int alg_calls_put_answer(struct wr *w, struct alg *a,
                                     unsigned number);
void alg_calls_fact(struct alg *a);
void alg_calls_close(struct alg *a);

/* alg_facts.c */

/** Did answers or inbound requests change on the way? */
bool alg_is_answer_edited(const struct alg_shot *s);
bool alg_is_inbound_edited(const struct alg *a);

void alg_facts(struct alg *a);
