/* SPDX-License-Identifier: ISC */
/*
 * Design: a session is one block of memory, made when it is opened over TLS
 * and freed whole; a datagram that carries its tag only fills in a record of
 * it. Ids and shots are searched linearly: a few hundred entries of some
 * bytes, in order, cost less than a miss of the cache, and cannot be made to
 * collide. The first message under a number is the one that counts, since a
 * retransmission says nothing new.
 */
#include "edge/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

struct edge_shot {
	struct wire_seen seen;
	struct edge_flow flow;        /* of the first message that was proven */
	size_t request_at, answer_at; /* in the store */
	bool has_answer_copy;
};

struct job {
	struct job *next; /* by time */
	int64_t due_ns;
	struct edge_job what;
	uint8_t bytes[];
};

struct edge_session {
	uint8_t id[WIRE_SESSION_BYTES];
	struct addr owner;
	int64_t heard_ns;
	size_t n_shots, n_sends, n_stored_bytes, n_queued_bytes;
	size_t n_tellable; /* sends with a TTL, less the quotes told of */
	struct job *jobs;
	struct edge_shot shots[EDGE_SHOTS_MAX + 1]; /* the last: never used */
	uint8_t store[EDGE_STORED_MAX_BYTES];
};

struct edge_sessions {
	size_t n;
	struct edge_session *at[EDGE_SESSIONS_MAX];
	struct job *done; /* handed out by edge_sessions_due() */
};

const struct wire_limits edge_session_limits = {
	.shots = EDGE_SHOTS_MAX,
	.sends = EDGE_SENDS_MAX,
	.delay_ms = EDGE_DELAY_MAX_MS,
	.stored_bytes = EDGE_STORED_MAX_BYTES,
	.idle_ms = EDGE_IDLE_MS,
};

int edge_sessions_alloc(struct edge_sessions **sp)
{
	struct edge_sessions *ss = calloc(1, sizeof(*ss));

	if (!ss)
		return ENOMEM;
	*sp = ss;
	return 0;
}

static void free_session(struct edge_session *s)
{
	while (s->jobs) {
		struct job *j = s->jobs;

		s->jobs = j->next;
		free(j);
	}
	free(s);
}

void edge_sessions_free(struct edge_sessions *ss)
{
	if (!ss)
		return;
	while (ss->n > 0)
		free_session(ss->at[--ss->n]);
	free(ss->done);
	free(ss);
}

size_t edge_sessions_count(const struct edge_sessions *ss)
{
	return ss->n;
}

int edge_session_open(struct edge_session **sp, struct edge_sessions *ss,
                      const struct wire_open *o, const struct addr *owner,
                      int64_t mono_ns)
{
	struct edge_session *s;
	size_t n_same = 0;

	if (edge_session_find(ss, o->session))
		return EEXIST;
	for (size_t i = 0; i < ss->n; i++)
		n_same += addr_is_same_source(&ss->at[i]->owner, owner);
	if (n_same >= EDGE_SESSIONS_PER_SOURCE)
		return EDQUOT;
	if (ss->n == EDGE_SESSIONS_MAX)
		return ENOBUFS;

	s = calloc(1, sizeof(*s));
	if (!s)
		return ENOMEM;
	memcpy(s->id, o->session, sizeof(s->id));
	s->owner = *owner;
	s->heard_ns = mono_ns;
	ss->at[ss->n++] = s;
	*sp = s;
	return 0;
}

void edge_session_close(struct edge_sessions *ss, struct edge_session *s)
{
	for (size_t i = 0; s && i < ss->n; i++) {
		if (ss->at[i] != s)
			continue;
		ss->at[i] = ss->at[--ss->n];
		free_session(s);
		return;
	}
}

struct edge_session *edge_session_find(const struct edge_sessions *ss,
                                       const uint8_t id[WIRE_SESSION_BYTES])
{
	for (size_t i = 0; i < ss->n; i++) {
		if (memcmp(ss->at[i]->id, id, WIRE_SESSION_BYTES) == 0)
			return ss->at[i];
	}
	return NULL;
}

void edge_session_id(uint8_t id[WIRE_SESSION_BYTES],
                     const struct edge_session *s)
{
	memcpy(id, s->id, WIRE_SESSION_BYTES);
}

