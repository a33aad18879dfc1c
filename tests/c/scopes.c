/*
 * Simulator with DPI scopes, and a system for each: scopes CASE MEM MAILBOX ROOT. Exports are those
 * of the current scope. All chips have the same configuration.
 */
#define VHOST_DECLARE_TESTBENCH
#include <sys/stat.h>

#include "check.h"
#include "firmware.h"
#include "vhost.h"

enum { SIZE = 0x40000 };
#define BASE 0x80000000ull

static const char *mem_cfg, *mailbox_cfg, *fs_root;

struct scope {
    const char *name;
    /* Scope with its exports: itself, unless it is inside of another one. */
    struct scope *top;
    struct firmware cpu;
    uint8_t memory[SIZE];
    int registered, exits, reports;
    uint32_t code;
};

static struct scope left = {.name = "top.left", .top = &left}, right = {.name = "top.right", .top = &right};
static struct scope inner = {.name = "top.left.u.v", .top = &left}, package = {.name = "pkg", .top = &package};
/* Not inside of top.left, in spite of the prefix. */
static struct scope longer = {.name = "top.left2", .top = &longer};
/* Scope of another model, with the same name. */
static struct scope other = {.name = "top.left", .top = &other};

static struct scope *current, *active;

void *svGetScope(void) { return current; }

void *svSetScope(const void *scope) {
    void *before = current;
    current = (struct scope *)scope;
    return before;
}

const char *svGetNameFromScope(const void *scope) { return ((const struct scope *)scope)->name; }

void *svGetScopeFromName(const char *name) {
    struct scope *const all[] = {&left, &right, &inner, &package};
    for (int i = 0; i < 4; i++)
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
    return NULL;
}

uint8_t *chip_at(uint64_t address, size_t len) {
    CHECK(address >= BASE && address - BASE <= SIZE - len);
    return active->memory + (address - BASE);
}

/* ---- Exports of the scope that the library has set ---- */

void mb_bb_mem_read(const char *name, uint64_t addr, uint8_t *data) {
    CHECK(strcmp(name, "ram") == 0);
    *data = current->memory[addr];
}

void mb_bb_mem_write(const char *name, uint64_t addr, uint8_t data) {
    CHECK(strcmp(name, "ram") == 0);
    current->memory[addr] = data;
}

void sv_registery_ch(const char *ch) {
    const char *space;
    current->registered++;
    mb_get_space(ch, &space);
    CHECK(strcmp(space, "cpu") == 0);
}

void mb_exited(const char *ch, uint32_t code) {
    (void)ch;
    current->exits++;
    current->code = code;
}

void mb_report(int severity, const char *id, const char *msg) {
    current->reports++;
    fprintf(stderr, "%s: report %d: %s: %s\n", current->name, severity, id, msg);
}

uint64_t mb_sv_call(const char *ch, const char *method, uint32_t arg_len, const uint64_t *args, uint32_t *status) {
    uint32_t word = 0;
    (void)ch, (void)arg_len;
    CHECK(strcmp(method, "peek") == 0);
    struct scope *own = current;
    /* An import of a package: the call is for the system that calls this function. */
    svSetScope(&package);
    mb_backdoor_read_u32("cpu", args[0], &word);
    svSetScope(own);
    *status = 0;
    return word;
}

/* ---- The testbench ---- */

#define IN(scope) (active = (scope), svSetScope(scope))

static int init(struct scope *scope) {
    IN(scope);
    return mb_init(mem_cfg, mailbox_cfg, fs_root);
}

static void handshake(struct scope *scope) {
    IN(scope);
    scope->cpu = firmware_at(BASE + 0x1000, 4, 0);
    firmware_reset(&scope->cpu);
    CHECK_EQ(mb_tick(), 1);
    CHECK_EQ(firmware_state(&scope->cpu), READY);
}

static int64_t peek(struct scope *scope, uint64_t address) {
    uint32_t words;
    int64_t value;
    IN(scope);
    CHECK(SEND(&scope->cpu, CALL, firmware_text(&scope->cpu, "peek"), address));
    CHECK_EQ(mb_tick(), 1);
    CHECK(firmware_receive(&scope->cpu, &words, &value));
    return value;
}

static void serves(struct scope *scope, uint32_t number) {
    handshake(scope);
    mb_backdoor_write_u32("cpu", BASE + 0x100, number);
    CHECK_EQ(peek(scope, BASE + 0x100), number);
}

