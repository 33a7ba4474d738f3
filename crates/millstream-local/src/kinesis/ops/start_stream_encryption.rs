//! StartStreamEncryption. Records are marked as encrypted and kept as they are.

use serde::Deserialize;

use super::named::Named;
use super::{Call, text};
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::Word;
use crate::kinesis::stream::Encryption;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    #[serde(flatten)]
    stream: Named,
    encryption_type: Option<Word>,
    key_id: Option<Word>,
}

impl Input {
    /// The stream and the key.
    pub(super) fn checked(self) -> Result<(Named, String), ApiError> {
        let kind = text(self.encryption_type.as_ref());
        let mut check = Constraints::default();
        check.required("encryptionType", kind.is_some());
        check.one_of("encryptionType", kind, &["NONE", "KMS"]);
        check.required("keyId", self.key_id.is_some());
        if let Some(key) = &self.key_id {
            check.length("keyId", &key.0, 1, 2048);
        }
        self.stream.check(&mut check);
        check.satisfied()?;
        if kind != Some("KMS") {
            return Err(ApiError::invalid_argument("EncryptionType must be KMS."));
        }
        Ok((self.stream, self.key_id.map(|key| key.0).unwrap_or_default()))
    }
}

pub(super) fn run(call: &Call, input: Input) -> Result<(), ApiError> {
    let (stream, key_id) = input.checked()?;
    let stream = stream.find(call)?;
    call.kinesis.update_slowly(&stream, |info| {
        let since_ms = info.encryption.as_ref().map_or_else(|| call.kinesis.now_ms(), |encryption| encryption.since_ms);
        info.encryption = Some(Encryption { key_id, since_ms });
        Ok(())
    })
}
