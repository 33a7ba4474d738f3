//! Who sends a request: signatures (AWS Signature Version 4) and the keys behind them.
//!
//! Without a credentials file every key is taken and no signature is looked at.

mod authorization;
mod keys;
mod sigv4;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use self::authorization::Authorization;
pub(crate) use self::keys::Issued;
use self::keys::Keys;
use self::sigv4::Signed;
use crate::api_error::ApiError;
use crate::clock::{self, Clock};
use crate::error::LocalError;
use crate::http::ApiCall;

/// How far the time of a signature may be from that of the service.
const SKEW_MS: u64 = 5 * 60_000;
/// The longest that a signature in the query may say that it holds: seven days, as at AWS.
const LONGEST_SECONDS: u64 = 7 * 86_400;
const INVALID_SIGNATURE: &str = "InvalidSignatureException";

/// Checks requests.
pub(crate) struct Auth {
    clock: Clock,
    /// Whether signatures are looked at.
    verifies: bool,
    keys: Mutex<Keys>,
}

/// Who sends a request, and where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) key_id: String,
    pub(crate) region: String,
    /// The service that the signature is for, such as `kinesis`.
    pub(crate) service: String,
    /// The role that was assumed for the key, if it is a temporary one of this service.
    pub(crate) role: Option<String>,
}

impl Auth {
    /// Reads the keys of a credentials file; without one every key is taken.
    pub(crate) fn open(credentials: Option<&Path>, clock: Clock) -> Result<Self, LocalError> {
        let keys = credentials.map(Keys::read).transpose()?.unwrap_or_default();
        Ok(Self { clock, verifies: credentials.is_some(), keys: Mutex::new(keys) })
    }

    /// The caller of a request, in AWS's words if there is none or it is not who it says.
    pub(crate) fn caller(&self, call: &ApiCall) -> Result<Caller, ApiError> {
        let authorization = Authorization::of(call)?;
        let key_id = authorization.key_id();
        let role = if self.verifies { self.verify(call, &authorization)? } else { self.role_of(key_id) };
        let [_, region, service] = authorization.scoped_to().map(str::to_owned);
        Ok(Caller { key_id: key_id.to_owned(), region, service, role })
    }

    /// A key for a role that ends after so many seconds.
    pub(crate) fn issue(&self, role: String, seconds: u64) -> Issued {
        self.keys().issue(role, seconds, self.clock.now_ms())
    }

    fn role_of(&self, key_id: &str) -> Option<String> {
        self.keys().find(key_id)?.role.clone()
    }

    /// Gives the role that was assumed for the key.
    fn verify(&self, call: &ApiCall, authorization: &Authorization<'_>) -> Result<Option<String>, ApiError> {
        authorization.check_algorithm()?;
        let now_ms = self.clock.now_ms();
        // A copy: other requests need not wait while the body is hashed.
        let known = self.keys().find(authorization.key_id()).cloned().ok_or_else(unrecognized)?;
        if !known.has_token(authorization.token.as_deref()) {
            return Err(unrecognized());
        }
        let refused = |message: String| ApiError::new(INVALID_SIGNATURE, 400, message);
        let lasts_ms = authorization.expires.map_or(SKEW_MS, |seconds| seconds.min(LONGEST_SECONDS) * 1000);
        check_time(&authorization.date, lasts_ms, now_ms).map_err(refused)?;
        let signed = Signed { call, authorization };
        signed.check_scope().map_err(refused)?;
        if !signed.is_by(known.secret()) {
            return Err(refused(
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                 Access Key and signing method. Consult the service documentation for details."
                    .to_owned(),
            ));
        }
        if known.is_expired(now_ms) {
            let message = "The security token included in the request is expired";
            return Err(ApiError::new("ExpiredTokenException", 400, message));
        }
        Ok(known.role)
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unrecognized() -> ApiError {
    ApiError::new("UnrecognizedClientException", 400, "The security token included in the request is invalid.")
}

fn check_time(date: &str, lasts_ms: u64, now_ms: u64) -> Result<(), String> {
    let Some(signed_ms) = clock::parse_basic(date) else {
        return Err("Date in X-Amz-Date header is missing or not of the form 20260102T030405Z.".to_owned());
    };
    let now = clock::basic(now_ms);
    if signed_ms + lasts_ms < now_ms {
        let earliest = clock::basic(now_ms - lasts_ms);
        let minutes = lasts_ms / 60_000;
        return Err(format!("Signature expired: {date} is now earlier than {earliest} ({now} - {minutes} min.)"));
    }
    if signed_ms > now_ms + SKEW_MS {
        let latest = clock::basic(now_ms + SKEW_MS);
        return Err(format!("Signature not yet current: {date} is still later than {latest} ({now} + 5 min.)"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::sigv4::tests::{presigned, signed};
    use super::*;

    fn strict() -> Auth {
        Auth { clock: Clock::default(), verifies: true, keys: Mutex::default() }
    }

    #[test]
    fn a_temporary_key_works_until_it_expires() {
        let auth = strict();
        let issued = auth.issue("role".to_owned(), 900);
        let call = |auth: &Auth| {
            let now = clock::basic(auth.clock.now_ms());
            auth.caller(&signed(&issued.key_id, &issued.secret, Some(&issued.token), &now))
        };
        assert_eq!(call(&auth).unwrap().role.as_deref(), Some("role"));
        auth.clock.advance(Duration::from_secs(901));
        assert_eq!(call(&auth).unwrap_err().code(), "ExpiredTokenException");
        let now = clock::basic(auth.clock.now_ms());
        let error = auth.caller(&signed(&issued.key_id, &issued.secret, None, &now)).unwrap_err();
        assert_eq!(error.code(), "UnrecognizedClientException");
    }

    #[test]
    fn a_signature_in_the_query_holds_as_long_as_it_says() {
        let auth = strict();
        let issued = auth.issue("role".to_owned(), 3600);
        let at =
            |secret: &str, ms: u64| auth.caller(&presigned(&issued.key_id, secret, &issued.token, &clock::basic(ms)));
        let now_ms = auth.clock.now_ms();
        assert_eq!(at(&issued.secret, now_ms - 590_000).unwrap().region, "us-east-1");
        assert_eq!(at("other", now_ms).unwrap_err().code(), "InvalidSignatureException");
        let late = at(&issued.secret, now_ms - 610_000).unwrap_err();
        assert!(late.message().ends_with("- 10 min.)"), "{}", late.message());
    }

    #[test]
    fn a_signature_is_of_now_within_five_minutes() {
        let auth = strict();
        let issued = auth.issue("role".to_owned(), 3600);
        let at = |ms: u64| auth.caller(&signed(&issued.key_id, &issued.secret, Some(&issued.token), &clock::basic(ms)));
        let now_ms = auth.clock.now_ms();
        assert!(at(now_ms - 290_000).is_ok());
        assert!(at(now_ms + 290_000).is_ok());
        let late = at(now_ms - 310_000).unwrap_err();
        assert_eq!(late.code(), "InvalidSignatureException");
        assert!(late.message().starts_with("Signature expired: "), "{}", late.message());
        let early = at(now_ms + 310_000).unwrap_err();
        assert!(early.message().starts_with("Signature not yet current: "), "{}", early.message());
    }
}
