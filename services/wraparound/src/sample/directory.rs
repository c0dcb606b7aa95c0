//! The partners of the sample: fictional organisations, their services and places.

use anyhow::Context as _;
use proto::partners::v1::{Agreement, Partner, PutAgreementRequest, PutPartnerRequest, PutServiceRequest, SearchServicesRequest, Service, SetCapacityRequest};
use uuid::Uuid;

use crate::acting::{Person, Services, Told as _, request_id};

/// Ids of the sample's own things follow from this and their names.
const NAMESPACE: Uuid = Uuid::from_u128(0x5a3d_9c1e_77b0_4f52_9d0e_31c4_a86b_f210);

/// Name, sector, and per service: name, category, places (-1 without limit).
type Offer = (&'static str, &'static str, &'static [(&'static str, &'static str, i32)]);

const PARTNERS: [Offer; 10] = [
    ("Alder Valley Youth Club", "SEC-YTH", &[("Homework Hour", "ED-HWK", 60), ("Saturday Sports", "ENR-SPO", 80), ("Young Leaders", "ENR-LEAD", 20)]),
    ("Bright Pages Tutoring", "SEC-VOL", &[("Reading Partners", "ED-RDG", 25), ("After-School Tutoring", "ED-TUT", 40), ("Maths Workshop", "ED-MAT", 12)]),
    (
        "Cedar Street Counseling Center",
        "SEC-HHS",
        &[("Counseling for Young People", "SE-CNS", 15), ("Grief Circle", "SE-GRF", 8), ("Family Counseling", "SE-FAM", 10), ("Trauma Care", "SE-TRA", 4)],
    ),
    ("Hearth and Table Food Pantry", "SEC-FAI", &[("Weekend Food Bags", "BN-FOOD", -1), ("Clothes Closet", "BN-CLO", -1), ("Hygiene Kits", "BN-HYG", -1)]),
    ("Lantern Mentors", "SEC-MEN", &[("One-to-One Mentoring", "MEN-ADU", 18), ("Friendship Group", "SE-GRP", 24), ("Life Skills Evenings", "SE-SKL", 16)]),
    (
        "Millbrook Children's Clinic",
        "SEC-PED",
        &[("Well-Child Visits", "HE-MED", 50), ("School Dentist", "HE-DEN", 14), ("Glasses for All", "HE-VIS", -1), ("Asthma and Allergy Care", "HE-CHR", 20)],
    ),
    ("Newcomers' House", "SEC-CBO", &[("Newcomer Orientation", "FA-NEW", 30), ("Interpreting", "FA-INT", -1), ("English After School", "ED-ELL", 22)]),
    ("Roof and Key Housing Help", "SEC-HOU", &[("Housing Advice", "BN-HOU", 10), ("Energy Bill Help", "BN-UTL", 12), ("Emergency Fund", "BN-FIN", 6)]),
    ("Riverbend Arts Workshop", "SEC-ART", &[("Open Studio", "ENR-ART", 45), ("Inventors' Bench", "ENR-STEM", 15)]),
    (
        "Parents Together Alder Valley",
        "SEC-CBO",
        &[("Parent Evenings", "FA-ENG", -1), ("Parent Support Group", "FA-SUP", 20), ("Help With Job Search", "AD-JOB", 15)],
    ),
];

/// A service that referrals can be sent to.
#[derive(Clone, Debug)]
pub struct Offered {
    /// Its id.
    pub service: String,
    /// Of whom.
    pub partner: String,
    /// Category.
    pub category: String,
}

fn id(of: &str) -> String {
    Uuid::new_v5(&NAMESPACE, of.as_bytes()).to_string()
}

/// Fills the directory where it lacks something, and answers what is offered.
pub async fn fill(services: &Services, manager: &Person, valid: (&str, &str)) -> anyhow::Result<Vec<Offered>> {
    let there = search(services, manager).await?;
    for (name, sector, offers) in PARTNERS {
        let partner_id = id(name);
        let complete = offers.iter().all(|(service, ..)| there.iter().any(|o| o.service == id(&format!("{name} {service}"))));
        if complete {
            continue;
        }
        put_partner(services, manager, &partner_id, name, sector).await?;
        for kind in ["mou", "data_sharing"] {
            let agreement = Agreement {
                agreement_id: id(&format!("{name} {kind}")),
                partner_id: partner_id.clone(),
                kind: kind.to_owned(),
                valid_from: valid.0.to_owned(),
                valid_to: valid.1.to_owned(),
            };
            services
                .directory()
                .put_agreement(manager.asks(PutAgreementRequest { agreement: Some(agreement), request_id: request_id() }))
                .await
                .told("record an agreement")?;
        }
        for (service, category, places) in offers {
            let service_id = id(&format!("{name} {service}"));
            if !there.iter().any(|o| o.service == service_id) {
                put_service(services, manager, &partner_id, &service_id, service, category).await?;
            }
            let capacity = SetCapacityRequest { service_id, maximum: *places, request_id: request_id() };
            services.directory().set_capacity(manager.asks(capacity)).await.told("set the places of a service")?;
        }
    }
    search(services, manager).await
}

async fn put_partner(services: &Services, manager: &Person, partner_id: &str, name: &str, sector: &str) -> anyhow::Result<()> {
    let partner = Partner { partner_id: partner_id.to_owned(), name: name.to_owned(), sector: sector.to_owned(), status: "active".to_owned(), version: 0 };
    match services.directory().put_partner(manager.asks(PutPartnerRequest { partner: Some(partner), expected_version: 0, request_id: request_id() })).await {
        // Of an earlier run that was stopped.
        Err(status) if matches!(status.code(), tonic::Code::AlreadyExists | tonic::Code::Aborted) => Ok(()),
        other => other.told("add a partner").map(|_| ()),
    }
}

async fn put_service(services: &Services, manager: &Person, partner_id: &str, service_id: &str, name: &str, category: &str) -> anyhow::Result<()> {
    let service = Service {
        service_id: service_id.to_owned(),
        partner_id: partner_id.to_owned(),
        name: name.to_owned(),
        category: category.to_owned(),
        description: "A fictional service of the sample district.".to_owned(),
        status: "active".to_owned(),
        languages: vec!["en".to_owned(), "es".to_owned()],
        ..Service::default()
    };
    services
        .directory()
        .put_service(manager.asks(PutServiceRequest { service: Some(service), expected_version: 0, request_id: request_id() }))
        .await
        .told("add a service")?;
    Ok(())
}

async fn search(services: &Services, who: &Person) -> anyhow::Result<Vec<Offered>> {
    let mut found = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = SearchServicesRequest { page_size: 100, page_token, ..SearchServicesRequest::default() };
        let page = services.directory().search_services(who.asks(request)).await.told("search the directory")?;
        found.extend(page.services.into_iter().map(|s| Offered { service: s.service_id, partner: s.partner_id, category: s.category }));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(found);
        }
    }
}

/// The service for a need's categories; `ENR-*` stands for all of its kind.
pub fn matching<'a>(offers: &'a [Offered], categories: &[String]) -> Option<&'a Offered> {
    offers.iter().find(|o| categories.iter().any(|c| c.strip_suffix('*').map_or_else(|| *c == o.category, |kind| o.category.starts_with(kind))))
}

/// One of the sample's own services by its category, for the story.
pub fn one_of<'a>(offers: &'a [Offered], categories: &[String]) -> anyhow::Result<&'a Offered> {
    matching(offers, categories).or_else(|| offers.first()).context("no partner offers anything")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_all_of_its_kind() {
        let offers = [Offered { service: "1".to_owned(), partner: "p".to_owned(), category: "ENR-ART".to_owned() }];
        assert!(matching(&offers, &["ENR-*".to_owned()]).is_some());
        assert!(matching(&offers, &["ENR-ART".to_owned()]).is_some());
        assert!(matching(&offers, &["ED-TUT".to_owned()]).is_none());
    }

    #[test]
    fn names_are_all_different() {
        let names: Vec<String> = PARTNERS.iter().flat_map(|(p, _, s)| s.iter().map(move |(n, ..)| format!("{p} {n}"))).collect();
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len());
    }
}
