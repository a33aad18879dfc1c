/* Suspends into RAM in the middle of a file and of a call. The first time it resumes at once, and
 * that work is lost, with another call of the same method: the testbench restores RAM and host and
 * resets the core, and the program resumes from RAM. Exits with 0. */
#include "mailbox.h"
#include "check.h"

MB_CHANNEL(mailbox);

enum { RUNS, SUSPENDED, LOST };

/* Not in .bss, which a start clears: the testbench watches `state`. */
static volatile uint32_t state __attribute__((section(".data"))) = RUNS;
static mb_word context[14] __attribute__((section(".data"))) = {0};

#if __riscv_xlen == 64
#define STORE "sd"
#define LOAD "ld"
#define AT(n) " 8*" #n "(a0)\n"
#else
#define STORE "sw"
#define LOAD "lw"
#define AT(n) " 4*" #n "(a0)\n"
#endif
#define ALL(op)                                                                                                                  \
    op " ra," AT(0) op " sp," AT(1) op " s0," AT(2) op " s1," AT(3) op " s2," AT(4) op " s3," AT(5) op " s4," AT(6) op " s5,"     \
    AT(7) op " s6," AT(8) op " s7," AT(9) op " s8," AT(10) op " s9," AT(11) op " s10," AT(12) op " s11," AT(13)

/* Stores the caller's registers and returns 0. Returns a second time, with 1, from `resume`. */
int suspend(mb_word *to) __attribute__((returns_twice));
void resume(const mb_word *from) __attribute__((noreturn));
__asm__(".text\n.globl suspend\nsuspend:\n" ALL(STORE) "li a0, 0\nret\n"
        ".globl resume\nresume:\n" ALL(LOAD) "li a0, 1\nret\n");

static char text[12];

enum { CLOCKS = 200, LOST_CLOCKS = 2000 };

/* Sends a call of `wait`, whose result is its argument. */
static void begin_wait(mb_word clocks)
{
    const mb_word words[] = {(uintptr_t)"wait", clocks};
    mb_send(&mailbox, MB_CALL, words, 2, NULL, 0);
}

/* Returns the result of the call. */
static mb_word end_wait(void)
{
    mb_response_entry response;
    while (!mb_try_receive(&mailbox, &response)) {
    }
    return response.rets;
}

static __attribute__((noreturn, noinline)) void work(void)
{
    mb_sword out;

    mb_reset(&mailbox);
    CHECK(mb_call(&mailbox, "watch", (uintptr_t)&state) == 0);
    out = mb_open(&mailbox, "suspended.txt", MB_OPEN_READ | MB_OPEN_WRITE | MB_OPEN_TRUNCATE);
    CHECK(mb_write(&mailbox, out, "first ", 6) == 6);
    mb_print(&mailbox, "before\n");
    begin_wait(CLOCKS);
    if (suspend(context) == 0) {
        state = SUSPENDED;
        while (state == SUSPENDED) {
        }
        CHECK(end_wait() == CLOCKS);
        CHECK(mb_write(&mailbox, out, "once.", 5) == 5);
        mb_print(&mailbox, "lost\n");
        begin_wait(LOST_CLOCKS);
        /* Until the host has polled it. */
        for (volatile int i = 0; i < 10; i++) {
        }
        state = LOST;
        for (;;) {
        }
    }
    state = RUNS;
    CHECK(end_wait() == CLOCKS);
    CHECK(mb_write(&mailbox, out, "again", 5) == 5);
    CHECK(mb_seek(&mailbox, out, 0) == 0);
    CHECK(mb_read(&mailbox, out, text, 11) == 11);
    mb_printf(&mailbox, "after: %s\n", text);
    mb_exit(&mailbox, 0);
    for (;;) {
    }
}

int main(void)
{
    if (state == SUSPENDED)
        resume(context);
    work();
}
