//! A fictional school, its people, and calls as each of them under the policies that the product ships.

use std::collections::{BTreeMap, BTreeSet};

use chassis_access::Policies;
use chassis_pg::testing;
use sqlx::PgPool;
use tonic::Code;

use super::*;
use crate::app::MIGRATIONS;
use crate::student_review::tests::clock;

/// What is shown first in tests.
pub(crate) const CRISIS: &str = "call first";

/// Two schools; a class of two students at the first.
pub(crate) struct District {
    pub pool: PgPool,
    pub cases: Cases,
    pub school: Uuid,
    pub other_school: Uuid,
    pub class: Uuid,
    pub student: Uuid,
    pub classmate: Uuid,
}

pub(crate) async fn district() -> District {
    let pool = testing::database(&MIGRATIONS).await;
    let [school, other_school, class, student, classmate] = std::array::from_fn(|_| Uuid::now_v7());
    let pairs = [(student, "attends", school), (student, "member", class), (classmate, "attends", school), (classmate, "member", class), (class, "of", school)];
    for (subject, relation, object) in pairs {
        sqlx::query("insert into reviews.relationship (subject, relation, object) values ($1, $2, $3)")
            .bind(subject)
            .bind(relation)
            .bind(object)
            .execute(&pool)
            .await
            .unwrap();
    }
    let policies = Policies::new(include_str!("../../../../policies/wraparound.cedarschema"), include_str!("../../../../policies/wraparound.cedar")).unwrap();
    let cases = Cases {
        access: Access::new(policies, pool.clone()),
        concerns: Concerns::new(pool.clone()),
        individual_reviews: IndividualReviews::new(pool.clone()),
        case_accesses: CaseAccesses::new(pool.clone()),
        clock: clock(),
        crisis_instruction: CRISIS.to_owned(),
    };
    District { pool, cases, school, other_school, class, student, classmate }
}

impl District {
    /// Staff in a role at a school.
    pub fn staff(&self, role: &str, school: Uuid) -> Caller {
        let staff_id = Uuid::now_v7();
        let mut caller = Caller::nobody(&staff_id.to_string());
        caller.staff_id = Some(staff_id);
        caller.roles = BTreeSet::from([role.to_owned()]);
        caller.at = BTreeMap::from([(role.to_owned(), BTreeSet::from([school]))]);
        caller
    }

    pub fn coordinator(&self) -> Caller {
        self.staff("coordinator", self.school)
    }

    /// The class's teacher.
    pub fn teacher(&self) -> Caller {
        let mut caller = self.staff("teacher", self.school);
        caller.teaches = BTreeSet::from([self.class]);
        caller
    }

    /// The caller as the gate finds them now: with the cases that they are on.
    pub async fn now(&self, caller: &Caller) -> Caller {
        let pairs = self.cases.access.relationships().of(caller.staff_id.unwrap()).await.unwrap();
        let mut caller = caller.clone();
        caller.on_case = pairs.iter().filter(|(relation, _)| relation == "on_case").map(|(_, o)| *o).collect();
        caller
    }

    /// How many rows of a statement.
    pub async fn count(&self, what: &str) -> i64 {
        sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select count(*) from reviews.{what}"))).fetch_one(&self.pool).await.unwrap()
    }

    pub async fn published(&self, topic: &str) -> i64 {
        sqlx::query_scalar("select count(*) from reviews.outbox where aggregatetype = $1").bind(topic).fetch_one(&self.pool).await.unwrap()
    }

    pub async fn newest<M: prost::Message + Default>(&self, topic: &str) -> M {
        let payload: Vec<u8> = sqlx::query_scalar("select payload from reviews.outbox where aggregatetype = $1 order by position desc limit 1")
            .bind(topic)
            .fetch_one(&self.pool)
            .await
            .unwrap();
        M::decode(&*payload).unwrap()
    }

    /// A concern about the student, as sent.
    pub fn concern(&self, sensitivity: proto::r#type::v1::Sensitivity) -> Concern {
        Concern {
            concern_id: Uuid::now_v7().to_string(),
            student_id: self.student.to_string(),
            text: "words for tests".to_owned(),
            sensitivity: sensitivity.into(),
            ..Concern::default()
        }
    }

    pub async fn raise(&self, caller: &Caller, concern: Concern) -> Result<RaiseConcernResponse, Status> {
        let message = RaiseConcernRequest { concern: Some(concern), request_id: id() };
        self.cases.raise(as_(caller, message)).await.map(Response::into_inner)
    }
}

/// A new id.
pub(crate) fn id() -> String {
    Uuid::now_v7().to_string()
}

/// A request as somebody.
pub(crate) fn as_<T>(caller: &Caller, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(caller.clone());
    request
}

/// The reason of a refusal, with its code.
pub(crate) fn refusal<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let status = answer.unwrap_err();
    (status.code(), chassis_rpc::fault::reason_of(&status).unwrap_or_default())
}

/// What a refusal looks like that does not say whether something is there.
pub(crate) fn no_access() -> (Code, String) {
    (Code::PermissionDenied, "ACCESS_DENIED".to_owned())
}
