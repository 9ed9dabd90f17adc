use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream as Client};

use axum::routing::get;

use super::*;

/// Long enough for an answer on a busy machine, short enough to wait for.
const TIMEOUT: Duration = Duration::from_millis(400);

/// Serves `/` with so few places and so little time. Ends with the test's process.
fn start(connections_max: usize) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let router = Router::new().route("/", get(async || "fine\n"));
        let bounds = Bounds {
            connections_max,
            timeout: TIMEOUT,
        };
        tokio::task::LocalSet::new().block_on(&runtime, async move {
            serve(TcpListener::from_std(listener).unwrap(), router, bounds).await;
        });
    });
    address
}

fn connect(address: SocketAddr, sent: &str) -> Client {
    let mut client = Client::connect(address).unwrap();
    client
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    client.write_all(sent.as_bytes()).unwrap();
    client
}

/// All that the server says until it closes; a reset counts as an end.
fn heard(mut client: Client) -> String {
    let mut bytes = Vec::new();
    match client.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
        Err(error) => panic!("the connection is left open: {error}"),
    }
    String::from_utf8(bytes).unwrap()
}

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/// What `sent` is answered with begins so; either way the connection ends.
#[track_caller]
fn check(sent: &str, answer: &str) {
    let heard = heard(connect(start(1), sent));
    assert!(heard.starts_with(answer), "{heard}");
    assert_eq!(heard.is_empty(), answer.is_empty(), "{heard}");
}

#[test]
fn one_request_is_answered_and_the_connection_closed() {
    check(REQUEST, "HTTP/1.1 200 ");
    check(&REQUEST.repeat(2), "HTTP/1.1 200 ");
}

#[test]
fn who_says_nothing_or_half_a_header_is_dropped() {
    check("", "");
    check("GET / HTTP/1.1\r\nHost:", "");
}

#[test]
fn a_header_without_end_is_refused() {
    let header = format!(
        "GET / HTTP/1.1\r\nX: {}",
        "y".repeat(2 * HTTP_BUFFER_BYTES_MAX)
    );
    check(&header, "HTTP/1.1 431 ");
}

#[test]
fn a_body_that_nobody_wants_is_not_waited_for() {
    let request = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\nabc";
    check(request, "HTTP/1.1 405 ");
}

/// Each silent connection used to stay for good.
#[test]
fn silent_connections_give_their_places_back() {
    let address = start(3);
    let silent: Vec<Client> = (0..9).map(|_| connect(address, "")).collect();
    assert!(heard(connect(address, REQUEST)).ends_with("fine\n"));
    drop(silent);
}
