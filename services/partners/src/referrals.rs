//! `ReferralService`: each call by the aggregate that it is about, and the three that read referrals.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chassis_access::log::LONG_LIST;
use chassis_access::{Access, AccessError, Caller, Sensitivity};
use chassis_pg::DbError;
use chassis_rpc::{OrStatus as _, PageToken, Parser, status};
use chrono::{DateTime, Utc};
use futures_util::{Stream, StreamExt as _, stream};
use proto::partners::v1 as pb;
use proto::partners::v1::referral_service_server::ReferralService;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::names::Names;
use crate::referral::repo::Filter;
use crate::referral::watch::{Hub, Update};
use crate::referral::{self, Audience, Mode, Referral, State, repo, view};

/// What the calls need.
pub struct Referrals {
    pub(crate) pool: PgPool,
    pub(crate) access: Access,
    pub(crate) names: Arc<dyn Names>,
    pub(crate) hub: Hub,
    pub(crate) heartbeat: Duration,
    pub(crate) stop: CancellationToken,
}

impl Referrals {
    /// Referrals as their reader may see them, and a line in the access log where there must be one.
    async fn read(&self, caller: &Caller, action: &str, audience: &Audience, found: &[Referral]) -> Result<Vec<pb::Referral>, Status> {
        if audience.partner.is_some() {
            return view::for_partner(&*self.names, found).await;
        }
        let protected = found.iter().any(|r| r.mode == Mode::Protected);
        let sensitivity = if protected { Sensitivity::Protected } else { Sensitivity::General };
        let mut students: Vec<Uuid> = found.iter().map(|r| r.student_id).collect();
        students.sort();
        students.dedup();
        self.access.log_read(caller, action, &audience.basis, sensitivity, None, students.len()).await.or_status()?;
        let moves = self.moves(caller);
        Ok(found.iter().map(|r| view::for_staff(r, moves)).collect())
    }

    async fn get(&self, request: Request<pb::GetReferralRequest>) -> Result<Response<pb::GetReferralResponse>, Status> {
        let caller = Caller::of(&request)?;
        let mut parser = Parser::new();
        let referral_id = parser.uuid("referral_id", &request.get_ref().referral_id);
        parser.finish().or_status()?;
        let (mut referral, _, access_basis) = self.admit(&caller, "partners.GetReferral", referral_id).await?;
        let partner = caller.organisation_id.is_some();
        // Reading it is opening it; a list is not.
        if partner && referral.state() == State::Sent {
            referral = referral::opened(&self.pool, referral_id).await.or_status()?;
        }
        let steps = referral::with_steps(&self.pool, referral_id).await.or_status()?;
        // How the draft came about is the school's own.
        let own = |s: &&referral::entity::Step| !partner || s.state != State::Draft;
        let steps = steps.iter().filter(own).map(view::step).collect();
        Ok(Response::new(pb::GetReferralResponse { referral: Some(self.shown(&caller, referral).await?), steps, access_basis }))
    }

    async fn list(&self, request: Request<pb::ListReferralsRequest>) -> Result<Response<pb::ListReferralsResponse>, Status> {
        const ACTION: &str = "partners.ListReferrals";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut parser = Parser::new();
        let school_id = parser.optional_uuid("school_id", &message.school_id);
        let student_id = parser.optional_uuid("student_id", &message.student_id);
        if message.states.len() > State::ALL.len() {
            parser.violation("states", "must name each state once at most");
        }
        let mut states = Vec::new();
        for (i, number) in message.states.iter().take(State::ALL.len()).enumerate() {
            let known: Option<pb::ReferralState> = parser.required_enum(&format!("states[{i}]"), *number);
            states.extend(known.and_then(State::from_proto).map(|s| s.as_str().to_owned()));
        }
        parser.finish().or_status()?;
        let what = format!("{school_id:?} {student_id:?} {states:?}");
        let page = PageToken::page::<(DateTime<Utc>, Uuid)>(message.page_size, &message.page_token, &what, 100, 500).or_status()?;
        let audience = match (caller.organisation_id, student_id, school_id) {
            (None, Some(student), _) => {
                let (granted, _) = self.access.authorize_student(&caller, ACTION, student).await.or_status()?;
                Audience { basis: granted.basis, ..Audience::of(&self.access, &caller, ACTION).or_status()? }
            }
            (None, None, Some(school)) => Audience::of_school(&self.access, &caller, ACTION, school).or_status()?,
            _ => Audience::of(&self.access, &caller, ACTION).or_status()?,
        };
        // A partner asks for what it was sent; who the student or the school is, it learns from there.
        if audience.partner.is_some() && (student_id.is_some() || school_id.is_some()) {
            return Err(status(AccessError::Denied { action: ACTION.to_owned() }));
        }
        let filter = Filter { student_id, school_id, states: (!states.is_empty()).then_some(states), after: page.after, ..Filter::default() };
        let mut conn = self.pool.acquire().await.map_err(DbError::from).or_status()?;
        let mut found = repo::list(&mut conn, &audience, &filter, page.size + 1).await.or_status()?;
        drop(conn);
        let next_page_token = PageToken::cut(&mut found, page.size, &what, |r| (r.created_at, r.referral_id));
        let referrals = self.read(&caller, ACTION, &audience, &found).await?;
        Ok(Response::new(pb::ListReferralsResponse { referrals, next_page_token, access_basis: audience.basis }))
    }

