/*
 * Control of devices: there are none.
 */
#ifndef VHOST_LIBC_IOCTL_H
#define VHOST_LIBC_IOCTL_H

/* -1 with ENOTTY. */
int ioctl(int fd, unsigned long request, ...);

#endif /* VHOST_LIBC_IOCTL_H */
