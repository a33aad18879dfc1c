//! Endpoints of the bus.

use std::fmt;

/// Actor, or another sender or receiver of messages. It is one thin pointer, since every message
/// carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Endpoint(pub(super) &'static EndpointName);

/// Name of an endpoint.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct EndpointName {
    text: &'static str,
    /// FNV-1a hash of the name, the same in every build.
    pub(super) hash: usize,
}

impl EndpointName {
    /// Name with this text.
    pub(crate) const fn new(text: &'static str) -> Self {
        Self {
            text,
            hash: fnv1a(text, 0),
        }
    }
}

// The hash is omitted: it says nothing to the reader of a ticket.
impl fmt::Debug for EndpointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.text, f)
    }
}

impl Endpoint {
    /// Callers outside of the bus: the C ABI or a host program.
    pub const EXTERNAL: Self = Self(&EndpointName::new("outside"));

    /// Attached taps. Their messages are not shown to taps and not counted. All other messages and
    /// their sequence numbers are the same with and without taps.
    pub const TAP: Self = Self(&EndpointName::new("a tap"));

    /// Receiver of events, which only taps observe.
    pub const EVENT: Self = Self(&EndpointName::new("nobody"));

    /// Endpoint of this name.
    pub(crate) const fn new(name: &'static EndpointName) -> Self {
        Self(name)
    }

    /// The name.
    pub const fn name(self) -> &'static str {
        self.0.text
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// FNV-1a hash of a text, from the hash of an earlier one. The same in every build, unlike an
/// address.
pub(super) const fn fnv1a(text: &str, from: usize) -> usize {
    let (mut hash, mut at) = (from as u32 ^ 0x811c_9dc5, 0);
    while at < text.len() {
        hash = (hash ^ text.as_bytes()[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    hash as usize
}
