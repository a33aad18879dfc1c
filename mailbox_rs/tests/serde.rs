//! Round trips of values through serialization, and refusal of invalid ones.
#![cfg(feature = "serde")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::fmt::Debug;

use bincode::config::standard;
use bincode::error::DecodeError;
use bincode::serde::{decode_from_slice, encode_to_vec};
use mailbox_rs::{
    Args, CacheLine, Errno, FileRequest, Index, Layout, Malformed, OpenFlags, PtrWidth, Request,
    RequestEntry, Response, ResponseEntry, State, VERSION,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn bytes<T: Serialize>(value: T) -> Vec<u8> {
    encode_to_vec(value, standard()).unwrap()
}

fn value<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    decode_from_slice(bytes, standard()).map(|(value, _)| value)
}

fn survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(before: T) {
    assert_eq!(value::<T>(&bytes(&before)).unwrap(), before);
}

#[test]
fn every_kind_of_value_survives() {
    let call = Request::Call {
        method: 1,
        args: [2, u64::MAX].into(),
    };
    survives(call);
    survives(Request::File(FileRequest::Open {
        path: 1,
        flags: OpenFlags::READ,
    }));
    survives(RequestEntry::from(&call));
    survives(Malformed::NoWords { action: 1 });
    survives(Response::Error(Errno::ENOENT));
    survives(ResponseEntry { words: 1, rets: 2 });
    survives(Layout::new(PtrWidth::P8, CacheLine::B64));
    survives((VERSION, State(7), Index(9)));
}

#[test]
fn too_many_arguments_are_refused() {
    assert_eq!(
        *value::<Args<2>>(&bytes([1_u64, 2].as_slice())).unwrap(),
        [1, 2]
    );
    let error = value::<Args<2>>(&bytes([1_u64, 2, 3].as_slice())).unwrap_err();
    assert!(error.to_string().contains("at most 2"), "{error}");
}
