//! DeleteResourcePolicy, for streams and consumers.

use super::Call;
use super::get_resource_policy::Input;
use crate::api_error::ApiError;

pub(super) fn run(call: &Call, input: Input) -> Result<(), ApiError> {
    let resource = input.resource(call)?;
    let remove = |policy: &mut Option<String>| match policy.take() {
        Some(_) => Ok(()),
        None => Err(ApiError::not_found(format!("No resource policy found for resource ARN {}.", input.arn()))),
    };
    resource.update(call, |stream| remove(&mut stream.policy), |consumer| remove(&mut consumer.policy))
}
