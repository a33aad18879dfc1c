/*
 * Several systems in one process, each with a chip of its own at the same addresses: systems CASE
 * MEM MAILBOX ROOT. The chips have the same configuration, so that a call for the wrong system
 * would access the wrong chip.
 */
#define VHOST_DECLARE_TESTBENCH
#include <dirent.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <unistd.h>

#include "check.h"
#include "firmware.h"
#include "vhost.h"

enum { SYSTEMS = 3, SIZE = 0x40000, FD = 10 };
#define BASE 0x80000000ull

static const char *mem_cfg, *mailbox_cfg, *fs_root;

/* The first system, and two further ones. */
static const char *const names[SYSTEMS] = {"main", "left", "right"};

static struct chip {
    void *system;
    struct firmware cpu;
    uint8_t memory[SIZE];
    char lines[256];
    char last_report[256];
    int reports, exits, polls, registered;
    uint32_t exit_code;
} chips[SYSTEMS];

static void (*hook)(struct chip *);

/* Chip that firmware.c accesses. */
static struct chip *active = chips;

uint8_t *chip_at(uint64_t address, size_t len) {
    CHECK(address >= BASE && len <= SIZE && address - BASE <= SIZE - len);
    return active->memory + (address - BASE);
}

/* Returns the chip of the calling system. */
static struct chip *calling(void) {
    void *system = mb_system_current();
    for (int i = 0; i < SYSTEMS; i++)
        if (chips[i].system == system)
            return &chips[i];
    fail(__FILE__, __LINE__, "the system has no chip");
    return NULL;
}

/* ---- Functions of the testbench ---- */

size_t __vhost_bb_mem_read(uint64_t base, uint64_t addr, uint8_t *data, size_t len) {
    CHECK(base == BASE);
    memcpy(data, calling()->memory + (addr - BASE), len);
    return len;
}

size_t __vhost_bb_mem_write(uint64_t base, uint64_t addr, const uint8_t *data, size_t len) {
    CHECK(base == BASE);
    memcpy(calling()->memory + (addr - BASE), data, len);
    return len;
}

uint64_t mb_sv_call(const char *ch, const char *method, uint32_t arg_len, const uint64_t *args, uint32_t *status) {
    struct chip *chip = calling();
    CHECK(strcmp(ch, "cpu") == 0);
    chip->polls++;
    *status = 0;
    if (strcmp(method, "which") == 0) {
        CHECK(strcmp(mb_system_name(), names[chip - chips]) == 0);
        return chip - chips;
    }
    if (strcmp(method, "slow") == 0) {
        *status = chip->polls % 3 != 0;
        return 0;
    }
    if (strcmp(method, "hook") == 0) {
        CHECK_EQ(arg_len, 1);
        hook(chip);
        /* The library is in this system again, whatever the hook has selected. */
        return args[0];
    }
    *status = 2;
    return 0;
}

void mb_exited(const char *ch, uint32_t code) {
    CHECK(strcmp(ch, "cpu") == 0);
    calling()->exits++;
    calling()->exit_code = code;
}

void sv_registery_ch(const char *ch) {
    CHECK(strcmp(ch, "cpu") == 0);
    calling()->registered++;
}

void mb_print(const char *ch, const char *text) {
    CHECK(strcmp(ch, "cpu") == 0);
    strncat(calling()->lines, text, sizeof chips->lines - 1 - strlen(calling()->lines));
}

void mb_report(int severity, const char *id, const char *msg) {
    struct chip *chip = calling();
    chip->reports++;
    snprintf(chip->last_report, sizeof chip->last_report, "%s: %s", id, msg);
    fprintf(stderr, "%s: report %d: %s: %s\n", names[chip - chips], severity, id, msg);
}

/* ---- Use of a system ---- */

static void use(struct chip *chip) {
    active = chip;
    CHECK_EQ(mb_system_select(chip->system), 0);
    CHECK(mb_system_current() == chip->system);
}

static int init(struct chip *chip) {
    char root[512];
    use(chip);
    snprintf(root, sizeof root, "%s/%s", fs_root, names[chip - chips]);
    mkdir(root, 0777);
    return mb_init(mem_cfg, mailbox_cfg, root);
}

