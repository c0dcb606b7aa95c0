//! What the report shows: numbers with their words, and the tier chart with its table.

use askama::Template;
use proto::reporting::v1::{Cell, GetMeasureResponse, Withheld};

use crate::frame::Shell;
use crate::words::{self, DOMAINS, DomainWords, TIERS};

/// One measure as a whole.
pub struct Kpi {
    /// Id, e.g. `ND-3`.
    pub id: String,
    /// Title.
    pub title: String,
    /// The rate, or why there is none.
    pub big: String,
    /// What it is made of.
    pub of: String,
    /// What is counted, of what, and anything else.
    pub definition: String,
    /// Whether it is withheld or not computable.
    pub withheld: bool,
}

/// A part of a bar.
pub struct Segment {
    /// Left edge.
    pub x: i64,
    /// Width.
    pub width: i64,
    /// Where its number stands.
    pub middle: i64,
    /// 1 to 4, or 0 for parts shown together because one of them is small.
    pub step: usize,
    /// Its number, or words.
    pub label: String,
}

/// A bar and its line in the table.
pub struct Bar {
    /// Group.
    pub name: String,
    /// Top edge.
    pub y: i64,
    /// Where text stands.
    pub text_y: i64,
    /// Parts.
    pub segments: Vec<Segment>,
    /// One cell a tier.
    pub cells: Vec<String>,
    /// All students with a tier.
    pub all: String,
}

/// A line of a table with a share.
pub struct Share {
    /// Domain, where it is one.
    pub domain: Option<DomainWords>,
    /// Words.
    pub name: String,
    /// Rate.
    pub share: String,
    /// What it is made of.
    pub of: String,
    /// Width of the bar, of 198.
    pub width: i64,
}

