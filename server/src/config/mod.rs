//! The operator's configuration: one file in TOML, every key with a default.
//!
//! The doc comments of the fields are the documentation: `kith config` prints them as an example file, see [`example`].
//! Invariant: nothing but the program's `main` reads the environment.

mod bounded;
pub mod example;

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    path::{Path, PathBuf},
};

use ipnet::IpNet;
use kith_protocol::{limits::Limits as Stated, rest::Registration, visible};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::bounded::within;
use crate::{
    account::{self, InvitesBy, subscriptions},
    limits, media,
    telemetry::Log,
    trust::Newness,
};

/// All that can be configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The name of the server, as people see it.
    pub name: String,
    /// The folder in which everything is kept. It is made if it is not there, and belongs to one server at a time.
    #[schema(value_type = String)]
    pub data_dir: PathBuf,
    /// The address for people: REST, the socket, the start page.
    #[schema(value_type = String)]
    pub listen: SocketAddr,
    /// The address for the operator: /healthz, /readyz, /metrics. Nobody else should reach it.
    #[schema(value_type = String)]
    pub operator_listen: SocketAddr,
    /// The name of this machine, as clients are told.
    pub node: String,
    /// The region of this machine, for clients that prefer one nearby.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "eu-west")]
    pub region: Option<String>,
    /// The address under which people reach the server, if a proxy stands before it; else the one that each of them asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://chat.example.org")]
    pub public_url: Option<String>,
    /// Sign-up: "open" (to everybody), "invite" (with an invite), "closed" (nobody; import users).
    #[schema(value_type = String)]
    pub registration: Registration,
    /// Invites: made by "operators" (with `kith invite`), or by "everyone" (every user too).
    #[schema(value_type = String)]
    pub invites_by: InvitesBy,
    /// The proxies that are believed when they say whom they speak for (X-Forwarded-For), as address ranges.
    #[schema(value_type = Vec<String>)]
    pub trusted_proxies: Vec<IpNet>,
    /// Milliseconds of silence after which a device must send a ping, 5000 to 60000. After three of them it is gone.
    #[serde(deserialize_with = "within::<_, _, 5000, 60_000>")]
    pub heartbeat_ms: u32,
    /// Seconds that connections get to leave when the server stops, at most 300.
    #[serde(deserialize_with = "within::<_, _, 0, 300>")]
    pub drain_s: u32,
    /// Encryption of the address for people, without a proxy.
    pub tls: Tls,
    /// Logging to standard error while the server runs.
    pub log: Log,
    /// Limits on how much anybody may do, and on how large things may be.
    pub limits: Limits,
    /// Load shedding, when the server is slow. All are milliseconds from receiving a message to its being durable.
    pub load: Load,
    /// Pictures, recordings and files.
    pub media: Media,
    /// Waking devices that are not connected, by the push services of their browsers.
    pub push: Push,
}

/// Section `[media]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Media {
    /// Bytes of all media of one user.
    #[serde(deserialize_with = "within::<_, _, 0, { i64::MAX }>")]
    pub quota_bytes: u64,
    /// Bytes of one media that is sent in parts. One request alone brings 8 MiB at most, and a picture has 64 MiB at most.
    #[serde(deserialize_with = "within::<_, _, 1, { i64::MAX }>")]
    pub upload_bytes: u64,
    /// Seconds for which an upload waits for its next byte before it is removed.
    #[serde(deserialize_with = "within::<_, _, 1, 31_536_000>")]
    pub keep_uploads_s: u64,
    /// Seconds for which a media is kept that no message shows and that is nobody's avatar.
    #[serde(deserialize_with = "within::<_, _, 1, 31_536_000>")]
    pub keep_unused_s: u64,
    /// Bytes that stay free on the disk of the data directory: media are refused while fewer are. Where it is not said,
    /// 5 % of the disk, but 1 GiB at least and 20 GiB at most. A quarter of it, or a 16th of the disk where that is less,
    /// is the reserve below which messages are refused too. 0 on a disk that is to be filled to its last byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 5_368_709_120_u64)]
    pub min_free_bytes: Option<u64>,
    /// Bytes of the media of all users together, as their quotas count them; more are refused. Where it is not said, what
    /// the disk has room for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 107_374_182_400_u64)]
    pub total_bytes: Option<u64>,
}

/// Section `[push]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Push {
    /// True to wake devices. What leaves the server is encrypted to the device.
    pub enabled: bool,
    /// The contact whom push services may ask about this server: mailto: and an address, or https: and a page. Some push
    /// services refuse a server that does not say. `public_url` is said where this is not, if that is https.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "mailto:operator@example.org")]
    pub contact: Option<String>,
    /// For tests only: lets this machine itself be a push service, without TLS. Then every user can have the server send
    /// requests to its own ports.
    pub allow_loopback_for_tests: bool,
}

