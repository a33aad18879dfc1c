/* Backdoor, and invalid arguments. */
#include "cases.h"
#include "check.h"
#include "chip.h"

static const uint64_t RAM = 0x80000000;

static void init(void) { CHECK_EQ(mb_init(setup.mem_cfg, setup.mailbox_cfg, setup.fs_root), 0); }

void backdoor(void) {
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    const char *text;
    char bytes[100];
    init();
    mb_backdoor_write_u64("core0", RAM, 0x8877665544332211);
    CHECK(memcmp(chip_at(RAM, 8), "\x11\x22\x33\x44\x55\x66\x77\x88", 8) == 0);
    mb_backdoor_read_u8("core0", RAM, &u8);
    CHECK_EQ(u8, 0x11);
    mb_backdoor_read_u16("core0", RAM + 1, &u16);
    CHECK_EQ(u16, 0x3322);
    mb_backdoor_read_u32("core0", RAM + 3, &u32);
    CHECK_EQ(u32, 0x77665544);
    mb_backdoor_read_u64("core0", RAM, &u64);
    CHECK_EQ(u64, 0x8877665544332211);
    mb_backdoor_write_u8("core0", RAM, 0xaa);
    mb_backdoor_write_u16("core0", RAM + 1, 0xbbcc);
    mb_backdoor_write_u32("core0", RAM + 3, 0xddeeff00);
    CHECK(memcmp(chip_at(RAM, 8), "\xaa\xcc\xbb\x00\xff\xee\xdd\x88", 8) == 0);

    mb_backdoor_write_string("core1", 0x90000010, "any \xff bytes");
    mb_backdoor_read_string("core1", 0x90000010, &text);
    CHECK(strcmp(text, "any \xff bytes") == 0);
    CHECK_EQ(mb_backdoor_write_mem("core0", RAM + 0x100, "0123456789", 10), 10);
    CHECK_EQ(mb_backdoor_read_mem("core0", RAM + 0x102, bytes, 5), 5);
    CHECK(memcmp(bytes, "23456", 5) == 0);
    CHECK_EQ(mb_backdoor_read_mem("core0", RAM, NULL, 0), 0);
    CHECK_EQ(mb_backdoor_write_mem("core0", RAM, NULL, 0), 0);
    CHECK_EQ(testbench.reports, 0);
    mb_shutdown();
}

static int reports;

/* Checks that the previous call was reported under this name, with a text that contains this
 * part. */
static void reported(const char *id, const char *part) {
    CHECK_EQ(testbench.reports, ++reports);
    CHECK_EQ(testbench.last_severity, 2);
    CHECK(strcmp(testbench.last_id, id) == 0);
    CHECK_HAS(testbench.last_report, part);
    CHECK_HAS(mb_last_error(), part);
}

