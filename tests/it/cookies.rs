//! Browsers, whose refresh token stands in a cookie.

use reqwest::header::{ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, HeaderMap, SET_COOKIE};
use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::harness::{Answer, PASSWORD, TestServer};

const REGISTER: &str = "mutation($input: RegisterInput!) { register(input: $input) {
    session { id } tokens { accessToken refreshToken } } }";
const LOGIN: &str = "mutation($input: LoginInput!) { login(input: $input) {
    session { id } tokens { accessToken refreshToken } } }";
const REFRESH: &str = "mutation { refreshSession(input: {}) { session { id } tokens { accessToken refreshToken } } }";
const LOGOUT: &str = "mutation { logout { sessionId } }";

/// A browser, or a window of one.
#[derive(Clone)]
struct Browser {
    client: Client,
    url: String,
}

impl Browser {
    fn at(server: &TestServer) -> Self {
        let client = Client::builder().cookie_store(true).build().unwrap();
        Self { client, url: format!("{}/graphql", server.url()) }
    }

    async fn post(&self, query: &str, variables: Value, token: Option<&str>) -> Response {
        let body = json!({ "query": query, "variables": variables });
        let mut request = self.client.post(&self.url).json(&body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap()
    }

    async fn ask(&self, query: &str, variables: Value) -> Answer {
        Answer(self.post(query, variables, None).await.json().await.unwrap())
    }
}

fn newcomer(name: &str) -> Value {
    let email = format!("{name}@example.org");
    json!({ "input": { "email": email, "username": name, "password": PASSWORD, "tokenDelivery": "COOKIE" } })
}

fn set_cookie(headers: &HeaderMap) -> Option<&str> {
    headers.get(SET_COOKIE).map(|value| value.to_str().unwrap())
}

fn access_token(payload: &Value) -> &str {
    payload["tokens"]["accessToken"].as_str().unwrap()
}

async fn generation(server: &TestServer) -> i64 {
    server.database.count("SELECT max(generation)::bigint FROM sessions").await
}

#[tokio::test]
async fn a_browser_stays_signed_in_by_a_cookie_that_no_script_reads() {
    let server = TestServer::start().await;
    let browser = Browser::at(&server);
    let response = browser.post(REGISTER, newcomer("alice"), None).await;
    let cookie = set_cookie(response.headers()).unwrap().to_owned();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert!(pair.starts_with("chinwag_refresh="), "{cookie}");
    let (lives, mut attributes): (Vec<_>, Vec<_>) =
        attributes.split("; ").partition(|attribute| attribute.starts_with("Max-Age="));
    attributes.sort_unstable();
    assert_eq!(attributes, ["HttpOnly", "Path=/graphql", "SameSite=Lax"]);
    // As long as the session, but for what has passed since.
    let lives: i64 = lives[0]["Max-Age=".len()..].parse().unwrap();
    assert!(lives <= 30 * 24 * 3600 && lives > 29 * 24 * 3600, "{lives}");
    let registered = Answer(response.json().await.unwrap()).data("register");
    assert_eq!(registered["tokens"]["refreshToken"], json!(null));

    let refreshed = browser.ask(REFRESH, json!({})).await.data("refreshSession");
    assert_eq!(refreshed["session"], registered["session"]);
    assert_eq!(refreshed["tokens"]["refreshToken"], json!(null));
    let again = browser.ask(REFRESH, json!({})).await.data("refreshSession");
    assert_eq!(again["session"], registered["session"]);
    assert_eq!(generation(&server).await, 3);

    let gone = browser.post(LOGOUT, json!({}), Some(access_token(&again))).await;
    assert!(set_cookie(gone.headers()).unwrap().contains("Max-Age=0"));
    assert_eq!(browser.ask(REFRESH, json!({})).await.wrong_fields(), ["input.refreshToken REQUIRED"]);

    let signed_in = json!({ "input": { "identifier": "alice", "password": PASSWORD, "tokenDelivery": "COOKIE" } });
    let back = browser.ask(LOGIN, signed_in).await.data("login");
    assert_ne!(back["session"], registered["session"]);
    assert_eq!(browser.ask(REFRESH, json!({})).await.data("refreshSession")["session"], back["session"]);
}

#[tokio::test]
async fn over_https_the_cookie_goes_by_https_alone() {
    let server = TestServer::start_with(|config| config.http.public_url = "https://chat.example.org".into()).await;
    let response = Browser::at(&server).post(REGISTER, newcomer("alice"), None).await;
    assert!(set_cookie(response.headers()).unwrap().contains("; Secure;"));
}

#[tokio::test]
async fn two_windows_that_refresh_at_once_both_stay() {
    let server = TestServer::start().await;
    let browser = Browser::at(&server);
    let session = browser.ask(REGISTER, newcomer("alice")).await.data("register")["session"].clone();
    let windows = vec![browser.clone(); 8];
    let answers = futures_util::future::join_all(windows.iter().map(|window| window.ask(REFRESH, json!({})))).await;
    assert!(answers.iter().all(|answer| answer.data("refreshSession")["session"] == session));
    assert_eq!(browser.ask(REFRESH, json!({})).await.data("refreshSession")["session"], session);
}

/// What a page elsewhere can have a browser send without asking first, and what comes from one although it was told no.
#[tokio::test]
async fn what_another_site_has_a_browser_send_does_nothing() {
    let server = TestServer::start_with(|config| config.http.public_url = "https://chat.example.org".into()).await;
    let cookie = Browser::at(&server).post(REGISTER, newcomer("alice"), None).await;
    let cookie = set_cookie(cookie.headers()).unwrap().split_once(';').unwrap().0.to_owned();
    let url = format!("{}/graphql", server.url());
    let body = json!({ "query": REFRESH }).to_string();
    let with_cookie = |request: reqwest::RequestBuilder| request.header("cookie", &cookie);
    let post = || with_cookie(Client::new().post(&url));
    for simple in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let refused = post().header("content-type", simple).body(body.clone()).send().await.unwrap();
        assert_eq!(refused.status(), 415, "{simple}");
        assert_eq!(set_cookie(refused.headers()), None, "{simple}");
    }
    assert_eq!(post().body(body.clone()).send().await.unwrap().status(), 415);
    let link = reqwest::Url::parse_with_params(&url, [("query", REFRESH)]).unwrap();
    let link = with_cookie(Client::new().get(link)).send().await.unwrap();
    assert_eq!(link.status(), 405);
    let json = || post().header("content-type", "application/json").body(body.clone());
    for page in ["https://evil.example", "http://chat.example.org", "null"] {
        let foreign = json().header("origin", page).send().await.unwrap();
        assert_eq!(foreign.headers().get(ACCESS_CONTROL_ALLOW_ORIGIN), None, "{page}");
        assert_eq!(set_cookie(foreign.headers()), None, "{page}");
        let answer = Answer(foreign.json().await.unwrap());
        assert_eq!(answer.wrong_fields(), ["input.refreshToken REQUIRED"], "{page}");
    }
    assert_eq!(generation(&server).await, 1);
    let own = json().header("origin", "https://chat.example.org").send().await.unwrap();
    assert!(set_cookie(own.headers()).is_some());
    assert_eq!(generation(&server).await, 2);
}

