//! Services for firmware: one method each.

use core::ffi::CStr;
use core::fmt;

use super::cprint::List;
use super::{Channel, Hooks, Native, PrintfArgs, Words};
use crate::errno::Errno;
use crate::header::{VERSION, Version};
use crate::layout::CacheLine;
use crate::request::{Args, CPRINT_ARGS, FileRequest, OpenFlags, Request, RequestEntry, action};
use crate::response::{Response, ResponseEntry};

/// Blocking client of one channel.
///
/// A request with a response returns when that arrives. One without (CPRINT, EXIT, FILE CLOSE)
/// returns when it is queued. There is no timeout. [`Hooks::wait`] is called while waiting.
///
/// Services that take references need a channel in the program's own memory ([`Native`]).
#[derive(Clone, Debug)]
pub struct Client<W, H> {
    channel: Channel<W, H>,
    /// Version of the session.
    version: Version,
}

impl<W: Words, H: Hooks> Client<W, H> {
    /// Client of the channel behind `words`. Call [`reset`](Self::reset) first.
    pub const fn new(words: W, hooks: H) -> Self {
        Self {
            channel: Channel::new(words, hooks),
            version: VERSION,
        }
    }

    /// Channel, for requests in single steps.
    pub const fn channel(&mut self) -> &mut Channel<W, H> {
        &mut self.channel
    }

    /// Resets the channel and waits until the host is ready. Pending requests are dropped.
    ///
    /// # Panics
    ///
    /// Panics if the cache is a [write-back](Hooks::WRITE_BACK) one, and the channel's layout has
    /// no cache line.
    pub fn reset(&mut self) {
        let line = self.channel.words().layout().cache_line;
        assert!(
            !H::WRITE_BACK || line != CacheLine::None,
            "a write-back cache needs a cache line: CacheLine::None would have host and firmware write the same lines"
        );
        self.channel.start_reset();
        while !self.channel.is_ready() {
            self.channel.hooks().wait();
        }
        self.version = self.channel.version();
    }

    /// Protocol version of the session, chosen by the host in the last [`reset`](Self::reset).
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Sends any request, and waits for the response if it has one.
    ///
    /// The host reads and writes the memory that the request names. As with a DMA descriptor,
    /// exclusive use of that memory is the caller's responsibility.
    ///
    /// A request with an argument that exceeds a word is not sent. Its response is EOVERFLOW, even
    /// for a request without a response. An operation that the session's version lacks is not sent
    /// either; its response is ENOSYS.
    pub fn request(&mut self, request: &Request) -> Option<ResponseEntry> {
        let entry = RequestEntry::from(request);
        let width = self.channel.words().layout().ptr_width;
        if let Request::File(file) = request
            && file.since() > self.version
        {
            return Some(Response::Error(Errno::ENOSYS).entry(width));
        }
        if !entry.counted_args().iter().all(|&arg| width.holds(arg)) {
            return Some(Response::Error(Errno::EOVERFLOW).entry(width));
        }
        while !self.channel.try_send(&entry) {
            self.channel.hooks().wait();
        }
        request.responds().then(|| self.receive())
    }

    /// Reports the end of firmware to the host. The channel ends, and the CPU continues to run.
    pub fn exit(&mut self, code: u32) {
        self.request(&Request::Exit { code });
    }

    /// Sends a custom command. Returns its value; `None` without one.
    ///
    /// An argument is a word of the pointer width; a wider one doesn't compile. Errors are returned
    /// as values, because they can't be distinguished; an unknown command returns -ENOSYS.
    pub fn custom<const N: usize>(&mut self, id: usize, args: [usize; N]) -> Option<u64> {
        let request = Request::Custom {
            action: action::OTHER,
            id: id as u64,
            args: args.map(|arg| arg as u64).into(),
        };
        self.flushed(&request, N)
            .filter(|response| response.words != 0)
            .map(|response| response.rets)
    }

