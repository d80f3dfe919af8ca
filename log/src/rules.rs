//! The rules by which users append entries, as far as the log alone can tell.

use std::{borrow::Cow, cmp::Reverse};

use kith_protocol::{
    Code, UserId, emoji,
    entry::{ConversationChanged, ConversationKind, MemberRole, Role, Writers},
    limits::{EDITS, REACTIONS, REACTIONS_EACH},
};

use crate::{Amendment, Member, State};

/// The reason for which an entry may not be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The code of the error that the caller gets.
    pub code: Code,
    /// The JSON pointer of the field that is not valid, where one is.
    pub pointer: Option<&'static str>,
    /// A sentence for people, where the code alone does not say it.
    pub detail: Option<Cow<'static, str>>,
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self { code, pointer: None, detail: None }
    }
}

impl Refusal {
    fn because(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, pointer: None, detail: Some(detail.into()) }
    }

    fn field(pointer: &'static str, detail: &'static str) -> Self {
        Self { code: Code::InvalidRequest, pointer: Some(pointer), detail: Some(detail.into()) }
    }
}

/// The members with which a conversation begins: its maker as owner, or two equals.
pub fn founders(kind: ConversationKind, maker: UserId, others: &[UserId]) -> Vec<MemberRole> {
    let role = if kind == ConversationKind::Direct { Role::Member } else { Role::Owner };
    let others = others.iter().map(|&user| MemberRole { user, role: Role::Member });
    std::iter::once(MemberRole { user: maker, role }).chain(others).collect()
}

impl State {
    /// The member.
    ///
    /// # Errors
    /// `not_found` for a user who is none.
    pub fn member(&self, user: UserId) -> Result<&Member, Refusal> {
        self.members.get(&user).ok_or(Code::NotFound.into())
    }

    fn admin(&self, user: UserId) -> Result<Role, Refusal> {
        match self.member(user)?.role {
            Role::Member => Err(Code::NotAdmin.into()),
            role => Ok(role),
        }
    }

    fn not_direct(&self) -> Result<(), Refusal> {
        match self.settings.kind {
            ConversationKind::Direct => {
                Err(Refusal::because(Code::InvalidRequest, "a direct conversation keeps its two members"))
            }
            ConversationKind::Group | ConversationKind::Channel => Ok(()),
        }
    }

    fn owners(&self) -> usize {
        self.members.values().filter(|member| member.role == Role::Owner).count()
    }

    /// Checks that a user may write a message.
    ///
    /// # Errors
    /// `not_found` for a user who is no member; `not_admin` where only admins write.
    pub fn may_write(&self, user: UserId) -> Result<(), Refusal> {
        let role = self.member(user)?.role;
        if self.settings.writers == Writers::Admins && role < Role::Admin {
            return Err(Code::NotAdmin.into());
        }
        Ok(())
    }

    /// Checks that a user may edit a message of `author`.
    ///
    /// # Errors
    /// `not_admin` for anybody but its author, and as for writing.
    pub fn may_edit(&self, user: UserId, author: UserId) -> Result<(), Refusal> {
        if author != user {
            return Err(Refusal::because(Code::NotAdmin, "only its author may edit a message"));
        }
        self.may_write(user)
    }

    /// Checks that a user may delete a message of `author`.
    ///
    /// # Errors
    /// `not_admin` for anybody but its author and, where there are any, the admins.
    pub fn may_delete(&self, user: UserId, author: UserId) -> Result<(), Refusal> {
        let role = self.member(user)?.role;
        let admin = self.settings.kind != ConversationKind::Direct && role >= Role::Admin;
        if author != user && !admin {
            return Err(Refusal::because(Code::NotAdmin, "only its author or an admin may delete a message"));
        }
        Ok(())
    }

    /// Checks that `by` may make `user` a member of that role. `by` joins where they are the same: a stranger may know of a
    /// channel, and of nothing else.
    ///
    /// # Errors
    /// `not_found`, `not_admin`, or `invalid_request` in a direct conversation.
    pub fn may_add(&self, by: UserId, user: UserId, role: Role) -> Result<(), Refusal> {
        let joins = self.settings.kind == ConversationKind::Channel && by == user;
        if !joins || self.seq == 0 {
            self.member(by)?;
        }
        self.not_direct()?;
        if !joins && self.admin(by)? < role || joins && role != Role::Member && !self.members.contains_key(&user) {
            return Err(Code::NotAdmin.into());
        }
        Ok(())
    }

