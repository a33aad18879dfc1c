//! Comparison of `sv/mailbox_sv` with `include/vhost.h`: imports in `core/mb_dpi.svh` and
//! `socket/mb_socket_dpi.svh`, exports in `core/mb_exports.svh`.

use std::collections::BTreeMap;

use crate::sim::prototype::header;

const IMPORTS: &str = concat!(
    include_str!("../../sv/mailbox_sv/core/mb_dpi.svh"),
    include_str!("../../sv/mailbox_sv/socket/mb_socket_dpi.svh")
);
/// Names re-exported by a package that includes `mailbox.sv`.
const REEXPORTS: &str = concat!(
    include_str!("../../sv/mailbox_sv/uvm/mb_reexports.svh"),
    include_str!("../../sv/mailbox_sv/mb_socket.sv")
);
const EXPORTS: &str = include_str!("../../sv/mailbox_sv/core/mb_exports.svh");

/// C type of an open array; its direction follows from the function's name.
const OPEN_ARRAY: &str = "const svOpenArrayHandle";

/// Functions with plain C pointers, which SystemVerilog can't import, and functions for VPI.
const FOR_C: [&str; 4] = [
    "vhost_register_system_tasks",
    "mb_backdoor_write_mem",
    "mb_backdoor_read_mem",
    "mb_stdin_write",
];

/// Functions that this testbench does not export: it has `mb_exited` and a native task, but no C
/// model.
const NOT_EXPORTED: [&str; 4] = [
    "mb_step",
    "mb_exit",
    "__vhost_bb_mem_read",
    "__vhost_bb_mem_write",
];

/// Fixed array lengths of arguments that are plain pointers in C.
const ARRAYS: [(&str, &str); 6] = [
    ("__mb_call", "args[16]"),
    ("mb_sv_call", "args[16]"),
    ("mb_served", "args[20]"),
    ("mb_written", "data[64]"),
    ("mb_bb_mem_read_block", "data[64]"),
    ("mb_bb_mem_write_block", "data[64]"),
];

/// Signature in SystemVerilog: type of the result, then direction, type, name and dimensions of
/// each argument.
type Signature = Vec<String>;

/// SystemVerilog direction and type of a C type. Dimensions mark an array.
fn type_of(c: &str) -> (&'static str, &'static str) {
    match c {
        "void" => ("", "void"),
        "int" => ("input", "int"),
        "uint8_t" => ("input", "byte unsigned"),
        "uint16_t" => ("input", "shortint unsigned"),
        "uint32_t" => ("input", "int unsigned"),
        "uint64_t" => ("input", "longint unsigned"),
        "const char *" => ("input", "string"),
        "void *" => ("input", "chandle"),
        "const char **" => ("output", "string"),
        "uint8_t *" => ("output", "byte unsigned"),
        "uint16_t *" => ("output", "shortint unsigned"),
        "uint32_t *" => ("output", "int unsigned"),
        "uint64_t *" => ("output", "longint unsigned"),
        "const uint8_t *" => ("input", "byte unsigned"),
        "const uint64_t *" => ("input", "longint unsigned"),
        OPEN_ARRAY => ("input", "byte unsigned"),
        other => panic!("no type of SystemVerilog for `{other}`"),
    }
}

/// Functions that a C text declares.
fn declared(c: &str) -> BTreeMap<String, Signature> {
    let lines = c
        .lines()
        .filter(|line| line.ends_with(");") && !line.starts_with([' ', '#']));
    lines
        .filter_map(|line| {
            let (head, args) = line.trim_end_matches(");").split_once('(')?;
            let (result, name) = split_name(head);
            if FOR_C.contains(&name) || NOT_EXPORTED.contains(&name) {
                return None;
            }
            let result = match result {
                "const char *" => "string",
                other => type_of(other).1,
            };
            let mut signature = vec![result.to_owned()];
            for arg in args.split(", ").filter(|arg| *arg != "void") {
                let (c_type, arg) = split_name(arg);
                let (mut direction, sv_type) = type_of(c_type);
                let mut arg = arg.to_owned();
                if c_type == OPEN_ARRAY {
                    direction = if name.contains("_read_") {
                        "output"
                    } else {
                        "input"
                    };
                    arg += "[]";
                }
                let is_it =
                    |of: &&(&str, &str)| of.0 == name && of.1.starts_with(&format!("{arg}["));
                if let Some((_, array)) = ARRAYS.iter().find(is_it) {
                    arg = (*array).to_owned();
                }
                signature.push(format!("{direction} {sv_type} {arg}"));
            }
            Some((name.to_owned(), signature))
        })
        .collect()
}

/// Splits `const char *ch` into type and name.
fn split_name(declaration: &str) -> (&str, &str) {
    let at = declaration.rfind([' ', '*']).unwrap() + 1;
    (declaration[..at].trim_end(), &declaration[at..])
}

/// Functions that a SystemVerilog text declares after `keyword`.
fn in_system_verilog(text: &str, keyword: &str) -> BTreeMap<String, Signature> {
    let code: Vec<&str> = text
        .lines()
        .map(|line| line.split("//").next().unwrap())
        .collect();
    let code = code.join(" ");
    let declarations = code.split(';').filter_map(|part| {
        let part = part.trim();
        let at = part.find(keyword)?;
        let declaration = &part[at + keyword.len()..];
        let (head, args) = declaration.trim().trim_end_matches(')').split_once('(')?;
        let head = head.trim();
        // Different name in SystemVerilog: `c_name = function type name`.
        let (result, name) = match head.split_once(" = ") {
            Some((name, own)) => match own.strip_prefix("function ") {
                Some(own) => (own.rsplit_once(' ')?.0, name),
                None => ("int", name),
            },
            None => head.trim_start_matches("function ").rsplit_once(' ')?,
        };
        let mut signature = vec![result.to_owned()];
        for arg in args.split(',').map(str::trim).filter(|arg| !arg.is_empty()) {
            let words: Vec<&str> = arg.split_whitespace().collect();
            signature.push(words.join(" "));
        }
        Some((name.to_owned(), signature))
    });
    declarations.collect()
}

#[test]
fn every_function_of_the_header_is_imported_as_it_is() {
    let (exported, _) = header();
    let imported = in_system_verilog(IMPORTS, "import \"DPI-C\" context ");
    assert_eq!(imported, declared(exported));
}

#[test]
fn functions_looked_up_by_the_header_are_exported_with_their_types() {
    let (_, wanted) = header();
    let defined = in_system_verilog(EXPORTS, "function automatic ");
    assert_eq!(defined, declared(wanted));
    for name in defined.keys() {
        let export = format!("export \"DPI-C\" function {name};");
        assert!(EXPORTS.contains(&export), "{name} is not exported");
    }
}

#[test]
fn every_function_is_reexported_by_a_package_of_the_users() {
    for name in in_system_verilog(IMPORTS, "import \"DPI-C\" context ").keys() {
        let exported = ["core", "socket"]
            .iter()
            .any(|package| REEXPORTS.contains(&format!("export mailbox_{package}_pkg::{name};")));
        assert!(exported, "{name} is not re-exported");
    }
}
