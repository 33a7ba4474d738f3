//! Which service answers a request, after the checks and faults that are common to all.

use std::sync::Arc;

use crate::api_error::ApiError;
use crate::dynamodb::DynamoDb;
use crate::faults::{FaultKind, Faults};
use crate::format::Format;
use crate::http::{ApiCall, Body, DropAfter, Dropped, Incoming, Refusal, Reply};
use crate::kinesis::{Kinesis, Region};

const KINESIS: &str = "Kinesis_20131202";
const DYNAMODB: &str = "DynamoDB_20120810";

pub(crate) struct Router {
    kinesis: Arc<Kinesis>,
    dynamodb: DynamoDb,
    faults: Arc<Faults>,
}

impl Router {
    pub(crate) fn new(kinesis: Arc<Kinesis>, dynamodb: DynamoDb, faults: Arc<Faults>) -> Self {
        Self { kinesis, dynamodb, faults }
    }

    pub(crate) async fn answer(&self, request: Incoming) -> Result<Reply, Dropped> {
        match request {
            Incoming::Health => {
                let body = br#"{"status":"running"}"#.to_vec();
                Ok(Reply { status: 200, content_type: "application/json", body: body.into() })
            }
            Incoming::Refused(refusal) => Ok(refused(refusal)),
            Incoming::Call(call) => self.call(call).await,
        }
    }

    /// Ends the answers that would go on by themselves.
    pub(crate) async fn stop(&self) {
        self.kinesis.subscriptions().stop().await;
    }

    async fn call(&self, call: ApiCall) -> Result<Reply, Dropped> {
        let (service, operation) = call.target.split_once('.').unwrap_or_default();
        let format = format_of(&call, service);
        let region = match checked(&call, service) {
            Ok(region) => region,
            Err(error) => return Ok(error.into_reply(format)),
        };
        let mut stop_after = None;
        match self.faults.take(operation, || self.stream_of(service, format, &call.body)) {
            None => {}
            Some(FaultKind::Latency(delay)) => tokio::time::sleep(delay).await,
            Some(FaultKind::DropConnection) => return Err(Dropped),
            Some(FaultKind::StopEventStream { after }) => stop_after = Some(after),
            Some(FaultKind::Error { code, status, message }) => {
                return Ok(ApiError::new(code, status, message).into_reply(format));
            }
        }
        let body = call.body.clone();
        let mut reply = match service {
            DYNAMODB => self.dynamodb.answer(operation, body).await,
            _ => self.kinesis.answer(region, format, operation, body).await,
        };
        if let (Some(after), Body::Pieces { drop, .. }) = (stop_after, &mut reply.body) {
            *drop = Some(DropAfter::new(after));
        }
        Ok(reply)
    }

    fn stream_of(&self, service: &str, format: Format, body: &[u8]) -> Option<String> {
        if service == KINESIS { self.kinesis.stream_named_in(format, body) } else { None }
    }
}

/// What AWS checks before it looks into a request; gives the region.
fn checked(call: &ApiCall, service: &str) -> Result<Region, ApiError> {
    if service != KINESIS && service != DYNAMODB {
        return Err(ApiError::unknown_operation(""));
    }
    if call.authorization.is_none() {
        return Err(ApiError::new("MissingAuthenticationTokenException", 400, "Missing Authentication Token"));
    }
    let Some(region) = call.region() else {
        let message = "Authorization header requires 'Credential' parameter.";
        return Err(ApiError::new("IncompleteSignatureException", 400, message));
    };
    Ok(Region::from(region))
}

/// The format of the request, and so of its answer.
fn format_of(call: &ApiCall, service: &str) -> Format {
    if service == DYNAMODB {
        crate::dynamodb::FORMAT
    } else if call.content_type == Format::Cbor11.content_type() {
        Format::Cbor11
    } else {
        Format::Json11
    }
}

fn refused(refusal: Refusal) -> Reply {
    let (status, body) = match refusal {
        Refusal::NoOperation => (
            403,
            "<AccessDeniedException>\n  <Message>Unable to determine service/operation name to be authorized</Message>\n\
             </AccessDeniedException>\n",
        ),
        Refusal::TooLarge => (413, ""),
        Refusal::Broken => (400, ""),
    };
    Reply { status, content_type: "text/xml", body: body.as_bytes().to_vec().into() }
}
