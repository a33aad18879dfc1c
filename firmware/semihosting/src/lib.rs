//! Start-up code of the programs.

#![no_std]

use core::arch::global_asm;

// The panic handler of the crate.
use semihosting as _;

// The trap vector is a jump to itself: on a CPU without semihosting a program hangs, and does not
// restart.
global_asm!(
    ".section .text.init, \"ax\"",
    ".globl _start",
    "_start:",
    "la sp, stack_top",
    "la t0, 3f",
    "csrw mtvec, t0",
    "la t0, bss_start",
    "la t1, bss_end",
    "1: bgeu t0, t1, 2f",
    "sb zero, 0(t0)",
    "addi t0, t0, 1",
    "j 1b",
    "2: call main",
    ".align 2",
    "3: j 3b",
);
