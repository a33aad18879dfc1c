//! Checkpoints that are restored at once, which must not change the run.

use std::fs::OpenOptions;

use super::{Failed, Run};
use crate::disk::{CREATES, Open, OpenKind, READ};
use crate::session::Phase;

impl Run<'_> {
    /// Takes a checkpoint and restores it, in the turns of the scenario.
    pub(super) fn checkpoint(&mut self, turn: u32) -> Result<(), Failed> {
        if self.fatal || !self.scenario.checkpoints.contains(&turn) {
            return Ok(());
        }
        // The model does not know the open files of such channels, or their files can't be opened
        // again.
        let unknown = |unit: &super::Unit| {
            unit.session.may_report_errors || unit.session.is_relaxed || unit.session.has_specials()
        };
        if self.units.iter().any(unknown) || !self.files_can_be_opened_again() {
            return Ok(());
        }
        let pending = self
            .units
            .iter()
            .any(|unit| unit.session.has_pending_call());
        let file = self.folder.join("x.ckpt");
        let saved = self.vhost.save(&file);
        let restored = saved.and_then(|()| self.vhost.restore(&file));
        restored.map_err(|error| self.failed(None, format!("a checkpoint: {error}")))?;
        let coverage = &mut self.shared.coverage;
        coverage.hit("checkpoint");
        if !self.shared.files.open.is_empty() {
            coverage.hit("checkpoint with an open file");
        }
        if pending {
            coverage.hit("checkpoint with a pending call");
        }
        let is_over = |unit: &super::Unit| matches!(unit.session.phase, Phase::Exited(_));
        if self.units.iter().any(is_over) {
            coverage.hit("checkpoint after an exit");
        }
        Ok(())
    }

    /// True if all open files are on disk, under the names with which they were opened.
    fn files_can_be_opened_again(&self) -> bool {
        let mut files = self.shared.files.open_in_host();
        files.all(|open| self.is_there(open))
    }

    fn is_there(&self, open: &Open) -> bool {
        let actual = self.shared.files.tree.find(open.path.trim_end_matches('/'));
        let is_same = match open.kind {
            OpenKind::Special => return false,
            OpenKind::File(number) => actual == Ok(Some(number)),
            OpenKind::Directory(_) => actual == Ok(None),
        };
        let path = self.folder.join("root").join(&open.path);
        let mut options = OpenOptions::new();
        match open.is_directory() {
            true => options.read(true),
            false => options
                .read(open.flags & READ != 0)
                .write(open.flags & CREATES != 0),
        };
        is_same && options.open(path).is_ok()
    }
}
