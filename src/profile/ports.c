/* SPDX-License-Identifier: ISC */
#include "profile/ports.h"

enum {
	SIP_TLS_PORT = 5061,
};

void profile_sip_ports(struct profile_sip_ports *ports, const struct profile *p)
{
	struct profile_iter it = {0};
	struct profile_flow f;

	while (profile_flow_next(&f, p, &it)) {
		uint16_t port = f.ports.first;
		bool is_tls =
			f.transport == PROFILE_TLS || port == SIP_TLS_PORT;

		if (f.row->cls != PROFILE_SIP || port != f.ports.last)
			continue;
		if (is_tls) {
			if (!ports->tls)
				ports->tls = port;
		} else if (!ports->sip) {
			ports->sip = port;
		} else if (!ports->sip_alt && port != ports->sip) {
			ports->sip_alt = port;
		}
	}
}
