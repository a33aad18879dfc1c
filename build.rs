//! Compiles what C can say of a simulator and Rust can't, and names the shared library.

fn main() {
    println!("cargo::rerun-if-changed=src/sim/simulator.c");
    cc::Build::new()
        .file("src/sim/simulator.c")
        .std("c11")
        .compile("vhost_simulator");

    // Without a name of its own, it would be looked for where it was when a program was linked with it.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libvhost.so");
}
