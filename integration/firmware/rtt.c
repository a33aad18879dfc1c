/* Writes by RTT through a blocking buffer of 16 bytes and through a buffer whose target is a file,
 * then echoes its input up to a dot. Exits by HTIF. */
#include "htif.h"
#include "rtt.h"

#define LINES 40

static void number(int buffer, unsigned value)
{
    char digits[10];
    int at = sizeof digits;
    do {
        digits[--at] = '0' + value % 10;
        value /= 10;
    } while (value);
    rtt_write(buffer, digits + at, sizeof digits - at);
}

int main(void)
{
    rtt_init();
    for (unsigned line = 0; line < LINES; line++) {
        rtt_print(0, "blocking line ");
        number(0, line);
        rtt_print(0, "\n");
        rtt_print(1, "event ");
        number(1, line);
        rtt_print(1, "\n");
    }
    if (rtt_write(2, "longer than it", 14) != 0 || rtt_write(2, "short\n", 6) != 6)
        return 1;
    for (int byte = rtt_read(); byte != '.'; byte = rtt_read()) {
        char next = byte;
        rtt_write(0, &next, 1);
    }
    for (int buffer = 0; buffer < UP; buffer++)
        while (_SEGGER_RTT.buffers[buffer].read != _SEGGER_RTT.buffers[buffer].write) {
        }
    return 3;
}
