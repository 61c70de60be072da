/* SPDX-License-Identifier: ISC */
#include "edge/drop.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
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

/* A service manager may have given some to a user that is not root. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

	/* EINVAL: a kernel without ambient ones */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) &&
	    errno != EINVAL)
		return errno;
	return syscall(SYS_capset, &head, none) ? errno : 0;
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
	if (geteuid() != 0) {
		int err = drop_capabilities();

		if (err)
			return err;
	}
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? errno : 0;
}