    /// Checks that `by` may remove `user`, or leave where they are the same.
    ///
    /// # Errors
    /// `not_found`, `not_admin`, or `invalid_request` in a direct conversation.
    pub fn may_remove(&self, by: UserId, user: UserId) -> Result<(), Refusal> {
        let own = self.member(by)?.role;
        self.not_direct()?;
        let role = self.member(user)?.role;
        if by != user && (own == Role::Member || own < role || own == Role::Admin && role == Role::Admin) {
            return Err(Code::NotAdmin.into());
        }
        Ok(())
    }

    /// The member who becomes owner when `user`, the last owner, leaves: the longest-serving admin, else member.
    pub fn heir_of(&self, user: UserId) -> Option<UserId> {
        if self.members.get(&user)?.role != Role::Owner || self.owners() > 1 {
            return None;
        }
        let others = self.members.iter().filter(|(other, _)| **other != user);
        others.min_by_key(|(other, member)| (Reverse(member.role), member.joined, **other)).map(|(heir, _)| *heir)
    }

    /// Checks that `by` may give `user` a role.
    ///
    /// # Errors
    /// `not_found`, `not_admin`, or `invalid_request` in a direct conversation and for its last owner.
    pub fn may_change_role(&self, by: UserId, user: UserId, role: Role) -> Result<(), Refusal> {
        let own = self.admin(by)?;
        self.not_direct()?;
        let before = self.member(user)?.role;
        if own != Role::Owner && (role > own || before > own || before == own && by != user) {
            return Err(Code::NotAdmin.into());
        }
        if before == Role::Owner && role != Role::Owner && self.owners() == 1 {
            return Err(Refusal::field("/role", "a conversation keeps an owner: make somebody else owner first"));
        }
        Ok(())
    }

    /// Checks that a user may change these settings.
    ///
    /// # Errors
    /// `not_found`, `not_admin`, or the field that this kind of conversation does not have.
    pub fn may_change(&self, user: UserId, changes: &ConversationChanged) -> Result<(), Refusal> {
        match self.settings.kind {
            ConversationKind::Direct => {
                self.member(user)?;
                let only_expiry = ConversationChanged { expire_after_s: changes.expire_after_s, ..Default::default() };
                if *changes != only_expiry {
                    let detail = "of a direct conversation only expire_after_s can be changed";
                    return Err(Refusal::because(Code::InvalidRequest, detail));
                }
            }
            kind => {
                self.admin(user)?;
                if kind != ConversationKind::Channel && changes.writers == Some(Writers::Admins) {
                    return Err(Refusal::field("/writers", "in a group everybody writes"));
                }
                if kind == ConversationKind::Channel && changes.title.as_deref() == Some("") {
                    return Err(Refusal::field("/title", "a channel has a title"));
                }
            }
        }
        Ok(())
    }
}

impl Amendment {
    /// Checks that the message may be edited once more.
    ///
    /// # Errors
    /// `too_many` after as many edits as it may have.
    pub fn may_edit(&self) -> Result<(), Refusal> {
        if self.edits.len() >= EDITS {
            return Err(Refusal::because(Code::TooMany, format!("a message is edited {EDITS} times at most")));
        }
        Ok(())
    }

    /// Checks that a user may put an emoji to the message.
    ///
    /// # Errors
    /// `too_many` where a user, or all of them, have put as many different ones as they may.
    pub fn may_react(&self, emoji: &str, user: UserId) -> Result<(), Refusal> {
        if self.reactions.iter().filter(|(_, users)| users.contains(&user)).count() >= REACTIONS_EACH {
            let detail = format!("you have put {REACTIONS_EACH} emojis to this message, the most there may be");
            return Err(Refusal::because(Code::TooMany, detail));
        }
        let known = self.reactions.iter().any(|(other, _)| emoji::same(other, emoji));
        if !known && self.reactions.len() >= REACTIONS {
            let detail = format!("this message has {REACTIONS} different emojis, the most there may be");
            return Err(Refusal::because(Code::TooMany, detail));
        }
        Ok(())
    }
}
