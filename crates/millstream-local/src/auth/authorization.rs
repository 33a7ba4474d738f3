//! What a request says of its signature, in a header or in the query. Pure.

use std::borrow::Cow;

use hyper::header::DATE;

use crate::api_error::ApiError;
use crate::http::ApiCall;

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
pub(super) const SIGNATURE: &str = "X-Amz-Signature";

/// A signature and what it is of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Authorization<'a> {
    algorithm: Cow<'a, str>,
    credential: Cow<'a, str>,
    /// Bytes of the credential that are the key's id; what follows the next one is the scope.
    key_length: usize,
    pub(super) signed_headers: Cow<'a, str>,
    pub(super) signature: Cow<'a, str>,
    /// When it was signed, as `X-Amz-Date` says.
    pub(super) date: Cow<'a, str>,
    pub(super) token: Option<Cow<'a, str>>,
    /// Seconds for which it holds, of a signature in the query.
    pub(super) expires: Option<u64>,
}

impl<'a> Authorization<'a> {
    /// Reads `Authorization: AWS4-HMAC-SHA256 Credential=KEY/SCOPE, SignedHeaders=host;x-amz-date, Signature=HEX`, or
    /// the same as `X-Amz-…` parameters of the query. What is missing is said in AWS's words.
    pub(super) fn of(call: &'a ApiCall) -> Result<Self, ApiError> {
        let query: Vec<(Cow<'a, str>, Cow<'a, str>)> = match call.parts.uri.query() {
            Some(query) => form_urlencoded::parse(query.as_bytes()).collect(),
            None => Vec::new(),
        };
        let in_query = query.iter().any(|(name, _)| name == "X-Amz-Algorithm");
        match (call.authorization(), in_query) {
            (Some(_), true) => Err(ApiError::new(
                super::INVALID_SIGNATURE,
                400,
                "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
            )),
            (Some(header), false) => Self::of_header(call, header),
            (None, true) => Self::of_query(&query),
            (None, false) => {
                Err(ApiError::new("MissingAuthenticationTokenException", 400, "Missing Authentication Token"))
            }
        }
    }

    fn of_header(call: &'a ApiCall, header: &'a str) -> Result<Self, ApiError> {
        let mut words = header.split([',', ' ']);
        let algorithm = words.next().unwrap_or_default();
        let parts: Vec<(&str, &str)> = words.filter_map(|word| word.split_once('=')).collect();
        let part = |name: &str| {
            let found = parts.iter().find(|(part, value)| *part == name && !value.is_empty());
            found.map(|(_, value)| *value).unwrap_or_default()
        };
        let (credential, signature, signed_headers) = (part("Credential"), part("Signature"), part("SignedHeaders"));
        let date = call.header("x-amz-date");
        let mut missing = String::new();
        for (name, value) in [("Credential", credential), ("Signature", signature), ("SignedHeaders", signed_headers)] {
            if value.is_empty() {
                missing += &format!("Authorization header requires '{name}' parameter. ");
            }
        }
        if date.or(call.header(DATE.as_str())).is_none() {
            missing += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
        }
        if !missing.is_empty() {
            return Err(incomplete(format!("{missing}Authorization={header}")));
        }
        Ok(Self {
            algorithm: algorithm.into(),
            key_length: key_length(credential)?,
            credential: credential.into(),
            signed_headers: signed_headers.into(),
            signature: signature.into(),
            date: date.unwrap_or_default().into(),
            token: call.header("x-amz-security-token").map(Cow::from),
            expires: None,
        })
    }

    fn of_query(query: &[(Cow<'a, str>, Cow<'a, str>)]) -> Result<Self, ApiError> {
        let find = |name: &str| {
            let found = query.iter().find(|(parameter, value)| parameter == name && !value.is_empty());
            found.map(|(_, value)| value.clone())
        };
        let mut missing = String::new();
        let mut needed = |name: &str| {
            find(name).unwrap_or_else(|| {
                missing += &format!("AWS query-string parameters must include '{name}'. ");
                Cow::default()
            })
        };
        let (algorithm, credential) = (needed("X-Amz-Algorithm"), needed("X-Amz-Credential"));
        let (signature, signed_headers) = (needed(SIGNATURE), needed("X-Amz-SignedHeaders"));
        let date = needed("X-Amz-Date");
        if !missing.is_empty() {
            return Err(incomplete(format!("{missing}Re-examine the query-string parameters.")));
        }
        let key_length = key_length(&credential)?;
        let (token, expires) = (find("X-Amz-Security-Token"), find("X-Amz-Expires"));
        let expires = expires.and_then(|seconds| seconds.parse().ok());
        Ok(Self { algorithm, credential, key_length, signed_headers, signature, date, token, expires })
    }

