//! Selects the linker script of the firmware in C.

fn main() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../link.ld");
    println!("cargo::rerun-if-changed={script}");
    println!("cargo::rerun-if-changed=../crt0.S");
    println!("cargo::rustc-link-arg=-T{script}");
}
