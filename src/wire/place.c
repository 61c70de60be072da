/* SPDX-License-Identifier: ISC */
#include "wire/place.h"

#include <string.h>

static const uint8_t mask[WIRE_ADDR_BYTES] = {
	0x00, 0x9d, 0xc3, 0x71, 0x5e, 0xe8, 0x2b, 0xb4, 0x96, 0xd7,
	0x69, 0xa2, 0x1f, 0xcd, 0x35, 0xf4, 0x8a, 0x53, 0x3c,
};

void wire_addr_put(struct wr *w, const struct addr *a)
{
	uint8_t raw[WIRE_ADDR_BYTES];
	struct wr r = wr_init(raw, sizeof(raw));

	wr_u8(&r, (uint8_t)a->family);
	wr_u16(&r, a->port);
	wr_put(&r, (struct slice){a->ip, sizeof(a->ip)});
	for (size_t i = 0; i < sizeof(raw); i++)
		raw[i] ^= mask[i];
	wr_put(w, wr_slice(&r));
}

struct addr wire_addr_read(struct rd *r)
{
	struct slice in = rd_take(r, WIRE_ADDR_BYTES);
	struct addr a = {0};
	uint8_t raw[WIRE_ADDR_BYTES];
	struct rd at = rd_init((struct slice){raw, sizeof(raw)});
	uint8_t family;

	if (r->bad)
		return a;
	for (size_t i = 0; i < sizeof(raw); i++)
		raw[i] = in.p[i] ^ mask[i];
	family = rd_u8(&at);
	if (family == ADDR_NONE)
		return a;
	if (family != ADDR_IP4 && family != ADDR_IP6) {
		r->bad = true;
		return a;
	}
	a.family = (enum addr_family)family;
	a.port = rd_u16(&at);
	memcpy(a.ip, rd_take(&at, sizeof(a.ip)).p, addr_ip(&a).n);
	return a;
}

void wire_services_put(struct wr *w, const struct wire_services *s)
{
	if (s->n > WIRE_MAX_SERVICES) {
		w->bad = true;
		return;
	}
	wr_u8(w, (uint8_t)s->n);
	for (size_t i = 0; i < s->n; i++) {
		wr_u8(w, (uint8_t)s->at[i].transport);
		wr_u8(w, (uint8_t)s->at[i].role);
		wr_u16(w, s->at[i].port);
	}
}

void wire_services_read(struct wire_services *s, struct rd *r)
{
	size_t n = rd_u8(r);

	*s = (struct wire_services){0};
	if (n > WIRE_MAX_SERVICES)
		r->bad = true;
	while (s->n < n && !r->bad) {
		uint8_t transport = rd_u8(r);
		uint8_t role = rd_u8(r);
		uint16_t port = rd_u16(r);

		if (transport < WIRE_UDP || transport > WIRE_TLS ||
		    role < WIRE_ROLE_SIP || role > WIRE_ROLE_CONTROL)
			r->bad = true;
		s->at[s->n++] = (struct wire_service){
			.transport = (enum wire_transport)transport,
			.role = (enum wire_role)role,
			.port = port,
		};
	}
}

const char *wire_transport_name(enum wire_transport t)
{
	switch (t) {
	case WIRE_UDP:
		return "udp";
	case WIRE_TCP:
		return "tcp";
	case WIRE_TLS:
		return "tls";
	}
	return "?";
}
