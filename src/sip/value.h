/* SPDX-License-Identifier: ISC */
/**
 * The parts of header values (RFC 3261, sections 7.3 and 19.1): lists,
 * parameters, Via, URIs.
 *
 * Pure codec, tolerant like sip/msg.h; all slices borrow from the input.
 * Fuzzed by fuzz/fuzz_sip_msg.c.
 */
#pragma once

#include "base/addr.h"
#include "sip/msg.h"

/** The value on one line: each fold becomes one SP (section 7.3.1). */
void sip_value_unfold(struct wr *w, struct slice value);

/**
 * Take the next item of a comma list; commas inside quotes and angle
 * brackets do not count. Blanks around items are dropped.
 *
 * @param item  Out: the item; may be empty ("a,,b").
 * @param rest  In and out: what is left.
 *
 * @return false when nothing is left
 */
bool sip_list_next(struct slice *item, struct slice *rest);

/** Take the next ";name" or ";name=value"; as sip_list_next(). @p value is
 *  empty, with p = NULL, where there is no "=". */
bool sip_param_next(struct slice *name, struct slice *value,
                    struct slice *rest);

/** @param value  Out: untouched unless found; NULL if of no interest. */
bool sip_param_find(struct slice *value, struct slice params, const char *name);

/** Cut "host:port" as written; brackets stay with the host. @p port is empty
 *  where there is none. */
void sip_hostport_cut(struct slice *host, struct slice *port,
                      struct slice text);

/** One Via value (section 20.42). */
struct sip_via {
	struct slice protocol; /**< "SIP/2.0/UDP" */
	struct slice sent_by;  /**< host and port as written */
	struct slice host;     /**< brackets kept */
	struct slice port;     /**< digits as written; empty: none */
	struct slice params;   /**< from the first ";" on */
};

/** @param v  Out; untouched unless 0. @return 0, or EBADMSG: no sent-by */
WARN_UNUSED int sip_via_read(struct sip_via *v, struct slice item);

/** The topmost Via of a message. @return 0, ENOENT, or EBADMSG */
WARN_UNUSED int sip_msg_top_via(struct sip_via *v, const struct sip_msg *m);

/** A sip:, sips: or other URI (section 19.1). */
struct sip_uri {
	struct slice scheme;
	struct slice user;     /**< with a password, without "@" */
	struct slice hostport; /**< as written */
	struct slice host;     /**< brackets kept */
	struct slice port;
	struct slice params;  /**< from the first ";" on */
	struct slice headers; /**< after "?" */
};

/** @param u  Out; untouched unless 0. @return 0, or EBADMSG: no scheme or
 *  no host */
WARN_UNUSED int sip_uri_read(struct sip_uri *u, struct slice text);

/** One value of Contact, From, To, Route... (section 20.10). */
struct sip_nameaddr {
	struct slice display; /**< quotes kept */
	struct slice uri;     /**< without angle brackets; "*" of Contact too */
	struct slice params;  /**< header parameters, from the first ";" on */
};

/** Cannot fail: what has no angle brackets is a URI up to the first ";". */
void sip_nameaddr_read(struct sip_nameaddr *a, struct slice item);

/**
 * A numeric host and an optional port as an address.
 *
 * @param a  Out; untouched unless 0 is returned.
 *
 * @return 0, ENOENT: a host name, or EBADMSG: the port is not 0..65535
 */
WARN_UNUSED int sip_host_addr(struct addr *a, struct slice host,
                              struct slice port);
