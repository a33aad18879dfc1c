/*
 * RTT of firmware, written from the layout of the control block. Needs htif.h before it.
 *
 * On a CPU with a write-back data cache, RTT_PLACE places the control block and the buffers in
 * uncached memory, since host and firmware write words of one line.
 */
#ifndef RTT_PLACE
#define RTT_PLACE
#endif

struct buffer {
    const char *name;
    char *data;
    unsigned size;
    volatile unsigned write, read;
    unsigned flags;
};

#define UP 3
#define DOWN 1

struct control_block {
    char id[16];
    unsigned up, down;
    struct buffer buffers[UP + DOWN];
};

RTT_PLACE struct control_block _SEGGER_RTT;

RTT_PLACE static char terminal[16], events[64], skipping[8], input[16];

static void rtt_buffer(int number, const char *name, char *data, unsigned size, unsigned flags)
{
    struct buffer *buffer = &_SEGGER_RTT.buffers[number];
    buffer->name = name;
    buffer->data = data;
    buffer->size = size;
    buffer->flags = flags;
}

static void rtt_copy(volatile char *to, const char *from)
{
    while (*from)
        *to++ = *from++;
}

/* Writes the mark last, and in parts: a search would also find a constant with the mark in the
 * image. */
static void rtt_init(void)
{
    rtt_buffer(0, "Terminal", terminal, sizeof terminal, 2);
    rtt_buffer(1, "events", events, sizeof events, 2);
    rtt_buffer(2, "skipping", skipping, sizeof skipping, 0);
    rtt_buffer(3, "Terminal", input, sizeof input, 0);
    _SEGGER_RTT.up = UP;
    _SEGGER_RTT.down = DOWN;
    __asm__ volatile("fence" ::: "memory");
    rtt_copy(_SEGGER_RTT.id + 7, "RTT");
    rtt_copy(_SEGGER_RTT.id, "SEGGER");
    ((volatile char *)_SEGGER_RTT.id)[6] = ' ';
}

static unsigned rtt_room(const struct buffer *buffer)
{
    unsigned read = buffer->read, write = buffer->write;
    return (read > write ? read : read + buffer->size) - write - 1;
}

/* Writes in the buffer's mode: 0 skips all, 1 trims, 2 blocks. Returns the number of bytes
 * written. */
static unsigned rtt_write(int number, const char *text, unsigned len)
{
    struct buffer *buffer = &_SEGGER_RTT.buffers[number];
    unsigned room = rtt_room(buffer);
    if (buffer->flags == 0 && len > room)
        return 0;
    if (buffer->flags == 1 && len > room)
        len = room;
    for (unsigned at = 0; at < len; at++) {
        while (rtt_room(buffer) == 0) {
        }
        unsigned write = buffer->write;
        ((volatile char *)buffer->data)[write] = text[at];
        __asm__ volatile("fence" ::: "memory");
        buffer->write = write + 1 == buffer->size ? 0 : write + 1;
    }
    return len;
}

static void rtt_print(int number, const char *text)
{
    unsigned len = 0;
    while (text[len])
        len++;
    rtt_write(number, text, len);
}

static int rtt_read(void)
{
    struct buffer *buffer = &_SEGGER_RTT.buffers[UP];
    while (buffer->read == buffer->write) {
    }
    unsigned read = buffer->read;
    int byte = ((volatile char *)buffer->data)[read];
    __asm__ volatile("fence" ::: "memory");
    buffer->read = read + 1 == buffer->size ? 0 : read + 1;
    return byte;
}
