//! Tests that look at more than one file of this module.

mod agreement;
