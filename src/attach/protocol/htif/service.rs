//! Service of a channel's commands, in order.

use super::Htif;
use super::command::{self, Asks, WORD, asks, response, result_place};
use super::service_state::{MAX_WAITING_COMMANDS, Service};
use crate::attach::protocol::rules::{Breach, word};
use crate::mem::Span;
use crate::messages::htif::{Command, CommandServed, SystemCall};

impl Htif {
    /// Checks that the service of a command has ended before the next step.
    pub(super) fn ends(&self, step: &str, breaches: &mut Vec<Breach>) {
        let Service::Command {
            word,
            is_served,
            due,
            ..
        } = &self.service
        else {
            return;
        };
        if !is_served {
            breaches.push(format!(
                "the host {step}, and has not served the command {word:#x} before"
            ));
        } else if let Some(result) = due {
            breaches.push(format!(
                "the host {step}, and has not written the result {result:#x} of the system call at {:#x}",
                word & command::PAYLOAD
            ));
        }
    }

    /// Starts the service of a command.
    pub(super) fn taken(&mut self, word: u64, breaches: &mut Vec<Breach>) {
        let at = self.tohost.address;
        if let Service::Exited = self.service {
            breaches.push(format!(
                "the host takes the command {word:#x} after the exit"
            ));
        }
        if self.owed.len() >= MAX_WAITING_COMMANDS {
            breaches.push(format!(
                "the host takes a command from tohost at {at:#x} while {MAX_WAITING_COMMANDS} responses wait"
            ));
        }
        let mut named = Vec::new();
        match asks(word) {
            Asks::Identify { name } => {
                named.push(name);
                self.owe(response(word, 1));
            }
            Asks::Call { .. } => self.owe(response(word, 1)),
            Asks::Read if self.reads.len() < MAX_WAITING_COMMANDS => self.reads.push_back(word),
            Asks::Read => breaches.push(format!(
                "tohost at {at:#x} has {word:#x}: firmware reads the console while {MAX_WAITING_COMMANDS} reads wait; this one gets no response"
            )),
            Asks::Exit | Asks::Write => {}
            Asks::Nothing { device, number } => breaches.push(format!(
                "tohost at {at:#x} has {word:#x}: firmware asks for command {number} of device {device}, which does not exist"
            )),
        }
        self.calls.clear();
        self.service = Service::Command {
            word,
            // A console read is answered when a character comes.
            is_served: asks(word) == Asks::Read,
            call: None,
            named,
            due: None,
        };
    }

    /// Command in service, with the address of its words.
    pub(super) fn in_service(&self) -> Option<String> {
        let Service::Command { word, call, .. } = &self.service else {
            return None;
        };
        let (command, at) = (Command(*word), word & command::PAYLOAD);
        Some(match (asks(*word), call) {
            (Asks::Call { .. }, Some(call)) => format!("{call}, whose words are at {at:#x}"),
            (Asks::Call { .. }, None) => format!("the words of a system call at {at:#x}"),
            _ => format!("{command} (tohost had {word:#x})"),
        })
    }

    /// Adds a response. The oldest one is dropped if there are too many.
    pub(super) fn owe(&mut self, response: u64) {
        if self.owed.len() >= MAX_WAITING_COMMANDS {
            self.owed.pop_front();
        }
        self.owed.push_back(response);
    }

    /// Records the words of the present system call.
    pub(super) fn calls(&mut self, words: &[u8]) {
        let Service::Command { call, named, .. } = &mut self.service else {
            return;
        };
        if call.is_some() {
            return;
        }
        let mut numbers = [0; 8];
        for (at, value) in numbers.iter_mut().enumerate() {
            *value = word(words, 8 * at, 8).unwrap_or_default();
        }
        let [number, args @ ..] = numbers;
        *call = Some(SystemCall { number, args });
        named.extend(result_place(number, args));
        if number == command::EXIT {
            // An exit has no response.
            self.owed.pop_back();
        }
    }

    /// Checks the event of a served command.
    pub(super) fn served(&mut self, served: &CommandServed, breaches: &mut Vec<Breach>) {
        let done = served.command.0;
        if let (Some(call), Some(result)) = (&served.call, served.result) {
            let words = served.command.payload();
            self.descriptors.served((call, words), result, breaches);
        }
        if asks(done) == Asks::Read {
            return self.read_answered(done, served.result, breaches);
        }
        match &mut self.service {
            Service::Command {
                word,
                is_served: is_served @ false,
                call,
                named,
                due,
            } if *word == done => {
                *is_served = true;
                named.clear();
                let has_exited = served.result.is_none() && is_exit(served);
                match asks(done) {
                    Asks::Call { words } if call.is_some() && !has_exited => {
                        *due = served.result.map(i64::cast_unsigned);
                        named.push(Span {
                            len: WORD,
                            ..words
                        });
                    }
                    _ => {}
                }
                if has_exited {
                    self.service = Service::Exited;
                }
            }
            _ if !self.is_known => {}
            _ => breaches.push(format!(
                "the host has served the command {done:#x}, and has not taken it from tohost at {:#x}",
                self.tohost.address
            )),
        }
    }

    fn read_answered(&mut self, read: u64, result: Option<i64>, breaches: &mut Vec<Breach>) {
        let payload = result.map_or(0, i64::cast_unsigned);
        if !(0x100..0x200).contains(&payload) {
            breaches.push(format!(
                "the host answers a console read by {payload:#x}, which is no character"
            ));
        }
        match self.reads.front() {
            Some(first) if *first == read => {
                self.reads.pop_front();
                self.owe(response(read, payload));
            }
            _ if !self.is_known => {}
            _ => breaches.push(format!(
                "the host answers the console read {read:#x}, which is not the first that waits"
            )),
        }
    }
}

/// True if a command or its system call was the exit.
fn is_exit(served: &CommandServed) -> bool {
    let called = served
        .call
        .as_ref()
        .is_some_and(|call| call.number == command::EXIT);
    called || asks(served.command.0) == Asks::Exit
}
