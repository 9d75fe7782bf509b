//! Plain HTTP on the host's port.

use memlane::Text;
use memlane_net::host::Host;
use serde_json::{Value, json};

use crate::client::{http, stream};
use crate::served::Served;

fn get(served: &Served, path: &str, lines: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\nHost: localhost\nConnection: close\n{lines}\n");
    http(served.address(), &request, b"")
}

fn token(served: &Served) -> String {
    format!("Authorization: Bearer {}\n", served.host.tokens().read_write().unwrap())
}

fn looking(served: &Served) -> String {
    format!("Authorization: Bearer {}\n", served.host.tokens().read_only().unwrap())
}

fn put(served: &Served, path: &str, lines: &str, body: &str) -> String {
    let head =
        format!("PUT {path} HTTP/1.1\nHost: localhost\nConnection: close\nContent-Length: {}\n", body.len());
    http(served.address(), &format!("{head}{lines}\n"), body.as_bytes())
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{answer}"))
}

fn tag(answer: &str) -> &str {
    answer.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap_or_else(|| panic!("{answer}"))
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

#[test]
fn health_needs_no_token_and_all_else_does() {
    let served = Served::new(|host| host);
    assert_eq!(body(&get(&served, "/healthz", "")), "ok\n");
    for path in ["/metrics", "/api/v1/regions", "/api/v1/regions/a/b"] {
        for lines in ["", "Authorization: Bearer guess\n", "Authorization: Basic guess\n"] {
            assert_eq!(status(&get(&served, path, lines)), 401, "{path} {lines}");
        }
    }
    let mut client = served.client();
    client.ask(&json!({"n": 1, "op": "delete", "id": "nothing"}));
    let metrics = get(&served, "/metrics", &looking(&served));
    for line in ["memlane_sessions 1", "memlane_requests_total{op=\"delete\",outcome=\"not_found\"} 1"] {
        assert!(metrics.contains(line), "{metrics}");
    }
}

#[test]
fn the_page_needs_no_token() {
    let served = Served::new(|host| host);
    let page = get(&served, "/", "");
    assert_eq!((status(&page), body(&page).contains("<title>memlane</title>")), (200, true), "{page}");
    assert_eq!(tag(&get(&served, "/index.html", "")), tag(&page));
    let policy = "content-security-policy: default-src 'self'; img-src 'self' blob: data:; connect-src 'self'; style-src 'self';";
    let headers = ["text/html; charset=utf-8", "nosniff", "no-referrer", "no-cache", policy];
    assert!(headers.iter().all(|header| page.contains(header)), "{page}");
    let known = get(&served, "/", &format!("If-None-Match: {}\n", tag(&page)));
    assert_eq!((status(&known), body(&known)), (304, ""));
    for path in
        ["/nothing.js", "/api/v1/nothing", "/../Cargo.toml", "/%2e%2e/Cargo.toml", "/.", "//etc/passwd"]
    {
        let missing = get(&served, path, "");
        assert!(status(&missing) == 404 && missing.contains("the page is at /"), "{path}: {missing}");
    }
    let request = "POST / HTTP/1.1\nHost: localhost\nConnection: close\nContent-Length: 0\n\n";
    assert_eq!(status(&http(served.address(), request, b"")), 405);
    // Of no other name than this machine's.
    let request = "GET / HTTP/1.1\nHost: evil.example.com\nConnection: close\n\n";
    assert_eq!(status(&http(served.address(), request, b"")), 403);
}

#[test]
fn requests_for_others_are_refused() {
    let served = Served::new(|host| host.name("lab.example.org"));
    let asked = |host: &str, lines: &str| {
        http(
            served.address(),
            &format!("GET /healthz HTTP/1.1\nHost: {host}\nConnection: close\n{lines}\n"),
            b"",
        )
    };
    for host in ["localhost", "LOCALHOST:7440", "127.0.0.1:1", "[::1]:7440", "10.1.2.3", "lab.example.org:80"]
    {
        assert_eq!(status(&asked(host, "")), 200, "{host}");
        assert_eq!(status(&asked(host, &format!("Origin: http://{host}\n"))), 200, "{host}");
    }
    for host in
        ["evil.example.com", "localhost.evil.com", "127.0.0.1.evil.com", "lab.example.org.evil.com", ""]
    {
        assert_eq!(status(&asked(host, "")), 403, "{host}");
    }
    for origin in ["http://evil.com", "null", "http://localhost.evil.com", "http://localhost:1", "file://"] {
        assert_eq!(status(&asked("localhost", &format!("Origin: {origin}\n"))), 403, "{origin}");
    }
}

#[test]
fn a_page_from_elsewhere_gets_no_websocket() {
    let served = Served::new(|host| host);
    let handshake = |host: &str, origin: Option<&str>| {
        let mut request = tungstenite::http::Request::get(format!("ws://{}/api/v1", served.address()))
            .header("Host", host)
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", tungstenite::handshake::client::generate_key());
        if let Some(origin) = origin {
            request = request.header("Origin", origin);
        }
        tungstenite::client(request.body(()).unwrap(), stream(served.address())).is_ok()
    };
    let own = served.address().to_string();
    assert!(handshake(&own, None) && handshake(&own, Some(&format!("http://{own}"))));
    assert!(!handshake(&own, Some("http://evil.com")) && !handshake("evil.com", Some("http://evil.com")));
}

#[test]
fn what_asks_for_no_websocket_is_told_so() {
    let served = Served::new(|host| host);
    assert_eq!(status(&get(&served, "/api/v1", "")), 426);
    assert_eq!(status(&get(&served, "/api/v1", "Upgrade: websocket\nSec-WebSocket-Key: x\n")), 426);
    assert_eq!(status(&get(&served, "/nothing", "")), 404);
}

#[test]
fn a_text_is_read_and_written_with_its_version() {
    let served = Served::new(|host| host);
    Text::create(&served.space, "notes/one", 100).unwrap().write("hello").unwrap();
    let path = "/api/v1/regions/notes/one";
    let first = get(&served, path, &looking(&served));
    assert_eq!((status(&first), body(&first)), (200, "hello"));
    let condition = format!("{}If-None-Match: {}\n", looking(&served), tag(&first));
    assert_eq!(status(&get(&served, path, &condition)), 304);
    assert_eq!(status(&put(&served, path, &looking(&served), "no")), 403);
    let condition = format!("{}If-Match: {}\n", token(&served), tag(&first));
    let written = put(&served, path, &condition, "wörld");
    assert_eq!(status(&written), 204, "{written}");
    let second = get(&served, path, &token(&served));
    assert_eq!((body(&second), tag(&second)), ("wörld", tag(&written)));
    // Somebody else was faster.
    assert_eq!(status(&put(&served, path, &condition, "late")), 412);
    assert_eq!(body(&get(&served, path, &token(&served))), "wörld");
    assert_eq!(status(&get(&served, "/api/v1/regions/notes/two", &token(&served))), 404);
}

#[test]
fn other_contents_are_json_or_bytes() {
    let served = Served::new(|host| host);
    let mut client = served.client();
    let made = client.ask(&json!({"n": 1, "op": "create", "id": "speed", "kind": "value", "schema": "f64"}));
    assert!(made.get("ok").is_some(), "{made}");
    let path = "/api/v1/regions/speed";
    assert_eq!(status(&put(&served, path, &token(&served), "1.5")), 204);
    assert_eq!(body(&get(&served, path, &token(&served))), "1.5");
    let mut bytes = get(&served, &format!("{path}?form=bytes"), &token(&served));
    assert_eq!(status(&bytes), 200);
    assert!(bytes.split_off(bytes.find("\r\n\r\n").unwrap() + 4).len() >= 8);
    assert_eq!(status(&put(&served, path, &token(&served), "not JSON")), 400);
    let listed = get(&served, "/api/v1/regions", &token(&served));
    let listed: Value = serde_json::from_str(body(&listed)).unwrap();
    assert_eq!(listed["regions"][0]["id"], "speed", "{listed}");
}

#[test]
fn frames_are_pictures() {
    let served = Served::new(|host| host);
    let mut client = served.client();
    let schema = "2x3x3 uint8 encoding=bgr8";
    let made =
        client.ask(&json!({"n": 1, "op": "create", "id": "camera", "kind": "frames", "schema": schema}));
    assert!(made.get("ok").is_some(), "{made}");
    client.say(&json!({"n": 2, "op": "publish", "id": "camera"}), &[9; 18]);
    assert!(client.hear().0.get("ok").is_some());
    let path = "/api/v1/regions/camera";
    for (accept, kind) in
        [("", "png"), ("Accept: image/jpeg\n", "jpeg"), ("Accept: image/png, image/jpeg\n", "png")]
    {
        let answer = get(&served, path, &format!("{}{accept}", looking(&served)));
        assert!(
            status(&answer) == 200 && answer.contains(&format!("content-type: image/{kind}")),
            "{answer}"
        );
        let seen = format!("{}{accept}If-None-Match: {}\n", looking(&served), tag(&answer));
        assert_eq!(status(&get(&served, path, &seen)), 304);
    }
    let document = get(&served, path, &format!("{}Accept: application/json\n", looking(&served)));
    assert!(body(&document).starts_with('{'), "{document}");
}

#[test]
fn a_host_that_is_for_looking_only_takes_nothing() {
    let served = Served::new(Host::read_only);
    Text::create(&served.space, "a", 10).unwrap();
    assert_eq!(status(&put(&served, "/api/v1/regions/a", &token(&served), "x")), 403);
}
