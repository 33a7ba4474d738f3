//! How far a fleet of Java workers is from the KCL 2 to the KCL 3, and where it may go from there. Pure.
//!
//! The states are those of the row `Migration3.0` (KCL `MigrationState`, `ClientVersion`), the steps those of the KCL's own
//! `KclMigrationTool.py`.

use millstream_lease::migration::ClientVersion::{self, UpgradeFrom2x, V2x, V3x, V3xWithRollback};

/// Where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Forward,
    Back,
}

/// What the state means, for people.
pub(super) fn meaning(state: &str) -> &'static str {
    match ClientVersion::of(state) {
        UpgradeFrom2x => "workers of the KCL 3 work as the KCL 2, until all of them are there; it can go back",
        V3xWithRollback => "the leader assigns leases as in the KCL 3; it can go back",
        V2x => "it went back: workers of the KCL 3 work as the KCL 2; it can go forward again",
        V3x => "done; it can't go back",
        ClientVersion::Unknown if state == "CLIENT_VERSION_INIT" => "the first worker of the KCL 3 is starting",
        ClientVersion::Unknown => "not a state that this release knows",
    }
}

/// The state that comes next on this way; or why there is none.
pub(super) fn next(state: &str, way: Way) -> Result<ClientVersion, &'static str> {
    match (way, ClientVersion::of(state)) {
        (Way::Back, UpgradeFrom2x | V3xWithRollback) => Ok(V2x),
        (Way::Back, V2x) => Err("it went back already: deploy the KCL 2 again if need be"),
        (Way::Back, _) => Err("from there it can't go back"),
        (Way::Forward, V2x) => Ok(UpgradeFrom2x),
        (Way::Forward, V3x) => Err("it is done already"),
        (Way::Forward, _) => Err("it did not go back, and goes forward by itself"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_went_back_goes_forward_and_what_is_done_stays() {
        let table = [
            ("CLIENT_VERSION_INIT", None, None),
            (UpgradeFrom2x.name(), None, Some(V2x.name())),
            (V3xWithRollback.name(), None, Some(V2x.name())),
            (V2x.name(), Some(UpgradeFrom2x.name()), None),
            (V3x.name(), None, None),
            ("SOMETHING", None, None),
        ];
        for (state, forward, back) in table {
            let next = |way| next(state, way).ok().map(ClientVersion::name);
            assert_eq!((next(Way::Forward), next(Way::Back)), (forward, back), "{state}");
        }
    }
}
