//! Who comes in, and who does not.

use integration_tests::authority::Authority;
use integration_tests::fleet::Fleet;
use integration_tests::tokens::Claims;
use proto::rosters::v1::ListSchoolsRequest;
use sqlx::{Connection as _, PgConnection};
use tonic::Code;
use wraparound::district::database::SCHEMAS;
use wraparound::tls::Tls;

/// Plain text, no certificate, a certificate of somebody else's authority, another service's database: all refused.
pub async fn are_closed(fleet: &Fleet, authority: &Authority) {
    let clerk = || Claims::role("program_manager");
    fleet.clients(&clerk()).rosters.list_schools(ListSchoolsRequest::default()).await.unwrap();
    let own = authority.issue("operator");
    let elsewhere = Authority::make();
    let stranger = elsewhere.issue("operator");
    let wrong = [
        ("no certificate", Tls { certificate: String::new(), key: String::new(), ..own.clone() }),
        ("a certificate of another authority", Tls { ca_file: own.ca_file.clone(), ..stranger.clone() }),
        ("another authority believed", Tls { ca_file: stranger.ca_file, ..own }),
    ];
    for (how, tls) in wrong {
        for service in ["rosters", "reviews", "plans", "partners", "reporting"] {
            assert!(!answers(&address(fleet, service), &tls).await, "{service} answers with {how}");
        }
    }
    for service in ["rosters", "reviews", "plans", "partners", "reporting"] {
        let plain = address(fleet, service).replace("https://", "http://");
        assert!(!answers(&plain, &Tls::default()).await, "{service} answers in plain text");
    }
    for service in SCHEMAS {
        role_is_confined(fleet, service).await;
    }
}

fn address(fleet: &Fleet, service: &str) -> String {
    let ready = fleet.ready();
    let all =
        [("rosters", &ready.rosters), ("reviews", &ready.reviews), ("plans", &ready.plans), ("partners", &ready.partners), ("reporting", &ready.reporting)];
    all.into_iter().find(|(name, _)| *name == service).map(|(_, address)| address.clone()).unwrap()
}

/// Whether a call gets as far as being told to sign in.
async fn answers(address: &str, tls: &Tls) -> bool {
    let Ok(channel) = tls.endpoint(address).unwrap().connect().await else { return false };
    let mut client = proto::rosters::v1::roster_service_client::RosterServiceClient::new(channel);
    let status = client.list_schools(ListSchoolsRequest::default()).await.unwrap_err();
    matches!(status.code(), Code::Unauthenticated | Code::Unimplemented | Code::PermissionDenied)
}

/// A service's role enters its own database, owns its own schema there and may make no other.
async fn role_is_confined(fleet: &Fleet, service: &'static str) {
    let own = fleet.databases().own(service).unwrap();
    let mut connection = PgConnection::connect(own).await.unwrap();
    let schemas: Vec<String> = sqlx::query_scalar(
        "select n.nspname::text from pg_namespace n where n.nspname not like 'pg_%' and n.nspname <> 'information_schema' and has_schema_privilege(n.oid, 'create') order by 1",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert_eq!(schemas, [service], "{service} may write elsewhere");
    for sql in ["create schema another", "create role another", "create table public.another ()", "select * from pg_authid"] {
        let refused = sqlx::raw_sql(sql).execute(&mut connection).await.unwrap_err();
        assert_eq!(refused.as_database_error().and_then(|e| e.code()).as_deref(), Some("42501"), "{service}: {sql}");
    }
    for other in SCHEMAS.into_iter().filter(|other| *other != service) {
        let mut url = reqwest::Url::parse(own).unwrap();
        url.set_path(reqwest::Url::parse(fleet.databases().admin(other)).unwrap().path());
        assert!(PgConnection::connect(url.as_str()).await.is_err(), "{service} may enter the database of {other}");
    }
}
