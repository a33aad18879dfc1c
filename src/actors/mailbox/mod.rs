//! Front end of mailboxes: takes firmware's requests out of the queues, serves them and puts the
//! responses.
//!
//! - `channel`: state of a channel, and its front end.
//! - `handshake`: start of a session; `session`: requests in order, reset at any time; `dispatch`:
//!   one request.
//! - `requests`: handlers of the requests. Services for all front ends are in
//!   [`service`](super::service).
//! - `queues`: indices of both queues, and accesses to the channel's own words.
//! - `poller`: words last read by the doorbell; `watched_words`: selection of the words to poll.
//! - `status_tracker`: present step and recent requests of a channel, for the status.
//! - `checkpoint`: state of a session for checkpoints.
//! - `warnings_given`: warnings already given for a channel.

mod channel;
mod checkpoint;
mod dispatch;
mod handshake;
mod poller;
mod queues;
mod requests;
mod session;
mod status_tracker;
#[cfg(test)]
mod tests;
mod warnings_given;
mod watched_words;

pub(crate) use channel::Channel as MailboxChannel;
