//! AWS Signature Version 4 of a request: what was signed, and whether by a given secret. Pure.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::authorization::{ALGORITHM, Authorization, SIGNATURE};
use crate::http::ApiCall;

/// A request and what its signature says of it.
pub(super) struct Signed<'a> {
    pub(super) call: &'a ApiCall,
    pub(super) authorization: &'a Authorization<'a>,
}

impl Signed<'_> {
    /// The scope has to be of the same day, and the host signed.
    pub(super) fn check_scope(&self) -> Result<(), String> {
        let Authorization { date, signed_headers, .. } = self.authorization;
        let [day, ..] = self.authorization.scoped_to();
        if date.get(..8) != Some(day) {
            return Err(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{day}' != \
                 '{}', from '{date}'.",
                date.get(..8).unwrap_or_default(),
            ));
        }
        if !self.authorization.scope().ends_with("/aws4_request") {
            return Err("Credential should be scoped with a valid terminator: 'aws4_request'.".to_owned());
        }
        if !signed_headers.split(';').any(|name| name == "host") {
            return Err("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.".to_owned());
        }
        Ok(())
    }

    /// Whether the signature is one by this secret. Compared in constant time.
    pub(super) fn is_by(&self, secret: &str) -> bool {
        let signature = from_hex(&self.authorization.signature);
        let (Some(signature), Some(mac)) = (signature, self.mac(secret)) else { return false };
        mac.verify_slice(&signature).is_ok()
    }

    /// What the signature has to be; `None` never, since HMAC takes keys of any length.
    fn mac(&self, secret: &str) -> Option<Hmac<Sha256>> {
        let authorization = self.authorization;
        let [day, region, service] = authorization.scoped_to();
        let mut key = format!("AWS4{secret}").into_bytes();
        for part in [day, region, service, "aws4_request"] {
            key = hmac(&key, part.as_bytes())?.finalize().into_bytes().to_vec();
        }
        let request = hex(&Sha256::digest(self.canonical_request()));
        let text = format!("{ALGORITHM}\n{}\n{}\n{request}", authorization.date, authorization.scope());
        hmac(&key, text.as_bytes())
    }

    fn canonical_request(&self) -> String {
        let ApiCall { parts, body } = self.call;
        let mut query: Vec<&str> = parts.uri.query().unwrap_or_default().split('&').collect();
        // A signature in the query is not of itself.
        query.retain(|parameter| parameter.split('=').next() != Some(SIGNATURE));
        query.sort_unstable();
        let headers = &self.authorization.signed_headers;
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
        call.parts.headers.insert("authorization", format!("{head}0").parse().unwrap());
        let mac = {
            let authorization = Authorization::of(&call).unwrap();
            Signed { call: &call, authorization: &authorization }.mac(secret).unwrap()
        };
        let header = format!("{head}{}", hex(&mac.finalize().into_bytes()));
        call.parts.headers.insert("authorization", header.parse().unwrap());
        call
    }

    /// A call with its signature in the query, which holds for ten minutes.
    pub(in crate::auth) fn presigned(key_id: &str, secret: &str, token: &str, date: &str) -> ApiCall {
        let at = |signature: &str| {
            let day = &date[..8];
            let uri = format!(
                "/?X-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={key_id}%2F{day}%2Fus-east-1%2Fkinesis%2Faws4_request\
                 &X-Amz-Date={date}&X-Amz-Expires=600&X-Amz-Security-Token={token}&X-Amz-Signature={signature}\
                 &X-Amz-SignedHeaders=host"
            );
            let request = hyper::Request::builder().method("POST").uri(uri).header("host", "localhost");
            let (parts, ()) = request.body(()).unwrap().into_parts();
            ApiCall { parts, body: bytes::Bytes::from_static(b"{}") }
        };
        let call = at("0");
        let authorization = Authorization::of(&call).unwrap();
        let mac = Signed { call: &call, authorization: &authorization }.mac(secret).unwrap();
        at(&hex(&mac.finalize().into_bytes()))
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
            .header("X-Amz-Date", "20150830T123600Z")
            .header("Authorization", header);
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let call = ApiCall { parts, body: bytes::Bytes::new() };
        let authorization = Authorization::of(&call).unwrap();
        let signed = Signed { call: &call, authorization: &authorization };
        assert_eq!(signed.check_scope(), Ok(()));
        assert!(signed.is_by("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"));
        assert!(!signed.is_by("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEX"));
    }
}
