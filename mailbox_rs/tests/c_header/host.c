/* The firmware in a process of its own host, which acts while the firmware waits. Hooks count what they are told. C and C++:
 * FIRMWARE is the firmware's source. */
static void host_step(void);
static int masked, cleaned, invalidated;

#define MB_WAIT() host_step()
#define MB_IRQ_SAVE() ((unsigned long)++masked)
#define MB_IRQ_RESTORE(state) ((void)(state), masked--)
#define MB_CACHE_CLEAN(addr, len) ((void)(addr), cleaned += (len) > 0)
#define MB_CACHE_INVALIDATE(addr, len) ((void)(addr), invalidated += (len) > 0)

/* Without lines, as if the mailbox were not cached. */
#define MB_UNCACHED_MAILBOX

#include FIRMWARE

#include <stdio.h>
#include <string.h>

static int handshakes, printed, cprinted, cprint_args, closed, exits, wrong_exits;
static const mb_word exit_codes[] = EXITS;
#define EXIT_COUNT (int)(sizeof exit_codes / sizeof exit_codes[0])

static int is_zero(const volatile uint32_t *word)
{
    return *word == 0;
}

static void answer(uint32_t words, mb_word rets)
{
    volatile mb_response_entry *entry = &mailbox.response.entries[mailbox.response.idx_p % 8];
    entry->words = words;
    entry->rets = rets;
    mailbox.response.idx_p = mailbox.response.idx_p + 1;
}

/* A number of 64 bits in two words. */
static uint64_t joined(const mb_word *a)
{
    return (uint32_t)a[0] | (uint64_t)(uint32_t)a[1] << 32;
}

/* Operations of protocol 0.3; -1 for one that is none. */
static mb_sword posix(const mb_word *a, uint32_t words)
{
    static const char arguments[] = "program\0-v";
    static const char entry[16] = {3, 0, 0, 0, 0, 0, 0, 0, 16, 0, 4, 3, 's', 'u', 'b', 0};
    static const uint32_t needed[] = {4, 2, 6, 3, 3, 3, 2, 3, 3, 2, 4, 4, 2, 3, 3, 2, 3};
    mb_stat status;
    mb_time time = {(int64_t)1 << 33, 999999999u};
    int64_t position;
    if (a[0] < 5 || a[0] > 21 || words != needed[a[0] - 5])
        return -1;
    memset(&status, 0, sizeof status);
    status.size = (uint64_t)1 << 40;
    status.mode = 0100644;
    status.links = 1;
    status.modified.seconds = 5;
    switch (a[0]) {
    case 5:
        return strcmp((char *)a[1], "f") == 0 ? (mb_sword)(0x40000000 + a[2] + a[3]) : -2;
    case 6:
        return a[1] == 10 ? 0 : -9;
    case 7:
        position = a[2] == 2 ? ((int64_t)1 << 40) + (int64_t)joined(a + 3) : (int64_t)joined(a + 3);
        if (position < 0)
            return -22;
        memcpy((void *)a[5], &position, sizeof position);
        return 0;
    case 8:
    case 9:
        if (a[0] == 9 && strcmp((char *)a[1], "f") != 0)
            return -2;
        memcpy((void *)a[2], &status, sizeof status);
        return 0;
    case 10:
        return strcmp((char *)a[1], "f") == 0 && a[2] == 6 ? 0 : -13;
    case 12:
        return strcmp((char *)a[1], "f") == 0 && strcmp((char *)a[2], "new") == 0 ? 0 : -22;
    case 13:
        return strcmp((char *)a[1], "f") == 0 && a[2] == 0755 ? 0 : -13;
    case 11:
    case 14:
        return strcmp((char *)a[1], "f") == 0 ? 0 : -2;
    case 15:
        memcpy((void *)a[2], entry, sizeof entry);
        return a[1] == 11 && a[3] == 272 ? (mb_sword)sizeof entry : -9;
    case 16:
        return joined(a + 2) == (uint64_t)1 << 33 ? 0 : -22;
    case 18:
    case 19:
        memcpy((void *)a[1], arguments, a[2] < sizeof arguments ? a[2] : sizeof arguments);
        return (mb_sword)sizeof arguments;
    case 20:
        memcpy((void *)a[1], &time, sizeof time);
        return 0;
    case 21:
        memset((void *)a[1], 0x5a, a[2]);
        return (mb_sword)a[2];
    }
    return 0;
}

