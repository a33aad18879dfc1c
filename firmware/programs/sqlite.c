/* Executes statements in a database: sqlite FILE STATEMENT... */
#include <stdio.h>

#include "sqlite3.h"

static int show(void *unused, int count, char **values, char **names)
{
    int i;
    (void)unused;
    for (i = 0; i < count; i++)
        printf("%s=%s%c", names[i], values[i] != NULL ? values[i] : "NULL", i + 1 < count ? ' ' : '\n');
    return 0;
}

int main(int argc, char **argv)
{
    sqlite3 *database;
    char *error = NULL;
    int i;
    if (argc < 2 || sqlite3_open(argv[1], &database) != SQLITE_OK) {
        printf("the database can't be opened\n");
        return 1;
    }
    for (i = 2; i < argc; i++)
        if (sqlite3_exec(database, argv[i], show, NULL, &error) != SQLITE_OK) {
            printf("%s\n", error);
            return 1;
        }
    return sqlite3_close(database) != SQLITE_OK;
}
