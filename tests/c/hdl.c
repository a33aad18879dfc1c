/*
 * Simulator with HDL arrays of four states, accessed by VPI and by UVM's backdoor: hdl CASE MEM
 * MAILBOX ROOT. Space `core0` has a memory for each array.
 *
 * Macros: NO_ARRAY_CALLS disables calls for several elements. BINARY_DIGITS makes values texts of
 * digits. NO_VPI leaves UVM's functions only. UVM means that memories are accessed by those.
 */
#define VHOST_DECLARE_TESTBENCH
#include "check.h"
#include "vhost.h"

#ifndef UVM
#define UVM 0
#endif

typedef struct {
    uint32_t aval, bval;
} vecval;

/* ---- The design ---- */

enum { WORDS = 64, MAX_VECVALS = 64 };

struct array {
    const char *path;
    int bits, rows, cols, falls, sealed;
    /* Lowest indices. */
    int row_from, from;
    vecval words[WORDS][MAX_VECVALS];
};

/* UVM alone does not provide the lowest index of an array. */
#ifdef NO_VPI
#define FROM(index) 0
#else
#define FROM(index) (index)
#endif

static struct array design[] = {
    {.path = "tb.ram", .bits = 32, .rows = 1, .cols = 64},
    {.path = "tb.falls", .bits = 32, .rows = 1, .cols = 64, .falls = 1},
    {.path = "tb.grid", .bits = 72, .rows = 4, .cols = 8},
    {.path = "tb.wide", .bits = 2048, .rows = 1, .cols = 4},
    {.path = "tb.odd", .bits = 24, .rows = 1, .cols = 64},
    {.path = "tb.sram.a", .bits = 32, .rows = 1, .cols = 8},
    {.path = "tb.sram.b", .bits = 32, .rows = 1, .cols = 8},
    {.path = "tb.sealed", .bits = 32, .rows = 1, .cols = 16, .sealed = 1},
    {.path = "tb.narrow", .bits = 16, .rows = 1, .cols = 16},
    {.path = "tb.short", .bits = 32, .rows = 1, .cols = 8},
    {.path = "tb.ecc", .bits = 39, .rows = 1, .cols = 64, .from = FROM(16)},
    {.path = "tb.parity", .bits = 144, .rows = 4, .cols = 8, .falls = 1, .row_from = FROM(-2), .from = FROM(8)},
    {.path = "tb.rows", .bits = 16, .rows = 4, .cols = 32},
    {.path = "tb.m44", .bits = 32, .rows = 4, .cols = 4},
};

static struct array *find(const char *path) {
    for (size_t i = 0; i < sizeof design / sizeof *design; i++)
        if (strcmp(design[i].path, path) == 0)
            return &design[i];
    CHECK(!"a path of the design");
    return NULL;
}

static int vecvals_of(int bits) { return (bits + 31) / 32; }

/* Object of a lookup, with the number of resets before it: an array, a row, a word or bits of a
 * word. */
struct object {
    int resets;
    struct array *array;
    int depth, row, col, high, low;
};

/* Stores the declared index of an element in an object. Returns 0 if there is none. */
static int select_element(struct object *object, int index) {
    const struct array *array = object->array;
    int number = index - (object->depth == 0 ? array->row_from : array->from);
    if (number < 0 || number >= (object->depth == 0 ? array->rows : array->cols))
        return 0;
    *(object->depth == 0 ? &object->row : &object->col) = number;
    return 1;
}

/* Looks up `path[row][col][high:low]`. An array with one row has no row index. */
static int look_up(const char *path, struct object *object) {
    size_t name = strcspn(path, "[");
    for (size_t i = 0; i < sizeof design / sizeof *design; i++) {
        struct array *array = &design[i];
        if (strlen(array->path) != name || strncmp(array->path, path, name) != 0)
            continue;
        *object = (struct object){0, array, 0, 0, 0, array->bits - 1, 0};
        const char *rest = path + name;
        if (array->rows == 1)
            object->depth = 1;
        while (*rest == '[' && object->depth < 2) {
            char *end;
            int index = (int)strtol(rest + 1, &end, 10);
            CHECK(*end == ']');
            if (!select_element(object, index))
                return 0;
            object->depth++;
            rest = end + 1;
        }
        if (*rest != '\0')
            CHECK(sscanf(rest, "[%d:%d]", &object->high, &object->low) == 2);
        return 1;
    }
    return 0;
}