    pub(super) fn key_id(&self) -> &str {
        &self.credential[..self.key_length]
    }

    /// `20260102/us-east-1/kinesis/aws4_request`.
    pub(super) fn scope(&self) -> &str {
        &self.credential[self.key_length + 1..]
    }

    /// Date, region and service.
    pub(super) fn scoped_to(&self) -> [&str; 3] {
        let mut parts = self.scope().split('/');
        [(); 3].map(|()| parts.next().unwrap_or_default())
    }

    /// Whether it is of the one version of signatures that there is.
    pub(super) fn check_algorithm(&self) -> Result<(), ApiError> {
        if self.algorithm == ALGORITHM {
            return Ok(());
        }
        Err(incomplete(format!("Unsupported AWS 'algorithm': '{}'. The algorithm is {ALGORITHM}.", self.algorithm)))
    }
}

/// Bytes of the key's id. Counted from the end: an access key may hold slashes, a scope does not.
fn key_length(credential: &str) -> Result<usize, ApiError> {
    let mut parts = credential.rsplitn(5, '/');
    let (_, _, region) = (parts.next(), parts.next(), parts.next());
    let (Some(region), Some(_), Some(key_id)) = (region, parts.next(), parts.next()) else {
        return Err(incomplete(format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'"
        )));
    };
    let valid = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if region.is_empty() || region.len() > 64 || !region.bytes().all(valid) {
        return Err(incomplete(format!("Credential should be scoped to a valid region, not '{region}'.")));
    }
    Ok(key_id.len())
}

fn incomplete(message: String) -> ApiError {
    ApiError::new("IncompleteSignatureException", 400, message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn call(uri: &str, authorization: Option<&str>) -> ApiCall {
        let mut request = hyper::Request::builder().uri(uri).header("x-amz-date", "20260102T000000Z");
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        ApiCall { parts, body: bytes::Bytes::new() }
    }

    fn refusal(uri: &str, authorization: Option<&str>) -> String {
        let error = Authorization::of(&call(uri, authorization)).unwrap_err();
        format!("{}: {}", error.code(), error.message())
    }

    #[test]
    fn the_region_is_that_of_the_credential_scope() {
        for (credential, key_id, region) in [
            ("KEY/20260102/eu-west-1/kinesis/aws4_request", "KEY", "eu-west-1"),
            ("K/E/Y/1/us-east-2/x/y", "K/E/Y", "us-east-2"),
        ] {
            let header = format!("{ALGORITHM} Credential={credential}, SignedHeaders=host, Signature=0");
            let call = call("/", Some(&header));
            let authorization = Authorization::of(&call).unwrap();
            assert_eq!((authorization.key_id(), authorization.scoped_to()[1]), (key_id, region));
        }
        let wrong = refusal("/", Some("A Credential=KEY/x/../y/z, SignedHeaders=a, Signature=0"));
        assert_eq!(wrong, "IncompleteSignatureException: Credential should be scoped to a valid region, not '..'.");
    }

    #[test]
    fn all_that_is_missing_is_named() {
        let header = "AWS4- Signature=b,Credential=a";
        let missing = "IncompleteSignatureException: Authorization header requires 'SignedHeaders' parameter. ";
        assert_eq!(refusal("/", Some(header)), format!("{missing}Authorization={header}"));
        let missing = "IncompleteSignatureException: AWS query-string parameters must include 'X-Amz-SignedHeaders'. ";
        let query = "/?X-Amz-Algorithm=a&X-Amz-Credential=b&X-Amz-Signature=c&X-Amz-Date=d";
        assert_eq!(refusal(query, None), format!("{missing}Re-examine the query-string parameters."));
        assert!(refusal(query, Some(header)).starts_with("InvalidSignatureException: Found both "));
        assert!(refusal("/?X-Amz-Credential=b", None).starts_with("MissingAuthenticationTokenException: "));
    }
}
