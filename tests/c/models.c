/*
 * Runtime of Verilator, as far as the library uses it: models that are constructed and deleted
 * while the process runs, and a program that drives them: models CASE MEM MAILBOX ROOT. The library
 * must not access objects of a deleted model. The scopes of the next model have the same addresses.
 */
#define VHOST_DECLARE_TESTBENCH
#include "check.h"
#include "vhost.h"

static char **paths;

static int init(void) { return mb_init(paths[0], paths[1], paths[2]); }

/* ---- Models: each has package `tb`, and module `top` with an array `mem` ---- */

enum { MODELS = 2, SCOPES = 2, WORDS = 0x800 };

struct scope {
    char name[32];
    int alive;
    struct model *model;
};

struct model {
    const char *prefix;
    int alive;
    struct scope scopes[SCOPES];
    uint32_t words[WORDS];
};

static struct model models[MODELS];
/* Model for lookups of names, like the context of a thread. */
static struct model *context;
static struct scope *current;

static struct model *construct(struct model *model, const char *prefix) {
    static const char *const names[SCOPES] = {"tb", "top"};
    CHECK(!model->alive);
    memset(model, 0, sizeof *model);
    model->prefix = prefix;
    model->alive = 1;
    for (int i = 0; i < SCOPES; i++) {
        struct scope *scope = &model->scopes[i];
        snprintf(scope->name, sizeof scope->name, "%s%s", prefix, names[i]);
        scope->alive = 1;
        scope->model = model;
    }
    context = model;
    return model;
}

/* ---- DPI ---- */

const char *_ZN9Verilated11productNameEv(void) { return "Verilator"; }

/* Verilator's function prints a warning outside of an import, or may return a deleted scope. */
void *svGetScope(void) { CHECK(!"svGetScope is called"); return NULL; }

void *svSetScope(void *scope) {
    void *before = current;
    current = scope;
    return before;
}

static struct scope *living(const void *scope) {
    struct scope *known = (struct scope *)scope;
    CHECK(known->alive && known->model->alive);
    return known;
}

void *svGetScopeFromName(const char *name) {
    CHECK(context != NULL && context->alive);
    for (int i = 0; i < SCOPES; i++)
        if (strcmp(context->scopes[i].name, name) == 0)
            return &context->scopes[i];
    return NULL;
}

const char *svGetNameFromScope(const void *scope) { return living(scope)->name; }

static struct {
    const void *scope;
    void *key, *data;
} user[16];

int svPutUserData(const void *scope, void *key, void *data) {
    living(scope);
    for (int i = 0; i < 16; i++)
        if (user[i].scope == NULL || (user[i].scope == scope && user[i].key == key)) {
            user[i].scope = scope, user[i].key = key, user[i].data = data;
            return 0;
        }
    return -1;
}

/* Looks up by the address only. */
void *svGetUserData(const void *scope, void *key) {
    for (int i = 0; i < 16; i++)
        if (user[i].scope == scope && user[i].key == key)
            return user[i].data;
    return NULL;
}

static void delete(struct model *model) {
    CHECK(model->alive);
    model->alive = 0;
    for (int i = 0; i < SCOPES; i++) {
        model->scopes[i].alive = 0;
        for (int at = 0; at < 16; at++)
            if (user[at].scope == &model->scopes[i])
                user[at].scope = NULL;
    }
    if (context == model)
        context = NULL;
}

/* Calls from an import in package `tb`. As in Verilator, the scope stays set afterwards. */
#define IMPORTED(model, call) (current = &(model)->scopes[0], (call))

/* ---- VPI ---- */

struct handle {
    struct model *model;
    int word; /* -1: the array; -2: the module; -3: an iterator */
};

struct value {
    int32_t format;
    union {
        int32_t integer;
        uint32_t *vector;
        double widest;
    } value;
};

static int live;

static void *handle_of(struct model *model, int word) {
    struct handle *handle = malloc(sizeof *handle);
    *handle = (struct handle){model, word};
    live++;
    return handle;
}

static struct handle *used(void *handle) {
    struct handle *known = handle;
    CHECK(known->model->alive);
    return known;
}

void *vpi_handle_by_name(char *name, void *scope) {
    char path[64];
    CHECK(scope == NULL && context != NULL && context->alive);
    snprintf(path, sizeof path, "%stop.mem", context->prefix);
    return strcmp(name, path) == 0 ? handle_of(context, -1) : NULL;
}

void *vpi_handle_by_index(void *handle, int32_t index) {
    return index < WORDS ? handle_of(used(handle)->model, index) : NULL;
}

