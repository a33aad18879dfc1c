//! System tasks for the memories of the chip.

use std::path::Path;

use super::super::call::Call;
use super::super::error::Error;
use super::super::unused_arrays;
use super::lifecycle::{named, number, signed_number, text};
use crate::sim::SimError;
use crate::sim::system_task::RunningCall;
use crate::sim::vpi_testbench;

/// Writes a number of `BYTES` bytes, little endian. Higher bits are truncated, as in an assignment.
pub(super) fn write<const BYTES: usize>(
    call: &mut Call,
    running: &RunningCall,
) -> Result<i64, Error> {
    let (space, address) = (text(running, 0, "space")?, number(running, 1)?);
    let data = signed_number(running, 2)?.to_le_bytes();
    let vhost = call.system_state()?.system_at_once()?;
    vhost.write_from(&space, address, &data[..BYTES])?;
    Ok(0)
}

/// Reads a number of `BYTES` bytes, little endian; 0 if that fails.
pub(super) fn read<const BYTES: usize>(
    call: &mut Call,
    running: &RunningCall,
) -> Result<i64, Error> {
    let put = |number| running.set_number(2, number).map_err(SimError::from);
    put(0)?;
    let (space, address) = (text(running, 0, "space")?, number(running, 1)?);
    let read = call
        .system_state()?
        .system_at_once()?
        .read(&space, address, BYTES as u64)?;
    let mut number = [0; 8];
    number[..BYTES].copy_from_slice(&read);
    put(u64::from_le_bytes(number))?;
    Ok(0)
}

/// Writes a string and its NUL.
pub(super) fn write_string(call: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    let (space, address) = (text(running, 0, "space")?, number(running, 1)?);
    let data = running.text(2).map_err(SimError::from)?;
    let vhost = call.system_state()?.system_at_once()?;
    vhost.write_string(&space, address, &data)?;
    Ok(0)
}

/// Reads a string up to its NUL; empty if that fails.
pub(super) fn read_string(call: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    let put = |text: &str| running.set_text(2, text).map_err(SimError::from);
    put("")?;
    let (space, address) = (text(running, 0, "space")?, number(running, 1)?);
    let read = call
        .system_state()?
        .system_at_once()?
        .read_string(&space, address)?;
    put(&String::from_utf8_lossy(&read))?;
    Ok(0)
}

/// Writes all of an array. Returns the number of bytes.
pub(super) fn write_block(call: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    let (space, address) = (text(running, 0, "space")?, number(running, 1)?);
    let array = running.array(2)?;
    let len = length(array.len())?;
    let mut data = Vec::new();
    let argument = "data";
    let too_long = |_| Error::TooLong {
        argument,
        len: len as u64,
    };
    data.try_reserve_exact(len).map_err(too_long)?;
    data.resize(len, 0);
    // Unknown bits are 0, as in an assignment to 2-state variables.
    array.read(0, &mut data, |_| ())?;
    let vhost = call.system_state()?.system_at_once()?;
    vhost.write_from(&space, address, &data)?;
    Ok(len as i64)
}

/// Fills all of an array. Returns the number of bytes.
pub(super) fn read_block(call: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    let (space, address) = (text(running, 0, "space")?, number(running, 1)?);
    let array = running.array(2)?;
    let len = length(array.len())?;
    let read = call
        .system_state()?
        .system_at_once()?
        .read(&space, address, len as u64)?;
    array.write(0, &read)?;
    Ok(len as i64)
}

/// Checks the length of a block, which an `integer` must be able to count.
fn length(len: u64) -> Result<usize, Error> {
    let fits = u32::try_from(len)
        .ok()
        .filter(|len| *len <= i32::MAX as u32);
    let argument = "data";
    fits.map(|len| len as usize)
        .ok_or(Error::TooLong { argument, len })
}

/// Registers an array as a black-box memory.
pub(super) fn name_array(call: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    let name = text(running, 0, "name")?;
    vpi_testbench::name_array(&name, running.array(1)?, running.place());
    if let Ok(Some(vhost)) = call.system_state()?.running() {
        unused_arrays::warn(&vhost, |known| known == name);
    }
    Ok(0)
}

/// Loads an image.
pub(super) fn load_elf(call: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    let (space, file) = (text(running, 0, "space")?, named(running, 1, "file")?);
    let vhost = call.system_state()?.system_at_once()?;
    vhost.load_elf(&space, Path::new(&file))?;
    Ok(0)
}

/// Name of a channel's space.
pub(super) fn space(call: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    let put = |text: &str| running.set_text(1, text).map_err(SimError::from);
    put("")?;
    let channel = text(running, 0, "ch")?;
    let vhost = call.system_state()?.system_at_once()?;
    put(vhost.space_of(&channel)?)?;
    Ok(0)
}

/// Value and size of a symbol.
pub(super) fn symbol(call: &mut Call, running: &RunningCall) -> Result<i64, Error> {
    let put = |value: u64, size: u64| {
        running.set_number(2, value)?;
        match running.has(3) {
            true => running.set_number(3, size),
            false => Ok(()),
        }
    };
    put(0, 0).map_err(SimError::from)?;
    let (place, name) = (text(running, 0, "place")?, text(running, 1, "name")?);
    let symbol = call
        .system_state()?
        .system_at_once()?
        .symbol(&place, &name)?;
    put(symbol.value, symbol.size).map_err(SimError::from)?;
    Ok(0)
}
