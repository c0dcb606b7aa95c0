//! A real browser: Debian's Chromium, driven over WebDriver. Every key and click is one that the browser itself makes.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::scratch;

const PATIENCE: Duration = Duration::from_secs(20);
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How a browser is to be.
#[derive(Clone, Copy, Debug)]
pub struct BrowserOptions {
    /// Whether pages may run scripts.
    pub scripts: bool,
    /// Width and height of the window.
    pub size: (u32, u32),
}

impl Default for BrowserOptions {
    fn default() -> Self {
        Self { scripts: true, size: (1400, 1000) }
    }
}

/// One browser with a profile of its own. Dropping it ends it.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    session: String,
    http: reqwest::Client,
    profile: TempDir,
}

impl Browser {
    /// Starts one.
    ///
    /// # Panics
    /// When Chromium or its driver is not installed or does not start; with the remedy.
    pub async fn start(options: BrowserOptions) -> Self {
        match Self::try_start(options).await {
            Ok(browser) => browser,
            Err(error) => panic!("no browser: {error:#}. Debian has it in the packages chromium and chromium-driver"),
        }
    }

    async fn try_start(options: BrowserOptions) -> anyhow::Result<Self> {
        let profile = scratch::folder("browser")?;
        // Its free port on IPv6 may be taken on IPv4 a moment later; then it gives up, and another one is asked.
        let (driver, port) = start_driver().or_else(|_| start_driver()).or_else(|_| start_driver())?;
        let http = reqwest::Client::builder().timeout(Duration::from_secs(120)).build()?;
        let mut browser = Self { driver, session: format!("http://127.0.0.1:{port}/session"), http, profile };
        let (width, height) = options.size;
        let mut arguments: Vec<String> = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--force-color-profile=srgb",
            "--lang=en-US",
        ]
        .map(str::to_owned)
        .to_vec();
        arguments.push(browser.profile_argument());
        arguments.push(format!("--window-size={width},{height}"));
        let scripts = if options.scripts { 1 } else { 2 };
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"args": arguments, "prefs": {
                "profile.managed_default_content_settings.javascript": scripts,
                "profile.default_content_setting_values.javascript": scripts,
            }},
        }}});
        let made = browser.send("", &wanted).await?;
        let id = made["sessionId"].as_str().ok_or_else(|| anyhow!("the driver opened no session: {made}"))?;
        browser.session = format!("{}/{id}", browser.session);
        Ok(browser)
    }

    fn profile_argument(&self) -> String {
        format!("--user-data-dir={}", self.profile.path().join("profile").display())
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        let mut answer: Value = request.send().await.context("the driver does not answer")?.json().await?;
        let value = answer["value"].take();
        if let Some(error) = value["error"].as_str() {
            bail!("{error}: {}", value["message"].as_str().unwrap_or_default().lines().next().unwrap_or_default());
        }
        Ok(value)
    }

    async fn send(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.answer(self.http.post(format!("{}{path}", self.session)).json(body)).await
    }

    async fn ask(&self, path: &str) -> anyhow::Result<Value> {
        self.answer(self.http.get(format!("{}{path}", self.session))).await
    }

    async fn must(&self, doing: &str, answer: impl Future<Output = anyhow::Result<Value>>) -> Value {
        match answer.await {
            Ok(value) => value,
            Err(error) => panic!("{doing}: {error:#}; at {}", self.ask("/url").await.unwrap_or_default()),
        }
    }

    /// Opens an address and waits until it has loaded.
    pub async fn open(&self, address: &str) {
        self.must(address, self.send("/url", &json!({"url": address}))).await;
    }

    /// Loads the page again.
    pub async fn reload(&self) {
        self.must("reload", self.send("/refresh", &json!({}))).await;
    }

    /// Where it is.
    pub async fn address(&self) -> String {
        self.must("the address", self.ask("/url")).await.as_str().unwrap_or_default().to_owned()
    }

    /// Runs a script in the page, outside its security policy, and answers what it returns.
    pub async fn script(&self, script: &str) -> Value {
        self.script_with(script, &[]).await
    }

    /// As [`Browser::script`], with arguments.
    pub async fn script_with(&self, script: &str, arguments: &[Value]) -> Value {
        self.must("a script", self.send("/execute/sync", &json!({"script": script, "args": arguments}))).await
    }

    /// As [`Browser::script_with`], for a script that calls its last argument with the result.
    pub async fn slow_script(&self, script: &str) -> Value {
        self.must("a slow script", self.send("/execute/async", &json!({"script": script, "args": []}))).await
    }

    async fn find(&self, css: &str) -> anyhow::Result<String> {
        let found = self.send("/element", &json!({"using": "css selector", "value": css})).await?;
        Ok(found[ELEMENT].as_str().unwrap_or_default().to_owned())
    }

    /// Whether there is such an element now.
    pub async fn has(&self, css: &str) -> bool {
        self.find(css).await.is_ok()
    }

    /// The texts that the reader sees in all such elements.
    pub async fn texts(&self, css: &str) -> Vec<String> {
        let found = self.must(css, self.send("/elements", &json!({"using": "css selector", "value": css}))).await;
        let mut texts = Vec::new();
        for element in found.as_array().into_iter().flatten() {
            let id = element[ELEMENT].as_str().unwrap_or_default();
            // One that a swap has just taken away has no text.
            if let Ok(text) = self.ask(&format!("/element/{id}/text")).await {
                texts.push(text.as_str().unwrap_or_default().to_owned());
            }
        }
        texts
    }

    /// The text that the reader sees in the first such element, once it is there.
    pub async fn text(&self, css: &str) -> String {
        self.wait_for(css).await;
        self.texts(css).await.into_iter().next().unwrap_or_default()
    }

    /// An attribute or property of the first such element.
    pub async fn property(&self, css: &str, name: &str) -> String {
        let id = self.element(css).await;
        let value = self.must(css, self.ask(&format!("/element/{id}/property/{name}"))).await;
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    }

    async fn element(&self, css: &str) -> String {
        self.wait_for(css).await;
        match self.find(css).await {
            Ok(id) => id,
            Err(error) => panic!("{css}: {error:#}"),
        }
    }

    /// Waits until there is such an element.
    ///
    /// # Panics
    /// When there is none in time; with what the page says.
    pub async fn wait_for(&self, css: &str) {
        self.until(css, async || self.has(css).await).await;
    }

    /// Waits until something holds.
    ///
    /// # Panics
    /// When it does not in time; with what the page says.
    pub async fn until(&self, what: &str, holds: impl AsyncFn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds().await {
            if Instant::now() > deadline {
                panic!("still not: {what}; {} says:\n{}", self.address().await, self.texts("body").await.join("\n"));
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Clicks on the first such element, as a hand does.
    pub async fn click(&self, css: &str) {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let id = self.element(css).await;
            match self.send(&format!("/element/{id}/click"), &json!({})).await {
                Ok(_) => return,
                // Something may lie over it for a moment, or a swap may have taken it away.
                Err(error) => assert!(Instant::now() < deadline, "cannot click {css}: {error:#}; at {}", self.address().await),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Clicks and waits until another page has come.
    pub async fn follow(&self, css: &str) {
        self.element(css).await;
        // A page that is going away cannot be asked by a script where pages run none, so its own element is watched.
        // Where scripts run, an act may take the place of the main part alone.
        let before = (self.find("html").await.unwrap_or_default(), self.find("main").await.unwrap_or_default());
        self.click(css).await;
        self.until(&format!("a new page after {css}"), async || {
            let now = (self.find("html").await.unwrap_or_default(), self.find("main").await.unwrap_or_default());
            !now.0.is_empty() && (now.0 != before.0 || (!now.1.is_empty() && now.1 != before.1))
        })
        .await;
        self.wait_for("h1").await;
    }

    /// Types into a field, after what is there.
    pub async fn write(&self, css: &str, text: &str) {
        let id = self.element(css).await;
        self.must(css, self.send(&format!("/element/{id}/value"), &json!({"text": text}))).await;
    }

    /// Empties a field.
    pub async fn clear(&self, css: &str) {
        let id = self.element(css).await;
        self.must(css, self.send(&format!("/element/{id}/clear"), &json!({}))).await;
    }

    /// Sets a date field, as its calendar does.
    pub async fn set_date(&self, css: &str, day: chrono::NaiveDate) {
        self.wait_for(css).await;
        self.script_with("document.querySelector(arguments[0]).value = arguments[1];", &[css.into(), day.to_string().into()]).await;
    }

    /// Chooses an option of a select by its value.
    pub async fn choose(&self, css: &str, value: &str) {
        self.click(&format!(r#"{css} option[value="{value}"]"#)).await;
    }

    /// Presses and releases one key, wherever focus is. `key` is a character, or `Enter`, `Escape`, `Tab` or an arrow.
    pub async fn press(&self, key: &str) {
        let value = match key {
            "Enter" => "\u{E007}",
            "Escape" => "\u{E00C}",
            "Tab" => "\u{E004}",
            "ArrowUp" => "\u{E013}",
            "ArrowDown" => "\u{E015}",
            other => other,
        };
        let actions = json!({"actions": [{"type": "key", "id": "keys", "actions": [{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}]}]});
        self.must(key, self.send("/actions", &actions)).await;
    }

    /// The id of the element that has focus; its tag where it has none.
    pub async fn focus(&self) -> String {
        let focus = self.script("const e = document.activeElement; return e.id || e.tagName.toLowerCase();").await;
        focus.as_str().unwrap_or_default().to_owned()
    }

    /// Gives the page a size, as a device of that size would.
    pub async fn resize(&self, width: u32, height: u32) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.must("resize", self.devtools("Emulation.setDeviceMetricsOverride", &metrics)).await;
    }

    /// Gives the page the window's size again.
    pub async fn unsize(&self) {
        self.must("resize", self.devtools("Emulation.clearDeviceMetricsOverride", &json!({}))).await;
    }

    /// Asks pages for their dark or their light colours, as the device's own setting does.
    pub async fn prefer(&self, scheme: &str) {
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.must("a colour scheme", self.devtools("Emulation.setEmulatedMedia", &media)).await;
    }

    /// Takes the network away from the page, or gives it back.
    pub async fn network(&self, there: bool) {
        self.must("the network", self.devtools("Network.enable", &json!({}))).await;
        let conditions = json!({"offline": !there, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
        self.must("the network", self.devtools("Network.emulateNetworkConditions", &conditions)).await;
    }

    async fn devtools(&self, command: &str, parameters: &Value) -> anyhow::Result<Value> {
        self.send("/goog/cdp/execute", &json!({"cmd": command, "params": parameters})).await
    }

    /// What the console said since the last call.
    pub async fn console(&self) -> Vec<String> {
        let lines = self.must("the console", self.send("/se/log", &json!({"type": "browser"}))).await;
        lines.as_array().into_iter().flatten().map(|line| format!("{} {}", line["level"].as_str().unwrap_or_default(), line["message"])).collect()
    }

    /// The cookies of the page.
    pub async fn cookies(&self) -> Vec<Value> {
        self.must("the cookies", self.ask("/cookie")).await.as_array().cloned().unwrap_or_default()
    }

    /// A picture of what is in view, as PNG.
    pub async fn picture(&self) -> Vec<u8> {
        use base64::Engine as _;
        let taken = self.must("a picture", self.ask("/screenshot")).await;
        let decoded = base64::engine::general_purpose::STANDARD.decode(taken.as_str().unwrap_or_default());
        decoded.unwrap_or_else(|error| panic!("the picture is not readable: {error}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // An error says that it has ended already.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        // The driver leaves its browser behind: it is known by its profile, which nobody else has.
        let ours = self.profile_argument();
        let deadline = Instant::now() + Duration::from_secs(5);
        while end_all_with(&ours) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        // Its helpers write a last word or two while they end.
        while fs::remove_dir_all(self.profile.path()).is_err() && self.profile.path().exists() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Ends every process that has this argument; says whether there was one.
fn end_all_with(ours: &str) -> bool {
    let mut found = false;
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if line.split(|byte| *byte == 0).any(|argument| argument == ours.as_bytes()) {
            found = true;
            let _ = Command::new("bash").args(["-c", r#"kill -KILL "$1" 2>/dev/null"#, "bash", &pid.to_string()]).status();
        }
    }
    found
}

fn start_driver() -> anyhow::Result<(Child, u16)> {
    let mut command = Command::new("setpriv");
    // Ends with this test, even where that is killed.
    command.args(["--pdeathsig", "KILL", "chromedriver", "--port=0", "--log-level=SEVERE"]);
    let mut driver = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().context("cannot start chromedriver by setpriv")?;
    let output = driver.stdout.take().ok_or_else(|| anyhow!("chromedriver has no output"))?;
    let mut lines = BufReader::new(output).lines();
    let mut said = String::new();
    let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
        said.push_str(&line);
        let (_, port) = line.rsplit_once("started successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    let Some(port) = port else {
        let _ = driver.kill();
        let _ = driver.wait();
        bail!("chromedriver did not say its port, but: {said}");
    };
    // It must be able to go on speaking.
    std::thread::spawn(move || lines.for_each(drop));
    Ok((driver, port))
}
