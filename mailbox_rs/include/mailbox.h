/*
 * The mailbox for firmware in C: services of a verification host, asked for through queues in
 * memory.
 *
 * Protocol versions 0.2 and 0.3, of which the host chooses one in mb_reset. Header only,
 * freestanding C99 or C++11 with the extensions that GCC and Clang share; it needs <stddef.h> and
 * <stdint.h>, and no library. (The compiler itself may call memcpy for a long list of constant
 * arguments.)
 *
 *     #include "mailbox.h"
 *
 *     MB_CHANNEL(mailbox);
 *
 *     int main(void)
 *     {
 *         mb_reset(&mailbox);
 *         mb_printf(&mailbox, "%d of %s\n", 3, "them");
 *         mb_exit(&mailbox, (uint32_t)mb_call(&mailbox, "self_test", 1, 2));
 *         for (;;) {}
 *     }
 *
 * To be defined before the header is included, where the CPU needs it:
 *
 *     MB_CACHE_LINE               alignment of what host and firmware write in turn: 0 (default), 32, 64, 128 or 256.
 *                                 The host's configuration must say the same.
 *     MB_CACHE_CLEAN(addr, len)   writes back the lines of memory that the host is going to read; for write-back caches
 *     MB_CACHE_INVALIDATE(addr, len)
 *                                 drops the lines of memory that the host may have written
 *     MB_CACHE_FLUSH()            writes back and drops all lines, where the CPU can do that without an address: before
 *                                 and after mb_call and mb_custom, since the sizes of what their arguments point to
 *                                 are unknown. Without it, see mb_lend.
 *     MB_UNCACHED_MAILBOX         permits MB_CACHE_CLEAN without MB_CACHE_LINE: the mailbox is in memory that is not
 *                                 cached, and buffers are
 *     MB_IRQ_SAVE()               masks interrupts, and gives what MB_IRQ_RESTORE needs (an unsigned long)
 *     MB_IRQ_RESTORE(state)       restores the interrupts
 *     MB_WAIT()                   done again and again while the host has not acted yet
 *
 * Interrupts are masked for the few stores of one request, not until its response. An interrupt
 * handler may so use what has no response (mb_printf, mb_exit) on a channel that the program uses
 * too, and nothing else: responses carry no id.
 *
 * A buffer that the host writes is cleaned before and invalidated after: meanwhile, nobody may
 * write what shares its first or last cache line. MB_BUFFER defines one that shares none. The
 * project's firmware/cache has hooks for kinds of CPUs.
 *
 * A function that returns mb_sword returns a negated MB_E... number when it fails. mb_call,
 * mb_custom and mb_memcmp have values of their own which can't be told from that.
 *
 * Services of protocol 0.3 (from mb_posix_open on) fail with MB_ENOSYS if the host has 0.2 only;
 * mb_version tells.
 */
#ifndef MAILBOX_H
#define MAILBOX_H

#include <stddef.h>
#include <stdint.h>

#if defined(__cplusplus) && __cplusplus < 201103L
#error "mailbox.h needs C++11"
#endif

#ifndef MB_CACHE_LINE
#define MB_CACHE_LINE 0
#endif
#if defined(MB_CACHE_CLEAN) && MB_CACHE_LINE == 0 && !defined(MB_UNCACHED_MAILBOX)
#error "a write-back cache (MB_CACHE_CLEAN) needs MB_CACHE_LINE: without it, host and firmware write the same lines of \
the mailbox. Define MB_CACHE_LINE here and in the host's configuration, or MB_UNCACHED_MAILBOX if the mailbox is in \
memory that is not cached"
#endif
#ifdef MB_CACHE_CLEAN
#define MB_CLEANS 1
#else
#define MB_CLEANS 0
#define MB_CACHE_CLEAN(addr, len) ((void)(addr), (void)(len))
#endif
#ifndef MB_CACHE_INVALIDATE
#define MB_CACHE_INVALIDATE(addr, len) ((void)(addr), (void)(len))
#endif
#ifndef MB_CACHE_FLUSH
#define MB_CACHE_FLUSH() ((void)0)
#endif
#ifndef MB_IRQ_SAVE
#define MB_IRQ_SAVE() 0ul
#endif
#ifndef MB_IRQ_RESTORE
#define MB_IRQ_RESTORE(state) ((void)(state))
#endif
#ifndef MB_WAIT
#define MB_WAIT() ((void)0)
#endif

#if MB_CACHE_LINE == 0
#define MB_ALIGNED
#elif MB_CACHE_LINE == 32 || MB_CACHE_LINE == 64 || MB_CACHE_LINE == 128 || MB_CACHE_LINE == 256
#define MB_ALIGNED __attribute__((aligned(MB_CACHE_LINE)))
#else
#error "MB_CACHE_LINE is 0, 32, 64, 128 or 256"
#endif

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the mailbox is little endian"
#endif

/* ---- Layout ------------------------------------------------------------------------------------------------- */

#define MB_VERSION 0x00000002u /* major << 16 | minor: that of a handshake */
#define MB_NEWEST 0x00000003u  /* the highest version of this header, which the handshake offers */
#define MB_QUEUE_LEN 8u
#define MB_REQUEST_ARGS 20

#define MB_STATE_INIT 1u
#define MB_STATE_READY 2u

/* A word of the pointer width, and the same with a sign. */
typedef uintptr_t mb_word;
typedef intptr_t mb_sword;

typedef struct {
    uint32_t action;
    uint32_t words;
    mb_word args[MB_REQUEST_ARGS];
} mb_request_entry;

typedef struct {
    uint32_t words;
    mb_word rets;
} mb_response_entry;

typedef struct {
    uint32_t value;
} MB_ALIGNED mb_consumer;

typedef struct {
    uint32_t offer; /* the highest version that firmware understands */
    uint32_t idx_p;
    mb_request_entry entries[MB_QUEUE_LEN];
    mb_consumer idx_c;
} MB_ALIGNED mb_request_queue;

typedef struct {
    uint32_t reserved;
    uint32_t idx_p;
    mb_response_entry entries[MB_QUEUE_LEN];
    mb_consumer idx_c;
} MB_ALIGNED mb_response_queue;

typedef struct {
    uint32_t version;
    uint32_t state;
    mb_request_queue request;
    mb_response_queue response;
} MB_ALIGNED mb_channel_layout;

/* One channel. Both sides write it: every access is one of its own. */
typedef volatile mb_channel_layout mb_channel;

#if defined(__cplusplus)
#define MB_ASSERT(name, condition) static_assert(condition, #name)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define MB_ASSERT(name, condition) _Static_assert(condition, #name)
#else
#define MB_ASSERT(name, condition) typedef char mb_assert_##name[(condition) ? 1 : -1]
#endif

#if UINTPTR_MAX == 0xffffffffu
#define MB_BY_WIDTH(p4, p8) p4
#elif UINTPTR_MAX == 0xffffffffffffffffu
#define MB_BY_WIDTH(p4, p8) p8
#else
#error "a pointer of the mailbox has 32 or 64 bits"
#endif

