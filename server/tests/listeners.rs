//! Who may connect, how many at once, and through which load balancer: what a dialogue cannot show.

mod harness;

use harness::client::Client;
use harness::server::Server;
use harness::wire::Wire;
use std::time::Duration;

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// A header of version 2 for this client on TCP over IPv4.
fn version_2(client: [u8; 4]) -> Vec<u8> {
    let addresses = [&client[..], &[127, 0, 0, 1, 0x04, 0xd2, 0, 143]].concat();
    [SIGNATURE, &[0x21, 0x11, 0, 12], &addresses].concat()
}

fn connect(address: &str, header: &[u8]) -> Wire {
    let mut wire = Wire::connect(address);
    wire.send(header).expect("the header is sent");
    wire
}

fn greeting(wire: &mut Wire) -> String {
    let response = wire.response().expect("a greeting");
    String::from_utf8_lossy(&response).into_owned()
}

#[test]
fn a_socket_lets_in_whom_its_rules_allow() {
    let rules = "listen.sockets = [ { address = \"{second}\", proxy_from = \"127.0.0.0/8\", \
                 allow = \"192.0.2.0/24, 2001:db8::/32\", deny = \"192.0.2.66\" } ]\n";
    let server = Server::serve("rules", 1, rules);
    let second = &server.addresses.imaps;
    for client in [[192, 0, 2, 1], [192, 0, 2, 255]] {
        let greeting = greeting(&mut connect(second, &version_2(client)));
        assert!(greeting.starts_with("* OK"), "{greeting}");
    }
    for client in [[192, 0, 2, 66], [192, 0, 3, 1], [127, 0, 0, 1]] {
        let mut wire = connect(second, &version_2(client));
        wire.expect_close().expect("closed without a word");
    }
    // The balancer's own check: LOCAL is the balancer itself, whom no rule allows.
    let local = [SIGNATURE, &[0x20, 0, 0, 0]].concat();
    connect(second, &local).expect_close().expect("closed");
    // The plain address has no rules and no balancer.
    Client::connect(&server.addresses.imap);
}

#[test]
fn tls_begins_behind_the_header_of_either_version() {
    let rules = "listen.sockets = [ { address = \"{second}\", tls = true, \
                 proxy_from = \"127.0.0.1\" } ]\n";
    let server = Server::serve("proxy-tls", 1, rules);
    server.add_account("behind@localhost", "secret");
    let first = b"PROXY TCP4 192.0.2.1 127.0.0.1 1234 993\r\n".to_vec();
    for header in [first, version_2([192, 0, 2, 1])] {
        let mut wire = connect(&server.addresses.imaps, &header);
        wire.start_tls();
        let greeting = greeting(&mut wire);
        assert!(greeting.starts_with("* OK"), "{greeting}");
        wire.send(b"a LOGIN behind@localhost secret\r\n")
            .expect("sent");
        let answer = wire.response().expect("an answer");
        assert!(answer.starts_with(b"a OK"), "{answer:?}");
    }
}

#[test]
fn over_the_bound_a_tls_connection_is_closed_before_the_handshake() {
    let bound = "limits.imap_connections_max = 1\n\
                 listen.sockets = [ { address = \"{second}\", tls = true } ]\n";
    let server = Server::serve("bound-tls", 1, bound);
    // What looked whether the server is there has a place for a moment.
    std::thread::sleep(Duration::from_millis(300));
    let _held = Client::connect(&server.addresses.imap);
    let mut refused = Wire::connect(&server.addresses.imaps);
    refused.expect_close().expect("closed without a word");
}

#[test]
fn no_channels_are_no_listener() {
    let none = "[limits]\nlmtp_connections_max = 0\n";
    let server = Server::serve("no-channels", 1, none);
    Client::connect(&server.addresses.imap);
    assert!(std::net::TcpStream::connect(&server.addresses.lmtp).is_err());
    assert!(!server.lmtp_socket().exists());
}