void edge_session_touch(struct edge_session *s, int64_t mono_ns)
{
	s->heard_ns = mono_ns;
}

bool edge_session_is_idle(const struct edge_session *s, int64_t mono_ns)
{
	return !s->jobs && mono_ns - s->heard_ns >= EDGE_IDLE_MS * NS_PER_MS;
}

/* n_shots: there is none. */
static size_t find_shot(const struct edge_session *s, uint16_t shot)
{
	size_t i = 0;

	while (i < s->n_shots && s->shots[i].seen.shot != shot)
		i++;
	return i;
}

static bool store(struct edge_session *s, size_t *at, struct slice bytes)
{
	if (bytes.n > sizeof(s->store) - s->n_stored_bytes)
		return false;
	if (bytes.n)
		memcpy(s->store + s->n_stored_bytes, bytes.p, bytes.n);
	*at = s->n_stored_bytes;
	s->n_stored_bytes += bytes.n;
	return true;
}

static struct edge_shot *first_message(struct edge_session *s, uint16_t number,
                                       const struct edge_arrival *a)
{
	struct edge_shot *shot;

	if (s->n_shots == EDGE_SHOTS_MAX)
		return NULL;
	shot = &s->shots[s->n_shots++];
	shot->flow = a->flow;
	shot->seen = (struct wire_seen){
		.shot = number,
		.transport = a->flow.transport,
		.local_port = a->flow.local.port,
		.source = a->flow.remote,
		.ttl = a->ttl,
		.first_wall_ns = a->wall_ns,
		.n_bytes = (uint32_t)a->bytes.n,
	};
	wire_sha256(shot->seen.sha256, a->bytes);
	if (store(s, &shot->request_at, a->bytes))
		shot->seen.flags |= WIRE_SEEN_STORED;
	return shot;
}

struct edge_shot *edge_session_note(struct edge_session *s, uint16_t number,
                                    const struct edge_arrival *a, bool proven)
{
	size_t at = find_shot(s, number);
	struct edge_shot *shot;

	if (at < s->n_shots)
		shot = &s->shots[at];
	else
		shot = first_message(s, number, a);
	if (!shot)
		return NULL;
	if (shot->seen.n_msgs < UINT32_MAX)
		shot->seen.n_msgs++;
	if (proven && !(shot->seen.flags & WIRE_SEEN_PROVEN)) {
		shot->seen.flags |= WIRE_SEEN_PROVEN;
		shot->flow = a->flow;
	}
	return shot;
}

void edge_session_answered(struct edge_session *s, struct edge_shot *shot,
                           struct slice answer)
{
	if (shot->seen.answer_bytes || !answer.n)
		return;
	shot->seen.answer_bytes = (uint32_t)answer.n;
	wire_sha256(shot->seen.answer_sha256, answer);
	shot->has_answer_copy = store(s, &shot->answer_at, answer);
}

bool edge_session_may_tell(struct edge_session *s)
{
	if (!s->n_tellable)
		return false;
	s->n_tellable--;
	return true;
}

void edge_session_report(struct wr *w, const struct edge_session *s)
{
	struct wire_seen page[WIRE_SEEN_PAGE];
	size_t at = 0;

	do {
		size_t n = 0;

		while (n < WIRE_SEEN_PAGE && at < s->n_shots)
			page[n++] = s->shots[at++].seen;
		wire_seen_put(w, page, n, at < s->n_shots);
	} while (at < s->n_shots);
}

void edge_session_fetch(struct wire_copy *c, const struct edge_session *s,
                        const struct wire_fetch *f)
{
	size_t at = find_shot(s, f->shot);
	const struct edge_shot *shot = &s->shots[at];
	bool is_request = f->which == WIRE_REQUEST;
	bool is_kept = is_request ? shot->seen.flags & WIRE_SEEN_STORED
	                          : shot->has_answer_copy;

	*c = (struct wire_copy){.shot = f->shot, .which = f->which};
	if (at == s->n_shots || (!is_request && !shot->seen.answer_bytes))
		c->err = ENOENT;
	else if (!is_kept)
		c->err = EMSGSIZE;
	else if (is_request)
		c->bytes = (struct slice){s->store + shot->request_at,
		                          shot->seen.n_bytes};
	else
		c->bytes = (struct slice){s->store + shot->answer_at,
		                          shot->seen.answer_bytes};
}