MB_ASSERT(request_entry_size, sizeof(mb_request_entry) == MB_BY_WIDTH(88, 168));
MB_ASSERT(request_entry_args, offsetof(mb_request_entry, args) == 8);
MB_ASSERT(response_entry_size, sizeof(mb_response_entry) == MB_BY_WIDTH(8, 16));
MB_ASSERT(response_entry_rets, offsetof(mb_response_entry, rets) == MB_BY_WIDTH(4, 8));
MB_ASSERT(state_offset, offsetof(mb_channel_layout, state) == 4);
MB_ASSERT(request_idx_p, offsetof(mb_request_queue, idx_p) == 4);
MB_ASSERT(request_entries, offsetof(mb_request_queue, entries) == 8);
MB_ASSERT(response_idx_p, offsetof(mb_response_queue, idx_p) == 4);
MB_ASSERT(response_entries, offsetof(mb_response_queue, entries) == 8);
#if MB_CACHE_LINE == 0
MB_ASSERT(request_offset, offsetof(mb_channel_layout, request) == 8);
MB_ASSERT(request_idx_c, offsetof(mb_request_queue, idx_c) == MB_BY_WIDTH(712, 1352));
MB_ASSERT(request_size, sizeof(mb_request_queue) == MB_BY_WIDTH(716, 1360));
MB_ASSERT(response_offset, offsetof(mb_channel_layout, response) == MB_BY_WIDTH(724, 1368));
MB_ASSERT(response_idx_c, offsetof(mb_response_queue, idx_c) == MB_BY_WIDTH(72, 136));
MB_ASSERT(channel_size, sizeof(mb_channel_layout) == MB_BY_WIDTH(800, 1512));
#else
#define MB_UP(n) (((n) + MB_CACHE_LINE - 1) / MB_CACHE_LINE * MB_CACHE_LINE)
MB_ASSERT(request_offset, offsetof(mb_channel_layout, request) == MB_CACHE_LINE);
MB_ASSERT(request_idx_c, offsetof(mb_request_queue, idx_c) == MB_UP(MB_BY_WIDTH(712, 1352)));
MB_ASSERT(request_size, sizeof(mb_request_queue) == MB_UP(MB_BY_WIDTH(712, 1352)) + MB_CACHE_LINE);
MB_ASSERT(response_idx_c, offsetof(mb_response_queue, idx_c) == MB_UP(MB_BY_WIDTH(72, 136)));
MB_ASSERT(response_size, sizeof(mb_response_queue) == MB_UP(MB_BY_WIDTH(72, 136)) + MB_CACHE_LINE);
MB_ASSERT(channel_size,
          sizeof(mb_channel_layout) == MB_CACHE_LINE + sizeof(mb_request_queue) + sizeof(mb_response_queue));
#endif

/* Defines a channel, or an array of channels, where the host looks for it. The n-th in the section has mb_id n. A note in
 * section .note.vhost has the host check its configuration. It need not be loaded. */
#define MB_CHANNEL(name) \
    mb_channel name __attribute__((section(".mailbox"), used)); \
    MB_NOTE(name, 1)
#define MB_CHANNELS(name, count) \
    mb_channel name[count] __attribute__((section(".mailbox"), used)); \
    MB_NOTE(name, count)

/* Note of an ELF image, as the protocol has it. */
typedef struct {
    uint32_t name_size, size, type;
    char name[8];
    uint32_t version, pointer, line, channels;
} mb_note;

#define MB_NOTE(of, count) \
    static const mb_note mb_note_of_##of __attribute__((section(".note.vhost"), used, aligned(4))) = { \
        6, 16, 1, "vhost", MB_NEWEST, sizeof(mb_word), MB_CACHE_LINE, (count)}

/* Defines a buffer of `size` bytes that shares no cache line with other data: MB_BUFFER(static, buffer, 100); */
#if MB_CACHE_LINE == 0
#define MB_BUFFER(storage, name, size) storage char name[size]
#else
#define MB_BUFFER(storage, name, size) \
    storage char name[((size) + MB_CACHE_LINE - 1) / MB_CACHE_LINE * MB_CACHE_LINE] MB_ALIGNED
#endif

/* ---- Requests ----------------------------------------------------------------------------------------------- */

enum {
    MB_EXIT = 1,
    MB_PRINT = 2,
    MB_CPRINT = 3,
    MB_MEMMOVE = 4,
    MB_MEMSET = 5,
    MB_MEMCMP = 6,
    MB_CALL = 7,
    MB_FILE = 8
};
#define MB_OTHER 0x80000000u

enum { MB_FILE_OPEN = 0, MB_FILE_CLOSE = 1, MB_FILE_READ = 2, MB_FILE_WRITE = 3, MB_FILE_SEEK = 4 };

/* Operations of protocol 0.3. */
enum {
    MB_FILE_POSIX_OPEN = 5,
    MB_FILE_CHECKED_CLOSE = 6,
    MB_FILE_LSEEK = 7,
    MB_FILE_FSTAT = 8,
    MB_FILE_STAT = 9,
    MB_FILE_ACCESS = 10,
    MB_FILE_UNLINK = 11,
    MB_FILE_RENAME = 12,
    MB_FILE_MKDIR = 13,
    MB_FILE_RMDIR = 14,
    MB_FILE_READDIR = 15,
    MB_FILE_FTRUNCATE = 16,
    MB_FILE_FSYNC = 17,
    MB_FILE_ARGV = 18,
    MB_FILE_ENV = 19,
    MB_FILE_TIME = 20,
    MB_FILE_RANDOM = 21
};

/* Flags of mb_open; any but MB_OPEN_READ creates the file. */
enum { MB_OPEN_READ = 1, MB_OPEN_WRITE = 2, MB_OPEN_APPEND = 4, MB_OPEN_TRUNCATE = 8 };

/* Flags of mb_posix_open: one of the first three, and a sum of the others. The numbers are Linux's. */
enum {
    MB_O_RDONLY = 0,
    MB_O_WRONLY = 1,
    MB_O_RDWR = 2,
    MB_O_CREAT = 0x40,
    MB_O_EXCL = 0x80,
    MB_O_TRUNC = 0x200,
    MB_O_APPEND = 0x400,
    MB_O_DIRECTORY = 0x10000
};

/* Starts of mb_lseek's offset, and permissions of mb_access. */
enum { MB_SEEK_SET = 0, MB_SEEK_CUR = 1, MB_SEEK_END = 2 };
enum { MB_F_OK = 0, MB_X_OK = 1, MB_W_OK = 2, MB_R_OK = 4 };

/* Descriptors of the standard streams. */
enum { MB_STDIN = 0, MB_STDOUT = 1, MB_STDERR = 2 };

/* Types of files, as in mb_dirent, and in the upper bits of the mode of mb_stat. */
enum { MB_DT_UNKNOWN = 0, MB_DT_FIFO = 1, MB_DT_CHR = 2, MB_DT_DIR = 4, MB_DT_BLK = 6, MB_DT_REG = 8, MB_DT_LNK = 10, MB_DT_SOCK = 12 };
#define MB_FILE_TYPE(mode) ((mode) >> 12 & 0xfu)

/* Time since 1970 if the host's configuration says wall time, else since the first tick. */
typedef struct {
    int64_t seconds;
    uint64_t nanoseconds;
} mb_time;

/* Status of a file. */
typedef struct {
    uint64_t size;
    uint64_t inode;
    uint64_t blocks; /* of 512 bytes */
    mb_time accessed;
    mb_time modified;
    mb_time changed;
    uint32_t mode;
    uint32_t links;
} mb_stat;

/* Entry of a directory; the next one is `size` bytes behind it. The name ends with NUL. */
typedef struct {
    uint64_t inode;
    uint16_t size;
    uint8_t type;
    uint8_t length;
    char name[4];
} mb_dirent;

#define MB_NAME_MAX 255
#define MB_DIRENT_MAX 272 /* size of the longest entry */

MB_ASSERT(time_size, sizeof(mb_time) == 16);
MB_ASSERT(stat_size, sizeof(mb_stat) == 80);
MB_ASSERT(stat_mode, offsetof(mb_stat, mode) == 72);
MB_ASSERT(dirent_name, offsetof(mb_dirent, name) == 12);

/* Errors, as a request answers them negated. There are others: the numbers are Linux's. */
enum {
    MB_ENOENT = 2,
    MB_EIO = 5,
    MB_EBADF = 9,
    MB_EACCES = 13,
    MB_EFAULT = 14,
    MB_EEXIST = 17,
    MB_ENOTDIR = 20,
    MB_EISDIR = 21,
    MB_EINVAL = 22,
    MB_EMFILE = 24,
    MB_EFBIG = 27,
    MB_ENOSPC = 28,
    MB_ESPIPE = 29,
    MB_EROFS = 30,
    MB_ERANGE = 34,
    MB_ENAMETOOLONG = 36,
    MB_ENOSYS = 38,
    MB_ENOTEMPTY = 39,
    MB_ELOOP = 40
};

/* ---- Single steps, none of which waits ---------------------------------------------------------------------- */

/* Orders accesses before it and after it, for the compiler and for the CPU. */
#define MB_FENCE() __sync_synchronize()