static void by_environment(void) {
    CHECK_EQ(init(&left), 0);
    CHECK_EQ(init(&right), 0);
    /* Each one can be built once. */
    CHECK_EQ(init(&left), -1);
    CHECK_HAS(mb_last_error(), "the system exists already");
    CHECK_EQ(left.registered + right.registered, 2);
    CHECK(strcmp((IN(&left), mb_system_name()), "top.left") == 0);
    CHECK(strcmp((IN(&right), mb_system_name()), "top.right") == 0);
    for (uint32_t i = 1; i < 20; i++) {
        serves(&left, i);
        serves(&right, 100 + i);
        CHECK_EQ(peek(&left, BASE + 0x100), i);
    }

    /* Calls from an inner scope are for its system; those from other scopes for the selected
     * system, here the first. */
    uint32_t word = 0;
    IN(&inner);
    mb_backdoor_read_u32("cpu", BASE + 0x100, &word);
    CHECK_EQ(word, 19);
    CHECK(strcmp(mb_system_name(), "top.left") == 0);
    CHECK(strcmp((IN(&package), mb_system_name()), "main") == 0);
    CHECK(strcmp((IN(&longer), mb_system_name()), "main") == 0);
    CHECK(strcmp((IN(NULL), mb_system_name()), "main") == 0);
    IN(&package);
    CHECK_HAS(mb_status(), "not initialised");
    /* The scope has priority over the selection. */
    void *of_right = (IN(&right), mb_system_current());
    CHECK_EQ(mb_system_select(of_right), 0);
    CHECK(strcmp((IN(&left), mb_system_name()), "top.left") == 0);
    CHECK(strcmp((IN(&package), mb_system_name()), "top.right") == 0);
    CHECK_EQ(mb_system_select(NULL), 0);

    /* Another model, with a scope of the same name. */
    CHECK_EQ(init(&other), 0);
    CHECK(strcmp((IN(&other), mb_system_name()), "top.left-2") == 0);
    serves(&other, 7);
    CHECK_EQ(peek(&left, BASE + 0x100), 19);
    /* An inner scope is ambiguous then. */
    CHECK(strcmp((IN(&inner), mb_system_name()), "main") == 0);

    /* A system ends and starts again. */
    IN(&left);
    mb_shutdown();
    CHECK_HAS(mb_status(), "not initialised");
    CHECK_EQ(peek(&right, BASE + 0x100), 119);
    CHECK_EQ(peek(&other, BASE + 0x100), 7);
    CHECK_EQ(init(&left), 0);
    CHECK(strcmp(mb_system_name(), "top.left") == 0);
    serves(&left, 8);
    IN(&right);
    CHECK(SEND(&right.cpu, EXIT, 3));
    while (mb_tick() > 0)
        ;
    CHECK(right.exits == 1 && right.code == 3 && left.exits == 0);
    CHECK_EQ(left.reports, 1);
    CHECK_EQ(right.reports + other.reports, 0);
    struct scope *const all[] = {&left, &right, &other};
    for (int i = 0; i < 3; i++) {
        IN(all[i]);
        CHECK_EQ(mb_system_close(mb_system_current()), 0);
        CHECK(strcmp(mb_system_name(), "main") == 0);
    }
}

/* Without the variable there is one system, unless the testbench calls mb_system_of_scope. */
static void by_call(void) {
    IN(NULL);
    CHECK(mb_system_of_scope() == NULL);
    CHECK_HAS(mb_last_error(), "mb_system_of_scope: ");
    CHECK_EQ(init(&left), 0);
    CHECK(mb_system_current() == NULL);
    IN(&right);
    void *system = mb_system_of_scope();
    CHECK(system != NULL);
    CHECK(mb_system_of_scope() == system && mb_system_current() == system);
    CHECK_EQ(init(&right), 0);
    serves(&left, 1);
    serves(&right, 2);
    CHECK_EQ(peek(&left, BASE + 0x100), 1);
    IN(&right);
    CHECK_EQ(mb_system_close(system), 0);
    CHECK(mb_system_of_scope() != system);
    IN(&left);
    mb_shutdown();
}

static void wrong_variable(void) {
    CHECK_EQ(init(&left), -1);
    CHECK_HAS(mb_last_error(), "VHOST_SYSTEMS is `many`; give `one`, or `scope`");
}

/* Systems of many scopes, each shut down before the next, do not exhaust the number of systems. */
static void come_and_go(void) {
    for (int round = 0; round < 5000; round++) {
        struct scope *scope = calloc(1, sizeof *scope);
        CHECK(scope != NULL);
        scope->name = "top.left";
        scope->top = scope;
        CHECK_EQ(init(scope), 0);
        CHECK(strcmp(mb_system_name(), "top.left") == 0);
        if (round % 500 == 0)
            serves(scope, round);
        mb_shutdown();
        free(scope);
    }
}

int main(int argc, char **argv) {
    CHECK(argc == 5);
    mem_cfg = argv[2], mailbox_cfg = argv[3], fs_root = argv[4];
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {
#define CASE(name) {#name, name}
        CASE(by_environment), CASE(by_call), CASE(wrong_variable), CASE(come_and_go),
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (strcmp(cases[i].name, argv[1]) == 0) {
            cases[i].run();
            return 0;
        }
    fail(__FILE__, __LINE__, argv[1]);
}
