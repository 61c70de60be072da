/* SPDX-License-Identifier: ISC */
/** Inside edge/: what server.c, listen.c, conn.c, talk.c and
 * control.c share. */
#pragma once

#include "edge/answer.h"
#include "edge/limit.h"
#include "edge/server.h"
#include "edge/session.h"
#include "edge/web.h"
#include "edge/ws.h"
#include "edge/xmpp.h"
#include "wire/stream.h"

struct net_icmp;
struct net_listener;
struct net_raw;
struct net_steer;
struct net_stream;
struct net_timer;
struct net_tls;
struct net_udp;

enum {
	EDGE_ISSUER_BYTES = 256,
	EDGE_WALK_S = 5, /**< a segment that dies is sent again so long */
};

/** One bound port of one transport, or the socket of all ranges of one. */
struct edge_socket {
	struct edge_server *server;
	uint32_t number; /**< from 1 */
	unsigned speaks; /**< of a range: see edge_listen_speaks() */
	bool is_tcp;
	bool is_steered;
	struct net_udp *udp;
	struct net_listener *listener;
	struct addr local; /**< as bound, maybe a wildcard */
};

enum edge_conn_kind {
	EDGE_CONN_NEW, /**< too few bytes to tell */
	EDGE_CONN_SIP,
	EDGE_CONN_STUN,
	EDGE_CONN_CONTROL,
	EDGE_CONN_HELLO,
	EDGE_CONN_HTTP,
	EDGE_CONN_WS_SIP,
	EDGE_CONN_WS_XMPP,
	EDGE_CONN_XMPP,
	EDGE_CONN_DNS,
};

/** A TCP or TLS connection. */
struct edge_conn {
	struct edge_server *server;
	struct net_stream *stream;
	enum edge_conn_kind kind;
	unsigned speaks;
	struct edge_flow flow;
	int64_t opened_ns, heard_ns;
	int64_t began_ns; /**< the message in `in` */
	struct wr in;     /**< not yet a whole message */
	bool has_tag;
	struct wire_tag tag;       /**< of the last tagged message */
	struct wire_stream frames; /**< CONTROL */
	struct wr out; /**< CONTROL: answers of this turn of the loop */
	struct edge_session *session; /**< CONTROL, once open */
	struct edge_xmpp *xmpp;       /**< XMPP */
	struct wr message;            /**< WebSocket: its pieces so far */
	bool is_in_message;           /**< WebSocket: more pieces follow */
	bool is_dead; /**< to be closed as soon as nobody uses it */

	/** What was sent last has a small TTL, and nothing follows it. */
	struct {
		bool is_on;
		uint8_t session[WIRE_SESSION_BYTES]; /**< that asked for it */
		uint16_t shot;
		int64_t since_ns;
	} walk;
};

struct edge_server {
	struct edge_conf conf;
	struct edge_web_conf web;
	char issuer[EDGE_ISSUER_BYTES];
	struct edge_ports ports;
	struct edge_counts counts;
	struct net_tls *tls;
	struct edge_answerer *answerer;
	struct edge_calls *calls;
	struct edge_sessions *sessions;
	struct edge_limit *strangers;    /**< answers to the unproven */
	struct edge_limit *growing;      /**< those longer than the question */
	struct edge_limit *greeted;      /**< WELCOMEs to the unproven */
	struct edge_limit *known;        /**< answers to the proven */
	struct edge_limit *callers;      /**< new connections */
	struct edge_limit *visitors;     /**< the same, to ports of a range */
	struct edge_limit *told;         /**< how often they hear of these */
	struct edge_limit *later;        /**< SEND and SHOOT, to an address */
	struct net_timer *due;           /**< finals, sends and shots */
	struct net_timer *sweep;         /**< idle connections */
	struct addr at[EDGE_LISTEN_MAX]; /**< where the sockets are */
	size_t n_at;
	size_t n_sockets, cap_sockets;
	struct edge_socket **sockets;
	struct edge_service *ranges; /**< one for each address */
	size_t n_ranges;
	enum edge_range_way range_way;
	size_t n_range_ports; /**< 0: all */
	struct net_steer *steer;
	struct net_raw *raw;
	bool is_in_batch; /**< on_batch will follow */
	uint64_t last_conn;
	size_t n_conns;
	struct edge_conn *conns[EDGE_CONNS_MAX];
};

