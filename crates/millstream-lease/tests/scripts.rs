//! Stories of one worker, and plans, told as scripts in `testdata` (their language: `testdata/README.md`).
//!
//! `UPDATE_SCRIPTS=1 cargo test -p millstream-lease --test scripts` writes what is produced into the scripts:
//! read the difference before you keep it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod script;

use std::fs;
use std::path::Path;

#[test]
fn scripts() {
    check("testdata", 10, |script| script::run(script, script::story()));
}

/// Plans of the leader, and of a fleet of our own.
#[test]
fn assignments() {
    check("testdata/assignment", 1, |script| script::run(script, script::plan));
}

fn check(folder: &str, least: usize, run: impl Fn(&str) -> String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "txt"))
        .collect();
    paths.sort();
    assert!(paths.len() > least, "scripts are missing: {paths:?}");
    for path in paths {
        let expected = fs::read_to_string(&path).unwrap();
        let produced = run(&expected);
        if std::env::var_os("UPDATE_SCRIPTS").is_some() {
            fs::write(&path, produced).unwrap();
        } else if produced != expected {
            let name = path.file_name().unwrap().display();
            panic!("{name} is told differently now:\n{}", script::difference(&expected, &produced));
        }
    }
}