/* Cache maintenance takes plain pointers: it reads and writes nothing itself. */
#define MB_CLEAN(ptr, len) MB_CACHE_CLEAN((void *)(uintptr_t)(ptr), (size_t)(len))
#define MB_INVALIDATE(ptr, len) MB_CACHE_INVALIDATE((void *)(uintptr_t)(ptr), (size_t)(len))

/* Tells the compiler that the host may have written what a pointer points to. */
#define MB_WRITTEN(ptr) __asm__ __volatile__("" : : "r"(ptr) : "memory")

/* Stores a word that tells the host of what was written before it. */
static inline void mb_publish(volatile uint32_t *word, uint32_t value)
{
    MB_FENCE();
    *word = value;
    MB_CLEAN(word, sizeof *word);
    MB_FENCE();
}

/* Loads a word that the host writes. */
static inline uint32_t mb_refresh(volatile uint32_t *word)
{
    MB_INVALIDATE(word, sizeof *word);
    return *word;
}

/* Begins a handshake; requests may be sent once mb_is_ready. */
static inline void mb_start_reset(mb_channel *ch)
{
    mb_publish(&ch->request.offer, MB_NEWEST);
    mb_publish(&ch->version, MB_VERSION);
    mb_publish(&ch->state, MB_STATE_INIT);
    mb_publish(&ch->request.idx_p, 0);
    mb_publish(&ch->request.idx_c.value, 0);
    mb_publish(&ch->response.idx_p, 0);
    mb_publish(&ch->response.idx_c.value, 0);
}

/* Whether the host has answered the handshake. */
static inline int mb_is_ready(mb_channel *ch)
{
    return mb_refresh(&ch->state) == MB_STATE_READY;
}

/* The protocol version that the host has chosen in the handshake: MB_VERSION, or MB_NEWEST. */
static inline uint32_t mb_version(mb_channel *ch)
{
    return mb_refresh(&ch->version);
}

/* Puts a request into the queue, whose arguments are `fixed`, then `rest`, 20 at most. Returns 0 when there is no
 * room. */
static inline int mb_try_send(mb_channel *ch, uint32_t action, const mb_word *fixed, size_t fixed_words,
                              const mb_word *rest, size_t rest_words)
{
    unsigned long irq = MB_IRQ_SAVE();
    uint32_t idx_p = ch->request.idx_p;
    uint32_t idx_c = mb_refresh(&ch->request.idx_c.value);
    int room = ((idx_p ^ idx_c) & (2 * MB_QUEUE_LEN - 1)) != MB_QUEUE_LEN;
    if (room) {
        volatile mb_request_entry *entry = &ch->request.entries[idx_p & (MB_QUEUE_LEN - 1)];
        size_t words = 0;
        size_t i;
        for (i = 0; i < fixed_words && words < MB_REQUEST_ARGS; i++)
            entry->args[words++] = fixed[i];
        for (i = 0; i < rest_words && words < MB_REQUEST_ARGS; i++)
            entry->args[words++] = rest[i];
        entry->action = action;
        entry->words = (uint32_t)words;
        MB_CLEAN(entry, offsetof(mb_request_entry, args) + words * sizeof(mb_word));
        mb_publish(&ch->request.idx_p, idx_p + 1);
    }
    MB_IRQ_RESTORE(irq);
    return room;
}

/* Takes the next response. Returns 0 when there is none. */
static inline int mb_try_receive(mb_channel *ch, mb_response_entry *response)
{
    uint32_t idx_p = mb_refresh(&ch->response.idx_p);
    uint32_t idx_c = ch->response.idx_c.value;
    volatile mb_response_entry *entry = &ch->response.entries[idx_c & (MB_QUEUE_LEN - 1)];
    if (((idx_p ^ idx_c) & (2 * MB_QUEUE_LEN - 1)) == 0)
        return 0;
    MB_FENCE();
    MB_INVALIDATE(entry, sizeof *entry);
    response->words = entry->words;
    response->rets = entry->rets;
    mb_publish(&ch->response.idx_c.value, idx_c + 1);
    return 1;
}

/* ---- Steps that wait ---------------------------------------------------------------------------------------- */

/* Waits for room, and sends. */
static inline void mb_send(mb_channel *ch, uint32_t action, const mb_word *fixed, size_t fixed_words,
                           const mb_word *rest, size_t rest_words)
{
    while (!mb_try_send(ch, action, fixed, fixed_words, rest, rest_words))
        MB_WAIT();
}

/* Sends a request that has a response, and waits for it. */
static inline mb_response_entry mb_ask(mb_channel *ch, uint32_t action, const mb_word *fixed, size_t fixed_words,
                                       const mb_word *rest, size_t rest_words)
{
    mb_response_entry response;
    mb_send(ch, action, fixed, fixed_words, rest, rest_words);
    while (!mb_try_receive(ch, &response))
        MB_WAIT();
    return response;
}

/* Writes back a string that the host is going to read. */
static inline mb_word mb_lend_str(const char *string)
{
    size_t len = 0;
    while (string[len] != '\0')
        len++;
    MB_CLEAN(string, len + 1);
    return (mb_word)string;
}

#if MB_CLEANS
/* Writes back the strings that conversions of a format take from `words`. `wide` is the number of words that an integer
 * of 64 bits takes. Returns the number of words that the format takes. */
static inline size_t mb_lend_strings(const char *format, const mb_word *words, size_t count, size_t wide)
{
    size_t next = 0;
    while (*format != '\0') {
        mb_word limit = 4096; /* the host reads no more of a string */
        unsigned longs = 0;
        if (*format++ != '%')
            continue;
        if (*format == '%') {
            format++;
            continue;
        }
        while (*format == '-' || *format == '+' || *format == ' ' || *format == '#' || *format == '0')
            format++;
        for (; *format == '*' || (*format >= '0' && *format <= '9'); format++)
            next += *format == '*';
        if (*format == '.') {
            mb_word precision = 0;
            format++;
            if (*format == '*') {
                /* A negative precision is none. */
                precision = next < count && (int32_t)words[next] >= 0 ? words[next] : limit;
                next++;
                format++;
            }
            for (; *format >= '0' && *format <= '9'; format++)
                precision = precision < limit ? precision * 10 + (mb_word)(*format - '0') : limit;
            limit = precision < limit ? precision : limit;
        }
        for (; *format == 'h' || *format == 'l' || *format == 'j' || *format == 'z' || *format == 't'; format++)
            longs += *format == 'j' ? 2 : *format == 'l';
        if (*format == '\0')
            break;
        if (*format == 's' && wide != 0 && next < count && words[next] != 0) {
            const char *string = (const char *)words[next];
            size_t len = 0;
            while (len < limit && string[len] != '\0')
                len++;
            MB_CLEAN(string, len < limit ? len + 1 : len);
        }
        next += longs >= 2 && wide > 1 ? wide : 1;
        format++;
    }
    return next;
}
#endif

/* ---- Memory of mb_call and mb_custom ------------------------------------------------------------------------ */

/* Writes back memory that a method or a command is going to read or write, and returns its address: an argument of
 * mb_call or mb_custom. */
static inline void *mb_lend(void *memory, size_t len)
{
    MB_CLEAN(memory, len);
    return memory;
}

/* Drops what the cache has of memory that a method or a command has written. */
static inline void mb_take_back(void *memory, size_t len)
{
    MB_INVALIDATE(memory, len);
    MB_WRITTEN(memory);
}

/* ---- Services ----------------------------------------------------------------------------------------------- */

/* Resets the channel and waits until the host is ready. Whatever was under way is dropped. */
static inline void mb_reset(mb_channel *ch)
{
    mb_start_reset(ch);
    while (!mb_is_ready(ch))
        MB_WAIT();
}

/* Waits until the host has taken every request. */
static inline void mb_flush(mb_channel *ch)
{
    while (mb_refresh(&ch->request.idx_c.value) != ch->request.idx_p)
        MB_WAIT();
}

/* Tells the host that the firmware has finished. The channel is over; what the CPU does next is up to the caller. */
static inline void mb_exit(mb_channel *ch, uint32_t code)
{
    const mb_word arg = code;
    mb_send(ch, MB_EXIT, &arg, 1, NULL, 0);
}

