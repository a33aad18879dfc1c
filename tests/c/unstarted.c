/* A system that can't start. With a first argument, a system with this memory configuration starts
 * before it. */
#include <vhost.h>

int main(int argc, char **argv) {
    if (argc > 1) {
        if (mb_init(argv[1], argv[2], argv[3]) != 0)
            return 2;
        mb_shutdown();
    }
    return mb_init("no.yaml", "no.yaml", ".") == -1 ? 0 : 1;
}