static void open_all(void) {
    for (int i = 1; i < SYSTEMS; i++)
        CHECK((chips[i].system = mb_system_open(names[i])) != NULL);
}

static void handshake(struct chip *chip) {
    use(chip);
    chip->cpu = firmware_at(BASE + 0x1000, 4, 0);
    firmware_reset(&chip->cpu);
    CHECK_EQ(mb_tick(), 1);
    CHECK_EQ(firmware_state(&chip->cpu), READY);
}

static void begin(void) {
    open_all();
    for (int i = 0; i < SYSTEMS; i++)
        CHECK_EQ(init(&chips[i]), 0);
    for (int i = 0; i < SYSTEMS; i++)
        handshake(&chips[i]);
}

/* Ticks until the response arrives. */
static int64_t response(struct chip *chip) {
    uint32_t words;
    int64_t value;
    use(chip);
    for (int ticks = 0; ticks < 100; ticks++) {
        CHECK(mb_tick() >= 0);
        if (firmware_receive(&chip->cpu, &words, &value))
            return value;
    }
    fail(__FILE__, __LINE__, "no response");
    return 0;
}

static uint64_t text(struct chip *chip, const char *of) {
    active = chip;
    return firmware_text(&chip->cpu, of);
}

static int64_t call(struct chip *chip, const char *method, uint64_t arg) {
    active = chip;
    CHECK(SEND(&chip->cpu, CALL, text(chip, method), arg));
    return response(chip);
}

static void shut_down_all(void) {
    for (int i = 0; i < SYSTEMS; i++) {
        use(&chips[i]);
        mb_shutdown();
    }
}

/* ---- Cases ---- */

/* Each system has its own state, for any order of their ticks. */
static void interleaved(void) {
    begin();
    for (int i = 0; i < SYSTEMS; i++)
        CHECK_EQ(chips[i].registered, 1);

    /* Requests of all chips wait at the same time, and are served by ticks of their own systems
     * only. */
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < SYSTEMS; i++) {
            active = &chips[i];
            CHECK(SEND(&chips[i].cpu, CALL, text(&chips[i], "which")));
        }
        uint32_t words;
        int64_t value;
        for (int k = 0; k < SYSTEMS; k++) {
            int i = (round + k) % SYSTEMS;
            use(&chips[i]);
            CHECK_EQ(mb_tick(), 1);
            for (int j = 0; j < SYSTEMS; j++) {
                int served = 0;
                for (int l = 0; l <= k; l++)
                    served |= (round + l) % SYSTEMS == j;
                active = &chips[j];
                uint32_t put;
                memcpy(&put, chip_at(chips[j].cpu.response.put, 4), 4);
                CHECK_EQ(put, round + served);
            }
        }
        for (int i = 0; i < SYSTEMS; i++) {
            active = &chips[i];
            CHECK(firmware_receive(&chips[i].cpu, &words, &value));
            CHECK_EQ(value, i);
        }
    }

    /* Text, files, memory, errors, status. */
    for (int i = 0; i < SYSTEMS; i++) {
        struct chip *chip = &chips[i];
        active = chip;
        uint64_t line = text(chip, i == 0 ? "one\n" : i == 1 ? "two\n" : "three\n");
        CHECK(SEND(&chip->cpu, PRINT, i == 2 ? 6 : 4, line));
        CHECK_EQ(response(chip), 0);
        int64_t fd = (SEND(&chip->cpu, FILES, OPEN, text(chip, "file"), OPEN_WRITE | OPEN_TRUNCATE), response(chip));
        CHECK_EQ(fd, FD);
        CHECK(SEND(&chip->cpu, FILES, WRITE, FD, line, 3));
        CHECK_EQ(response(chip), 3);
        mb_backdoor_write_u32("cpu", BASE + 0x100, 0x1111 * i);
        CHECK_EQ(mb_load_elf("cpu", names[i]), -1);
    }
    for (int i = 0; i < SYSTEMS; i++) {
        uint32_t word;
        use(&chips[i]);
        mb_backdoor_read_u32("cpu", BASE + 0x100, &word);
        CHECK_EQ(word, 0x1111 * i);
        CHECK(strcmp(chips[i].lines, i == 0 ? "one" : i == 1 ? "two" : "three") == 0);
        CHECK_HAS(mb_last_error(), names[i]);
        CHECK_EQ(chips[i].reports, 1);
        CHECK_HAS(chips[i].last_report, names[i]);
        CHECK_HAS(mb_status(), "cpu: ");
    }

    /* The watchdog of one system does not affect the others. */
    use(&chips[1]);
    CHECK_EQ(mb_watchdog(5, 2), 0);
    for (int ticks = 0; ticks < 10; ticks++)
        for (int i = 0; i < SYSTEMS; i++)
            use(&chips[i]), CHECK_EQ(mb_tick(), 1);
    CHECK(chips[1].reports > 1);
    CHECK_EQ(chips[0].reports + chips[2].reports, 2);

    /* One exits, one continues, one is shut down and starts again. */
    for (int i = 1; i < SYSTEMS; i++) {
        active = &chips[i];
        CHECK(SEND(&chips[i].cpu, EXIT, 40 + i));
        use(&chips[i]);
        while (mb_tick() > 0)
            ;
        CHECK_EQ(chips[i].exits, 1);
        CHECK_EQ(chips[i].exit_code, 40 + i);
        uint32_t code;
        CHECK_EQ(mb_exit_code("", &code), 1);
        CHECK_EQ(code, 40 + i);
    }
    CHECK_EQ(call(&chips[0], "which", 0), 0);
    use(&chips[1]);
    mb_shutdown();
    CHECK_HAS(mb_status(), "not initialised");
    CHECK_EQ(call(&chips[0], "slow", 0), 0);
    CHECK_EQ(init(&chips[1]), 0);
    handshake(&chips[1]);
    CHECK_EQ(call(&chips[1], "which", 0), 1);
    shut_down_all();
}

