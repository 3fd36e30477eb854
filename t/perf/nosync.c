/* nosync.c - LD_PRELOAD: nothing is forced to disk. What durability costs is the difference. */
#define _GNU_SOURCE
#include <unistd.h>

int fsync(int fd)
{
	(void)fd;
	return 0;
}

int fdatasync(int fd)
{
	(void)fd;
	return 0;
}

int syncfs(int fd)
{
	(void)fd;
	return 0;
}

void sync(void)
{
}
