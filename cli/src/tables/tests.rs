//! Tables of golden recordings.
