//! A referral as its reader may see it. The school's side sees all but the partner's copy; the partner sees what the
//! family agreed to, joined from the roster at the moment of reading.

use std::collections::{BTreeSet, HashMap};

use proto::partners::v1 as pb;
use tonic::Status;
use uuid::Uuid;

use super::entity::{Referral, Step};
use super::events::timestamp;
use super::state::{Side, Transition};
use super::transition::allowed;
use crate::names::Names;
use crate::{scope, taxonomy};

/// Whose eyes.
#[derive(Clone, Copy, Debug)]
pub enum Viewer {
    /// Staff; and whether their role moves referrals at all.
    Staff {
        /// It does.
        moves: bool,
    },
    /// The organisation it is addressed to.
    Partner,
}

/// What can follow, for this viewer.
fn can(referral: &Referral, viewer: Viewer) -> Vec<String> {
    let side = match viewer {
        Viewer::Staff { moves: true } => Side::Requester,
        Viewer::Staff { moves: false } => return Vec::new(),
        Viewer::Partner => Side::Partner,
    };
    // A seat is an accept under another name; one button is enough.
    allowed(referral.state(), referral.mode, side).into_iter().filter(|t| *t != Transition::Seat).map(|t| t.as_str().to_owned()).collect()
}

/// What both sides see.
fn plain(r: &Referral, viewer: Viewer) -> pb::Referral {
    pb::Referral {
        referral_id: r.referral_id.to_string(),
        partner_id: r.partner_id.to_string(),
        service_id: r.service_id.to_string(),
        state: r.state().proto().into(),
        urgency: r.urgency.proto().into(),
        mode: r.mode.proto().into(),
        shared_scopes: r.shared_scopes.clone(),
        respond_by: r.respond_by.map(|d| d.to_string()).unwrap_or_default(),
        reason: r.reason.clone(),
        outcome: r.outcome.into(),
        school_id: r.school_id.to_string(),
        sent_time: r.sent_at.map(timestamp),
        update_time: Some(timestamp(r.updated_at)),
        version: r.version,
        first_step_owner: r.first_step_owner.clone(),
        allowed_transitions: can(r, viewer),
        ..pb::Referral::default()
    }
}

/// For the school's side.
pub fn for_staff(r: &Referral, moves: bool) -> pb::Referral {
    pb::Referral {
        student_id: r.student_id.to_string(),
        need_ids: r.need_ids.iter().map(ToString::to_string).collect(),
        plan_item_id: r.plan_item_id.map(|id| id.to_string()).unwrap_or_default(),
        requested_by: if r.requested_by.is_nil() { String::new() } else { r.requested_by.to_string() },
        ..plain(r, Viewer::Staff { moves })
    }
}

/// For the partner: the consented part of each student's record, asked of the roster as this service itself.
pub async fn for_partner(names: &dyn Names, referrals: &[Referral]) -> Result<Vec<pb::Referral>, Status> {
    let shown: Vec<&Referral> = referrals.iter().filter(|r| r.shares(scope::IDENTITY)).collect();
    let students: BTreeSet<Uuid> = shown.iter().map(|r| r.student_id).collect();
    let schools: BTreeSet<Uuid> = shown.iter().map(|r| r.school_id).collect();
    let (students, schools) = if shown.is_empty() {
        (HashMap::new(), HashMap::new())
    } else {
        tokio::try_join!(names.students(students.into_iter().collect()), names.schools(schools.into_iter().collect()))?
    };
    Ok(referrals
        .iter()
        .map(|r| {
            let identity = r.shares(scope::IDENTITY);
            let student = if identity { students.get(&r.student_id) } else { None };
            let shared = pb::SharedStudent {
                display_name: student.map(|s| s.display_name.clone()).unwrap_or_default(),
                grade: student.map(|s| s.grade.clone()).unwrap_or_default(),
                school_name: if identity { schools.get(&r.school_id).cloned().unwrap_or_default() } else { String::new() },
                need_codes: if r.shares(scope::NEEDS) { general(&r.need_codes) } else { Vec::new() },
                service_category: if r.shares(scope::PLAN_ITEM) { r.service_category.clone() } else { String::new() },
            };
            pb::Referral {
                student_id: if identity { r.student_id.to_string() } else { String::new() },
                // Which school it is says something of who it is.
                school_id: if identity { r.school_id.to_string() } else { String::new() },
                shared_student: (shared != pb::SharedStudent::default()).then_some(shared),
                ..plain(r, Viewer::Partner)
            }
        })
        .collect())
}

/// The codes that a partner may see: known ones that are general.
fn general(codes: &[String]) -> Vec<String> {
    codes.iter().filter(|code| taxonomy::need(code) == Some(true)).cloned().collect()
}

/// A step. A partner sees those from the sending on.
pub fn step(step: &Step) -> pb::ReferralStep {
    pb::ReferralStep {
        time: Some(timestamp(step.at)),
        transition: step.transition.clone(),
        state: step.state.proto().into(),
        side: step.side.clone(),
        reason: step.reason.clone(),
    }
}
