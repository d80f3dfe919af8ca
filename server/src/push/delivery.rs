//! One push: whether the device still needs it, what it is told, and what becomes of it then.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use kith_protocol::{Body, Code, Message, entry::ConversationKind, push::PushPayload, visible};
use sha2::Sha256;
use tokio::time::Instant;

use super::{
    Push, feed,
    queue::{Begun, Queue, Reached, Target},
    seal,
    send::{Answer, Envelope},
};
use crate::{
    Error,
    account::endpoint::Endpoint,
    clock,
    conversation::Audience,
    limits,
    store::{
        self, Change, RowKey, StoreExt as _,
        schema::{self, Listed, Pending, Subscription, Value},
    },
};

/// The end of a text that was cut.
const ELLIPSIS: &str = "…";

/// The outcome of a push.
#[derive(Debug)]
pub enum Outcome {
    /// The push service has it.
    Sent,
    /// The device needs it no longer.
    Needless,
    /// The subscription is no more.
    Gone(Box<Subscription>),
    /// The push service takes less.
    TooLarge,
    /// The push service will never take it.
    Refused,
    /// May work later, and not before a time that the push service names.
    Later(Option<Duration>),
    /// The push service was not reached; it may be later.
    Unreached,
}

impl Outcome {
    const fn name(&self) -> &'static str {
        match self {
            Outcome::Sent => "sent",
            Outcome::Needless => "needless",
            Outcome::Gone(_) => "gone",
            Outcome::TooLarge => "too_large",
            Outcome::Refused => "refused",
            Outcome::Later(_) => "later",
            Outcome::Unreached => "unreached",
        }
    }

    const fn reached(&self) -> Reached {
        match self {
            Outcome::Needless => Reached::Unasked,
            Outcome::Unreached => Reached::Silent,
            _ => Reached::Answered,
        }
    }
}

impl Push {
    /// Pushes to a device the newest of what it has not read, if it still needs that.
    pub(super) async fn deliver(&self, begun: Begun) -> Outcome {
        self.try_to(begun).await.unwrap_or_else(|error| match error.code {
            // No member any longer.
            Code::NotFound => Outcome::Needless,
            _ => Outcome::Later(None),
        })
    }

    async fn try_to(&self, Begun { target, row, small }: Begun) -> Result<Outcome, Error> {
        let Target { user, device, conversation } = target;
        let Some(subscription) = self.reachable(target).await? else { return Ok(Outcome::Needless) };
        let Some(vapid) = self.vapid.read().clone() else { return Ok(Outcome::Needless) };
        let audience = self.conversations.audience(conversation, Some(user)).await?;
        let Some(listener) = audience.members.first().copied() else { return Ok(Outcome::Needless) };
        let card = self.accounts.card(user).await?;
        let newest = self.conversations.newest_unread(user, conversation, listener.read, &card.blocked).await?;
        let Some(message) = newest else { return Ok(Outcome::Needless) };
        let Ok(endpoint) = Endpoint::read(&subscription.endpoint, self.subscriptions.settings().loopback) else {
            return Ok(Outcome::Refused);
        };
        let mut payload = self.payload(target, &audience, &message).await?;
        let urgent = payload.direct || payload.mentioned;
        let most = if small { limits::PUSH_SMALL_TEXT_BYTES } else { seal::TEXT_BYTES };
        payload.text = cut(payload.text, most);
        let Some(sealed) = seal::seal(&subscription, &fit(payload)) else { return Ok(Outcome::Refused) };
        let age_s = clock::forget_until().since(row.since).as_secs();
        let envelope = Envelope {
            authorization: vapid.authorization(&endpoint),
            ttl_s: limits::PUSH_TTL_S.saturating_sub(age_s),
            urgent,
            topic: topic(&subscription, target),
        };
        Ok(match self.sender.send(&endpoint, envelope, sealed).await {
            Ok(Answer::Taken) => Outcome::Sent,
            Ok(Answer::Gone) => Outcome::Gone(Box::new(subscription)),
            Ok(Answer::TooLarge) => Outcome::TooLarge,
            Ok(Answer::Later(after)) => Outcome::Later(after),
            Ok(Answer::Refused(status)) => {
                tracing::warn!(%user, %device, status, "a push was refused");
                Outcome::Refused
            }
            Err(error) => {
                tracing::debug!(%user, %device, %error, "a push service was not reached");
                Outcome::Unreached
            }
        })
    }

