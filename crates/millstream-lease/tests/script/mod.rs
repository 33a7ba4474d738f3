mod assignment;
mod parse;
mod print;
mod worker;

pub(crate) use assignment::plan;
use worker::Worker;

/// The story of a worker.
pub(crate) fn story() -> impl FnMut(&[&str]) -> Vec<String> {
    let mut worker = None;
    move |block| execute(&mut worker, block)
}

/// Runs the commands of a script and returns it with what they produced below each `----`.
pub(crate) fn run(script: &str, mut execute: impl FnMut(&[&str]) -> Vec<String>) -> String {
    let mut output = String::new();
    let mut lines = script.lines();
    let mut block: Vec<&str> = Vec::new();
    while let Some(line) = lines.next() {
        output.push_str(line);
        output.push('\n');
        if line == "----" {
            for produced in execute(&block) {
                output.push_str(&produced);
                output.push('\n');
            }
            block.clear();
            // What was expected ends at an empty line.
            if lines.by_ref().any(str::is_empty) {
                output.push('\n');
            }
        } else if !line.is_empty() && !line.starts_with('#') {
            block.push(line);
        }
    }
    assert!(block.is_empty(), "a command without `----`: {block:?}");
    output
}

fn execute(worker: &mut Option<Worker>, block: &[&str]) -> Vec<String> {
    let (command, details) = block.split_first().expect("a command above `----`");
    let words: Vec<&str> = command.split_whitespace().collect();
    match words.as_slice() {
        ["worker", name, settings @ ..] => {
            *worker = Some(Worker::new(name, settings));
            Vec::new()
        }
        ["at", time, command @ ..] => {
            let worker = worker.as_mut().expect("a script starts with `worker`");
            worker.command(time.parse().expect("a time"), command, details)
        }
        _ => panic!("what is `{command}`?"),
    }
}

/// The first lines that differ, with what leads to them.
pub(crate) fn difference(expected: &str, produced: &str) -> String {
    let mut both = expected.lines().zip(produced.lines());
    let at = both.position(|(expected, produced)| expected != produced);
    let at = at.unwrap_or(expected.lines().count().min(produced.lines().count()));
    let part = |text: &str| text.lines().skip(at.saturating_sub(8)).take(16).collect::<Vec<_>>().join("\n  ");
    format!("line {}\nexpected:\n  {}\nproduced:\n  {}", at + 1, part(expected), part(produced))
}