static vecval *word_of(const struct object *object) {
    return object->array->words[object->row * object->array->cols + object->col];
}

/* Numbers of lookups, live handles, moved words and calls for arrays. */
static int looked_up, live, moved, array_calls;

/* ---- VPI ---- */

#ifndef NO_VPI

enum { VECTOR = 9, INT = 6, TYPE = 1, SIZE = 4, REG = 48, REG_ARRAY = 116, LEFT = 79, RIGHT = 83 };

struct value {
    int32_t format;
    union {
        int32_t integer;
        vecval *vector;
        char *text;
        double widest;
    } value;
};

struct error_info {
    int32_t state, level;
    char *message, *product, *code, *file;
    int32_t line;
};

static char error[128];

static int resets;

static void *handle_of(struct object object) {
    struct object *handle = malloc(sizeof *handle);
    *handle = object;
    handle->resets = resets;
    live++;
    return handle;
}

/* Returns the object of a handle, which must be newer than the last reset. */
static struct object *used(void *handle) {
    CHECK_EQ(((struct object *)handle)->resets, resets);
    return handle;
}

struct callback {
    int32_t reason;
    int32_t (*function)(struct callback *);
};

enum { END_OF_SIMULATION = 12, START_OF_RESET = 19 };

static struct callback callbacks[8];
static int registered;

void *vpi_register_cb(struct callback *callback) {
    CHECK(registered < 8);
    CHECK(callback->reason == END_OF_SIMULATION || callback->reason == START_OF_RESET);
    callbacks[registered++] = *callback;
    return handle_of((struct object){0});
}

static void happens(int32_t reason) {
    int called = 0;
    for (int i = 0; i < registered; i++)
        if (callbacks[i].reason == reason) {
            CHECK_EQ(callbacks[i].function(&callbacks[i]), 0);
            called++;
        }
    CHECK_EQ(called, 1);
    resets++;
    live = 0;
}

void *vpi_handle_by_name(char *name, void *scope) {
    struct object object;
    CHECK(scope == NULL);
    error[0] = '\0';
    looked_up++;
    return look_up(name, &object) ? handle_of(object) : NULL;
}

void *vpi_handle_by_index(void *handle, int32_t index) {
    struct object object = *used(handle);
    error[0] = '\0';
    CHECK(object.depth < 2);
    if (!select_element(&object, index))
        return NULL;
    object.depth++;
    return handle_of(object);
}

/* Returns a bound of an array. The object is a constant, here a row with that number, which the
 * library must not use otherwise. */
void *vpi_handle(int32_t role, void *handle) {
    struct object object = *used(handle);
    CHECK(role == LEFT || role == RIGHT);
    int first = object.depth == 0 ? object.array->row_from : object.array->from;
    int last = first + (object.depth == 0 ? object.array->rows : object.array->cols) - 1;
    object.depth = 3;
    object.row = (role == LEFT) == object.array->falls ? last : first;
    return handle_of(object);
}

int32_t vpi_release_handle(void *handle) {
    live--;
    free(used(handle));
    return 1;
}

int32_t vpi_get(int32_t property, void *handle) {
    const struct object *object = used(handle);
    int is_array = object->depth < 2;
    if (property == TYPE)
        return is_array ? REG_ARRAY : REG;
    CHECK_EQ(property, SIZE);
    return is_array ? object->array->cols : object->high - object->low + 1;
}

/* Simulated time, and true if writes are dropped. */
static uint32_t now;
static int drops;

struct time {
    int32_t type;
    uint32_t high, low;
    double real;
};

void vpi_get_time(void *object, struct time *time) {
    CHECK(object == NULL && time->type == 2);
    time->high = 0;
    time->low = now;
}

#ifdef BINARY_DIGITS

/* Simulator without vectors: values are texts of digits, the most significant first. */
enum { BINARY = 1 };

static char *digits_of(const struct object *object) {
    static char text[32 * MAX_VECVALS + 1];
    int bits = object->array->bits;
    for (int bit = 0; bit < bits; bit++) {
        const vecval *word = word_of(object) + bit / 32;
        int a = word->aval >> bit % 32 & 1, b = word->bval >> bit % 32 & 1;
        text[bits - 1 - bit] = "01ZX"[2 * b + a];
    }
    text[bits] = '\0';
    return text;
}

