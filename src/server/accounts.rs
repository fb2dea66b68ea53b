//! Users and groups of this system, from `/etc/passwd` and `/etc/group`.
//!
//! Those of a directory service are not looked for: a daemon's user is the system's
//! own, and is there before the network is.

/// A user with what it may do as a member of groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub uid: u32,
    /// Its own group.
    pub gid: u32,
    /// Every group that names it as a member.
    pub groups: Vec<u32>,
}

/// The user of this name or number.
pub fn user(name: &str) -> Option<User> {
    find_user(name, &read("/etc/passwd"), &read("/etc/group"))
}

/// The number of the user of this name; a number is taken as it is.
pub fn user_id(name: &str) -> Option<u32> {
    id(name, &read("/etc/passwd"))
}

/// The number of the group of this name; a number is taken as it is.
pub fn group_id(name: &str) -> Option<u32> {
    id(name, &read("/etc/group"))
}

fn read(file: &str) -> String {
    std::fs::read_to_string(file).unwrap_or_default()
}

fn id(name: &str, table: &str) -> Option<u32> {
    let number = || {
        let [_, _, number, ..] = entry(table, |fields| fields.first() == Some(&name))?[..] else {
            return None;
        };
        number.parse().ok()
    };
    name.parse().ok().or_else(number)
}

fn entry(table: &str, wanted: impl Fn(&[&str]) -> bool) -> Option<Vec<&str>> {
    let mut entries = table
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>());
    entries.find(|fields| wanted(fields))
}

fn find_user(wanted: &str, passwd: &str, group: &str) -> Option<User> {
    let is_it = |fields: &[&str]| fields.first() == Some(&wanted) || fields.get(2) == Some(&wanted);
    let [name, _, uid, gid, ..] = entry(passwd, is_it)?[..] else {
        return None;
    };
    let groups = group.lines().filter_map(|line| {
        let [_, _, number, members] = line.split(':').collect::<Vec<_>>()[..] else {
            return None;
        };
        let member = members.split(',').any(|member| member == name);
        member.then(|| number.parse().ok()).flatten()
    });
    Some(User {
        name: name.to_owned(),
        uid: uid.parse().ok()?,
        gid: gid.parse().ok()?,
        groups: groups.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str =
        "root:x:0:0:root:/root:/bin/sh\nsignet:x:107:115::/var/lib/signet:/usr/sbin/nologin\n";
    const GROUP: &str =
        "root:x:0:\nsignet:x:115:\npostfix:x:120:signet,other\nsignets:x:121:signets\n";

    #[test]
    fn a_user_comes_with_its_groups() {
        let signet = User {
            name: "signet".to_owned(),
            uid: 107,
            gid: 115,
            groups: vec![120],
        };
        assert_eq!(find_user("signet", PASSWD, GROUP), Some(signet.clone()));
        assert_eq!(find_user("107", PASSWD, GROUP), Some(signet));
        assert_eq!(find_user("nobody", PASSWD, GROUP), None);
    }

    #[test]
    fn a_name_or_a_number_is_a_number() {
        assert_eq!(id("postfix", GROUP), Some(120));
        assert_eq!(id("4000", GROUP), Some(4000));
        assert_eq!(id("post", GROUP), None);
    }
}
