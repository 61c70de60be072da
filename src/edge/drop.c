/* SPDX-License-Identifier: ISC */
#include "edge/drop.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static int become(const struct passwd *pw)
{
	if (setgroups(0, NULL) ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid))
		return errno;
	/* a kernel that lets us back has not dropped anything */
	if (pw->pw_uid != 0 && setuid(0) == 0)
		return EPERM;
	return 0;
}

int edge_drop_to(const char *user)
{
	if (geteuid() == 0 && strcmp(user, "root") != 0) {
		const struct passwd *pw;
		int err;

		errno = 0;
		pw = getpwnam(user);
		if (!pw)
			return errno ? errno : ENOENT;
		err = become(pw);
		if (err)
			return err;
	}
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? errno : 0;
}
