//! STS, as far as clients of Kinesis need it: GetCallerIdentity, and AssumeRole with keys that then work.

use serde::Deserialize;

use crate::api_error::ApiError;
use crate::auth::{Auth, Caller};
use crate::clock;
use crate::http::Reply;
use crate::query::{self, Form, escaped};

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
const VERSION: &str = "2011-06-15";
const ACCOUNT: &str = "000000000000";
/// Seconds that a temporary key lasts (AssumeRole in the STS API reference).
const DURATION: u64 = 3600;
const SHORTEST: u64 = 900;
const LONGEST: u64 = 43_200;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AssumeRole {
    role_arn: Option<String>,
    role_session_name: Option<String>,
    duration_seconds: Option<String>,
}

/// Answers one call; the caller has been checked.
pub(crate) fn answer(auth: &Auth, caller: Result<Caller, ApiError>, form: &Form) -> Reply {
    let answered = caller.and_then(|caller| match form.action.as_str() {
        "GetCallerIdentity" => Ok(identity(&caller)),
        "AssumeRole" => assume_role(auth, &form.input()?),
        action => {
            let message = format!("Could not find operation {action} for version {VERSION}");
            Err(ApiError::unknown_operation(message))
        }
    });
    match answered {
        Ok(result) => query::answer(NAMESPACE, &form.action, &result),
        Err(error) => self::error(&error),
    }
}

/// An error as STS writes it.
pub(crate) fn error(error: &ApiError) -> Reply {
    query::error(NAMESPACE, error)
}

fn identity(caller: &Caller) -> String {
    let (arn, id) = match &caller.role {
        Some(arn) => (arn.clone(), role_id(arn)),
        None => (format!("arn:aws:iam::{ACCOUNT}:root"), ACCOUNT.to_owned()),
    };
    let (arn, id) = (escaped(&arn), escaped(&id));
    format!("<Arn>{arn}</Arn><UserId>{id}</UserId><Account>{ACCOUNT}</Account>")
}

fn assume_role(auth: &Auth, input: &AssumeRole) -> Result<String, ApiError> {
    let missing = |member: &str| {
        ApiError::validation(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
        ))
    };
    let role = input.role_arn.as_deref().ok_or_else(|| missing("roleArn"))?;
    let session = input.role_session_name.as_deref().ok_or_else(|| missing("roleSessionName"))?;
    let (_, name) = role.split_once(":role/").filter(|_| role.starts_with("arn:")).ok_or_else(|| {
        ApiError::validation(format!("{role} is invalid: it is not of the form arn:aws:iam::ACCOUNT:role/NAME"))
    })?;
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter);
    if !(2..=64).contains(&session.len()) || !session.chars().all(allowed) {
        return Err(ApiError::validation(format!(
            "1 validation error detected: Value '{session}' at 'roleSessionName' failed to satisfy constraint: Member \
             must satisfy regular expression pattern: [\\w+=,.@-]* and have length from 2 to 64"
        )));
    }
    let seconds = match &input.duration_seconds {
        None => DURATION,
        Some(text) => text.parse().ok().filter(|seconds| (SHORTEST..=LONGEST).contains(seconds)).ok_or_else(|| {
            ApiError::validation(format!(
                "1 validation error detected: Value '{text}' at 'durationSeconds' failed to satisfy constraint: Member \
                 must have value from {SHORTEST} to {LONGEST}"
            ))
        })?,
    };
    let name = name.rsplit('/').next().unwrap_or(name);
    let arn = format!("arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}");
    let (id, shown) = (escaped(&role_id(&arn)), escaped(&arn));
    let issued = auth.issue(arn, seconds);
    Ok(format!(
        "<AssumedRoleUser><AssumedRoleId>{id}</AssumedRoleId><Arn>{shown}</Arn></AssumedRoleUser><Credentials>\
         <AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey><SessionToken>{}</SessionToken>\
         <Expiration>{}</Expiration></Credentials>",
        issued.key_id,
        issued.secret,
        issued.token,
        clock::iso(issued.expires_ms)
    ))
}

/// `AROA…:session`, the same for the same role.
fn role_id(arn: &str) -> String {
    let (role, session) = arn.rsplit_once('/').unwrap_or((arn, ""));
    format!("AROA{:016X}:{session}", u64::from(crc32fast::hash(role.as_bytes())))
}
