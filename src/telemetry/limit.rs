//! The limits that a peer can reach, by the keys of `[limits]`, and how often that was.

use super::Counter;

macro_rules! limits {
    ($($name:ident => $key:literal,)+) => {
        /// A limit of the config's, but `limits.grace`: once that is reached nobody can
        /// ask any more.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Limit {
            $($name,)+
        }

        impl Limit {
            pub const ALL: &'static [Limit] = &[$(Limit::$name,)+];

            /// The key in `[limits]`, and the label of the metric.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Limit::$name => $key,)+
                }
            }
        }
    };
}

limits! {
    PacketBytes => "packet_bytes",
    HeaderBytes => "header_bytes",
    HeaderFields => "header_fields",
    Recipients => "recipients",
    Connections => "connections",
    ConnectionsPerPeer => "connections_per_peer",
    SigningQueue => "signing_queue",
    Idle => "idle",
    Message => "message",
    Write => "write",
}

/// How often each limit was reached.
#[derive(Debug, Default)]
pub struct LimitCounts([Counter; Limit::ALL.len()]);

impl LimitCounts {
    pub fn count(&self, limit: Limit) {
        if let Some(counter) = self.0.get(limit as usize) {
            counter.add_one();
        }
    }

    pub fn reached(&self, limit: Limit) -> u64 {
        self.0.get(limit as usize).map_or(0, Counter::get)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_its_own_counter() {
        let counts = LimitCounts::default();
        for limit in Limit::ALL {
            counts.count(*limit);
        }
        assert!(Limit::ALL.iter().all(|limit| counts.reached(*limit) == 1));
    }
}
