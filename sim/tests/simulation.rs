//! The smoke of the simulation. `make sim` tells more stories, and any one of them again.

use std::process::Command;

use millstream_sim::growth;
use millstream_sim::mutant::Mutant;
use millstream_sim::settings::Settings;
use millstream_sim::story::tell;

fn violation(seed: u64, mutant: Option<Mutant>) -> Option<String> {
    tell(Settings::of(seed), mutant, false).violation
}

#[test]
fn two_hundred_stories_break_no_rule() {
    let broken: Vec<(u64, String)> = (0..200).filter_map(|seed| Some((seed, violation(seed, None)?))).collect();
    assert!(broken.is_empty(), "`make sim SEED=n` tells the story of seed n again: {broken:#?}");
}

#[test]
fn a_seed_tells_the_same_story_twice() {
    for seed in 0..20 {
        let [first, second] = [(); 2].map(|()| tell(Settings::of(seed), None, false));
        assert!(first.calls > 100, "nothing happened");
        assert_eq!(first.digest, second.digest, "seed {seed}");
    }
}

#[test]
fn records_are_pushed_where_a_story_says_so() {
    for seed in 0..40 {
        let settings = Settings::of(seed);
        let (fans_out, pushes) = (settings.fans_out, tell(settings, None, false).pushes);
        assert_eq!(fans_out, pushes > 100, "seed {seed}: {pushes}");
    }
}

#[test]
fn another_process_tells_it_too() {
    let run = || Command::new(env!("CARGO_BIN_EXE_millstream-sim")).args(["seed", "7"]).output().unwrap();
    let (first, second) = (run(), run());
    assert!(first.status.success() && first.stdout.len() > 10_000);
    assert!(first.stdout == second.stdout, "two processes tell another story of one seed");
    let digest = format!("digest: {}", tell(Settings::of(7), None, false).digest);
    assert!(String::from_utf8_lossy(&first.stdout).contains(&digest), "alone it is another one than among others");
}

#[test]
fn each_mutant_is_caught() {
    let caught = |mutant| (0..300).any(|seed| violation(seed, Some(mutant)).is_some());
    let alive: Vec<&Mutant> = Mutant::ALL.iter().filter(|mutant| !caught(**mutant)).collect();
    assert!(alive.is_empty(), "no seed shows that a rule is broken: {alive:?}");
}

#[test]
fn a_fleet_is_even_again_soon_after_a_third_of_it_has_died() {
    let growth = growth::measure(300, 9);
    assert!(growth.rounds() <= 2, "{growth}");
}
