/*
 * Time and random bytes.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include "host.h"

/* Ticks of times() per second. */
#define TICKS 1000000

/* Reads the time. Returns 0, or -1 and errno. */
static int now(mb_time *time)
{
    return (int)vhost_result(mb_get_time(vhost_channel(), time));
}

/* Time since the first call, in units per second. */
static int64_t since_first(int64_t units)
{
    static mb_time first;
    static int is_known;
    mb_time time;
    if (now(&time) < 0)
        return -1;
    if (!is_known) {
        is_known = 1;
        first = time;
    }
    return (time.seconds - first.seconds) * units +
           ((int64_t)time.nanoseconds - (int64_t)first.nanoseconds) / (1000000000 / units);
}

/* Makes the first call, so that time is measured from the start of the program. */
__attribute__((constructor(102))) static void start(void)
{
    vhost_channel();
    if (vhost_is_posix())
        since_first(TICKS);
}

int HOST_NAME(gettimeofday)(struct timeval *restrict result, void *restrict zone)
{
    mb_time time;
    if (zone != NULL)
        memset(zone, 0, sizeof(struct timezone));
    if (result == NULL)
        return 0;
    if (now(&time) < 0)
        return -1;
    result->tv_sec = (time_t)time.seconds;
    result->tv_usec = (suseconds_t)(time.nanoseconds / 1000);
    return 0;
}

clock_t HOST_NAME(times)(struct tms *result)
{
    int64_t ticks = since_first(TICKS);
    if (ticks < 0)
        return (clock_t)-1;
    if (result != NULL) {
        memset(result, 0, sizeof *result);
        result->tms_utime = (clock_t)ticks;
    }
    return (clock_t)ticks;
}

clock_t clock(void)
{
    return (clock_t)since_first(CLOCKS_PER_SEC);
}

int clock_gettime(clockid_t clock, struct timespec *result)
{
    mb_time time;
    (void)clock;
    if (now(&time) < 0)
        return -1;
    result->tv_sec = (time_t)time.seconds;
    result->tv_nsec = (long)time.nanoseconds;
    return 0;
}

int clock_getres(clockid_t clock, struct timespec *result)
{
    (void)clock;
    if (result != NULL) {
        result->tv_sec = 0;
        result->tv_nsec = 1;
    }
    return 0;
}

/* Polls the time until the end of the wait. */
int nanosleep(const struct timespec *length, struct timespec *rest)
{
    mb_time time;
    int64_t seconds, nanoseconds;
    if (length->tv_sec < 0 || length->tv_nsec < 0 || length->tv_nsec >= 1000000000) {
        errno = EINVAL;
        return -1;
    }
    if (now(&time) < 0)
        return -1;
    seconds = time.seconds + length->tv_sec;
    nanoseconds = (int64_t)time.nanoseconds + length->tv_nsec;
    if (nanoseconds >= 1000000000) {
        seconds++;
        nanoseconds -= 1000000000;
    }
    while (time.seconds < seconds || (time.seconds == seconds && (int64_t)time.nanoseconds < nanoseconds))
        if (now(&time) < 0)
            return -1;
    if (rest != NULL)
        memset(rest, 0, sizeof *rest);
    return 0;
}

int usleep(useconds_t length)
{
    struct timespec time;
    time.tv_sec = (time_t)(length / 1000000);
    time.tv_nsec = (long)(length % 1000000) * 1000;
    return nanosleep(&time, NULL);
}

unsigned sleep(unsigned length)
{
    struct timespec time;
    time.tv_sec = (time_t)length;
    time.tv_nsec = 0;
    return nanosleep(&time, NULL) < 0 ? length : 0;
}

int getentropy(void *buffer, size_t size)
{
    if (size > 256) {
        errno = EIO;
        return -1;
    }
    return vhost_result((mb_random)(vhost_channel(), buffer, size)) < 0 ? -1 : 0;
}

long sysconf(int name)
{
    switch (name) {
    case _SC_CLK_TCK: return TICKS;
    case _SC_PAGESIZE: return 4096;
    case _SC_OPEN_MAX: return 256;
    case _SC_NPROCESSORS_CONF:
    case _SC_NPROCESSORS_ONLN: return 1;
    default: errno = EINVAL; return -1;
    }
}