    async fn watch(self: Arc<Self>, request: Request<pb::WatchReferralsRequest>) -> Result<Response<Watching>, Status> {
        const ACTION: &str = "partners.WatchReferrals";
        let caller = Caller::of(&request)?;
        let audience = Audience::of(&self.access, &caller, ACTION).or_status()?;
        let changes_only = request.get_ref().changes_only;
        let updates = self.hub.follow(self.pool.clone(), audience.clone(), changes_only, self.heartbeat, self.stop.clone());
        // What waits is shown together: names are asked for once, not referral by referral.
        let shown = Arc::new(AtomicUsize::new(0));
        let stream = updates.ready_chunks(64).then(move |updates| {
            let (this, caller, audience, shown) = (self.clone(), caller.clone(), audience.clone(), shown.clone());
            async move { stream::iter(this.shown_together(&caller, ACTION, &audience, updates, &shown).await) }
        });
        let stream = stream.flatten();
        Ok(Response::new(Box::pin(stream)))
    }
}

impl Referrals {
    /// Updates in their order as the watcher may see them; ends at the first that cannot be shown.
    async fn shown_together(
        &self,
        caller: &Caller,
        action: &str,
        audience: &Audience,
        updates: Vec<Update>,
        shown: &AtomicUsize,
    ) -> Vec<Result<pb::WatchReferralsResponse, Status>> {
        let mut found = Vec::with_capacity(updates.len());
        let mut answers = Vec::with_capacity(updates.len());
        let mut failed = None;
        let mut beats = false;
        for update in updates {
            match update {
                Ok(Some(referral)) => found.push(referral),
                Ok(None) => beats = true,
                Err(error) => {
                    failed = Some(status(error));
                    break;
                }
            }
        }
        // A stream becomes a long list by and by; it is logged once, when it has.
        let before = shown.fetch_add(found.len(), Ordering::Relaxed);
        let long = before <= LONG_LIST && before + found.len() > LONG_LIST;
        let logged = if long {
            self.access.log_read(caller, action, &audience.basis, Sensitivity::General, None, before + found.len()).await.or_status()
        } else {
            Ok(())
        };
        let read = match logged {
            Ok(()) => self.read(caller, action, audience, &found).await,
            Err(status) => Err(status),
        };
        match read {
            Ok(shown) => answers.extend(shown.into_iter().map(|referral| Ok(pb::WatchReferralsResponse { referral: Some(referral) }))),
            Err(status) => failed = Some(status),
        }
        if beats && answers.is_empty() && failed.is_none() {
            answers.push(Ok(pb::WatchReferralsResponse { referral: None }));
        }
        answers.extend(failed.map(Err));
        answers
    }
}

type Watching = Pin<Box<dyn Stream<Item = Result<pb::WatchReferralsResponse, Status>> + Send>>;

/// The service as tonic serves it.
pub struct ReferralsServer(pub Arc<Referrals>);

#[tonic::async_trait]
impl ReferralService for ReferralsServer {
    type WatchReferralsStream = Watching;

    async fn create_referral(&self, request: Request<pb::CreateReferralRequest>) -> Result<Response<pb::CreateReferralResponse>, Status> {
        self.0.create_referral_of(request).await
    }
    async fn check_sharing(&self, request: Request<pb::CheckSharingRequest>) -> Result<Response<pb::CheckSharingResponse>, Status> {
        self.0.check_sharing_of(request).await
    }
    async fn send_referral(&self, request: Request<pb::SendReferralRequest>) -> Result<Response<pb::SendReferralResponse>, Status> {
        self.0.send_referral_of(request).await
    }
    async fn get_referral(&self, request: Request<pb::GetReferralRequest>) -> Result<Response<pb::GetReferralResponse>, Status> {
        self.0.get(request).await
    }
    async fn list_referrals(&self, request: Request<pb::ListReferralsRequest>) -> Result<Response<pb::ListReferralsResponse>, Status> {
        self.0.list(request).await
    }
    async fn watch_referrals(&self, request: Request<pb::WatchReferralsRequest>) -> Result<Response<Watching>, Status> {
        self.0.clone().watch(request).await
    }
    async fn transition_referral(&self, request: Request<pb::TransitionReferralRequest>) -> Result<Response<pb::TransitionReferralResponse>, Status> {
        self.0.transition_referral_of(request).await
    }
    async fn judge_referral(&self, request: Request<pb::JudgeReferralRequest>) -> Result<Response<pb::JudgeReferralResponse>, Status> {
        self.0.judge_referral_of(request).await
    }
    async fn put_consent(&self, request: Request<pb::PutConsentRequest>) -> Result<Response<pb::PutConsentResponse>, Status> {
        self.0.put_consent_of(request).await
    }
    async fn revoke_consent(&self, request: Request<pb::RevokeConsentRequest>) -> Result<Response<pb::RevokeConsentResponse>, Status> {
        self.0.revoke_consent_of(request).await
    }
    async fn list_consents(&self, request: Request<pb::ListConsentsRequest>) -> Result<Response<pb::ListConsentsResponse>, Status> {
        self.0.list_consents_of(request).await
    }
    async fn list_disclosures(&self, request: Request<pb::ListDisclosuresRequest>) -> Result<Response<pb::ListDisclosuresResponse>, Status> {
        self.0.list_disclosures_of(request).await
    }
}
