//! Schema of the tables: columns with types, units and meanings. `docs/farm.md` has the same texts.

use std::fmt::Write as _;

/// Version of the schema. Columns may be added within a version; a new version changes the meaning
/// of a column, or removes one.
///
/// - 1: the first.
/// - 2: segments; build ids; requests without a response, whose `answered` is null.
pub(super) const VERSION: u32 = 2;

/// Type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    /// Text in UTF-8.
    Text,
    /// Signed number of 64 bits: counts, ticks, positions. Larger values become the maximum.
    Number,
    /// Word of firmware: unsigned, 64 bits.
    Word,
    /// Words of firmware.
    Words,
    /// Signed number of 32 bits.
    Small,
    Flag,
    /// Milliseconds since 1970, UTC.
    Time,
}

impl Type {
    /// Name in the documentation.
    #[cfg(test)]
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "int64",
            Self::Word => "uint64",
            Self::Words => "list of uint64",
            Self::Small => "int32",
            Self::Flag => "boolean",
            Self::Time => "timestamp",
        }
    }
}

/// Column of a table.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) of: Type,
    pub(super) is_optional: bool,
    /// True if the values increase from row to row, mostly by little.
    pub(super) is_rising: bool,
    /// Meaning and unit.
    pub(super) meaning: &'static str,
}

/// Table of all runs.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) fields: &'static [Field],
}

/// Defines a table: `name: type [optional] [rising], meaning;`.
macro_rules! table {
    ($table:ident = $name:literal { $($field:ident: $of:ident $($mark:ident)*, $meaning:literal;)+ }) => {
        pub(super) const $table: Table = Table {
            name: $name,
            fields: &[$(Field {
                name: stringify!($field),
                of: Type::$of,
                is_optional: is("optional", &[$(stringify!($mark)),*]),
                is_rising: is("rising", &[$(stringify!($mark)),*]),
                meaning: $meaning,
            }),+],
        };
    };
}

/// True if `mark` is one of `marks`.
const fn is(mark: &str, marks: &[&str]) -> bool {
    match marks {
        [first, rest @ ..] => are_equal(first.as_bytes(), mark.as_bytes()) || is(mark, rest),
        [] => false,
    }
}

/// True if two texts are equal.
const fn are_equal(one: &[u8], other: &[u8]) -> bool {
    match (one, other) {
        ([first, one @ ..], [second, other @ ..]) => *first == *second && are_equal(one, other),
        ([], []) => true,
        _ => false,
    }
}

table! { RUNS = "runs" {
    run_id: Text, "name of the run, unique in the tables";
    schema: Small, "version of the schema";
    file: Text, "path of the recording when it was exported";
    seed: Text optional, "seed of the run";
    revision: Text optional, "revision of the sources";
    host: Text optional, "name of the machine";
    command: Text optional, "command that repeats the run";
    replay: Text optional, "command that replays the recording, with its whole path; null if that is impossible";
    library: Text, "version of the library that recorded";
    whole: Flag, "true if the recording begins with the run";
    payloads: Text, "treatment of payloads: keep, hash or drop";
    images: Text optional, "paths of the images, one a line";
    build_ids: Text optional, "build ids of the images as hex digits, one a line, empty for an image without one; null if none has one, or the recording has no identity";
    loaded_crc32: Number optional, "CRC-32 of the writes that loaded images and hex files";
    verdict: Text, "passed, failed or unfinished, as in `vhost report`";
    reason: Text optional, "first reason of the verdict";
    signature: Text optional, "common text of failures of one cause: numbers but exit codes are replaced by #; null if passed";
    first_error_tick: Number optional, "tick of the first error";
    first_error_id: Text optional, "channel or source of the first error";
    first_error: Text optional, "text of the first error";
    exit_code: Number optional, "first exit code that is not 0; 0 if all channels have exited with 0; else null";
    exits: Text, "JSON object: exit code of each channel, null without an exit";
    end: Text, "end of the recording: whole, open (without the system's end), cut or damaged";
    problem: Text optional, "error at which a damaged recording ends";
    ticks: Number, "last tick";
    tick_ps: Number optional, "period of a tick in picoseconds, where the configuration has one";
    started: Time optional, "start of the recording";
    wall_ms: Number optional, "wall time in milliseconds, from the start to the last change of the recording's file";
    entries: Number, "messages and replies of the recording";
    segments: Number, "parts of the run between returns to checkpoints; 1 for a run that never goes back";
    requests: Number, "answered requests";
    unanswered: Number, "requests without an answer";
    failed_requests: Number, "requests that were answered by an error";
    infos: Number, "reports of severity info";
    warnings: Number, "reports of severity warning";
    errors: Number, "reports of severity error";
    fatals: Number, "reports of severity fatal";
    trace_bytes: Number, "size of the recording in bytes";
    undecoded: Number, "messages and replies that can't be decoded: their requests, reports and lines have no rows";
}}

