/* SPDX-License-Identifier: ISC */
/**
 * What the control sessions remember: which shots arrived, their bytes, and
 * what is still to be sent.
 *
 * Pure: no sockets and no clock. Opening and planning allocate; noting an
 * arrival does not.
 */
#pragma once

#include "edge/flow.h"
#include "wire/control.h"

enum {
	EDGE_SESSIONS_MAX = 512,
	EDGE_SESSIONS_PER_SOURCE = 32,
	EDGE_SHOTS_MAX = 512, /**< a session */
	EDGE_SENDS_MAX = 128, /**< a session, ever */
	EDGE_DELAY_MAX_MS = 600 * 1000,
	EDGE_STORED_MAX_BYTES = 256 * 1024, /**< a session: copies kept */
	EDGE_QUEUED_MAX_BYTES = 128 * 1024, /**< a session: still to be sent */
	EDGE_IDLE_MS = 120 * 1000,
};

struct edge_session;
struct edge_sessions;
struct edge_shot;

/** Something that is due. Borrows: valid until the next call. */
struct edge_job {
	struct edge_session *session;
	uint16_t id;           /**< the client's */
	uint16_t shot;         /**< that names the flow */
	bool is_shoot;         /**< to another port than the flow's */
	bool is_beside;        /**< shoot: over the connection that the flow's
	                            source has to from_port */
	uint16_t from_port;    /**< shoot: a port of ours, or 0 */
	uint8_t ttl;           /**< to leave with; 0: as ever */
	struct edge_flow flow; /**< shoot: remote has the port to hit, unless
	                            is_beside */
	struct slice bytes;
};

/** The bounds above, as told to the client. */
extern const struct wire_limits edge_session_limits;

/** @return 0 or ENOMEM. Release: edge_sessions_free(). */
WARN_UNUSED int edge_sessions_alloc(struct edge_sessions **sp);

/** NULL is fine. */
void edge_sessions_free(struct edge_sessions *ss);

size_t edge_sessions_count(const struct edge_sessions *ss);

/**
 * Open a session.
 *
 * @param s      Out; untouched unless 0 is returned. Release:
 *               edge_session_close().
 * @param owner  The IP that asks
 *
 * @return 0, or
 *         EEXIST  that id is in use
 *         EDQUOT  too many sessions of this source
 *         ENOBUFS too many sessions
 *         ENOMEM
 */
WARN_UNUSED int edge_session_open(struct edge_session **s,
                                  struct edge_sessions *ss,
                                  const struct wire_open *o,
                                  const struct addr *owner, int64_t mono_ns);

/** Forgets all of it, also what was still to be sent. NULL is fine. */
void edge_session_close(struct edge_sessions *ss, struct edge_session *s);

/** NULL: no such session. */
struct edge_session *edge_session_find(const struct edge_sessions *ss,
                                       const uint8_t id[WIRE_SESSION_BYTES]);

void edge_session_id(uint8_t id[WIRE_SESSION_BYTES],
                     const struct edge_session *s);

/** The client was heard. */
void edge_session_touch(struct edge_session *s, int64_t mono_ns);

/** Silent for EDGE_IDLE_MS and nothing left to send? */
bool edge_session_is_idle(const struct edge_session *s, int64_t mono_ns);

/**
 * Keep what arrived under a shot's number: all of the first message, the
 * count of the others.
 *
 * @param proven  Its source has proved its address.
 *
 * @return the shot, or NULL: no room for another shot. The pointer is valid
 *         until the session closes.
 */
struct edge_shot *edge_session_note(struct edge_session *s, uint16_t number,
                                    const struct edge_arrival *a, bool proven);

/** Keep what was answered, if nothing was before. */
void edge_session_answered(struct edge_session *s, struct edge_shot *shot,
                           struct slice answer);

/** A router has quoted a message of the session's: may the client be told?
 *  True once for each send with a TTL; the quotes of others are not asked for,
 *  and whoever forges them gains nothing. */
bool edge_session_may_tell(struct edge_session *s);

/** All shots, in order of arrival, as pages of SEEN frames. */
void edge_session_report(struct wr *w, const struct edge_session *s);

/** Always fills @p c; it borrows from the session. */
void edge_session_fetch(struct wire_copy *c, const struct edge_session *s,
                        const struct wire_fetch *f);

/**
 * Plan a send or a shot.
 *
 * @return 0, or
 *         ENOENT  no such shot
 *         EACCES  its source has not proved its address
 *         EDQUOT  no sends left in this session
 *         EINVAL  delay too long, nothing to send, a TTL for TLS or for a
 *                 shot from a fresh port, or another connection of what did
 *                 not come over TCP
 *         ENOBUFS too many bytes waiting
 *         ENOMEM
 */
WARN_UNUSED int edge_session_send(struct edge_session *s,
                                  const struct wire_send *w, int64_t mono_ns);
WARN_UNUSED int edge_session_shoot(struct edge_session *s,
                                   const struct wire_shoot *w, int64_t mono_ns);

/** The next thing that is due; false: nothing. */
bool edge_sessions_due(struct edge_job *job, struct edge_sessions *ss,
                       int64_t mono_ns);

/** When something is due next; INT64_MAX: never. */
int64_t edge_sessions_next_ns(const struct edge_sessions *ss);
