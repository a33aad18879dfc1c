/* Sorting, searching, and texts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int main(void)
{
    char text[] = "the quick brown fox jumps over the lazy dog";
    char *words[16];
    size_t count = 0;
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        words[count++] = word;
    qsort(words, count, sizeof *words, compare);
    for (size_t at = 0; at < count; at++)
        printf("%s\n", words[at]);
    const char *key = "fox";
    char **found = bsearch(&key, words, count, sizeof *words, compare);
    return found ? (int)(found - words) : 99;
}
