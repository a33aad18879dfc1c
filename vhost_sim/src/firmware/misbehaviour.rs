//! Violations of the protocol by firmware.

use super::{Firmware, FirmwareContext};
use crate::ram::Fault;
use crate::scenario::Misbehaviour;
use crate::space::Space;
use crate::wire::{NEWEST, VERSION};

/// Number of turns between a violation of the protocol and the reset that follows.
const TURNS_BEFORE_RESET: u32 = 3;

impl Firmware {
    /// Violates the protocol.
    pub(super) fn misbehave(&mut self, how: Misbehaviour, context: &mut FirmwareContext<'_>) {
        let (at, layout) = (context.session.at, context.session.layout);
        let add = |space: &mut Space, offset, by: u32| {
            let word = space.expected_word(at + offset);
            space.store_word(at + offset, word.wrapping_add(by));
        };
        context.session.relax();
        self.pause = TURNS_BEFORE_RESET;
        let counter = match how {
            Misbehaviour::Jump(by) => {
                add(context.space, layout.request.idx_p, by);
                "misbehaviour jump"
            }
            Misbehaviour::Skip(by) => {
                add(context.space, layout.response.idx_c, by);
                "misbehaviour skip"
            }
            Misbehaviour::Consumer(by) => {
                add(context.space, layout.request.idx_c, by);
                "misbehaviour consumer"
            }
            Misbehaviour::Producer(by) => {
                add(context.space, layout.response.idx_p, by);
                "misbehaviour producer"
            }
            Misbehaviour::Scribble { word, value } => {
                // Excludes the version, which would end the service.
                let words = layout.size / 4 - 1;
                let offset = 4 + u64::from(word) % words * 4;
                // The word before the requests offers a version, and the model knows no later one.
                let is_offer = offset + 4 == layout.request.idx_p;
                let value = if is_offer {
                    value % (VERSION + 1)
                } else {
                    value
                };
                context.space.store_word(at + offset, value);
                "misbehaviour scribble"
            }
            Misbehaviour::Broken(skip) => {
                if context.channel.can_fail() {
                    self.fatal = true;
                    self.broken = true;
                    context.space.set_fault(Some(Fault {
                        skip,
                        tear: false,
                        from: 0,
                        peeks: true,
                    }));
                    add(context.space, layout.request.idx_p, 1);
                }
                "fault in a mailbox"
            }
            Misbehaviour::Version(version) => {
                self.fatal = true;
                self.reset(0, context);
                self.version = if [VERSION, NEWEST].contains(&version) {
                    NEWEST + 1
                } else {
                    version.max(1)
                };
                self.fatal = true;
                return;
            }
        };
        context.shared.coverage.hit(counter);
    }
}
