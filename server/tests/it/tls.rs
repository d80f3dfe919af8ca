//! TLS from files: the same server and the same client, with a certificate between them.

use std::fs;

use kith_client::{Rest, Server};

use crate::world::{World, new_user, text, words};

#[tokio::test]
async fn people_chat_over_tls_and_nobody_without() {
    let dir = tempfile::tempdir().expect("a folder");
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
    let (certificate, key) = (dir.path().join("certificate.pem"), dir.path().join("key.pem"));
    fs::write(&certificate, made.cert.pem()).expect("a file");
    fs::write(&key, made.signing_key.serialize_pem()).expect("a file");
    let world = World::with(|config| (config.tls.certificate, config.tls.key) = (Some(certificate), Some(key))).await;

    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let (mut annas, mut belas) = (anna.connect().await, bela.connect().await);
    let much = "ä".repeat(6000);
    for n in 0..30 {
        annas.send(direct, text(format!("{n} {much}"))).await;
    }
    for n in 0..30 {
        assert_eq!(words(&belas.entry().await), format!("{n} {much}"));
    }
    let late = bela.connect_with(vec![(direct, 30)]).await.entries().await;
    assert_eq!(late.entries.len(), 1);

    let authority = world.authority();
    let plain = Rest::new(Server::new(&format!("http://{authority}")).expect("an address"));
    assert!(plain.sign_up(&new_user("cora")).await.is_err(), "without TLS there is no answer");
    let other = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
    let roots = other.cert.pem();
    let careful = Server::with_roots(&format!("https://{authority}"), roots.as_bytes()).expect("an address");
    let refused = Rest::new(careful).sign_up(&new_user("cora")).await;
    assert!(
        refused.is_err_and(|error| error.to_string().contains("certificate")),
        "another certificate is not trusted"
    );
}
