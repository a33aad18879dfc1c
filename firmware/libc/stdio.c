/*
 * Streams of picolibc on descriptors of the host.
 *
 * picolibc's own streams move single bytes, and are not flushed at the end of a program. These move
 * whole blocks, and are in a list. Formats, lines and single characters are the library's, which
 * calls the functions of `struct __file_ext`.
 *
 * Standard output is line-buffered on a terminal, and fully buffered otherwise; standard error is
 * line-buffered. Both are flushed before a read of standard input.
 */
#include "host.h"

#ifdef __PICOLIBC__

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK 4096

enum { IDLE, READING, WRITING };

typedef struct stream {
    struct __file_ext ext;
    struct stream *next;
    int fd;
    unsigned char state;
    unsigned char mode; /* _IOFBF, _IOLBF, _IONBF, or UNDECIDED */
    unsigned char owns_buffer;
    unsigned char is_static;
    char *path;   /* NULL if unknown */
    char *buffer; /* NULL until the first use */
    size_t size;
    size_t start; /* offset of the first unread byte */
    size_t end;   /* offset behind the bytes that were read, or will be written */
    char spare[1];
} stream;

#define UNDECIDED 3

static int put(char c, FILE *file);
static int get(FILE *file);
static int flush(FILE *file);
static int close_stream(FILE *file);
static off_t seek(FILE *file, off_t offset, int whence);
static int set_buffer(FILE *file, char *buffer, int mode, size_t size);

#define STANDARD(number, flags, buffering, following) \
    { \
        .ext = FDEV_SETUP_EXT(put, get, flush, close_stream, seek, set_buffer, flags), .next = following, \
        .fd = number, .mode = buffering, .is_static = 1 \
    }

static stream input = STANDARD(0, __SRD, _IOFBF, NULL);
static stream output = STANDARD(1, __SWR, UNDECIDED, &input);
static stream error = STANDARD(2, __SWR, _IOLBF, &output);

FILE *const stdin = &input.ext.cfile.file;
FILE *const stdout = &output.ext.cfile.file;
FILE *const stderr = &error.ext.cfile.file;

/* List of all open streams. */
static stream *streams = &error;

/* Returns the stream of a file; NULL for one of another kind, such as that of sprintf. */
static stream *own(FILE *file)
{
    return (file->flags & __SEXT) && file->put == put ? (stream *)file : NULL;
}

/* Allocates the buffer, of one byte if there is no memory. */
static void prepare(stream *s)
{
    if (s->mode == UNDECIDED) {
        int number = errno;
        s->mode = isatty(s->fd) ? _IOLBF : _IOFBF;
        errno = number;
    }
    if (s->buffer != NULL)
        return;
    if (s->mode != _IONBF && (s->buffer = malloc(BLOCK)) != NULL) {
        s->owns_buffer = 1;
        s->size = BLOCK;
    } else {
        s->buffer = s->spare;
        s->size = 1;
    }
}

/* Writes bytes to the descriptor. Returns the number of bytes written: fewer after an error. */
static size_t write_all(stream *s, const char *data, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t written = write(s->fd, data + done, size - done);
        if (written <= 0) {
            s->ext.cfile.file.flags |= __SERR;
            break;
        }
        done += (size_t)written;
    }
    return done;
}

/* Writes pending bytes, or seeks back over unread ones. */
static int flush(FILE *file)
{
    stream *s = (stream *)file;
    int result = 0;
    if (s->state == WRITING) {
        result = write_all(s, s->buffer, s->end) < s->end ? EOF : 0;
    } else if (s->state == READING && s->start < s->end) {
        int number = errno;
        lseek(s->fd, -(off_t)(s->end - s->start), SEEK_CUR);
        errno = number; /* a pipe can't seek back */
    }
    s->state = IDLE;
    s->start = s->end = 0;
    return result;
}

static int put(char c, FILE *file)
{
    stream *s = (stream *)file;
    if (s->state != WRITING) {
        flush(file);
        prepare(s);
        s->state = WRITING;
    }
    s->buffer[s->end++] = c;
    if (s->end < s->size && (c != '\n' || s->mode != _IOLBF))
        return (unsigned char)c;
    return flush(file) < 0 ? _FDEV_ERR : (unsigned char)c;
}

