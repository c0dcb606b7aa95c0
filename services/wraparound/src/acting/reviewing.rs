//! A class review, as a teacher and a coordinator hold it.

use chrono::{Days, NaiveDate};
use proto::reviews::v1::{
    ClassReview, ClassReviewState, CompleteStudentReviewRequest, CreateReviewCycleRequest, Entry, GetClassReviewRequest, GetClassReviewResponse,
    GetStudentReviewRequest, ListReviewCyclesRequest, Polarity, PutEntryRequest, Season, SignClassReviewRequest, StartClassReviewRequest, StudentReview,
    StudentReviewState, SubmitClassReviewRequest, UpdateStudentReviewRequest,
};
use proto::r#type::v1::{Domain, Tier};

use super::{Person, Services, Told as _, patiently, request_id};

/// The four domains.
pub const DOMAINS: [Domain; 4] = [Domain::Academics, Domain::SocialEmotional, Domain::Health, Domain::Family];

/// A cycle of a school year that is open on a day (today where empty); opened where there is none.
pub async fn cycle(services: &Services, manager: &Person, school_year: i32, day: &str) -> anyhow::Result<String> {
    let day: NaiveDate = day.parse().unwrap_or_else(|_| chassis_clock::today());
    let cycles = services.reviews().list_review_cycles(manager.asks(ListReviewCyclesRequest { school_year })).await.told("list the review cycles")?.cycles;
    // ISO dates sort as days do.
    let on = day.to_string();
    if let Some(cycle) = cycles.iter().find(|c| c.opens_on <= on && on <= c.closes_on) {
        return Ok(cycle.review_cycle_id.clone());
    }
    let season = if cycles.iter().any(|c| c.season() == Season::Fall) { Season::Custom } else { Season::Fall };
    let request = CreateReviewCycleRequest {
        school_year,
        season: season.into(),
        opens_on: day.checked_sub_days(Days::new(60)).unwrap_or(day).to_string(),
        closes_on: day.checked_add_days(Days::new(120)).unwrap_or(day).to_string(),
        request_id: request_id(),
        ..Default::default()
    };
    let cycle = services.reviews().create_review_cycle(manager.asks(request)).await.told("open a review cycle")?.cycle;
    Ok(cycle.unwrap_or_default().review_cycle_id)
}

/// Starts the review of a class. Waits until the service has heard of the class.
pub async fn start(services: &Services, who: &Person, cycle: &str, class: &str, roster_date: &str) -> anyhow::Result<ClassReview> {
    let started = patiently("start the class review", || {
        let request = StartClassReviewRequest {
            review_cycle_id: cycle.to_owned(),
            class_id: class.to_owned(),
            roster_date: roster_date.to_owned(),
            request_id: request_id(),
        };
        let mut client = services.reviews();
        let request = who.asks(request);
        async move { client.start_class_review(request).await }
    })
    .await?;
    Ok(started.class_review.unwrap_or_default())
}

/// The class review with its students.
pub async fn read(services: &Services, who: &Person, review: &str) -> anyhow::Result<GetClassReviewResponse> {
    services.reviews().get_class_review(who.asks(GetClassReviewRequest { class_review_id: review.to_owned() })).await.told("read the class review")
}

/// Writes an entry, where it is not there yet.
pub async fn put(services: &Services, who: &Person, student: &StudentReview, entry: Entry) -> anyhow::Result<()> {
    if student.entries.iter().any(|e| e.entry_id == entry.entry_id) {
        return Ok(());
    }
    let doing = format!("write the entry {}", entry.code);
    let request = PutEntryRequest {
        class_review_id: student.class_review_id.clone(),
        student_id: student.student_id.clone(),
        entry: Some(entry),
        expected_version: 0,
        request_id: request_id(),
    };
    services.reviews().put_entry(who.asks(request)).await.told(&doing)?;
    Ok(())
}

/// The tier decided, where it differs from the suggestion with a reason.
#[derive(Clone, Copy, Debug)]
pub enum Decision {
    /// As suggested.
    AsSuggested,
    /// One step up or down, with the reason.
    Otherwise(i32, &'static str),
}

/// One step up or down, where there is such a tier.
fn stepped(tier: Tier, step: i32) -> Tier {
    Tier::try_from((tier as i32 + step).clamp(Tier::Tier1 as i32, Tier::Tier3 as i32)).unwrap_or(tier)
}

/// Marks what is without concern, decides the tier and completes the student's review.
pub async fn complete(services: &Services, who: &Person, class_review: &str, student: &str, decision: Decision) -> anyhow::Result<StudentReview> {
    let request = GetStudentReviewRequest { class_review_id: class_review.to_owned(), student_id: student.to_owned() };
    let review = services.reviews().get_student_review(who.asks(request)).await.told("read the student's review")?.student_review.unwrap_or_default();
    if review.state() == StudentReviewState::Reviewed {
        return Ok(review);
    }
    let quiet = DOMAINS.into_iter().filter(|d| !review.entries.iter().any(|e| e.domain() == *d));
    let strong = review.entries.iter().any(|e| e.polarity() == Polarity::Strength);
    let suggested = review.suggested_tier();
    let (assigned, reason) = match decision {
        Decision::AsSuggested => (suggested, ""),
        Decision::Otherwise(step, reason) => (stepped(suggested, step), reason),
    };
    let request = UpdateStudentReviewRequest {
        class_review_id: class_review.to_owned(),
        student_id: student.to_owned(),
        no_concern_domains: quiet.map(i32::from).collect(),
        assigned_tier: assigned.into(),
        tier_reason: if assigned == suggested { String::new() } else { reason.to_owned() },
        tier_reason_text: String::new(),
        no_strength_reason: if strong { String::new() } else { "The student is new to the class.".to_owned() },
        expected_version: review.version,
        request_id: request_id(),
    };
    let review = services.reviews().update_student_review(who.asks(request)).await.told("decide the tier")?.student_review.unwrap_or_default();
    let request = CompleteStudentReviewRequest {
        class_review_id: class_review.to_owned(),
        student_id: student.to_owned(),
        expected_version: review.version,
        request_id: request_id(),
    };
    Ok(services.reviews().complete_student_review(who.asks(request)).await.told("complete the student's review")?.student_review.unwrap_or_default())
}

/// Hands the class review in.
pub async fn submit(services: &Services, who: &Person, review: &ClassReview) -> anyhow::Result<ClassReview> {
    let request = SubmitClassReviewRequest { class_review_id: review.class_review_id.clone(), expected_version: review.version, request_id: request_id() };
    Ok(services.reviews().submit_class_review(who.asks(request)).await.told("hand the class review in")?.class_review.unwrap_or_default())
}

/// Signs it. `instead` is the reason where a principal signs for the teacher.
pub async fn sign(services: &Services, who: &Person, review: &ClassReview, instead: &str) -> anyhow::Result<ClassReview> {
    if review.state() == ClassReviewState::Complete {
        return Ok(review.clone());
    }
    let request = SignClassReviewRequest {
        class_review_id: review.class_review_id.clone(),
        expected_version: review.version,
        request_id: request_id(),
        instead_of_teacher_reason: instead.to_owned(),
    };
    Ok(services.reviews().sign_class_review(who.asks(request)).await.told("sign the class review")?.class_review.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_end_at_the_outer_tiers() {
        assert_eq!(stepped(Tier::Tier1, -1), Tier::Tier1);
        assert_eq!(stepped(Tier::Tier2a, 1), Tier::Tier2b);
        assert_eq!(stepped(Tier::Tier3, 1), Tier::Tier3);
    }
}