/// Section `[tls]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// The file of the certificate and those it depends on, in PEM. With `key`, or neither.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "/etc/kith/certificate.pem")]
    pub certificate: Option<PathBuf>,
    /// The file of the certificate's private key, in PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "/etc/kith/key.pem")]
    pub key: Option<PathBuf>,
}

/// Section `[limits]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Messages that a user may send a second, over time,
    #[serde(deserialize_with = "within::<_, _, 1, 1_000_000>")]
    pub sends_per_s: u32,
    /// and at once.
    #[serde(deserialize_with = "within::<_, _, 1, 1_000_000>")]
    pub sends_burst: u32,
    /// Other requests of a user, or of an address that is not signed in, a second, over time,
    #[serde(deserialize_with = "within::<_, _, 1, 1_000_000>")]
    pub requests_per_s: u32,
    /// and at once.
    #[serde(deserialize_with = "within::<_, _, 1, 1_000_000>")]
    pub requests_burst: u32,
    /// Sign-ups and sign-ins a minute for each address, and at once for each name at one address; and those on each device
    /// that its user had signed in on. A name alone is never refused.
    #[serde(deserialize_with = "within::<_, _, 1, 1_000_000>")]
    pub signins_per_min: u32,
    /// Sign-ups a day, UTC, from one network: a /24 of IPv4, a /56 of IPv6. Invites of the operator do not count,
    #[serde(deserialize_with = "within::<_, _, 0, 1_000_000>")]
    pub signups_per_day_network: u32,
    /// and from all networks together.
    #[serde(deserialize_with = "within::<_, _, 0, 1_000_000>")]
    pub signups_per_day: u32,
    /// Hours for which an account is new: it may do a tenth of what is said here and has a tenth of the room for media. 0 for
    /// none. Who was imported, or invited by the operator, is never new.
    #[serde(deserialize_with = "within::<_, _, 0, 8760>")]
    pub new_account_hours: u32,
    /// Members of a group, at most 1000.
    #[serde(deserialize_with = "within::<_, _, 2, 1000>")]
    pub group_members: u32,
    /// Members of a channel.
    #[serde(deserialize_with = "within::<_, _, 2, 1_000_000>")]
    pub channel_members: u32,
    /// Bytes of a message's text, at most 16384.
    #[serde(deserialize_with = "within::<_, _, 1, 16_384>")]
    pub text_bytes: u32,
    /// Bytes of all entries that a user causes in a day of UTC: messages, edits, reactions, changes of members. Each counts 128
    /// more than its text.
    #[serde(deserialize_with = "within::<_, _, 1, { i64::MAX }>")]
    pub entry_bytes_per_day: u64,
    /// Devices of a user; with one more, the one that has been there longest is signed out. At most 1000.
    #[serde(deserialize_with = "within::<_, _, 1, 1000>")]
    pub devices: u32,
    /// Conversations that a user may have begun, joined or accepted,
    #[serde(deserialize_with = "within::<_, _, 1, 1_000_000>")]
    pub conversations: u32,
    /// and those of them that a user may begin on one day.
    #[serde(deserialize_with = "within::<_, _, 1, 1_000_000>")]
    pub begins_per_day: u32,
    /// Direct conversations with which strangers (people to whom a user has not written) reach a user on one day. Those
    /// beyond wait as requests,
    #[serde(deserialize_with = "within::<_, _, 0, 1_000_000>")]
    pub stranger_directs_per_day: u32,
    /// and so do the groups and channels to which strangers add them, beyond so many on one day.
    #[serde(deserialize_with = "within::<_, _, 0, 1_000_000>")]
    pub stranger_groups_per_day: u32,
    /// Connections of the server, all together: HTTP and sockets.
    #[serde(deserialize_with = "within::<_, _, 1, 10_000_000>")]
    pub connections: u32,
    /// Connections of one address: as a trusted proxy names it, where one does. A quarter of `connections` where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>, example = 25000)]
    pub connections_per_address: Option<NonZeroU32>,
    /// Bytes that wait to be read by clients, in answers and frames, all together; at least 64 MiB. One user may hold a
    /// sixteenth of them.
    #[serde(deserialize_with = "within::<_, _, 67_108_864, { i64::MAX }>")]
    pub waiting_bytes: u64,
}

impl Limits {
    /// Connections that one address may have.
    pub fn connections_of_address(&self) -> u32 {
        self.connections_per_address.map_or((self.connections / 4).max(1), NonZeroU32::get)
    }

