/*
 * Start-up code of a RISC-V CPU with 32 or 64 bits: sets the stack, clears .bss, and calls main.
 *
 * The linker script places it at the lowest address, which is the CPU's reset address.
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
3:  /* main has sent its exit to the host, and must not return. */
    j       3b