/* The exit code of a word: one that 32 bits don't hold is 0xffffffff, since its low half may be the 0 of success. */
static inline uint32_t mb_exit_code(mb_word code)
{
    int held = code == (uint32_t)code || code == (mb_word)(mb_sword)(int32_t)(uint32_t)code;
    return held ? (uint32_t)code : 0xffffffffu;
}

/* Prints `len` bytes of UTF-8. */
static inline mb_sword mb_write_text(mb_channel *ch, const char *text, size_t len)
{
    mb_word args[2];
    args[0] = len;
    args[1] = (mb_word)text;
    MB_CLEAN(text, len);
    return (mb_sword)mb_ask(ch, MB_PRINT, args, 2, NULL, 0).rets;
}

/* Prints a string. */
static inline mb_sword mb_print(mb_channel *ch, const char *string)
{
    size_t len = 0;
    while (string[len] != '\0')
        len++;
    return mb_write_text(ch, string, len);
}

/* Prints as printf does, without waiting: the strings, also those that arguments point to, must stay until the host has
 * read them. `words` are the format and up to 17 arguments. The macro mb_printf calls this. */
static inline void mb_cprint(mb_channel *ch, const char *file, uint32_t line, const mb_word *words, size_t count)
{
    const char *format = (const char *)words[0];
    mb_word fixed[3];
    fixed[0] = mb_lend_str(format);
    fixed[1] = mb_lend_str(file);
    fixed[2] = line;
#if MB_CLEANS
    {
        /* Firmware that passes one word for each argument prints 64 bits as one word: the host sees that by the number. */
        size_t narrow = mb_lend_strings(format, words + 1, count - 1, 0);
        mb_lend_strings(format, words + 1, count - 1, narrow == count - 1 ? 1 : MB_BY_WIDTH(2, 1));
    }
#endif
    mb_send(ch, MB_CPRINT, fixed, 3, words + 1, count - 1);
}

/* Copies memory; the regions may overlap. */
static inline mb_sword mb_memmove(mb_channel *ch, void *dest, const void *src, size_t len)
{
    mb_word args[3];
    mb_sword result;
    args[0] = (mb_word)dest;
    args[1] = (mb_word)src;
    args[2] = len;
    MB_CLEAN(src, len);
    MB_CLEAN(dest, len);
    result = (mb_sword)mb_ask(ch, MB_MEMMOVE, args, 3, NULL, 0).rets;
    MB_INVALIDATE(dest, len);
    return result;
}

/* Fills memory. */
static inline mb_sword mb_memset(mb_channel *ch, void *dest, uint8_t byte, size_t len)
{
    mb_word args[3];
    mb_sword result;
    args[0] = (mb_word)dest;
    args[1] = byte;
    args[2] = len;
    MB_CLEAN(dest, len);
    result = (mb_sword)mb_ask(ch, MB_MEMSET, args, 3, NULL, 0).rets;
    MB_INVALIDATE(dest, len);
    return result;
}

/* Compares memory: the difference of the first bytes that differ, 0 when none do. Of memory that the host can't read it
 * is -MB_EFAULT, which is a difference too. */
static inline mb_sword mb_memcmp(mb_channel *ch, const void *s1, const void *s2, size_t len)
{
    mb_word args[3];
    args[0] = (mb_word)s1;
    args[1] = (mb_word)s2;
    args[2] = len;
    MB_CLEAN(s1, len);
    MB_CLEAN(s2, len);
    return (mb_sword)mb_ask(ch, MB_MEMCMP, args, 3, NULL, 0).rets;
}

/* Calls a method of the testbench, and returns its result as it is. `words` are the method's name and up to 19
 * arguments. The macro mb_call calls this. */
static inline mb_word mb_call_words(mb_channel *ch, const mb_word *words, size_t count)
{
    mb_word result;
    mb_lend_str((const char *)words[0]);
    if (count > 1)
        MB_CACHE_FLUSH();
    result = mb_ask(ch, MB_CALL, words, count, NULL, 0).rets;
    if (count > 1)
        MB_CACHE_FLUSH();
    return result;
}

/* Asks for a custom command, and returns its value, 0 when it has none. `words` are the command's id and up to 19
 * arguments. The macro mb_custom calls this. */
static inline mb_word mb_custom_words(mb_channel *ch, const mb_word *words, size_t count)
{
    mb_word result;
    if (count > 1)
        MB_CACHE_FLUSH();
    result = mb_ask(ch, MB_OTHER, words, count, NULL, 0).rets;
    if (count > 1)
        MB_CACHE_FLUSH();
    return result;
}

/* Opens a file below the host's root: its descriptor. Flags are MB_OPEN_... */
static inline mb_sword mb_open(mb_channel *ch, const char *path, uint32_t flags)
{
    mb_word args[3];
    args[0] = MB_FILE_OPEN;
    args[1] = mb_lend_str(path);
    args[2] = flags;
    return (mb_sword)mb_ask(ch, MB_FILE, args, 3, NULL, 0).rets;
}

/* Closes a file. There is no answer: a wrong descriptor is reported by the host alone. */
static inline void mb_close(mb_channel *ch, mb_sword fd)
{
    mb_word args[2];
    args[0] = MB_FILE_CLOSE;
    args[1] = (mb_word)fd;
    mb_send(ch, MB_FILE, args, 2, NULL, 0);
}

/* Reads up to `len` bytes: how many were read, 0 at the end of the file. */
static inline mb_sword mb_read(mb_channel *ch, mb_sword fd, void *buf, size_t len)
{
    mb_word args[4];
    mb_sword result;
    if (len == 0)
        return 0; /* on the wire, a length of 0 is the rest of the file */
    args[0] = MB_FILE_READ;
    args[1] = (mb_word)fd;
    args[2] = (mb_word)buf;
    args[3] = len;
    MB_CLEAN(buf, len);
    result = (mb_sword)mb_ask(ch, MB_FILE, args, 4, NULL, 0).rets;
    MB_INVALIDATE(buf, len);
    return result;
}

/* Reads the rest of the file, however long it is, into memory that is not in the cache: how many bytes were read. */
static inline mb_sword mb_read_rest(mb_channel *ch, mb_sword fd, void *buf)
{
    mb_word args[4];
    mb_sword result;
    args[0] = MB_FILE_READ;
    args[1] = (mb_word)fd;
    args[2] = (mb_word)buf;
    args[3] = 0;
    result = (mb_sword)mb_ask(ch, MB_FILE, args, 4, NULL, 0).rets;
    if (result > 0)
        MB_INVALIDATE(buf, result);
    return result;
}

/* Writes: how many bytes were written. */
static inline mb_sword mb_write(mb_channel *ch, mb_sword fd, const void *data, size_t len)
{
    mb_word args[4];
    args[0] = MB_FILE_WRITE;
    args[1] = (mb_word)fd;
    args[2] = (mb_word)data;
    args[3] = len;
    MB_CLEAN(data, len);
    return (mb_sword)mb_ask(ch, MB_FILE, args, 4, NULL, 0).rets;
}

/* Sets the position, in bytes from the start of the file: the new one. */
static inline mb_sword mb_seek(mb_channel *ch, mb_sword fd, mb_word position)
{
    mb_word args[3];
    args[0] = MB_FILE_SEEK;
    args[1] = (mb_word)fd;
    args[2] = position;
    return (mb_sword)mb_ask(ch, MB_FILE, args, 3, NULL, 0).rets;
}

/* ---- Services of protocol 0.3: files as in POSIX, arguments, environment, time, random bytes -------------------- */

/* The standard streams are open from the start: mb_read of MB_STDIN waits for input, mb_write takes MB_STDOUT and
 * MB_STDERR. */

/* Asks for an operation of protocol 0.3, whose arguments are behind args[0]. */
static inline mb_sword mb_posix(mb_channel *ch, mb_word *args, size_t words, mb_word operation)
{
    args[0] = operation;
    if (mb_version(ch) < MB_NEWEST)
        return -MB_ENOSYS;
    return (mb_sword)mb_ask(ch, MB_FILE, args, words, NULL, 0).rets;
}

