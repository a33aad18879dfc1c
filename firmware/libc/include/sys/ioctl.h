/*
 * Control of devices, of which there are none.
 */
#ifndef VHOST_LIBC_IOCTL_H
#define VHOST_LIBC_IOCTL_H

/* Fails: -1 with ENOTTY. */
int ioctl(int fd, unsigned long request, ...);

#endif /* VHOST_LIBC_IOCTL_H */