    /// Sends a request with `args` arguments that may point to memory of any size, between two
    /// flushes of the cache.
    fn flushed(&mut self, request: &Request, args: usize) -> Option<ResponseEntry> {
        if args > 0 {
            self.channel.hooks().flush();
        }
        let response = self.request(request);
        if args > 0 {
            self.channel.hooks().flush();
        }
        response
    }

    /// Closes a file, without a response: only the host reports an invalid descriptor.
    ///
    /// # Errors
    ///
    /// EOVERFLOW for a descriptor that exceeds a word.
    pub fn close(&mut self, fd: u64) -> Result<(), Errno> {
        self.value(&Request::File(FileRequest::Close { fd }))
            .map(drop)
    }

    /// Sets a file's position, in bytes from its start, and returns the new one.
    ///
    /// # Errors
    ///
    /// EOVERFLOW for a position that exceeds a word; errors of the host.
    pub fn seek(&mut self, fd: u64, position: u64) -> Result<u64, Errno> {
        let width = self.channel.words().layout().ptr_width;
        if width.truncate(position) != position {
            return Err(Errno::EOVERFLOW);
        }
        self.value(&Request::File(FileRequest::Seek { fd, position }))
    }

    fn receive(&mut self) -> ResponseEntry {
        loop {
            if let Some(response) = self.channel.try_receive() {
                return response;
            }
            self.channel.hooks().wait();
        }
    }

    /// Value of a response whose values never overlap with errors.
    pub(super) fn value(&mut self, request: &Request) -> Result<u64, Errno> {
        let width = self.channel.words().layout().ptr_width;
        self.request(request)
            .map_or(Ok(0), |response| response.result(width))
    }
}

impl<H: Hooks> Client<Native, H> {
    /// Prints text. `write!` works too; it sends one request per piece of its format.
    pub fn print(&mut self, text: &str) -> Result<(), Errno> {
        let request = Request::Print {
            ptr: self.lend_shared(text.as_bytes()),
            len: text.len() as u64,
        };
        self.value(&request).map(drop)
    }

    /// Prints as C's `printf` does, without waiting; the [`cprint!`](crate::cprint) macro adds file
    /// and line.
    ///
    /// The host reads the strings later: they must stay valid, those that `args` point to as well.
    pub fn cprint(
        &mut self,
        format: &'static CStr,
        file: &'static CStr,
        line: u32,
        args: impl Into<Args<CPRINT_ARGS>>,
    ) {
        let (format, file) = (self.lend_str(format), self.lend_str(file));
        self.request(&Request::CPrint {
            format,
            file,
            line,
            args: args.into(),
        });
    }

    /// Calls a method of the testbench and returns its result, errors included: -ENOSYS for an
    /// unknown method, -EIO for a failed one.
    ///
    /// An argument is a word of the pointer width; a wider one doesn't compile. Pass it as two
    /// words.
    pub fn call<const N: usize>(&mut self, method: &CStr, args: [usize; N]) -> u64 {
        let request = Request::Call {
            method: self.lend_str(method),
            args: args.map(|arg| arg as u64).into(),
        };
        self.flushed(&request, N)
            .map_or(0, |response| response.rets)
    }

    /// Copies `src` to `dest`, up to the shorter length in bytes.
    pub fn memmove(&mut self, dest: &mut [u8], src: &[u8]) -> Result<(), Errno> {
        let len = dest.len().min(src.len());
        let (dest, src) = (&mut dest[..len], &src[..len]);
        let request = Request::MemMove {
            dest: self.lend_mut(dest),
            src: self.lend_shared(src),
            len: len as u64,
        };
        let result = self.value(&request);
        self.take_back(dest);
        result.map(drop)
    }

    /// Fills `dest` with `byte`.
    pub fn memset(&mut self, dest: &mut [u8], byte: u8) -> Result<(), Errno> {
        let request = Request::MemSet {
            dest: self.lend_mut(dest),
            byte,
            len: dest.len() as u64,
        };
        let result = self.value(&request);
        self.take_back(dest);
        result.map(drop)
    }

