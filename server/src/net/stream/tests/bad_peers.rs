//! Clients that speak no TLS, vanish, do not read, or are given up on.

use super::*;

#[test]
fn plaintext_on_a_tls_port_gets_an_alert_and_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let files = certificate(directory.path(), &[]);
    let tls = TlsServer::load(std::slice::from_ref(&files)).unwrap();
    for seed in 0..20 {
        let simulation = Simulation::new(seed);
        let (mut client, server) = simulation.connect_pair(LOCAL);
        let server_tls = tls.clone();
        let runtime = simulation.runtime();
        runtime.spawn(async move {
            let outcome = Connection::accept_tls(server, &server_tls).await;
            assert_eq!(
                outcome.err().unwrap().kind(),
                std::io::ErrorKind::InvalidData
            );
        });
        let answer = simulation.run_until(async move {
            client
                .write_all(b"a LOGIN somebody secret\r\n")
                .await
                .unwrap();
            let mut answer = Vec::new();
            while client.read_into(&mut answer).await.unwrap() > 0 {}
            answer
        });
        // RFC 8446 5.1: 21 is the content type of alerts.
        assert_eq!(answer.unwrap().first(), Some(&21), "seed {seed}");
        assert_eq!(runtime.task_panics(), 0, "seed {seed}");
    }
}

#[test]
fn client_that_vanishes_in_the_handshake_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let files = certificate(directory.path(), &[]);
    let tls = TlsServer::load(std::slice::from_ref(&files)).unwrap();
    let simulation = Simulation::new(1);
    let (client, server) = simulation.connect_pair(LOCAL);
    let mut client = Client::new(client, &client_config(&[&files], &BOTH), "localhost");
    simulation.runtime().spawn(async move {
        client.flush().await;
        client.stream.close();
    });
    let outcome = simulation.run_until(async move {
        let outcome = Connection::accept_tls(server, &tls).await;
        outcome.err().map(|error| error.kind())
    });
    let outcome = outcome.unwrap().unwrap();
    assert!(
        matches!(
            outcome,
            std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::BrokenPipe
        ),
        "{outcome:?}"
    );
}

async fn stuck_write(
    runtime: SimulatedRuntime,
    mut connection: Connection<SimulatedStream>,
) -> std::io::Result<()> {
    let kick = connection.kick_handle();
    let sweeper = runtime.clone();
    runtime.spawn(async move {
        sweeper.sleep(Duration::from_secs(60)).await;
        kick.both();
    });
    connection.write_all(&vec![1; 1_000_000]).await
}

#[test]
fn client_that_does_not_read_can_be_kicked() {
    let directory = tempfile::tempdir().unwrap();
    let files = certificate(directory.path(), &[]);
    let tls = TlsServer::load(std::slice::from_ref(&files)).unwrap();
    let config = client_config(&[&files], &BOTH);
    let simulation = Simulation::new(1);
    let (client, server) = simulation.connect_pair(LOCAL);
    let runtime = simulation.runtime();
    runtime.spawn(async move {
        let mut client = Client::new(client, &config, "localhost");
        client.send(b"a FETCH 1:* BODY[]\r\n").await;
        client.receive_bytes(1).await;
        std::future::pending::<()>().await;
    });
    let server_runtime = simulation.runtime();
    let outcome = simulation.run_until(async move {
        let connection = Connection::accept_tls(server, &tls).await.unwrap();
        stuck_write(server_runtime, connection)
            .await
            .map_err(|error| error.kind())
    });
    assert_eq!(outcome, Ok(Err(std::io::ErrorKind::BrokenPipe)));
}

#[test]
fn waiting_given_up_loses_no_byte() {
    let directory = tempfile::tempdir().unwrap();
    let files = certificate(directory.path(), &[]);
    let tls = TlsServer::load(std::slice::from_ref(&files)).unwrap();
    let config = client_config(&[&files], &BOTH);
    for seed in 0..20 {
        let simulation = Simulation::new(seed);
        let (client, server) = simulation.connect_pair(LOCAL);
        let (pauses, runtime) = (simulation.runtime(), simulation.runtime());
        let config = config.clone();
        simulation.runtime().spawn(async move {
            let mut client = Client::new(client, &config, "localhost");
            while client.tls.is_handshaking() {
                client.flush().await;
                let mut records = Vec::new();
                client.stream.read_into(&mut records).await.unwrap();
                let mut rest = records.as_slice();
                while !rest.is_empty() {
                    client.tls.read_tls(&mut rest).unwrap();
                    client.tls.process_new_packets().unwrap();
                }
            }
            for byte in 0..100 {
                client.send(&[byte]).await;
                pauses.sleep(Duration::from_millis(7)).await;
            }
            client.tls.send_close_notify();
            client.flush().await;
            std::future::pending::<()>().await;
        });
        let server_tls = tls.clone();
        let received = simulation.run_until(async move {
            let mut connection = Connection::accept_tls(server, &server_tls).await.unwrap();
            let mut received = Vec::new();
            loop {
                let wait = within(&runtime, Duration::from_millis(3), connection.readable());
                match wait.await {
                    Some(ready) => ready.unwrap(),
                    None => continue,
                }
                if connection.read_into(&mut received).await.unwrap() == 0 {
                    break received;
                }
            }
        });
        assert_eq!(received, Ok((0..100).collect()), "seed {seed}");
    }
}
