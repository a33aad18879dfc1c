//! The files actor.
use crate::bus::{Desk, Port};
use crate::messages::{files, foreign};
use std::collections::HashSet;
/// Stub.
#[derive(Debug)]
pub struct Files;
/// Stub.
#[derive(Debug)]
pub struct SpecialNames {
    /// x
    pub extensions: HashSet<String>,
    /// x
    pub virtuals: HashSet<String>,
}
/// Stub.
pub fn open_root(p: &std::path::Path) -> std::io::Result<cap_std::fs::Dir> {
    cap_std::fs::Dir::open_ambient_dir(p, cap_std::ambient_authority())
}
impl Files {
    /// Stub.
    pub fn new(
        _: Desk,
        _: &Port<foreign::Inbox>,
        _: Option<cap_std::fs::Dir>,
        _: SpecialNames,
    ) -> Self {
        Self
    }
}
impl actix::Actor for Files {
    type Context = actix::Context<Self>;
}
impl actix::Handler<files::Inbox> for Files {
    type Result = ();
    fn handle(&mut self, _: files::Inbox, _: &mut Self::Context) {}
}