/// The page.
#[derive(Template)]
#[template(path = "report/page.html")]
pub struct ReportPage {
    /// Around it.
    pub shell: Shell,
    /// Schools to choose from: id, name, chosen.
    pub schools: Vec<(String, String, bool)>,
    /// Day the numbers speak of.
    pub as_of: String,
    /// School year in words.
    pub school_year: String,
    /// The measures that most ask for.
    pub kpis: Vec<Kpi>,
    /// All others.
    pub more: Vec<Kpi>,
    /// Bars of the tier chart.
    pub bars: Vec<Bar>,
    /// Height of the chart.
    pub height: i64,
    /// What the chart says, in a sentence.
    pub finding: String,
    /// Definition of the tier measure.
    pub tier_definition: String,
    /// Needs without support, by domain and by reason.
    pub tables: Vec<(&'static str, Vec<Share>)>,
    /// Whether small numbers were withheld.
    pub suppressed: bool,
    /// The least number that is shown.
    pub threshold: i32,
    /// Why the caller sees this.
    pub basis: String,
}

/// Shown large; all others stand in a table.
const HEADLINES: [&str; 5] = ["RV-1", "PL-1", "ND-2", "ND-3", "RF-5"];

const LEFT: i64 = 150;
const WIDTH: i64 = 506;
const STEP: i64 = 26;

/// Puts the report together.
pub fn page(
    shell: Shell,
    schools: Vec<(String, String, bool)>,
    wholes: &[GetMeasureResponse],
    bars: &[(String, GetMeasureResponse)],
    domains: Option<&GetMeasureResponse>,
    reasons: Option<&GetMeasureResponse>,
    threshold: i32,
) -> ReportPage {
    let first = wholes.first();
    let (kpis, more) = wholes.iter().map(|answer| kpi(answer, threshold)).partition(|kpi| HEADLINES.contains(&kpi.id.as_str()));
    let drawn: Vec<Bar> = bars.iter().enumerate().map(|(at, (name, answer))| bar(name, answer, at, threshold)).collect();
    ReportPage {
        shell,
        schools,
        as_of: first.map(|answer| words::day(&answer.as_of_date)).unwrap_or_default(),
        school_year: first.map(|answer| crate::words::school_year(answer.school_year)).unwrap_or_default(),
        kpis,
        more,
        height: 24 + STEP * drawn.len() as i64,
        finding: finding(bars),
        tier_definition: bars.first().and_then(|(_, answer)| answer.measure.as_ref()).map(definition).unwrap_or_default(),
        bars: drawn,
        tables: [
            ("Domain", shares(domains, threshold, words_of_domain)),
            ("Reason", shares(reasons, threshold, |group| (None, words::unmet_reason_code(&group.to_lowercase())))),
        ]
        .into_iter()
        .filter(|(_, shares)| !shares.is_empty())
        .collect(),
        suppressed: wholes.iter().any(|answer| answer.suppression_applied),
        threshold,
        basis: first.map(|answer| words::basis(&answer.access_basis)).unwrap_or_default(),
    }
}

fn definition(measure: &proto::reporting::v1::Measure) -> String {
    let mut text = format!("{}, of {}.", words::sentence(measure.numerator.trim_end_matches('.')), words::within(measure.denominator.trim_end_matches('.')));
    if !measure.definition.is_empty() {
        text.push(' ');
        text.push_str(&measure.definition);
    }
    text
}

fn percent(value: f64) -> String {
    format!("{:.0}%", value * 100.0)
}

fn withheld(cell: &Cell, threshold: i32) -> Option<String> {
    match cell.withheld() {
        Withheld::Small => Some(format!("< {threshold}")),
        Withheld::Complementary => Some("withheld".to_owned()),
        Withheld::Unspecified => None,
    }
}

/// A rate and what it is made of, or why it is not shown.
fn rate(cell: &Cell, threshold: i32) -> (String, String, bool) {
    if let Some(why) = withheld(cell, threshold) {
        return (why, String::new(), true);
    }
    match (cell.numerator, cell.denominator, cell.value) {
        (Some(numerator), Some(denominator), Some(value)) => (percent(value), format!("{numerator} of {denominator}"), false),
        (Some(numerator), Some(denominator), None) => ("n/a".to_owned(), format!("{numerator} of {denominator}"), true),
        (Some(numerator), None, _) => (numerator.to_string(), String::new(), false),
        _ => ("n/a".to_owned(), String::new(), true),
    }
}

fn kpi(answer: &GetMeasureResponse, threshold: i32) -> Kpi {
    let measure = answer.measure.clone().unwrap_or_default();
    let (big, of, held) = answer.cells.first().map_or(("n/a".to_owned(), String::new(), true), |cell| rate(cell, threshold));
    Kpi { definition: definition(&measure), id: measure.measure_id, title: measure.title, big, of, withheld: held }
}

fn tier_cells(answer: &GetMeasureResponse) -> [Option<&Cell>; 4] {
    // Groups are named `Tier 2a`, or by the tier alone.
    TIERS.map(|tier| answer.cells.iter().find(|cell| cell.group.trim_start_matches("Tier ").trim_start_matches("TIER_").eq_ignore_ascii_case(tier.key)))
}

fn total(answer: &GetMeasureResponse) -> Option<i64> {
    tier_cells(answer)
        .into_iter()
        .flatten()
        .find_map(|cell| cell.denominator)
        .or_else(|| answer.cells.iter().find(|cell| cell.group.is_empty()).and_then(|cell| cell.denominator))
}

fn bar(name: &str, answer: &GetMeasureResponse, at: usize, threshold: i32) -> Bar {
    let y = 24 + STEP * at as i64;
    let cells = tier_cells(answer);
    let all = total(answer);
    let mut segments = Vec::new();
    let mut x = LEFT;
    let mut held: Vec<&str> = Vec::new();
    let mut shown = 0;
    for (step, cell) in cells.iter().enumerate() {
        match (cell.and_then(|cell| cell.numerator), all) {
            (Some(count), Some(all)) if all > 0 => {
                shown += count;
                let width = WIDTH * count / all;
                if width > 0 {
                    segments.push(Segment { x, width: (width - 2).max(1), middle: x + width / 2, step: step + 1, label: count.to_string() });
                }
                x += width;
            }
            (None, _) if cell.is_some() => held.push(TIERS[step].key),
            _ => {}
        }
    }
    if let (false, Some(all)) = (held.is_empty(), all) {
        // The rest of the bar, as one: which part is which stays closed.
        let width = (LEFT + WIDTH - x).max(2);
        let label = if held.len() > 1 { format!("{} in {} together", all - shown, held.join(" and ")) } else { "withheld".to_owned() };
        segments.push(Segment { x, width: width - 2, middle: x + width / 2, step: 0, label });
    }
    Bar {
        name: name.to_owned(),
        y,
        text_y: y + 14,
        segments,
        cells: cells
            .iter()
            .map(|cell| {
                cell.map_or("n/a".to_owned(), |cell| {
                    withheld(cell, threshold).unwrap_or_else(|| cell.numerator.map_or("n/a".to_owned(), |count| count.to_string()))
                })
            })
            .collect(),
        all: all.map_or_else(|| "n/a".to_owned(), |all| all.to_string()),
    }
}

fn finding(bars: &[(String, GetMeasureResponse)]) -> String {
    let Some((_, answer)) = bars.first() else { return String::new() };
    let parts: Vec<String> = TIERS
        .iter()
        .zip(tier_cells(answer))
        .map(|(tier, cell)| match cell.and_then(|cell| cell.value) {
            Some(value) => format!("{} in tier {}", percent(value), tier.key),
            None => format!("tier {} not shown", tier.key),
        })
        .collect();
    format!("Students with a tier: {}.", parts.join(", "))
}

fn words_of_domain(group: &str) -> (Option<DomainWords>, String) {
    let wanted = group.to_lowercase();
    let known = DOMAINS.into_iter().find(|domain| {
        wanted == domain.class
            || wanted == domain.name.to_lowercase()
            || wanted.trim_start_matches("domain_").starts_with(&domain.name[..5].to_lowercase())
            || (domain.class == "hlt" && wanted.contains("health"))
    });
    (known, known.map_or_else(|| words::sentence(&wanted.replace('_', " ")), |domain| domain.name.to_owned()))
}

fn shares(answer: Option<&GetMeasureResponse>, threshold: i32, named: impl Fn(&str) -> (Option<DomainWords>, String)) -> Vec<Share> {
    let Some(answer) = answer else { return Vec::new() };
    answer
        .cells
        .iter()
        .filter(|cell| !cell.group.is_empty())
        .map(|cell| {
            let (share, of, _) = rate(cell, threshold);
            let (domain, name) = named(&cell.group);
            Share { domain, name, share, of, width: cell.value.map_or(0, |value| (198.0 * value.clamp(0.0, 1.0)) as i64) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::reporting::v1::Measure;

    fn cell(group: &str, numerator: Option<i64>, denominator: Option<i64>, withheld: Withheld) -> Cell {
        let value = numerator.zip(denominator).filter(|(_, all)| *all > 0).map(|(count, all)| count as f64 / all as f64);
        Cell { group: group.into(), numerator, denominator, value, withheld: withheld.into() }
    }

    fn tiers() -> GetMeasureResponse {
        GetMeasureResponse {
            measure: Some(Measure { measure_id: "TR-1".into(), ..Default::default() }),
            cells: vec![
                cell("", Some(84), Some(84), Withheld::Unspecified),
                cell("Tier 1", Some(35), Some(84), Withheld::Unspecified),
                cell("Tier 2a", Some(22), Some(84), Withheld::Unspecified),
                cell("Tier 2b", None, None, Withheld::Complementary),
                cell("Tier 3", None, None, Withheld::Small),
            ],
            school_year: 2027,
            as_of_date: "2026-10-22".into(),
            suppression_applied: true,
            ..Default::default()
        }
    }

    #[test]
    fn small_tiers_are_drawn_together_and_never_as_nought() {
        let drawn = bar("All", &tiers(), 0, 10);
        assert_eq!(drawn.cells, ["35", "22", "withheld", "< 10"]);
        assert_eq!(drawn.all, "84");
        let last = drawn.segments.last().unwrap();
        assert_eq!((last.step, last.label.as_str()), (0, "27 in 2b and 3 together"));
        assert!(drawn.segments.iter().all(|segment| segment.x + segment.width <= LEFT + WIDTH));
    }

    #[test]
    fn a_rate_of_nothing_is_not_computable() {
        assert_eq!(rate(&cell("", Some(0), Some(0), Withheld::Unspecified), 10), ("n/a".into(), "0 of 0".into(), true));
        assert_eq!(rate(&cell("", Some(755), Some(796), Withheld::Unspecified), 10).0, "95%");
        assert_eq!(rate(&cell("", None, None, Withheld::Small), 10).0, "< 10");
    }

    #[test]
    fn the_page_says_what_is_counted_and_as_of_when() {
        let measure = Measure {
            measure_id: "RV-1".into(),
            title: "Students reviewed".into(),
            numerator: "students reviewed".into(),
            denominator: "students enrolled".into(),
            ..Default::default()
        };
        let whole = GetMeasureResponse {
            measure: Some(measure),
            cells: vec![cell("", Some(755), Some(796), Withheld::Unspecified)],
            as_of_date: "2026-10-22".into(),
            school_year: 2027,
            ..Default::default()
        };
        let html = page(Shell::bare(None, "Report"), vec![], &[whole], &[("All".into(), tiers())], None, None, 10).render().unwrap();
        assert!(html.contains("755 of 796"));
        assert!(html.contains("Students reviewed, of students enrolled. RV-1"));
        assert!(html.contains("22 Oct 2026"));
        assert!(html.contains("27 in 2b and 3 together"));
        assert!(!html.contains("style="));
    }
}