static void file(const mb_word *a, uint32_t words)
{
    switch (a[0]) {
    case 0:
        answer(1, strcmp((char *)a[1], "f") == 0 ? 10 : (mb_word)-2);
        break;
    case 1:
        closed += a[1] == 10;
        break;
    case 2:
        memset((void *)a[2], a[3] ? 'f' : 'r', a[3] ? a[3] : 5);
        answer(1, a[3] ? a[3] : 5);
        break;
    case 3:
        answer(1, a[3]);
        break;
    case 4:
        answer(1, a[2]);
        break;
    default:
        answer(1, (mb_word)posix(a, words));
    }
}

static void serve(uint32_t action, uint32_t words, const mb_word *a)
{
    mb_word sum = 0;
    uint32_t i;
    switch (action) {
    case 1:
        wrong_exits += words != 1 || exits >= EXIT_COUNT || a[0] != exit_codes[exits];
        exits++;
        break;
    case 2:
        printed += (int)a[0];
        answer(0, 0);
        break;
    case 3:
        cprinted++;
        cprint_args += (int)words - 3;
        if (strstr((char *)a[1], FIRMWARE) == NULL || strlen((char *)a[0]) == 0)
            cprinted = -1000;
        break;
    case 4:
        memmove((void *)a[0], (void *)a[1], a[2]);
        answer(0, 0);
        break;
    case 5:
        memset((void *)a[0], (int)a[1], a[2]);
        answer(0, 0);
        break;
    case 6:
        answer(1, a[2] == 1 ? (mb_word)((mb_sword)*(char *)a[0] - *(char *)a[1]) : 0);
        break;
    case 7:
        for (i = 1; i < words; i++)
            sum += a[i];
        answer(1, strcmp((char *)a[0], "add") == 0 ? sum : (mb_word)-38);
        break;
    case 8:
        file(a, words);
        break;
    case 0x80000000u:
        answer(1, a[0] + words - 1);
        break;
    }
}

static void host_step(void)
{
    if (masked) {
        puts("interrupts are masked while the firmware waits");
        wrong_exits++;
    }
    if (mailbox.version == 2 && mailbox.state == 1 && is_zero(&mailbox.request.idx_p) &&
        is_zero(&mailbox.request.idx_c.value) && is_zero(&mailbox.response.idx_p) &&
        is_zero(&mailbox.response.idx_c.value)) {
        if (handshakes++ && mailbox.request.offer >= 3)
            mailbox.version = 3;
        mailbox.state = 2;
    }
    while (mailbox.state == 2 && mailbox.request.idx_c.value != mailbox.request.idx_p) {
        volatile mb_request_entry *entry = &mailbox.request.entries[mailbox.request.idx_c.value % 8];
        uint32_t action = entry->action, words = entry->words;
        mb_word args[MB_REQUEST_ARGS];
        int i;
        for (i = 0; i < MB_REQUEST_ARGS; i++)
            args[i] = entry->args[i];
        mailbox.request.idx_c.value = mailbox.request.idx_c.value + 1;
        serve(action, words, args);
    }
}

int main(void)
{
    int wrong = firmware();
    printf("wrong line %d, printed %d, formats %d, arguments %d, closed %d, exits %d, wrong %d, cleaned %d, invalidated %d\n",
           wrong, printed, cprinted, cprint_args, closed, exits, wrong_exits, cleaned, invalidated);
    return !(wrong == 0 && printed == PRINTED && cprinted == FORMATS && cprint_args == ARGS && closed == 1 &&
             exits == EXIT_COUNT && wrong_exits == 0 && cleaned > 10 && invalidated > 10);
}
