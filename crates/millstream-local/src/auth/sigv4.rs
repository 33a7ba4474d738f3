//! AWS Signature Version 4 of a request: what was signed, and whether by a given secret. Pure.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::http::ApiCall;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The parts of an `Authorization` header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Authorization<'a> {
    pub(super) key_id: &'a str,
    /// `20260102/us-east-1/kinesis/aws4_request`.
    scope: &'a str,
    date: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Reads `AWS4-HMAC-SHA256 Credential=KEY/SCOPE, SignedHeaders=host;x-amz-date, Signature=HEX`. Unless it is to be
    /// verified, the credential is enough.
    pub(super) fn parse(header: &'a str, verified: bool) -> Result<Self, String> {
        let part = |name: &str| {
            let (_, rest) = header.split_once(name)?;
            rest.strip_prefix('=')?.split([',', ' ']).next().filter(|value| !value.is_empty())
        };
        let missing = |name: &str| format!("Authorization header requires '{name}' parameter.");
        let credential = part("Credential").ok_or_else(|| missing("Credential"))?;
        // Counted from the end: an access key may hold slashes, a scope does not.
        let mut parts = credential.rsplitn(5, '/');
        let (end, service, region, date, key_id) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next());
        let (Some(_), Some(service), Some(region), Some(date), Some(key_id)) = (end, service, region, date, key_id)
        else {
            return Err(missing("Credential"));
        };
        let valid = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if region.is_empty() || region.len() > 64 || !region.bytes().all(valid) {
            return Err(missing("Credential"));
        }
        let (signed_headers, signature) = (part("SignedHeaders"), part("Signature"));
        if verified {
            if !header.starts_with(ALGORITHM) {
                return Err(format!("Authorization header requires the algorithm {ALGORITHM}."));
            }
            signed_headers.ok_or_else(|| missing("SignedHeaders"))?;
            signature.ok_or_else(|| missing("Signature"))?;
        }
        Ok(Self {
            key_id,
            scope: &credential[key_id.len() + 1..],
            date,
            region,
            service,
            signed_headers: signed_headers.unwrap_or_default(),
            signature: signature.unwrap_or_default(),
        })
    }
}

/// A request and what its signature says of it.
pub(super) struct Signed<'a> {
    pub(super) call: &'a ApiCall,
    pub(super) authorization: &'a Authorization<'a>,
    /// The `X-Amz-Date`.
    pub(super) date: &'a str,
}

impl Signed<'_> {
    /// The scope has to be of the same day, and the host signed.
    pub(super) fn check_scope(&self) -> Result<(), String> {
        let Authorization { date, signed_headers, scope, .. } = self.authorization;
        if self.date.get(..8) != Some(date) {
            return Err(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{date}' != \
                 '{}', from '{}'.",
                self.date.get(..8).unwrap_or_default(),
                self.date
            ));
        }
        if !scope.ends_with("/aws4_request") {
            return Err("Credential should be scoped with a valid terminator: 'aws4_request'.".to_owned());
        }
        if !signed_headers.split(';').any(|name| name == "host") {
            return Err("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.".to_owned());
        }
        Ok(())
    }

    /// Whether the signature is one by this secret. Compared in constant time.
    pub(super) fn is_by(&self, secret: &str) -> bool {
        let signature = from_hex(self.authorization.signature);
        let (Some(signature), Some(mac)) = (signature, self.mac(secret)) else { return false };
        mac.verify_slice(&signature).is_ok()
    }

    /// What the signature has to be; `None` never, since HMAC takes keys of any length.
    fn mac(&self, secret: &str) -> Option<Hmac<Sha256>> {
        let Authorization { date, region, service, scope, .. } = self.authorization;
        let mut key = format!("AWS4{secret}").into_bytes();
        for part in [*date, *region, *service, "aws4_request"] {
            key = hmac(&key, part.as_bytes())?.finalize().into_bytes().to_vec();
        }
        let request = hex(&Sha256::digest(self.canonical_request()));
        let text = format!("{ALGORITHM}\n{}\n{scope}\n{request}", self.date);
        hmac(&key, text.as_bytes())
    }

    fn canonical_request(&self) -> String {
        let ApiCall { parts, body } = self.call;
        let mut query: Vec<&str> = parts.uri.query().unwrap_or_default().split('&').collect();
        query.sort_unstable();
        let headers = self.authorization.signed_headers;
        let mut text = format!("{}\n{}\n{}\n", parts.method, parts.uri.path(), query.join("&"));
        for name in headers.split(';') {
            let _ = writeln!(text, "{name}:{}", self.header(name));
        }
        let _ = write!(text, "\n{headers}\n{}", hex(&Sha256::digest(body)));
        text
    }

    /// All values of a header, with runs of spaces as one.
    fn header(&self, name: &str) -> String {
        let parts = &self.call.parts;
        let values = parts.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        let values: Vec<String> =
            values.map(|value| value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")).collect();
        match parts.uri.authority() {
            // HTTP/2 has no header of this name.
            Some(authority) if name == "host" && values.is_empty() => authority.to_string(),
            _ => values.join(","),
        }
    }
}

