/* SPDX-License-Identifier: ISC */
#include "profile/service.h"

#include "profile/profile.h"

static struct slice label_of(struct slice *rest)
{
	struct slice label =
		slice_sub(*rest, 0, slice_find(*rest, slice_str(".")));

	*rest = slice_sub(*rest, label.n + 1, SIZE_MAX);
	return label;
}

bool profile_service_read(struct profile_service *out, const char *name)
{
	struct slice rest = slice_str(name);
	struct slice service = label_of(&rest), transport = label_of(&rest);

	if (service.n < 2 || service.p[0] != '_' || transport.n < 2 ||
	    transport.p[0] != '_' || rest.n == 0 || rest.p[0] == '_')
		return false;
	*out = (struct profile_service){service, transport,
	                                (const char *)rest.p};
	return true;
}

unsigned profile_service_transports(const struct profile_service *s)
{
	if (slice_ieq(s->transport, slice_str("_udp")))
		return PROFILE_UDP;
	return PROFILE_TCP | PROFILE_TLS;
}

const char *profile_service_naptr(const struct profile_service *s)
{
	static const struct {
		const char *service, *transport, *naptr;
	} all[] = {
		{"_sip", "_udp", "SIP+D2U"},   {"_sip", "_tcp", "SIP+D2T"},
		{"_sips", "_tcp", "SIPS+D2T"}, {"_sip", "_ws", "SIP+D2W"},
		{"_sips", "_ws", "SIPS+D2W"},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (slice_ieq(s->service, slice_str(all[i].service)) &&
		    slice_ieq(s->transport, slice_str(all[i].transport)))
			return all[i].naptr;
	}
	return NULL;
}