/** Open all of @p conf, or nothing. As edge_server_alloc(). */
WARN_UNUSED int edge_listen_open(struct edge_server *s, struct addr *failed,
                                 const struct edge_server_conf *conf);

/** Also after an edge_listen_open() that failed. */
void edge_listen_close(struct edge_server *s);

/** What a port understands on which a message arrived. */
unsigned edge_listen_speaks(const struct edge_socket *at,
                            const struct addr *local);

/** The UDP socket to answer with from @p flow->local; NULL: none */
struct edge_socket *edge_listen_udp(struct edge_server *s,
                                    const struct edge_flow *flow);

/** Send from any port of a range. */
WARN_UNUSED int edge_listen_send(struct edge_server *s,
                                 const struct edge_flow *flow,
                                 struct slice bytes);

/** A datagram that arrived, an ICMP error, and a connection. */
void edge_server_dgram(struct edge_socket *at, const struct addr *local,
                       const struct addr *remote, int ttl, int64_t mono_ns,
                       int64_t wall_ns, struct slice bytes);
void edge_server_icmp(struct edge_server *s, const struct net_icmp *ic);
bool edge_server_may_accept(struct edge_socket *at, const struct addr *peer);

/** What who may not is told: for how long. */
void edge_server_refuse(struct edge_socket *at, const struct addr *peer,
                        struct wr *w);

/** Answer one message and remember it. */
void edge_server_handle(struct edge_server *s, struct edge_arrival *a);

/** Send along a flow. @return 0, EPIPE: it is closed, or an errno */
WARN_UNUSED int edge_server_send(struct edge_server *s,
                                 const struct edge_flow *flow,
                                 struct slice bytes);

/** Look again when something is due. */
void edge_server_rearm(struct edge_server *s);

/** For a listener: may this peer have one more connection?
 *  @param is_visit  To a port of a range: those are counted apart */
bool edge_conn_may(struct edge_server *s, const struct addr *peer,
                   bool is_visit);

/** Takes the stream; frees it on failure. */
void edge_conn_start(struct edge_socket *at, struct net_stream *stream);

/** One message that edge_answer() understands. */
void edge_conn_handle(struct edge_conn *c, struct slice bytes);

/** Send as it is. Sets is_dead when it cannot leave. */
void edge_conn_put(struct edge_conn *c, const struct wr *w);

/** Of HTTP, WebSocket, XMPP and DNS: one piece off the front of @p in, which
 *  begins at c->in.p. @return its length; 0: wait, or dead */
size_t edge_talk_http(struct edge_conn *c, struct slice in);
size_t edge_talk_ws(struct edge_conn *c, struct slice in);
size_t edge_talk_xmpp(struct edge_conn *c, struct slice in);
size_t edge_talk_dns(struct edge_conn *c, struct slice in);

/** The TLS of STARTTLS stands. */
void edge_talk_secured(struct edge_conn *c);

/** A message of ours, as the connection frames it. */
WARN_UNUSED int edge_talk_send(struct edge_conn *c, struct slice bytes);

/** NULL: it is closed. */
struct edge_conn *edge_conn_find(struct edge_server *s, uint64_t number);

/**
 * A SEND or SHOOT over TCP: along the connection of the job's flow or, beside
 * it, along one that the same source has opened and said nothing on. A
 * connection that something was sent on with a TTL is for nothing else.
 *
 * @return 0, EPIPE: there is none, or an errno
 */
WARN_UNUSED int edge_conn_walk(struct edge_server *s,
                               const struct edge_job *job);

/** Ends and frees it, and its session. */
void edge_conn_close(struct edge_conn *c);

/** Close those that were idle for too long, and the dead. */
void edge_conn_sweep(struct edge_server *s, int64_t mono_ns);

/** Send what the session's answers of this turn are. Sets is_dead when they
 *  cannot leave. Harmless on other connections. */
void edge_control_flush(struct edge_conn *c);

/** Bytes of a control session. Sets is_dead when it is over. */
void edge_control_data(struct edge_conn *c, struct slice bytes);

/** What was sent with a TTL has died. */
void edge_control_died(struct edge_server *s,
                       const struct edge_session *session,
                       const struct wire_died *died);

/** A planned send was done, or failed with @p err. */
void edge_control_sent(struct edge_server *s, const struct edge_job *job,
                       uint16_t from_port, int err);
