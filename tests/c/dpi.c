/*
 * Simulator with scopes, open arrays and a disable protocol, as far as the library uses them: dpi
 * CASE MEM MAILBOX ROOT. Memory `ram` of space `core0` is in the library; memory `box` behind it is
 * in the testbench.
 */
#include <arpa/inet.h>
#include <sys/socket.h>

#define VHOST_DECLARE_TESTBENCH
#include "check.h"
#include "vhost.h"

static const uint64_t RAM = 0x80000000, BOX = 0x90000000;

static char **paths;

static int init(void) { return mb_init(paths[0], paths[1], paths[2]); }

/* ---- Scopes ---- */

static char package, module;
static void *scope;
static int scopes_got, called, registered, reported;

void *svGetScope(void) {
    scopes_got++;
    return scope;
}

void *svSetScope(void *next) {
    void *before = scope;
    CHECK(next != NULL);
    scope = next;
    return before;
}

/* Checks that an export is called in the package's scope. A simulator aborts in another one. */
static void in_package(void) { CHECK(scope == &package); }

uint64_t mb_sv_call(const char *ch, const char *method, uint32_t arg_len, const uint64_t *args, uint32_t *status) {
    (void)ch, (void)method, (void)arg_len, (void)args;
    in_package();
    called++;
    *status = 0;
    return 42;
}

void sv_registery_ch(const char *ch) {
    (void)ch;
    in_package();
    registered++;
}

void mb_report(int severity, const char *id, const char *msg) {
    in_package();
    reported++;
    fprintf(stderr, "report %d: %s: %s\n", severity, id, msg);
}

static uint32_t call(void) {
    uint32_t status = 77;
    __mb_call("core0", "any", 0, NULL, &status);
    return status;
}

static void told(void) {
    scope = &package;
    CHECK_EQ(init(), 0);
    CHECK_EQ(registered, 1);
    /* Calls may come from any scope now, and cost nothing. */
    scope = &module;
    int got = scopes_got;
    CHECK_EQ(call(), 0);
    CHECK(scope == &module);
    for (int i = 0; i < 10; i++)
        CHECK_EQ(mb_tick(), 1);
    CHECK_EQ(scopes_got, got);
    CHECK_EQ(mb_load_elf("core0", NULL), -1);
    CHECK_EQ(reported, 1);
    scope = NULL;
    CHECK_EQ(call(), 0);
    /* The next simulation has its own scopes. */
    mb_shutdown();
    scope = NULL;
    CHECK_EQ(init(), 0);
    CHECK_EQ(registered, 1);
}

static void unknown(void) {
    CHECK_EQ(init(), 0);
    CHECK_EQ(registered, 0);
    /* The channel waits for the first tick. */
    CHECK(strcmp(mb_last_error(), "") == 0);
    CHECK_EQ(call(), 3);
    CHECK_HAS(mb_last_error(), "mb_sv_call");
    CHECK_HAS(mb_last_error(), "context");
    CHECK_HAS(mb_last_error(), "mb_init");
    CHECK_EQ(called, 0);
    /* There is no second attempt. */
    CHECK_EQ(mb_tick(), 1);
    scope = &package;
    CHECK_EQ(mb_tick(), 1);
    CHECK_EQ(registered, 0);
}

static void known_late(void) {
    CHECK_EQ(init(), 0);
    CHECK_EQ(registered, 0);
    scope = &package;
    CHECK_EQ(mb_tick(), 1);
    CHECK_EQ(registered, 1);
    CHECK_EQ(mb_tick(), 1);
    CHECK_EQ(registered, 1);
    mb_shutdown();
}

static void seen(void) {
    CHECK_EQ(init(), 0);
    scope = &package;
    mb_notify();
    scope = NULL;
    CHECK_EQ(call(), 0);
    CHECK_EQ(called, 1);
    mb_shutdown();
}

/* ---- Open arrays ---- */

