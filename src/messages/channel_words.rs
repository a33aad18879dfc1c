//! Words of a channel in memory that firmware writes.

use mailbox_rs::{QUEUE_LEN, State};
use serde::{Deserialize, Serialize};

/// Words of a channel in memory, read for a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusWords {
    /// Words of a mailbox.
    Mailbox(ChannelWords),
    /// `fromhost` of HTIF.
    Htif {
        /// Address of `fromhost`.
        fromhost: u64,
        /// Response that firmware has not taken; 0 for none.
        response: u64,
    },
    /// Code that replaces the traps of semihosting.
    Semihosting {
        /// Lock of the code; 0 if it is free.
        lock: u32,
    },
}

/// Words of a channel that firmware writes, as last read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelWords {
    /// State of the channel.
    pub state: u32,
    /// Producer index of the request queue.
    pub request_producer: u32,
    /// Further words, read only for a handshake.
    pub handshake: Option<Handshake>,
    /// Consumer index of the response queue, read only for a handshake and while the queue is full.
    pub response_consumer: Option<u32>,
}

/// Words that are needed only for a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handshake {
    /// Protocol version of the firmware.
    pub version: u32,
    /// Consumer index of the request queue.
    pub request_consumer: u32,
    /// Producer index of the response queue.
    pub response_producer: u32,
}

impl ChannelWords {
    /// Initial value, before the first read.
    pub const UNREAD: Self = Self {
        state: 0,
        request_producer: 0,
        handshake: None,
        response_consumer: None,
    };

    /// Returns firmware's protocol version if the words request a handshake (protocol, section
    /// *Handshake and reset*).
    pub fn asks_for_handshake(&self) -> Option<u32> {
        let handshake = self.handshake?;
        let indices = [
            self.request_producer,
            handshake.request_consumer,
            handshake.response_producer,
            self.response_consumer.unwrap_or_default(),
        ];
        let asks = handshake.version != 0 && self.state == State::INIT.0 && indices == [0; 4];
        asks.then_some(handshake.version)
    }

    /// Returns the words of the handshake if the channel is READY, and both queues have a valid
    /// length.
    pub fn open_session(&self) -> Option<Handshake> {
        let handshake = self.handshake?;
        let requests = self
            .request_producer
            .wrapping_sub(handshake.request_consumer);
        let responses = handshake
            .response_producer
            .wrapping_sub(self.response_consumer.unwrap_or_default());
        let is_open =
            self.state == State::READY.0 && requests <= QUEUE_LEN && responses <= QUEUE_LEN;
        is_open.then_some(handshake)
    }
}
