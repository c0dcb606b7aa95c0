//! The service on the wire: parse, decide, answer.

use std::sync::Arc;

use chassis_access::{Access, Caller, Record};
use chassis_rpc::fault::OrStatus as _;
use chassis_rpc::{InvalidInput, Parser};
use chrono::NaiveDate;
use proto::reporting::v1::reporting_service_server::ReportingService;
use proto::reporting::v1::{
    Cell, GetFreshnessRequest, GetFreshnessResponse, GetMeasureRequest, GetMeasureResponse, ListMeasuresRequest, ListMeasuresResponse,
    ListStudentsWithUnmetNeedsRequest, ListStudentsWithUnmetNeedsResponse, Measure, StudentUnmetNeeds, TopicFreshness, UnmetNeed, Withheld,
};
use proto::r#type::v1::{Domain, Sensitivity};
use sqlx::PgPool;
use tonic::{Request, Response, Status};

use crate::equity::{self, roster::Groups};
use crate::error::ReportError;
use crate::measure::{self, EQUITY, MEASURES, last_day_of, school_year_of};
use crate::suppression;
use crate::{freshness, unmet};

/// The answering side.
pub(crate) struct Reporting {
    pub(crate) pool: PgPool,
    pub(crate) access: Access,
    pub(crate) groups: Arc<dyn Groups>,
    pub(crate) threshold: u32,
}

/// Year and day of a question. A day alone names its year; a year alone is asked for as of its last day, or today.
fn period(school_year: i32, as_of: Option<NaiveDate>, today: NaiveDate) -> Result<(i32, NaiveDate), InvalidInput> {
    match (school_year, as_of) {
        (0, as_of) => {
            let day = as_of.unwrap_or(today);
            Ok((school_year_of(day), day))
        }
        (year, None) => Ok((year, today.min(last_day_of(year)))),
        (year, Some(day)) if school_year_of(day) == year => Ok((year, day)),
        (year, Some(_)) => Err(InvalidInput::one("as_of_date", format!("must lie in the school year asked for, from {}-07-01 to {year}-06-30", year - 1))),
    }
}

/// Whether numbers go to those who know the students anyway: the case team, about their own school.
fn is_case_team(basis: &str) -> bool {
    basis.starts_with("school_")
}

fn described(measure: &measure::Measure) -> Measure {
    Measure {
        measure_id: measure.id.to_owned(),
        title: measure.title.to_owned(),
        numerator: measure.numerator.to_owned(),
        denominator: measure.denominator.to_owned(),
        definition: measure.definition.to_owned(),
        groupings: measure.groupings.iter().map(|g| g.by.to_owned()).collect(),
    }
}

fn domain_word(domain: Domain) -> Option<&'static str> {
    match domain {
        Domain::Unspecified => None,
        Domain::Academics => Some("academics"),
        Domain::SocialEmotional => Some("social_emotional"),
        Domain::Health => Some("health"),
        Domain::Family => Some("family"),
    }
}

fn domain_of(word: &str) -> Domain {
    [Domain::Academics, Domain::SocialEmotional, Domain::Health, Domain::Family].into_iter().find(|d| domain_word(*d) == Some(word)).unwrap_or_default()
}

fn cell(cell: measure::Cell) -> Cell {
    let withheld = match cell.status {
        suppression::Status::Shown => Withheld::Unspecified,
        suppression::Status::Small => Withheld::Small,
        suppression::Status::Complementary => Withheld::Complementary,
    };
    Cell { value: cell.value(), group: cell.group, numerator: cell.numerator, denominator: cell.denominator, withheld: withheld.into() }
}

fn student(student: unmet::Student) -> StudentUnmetNeeds {
    let needs = student.needs.into_iter().map(|need| UnmetNeed {
        need_id: need.need_id.to_string(),
        code: need.code,
        domain: domain_of(&need.domain).into(),
        severity: need.severity,
        reason: need.reason,
        age_school_days: need.age_school_days,
        sensitivity: if need.restricted { Sensitivity::Restricted } else { Sensitivity::General }.into(),
    });
    StudentUnmetNeeds { student_id: student.student_id.to_string(), school_id: student.school_id.to_string(), grade: student.grade, needs: needs.collect() }
}

#[tonic::async_trait]
impl ReportingService for Reporting {
    async fn list_measures(&self, request: Request<ListMeasuresRequest>) -> Result<Response<ListMeasuresResponse>, Status> {
        self.access.role_suffices(&Caller::of(&request)?);
        let small_cell_threshold = i32::try_from(self.threshold).unwrap_or(i32::MAX);
        Ok(Response::new(ListMeasuresResponse { measures: MEASURES.iter().map(described).collect(), small_cell_threshold }))
    }

