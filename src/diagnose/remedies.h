/* SPDX-License-Identifier: ISC */
/** What to do about a cause: the steps are data, chosen by what was found. */
#pragma once

#include "diagnose/fingerprint.h"

/** What kind of cause the steps are for. */
enum trouble {
	TROUBLE_ALG = 1 << 0,      /**< messages are changed or dropped */
	TROUBLE_STATE = 1 << 1,    /**< pinholes or timers only */
	TROUBLE_PORT = 1 << 2,     /**< a port is blocked */
	TROUBLE_UDP = 1 << 3,      /**< UDP is blocked */
	TROUBLE_SILENCE = 1 << 4,  /**< nothing answers */
	TROUBLE_UNSURE = 1 << 5,   /**< could not be decided */
	TROUBLE_LOSS = 1 << 6,     /**< some messages do not arrive */
	TROUBLE_RANGE = 1 << 7,    /**< a part of a range is blocked */
	TROUBLE_NAMES = 1 << 8,    /**< names have no address, or a wrong one */
	TROUBLE_CLOCK = 1 << 9,    /**< of this computer */
	TROUBLE_TLS = 1 << 10,     /**< somebody reads along */
	TROUBLE_CERT = 1 << 11,    /**< the server's certificate is wrong */
	TROUBLE_SERVER = 1 << 12,  /**< at the provider's */
	TROUBLE_DEVICE = 1 << 13,  /**< this computer's own filter */
	TROUBLE_TABLE = 1 << 14,   /**< the router's table is full */
	TROUBLE_PORTAL = 1 << 15,  /**< somebody has to log in */
	TROUBLE_IP6 = 1 << 16,     /**< IPv6 is broken */
	TROUBLE_SIZE = 1 << 17,    /**< large messages are lost */
	TROUBLE_LINE = 1 << 18,    /**< the line loses packets */
	TROUBLE_PROXY = 1 << 19,   /**< a box answers for web servers */
	TROUBLE_GAP = 1 << 20,     /**< something was not tested */
	TROUBLE_LIMITED = 1 << 22, /**< the edge answers no more yet */
	TROUBLE_HOSTS = 1 << 21,   /**< this computer's hosts file */
	TROUBLE_SESSION = 1 << 23, /**< of one session, and not of new ones */
};

/**
 * Append the steps that fit @p fd, whose segment and evidence are set.
 *
 * A way around is offered only when @p l holds a clean channel for it.
 */
void remedies_add(struct report *r, struct finding *fd, const struct ladder *l,
                  enum trouble trouble, enum fingerprint fp);
