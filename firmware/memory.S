/*
 * Functions that compilers call for long lists of constants and for structures, also in a
 * freestanding program. Weak: a program may define its own. The linker drops those that are not
 * called.
 */
    .section .text.memcpy, "ax"
    .weak   memcpy
memcpy:
    mv      t0, a0
    add     a2, a2, a0
1:
    bgeu    t0, a2, 2f
    lbu     t1, 0(a1)
    sb      t1, 0(t0)
    addi    a1, a1, 1
    addi    t0, t0, 1
    j       1b
2:
    ret

    .section .text.memmove, "ax"
    .weak   memmove
memmove:
    /* Upwards if the destination is below the source, else downwards. */
    mv      t0, a0
    add     t2, a0, a2
    add     a2, a2, a1
    bgeu    a1, a0, 2f
1:
    beq     t2, a0, 3f
    addi    a2, a2, -1
    addi    t2, t2, -1
    lbu     t1, 0(a2)
    sb      t1, 0(t2)
    j       1b
2:
    bgeu    t0, t2, 3f
    lbu     t1, 0(a1)
    sb      t1, 0(t0)
    addi    a1, a1, 1
    addi    t0, t0, 1
    j       2b
3:
    ret

    .section .text.memset, "ax"
    .weak   memset
memset:
    mv      t0, a0
    add     a2, a2, a0
1:
    bgeu    t0, a2, 2f
    sb      a1, 0(t0)
    addi    t0, t0, 1
    j       1b
2:
    ret