static struct array {
    uint8_t bytes[300];
    int low, size, together;
} array;

int svSize(void *handle, int dimension) {
    CHECK(handle == &array && dimension == 1);
    return array.size;
}

int svLow(void *handle, int dimension) {
    CHECK(handle == &array && dimension == 1);
    return array.low;
}

void *svGetArrayPtr(void *handle) {
    CHECK(handle == &array);
    return array.together ? array.bytes : NULL;
}

/* Same as a simulator with separate elements. */
void *svGetArrElemPtr1(void *handle, int index) {
    CHECK(handle == &array && !array.together);
    index -= array.low;
    return index >= 0 && index < array.size ? &array.bytes[index] : NULL;
}

static void arrays(void) {
    uint8_t bytes[10];
    scope = &package;
    CHECK_EQ(init(), 0);
    for (int together = 0; together < 2; together++) {
        array = (struct array){.bytes = "0123456789", .low = 5, .size = 10, .together = together};
        CHECK_EQ(mb_backdoor_write_block("core0", RAM + 3, &array), 10);
        CHECK_EQ(mb_backdoor_read_mem("core0", RAM + 3, bytes, 10), 10);
        CHECK(memcmp(bytes, "0123456789", 10) == 0);
        CHECK_EQ(mb_backdoor_write_mem("core0", RAM + 3, "abcd", 4), 4);
        CHECK_EQ(mb_backdoor_read_block("core0", RAM + 3, &array), 10);
        CHECK(memcmp(array.bytes, "abcd456789", 10) == 0);
        array.size = 0;
        CHECK_EQ(mb_backdoor_write_block("core0", RAM, &array), 0);
        array.size = -1;
        CHECK_EQ(mb_backdoor_write_block("core0", RAM, &array), -1);
        array.size = 10;
        CHECK_EQ(mb_backdoor_read_block("core0", RAM - 5, &array), -1);
    }
    mb_shutdown();
}

