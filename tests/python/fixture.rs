//! System with two channels, simulated firmware, and a testbench with methods.

use std::ffi::{CStr, c_char};
use std::rc::Rc;
use std::slice;
use std::sync::{Arc, Mutex};

use mailbox_rs::mock::{Firmware, Memory};
use mailbox_rs::{CacheLine, Layout, PtrWidth, Request, ResponseEntry};
use vhost::bus::Observation;
use vhost::messages::foreign::{PyTick, Report};
use vhost::{Error, Progress, Vhost};

/// Name and address of the 32-bit channel.
pub(crate) const CORE32: &str = "core32";
const PLACE32: u64 = 0x1000;

/// Name and address of the 64-bit channel.
pub(crate) const CORE64: &str = "core64";

/// Address of memory that no channel uses.
pub(crate) const DATA: u64 = 0x4000;

const MEMORIES: &str =
    "space: {core: [{ram: {base: 0, size: 0x8000, path: tb.ram, width: 64, backend: static}}]}";

const MAILBOXES: &str = "
core32: {space: core, base: 0x1000, ptr: 32, cache_line: 0}
core64: {space: core, base: 0x2000, ptr: 64, cache_line: 0}
";

pub(crate) struct PythonFixture {
    pub(crate) vhost: Rc<Vhost>,
    reports: Arc<Mutex<Vec<Report>>>,
    turns: Arc<Mutex<usize>>,
}

impl PythonFixture {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let memories = folder.path().join("mem.yaml");
        std::fs::write(&memories, MEMORIES).unwrap();
        let (reports, turns) = (Arc::new(Mutex::new(vec![])), Arc::new(Mutex::new(0)));
        let (report, turn) = (reports.clone(), turns.clone());
        let vhost = Vhost::builder()
            .memories(&memories)
            .mailboxes_text(MAILBOXES)
            .attach(move |seen: &Observation<'_>| {
                report
                    .lock()
                    .unwrap()
                    .extend(seen.content.downcast_ref::<Report>().cloned());
                *turn.lock().unwrap() +=
                    usize::from(seen.content.downcast_ref::<PyTick>().is_some());
            })
            .start()
            .unwrap();
        Self {
            vhost: Rc::new(vhost),
            reports,
            turns,
        }
    }

    /// Polls a call once.
    pub(crate) fn poll(
        &self,
        channel: &str,
        method: &str,
        args: &[u64],
    ) -> Result<Progress, Error> {
        self.vhost.poll_call(channel, method, args)
    }

    /// Polls a call without arguments on the 64-bit channel once.
    pub(crate) fn call(&self, method: &str) -> Result<Progress, Error> {
        self.poll(CORE64, method, &[])
    }

    /// Error text of a failing call.
    pub(crate) fn failure(&self, channel: &str, method: &str, args: &[u64]) -> String {
        self.poll(channel, method, args).unwrap_err().to_string()
    }

    pub(crate) fn tick(&self) {
        assert_eq!(self.vhost.tick().unwrap(), 2);
    }

    /// Texts of reports since the last call.
    pub(crate) fn reports(&self) -> Vec<String> {
        let reports = std::mem::take(&mut *self.reports.lock().unwrap());
        let texts = reports
            .into_iter()
            .map(|report| format!("{}: {}", report.id, report.text));
        texts.collect()
    }

    /// Turns of Python's event loop since the last call.
    pub(crate) fn turns(&self) -> usize {
        std::mem::take(&mut *self.turns.lock().unwrap())
    }

    /// Firmware of the 32-bit channel, after the handshake.
    pub(crate) fn firmware(&self) -> Firmware<Chip> {
        let layout = Layout::new(PtrWidth::P4, CacheLine::None);
        let mut firmware = Firmware::new(Chip(self.vhost.clone()), PLACE32, layout);
        firmware.reset();
        self.tick();
        assert!(firmware.is_ready());
        firmware
    }

    /// Sends a call of firmware, and returns its response within this number of ticks.
    pub(crate) fn served(
        &self,
        firmware: &mut Firmware<Chip>,
        method: &str,
        args: &[u64],
        ticks: usize,
    ) -> Option<ResponseEntry> {
        self.send(firmware, method, args);
        for _ in 0..ticks {
            self.tick();
            if let Some(response) = firmware.try_receive() {
                return Some(response);
            }
        }
        None
    }

    pub(crate) fn send(&self, firmware: &mut Firmware<Chip>, method: &str, args: &[u64]) {
        const NAME: u64 = 0x3000;
        self.vhost
            .write_string("core", NAME, method.as_bytes())
            .unwrap();
        let call = Request::Call {
            method: NAME,
            args: args.try_into().unwrap(),
        };
        assert!(firmware.try_send(&call));
    }
}

/// Memory of a system, accessed as by firmware.
pub(crate) struct Chip(Rc<Vhost>);

impl Memory for Chip {
    fn read(&self, address: u64, buf: &mut [u8]) {
        let data = self.0.read("core", address, buf.len() as u64).unwrap();
        buf.copy_from_slice(&data);
    }

    fn write(&self, address: u64, data: &[u8]) {
        self.0.write("core", address, data.to_vec()).unwrap();
    }
}

/// Testbench methods: `sum`, and `both`, which Python may define, too.
#[unsafe(no_mangle)]
extern "C" fn mb_sv_call(
    _: *const c_char,
    method: *const c_char,
    arg_len: u32,
    args: *const u64,
    status: *mut u32,
) -> u64 {
    // SAFETY: the library passes C strings.
    let method = unsafe { CStr::from_ptr(method) };
    // SAFETY: `arg_len` is the number of words.
    let args = unsafe { slice::from_raw_parts(args, arg_len as usize) };
    let (code, result) = match method.to_str().unwrap() {
        "sum" => (0, args.iter().sum()),
        "both" => (0, 1),
        _ => (2, 0),
    };
    // SAFETY: `status` is valid for a write.
    unsafe { status.write(code) };
    result
}
