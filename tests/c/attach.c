/* Testbench that attaches loggers and checkers: attach MEM MAILBOX ROOT. Its files are in ROOT. */
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "chip.h"
#include "firmware.h"

static struct firmware cpu;

static int found;
static struct testbench finding;

/* Keeps findings, and no other reports. */
static void keep(void) {
    if (strcmp(testbench.last_id, "protocol") == 0)
        found++, finding = testbench;
}

/* Returns a list that names a file in the root. */
static const char *list(const char *words, const char *root, const char *file) {
    static char text[1024];
    snprintf(text, sizeof text, "%s=%s/%s", words, root, file);
    return text;
}

static void handshake(void) {
    cpu = firmware_at(memory_base[0] + 0x1000, 4, 0);
    firmware_reset(&cpu);
    CHECK_EQ(mb_tick(), 2);
    CHECK_EQ(firmware_state(&cpu), READY);
}

static void print(const char *text) {
    CHECK(SEND(&cpu, PRINT, strlen(text), firmware_text(&cpu, text)));
    CHECK_EQ(mb_tick(), 2);
}

int main(int argc, char **argv) {
    CHECK(argc == 4);
    chip_report = keep;

    /* Invalid names are reported, and change nothing. */
    CHECK_EQ(mb_attach("log,chek"), -1);
    CHECK_HAS(mb_last_error(), "`chek`");
    CHECK_EQ(mb_attach("check=loud"), -1);
    CHECK_HAS(mb_last_error(), "check=loud");
    CHECK_EQ(mb_attach(NULL), -1);
    CHECK_EQ(mb_attach(""), 0);

    /* Attached before a system exists, it observes all messages. */
    CHECK_EQ(mb_attach(list("check=warning, log-json", argv[3], "first.json")), 0);
    CHECK_EQ(mb_init(argv[1], argv[2], argv[3]), 0);
    handshake();
    print("one\n");
    CHECK_EQ(found, 0);
    CHECK(SEND(&cpu, MEMSET, 16, 0, 1));
    CHECK_EQ(mb_tick(), 2);
    CHECK(found == 1 && finding.last_severity == 1);
    CHECK_HAS(finding.last_report, "channel `core0`");

    /* Attached to a running system, it observes later messages. */
    CHECK_EQ(mb_attach(list("log", argv[3], "second.log")), 0);
    CHECK_EQ(mb_attach(list("log", argv[3], "no/such/folder")), -1);
    CHECK_HAS(mb_last_error(), "no/such/folder");
    print("two\n");
    mb_shutdown();

    /* The next system has nothing attached. */
    CHECK_EQ(mb_init(argv[1], argv[2], argv[3]), 0);
    handshake();
    CHECK(SEND(&cpu, MEMSET, 16, 0, 1));
    CHECK_EQ(mb_tick(), 2);
    CHECK_EQ(found, 1);

    /* A log is complete even without a shutdown. */
    CHECK_EQ(mb_attach(list("statistics=/dev/null, log", argv[3], "third.log")), 0);
    print("three\n");

    /* A forked process has nothing to write. */
    pid_t child = fork();
    int status;
    if (child == 0)
        exit(0);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    exit(37);
}
