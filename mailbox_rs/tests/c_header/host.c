/* The firmware in a process of its own host, which acts while the firmware waits. Hooks count what they are told. C and C++:
 * FIRMWARE is the firmware's source. */
static void host_step(void);
static int masked, cleaned, invalidated;

#define MB_WAIT() host_step()
#define MB_IRQ_SAVE() ((unsigned long)++masked)
#define MB_IRQ_RESTORE(state) ((void)(state), masked--)
#define MB_CACHE_CLEAN(addr, len) ((void)(addr), cleaned += (len) > 0)
#define MB_CACHE_INVALIDATE(addr, len) ((void)(addr), invalidated += (len) > 0)

#include FIRMWARE

#include <stdio.h>
#include <string.h>

static int printed, cprinted, cprint_args, closed, exits, wrong_exits;
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

static void file(const mb_word *a)
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
        file(a);
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
        is_zero(&mailbox.response.idx_c.value))
        mailbox.state = 2;
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