/* Asks for an operation that writes to memory. */
static inline mb_sword mb_posix_into(mb_channel *ch, mb_word *args, size_t words, mb_word operation, void *buf,
                                     size_t len)
{
    mb_sword answer;
    MB_CLEAN(buf, len);
    answer = mb_posix(ch, args, words, operation);
    MB_INVALIDATE(buf, len);
    MB_WRITTEN(buf);
    return answer;
}

/* Asks for an operation on a descriptor alone. */
static inline mb_sword mb_on_fd(mb_channel *ch, mb_word operation, mb_sword fd)
{
    mb_word args[2];
    args[1] = (mb_word)fd;
    return mb_posix(ch, args, 2, operation);
}

/* Asks for an operation on a path, with one more argument unless `words` is 2. */
static inline mb_sword mb_on_path(mb_channel *ch, mb_word operation, const char *path, mb_word more, size_t words)
{
    mb_word args[3];
    args[1] = mb_lend_str(path);
    args[2] = more;
    return mb_posix(ch, args, words, operation);
}

/* Asks for an operation that writes `size` bytes of memory, which are its argument behind `first`. */
static inline mb_sword mb_obtain(mb_channel *ch, mb_word operation, mb_word first, void *result, size_t size)
{
    mb_word args[3];
    args[1] = first;
    args[2] = (mb_word)result;
    return mb_posix_into(ch, args, 3, operation, result, size);
}

/* Asks for an operation whose arguments are memory and its size. */
static inline mb_sword mb_fill(mb_channel *ch, mb_word operation, void *buf, size_t len)
{
    mb_word args[3];
    args[1] = (mb_word)buf;
    args[2] = len;
    return mb_posix_into(ch, args, 3, operation, buf, len);
}

/* Opens a file or a directory below the host's root: its descriptor. Flags are MB_O_...; `mode` has the permissions of a
 * file that is created. */
static inline mb_sword mb_posix_open(mb_channel *ch, const char *path, uint32_t flags, uint32_t mode)
{
    mb_word args[4];
    args[1] = mb_lend_str(path);
    args[2] = flags;
    args[3] = mode;
    return mb_posix(ch, args, 4, MB_FILE_POSIX_OPEN);
}

/* Closes a file or a directory: 0. */
static inline mb_sword mb_checked_close(mb_channel *ch, mb_sword fd)
{
    return mb_on_fd(ch, MB_FILE_CHECKED_CLOSE, fd);
}

/* Sets the position, from MB_SEEK_SET, MB_SEEK_CUR or MB_SEEK_END: the new one, of 64 bits on every CPU. */
static inline int64_t mb_lseek(mb_channel *ch, mb_sword fd, int64_t offset, int whence)
{
    mb_word args[6];
    int64_t position = 0;
    mb_sword answer;
    args[1] = (mb_word)fd;
    args[2] = (mb_word)whence;
    args[3] = (mb_word)((uint64_t)offset & 0xffffffffu);
    args[4] = (mb_word)((uint64_t)offset >> 32);
    args[5] = (mb_word)&position;
    answer = mb_posix_into(ch, args, 6, MB_FILE_LSEEK, &position, sizeof position);
    return answer < 0 ? (int64_t)answer : position;
}

/* Reads the status of an open file or directory, or of a standard stream: 0. */
static inline mb_sword mb_fstat(mb_channel *ch, mb_sword fd, mb_stat *status)
{
    return mb_obtain(ch, MB_FILE_FSTAT, (mb_word)fd, status, sizeof *status);
}

/* Reads the status of a path, symbolic links followed: 0. */
static inline mb_sword mb_stat_path(mb_channel *ch, const char *path, mb_stat *status)
{
    return mb_obtain(ch, MB_FILE_STAT, mb_lend_str(path), status, sizeof *status);
}

/* Checks permissions, a sum of MB_R_OK, MB_W_OK and MB_X_OK, or existence by MB_F_OK: 0. */
static inline mb_sword mb_access(mb_channel *ch, const char *path, uint32_t mode)
{
    return mb_on_path(ch, MB_FILE_ACCESS, path, mode, 3);
}

/* Removes a file or a symbolic link: 0. */
static inline mb_sword mb_unlink(mb_channel *ch, const char *path)
{
    return mb_on_path(ch, MB_FILE_UNLINK, path, 0, 2);
}

/* Renames a file or a directory; an existing file is replaced: 0. */
static inline mb_sword mb_rename(mb_channel *ch, const char *from, const char *to)
{
    return mb_on_path(ch, MB_FILE_RENAME, from, mb_lend_str(to), 3);
}

/* Creates a directory: 0. */
static inline mb_sword mb_mkdir(mb_channel *ch, const char *path, uint32_t mode)
{
    return mb_on_path(ch, MB_FILE_MKDIR, path, mode, 3);
}

/* Removes an empty directory: 0. */
static inline mb_sword mb_rmdir(mb_channel *ch, const char *path)
{
    return mb_on_path(ch, MB_FILE_RMDIR, path, 0, 2);
}

/* Reads the next entries of an open directory, as mb_dirent: their number of bytes, 0 after the last one. MB_DIRENT_MAX
 * bytes have room for any entry. */
static inline mb_sword mb_readdir(mb_channel *ch, mb_sword fd, void *buf, size_t len)
{
    mb_word args[4];
    args[1] = (mb_word)fd;
    args[2] = (mb_word)buf;
    args[3] = len;
    return mb_posix_into(ch, args, 4, MB_FILE_READDIR, buf, len);
}

/* Sets the length of a file that is open for writing: 0. */
static inline mb_sword mb_ftruncate(mb_channel *ch, mb_sword fd, uint64_t len)
{
    mb_word args[4];
    args[1] = (mb_word)fd;
    args[2] = (mb_word)(len & 0xffffffffu);
    args[3] = (mb_word)(len >> 32);
    return mb_posix(ch, args, 4, MB_FILE_FTRUNCATE);
}

/* Has the host write the data of a file to its device: 0. */
static inline mb_sword mb_fsync(mb_channel *ch, mb_sword fd)
{
    return mb_on_fd(ch, MB_FILE_FSYNC, fd);
}

/* Reads the arguments of the program, one after the other, each with its NUL: the number of bytes of all of them, of
 * which those that fit are written. */
static inline mb_sword mb_argv(mb_channel *ch, void *buf, size_t len)
{
    return mb_fill(ch, MB_FILE_ARGV, buf, len);
}

/* Reads the environment of the program, NAME=value, as mb_argv does. */
static inline mb_sword mb_env(mb_channel *ch, void *buf, size_t len)
{
    return mb_fill(ch, MB_FILE_ENV, buf, len);
}

/* Reads the time: 0. */
static inline mb_sword mb_get_time(mb_channel *ch, mb_time *time)
{
    mb_word args[2];
    args[1] = (mb_word)time;
    return mb_posix_into(ch, args, 2, MB_FILE_TIME, time, sizeof *time);
}

/* Fills memory with random bytes: their number. */
static inline mb_sword mb_random(mb_channel *ch, void *buf, size_t len)
{
    return mb_fill(ch, MB_FILE_RANDOM, buf, len);
}

/* The bits of a float. */
static inline mb_word mb_float(float value)
{
    union {
        float value;
        uint32_t bits;
    } as;
    as.value = value;
    return as.bits;
}

#if UINTPTR_MAX == 0xffffffffffffffffu
/* The bits of a double. */
static inline mb_word mb_double(double value)
{
    union {
        double value;
        uint64_t bits;
    } as;
    as.value = value;
    return as.bits;
}
#endif

/* ---- Services with any number of arguments ------------------------------------------------------------------ */

