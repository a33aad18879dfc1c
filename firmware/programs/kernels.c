/*
 * Kernels like those of an embedded benchmark: a linked list, a matrix, a state machine, and a CRC
 * of the results.
 *
 *     kernels [ROUNDS]
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define NODES 200
#define SIDE 24

typedef struct node {
    struct node *next;
    int16_t key;
    int16_t value;
} node;

static uint32_t state;

static uint32_t draw(void)
{
    state = state * 1664525u + 1013904223u;
    return state >> 16;
}

static uint16_t crc(uint16_t sum, uint32_t word)
{
    int bit;
    for (bit = 0; bit < 32; bit++) {
        int carry = (sum ^ (word >> bit)) & 1;
        sum >>= 1;
        if (carry)
            sum ^= 0xa001;
    }
    return sum;
}

/* Sorts by key with a merge sort. */
static node *sorted(node *list)
{
    node *halves[2] = {NULL, NULL}, *first, *second, *result = NULL, **end = &result;
    int i;
    if (list == NULL || list->next == NULL)
        return list;
    for (i = 0; list != NULL; i++) {
        node *next = list->next;
        list->next = halves[i & 1];
        halves[i & 1] = list;
        list = next;
    }
    first = sorted(halves[0]);
    second = sorted(halves[1]);
    while (first != NULL || second != NULL) {
        node **from = second == NULL || (first != NULL && first->key <= second->key) ? &first : &second;
        *end = *from;
        *from = (*from)->next;
        end = &(*end)->next;
    }
    *end = NULL;
    return result;
}

static uint16_t list_kernel(void)
{
    static node nodes[NODES];
    node *list = NULL, *at;
    uint16_t sum = 0;
    int i;
    for (i = 0; i < NODES; i++) {
        nodes[i].key = (int16_t)draw();
        nodes[i].value = (int16_t)i;
        nodes[i].next = list;
        list = &nodes[i];
    }
    list = sorted(list);
    for (at = list; at->next != NULL; at = at->next)
        if (at->key > at->next->key) {
            printf("the list is not sorted\n");
            exit(2);
        }
    for (at = list; at != NULL; at = at->next)
        sum = crc(sum, (uint16_t)at->key);
    return sum;
}

static uint16_t matrix_kernel(void)
{
    static int32_t a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];
    uint16_t sum = 0;
    int i, j, k;
    for (i = 0; i < SIDE; i++)
        for (j = 0; j < SIDE; j++) {
            a[i][j] = (int16_t)draw();
            b[i][j] = i == j;
            c[i][j] = 0;
        }
    b[0][1] = 3;
    for (i = 0; i < SIDE; i++)
        for (j = 0; j < SIDE; j++)
            for (k = 0; k < SIDE; k++)
                c[i][j] += a[i][k] * b[k][j];
    for (i = 0; i < SIDE; i++)
        for (j = 0; j < SIDE; j++) {
            if (c[i][j] != a[i][j] + (j == 1 ? 3 * a[i][0] : 0)) {
                printf("the matrix is wrong\n");
                exit(2);
            }
            sum = crc(sum, (uint32_t)c[i][j]);
        }
    return sum;
}

enum { START, SIGN, WHOLE, POINT, FRACTION, INVALID, STATES };

/* Classifies numbers in a text. */
static uint16_t state_kernel(void)
{
    static const char text[] = "12,-3.5,x7,+,.25,1.2.3,99.,-0,abc,1e5,";
    uint32_t counts[STATES] = {0};
    const char *at;
    uint16_t sum = 0;
    int now = START, i;
    for (at = text; *at != '\0'; at++) {
        int is_digit = *at >= '0' && *at <= '9';
        if (*at == ',') {
            counts[now]++;
            now = START;
            continue;
        }
        switch (now) {
        case START: now = is_digit ? WHOLE : *at == '+' || *at == '-' ? SIGN : *at == '.' ? POINT : INVALID; break;
        case SIGN: now = is_digit ? WHOLE : *at == '.' ? POINT : INVALID; break;
        case WHOLE: now = is_digit ? WHOLE : *at == '.' ? POINT : INVALID; break;
        case POINT:
        case FRACTION: now = is_digit ? FRACTION : INVALID; break;
        default: break;
        }
    }
    for (i = 0; i < STATES; i++)
        sum = crc(sum, counts[i]);
    if (counts[WHOLE] != 2 || counts[FRACTION] != 2 || counts[POINT] != 1 || counts[INVALID] != 4 || counts[SIGN] != 1) {
        printf("the state machine is wrong\n");
        exit(2);
    }
    return sum;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 10;
    uint16_t sum = 0;
    int i;
    if (rounds <= 0) {
        fprintf(stderr, "kernels: a number of rounds, not %s\n", argv[1]);
        return 1;
    }
    state = 12345;
    for (i = 0; i < rounds; i++) {
        uint16_t list = list_kernel(), matrix = matrix_kernel(), machine = state_kernel();
        sum = crc(crc(crc(sum, list), matrix), machine);
        if (i == 0)
            printf("list %04x, matrix %04x, state machine %04x\n", list, matrix, machine);
    }
    printf("%d rounds, %04x\n", rounds, sum);
    return 0;
}
