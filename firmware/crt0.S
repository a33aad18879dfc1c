/*
 * The first instructions of a RISC-V CPU, 32 or 64 bits wide: a stack, zeros for .bss, and main.
 *
 * The linker script puts this at the lowest address, which is where the CPU leaves reset.
 */
    .section .text.start, "ax"
    .globl _start
_start:
    la      sp, _stack_top
    la      t0, _bss_start
    la      t1, _bss_end
1:
    bgeu    t0, t1, 2f
    sw      zero, 0(t0)
    addi    t0, t0, 4
    j       1b
2:
    call    main
3:  /* main told the host that it is over; there is nowhere to return to. */
    j       3b