fn hmac(key: &[u8], data: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(data);
    Some(mac)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok().filter(|_| pair.len() == 2)).collect()
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A call signed at a time.
    pub(in crate::auth) fn signed(key_id: &str, secret: &str, token: Option<&str>, date: &str) -> ApiCall {
        let scope = format!("{}/us-east-1/kinesis/aws4_request", &date[..8]);
        let head = format!("{ALGORITHM} Credential={key_id}/{scope}, SignedHeaders=host;x-amz-date, Signature=");
        let mut request = hyper::Request::builder().method("POST").uri("/").header("host", "localhost");
        request = request.header("x-amz-date", date);
        if let Some(token) = token {
            request = request.header("x-amz-security-token", token);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let mut call = ApiCall { parts, body: bytes::Bytes::from_static(b"{}") };
        let unsigned = format!("{head}0");
        let authorization = Authorization::parse(&unsigned, true).unwrap();
        let mac = Signed { call: &call, authorization: &authorization, date }.mac(secret).unwrap();
        let header = format!("{head}{}", hex(&mac.finalize().into_bytes()));
        call.parts.headers.insert("authorization", header.parse().unwrap());
        call
    }

    #[test]
    fn the_region_is_that_of_the_credential_scope() {
        let region = |header: &str| Authorization::parse(header, false).map(|parsed| parsed.region.to_owned());
        let scope = "AWS4-HMAC-SHA256 Credential=KEY/20260102/eu-west-1/kinesis/aws4_request, SignedHeaders=host";
        assert_eq!(region(scope).as_deref(), Ok("eu-west-1"));
        let slashed = "AWS4-HMAC-SHA256 Credential=K/E/Y/20260102/us-east-2/kinesis/aws4_request";
        assert_eq!(region(slashed).as_deref(), Ok("us-east-2"));
        assert_eq!(Authorization::parse(slashed, false).unwrap().key_id, "K/E/Y");
        let error = "Authorization header requires 'Credential' parameter.".to_owned();
        assert_eq!(region("Bearer token"), Err(error.clone()));
        assert_eq!(region("AWS4-HMAC-SHA256 Credential=KEY/../x"), Err(error));
        let unsigned = Authorization::parse(scope, true).unwrap_err();
        assert_eq!(unsigned, "Authorization header requires 'Signature' parameter.");
    }

    /// The example "get-vanilla" of AWS's test suite for Signature Version 4.
    #[test]
    fn the_signature_of_awss_example_is_recognised() {
        let header = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                      SignedHeaders=host;x-amz-date, \
                      Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        let request = hyper::Request::builder()
            .uri("/")
            .header("Host", "example.amazonaws.com")
            .header("X-Amz-Date", "20150830T123600Z");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let call = ApiCall { parts, body: bytes::Bytes::new() };
        let authorization = Authorization::parse(header, true).unwrap();
        let signed = Signed { call: &call, authorization: &authorization, date: "20150830T123600Z" };
        assert_eq!(signed.check_scope(), Ok(()));
        assert!(signed.is_by("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"));
        assert!(!signed.is_by("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEX"));
    }
}
