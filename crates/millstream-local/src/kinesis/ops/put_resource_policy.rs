//! PutResourcePolicy, for streams and consumers. Policies are kept and shown, not enforced.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::named::Resource;
use super::{Call, text};
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::Word;

/// The most bytes of a policy (quotas in the Kinesis developer guide).
const MOST_BYTES: usize = 20 * 1024;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    #[serde(rename = "ResourceARN")]
    resource_arn: Option<Word>,
    stream_id: Option<Word>,
    policy: Option<Word>,
}

pub(super) fn run(call: &Call, input: Input) -> Result<(), ApiError> {
    let arn = text(input.resource_arn.as_ref());
    let mut check = Constraints::default();
    check.required("policy", input.policy.is_some());
    check.resource_arn(arn);
    check.stream_id(text(input.stream_id.as_ref()));
    check.satisfied()?;
    let resource = Resource::find(call, arn)?;
    let policy = input.policy.map(|policy| policy.0).unwrap_or_default();
    if policy.len() > MOST_BYTES {
        let message = format!("Policy is larger than {MOST_BYTES} bytes.");
        return Err(ApiError::limit_exceeded(message));
    }
    let document: Option<Map<String, Value>> = serde_json::from_str(&policy).ok();
    if !document.is_some_and(|document| document.contains_key("Statement")) {
        return Err(ApiError::invalid_argument("Policy is not a valid JSON policy document."));
    }
    resource.stream.must_be_active()?;
    let policy = Some(policy);
    let same = policy.clone();
    let stream = |info: &mut Option<String>, policy| {
        *info = policy;
        Ok(())
    };
    resource.update(call, |info| stream(&mut info.policy, policy), |info| stream(&mut info.policy, same))
}