    /// Sockets and long polls that one user may have.
    pub fn sockets_of_user(&self) -> usize {
        self.devices as usize * limits::SOCKETS_PER_DEVICE
    }
}

/// Section `[load]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Load {
    /// Typing and presence are dropped past this,
    #[serde(deserialize_with = "within::<_, _, 1, 60_000>")]
    pub shed_ms: u32,
    /// receipts too past this,
    #[serde(deserialize_with = "within::<_, _, 1, 60_000>")]
    pub shed_receipts_ms: u32,
    /// and past this messages are refused, to be sent again later.
    #[serde(deserialize_with = "within::<_, _, 1, 60_000>")]
    pub refuse_ms: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "Kith".to_owned(),
            data_dir: PathBuf::from("data"),
            listen: (Ipv4Addr::LOCALHOST, 8080).into(),
            operator_listen: (Ipv4Addr::LOCALHOST, 8081).into(),
            node: "kith".to_owned(),
            region: None,
            public_url: None,
            registration: Registration::Open,
            invites_by: InvitesBy::Operators,
            trusted_proxies: ["127.0.0.0/8", "::1/128"].map(|range| range.parse().expect("a range")).to_vec(),
            heartbeat_ms: 10_000,
            drain_s: 10,
            tls: Tls::default(),
            log: Log::default(),
            limits: Limits::default(),
            load: Load::default(),
            media: Media::default(),
            push: Push::default(),
        }
    }
}

impl Default for Media {
    fn default() -> Self {
        let stated = Stated::default();
        Self {
            quota_bytes: stated.media_quota_bytes,
            upload_bytes: stated.upload_bytes,
            keep_uploads_s: 24 * 3600,
            keep_unused_s: 24 * 3600,
            min_free_bytes: None,
            total_bytes: None,
        }
    }
}

impl Default for Push {
    fn default() -> Self {
        Self { enabled: true, contact: None, allow_loopback_for_tests: false }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let stated = Stated::default();
        Self {
            sends_per_s: 30,
            sends_burst: 120,
            requests_per_s: 20,
            requests_burst: 100,
            signins_per_min: 10,
            signups_per_day_network: 50,
            signups_per_day: 10_000,
            new_account_hours: 24,
            group_members: stated.group_members,
            channel_members: stated.channel_members,
            text_bytes: stated.text_bytes,
            entry_bytes_per_day: stated.entry_bytes_per_day,
            devices: stated.devices,
            conversations: stated.conversations,
            begins_per_day: stated.begins_per_day,
            stranger_directs_per_day: stated.stranger_directs_per_day,
            stranger_groups_per_day: stated.stranger_groups_per_day,
            connections: 100_000,
            connections_per_address: None,
            waiting_bytes: 256 * 1024 * 1024,
        }
    }
}

impl Default for Load {
    fn default() -> Self {
        Self { shed_ms: 50, shed_receipts_ms: 100, refuse_ms: 200 }
    }
}

