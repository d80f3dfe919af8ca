//! A push service of the test's own, and a device behind it that decrypts. Written from RFC 8030, 8188, 8291 and 8292, and
//! sharing no code with the server.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use aes_gcm::{
    Aes128Gcm, KeyInit,
    aead::{Aead, array::Array},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use p256::{
    PublicKey, SecretKey,
    ecdsa::{Signature, VerifyingKey, signature::Verifier},
    elliptic_curve::sec1::ToSec1Point,
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A request that came.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: String,
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
    pub at: std::time::Instant,
}

/// The answer of the service: a status, and after how many seconds to come again.
pub type Answer = (u16, Option<u32>);

#[derive(Default)]
pub(super) struct State {
    pub(super) requests: Vec<Request>,
    answers: HashMap<String, VecDeque<Answer>>,
    always: Option<Answer>,
    /// True while it reads what comes and answers nothing.
    pub(super) silent: bool,
    /// Requests that wait for an answer, and the most that ever did at a time.
    pub(super) waiting: (usize, usize),
}

/// A push service on a port of its own.
#[derive(Clone)]
pub struct Service {
    pub address: SocketAddr,
    pub(super) state: Arc<Mutex<State>>,
}

impl Service {
    pub async fn start() -> Self {
        Self::on(Arc::default()).await
    }

