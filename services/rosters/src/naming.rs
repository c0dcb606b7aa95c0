//! How names are shown, sorted and searched.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Words of one person that search knows, and letters of each: enough for any name, and little enough for the index.
const MAX_WORDS: usize = 40;
const MAX_WORD_CHARS: usize = 100;

/// Small letters without accents, so that `Núñez` is found by `nunez`.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    for c in text.nfd().filter(|c| !is_combining_mark(*c)) {
        match c {
            'ß' => folded.push_str("ss"),
            'Æ' | 'æ' => folded.push_str("ae"),
            'Œ' | 'œ' => folded.push_str("oe"),
            'Ø' | 'ø' => folded.push('o'),
            'Ł' | 'ł' => folded.push('l'),
            'Đ' | 'đ' | 'Ð' | 'ð' => folded.push('d'),
            'Þ' | 'þ' => folded.push_str("th"),
            'ı' => folded.push('i'),
            _ => folded.extend(c.to_lowercase()),
        }
    }
    folded
}

/// The folded words of a text: runs of letters and digits. An apostrophe joins, as in `o'brien` and `obrien`.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    let folded: String = fold(text).chars().filter(|c| !matches!(c, '\'' | '\u{2019}' | '`')).collect();
    let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| word.chars().take(MAX_WORD_CHARS).collect()).collect::<Vec<String>>().into_iter()
}

/// The parts of a person's name as the roster gives them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Name<'a> {
    /// Given name.
    pub given: Option<&'a str>,
    /// Middle name.
    pub middle: Option<&'a str>,
    /// Family name.
    pub family: Option<&'a str>,
    /// Given name that the person prefers.
    pub preferred_given: Option<&'a str>,
    /// Family name that the person prefers.
    pub preferred_family: Option<&'a str>,
}

impl Name<'_> {
    /// The name that staff use.
    pub fn display(&self) -> String {
        join(self.preferred_given.or(self.given), self.preferred_family.or(self.family), " ")
    }

    /// What lists sort by: family name first, folded.
    pub fn sort(&self) -> String {
        fold(&join(self.preferred_family.or(self.family), self.preferred_given.or(self.given), ", "))
    }

    /// What a search finds the person by: folded words, a blank before each, so that ` cru` is the beginning of a word.
    pub fn search_text(&self, number: Option<&str>) -> String {
        let parts = [self.given, self.middle, self.family, self.preferred_given, self.preferred_family, number];
        let mut all: Vec<String> = parts.into_iter().flatten().flat_map(words).collect();
        all.sort_unstable();
        all.dedup();
        all.truncate(MAX_WORDS);
        all.iter().fold(String::new(), |text, word| text + " " + word)
    }
}

fn join(first: Option<&str>, second: Option<&str>, between: &str) -> String {
    match (first, second) {
        (Some(first), Some(second)) => format!("{first}{between}{second}"),
        (one, other) => one.or(other).unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fold_to_what_people_type() {
        for (name, folded) in [("Núñez", "nunez"), ("Łukasz", "lukasz"), ("Nguyễn", "nguyen"), ("STRAßE", "strasse"), ("Søren", "soren")] {
            assert_eq!(fold(name), folded);
        }
        assert_eq!(words("O'Brien-de la Cruz").collect::<Vec<_>>(), ["obrien", "de", "la", "cruz"]);
    }

    #[test]
    fn a_preferred_name_is_shown_and_the_other_still_finds() {
        let name = Name { given: Some("José"), family: Some("Peña"), preferred_given: Some("Pepe"), ..Name::default() };
        assert_eq!((name.display().as_str(), name.sort().as_str()), ("Pepe Peña", "pena, pepe"));
        assert_eq!(name.search_text(Some("1000017")), " 1000017 jose pena pepe");
        assert_eq!(Name { given: Some("Cher"), ..Name::default() }.display(), "Cher");
    }
}