/// An error in a configuration: one line for a person, with the file, the line and the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadConfig(pub String);

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// [`BadConfig`] where the file cannot be read, has an unknown key, or a value that cannot be.
    pub fn read(file: &Path) -> Result<Self, BadConfig> {
        let text = fs::read_to_string(file).map_err(|error| BadConfig(format!("{}: {error}", file.display())))?;
        Self::parse(&text, &file.display().to_string())
    }

    /// Reads the text of a configuration file that is called `file` in errors.
    ///
    /// # Errors
    /// See [`read`](Self::read).
    pub fn parse(text: &str, file: &str) -> Result<Self, BadConfig> {
        let config: Self = toml::from_str(text).map_err(|error| bounded::explain(text, file, &error))?;
        config
            .check()
            .map_err(|(key, why)| BadConfig(format!("{file}{}: {key} {why}", bounded::line_of(text, key))))?;
        Ok(config)
    }

    /// Checks values that go together.
    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if !visible::is_visible(&self.name) || self.name.chars().any(visible::is_control) {
            return Err(("name", "must be one line with something to see"));
        }
        if self.node.trim().is_empty() || self.node.chars().any(char::is_control) {
            return Err(("node", "must be one line that is not empty"));
        }
        if let Some(url) = &self.public_url {
            let host = url.strip_prefix("https://").or(url.strip_prefix("http://"));
            let plain = |host: &str| !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']);
            if !host.map(|host| host.trim_end_matches('/')).is_some_and(plain) {
                return Err(("public_url", "must be http:// or https:// and a host"));
            }
        }
        if self.tls.certificate.is_some() != self.tls.key.is_some() {
            return Err(("tls", "needs both certificate and key, or neither"));
        }
        if self.push.contact.as_deref().is_some_and(|contact| !is_contact(contact)) {
            return Err(("contact", "must be mailto: and an address, or https: and a page"));
        }
        if self.load.shed_ms > self.load.shed_receipts_ms || self.load.shed_receipts_ms > self.load.refuse_ms {
            return Err(("load", "must drop typing and presence first, then receipts, and refuse messages last"));
        }
        if self.log.level.parse::<tracing_subscriber::filter::Targets>().is_err() {
            return Err(("level", "must be error, warn, info, debug or trace"));
        }
        Ok(())
    }

    /// The limits that clients are told.
    pub fn stated_limits(&self) -> Stated {
        Stated {
            group_members: self.limits.group_members,
            channel_members: self.limits.channel_members,
            text_bytes: self.limits.text_bytes,
            entry_bytes_per_day: self.limits.entry_bytes_per_day,
            devices: self.limits.devices,
            conversations: self.limits.conversations,
            begins_per_day: self.limits.begins_per_day,
            stranger_directs_per_day: self.limits.stranger_directs_per_day,
            stranger_groups_per_day: self.limits.stranger_groups_per_day,
            upload_bytes: self.media.upload_bytes,
            media_quota_bytes: self.media.quota_bytes,
            ..Stated::default()
        }
    }

    /// The settings of media.
    pub fn media(&self) -> media::Settings {
        let Media { quota_bytes, upload_bytes, keep_uploads_s, keep_unused_s, total_bytes, .. } = self.media.clone();
        media::Settings {
            newness: self.newness(),
            quota_bytes,
            upload_bytes,
            keep_uploads_s,
            keep_s: keep_unused_s,
            total_bytes,
        }
    }

    /// The settings of push.
    pub fn push(&self) -> subscriptions::Settings {
        let page = self.public_url.clone().filter(|url| url.starts_with("https:"));
        subscriptions::Settings {
            enabled: self.push.enabled,
            contact: self.push.contact.clone().or(page),
            loopback: self.push.allow_loopback_for_tests,
        }
    }

    fn newness(&self) -> Newness {
        Newness { hours: self.limits.new_account_hours }
    }

    /// The settings of accounts.
    pub fn accounts(&self) -> account::Settings {
        account::Settings {
            registration: self.registration,
            invites_by: self.invites_by,
            limits: self.stated_limits(),
            newness: self.newness(),
            signups_per_network: self.limits.signups_per_day_network,
            signups: self.limits.signups_per_day,
        }
    }
}

fn is_contact(text: &str) -> bool {
    let rest = text.strip_prefix("mailto:").or(text.strip_prefix("https://"));
    rest.is_some_and(|rest| !rest.is_empty()) && text.len() <= 255 && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_the_default() {
        assert_eq!(Config::parse("", "kith.toml"), Ok(Config::default()));
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line_with_file_line_and_key() {
        for (text, line) in [
            ("name = 'x'\nport = 3\n", "kith.toml:2: unknown key `port`"),
            ("[limits]\n\nsends = 3\n", "kith.toml:3: unknown key `sends`"),
            ("[limits]\nconnections_per_address = 0\n", "kith.toml:2: connections_per_address: "),
            ("\nheartbeat_ms = 100\n", "kith.toml:2: heartbeat_ms must be 5000 to 60000"),
            ("[limits]\ngroup_members = 2000\n", "kith.toml:2: group_members must be 2 to 1000"),
            ("[tls]\ncertificate = 'x'\n", "kith.toml:1: tls needs both certificate and key, or neither"),
            ("\n\npublic_url = 'chat.example.org'\n", "kith.toml:3: public_url must be http:// or https:// and a host"),
            ("[push]\n\ncontact = 'me'\n", "kith.toml:3: contact must be mailto: and an address, or https: and a page"),
            ("[load]\nshed_ms = 900\n", "kith.toml:1: load must drop"),
        ] {
            let error = Config::parse(text, "kith.toml").unwrap_err().to_string();
            assert!(error.starts_with(line), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
        for (text, key) in [
            ("listen = 'nowhere'", "listen"),
            ("registration = 'maybe'", "registration"),
            ("trusted_proxies = ['10.0.0.0/99']", "trusted_proxies"),
            ("name = 3", "name"),
            ("drain_s = -1", "drain_s"),
            ("drain_s = ", "drain_s"),
        ] {
            let error = Config::parse(text, "kith.toml").unwrap_err().to_string();
            assert!(error.starts_with(&format!("kith.toml:1: {key}")), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }
}
