//! Macro that defines an endpoint's inbox by the list of its messages.

/// Defines the `Inbox` of one endpoint. Each message is listed with its reply type, the field that
/// contains its channel, and the field that contains its payload; `none` for neither, `payload:
/// self` for a message that implements [`Payload`](crate::bus::Payload).
macro_rules! inbox {
    (@topic $message:ident, none) => {
        None
    };
    (@topic $message:ident, $field:ident) => {
        $crate::bus::TopicField::topic(&$message.$field)
    };
    (@redact $message:ident, $with:ident, none) => {{
        let _ = $with;
        false
    }};
    (@redact $message:ident, $with:ident, self) => {{
        $crate::bus::Payload::redact($message, $with);
        true
    }};
    (@redact $message:ident, $with:ident, $field:ident) => {{
        $crate::bus::Payload::redact(&mut $message.$field, $with);
        true
    }};
    ($(#[$doc:meta])* $endpoint:literal {
        $($message:ident -> $reply:ty { channel: $channel:ident, payload: $payload:ident },)+
    }) => {
        $(
            impl $crate::bus::Attributes for $message {
                fn topic(&self) -> Option<$crate::bus::Topic<'_>> {
                    $crate::bus::inbox!(@topic self, $channel)
                }

                fn redact(&mut self, with: $crate::bus::Redaction<'_>) -> bool {
                    $crate::bus::inbox!(@redact self, with, $payload)
                }
            }

            impl $crate::bus::Message for $message {
                type Reply = $reply;
                const NAME: &'static str = stringify!($message);
            }

            impl From<$crate::bus::Envelope<$message>> for Inbox {
                fn from(envelope: $crate::bus::Envelope<$message>) -> Self {
                    Self::$message(envelope)
                }
            }
        )+

        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) enum Inbox {
            $($message($crate::bus::Envelope<$message>),)+
        }

        /// Name of this endpoint.
        pub const ENDPOINT: $crate::bus::Endpoint = $crate::bus::Endpoint::new(&$crate::bus::EndpointName::new($endpoint));

        impl actix::Message for Inbox {
            type Result = ();
        }

        impl $crate::bus::Inbox for Inbox {
            const ENDPOINT: $crate::bus::Endpoint = ENDPOINT;

            fn ticket(&self) -> $crate::bus::Ticket {
                match self {
                    $(Self::$message(envelope) => envelope.reply.ticket(),)+
                }
            }

            fn send_recorded_reply<'de, D: serde::Deserializer<'de>>(self, reply: D) -> Result<(), D::Error> {
                match self {
                    $(Self::$message(envelope) => {
                        let reply = serde::Deserialize::deserialize(reply)?;
                        envelope.reply.send(reply);
                    })+
                }
                Ok(())
            }

            fn by_name<V: $crate::bus::MessageVisitor<Self>>(
                name: &str,
                visitor: V,
            ) -> Option<V::Output> {
                match name {
                    $(stringify!($message) => Some(visitor.visit::<$message>()),)+
                    _ => None,
                }
            }
        }
    };
}

pub(crate) use inbox;
