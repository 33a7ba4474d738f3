//! GetResourcePolicy, for streams and consumers.

use serde::{Deserialize, Serialize};

use super::named::Resource;
use super::{Call, text};
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::Word;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    #[serde(rename = "ResourceARN")]
    resource_arn: Option<Word>,
    stream_id: Option<Word>,
}

impl Input {
    /// The resource, which exists.
    pub(super) fn resource(&self, call: &Call) -> Result<Resource, ApiError> {
        let arn = text(self.resource_arn.as_ref());
        let mut check = Constraints::default();
        check.resource_arn(arn);
        check.stream_id(text(self.stream_id.as_ref()));
        check.satisfied()?;
        Resource::find(call, arn)
    }

    pub(super) fn arn(&self) -> &str {
        text(self.resource_arn.as_ref()).unwrap_or_default()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    policy: String,
}

pub(super) fn run(call: &Call, input: Input) -> Result<Output, ApiError> {
    let resource = input.resource(call)?;
    let policy = resource.look(|stream| stream.policy.clone(), |consumer| consumer.policy.clone())?;
    // AWS's answer without a policy.
    Ok(Output { policy: policy.unwrap_or_else(|| "{}".to_owned()) })
}
