/* SPDX-License-Identifier: ISC */
/** Inside edge/: what server.c, conn.c and control.c share. */
#pragma once

#include "edge/answer.h"
#include "edge/limit.h"
#include "edge/server.h"
#include "edge/session.h"
#include "wire/stream.h"

struct net_listener;
struct net_stream;
struct net_timer;
struct net_tls;
struct net_udp;

enum {
	EDGE_SOCKETS_MAX = EDGE_LISTEN_MAX * 9,
};

/** One bound port of one transport. */
struct edge_socket {
	struct edge_server *server;
	enum wire_role role;
	enum wire_transport transport;
	struct net_udp *udp;
	struct net_listener *listener;
	struct addr local; /**< as bound, maybe a wildcard */
};

enum edge_conn_kind {
	EDGE_CONN_NEW, /**< TLS, too few bytes to tell */
	EDGE_CONN_SIP,
	EDGE_CONN_STUN,
	EDGE_CONN_CONTROL,
};

/** A TCP or TLS connection. */
struct edge_conn {
	struct edge_server *server;
	struct net_stream *stream;
	enum edge_conn_kind kind;
	enum wire_role role;
	struct edge_flow flow;
	int64_t heard_ns;
	struct wr in; /**< SIP, STUN: not yet a whole message */
	bool has_tag;
	struct wire_tag tag;       /**< of the last tagged message */
	struct wire_stream frames; /**< CONTROL */
	struct wr out; /**< CONTROL: answers of this turn of the loop */
	struct edge_session *session; /**< CONTROL, once open */
	bool is_dead; /**< to be closed as soon as nobody uses it */
};

struct edge_server {
	struct edge_conf conf;
	struct edge_ports ports;
	struct edge_counts counts;
	struct net_tls *tls;
	struct edge_answerer *answerer;
	struct edge_calls *calls;
	struct edge_sessions *sessions;
	struct edge_limit *strangers; /**< answers to the unproven */
	struct edge_limit *known;     /**< answers to the proven */
	struct edge_limit *callers;   /**< new connections */
	struct edge_limit *later;     /**< SEND and SHOOT, to an address */
	struct net_timer *due;        /**< finals, sends and shots */
	struct net_timer *sweep;      /**< idle connections */
	size_t n_sockets;
	struct edge_socket sockets[EDGE_SOCKETS_MAX];
	uint64_t last_conn;
	size_t n_conns;
	struct edge_conn *conns[EDGE_CONNS_MAX];
};

/** Answer one message and remember it. */
void edge_server_handle(struct edge_server *s, struct edge_arrival *a);

/** Send along a flow. @return 0, EPIPE: it is closed, or an errno */
WARN_UNUSED int edge_server_send(struct edge_server *s,
                                 const struct edge_flow *flow,
                                 struct slice bytes);

/** Look again when something is due. */
void edge_server_rearm(struct edge_server *s);

/** For a listener: may this peer have one more connection? */
bool edge_conn_may(struct edge_server *s, const struct addr *peer);

/** Takes the stream; frees it on failure. */
void edge_conn_start(struct edge_socket *at, struct net_stream *stream);

/** NULL: it is closed. */
struct edge_conn *edge_conn_find(struct edge_server *s, uint64_t number);

/** Ends and frees it, and its session. */
void edge_conn_close(struct edge_conn *c);

/** Close those that were idle for too long, and the dead. */
void edge_conn_sweep(struct edge_server *s, int64_t mono_ns);

/** Send what the session's answers of this turn are. Sets is_dead when they
 *  cannot leave. Harmless on other connections. */
void edge_control_flush(struct edge_conn *c);

/** Bytes of a control session. Sets is_dead when it is over. */
void edge_control_data(struct edge_conn *c, struct slice bytes);

/** A planned send was done, or failed with @p err. */
void edge_control_sent(struct edge_server *s, const struct edge_job *job,
                       uint16_t from_port, int err);