    pub(super) async fn on(state: Arc<Mutex<State>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let service = Self { address: listener.local_addr().expect("an address"), state: state.clone() };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = state.clone();
                tokio::spawn(async move { serve(stream, &state).await });
            }
        });
        service
    }

    /// Sets the next answers to a device, once each.
    pub fn answer_next(&self, device: &Device, answers: impl IntoIterator<Item = Answer>) {
        self.state.lock().answers.entry(device.path.clone()).or_default().extend(answers);
    }

    /// Sets the answer to all whose answers are not said otherwise.
    pub fn answer_always(&self, answer: Option<Answer>) {
        self.state.lock().always = answer;
    }

    /// The requests that came for a device.
    pub fn requests(&self, device: &Device) -> Vec<Request> {
        self.state.lock().requests.iter().filter(|request| request.path == device.path).cloned().collect()
    }

    /// Waits until so many came for a device, and reads them.
    pub async fn pushed(&self, device: &Device, count: usize) -> Vec<Value> {
        let until = tokio::time::Instant::now() + Duration::from_secs(30);
        loop {
            let requests = self.requests(device);
            if requests.len() >= count {
                return requests.iter().map(|request| device.open(&request.body)).collect();
            }
            assert!(tokio::time::Instant::now() < until, "{} of {count} pushes came", requests.len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let mut bytes = Vec::new();
    let head = loop {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
        if let Some(end) = bytes.windows(4).position(|part| part == b"\r\n\r\n") {
            break end;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).expect("a head is text");
    let mut lines = text.lines();
    let mut first = lines.next().expect("a request line").split(' ');
    assert_eq!(first.next(), Some("POST"));
    let path = first.next().expect("a path").to_owned();
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers["content-length"].parse().expect("a length");
    let mut body = bytes.split_off(head + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.unwrap_or(0) == 0 {
            return;
        }
    }
    {
        let mut state = state.lock();
        state.waiting.0 += 1;
        state.waiting.1 = state.waiting.1.max(state.waiting.0);
    }
    let mut lost = false;
    while !lost && state.lock().silent {
        // Who asked may have had enough.
        let read = tokio::time::timeout(Duration::from_millis(20), stream.read_u8()).await;
        lost = read.is_ok();
    }
    let (status, retry_after) = {
        let mut state = state.lock();
        state.waiting.0 -= 1;
        if lost {
            return;
        }
        let answer = state.answers.get_mut(&path).and_then(VecDeque::pop_front).or(state.always).unwrap_or((201, None));
        state.requests.push(Request { path, headers, body, at: std::time::Instant::now() });
        answer
    };
    let retry_after = retry_after.map_or_else(String::new, |seconds| format!("Retry-After: {seconds}\r\n"));
    let answer = format!("HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\n{retry_after}\r\n");
    let _ = stream.write_all(answer.as_bytes()).await;
}

/// A browser that has subscribed: its keys, and where it is woken.
pub struct Device {
    secret: SecretKey,
    auth: [u8; 16],
    pub path: String,
    endpoint: String,
}

impl Device {
    /// One at a service.
    pub fn new(service: &Service) -> Self {
        let path = format!("/push/{}?token=x%2Fy", kith::clock::uuid());
        let endpoint = format!("http://{}{path}", service.address);
        let secret = loop {
            if let Ok(secret) = SecretKey::from_slice(&kith::clock::random::<32>()) {
                break secret;
            }
        };
        Self { secret, auth: kith::clock::random(), path, endpoint }
    }

    fn point(&self) -> Vec<u8> {
        self.secret.public_key().to_sec1_point(false).as_bytes().to_vec()
    }

    /// The same as `PushSubscription.toJSON()` gives.
    pub fn subscription(&self) -> Value {
        let keys = json!({
            "p256dh": BASE64_URL_SAFE_NO_PAD.encode(self.point()),
            "auth": BASE64_URL_SAFE_NO_PAD.encode(self.auth),
        });
        json!({ "endpoint": self.endpoint, "expirationTime": null, "keys": keys })
    }

    /// Decrypts what was pushed: RFC 8188, section 2, and RFC 8291, section 3.
    pub fn open(&self, body: &[u8]) -> Value {
        assert!(body.len() <= 4096, "no push service must take more");
        let (salt, rest) = body.split_at(16);
        let (record_size, rest) = rest.split_at(4);
        assert!(u32::from_be_bytes(record_size.try_into().unwrap()) as usize >= body.len() - 86, "one record");
        let (key_length, rest) = rest.split_at(1);
        let (sender, record) = rest.split_at(key_length[0].into());
        let shared = self.secret.diffie_hellman(&PublicKey::from_sec1_bytes(sender).expect("a point"));
        let info = [b"WebPush: info\0".as_slice(), &self.point(), sender].concat();
        let secret = hkdf(&self.auth, shared.raw_secret_bytes(), &info, 32);
        let key: [u8; 16] = hkdf(salt, &secret, b"Content-Encoding: aes128gcm\0", 16).try_into().unwrap();
        let nonce: [u8; 12] = hkdf(salt, &secret, b"Content-Encoding: nonce\0", 12).try_into().unwrap();
        let text = Aes128Gcm::new(&Array(key)).decrypt(&Array(nonce), record).expect("it is encrypted to this device");
        let end = text.iter().rposition(|byte| *byte != 0).expect("a text has an end");
        assert_eq!(text[end], 2, "the last record ends with 2 and zeroes");
        serde_json::from_slice(&text[..end]).expect("JSON")
    }
}

/// HKDF-SHA-256 of one block (RFC 5869).
fn hkdf(salt: &[u8], secret: &[u8], info: &[u8], length: usize) -> Vec<u8> {
    let hmac = |key: &[u8], parts: &[&[u8]]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().to_vec()
    };
    let key = hmac(salt, &[secret]);
    hmac(&key, &[info, &[1]])[..length].to_vec()
}

/// Reads an `Authorization` of RFC 8292, whose signature must be good: the claims, and the key in base64url.
pub fn vapid(authorization: &str) -> (Value, String) {
    let (token, key) =
        authorization.strip_prefix("vapid t=").and_then(|rest| rest.split_once(", k=")).expect("t and k");
    let (said, signature) = token.rsplit_once('.').expect("a signature");
    let decode = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64url");
    let verifies = VerifyingKey::from_sec1_bytes(&decode(key)).expect("a key");
    let signature = Signature::from_slice(&decode(signature)).expect("r and s");
    verifies.verify(said.as_bytes(), &signature).expect("the signature is good");
    let (header, claims) = said.split_once('.').expect("a header");
    let json = |text: &str| serde_json::from_slice::<Value>(&decode(text)).expect("JSON");
    assert_eq!(json(header), json!({ "typ": "JWT", "alg": "ES256" }));
    (json(claims), key.to_owned())
}
