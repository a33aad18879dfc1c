/*
 * Uses records, strings, calls and integer arithmetic like an old system benchmark, and checks the
 * results.
 *
 *     records [ROUNDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum { RED, GREEN, BLUE } color;

typedef struct record {
    struct record *other;
    color kind;
    int number;
    char text[31];
} record;

static record *first;
static int total, table[50], square[50][50];
static char flag, letter;

static color next_color(color c)
{
    switch (c) {
    case RED: return flag ? GREEN : BLUE;
    case GREEN: return BLUE;
    default: return RED;
    }
}

static int is_later(const char *one, const char *other)
{
    int at = 2;
    while (at <= 2)
        if (one[at] == other[at + 1])
            at += 3;
        else
            at++;
    return strcmp(one, other) > 0;
}

static void add(int one, int other, int *sum)
{
    *sum = one + 2 + other;
}

static void fill(int *row, int (*rows)[50], int at, int value)
{
    int i = at + 5;
    row[i] = value;
    row[i + 1] = row[i];
    row[i + 30 < 50 ? i + 30 : 49] = i;
    rows[i][i] = i;
    rows[i][i - 1] += 1;
    total = 5;
}

static void update(record *one)
{
    record *next = one->other;
    *one->other = *first;
    one->number = 5;
    next->number = one->number;
    next->other = one->other;
    next->kind = next_color(one->kind);
    add(next->number, 10, &next->number);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 1000;
    record *second = calloc(1, sizeof *second);
    char one[31], other[31];
    int i, a = 0, b = 0, c = 0, later = 0;
    first = calloc(1, sizeof *first);
    if (first == NULL || second == NULL)
        return 1;
    first->other = second;
    first->kind = GREEN;
    first->number = 40;
    strcpy(first->text, "RECORDS PROGRAM, SOME STRING");
    strcpy(one, "RECORDS PROGRAM, 1ST STRING");
    table[8] = 10;
    for (i = 1; i <= rounds; i++) {
        flag = i & 1;
        letter = 'B';
        a = 2;
        strcpy(other, "RECORDS PROGRAM, 2ND STRING");
        later += !is_later(one, other);
        while (a < 3) {
            b = 5 * a - 3;
            add(a, 3, &b);
            a++;
        }
        fill(table, square, a, b);
        first->other = second;
        update(first);
        for (c = 'A'; c <= letter; c++)
            if (first->kind == next_color((color)(c - 'A')))
                total += i & 3;
        b = b * a;
        a = b / 3;
        b = 7 * (b - a) - a;
    }
    printf("%d %d %d %d %d\n", rounds, total, a, b, later);
    printf("%d %d %d\n", table[8], square[8][7], square[8][8]);
    printf("%d %d %s | %s\n", second->number, second->kind, second->text, other);
    if (square[8][7] != rounds || later != rounds || second->number != 17) {
        printf("wrong\n");
        return 2;
    }
    return 0;
}
