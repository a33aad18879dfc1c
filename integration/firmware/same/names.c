/* Files that are created and removed under one name. */
#include <stdio.h>

static int is_there(const char *name)
{
    FILE *file = fopen(name, "r");
    if (file)
        fclose(file);
    return file != NULL;
}

int main(void)
{
    for (int turn = 0; turn < 3; turn++) {
        FILE *file = fopen("gone.txt", "w");
        fprintf(file, "turn %d\n", turn);
        fclose(file);
        printf("%d\n", is_there("gone.txt"));
        printf("%d %d\n", remove("gone.txt"), is_there("gone.txt"));
        printf("%d\n", remove("gone.txt") != 0);
    }
    fclose(fopen("stays.txt", "w"));
    return is_there("stays.txt");
}
