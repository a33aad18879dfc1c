//! Reports of a system.

use std::sync::{Arc, Mutex, PoisonError};

use vhost::bus::{Content, Observation};
use vhost::messages::foreign::Report;

/// Collected reports. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Reports(Arc<Mutex<Vec<Report>>>);

impl Reports {
    /// Callback for `Builder::on_report`.
    pub fn callback(&self) -> impl FnMut(&Report) + Send + 'static {
        let reports = self.clone();
        move |report| reports.push(report)
    }

    /// Tap that collects reports to the outside.
    pub fn tap(&self) -> impl FnMut(&Observation<'_>) + Send + 'static {
        let reports = self.clone();
        move |seen: &Observation<'_>| {
            if let (Content::Message(_), Some(report)) =
                (seen.content, seen.content.downcast_ref::<Report>())
            {
                reports.push(report);
            }
        }
    }

    fn push(&self, report: &Report) {
        let mut reports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reports.push(report.clone());
    }

    /// Removes and returns all reports.
    pub fn take(&self) -> Vec<Report> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Removes all reports, and returns the texts of those with this id.
    pub fn take_of(&self, id: &str) -> Vec<String> {
        let of = self.take().into_iter().filter(|report| report.id == id);
        of.map(|report| report.text).collect()
    }

    /// Searches for the first report for which `select` returns a value. Removes nothing.
    pub fn find<T>(&self, select: impl FnMut(&Report) -> Option<T>) -> Option<T> {
        let reports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reports.iter().find_map(select)
    }
}
