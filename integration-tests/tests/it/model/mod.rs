//! Every state machine of the practice, driven over gRPC by random sequences and held against a model: a table of moves as
//! the handbook has it (5.2 to 5.8), written here a second time. What is in the table must be done; what is not must be
//! refused and change nothing; a stale version must be refused; a request that is repeated must do nothing twice.

mod care;
mod class_review;
mod enrolment;
mod follow_up;
mod plan;
mod student_review;
mod tier;

use std::collections::{BTreeSet, HashMap};

use integration_tests::acts::new_id;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};
use tonic::{Code, Status};

/// Sequences a machine, and moves a sequence.
const SEQUENCES: u64 = 4;
const MOVES: usize = 24;

/// How one machine is moved and looked at, from outside.
trait Driver {
    /// Makes a move from a version under a request id.
    async fn act(&mut self, command: &str, version: i64, request_id: &str) -> Result<(), Status>;
    /// Present state and version.
    async fn look(&mut self) -> (String, i64);
}

/// A machine: lines of `from command to`.
struct Table {
    moves: HashMap<(&'static str, &'static str), &'static str>,
    commands: Vec<&'static str>,
}

impl Table {
    fn read(text: &'static str) -> Self {
        let mut moves = HashMap::new();
        let mut commands = BTreeSet::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [froms, command, to] = words[..] else { panic!("a line is `from command to`: {line}") };
            commands.insert(command);
            for from in froms.split('|') {
                // `=` leaves the state as it is.
                moves.insert((from, command), if to == "=" { from } else { to });
            }
        }
        Self { moves, commands: commands.into_iter().collect() }
    }

    fn after(&self, state: &str, command: &str) -> Option<&'static str> {
        self.moves.iter().find(|((from, by), _)| *from == state && *by == command).map(|(_, to)| *to)
    }
}

/// Walks at random from where the driver stands. Answers how many moves were done and how many were refused.
async fn walk(table: &Table, driver: &mut impl Driver, seed: u64) -> (usize, usize) {
    let mut dice = Xoshiro256PlusPlus::seed_from_u64(seed);
    let (mut state, mut version) = driver.look().await;
    let (mut done, mut refused) = (0, 0);
    let mut told = vec![format!("seed {seed}, from {state}")];
    for n in 0..MOVES {
        let goes_on = |to: &str| table.commands.iter().any(|c| table.after(to, c).is_some());
        let allowed: Vec<&str> = table.commands.iter().copied().filter(|c| table.after(&state, c).is_some_and(|to| n > MOVES / 2 || goes_on(to))).collect();
        // At random every machine would soon be at its end, and then stay there: half of all moves are allowed ones, and the end is left to the end.
        let command = match dice.random_range(0..4) {
            0 | 1 if !allowed.is_empty() => allowed[dice.random_range(0..allowed.len())],
            _ => table.commands[dice.random_range(0..table.commands.len())],
        };
        let ends = table.after(&state, command).is_some_and(|to| !goes_on(to));
        if ends && n <= MOVES / 2 {
            continue;
        }
        let wanted = table.after(&state, command);
        let request_id = new_id();
        if dice.random_range(0..6) == 0 && wanted.is_some() {
            let stale = driver.act(command, version + 1, &request_id).await;
            let code = stale.as_ref().err().map(Status::code);
            assert_eq!(code, Some(Code::Aborted), "{told:?}: {command} with another version than {version} is {stale:?}");
        }
        let request_id = new_id();
        let answer = driver.act(command, version, &request_id).await;
        told.push(command.to_owned());
        let now = driver.look().await;
        match (wanted, &answer) {
            (Some(to), Ok(())) => {
                assert_eq!(now.0, to, "{told:?}: {command} from {state}");
                assert!(now.1 > version, "{told:?}: the version grows with {command}");
                driver.act(command, version, &request_id).await.unwrap_or_else(|status| panic!("{told:?}: the same request again is refused: {status:?}"));
                assert_eq!(driver.look().await, now, "{told:?}: {command} again under the same request id does nothing");
                done += 1;
            }
            (None, Err(status)) => {
                let codes = [Code::FailedPrecondition, Code::InvalidArgument];
                assert!(codes.contains(&status.code()), "{told:?}: {command} from {state} is refused with {status:?}");
                assert_eq!(now, (state.clone(), version), "{told:?}: a refused {command} changes nothing");
                refused += 1;
            }
            _ => panic!("{told:?}: {command} from {state} is {wanted:?} by the handbook, and the service says {answer:?}"),
        }
        (state, version) = now;
    }
    (done, refused)
}

/// Walks of one machine must have seen both what is allowed and what is refused.
fn seen_both(walks: &[(usize, usize)]) {
    let (done, refused) = walks.iter().fold((0, 0), |(d, r), (done, refused)| (d + done, r + refused));
    println!("{done} moves done, {refused} refused");
    assert!(done > 10 && refused > 10, "{done} done, {refused} refused: too little was tried");
}
