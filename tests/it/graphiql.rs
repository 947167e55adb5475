//! The page at `/`, as it is served. What it does in a browser stands in `clients`.

use chinwag::config::Graphiql;
use reqwest::{Client, Response, StatusCode, header};

use crate::harness::TestServer;

async fn get(server: &TestServer, path: &str) -> Response {
    Client::new().get(format!("{}{path}", server.url())).send().await.unwrap()
}

#[tokio::test]
async fn its_files_come_from_a_folder_and_all_are_under_its_policy() {
    let folder = tempfile::tempdir().unwrap();
    for name in Graphiql::FILES {
        std::fs::write(folder.path().join(name), name).unwrap();
    }
    std::fs::write(folder.path().join("secret.js"), "secret").unwrap();
    let files = Graphiql::Folder(folder.path().to_owned());
    let server = TestServer::start_with(|config| config.http.graphiql = files).await;

    let page = get(&server, "/").await;
    assert!(page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("script-src 'self';"));
    assert_eq!(page.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
    let page = page.text().await.unwrap();
    for name in Graphiql::FILES.into_iter().chain(["welcome.js", "boot.js", "page.css"]) {
        assert!(page.contains(&format!("\"graphiql/{name}\"")), "{name}");
        let file = get(&server, &format!("/graphiql/{name}")).await;
        assert!(file.headers().contains_key(header::CONTENT_SECURITY_POLICY));
        let kind = if name.ends_with(".js") { "text/javascript" } else { "text/css" };
        assert_eq!(file.headers()[header::CONTENT_TYPE], format!("{kind}; charset=utf-8"));
        if Graphiql::FILES.contains(&name) {
            assert_eq!(file.text().await.unwrap(), name);
        }
    }
    // Nothing else of that folder, and of no other.
    for path in ["secret.js", "..%2fgraphiql%2fgraphiql.min.js", "%2e%2e%2fCargo.toml", "index.html", ""] {
        let file = get(&server, &format!("/graphiql/{path}")).await;
        assert_eq!(file.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn what_a_browser_has_is_not_sent_again() {
    let server = TestServer::start().await;
    let url = format!("{}/graphiql/boot.js", server.url());
    let first = get(&server, "/graphiql/boot.js").await;
    let etag = first.headers()[header::ETAG].clone();
    assert!(!first.text().await.unwrap().is_empty());
    let again = Client::new().get(url).header(header::IF_NONE_MATCH, etag).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert!(again.text().await.unwrap().is_empty());
}

#[tokio::test]
async fn without_its_files_the_page_says_how_to_get_them() {
    let folder = tempfile::tempdir().unwrap();
    let files = Graphiql::Folder(folder.path().to_owned());
    let server = TestServer::start_with(|config| config.http.graphiql = files).await;
    let page = get(&server, "/").await.text().await.unwrap();
    assert!(page.contains("scripts/fetch-graphiql") && !page.contains("<script"), "{page}");
}

#[tokio::test]
async fn where_it_is_off_there_is_no_page() {
    let server = TestServer::start_with(|config| config.http.graphiql = Graphiql::Off).await;
    for path in ["/", "/graphiql/boot.js", "/graphiql/page.css"] {
        assert_eq!(get(&server, path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    server.anonymous().query("{ server { name } }").await.data("server");
}
