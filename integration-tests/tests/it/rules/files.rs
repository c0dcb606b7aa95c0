//! How files are named, how long they are, and what may stand in them.

use super::{code, files_below, none, sources_below, text};

#[test]
fn a_file_is_one_idea_of_at_most_500_lines() {
    let long: Vec<String> = sources_below("")
        .iter()
        .map(|(name, path)| (name, text(path).lines().count()))
        .filter(|(_, lines)| *lines > 500)
        .map(|(name, lines)| format!("{name}: {lines} lines"))
        .collect();
    none(&long, "split these files by what they are about:");
}

#[test]
fn no_module_is_a_drawer() {
    const DRAWERS: [&str; 8] = ["util", "utils", "helper", "helpers", "common", "misc", "shared", "stuff"];
    let drawers: Vec<String> = sources_below("")
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| name.trim_end_matches(".rs").split('/').any(|part| DRAWERS.contains(&part)))
        .collect();
    none(&drawers, "name these after what is in them:");
}

/// Words of identifiers and texts: `class_review`, `ClassReview` and `"class review"` are all class, review.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in line.chars() {
        if !c.is_ascii_alphabetic() || c.is_ascii_uppercase() {
            words.push(String::new());
        }
        if c.is_ascii_alphabetic() {
            words.last_mut().unwrap().push(c.to_ascii_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn the_chassis_knows_nothing_of_students() {
    const NOUNS: [&str; 10] = ["roster", "rosters", "review", "reviews", "plan", "plans", "partner", "partners", "student", "students"];
    // Who belongs where is what decisions on access stand on, and that comes from the roster's events: one file, ids only.
    const RELATIONSHIPS: [&str; 3] =
        ["services/chassis/access/src/feed.rs", "services/chassis/access/src/relationships.rs", "services/chassis/access/src/decide.rs"];
    // The addresses of the others are settings of every service: these keys, and nothing else of that file.
    const PEERS: [&str; 4] = ["pub rosters: String,", "pub reviews: String,", "pub plans: String,", "pub partners: String,"];
    // The role's name is a name of the policies' schema, like a topic's is of the log.
    const ROLES: [&str; 1] = ["student_support_member"];
    let mut found = Vec::new();
    for (name, path) in sources_below("services/chassis") {
        if RELATIONSHIPS.contains(&name.as_str()) || name.contains("/tests/") || name.ends_with("/tests.rs") {
            continue;
        }
        for line in code(&path).lines() {
            let is_peer = name == "services/chassis/boot/src/settings.rs" && PEERS.contains(&line.trim());
            // An example address inside a message that tells how to mend a setting.
            let is_example = line.contains("such as http://");
            let line_less_roles = ROLES.iter().fold(line.to_owned(), |line, role| line.replace(role, ""));
            if !is_peer && !is_example && words(&line_less_roles).iter().any(|word| NOUNS.contains(&word.as_str())) {
                found.push(format!("{name}: {}", line.trim()));
            }
        }
    }
    none(&found, "domain nouns have no place in services/chassis; move this to the service it is about:");
}

#[test]
fn entities_are_pure() {
    const ENGINES: [&str; 4] = ["sqlx", "prost", "tonic", "tokio"];
    let mut found = Vec::new();
    for (name, path) in sources_below("services") {
        if !name.ends_with("/entity.rs") && !name.contains("/entity/") {
            continue;
        }
        for line in code(&path).lines() {
            if words(line).iter().any(|word| ENGINES.contains(&word.as_str())) {
                found.push(format!("{name}: {}", line.trim()));
            }
        }
    }
    none(&found, "an entity.rs holds rules and no input or output:");
}

#[test]
fn migrations_are_numbered_and_named() {
    let mut found = Vec::new();
    let mut last = (String::new(), 0);
    for (name, _) in files_below("migrations").into_iter().filter(|(name, _)| name != "migrations/README.md") {
        let (folder, file) = name.rsplit_once('/').unwrap();
        let number = file.get(..4).and_then(|digits| digits.parse::<u32>().ok());
        let words = file.strip_suffix(".sql").and_then(|stem| stem.get(4..)).and_then(|rest| rest.strip_prefix('_'));
        let is_worded = words.is_some_and(|words| !words.is_empty() && words.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
        let expected = if last.0 == folder { last.1 + 1 } else { 1 };
        if !is_worded || number != Some(expected) {
            found.push(format!("{name}: expected {expected:04}_what_it_does.sql"));
        }
        last = (folder.to_owned(), number.unwrap_or(expected));
    }
    none(&found, "migrations are applied in the order of their numbers:");
}

#[test]
fn nothing_tells_of_the_machine_it_was_written_on() {
    // In two halves, lest this file breaks its own rule.
    let places: Vec<String> = [("/ho", "me/"), ("/ro", "ot/"), ("/wo", "rk/"), ("/Us", "ers/"), ("index-", "url"), ("replace-", "with")]
        .iter()
        .map(|(one, two)| format!("{one}{two}"))
        .collect();
    let mut found = Vec::new();
    for (name, path) in files_below("") {
        for (number, line) in text(&path).lines().enumerate() {
            if places.iter().any(|place| line.contains(place.as_str())) {
                found.push(format!("{name}:{}: {}", number + 1, line.trim().chars().take(120).collect::<String>()));
            }
        }
    }
    let lock = text(&super::root().join("Cargo.lock"));
    found.extend(
        lock.lines()
            .filter(|line| line.starts_with("source = ") && !line.contains("registry+https://github.com/rust-lang/crates.io-index"))
            .map(|line| format!("Cargo.lock: {line}")),
    );
    none(&found, "paths and registries of one machine mean nothing on another:");
}
