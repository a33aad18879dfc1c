//! Names and shapes of signals in an FST file.

use super::encoding::{put_text, put_varint};

/// Codes of entries.
const SCOPE: u8 = 254;
const UP: u8 = 255;

/// Code of a module, for a scope.
const MODULE: u8 = 0;

/// Direction of a signal that is not a port.
const IMPLICIT: u8 = 0;

/// Shape of a signal in the file's list of shapes: each value has its own length.
const VARIABLE_LENGTH: u64 = 0xffff_ffff;

/// Content of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Bit,
    /// Number of 64 bits.
    Word,
    Text,
}

impl Shape {
    /// Bits of a value; 0 for a text.
    pub(super) fn bits(self) -> usize {
        match self {
            Self::Bit => 1,
            Self::Word => 64,
            Self::Text => 0,
        }
    }

    /// Type of the variable, for viewers: wire, integer, string.
    fn code(self) -> u8 {
        match self {
            Self::Bit => 16,
            Self::Word => 1,
            Self::Text => 21,
        }
    }
}

/// Number of a signal in its file, from 0 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SignalId(pub(super) usize);

/// Hierarchy under construction.
#[derive(Debug, Default)]
pub(super) struct Hierarchy {
    pub(super) entries: Vec<u8>,
    pub(super) scopes: u64,
    pub(super) shapes: Vec<Shape>,
}

impl Hierarchy {
    /// Begins a scope inside of the current one.
    pub(super) fn begin_scope(&mut self, name: &str) {
        self.entries.extend([SCOPE, MODULE]);
        put_text(&mut self.entries, name);
        // No component name.
        put_text(&mut self.entries, "");
        self.scopes += 1;
    }

    pub(super) fn end_scope(&mut self) {
        self.entries.push(UP);
    }

    /// Adds a signal to the current scope.
    pub(super) fn signal(&mut self, name: &str, shape: Shape) -> SignalId {
        self.entries.extend([shape.code(), IMPLICIT]);
        put_text(&mut self.entries, name);
        put_varint(&mut self.entries, shape.bits() as u64);
        // Not an alias of another signal.
        put_varint(&mut self.entries, 0);
        self.shapes.push(shape);
        SignalId(self.shapes.len() - 1)
    }

    /// Encoded list of the shapes.
    pub(super) fn geometry(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for shape in &self.shapes {
            let length = match shape {
                Shape::Text => VARIABLE_LENGTH,
                other => other.bits() as u64,
            };
            put_varint(&mut bytes, length);
        }
        bytes
    }
}
