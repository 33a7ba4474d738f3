//! DeregisterStreamConsumer.

use super::Call;
use super::describe_stream_consumer::Input;
use crate::api_error::ApiError;
use crate::kinesis::consumer::no_such_consumer;

pub(super) fn run(call: &Call, input: Input) -> Result<(), ApiError> {
    let (stream, consumer) = input.find(call)?;
    let now_ms = call.kinesis.now_ms();
    call.kinesis.update(&stream, |info| {
        let found =
            info.consumers.iter_mut().find(|found| found.name == consumer.name && !found.is_gone(stream.lifecycle()));
        let found = found.ok_or_else(|| no_such_consumer(&consumer.name))?;
        found.deleting_ms.get_or_insert(now_ms);
        info.consumers.retain(|consumer| !consumer.is_gone(stream.lifecycle()));
        Ok(())
    })
}