/* Transfers bytes of a socket's client, which is a socket of this library, too. */
static void socket_arrays(void) {
    scope = &module;
    void *skt = c_skt_open("uart", 0);
    c_skt_greet(skt, "");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(c_skt_port(skt)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int client = socket(AF_INET, SOCK_STREAM, 0), id;
    CHECK_EQ(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    while ((id = c_skt_accept(skt)) == 0)
        ;
    for (int together = 0; together < 2; together++) {
        char echo[10];
        array = (struct array){.bytes = "0123456789", .low = 5, .size = 10, .together = together};
        CHECK_EQ(c_skt_read_bytes(skt, id, &array), 0);
        CHECK_EQ(c_skt_write_bytes(skt, id, &array), 10);
        CHECK_EQ(recv(client, echo, 10, MSG_WAITALL), 10);
        CHECK(memcmp(echo, "0123456789", 10) == 0);
        CHECK_EQ(send(client, "abcdefghijklmn", 14, 0), 14);
        int read;
        while ((read = c_skt_read_bytes(skt, id, &array)) == 0)
            ;
        CHECK_EQ(read, 10);
        CHECK(memcmp(array.bytes, "abcdefghij", 10) == 0);
        CHECK_EQ(c_skt_read_bytes(skt, id, &array), 4);
        CHECK(memcmp(array.bytes, "klmnefghij", 10) == 0);
        array.size = 0;
        CHECK_EQ(c_skt_read_bytes(skt, id, &array), 0);
        CHECK_EQ(c_skt_write_bytes(skt, id, &array), 0);
        CHECK_EQ(reported, 0);
    }
    array.size = -1;
    /* The scope of the exports is unknown; sockets do not need it. */
    CHECK_EQ(c_skt_write_bytes(skt, id, &array), -1);
    CHECK_EQ(reported, 0);
    scope = &package;
    CHECK_EQ(init(), 0);
    scope = &module;
    CHECK_EQ(c_skt_write_bytes(skt, id, &array), -1);
    CHECK_EQ(c_skt_read_bytes(skt, id, &array), -1);
    CHECK_EQ(reported, 2);
    mb_shutdown();
}

/* ---- A black box ---- */

static uint8_t box[0x1000];
static int box_calls;

static uint8_t *in_box(const char *name, uint64_t addr, uint64_t len) {
    in_package();
    CHECK(strcmp(name, "box") == 0);
    CHECK(addr < sizeof box && len <= sizeof box - addr);
    box_calls++;
    return box + addr;
}

void mb_bb_mem_read(const char *name, uint64_t addr, uint8_t *data) { *data = *in_box(name, addr, 1); }

void mb_bb_mem_write(const char *name, uint64_t addr, uint8_t data) { *in_box(name, addr, 1) = data; }

#ifndef BYTES_ONLY
void mb_bb_mem_read_block(const char *name, uint64_t addr, uint32_t len, uint8_t *data) {
    CHECK(len <= 64);
    memcpy(data, in_box(name, addr, len), len);
    /* The function may write the whole buffer. */
    memset(data + len, 0xee, 64 - len);
}

void mb_bb_mem_write_block(const char *name, uint64_t addr, uint32_t len, const uint8_t *data) {
    CHECK(len <= 64);
    memcpy(in_box(name, addr, len), data, len);
}
enum { CALLS_FOR_200 = 4 };
#else
enum { CALLS_FOR_200 = 200 };
#endif

static void black_box(void) {
    uint8_t bytes[200], read[200];
    for (int i = 0; i < 200; i++)
        bytes[i] = i;
    scope = &package;
    CHECK_EQ(init(), 0);
    box_calls = 0;
    CHECK_EQ(mb_backdoor_write_mem("core0", BOX + sizeof box - 200, bytes, 200), 200);
    CHECK_EQ(box_calls, CALLS_FOR_200);
    CHECK(memcmp(box + sizeof box - 200, bytes, 200) == 0);
    CHECK_EQ(mb_backdoor_read_mem("core0", BOX + sizeof box - 200, read, 200), 200);
    CHECK_EQ(box_calls, 2 * CALLS_FOR_200);
    CHECK(memcmp(read, bytes, 200) == 0);
    mb_shutdown();
}

/* ---- The disable protocol ---- */

static int steps, disabled, acknowledged;

void mb_step(void) {
    in_package();
    disabled = ++steps == 3;
}

int svIsDisabledState(void) { return disabled; }

void svAckDisabledState(void) {
    CHECK(disabled);
    acknowledged++;
}

/* Steps run in the scope of mb_init, also if mb_server_run is called from another one, in this
 * simulation and the next. */
static void steps_in_scope(void) {
    for (int round = 1; round <= 2; round++) {
        scope = &package;
        CHECK_EQ(init(), 0);
        scope = &module;
        CHECK_EQ(mb_server_run(), 1);
        CHECK_EQ(acknowledged, round);
        CHECK(scope == &module);
        mb_shutdown();
        steps = 0;
    }
}

static void disable(void) {
    scope = &package;
    CHECK_EQ(init(), 0);
    CHECK_EQ(mb_server_run(), 1);
    CHECK_EQ(steps, 3);
    CHECK_EQ(acknowledged, 1);
    CHECK_EQ(mb_tick(), 1);
    mb_shutdown();
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {
        {"told", told},     {"unknown", unknown},     {"known_late", known_late}, {"seen", seen},
        {"arrays", arrays}, {"black_box", black_box}, {"disable", disable}, {"steps_in_scope", steps_in_scope},
        {"socket_arrays", socket_arrays},
    };
    CHECK(argc == 5);
    paths = argv + 2;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (strcmp(cases[i].name, argv[1]) == 0) {
            cases[i].run();
            return 0;
        }
    fail(__FILE__, __LINE__, argv[1]);
}
