//! Start-up code, and the exit by HTIF.

#![no_std]

use core::arch::global_asm;
use core::panic::PanicInfo;
use core::ptr::{addr_of_mut, write_volatile};

// Selects the implementation of critical sections for one hart.
use riscv as _;

global_asm!(
    ".section .text.init, \"ax\"",
    ".globl _start",
    "_start:",
    "la sp, stack_top",
    "la t0, bss_start",
    "la t1, bss_end",
    "1: bgeu t0, t1, 2f",
    "sb zero, 0(t0)",
    "addi t0, t0, 1",
    "j 1b",
    "2: call main",
    "3: j 3b",
);

/// Words of HTIF: the host reads the first one, which has 64 bits on every CPU.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".tohost")]
static mut tohost: [u32; 16] = [0; 16];

/// Word of the host's responses, of which an exit has none.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".tohost")]
static mut fromhost: [u32; 16] = [0; 16];

/// Ends the program with an exit code.
pub fn exit(code: u32) -> ! {
    // SAFETY: nothing else in the program uses these words.
    unsafe {
        write_volatile(addr_of_mut!(fromhost).cast::<u32>(), 0);
        write_volatile(addr_of_mut!(tohost).cast::<u32>(), code << 1 | 1);
    }
    loop {
        core::hint::spin_loop();
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    exit(101);
}