static void set_digits(const struct object *object, const char *text) {
    int bits = object->array->bits;
    CHECK_EQ((int)strlen(text), bits);
    memset(word_of(object), 0, sizeof(vecval) * (size_t)vecvals_of(bits));
    for (int bit = 0; bit < bits; bit++) {
        vecval *word = word_of(object) + bit / 32;
        const char *found = strchr("01zx", text[bits - 1 - bit]);
        CHECK(found != NULL);
        word->aval |= (uint32_t)(*found == '1' || *found == 'x') << bit % 32;
        word->bval |= (uint32_t)(*found == 'z' || *found == 'x') << bit % 32;
    }
}

#endif

void vpi_get_value(void *handle, struct value *value) {
    static vecval copy[MAX_VECVALS];
    const struct object *object = used(handle);
    error[0] = '\0';
    if (object->depth == 3) {
        CHECK_EQ(value->format, INT);
        value->value.integer = object->row;
        return;
    }
    CHECK_EQ(object->depth, 2);
#ifdef BINARY_DIGITS
    (void)copy;
    if (value->format == BINARY) {
        moved++;
        value->value.text = digits_of(object);
    } else {
        CHECK_EQ(value->format, VECTOR);
        value->value.vector = NULL;
    }
#else
    CHECK_EQ(value->format, VECTOR);
    moved++;
    memcpy(copy, word_of(object), sizeof copy);
    value->value.vector = copy;
#endif
}

void *vpi_put_value(void *handle, struct value *value, void *time, int32_t flags) {
    const struct object *object = used(handle);
    CHECK_EQ(object->depth, 2);
    CHECK(time == NULL && flags == 1);
    error[0] = '\0';
    moved++;
    if (object->array->sealed)
        strcpy(error, "the object is read only\n");
    else if (!drops) {
#ifdef BINARY_DIGITS
        CHECK_EQ(value->format, BINARY);
        set_digits(object, value->value.text);
#else
        CHECK_EQ(value->format, VECTOR);
        memcpy(word_of(object), value->value.vector, sizeof(vecval) * (size_t)vecvals_of(object->array->bits));
#endif
    }
    /* IEEE 1800: NULL without vpiReturnEvent. */
    return NULL;
}

struct array_value {
    uint32_t format, flags;
    vecval *vectors;
};

#ifndef NO_ARRAY_CALLS

/* Checks a run of elements, which goes from left to right. With descending indices a caller can't
 * predict the behaviour of simulators. */
static void check_run(const struct object *object, const struct array_value *value, const int32_t *index, uint32_t count) {
    error[0] = '\0';
    array_calls++;
    CHECK_EQ(object->depth, 1);
    CHECK(!object->array->falls);
    CHECK_EQ(value->format, VECTOR);
    CHECK_EQ(value->flags, 0);
    int first = *index - object->array->from;
    CHECK(first >= 0 && first + (int)count <= object->array->cols);
}

void vpi_get_value_array(void *handle, struct array_value *value, int32_t *index, uint32_t count) {
    static vecval copy[WORDS * MAX_VECVALS];
    struct object object = *used(handle);
    check_run(&object, value, index, count);
    size_t vecvals = (size_t)vecvals_of(object.array->bits);
    for (uint32_t i = 0; i < count; i++) {
        object.col = *index - object.array->from + (int)i;
        memcpy(copy + i * vecvals, word_of(&object), vecvals * sizeof *copy);
    }
    value->vectors = copy;
}

void vpi_put_value_array(void *handle, struct array_value *value, int32_t *index, uint32_t count) {
    struct object object = *used(handle);
    check_run(&object, value, index, count);
    if (object.array->sealed) {
        strcpy(error, "the array is read only\n");
        return;
    }
    size_t vecvals = (size_t)vecvals_of(object.array->bits);
    for (uint32_t i = 0; i < count; i++) {
        object.col = *index - object.array->from + (int)i;
        memcpy(word_of(&object), value->vectors + i * vecvals, vecvals * sizeof(vecval));
    }
}

#endif

int32_t vpi_chk_error(struct error_info *info) {
    if (error[0] == '\0')
        return 0;
    *info = (struct error_info){.level = 3, .message = error};
    return 3;
}

#endif

/* ---- UVM ---- */

int uvm_hdl_check_path(char *path) {
    struct object object;
    return look_up(path, &object);
}

/* Finds a word. UVM would report a missing path, so the library must check before it moves
 * words. */
