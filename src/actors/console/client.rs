//! Client of the console: sends messages, or calls the console's code in their place.

use std::rc::Rc;

use super::Lines;
use super::text::Source;
use crate::bus::{ElidedForm, Elision, Endpoint, Port};
use crate::messages::console::{Inbox, Print};

/// Client of the console, for one sender.
#[derive(Clone)]
pub(crate) struct ConsoleClient {
    endpoint: Endpoint,
    port: Port<Inbox>,
    elided: Option<Rc<ElidedPrints>>,
}

/// Console's lines, for prints by call.
pub(crate) struct ElidedPrints {
    pub(crate) elision: Elision,
    pub(crate) lines: Rc<Lines>,
}

impl ConsoleClient {
    /// Creates a client of the console at `port`. Without `elided`, as in a replay of one actor, it
    /// always sends messages.
    pub(crate) fn new(port: &Port<Inbox>, elided: Option<Rc<ElidedPrints>>) -> Self {
        Self {
            endpoint: Endpoint::EXTERNAL,
            port: port.clone(),
            elided,
        }
    }

    /// Client for another sender.
    pub(crate) fn with_sender(&self, endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            port: self.port.with_sender(endpoint),
            ..self.clone()
        }
    }

    /// Port of the console.
    pub(crate) fn port(&self) -> &Port<Inbox> {
        &self.port
    }

    /// Prints text, from an actor's task.
    pub(crate) fn print(&self, print: Print) {
        let elided = self.elided.as_deref();
        let Some((ElidedPrints { elision, lines }, form)) =
            elided.and_then(|elided| Some((elided, elided.elision.form()?)))
        else {
            return self.port.post(print);
        };
        match form {
            ElidedForm::Silent => {
                let of = elision.ticket::<Inbox, Print>(self.endpoint);
                elision.handle_post(of, || {
                    lines.print(print.channel, Source::Output, &print.text)
                });
            }
            ElidedForm::Shown => {
                let request = elision.show_post::<Inbox, _>(self.endpoint, &print);
                if !request.is_undisturbed() {
                    return request.deliver_post(&self.port, print);
                }
                request.handle_post(|| lines.print(print.channel, Source::Output, &print.text));
            }
        }
    }
}
