/* SPDX-License-Identifier: ISC */
/*
 * Design: one who is told only that a text is of no known kind looks for a
 * fault of his own. Each box has two marks that its configuration can hardly
 * be without; both must be near the beginning, where a line may stand in any
 * text, a word of another box's language may not.
 */
#include "firewall/foreign.h"

#include "base/cursor.h"

enum {
	HEAD_BYTES = 1 << 16,
	N_MARKS = 2,
};

static const struct {
	struct fw_foreign box;
	const char *marks[N_MARKS]; /* beginnings of lines, but for blanks */
} boxes[] = {
	{{"pfsense", "pfSense", "pfsense-defaults", FW_OFF, 30, 60},
         {"<pfsense>", "<filter>"}},
	{{"opnsense", "OPNsense", "pfsense-defaults", FW_OFF, 30, 60},
         {"<opnsense>", "<filter"}},
	{{"asa", "Cisco ASA", "asa-defaults", FW_ON, 120, 120},
         {"ASA Version ", "access-list "}},
	{{"ios", "Cisco IOS", "ios-defaults", FW_ON, 300, 300},
         {"version 1", "ip nat "}},
	{{"srx", "Juniper SRX", "srx-defaults", FW_ON, 60, 60},
         {"set security ", "set version "}},
	{{"srx", "Juniper SRX", "srx-defaults", FW_ON, 60, 60},
         {"security {", "version "}},
	{{"panos", "Palo Alto PAN-OS", "panos-defaults", FW_ON, 30, 30},
         {"<config version=", "<shared>"}},
	{{"panos", "Palo Alto PAN-OS", "panos-defaults", FW_ON, 30, 30},
         {"set deviceconfig ", "set rulebase "}},
	{{"checkpoint", "Check Point", "checkpoint-defaults", FW_UNKNOWN, 40,
          40},
         {"\"objects\"", "\"from\""}},
	{{"openwrt", "OpenWrt", "openwrt-defaults", FW_OFF, 120, 120},
         {"config defaults", "config zone"}},
};

static bool begins(struct slice line, const char *mark)
{
	const struct slice want = slice_str(mark);

	line = slice_trim(line);
	return slice_eq(slice_sub(line, 0, want.n), want);
}

const struct fw_foreign *fw_foreign_recognise(struct slice text)
{
	struct rd r = rd_init(slice_sub(text, 0, HEAD_BYTES));
	unsigned seen[ARRAY_LEN(boxes)] = {0};
	struct slice line;

	while (rd_line(&r, &line)) {
		for (size_t i = 0; i < ARRAY_LEN(boxes); i++) {
			for (unsigned k = 0; k < N_MARKS; k++) {
				if (begins(line, boxes[i].marks[k]))
					seen[i] |= 1U << k;
			}
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(boxes); i++) {
		if (seen[i] == (1U << N_MARKS) - 1)
			return &boxes[i].box;
	}
	return NULL;
}
