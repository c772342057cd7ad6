//! The cost of a value as text, paid before or while it becomes text.
//!
//! The engine counts the bytes that it writes, but a container becomes text at once: `[1] * 99999999` costs a template
//! nothing until it is printed, and a list that holds another a thousand times, which holds another, costs little.

use std::cell::Cell;
use std::io;

use minijinja::value::{ObjectRepr, Value};
use minijinja::{Error, ErrorKind, State};
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::trusted::Trusted;

/// Pays for a value that is about to be written as text.
///
/// # Errors
///
/// `OutOfFuel` if the text would be longer than the page may still pay for, and an error if the value is nested deeper
/// than [`DEPTH`].
pub(crate) fn charge(state: &State<'_, '_>, value: &Value) -> Result<(), Error> {
    charge_indented(state, value, 0)
}

/// As [`charge`], for text in which every item has a line of its own.
pub(crate) fn charge_indented(state: &State<'_, '_>, value: &Value, indent: usize) -> Result<(), Error> {
    if let Some(text) = value.as_str() {
        return charge_bytes(state, text.len());
    }
    if value.as_object().is_none() {
        return Ok(());
    }
    let meter = Meter { state, indent, bytes_per_fuel: BYTES_PER_FUEL, owed: Cell::new(0) };
    meter.value(value, 0)?;
    meter.settle()
}

/// Pays for a look at every part of a value.
///
/// # Errors
///
/// As [`charge`].
pub(crate) fn walk(state: &State<'_, '_>, value: &Value) -> Result<(), Error> {
    let meter = Meter { state, indent: 0, bytes_per_fuel: 8 * BYTES_PER_FUEL, owed: Cell::new(0) };
    meter.value(value, 0)?;
    meter.settle()
}

/// Pays for a long text, which an escaper may make six times as long; the engine pays for short ones.
pub(crate) fn charge_bytes(state: &State<'_, '_>, bytes: usize) -> Result<(), Error> {
    if bytes <= SHORT { Ok(()) } else { state.consume_fuel(bytes as u64 / BYTES_PER_FUEL) }
}

/// Writes a value as JSON and pays for it while it grows.
///
/// # Errors
///
/// As [`charge`], and if the value has no form in JSON.
pub(crate) fn json(state: &State<'_, '_>, value: &Value) -> Result<String, Error> {
    let meter = Meter { state, indent: 0, bytes_per_fuel: BYTES_PER_FUEL, owed: Cell::new(0) };
    let mut paid = Paid { text: Vec::new(), meter };
    let done = value.serialize(&mut Serializer::with_formatter(&mut paid, Compact { depth: 0 }));
    paid.meter.settle()?;
    done.map_err(|error| match error.io_error_kind() {
        Some(io::ErrorKind::QuotaExceeded) => too_deep(),
        _ => Error::new(ErrorKind::BadSerialization, "cannot write the value as JSON").with_source(error),
    })?;
    String::from_utf8(paid.text)
        .map_err(|error| Error::new(ErrorKind::BadSerialization, "JSON is not UTF-8").with_source(error))
}

/// Counts bytes and pays for them in larger pieces.
struct Meter<'s, 't, 'e> {
    state: &'s State<'t, 'e>,
    indent: usize,
    bytes_per_fuel: u64,
    owed: Cell<u64>,
}

impl Meter<'_, '_, '_> {
    fn owe(&self, bytes: usize) -> Result<(), Error> {
        self.owed.set(self.owed.get().saturating_add(bytes as u64));
        if self.owed.get() < PIECE { Ok(()) } else { self.settle() }
    }

    fn settle(&self) -> Result<(), Error> {
        self.state.consume_fuel(self.owed.replace(0) / self.bytes_per_fuel)
    }

    fn value(&self, value: &Value, depth: usize) -> Result<(), Error> {
        if let Some(bytes) = value.as_bytes() {
            return self.owe(ITEM + bytes.len());
        }
        self.owe(ITEM + depth * self.indent)?;
        let Some(object) = value.as_object() else { return Ok(()) };
        if let Some(trusted) = object.downcast_ref::<Trusted>() {
            return self.owe(trusted.text.len());
        }
        if depth == DEPTH {
            return Err(too_deep());
        }
        match object.repr() {
            ObjectRepr::Map => object.try_iter_pairs().into_iter().flatten().try_for_each(|(key, item)| {
                self.value(&key, depth + 1)?;
                self.value(&item, depth + 1)
            }),
            // One without a length is not walked to be printed either, and some can be walked once only.
            ObjectRepr::Seq | ObjectRepr::Iterable if object.enumerator_len().is_some() => {
                object.try_iter().into_iter().flatten().try_for_each(|item| self.value(&item, depth + 1))
            }
            _ => Ok(()),
        }
    }
}

/// Where JSON is written.
struct Paid<'s, 't, 'e> {
    text: Vec<u8>,
    meter: Meter<'s, 't, 'e>,
}

impl io::Write for Paid<'_, '_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.meter.owe(bytes.len()).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// JSON without spaces that is not nested deeper than [`DEPTH`].
struct Compact {
    depth: usize,
}

impl Compact {
    fn enter<W: io::Write + ?Sized>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        writer.write_all(bracket)
    }

    fn leave<W: io::Write + ?Sized>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        writer.write_all(bracket)
    }
}

impl Formatter for Compact {
    fn begin_array<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.enter(writer, b"[")
    }

    fn end_array<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.leave(writer, b"]")
    }

    fn begin_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.enter(writer, b"{")
    }

    fn end_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.leave(writer, b"}")
    }
}

fn too_deep() -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("the value is nested more than {DEPTH} deep"))
}

/// The deepest value that is printed: what a parser of JSON accepts by default, and far from the end of a stack.
const DEPTH: usize = 128;

/// The engine's price of one step for text that was made of a container.
const BYTES_PER_FUEL: u64 = 4;

/// An item of a container as text: it has at least a comma, a space and a character.
const ITEM: usize = 4;

/// Texts up to this length are paid for by the engine alone.
const SHORT: usize = 64 * 1024;

/// Bytes that are paid for at once.
const PIECE: u64 = 4096;
