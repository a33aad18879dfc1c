//! Front end of mailboxes: takes firmware's requests out of the queues, serves them and puts the responses.
//!
//! - `channel`: one long-lived task per channel: handshake, requests in order, reset at any time.
//! - `status_tracker`: present step and recent requests of a channel, for the status.
//! - `queues`: accesses to the channel's own words.
//! - `poller`: words last read by the doorbell; `watch`: selection of the words to poll.
//! - `requests`: handlers of the requests. Services that other front ends offer, too, are in [`service`](super::service).
//! - `checkpoint`: state of a session for checkpoints.
//! - `notes`: warnings already given for a channel.

mod channel;
mod checkpoint;
mod notes;
mod poller;
mod queues;
mod requests;
mod status_tracker;
#[cfg(test)]
mod tests;
mod watched_words;

pub(crate) use channel::Channel as MailboxChannel;