static void *in_thread(void *run) {
    pthread_t thread;
    void *result = NULL;
    CHECK_EQ(pthread_create(&thread, NULL, (void *(*)(void *))run, NULL), 0);
    CHECK_EQ(pthread_join(thread, &result), 0);
    return result;
}

static void *closes_right(void *unused) {
    CHECK(mb_system_current() == chips[1].system);
    CHECK_EQ(mb_system_select(chips[2].system), 0);
    CHECK_EQ(mb_tick(), 1);
    CHECK_EQ(mb_system_close(chips[2].system), 0);
    return unused;
}

static void *selects_left(void *unused) {
    CHECK_EQ(mb_system_select(chips[1].system), 0);
    return unused;
}

static void refuses(void *handle) {
    void *before = mb_system_current();
    CHECK_EQ(mb_system_select(handle), -1);
    CHECK_HAS(mb_last_error(), "mb_system_select: ");
    CHECK_HAS(mb_last_error(), "is not a handle returned by `mb_system_open`, or its system was closed");
    CHECK(mb_system_current() == before);
    CHECK_EQ(mb_system_close(handle), -1);
    CHECK_HAS(mb_last_error(), "mb_system_close: ");
    CHECK(mb_system_current() == before);
}

/* Invalid and closed handles. */
static void handles(void) {
    CHECK(mb_system_current() == NULL);
    CHECK(strcmp(mb_system_name(), "main") == 0);
    CHECK_EQ(mb_system_select(NULL), 0);
    CHECK_EQ(mb_system_close(NULL), -1);

    void *first = mb_system_open("left");
    void *const wrong[] = {(void *)1, (void *)-1, &chips, stdout, (char *)first + 1, (char *)first + (1 << 12),
                           (void *)((uintptr_t)first ^ (uintptr_t)1 << 40), (void *)((uintptr_t)first & ~(uintptr_t)0xfff)};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refuses(wrong[i]);
    CHECK_EQ(mb_system_close(first), 0);
    refuses(first);

    /* The number is used again, the handle is not. */
    open_all();
    CHECK(chips[1].system != first && chips[2].system != first);
    refuses(first);

    const char *const names[] = {"left", "main", "", "-x", ".x", "a/b", "a b", "a%b", "\xff", NULL};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        CHECK(mb_system_open(names[i]) == NULL);
        CHECK_HAS(mb_last_error(), "mb_system_open: ");
    }
    char longest[202];
    memset(longest, 'n', sizeof longest);
    longest[201] = 0;
    CHECK(mb_system_open(longest) == NULL);
    longest[200] = 0;
    void *named = mb_system_open(longest);
    CHECK_EQ(mb_system_select(named), 0);
    CHECK(strcmp(mb_system_name(), longest) == 0);
    CHECK_EQ(mb_system_close(named), 0);
    CHECK(mb_system_current() == NULL);

    /* Settings before mb_init apply to the selected system. */
    use(&chips[1]);
    CHECK_EQ(mb_watchdog(3, 1), 0);
    CHECK_EQ(mb_attach("check"), 0);
    for (int i = 0; i < SYSTEMS; i++) {
        CHECK_EQ(init(&chips[i]), 0);
        handshake(&chips[i]);
    }
    for (int i = 0; i < SYSTEMS; i++) {
        int before = chips[i].reports;
        use(&chips[i]);
        for (int ticks = 0; ticks < 5; ticks++)
            CHECK_EQ(mb_tick(), 1);
        CHECK_EQ(chips[i].reports - before, i == 1);
    }

    /* A selection is for the process: other threads may select, and close a system. */
    in_thread((void *)selects_left);
    CHECK(mb_system_current() == chips[1].system);
    in_thread((void *)closes_right);
    CHECK(mb_system_current() == NULL);
    refuses(chips[2].system);
    CHECK_EQ(mb_tick(), 1);
    CHECK_EQ(call(&chips[1], "which", 0), 1);
    CHECK_EQ(mb_system_close(chips[1].system), 0);
    refuses(chips[1].system);
    CHECK_EQ(call(&chips[0], "which", 0), 0);
    mb_shutdown();
    refuses(chips[2].system);
}

