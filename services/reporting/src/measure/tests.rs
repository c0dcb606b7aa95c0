//! The worked district's figures, counted by hand; and that order and repetition of events change none of them.

use chassis_events::Event;
use sqlx::PgPool;

use super::answer::{Cell, Question, answer};
use super::*;
use crate::app::MIGRATIONS;
use crate::suppression::Status;
use crate::worked_district::{YEAR, apply, concern, day, events, individual_review, school, tier, today};

async fn district() -> PgPool {
    let pool = chassis_pg::testing::database(&MIGRATIONS).await;
    apply(&pool, &events()).await;
    pool
}

async fn ask(pool: &PgPool, id: &str, by: &str, as_of: NaiveDate, suppression: Option<u32>) -> Vec<Cell> {
    let measure = find(id).unwrap();
    let grouping = measure.grouping(by);
    assert!(grouping.is_some() || by.is_empty(), "{id} is not broken down by {by}");
    answer(pool, Question { measure, school: None, school_year: YEAR, as_of, grouping, suppression }).await.unwrap()
}

/// `group numerator/denominator`, as a table reads.
fn lines(cells: &[Cell]) -> Vec<String> {
    let number = |n: Option<i64>| n.map_or("-".to_owned(), |n| n.to_string());
    cells.iter().map(|c| format!("{} {}/{}", c.group, number(c.numerator), number(c.denominator)).trim().to_owned()).collect()
}

#[tokio::test]
async fn the_wholes_are_as_counted_by_hand() {
    let pool = district().await;
    let expected = [
        ("RV-1", "4/5"),
        ("RV-3", "3/4"),
        ("RV-4", "3/4"),
        ("RV-6", "1/5"),
        ("TR-1", "4/4"),
        ("TR-2", "0/0"),
        ("TR-3", "1/4"),
        ("TR-4", "4/4"),
        ("CN-1", "1/4"),
        ("ISR-1", "1/1"),
        ("ISR-2", "1/2"),
        ("ISR-3", "2/5"),
        ("ND-1", "3/4"),
        ("ND-2", "3/5"),
        ("ND-3", "2/3"),
        ("ND-4", "3/3"),
        ("ND-5", "1/3"),
        ("PL-1", "2/5"),
        ("PL-2", "1/2"),
        ("PL-3", "2/3"),
        ("PL-4", "1/4"),
        ("GL-1", "2/4"),
        ("SV-3", "50/120"),
        ("SV-4", "2/3"),
        ("RF-1", "6/-"),
        ("RF-2", "2/5"),
        ("RF-3", "2/3"),
        ("RF-4", "1/2"),
        ("RF-5", "1/4"),
        ("RF-6", "1/1"),
    ];
    assert_eq!(expected.map(|(id, _)| id).to_vec(), MEASURES.iter().map(|m| m.id).collect::<Vec<_>>(), "every measure has its figure here");
    for (id, figure) in expected {
        assert_eq!(lines(&ask(&pool, id, "", today(), None).await), [figure], "{id}");
    }
}

#[tokio::test]
async fn the_groups_are_as_counted_by_hand() {
    let pool = district().await;
    let (a, b) = (school(1).to_string(), school(2).to_string());
    let cases: [(&str, &str, Vec<String>); 13] = [
        // Student 6 counts at both schools, and once for the district.
        ("RV-1", "school", vec!["4/5".into(), format!("{a} 3/4"), format!("{b} 2/2")]),
        ("RV-6", "reason", vec!["1/5".into(), "time 1/5".into()]),
        ("TR-1", "tier", vec!["4/4".into(), "Tier 1 1/4".into(), "Tier 2a 1/4".into(), "Tier 2b 1/4".into(), "Tier 3 1/4".into()]),
        ("CN-1", "urgency", vec!["1/4".into(), "urgent 1/2".into(), "routine 0/2".into()]),
        ("ISR-2", "voice", vec!["2/2".into(), "attended 1/2".into(), "sent_input 0/2".into(), "declined 1/2".into(), "unreachable 0/2".into()]),
        ("ISR-3", "grade", vec!["2/5".into(), "04 2/5".into()]),
        (
            "PL-2",
            "response",
            ["2/2", "agreed 1/2", "agreed_in_part 0/2", "asked_changes 0/2", "declined 0/2", "no_reply 0/2", "shared 1/2"].map(String::from).into(),
        ),
        ("GL-1", "area", ["2/4", "attendance 1/1", "behaviour 1/1", "coursework 0/1", "social_emotional 0/0", "other 0/1"].map(String::from).into()),
        ("TR-3", "reason", vec!["1/4".into(), "knows_more 1/4".into()]),
        ("ND-2", "reason", vec!["3/5".into(), "no_capacity 1/5".into(), "not_yet_arranged 2/5".into()]),
        ("ND-2", "domain", vec!["3/5".into(), "academics 0/1".into(), "social_emotional 0/1".into(), "health 2/2".into(), "family 1/1".into()]),
        ("ND-3", "tier", vec!["2/3".into(), "Tier 1 0/1".into(), "Tier 2a 1/1".into(), "Tier 3 1/1".into()]),
        ("ND-5", "age", vec!["3/3".into(), "20 or less 1/3".into(), "21 to 40 1/3".into(), "41 to 60 1/3".into(), "over 60 0/3".into()]),
    ];
    for (id, by, expected) in cases {
        assert_eq!(lines(&ask(&pool, id, by, today(), None).await), expected, "{id} by {by}");
    }
}

