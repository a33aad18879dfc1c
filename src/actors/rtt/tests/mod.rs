//! Tests of RTT against firmware's side of the ring buffers, written from the layout.

mod bench;
mod blocks;
mod hostile;
mod transfers;
