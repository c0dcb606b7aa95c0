//! Whose process the server is: the caller's own, or, started as root, a user without rights.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;

use anyhow::{Context as _, bail};

/// A user and group of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// The account the server runs as, given the cluster's folder where there is one already.
pub(super) fn for_server(cluster_dir: &Path) -> anyhow::Result<Account> {
    let own = own_account()?;
    let owner = match fs::metadata(cluster_dir) {
        Ok(found) => Some(Account { uid: found.uid(), gid: found.gid() }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read {}", cluster_dir.display()));
        }
    };
    match owner {
        // As root, a cluster goes on as whoever owns it: it may have been made without root.
        Some(owner) if own.uid == 0 && owner.uid != 0 => Ok(owner),
        Some(owner) if own.uid == 0 => {
            bail!("{} belongs to root (user {}), as whom PostgreSQL does not run: give it to another user with chown -R", cluster_dir.display(), owner.uid)
        }
        Some(owner) if owner.uid != own.uid => bail!(
            "{} belongs to user {} but this is user {}: start as that user or as root, or choose another data folder",
            cluster_dir.display(),
            owner.uid,
            own.uid
        ),
        None if own.uid == 0 => unprivileged(&fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?),
        _ => Ok(own),
    }
}

/// Whether running as `account` means giving up rights.
pub(super) fn must_switch_to(account: Account) -> anyhow::Result<bool> {
    Ok(own_account()?.uid != account.uid)
}

/// Gives a file or folder to `account`, which only root can and need do.
pub(super) fn give(path: &Path, account: Account) -> anyhow::Result<()> {
    if must_switch_to(account)? {
        chown(path, Some(account.uid), Some(account.gid)).with_context(|| format!("cannot give {} to user {}", path.display(), account.uid))?;
    }
    Ok(())
}

fn own_account() -> anyhow::Result<Account> {
    let own = fs::metadata("/proc/self").context("cannot read /proc/self: is /proc mounted?")?;
    Ok(Account { uid: own.uid(), gid: own.gid() })
}

/// `postgres`, which Debian's package makes, else `nobody`.
fn unprivileged(passwd: &str) -> anyhow::Result<Account> {
    ["postgres", "nobody"]
        .into_iter()
        .find_map(|name| find(passwd, name))
        .context("this is root, as whom PostgreSQL does not run, and there is no user postgres or nobody to run it as")
}

fn find(passwd: &str, name: &str) -> Option<Account> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok().filter(|uid| *uid != 0)?;
        Some(Account { uid, gid: fields.next()?.parse().ok()? })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_comes_before_nobody_and_root_never() {
        let nobody = "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65533:nobody:/:/usr/sbin/nologin\n";
        assert_eq!(unprivileged(nobody).unwrap(), Account { uid: 65534, gid: 65533 });
        let both = format!("{nobody}postgres:x:101:104:PostgreSQL,,,:/var/lib/postgresql:/bin/bash\n");
        assert_eq!(unprivileged(&both).unwrap(), Account { uid: 101, gid: 104 });
        let message = unprivileged("postgres:x:0:0::/:/bin/sh\n").unwrap_err().to_string();
        assert!(message.contains("no user postgres or nobody"), "{message}");
    }
}
