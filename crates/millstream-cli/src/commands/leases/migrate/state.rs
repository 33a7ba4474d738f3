//! How far a fleet of Java workers is from the KCL 2 to the KCL 3, and where it may go from there. Pure.
//!
//! The states are those of the row `Migration3.0` (KCL `MigrationState`, `ClientVersion`), the steps those of the KCL's own
//! `KclMigrationTool.py`.

/// Where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Forward,
    Back,
}

const UPGRADE: &str = "CLIENT_VERSION_UPGRADE_FROM_2X";
const WITH_ROLLBACK: &str = "CLIENT_VERSION_3X_WITH_ROLLBACK";
const ROLLED_BACK: &str = "CLIENT_VERSION_2X";
const DONE: &str = "CLIENT_VERSION_3X";

/// What the state means, for people.
pub(super) fn meaning(state: &str) -> &'static str {
    match state {
        "CLIENT_VERSION_INIT" => "the first worker of the KCL 3 is starting",
        UPGRADE => "workers of the KCL 3 work as the KCL 2, until all of them are there; it can go back",
        WITH_ROLLBACK => "the leader assigns leases as in the KCL 3; it can go back",
        ROLLED_BACK => "it went back: workers of the KCL 3 work as the KCL 2; it can go forward again",
        DONE => "done; it can't go back",
        _ => "not a state that this release knows",
    }
}

/// The state that comes next on this way; or why there is none.
pub(super) fn next(state: &str, way: Way) -> Result<&'static str, &'static str> {
    match (way, state) {
        (Way::Back, UPGRADE | WITH_ROLLBACK) => Ok(ROLLED_BACK),
        (Way::Back, ROLLED_BACK) => Err("it went back already: deploy the KCL 2 again if need be"),
        (Way::Back, _) => Err("from there it can't go back"),
        (Way::Forward, ROLLED_BACK) => Ok(UPGRADE),
        (Way::Forward, DONE) => Err("it is done already"),
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
            (UPGRADE, None, Some(ROLLED_BACK)),
            (WITH_ROLLBACK, None, Some(ROLLED_BACK)),
            (ROLLED_BACK, Some(UPGRADE), None),
            (DONE, None, None),
            ("SOMETHING", None, None),
        ];
        for (state, forward, back) in table {
            assert_eq!((next(state, Way::Forward).ok(), next(state, Way::Back).ok()), (forward, back), "{state}");
        }
    }
}