#[tokio::test]
async fn pages_of_other_origins_send_it_where_they_may_use_the_server() {
    let app = "https://app.example.org";
    let server = TestServer::start_with(|config| {
        config.http.public_url = "https://chat.example.org".into();
        config.http.cors_origins = vec![app.into()];
    })
    .await;
    let ask_first = async |origin: &str| {
        let options = Client::new().request(reqwest::Method::OPTIONS, format!("{}/graphql", server.url()));
        let options = options.header("origin", origin).header("access-control-request-method", "POST");
        let asked = options.header("access-control-request-headers", "content-type").send().await.unwrap();
        asked.headers().clone()
    };
    let allowed = ask_first(app).await;
    assert_eq!(allowed[ACCESS_CONTROL_ALLOW_ORIGIN], app);
    assert_eq!(allowed[ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
    assert_eq!(ask_first("https://evil.example").await.get(ACCESS_CONTROL_ALLOW_ORIGIN), None);
}

#[tokio::test]
async fn where_an_answer_has_no_headers_of_its_own_there_is_no_cookie() {
    let server = TestServer::start().await;
    let stream = Client::new().post(format!("{}/graphql", server.url())).header("accept", "text/event-stream");
    let body = json!({ "query": REGISTER, "variables": newcomer("alice") });
    let told = stream.json(&body).send().await.unwrap().text().await.unwrap();
    assert!(told.contains("tokenDelivery") && told.contains("NOT_ALLOWED"), "{told}");
    let mut socket = server.anonymous().socket().await;
    let told = socket.run(REGISTER, newcomer("alice")).message().await["payload"].clone();
    assert_eq!(Answer(told).wrong_fields(), ["input.tokenDelivery NOT_ALLOWED"]);
    assert_eq!(server.database.count("SELECT count(*) FROM users").await, 0);
}
