//! Host program inside of a Verilator simulation: a custom command, a method, a virtual file and
//! the chip's RAM in Rust, beside a SystemVerilog testbench that uses the C ABI of the same vhost.

use std::error::Error;
use std::io::Cursor;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use vhost::{Builder, MemoryModel, ModelError};

vhost::host!(configure);

/// Bytes of the RAM, as in `mem.yaml`.
const RAM_SIZE: usize = 0x2_0000;

/// Id of the custom command that counts its calls.
const COUNT: u64 = 7;

/// Configures the host. Called once, before `mb_init` builds the system.
fn configure(builder: Builder) -> Result<Builder, Box<dyn Error>> {
    let calls = AtomicU64::new(0);
    Ok(builder
        .memory_model("ram", RAM.clone())
        .command(COUNT, move |_, call| {
            let step = call.args.first().copied().unwrap_or(1);
            Ok(Poll::Ready(calls.fetch_add(step, Ordering::Relaxed) + step))
        })
        .method("checksum", |vhost, call| {
            let args = call
                .args
                .get(..2)
                .ok_or("it takes an address and a length")?;
            let [address, len] = args.try_into()?;
            let space = vhost.space_of(call.channel)?.to_owned();
            let data = vhost.read(&space, address, len)?;
            Ok(Poll::Ready(data.iter().map(|byte| u64::from(*byte)).sum()))
        })
        .virtual_file("motd", |_: &str, _| {
            let text = b"hello from Rust".to_vec().into_boxed_slice();
            Ok(Box::new(Cursor::new(text)) as Box<_>)
        })
        .on_start(|vhost| {
            println!("host program: {} channel", vhost.exits().len());
            Ok(())
        }))
}

// ---- RAM of the chip: a memory model for the host, DPI functions for the RTL ----

static RAM: LazyLock<Arc<Mutex<Ram>>> = LazyLock::new(|| {
    Arc::new(Mutex::new(Ram {
        words: vec![0; RAM_SIZE / 4].into(),
    }))
});

struct Ram {
    words: Box<[u32]>,
}

impl Ram {
    /// Word at an address. Addresses above the RAM repeat it, as in a chip that does not decode the
    /// upper bits.
    fn word(&mut self, address: u32) -> &mut u32 {
        &mut self.words[address as usize / 4 % (RAM_SIZE / 4)]
    }
}

impl MemoryModel for Ram {
    fn read(&mut self, offset: u64) -> Result<u8, ModelError> {
        let offset = u32::try_from(offset)?;
        Ok(self.word(offset).to_le_bytes()[offset as usize % 4])
    }

    fn write(&mut self, offset: u64, data: u8) -> Result<(), ModelError> {
        let offset = u32::try_from(offset)?;
        let word = self.word(offset);
        let mut bytes = word.to_le_bytes();
        bytes[offset as usize % 4] = data;
        *word = u32::from_le_bytes(bytes);
        Ok(())
    }
}

fn ram() -> MutexGuard<'static, Ram> {
    RAM.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `import "DPI-C" function int unsigned ram_load(input int unsigned addr);`
#[unsafe(no_mangle)]
extern "C" fn ram_load(addr: u32) -> u32 {
    *ram().word(addr)
}

/// `import "DPI-C" function void ram_store(input int unsigned addr, input int unsigned data, input
/// int unsigned strobes);`
#[unsafe(no_mangle)]
extern "C" fn ram_store(addr: u32, data: u32, strobes: u32) {
    let mut ram = ram();
    let word = ram.word(addr);
    let mask = (0..4)
        .filter(|byte| strobes >> byte & 1 == 1)
        .fold(0, |mask, byte| mask | 0xff << (8 * byte));
    *word = *word & !mask | data & mask;
}

// ---- Function of the host program for the testbench ----

/// Number of ticks that the host has served, or -1 after a report if the host can't be used:
/// `import "DPI-C" context function longint host_ticks();`
#[unsafe(no_mangle)]
extern "C" fn host_ticks() -> i64 {
    vhost::with_host(|vhost| vhost.now().cast_signed()).unwrap_or(-1)
}