/*
 *     mb_printf(ch, "format", ...)   with up to 17 words of arguments
 *     mb_call(ch, "method", ...)     with up to 19
 *     mb_custom(ch, id, ...)         with up to 19
 *
 * An argument is an integer, an enumerator or a pointer, and becomes one word of the pointer width.
 * One that is wider becomes two words for mb_printf, the low one first, which "%lld" and "%jd" take
 * on a 32-bit CPU; for mb_call and mb_custom it doesn't compile: pass its halves. A floating-point
 * argument doesn't compile either: pass its bits, by mb_float for "%f", "%e", "%g", or by mb_double
 * for "%lf" and so on, where pointers have 64 bits.
 *
 * Each argument is evaluated once. More than fit don't compile.
 *
 * Strings of "%s" are written back from the cache. What pointers of mb_call and mb_custom point to
 * is written back by MB_CACHE_FLUSH; where that is not defined, by mb_lend:
 *
 *     mb_call(ch, "method", mb_lend(buffer, sizeof buffer));
 *     mb_take_back(buffer, sizeof buffer); // if the method writes there
 */
#ifdef __cplusplus

extern "C++" { /* also where the header is included in extern "C" */

/* Names of template parameters begin with mb_, as those of macros may be anything else. */
namespace mb_detail {

template <typename mb_T> struct is_floating { static constexpr bool value = false; };
template <> struct is_floating<float> { static constexpr bool value = true; };
template <> struct is_floating<double> { static constexpr bool value = true; };
template <> struct is_floating<long double> { static constexpr bool value = true; };

/* An argument as one word. */
template <typename mb_T> inline mb_word word(mb_T value)
{
    static_assert(!is_floating<mb_T>::value, "a floating-point argument: pass mb_float(it), or mb_double(it)");
    static_assert(sizeof(mb_T) <= sizeof(mb_word), "an argument is wider than a word: pass its halves");
    return (mb_word)value;
}

inline mb_word word(decltype(nullptr)) { return 0; }

/* An argument of a function whose parameter is of type mb_P. */
template <typename mb_P, typename mb_T> inline mb_P fits(mb_T value)
{
    static_assert(!is_floating<mb_T>::value, "a floating-point argument of an integer parameter");
    static_assert(sizeof(mb_T) <= sizeof(mb_P), "an argument is wider than its parameter");
    return static_cast<mb_P>(value);
}

/* True for a value that 32 bits hold, with a sign or without. */
constexpr bool held(mb_word value) { return value <= 0xffffffffu || value >= ~(mb_word)0x7fffffffu; }

#if defined(__GNUC__) && !defined(__clang__)
void constant_out_of_range() __attribute__((error("a constant is out of the range of its parameter")));
#endif

/* An argument of a parameter of 32 bits or less, of which any word is taken, but no constant that does not fit. */
template <typename mb_P, typename mb_T> inline mb_P low(mb_T value)
{
    const mb_word word = fits<mb_word>(value);
#if defined(__GNUC__) && !defined(__clang__)
    if (__builtin_constant_p(word) && !held(word))
        constant_out_of_range();
#endif
    return (mb_P)word;
}

template <typename mb_T> inline uint32_t exit_code(mb_T value)
{
    const mb_word word = fits<mb_word>(value);
    return sizeof(mb_T) <= sizeof(uint32_t) ? (uint32_t)word : mb_exit_code(word);
}

/* Words that arguments of mb_printf take. */
template <typename... mb_A> struct words { static constexpr size_t count = 0; };
template <typename mb_T, typename... mb_A> struct words<mb_T, mb_A...> {
    static_assert(sizeof(mb_T) <= sizeof(uint64_t), "an argument is wider than 64 bits");
    static constexpr size_t count = (sizeof(mb_T) > sizeof(mb_word) ? 2 : 1) + words<mb_A...>::count;
};

template <bool mb_wide> struct put {
    template <typename mb_T> static void at(mb_word *to, mb_T value) { to[0] = word(value); }
};
template <> struct put<true> {
    template <typename mb_T> static void at(mb_word *to, mb_T value)
    {
        static_assert(!is_floating<mb_T>::value, "a floating-point argument: pass mb_float(it)");
        to[0] = (mb_word)(uint64_t)value;
        to[1] = (mb_word)((uint64_t)value >> 32);
    }
};

inline void put_all(mb_word *) {}
template <typename mb_T, typename... mb_A> inline void put_all(mb_word *to, mb_T value, mb_A... rest)
{
    put<(sizeof(mb_T) > sizeof(mb_word))>::at(to, value);
    put_all(to + words<mb_T>::count, rest...);
}

/* A format, with file and line of the call that it is an argument of. */
struct format {
    const char *text;
    const char *file;
    uint32_t line;

    format(const char *its_text, const char *its_file = __builtin_FILE(), uint32_t its_line = __builtin_LINE())
        : text(its_text), file(its_file), line(its_line)
    {
    }
};

} /* namespace mb_detail */

template <typename... mb_A> inline void mb_printf(mb_channel *ch, mb_detail::format format, mb_A... args)
{
    static_assert(mb_detail::words<mb_A...>::count <= 17, "mb_printf has more than 17 words of arguments");
    mb_word all[1 + mb_detail::words<mb_A...>::count];
    all[0] = (mb_word)format.text;
    mb_detail::put_all(all + 1, args...);
    mb_cprint(ch, format.file, format.line, all, 1 + mb_detail::words<mb_A...>::count);
}

template <typename... mb_A> inline mb_word mb_call(mb_channel *ch, const char *method, mb_A... args)
{
    static_assert(sizeof...(args) <= 19, "mb_call has more than 19 arguments");
    const mb_word words[] = {(mb_word)method, mb_detail::word(args)...};
    return mb_call_words(ch, words, 1 + sizeof...(args));
}

template <typename mb_I, typename... mb_A> inline mb_word mb_custom(mb_channel *ch, mb_I id, mb_A... args)
{
    static_assert(sizeof...(args) <= 19, "mb_custom has more than 19 arguments");
    const mb_word words[] = {mb_detail::word(id), mb_detail::word(args)...};
    return mb_custom_words(ch, words, 1 + sizeof...(args));
}

} /* extern "C++" */

#else /* C */

#define mb_call(ch, ...) mb_call_words((ch), MB_ARRAY(MB_ONE_WORD, __VA_ARGS__), MB_COUNT_TO(20, __VA_ARGS__))
#define mb_custom(ch, ...) mb_custom_words((ch), MB_ARRAY(MB_ONE_WORD, __VA_ARGS__), MB_COUNT_TO(20, __VA_ARGS__))

#if UINTPTR_MAX == 0xffffffffffffffffu
#define mb_printf(ch, ...) \
    mb_cprint((ch), __FILE__, __LINE__, MB_ARRAY(MB_ONE_WORD, __VA_ARGS__), MB_COUNT_TO(18, __VA_ARGS__))
#else
/* The compiler chooses: where no argument is wide, words are stored as they are. */
#define mb_printf(ch, ...) \
    (MB_WIDE(__VA_ARGS__) + \
                 MB_REQUIRE(MB_COUNT(__VA_ARGS__) + MB_WIDE(__VA_ARGS__) <= 18, \
                            mb_request_has_too_many_arguments) == \
             0 \
         ? mb_cprint((ch), __FILE__, __LINE__, MB_ARRAY(MB_LOW_WORD, __VA_ARGS__), MB_COUNT(__VA_ARGS__)) \
         : mb_cprint_wide((ch), __FILE__, __LINE__, (const uint64_t[]){MB_EACH(MB_LONG, __VA_ARGS__)}, \
                          (const unsigned char[]){MB_EACH(MB_SIZE_OF, __VA_ARGS__)}, MB_COUNT(__VA_ARGS__)))

/* Prints as mb_cprint does; of `values`, those whose sizes are more than a word's become two words. */
static inline void mb_cprint_wide(mb_channel *ch, const char *file, uint32_t line, const uint64_t *values,
                                  const unsigned char *sizes, size_t count)
{
    mb_word words[18];
    size_t used = 0;
    size_t i;
    for (i = 0; i < count; i++) {
        words[used++] = (mb_word)values[i];
        if (sizes[i] > sizeof(mb_word))
            words[used++] = (mb_word)(values[i] >> 32);
    }
    mb_cprint(ch, file, line, words, used);
}
#endif

/* Size and type of an argument, where an array is a pointer, and a bit-field an integer. */
#define MB_TYPE(x) __typeof__(1 ? (x) : (x))
#define MB_IS(x, type) __builtin_types_compatible_p(MB_TYPE(x), type)
#define MB_IS_FLOATING(x) (MB_IS(x, float) || MB_IS(x, double) || MB_IS(x, long double))
#define MB_IS_WIDE(x) (sizeof(MB_TYPE(x)) > sizeof(mb_word))