    async fn get_measure(&self, request: Request<GetMeasureRequest>) -> Result<Response<GetMeasureResponse>, Status> {
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut parser = Parser::new();
        let school = parser.optional_uuid("school_id", &message.school_id);
        let as_of = parser.optional_date("as_of_date", &message.as_of_date);
        if message.school_year != 0 {
            parser.number("school_year", message.school_year, 1900..=2200);
        }
        let found = measure::find(&message.measure_id);
        let grouping = found.and_then(|m| m.grouping(&message.group_by));
        if let Some(found) = found.filter(|_| grouping.is_none() && !message.group_by.is_empty()) {
            let allowed: Vec<&str> = found.groupings.iter().map(|g| g.by).collect();
            parser.violation("group_by", format!("must be empty or one of {} for this measure", allowed.join(", ")));
        }
        if school.is_some() && grouping.is_some() && message.measure_id == EQUITY {
            parser.violation("school_id", "must be empty: this measure has groups for the whole district only");
        }
        let record = school.map_or_else(Record::district, Record::school);
        let granted = self.access.authorize(&caller, "reporting.GetMeasure", &record).or_status()?;
        parser.finish().or_status()?;
        let measure = found.ok_or(ReportError::UnknownMeasure).or_status()?;
        let (school_year, as_of) = period(message.school_year, as_of, chassis_clock::today()).or_status()?;
        let suppression = (school.is_none() || !is_case_team(&granted.basis)).then_some(self.threshold);
        let question = measure::Question { measure, school, school_year, as_of, grouping, suppression };
        let cells = match grouping.filter(|_| measure.id == EQUITY) {
            Some(grouping) => {
                equity::permit(&caller).or_status()?;
                let asked = equity::Asked { group_by: grouping.by, school_year, as_of, threshold: self.threshold };
                equity::answer(&self.pool, self.groups.as_ref(), asked).await.or_status()?
            }
            None => measure::answer::answer(&self.pool, question).await.map_err(ReportError::from).or_status()?,
        };
        Ok(Response::new(GetMeasureResponse {
            measure: Some(described(measure)),
            cells: cells.into_iter().map(cell).collect(),
            as_of_date: as_of.to_string(),
            school_year,
            access_basis: granted.basis,
            suppression_applied: suppression.is_some(),
        }))
    }

    async fn list_students_with_unmet_needs(
        &self,
        request: Request<ListStudentsWithUnmetNeedsRequest>,
    ) -> Result<Response<ListStudentsWithUnmetNeedsResponse>, Status> {
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut parser = Parser::new();
        let school = parser.optional_uuid("school_id", &message.school_id);
        let domain = parser.known_enum::<Domain>("domain", message.domain);
        let as_of = parser.optional_date("as_of_date", &message.as_of_date).unwrap_or_else(chassis_clock::today);
        parser.finish().or_status()?;
        let question = unmet::Question { school, domain: domain_word(domain), as_of, page_size: message.page_size, page_token: message.page_token };
        let page = unmet::list(&self.pool, &self.access, &caller, &question).await.or_status()?;
        Ok(Response::new(ListStudentsWithUnmetNeedsResponse {
            students: page.students.into_iter().map(student).collect(),
            next_page_token: page.next_page_token,
            access_basis: page.access_basis,
            as_of_date: as_of.to_string(),
        }))
    }

    async fn get_freshness(&self, request: Request<GetFreshnessRequest>) -> Result<Response<GetFreshnessResponse>, Status> {
        self.access.role_suffices(&Caller::of(&request)?);
        let topics = freshness::freshness(&self.pool).await.map_err(ReportError::from).or_status()?;
        let topics = topics.into_iter().map(|line| TopicFreshness {
            topic: line.topic,
            applied_count: line.applied_count,
            newest_event_time: line
                .newest_event_time
                .map(|t| prost_types::Timestamp { seconds: t.timestamp(), nanos: i32::try_from(t.timestamp_subsec_nanos()).unwrap_or(0) }),
        });
        Ok(Response::new(GetFreshnessResponse { topics: topics.collect() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn windows_never_cross_the_first_of_july() {
        let today = day("2026-11-20");
        assert_eq!(period(0, None, today).unwrap(), (2027, today));
        assert_eq!(period(0, Some(day("2026-06-30")), today).unwrap(), (2026, day("2026-06-30")));
        assert_eq!(period(0, Some(day("2026-07-01")), today).unwrap().0, 2027);
        assert_eq!(period(2026, None, today).unwrap(), (2026, day("2026-06-30")));
        assert_eq!(period(2027, None, today).unwrap(), (2027, today));
        assert!(period(2026, Some(day("2026-07-01")), today).is_err());
    }

    #[test]
    fn only_the_schools_own_people_see_numbers_in_full() {
        assert!(["school_coordinator", "school_support", "school_leader"].into_iter().all(is_case_team));
        assert!(!["district_aggregate", "partnership_manager", "program_manager", "staff"].into_iter().any(is_case_team));
    }
}