    /// Returns the subscription at which the device is woken; none where that is not wanted.
    async fn reachable(&self, Target { user, device, conversation }: Target) -> Result<Option<Subscription>, Error> {
        let of_user = |key| RowKey { partition: schema::user::partition(user), key };
        let wanted = vec![
            schema::push::subscription(user, device),
            of_user(schema::user::device(device)),
            of_user(schema::user::listed(conversation)),
        ];
        let rows = self.store.get(wanted).await?;
        let [Some(subscription), signed_in, Some(listed)] = &rows[..] else { return Ok(None) };
        let of = || format!("{conversation} in the list of {user}");
        if signed_in.is_none() {
            self.subscriptions.remove(user, device).await?;
            return Ok(None);
        }
        if feed::is_muted(&store::unless_damaged(of, Listed::decode(listed)).unwrap_or_default())
            || self.is_awake(user, device)
        {
            return Ok(None);
        }
        Ok(Some(Subscription::decode(subscription)?))
    }

    async fn payload(&self, target: Target, audience: &Audience, message: &Message) -> Result<PushPayload, Error> {
        let entry = &message.entry;
        let card = self.accounts.card(entry.sender).await?;
        let sender = visible::name(&card.display_name).unwrap_or_else(|| card.username.clone());
        let Body::Message(body) = &entry.body else { return Err(Code::NotFound.into()) };
        Ok(PushPayload {
            conversation: target.conversation,
            seq: entry.seq,
            at: entry.time(),
            title: audience.title.as_deref().and_then(visible::name).unwrap_or_else(|| sender.clone()),
            sender,
            text: body.text.clone(),
            attachment: body.attachments.first().map(|media| media.content_type.clone()),
            unread: audience.members.first().map_or(0, |listener| listener.unread),
            mentioned: body.mentions.contains(&target.user),
            direct: audience.kind == ConversationKind::Direct,
        })
    }

    /// Notes what became of a push: in the store, in the queue, and in the metrics.
    pub(super) async fn settle(&self, queue: &mut Queue, begun: Begun, outcome: Outcome) -> Result<(), Error> {
        let Begun { target, row, small } = begun;
        metrics::counter!("kith_pushes_total", "outcome" => outcome.name()).increment(1);
        let now = clock::now();
        let soon = Instant::now();
        let newer = queue.ended(&target, outcome.reached(), soon);
        match outcome {
            Outcome::TooLarge if !small => {
                queue.again(target, row, true, soon);
                return Ok(());
            }
            Outcome::Later(_) | Outcome::Unreached => {
                let after = if let Outcome::Later(after) = outcome { after } else { None };
                let wait = pause(row.attempts).max(after.unwrap_or_default());
                let row = Pending { not_before: now.plus(wait), attempts: row.attempts.saturating_add(1), ..row };
                if row.not_before.since(row.since).as_secs() < limits::PUSH_TTL_S {
                    queue.again(target, row, small, soon + wait);
                    return self.commit(target, Change::Put(feed::key(&target), row.encode())).await;
                }
                metrics::counter!("kith_pushes_total", "outcome" => "given_up").increment(1);
            }
            Outcome::Gone(subscription) => {
                queue.drop(&target);
                tracing::info!(user = %target.user, device = %target.device, "push subscription is no more");
                return self.subscriptions.remove_if(target.user, target.device, &subscription).await;
            }
            _ => {}
        }
        if newer {
            let row = Pending { since: now, not_before: now, attempts: 0 };
            queue.again(target, row, false, soon);
            return self.commit(target, Change::Put(feed::key(&target), row.encode())).await;
        }
        queue.drop(&target);
        self.commit(target, Change::Delete(feed::key(&target))).await
    }

