/* SPDX-License-Identifier: ISC */
/**
 * The facts of the SIP ALG probe, read into a table.
 *
 * Borrows from the report, in whose arena it lives.
 */
#pragma once

#include "fact/fact.h"

enum shot_result {
	SHOT_UNKNOWN, /**< also: a result that is not known here */
	SHOT_CLEAN,
	SHOT_EDITED,
	SHOT_REQUEST_DROPPED,
	SHOT_ANSWER_DROPPED,
	SHOT_BLOCKED,
	SHOT_NO_ANSWER,
	SHOT_REFUSED,
	SHOT_SKIPPED,
	SHOT_PINHOLE,  /**< alg.pinhole: open */
	SHOT_ADMITTED, /**< alg.pinhole: open-to-registrar */
	SHOT_TIMER,    /**< alg.timer: longer-on-sip */
	SHOT_MOVED,    /**< alg.binding: moved */
	SHOT_TWINS,    /**< path.twins: second-lost */
};

enum shot_role {
	ROLE_OTHER,
	ROLE_SIP, /**< the port that the profile's phones use */
	ROLE_SIP_ALT,
	ROLE_TLS,
	ROLE_CONTROL, /**< no SIP port: what passes everywhere else */
};

enum edit_kind {
	EDIT_NONE,
	EDIT_COSMETIC,
	EDIT_REWRITE,
	EDIT_PROXY, /**< what a SIP proxy does on purpose */
	EDIT_CORRUPTION,
};

/** One message, or one of the questions without a ladder. */
struct shot {
	const struct fact *fact;
	enum shot_result result;
	enum shot_role role;
	bool is_sip;            /**< not a keep-alive or plain bytes */
	bool is_reflection;     /**< alg.via-reflection */
	bool is_inbound;        /**< request or answer towards the phone */
	struct slice transport; /**< "udp", "tcp", "tls" */
	int64_t port;
	struct slice method;
	struct slice variant; /**< empty: none */
	bool is_new_session;  /**< from a port that nobody knew before */
	bool is_again; /**< once more, beside that; `variant` is empty, too */
	const struct val *edits; /**< list; NULL: none */
};

struct ladder {
	const struct shot *shots;
	size_t n;
	const struct fact *location; /**< NULL: not known */
	int64_t hops_to_edge;        /**< 0: not known */
	const struct fact *control;  /**< edge.control; NULL: not asked */
	const struct fact *hello;    /**< edge.hello; NULL: not asked */
};

/** @return 0, or ENOMEM: @p l is untouched */
WARN_UNUSED int ladder_read(struct ladder *l, struct report *r);

/** A port that a phone could be set to: sip, sip-alt, tls. */
bool shot_is_phone_port(const struct shot *s);

/** The message reached the other side. */
bool shot_has_passed(const struct shot *s);

/** The message was lost or refused: not unknown, not skipped. */
bool shot_is_lost(const struct shot *s);

/** Phones do without such a message: losing it harms no call. */
bool shot_is_rare(const struct shot *s);

bool shot_same_channel(const struct shot *a, const struct shot *b);

/** The worst kind among its edits. */
enum edit_kind shot_edit_kind(const struct shot *s);

enum edit_kind edit_kind_of(const struct val *edit);

typedef bool shot_fn(const struct ladder *l, const struct shot *s);

/** A message over TCP is among those shown, and the location is of one. */
bool ladder_is_followed(const struct ladder *l, shot_fn *is_shown);

/** Something went to the channel of @p s, and nothing passed. */
bool ladder_is_shut(const struct ladder *l, const struct shot *s);

/** A SIP message passed unchanged on the channel of @p s, and nothing was
 *  changed or lost. Keep-alives prove nothing about SIP. */
bool ladder_is_clean(const struct ladder *l, const struct shot *s);

/** A message alike passed to the control port. */
bool ladder_has_twin(const struct ladder *l, const struct shot *s);

/** A message alike passed to the control port, and its answer came back. */
bool ladder_has_answered_twin(const struct ladder *l, const struct shot *s);

/** The first shot on a clean channel of that role and transport, or NULL. */
const struct shot *ladder_clean(const struct ladder *l, enum shot_role role,
                                const char *transport);

/** @p s is the first of its channel in the table. */
bool ladder_is_first(const struct ladder *l, const struct shot *s);

/** @p is_shown picks a shot. @p is_on_sip is set where one of them is a
 *  message on the profile's main SIP port that phones do send. */
bool ladder_is_seen(const struct ladder *l, shot_fn *is_shown, bool *is_on_sip);
