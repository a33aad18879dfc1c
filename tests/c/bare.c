/* Program without the functions that the library looks up: bare MEM MAILBOX ROOT. */
#include "check.h"
#include "vhost.h"

int main(int argc, char **argv) {
    uint32_t word = 7, status = 7;
    CHECK(argc == 4);
    CHECK_EQ(mb_init(argv[1], argv[2], argv[3]), 0);
    mb_backdoor_write_u32("core0", 0x80000000, 0x12345678);
    mb_backdoor_read_u32("core0", 0x80000000, &word);
    CHECK_EQ(word, 0x12345678);
    CHECK_EQ(mb_tick(), 1);
    CHECK(strcmp(mb_last_error(), "") == 0);

    mb_backdoor_read_u32("core0", 0xa0000000, &word);
    CHECK_EQ(word, 0);
    CHECK_HAS(mb_last_error(), "__vhost_bb_mem_read");
    mb_backdoor_write_u32("core0", 0x90000000, 1);
    CHECK_HAS(mb_last_error(), "mb_bb_mem_write");
    CHECK_EQ(__mb_call("core0", "any", 0, NULL, &status), 0);
    CHECK_EQ(status, 3);
    CHECK_HAS(mb_last_error(), "mb_sv_call");
    CHECK_HAS(mb_last_error(), "any");
    CHECK_EQ(mb_server_run(), 0);
    CHECK_HAS(mb_last_error(), "mb_step");
    mb_shutdown();
    return 0;
}
