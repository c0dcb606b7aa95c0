//! Whom one can be, found in the running district through its public APIs.

use std::time::{Duration, Instant};

use proto::partners::v1::{ListPartnersRequest, Partner};
use proto::reviews::v1::{ClassReviewState, ListClassReviewsRequest};
use proto::rosters::v1::{Class, ListClassMembersRequest, ListClassesRequest, ListSchoolsRequest, ListStaffRequest, School, StaffMember};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tonic::Status;
use uuid::Uuid;

use super::claims::Identity;
use crate::acting::{Services, bearing};
use crate::district::addresses::Addresses;

/// A role to step into.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Persona {
    /// What commands call them, e.g. `teacher`.
    pub key: String,
    /// `school`, `district` or `partner`.
    pub group: String,
    /// Role in words.
    pub title: String,
    /// Where, or what for.
    pub note: String,
    /// What their token says.
    pub identity: Identity,
}

/// The district's people, looked up now and then.
pub struct People {
    services: Services,
    known: Mutex<Option<(Instant, Vec<Persona>)>>,
}

/// A roster may come in at any time; so long does a look-up hold.
const FRESH: Duration = Duration::from_secs(10);
/// A service that is away must not keep the sign-in page.
const PATIENCE: Duration = Duration::from_secs(5);

impl People {
    /// Looks people up at these services.
    pub fn new(addresses: &Addresses) -> anyhow::Result<Self> {
        let services = Services::new(
            addresses.tls(),
            &addresses.url("rosters"),
            &addresses.url("reviews"),
            &addresses.url("plans"),
            &addresses.url("partners"),
            &addresses.url("reporting"),
        )?;
        Ok(Self { services, known: Mutex::new(None) })
    }

    /// Everybody; the district's own offices are always there.
    pub async fn everybody(&self, mint: impl Fn(&Identity) -> String) -> Vec<Persona> {
        let mut known = self.known.lock().await;
        if let Some((at, people)) = known.as_ref()
            && at.elapsed() < FRESH
        {
            return people.clone();
        }
        let mut people = Vec::new();
        let manager = mint(&Identity::district("program_manager", ""));
        match tokio::time::timeout(PATIENCE, school_people(&self.services, &manager)).await {
            Ok(Ok(found)) => people.extend(found),
            Ok(Err(status)) => tracing::warn!(code = ?status.code(), "school staff could not be looked up for the sign-in"),
            Err(_) => tracing::warn!("looking up school staff for the sign-in took too long"),
        }
        people.extend(offices());
        let partnership = mint(&Identity::district("partnership_manager", ""));
        match tokio::time::timeout(PATIENCE, self.partners(&partnership)).await {
            Ok(Ok(found)) => people.extend(partner_people(&found)),
            _ => tracing::warn!("partners could not be looked up for the sign-in"),
        }
        // Who is not there yet may be in a moment; only a full house is remembered.
        if people.iter().any(|p| p.group == "school") && people.iter().any(|p| p.group == "partner") {
            *known = Some((Instant::now(), people.clone()));
        }
        people
    }

    async fn partners(&self, token: &str) -> Result<Vec<Partner>, Status> {
        let answer = self.services.directory().list_partners(bearing(token, ListPartnersRequest { page_size: 50, page_token: String::new() })).await?;
        Ok(answer.into_inner().partners.into_iter().filter(|p| p.status == "active").collect())
    }
}

fn offices() -> Vec<Persona> {
    let office = |key: &str, role: &str, title: &str, name: &str, note: &str| Persona {
        key: key.to_owned(),
        group: "district".to_owned(),
        title: title.to_owned(),
        note: note.to_owned(),
        identity: Identity::district(role, name),
    };
    vec![
        office("district-leader", "district_leader", "District leader", "Robin Halloway", "Numbers of the whole district, no student"),
        office("program-manager", "program_manager", "Program manager", "Sam Okonjo", "Opens review seasons, supervises coordinators at all schools"),
        office("partnership-manager", "partnership_manager", "Partnership manager", "Noor Castellan", "Partner organizations, their services and places"),
        office("data-clerk", "data_clerk", "Data clerk", "Lee Brandt", "Brings rosters in"),
        office("privacy-officer", "privacy_officer", "Privacy officer", "Ines Marlowe", "Consents and the disclosure record"),
        office("auditor", "auditor", "Auditor", "Jo Fairweather", "Reads the disclosure record"),
    ]
}

fn partner_people(partners: &[Partner]) -> Vec<Persona> {
    let names = ["Kit Sorensen", "Dana Whitlock"];
    let mut people = Vec::new();
    for (n, (partner, name)) in partners.iter().zip(names).enumerate() {
        let Ok(id) = Uuid::parse_str(&partner.partner_id) else { continue };
        let suffix = if n == 0 { String::new() } else { format!("-{}", n + 1) };
        let who = |role: &str, sub: String, name: &str| Identity {
            sub,
            name: name.to_owned(),
            roles: vec![role.to_owned()],
            organisation_id: Some(id),
            ..Identity::default()
        };
        people.push(Persona {
            key: format!("partner{suffix}"),
            group: "partner".to_owned(),
            title: "Partner staff".to_owned(),
            note: partner.name.clone(),
            identity: who("partner_user", format!("partner-user:{id}"), name),
        });
        people.push(Persona {
            key: format!("partner-system{suffix}"),
            group: "system".to_owned(),
            title: "Partner's own system".to_owned(),
            note: partner.name.clone(),
            identity: who("partner_system", format!("partner-system-{id}"), &partner.name),
        });
    }
    people
}