static int find_word(const char *path, struct object *object) {
    looked_up++;
    moved++;
    CHECK(look_up(path, object));
    CHECK_EQ(object->depth, 2);
    CHECK(object->high - object->low < 1024);
    CHECK(object->low % 32 == 0);
    return vecvals_of(object->high - object->low + 1);
}

int uvm_hdl_read(char *path, vecval *value) {
    struct object object;
    int vecvals = find_word(path, &object);
    memcpy(value, word_of(&object) + object.low / 32, sizeof *value * (size_t)vecvals);
    return 1;
}

int uvm_hdl_deposit(char *path, vecval *value) {
    struct object object;
    int vecvals = find_word(path, &object);
    if (object.array->sealed)
        return 0;
    memcpy(word_of(&object) + object.low / 32, value, sizeof *value * (size_t)vecvals);
    return 1;
}

/* ---- Reports of the library ---- */

static int reports;
static char last_report[256];

void mb_report(int severity, const char *id, const char *msg) {
    (void)id;
    reports++;
    snprintf(last_report, sizeof last_report, "%d: %s", severity, msg);
}

/* ---- Cases ---- */

static const char *space = "core0";

static const struct memory {
    uint64_t base, size;
    int width;
    const char *path;
} memories[] = {
    {0x10000, 256, 4, "tb.ram"},   {0x20000, 256, 4, "tb.falls"}, {0x30000, 288, 9, "tb.grid"},
    {0x40000, 1024, 256, "tb.wide"}, {0x50000, 192, 3, "tb.odd"},  {0x60000, 64, 4, NULL},
    {0xc0000, 256, 4, "tb.ecc"},   {0xd0000, 288, 9, "tb.parity"},
};

enum { MEMORIES = sizeof memories / sizeof *memories };

/* Fills the bits above the memory's words, or checks that they are unchanged. */
static void above(const char *path, int width, void (*each)(uint32_t *bits, uint32_t mask)) {
    struct array *array = find(path);
    for (int word = 0; word < array->rows * array->cols; word++) {
        for (int at = width / 32; at < vecvals_of(array->bits); at++) {
            uint32_t mask = at == width / 32 ? ~0u << width % 32 : ~0u;
            if (array->bits - 32 * at < 32)
                mask &= ~(~0u << (array->bits - 32 * at));
            each(&array->words[word][at].aval, mask);
            each(&array->words[word][at].bval, mask);
        }
    }
}

static void fill(uint32_t *bits, uint32_t mask) { *bits = (*bits & ~mask) | (0x5a5a5a5a & mask); }

static void check_filled(uint32_t *bits, uint32_t mask) { CHECK_EQ(*bits & mask, 0x5a5a5a5a & mask); }

/* Byte of the design at a memory's offset, by the formulas of the configuration. */
static uint8_t *byte_of(const struct memory *memory, uint64_t offset, int plane) {
    uint64_t word = offset / (uint64_t)memory->width, byte = offset % (uint64_t)memory->width;
    struct array *array;
    if (memory->path == NULL) {
        array = find(word % 2 == 0 ? "tb.sram.a" : "tb.sram.b");
        word /= 2;
    } else {
        array = find(memory->path);
    }
    vecval *value = &array->words[word][byte / 4];
    return (uint8_t *)(plane == 0 ? &value->aval : &value->bval) + byte % 4;
}

static uint32_t draw(void) {
    static uint32_t state = 12345;
    state ^= state << 13;
    state ^= state >> 17;
    return state ^= state << 5;
}

/* Random accesses, each checked on the other side. */
static void moves(void) {
    above("tb.ecc", 32, fill);
    above("tb.parity", 72, fill);
    for (int round = 0; round < 4000; round++) {
        const struct memory *memory = &memories[draw() % MEMORIES];
        uint64_t offset = draw() % memory->size, len = 1 + draw() % (memory->size - offset);
        uint8_t data[1024];
        for (uint64_t i = 0; i < len; i++)
            data[i] = (uint8_t)draw();
        if (round % 2 == 0) {
            CHECK_EQ(mb_backdoor_write_mem(space, memory->base + offset, data, len), len);
            for (uint64_t i = 0; i < len; i++)
                CHECK_EQ(*byte_of(memory, offset + i, 0), data[i]);
        } else {
            for (uint64_t i = 0; i < len; i++)
                *byte_of(memory, offset + i, 0) = data[i];
            uint8_t read[1024];
            CHECK_EQ(mb_backdoor_read_mem(space, memory->base + offset, read, len), len);
            CHECK(memcmp(read, data, len) == 0);
        }
    }
    above("tb.ecc", 32, check_filled);
    above("tb.parity", 72, check_filled);
    CHECK_EQ(reports, 0);
}