#[tokio::test]
async fn an_earlier_day_sees_what_stood_then() {
    let pool = district().await;
    let tiers = lines(&ask(&pool, "TR-1", "tier", day("2026-10-20"), None).await);
    assert_eq!(tiers, ["4/4", "Tier 1 2/4", "Tier 2a 1/4", "Tier 2b 0/4", "Tier 3 1/4"]);
    assert_eq!(lines(&ask(&pool, "PL-1", "", day("2026-11-10"), None).await), ["3/5"]);
    // On the 20th school day a need is still within its time; on the 21st it is not.
    assert_eq!(lines(&ask(&pool, "ND-4", "", day("2026-11-02"), None).await), ["1/1"]);
    assert_eq!(lines(&ask(&pool, "ND-4", "", day("2026-11-03"), None).await), ["2/2"]);
    // Two needs that were judged no longer to be needs, one of them because it is understood as another: before and after.
    assert_eq!(lines(&ask(&pool, "ND-2", "", day("2026-10-20"), None).await), ["1/5"]);
    assert_eq!(lines(&ask(&pool, "ND-2", "", day("2026-10-21"), None).await), ["1/3"]);
    // Before the reviews nobody was reviewed, and a rate of nothing has no value.
    assert_eq!(lines(&ask(&pool, "RV-1", "", day("2026-09-01"), None).await), ["0/5"]);
    let none = ask(&pool, "RV-3", "", day("2026-09-01"), None).await;
    assert_eq!((lines(&none), none[0].value()), (vec!["0/0".to_owned()], None));
}

#[tokio::test]
async fn tiers_move_between_fall_and_spring() {
    let pool = district().await;
    let spring = day("2027-05-03");
    // Student 6's tier in between counts for neither.
    assert_eq!(lines(&ask(&pool, "TR-2", "movement", spring, None).await), ["4/4", "down 1/4", "same 2/4", "up 1/4"]);
    assert_eq!(lines(&ask(&pool, "TR-2", "tier", spring, None).await), ["1/4", "Tier 1 0/2", "Tier 2a 0/1", "Tier 3 1/1"]);
    assert_eq!(lines(&ask(&pool, "TR-2", "", day("2027-03-31"), None).await), ["0/0"]);
}

#[tokio::test]
async fn times_are_kept_or_passed_on_the_day() {
    let pool = district().await;
    // A plan is asked about from the eleventh day after it was shown.
    assert_eq!(lines(&ask(&pool, "PL-2", "", day("2026-10-15"), None).await), ["0/0"]);
    assert_eq!(lines(&ask(&pool, "PL-2", "", day("2026-10-16"), None).await), ["1/3"]);
    // Before it was held; and before its review date had passed.
    assert_eq!(lines(&ask(&pool, "ISR-1", "", day("2026-10-19"), None).await), ["0/1"]);
    assert_eq!(lines(&ask(&pool, "ISR-3", "", day("2026-11-10"), None).await), ["0/0"]);
    assert_eq!(lines(&ask(&pool, "ISR-3", "", day("2026-11-11"), None).await), ["2/2"]);
    assert_eq!(lines(&ask(&pool, "ISR-3", "", day("2026-12-21"), None).await), ["2/6"]);
    // A goal set six weeks before the year's end counts, a day later it does not.
    assert_eq!(lines(&ask(&pool, "GL-1", "", day("2027-06-30"), None).await), ["3/5"]);
    // The triage of a later day is not known yet.
    assert_eq!(lines(&ask(&pool, "CN-1", "urgency", day("2026-10-05"), None).await), ["1/2", "urgent 1/1", "routine 0/1"]);
}

#[tokio::test]
async fn an_individual_review_is_done_up_to_the_thirtieth_school_day() {
    use proto::reviews::v1::{FamilyVoice, IndividualReviewState::Held};
    use proto::r#type::v1::Tier;
    // Tier 3 on Monday 2026-09-07; the 30th school day after it is Monday 2026-10-19.
    for (held, figure) in [("2026-10-19", "1/1"), ("2026-10-20", "0/1"), ("2026-09-04", "1/1")] {
        let pool = chassis_pg::testing::database(&MIGRATIONS).await;
        let events = [
            tier(1, 1, Tier::Tier3, Tier::Tier3, 1, "2026-09-07"),
            tier(1, 2, Tier::Tier3, Tier::Tier3, 0, "2026-10-30"),
            individual_review(1, 1, 1, Held, held, (FamilyVoice::Attended, held, "", 0)),
        ];
        apply(&pool, &events).await;
        assert_eq!(lines(&ask(&pool, "ISR-1", "", today(), None).await), [figure], "{held}");
    }
}

