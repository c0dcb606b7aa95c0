//! A real Keycloak for tests of sign-in: one node on loopback, its realms made from a file and by its own admin API.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use reqwest::{Method, Url};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::Process;
use crate::scratch;

const START_PATIENCE: Duration = Duration::from_secs(180);

/// A running Keycloak. Dropping it kills it and removes its data.
#[derive(Debug)]
pub struct Keycloak {
    // Dropped in this order: first the server, then its data.
    _process: Process,
    url: String,
    http: reqwest::Client,
    _folder: TempDir,
}

/// The realm of the tests, as a district could import it.
pub const REALM: &str = include_str!("../keycloak/wraparound-realm.json");
/// The portal's address in it, for which a test puts that of its own.
pub const PORTAL: &str = "https://portal.example";

impl Keycloak {
    /// Fetches Keycloak where that has not been done and starts it. It takes a while to answer: see [`Keycloak::answers`].
    ///
    /// # Panics
    /// When Java or Maven is missing, the download fails or it ends at once; with what it said.
    pub async fn start() -> Self {
        let started = tokio::task::spawn_blocking(launch).await.unwrap_or_else(|error| panic!("{error}"));
        let (process, port, folder) = started.unwrap_or_else(|error| panic!("{error:#}"));
        chassis_boot::run::install_crypto();
        // A connection ends with the runtime of the test that made it, and others use this client, too: none is kept.
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).pool_max_idle_per_host(0);
        let http = client.timeout(Duration::from_secs(60)).build();
        Self { _process: process, url: format!("http://127.0.0.1:{port}"), http: http.unwrap_or_else(|error| panic!("{error}")), _folder: folder }
    }

    /// Waits until it answers.
    ///
    /// # Panics
    /// When it does not come up; with what it said.
    pub async fn answers(&self) {
        let deadline = Instant::now() + START_PATIENCE;
        let realm = format!("{}/realms/master", self.url);
        while !self.http.get(&realm).send().await.is_ok_and(|answer| answer.status().is_success()) {
            assert!(Instant::now() < deadline, "Keycloak does not answer after {START_PATIENCE:?}; it said:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self._folder.path().join("log")).unwrap_or_default()
    }

    /// `iss` of a realm's tokens.
    pub fn issuer(&self, realm: &str) -> String {
        format!("{}/realms/{realm}", self.url)
    }

    /// A realm's token endpoint.
    pub fn token_uri(&self, realm: &str) -> String {
        format!("{}/protocol/openid-connect/token", self.issuer(realm))
    }

    /// Asks the admin API. `path` begins behind `/admin/realms`. Answers what it said and where the new thing is.
    ///
    /// # Panics
    /// When it refuses.
    pub async fn admin(&self, method: Method, path: &str, body: &Value) -> (Value, String) {
        // Admin tokens last a minute; a fresh one a call is simplest.
        let form = [("grant_type", "password"), ("client_id", "admin-cli"), ("username", "admin"), ("password", "admin-of-tests")];
        let token = self.http.post(self.token_uri("master")).form(&form).send().await.unwrap_or_else(|error| panic!("{error}"));
        let token: Value = token.json().await.unwrap_or_else(|error| panic!("{error}"));
        let request = self.http.request(method, format!("{}/admin/realms{path}", self.url)).bearer_auth(token["access_token"].as_str().unwrap_or_default());
        let request = if body.is_null() { request } else { request.json(body) };
        let answer = request.send().await.unwrap_or_else(|error| panic!("{error}"));
        let (status, place) = (answer.status(), answer.headers().get("location").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned());
        let said = answer.text().await.unwrap_or_default();
        assert!(status.is_success(), "Keycloak answers {status} to {path}: {said}");
        (serde_json::from_str(&said).unwrap_or_default(), place.rsplit('/').next().unwrap_or_default().to_owned())
    }

    /// Makes a realm as the file has it, under this name.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn realm(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut realm: Value = serde_json::from_str(REALM).unwrap_or_else(|error| panic!("{error}"));
        realm["realm"] = name.into();
        change(&mut realm);
        self.admin(Method::POST, "", &realm).await;
    }

    /// Has the portal's client know where the portal is.
    pub async fn portal_is_at(&self, realm: &str, portal: &str) {
        let (clients, _) = self.admin(Method::GET, &format!("/{realm}/clients?clientId=wraparound-portal"), &Value::Null).await;
        let text = clients[0].to_string().replace(PORTAL, portal);
        let client: Value = serde_json::from_str(&text).unwrap_or_default();
        self.admin(Method::PUT, &format!("/{realm}/clients/{}", client["id"].as_str().unwrap_or_default()), &client).await;
    }

    /// Adds a person, whose password is their name with `-password`. Answers their id.
    pub async fn person(&self, realm: &str, name: &str, email: &str, groups: &[&str]) -> String {
        let person = json!({
            "username": name, "email": email, "emailVerified": true, "firstName": name, "lastName": "Fictional", "enabled": true, "groups": groups,
            "credentials": [{ "type": "password", "value": format!("{name}-password"), "temporary": false }],
        });
        self.admin(Method::POST, &format!("/{realm}/users"), &person).await.1
    }

    /// Adds a client that asks for itself, whose secret is its id with `-secret-of-tests`, and whose tokens carry these claims.
    pub async fn machine(&self, realm: &str, id: &str, claims: &Value) {
        let audience = json!({
            "name": "audience", "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper",
            "config": { "included.custom.audience": "wraparound", "access.token.claim": "true" },
        });
        let fixed = claims.as_object().into_iter().flatten().map(|(name, value)| {
            json!({
                "name": name, "protocol": "openid-connect", "protocolMapper": "oidc-hardcoded-claim-mapper",
                "config": { "claim.name": name, "claim.value": value.to_string(), "jsonType.label": "JSON", "access.token.claim": "true" },
            })
        });
        let client = json!({
            "clientId": id, "publicClient": false, "secret": format!("{id}-secret-of-tests"), "standardFlowEnabled": false, "serviceAccountsEnabled": true,
            "defaultClientScopes": ["basic"], "protocolMappers": std::iter::once(audience).chain(fixed).collect::<Vec<_>>(),
        });
        self.admin(Method::POST, &format!("/{realm}/clients"), &client).await;
    }

    /// The access token of a client that asks for itself.
    ///
    /// # Panics
    /// When it gets none.
    pub async fn token(&self, realm: &str, client: &str) -> String {
        let secret = format!("{client}-secret-of-tests");
        let form = [("grant_type", "client_credentials"), ("client_id", client), ("client_secret", secret.as_str())];
        let answer = self.http.post(self.token_uri(realm)).form(&form).send().await.unwrap_or_else(|error| panic!("{error}"));
        let answer: Value = answer.json().await.unwrap_or_default();
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{client} gets no token: {answer}")).to_owned()
    }

    /// Signs somebody in as a browser does, without one, and answers where Keycloak sends the browser: back to the portal, with a code.
    ///
    /// # Panics
    /// When it does not.
    pub async fn back_to(&self, authorize: &str, name: &str) -> Url {
        let page = self.http.get(authorize).send().await.unwrap_or_else(|error| panic!("{error}"));
        let cookies: Vec<String> = page.headers().get_all("set-cookie").iter().filter_map(|v| v.to_str().ok()?.split(';').next().map(str::to_owned)).collect();
        let html = page.text().await.unwrap_or_default();
        let action = html.split("action=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default().replace("&amp;", "&");
        let form = [("username", name.to_owned()), ("password", format!("{name}-password")), ("credentialId", String::new())];
        let answer = self.http.post(&action).header("cookie", cookies.join("; ")).form(&form).send().await.unwrap_or_else(|error| panic!("{error}: {html}"));
        let place = answer.headers().get("location").and_then(|v| v.to_str().ok()).and_then(|place| Url::parse(place).ok());
        place.unwrap_or_else(|| panic!("Keycloak does not send {name} back"))
    }
}

fn launch() -> anyhow::Result<(Process, u16, TempDir)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/keycloak.sh");
    let output = Command::new(&script).arg("fetch").output()?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
    let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let folder = scratch::folder("keycloak")?;
    let log = fs::File::create(folder.path().join("log"))?;
    let mut command = Command::new(script);
    command.arg("run").arg(folder.path()).arg(port.to_string());
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let mut process = Process::spawn(command);
    thread::sleep(Duration::from_millis(300));
    if let Some(status) = process.ended() {
        anyhow::bail!("Keycloak ended at once ({status}): {}", fs::read_to_string(folder.path().join("log")).unwrap_or_default());
    }
    Ok((process, port, folder))
}