/* Unknown bits read as 0, are reported once per word, and survive a write beside them. */
static void unknown(void) {
    const struct memory *ram = &memories[0];
    uint8_t bytes[16];
    memset(find("tb.ram")->words, 0xff, sizeof find("tb.ram")->words);
    *byte_of(ram, 4, 1) = 0;
    mb_backdoor_write_u8(space, ram->base + 5, 0x5a);
    CHECK_EQ(reports, 0);
    CHECK_EQ(*byte_of(ram, 5, 1), 0);
    CHECK_EQ(*byte_of(ram, 6, 1), 0xff);

    uint16_t known;
    mb_backdoor_read_u16(space, ram->base + 4, &known);
    CHECK_EQ(known, 0x5aff);
    CHECK_EQ(reports, 0);
    uint32_t word;
    mb_backdoor_read_u32(space, ram->base + 4, &word);
    CHECK_EQ(word, 0x5aff);
    CHECK_EQ(reports, 1);
    CHECK_HAS(last_report, "1: memory `ram`: tb.ram[1] has X or Z bits, read as 0");
    mb_backdoor_read_u32(space, ram->base + 4, &word);
    CHECK_EQ(reports, 1);
    mb_backdoor_read_mem(space, ram->base + 8, bytes, sizeof bytes);
    CHECK_EQ(reports, 2);
    CHECK_HAS(last_report, "tb.ram[2] to tb.ram[5] have X or Z bits, read as 0");

    /* Bits above the memory's words are unused. Reports use declared indices. */
    above("tb.ecc", 32, fill);
    mb_backdoor_read_mem(space, 0xc0000, bytes, sizeof bytes);
    CHECK_EQ(reports, 2);
    find("tb.ecc")->words[1][0].bval = 1;
    mb_backdoor_read_mem(space, 0xc0000, bytes, sizeof bytes);
    CHECK_EQ(reports, 3);
#ifndef NO_VPI
    CHECK_HAS(last_report, "tb.ecc[17] has X or Z bits, read as 0");
#endif
}

#ifndef NO_VPI

/* A write without an effect and without an error is reported once, at a later time. */
static void dropped(void) {
    uint32_t word = 7;
    drops = 1;
    mb_backdoor_write_u32(space, 0x10008, 0x12345678);
    mb_backdoor_read_u32(space, 0x10008, &word);
    CHECK_EQ(word, 0);
    CHECK_EQ(reports, 0);
    now++;
    mb_backdoor_read_u32(space, 0x10008, &word);
    CHECK_EQ(reports, 1);
    CHECK_HAS(last_report, "2: write to tb.ram[2] had no effect");
    now++;
    mb_backdoor_write_u32(space, 0x10008, 0x12345678);
    now++;
    mb_backdoor_read_u32(space, 0x10008, &word);
    CHECK_EQ(reports, 1);

    /* A write that takes effect later, as that of a signal. */
    mb_backdoor_write_u32(space, 0x20000, 5);
    drops = 0;
    mb_backdoor_write_u32(space, 0x20000, 5);
    now++;
    mb_backdoor_read_u32(space, 0x20000, &word);
    CHECK_EQ(word, 5);
    CHECK_EQ(reports, 1);
    mb_shutdown();
}

#endif

/* Nothing is looked up twice, and a run of words is one call. */
static void kept(void) {
    uint8_t bytes[256] = {1};
    mb_backdoor_write_mem(space, 0x10000, bytes, sizeof bytes);
    /* The first write that changes a word is read back, later ones rarely. */
    int before = looked_up, calls = array_calls, sampled = moved;
    mb_backdoor_write_mem(space, 0x10000, bytes, sizeof bytes);
    mb_backdoor_read_mem(space, 0x10000, bytes, sizeof bytes);
    CHECK_EQ(looked_up, before);
#ifdef NO_ARRAY_CALLS
    CHECK_EQ(moved, sampled + 2 * 64);
    CHECK_EQ(calls, 0);
#else
    CHECK_EQ(moved, sampled);
    CHECK_EQ(array_calls, calls + 2);
#endif
    /* The array of rows is looked up once, and its rows are found in it. */
    mb_backdoor_write_mem(space, 0x30000, bytes, 256);
    CHECK_EQ(looked_up, before + 1);
    CHECK(live > 0);
    mb_shutdown();
    CHECK_EQ(live, 0);
}