static int descriptors(void) {
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    CHECK(folder != NULL);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

/* Closed systems release their resources. */
static void many(void) {
    active = &chips[1];
    int before = 0;
    for (int round = 0; round < 1000; round++) {
        CHECK((chips[1].system = mb_system_open("left")) != NULL);
        CHECK_EQ(init(&chips[1]), 0);
        handshake(&chips[1]);
        CHECK(SEND(&chips[1].cpu, FILES, OPEN, text(&chips[1], "kept open"), OPEN_WRITE));
        CHECK_EQ(response(&chips[1]), FD);
        if (round % 100 == 0)
            CHECK(c_skt_open("uart", 0) != NULL);
        CHECK_EQ(mb_system_close(chips[1].system), 0);
        if (round == 10)
            before = descriptors();
    }
    CHECK_EQ(descriptors(), before);

    /* The maximum number of systems at the same time, and one more. */
    static void *all[4096];
    char name[32];
    int count = 0;
    for (;; count++) {
        CHECK(count < 4096);
        snprintf(name, sizeof name, "s%d", count);
        if ((all[count] = mb_system_open(name)) == NULL)
            break;
    }
    CHECK_EQ(count, 4095);
    CHECK_HAS(mb_last_error(), "more than 4095 systems");
    CHECK_EQ(mb_system_select(all[4094]), 0);
    CHECK(strcmp(mb_system_name(), "s4094") == 0);
    for (int i = 0; i < count; i++)
        CHECK_EQ(mb_system_close(all[i]), 0);
    CHECK(mb_system_current() == NULL);
    CHECK_EQ(descriptors(), before);
}

/* Calls from inside a method of `left`. */
static void inside(struct chip *left) {
    struct chip *right = &chips[2];
    CHECK(left == &chips[1] && mb_system_current() == left->system);
    CHECK_EQ(mb_tick(), -1);
    CHECK_HAS(mb_last_error(), "mb_tick: it was called from inside a foreign call");
    CHECK_EQ(mb_system_close(left->system), -1);
    CHECK_HAS(mb_last_error(), "mb_system_close: it was called from inside a foreign call");
    CHECK_EQ(mb_system_select((void *)1), -1);
    CHECK(mb_system_current() == left->system);

    /* The other system may be used, also with a method that calls back. */
    uint32_t word = 0;
    CHECK_EQ(mb_system_select(right->system), 0);
    mb_backdoor_write_u32("cpu", BASE + 0x200, 77);
    mb_backdoor_read_u32("cpu", BASE + 0x200, &word);
    CHECK_EQ(word, 77);
    CHECK_EQ(call(right, "which", 0), 2);
    /* Forks concern the process, which is inside a call of `left`. */
    CHECK_EQ(mb_system_select(right->system), 0);
    CHECK_EQ(mb_runs(1, 1), -1);
    CHECK_HAS(mb_last_error(), "mb_runs: it was called from inside a foreign call");
    CHECK_EQ(mb_snapshots(1, 1), -1);
    CHECK_EQ(mb_snapshot(), -1);
    CHECK_EQ(mb_system_select(left->system), 0);
    CHECK_EQ(mb_tick(), -1);
    CHECK_EQ(mb_system_select(right->system), 0);
    active = left;
}

static void closes_other(struct chip *left) {
    CHECK_EQ(mb_system_select(chips[2].system), 0);
    CHECK_EQ(mb_system_close(chips[2].system), 0);
    CHECK(mb_system_current() == left->system);
}

static void nested(void) {
    begin();
    hook = inside;
    CHECK_EQ(call(&chips[1], "hook", 5), 5);
    /* A selection inside a function ends with it. */
    CHECK(mb_system_current() == chips[1].system);
    CHECK_EQ(chips[2].memory[0x200], 77);
    CHECK_EQ(chips[1].memory[0x200], 0);

    /* A function selects a system, and closes it. */
    hook = closes_other;
    CHECK_EQ(call(&chips[1], "hook", 6), 6);
    CHECK(mb_system_current() == chips[1].system);
    CHECK_EQ(mb_system_select(chips[2].system), -1);
    CHECK_EQ(call(&chips[1], "which", 0), 1);
    CHECK_EQ(call(&chips[0], "which", 0), 0);
    use(&chips[1]);
    mb_shutdown();
    CHECK_EQ(mb_system_close(chips[1].system), 0);
    mb_shutdown();
}

/* Handles of sockets contain their system. */
static void sockets(void) {
    open_all();
    void *skt[SYSTEMS];
    int port[SYSTEMS];
    for (int i = 0; i < SYSTEMS; i++) {
        use(&chips[i]);
        CHECK((skt[i] = c_skt_open(names[i], 0)) != NULL);
        c_skt_greet(skt[i], "");
    }
    CHECK(skt[0] != skt[1] && skt[1] != skt[2]);
    for (int i = 0; i < SYSTEMS; i++)
        CHECK((port[i] = c_skt_port(skt[i])) > 0);
    CHECK(port[0] != port[1] && port[1] != port[2] && port[0] != port[2]);

    for (int i = 0; i < SYSTEMS; i++) {
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port[i]), .sin_addr = {htonl(INADDR_LOOPBACK)}};
        int client = socket(AF_INET, SOCK_STREAM, 0), id;
        uint8_t byte = 0;
        CHECK_EQ(connect(client, (struct sockaddr *)&to, sizeof to), 0);
        while ((id = c_skt_accept(skt[i])) == 0)
            ;
        CHECK_EQ(id, 1);
        CHECK_EQ(c_skt_write_u8(skt[i], id, 10 + i), 1);
        CHECK_EQ(read(client, &byte, 1), 1);
        CHECK_EQ(byte, 10 + i);
        close(client);
        c_skt_disconnect(skt[i], id);
    }

    /* Sockets of a system that ends are closed, others stay open. */
    use(&chips[1]);
    mb_shutdown();
    CHECK_EQ(c_skt_port(skt[1]), -1);
    CHECK_EQ(c_skt_port(skt[0]), port[0]);
    CHECK_EQ(mb_system_close(chips[2].system), 0);
    CHECK_EQ(c_skt_port(skt[2]), -1);
    CHECK_HAS(mb_last_error(), "is not a handle returned by `c_skt_open`");
    /* A later system with the same number does not have them. */
    CHECK(mb_system_open("later") != NULL);
    CHECK_EQ(c_skt_port(skt[2]), -1);
    CHECK_EQ(c_skt_accept((void *)((uintptr_t)skt[0] | (uintptr_t)4000 << 28)), -1);
    CHECK_EQ(c_skt_port(skt[0]), port[0]);
    c_skt_close(skt[0]);
}

