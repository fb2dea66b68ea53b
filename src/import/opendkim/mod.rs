//! OpenDKIM: `opendkim.conf` and the data sets that it names.

pub mod conf;
pub mod dataset;
pub mod headers;
pub mod hosts;
pub mod keytable;
mod options;
mod order;
pub mod signingtable;