void *vpi_handle(int32_t role, void *handle) {
    (void)role, used(handle);
    return NULL;
}

int32_t vpi_release_handle(void *handle) {
    used(handle);
    free(handle);
    live--;
    return 1;
}

int32_t vpi_get(int32_t property, void *handle) {
    int is_array = used(handle)->word == -1;
    return property == 1 ? (is_array ? 116 : 48) : (is_array ? WORDS : 32);
}

void vpi_get_value(void *handle, struct value *value) {
    static uint32_t vector[2];
    struct handle *known = used(handle);
    vector[0] = known->model->words[known->word];
    value->value.vector = vector;
}

void *vpi_put_value(void *handle, struct value *value, void *time, int32_t flags) {
    (void)time, (void)flags;
    struct handle *known = used(handle);
    known->model->words[known->word] = value->value.vector[0];
    return NULL;
}

void *vpi_iterate(int32_t type, void *object) {
    CHECK(type == 32 && object == NULL);
    for (int i = 0; i < MODELS; i++)
        if (models[i].alive)
            return handle_of(&models[i], -3);
    return NULL;
}

void *vpi_scan(void *iterator) { return handle_of(used(iterator)->model, -2); }

char *vpi_get_str(int32_t property, void *handle) {
    CHECK(property == 3);
    return used(handle)->model->scopes[1].name;
}

/* Verilator reports neither end nor reset, and warns if a callback for them is registered. */
void *vpi_register_cb(void *data) { (void)data; CHECK(!"vpi_register_cb is called"); return NULL; }

/* ---- The testbench ---- */

static int registered, reported, written;
static struct scope *exported_in;

void sv_registery_ch(const char *ch) {
    (void)ch;
    exported_in = living(current);
    registered++;
}

void mb_report(int severity, const char *id, const char *msg) {
    exported_in = living(current);
    reported++;
    fprintf(stderr, "report %d: %s: %s\n", severity, id, msg);
}

void mb_written(const char *space, uint64_t address, uint32_t len, const uint8_t *data) {
    (void)space, (void)address, (void)len, (void)data;
    exported_in = living(current);
    written++;
}

/* ---- Cases ---- */

/* Addresses of an array in the model, and of memory in the process. */
static const uint64_t RAM = 0x80000000, PLAIN = 0x90000000;

static void fails(void) { CHECK_EQ(mb_load_elf("core0", NULL), -1); }

/* Checks that the host accesses this model's memory and its exports. */
static void works(struct model *model) {
    uint32_t word = 0;
    int reports = reported;
    mb_backdoor_write_u32("core0", RAM + 0x100, 0x1234);
    CHECK_EQ(model->words[0x40], 0x1234);
    mb_backdoor_read_u32("core0", RAM + 0x100, &word);
    CHECK_EQ(word, 0x1234);
    CHECK_EQ(mb_tick(), 1);
    fails();
    CHECK_EQ(reported, reports + 1);
    CHECK(exported_in->model == model);
}

/* Without a known scope, the library uses one of the model. */
static void driven(void) {
    struct model *model = construct(&models[0], "");
    CHECK_EQ(init(), 0);
    CHECK_EQ(registered, 1);
    works(model);
    CHECK(current == NULL);
    mb_shutdown();
    delete(model);
    CHECK_EQ(live, 0);
}

static void named(void) {
    struct model *model = construct(&models[0], "sim.");
    CHECK_EQ(mb_set_scope("tb"), -1);
    CHECK_HAS(mb_last_error(), "mb_set_scope: `name`: the simulator has no DPI scope `tb`");
    CHECK_EQ(mb_set_scope("sim.tb"), 0);
    /* The set scope has priority over the one that mb_init is called from. */
    current = &model->scopes[1];
    CHECK_EQ(init(), 0);
    CHECK_EQ(registered, 1);
    CHECK(exported_in == &model->scopes[0]);
    current = NULL;
    fails();
    CHECK(exported_in == &model->scopes[0] && current == NULL);
    CHECK_EQ(mb_set_scope(NULL), 0);
    fails();
    CHECK(exported_in == &model->scopes[1]);
    CHECK_EQ(mb_set_scope("sim.tb"), 0);
    mb_shutdown();

    /* The next system has only the scope of the environment. */
    setenv("VHOST_SCOPE", "tb", 1);
    CHECK_EQ(init(), -1);
    CHECK_HAS(mb_last_error(), "VHOST_SCOPE: the simulator has no DPI scope `tb`");
    setenv("VHOST_SCOPE", "sim.tb", 1);
    CHECK_EQ(init(), 0);
    fails();
    CHECK(exported_in == &model->scopes[0]);
    mb_shutdown();
    unsetenv("VHOST_SCOPE");
    delete(model);
}