/// Staff of the first school, and the teacher whose class review is half done.
async fn school_people(services: &Services, token: &str) -> Result<Vec<Persona>, Status> {
    let schools =
        services.rosters().list_schools(bearing(token, ListSchoolsRequest { page_size: 5, ..ListSchoolsRequest::default() })).await?.into_inner().schools;
    let mut people = Vec::new();
    let Some(school) = schools.first() else { return Ok(people) };
    for (role, key, title, note) in [
        ("coordinator", "coordinator", "Coordinator", "Leads reviews and plans of every student at"),
        ("principal", "principal", "Principal", "Reads everything but protected records at"),
        ("student_support_member", "support", "Counselor or nurse", "Supports every student at"),
    ] {
        for (n, member) in staff_of(services, token, school, role).await?.into_iter().take(2).enumerate() {
            let key = if n == 0 { key.to_owned() } else { format!("{key}-{}", n + 1) };
            people.extend(staff_persona(key, title, format!("{note} {}", school.name), role, &member, school));
        }
    }
    // A school of whose team the roster says nothing still has one to look around with.
    let present = |people: &[Persona], role: &str| people.iter().any(|p| p.identity.roles.iter().any(|r| r == role));
    for (role, key, title, name) in [
        ("coordinator", "coordinator", "Coordinator", "Alex Thornbury"),
        ("principal", "principal", "Principal", "Morgan Vane"),
        ("student_support_member", "support", "Counselor or nurse", "Casey Lindqvist"),
    ] {
        if !present(&people, role) {
            people.extend(stand_in(key, title, name, role, school));
        }
    }
    let mut teachers = Vec::new();
    for (class, half_done) in classes_of(services, token, school).await? {
        if teachers.len() == 3 {
            break;
        }
        let members = services
            .rosters()
            .list_class_members(bearing(token, ListClassMembersRequest { class_id: class.class_id.clone(), as_of_date: crate::acting::day_of(&class) }))
            .await?;
        let Some(teacher) = members.into_inner().staff.into_iter().find(|s| s.roles.iter().any(|r| r == "teacher")) else { continue };
        let key = if teachers.is_empty() { "teacher".to_owned() } else { format!("teacher-{}", teachers.len() + 1) };
        let note = format!("{}, {}{}", class.title, school.name, if half_done { ": a review is half done" } else { "" });
        if teachers.iter().any(|t: &Persona| t.identity.staff_id.map(|id| id.to_string()) == Some(teacher.staff_id.clone())) {
            continue;
        }
        teachers.extend(staff_persona(key, "Teacher", note, "teacher", &teacher, school));
    }
    teachers.extend(people);
    Ok(teachers)
}

async fn staff_of(services: &Services, token: &str, school: &School, role: &str) -> Result<Vec<StaffMember>, Status> {
    let request = ListStaffRequest { school_id: school.school_id.clone(), role: role.to_owned(), page_size: 10, page_token: String::new() };
    Ok(services.rosters().list_staff(bearing(token, request)).await?.into_inner().staff)
}

/// Classes of the school, the one whose review is under way first.
async fn classes_of(services: &Services, token: &str, school: &School) -> Result<Vec<(Class, bool)>, Status> {
    let mut classes = Vec::new();
    for review_units_only in [true, false] {
        let request = ListClassesRequest { school_id: school.school_id.clone(), review_units_only, page_size: 50, page_token: String::new() };
        classes = services.rosters().list_classes(bearing(token, request)).await?.into_inner().classes;
        if !classes.is_empty() {
            break;
        }
    }
    let request = ListClassReviewsRequest { review_cycle_id: String::new(), school_id: school.school_id.clone(), page_size: 100, page_token: String::new() };
    // Personas are there before reviews answer.
    let reviews = services.reviews().list_class_reviews(bearing(token, request)).await.map(|r| r.into_inner().class_reviews).unwrap_or_default();
    let under_way = |class: &Class| reviews.iter().any(|r| r.class_id == class.class_id && r.state() == ClassReviewState::InProgress);
    let mut classes: Vec<_> = classes
        .into_iter()
        .map(|c| {
            let half = under_way(&c);
            (c, half)
        })
        .collect();
    classes.sort_by_key(|(_, half)| !half);
    Ok(classes)
}

fn staff_persona(key: String, title: &str, note: String, role: &str, member: &StaffMember, school: &School) -> Option<Persona> {
    let (staff, school) = (Uuid::parse_str(&member.staff_id).ok()?, Uuid::parse_str(&school.school_id).ok()?);
    let identity = Identity {
        sub: format!("staff:{staff}"),
        name: member.display_name.clone(),
        roles: vec![role.to_owned()],
        school_ids: Some(vec![school]),
        staff_id: Some(staff),
        organisation_id: None,
    };
    Some(Persona { key, group: "school".to_owned(), title: title.to_owned(), note, identity })
}

fn stand_in(key: &str, title: &str, name: &str, role: &str, school: &School) -> Option<Persona> {
    let id = Uuid::parse_str(&school.school_id).ok()?;
    let identity =
        Identity { sub: format!("dev:{role}:{id}"), name: name.to_owned(), roles: vec![role.to_owned()], school_ids: Some(vec![id]), ..Identity::default() };
    Some(Persona { key: key.to_owned(), group: "school".to_owned(), title: title.to_owned(), note: school.name.clone(), identity })
}
