//! Media that messages show: who may see them, and that they last as long as a message shows them.

use std::collections::HashMap;

use kith_protocol::{Code, MediaId, UserId, entry::Text};

use super::{Conversations, live::Live, log::Submitted};
use crate::{
    Error,
    media::{Reference, Row},
    store::{self, Kind, Record, RowKey, schema},
};

/// Media that a message is to show, in its order.
pub type Attached = Vec<(MediaId, Row)>;

impl Conversations {
    /// A media that a user may see: their own, an avatar, or one in a conversation where they see the message that shows
    /// it.
    ///
    /// # Errors
    /// `not_found` for any other.
    pub async fn media(&self, user: UserId, id: MediaId) -> Result<Row, Error> {
        let media = &self.context.media;
        let row = media.row(id).await?;
        if row.owner == user || media.is_avatar(id).await? {
            return Ok(row);
        }
        let mut from = Some(Vec::new());
        while let Some(key) = from {
            let (shown, next) = media.shown_in(id, key).await?;
            // The user's list first, because it wakes nobody; then the conversation itself, because the list may be behind.
            let keys = shown.iter().map(|(conversation, _)| RowKey {
                partition: schema::user::partition(user),
                key: schema::user::listed(*conversation),
            });
            let listed = self.context.store.get(keys.collect()).await?;
            for ((conversation, seq), _) in shown.into_iter().zip(listed).filter(|(_, listed)| listed.is_some()) {
                match self.access(user, conversation).await.and_then(|access| access.sees(seq)) {
                    Ok(()) => return Ok(row),
                    Err(error) if error.code == Code::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
            from = next;
        }
        Err(Code::NotFound.into())
    }

    /// The media of a message that a user is about to send.
    ///
    /// # Errors
    /// The attachment that there is not for them.
    pub(super) async fn attached(&self, user: UserId, ids: &[MediaId]) -> Result<Attached, Error> {
        let mut known: HashMap<MediaId, Row> = HashMap::new();
        let mut attached = Vec::with_capacity(ids.len());
        for (place, id) in ids.iter().enumerate() {
            let row = match known.get(id) {
                Some(row) => row.clone(),
                None => self.media(user, *id).await.map_err(|error| missing(place, error))?,
            };
            known.insert(*id, row.clone());
            attached.push((*id, row));
        }
        Ok(attached)
    }
}

fn missing(place: usize, error: Error) -> Error {
    match error.code {
        Code::NotFound => Error::field(format!("/attachments/{place}"), "there is no such media"),
        _ => error,
    }
}

impl Live {
    /// Notes which media the sends will show, before they do; those of which one is gone meanwhile are refused.
    pub(super) async fn refer_attached(&mut self, sends: Vec<Submitted>) -> Vec<Submitted> {
        let mut kept: Vec<Submitted> = Vec::with_capacity(sends.len());
        for send in sends {
            let by = Reference::Message(self.id, self.state.seq + 1 + kept.len() as u64);
            let mut referred = Ok(());
            for (place, (id, row)) in send.attached.iter().flatten().enumerate() {
                referred = self.context.media.refer(*id, row, by).await.map_err(|error| missing(place, error));
                if referred.is_err() {
                    break;
                }
            }
            match referred {
                Ok(()) => kept.push(send),
                Err(error) => {
                    self.reconsider_attached(&send).await;
                    self.refuse_unless_known(send, error).await;
                }
            }
        }
        kept
    }

    /// Has the media of a send looked at that came to nothing, perhaps.
    pub(super) async fn reconsider_attached(&self, send: &Submitted) {
        for (id, row) in send.attached.iter().flatten() {
            self.context.media.reconsider(*id, row).await;
        }
    }

    /// The media of a message whose content is about to go are no longer shown by it.
    pub(super) async fn release_attached(&self, record: &Record) -> Result<(), store::Error> {
        if record.kind != Kind::Message {
            return Ok(());
        }
        let Ok(text) = serde_json::from_slice::<Text>(&record.body) else { return Ok(()) };
        for media in text.attachments {
            let by = Reference::Message(self.id, record.seq);
            if let Err(error) = self.context.media.release(media.id, by).await {
                return Err(store::Error::Unavailable(error.to_string()));
            }
        }
        Ok(())
    }
}