/* Models one after another: the model calls mb_init, or the program does. */
static void again(void) {
    for (int round = 0; round < 4; round++) {
        struct model *model = construct(&models[0], "");
        int before = registered;
        CHECK_EQ(round % 2 == 0 ? IMPORTED(model, init()) : init(), 0);
        CHECK_EQ(registered, before + 1);
        if (round % 2 == 0)
            CHECK(exported_in == &model->scopes[0]);
        works(model);
        current = round < 2 ? NULL : &model->scopes[0];
        mb_shutdown();
        delete(model);
    }
    CHECK_EQ(live, 0);
}

/* The same without mb_shutdown. */
static void forgotten(void) {
    for (int round = 0; round < 4; round++) {
        struct model *model = construct(&models[0], "");
        int before = registered;
        CHECK_EQ(round % 2 == 0 ? init() : IMPORTED(model, init()), 0);
        CHECK_EQ(registered, before + 1);
        works(model);
        delete(model);
        uint32_t word = 7;
        int reports = reported;
        mb_backdoor_read_u32("core0", RAM, &word);
        CHECK_EQ(word, 0);
        CHECK_HAS(mb_last_error(), "HDL path `top.mem`");
        CHECK_HAS(mb_last_error(), "was deleted: call `mb_shutdown`");
        CHECK_EQ(mb_tick(), -1);
        mb_notify();
        CHECK_HAS(mb_status(), "core0");
        CHECK_EQ(reported, reports);
        if (round == 2)
            mb_shutdown();
    }
    mb_shutdown();
}

/*
 * A deleted model without a new mb_init: the first failed call is reported, and the next mb_init
 * reports their number. The observer's function is gone, too; a memory without an HDL path stays.
 */
static void kept(void) {
    struct model *model = construct(&models[0], "");
    CHECK_EQ(init(), 0);
    mb_observe(2);
    mb_backdoor_write_u32("core0", RAM, 1);
    CHECK_EQ(written, 1);
    delete(model);
    for (int i = 0; i < 100; i++) {
        uint32_t word = 7;
        mb_backdoor_read_u32("core0", RAM, &word);
        CHECK_EQ(word, 0);
        CHECK_HAS(mb_last_error(), "was deleted: call `mb_shutdown`");
        mb_backdoor_write_u32("core0", PLAIN, i);
        mb_backdoor_read_u32("core0", PLAIN, &word);
        CHECK_EQ(word, i);
    }
    CHECK_EQ(written, 1);
    /* Errors of another kind are reported each. */
    fails();
    fails();
    model = construct(&models[0], "");
    CHECK_EQ(init(), 0);
    works(model);
    mb_shutdown();
    delete(model);
}

/* The next model exists already, at another address. */
static void forgotten_and_moved(void) {
    struct model *model = construct(&models[0], "");
    CHECK_EQ(IMPORTED(model, init()), 0);
    works(model);
    delete(model);
    struct model *next = construct(&models[1], "");
    CHECK_EQ(mb_set_scope("top"), 0);
    int reports = reported;
    CHECK_EQ(init(), 0);
    CHECK_EQ(reported, reports + 1);
    CHECK(exported_in == &next->scopes[1]);
    works(next);
    CHECK(exported_in == &next->scopes[1]);
    delete(next);
    mb_shutdown();
}

/* Two models at the same time, one of which is deleted. */
static void beside(void) {
    struct model *memory = construct(&models[1], "");
    struct model *testbench = construct(&models[0], "");
    context = memory;
    CHECK_EQ(IMPORTED(testbench, init()), 0);
    current = NULL;
    mb_backdoor_write_u32("core0", RAM, 1);
    CHECK_EQ(memory->words[0], 1);
    delete(memory);
    context = testbench;
    mb_backdoor_write_u32("core0", RAM, 2);
    CHECK_HAS(mb_last_error(), "was deleted");
    CHECK(exported_in == &testbench->scopes[0]);
    CHECK_EQ(testbench->words[0], 0);
    mb_shutdown();
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {
        {"driven", driven},       {"named", named},   {"again", again},
        {"forgotten", forgotten}, {"kept", kept}, {"beside", beside}, {"forgotten_and_moved", forgotten_and_moved},
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
