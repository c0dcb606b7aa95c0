//! Reads the CSV files into a [`Taxonomy`], or says which file and line is wrong.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{CodeLine, Domain, PolarityAllowed, Reason, Sensitivity, Taxonomy, TaxonomyError};

const NEEDS_CSV: &str = "needs.csv";
const INTERESTS_CSV: &str = "interests.csv";
const SERVICE_CATEGORIES_CSV: &str = "service_categories.csv";
const REASONS_CSV: &str = "reasons.csv";

impl Taxonomy {
    pub(super) fn parse(needs: &str, interests: &str, categories: &str, reasons: &str) -> Result<Taxonomy, TaxonomyError> {
        let categories: Vec<String> = rows::<CategoryRow>(SERVICE_CATEGORIES_CSV, categories)?.into_iter().map(|(_, row)| row.code).collect();
        let mut taxonomy = Taxonomy {
            lines: Vec::new(),
            by_code: HashMap::new(),
            reasons: rows::<Reason>(REASONS_CSV, reasons)?.into_iter().map(|(_, row)| row).collect(),
            categories: categories.clone(),
        };
        for (at, row) in rows::<NeedRow>(NEEDS_CSV, needs)? {
            let file = (NEEDS_CSV, at);
            if !row.code.strip_prefix(row.domain.as_str()).is_some_and(|rest| rest.starts_with('-')) {
                return Err(refuse(file, format!("code {} is not of domain {}", row.code, row.domain.as_str())));
            }
            if !matches!(row.floor, 0 | 3) {
                return Err(refuse(file, format!("floor is {}; write 0 or 3", row.floor)));
            }
            if row.floor == 3 && row.polarity == PolarityAllowed::Strength {
                return Err(refuse(file, "a strength cannot have a floor; write 0".to_owned()));
            }
            let line = CodeLine {
                code: row.code,
                domain: Some(row.domain),
                label: row.label,
                polarity: row.polarity,
                floor: row.floor,
                sensitivity: row.sensitivity,
                service_categories: expand(file, &row.service_categories, &categories)?,
                synonyms: cells(&row.synonyms).map(str::to_owned).collect(),
                family_stated_only: false,
            };
            taxonomy.add(file, line)?;
        }
        for (at, row) in rows::<InterestRow>(INTERESTS_CSV, interests)? {
            let file = (INTERESTS_CSV, at);
            if !row.code.starts_with("INT-") {
                return Err(refuse(file, format!("code {} does not begin with INT-", row.code)));
            }
            let line = CodeLine {
                code: row.code,
                domain: None,
                label: row.label,
                polarity: PolarityAllowed::Interest,
                floor: 0,
                sensitivity: Sensitivity::General,
                service_categories: expand(file, &row.service_categories, &categories)?,
                synonyms: cells(&row.synonyms).map(str::to_owned).collect(),
                family_stated_only: row.family_stated_only == YesNo::Yes,
            };
            taxonomy.add(file, line)?;
        }
        Ok(taxonomy)
    }

    fn add(&mut self, file: (&'static str, u64), line: CodeLine) -> Result<(), TaxonomyError> {
        if line.label.is_empty() {
            return Err(refuse(file, format!("code {} has no label", line.code)));
        }
        if self.by_code.insert(line.code.clone(), self.lines.len()).is_some() {
            return Err(refuse(file, format!("code {} stands twice; remove one", line.code)));
        }
        self.lines.push(line);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NeedRow {
    code: String,
    domain: Domain,
    label: String,
    polarity: PolarityAllowed,
    floor: u8,
    sensitivity: Sensitivity,
    service_categories: String,
    synonyms: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InterestRow {
    code: String,
    label: String,
    family_stated_only: YesNo,
    service_categories: String,
    synonyms: String,
}

// Reviews only needs to know which categories exist; their other columns belong to partners and plans.
#[derive(Deserialize)]
struct CategoryRow {
    code: String,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum YesNo {
    Yes,
    No,
}

fn rows<T: DeserializeOwned>(file: &'static str, text: &str) -> Result<Vec<(u64, T)>, TaxonomyError> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headers = reader.headers().cloned().map_err(|error| unreadable(file, &error))?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| unreadable(file, &error))?;
        let at = record.position().map_or(0, csv::Position::line);
        let row = record.deserialize(Some(&headers)).map_err(|error| refuse((file, at), error.to_string()))?;
        rows.push((at, row));
    }
    Ok(rows)
}

fn unreadable(file: &'static str, error: &csv::Error) -> TaxonomyError {
    TaxonomyError { file, line: error.position().map(csv::Position::line), what: error.to_string() }
}

fn refuse((file, line): (&'static str, u64), what: String) -> TaxonomyError {
    TaxonomyError { file, line: Some(line), what }
}

fn cells(list: &str) -> impl Iterator<Item = &str> {
    list.split(';').map(str::trim).filter(|cell| !cell.is_empty())
}

/// Replaces `ENR-*` by the categories it stands for, so that nobody downstream has to know the star.
fn expand(file: (&'static str, u64), list: &str, known: &[String]) -> Result<Vec<String>, TaxonomyError> {
    let mut out: Vec<String> = Vec::new();
    for cell in cells(list) {
        let matching: Vec<&String> = match cell.strip_suffix('*') {
            Some(prefix) => known.iter().filter(|code| code.starts_with(prefix)).collect(),
            None => known.iter().filter(|code| *code == cell).collect(),
        };
        if matching.is_empty() {
            return Err(refuse(file, format!("service category {cell} is not in {SERVICE_CATEGORIES_CSV}")));
        }
        for code in matching {
            if !out.contains(code) {
                out.push(code.clone());
            }
        }
    }
    Ok(out)
}
