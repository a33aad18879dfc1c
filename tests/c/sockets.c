/* Sockets with and without a system, and invalid arguments. This program has the clients, too. */
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cases.h"
#include "check.h"
#include "chip.h"
#include "firmware.h"

/* Polls until a condition holds; fails instead of hanging. */
#define UNTIL(wanted)                                                                                                  \
    for (long looks = 0; !(wanted); looks++)                                                                           \
    CHECK(looks < 10000000)

static int init(void) { return mb_init(setup.mem_cfg, setup.mailbox_cfg, setup.fs_root); }

static int connected(void *skt) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(c_skt_port(skt)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(client >= 0);
    CHECK_EQ(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    return client;
}

static int accepted(void *skt) {
    int id;
    UNTIL((id = c_skt_accept(skt)) != 0);
    return id;
}

static void sends(int client, const void *data, size_t len) { CHECK_EQ(send(client, data, len, 0), len); }

/* Returns bytes that have arrived at a client. */
static size_t received_now(int client, char *text, size_t room) {
    ssize_t got = recv(client, text, room, MSG_DONTWAIT);
    return got > 0 ? got : 0;
}

/* Reads until nothing more arrives at a client. */
static size_t receives(int client, char *text, size_t room) {
    size_t len = 0;
    ssize_t got;
    while ((got = recv(client, text + len, room - len, 0)) > 0)
        len += got;
    CHECK_EQ(got, 0);
    return len;
}

/* Echoes data of each type. */
static void talk(void *skt, int client, int id) {
    uint8_t u8 = 7;
    uint16_t u16 = 7;
    uint32_t u32 = 7;
    uint64_t u64 = 7;
    const char *text = NULL;
    char echo[32];
    CHECK_EQ(c_skt_read_u8(skt, id, &u8), 0);
    CHECK_EQ(u8, 0);
    CHECK_EQ(c_skt_read_string(skt, id, &text), 0);
    CHECK(strcmp(text, "") == 0);
    sends(client, "\x01\x03\x02\x07\x06\x05\x04\x0f\x0e\x0d\x0c\x0b\x0a\x09\x08six\0\0left", 24);
    UNTIL(c_skt_read_u8(skt, id, &u8) != 0);
    CHECK_EQ(u8, 0x01);
    CHECK_EQ(c_skt_read_u16(skt, id, &u16), 2);
    CHECK_EQ(u16, 0x0203);
    CHECK_EQ(c_skt_read_u32(skt, id, &u32), 4);
    CHECK_EQ(u32, 0x04050607);
    CHECK_EQ(c_skt_read_u64(skt, id, &u64), 8);
    CHECK_EQ(u64, 0x08090a0b0c0d0e0f);
    CHECK_EQ(c_skt_read_string(skt, id, &text), 3);
    CHECK(strcmp(text, "six") == 0);
    CHECK_EQ(c_skt_read_string(skt, id, &text), 0);
    CHECK_EQ(c_skt_read_string(skt, id, &text), 0);
    CHECK_EQ(c_skt_read_u64(skt, id, &u64), 0);
    CHECK_EQ(u64, 0);
    CHECK_EQ(c_skt_read_u32(skt, id, &u32), 4);
    CHECK(memcmp(&u32, "left", 4) == 0);

    CHECK_EQ(c_skt_write_u8(skt, id, 0x01), 1);
    CHECK_EQ(c_skt_write_u16(skt, id, 0x0203), 2);
    CHECK_EQ(c_skt_write_u32(skt, id, 0x04050607), 4);
    CHECK_EQ(c_skt_write_u64(skt, id, 0x08090a0b0c0d0e0f), 8);
    CHECK_EQ(c_skt_write_string(skt, id, "six"), 4);
    CHECK_EQ(c_skt_write_string(skt, id, ""), 1);
    CHECK_EQ(recv(client, echo, 20, MSG_WAITALL), 20);
    CHECK(memcmp(echo, "\x01\x03\x02\x07\x06\x05\x04\x0f\x0e\x0d\x0c\x0b\x0a\x09\x08six\0\0", 20) == 0);
}

/* ---- Without a system ---- */

/* Writes until a client that does not read has been sent this number of pieces, or was dropped.
 * Returns their number. */
static size_t fill(void *skt, int id, size_t most) {
    static char piece[1 << 16];
    size_t pieces = 0;
    memset(piece, 'x', sizeof piece - 1);
    while (pieces < most && c_skt_write_string(skt, id, piece) == sizeof piece)
        pieces++;
    return pieces;
}

void sockets_alone(void) {
    static char text[1 << 21];
    const char *greeting = "[uart-1] Connected to 127.0.0.1:";
    void *skt = c_skt_open("uart", 0);
    CHECK(skt != NULL);
    CHECK(c_skt_port(skt) > 0);
    CHECK_EQ(c_skt_accept(skt), 0);
    int client = connected(skt), id = accepted(skt);
    CHECK_EQ(id, 1);
    CHECK_EQ(recv(client, text, strlen(greeting), MSG_WAITALL), strlen(greeting));
    CHECK(memcmp(text, greeting, strlen(greeting)) == 0);
    while (recv(client, text, 1, 0) == 1 && *text != '\n')
        ;
    talk(skt, client, id);
    CHECK_EQ(testbench.reports, 0);
    CHECK_HAS(mb_status(), "not initialised");

    /* Without a configuration the tick fails, and still sends queued bytes. */
    int other = connected(skt);
    size_t most = fill(skt, accepted(skt), SIZE_MAX);
    CHECK_EQ(testbench.reports, 1);
    /* Half of the limit of queued bytes. */
    CHECK_EQ(fill(skt, id, most - 8), most - 8);
    CHECK_EQ(mb_tick(), -1);
    CHECK_HAS(mb_last_error(), "MEM_CFG_FILE");
    CHECK_EQ(testbench.reports, 2);
    size_t left = (most - 8) << 16;
    UNTIL((mb_tick(), left -= received_now(client, text, sizeof text)) == 0);
    CHECK_EQ(testbench.reports, 2);
    close(other);
    close(client);
    mb_shutdown();
    CHECK_EQ(c_skt_port(skt), -1);
    CHECK_HAS(mb_last_error(), "not open");
}

/* ---- With a system that starts and ends ---- */

void sockets_stay(void) {
    void *skt = c_skt_open("uart", 0), *second;
    int port = c_skt_port(skt);
    c_skt_greet(skt, "");
    int client = connected(skt), id = accepted(skt);
    sends(client, "a", 1);
    uint8_t u8;
    UNTIL(c_skt_read_u8(skt, id, &u8) != 0);

    CHECK_EQ(mb_init("/no/such/file", setup.mailbox_cfg, setup.fs_root), -1);
    talk(skt, client, id);
    CHECK_EQ(init(), 0);
    talk(skt, client, id);
    CHECK_EQ(mb_tick(), 2);
    CHECK_EQ(c_skt_port(skt), port);
    close(connected(skt));
    CHECK_EQ(accepted(skt), 2);
    second = c_skt_open("second", 0);
    CHECK(second != NULL && second != skt);
    c_skt_close(second);

    /* Closes all, also the connection. */
    mb_shutdown();
    char rest;
    CHECK_EQ(recv(client, &rest, 1, 0), 0);
    CHECK_EQ(c_skt_accept(skt), -1);
    second = c_skt_open("uart", port);
    CHECK(second != NULL && second != skt);
    mb_shutdown();
    close(client);
}

static struct firmware cpu;
static void *of_method;

static void use_in_call(void) {
    char text[8];
    int client = connected(of_method), id = accepted(of_method);
    CHECK_EQ(c_skt_write_string(of_method, id, "inside"), 7);
    c_skt_disconnect(of_method, id);
    CHECK_EQ(receives(client, text, sizeof text), 7);
    CHECK(strcmp(text, "inside") == 0);
    close(client);
}

/* Calls from functions that the library calls. */
void sockets_in_call(void) {
    CHECK_EQ(init(), 0);
    of_method = c_skt_open("uart", 0);
    c_skt_greet(of_method, "");
    cpu = firmware_at(memory_base[0] + 0x1000, setup.word, setup.line);
    firmware_reset(&cpu);
    mb_tick();
    chip_hook = use_in_call;
    CHECK(SEND(&cpu, CALL, firmware_text(&cpu, "hook")));
    testbench.polls = 0;
    UNTIL((mb_tick(), testbench.polls > 0));
    chip_report = use_in_call;
    CHECK_EQ(c_skt_accept(NULL), -1);
    chip_report = NULL;
    CHECK_EQ(testbench.reports, 1);
    mb_shutdown();
}

static void *in_other_thread(void *skt) {
    CHECK(c_skt_port(skt) > 0);
    c_skt_greet(skt, "");
    int client = connected(skt), id = accepted(skt);
    sends(client, "ab", 2);
    uint16_t u16;
    UNTIL(c_skt_read_u16(skt, id, &u16) != 0);
    CHECK_EQ(u16, 'a' | 'b' << 8);
    close(client);
    return NULL;
}

void sockets_and_threads(void) {
    pthread_t thread;
    void *skt = c_skt_open("uart", 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(pthread_create(&thread, NULL, in_other_thread, skt), 0);
        CHECK_EQ(pthread_join(thread, NULL), 0);
    }
    CHECK(c_skt_port(skt) > 0);
    CHECK_EQ(testbench.reports, 0);
    c_skt_close(skt);
}

/* ---- Clients that disconnect ---- */

void sockets_lost(void) {
    uint8_t u8;
    void *skt = c_skt_open("uart", 0);
    c_skt_greet(skt, "");
    int client = connected(skt), id = accepted(skt);
    sends(client, "ab", 2);
    close(client);
    UNTIL(c_skt_read_u8(skt, id, &u8) != 0);
    CHECK_EQ(c_skt_read_u8(skt, id, &u8), 1);
    CHECK_EQ(u8, 'b');
    /* A client that disconnects is not an error. */
    UNTIL(c_skt_read_u8(skt, id, &u8) != 0);
    CHECK_EQ(c_skt_read_u8(skt, id, &u8), -1);
    CHECK_HAS(mb_last_error(), "end of stream");
    CHECK_EQ(testbench.reports, 0);
    /* Lost bytes for it are an error, and no signal ends this program. */
    UNTIL(c_skt_write_u8(skt, id, 0) != 1);
    CHECK_EQ(testbench.reports, 1);
    CHECK_EQ(testbench.last_severity, 2);
    CHECK_HAS(testbench.last_report, "client 1 of socket `uart`");
    CHECK_EQ(c_skt_write_u8(skt, id, 0), -1);
    CHECK_EQ(testbench.reports, 1);
    c_skt_disconnect(skt, id);
    CHECK_EQ(testbench.reports, 1);

    /* The limit of queued bytes. */
    client = connected(skt);
    id = accepted(skt);
    CHECK_EQ(id, 2);
    fill(skt, id, SIZE_MAX);
    CHECK_EQ(testbench.reports, 2);
    CHECK_HAS(testbench.last_report, "1048576");
    CHECK_EQ(mb_tick(), -1);
    close(client);
    mb_shutdown();
}

/* ---- Misuse ---- */

static int reports;

static void reported(const char *id, const char *part) {
    CHECK_EQ(testbench.reports, ++reports);
    CHECK_EQ(testbench.last_severity, 2);
    CHECK(strcmp(testbench.last_id, id) == 0);
    CHECK_HAS(testbench.last_report, part);
    CHECK_HAS(mb_last_error(), part);
}

/* Calls every function that takes a handle. */
static void all_with(void *skt, int id, const char *part) {
    uint8_t u8 = 7;
    uint16_t u16 = 7;
    uint32_t u32 = 7;
    uint64_t u64 = 7;
    const char *text = NULL;
#define WRONG(call, result, function)                                                                                  \
    do {                                                                                                               \
        CHECK_EQ(call, result);                                                                                        \
        reported(function, part);                                                                                      \
    } while (0)
    WRONG(c_skt_write_u8(skt, id, 1), -1, "c_skt_write_u8");
    WRONG(c_skt_write_u16(skt, id, 1), -1, "c_skt_write_u16");
    WRONG(c_skt_write_u32(skt, id, 1), -1, "c_skt_write_u32");
    WRONG(c_skt_write_u64(skt, id, 1), -1, "c_skt_write_u64");
    WRONG(c_skt_read_u8(skt, id, &u8), -1, "c_skt_read_u8");
    WRONG(c_skt_read_u16(skt, id, &u16), -1, "c_skt_read_u16");
    WRONG(c_skt_read_u32(skt, id, &u32), -1, "c_skt_read_u32");
    WRONG(c_skt_read_u64(skt, id, &u64), -1, "c_skt_read_u64");
    CHECK(u8 == 0 && u16 == 0 && u32 == 0 && u64 == 0);
    WRONG(c_skt_write_string(skt, id, "text"), -1, "c_skt_write_string");
    WRONG(c_skt_read_string(skt, id, &text), -1, "c_skt_read_string");
    CHECK(strcmp(text, "") == 0);
    c_skt_disconnect(skt, id);
    reported("c_skt_disconnect", part);
    /* Functions of the socket itself. */
    if (strcmp(part, "no client") == 0)
        return;
    WRONG(c_skt_port(skt), -1, "c_skt_port");
    WRONG(c_skt_accept(skt), -1, "c_skt_accept");
    c_skt_greet(skt, "");
    reported("c_skt_greet", part);
    c_skt_close(skt);
    reported("c_skt_close", part);
}

void sockets_misuse(void) {
    int on_stack;
    static char endless[1 << 16];
    const char *text;
    CHECK(c_skt_open(NULL, 0) == NULL);
    reported("c_skt_open", "`name` is NULL");
    CHECK(c_skt_open("u\xff", 0) == NULL);
    reported("c_skt_open", "UTF-8");
    CHECK(c_skt_open("uart", 65536) == NULL);
    reported("c_skt_open", "65536");
    void *skt = c_skt_open("uart", 0), *closed = c_skt_open("closed", 0);
    CHECK(c_skt_open("late", c_skt_port(skt)) == NULL);
    reported("c_skt_open", "in use");
    c_skt_close(closed);

    all_with(NULL, 1, "`skt` is NULL");
    all_with(closed, 1, "not open");
    all_with((char *)closed + 1, 1, "not open");
    all_with(&on_stack, 1, "is not a handle");
    all_with((void *)1, 1, "is not a handle");
    all_with((void *)UINTPTR_MAX, 1, "is not a handle");

    int client = connected(skt), id = accepted(skt);
    all_with(skt, 0, "no client");
    all_with(skt, -1, "no client");
    all_with(skt, id + 1, "no client");
    all_with(skt, INT32_MAX, "no client");
    all_with(skt, INT32_MIN, "no client");

    CHECK_EQ(c_skt_read_u32(skt, id, NULL), -1);
    reported("c_skt_read_u32", "`data` is NULL");
    CHECK_EQ(c_skt_read_string(skt, id, NULL), -1);
    reported("c_skt_read_string", "`s` is NULL");
    CHECK_EQ(c_skt_write_string(skt, id, NULL), -1);
    reported("c_skt_write_string", "`s` is NULL");
    c_skt_greet(skt, NULL);
    reported("c_skt_greet", "`text` is NULL");
    CHECK_EQ(c_skt_write_bytes(skt, id, NULL), -1);
    reported("c_skt_write_bytes", "`data` is NULL");
    CHECK_EQ(c_skt_read_bytes(skt, id, NULL), -1);
    reported("c_skt_read_bytes", "`data` is NULL");
    /* This program is not a simulator. */
    CHECK_EQ(c_skt_write_bytes(skt, id, endless), -1);
    reported("c_skt_write_bytes", "svSize");

    memset(endless, 'x', sizeof endless);
    sends(client, endless, sizeof endless);
    UNTIL(c_skt_read_string(skt, id, &text) != 0);
    CHECK(strcmp(text, "") == 0);
    reported("c_skt_read_string", "NUL");

    c_skt_disconnect(skt, id);
    all_with(skt, id, "no client");
    close(client);
    mb_shutdown();
    all_with(skt, id, "not open");
}
