//! The mailbox wire protocol.
#![no_std]