static void insert(struct edge_session *s, struct job *j)
{
	struct job **at = &s->jobs;

	while (*at && (*at)->due_ns <= j->due_ns)
		at = &(*at)->next;
	j->next = *at;
	*at = j;
}

static bool is_sendable(const struct edge_job *what,
                        const struct edge_shot *shot)
{
	enum wire_transport transport = shot->flow.transport;

	if (!what->bytes.n || (what->is_beside && transport != WIRE_TCP))
		return false;
	if (!what->ttl)
		return true;
	return what->is_shoot ? what->from_port : transport != WIRE_TLS;
}

static int plan(struct edge_session *s, const struct edge_job *what,
                uint32_t delay_ms, int64_t mono_ns)
{
	size_t at = find_shot(s, what->shot);
	const struct edge_shot *shot = &s->shots[at];
	struct slice bytes = what->bytes;
	struct job *j;

	if (at == s->n_shots)
		return ENOENT;
	if (!(shot->seen.flags & WIRE_SEEN_PROVEN))
		return EACCES;
	if (s->n_sends == EDGE_SENDS_MAX)
		return EDQUOT;
	if (delay_ms > EDGE_DELAY_MAX_MS || !is_sendable(what, shot))
		return EINVAL;
	if (bytes.n > EDGE_QUEUED_MAX_BYTES - s->n_queued_bytes)
		return ENOBUFS;

	j = malloc(sizeof(*j) + bytes.n);
	if (!j)
		return ENOMEM;
	memcpy(j->bytes, bytes.p, bytes.n);
	j->due_ns = mono_ns + delay_ms * NS_PER_MS;
	j->what = *what;
	j->what.session = s;
	j->what.bytes = (struct slice){j->bytes, bytes.n};
	j->what.flow = shot->flow;
	if (what->is_shoot && !what->is_beside)
		j->what.flow.remote.port = what->flow.remote.port;
	insert(s, j);
	s->n_sends++;
	s->n_tellable += what->ttl > 0;
	s->n_queued_bytes += bytes.n;
	return 0;
}

int edge_session_send(struct edge_session *s, const struct wire_send *w,
                      int64_t mono_ns)
{
	struct edge_job what = {
		.id = w->id,
		.shot = w->shot,
		.ttl = w->ttl,
		.bytes = w->bytes,
	};

	return plan(s, &what, w->delay_ms, mono_ns);
}

int edge_session_shoot(struct edge_session *s, const struct wire_shoot *w,
                       int64_t mono_ns)
{
	struct edge_job what = {
		.id = w->id,
		.shot = w->shot,
		.is_shoot = true,
		.is_beside = w->to_port == 0,
		.from_port = w->from_port,
		.ttl = w->ttl,
		.flow = {.remote = {.port = w->to_port}},
		.bytes = w->bytes,
	};

	return plan(s, &what, w->delay_ms, mono_ns);
}

bool edge_sessions_due(struct edge_job *job, struct edge_sessions *ss,
                       int64_t mono_ns)
{
	struct edge_session *first = NULL;

	free(ss->done);
	ss->done = NULL;
	for (size_t i = 0; i < ss->n; i++) {
		struct edge_session *s = ss->at[i];

		if (s->jobs && s->jobs->due_ns <= mono_ns &&
		    (!first || s->jobs->due_ns < first->jobs->due_ns))
			first = s;
	}
	if (!first)
		return false;
	ss->done = first->jobs;
	first->jobs = ss->done->next;
	first->n_queued_bytes -= ss->done->what.bytes.n;
	*job = ss->done->what;
	return true;
}

int64_t edge_sessions_next_ns(const struct edge_sessions *ss)
{
	int64_t next_ns = INT64_MAX;

	for (size_t i = 0; i < ss->n; i++) {
		const struct job *j = ss->at[i]->jobs;

		if (j && j->due_ns < next_ns)
			next_ns = j->due_ns;
	}
	return next_ns;
}