table! { REQUESTS = "requests" {
    run_id: Text, "name of the run";
    number: Number rising, "position among the run's requests, from 0, in the order of the answers; one without an answer is where it was given up";
    segment: Number, "part of the run between returns to checkpoints, from 1";
    channel: Text, "name of the channel";
    channel_number: Number rising, "position among the channel's requests, from 0";
    kind: Text, "kind of the request, such as PRINT, CALL or write";
    method: Text optional, "name of the called method";
    path: Text optional, "path of the file, as firmware gives it";
    args: Words, "arguments of the request, as words";
    slot: Small optional, "slot of the request's queue; null for a protocol without queues";
    taken: Number rising, "tick in which the host took the request; without an answer: in which it saw it";
    answered: Number optional rising, "tick in which it was answered; null for a request without an answer, which a restore has dropped or which is open at the end";
    result: Word optional, "value of the response; null for one without a value, and for a request that failed or has no answer";
    errno: Small optional, "error number of a failed request; else null";
    error: Text optional, "name of the error, such as ENOENT";
    bytes: Number, "bytes printed, moved, read or written";
}}

table! { MESSAGES = "messages" {
    run_id: Text, "name of the run";
    frame: Number rising, "number of the frame in the recording";
    sequence: Number rising, "number of the message; a reply has its message's";
    root: Number rising, "number of the original message: another one if this one was forwarded";
    segment: Number, "part of the run between returns to checkpoints, from 1";
    tick: Number rising, "time in ticks";
    event: Text, "message, reply or dropped";
    sender: Text, "sender of the message, for its reply too";
    receiver: Text, "receiver of the message, for its reply too; nobody for events";
    message: Text, "name of the message";
    awaited: Flag optional, "true if the sender waits for the reply; messages only";
    channel: Text optional, "name of the channel, if there is one";
    bytes: Number, "recorded bytes of the message or reply";
    text: Text, "message or reply as `vhost trace show` prints it, at most 4,000 characters";
}}

table! { REPORTS = "reports" {
    run_id: Text, "name of the run";
    number: Number rising, "position among the run's reports, from 0";
    segment: Number, "part of the run between returns to checkpoints, from 1";
    tick: Number rising, "tick of the report";
    severity: Text, "info, warning, error or fatal";
    id: Text, "channel or source";
    text: Text, "text, at most 4,000 characters";
}}

table! { CONSOLE = "console" {
    run_id: Text, "name of the run";
    number: Number rising, "position among the run's lines, from 0, in the order of their ends";
    segment: Number, "part of the run between returns to checkpoints, from 1";
    tick: Number rising, "tick of the line's first byte";
    channel: Text, "name of the channel";
    source: Text, "stdout, stderr, or the name of an up channel of RTT";
    text: Text, "line without its end; one of more than 2,000 bytes continues in the next row";
}}

impl Table {
    /// Schema in Parquet's notation.
    pub(super) fn message_type(&self) -> String {
        let mut text = format!("message {} {{\n", self.name);
        for Field {
            name,
            of,
            is_optional,
            ..
        } in self.fields
        {
            let repetition = if *is_optional { "optional" } else { "required" };
            let line = match of {
                Type::Text => format!("{repetition} binary {name} (STRING);"),
                Type::Number => format!("{repetition} int64 {name};"),
                Type::Word => format!("{repetition} int64 {name} (INTEGER(64,false));"),
                Type::Small => format!("{repetition} int32 {name};"),
                Type::Flag => format!("{repetition} boolean {name};"),
                Type::Time => format!("{repetition} int64 {name} (TIMESTAMP(MILLIS,true));"),
                Type::Words => format!(
                    "{repetition} group {name} (LIST) {{ repeated group list {{ required int64 element (INTEGER(64,false)); }} }}"
                ),
            };
            // Writing to a `String` can't fail.
            let _ = writeln!(text, "  {line}");
        }
        text + "}\n"
    }
}
