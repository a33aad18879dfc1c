//! Configurations that are believed, and every way in which one is refused.
