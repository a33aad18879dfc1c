//! Ticks of a system: their work, later reports and flushes, and the watchdog.

use std::time::Instant;

use crate::bus::{SettledTicks, TickWork};
use crate::messages::events::Notified;
use crate::messages::foreign::Severity;
use crate::system::Error;
use crate::system::running::{Inner, Vhost, WatchdogTimeout, report_panics_of_taps};

impl Vhost {
    /// Executes one tick: takes new requests, serves them, and polls pending calls. Returns the
    /// number of channels that have not exited.
    ///
    /// # Errors
    /// [`Error::Fatal`] after the end of service, [`Error::Bus`] from inside a callback.
    #[inline]
    pub fn tick(&self) -> Result<usize, Error> {
        let inner = &*self.0;
        if !inner.unregistered.borrow().is_empty() {
            self.retry_registration()?;
        }
        let worked = inner.bus.tick()?;
        self.end_tick(worked)
    }

    /// Tick until which the system is settled: until then a tick only polls the doorbells and
    /// pending calls, unless the system is used before. 0 if the system is not settled.
    pub(crate) fn settled_until(&self) -> u64 {
        let inner = &*self.0;
        let is_registered = inner.unregistered.borrow().is_empty();
        let is_settled =
            is_registered && inner.bus.is_settled() && inner.progress.fatal().is_none();
        if is_settled { inner.watchdog.due() } else { 0 }
    }

    /// Ticks of this system while it is [settled](Self::settled_until).
    pub(crate) fn settled_ticks(&self) -> SettledTicks {
        self.0.bus.settled_ticks()
    }

    /// True if `ticks` belongs to this system, and no watch has changed since it was made.
    pub(crate) fn has_settled_ticks(&self, ticks: &SettledTicks) -> bool {
        self.0.bus.has_settled_ticks(ticks)
    }

    /// Carries out the work of a tick that [began settled](SettledTicks::finish_poll).
    pub(crate) fn finish_tick(&self, work: TickWork) -> Result<usize, Error> {
        self.0.bus.finish_tick(work);
        self.end_tick(true)
    }

    /// Number of channels that have not exited.
    #[inline(always)]
    pub(crate) fn served(&self) -> usize {
        self.0.progress.served()
    }

    /// Ends a tick with or without work.
    #[inline(always)]
    fn end_tick(&self, worked: bool) -> Result<usize, Error> {
        let inner = &*self.0;
        if worked && inner.bus.any_panics() {
            self.report_panics()?;
        }
        if inner.bus.unflushed() && inner.flusher.tick(worked, Instant::now) {
            inner.bus.flush();
        }
        if inner.watchdog.is_due(inner.bus.now()) {
            self.check_watchdog()?;
        }
        match inner.progress.fatal() {
            None => Ok(inner.progress.served()),
            Some(text) => Err(Error::Fatal(text.to_owned())),
        }
    }

    /// Writes the buffers of recordings and logs.
    pub(crate) fn flush(&self) {
        if self.0.bus.unflushed() {
            self.0.bus.flush();
        }
    }

    /// Enables a flush of recordings and logs before each foreign call.
    pub(crate) fn flush_before_calls(&self) {
        self.0.bus.flush_before_calls(true);
    }

    /// Notifies the system that a mailbox was written: the next tick reads the state of every
    /// channel.
    pub fn notify(&self) {
        self.0.external.emit(|| Notified);
        self.0.bus.notify();
    }

    /// Reports each channel that makes no progress for this many ticks, with this severity and its
    /// [`status`](Self::status). A channel is reported once until it makes progress again.
    /// [`Severity::Fatal`] ends service; 0 ticks disable the watchdog.
    ///
    /// Progress is a handshake, a request taken or completed, or an exit. A method that stays
    /// pending, and computation by firmware, are not progress.
    pub fn watchdog(&self, ticks: u64, severity: Severity) {
        self.watch(WatchdogTimeout { ticks, severity });
    }

    pub(crate) fn watch(&self, timeout: WatchdogTimeout) {
        self.0.watchdog.set(timeout, self.0.bus.now());
    }

    /// Reports stalled channels.
    #[cold]
    fn check_watchdog(&self) -> Result<(), Error> {
        let Inner {
            bus,
            progress,
            watchdog,
            ..
        } = &*self.0;
        if progress.fatal().is_some() {
            return Ok(());
        }
        let stuck = watchdog.take_overdue(bus.now(), progress);
        if stuck.is_empty() {
            return Ok(());
        }
        let exits = self.exits();
        let stuck = stuck.iter().filter_map(|at| exits.get(*at));
        let names: Vec<&str> = stuck.map(|exit| exit.name.as_str()).collect();
        let (names, WatchdogTimeout { ticks, severity }) = (names.join(", "), watchdog.timeout());
        let text = format!("no progress for {ticks} ticks: {names}\n{}", self.status()?);
        let text = text.trim_end();
        if severity == Severity::Fatal {
            progress.fail(&format!("watchdog: {text}"));
        }
        let reported = self.report(severity, "watchdog", text);
        // A user of the report may kill the process.
        bus.flush();
        reported
    }

    /// Panic without a receiver: an internal error of the host.
    #[cold]
    fn report_panics(&self) -> Result<(), Error> {
        let Inner { bus, ports, .. } = &*self.0;
        for report in report_panics_of_taps(bus, &ports.foreign) {
            bus.ask(&ports.foreign, report)?;
        }
        Ok(bus.run_until_idle()?)
    }
}