/* 0, or an error that shows `name`: the name of a structure, to which nothing can be added. */
#define MB_REQUIRE(condition, name) __builtin_choose_expr(condition, (mb_word)0, (struct name){0})
struct mb_argument_is_floating_point_pass_mb_float_or_mb_double { char no; };
struct mb_argument_is_wider_than_a_word_pass_its_halves { char no; };
struct mb_argument_is_wider_than_its_parameter { char no; };
struct mb_constant_is_out_of_the_range_of_its_parameter { char no; };
struct mb_argument_is_wider_than_64_bits { char no; };
struct mb_request_has_too_many_arguments { char no; };
#define MB_REQUIRE_BITS(x) MB_REQUIRE(!MB_IS_FLOATING(x), mb_argument_is_floating_point_pass_mb_float_or_mb_double)
#define MB_REQUIRE_ONE_WORD(x) MB_REQUIRE(!MB_IS_WIDE(x), mb_argument_is_wider_than_a_word_pass_its_halves)

/* An argument of a function whose parameter is of this type. It is not converted here: warnings of the compiler's stay. */
#define MB_FITS(type, x) \
    __builtin_choose_expr(MB_IS_FLOATING(x), (struct mb_argument_is_floating_point_pass_mb_float_or_mb_double){0}, \
                          __builtin_choose_expr(sizeof(MB_TYPE(x)) <= sizeof(type), (x), \
                                                (struct mb_argument_is_wider_than_its_parameter){0}))
#define MB_EXIT_CODE(x) \
    __builtin_choose_expr(sizeof(MB_TYPE(x)) <= sizeof(uint32_t), MB_FITS(mb_word, x), mb_exit_code(MB_FITS(mb_word, x)))

/* An argument of a parameter of 32 bits or less, of which any word is taken, but no constant that does not fit. */
#define MB_LOW(x) \
    __builtin_choose_expr(MB_HELD((mb_word)MB_IF_CONSTANT(x)), MB_FITS(mb_word, x), \
                          (struct mb_constant_is_out_of_the_range_of_its_parameter){0})
#define MB_IF_CONSTANT(x) __builtin_choose_expr(__builtin_constant_p(x), (x), 0)
#define MB_HELD(word) ((uint64_t)(word) >> 32 == 0 || (word) >= ~(mb_word)0x7fffffffu)

/* An argument in a list: as a word, by its low word, in 64 bits, by its size. */
#define MB_ONE_WORD(x) (mb_word)(x) + MB_REQUIRE_BITS(x) + MB_REQUIRE_ONE_WORD(x),
#define MB_LOW_WORD(x) (mb_word)(x) + MB_REQUIRE_BITS(x),
#define MB_LONG(x) (uint64_t)__builtin_choose_expr(MB_IS_WIDE(x), (x), (mb_word)(x)),
#define MB_SIZE_OF(x) \
    (unsigned char)(sizeof(MB_TYPE(x)) + MB_REQUIRE(sizeof(MB_TYPE(x)) <= 8, mb_argument_is_wider_than_64_bits)),

/* The number of arguments that are wider than a word. */
#define MB_WIDE(...) (0 MB_EACH(MB_PLUS_WIDE, __VA_ARGS__))
#define MB_PLUS_WIDE(x) +MB_IS_WIDE(x)

#define MB_ARRAY(item, ...) ((const mb_word[]){MB_EACH(item, __VA_ARGS__)})

/* The number of arguments, an error when they are more than `most`. */
#define MB_COUNT_TO(most, ...) \
    ((size_t)MB_COUNT(__VA_ARGS__) + MB_REQUIRE(MB_COUNT(__VA_ARGS__) <= (most), mb_request_has_too_many_arguments))
