use std::collections::BTreeMap;

use millstream_lease::{Lease, StreamIdentifier};

use crate::error::CliError;

/// The names of the streams that leases speak of, by what their keys begin with. `asked`: the name that was given: of the only
/// stream of an application, whose leases do not tell it, or of one of several.
pub(crate) fn stream_names(
    application: &str,
    leases: &[Lease],
    asked: Option<&str>,
) -> Result<BTreeMap<String, String>, CliError> {
    let mut names = BTreeMap::new();
    for lease in leases {
        if lease.stream().is_empty() {
            let name = asked.ok_or_else(|| CliError::NoStreamGiven { application: application.to_owned() })?;
            names.insert(String::new(), name.to_owned());
        } else if let Ok(StreamIdentifier { name, .. }) = lease.stream().parse()
            && asked.is_none_or(|asked| asked == name)
        {
            names.insert(lease.stream().to_owned(), name);
        }
    }
    match asked {
        Some(asked) if names.is_empty() && !leases.is_empty() => {
            Err(CliError::NotReadByApplication { application: application.to_owned(), stream: asked.to_owned() })
        }
        _ => Ok(names),
    }
}
