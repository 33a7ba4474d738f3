//! The keys that are known: those of a credentials file, and temporary ones.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::LocalError;

/// Keys by their id.
#[derive(Default)]
pub(super) struct Keys {
    known: HashMap<String, Known>,
}

/// A key. It has no `Debug`: secrets belong in no log.
#[derive(Clone)]
pub(super) struct Known {
    secret: String,
    token: Option<String>,
    expires_ms: Option<u64>,
    pub(super) role: Option<String>,
}

/// A temporary key, as it is given out.
pub(crate) struct Issued {
    pub(crate) key_id: String,
    pub(crate) secret: String,
    pub(crate) token: String,
    pub(crate) expires_ms: u64,
}

impl Keys {
    /// Reads a file of the form of AWS's shared credentials: profiles with `aws_access_key_id`, `aws_secret_access_key`
    /// and, at choice, `aws_session_token`. Every profile is one key.
    pub(super) fn read(path: &Path) -> Result<Self, LocalError> {
        let text = fs::read_to_string(path)
            .map_err(|source| LocalError::Credentials { path: path.to_owned(), reason: source.to_string() })?;
        Self::parse(&text).map_err(|reason| LocalError::Credentials { path: path.to_owned(), reason })
    }

    /// The reasons name lines and profiles, and never what is in them.
    fn parse(text: &str) -> Result<Self, String> {
        let mut profiles: Vec<(&str, HashMap<&str, &str>)> = Vec::new();
        for (line, number) in text.lines().zip(1..) {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = line.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
                profiles.push((name.trim(), HashMap::new()));
                continue;
            }
            let (name, value) = line.split_once('=').ok_or_else(|| {
                format!("line {number} is neither a [profile] nor a setting of the form name = value")
            })?;
            let (_, settings) = profiles.last_mut().ok_or_else(|| format!("line {number} is before any [profile]"))?;
            settings.insert(name.trim(), value.trim());
        }
        let mut keys = Self::default();
        for (profile, settings) in profiles {
            let needed = |name: &str| {
                let value = settings.get(name).copied().filter(|value| !value.is_empty());
                value.ok_or_else(|| format!("the profile [{profile}] has no {name}"))
            };
            let token = settings.get("aws_session_token").copied().map(str::to_owned);
            let secret = needed("aws_secret_access_key")?.to_owned();
            let known = Known { secret, token, expires_ms: None, role: None };
            keys.known.insert(needed("aws_access_key_id")?.to_owned(), known);
        }
        if keys.known.is_empty() { Err("there is no [profile] in it".to_owned()) } else { Ok(keys) }
    }

    pub(super) fn find(&self, key_id: &str) -> Option<&Known> {
        self.known.get(key_id)
    }

    /// Makes a temporary key, in AWS's form; those that expired a day ago are forgotten.
    pub(super) fn issue(&mut self, role: String, seconds: u64, now_ms: u64) -> Issued {
        self.known.retain(|_, known| known.expires_ms.is_none_or(|expires_ms| expires_ms + 86_400_000 > now_ms));
        let random = || Uuid::new_v4().simple().to_string();
        let issued = Issued {
            key_id: format!("ASIA{}", &random().to_ascii_uppercase()[..16]),
            secret: format!("{}{}", random(), &random()[..8]),
            token: format!("{}{}{}", random(), random(), random()),
            expires_ms: now_ms + seconds * 1000,
        };
        let known = Known {
            secret: issued.secret.clone(),
            token: Some(issued.token.clone()),
            expires_ms: Some(issued.expires_ms),
            role: Some(role),
        };
        self.known.insert(issued.key_id.clone(), known);
        issued
    }
}

impl Known {
    pub(super) fn secret(&self) -> &str {
        &self.secret
    }

    pub(super) fn is_expired(&self, now_ms: u64) -> bool {
        self.expires_ms.is_some_and(|expires_ms| expires_ms <= now_ms)
    }

    /// Whether a request's token is this key's, or neither has one. What is compared are digests: how much of a wrong
    /// token is right does not show in the time it takes.
    pub(super) fn has_token(&self, token: Option<&str>) -> bool {
        match (&self.token, token) {
            (None, None) => true,
            (Some(own), Some(given)) => Sha256::digest(own) == Sha256::digest(given),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_of_a_credentials_file_is_a_key() {
        let text = "# mine\n[default]\naws_access_key_id = AKIA1\naws_secret_access_key=s=1\n\n; and\n[profile two]\n\
                    aws_access_key_id=ASIA2\naws_secret_access_key = s2\naws_session_token = t2\nregion = us-east-1\n";
        let keys = Keys::parse(text).unwrap_or_default();
        let first = keys.find("AKIA1").map(|known| (known.secret(), known.has_token(None), known.has_token(Some("t"))));
        assert_eq!(first, Some(("s=1", true, false)));
        let second =
            keys.find("ASIA2").map(|known| (known.secret(), known.has_token(Some("t2")), known.has_token(None)));
        assert_eq!(second, Some(("s2", true, false)));
        assert!(keys.find("AKIA3").is_none());
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_without_its_secrets() {
        for (text, reason) in [
            ("", "no [profile]"),
            ("aws_access_key_id = hidden", "line 1 is before any [profile]"),
            ("[a]\nhidden", "line 2 is neither"),
            ("[a]\naws_access_key_id = hidden", "the profile [a] has no aws_secret_access_key"),
            ("[a]\naws_secret_access_key = hidden", "the profile [a] has no aws_access_key_id"),
        ] {
            let error = Keys::parse(text).err().unwrap_or_default();
            assert!(error.contains(reason) && !error.contains("hidden"), "{text}: {error}");
        }
    }

    #[test]
    fn a_temporary_key_ends() {
        let mut keys = Keys::default();
        let issued = keys.issue("role".to_owned(), 900, 1000);
        assert_eq!((issued.key_id.len(), issued.secret.len(), issued.expires_ms), (20, 40, 901_000));
        let expired = |now_ms| keys.find(&issued.key_id).map(|known| known.is_expired(now_ms));
        assert_eq!([expired(900_999), expired(901_000)], [Some(false), Some(true)]);
    }
}
