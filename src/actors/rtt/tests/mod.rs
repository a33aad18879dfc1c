//! Tests of RTT with a mock of firmware's side, written from the layout of the ring buffers.

mod blocks;
mod fixture;
mod hostile;
mod transfers;
