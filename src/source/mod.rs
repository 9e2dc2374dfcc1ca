//! The SQLite file, opened without ever changing it, and held still while it is read.
