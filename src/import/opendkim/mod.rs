//! OpenDKIM: `opendkim.conf` and the data sets that it names.

pub mod conf;
pub mod dataset;
pub mod keytable;
mod options;
