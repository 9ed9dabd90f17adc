//! What files say, and what is wrong with some of them.

use super::program::{Cursor, Next, Program};
use super::{SHIPPED, Scenario, Step};
use crate::random::Random;

#[test]
fn every_shipped_scenario_is_one() {
    for (name, text) in SHIPPED {
        let scenario = Scenario::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!scenario.about.is_empty(), "{name}");
    }
}

const HEAD: &str = "about = 'x'\n[[roles]]\nname = 'r'\n";

/// A file with these lines after the beginning of a role is refused with these words.
fn refused(lines: &str, words: &[&str]) {
    let told = Scenario::parse(&format!("{HEAD}{lines}")).map(|_| ());
    let told = told.expect_err(lines).to_string();
    for word in words {
        assert!(told.contains(word), "{lines}: {word} is not in: {told}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    refused(
        "steps = [{ do = 'noop' }]\nweigth = 3\n",
        &["weigth", "line 5"],
    );
    refused(
        "steps = [\n  { do = 'noop' },\n  { do = 'fetch-headers', cuont = 3 },\n]\n",
        &["cuont", "line 6"],
    );
    refused("steps = [{ do = 'dance' }]\n", &["dance", "line 4"]);
    refused("steps = []\n", &["role r", "no step"]);
    refused(
        "protocol = 'lmtp'\nsteps = [{ do = 'noop' }]\n",
        &["role r", "LMTP"],
    );
    refused(
        "steps = [{ do = 'repeat', times = 2, steps = [
            { do = 'repeat', times = 2, steps = [{ do = 'noop' }] }] }]\n",
        &["repeat"],
    );
    refused(
        "steps = [{ do = 'pick', of = [{ weight = 0, steps = [] }] }]\n",
        &["weight"],
    );
    refused(
        "reconnect = true\nsetup = [{ do = 'noop' }]\nsteps = [{ do = 'noop' }]\n",
        &["setup"],
    );
}

/// The names of the first `count` things that a role with these steps does.
fn followed(lines: &str, count: usize) -> String {
    let scenario = Scenario::parse(&format!("{HEAD}{lines}")).unwrap();
    // With a name for the whole no operation is asked for.
    let mut role = scenario.roles[0].clone();
    role.measure_as = Some("whole".to_owned());
    let program = Program::new(&role, |name| Err(name.to_owned())).unwrap();
    let mut random = Random::new(3, 3);
    let mut cursor = Cursor::default();
    let names = (0..count).map(|_| match program.next(&mut cursor, &mut random) {
        Next::Do(step, _) => step.operation().unwrap().to_owned(),
        Next::Think(ms) => ms.to_string(),
        Next::End => "end".to_owned(),
    });
    names.collect::<Vec<_>>().join(" ")
}

#[test]
fn programs_are_followed_in_order() {
    assert_eq!(
        followed("setup = [{ do = 'login' }]\nsteps = [{ do = 'noop' }]", 6),
        "login end noop end noop end"
    );
    assert_eq!(
        followed(
            "steps = [{ do = 'repeat', times = 3, steps = [{ do = 'noop' }] }, { do = 'list' }]",
            6
        ),
        "noop noop noop list end noop"
    );
    assert_eq!(
        followed(
            "steps = [{ do = 'repeat', times = 0, steps = [{ do = 'noop' }] }, { do = 'list' }]",
            3
        ),
        "list end list"
    );
    assert_eq!(
        followed(
            "steps = [{ do = 'idle', ms = 7 }, { do = 'think', ms = 9 }]",
            5
        ),
        "idle 7 idle 9 end"
    );
}

#[test]
fn choices_keep_their_weights() {
    let told = followed(
        "steps = [{ do = 'pick', of = [
            { weight = 3, steps = [{ do = 'noop' }] },
            { weight = 0, steps = [{ do = 'search', key = 'text' }] },
            { weight = 1, steps = [{ do = 'list' }, { do = 'status' }] }] }]",
        20_000,
    );
    let count = |name: &str| told.split(' ').filter(|word| *word == name).count();
    assert_eq!(count("search"), 0);
    assert!(count("list").abs_diff(count("status")) <= 1);
    let share = count("list") * 100 / (count("list") + count("noop"));
    assert!((22..28).contains(&share), "{share} %");
}

#[test]
fn sizes_depend_on_the_number_of_the_message_alone() {
    let text = format!(
        "{HEAD}steps = [{{ do = 'noop' }}]\n[mailbox]\nmessages = 3\n\
         sizes = [{{ bytes = [600, 700], weight = 1 }}, {{ bytes = 9000, weight = 1 }}]\n"
    );
    let mailbox = Scenario::parse(&text).unwrap().mailbox;
    let sizes: Vec<usize> = (0..1_000).map(|number| mailbox.size(number)).collect();
    let again: Vec<usize> = (0..1_000).map(|number| mailbox.size(number)).collect();
    assert_eq!(sizes, again);
    let large = sizes.iter().filter(|size| **size == 9_000).count();
    assert!((400..600).contains(&large), "{large}");
    assert!(
        sizes
            .iter()
            .all(|size| *size == 9_000 || (600..=700).contains(size))
    );
}

#[test]
fn steps_within_steps_are_found() {
    let (_, office) = SHIPPED.iter().find(|(name, _)| *name == "office").unwrap();
    let office = Scenario::parse(office).unwrap();
    assert!(office.any_step(&|step| matches!(step, Step::Search { .. })));
    assert!(!office.any_step(&|step| matches!(step, Step::Notify)));
}
