//! One image with HTIF, RTT and semihosting: all are served, and the exit of one is that of
//! firmware.

use std::fs;

use super::htif::{compile, for_each_kind};

const PROGRAM: &str = r#"
#include "rtt.h"

__asm__(".text\n.align 4\n.globl semihost\nsemihost:\n.option push\n.option norvc\n"
        "  slli zero, zero, 0x1f\n  ebreak\n  srai zero, zero, 7\n  ret\n.option pop\n");

word semihost(word operation, const volatile void *argument);

int main(void)
{
    rtt_init();
    put_string("by HTIF\n");
    semihost(0x04, "by semihosting\n");
    rtt_print(0, "by RTT\n");
    while (_SEGGER_RTT.buffers[0].read != _SEGGER_RTT.buffers[0].write) {
    }
#ifdef BY_SEMIHOSTING
    volatile word block[2];
    block[0] = 0x20026;
    block[1] = 43;
    semihost(0x20, block);
#endif
    return 42;
}
"#;

#[test]
fn several_protocols_of_one_image_are_served_at_once() {
    for_each_kind(|image, width, options| {
        for (exit, code) in [("-DBY_HTIF", 42), ("-DBY_SEMIHOSTING", 43)] {
            compile(image, width, &[options, &[exit]].concat(), PROGRAM);
            let trace = image.path("run.trace");
            // The command handles the traps.
            let ended = image.run(["--record".as_ref(), trace.as_os_str()]);
            assert_eq!(ended.stdout(code), "by HTIF\nby semihosting\nby RTT\n");
            // All channels have the same period, which is the unit of waves.
            let recorded = fs::read(&trace).unwrap();
            let text = String::from_utf8_lossy(&recorded);
            assert_eq!(text.matches("period: 10ns").count(), 3);
            let trace = trace.to_str().unwrap();
            for actor in [&[][..], &["--only", "htif"], &["--only", "semihosting"]] {
                crate::vhost([&["replay", trace], actor].concat()).stdout(0);
            }
            // Without options, with code that replaces the traps.
            let mailboxes = image.put(
                "mailbox.yaml",
                "cpu: {space: cpu, elf: \"${IMAGE}\", stdio: {stdout: raw}}\n",
            );
            let options = [
                "--mailbox",
                mailboxes.to_str().unwrap(),
                "--record",
                trace,
                "--max-instructions",
                "1000000",
            ];
            let ended = image.run(options);
            for printed in [
                "firmware is served by HTIF",
                "which channel `cpu.rtt` serves",
                "1 trap of semihosting, too, which channel `cpu.semihosting` serves",
                "1 trap of",
            ] {
                assert!(ended.stderr.contains(printed), "{printed}: {ended:?}");
            }
            assert_eq!(ended.stdout(code), "by HTIF\nby semihosting\nby RTT\n");
            super::replays_in_order(trace);
            let shown = crate::vhost(["trace", "show", trace]).stdout(0);
            for event in ["CommandServed", "OperationServed", "Transferred"] {
                assert!(shown.contains(event), "{event}: {shown}");
            }
            fs::remove_file(trace).unwrap();
        }
    });
}
