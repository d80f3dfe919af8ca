//! The account to chat as: the token of an earlier time, a sign-in, or a sign-up.

use std::{
    env, fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use kith_client::{Error, Rest};
use kith_protocol::{
    Code,
    rest::{DeviceInfo, NewSession, NewUser, Profile, SignedIn},
};

use crate::{Arguments, is_typed, screen};

/// A device that is signed in.
pub struct Account {
    /// Calls as this device.
    pub rest: Rest,
    /// The profile of the user.
    pub profile: Profile,
    /// Its token.
    pub token: String,
    kept: Kept,
}

impl Account {
    /// The token is of no use any longer: this device was signed out elsewhere, and is known no longer either.
    pub fn forget(&self) {
        // What cannot be removed is asked about at the next start, and found to be of no use then.
        let _ = fs::remove_file(&self.kept.token);
        let _ = fs::remove_file(&self.kept.secret);
    }
}

/// The files in which a device keeps what its next start needs.
struct Kept {
    /// Its token.
    token: PathBuf,
    /// Its device secret, with which it waits among known devices when it signs in again.
    secret: PathBuf,
}

/// Signs in, with the token of an earlier time if it still is one.
pub async fn enter(arguments: &Arguments, nobody: &Rest) -> Result<Account, String> {
    let name = match &arguments.name {
        Some(name) => name.clone(),
        None if is_typed() => ask("Name: ")?,
        None => return Err("who are you? Give --name".to_owned()),
    };
    let own = state_folder()?.join(format!("{}@{}", file_name(&name), file_name(&nobody.server().authority())));
    let kept = Kept { secret: PathBuf::from(format!("{}.device", own.display())), token: own };
    if let Ok(token) = fs::read_to_string(&kept.token) {
        let rest = nobody.with_token(token.trim()).map_err(|error| error.to_string())?;
        match rest.me().await {
            Ok(profile) => {
                return Ok(Account { rest, profile, token: token.trim().to_owned(), kept });
            }
            Err(error) if error.code() == Some(Code::Unauthenticated) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    let secret = fs::read_to_string(&kept.secret).ok().map(|secret| secret.trim().to_owned());
    let signed_in = introduce(arguments, nobody, &name, secret).await?;
    let secret = signed_in.device_secret.iter().map(|secret| (&kept.secret, secret));
    for (path, text) in secret.chain([(&kept.token, &signed_in.token)]) {
        keep(path, text).map_err(|cause| format!("{}: {cause}", path.display()))?;
    }
    let rest = nobody.with_token(&signed_in.token).map_err(|error| error.to_string())?;
    Ok(Account { rest, profile: signed_in.user, token: signed_in.token, kept })
}

async fn introduce(
    arguments: &Arguments,
    nobody: &Rest,
    name: &str,
    device_secret: Option<String>,
) -> Result<SignedIn, String> {
    let password = password()?;
    let device =
        Some(DeviceInfo { name: "kith-chat".to_owned(), platform: env::consts::OS.to_owned(), features: Vec::new() });
    let session =
        NewSession { username: name.to_owned(), password: password.clone(), device: device.clone(), device_secret };
    match nobody.sign_in(&session).await {
        Ok(signed_in) => return Ok(signed_in),
        Err(error) if error.code() == Some(Code::WrongPassword) => {}
        Err(error) => return Err(said(&error)),
    }
    let unknown = "there is no such account, or the password is wrong";
    if !arguments.sign_up {
        if !is_typed() {
            return Err(format!("{unknown}; --sign-up makes one"));
        }
        let question = format!("There is no account {name}, or the password is wrong. Make a new account? [y/N] ");
        if !ask(&question)?.eq_ignore_ascii_case("y") {
            return Err(unknown.to_owned());
        }
    }
    let invite = arguments.invite.clone();
    let user = NewUser { username: name.to_owned(), password, display_name: None, invite, device };
    nobody.sign_up(&user).await.map_err(|error| match error.code() {
        Some(Code::UsernameTaken) => "the password is wrong".to_owned(),
        _ => said(&error),
    })
}

/// The error of the server, with the fields at fault.
fn said(error: &Error) -> String {
    let Error::Problem { problem, .. } = error else { return error.to_string() };
    let fields = problem.errors.iter().map(|field| format!(" {} {}", field.pointer, field.detail));
    format!("{error}{}", fields.collect::<String>())
}

fn password() -> Result<String, String> {
    if let Ok(password) = env::var("KITH_PASSWORD") {
        return Ok(password);
    }
    if !is_typed() {
        return Err("no password: set KITH_PASSWORD, or run in a terminal".to_owned());
    }
    rpassword::prompt_password("Password: ").map_err(|cause| cause.to_string())
}

fn ask(question: &str) -> Result<String, String> {
    screen::ask(question).map_err(|cause| cause.to_string())
}

/// `$XDG_STATE_HOME/kith` (XDG Base Directory Specification 0.8).
fn state_folder() -> Result<PathBuf, String> {
    let given = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let usual = || Some(PathBuf::from(env::var_os("HOME")?).join(".local/state"));
    let state = given.or_else(usual).ok_or("neither XDG_STATE_HOME nor HOME is set")?;
    Ok(state.join("kith"))
}

/// A name in which nothing leads out of the folder.
fn file_name(text: &str) -> String {
    text.chars().map(|char| if char.is_alphanumeric() || "-_.".contains(char) { char } else { '_' }).collect()
}

/// Writes a secret where nobody else reads it.
fn keep(path: &Path, secret: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
        _ => {}
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(secret.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_token_is_kept_for_its_owner_alone() {
        let folder = env::temp_dir().join(format!("kith-chat-{}", std::process::id()));
        let path = folder.join("kith").join(file_name("../anna@[::1]:80"));
        assert_eq!(path.parent(), Some(folder.join("kith").as_path()));
        for token in ["first", "second"] {
            keep(&path, token).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), token);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