    async fn commit(&self, target: Target, change: Change) -> Result<(), Error> {
        let partition = schema::push::partition_of(target.user);
        Ok(self.store.change(partition, vec![change]).await?)
    }
}

/// The pause after so many attempts: twice as long each time, and a part of it by chance.
fn pause(attempts: u32) -> Duration {
    let most = limits::PUSH_RETRY_S.saturating_mul(1 << attempts.min(20)).min(limits::PUSH_RETRY_AT_MOST_S);
    let half_ms = most * 500;
    Duration::from_millis(half_ms + u64::from(clock::random_below(half_ms as u32)))
}

/// The JSON of a payload, with its text cut until it can be pushed.
fn fit(mut payload: PushPayload) -> Vec<u8> {
    loop {
        let bytes = serde_json::to_vec(&payload).expect("a payload has a JSON form");
        if bytes.len() <= seal::TEXT_BYTES || payload.text.is_empty() {
            return bytes;
        }
        // A byte of the text is six of JSON at most.
        let over = (bytes.len() - seal::TEXT_BYTES).div_ceil(6).max(ELLIPSIS.len());
        let keep = payload.text.len().saturating_sub(over);
        payload.text = cut(payload.text, keep);
    }
}

/// A text, or its beginning with an ellipsis, so many bytes long at most.
fn cut(text: String, bytes: usize) -> String {
    if text.len() <= bytes {
        return text;
    }
    let mut end = bytes.saturating_sub(ELLIPSIS.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    if end == 0 { String::new() } else { format!("{}{ELLIPSIS}", text[..end].trim_end()) }
}

/// The topic of a push, which replaces the one before it of the same conversation to the same device. It names the conversation to
/// nobody, nor does it show that two devices are told of the same.
fn topic(subscription: &Subscription, target: Target) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(&subscription.auth).expect("a key may have any length");
    mac.update(b"kith push topic\n");
    mac.update(&target.conversation.bytes());
    BASE64_URL_SAFE_NO_PAD.encode(&mac.finalize().into_bytes()[..24])
}

#[cfg(test)]
mod tests {
    use kith_protocol::{ConversationId, Timestamp};

    use super::*;

    #[test]
    fn any_text_is_cut_to_what_can_be_pushed() {
        for text in
            ["a".repeat(20_000), "\u{1}".repeat(16_384), "😀".repeat(4096), "\"".repeat(5000), "short".to_owned()]
        {
            let payload = PushPayload {
                conversation: ConversationId::from_bytes([7; 16]),
                seq: u64::MAX,
                at: Timestamp::default(),
                title: "𝄞".repeat(200),
                sender: "𝄞".repeat(200),
                text: cut(text.clone(), seal::TEXT_BYTES),
                attachment: Some("a".repeat(127)),
                unread: u64::MAX,
                mentioned: true,
                direct: true,
            };
            let bytes = fit(payload);
            assert!(bytes.len() <= seal::TEXT_BYTES);
            let told: PushPayload = serde_json::from_slice(&bytes).unwrap();
            let beginning = told.text.trim_end_matches(ELLIPSIS);
            assert!(text.starts_with(beginning) && (told.text == text || beginning.len() > 250), "{}", told.text);
        }
    }

    #[test]
    fn pauses_grow_and_have_a_bound() {
        let base = Duration::from_secs(limits::PUSH_RETRY_S);
        assert!((base / 2..base).contains(&pause(0)));
        assert!((base * 4..base * 8).contains(&pause(3)));
        let most = Duration::from_secs(limits::PUSH_RETRY_AT_MOST_S);
        assert!((most / 2..most).contains(&pause(u32::MAX)));
    }
}
