//! Compiles the weak references to the simulator, which Rust can't express.

fn main() {
    println!("cargo::rerun-if-changed=src/sim/simulator.c");
    cc::Build::new()
        .file("src/sim/simulator.c")
        .std("c11")
        .compile("vhost_simulator");
}
