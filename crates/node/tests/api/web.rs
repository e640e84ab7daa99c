//! The page: cached by content, never outside its folder, with headers that confine it.

use crate::support::with_site;
use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
};
use duet_node::api::{ApiConfig, ServeLimits, serve};
use std::{fs, net::Ipv4Addr, path::PathBuf, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("api-page");
    fs::create_dir_all(folder.join("assets")).unwrap();
    fs::write(folder.join("index.html"), "<title>Duet</title>").unwrap();
    fs::write(folder.join("assets/app-1234.js"), "export {}").unwrap();
    folder
}

#[test]
fn the_page_is_served_from_its_folder_alone() {
    let config = ApiConfig { web_dir: Some(folder()), ..ApiConfig::default() };
    with_site("web", &config, async |site| {
        let get = |path: &str| Request::get(path).body(Body::empty()).unwrap();
        let asset = site.send(get("/assets/app-1234.js")).await;
        assert_eq!(asset.headers()[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
        assert!(asset.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
        assert_eq!(asset.headers()["x-content-type-options"], "nosniff");

        let page = site.send(get("/orders/3")).await;
        assert_eq!(page.headers()[header::CACHE_CONTROL], "no-cache");
        let policy = page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'self';"), "{policy}");
        let etag = page.headers()[header::ETAG].clone();
        let body = to_bytes(page.into_body(), 1_000).await.unwrap();
        assert_eq!(&body[..], b"<title>Duet</title>");
        let known = Request::get("/").header(header::IF_NONE_MATCH, etag);
        let known = site.send(known.body(Body::empty()).unwrap()).await;
        assert_eq!(known.status(), StatusCode::NOT_MODIFIED);

        for path in
            ["/../Cargo.toml", "/%2e%2e/Cargo.toml", "/assets/none.js", "/assets/..%2f..%2fx.js"]
        {
            assert_eq!(site.send(get(path)).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
    });
}

#[test]
fn a_client_that_dawdles_with_its_headers_is_cut_off() {
    with_site("slow", &ApiConfig::default(), async |site| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let limits =
            ServeLimits { header_timeout: Duration::from_millis(200), ..ServeLimits::default() };
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let app = site.app.clone();
        let server = tokio::spawn(serve(listener, app, limits, None, async {
            stopped.await.ok();
        }));
        let mut answer = String::new();

        let mut prompt = TcpStream::connect(address).await.unwrap();
        let request = b"GET /healthz HTTP/1.1\r\nHost: duet\r\nConnection: close\r\n\r\n";
        prompt.write_all(request).await.unwrap();
        prompt.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(b"GET /healthz HT").await.unwrap();
        let mut rest = Vec::new();
        // The server closes; the test would hang here if it did not.
        slow.read_to_end(&mut rest).await.ok();
        assert!(!rest.starts_with(b"HTTP/1.1 200"));
        stop.send(()).unwrap();
        server.await.unwrap().unwrap();
    });
}
