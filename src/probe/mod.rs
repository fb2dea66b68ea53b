//! Looks at the machine and at DNS for `setup` and `doctor`: the only place where they
//! run a program, read a file or ask a name server. Changes nothing, judges nothing.

pub mod beside;
pub mod keys;
mod listener;
pub mod log;
pub mod mail;
pub mod postfix;
pub mod record;
pub mod sender;
mod socket;
pub mod system;
pub mod zone;
