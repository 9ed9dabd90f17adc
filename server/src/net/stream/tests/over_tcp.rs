//! The same on a real executor and real sockets.

use std::net::TcpStream;

use super::*;
use crate::net::listener::{accept_connections, bind_tcp};
use crate::runtime::glommio_runtime::{GlommioListener, GlommioRuntime, ShardsConfig, run_shards};
use crate::runtime::{StopSource, preflight};

#[test]
fn tls_sessions_are_served_and_resumed_on_any_shard() {
    let directory = tempfile::tempdir().unwrap();
    let files = certificate(directory.path(), &[]);
    let tls = TlsServer::load(std::slice::from_ref(&files)).unwrap();
    let bound = bind_tcp("127.0.0.1:0".parse().unwrap(), 2).unwrap();
    let (source, stop) = StopSource::new();
    let shards = ShardsConfig {
        cpus: preflight::usable_cpus().unwrap(),
        data_dirs: vec![directory.path().to_owned()],
    };
    let main = move |_, runtime: GlommioRuntime, socket| {
        let (stop, tls) = (stop.clone(), tls.clone());
        async move {
            let listener = GlommioListener::from_socket(socket);
            let spawner = runtime.clone();
            accept_connections(runtime, listener, stop, move |stream| {
                let tls = tls.clone();
                spawner.spawn(async move {
                    let mut connection = Connection::accept_tls(stream, &tls).await.unwrap();
                    let mut bytes = Vec::new();
                    while connection
                        .read_into(&mut bytes)
                        .await
                        .is_ok_and(|read| read > 0)
                    {
                        connection.write_all(&bytes).await.unwrap();
                        bytes.clear();
                    }
                });
            })
            .await;
        }
    };
    let threads = run_shards(&shards, bound.sockets, main).unwrap();
    let config = client_config(&[&files], &BOTH);
    let mut resumed = 0;
    for round in 0..20u8 {
        let name = ServerName::try_from("localhost").unwrap();
        let tls = ClientConnection::new(config.clone(), name).unwrap();
        let socket = TcpStream::connect(bound.address).unwrap();
        let mut client = rustls::StreamOwned::new(tls, socket);
        for bytes in [1, 20_000, 200_000] {
            let text = vec![round; bytes];
            let (mut answer, mut sent) = (vec![0; bytes], text.as_slice());
            while !sent.is_empty() {
                let piece = sent.len().min(30_000);
                client.write_all(&sent[..piece]).unwrap();
                let done = bytes - sent.len();
                client.read_exact(&mut answer[done..done + piece]).unwrap();
                sent = &sent[piece..];
            }
            assert!(answer == text);
        }
        resumed += usize::from(client.conn.handshake_kind() == Some(HandshakeKind::Resumed));
    }
    assert_eq!(resumed, 19);
    source.request();
    threads.join().unwrap();
}