/* Reads the next block. Returns its number of bytes, _FDEV_EOF or _FDEV_ERR. */
static int fill(stream *s)
{
    ssize_t bytes;
    if (s->state == WRITING && flush(&s->ext.cfile.file) < 0)
        return _FDEV_ERR;
    prepare(s);
    s->state = READING;
    s->start = s->end = 0;
    bytes = read(s->fd, s->buffer, s->size);
    if (bytes <= 0)
        return bytes == 0 ? _FDEV_EOF : _FDEV_ERR;
    s->end = (size_t)bytes;
    return (int)bytes;
}

static int get(FILE *file)
{
    stream *s = (stream *)file;
    if (s->state != READING || s->start == s->end) {
        int bytes = fill(s);
        if (bytes < 0)
            return bytes;
    }
    return (unsigned char)s->buffer[s->start++];
}

/* Moves a pushed-back character into the buffer, since positions count it as unread. */
static void take_pushed(stream *s)
{
    FILE *file = &s->ext.cfile.file;
    if (file->unget != 0 && s->state == READING && s->start > 0) {
        s->buffer[--s->start] = (char)file->unget; /* the low bits; others are a flag */
        file->unget = 0;
    }
}

static off_t seek(FILE *file, off_t offset, int whence)
{
    stream *s = (stream *)file;
    take_pushed(s);
    if (s->state == WRITING) {
        if (flush(file) < 0)
            return -1;
    } else if (s->state == READING && whence == SEEK_CUR) {
        off_t unread = (off_t)(s->end - s->start);
        off_t position;
        if (offset != 0)
            offset -= unread;
        position = lseek(s->fd, offset, SEEK_CUR);
        if (position >= 0 && offset == 0)
            return position - unread;
        if (position >= 0)
            s->start = s->end = 0;
        return position;
    }
    offset = lseek(s->fd, offset, whence);
    if (offset >= 0)
        s->start = s->end = 0;
    return offset;
}

static int set_buffer(FILE *file, char *buffer, int mode, size_t size)
{
    stream *s = (stream *)file;
    if (mode != _IOFBF && mode != _IOLBF && mode != _IONBF)
        return EOF;
    flush(file);
    if (s->owns_buffer)
        free(s->buffer);
    s->owns_buffer = 0;
    s->buffer = mode == _IONBF || size == 0 ? NULL : buffer;
    s->size = s->buffer == NULL ? 0 : size;
    s->mode = (unsigned char)mode;
    return 0;
}

static int close_stream(FILE *file)
{
    stream *s = (stream *)file;
    stream **at;
    int result = flush(file);
    if (close(s->fd) < 0)
        result = EOF;
    for (at = &streams; *at != NULL; at = &(*at)->next)
        if (*at == s) {
            *at = s->next;
            break;
        }
    if (s->owns_buffer)
        free(s->buffer);
    free(s->path);
    s->path = NULL;
    s->buffer = NULL;
    s->owns_buffer = 0;
    file->flags &= (uint8_t)~(__SRD | __SWR);
    if (!s->is_static)
        free(s);
    return result;
}

int fclose(FILE *file)
{
    if (own(file) != NULL)
        return close_stream(file);
    if (file->flush != NULL && (file->flags & __SWR))
        file->flush(file);
    return file->flags & __SCLOSE ? ((struct __file_close *)file)->close(file) : 0;
}

/* Converts a mode of fopen to flags of open and of the stream; -1 and EINVAL for another mode. */
static int flags_of(const char *mode, uint8_t *stream_flags)
{
    int flags;
    switch (*mode) {
    case 'r': flags = 0; *stream_flags = __SRD; break;
    case 'w': flags = O_CREAT | O_TRUNC; *stream_flags = __SWR; break;
    case 'a': flags = O_CREAT | O_APPEND; *stream_flags = __SWR; break;
    default: errno = EINVAL; return -1;
    }
    for (mode++; *mode != '\0' && *mode != ','; mode++) {
        if (*mode == '+')
            *stream_flags = __SRD | __SWR;
        else if (*mode == 'x')
            flags |= O_EXCL;
    }
    if (*stream_flags == (__SRD | __SWR))
        return flags | O_RDWR;
    return flags | (*stream_flags == __SWR ? O_WRONLY : O_RDONLY);
}