/* Each system continues in both processes, with recordings of its own. */
static void runs(void) {
    begin();
    use(&chips[1]);
    int run = mb_runs(2, 1);
    CHECK(mb_system_current() == chips[1].system);
    for (int i = 0; i < SYSTEMS; i++)
        CHECK_EQ(call(&chips[i], "which", 0), i);
    if (run < 2)
        mb_quit(50 + run);
    CHECK_EQ(mb_run_status(0), 50);
    CHECK_EQ(mb_run_status(1), 51);

    CHECK_EQ(mb_fork_prepare(), 0);
    pid_t child = fork();
    if (child == 0) {
        CHECK_EQ(mb_fork_child(), 0);
        for (int i = 0; i < SYSTEMS; i++)
            CHECK_EQ(call(&chips[i], "which", 0), i);
        exit(60);
    }
    CHECK_EQ(mb_fork_parent(), 0);
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 60);

    /* The first call of a child may be a selection, which holds. */
    use(&chips[1]);
    CHECK_EQ(mb_fork_prepare(), 0);
    if ((child = fork()) == 0) {
        use(&chips[2]);
        _exit(61);
    }
    CHECK_EQ(mb_fork_parent(), 0);
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 61);
    for (int i = 0; i < SYSTEMS; i++)
        CHECK_EQ(call(&chips[i], "which", 0), i);
    shut_down_all();
}