    /// Compares up to the shorter length in bytes: difference of the first differing bytes, 0 if
    /// equal.
    ///
    /// An error can't be distinguished from a difference. Unreadable memory returns -EFAULT, -14.
    pub fn memcmp(&mut self, s1: &[u8], s2: &[u8]) -> i32 {
        let len = s1.len().min(s2.len());
        let request = Request::MemCmp {
            s1: self.lend_shared(&s1[..len]),
            s2: self.lend_shared(&s2[..len]),
            len: len as u64,
        };
        self.request(&request)
            .map_or(0, |response| response.rets as i32)
    }

    /// Opens a file below the host's root and returns its descriptor.
    pub fn open(&mut self, path: &CStr, flags: OpenFlags) -> Result<u64, Errno> {
        let path = self.lend_str(path);
        self.value(&Request::File(FileRequest::Open { path, flags }))
    }

    /// Reads into `buf` and returns the number of bytes read, 0 at the end of the file.
    pub fn read(&mut self, fd: u64, buf: &mut [u8]) -> Result<usize, Errno> {
        if buf.is_empty() {
            return Ok(0); // On the wire, a length of 0 is the rest of the file.
        }
        let request = FileRequest::Read {
            fd,
            ptr: self.lend_mut(buf),
            len: buf.len() as u64,
        };
        let result = self.value(&Request::File(request));
        self.take_back(buf);
        result.map(|len| buf.len().min(len as usize))
    }

    /// Writes `data` and returns the number of bytes written.
    pub fn write(&mut self, fd: u64, data: &[u8]) -> Result<usize, Errno> {
        let request = FileRequest::Write {
            fd,
            ptr: self.lend_shared(data),
            len: data.len() as u64,
        };
        self.value(&Request::File(request)).map(|len| len as usize)
    }

    /// Prints the arguments of [`cprint!`](crate::cprint), whose strings are written back from the
    /// cache.
    #[doc(hidden)]
    pub fn cprint_args<L: List>(
        &mut self,
        format: &'static CStr,
        file: &'static CStr,
        line: u32,
        args: PrintfArgs<L>,
    ) {
        args.strings(&mut |string| {
            self.lend_str(string);
        });
        self.cprint(format, file, line, args);
    }

    /// Address of memory for a method or a custom command, written back from the cache: an argument
    /// of [`call`](Self::call) or [`custom`](Self::custom). If the host writes the memory,
    /// [`take_back`](Self::take_back) must follow.
    ///
    /// As with a DMA descriptor, `data` must stay allocated, and must not be used until the
    /// response.
    pub fn lend(&mut self, data: &mut [u8]) -> usize {
        self.lend_mut(data) as usize
    }

    /// Address of memory for the host to read, written back from the cache.
    fn lend_shared(&mut self, data: &[u8]) -> u64 {
        let address = data.as_ptr().expose_provenance() as u64;
        self.channel.hooks().clean(address, data.len() as u64);
        address
    }

    pub(super) fn lend_str(&mut self, string: &CStr) -> u64 {
        self.lend_shared(string.to_bytes_with_nul())
    }

    /// Address of memory for the host to write, cleaned so that no line is written back later.
    pub(super) fn lend_mut(&mut self, data: &mut [u8]) -> u64 {
        let address = data.as_mut_ptr().expose_provenance() as u64;
        self.channel.hooks().clean(address, data.len() as u64);
        address
    }

    /// Invalidates the cache over memory written by the host.
    pub fn take_back(&mut self, data: &mut [u8]) {
        let address = data.as_mut_ptr().expose_provenance() as u64;
        self.channel.hooks().invalidate(address, data.len() as u64);
    }
}

impl<H: Hooks> fmt::Write for Client<Native, H> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.print(text).map_err(|_| fmt::Error)
    }
}