/* No handle is used after a reset, and none is released after it. */
static void reset(void) {
#ifndef NO_VPI
    uint8_t bytes[288], read[288];
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)draw();
        mb_backdoor_write_mem(space, 0x30000, bytes, sizeof bytes);
        mb_backdoor_write_mem(space, 0x10000, bytes, 256);
        happens(round % 2 == 0 ? START_OF_RESET : END_OF_SIMULATION);
        CHECK_EQ(mb_backdoor_read_mem(space, 0x30000, read, sizeof read), sizeof read);
        CHECK(memcmp(read, bytes, sizeof read) == 0);
    }
    /* Also not by mb_shutdown. */
    happens(END_OF_SIMULATION);
#endif
}

static void fails(uint64_t addr, const char *part) {
    uint8_t bytes[32] = {0};
    CHECK_EQ(mb_backdoor_write_mem(space, addr, bytes, sizeof bytes), -1);
    CHECK_HAS(mb_last_error(), part);
    CHECK_HAS(last_report, part);
}

/* Each error names the path. */
static void errors(void) {
    uint8_t part[32];
    memset(part, 0x5a, sizeof part);
    CHECK_EQ(mb_backdoor_write_mem(space, 0x120000, part, sizeof part), sizeof part);
    CHECK_EQ(find("tb.m44")->words[7][0].aval, 0x5a5a5a5a);
    CHECK_EQ(find("tb.m44")->words[8][0].aval, 0);
    const char *sealed = "HDL path `tb.sealed[0]`: vpi_put_value: the object is read only";
    fails(0x70000, UVM ? "HDL path `tb.sealed[0]`: uvm_hdl_deposit returned 0" : sealed);
    fails(0x80000, UVM ? "HDL path `tb.nowhere[0]`: the simulator has no such object"
                       : "HDL path `tb.nowhere`: the simulator has no such object");
    fails(0xa0020, UVM ? "HDL path `tb.short[15]`: the simulator has no such object"
                       : "HDL path `tb.short[8]`: the simulator has no such object");
    /* UVM alone does not provide the width of an object. */
#ifndef NO_VPI
    fails(0xe0100, UVM ? "HDL path `tb.ecc[95]`: the simulator has no such object"
                       : "HDL path `tb.ecc[80]`: the simulator has no such object");
    fails(0x90000, "HDL path `tb.narrow[0]`: a word has 16 bits, but `width` (or `bank_width`) is 32");
    /* Wrong rows and columns would shift addresses. Nothing is moved, in repeated attempts
     * either. */
    static const struct {
        uint64_t base;
        const char *says;
    } dims[] = {{0xf0000, "2 rows of 8;"}, {0x100000, "4 rows of 2;"}, {0x110000, "8 rows of 4;"}};
    for (size_t i = 0; i < 2 * sizeof dims / sizeof *dims; i++) {
        char text[128];
        snprintf(text, sizeof text, "HDL path `tb.m44`: the HDL array has 4 rows of 4 words, but `array_dims` is %s",
                 dims[i / 2].says);
        int before = moved + array_calls;
        fails(dims[i / 2].base, text);
        CHECK_EQ(moved + array_calls, before);
    }
    /* A row with as many words as the memory's words should have bits. */
    fails(0xb0000, "HDL path `tb.rows[0]`: an array in place of a word: set its rows and columns by `array_dims`");
#endif
    uint32_t data = 77;
    mb_backdoor_read_u32(space, 0x80000, &data);
    CHECK_EQ(data, 0);
}

int main(int argc, char **argv) {
    CHECK_EQ(argc, 5);
    CHECK_EQ(mb_init(argv[2], argv[3], argv[4]), 0);
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {
        {"moves", moves},
        {"unknown", unknown},
        {"kept", kept},
#ifndef NO_VPI
        {"dropped", dropped},
#endif
        {"errors", errors},
        {"reset", reset},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (strcmp(cases[i].name, argv[1]) == 0) {
            cases[i].run();
            mb_shutdown();
            CHECK_EQ(live, 0);
            return 0;
        }
    }
    return 1;
}