/* Snapshots count the ticks of the system that has started them. */
static void snapshots(void) {
    begin();
    use(&chips[1]);
    CHECK_EQ(mb_snapshots(3, 1), 0);
    for (int ticks = 0; ticks < 20; ticks++) {
        use(&chips[0]);
        CHECK_EQ(mb_tick(), 1);
    }
    CHECK_EQ(mb_rerun(), -1);
    use(&chips[1]);
    CHECK_EQ(mb_snapshots(3, 1), 0);
    for (int ticks = 0; ticks < 4; ticks++) {
        use(&chips[2]);
        CHECK_EQ(mb_tick(), 1);
        use(&chips[1]);
        CHECK_EQ(mb_tick(), 1);
    }
    /* Ticks and snapshots of another system do not count for those of `left`. */
    for (int ticks = 0; ticks < 100; ticks++)
        use(&chips[2]), CHECK_EQ(mb_tick(), 1);
    /* Never woken, since later snapshots of `left` are newer. */
    CHECK_EQ(mb_snapshot(), 0);
    use(&chips[1]);
    for (int ticks = 0; ticks < 5; ticks++)
        CHECK_EQ(mb_tick(), 1);
    if (mb_is_rerun()) {
        for (int i = 0; i < SYSTEMS; i++)
            CHECK_EQ(call(&chips[i], "which", 0), i);
        exit(9);
    }
    CHECK_EQ(mb_rerun(), 9);
    shut_down_all();
}

/* The end of the process ends each system. */
static void end_all(int by_quit) {
    begin();
    for (int i = 0; i < SYSTEMS; i++) {
        active = &chips[i];
        CHECK(SEND(&chips[i].cpu, PRINT, 9, text(&chips[i], "last word")));
        CHECK_EQ(response(&chips[i]), 0);
    }
    by_quit ? mb_quit(33) : exit(33);
}

static void ends_by_quit(void) { end_all(1); }
static void ends_by_exit(void) { end_all(0); }

/* Configurations and file names contain the name of the system: ${VHOST_SYSTEM} in `mem_cfg` and
 * the others. */
static void by_name(void) {
    open_all();
    setenv("MEM_CFG_FILE", mem_cfg, 1);
    setenv("MAILBOX_CFG_FILE", mailbox_cfg, 1);
    setenv("MAILBOX_FS_ROOT", fs_root, 1);
    for (int i = 0; i < SYSTEMS; i++) {
        use(&chips[i]);
        /* The first use builds the first system. */
        CHECK_EQ(i == 0 ? mb_tick() - 1 : mb_init(NULL, NULL, NULL), 0);
    }
    for (int i = 0; i < SYSTEMS; i++) {
        handshake(&chips[i]);
        struct chip *chip = &chips[i];
        CHECK(SEND(&chip->cpu, FILES, OPEN, text(chip, "${VHOST_SYSTEM}.txt"), OPEN_WRITE | OPEN_TRUNCATE));
        CHECK_EQ(response(chip), FD);
    }
    shut_down_all();
}