/* Creates a stream of a descriptor; NULL and ENOMEM without memory. */
static FILE *stream_of(int fd, uint8_t flags)
{
    stream *s = calloc(1, sizeof *s);
    if (s == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    *s = (stream)STANDARD(fd, flags, _IOFBF, streams);
    s->is_static = 0;
    streams = s;
    return &s->ext.cfile.file;
}

FILE *fopen(const char *path, const char *mode)
{
    uint8_t flags;
    int open_flags = flags_of(mode, &flags);
    int fd;
    FILE *file;
    if (open_flags < 0 || (fd = open(path, open_flags, 0666)) < 0)
        return NULL;
    file = stream_of(fd, flags);
    if (file == NULL)
        close(fd);
    else
        ((stream *)file)->path = strdup(path);
    return file;
}

FILE *fdopen(int fd, const char *mode)
{
    uint8_t flags;
    if (flags_of(mode, &flags) < 0 || fcntl(fd, F_GETFD) < 0) /* EINVAL or EBADF */
        return NULL;
    return stream_of(fd, flags);
}

FILE *freopen(const char *path, const char *mode, FILE *file)
{
    stream *s = own(file);
    uint8_t flags;
    int open_flags = flags_of(mode, &flags);
    int fd;
    if (s == NULL || open_flags < 0) {
        errno = EINVAL;
        return NULL;
    }
    flush(file);
    if (path != NULL || s->path != NULL) {
        fd = open(path != NULL ? path : s->path, open_flags, 0666);
        if (fd < 0) {
            close_stream(file);
            return NULL;
        }
        /* The number stays the same, for a standard stream. */
        if (fd != s->fd && dup2(fd, s->fd) >= 0)
            close(fd);
        if (path != NULL) {
            free(s->path);
            s->path = strdup(path);
        }
    } else if (*mode == 'w' && lseek(s->fd, 0, SEEK_SET) >= 0) {
        ftruncate(s->fd, 0);
    } else {
        lseek(s->fd, 0, *mode == 'a' ? SEEK_END : SEEK_SET);
    }
    file->flags = (uint8_t)((file->flags & ~(__SRD | __SWR | __SERR | __SEOF)) | flags);
    file->unget = 0;
    return file;
}

int fileno(FILE *file)
{
    stream *s = own(file);
    if (s != NULL)
        return s->fd;
    errno = EBADF;
    return -1;
}

int fflush(FILE *file)
{
    stream *s = file == NULL ? NULL : own(file);
    if (file == NULL) {
        int result = 0;
        for (s = streams; s != NULL; s = s->next)
            if (s->state == WRITING && flush(&s->ext.cfile.file) < 0)
                result = EOF;
        return result;
    }
    if (s != NULL && s->state == READING) {
        int number = errno;
        take_pushed(s);
        file->unget = 0;
        /* The descriptor continues at the stream's position. A pipe keeps the bytes that were
         * read. */
        if (s->start == s->end || lseek(s->fd, -(off_t)(s->end - s->start), SEEK_CUR) >= 0) {
            s->state = IDLE;
            s->start = s->end = 0;
        }
        errno = number;
        return 0;
    }
    return file->flush != NULL && (file->flags & __SWR) ? file->flush(file) : 0;
}

int fgetpos(FILE *file, fpos_t *position)
{
    *position = ftello(file);
    return *position < 0 ? -1 : 0;
}

int fsetpos(FILE *file, fpos_t *position)
{
    return fseeko(file, (off_t)*position, SEEK_SET);
}

/* Writes a block. Returns the number of bytes taken: fewer after an error. */
static size_t write_block(stream *s, const char *data, size_t size)
{
    FILE *file = &s->ext.cfile.file;
    if (!(file->flags & __SWR)) {
        file->flags |= __SERR;
        errno = EBADF;
        return 0;
    }
    if (s->state != WRITING) {
        flush(file);
        prepare(s);
        s->state = WRITING;
    }
    if (size >= s->size - s->end) {
        if (flush(file) < 0)
            return 0;
        if (size >= s->size)
            return write_all(s, data, size);
        s->state = WRITING;
    }
    memcpy(s->buffer + s->end, data, size);
    s->end += size;
    if (s->mode == _IOLBF && memchr(data, '\n', size) != NULL && flush(file) < 0)
        return 0;
    return size;
}

size_t fwrite(const void *data, size_t size, size_t count, FILE *file)
{
    stream *s = own(file);
    size_t total, done;
    if (size == 0 || count == 0 || __builtin_mul_overflow(size, count, &total))
        return 0;
    if (s != NULL) {
        done = write_block(s, data, total);
    } else {
        for (done = 0; done < total; done++)
            if (putc(((const unsigned char *)data)[done], file) == EOF)
                break;
    }
    return done / size;
}

/* Reads a block. Returns the number of bytes read: fewer at the end or after an error. */
static size_t read_block(stream *s, char *data, size_t size)
{
    FILE *file = &s->ext.cfile.file;
    size_t done = 0;
    if (!(file->flags & __SRD)) {
        file->flags |= __SERR;
        errno = EBADF;
        return 0;
    }
    if (file->unget != 0) {
        data[done++] = (char)getc(file);
    }
    while (done < size) {
        size_t ready = s->state == READING ? s->end - s->start : 0;
        if (ready > 0) {
            ready = ready < size - done ? ready : size - done;
            memcpy(data + done, s->buffer + s->start, ready);
            s->start += ready;
            done += ready;
        } else if (size - done >= BLOCK) {
            ssize_t bytes;
            if (s->state == WRITING && flush(file) < 0)
                return done;
            s->state = READING;
            s->start = s->end = 0;
            bytes = read(s->fd, data + done, size - done);
            if (bytes <= 0) {
                file->flags |= bytes == 0 ? __SEOF : __SERR;
                return done;
            }
            done += (size_t)bytes;
        } else {
            int bytes = fill(s);
            if (bytes < 0) {
                file->flags |= bytes == _FDEV_EOF ? __SEOF : __SERR;
                return done;
            }
        }
    }
    return done;
}

size_t fread(void *data, size_t size, size_t count, FILE *file)
{
    stream *s = own(file);
    size_t total, done;
    int c;
    if (size == 0 || count == 0 || __builtin_mul_overflow(size, count, &total))
        return 0;
    if (s != NULL) {
        done = read_block(s, data, total);
    } else {
        for (done = 0; done < total && (c = getc(file)) != EOF; done++)
            ((unsigned char *)data)[done] = (unsigned char)c;
    }
    return done / size;
}

/* Reads a line. picolibc 1.8 drops a last line without an end. */
char *fgets(char *line, int size, FILE *file)
{
    int length = 0;
    while (length < size - 1) {
        int c = getc(file);
        if (c == EOF) {
            if (length == 0 || (file->flags & __SERR))
                return NULL;
            break;
        }
        line[length++] = (char)c;
        if (c == '\n')
            break;
    }
    if (size <= 0)
        return NULL;
    line[length] = '\0';
    return line;
}

int fputs(const char *text, FILE *file)
{
    size_t length = strlen(text);
    return length == 0 || fwrite(text, 1, length, file) == length ? 0 : EOF;
}

int puts(const char *text)
{
    return fputs(text, stdout) == EOF || putc('\n', stdout) == EOF ? EOF : 0;
}

void vhost_flush_streams(void)
{
    stream *s;
    for (s = streams; s != NULL; s = s->next)
        if (s->state == WRITING)
            flush(&s->ext.cfile.file);
}

void vhost_flush_lines(void)
{
    if (error.state == WRITING)
        flush(stderr);
    if (output.state == WRITING && output.fd == 1)
        flush(stdout);
}

#endif /* __PICOLIBC__ */
