//! Data of a message or reply of any type.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use serde::Serialize;

use super::{Attributes, Redaction};

/// Message or reply of any type, as taps observe it.
pub trait Body: Any + Debug + Send + Sync + erased_serde::Serialize + Attributes {
    /// Returns a copy that outlives the observation.
    fn to_arc(&self) -> Arc<dyn Body>;
    /// Returns a copy with another payload; `None` if there is no payload.
    #[doc(hidden)]
    fn redacted(&self, with: Redaction<'_>) -> Option<Arc<dyn Body>>;
}

impl dyn Body {
    /// True for a message or reply of the type `T`.
    pub fn is<T: 'static>(&self) -> bool {
        self.downcast_ref::<T>().is_some()
    }

    /// The message or reply, if it is a `T`.
    #[inline]
    pub fn downcast_ref<T: 'static>(&self) -> Option<&T> {
        (self as &dyn Any).downcast_ref()
    }
}

impl<T: Any + Debug + Send + Sync + Clone + Serialize + Attributes> Body for T {
    fn to_arc(&self) -> Arc<dyn Body> {
        Arc::new(self.clone())
    }

    fn redacted(&self, with: Redaction<'_>) -> Option<Arc<dyn Body>> {
        let mut copy = self.clone();
        copy.redact(with).then(|| Arc::new(copy) as _)
    }
}