/* Overlapping calls of different systems are refused like those of one system. */
static void *ticks_other(void *unused) {
    CHECK_EQ(mb_system_select(chips[2].system), -1);
    CHECK_EQ(mb_tick(), -1);
    CHECK_HAS(mb_last_error(), "another thread is inside a call");
    CHECK(mb_system_open("other") == NULL);
    CHECK(mb_system_current() == NULL);
    CHECK_EQ(mb_system_close(chips[2].system), -1);
    return unused;
}

static void overlaps(struct chip *chip) {
    (void)chip;
    in_thread((void *)ticks_other);
}

static void overlap(void) {
    begin();
    hook = overlaps;
    CHECK_EQ(call(&chips[1], "hook", 7), 7);
    CHECK(mb_system_current() == chips[1].system);
    CHECK(chips[1].reports == 1);
    CHECK_HAS(chips[1].last_report, "another thread is inside a call");
    for (int i = 0; i < SYSTEMS; i++)
        CHECK_EQ(call(&chips[i], "which", 0), i);
    shut_down_all();
}

static void (*step)(void);

void mb_step(void) { step(); }

static void closes_left(void) {
    CHECK_EQ(mb_system_close(chips[1].system), 0);
    CHECK(mb_system_current() == NULL);
}

static void opens_left_anew(void) {
    closes_left();
    CHECK((chips[1].system = mb_system_open("left")) != NULL);
    CHECK_EQ(init(&chips[1]), 0);
}

/* A system is closed while its mb_server_run lets time pass. */
static void served(void) {
    open_all();
    CHECK_EQ(mb_system_close(chips[2].system), 0);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(init(&chips[i]), 0);
        handshake(&chips[i]);
    }
    /* mb_server_run does not serve a new system with the same number. */
    step = opens_left_anew;
    CHECK_EQ(mb_server_run(), 0);
    handshake(&chips[1]);
    CHECK_EQ(call(&chips[1], "which", 0), 1);
    /* After a close, calls are for the first system. */
    step = closes_left;
    CHECK_EQ(mb_server_run(), 0);
    CHECK(mb_system_current() == NULL);
    CHECK_EQ(call(&chips[0], "which", 0), 0);
    mb_shutdown();
}

/* A system serves while another one was never built, or failed to build. */
static void failed(void) {
    open_all();
    use(&chips[1]);
    CHECK_EQ(mb_init("nowhere.yaml", mailbox_cfg, fs_root), -1);
    /* A returned string outlives its system, until the function is called again. */
    const char *why = mb_last_error();
    CHECK_EQ(mb_tick(), -1);
    CHECK_EQ(mb_system_close(chips[1].system), 0);
    CHECK((chips[1].system = mb_system_open("left")) != NULL);
    CHECK_HAS(why, "nowhere.yaml");
    use(&chips[1]);
    CHECK(strcmp(mb_last_error(), "") == 0);
    CHECK_EQ(init(&chips[2]), 0);
    CHECK(strcmp(mb_last_error(), "") == 0);
    handshake(&chips[2]);
    CHECK_EQ(call(&chips[2], "which", 0), 2);
    use(&chips[0]);
    CHECK_HAS(mb_status(), "not initialised");
    CHECK_EQ(mb_system_close(chips[1].system), 0);
    CHECK_EQ(call(&chips[2], "which", 0), 2);
    CHECK_EQ(mb_system_close(chips[2].system), 0);
}

int main(int argc, char **argv) {
    CHECK(argc == 5);
    mem_cfg = argv[2], mailbox_cfg = argv[3], fs_root = argv[4];
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {
#define CASE(name) {#name, name}
        CASE(interleaved), CASE(handles),   CASE(many),         CASE(nested),       CASE(sockets), CASE(runs),
        CASE(snapshots),   CASE(ends_by_quit), CASE(ends_by_exit), CASE(by_name), CASE(overlap), CASE(failed),
        CASE(served),
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (strcmp(cases[i].name, argv[1]) == 0) {
            cases[i].run();
            return 0;
        }
    fail(__FILE__, __LINE__, argv[1]);
}
