//! One Keycloak and one fleet that believes it, shared by these tests. What they change is their own person's or client's.

use integration_tests::clients::Clients;
use integration_tests::fleet::{Fleet, FleetOptions, Provider};
use integration_tests::keycloak::Keycloak;
use proto::rosters::v1::School;
use serde_json::json;
use sqlx::{Connection as _, PgConnection};
use tokio::sync::OnceCell;

use crate::house::{roster, schools};

/// The realm that the fleet believes.
pub const REALM: &str = "wraparound";

/// Seconds for which the portal's tokens last: renewed after two thirds of it.
pub const TOKEN_LASTS: u64 = 6;

pub struct Place {
    pub keycloak: Keycloak,
    pub fleet: Fleet,
    pub school: School,
    /// E-mail addresses of two teachers with classes.
    pub teachers: [String; 2],
}

impl Place {
    /// Clients of every service, by a machine's token.
    pub async fn machine(&self, client: &str) -> Clients {
        self.fleet.clients_with(&self.keycloak.token(REALM, client).await)
    }

    /// An address of the portal.
    pub fn portal(&self, path: &str) -> String {
        format!("{}{path}", self.fleet.ready().portal)
    }
}

pub async fn place() -> &'static Place {
    static PLACE: OnceCell<Place> = OnceCell::const_new();
    PLACE.get_or_init(build).await
}

const SETTINGS: &str = r#"
[auth.roles_of_groups]
"/Wraparound/Coordinators" = "coordinator"
"/Wraparound/Program managers" = "program_manager"
"#;

async fn build() -> Place {
    let keycloak = Keycloak::start().await;
    let secret_of = |client: &str| (client.to_owned(), format!("{client}-secret-of-tests"));
    let provider = Provider {
        issuer: keycloak.issuer(REALM),
        token_uri: keycloak.token_uri(REALM),
        portal: secret_of("wraparound-portal"),
        services: secret_of("wraparound-services"),
        settings: SETTINGS.to_owned(),
        portal_settings: String::new(),
    };
    // Both take their time, and need one another only afterwards.
    let realm = async {
        keycloak.answers().await;
        keycloak.realm(REALM, |realm| realm["clients"][0]["attributes"]["access.token.lifespan"] = TOKEN_LASTS.to_string().into()).await;
    };
    let fleet = Fleet::start(FleetOptions { provider: Some(provider), together: true, ..FleetOptions::default() });
    let (fleet, ()) = tokio::join!(fleet, realm);
    keycloak.portal_is_at(REALM, &fleet.ready().portal).await;
    let by = async |client: &str| fleet.clients_with(&keycloak.token(REALM, client).await);
    by("roster-upload").await.import_all(roster(1, 80, 21)).await;
    keycloak.machine(REALM, "manager-of-tests", &json!({ "roles": ["program_manager"] })).await;
    let school = schools(&by("manager-of-tests").await).await.remove(0);
    let mut database = PgConnection::connect(fleet.databases().admin("rosters")).await.unwrap();
    let found: Vec<String> = sqlx::query_scalar(
        "select distinct p.email from rosters.person p join rosters.class_member m on m.person_id = p.person_id and m.role = 'teacher' order by 1 limit 2",
    )
    .fetch_all(&mut database)
    .await
    .unwrap();
    let teachers = found.try_into().expect("two teachers with classes");
    Place { keycloak, fleet, school, teachers }
}
