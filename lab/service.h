/* SPDX-License-Identifier: ISC */
/**
 * Real programs that can serve in a lab: how each is configured, started
 * and known to be ready. One row each in service.c. Pure: text out.
 */
#pragma once

#include "base/addr.h"
#include "lab/lab.h"

enum {
	LAB_MAX_SLOTS = 6,      /**< and one that ends the list */
	LAB_MAX_PORTS = 8,      /**< in a slot */
	LAB_MAX_ADDRESSES = 32, /**< of one server */
	LAB_DIR_BYTES = 64,
};

/** What is asked of a port until it answers. */
enum lab_ask {
	LAB_ASK_SIP,  /**< OPTIONS */
	LAB_ASK_STUN, /**< Binding (RFC 8489) */
	LAB_ASK_HTTP, /**< GET / */
	LAB_ASK_XMPP, /**< the opening of a stream (RFC 6120) */
	LAB_ASK_DNS,  /**< an address of the name "ready.test" */
	LAB_ASK_TLS,  /**< ClientHello */
};

enum lab_slot_flag {
	LAB_SLOT_UDP = 1 << 0,
	LAB_SLOT_TCP = 1 << 1,
	LAB_SLOT_ONE = 1 << 2,    /**< the program opens one at most */
	LAB_SLOT_NEEDED = 1 << 3, /**< and cannot do without any */
};

/** Ports of one kind that a program opens. */
struct lab_slot {
	const char *name; /**< [a-z]+: a key in scenarios; NULL: the end */
	uint16_t usual[LAB_MAX_PORTS]; /**< ends with 0 */
	enum lab_ask ask;
	unsigned flags; /**< LAB_SLOT_*; UDP or TCP, or both */
};

/** What may be wrong with a server's certificate, on purpose. */
enum lab_cert {
	LAB_CERT_VALID, /**< by the lab's own authority */
	LAB_CERT_EXPIRED,
	LAB_CERT_WRONG_NAME,
	LAB_CERT_SELF_SIGNED,
	LAB_N_CERTS,
};

/** By enum lab_cert: words in scenarios. */
extern const char *const lab_cert_names[LAB_N_CERTS];

/** One name that the lab's DNS knows. */
struct lab_name {
	const char *name;
	struct addr addr; /**< port 0 */
};

struct lab_service;

/** A server of a scenario. */
struct lab_server {
	const struct lab_service *service;
	struct addr at[LAB_MAX_ADDRESSES]; /**< ports 0 */
	size_t n_at;                       /**< 0: on every address */
	const char *host;                  /**< its name, in certificates too */
	enum lab_cert cert;
	bool has_cert; /**< a certificate was asked for by name */
	/** More of an edge's command line, as a profile; ends with NULL.
	 *  NULL: none. */
	const char *const *words;
	uint16_t ports[LAB_MAX_SLOTS][LAB_MAX_PORTS];
	size_t n_ports[LAB_MAX_SLOTS];
};

/** Where a server's files are, and what it has to know. */
struct lab_site {
	const struct lab_server *server;
	const char *dir; /**< its own, writable, no slash at the end */
	const char *cert, *key, *ca; /**< PEM files */
	const char *prumo;           /**< this project's own program */
	const struct lab_name *names;
	size_t n_names;
};

struct lab_service {
	const char *name;    /**< [a-z]+: a word in scenarios */
	const char *program; /**< NULL: this project's own */
	const char *package; /**< of Debian */
	const char *summary; /**< one line, N_() */
	bool takes_cert;
	struct lab_slot slots[LAB_MAX_SLOTS + 1];

	const char *file; /**< of its configuration; NULL: it needs none */

	/** The configuration, for that file in its folder. */
	void (*conf)(struct wr *w, const struct lab_site *site);

	/** Its command line: words that each end with a NUL. */
	void (*argv)(struct wr *w, const struct lab_site *site);
};

/** Ends with a NULL name. */
extern const struct lab_service lab_services[];

/** @return the service of that name, or NULL */
const struct lab_service *lab_service_find(struct slice name);

/** Every usual port. */
void lab_server_init(struct lab_server *server,
                     const struct lab_service *service);

/** @return a port that both would open, or 0 */
unsigned lab_server_clash(const struct lab_server *a,
                          const struct lab_server *b);
