/* SPDX-License-Identifier: ISC */
#include "probe/reach.h"

#include <string.h>

#include "base/i18n.h"

struct words reach_summary(const char *result)
{
	static const struct {
		const char *result;
		const char *msgid; /* %1$s: ports, %2$s: host, %3$s: for what */
	} all[] = {
		{"answered", N_("%1$s of %2$s (%3$s): the service answers")},
		{"open", N_("%1$s of %2$s (%3$s): open")},
		{"other",
	         N_("%1$s of %2$s (%3$s): something else answers there")},
		{"silent", N_("%1$s of %2$s (%3$s): nothing comes back")},
		{"refused", N_("%1$s of %2$s (%3$s): refused")},
		{"cut", N_("%1$s of %2$s (%3$s): cut after it had opened")},
		{"bad-tls", N_("%1$s of %2$s (%3$s): TLS fails")},
		{"partly",
	         N_("%1$s of %2$s (%3$s): some of the ports are blocked")},
		{"limited", N_("%1$s of %2$s (%3$s): the edge answers this "
	                       "address no more at present")},
		{"dropped-here", N_("%1$s of %2$s (%3$s): this computer drops "
	                            "what comes back")},
		{"local", N_("%1$s of %2$s (%3$s): this computer does not let "
	                     "it out")},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (strcmp(all[i].result, result) == 0)
			return (struct words){.msgid = all[i].msgid};
	}
	return (struct words){.msgid = N_("%1$s of %2$s (%3$s): not known")};
}
