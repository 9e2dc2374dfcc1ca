//! The site, served by the program itself from a database that `mtm apply` made, and asked as a browser asks it.

mod figures;
mod load;
mod operation;
mod pages;
mod pooler;
mod questions;
mod security;
mod site;
mod writes;