void misuse(void) {
    uint32_t u32 = 7, status = 7;
    const char *text = NULL;
    char bytes[8];
    init();
    mb_backdoor_read_u32("nowhere", RAM, &u32);
    reported("mb_backdoor_read_u32", "nowhere");
    CHECK_EQ(u32, 0);
    u32 = 7;
    mb_backdoor_read_u32("core0", RAM - 1, &u32);
    reported("mb_backdoor_read_u32", "0x7fffffff");
    CHECK_EQ(u32, 0);
    mb_backdoor_read_u32(NULL, RAM, &u32);
    reported("mb_backdoor_read_u32", "`space` is NULL");
    mb_backdoor_read_u32("core0", RAM, NULL);
    reported("mb_backdoor_read_u32", "`data` is NULL");
    mb_backdoor_write_u32("core\xff", RAM, 0);
    reported("mb_backdoor_write_u32", "UTF-8");
    mb_backdoor_write_u64("core0", RAM + MEMORY_SIZE - 7, 0);
    reported("mb_backdoor_write_u64", "0x80040000");
    mb_backdoor_write_u64("core0", UINT64_MAX, 0);
    reported("mb_backdoor_write_u64", "0xffffffffffffffff");
    mb_backdoor_write_string("core0", RAM, NULL);
    reported("mb_backdoor_write_string", "`data` is NULL");

    memset(chip_at(RAM, 8192), 'x', 8192);
    mb_backdoor_read_string("core0", RAM, &text);
    reported("mb_backdoor_read_string", "NUL");
    CHECK(strcmp(text, "") == 0);
    mb_backdoor_read_string("core0", RAM, NULL);
    reported("mb_backdoor_read_string", "`data` is NULL");

    CHECK_EQ(mb_backdoor_read_mem("core0", RAM, NULL, 1), -1);
    reported("mb_backdoor_read_mem", "`data` is NULL");
    CHECK_EQ(mb_backdoor_read_mem("core0", RAM, bytes, UINT64_MAX), -1);
    reported("mb_backdoor_read_mem", "18446744073709551615");
    CHECK_EQ(mb_backdoor_read_mem("core0", RAM, bytes, INT64_MAX), -1);
    reported("mb_backdoor_read_mem", "0x80040000");
    CHECK_EQ(mb_backdoor_write_mem("core0", RAM, NULL, 1), -1);
    reported("mb_backdoor_write_mem", "`data` is NULL");
    CHECK_EQ(mb_backdoor_write_block("core0", RAM, NULL), -1);
    reported("mb_backdoor_write_block", "`data` is NULL");
    /* This program is not a simulator. */
    CHECK_EQ(mb_backdoor_read_block("core0", RAM, bytes), -1);
    reported("mb_backdoor_read_block", "svSize");

    mb_get_space("nobody", &text);
    reported("mb_get_space", "nobody");
    CHECK(strcmp(text, "") == 0);
    mb_get_space(NULL, &text);
    reported("mb_get_space", "`ch` is NULL");
    mb_get_space("core0", NULL);
    reported("mb_get_space", "`space` is NULL");
    uint32_t code = 7;
    CHECK_EQ(mb_exit_code("nobody", &code), -1);
    reported("mb_exit_code", "nobody");
    CHECK_EQ(code, 0);
    CHECK_EQ(mb_exit_code(NULL, &code), -1);
    reported("mb_exit_code", "`ch` is NULL");
    CHECK_EQ(mb_exit_code("core0", NULL), -1);
    reported("mb_exit_code", "`code` is NULL");
    uint64_t value = 7, size = 7;
    CHECK_EQ(mb_symbol("nobody", "main", &value, &size), -1);
    reported("mb_symbol", "no channel and no space `nobody`");
    CHECK(value == 0 && size == 0);
    CHECK_EQ(mb_symbol("core0", "main", &value, &size), -1);
    reported("mb_symbol", "`core0` has no symbol `main`");
    CHECK_EQ(mb_symbol("core0", NULL, &value, &size), -1);
    reported("mb_symbol", "`name` is NULL");
    CHECK_EQ(mb_symbol(NULL, "main", &value, &size), -1);
    reported("mb_symbol", "`place` is NULL");
    CHECK_EQ(mb_symbol("core0", "main", NULL, &size), -1);
    reported("mb_symbol", "`value` is NULL");
    CHECK_EQ(mb_symbol("core0", "main", &value, NULL), -1);
    reported("mb_symbol", "`size` is NULL");
    CHECK_EQ(mb_load_elf("core0", "/no/such/image.elf"), -1);
    reported("mb_load_elf", "/no/such/image.elf");
    CHECK_EQ(mb_load_elf("core0", setup.mem_cfg), -1);
    reported("mb_load_elf", setup.mem_cfg);
    CHECK_EQ(mb_load_elf("core0", NULL), -1);
    reported("mb_load_elf", "`file` is NULL");
    CHECK_EQ(mb_load_elf("core0", ""), -1);
    reported("mb_load_elf", "`file` is empty");
    CHECK_EQ(mb_save(""), -1);
    reported("mb_save", "`file` is empty");
    CHECK_EQ(mb_restore(""), -1);
    reported("mb_restore", "`file` is empty");
    CHECK_EQ(mb_set_file_root(""), -1);
    reported("mb_set_file_root", "`dir` is empty");
    CHECK_EQ(mb_attach("nothing"), -1);
    reported("mb_attach", "nothing");
    CHECK_EQ(mb_watchdog(1, 4), -1);
    reported("mb_watchdog", "invalid severity 4");
    mb_observe(4);
    reported("mb_observe", "0x4");
    CHECK(mb_system_open("") == NULL);
    reported("mb_system_open", "invalid name");
    CHECK_EQ(mb_system_select((void *)16), -1);
    reported("mb_system_select", "is not a handle");
    CHECK_EQ(mb_system_close(NULL), -1);
    reported("mb_system_close", "is not a handle");
    CHECK_EQ(mb_run_status(9), -1);
    reported("mb_run_status", "there is no run 9");
    CHECK_EQ(mb_stdin_write("nobody", "x", 1), -1);
    reported("mb_stdin_write", "nobody");
    CHECK_EQ(mb_stdin_write(NULL, "x", 1), -1);
    reported("mb_stdin_write", "`ch` is NULL");
    CHECK_EQ(mb_stdin_close("nobody"), -1);
    reported("mb_stdin_close", "nobody");
    CHECK_EQ(mb_semihost("nobody", 0, 0, 0, &value), -1);
    reported("mb_semihost", "nobody");
    CHECK_EQ(mb_semihost_replace("nobody", 0, 1), -1);
    reported("mb_semihost_replace", "nobody");
    CHECK(c_skt_open("a", 65536) == NULL);
    reported("c_skt_open", "65536");
    CHECK_EQ(c_skt_port((void *)16), -1);
    reported("c_skt_port", "is not a handle");

    uint64_t args[17] = {1};
    CHECK_EQ(__mb_call("core0", "add", 1, NULL, &status), 0);
    reported("__mb_call", "`args` is NULL");
    CHECK_EQ(status, 3);
    CHECK_EQ(__mb_call("core0", "add", 17, args, &status), 0);
    reported("__mb_call", "17");
    CHECK_EQ(status, 3);
    CHECK_EQ(__mb_call("core0", NULL, 0, args, &status), 0);
    reported("__mb_call", "`method` is NULL");
    CHECK_EQ(__mb_call("core0", "add", 1, args, NULL), 0);
    reported("__mb_call", "`status` is NULL");
    CHECK_EQ(__mb_call("core0", "weird", 0, NULL, &status), 0);
    reported("__mb_call", "77");
    CHECK_EQ(status, 3);
    /* A status, and no error. */
    CHECK_EQ(__mb_call("core0", "nobody", 0, NULL, &status), 0);
    CHECK_EQ(status, 2);
    CHECK_EQ(__mb_call("core0", "broken", 0, NULL, &status), 0);
    CHECK_EQ(status, 3);
    CHECK_EQ(__mb_call("core0", "never", 0, NULL, &status), 0);
    CHECK_EQ(status, 1);
    CHECK_EQ(__mb_call("any", "add", 16, args, &status), 1);
    CHECK_EQ(status, 0);
    CHECK_EQ(testbench.reports, reports);
    CHECK_EQ(mb_tick(), 2);
    mb_shutdown();
}
