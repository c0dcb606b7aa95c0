//! Something for the whole school, and how many took part.

use chrono::NaiveDate;
use uuid::Uuid;

/// A whole-school activity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// Its id.
    pub activity_id: Uuid,
    /// Where.
    pub school_id: Uuid,
    /// Year in which the school year ends.
    pub school_year: i32,
    /// Name.
    pub name: String,
    /// Category of service.
    pub service_category: String,
    /// First day.
    pub first_on: NaiveDate,
    /// Last day.
    pub last_on: NaiveDate,
    /// People counted on all days.
    pub participation_count: i64,
    /// Different students who were named.
    pub student_count: i64,
    /// For the next write.
    pub version: i64,
}

/// Why a count of a day cannot be, and in which field.
pub fn refusal(activity: &Activity, on_date: NaiveDate, count: i32, named: usize, today: NaiveDate) -> Option<(&'static str, String)> {
    if on_date > today {
        return Some(("on_date", "must not be in the future".to_owned()));
    }
    if on_date < activity.first_on || on_date > activity.last_on {
        return Some(("on_date", format!("must be from {} to {}, the days of the activity", activity.first_on, activity.last_on)));
    }
    (usize::try_from(count).unwrap_or(0) < named).then(|| ("count", format!("must not be below the {named} students who are named")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_counted_within_the_activity_and_holds_those_who_are_named() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let activity = Activity {
            activity_id: Uuid::max(),
            school_id: Uuid::max(),
            school_year: 2027,
            name: "Career day".to_owned(),
            service_category: "CC-EXP".to_owned(),
            first_on: day("2026-10-05"),
            last_on: day("2026-10-07"),
            participation_count: 0,
            student_count: 0,
            version: 1,
        };
        let field = |on, count, named| refusal(&activity, day(on), count, named, day("2026-10-06")).map(|(field, _)| field);
        assert_eq!(field("2026-10-05", 3, 3), None);
        assert_eq!(field("2026-10-06", 0, 0), None);
        assert_eq!(field("2026-10-07", 3, 0), Some("on_date"));
        assert_eq!(field("2026-10-04", 3, 0), Some("on_date"));
        assert_eq!(field("2026-10-05", 2, 3), Some("count"));
    }
}
