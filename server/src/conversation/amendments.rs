//! Edits, deletions, reactions and expiry: what happens to a message after it was sent.

use kith_protocol::{
    Body, Code, UserId, emoji,
    entry::{Edit, Reaction, Target, Text},
    limits::{EMOJI_BYTES, Limits},
};

use super::{catch_up::Unmade, live::Live, log};
use crate::{
    Error,
    account::Actor,
    clock,
    delivery::encoding,
    limits,
    store::{Kind, Record},
};

/// A change of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amend {
    /// Give it another text.
    Edit(Edit),
    /// Delete it for everyone.
    Delete(Target),
    /// Put an emoji to it, or take it back.
    React(Reaction),
}

impl Amend {
    /// Checks it without its conversation.
    ///
    /// # Errors
    /// The field that is not valid.
    pub fn check(&self, limits: &Limits) -> Result<(), Error> {
        match self {
            Amend::Edit(edit) if edit.text.is_empty() => Err(Error::field("/text", "a message has a text")),
            Amend::Edit(edit) => log::check_text(&edit.text, &edit.mentions, limits),
            Amend::React(reaction) if reaction.on && emoji::qualified(&reaction.emoji).is_none() => {
                Err(Error::field("/emoji", format!("expected one emoji of {EMOJI_BYTES} bytes at most")))
            }
            // What was put before only emojis were taken can be taken back.
            Amend::React(_) | Amend::Delete(_) => Ok(()),
        }
    }

    /// Returns true for what is done on a disk that is full, too.
    const fn takes_away(&self) -> bool {
        matches!(self, Amend::Delete(_) | Amend::React(Reaction { on: false, .. }))
    }

    const fn target(&self) -> u64 {
        match self {
            Amend::Edit(edit) => edit.target,
            Amend::Delete(target) => target.target,
            Amend::React(reaction) => reaction.target,
        }
    }
}

impl Live {
    /// Appends what the actor does to a message. What changes nothing appends nothing. What others appended first has it judged
    /// anew.
    pub(super) async fn amend(&mut self, actor: Actor, amend: Amend) -> Result<(), Error> {
        amend.check(&self.context.limits)?;
        for _ in 0..limits::APPEND_TRIES {
            match self.try_to_amend(actor, amend.clone()).await {
                Ok(()) => return Ok(()),
                Err(Unmade::Refused(error)) => return Err(error),
                Err(Unmade::Overtaken) => {}
            }
        }
        Err(Code::Unavailable.into())
    }

    async fn try_to_amend(&mut self, actor: Actor, amend: Amend) -> Result<(), Unmade> {
        let target = amend.target();
        self.access(actor.user)?.sees(target)?;
        // What others see of a member accepts the conversation.
        self.accept(actor.user).await?;
        let record = self.record(target).await?;
        match (record.kind, &amend) {
            (Kind::Message, _) => {}
            // It is gone already: deleting it again changes nothing.
            (Kind::Redacted, Amend::Delete(_)) => return Ok(()),
            _ => return Err(Code::NotFound.into()),
        }
        if !amend.takes_away() {
            self.context.media.room.for_texts()?;
            self.context.quota.check(actor.user, clock::now(), || self.context.accounts.trust(actor.user))?;
        }
        match amend {
            Amend::Edit(edit) => self.edit(actor, &record, edit).await,
            Amend::Delete(target) => self.delete(actor, &record, target).await,
            Amend::React(reaction) => self.react(actor, reaction).await,
        }
    }

    async fn may_say_more(&self, user: UserId) -> Result<(), Error> {
        match self.peer(user) {
            Some(peer) => self.may_reach(user, peer).await,
            None => Ok(()),
        }
    }

    async fn edit(&mut self, actor: Actor, record: &Record, mut edit: Edit) -> Result<(), Unmade> {
        self.state.may_edit(actor.user, record.sender)?;
        self.may_say_more(actor.user).await?;
        edit.mentions.sort_unstable();
        edit.mentions.dedup();
        let target = edit.target;
        let amendment = self.amendment(target).await?;
        let (last, once_more) = (amendment.edits.last().copied(), amendment.may_edit());
        let now = match last {
            Some(last) => match encoding::body(self.id, &self.record(last).await?)? {
                Body::Edit(last) => Some((last.text, last.mentions)),
                _ => None,
            },
            None => match encoding::body(self.id, record)? {
                Body::Message(Text { text, mentions, .. }) => Some((text, mentions)),
                _ => None,
            },
        };
        if now.is_some_and(|(text, mentions)| text == edit.text && mentions == edit.mentions) {
            return Ok(());
        }
        once_more?;
        self.append(actor, &[Body::Edit(edit)], Vec::new()).await?;
        Ok(())
    }

    async fn delete(&mut self, actor: Actor, record: &Record, target: Target) -> Result<(), Unmade> {
        self.state.may_delete(actor.user, record.sender)?;
        // What is damaged of it is this actor's error, and nobody else's once it is deleted.
        let edits = self.amendment(target.target).await?.edits.clone();
        for edit in edits {
            self.record(edit).await?;
        }
        self.append(actor, &[Body::Delete(target)], Vec::new()).await?;
        Ok(())
    }

    async fn react(&mut self, actor: Actor, reaction: Reaction) -> Result<(), Unmade> {
        self.may_say_more(actor.user).await?;
        let Reaction { target, emoji, on } = reaction;
        let amendment = self.amendment(target).await?;
        if amendment.has(&emoji, actor.user) == on {
            return Ok(());
        }
        if on {
            amendment.may_react(&emoji, actor.user)?;
        }
        let emoji = emoji::shown(&emoji);
        let reaction = Reaction { target, emoji: emoji.clone(), on };
        self.append(actor, &[Body::Reaction(reaction)], Vec::new()).await?;
        Ok(())
    }

    /// Takes the content of a message whose time is over.
    pub(super) async fn expire(&mut self, seq: u64) -> Result<(), Error> {
        if self.state.seq == 0 || seq > self.state.seq {
            return Ok(());
        }
        // The row must last longer than the content: a crash between the two repeats the expiry.
        self.activate().await?;
        self.amendment(seq).await?.deleted = true;
        self.redact_content(seq, self.state.seq).await?;
        self.dirty.state = true;
        self.flush_soon();
        Ok(())
    }
}
