/* SPDX-License-Identifier: ISC */
/** What to do about a cause: the steps are data, chosen by what was found. */
#pragma once

#include "diagnose/fingerprint.h"

/** What kind of cause the steps are for. */
enum trouble {
	TROUBLE_ALG = 1 << 0,     /**< messages are changed or dropped */
	TROUBLE_STATE = 1 << 1,   /**< pinholes or timers only */
	TROUBLE_PORT = 1 << 2,    /**< a port is blocked */
	TROUBLE_UDP = 1 << 3,     /**< UDP is blocked */
	TROUBLE_SILENCE = 1 << 4, /**< nothing answers */
	TROUBLE_UNSURE = 1 << 5,  /**< could not be decided */
	TROUBLE_LOSS = 1 << 6,    /**< some messages do not arrive */
};

/**
 * Append the steps that fit @p fd, whose segment and evidence are set.
 *
 * A way around is offered only when @p l holds a clean channel for it.
 */
void remedies_add(struct report *r, struct finding *fd, const struct ladder *l,
                  enum trouble trouble, enum fingerprint fp);
