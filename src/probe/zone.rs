//! Finds the zone that a domain lies in, and who serves it.

use crate::dns::lookup::{Answer, Lookup};
use crate::names::DomainName;
use crate::setup::Zone;

use super::system;

/// The first name with name servers, from the domain upwards.
pub async fn find(lookup: &Lookup, domain: &DomainName) -> Zone {
    let mut name = domain.as_str();
    loop {
        match lookup.name_servers(name).await {
            Answer::Found(mut servers) => {
                servers.sort();
                let own = system::host_name();
                let here = servers.iter().any(|server| {
                    own.as_deref().is_some_and(|own| {
                        own == server
                            || server
                                .strip_prefix(own)
                                .is_some_and(|rest| rest.starts_with('.'))
                    })
                });
                return Zone {
                    apex: Some(name.to_owned()),
                    name_servers: servers,
                    here,
                    trouble: None,
                };
            }
            Answer::Missing => {}
            Answer::Trouble(why) => {
                return Zone {
                    trouble: Some(why),
                    ..Zone::default()
                };
            }
        }
        match name.split_once('.') {
            Some((_, parent)) if parent.contains('.') => name = parent,
            _ => {
                return Zone {
                    trouble: Some(format!("no zone of {domain} has name servers")),
                    ..Zone::default()
                };
            }
        }
    }
}