#[tokio::test]
async fn what_was_raised_to_protected_is_not_counted() {
    use proto::reviews::v1::{ConcernChanged, ConcernUrgency::Routine};
    use proto::r#type::v1::Sensitivity;
    let pool = chassis_pg::testing::database(&MIGRATIONS).await;
    let open = concern(1, 1, 1, Routine, "2026-10-05", "2026-10-08", "");
    apply(&pool, std::slice::from_ref(&open)).await;
    assert_eq!(lines(&ask(&pool, "CN-1", "", today(), None).await), ["0/1"]);
    let told: ConcernChanged = open.decode().unwrap().unwrap();
    let raised = ConcernChanged { version: 2, sensitivity: Sensitivity::Protected.into(), ..told };
    apply(&pool, &[Event::new("reviews.concern.v1", school(1), &raised, None)]).await;
    for as_of in [day("2026-10-05"), today()] {
        assert_eq!(lines(&ask(&pool, "CN-1", "", as_of, None).await), ["0/0"]);
    }
}

#[tokio::test]
async fn a_school_sees_its_own_in_full_and_others_see_nothing_small() {
    let pool = district().await;
    let measure = find("RV-1").unwrap();
    let own = Question { measure, school: Some(school(1)), school_year: YEAR, as_of: today(), grouping: measure.grouping("grade"), suppression: None };
    assert_eq!(lines(&answer(&pool, own).await.unwrap()), ["3/4", "04 3/4"]);
    let unknown = Question { school: Some(school(99)), ..own };
    assert_eq!(lines(&answer(&pool, unknown).await.unwrap()), ["0/0"]);
    for measure in MEASURES {
        for grouping in std::iter::once(None).chain(measure.groupings.iter().map(Some)) {
            for school in [None, Some(school(1))] {
                let asked = Question { measure, school, grouping, suppression: Some(10), ..own };
                for cell in answer(&pool, asked).await.unwrap() {
                    let hidden = cell.numerator.is_none() && cell.denominator.is_none() && cell.value().is_none();
                    let empty = cell.numerator == Some(0) && cell.denominator.unwrap_or(0) == 0;
                    assert!(hidden && cell.status != Status::Shown || empty, "{} shows {cell:?}", measure.id);
                }
            }
        }
    }
}

/// Everything that can be asked.
async fn all_figures(pool: &PgPool) -> Vec<(String, Vec<Cell>)> {
    let mut figures = Vec::new();
    for measure in MEASURES {
        for by in std::iter::once("").chain(measure.groupings.iter().map(|g| g.by)) {
            for as_of in [today(), day("2026-10-20"), day("2027-06-30")] {
                figures.push((format!("{} by {by} at {as_of}", measure.id), ask(pool, measure.id, by, as_of, None).await));
            }
        }
    }
    figures
}

/// Another order in which the log may hand out the same events: each topic's keys in their own order, topics mixed,
/// and anything handed out again later.
fn another_order(events: &[Event], seed: u64) -> Vec<Event> {
    let mut state = seed;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut queues: std::collections::BTreeMap<(String, String), std::collections::VecDeque<Event>> = Default::default();
    for event in events {
        queues.entry((event.topic.clone(), event.key.clone())).or_default().push_back(event.clone());
    }
    let mut queues: Vec<_> = queues.into_values().collect();
    let mut told: Vec<Event> = Vec::new();
    while !queues.is_empty() {
        let chosen = random(queues.len());
        told.extend(queues[chosen].pop_front());
        if queues[chosen].is_empty() {
            queues.swap_remove(chosen);
        }
        if random(3) == 0 {
            told.push(told[random(told.len())].clone());
        }
    }
    told
}

#[tokio::test]
async fn rebuilding_from_the_log_gives_the_same_figures_whatever_the_order() {
    let pool = district().await;
    let before = all_figures(&pool).await;
    for seed in 1..=5 {
        sqlx::query("drop schema reporting cascade").execute(&pool).await.unwrap();
        MIGRATIONS.apply(&pool).await.unwrap();
        apply(&pool, &another_order(&events(), seed)).await;
        assert_eq!(all_figures(&pool).await, before, "seed {seed}");
    }
}

#[tokio::test]
async fn school_days_are_weekdays() {
    let pool = chassis_pg::testing::database(&MIGRATIONS).await;
    let wrong: i64 = sqlx::query_scalar(
        "select count(*)
         from generate_series(0, 400, 7) as s, generate_series(0, 90) as d,
              lateral (select date '1999-10-01' + s + s / 7 as since) as f
         where reporting.school_days(since, since + d)
            <> (select count(*) from generate_series(1, d) as i where extract(isodow from since + i) < 6)",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(wrong, 0);
}
