/* SPDX-License-Identifier: ISC */
/** The ports of a profile's SIP, by what phones use them for. */
#pragma once

#include "profile/profile.h"

struct profile_sip_ports {
	uint16_t sip, sip_alt; /**< the first two by UDP or TCP; 0: none */
	uint16_t tls;          /**< RFC 3261 section 19.1.2: 5061, or said to
	                            be TLS; 0: none */
};

/** Fill in those that are 0. */
void profile_sip_ports(struct profile_sip_ports *ports,
                       const struct profile *p);
