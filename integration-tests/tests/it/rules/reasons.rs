//! Reasons of errors are part of the contract, so each of them is documented.

use std::collections::BTreeMap;

use super::{code, none, root, sources_below, text};

/// UPPER_SNAKE texts in the bodies of `fn reason`, with a file that has them.
fn reasons() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (name, path) in sources_below("services") {
        let code = code(&path);
        for (at, _) in code.match_indices("fn reason(") {
            let body = &code[at..];
            // rustfmt closes a method of an impl at this indentation.
            let body = &body[..body.find("\n    }").unwrap_or(body.len())];
            for text in body.split('"').skip(1).step_by(2) {
                if !text.is_empty() && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_') {
                    found.entry(text.to_owned()).or_insert_with(|| name.clone());
                }
            }
        }
    }
    assert!(found.contains_key("ACCESS_DENIED"), "this test finds reasons: {found:?}");
    found
}

#[test]
fn every_reason_is_documented() {
    let document = root().join("docs/API-DESIGN.md");
    assert!(document.exists(), "docs/API-DESIGN.md lists the reasons of errors; it is not there");
    let document = text(&document);
    let missing: Vec<String> =
        reasons().iter().filter(|(reason, _)| !document.contains(&format!("`{reason}`"))).map(|(reason, file)| format!("{reason} ({file})")).collect();
    none(&missing, "docs/API-DESIGN.md does not tell of these reasons:");
}