#define MB_COUNT(...) \
    MB_41ST(__VA_ARGS__, 21, 21, 21, 21, 21, 21, 21, 21, 21, 21, 21, 21, 21, 21, 21, 21, 21, 21, 21, 21, 20, 19, 18, \
            17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define MB_41ST(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, a2, b2, c2, d2, e2, f2, g2, h2, i2, j2, k2, \
                l2, m2, n2, o2, p2, q2, r2, s2, t2, n41, ...) \
    n41

/* `item` of each argument. */
#define MB_EACH(item, ...) MB_CAT(MB_EACH_, MB_COUNT(__VA_ARGS__))(item, __VA_ARGS__)
#define MB_CAT(a, b) MB_CAT_(a, b)
#define MB_CAT_(a, b) a##b
#define MB_EACH_1(item, a) item(a)
#define MB_EACH_2(item, a, ...) item(a) MB_EACH_1(item, __VA_ARGS__)
#define MB_EACH_3(item, a, ...) item(a) MB_EACH_2(item, __VA_ARGS__)
#define MB_EACH_4(item, a, ...) item(a) MB_EACH_3(item, __VA_ARGS__)
#define MB_EACH_5(item, a, ...) item(a) MB_EACH_4(item, __VA_ARGS__)
#define MB_EACH_6(item, a, ...) item(a) MB_EACH_5(item, __VA_ARGS__)
#define MB_EACH_7(item, a, ...) item(a) MB_EACH_6(item, __VA_ARGS__)
#define MB_EACH_8(item, a, ...) item(a) MB_EACH_7(item, __VA_ARGS__)
#define MB_EACH_9(item, a, ...) item(a) MB_EACH_8(item, __VA_ARGS__)
#define MB_EACH_10(item, a, ...) item(a) MB_EACH_9(item, __VA_ARGS__)
#define MB_EACH_11(item, a, ...) item(a) MB_EACH_10(item, __VA_ARGS__)
#define MB_EACH_12(item, a, ...) item(a) MB_EACH_11(item, __VA_ARGS__)
#define MB_EACH_13(item, a, ...) item(a) MB_EACH_12(item, __VA_ARGS__)
#define MB_EACH_14(item, a, ...) item(a) MB_EACH_13(item, __VA_ARGS__)
#define MB_EACH_15(item, a, ...) item(a) MB_EACH_14(item, __VA_ARGS__)
#define MB_EACH_16(item, a, ...) item(a) MB_EACH_15(item, __VA_ARGS__)
#define MB_EACH_17(item, a, ...) item(a) MB_EACH_16(item, __VA_ARGS__)
#define MB_EACH_18(item, a, ...) item(a) MB_EACH_17(item, __VA_ARGS__)
#define MB_EACH_19(item, a, ...) item(a) MB_EACH_18(item, __VA_ARGS__)
#define MB_EACH_20(item, a, ...) item(a) MB_EACH_19(item, __VA_ARGS__)
#define MB_EACH_21(item, ...) (struct mb_request_has_too_many_arguments){0}

#endif /* C */

/* ---- Refusal of integers that are wider than a parameter ------------------------------------------------------ */

/*
 * C would drop the upper half of an offset of 64 bits on a 32-bit CPU without a word. A cast in the
 * call says that this is wanted. A byte and flags are taken of any word, as C does, but for
 * constants that 32 bits don't hold (GCC sees these in C++ where it optimises). In C the functions
 * themselves are behind their names in parentheses: (mb_seek)(ch, fd, position).
 */
#ifdef __cplusplus

/* Overloads, so that members of classes may have the same names. Each calls the function above, whose parameters are
 * its arguments' types then. */
extern "C++" {

/* Clang knows the constants of a call by its arguments. */
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wgcc-compat"
#define MB_HELD(x) \
    __attribute__((diagnose_if(!mb_detail::held((mb_word)(x)), "a constant is out of the range of its parameter", "error")))
#else
#define MB_HELD(x)
#endif

template <typename mb_T> inline void mb_exit(mb_channel *ch, mb_T code)
{
    mb_exit(ch, mb_detail::exit_code(code));
}

template <typename mb_L> inline mb_sword mb_write_text(mb_channel *ch, const char *text, mb_L len)
{
    return mb_write_text(ch, text, mb_detail::fits<size_t>(len));
}

template <typename mb_L> inline mb_sword mb_memmove(mb_channel *ch, void *dest, const void *src, mb_L len)
{
    return mb_memmove(ch, dest, src, mb_detail::fits<size_t>(len));
}

/* As C's memset it takes an int, and of that the low byte. */
template <typename mb_B, typename mb_L>
inline mb_sword mb_memset(mb_channel *ch, void *dest, mb_B byte, mb_L len) MB_HELD(byte)
{
    return mb_memset(ch, dest, mb_detail::low<uint8_t>(byte), mb_detail::fits<size_t>(len));
}

template <typename mb_L> inline mb_sword mb_memcmp(mb_channel *ch, const void *s1, const void *s2, mb_L len)
{
    return mb_memcmp(ch, s1, s2, mb_detail::fits<size_t>(len));
}

template <typename mb_F> inline mb_sword mb_open(mb_channel *ch, const char *path, mb_F flags) MB_HELD(flags)
{
    return mb_open(ch, path, mb_detail::low<uint32_t>(flags));
}

template <typename mb_D> inline void mb_close(mb_channel *ch, mb_D fd)
{
    mb_close(ch, mb_detail::fits<mb_sword>(fd));
}

template <typename mb_D, typename mb_L> inline mb_sword mb_read(mb_channel *ch, mb_D fd, void *buf, mb_L len)
{
    return mb_read(ch, mb_detail::fits<mb_sword>(fd), buf, mb_detail::fits<size_t>(len));
}

template <typename mb_D> inline mb_sword mb_read_rest(mb_channel *ch, mb_D fd, void *buf)
{
    return mb_read_rest(ch, mb_detail::fits<mb_sword>(fd), buf);
}

template <typename mb_D, typename mb_L> inline mb_sword mb_write(mb_channel *ch, mb_D fd, const void *data, mb_L len)
{
    return mb_write(ch, mb_detail::fits<mb_sword>(fd), data, mb_detail::fits<size_t>(len));
}

template <typename mb_D, typename mb_P> inline mb_sword mb_seek(mb_channel *ch, mb_D fd, mb_P position)
{
    return mb_seek(ch, mb_detail::fits<mb_sword>(fd), mb_detail::fits<mb_word>(position));
}

template <typename mb_F, typename mb_M>
inline mb_sword mb_posix_open(mb_channel *ch, const char *path, mb_F flags, mb_M mode) MB_HELD(flags) MB_HELD(mode)
{
    return mb_posix_open(ch, path, mb_detail::low<uint32_t>(flags), mb_detail::low<uint32_t>(mode));
}

template <typename mb_D> inline mb_sword mb_checked_close(mb_channel *ch, mb_D fd)
{
    return mb_checked_close(ch, mb_detail::fits<mb_sword>(fd));
}

template <typename mb_D, typename mb_O, typename mb_W>
inline int64_t mb_lseek(mb_channel *ch, mb_D fd, mb_O offset, mb_W whence)
{
    return mb_lseek(ch, mb_detail::fits<mb_sword>(fd), mb_detail::fits<int64_t>(offset), mb_detail::fits<int>(whence));
}

template <typename mb_D> inline mb_sword mb_fstat(mb_channel *ch, mb_D fd, mb_stat *status)
{
    return mb_fstat(ch, mb_detail::fits<mb_sword>(fd), status);
}

template <typename mb_M> inline mb_sword mb_access(mb_channel *ch, const char *path, mb_M mode) MB_HELD(mode)
{
    return mb_access(ch, path, mb_detail::low<uint32_t>(mode));
}

template <typename mb_M> inline mb_sword mb_mkdir(mb_channel *ch, const char *path, mb_M mode) MB_HELD(mode)
{
    return mb_mkdir(ch, path, mb_detail::low<uint32_t>(mode));
}

template <typename mb_D, typename mb_L> inline mb_sword mb_readdir(mb_channel *ch, mb_D fd, void *buf, mb_L len)
{
    return mb_readdir(ch, mb_detail::fits<mb_sword>(fd), buf, mb_detail::fits<size_t>(len));
}

template <typename mb_D, typename mb_L> inline mb_sword mb_ftruncate(mb_channel *ch, mb_D fd, mb_L len)
{
    return mb_ftruncate(ch, mb_detail::fits<mb_sword>(fd), mb_detail::fits<uint64_t>(len));
}

template <typename mb_D> inline mb_sword mb_fsync(mb_channel *ch, mb_D fd)
{
    return mb_fsync(ch, mb_detail::fits<mb_sword>(fd));
}

template <typename mb_L> inline mb_sword mb_argv(mb_channel *ch, void *buf, mb_L len)
{
    return mb_argv(ch, buf, mb_detail::fits<size_t>(len));
}

template <typename mb_L> inline mb_sword mb_env(mb_channel *ch, void *buf, mb_L len)
{
    return mb_env(ch, buf, mb_detail::fits<size_t>(len));
}

template <typename mb_L> inline mb_sword mb_random(mb_channel *ch, void *buf, mb_L len)
{
    return mb_random(ch, buf, mb_detail::fits<size_t>(len));
}

#ifdef __clang__
#pragma clang diagnostic pop
#endif

} /* extern "C++" */

#else /* C */

#define mb_exit(ch, code) mb_exit((ch), MB_EXIT_CODE(code))
#define mb_write_text(ch, text, len) mb_write_text((ch), (text), MB_FITS(size_t, len))
#define mb_memmove(ch, dest, src, len) mb_memmove((ch), (dest), (src), MB_FITS(size_t, len))
/* As C's memset it takes an int, and of that the low byte. */
#define mb_memset(ch, dest, byte, len) mb_memset((ch), (dest), MB_LOW(byte) & 0xff, MB_FITS(size_t, len))
#define mb_memcmp(ch, s1, s2, len) mb_memcmp((ch), (s1), (s2), MB_FITS(size_t, len))
#define mb_open(ch, path, flags) mb_open((ch), (path), MB_LOW(flags))
#define mb_close(ch, fd) mb_close((ch), MB_FITS(mb_sword, fd))
#define mb_read(ch, fd, buf, len) mb_read((ch), MB_FITS(mb_sword, fd), (buf), MB_FITS(size_t, len))
#define mb_read_rest(ch, fd, buf) mb_read_rest((ch), MB_FITS(mb_sword, fd), (buf))
#define mb_write(ch, fd, data, len) mb_write((ch), MB_FITS(mb_sword, fd), (data), MB_FITS(size_t, len))
#define mb_seek(ch, fd, position) mb_seek((ch), MB_FITS(mb_sword, fd), MB_FITS(mb_word, position))
#define mb_posix_open(ch, path, flags, mode) mb_posix_open((ch), (path), MB_LOW(flags), MB_LOW(mode))
#define mb_checked_close(ch, fd) mb_checked_close((ch), MB_FITS(mb_sword, fd))
#define mb_lseek(ch, fd, offset, whence) \
    mb_lseek((ch), MB_FITS(mb_sword, fd), MB_FITS(int64_t, offset), MB_FITS(int, whence))
#define mb_fstat(ch, fd, status) mb_fstat((ch), MB_FITS(mb_sword, fd), (status))
#define mb_access(ch, path, mode) mb_access((ch), (path), MB_LOW(mode))
#define mb_mkdir(ch, path, mode) mb_mkdir((ch), (path), MB_LOW(mode))
#define mb_readdir(ch, fd, buf, len) mb_readdir((ch), MB_FITS(mb_sword, fd), (buf), MB_FITS(size_t, len))
#define mb_ftruncate(ch, fd, len) mb_ftruncate((ch), MB_FITS(mb_sword, fd), MB_FITS(uint64_t, len))
#define mb_fsync(ch, fd) mb_fsync((ch), MB_FITS(mb_sword, fd))
#define mb_argv(ch, buf, len) mb_argv((ch), (buf), MB_FITS(size_t, len))
#define mb_env(ch, buf, len) mb_env((ch), (buf), MB_FITS(size_t, len))
#define mb_random(ch, buf, len) mb_random((ch), (buf), MB_FITS(size_t, len))

#endif /* C */

#endif /* MAILBOX_H */
